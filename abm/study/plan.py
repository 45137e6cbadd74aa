"""What an experiment will do before it does it: runs, steps, what is read when, and what it will cost.

A plan is made from a checked experiment without loading compiled code, so `check` answers at once. What can be wrong
about an experiment beyond its single values is found here, before the first file is written.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from abm.clock import DAY
from abm.config import Experiment, Schedule, Subject
from abm.errors import ConfigError, Fault
from abm.metric_names import REGIONS, split_metric
from abm.metrics import METRICS
from abm.schedule import Timeline, compile_schedule

TRACE_INTERVAL, LONG_TRACE_INTERVAL = 1.0, 3.0  # h, the second in runs of more than LONG_RUN
LONG_RUN = 7.0 * DAY  # h
SHORTEST_TRACE = 100  # samples
BOLUS_ACTS = 1.0  # h after a dose that is given at once; its fields are worth a look then


class Reading(NamedTuple):
    """One number to be read: which metric, of which region, after how many steps from time zero."""

    metric: str
    region: str
    step: int


class Run(NamedTuple):
    """One schedule on one replicate's tissue."""

    schedule: str
    replicate: int


@dataclass(frozen=True)
class Plan:
    """Everything a study needs to know about its experiment."""

    experiment: Experiment
    timelines: dict[str, Timeline]
    readings: tuple[Reading, ...]

    @property
    def step(self) -> float:
        """Length of a step, h."""
        return self.experiment.run.step

    @cached_property
    def steps(self) -> int:
        """Steps of a run from time zero to its end."""
        return round(self.experiment.run.duration / self.step)

    @cached_property
    def burn_in_steps(self) -> int:
        """Steps of one burn-in."""
        return round(self.experiment.run.burn_in / self.step)

    @property
    def runs(self) -> list[Run]:
        """Every (schedule, replicate), in the order of the results."""
        replicates = range(self.experiment.run.replicates)
        return [Run(schedule, replicate) for schedule in self.experiment.schedules for replicate in replicates]

    @cached_property
    def trace_steps(self) -> tuple[int, ...]:
        """Steps at which slow quantities are traced: hourly, more often in a short run, and every three hours in one of
        more than a week; also at the end of each session.

        Without the last a short session between two hours would leave no trace of what it releases.
        """
        duration = self.experiment.run.duration
        interval = LONG_TRACE_INTERVAL if duration > LONG_RUN else min(TRACE_INTERVAL, duration / SHORTEST_TRACE)
        stride = max(1, round(interval / self.step))
        ends = {self._before(end) for timeline in self.timelines.values() for _, end in timeline.sessions}
        return tuple(sorted({*range(0, self.steps + 1, stride), *ends, self.steps}))

    @cached_property
    def state_steps(self) -> tuple[int, ...]:
        """Steps at which every neuron is stored: the start, the end, and each whole day named by an `at`."""
        named = {self.step_at(hour) for item in self.experiment.observe for hour in item.at or () if hour % DAY == 0.0}
        return tuple(sorted({0, self.steps, *named}))

    @cached_property
    def map_steps(self) -> dict[str, int]:
        """Step at which each schedule's fields are stored: the end of its last session, else when its last dose acts.

        A schedule with neither is stored when the last of the others is, so that the clock time is the same.
        """
        own = {name: self._last_event(timeline) for name, timeline in self.timelines.items()}
        latest = max((step for step in own.values() if step is not None), default=self.steps)
        return {name: latest if step is None else step for name, step in own.items()}

    def _last_event(self, timeline: Timeline) -> int | None:
        ends = [end for _, end in timeline.sessions]
        ends = ends or [dose.at + (dose.duration or BOLUS_ACTS) for dose in timeline.doses]
        return self._before(max(ends)) if ends else None

    def _before(self, hour: float) -> int:
        """The last step that ends no later than `hour`."""
        return min(math.floor(hour / self.step + 1e-6), self.steps)

    def step_at(self, hour: float) -> int:
        """Number of steps from time zero to `hour`, which the configuration has made sure is a whole one."""
        return round(hour / self.step)

    def hour(self, step: int) -> float:
        """Hours from the end of burn-in after `step` steps; rounded, so that 0.1-h steps land on the hour."""
        return round(step * self.step, 9)


def whole_voxels(side: float, voxel: float) -> float:
    """The length nearest to `side` that is a whole number of voxels, one at least; um."""
    return max(1, round(side / voxel)) * voxel


def plan_experiment(experiment: Experiment) -> Plan:
    """Lay out an experiment; raises ConfigError where it asks for what cannot be done."""
    duration = experiment.run.duration
    timelines = {
        name: timeline_of(schedule, experiment.subject, duration, name)
        for name, schedule in experiment.schedules.items()
    }
    bare = Plan(experiment, timelines, ())
    return Plan(experiment, timelines, tuple(_readings(bare)))


def timeline_of(schedule: Schedule, subject: Subject, duration: float, name: str) -> Timeline:
    """The timeline of a schedule; ConfigError where the subject's overrides leave no way to lay it out."""
    try:
        return compile_schedule(schedule, subject, duration, name)
    except (Fault, ArithmeticError) as error:  # what was right with the usual numbers is not with those put in place
        raise ConfigError(str(error), key="subject.overrides", expected=getattr(error, "expected", "")) from None


def _readings(plan: Plan) -> list[Reading]:
    found: dict[Reading, None] = {}
    for item in plan.experiment.observe:
        metric, regions = regions_read(item.metric)
        if item.at is not None:
            steps = [plan.step_at(hour) for hour in item.at]
        else:
            stride = plan.step_at(item.every) if item.every is not None else plan.steps
            steps = list(range(0, plan.steps + 1, stride))
        found.update({Reading(metric, region, step): None for region in regions for step in steps})
    return list(found)


def regions_read(name: str) -> tuple[str, tuple[str, ...]]:
    """Metric and regions meant by a name: "bdnf_protein" is read in all regions, "bdnf_protein.CA1" in that one.

    Raises ConfigError for a region of the blood.
    """
    metric, region = split_metric(name)
    offered = REGIONS if METRICS[metric].regional else REGIONS[:1]
    if "." not in name:
        return metric, offered
    if region not in offered:
        raise ConfigError("the blood has no regions", key="observe", value=name, expected=metric)
    return metric, (region,)
