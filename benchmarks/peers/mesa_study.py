"""W3 by Mesa as most models use it: objects for neurons, lists for synapses; a few steps of the study's many.

Blood, barrier and fields are given. Processes are taken to share the study without loss.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from benchmarks.measure import CORES
from benchmarks.peers.mesa_neurons import PlainModel
from benchmarks.plain_synapses import PlainSynapses
from benchmarks.plain_world import World, timed


class PlainStudyModel(PlainModel):
    """Neurons and synapses of a recording of the study's tissue."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.synapses = PlainSynapses(world, self.neurons)

    def step(self) -> None:
        """One step of neurons, then of their synapses."""
        super().step()
        self.synapses.advance()


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Load the recording; see the package's docstring. budget: seconds a run may take about; steps: of the study."""
    world = World(case["recording"])
    random.seed(1)  # once, so that runs differ in the events that fall into them

    def run() -> dict[str, Any]:
        model = PlainStudyModel(world)
        seconds, steps = timed(lambda _: model.step(), world.steps, case["budget"])
        found = world.result(model.neurons)
        return {"seconds": seconds / CORES, "steps": steps, "total": case["steps"], **found}

    return run
