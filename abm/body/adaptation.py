"""Training state of the body: one slow variable that training raises and rest lets decay.

Fitness 0 is an untrained person or a caged rodent, 1 one who has trained for months, 1.4 an elite athlete. It moves the
lactate thresholds, the maximal oxygen uptake, the use of ketones by muscle and resting irisin.
"""

from typing import Annotated, NamedTuple

from abm.loops import rule
from abm.parameters import Unit


class AdaptationParameters(NamedTuple):
    """Constants of adaptation to training; sources in configs/parameters/body_adaptation.yaml."""

    fitness_untrained: Annotated[float, Unit("1")]
    fitness_recreational: Annotated[float, Unit("1")]
    fitness_trained: Annotated[float, Unit("1")]
    fitness_elite: Annotated[float, Unit("1")]
    fitness_maximum: Annotated[float, Unit("1")]
    fitness_gain: Annotated[float, Unit("1")]
    fitness_time: Annotated[float, Unit("h")]
    threshold_untrained: Annotated[float, Unit("1")]
    threshold_gain: Annotated[float, Unit("1")]


class MaximalUptake(NamedTuple):
    """VO2max of a subject before and after training, in units of a healthy trained subject's of the same species.

    It follows from the VO2max in configs/parameters/schedule.yaml, by which powers and speeds become intensities.
    at_start: VO2max at time zero, of which these intensities are fractions.
    """

    untrained: float
    trained: float
    at_start: float


@rule
def fitness_rate(p: AdaptationParameters, fitness: float, uptake: float) -> float:
    """Rate of change of fitness, 1/h: (g y^3 (f_max - f) - f) / tau.

    The cube lets short hard intervals count as much as longer moderate bouts; without training fitness is lost with the
    time constant tau.
    """
    stimulus = p.fitness_gain * uptake * uptake * uptake
    return (stimulus * (p.fitness_maximum - fitness) - fitness) / p.fitness_time


@rule
def threshold_shift(p: AdaptationParameters, fitness: float) -> float:
    """Displacement of both lactate thresholds from those of recreational athletes, fraction of VO2max."""
    return p.threshold_untrained + p.threshold_gain * fitness


@rule
def relative_maximal_uptake(p: MaximalUptake, fitness: float) -> float:
    """VO2max relative to that of a healthy trained subject, V_0 + (V_1 - V_0) f.

    Fluxes that follow absolute work are scaled by it. The line through untrained (f = 0) and trained (f = 1) passes
    within 3 % of recreational and elite people.
    """
    return p.untrained + (p.trained - p.untrained) * fitness


@rule
def relative_load(p: MaximalUptake, load: float, fitness: float) -> float:
    """Oxygen demand of a fixed load as a fraction of VO2max: what it was at time zero, times V(start) / V(fitness).

    A power or a speed costs the same oxygen (bushman2020) before and after training, so that its share of VO2max falls.
    """
    return load * p.at_start / relative_maximal_uptake(p, fitness)
