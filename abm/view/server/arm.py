"""One model under one plan, with what has been read from it so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body import Plasma
from abm.config import Experiment
from abm.errors import ConfigError
from abm.metric_names import REGIONS
from abm.metrics import METRICS
from abm.schedule import Timeline
from abm.study.plan import timeline_of
from abm.view.server.resting import Arrays

if TYPE_CHECKING:
    from abm.model import HippocampusModel

TRACED = (
    "plasma_bhb", "plasma_lactate", "plasma_irisin", "plasma_cortisol",
    "tissue_bhb", "tissue_lactate", "tissue_irisin", "tissue_cortisol", "tissue_bdnf",
    "hdac_activity", "acetylation", "bdnf_mrna", "bdnf_protein", "trkb_activation", "synaptic_strength",
    "consolidated_fraction",
)  # fmt: skip
FOLLOWED = ("acetylation", "bdnf_mrna", "bdnf_protein", "trkb_activation", "synaptic_strength")  # of every neuron
MEMORY_OF_NEURONS = 24e6  # bytes that the histories of all neurons may take


class Plan(NamedTuple):
    """A schedule made ready: what happens, the blood that follows, and when its sessions begin and end (h)."""

    name: str
    timeline: Timeline
    plasma: Plasma
    sessions: tuple[tuple[float, float], ...]


def ready_plan(experiment: Experiment, name: str) -> Plan:
    """The plan of one schedule of an experiment; ConfigError where its body cannot be solved."""
    from abm.forcing import blood_of

    run = experiment.run
    timeline = timeline_of(experiment.schedules[name], experiment.subject, run.duration, name)
    try:
        plasma = blood_of(experiment, timeline)
    except ArithmeticError as error:
        raise ConfigError(str(error), key=f"schedules.{name}") from None
    return Plan(name, timeline, plasma, timeline.sessions)


class Arm:
    """A model, its plan, and its history.

    history: (metrics of TRACED, regions, steps + 1), NaN where time has not come. neurons: (samples, FOLLOWED, n),
    single precision, every `stride` steps, so that the history of any neuron can be looked up.
    """

    def __init__(self, experiment: Experiment, replicate: int, plan: Plan, rested: Arrays) -> None:
        from abm.model import start

        self.plan, self.rested = plan, rested
        self.model: HippocampusModel = start(experiment, plan.name, plan.timeline, replicate, plan.plasma, rested)
        self.steps, self.taken = self.model.steps_total, 0
        self.history = np.full((len(TRACED), len(REGIONS), self.steps + 1), np.nan)
        neurons = len(self.model.neurons.region)
        self.stride = max(1, math.ceil((self.steps + 1) * neurons * len(FOLLOWED) * 4 / MEMORY_OF_NEURONS))
        self.neurons = np.empty((self.steps // self.stride + 1, len(FOLLOWED), neurons), np.float32)
        self._read()

    def begin(self, plan: Plan) -> None:
        """Back to time zero, under a plan: the same tissue with the same luck."""
        model = self.model
        self.plan, self.taken = plan, 0
        model.schedule, model.timeline = plan.name, plan.timeline
        model.plasma = model.resting = plan.plasma
        model.begin(self.rested)
        for collected in model.datacollector.model_vars.values():
            collected.clear()
        self.history[:] = np.nan
        self._read()

    def step(self) -> None:
        """One step of the model, then read it."""
        self.model.step()
        self.taken += 1
        self._read()

    def _read(self) -> None:
        for row, metric in enumerate(TRACED):
            values = self.model.observe(metric)
            # The blood has no regions: its number stands for each of them.
            self.history[row, :, self.taken] = [values.get(region, values["all"]) for region in REGIONS]
        sample, rest = divmod(self.taken, self.stride)
        if rest == 0:
            for column, metric in enumerate(FOLLOWED):
                self.neurons[sample, column] = METRICS[metric].values(self.model)

    def trace(self, metric: str, region: str = "all") -> NDArray[np.float64]:
        """A read-out from time zero to now, one number per step."""
        traced: NDArray[np.float64] = self.history[TRACED.index(metric), REGIONS.index(region), : self.taken + 1]
        return traced

    def neuron_trace(self, metric: str, neuron: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Hours and values of one neuron's read-out so far."""
        samples = self.taken // self.stride + 1
        hours = np.arange(samples) * (self.stride * float(self.model.clock.step))
        return hours, self.neurons[:samples, FOLLOWED.index(metric), neuron]
