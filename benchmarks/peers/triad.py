"""Memory bandwidth, as McCalpin's STREAM triad measures it: a = b + s c on arrays far larger than the caches."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, prange

LENGTH = 8_000_000  # of each of three arrays of 64 MB
BYTES = 24  # per element: two read, one written
TURNS = 5


@njit(error_model="numpy")
def serial(a: Any, b: Any, c: Any, s: float) -> None:
    """The triad on one core."""
    for i in range(a.size):
        a[i] = b[i] + s * c[i]


@njit(parallel=True, error_model="numpy")
def shared(a: Any, b: Any, c: Any, s: float) -> None:
    """The triad on all cores."""
    for i in prange(a.size):
        a[i] = b[i] + s * c[i]


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Fill the arrays and compile; a run gives the best bandwidth of five turns, GB/s, on one core and on all."""
    a, b, c = (np.full(LENGTH, value) for value in (0.0, 1.0, 2.0))

    def bandwidth(triad: Callable[..., None]) -> float:
        times = []
        for _ in range(TURNS):
            start = time.perf_counter()
            triad(a, b, c, 3.0)
            times.append(time.perf_counter() - start)
        return BYTES * LENGTH / min(times) / 1e9

    bandwidth(serial), bandwidth(shared)

    def run() -> dict[str, Any]:
        start = time.perf_counter()
        found = {"one_core": bandwidth(serial), "all_cores": bandwidth(shared)}
        return {"seconds": time.perf_counter() - start, "steps": 1, "total": 1, **found}

    return run
