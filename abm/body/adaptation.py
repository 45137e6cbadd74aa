"""Training state of the body: one slow variable that training raises and rest lets decay.

Fitness 0 is an untrained person or a caged rodent, 1 one who has trained for months, 1.4 an elite athlete. It moves the
lactate thresholds, the maximal oxygen uptake, the use of ketones by muscle and resting irisin. Sessions act on it
through a signal that they leave for about two days and that saturates: a third of the duration or of the frequency kept
the VO2max that training had given (Hickson 1982, hickson1982; Hickson 1981, hickson1981b).
"""

from typing import Annotated, NamedTuple

from abm.elementary import power
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
    training_exponent: Annotated[float, Unit("1")]
    training_sprint_gain: Annotated[float, Unit("1")]
    training_half: Annotated[float, Unit("h")]
    training_time: Annotated[float, Unit("h")]
    threshold_untrained: Annotated[float, Unit("1")]
    threshold_gain: Annotated[float, Unit("1")]
    vo2max_gain: Annotated[float, Unit("mL/kg/min")]


class MaximalUptake(NamedTuple):
    """A subject's VO2max and uptake at rest, in units of the VO2max of a healthy trained subject of the same species.

    at_start: VO2max at time zero, at fitness_at_start; powers and speeds became intensities by it. gain: what training
    adds to it per unit of fitness. unit: the VO2max of that trained subject, mL/kg/min.
    """

    at_start: float
    fitness_at_start: float
    gain: float
    rest: float
    unit: float


@rule
def training_rate(p: AdaptationParameters, training: float, reserve: float, glycolysis: float) -> float:
    """Rate of change of the training signal q, h/h: e^n + s a - q / tau_q.

    e is the share of the uptake reserve in use, a the glycolysis that an oxygen deficit drives (deficit_glycolysis).
    The signal counts the hours at VO2max that training of the last days amounts to. The power n, fitted to programmes
    that differ in intensity alone (Gormley 2008, gormley2008; Helgerud 2007, helgerud2007), lets short hard intervals
    count as much as longer moderate bouts. A few minutes of sprints hardly raise oxygen uptake, and train as much all
    the same (Macpherson 2011, macpherson2011; Hazell 2010, hazell2010).
    """
    return power(reserve, p.training_exponent) + p.training_sprint_gain * glycolysis - training / p.training_time


@rule
def fitness_rate(p: AdaptationParameters, fitness: float, training: float) -> float:
    """Rate of change of fitness f, 1/h: (g q / (q + K) (f_max - f) - f) / tau, q the training signal.

    At q = K training has half the effect that it could have, so that a session four times as long adds less than three
    times as much; without training fitness is lost with the time constant tau (Coyle 1984, coyle1984).
    """
    stimulus = p.fitness_gain * training / (training + p.training_half)
    return (stimulus * (p.fitness_maximum - fitness) - fitness) / p.fitness_time


@rule
def threshold_shift(p: AdaptationParameters, fitness: float) -> float:
    """Displacement of the first lactate threshold from that of recreational athletes, fraction of VO2max."""
    return p.threshold_untrained + p.threshold_gain * fitness


@rule
def relative_maximal_uptake(p: MaximalUptake, fitness: float) -> float:
    """VO2max relative to that of a healthy trained subject of the species, V_start + g (f - f_start).

    Training raises it by less than trained people differ from untrained ones, who were not born alike (bouchard1999).
    """
    return p.at_start + p.gain * (fitness - p.fitness_at_start)


@rule
def resting_uptake(p: MaximalUptake, fitness: float) -> float:
    """Oxygen uptake at rest as a fraction of VO2max."""
    return p.rest / relative_maximal_uptake(p, fitness)


@rule
def reserve_in_use(p: MaximalUptake, above_rest: float, fitness: float) -> float:
    """Oxygen uptake above rest, a fraction y of VO2max, over the uptake reserve, y / (1 - y_rest): 1 at VO2max.

    A resting mouse takes up a third of its VO2max and a person a tenth, so that the fraction of VO2max itself does not
    measure effort across species. The reserve is the one of swain1997.
    """
    return above_rest / (1.0 - resting_uptake(p, fitness))


@rule
def work_done(p: MaximalUptake, above_rest: float, fitness: float) -> float:
    """Uptake above rest over the reserve of a healthy trained subject: fluxes that follow absolute work scale with it.

    y V / (1 - rest), V the VO2max and rest the uptake at rest in units of that subject's VO2max.
    """
    return above_rest * relative_maximal_uptake(p, fitness) / (1.0 - p.rest)


@rule
def relative_load(p: MaximalUptake, load: float, fitness: float) -> float:
    """Oxygen demand of a fixed load as a fraction of VO2max: what it was at time zero, times V(start) / V(fitness).

    A power or a speed costs the same oxygen (bushman2020) before and after training, so that its share of VO2max falls.
    """
    return load * p.at_start / relative_maximal_uptake(p, fitness)


@rule
def oxygen_demand(p: MaximalUptake, share: float, load: float, fitness: float) -> float:
    """Oxygen demand as a fraction of VO2max, of a share of VO2max or of a fixed load (0 where there is none).

    Rest asks for the uptake at rest, and nothing asks for less.
    """
    return max(share + relative_load(p, load, fitness), resting_uptake(p, fitness))
