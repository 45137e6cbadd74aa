"""W1 by this project: `benchmarks.diffusion_ours` on cubes, the same exact step on planes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from abm.tissue.uniform import UniformField
from benchmarks import diffusion_ours
from benchmarks.diffusion_case import (
    DIFFUSIVITY,
    EDGE,
    LOSS,
    STRENGTH,
    WINDOW,
    Floats,
    exact,
    exact_layered,
    grid,
    relative_error,
    source_field,
)


def solve(shape: tuple[int, int, int], layered: bool, single: bool = False) -> tuple[Any, float]:
    """The fields at the end, (5, *shape), and the seconds that they took; single: precision, in uniform cubes."""
    if shape[0] > 1:
        return diffusion_ours.solve(shape[0], layered, np.float32 if single else np.float64)
    fields, patterns = np.empty((len(DIFFUSIVITY), *shape)), [source_field(shape, k) for k in range(len(DIFFUSIVITY))]
    start = time.perf_counter()
    for k, pattern in enumerate(patterns):
        substance = UniformField(np.zeros(shape), EDGE, DIFFUSIVITY[k], LOSS[k], pattern)
        for strength in STRENGTH:
            substance.advance(WINDOW, strength)
            substance.read(fields[k])
    return fields, time.perf_counter() - start


def largest_error(fields: Floats, shape: tuple[int, int, int], layered: bool) -> float:
    """Largest relative error of the five fields."""
    reference = exact_layered if layered else exact
    return max(relative_error(field.reshape(shape), reference(shape, k)) for k, field in enumerate(fields))


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Compile; see the package's docstring."""
    shape, layered = grid(case["n"], case.get("flat", False)), case.get("layered", False)
    single = case.get("single", False)
    solve(shape, layered, single)

    def run() -> dict[str, Any]:
        fields, seconds = solve(shape, layered, single)
        result: dict[str, Any] = {"seconds": seconds, "steps": len(STRENGTH), "total": len(STRENGTH)}
        if case.get("error"):
            result["error"] = largest_error(fields, shape, layered)
        return result

    return run
