"""W2 by AgentPy: one `agentpy.Agent` per neuron, with the same body as Mesa's."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import agentpy

from benchmarks.neurons_case import STEPS
from benchmarks.plain_neuron import PlainNeuron
from benchmarks.plain_world import World, timed


class AgentPyNeuron(PlainNeuron, agentpy.Agent):
    """A neuron as an AgentPy agent."""

    def setup(self, world: World) -> None:
        """AgentPy's initialisation: take the next state of the recording."""
        self.settle(world, world.waiting.pop())  # type: ignore[attr-defined]


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Load the recording; see the package's docstring. budget: seconds that a run may take about."""
    world = World(case["recording"])

    def run() -> dict[str, Any]:
        random.seed(1)
        model = agentpy.Model()
        world.waiting = world.states()[::-1]  # type: ignore[attr-defined]
        neurons = agentpy.AgentList(model, world.neurons, AgentPyNeuron, world=world)
        members = list(neurons)

        def step(taken: int) -> None:
            world.turn(taken, members)
            neurons.live()

        seconds, steps = timed(step, world.steps, case["budget"])
        return {"seconds": seconds, "steps": steps, "total": STEPS, **world.result(members)}

    return run
