"""What is kept of one run: the readings asked for, traces over time, every neuron at chosen times, and the ledger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from abm.layout import Floats, Layout, mean
from abm.loops import loop
from abm.metric_names import REGIONS
from abm.metrics import METRICS, Observed
from abm.signals import SIGNALS
from abm.study.plan import Plan
from abm.tissue.ledger import TERMS

LEDGER = ("initial", *TERMS, "stored", "residual", "worst_residual")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FAST = tuple(METRICS[f"tissue_{signal}"] for signal in SIGNALS)
SLOW = tuple(m for m in METRICS.values() if m.part not in ("body", "tissue") and m.traced)
SPREAD = tuple(metric for metric in SLOW if metric.sum_up is mean)
WHOLE = tuple(metric for metric in SLOW if metric.sum_up is not mean)


class Recorder:
    """Collects what is kept of one run; `take` is called at time zero and after every step.

    The tissue's signals move within minutes and are traced every step; all else at `Plan.trace_steps`, with quantiles
    over neurons. Samples come first in the arrays, so that one is written into one place.
    """

    def __init__(self, plan: Plan, schedule: str) -> None:
        self.plan, self.map_step = plan, plan.map_steps[schedule]
        self.readings = np.full(len(plan.readings), np.nan)
        self.due: dict[int, dict[str, list[int]]] = {}
        for place, reading in enumerate(plan.readings):
            self.due.setdefault(reading.step, {}).setdefault(reading.metric, []).append(place)
        self.samples = {step: place for place, step in enumerate(plan.trace_steps)}
        regions, samples = len(REGIONS), len(plan.trace_steps)
        self.fast = np.empty((plan.steps + 1, len(FAST), regions))
        self.slow = np.empty((samples, len(SPREAD), regions))
        self.whole = np.empty((samples, len(WHOLE), regions))
        self.spread = np.empty((samples, len(SPREAD), len(QUANTILES), regions))
        self.states: dict[str, list[NDArray[Any]]] = {}
        self.fields: NDArray[np.float64] = np.empty(0)
        self.places: tuple[NDArray[np.uint32], NDArray[np.int8]] | None = None  # voxels and regions of the neurons

    def take(self, model: Observed, step: int) -> None:
        """Record what is due after `step` steps."""
        for name, places in self.due.get(step, {}).items():
            values = METRICS[name].observe(model)
            for place in places:
                self.readings[place] = values[self.plan.readings[place].region]
        if self.places is None:  # read once: whenever a model's neurons are read it sums up their synapses
            self.places = model.neurons.voxel, model.neurons.region
        _fill_means(model.tissue.concentration.reshape(len(FAST), -1), *self.places, self.fast[step])
        if step in self.samples:
            self._take_slow(model, self.samples[step])
        if step in self.plan.state_steps:
            for name, column in model.neurons.columns.items():
                self.states.setdefault(name, []).append(column.copy())
        if step == self.map_step:
            self.fields = np.array(model.tissue.concentration)

    def _take_slow(self, model: Observed, sample: int) -> None:
        values = np.stack([metric.values(model) for metric in SPREAD])
        members = Layout.of(model).members
        _fill_means(values, members["all"], model.neurons.region, self.slow[sample])
        ordered = np.take(values, np.concatenate([members[region] for region in REGIONS[1:]]), axis=1)
        ends = np.cumsum([members[region].size for region in REGIONS[1:]])
        for place, own in enumerate(np.split(ordered, ends[:-1], axis=1), start=1):
            own.sort()
            self.spread[sample, :, :, place] = quantiles(own)
        ordered.sort(kind="stable")  # which merges what is in order already, as the regions are
        self.spread[sample, :, :, 0] = quantiles(ordered)
        self.whole[sample] = [list(metric.observe(model).values()) for metric in WHOLE]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that was recorded, under names that say what it is: "trace.x", "quantiles.x", "state.x" ..."""
        kept: dict[str, NDArray[Any]] = {"readings": self.readings, "fields": self.fields}
        for metrics, traces in ((FAST, self.fast), (SPREAD, self.slow), (WHOLE, self.whole)):
            kept |= {f"trace.{metric.name}": traces[:, place].T for place, metric in enumerate(metrics)}
        kept |= {f"quantiles.{metric.name}": np.moveaxis(self.spread[:, i], 0, -1) for i, metric in enumerate(SPREAD)}
        kept |= {f"state.{name}": np.stack(columns) for name, columns in self.states.items()}
        return kept


def numerics(tissue: Any) -> dict[str, NDArray[Any]]:
    """The ledger of a run (5, terms), and per signal (5,) the largest relative error of a step and the sub-steps."""
    table = tissue.ledger.table()
    ledger = np.array([[table[signal][term] for term in LEDGER] for signal in SIGNALS])
    return {"ledger": ledger, "step_error": tissue.step_error.copy(), "substeps": tissue.substeps.astype(np.float64)}


@loop
def _fill_means(values: Floats, place: NDArray[np.integer], region: NDArray[np.int8], means: Floats) -> None:
    """Means over all neurons and over those of DG, CA3 and CA1, (metrics, 4); NaN of nothing.

    values: (metrics, places); place: that of each neuron, such as its voxel.
    """
    cells, sums = np.zeros(3), np.zeros((3, values.shape[0]))
    for i in range(np.uint64(region.size)):
        cells[region[i]] += 1.0
        for metric in range(values.shape[0]):  # side by side, since each sum has to wait for its last addition
            sums[region[i], metric] += values[metric, place[i]]
    for metric in range(values.shape[0]):
        means[metric, 0] = (sums[0, metric] + sums[1, metric] + sums[2, metric]) / region.size
        for k in range(3):
            means[metric, 1 + k] = sums[k, metric] / cells[k]


def quantiles(ordered: Floats) -> Floats:
    """QUANTILES over neurons in order, interpolated linearly: (metrics, neurons) -> (metrics, quantiles); NaN of none.
    """
    count = ordered.shape[-1]
    if count == 0:
        return np.full((len(ordered), len(QUANTILES)), np.nan)
    place = np.array(QUANTILES) * (count - 1)
    below = place.astype(np.intp)
    low, high = np.take(ordered, below, axis=1), np.take(ordered, np.minimum(below + 1, count - 1), axis=1)
    return np.asarray(low + (place - below) * (high - low))
