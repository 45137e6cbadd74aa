"""W1 by NEURON's reaction-diffusion module: extracellular space, its alternating-direction solver, fixed step.

Decay is a `rxd.Rate`. What the sources give in a step is added to their voxels before it, which costs NEURON next to
nothing; as an expression of the reaction it would be evaluated in every voxel. `rxd.nthread` is given all cores.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from neuron import h, rxd

from benchmarks.diffusion_case import (
    DIFFUSIVITY,
    DURATION,
    EDGE,
    LOSS,
    RATE,
    STRENGTH,
    WINDOW,
    exact,
    grid,
    relative_error,
    sources,
)
from benchmarks.measure import CORES

STEP = 0.02  # s; see the error beside the time
STEPS = round(DURATION / STEP)
MILLISECONDS = 1000.0  # NEURON's unit of time in a second


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Build the extracellular space; see the package's docstring. budget: seconds that a run may take about."""
    n, shape = case["n"], grid(case["n"])
    length = n * EDGE
    rxd.nthread(CORES)
    space = rxd.Extracellular(0, 0, 0, length, length, length, dx=EDGE, volume_fraction=1, tortuosity=1)
    numbers = range(len(DIFFUSIVITY))
    species = [rxd.Species([space], name=f"s{k}", d=DIFFUSIVITY[k] / MILLISECONDS, initial=0) for k in numbers]
    rates = [rxd.Rate(one, -LOSS[k] / MILLISECONDS * one) for k, one in enumerate(species)]  # held, or they lapse
    h.finitialize(-65)
    h.dt = STEP * MILLISECONDS
    fields = [one[space].states3d for one in species]
    places = np.unravel_index(sources(shape), shape)

    def advance(first: int, steps: int) -> float:
        start = time.perf_counter()
        for step in range(first, first + steps):
            strength = STRENGTH[int((step + 0.5) * STEP / WINDOW)]
            for k, field in enumerate(fields):
                field[places] += RATE[k] * strength * STEP
            h.fadvance()
        return time.perf_counter() - start

    once = advance(0, 1)
    steps = STEPS if case.get("error") else min(max(int(case["budget"] / once), 1), STEPS)

    def run() -> dict[str, Any]:
        assert rates
        advance(0, 1)
        for field in fields:
            field[:] = 0.0
        result: dict[str, Any] = {"seconds": advance(0, steps), "steps": steps, "total": STEPS}
        if case.get("error"):
            result["error"] = max(relative_error(f, exact(shape, k)) for k, f in enumerate(fields))
        return result

    return run
