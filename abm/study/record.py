"""What is kept of one run: the readings asked for, traces over time, every neuron at chosen times, and the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abm.metric_names import REGIONS
from abm.metrics import METRICS, SIGNALS, Floats, Indices, Layout, Observed, mean
from abm.study.plan import Plan
from abm.tissue.ledger import TERMS

Rows = Indices | slice
LEDGER = ("initial", *TERMS, "stored", "residual", "worst_residual")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
FAST = tuple(metric for metric in METRICS.values() if metric.part == "tissue")
SLOW = tuple(m for m in METRICS.values() if m.part not in ("body", "tissue") and m.traced)
SPREAD = tuple(metric for metric in SLOW if metric.sum_up is mean)
WHOLE = tuple(metric for metric in SLOW if metric.sum_up is not mean)


class Recorder:
    """Collects what is kept of one run; `take` is called at time zero and after every step.

    The tissue's signals move within minutes and are traced every step; all else hourly, with quantiles over neurons.
    """

    def __init__(self, plan: Plan, schedule: str) -> None:
        self.plan, self.map_step = plan, plan.map_steps[schedule]
        self.readings = np.full(len(plan.readings), np.nan)
        self.due: dict[int, dict[str, list[int]]] = {}
        for place, reading in enumerate(plan.readings):
            self.due.setdefault(reading.step, {}).setdefault(reading.metric, []).append(place)
        self.samples = {step: place for place, step in enumerate(plan.trace_steps)}
        regions, samples = len(REGIONS), len(plan.trace_steps)
        self.fast = np.empty((len(FAST), regions, plan.steps + 1))
        self.slow = np.empty((len(SPREAD), regions, samples))
        self.whole = np.empty((len(WHOLE), regions, samples))
        self.spread = np.empty((len(SPREAD), len(QUANTILES), regions, samples))
        self.states: dict[str, list[NDArray[Any]]] = {}
        self.fields: NDArray[np.float64] = np.empty(0)

    def take(self, model: Observed, step: int) -> None:
        """Record what is due after `step` steps."""
        for name, places in self.due.get(step, {}).items():
            values = METRICS[name].observe(model)
            for place in places:
                self.readings[place] = values[self.plan.readings[place].region]
        members = [_as_slice(rows) for rows in Layout.of(model).members.values()]
        self.fast[:, :, step] = _means(np.stack([metric.values(model) for metric in FAST]), members)
        if step in self.samples:
            self._take_slow(model, members, self.samples[step])
        if step in self.plan.state_steps:
            for name, column in model.neurons.columns.items():
                self.states.setdefault(name, []).append(column.copy())
        if step == self.map_step:
            self.fields = np.array(model.tissue.concentration)

    def _take_slow(self, model: Observed, members: Sequence[Rows], sample: int) -> None:
        values = np.stack([metric.values(model) for metric in SPREAD])
        self.slow[:, :, sample] = _means(values, members)
        for place, rows in enumerate(members):
            self.spread[:, :, place, sample] = quantiles(values[:, rows])
        for place, metric in enumerate(WHOLE):
            self.whole[place, :, sample] = list(metric.observe(model).values())

    def arrays(self) -> dict[str, NDArray[Any]]:
        """All that was recorded, under names that say what it is: "trace.x", "quantiles.x", "state.x" ..."""
        kept: dict[str, NDArray[Any]] = {"readings": self.readings, "fields": self.fields}
        for metrics, traces in ((FAST, self.fast), (SPREAD, self.slow), (WHOLE, self.whole)):
            kept |= {f"trace.{metric.name}": trace for metric, trace in zip(metrics, traces, strict=True)}
        kept |= {f"quantiles.{metric.name}": trace for metric, trace in zip(SPREAD, self.spread, strict=True)}
        kept |= {f"state.{name}": np.stack(columns) for name, columns in self.states.items()}
        return kept


def numerics(tissue: Any) -> dict[str, NDArray[Any]]:
    """The ledger of a run (5, terms), and per signal (5,) the largest relative error of a step and the sub-steps."""
    table = tissue.ledger.table()
    ledger = np.array([[table[signal][term] for term in LEDGER] for signal in SIGNALS])
    return {"ledger": ledger, "step_error": tissue.step_error.copy(), "substeps": tissue.substeps.astype(np.float64)}


def _as_slice(rows: Indices) -> Rows:
    """The same rows as a slice where they lie side by side, which needs no copy of what it takes."""
    if len(rows) and rows[-1] - rows[0] == len(rows) - 1:
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows


def _means(values: Floats, members: Sequence[Rows]) -> Floats:
    """Means over the members of each region: (metrics, neurons) -> (metrics, regions); NaN for an empty region."""
    empty = np.full(len(values), np.nan)
    parts = (values[:, rows] for rows in members)
    return np.stack([part.mean(axis=1) if part.shape[1] else empty for part in parts], axis=1)


def quantiles(values: Floats) -> Floats:
    """QUANTILES over neurons, interpolated linearly: (metrics, neurons) -> (metrics, quantiles); NaN of nothing."""
    count = values.shape[-1]
    if count == 0:
        return np.full((len(values), len(QUANTILES)), np.nan)
    ordered = np.sort(values, axis=-1)
    place = np.array(QUANTILES) * (count - 1)
    below = place.astype(np.intp)
    above = np.minimum(below + 1, count - 1)
    return np.asarray(ordered[:, below] + (place - below) * (ordered[:, above] - ordered[:, below]))
