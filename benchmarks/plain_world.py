"""What plain agents meet, step by step, and the read-outs of their population: shared by Mesa, AgentPy and Brian2."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.neurons_case import read_outs, summary
from benchmarks.plain_neuron import PlainNeuron

from abm.config import load_experiment  # isort: skip  (after the elementary functions have been chosen)
from abm.epigenome import EpigenomeParameters  # isort: skip
from abm.expression import ExpressionParameters  # isort: skip
from abm.model import DEFAULT_EXPERIMENT  # isort: skip
from abm.neurons import Neuron, Pharmacology  # isort: skip
from abm.promoters import promoter_constants  # isort: skip
from abm.parameters import load_parameters  # isort: skip
from abm.synapses import SynapseParameters  # isort: skip
from abm.wiring import NetworkParameters  # isort: skip

REGIONS = 3


class World:
    """Fields, input and parameters. recording: what `benchmarks.recording` wrote, or its arrays."""

    def __init__(self, recording: str | dict[str, Any]) -> None:
        self.recording = dict(np.load(recording)) if isinstance(recording, str) else recording
        subject = load_experiment(DEFAULT_EXPERIMENT).subject
        found = (subject.species, subject.overrides)
        self.epigenome = load_parameters(EpigenomeParameters, "epigenome", *found)
        self.expression = load_parameters(ExpressionParameters, "expression", *found)
        self.plasticity = load_parameters(SynapseParameters, "synapses", *found)
        self.network = load_parameters(NetworkParameters, "network", *found)
        day = self.recording["waking_at_rest"].tolist()
        promoters = promoter_constants(self.expression, self.epigenome, float(self.recording["dt"]), day)
        self.promoters = type(promoters)(*(np.asarray(values).tolist() for values in promoters))
        self.dt = float(self.recording["dt"])
        self.steps = len(self.recording["fields"])
        self.neurons = len(self.recording["place"])
        self.fields: list[list[float]] = []
        self.waking, self.input_activity, self.unevenness = 1.0, 1.0, 1.0
        self.drugs, self.mean_drive = Pharmacology(), [1.0] * REGIONS

    def states(self) -> list[dict[str, Any]]:
        """The initial state of every neuron in plain numbers and lists."""
        columns = {name: self.recording[f"start.{name}"].tolist() for name in Neuron.declared_columns()}
        columns["place"] = self.recording["place"].tolist()
        return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]

    def turn(self, step: int, neurons: Sequence[PlainNeuron]) -> None:
        """Go to a step: its fields, input, drugs, and the mean drive of each region."""
        self.fields = self.recording["fields"][step].tolist()
        self.input_activity = float(self.recording["input_activity"][step])
        self.waking = float(self.recording["waking"][step])
        self.unevenness = float(self.recording["unevenness"][step])
        self.drugs = Pharmacology(*self.recording["drugs"][step].tolist())
        total, cells = [0.0] * REGIONS, [0] * REGIONS
        for neuron in neurons:
            total[neuron.region] += neuron.drive
            cells[neuron.region] += 1
        self.mean_drive = [part / max(number, 1) for part, number in zip(total, cells, strict=True)]

    def result(self, neurons: Sequence[PlainNeuron]) -> dict[str, dict[str, float]]:
        """Means and standard deviations of the read-outs."""
        names = Neuron.declared_columns()
        return summary(read_outs({name: np.array([getattr(one, name) for one in neurons]) for name in names}))


def timed(step: Callable[[int], None], steps: int, budget: float) -> tuple[float, int]:
    """Take steps until they are done or the budget (s) is spent; returns the seconds and how many were taken."""
    import time

    start = time.perf_counter()
    for taken in range(steps):
        step(taken)
        if time.perf_counter() - start > budget:
            break
    return time.perf_counter() - start, taken + 1
