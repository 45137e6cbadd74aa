"""Carbohydrate and fat in the blood: gut, liver glycogen, glucose, insulin, glucagon, free fatty acids.

Fluxes in mmol per kg body mass and hour, glucose and free fatty acids in mmol/L, insulin in pmol/L, glycogen in mmol
of glucose per kg body mass; e is the share of the oxygen-uptake reserve in use, w the uptake above rest over the
reserve of a healthy trained subject, which stands for absolute work. "Basal" is the postabsorptive state, about 14 h
after the last meal in a human, to which each regulation is normalised.
"""

from typing import Annotated, NamedTuple

from abm.loops import rule
from abm.parameters import Unit


class FuelParameters(NamedTuple):
    """Constants of glucose and fat metabolism; sources in configs/parameters/body_fuels.yaml."""

    gut_glucose_maximum: Annotated[float, Unit("mmol/kg/h")]
    gut_glucose_half: Annotated[float, Unit("mmol/kg")]
    portal_capture: Annotated[float, Unit("1")]
    glycogen_capacity: Annotated[float, Unit("mmol/kg")]
    glycogen_half: Annotated[float, Unit("mmol/kg")]
    glucose_volume: Annotated[float, Unit("L/kg")]
    glucose_basal: Annotated[float, Unit("mmol/L")]
    liver_output_basal: Annotated[float, Unit("mmol/kg/h")]
    gluconeogenesis_share: Annotated[float, Unit("1")]
    liver_insulin_sensitivity: Annotated[float, Unit("1")]
    liver_exercise_gain: Annotated[float, Unit("1")]
    liver_portal_half: Annotated[float, Unit("mmol/kg/h")]
    obligatory_uptake: Annotated[float, Unit("mmol/kg/h")]
    obligatory_half: Annotated[float, Unit("mmol/L")]
    exercise_glucose_uptake: Annotated[float, Unit("mmol/kg/h")]
    sympathetic_time: Annotated[float, Unit("h")]
    sympathetic_half: Annotated[float, Unit("1")]
    insulin_basal: Annotated[float, Unit("pmol/L")]
    insulin_time: Annotated[float, Unit("h")]
    insulin_incretin_gain: Annotated[float, Unit("kg*h/mmol")]
    insulin_exercise_suppression: Annotated[float, Unit("1")]
    insulin_sensitivity: Annotated[float, Unit("1")]
    glucagon_basal: Annotated[float, Unit("1")]
    glucagon_exercise_gain: Annotated[float, Unit("1")]
    ffa_basal: Annotated[float, Unit("mmol/L")]
    ffa_turnover: Annotated[float, Unit("1/h")]
    lipolysis_insulin_sensitivity: Annotated[float, Unit("1")]
    lipolysis_exercise_gain: Annotated[float, Unit("1")]
    lipolysis_fasting_gain: Annotated[float, Unit("1")]
    lipolysis_ketone_half: Annotated[float, Unit("mmol/L")]
    ffa_limit: Annotated[float, Unit("mmol/L")]
    ffa_exercise_uptake: Annotated[float, Unit("1")]


class FuelFluxes(NamedTuple):
    """Fluxes of glucose, mmol/kg/h, and the two hormone levels relative to basal that steer the liver."""

    gut_glucose: float
    portal_uptake: float
    glycogenolysis: float
    gluconeogenesis: float
    glucose_uptake: float
    insulin_action: float
    glucagon: float


@rule
def glucagon_level(p: FuelParameters, glucose: float, work: float) -> float:
    """Glucagon relative to the healthy basal level: g (G_basal / G)^2 (1 + b w). It turns over in minutes."""
    ratio = p.glucose_basal / glucose
    return p.glucagon_basal * ratio * ratio * (1.0 + p.glucagon_exercise_gain * work)


@rule
def liver_drive(p: FuelParameters, insulin_action: float, glucagon: float, gut_glucose: float) -> float:
    """Hormonal stimulus to hepatic glucose output relative to basal.

    glucagon x ((1 + q) / (1 + q I))^2 / (1 + (portal glucose / half)^2): insulin and arriving glucose restrain the
    liver; carbohydrate intake stops its output altogether (jeukendrup1999).
    """
    q = p.liver_insulin_sensitivity
    restraint = (1.0 + q) / (1.0 + q * insulin_action)
    portal = gut_glucose / p.liver_portal_half
    return glucagon * restraint * restraint / (1.0 + portal * portal)


@rule
def sympathetic_drive(p: FuelParameters, sympathetic: float) -> float:
    """Drive that grows with the intensity and the duration of work and outlasts it, 0 to 1: s / (s + s_half)."""
    return sympathetic / (sympathetic + p.sympathetic_half)


@rule
def glucose_uptake(
    p: FuelParameters, glucose: float, insulin_action: float, sympathetic: float, work: float
) -> float:
    """Glucose leaving the blood, mmol/kg/h.

    Obligatory (brain, blood cells; u_o G / (G + K), over that at G_basal) + insulin-dependent u I G / G_basal + working
    muscle u_ex w d G / G_basal, with the sympathetic drive d.
    """
    level, half = glucose / p.glucose_basal, p.obligatory_half
    obligatory = p.obligatory_uptake * glucose / (glucose + half) * (p.glucose_basal + half) / p.glucose_basal
    peripheral = (p.liver_output_basal - p.obligatory_uptake) * insulin_action * level
    working = p.exercise_glucose_uptake * work * sympathetic_drive(p, sympathetic)
    return obligatory + peripheral + working * level


@rule
def fuel_fluxes(
    p: FuelParameters, gut: float, glycogen: float, glucose: float, insulin: float, sympathetic: float, work: float
) -> FuelFluxes:
    """All fluxes of glucose.

    Absorption is saturable, v C / (C + K). The liver keeps a share of what is absorbed, c (1 - g / g_max) I^2 / (I^2
    + glucagon^2), which falls as glycogen fills up and when the hormones call for output. Its output is
    glycogenolysis, proportional to g / (g + K), and gluconeogenesis, both under the hormonal drive; sympathetic drive
    in exercise adds to glycogenolysis, as (1 + b w) (wahren1971).
    """
    gut_glucose = p.gut_glucose_maximum * gut / (gut + p.gut_glucose_half)
    insulin_action = p.insulin_sensitivity * insulin / p.insulin_basal
    glucagon = glucagon_level(p, glucose, work)
    output = p.liver_output_basal * liver_drive(p, insulin_action, glucagon, gut_glucose)
    storing = insulin_action * insulin_action / (insulin_action * insulin_action + glucagon * glucagon)
    half_full = 0.5 * p.glycogen_capacity
    filling = glycogen / (glycogen + p.glycogen_half) * (half_full + p.glycogen_half) / half_full
    return FuelFluxes(
        gut_glucose,
        p.portal_capture * gut_glucose * (1.0 - glycogen / p.glycogen_capacity) * storing,
        output * (1.0 - p.gluconeogenesis_share) * filling * (1.0 + p.liver_exercise_gain * work),
        output * p.gluconeogenesis_share,
        glucose_uptake(p, glucose, insulin_action, sympathetic, work),
        insulin_action,
        glucagon,
    )


@rule
def insulin_rate(p: FuelParameters, glucose: float, insulin: float, gut_glucose: float, reserve: float) -> float:
    """Rate of change of plasma insulin, pmol/L/h: it follows I_basal (G / G_basal)^2 (1 + incretin) / (1 + a e)."""
    level = glucose / p.glucose_basal
    target = p.insulin_basal * level * level * (1.0 + p.insulin_incretin_gain * gut_glucose)
    return (target / (1.0 + p.insulin_exercise_suppression * reserve) - insulin) / p.insulin_time


@rule
def lipolysis_under_ketones(p: FuelParameters, bhb: float) -> float:
    """What ketones leave of lipolysis: 1 / (1 + (B / K)^2).

    BHB halts the lipase of fat cells: a rise of more than 2.5 mmol/L halved the appearance of fatty acids in men (Svart
    2021, svart2021). Through this loop ketones hold their own supply in check. The square, by which little is left out
    below 1 mmol/L, is assumed.
    """
    ratio = bhb / p.lipolysis_ketone_half
    return 1.0 / (1.0 + ratio * ratio)


@rule
def release_into_laden_blood(p: FuelParameters, ffa: float) -> float:
    """Share of freed fatty acids that blood takes up, relative to basal: (1 - (F / F_l)^2) / (1 - (F_b / F_l)^2).

    Albumin carries them away, and the blood that leaves fat tissue never carried more than F_l (Hodgetts 1991,
    hodgetts1991): what arrives laden leaves with less that is new, down to none where it brings F_l. The rest is made
    into triglyceride again, in the tissue. The square, by which little is left behind below 1 mmol/L, is assumed: more
    blood flows through fat in exercise, and four hours of light work left 1.8 mmol/L (Ahlborg 1974, ahlborg1974).
    """
    laden, basal = ffa / p.ffa_limit, p.ffa_basal / p.ffa_limit
    return max(0.0, 1.0 - laden * laden) / (1.0 - basal * basal)


@rule
def ffa_rate(
    p: FuelParameters, ffa: float, insulin_action: float, sympathetic: float, work: float, bhb: float, fasting: float
) -> float:
    """Rate of change of free fatty acids, mmol/L/h: lipolysis x what laden blood takes up - turnover x F (1 + b w).

    Lipolysis k F_basal (1 + r) / (1 + r I) x (1 + l d) (1 + n f) / (1 + (B / K)^2): insulin and BHB restrain it, the
    sympathetic drive d raises it, and so do days of a fast f, after three of which fatty acids are twice those of a
    night (Gjedsted 2007, gjedsted2007). As d outlasts the bout while muscle uptake stops at once, fatty acids overshoot
    after exercise.
    """
    r = p.lipolysis_insulin_sensitivity
    restraint = (1.0 + r) / (1.0 + r * insulin_action) * lipolysis_under_ketones(p, bhb)
    driven = (1.0 + p.lipolysis_exercise_gain * sympathetic_drive(p, sympathetic)) * (
        1.0 + p.lipolysis_fasting_gain * fasting
    )
    lipolysis = p.ffa_basal * restraint * driven
    released = lipolysis * release_into_laden_blood(p, ffa)
    return p.ffa_turnover * (released - ffa * (1.0 + p.ffa_exercise_uptake * work))
