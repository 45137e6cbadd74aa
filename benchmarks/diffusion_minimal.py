"""W1 with the solver of the tissue, called signal by signal; stands in for `benchmarks/diffusion_ours.py`."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from abm.tissue.medium import cosine_eigenvalues, face_conductance
from abm.tissue.solver import Medium, advance_implicit, advance_uniform
from benchmarks.diffusion_case import DIFFUSIVITY, EDGE, LOSS, STRENGTH, WINDOW, Floats, layers, source_field

TOLERANCE = 5e-3  # of a sub-step in layered tissue, as in the model


def medium(shape: tuple[int, int, int], substance: int, strength: float, layered: bool) -> Medium:
    """One substance's linear system during one window; times in seconds."""
    relative = layers(shape) if layered else np.ones(shape)
    faces = face_conductance(relative / EDGE**2)
    inside = faces[faces > 0.0]
    source = strength * source_field(shape, substance)
    return Medium(
        np.ones(shape), np.full(shape, LOSS[substance]), source, faces, cosine_eigenvalues(shape),
        DIFFUSIVITY[substance], 1.0, LOSS[substance], float(inside.mean()),
    )  # fmt: skip


def solve(shape: tuple[int, int, int], layered: bool) -> tuple[Any, float]:
    """The fields at the end and the seconds of the windows; what does not change in time is set up outside of them."""
    integral, fields, seconds = np.empty(shape), list[Floats](), 0.0
    for substance in range(len(DIFFUSIVITY)):
        c, step = np.zeros(shape), WINDOW
        systems = {strength: medium(shape, substance, strength, layered) for strength in set(STRENGTH)}
        start = time.perf_counter()
        for strength in STRENGTH:
            if layered:
                step = advance_implicit(systems[strength], WINDOW, step, TOLERANCE, c, integral).step
            else:
                advance_uniform(systems[strength], WINDOW, c, integral)
        seconds += time.perf_counter() - start
        fields.append(c)
    return np.array(fields), seconds
