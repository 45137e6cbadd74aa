"""W1 by this project: exact steps in uniform tissue, tridiagonal systems in layers of one axis.

Layers also by the solver for any coefficients, which the model's tissue uses: implicit steps with error control.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from abm.tissue.layered import LayeredField
from abm.tissue.medium import cosine_eigenvalues, face_conductance, mean_conductance
from abm.tissue.solver import Medium, precision_for, working_space
from abm.tissue.threads import implicit_on, threads_for
from abm.tissue.transform import cosines, on_modes
from abm.tissue.uniform import UniformField
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
    layers,
    relative_error,
    source_field,
)

TOLERANCE = 7e-3  # of the implicit steps, relative local error
SUBSTANCES = range(len(DIFFUSIVITY))


def solve(
    shape: tuple[int, int, int], layered: bool, single: bool = False, implicit: bool = False
) -> tuple[Any, float]:
    """The fields at the end, (5, *shape), and the seconds that they took.

    single: precision; implicit: layers by the solver for any coefficients.
    """
    patterns = [source_field(shape, k) for k in SUBSTANCES]
    start = time.perf_counter()
    fields = _march_implicit(shape, patterns) if implicit else _march(shape, patterns, layered, single)
    return fields, time.perf_counter() - start


def _march(shape: tuple[int, int, int], patterns: list[Floats], layered: bool, single: bool) -> Any:
    precision = np.float32 if single else np.float64
    fields, nothing = np.empty((len(SUBSTANCES), *shape), precision), np.zeros(shape, precision)
    relative = layers(shape)[:, 0, 0]
    for k in SUBSTANCES:
        substance: UniformField | LayeredField
        if layered:
            substance = LayeredField(nothing, EDGE, DIFFUSIVITY[k] * relative, LOSS[k], patterns[k])
        else:
            substance = UniformField(nothing, EDGE, DIFFUSIVITY[k], LOSS[k], patterns[k])
        for strength in STRENGTH:
            substance.advance(WINDOW, strength)
            substance.read(fields[k])
    return fields


def _march_implicit(shape: tuple[int, int, int], patterns: list[Floats]) -> Any:
    size, precision = math.prod(shape), precision_for(TOLERANCE)
    workers, fields, integral = threads_for(size), np.zeros((5, size)), np.empty(size)
    work, tables = working_space(shape, precision), cosines(shape, precision)
    faces, storage = face_conductance(layers(shape) / EDGE**2), np.ones(size)
    modes = cosine_eigenvalues(on_modes(shape))
    mean_face, advance = mean_conductance(faces), implicit_on(workers)
    near = faces.reshape(3, -1).astype(precision)
    for k in SUBSTANCES:
        step, losses = WINDOW, np.full(size, LOSS[k])
        for strength in STRENGTH:
            source = strength * patterns[k].reshape(-1)
            medium = Medium(
                shape, storage, losses, source, near, modes, DIFFUSIVITY[k], 1.0, LOSS[k],
                float(source.mean()), LOSS[k], mean_face, tables,
            )  # fmt: skip
            step = advance(medium, WINDOW, step, TOLERANCE, fields[k], integral, work).step
    return fields.reshape(-1, *shape)


def largest_error(fields: Floats, shape: tuple[int, int, int], layered: bool) -> float:
    """Largest relative error of the five fields."""
    reference = exact_layered if layered else exact
    return max(relative_error(field.reshape(shape), reference(shape, k)) for k, field in enumerate(fields))


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Compile; see the package's docstring."""
    shape, layered = grid(case["n"], case.get("flat", False)), case.get("layered", False)
    single, implicit = case.get("single", False), case.get("implicit", False)
    solve(shape, layered, single, implicit)

    def run() -> dict[str, Any]:
        if not implicit:
            solve(shape, layered, single)
        fields, seconds = solve(shape, layered, single, implicit)
        result: dict[str, Any] = {"seconds": seconds, "steps": len(STRENGTH), "total": len(STRENGTH)}
        if case.get("error"):
            result["error"] = largest_error(fields, shape, layered)
        return result

    return run
