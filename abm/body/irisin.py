"""Irisin in the blood: one compartment, release raised by exercise and by training. nmol/L and hours."""

from typing import Annotated, NamedTuple

from abm.elementary import LN2
from abm.loops import rule
from abm.parameters import Unit


class IrisinParameters(NamedTuple):
    """Constants of irisin kinetics; sources in configs/parameters/body_irisin.yaml."""

    irisin_at_rest: Annotated[float, Unit("nmol/L")]
    irisin_half_life: Annotated[float, Unit("h")]
    irisin_exercise_gain: Annotated[float, Unit("1")]
    irisin_training_gain: Annotated[float, Unit("1")]
    irisin_volume: Annotated[float, Unit("L/kg")]


@rule
def irisin_rate(p: IrisinParameters, irisin: float, activity: float, reserve: float, fitness: float) -> float:
    """Rate of change of plasma irisin, nmol/L/h: k (a I_rest (1 + b fitness) (1 + g e) - I), k = ln 2 / half-life.

    activity a: what is left of FNDC5, from which irisin is cleaved, in an animal that has lost some of it.
    Scale from mass spectrometry (Jedrychowski 2015, jedrychowski2015), rise graded with workload (daskalopoulou2014): e
    is the share of the oxygen-uptake reserve in use.
    """
    release = p.irisin_at_rest * (1.0 + p.irisin_training_gain * fitness) * (1.0 + p.irisin_exercise_gain * reserve)
    return LN2 / p.irisin_half_life * (activity * release - irisin)
