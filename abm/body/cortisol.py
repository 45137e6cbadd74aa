"""Total plasma cortisol (corticosterone in rodents): daily rhythm, what training makes of it, exercise, feedback.

Concentrations in nmol/L at constant plasma volume: the haemoconcentration of exercise belongs to what a laboratory
measures, not to the hormone's content. Time in hours, clock time from midnight.
"""

from typing import Annotated, NamedTuple

from abm.body.lactate import above
from abm.elementary import LN2, exponential, logarithm
from abm.loops import rule
from abm.parameters import Unit


class CortisolParameters(NamedTuple):
    """Constants of the glucocorticoid axis; sources in configs/parameters/body_cortisol.yaml."""

    cortisol_peak: Annotated[float, Unit("nmol/L")]
    cortisol_peak_time: Annotated[float, Unit("h")]
    cortisol_nadir: Annotated[float, Unit("nmol/L")]
    cortisol_nadir_time: Annotated[float, Unit("h")]
    adrenal_gain: Annotated[float, Unit("1")]
    cortisol_half_life: Annotated[float, Unit("h")]
    cortisol_volume: Annotated[float, Unit("L/kg")]
    cortisol_exercise_threshold: Annotated[float, Unit("1")]
    cortisol_exercise_width: Annotated[float, Unit("1")]
    cortisol_exercise_secretion: Annotated[float, Unit("nmol/L/h")]
    cortisol_drive_time: Annotated[float, Unit("h")]
    cortisol_feedback_half: Annotated[float, Unit("nmol/L")]


@rule
def daily_level(p: CortisolParameters, clock_time: float, fitness: float) -> tuple[float, float]:
    """Resting cortisol at a clock time (h from midnight), nmol/L, and its relative rate of change, 1/h.

    ln C runs between nadir and peak along a cubic x^2 (3 - 2 x), smooth at both, with the unequal rise and fall of the
    measured rhythm (Debono 2009, debono2009). The peak is C_peak (1 + g f) at fitness f: training enlarges the adrenals
    of rodents, and what they can make counts where the axis drives them most. The nadir stays, as rats that have run
    for four weeks have the hormone of sedentary ones in the early morning (Droste 2007, droste2007).
    """
    log_range = logarithm(p.cortisol_peak * (1.0 + p.adrenal_gain * fitness) / p.cortisol_nadir)
    rise = (p.cortisol_peak_time - p.cortisol_nadir_time) % 24.0
    since_nadir = (clock_time - p.cortisol_nadir_time) % 24.0
    if since_nadir < rise:
        x = since_nadir / rise
        slope = log_range * 6.0 * x * (1.0 - x) / rise
    else:
        x = (24.0 - since_nadir) / (24.0 - rise)
        slope = -log_range * 6.0 * x * (1.0 - x) / (24.0 - rise)
    return p.cortisol_nadir * exponential(log_range * x * x * (3.0 - 2.0 * x)), slope


@rule
def cortisol_rates(
    p: CortisolParameters,
    clock_time: float,
    resting_uptake: float,
    above_rest: float,
    drive: float,
    cortisol: float,
    agonist: float,
    fitness: float,
) -> tuple[float, float]:
    """Rates of change of the exercise drive (1/h) and of plasma cortisol (nmol/L/h).

    H' = ((y - threshold)+ - H) / tau, y the oxygen uptake as fraction of VO2max, less the tail of the smoothed corner
    at rest: intensities above about half of VO2max count, with a lag of minutes (Hill 2008, hill2008). C' = S
    + s H K / (K + C) / (1 + agonist) - k C. The resting secretion S = C_rest (k + C_rest'/C_rest) keeps C on its daily
    curve; hormone in excess of the curve, or dexamethasone (agonist, multiples of what halves secretion), restrains it
    as 1 / (1 + excess / K + agonist), and a high level blunts the response to exercise. Brandenberger 1975
    (brandenberger1975) saw more of that than comes of it: 90 min at 55 % from 13:00 raised cortisol by a tenth of what
    they did from 10:00, where the law has it rise as much at either hour.
    """
    rest, slope = daily_level(p, clock_time, fitness)
    clearance = LN2 / p.cortisol_half_life
    restraint = 1.0 + max(cortisol - rest, 0.0) / p.cortisol_feedback_half + agonist
    blunting = p.cortisol_feedback_half / (p.cortisol_feedback_half + cortisol)
    stimulus = above(resting_uptake + above_rest, p.cortisol_exercise_threshold, p.cortisol_exercise_width) - above(
        resting_uptake, p.cortisol_exercise_threshold, p.cortisol_exercise_width
    )
    secretion = rest * (clearance + slope) / restraint + p.cortisol_exercise_secretion * drive * blunting / (
        1.0 + agonist
    )
    return (stimulus - drive) / p.cortisol_drive_time, secretion - clearance * cortisol
