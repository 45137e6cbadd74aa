"""Which runs a set of published experiments needs, each distinct one once.

Two arms are the same trajectory if subject, preparation, tissue, seed, step and burn-in agree and their schedules say
the same, whichever files they stand in. A model does not know what comes later, so one run to the last reading serves
all: controls and common arms are shared, and every trajectory of one base starts from the same rested tissues.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from abm.clock import hours_text
from abm.errors import ConfigError
from abm.metric_names import split_metric
from abm.schedule import Timeline
from abm.study.plan import Reading, regions_read, timeline_of
from abm.study.score import Published, published_of

if TYPE_CHECKING:
    from abm.config import Evidence, EvidenceObservation, Experiment, Schedule


class Run(NamedTuple):
    """One trajectory on one replicate's tissue, or that tissue's burn-in where there is no trajectory."""

    base: str
    trajectory: str
    replicate: int


@dataclass(frozen=True)
class Trajectory:
    """One schedule on one base.

    experiment: the base's, with this schedule alone, up to the last reading. timeline: compiled for the longest run
    that was asked for. readings: in the order of time.
    """

    key: str
    base: str
    experiment: Experiment
    timeline: Timeline
    readings: tuple[Reading, ...]

    @property
    def steps(self) -> int:
        """Steps from time zero to the last reading."""
        return round(self.experiment.run.duration / self.experiment.run.step)


class Question(NamedTuple):
    """An observation to be predicted: what to read on which trajectories (what it is compared with comes second)."""

    evidence: Evidence
    observation: EvidenceObservation
    published: Published
    readings: tuple[Reading, ...]
    trajectories: tuple[str, ...]

    @property
    def metric(self) -> str:
        """The read-out, without its region."""
        return self.readings[0].metric


@dataclass(frozen=True)
class SharedPlan:
    """What a set of published experiments asks, and the runs that answer it."""

    questions: tuple[Question, ...]
    trajectories: dict[str, Trajectory]


@dataclass
class _Asked:
    """What is asked of one trajectory, gathered over all files."""

    base: str
    experiment: Experiment
    schedule: Schedule
    name: str
    duration: float = 0.0
    readings: dict[Reading, None] = field(default_factory=dict)


def share(evidence: Sequence[Evidence]) -> SharedPlan:
    """Find the distinct trajectories of some published experiments; ConfigError for a read-out that cannot be made."""
    asked: dict[str, _Asked] = {}
    questions = [_ask(item, observation, asked) for item in evidence for observation in item.observations]
    return SharedPlan(tuple(questions), {key: _trajectory(key, found) for key, found in asked.items()})


def _ask(item: Evidence, observation: EvidenceObservation, asked: dict[str, _Asked]) -> Question:
    experiment = item.experiment
    try:
        regions_read(observation.metric)
    except ConfigError as error:
        value, expected = observation.metric, error.expected
        raise ConfigError(error.problem, file=item.id, key="metric", value=value, expected=expected) from None
    readings, keys = [], []
    for arm, hour in observation.readings:
        reading = Reading(*split_metric(observation.metric), round(hour / experiment.run.step))
        base, schedule = base_key(experiment), experiment.schedules[arm]
        key = _key(base, _content(schedule))
        found = asked.setdefault(key, _Asked(base, experiment, schedule, arm))
        found.duration = max(found.duration, experiment.run.duration)
        found.readings[reading] = None
        readings.append(reading)
        keys.append(key)
    return Question(item, observation, published_of(observation), tuple(readings), tuple(keys))


def base_key(experiment: Experiment) -> str:
    """Identity of everything that the runs of one rested tissue have in common."""
    run = experiment.run
    parts = (_content(experiment.subject), experiment.preparation, _content(experiment.tissue))
    return _key(*parts, run.seed, run.step, run.burn_in)


def _content(part: Any) -> Any:
    return _without_notes(part.model_dump(mode="json", exclude_none=True))


def _without_notes(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_notes(item) for key, item in value.items() if key != "note"}
    return [_without_notes(item) for item in value] if isinstance(value, list) else value


def _key(*content: Any) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _trajectory(key: str, asked: _Asked) -> Trajectory:
    experiment, step = asked.experiment, asked.experiment.run.step
    last = max(reading.step for reading in asked.readings)
    run = experiment.run.model_copy(update={"duration": round(max(last, 1) * step, 9)})
    alone = {"schedules": {asked.name: asked.schedule}, "reference": asked.name, "observe": (), "run": run}
    return Trajectory(
        key,
        asked.base,
        experiment.model_copy(update=alone),
        timeline_of(asked.schedule, experiment.subject, asked.duration, asked.name),
        tuple(sorted(asked.readings, key=lambda reading: reading.step)),
    )


def observation_text(observation: EvidenceObservation) -> str:
    """What was read where and when: "bdnf_protein wheel / sedentary at 21 d", "... sedentary at 49 h / at 37 h"."""
    arm, reference = observation.arms
    contrast = arm if reference is None else f"{arm} / {reference}"
    measure = f"{observation.metric} (SMD)" if observation.smd is not None else observation.metric
    since = "" if observation.baseline is None else f" / at {hours_text(observation.baseline)}"
    return f"{measure} {contrast} at {hours_text(observation.at)}{since}"
