"""Which signals reach the tissue: every combination of them, the others held at rest, as arms of one study."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from abm.body import Plasma
from abm.config import Experiment
from abm.errors import ConfigError
from abm.forcing import CLAMPED_COLUMNS, clamp_to_rest
from abm.schedule import Block, Dose, Timeline
from abm.study.execute import Forcing
from abm.study.experiment import drive
from abm.study.plan import Plan, Reading, plan_experiment
from abm.study.shapley import Coalition, coalitions

SIGNALS = ("bhb", "lactate", "irisin", "cortisol", "input_activity")
READ_OUTS = ("bdnf_protein", "synaptic_strength")
LOCAL_ROUTES = ("icv", "bath")


class EndPlan(Plan):
    """A plan of attribution: its read-outs at the end of the run, and of slow traces the two ends only."""

    @cached_property
    def trace_steps(self) -> tuple[int, ...]:
        """The start and the end only."""
        return (0, self.steps)

    @cached_property
    def state_steps(self) -> tuple[int, ...]:
        """Never."""
        return ()


@dataclass(frozen=True)
class ClampedStudy:
    """An experiment with every combination of its signals.

    original: the experiment as the user wrote it. plan, forcing: one arm per tissue input that differs from all others.
    active: for each schedule but the reference the signals that it ever moves from rest; arms: the arm in which exactly
    the signals of a coalition of these are let through.
    """

    original: Experiment
    plan: Plan
    forcing: Forcing
    active: dict[str, tuple[str, ...]]
    arms: dict[tuple[str, Coalition], str]

    @property
    def combinations(self) -> int:
        """Number of coalitions, those of signals that never leave rest included."""
        return len(self.active) << len(SIGNALS)

    def silent(self, schedule: str) -> tuple[str, ...]:
        """Signals that a schedule never moves from rest: holding them there changes nothing."""
        return tuple(signal for signal in SIGNALS if signal not in self.active[schedule])


def clamped_study(experiment: Experiment) -> ClampedStudy:
    """Lay out the factorial of clamps: 2^5 combinations per schedule, each different one once.

    A signal whose plasma never differs from that of the resting day halves the combinations of its schedule, and
    combinations that give the tissue the same input are one arm, also where they belong to different schedules.
    Raises ConfigError for a preparation without blood or an experiment with nothing to compare.
    """
    if experiment.preparation != "in_vivo":
        problem = f"a {experiment.preparation} has no blood whose signals could be held at rest"
        raise ConfigError(problem, key="preparation", value=experiment.preparation, expected="in_vivo")
    if len(experiment.schedules) < 2:
        problem = "there is only the reference schedule"
        raise ConfigError(problem, key="schedules", expected="another schedule, whose effect is to be attributed")
    whole = plan_experiment(experiment)
    forcing = drive(whole)
    design = _Arms(experiment, whole, forcing)
    for schedule in experiment.schedules:
        design.add(schedule)
    return design.study()


def through_text(through: Coalition) -> str:
    """A set of signals in one word: "bhb+lactate", or "none"."""
    return "+".join(signal for signal in SIGNALS if signal in through) or "none"


class _Arms:
    """The arms under construction; the reference comes first."""

    def __init__(self, experiment: Experiment, whole: Plan, forcing: Forcing) -> None:
        self.experiment, self.whole, self.forcing = experiment, whole, forcing
        self.clamped = Forcing(forcing.resting_day, {}, {})
        self.timelines: dict[str, Timeline] = {}
        self.names: dict[object, str] = {}
        self.active: dict[str, tuple[str, ...]] = {}
        self.arms: dict[tuple[str, Coalition], str] = {}
        self._arm(experiment.reference, experiment.reference)

    def add(self, schedule: str) -> None:
        """Add every combination of the signals of a schedule."""
        if schedule == self.experiment.reference:
            return
        self.active[schedule] = active = self._moved(schedule)
        for through in reversed(coalitions(active)):
            whole = len(through) == len(active)
            name = schedule if whole else f"{schedule}+{through_text(through)}"
            self.arms[schedule, through] = self._arm(schedule, name, through)

    def _moved(self, schedule: str) -> tuple[str, ...]:
        if schedule not in self.forcing.schedules:  # its body could not be solved; its only arm will say so
            return ()
        plasma, day = self.forcing.schedules[schedule], self.forcing.resting_day
        return tuple(s for s in SIGNALS if _reaching(clamp_to_rest(plasma, day, [s])) != _reaching(plasma))

    def _arm(self, schedule: str, name: str, through: Coalition | None = None) -> str:
        """The arm that gives the tissue this input; a new one where there is none yet."""
        timeline = self.whole.timelines[schedule]
        if schedule in self.forcing.faults:
            self.timelines[name], self.clamped.faults[name] = timeline, self.forcing.faults[schedule]
            return name
        plasma = self.forcing.schedules[schedule]
        if through is not None:
            held = [signal for signal in self.active[schedule] if signal not in through]
            plasma = clamp_to_rest(plasma, self.forcing.resting_day, held)
        content = tissue_input(plasma, timeline)
        if content not in self.names:
            while name in self.timelines:  # the name of another schedule
                name += "_"
            self.names[content] = name
            self.timelines[name], self.clamped.schedules[name] = timeline, plasma
        return self.names[content]

    def study(self) -> ClampedStudy:
        """The whole layout."""
        schedules = {name: self.experiment.schedules[line.name] for name, line in self.timelines.items()}
        experiment = self.experiment.model_copy(update={"schedules": schedules, "observe": ()})
        steps = self.whole.steps
        readings = tuple(Reading(metric, "all", steps) for metric in READ_OUTS)
        plan = EndPlan(experiment, self.timelines, readings)
        return ClampedStudy(self.experiment, plan, self.clamped, self.active, self.arms)


def tissue_input(plasma: Plasma, timeline: Timeline) -> tuple[bytes, tuple[Dose, ...], tuple[Block, ...]]:
    """All that the tissue meets of a schedule; two that agree in it are one to the tissue."""
    local = tuple(dose for dose in timeline.doses if dose.route in LOCAL_ROUTES)
    return _reaching(plasma), local, timeline.blocks


def _reaching(plasma: Plasma) -> bytes:
    """What of the plasma, and of sleep and waking, reaches the tissue; nothing else of it is felt there."""
    columns = [name for names in CLAMPED_COLUMNS.values() for name in names]
    return np.stack([plasma.lived(name) for name in columns]).tobytes()
