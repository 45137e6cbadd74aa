"""W1 by this project: `benchmarks/diffusion_ours.py` where it is there, else the solver of the tissue, in float64."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from abm.tissue.medium import cosine_eigenvalues, face_conductance
from abm.tissue.solver import Medium, advance_implicit, advance_uniform
from benchmarks.diffusion_case import (
    DIFFUSIVITY,
    EDGE,
    LOSS,
    STRENGTH,
    WINDOW,
    Floats,
    exact,
    grid,
    layers,
    relative_error,
    source_field,
)
from benchmarks.measure import installed

TOLERANCE = 5e-3  # of a sub-step in layered tissue, as in the model
REFERENCE_TOLERANCE = 1e-6


def medium(shape: tuple[int, int, int], substance: int, strength: float, layered: bool) -> Medium:
    """One substance's linear system during one window; times in seconds."""
    relative = layers(shape) if layered else np.ones(shape)
    faces = face_conductance(np.ascontiguousarray(relative) / EDGE**2)
    inside = faces[faces > 0.0]
    source = strength * source_field(shape, substance)
    return Medium(
        np.ones(shape), np.full(shape, LOSS[substance]), source, faces, cosine_eigenvalues(shape),
        DIFFUSIVITY[substance], 1.0, LOSS[substance], float(inside.mean()),
    )  # fmt: skip


def solve(shape: tuple[int, int, int], layered: bool, tolerance: float = TOLERANCE) -> tuple[list[Floats], float]:
    """The fields at the end and the seconds of the windows; what does not change in time is set up outside of them."""
    integral, fields, seconds = np.empty(shape), [], 0.0
    for substance in range(len(DIFFUSIVITY)):
        c, step = np.zeros(shape), WINDOW
        systems = {strength: medium(shape, substance, strength, layered) for strength in set(STRENGTH)}
        start = time.perf_counter()
        for strength in STRENGTH:
            if layered:
                step = advance_implicit(systems[strength], WINDOW, step, tolerance, c, integral).step
            else:
                advance_uniform(systems[strength], WINDOW, c, integral)
        seconds += time.perf_counter() - start
        fields.append(c)
    return fields, seconds


def largest_error(fields: Any, shape: tuple[int, int, int], layered: bool) -> float:
    """Largest relative error of the five fields."""
    fine = solve(shape, True, REFERENCE_TOLERANCE)[0] if layered else [exact(shape, k) for k in range(len(DIFFUSIVITY))]
    return max(relative_error(np.asarray(f).reshape(shape), g) for f, g in zip(fields, fine, strict=True))


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Compile on a small grid; see the package's docstring."""
    shape, layered = grid(case["n"], case.get("flat", False)), case.get("layered", False)

    def compute() -> tuple[Any, float]:
        if installed("benchmarks.diffusion_ours") and not case.get("flat"):
            from benchmarks import diffusion_ours  # type: ignore[attr-defined,unused-ignore]

            return diffusion_ours.solve(case["n"], layered=layered)
        return solve(shape, layered)

    solve(grid(8), layered)
    compute()

    def run() -> dict[str, Any]:
        fields, seconds = compute()
        result: dict[str, Any] = {"seconds": seconds, "steps": len(STRENGTH), "total": len(STRENGTH)}
        if case.get("error"):
            result["error"] = largest_error(fields, shape, layered)
        return result

    return run
