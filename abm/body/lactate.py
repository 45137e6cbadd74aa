"""Blood lactate: oxygen uptake with its lag, production above two thresholds, release from muscle, clearance.

A two-compartment scheme: working muscle produces lactate and releases it to the blood, where it is cleared in
proportion to its concentration. Concentrations in mmol per litre of lactate space, time in hours, intensity as
fraction of VO2max.
"""

from math import sqrt
from typing import Annotated, NamedTuple

from abm.elementary import LN2, exponential, logarithm
from abm.loops import rule
from abm.parameters import Unit


class LactateParameters(NamedTuple):
    """Constants of lactate kinetics; sources in configs/parameters/body_lactate.yaml."""

    lactate_at_rest: Annotated[float, Unit("mmol/L")]
    lactate_half_life: Annotated[float, Unit("h")]
    lactate_active_clearance: Annotated[float, Unit("1")]
    lactate_volume: Annotated[float, Unit("L/kg")]
    oxygen_uptake_time: Annotated[float, Unit("h")]
    muscle_release_time: Annotated[float, Unit("h")]
    muscle_release_half: Annotated[float, Unit("mmol/L")]
    first_threshold: Annotated[float, Unit("1")]
    second_threshold: Annotated[float, Unit("1")]
    first_threshold_width: Annotated[float, Unit("1")]
    second_threshold_width: Annotated[float, Unit("1")]
    aerobic_lactate_slope: Annotated[float, Unit("mmol/L/h")]
    anaerobic_lactate_slope: Annotated[float, Unit("mmol/L/h")]
    deficit_lactate_slope: Annotated[float, Unit("mmol/L/h")]
    lactate_at_exhaustion: Annotated[float, Unit("mmol/L")]


@rule
def above(intensity: float, threshold: float, width: float) -> float:
    """Smooth excess over a threshold: w ln(1 + exp((x - threshold) / w)), about max(0, x - threshold)."""
    scaled = (intensity - threshold) / width
    if scaled > 30.0:
        return intensity - threshold
    return width * logarithm(1.0 + exponential(scaled))


@rule
def oxygen_deficit(demand: float, uptake: float) -> float:
    """Demand that oxygen uptake does not cover, (D - y)+, fraction of VO2max: at the onset of work or beyond VO2max."""
    return max(demand - uptake, 0.0)


@rule
def glycolysis_of_deficit(deficit: float) -> float:
    """What an oxygen deficit d asks of glycolysis, d^2.5, d in fractions of VO2max.

    The power is assumed. Of 2, 2.5 and 3 it is the one with which a sprint at twice VO2max (Engel 2015, engel2015), the
    onset of a run at 90 % (Menzies 2010, menzies2010) and intervals (Tschakert 2015, tschakert2015) all ask for the
    lactate that was found after them.
    """
    return deficit * deficit * sqrt(deficit)


@rule
def thresholds(p: LactateParameters, shift: float) -> tuple[float, float]:
    """Both lactate thresholds of a subject, fractions of VO2max.

    LT1 + shift, and 1 - (1 - LT2) (1 - LT1 - shift) / (1 - LT1). Training moves the first towards VO2max, and the
    second, which lies between the two, by its share of that way: the fittest too make lactate at VO2max. That it keeps
    its share is assumed.
    """
    first = p.first_threshold + shift
    return first, 1.0 - (1.0 - p.second_threshold) * (1.0 - first) / (1.0 - p.first_threshold)


@rule
def muscle_lactate_production(
    p: LactateParameters, demand: float, resting_uptake: float, above_rest: float, threshold_shift: float
) -> float:
    """Lactate made by working muscle beyond what rest makes, mmol/L/h of lactate space.

    a1 (y - LT1)+ + a2 (y - LT2)+ + a3 (D - y)+^2.5, the first two with smoothed corners: glycolysis outruns oxidation
    above the first turn point and anaerobic supply sets in near the second (Tschakert 2015, tschakert2015); whatever
    demand D oxygen uptake does not cover, at the onset of work or beyond VO2max, glycolysis covers in part. y: oxygen
    uptake, that at rest and that above it, as fraction of VO2max; the oxygen stores and phosphocreatine that its lag
    stands for are why 20-s intervals make less lactate than 4-min ones. threshold_shift: see `thresholds`.
    """
    first_threshold, second_threshold = thresholds(p, threshold_shift)
    uptake = resting_uptake + above_rest
    # The tails of the smoothed corners at rest are taken off, so that rest makes nothing beyond resting turnover.
    first = above(uptake, first_threshold, p.first_threshold_width) - above(
        resting_uptake, first_threshold, p.first_threshold_width
    )
    second = above(uptake, second_threshold, p.second_threshold_width) - above(
        resting_uptake, second_threshold, p.second_threshold_width
    )
    deficit = glycolysis_of_deficit(oxygen_deficit(demand, uptake))
    return (
        p.aerobic_lactate_slope * first + p.anaerobic_lactate_slope * second + p.deficit_lactate_slope * deficit
    )


@rule
def glycolysis_left(p: LactateParameters, lactate: float) -> float:
    """What accumulated lactate leaves of its production: 1 / (1 + (L / L_ex)^6), L that of muscle and blood together.

    Nobody goes on making it without end: muscle lactate ended at the same level whether exhaustion came after 2 or 6
    min (Karlsson 1970, karlsson1970), and four sprints leave 1.4 times the lactate of one (Engel 2015, engel2015). The
    power, which makes little of this below half of L_ex, is assumed; it leaves the second of two sprints about half of
    the glycolysis of the first, which is what was measured in muscle (Bogdanis 1996, bogdanis1996).
    """
    ratio = lactate / p.lactate_at_exhaustion
    square = ratio * ratio
    return 1.0 / (1.0 + square * square * square)


@rule
def deficit_glycolysis(p: LactateParameters, demand: float, uptake: float, lactate: float) -> float:
    """Glycolysis that an oxygen deficit drives, (D - y)+^2.5 times what lactate leaves of it.

    What it makes of lactate is a3 times as much. In repeated sprints it fades, as lactate accumulates.
    """
    return glycolysis_of_deficit(oxygen_deficit(demand, uptake)) * glycolysis_left(p, lactate)


@rule
def lactate_turnover(p: LactateParameters, above_rest: float, threshold_shift: float) -> float:
    """Fraction of blood lactate replaced per hour, 1/h.

    k (1 + c y / (y + LT1)), k = ln 2 / passive half-life, y the uptake above rest: working muscle oxidises lactate, so
    that active recovery near the lactate threshold clears fastest (Devlin 2014, devlin2014; Menzies 2010, menzies2010).
    """
    active = p.lactate_active_clearance * above_rest / (above_rest + p.first_threshold + threshold_shift)
    return LN2 / p.lactate_half_life * (1.0 + active)


@rule
def lactate_rates(
    p: LactateParameters,
    demand: float,
    resting_uptake: float,
    above_rest: float,
    muscle: float,
    blood: float,
    threshold_shift: float,
) -> tuple[float, float, float]:
    """Rates of change of oxygen uptake (1/h), muscle lactate and blood lactate (mmol/L/h).

    y' = (min(D, 1) - y_rest - y) / tau_y, y above rest;  M' = production x what M + L leave - release;  L' = release +
    k(y) (L_rest - L).
    Release M / tau_M / (1 + M / K) saturates as the carriers of the muscle membrane do, so that lactate peaks minutes
    after an all-out effort. Turnover at the resting level is balanced, in exercise too; production above it
    accumulates.
    """
    made = glycolysis_left(p, muscle + blood) * muscle_lactate_production(
        p, demand, resting_uptake, above_rest, threshold_shift
    )
    release = muscle / p.muscle_release_time / (1.0 + muscle / p.muscle_release_half)
    return (
        (min(demand, 1.0) - resting_uptake - above_rest) / p.oxygen_uptake_time,
        made - release,
        release + lactate_turnover(p, above_rest, threshold_shift) * (p.lactate_at_rest - blood),
    )
