"""W2 by this project: the model itself, its population loop timed apart from the rest of the step."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from abm.model import HippocampusModel
from benchmarks.neurons_case import SCHEDULE, STEP, bytes_per_neuron, experiment, read_outs, summary


class Stopwatch:
    """A function that adds up the time spent in it."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.seconds = function, 0.0

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """The function, timed."""
        start = time.perf_counter()
        result = self.function(*arguments, **named)
        self.seconds += time.perf_counter() - start
        return result


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Build the model and compile; see the package's docstring. budget: seconds that a run may take about.

    The result's `seconds` are those of the population loop, `step_seconds` those of whole steps, both of all steps
    taken; `bytes` are what the loop must move for a neuron in a step.
    """
    model = HippocampusModel(experiment(case["neurons"], case.get("step", STEP)), SCHEDULE)
    loop = Stopwatch(model._advance_population)
    model._advance_population = loop  # type: ignore[method-assign]
    start = model.checkpoint()
    total = round(24.0 / model.clock.step)
    for _ in range(2):
        model.step()

    def run() -> dict[str, Any]:
        model.restore(start)
        loop.seconds, taken, begun = 0.0, 0, time.perf_counter()
        while taken < total and time.perf_counter() - begun < case["budget"]:
            model.step()
            taken += 1
        columns = model.neurons.columns
        return {
            "seconds": loop.seconds, "step_seconds": time.perf_counter() - begun, "steps": taken, "total": total,
            "bytes": bytes_per_neuron(columns), **summary(read_outs(columns)),
        }  # fmt: skip

    return run
