"""A model of a few arithmetic steps in place of the hippocampus, for tests of how studies are carried out.

It has the neuron columns and fields of the real model and depends on schedule and replicate, but takes microseconds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np

from abm.body import PLASMA_COLUMNS, Plasma
from abm.config import Experiment, build_experiment
from abm.epigenome import EpigenomeParameters
from abm.expression import ExpressionParameters
from abm.neurons import Pharmacology
from abm.parameters import load_parameters
from abm.schedule import Timeline
from abm.signals import SIGNALS
from abm.study.record import LEDGER

Arrays = dict[str, np.ndarray[Any, np.dtype[Any]]]

SCALARS = (
    "eraser hdac2 hdac3 fndc5 bdnf_pro bdnf_protein release_rate trkb_surface trkb mean_strength potentiated "
    "consolidated spine"
)
PLAN = {
    "name": "toy",
    "tissue": {"neurons": 30, "size": ["200 um", "200 um"]},
    "schedules": {
        "sedentary": {},
        "run": {"sessions": {"kind": "running", "intensity": "70 %VO2max", "duration": "30 min", "start": "07:30"}},
    },
    "reference": "sedentary",
    "observe": [
        {"metric": "bdnf_protein", "at": ["12 h", "1 d"]},
        {"metric": "synaptic_strength.CA1", "every": "12 h"},
    ],
    "run": {"duration": "1 d", "burn_in": "1 d", "replicates": 3, "seed": 5, "step": "30 min"},
}


def toy_experiment(*overrides: str) -> Experiment:
    """Two schedules on three replicates for a day."""
    return build_experiment(PLAN, overrides)


class ToyModel:
    """Columns that drift with movement; fields that follow the blood."""

    def __init__(self, experiment: Experiment, replicate: int, plasma: Plasma, start: float) -> None:
        draw = np.random.default_rng(1000 * experiment.run.seed + replicate)
        neurons = experiment.tissue.neurons
        self.columns: Arrays = {
            "region": (np.arange(neurons) % 3).astype(np.int8),
            "voxel": draw.integers(0, 64, neurons).astype(np.uint32),
            "position": draw.random((neurons, 3)) * 200.0,
            "nucleosomes": draw.integers(-1, 2, (neurons, 4, 12)).astype(np.int8),
            "promoter_on": np.zeros((neurons, 4, 2), np.int8),
            "transcripts": draw.poisson(3.0, (neurons, 4)).astype(np.int32),
            **{name: start + draw.random(neurons) for name in SCALARS.split()},
        }
        self.neurons = SimpleNamespace(columns=self.columns, **self.columns)
        sizes = (1 + replicate) * np.arange(1.0, 6.0)  # no two signals and no two replicates have the same
        table = {signal: dict.fromkeys(LEDGER, 1e-12 * size) for signal, size in zip(SIGNALS, sizes, strict=True)}
        ledger = SimpleNamespace(table=lambda: table)
        self.tissue = SimpleNamespace(
            concentration=draw.random((5, 8, 8)), ledger=ledger, step_error=1e-4 * sizes, substeps=np.ones(5, int)
        )
        self.plasma, self.taken, self.drugs = plasma, 0, Pharmacology()
        self.expression = load_parameters(ExpressionParameters, "expression")
        self.epigenome = load_parameters(EpigenomeParameters, "epigenome")

    @property
    def blood(self) -> dict[str, float]:
        place = max(self.taken - 1, 0)
        return {name: float(getattr(self.plasma, name)[place]) for name in PLASMA_COLUMNS}

    def advance(self) -> None:
        movement = self.plasma.movement[self.taken]
        self.taken += 1
        self.columns["bdnf_protein"] *= 1.0 + 0.01 * movement
        self.columns["mean_strength"] *= 1.0 + 0.005 * movement
        self.tissue.concentration[1] += 0.3 * (self.blood["lactate"] - self.tissue.concentration[1])


Before = Callable[[str, int, ToyModel], None]


@contextmanager
def toy_model(before_step: Before | None = None, in_burn_in: Callable[[int], None] | None = None) -> Iterator[None]:
    """Put the toy in the place of abm.model; `before_step` and `in_burn_in` may raise, to play a fault.

    No posterior of parameters is found meanwhile: they are not the toy's.
    """

    def burn_in(experiment: Experiment, replicate: int, resting_day: Plasma, tick: Callable[[int], None]) -> Arrays:
        tick(1)
        if in_burn_in is not None:
            in_burn_in(replicate)
        return {"start": np.float64(1.0 + 0.1 * replicate)}

    def start(
        experiment: Experiment, schedule: str, timeline: Timeline, replicate: int, plasma: Plasma, rested: Arrays
    ) -> ToyModel:
        model = ToyModel(experiment, replicate, plasma, float(rested["start"]))
        if before_step is not None:
            go_on = model.advance

            def advance() -> None:
                before_step(schedule, replicate, model)
                go_on()

            model.advance = advance  # type: ignore[method-assign]
        return model

    module = ModuleType("abm.model")
    module.__dict__.update(burn_in=burn_in, start=start)
    before = sys.modules.get("abm.model")
    sys.modules["abm.model"] = module
    try:
        with mock.patch("abm.study.posterior.posterior_folder", return_value=Path("none")):
            yield
    finally:
        del sys.modules["abm.model"]
        if before is not None:
            sys.modules["abm.model"] = before


class Here(Executor):
    """Runs each task at once, in this process."""

    def __init__(self) -> None:
        self.tasks = 0

    def submit(self, task: Callable[..., Any], /, *arguments: Any, **named: Any) -> Future[Any]:
        self.tasks += 1
        future: Future[Any] = Future()
        future.set_result(task(*arguments, **named))
        return future
