"""beta-Hydroxybutyrate (BHB) in the blood: hepatic ketogenesis, saturable clearance, absorption of ketone drinks.

BHB in mmol/L, gut content in mmol of ketone per kg body mass, time in hours. Acetoacetate is not followed: an ester
yields only the share of its ketone that appears as BHB.
"""

import math
from typing import Annotated, NamedTuple

from abm.loops import rule
from abm.parameters import Unit


class KetoneParameters(NamedTuple):
    """Constants of BHB kinetics; sources in configs/parameters/body_ketones.yaml."""

    ketogenesis_rate: Annotated[float, Unit("1/h")]
    ketogenesis_glycogen_half: Annotated[float, Unit("mmol/kg")]
    ketogenic_induction: Annotated[float, Unit("1")]
    ketogenesis_maximum: Annotated[float, Unit("mmol/L/h")]
    fasting_time: Annotated[float, Unit("h")]
    ketone_clearance_maximum: Annotated[float, Unit("mmol/L/h")]
    ketone_clearance_half: Annotated[float, Unit("mmol/L")]
    ketone_clearance_muscle: Annotated[float, Unit("1")]
    ketone_clearance_exercise: Annotated[float, Unit("1")]
    ketone_clearance_training: Annotated[float, Unit("1")]
    ketone_volume: Annotated[float, Unit("L/kg")]
    gut_ketone_absorption: Annotated[float, Unit("1/h")]
    gut_ketone_meal_half: Annotated[float, Unit("mmol/kg")]
    butanediol_maximum: Annotated[float, Unit("mmol/kg/h")]
    butanediol_half: Annotated[float, Unit("mmol/kg")]
    ester_bhb_yield: Annotated[float, Unit("1")]


@rule
def fasting_rate(p: KetoneParameters, fasting: float, insulin_action: float) -> float:
    """Rate of change of how far the body has turned to a fast, 0 to 1, in 1/h: ((1 - I)+ - f) / tau.

    A memory of low insulin over days. Liver and fat follow it, which is why ketosis still deepens between the second
    and third day of a fast.
    """
    return (max(0.0, 1.0 - insulin_action) - fasting) / p.fasting_time


@rule
def ketogenic_capacity(p: KetoneParameters, fasting: float) -> float:
    """Ketogenic enzymes of the liver relative to a fed day, which days of low insulin induce: c = 1 + g f."""
    return 1.0 + p.ketogenic_induction * fasting


@rule
def ketogenesis(
    p: KetoneParameters, capacity: float, ffa: float, insulin_action: float, glucagon: float, glycogen: float
) -> float:
    """BHB made by the liver, mmol/L/h: d / (1 + (d / d_max)^4)^(1/4).

    d = k c F sqrt(glucagon / insulin) K / (K + g), g glycogen: enzyme capacity, fatty acid supply, the hormone ratio at
    the liver and the fall of malonyl-CoA as glycogen runs out. Hormones relative to basal; this one law makes
    overnight, fasting, diabetic and post-exercise ketosis and its end after carbohydrate. No liver makes more than
    d_max, which a fast does not reach and the hormones of an athlete with an empty liver would pass; the power, by
    which it does little below, is assumed.
    """
    supply = p.ketogenesis_rate * capacity * ffa * math.sqrt(glucagon / insulin_action)
    driven = supply * p.ketogenesis_glycogen_half / (p.ketogenesis_glycogen_half + glycogen)
    ratio = driven / p.ketogenesis_maximum
    square = ratio * ratio
    return driven / math.sqrt(math.sqrt(1.0 + square * square))


@rule
def ketone_clearance(p: KetoneParameters, bhb: float, reserve: float, sympathetic: float, fitness: float) -> float:
    """BHB taken up by tissues, mmol/L/h: V B / (B + K / (1 + a e + b fitness (m + a s))).

    Saturable, so that clearance per concentration falls as BHB rises, and exercise, e the share of the oxygen-uptake
    reserve in use, speeds it up at low but hardly at high concentration (Fery and Balasse 1988, fery1988). Training
    does so in muscle alone (Evans 2017, evans2017): in its share m of what a resting body takes up (Elia 1990,
    elia1990), and in what exercise adds, remembered for hours as s, since trained people have less BHB after exercise
    too (Johnson 1969, johnson1969).
    """
    trained = p.ketone_clearance_training * fitness
    affinity = 1.0 + p.ketone_clearance_exercise * reserve
    affinity += trained * (p.ketone_clearance_muscle + p.ketone_clearance_exercise * sympathetic)
    return p.ketone_clearance_maximum * bhb / (bhb + p.ketone_clearance_half / affinity)


@rule
def ketone_absorption(p: KetoneParameters, gut_ketone: float, gut_carbohydrate: float) -> float:
    """BHB absorbed from a drink, mmol/kg/h: k E / (1 + C / K_meal), slowed by carbohydrate C in the gut
    (stubbs2017).
    """
    return p.gut_ketone_absorption * gut_ketone / (1.0 + gut_carbohydrate / p.gut_ketone_meal_half)


@rule
def butanediol_conversion(p: KetoneParameters, butanediol: float) -> float:
    """Butanediol, the other half of the ester, oxidised to ketone in the liver, mmol/kg/h: v D / (D + K).

    The enzyme saturates, so that large drinks last longer rather than peak higher in proportion.
    """
    return p.butanediol_maximum * butanediol / (butanediol + p.butanediol_half)
