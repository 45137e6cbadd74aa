"""W1 by py-pde: explicit Euler on its Numba backend, the five substances one after the other.

The text of the equation is the same for all five but for its constants, which py-pde compiles into the stepper, so
each costs a compilation. A case that is not run to the end compiles and measures the first one only, and its step
counts for all: they do the same operations on the same numbers of voxels.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pde

from benchmarks.diffusion_case import (
    DIFFUSIVITY,
    DURATION,
    EDGE,
    LOSS,
    STRENGTH,
    WINDOW,
    Floats,
    exact,
    grid,
    relative_error,
    source_field,
)

STEPS = 960  # of 0.0625 s; the fastest substance allows EDGE^2 / (6 D) = 0.067 s, and windows hold whole steps


def steps_of(substance: int, own: bool) -> int:
    """Steps of one substance: those of the fastest, or as many fewer as it spreads more slowly."""
    return round(STEPS * DIFFUSIVITY[substance] / max(DIFFUSIVITY)) if own else STEPS


def strength_text() -> str:
    """f(t) as py-pde's text: a sum of jumps between windows."""
    jumps = enumerate(pairwise(STRENGTH), 1)
    terms = [f"{after - before:+g}*heaviside(t - {WINDOW * k}, 1)" for k, (before, after) in jumps]
    return f"({STRENGTH[0]:g}" + "".join(terms) + ")"


def stepper(n: int, substance: int, step: float) -> tuple[Any, Any]:
    """A compiled stepper of one substance and the field that it advances; step in s."""
    shape = grid(n)
    space = pde.CartesianGrid([[0.0, EDGE * length] for length in shape], shape)
    text = f"{DIFFUSIVITY[substance]}*laplace(c) - {LOSS[substance]}*c + s*{strength_text()}"
    constants = {"s": pde.ScalarField(space, source_field(shape, substance))}
    equation = pde.PDE({"c": text}, consts=constants, bc={"derivative": 0})
    field = pde.ScalarField(space, 0.0)
    advance = pde.EulerSolver(equation, backend="numba").make_stepper(field, step)
    advance(field, 0.0, step)
    return advance, field


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Compile; see the package's docstring. budget: seconds that a run may take about; own_steps: see `steps_of`."""
    counts = [steps_of(substance, case.get("own_steps", False)) for substance in range(len(DIFFUSIVITY))]
    chosen = counts if case.get("error") else counts[:1]
    compiled = [stepper(case["n"], substance, DURATION / steps) for substance, steps in enumerate(chosen)]
    steps = chosen if case.get("error") else [_affordable(compiled[0], counts[0], case["budget"])]

    def run() -> dict[str, Any]:
        seconds = 0.0
        fields: list[Floats] = []
        for (advance, field), taken, number in zip(compiled, steps, chosen, strict=True):
            advance(field, 0.0, DURATION / number)
            field.data[:] = 0.0
            start = time.perf_counter()
            advance(field, 0.0, taken * DURATION / number)
            seconds += time.perf_counter() - start
            fields.append(np.array(field.data))
        result: dict[str, Any] = {"seconds": seconds, "steps": sum(steps), "total": sum(counts)}
        if case.get("error"):
            shape = grid(case["n"])
            result["error"] = max(relative_error(f, exact(shape, k)) for k, f in enumerate(fields))
        return result

    return run


def _affordable(compiled: tuple[Any, Any], steps: int, budget: float) -> int:
    """Steps that take about the budget (s), judged by one."""
    advance, field = compiled
    start = time.perf_counter()
    advance(field, 0.0, DURATION / steps)
    return min(max(int(budget / max(time.perf_counter() - start, 1e-9)), 1), steps)
