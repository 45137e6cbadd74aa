"""The description of an experiment: its schema, how it is read from files, and clear errors where it cannot be run.

    from abm.config import load_experiment
    experiment = load_experiment("configs/experiments/exercise_schedules.yaml", ["run.duration=14 d"])

Classes follow the keys of the file: Experiment has a Subject, a TissueConfig, a Schedule per arm, Observations and a
RunConfig. Times are hours, lengths micrometres, once loaded; `Experiment.resolved()` writes them as text with units.
"""

from abm.config.doses import dose_amount, dose_unit
from abm.config.evidence import Evidence, EvidenceObservation, evidence_library, load_evidence
from abm.config.experiment import (
    Boundaries,
    Capillaries,
    Experiment,
    Light,
    Observation,
    RunConfig,
    Subject,
    TissueConfig,
)
from abm.config.intensity import Capacity, ExerciseParameters, Intensity, capacity
from abm.config.loading import build_experiment, load_document, load_experiment, load_model, override
from abm.config.messages import validate
from abm.config.part import OneOrMore, Part, Repeating
from abm.config.schedules import BlockPlan, DosePlan, Fast, KnockOut, MealPlan, Schedule
from abm.config.sessions import Intervals, Progression, Session
from abm.errors import ConfigError, Fault

__all__ = [
    "BlockPlan",
    "Boundaries",
    "Capacity",
    "Capillaries",
    "ConfigError",
    "DosePlan",
    "Evidence",
    "EvidenceObservation",
    "ExerciseParameters",
    "Experiment",
    "Fast",
    "Fault",
    "Intensity",
    "Intervals",
    "KnockOut",
    "Light",
    "MealPlan",
    "Observation",
    "OneOrMore",
    "Part",
    "Progression",
    "Repeating",
    "RunConfig",
    "Schedule",
    "Session",
    "Subject",
    "TissueConfig",
    "build_experiment",
    "capacity",
    "dose_amount",
    "dose_unit",
    "evidence_library",
    "load_document",
    "load_evidence",
    "load_experiment",
    "load_model",
    "override",
    "validate",
]
