"""The body of one subject: parameters of the species, training state, condition, overrides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from abm.body.adaptation import AdaptationParameters, MaximalUptake
from abm.body.cortisol import CortisolParameters, daily_level
from abm.body.diabetes import DiabetesParameters, with_diabetes
from abm.body.doses import DoseParameters
from abm.body.fuels import FuelParameters
from abm.body.irisin import IrisinParameters
from abm.body.ketones import KetoneParameters
from abm.body.lactate import LactateParameters
from abm.body.rates import BodyParameters
from abm.body.wakefulness import LIGHTS
from abm.parameters import load_parameters

if TYPE_CHECKING:
    from abm.config import Subject

TRAINING = ("untrained", "recreational", "trained", "elite")
CONDITIONS = ("healthy", "type_2_diabetes")


def body_parameters(subject: Subject) -> BodyParameters:
    """All constants of a subject's body, from configs/parameters/body_*.yaml.

    Raises ParameterError where an override does not fit, ValueError for an unknown condition.
    """
    # The description is imported when a body is built, so that reading a trajectory needs no schema.
    from abm.config.doses import molar_mass

    if subject.condition not in CONDITIONS:
        raise ValueError(f"unknown condition {subject.condition!r}; expected one of {', '.join(CONDITIONS)}")
    species, overrides = subject.species, subject.overrides
    cortisol = load_parameters(CortisolParameters, "body_cortisol", species, overrides)
    shift = subject.lights[1] - LIGHTS[1]
    adaptation = load_parameters(AdaptationParameters, "body_adaptation", species, overrides)
    p = BodyParameters(
        load_parameters(LactateParameters, "body_lactate", species, overrides),
        load_parameters(FuelParameters, "body_fuels", species, overrides),
        load_parameters(KetoneParameters, "body_ketones", species, overrides),
        load_parameters(IrisinParameters, "body_irisin", species, overrides),
        cortisol._replace(
            cortisol_peak_time=(cortisol.cortisol_peak_time + shift) % 24.0,
            cortisol_nadir_time=(cortisol.cortisol_nadir_time + shift) % 24.0,
        ),
        adaptation._replace(fitness_maximum=fitness_ceiling(adaptation, subject.training)),
        maximal_uptake(subject, adaptation),
        load_parameters(DoseParameters, "body_doses", species, overrides),
        molar_mass("glucose", overrides),
    )
    if subject.condition == "healthy":
        return p
    return with_diabetes(p, load_parameters(DiabetesParameters, "body_diabetes", species, overrides))


def cortisol_at_rest(subject: Subject, clock_time: float, fitness: float) -> tuple[float, float]:
    """Total plasma cortisol at rest, nmol/L: at a clock time (h) and a fitness, and the least of the day."""
    axis = body_parameters(subject).cortisol
    return daily_level(axis, clock_time, fitness)[0], axis.cortisol_nadir


def maximal_uptake(subject: Subject, adaptation: AdaptationParameters) -> MaximalUptake:
    """VO2max of a subject and what training makes of it, over that of a healthy trained one of its species.

    Raises Fault where a VO2max is not above the uptake at rest, ArithmeticError where losing all training makes it so.
    """
    from abm.config import capacity

    species, overrides = subject.species, subject.overrides
    own = capacity(species, subject.training, subject.condition, overrides)
    unit = capacity(species, "trained", "healthy", overrides).vo2max
    fitness, rest = initial_fitness(adaptation, subject.training), own.parameters.vo2_rest
    if own.vo2max - adaptation.vo2max_gain * fitness <= rest:
        raise ArithmeticError("without training VO2max would not exceed the uptake at rest (vo2max_gain is too large)")
    return MaximalUptake(
        at_start=own.vo2max / unit,
        fitness_at_start=fitness,
        gain=adaptation.vo2max_gain / unit,
        rest=rest / unit,
        unit=unit,
    )


def initial_fitness(p: AdaptationParameters, training: str) -> float:
    """Fitness at the start: 0 untrained, 1 trained; ValueError for an unknown state of training."""
    if training not in TRAINING:
        raise ValueError(f"unknown training {training!r}; expected one of {', '.join(TRAINING)}")
    fitness: float = getattr(p, f"fitness_{training}")
    return fitness


def fitness_ceiling(p: AdaptationParameters, training: str) -> float:
    """Largest fitness of a subject, f_max max(1, f_start / f_trained).

    Who begins fitter than trained people was born with more to train: much of what a programme adds to VO2max runs in
    families (Bouchard 1999, bouchard1999). The ceiling rises in proportion, so that the same training keeps an elite
    athlete as it keeps a trained one; that is assumed.
    """
    return p.fitness_maximum * max(1.0, initial_fitness(p, training) / p.fitness_trained)
