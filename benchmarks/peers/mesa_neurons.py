"""W2 by Mesa as most models use it: one object per neuron, its state in attributes, its step in Python."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import mesa

from benchmarks.neurons_case import STEPS
from benchmarks.plain_neuron import PlainNeuron
from benchmarks.plain_world import World, timed


class MesaNeuron(PlainNeuron, mesa.Agent):
    """A neuron as a Mesa agent."""

    def __init__(self, model: mesa.Model, world: World, state: dict[str, Any]) -> None:
        mesa.Agent.__init__(self, model)
        self.settle(world, state)


class PlainModel(mesa.Model):
    """All neurons of a recording; a step advances each of them."""

    def __init__(self, world: World) -> None:
        super().__init__(rng=1)
        self.world, self.taken = world, 0
        self.neurons = [MesaNeuron(self, world, state) for state in world.states()]

    def step(self) -> None:
        """One step of all neurons."""
        self.world.turn(self.taken, self.neurons)
        self.agents.do("live")
        self.taken += 1


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Load the recording; see the package's docstring. budget: seconds that a run may take about."""
    world = World(case["recording"])

    def run() -> dict[str, Any]:
        random.seed(1)
        model = PlainModel(world)
        seconds, steps = timed(lambda _: model.step(), world.steps, case["budget"])
        return {"seconds": seconds, "steps": steps, "total": STEPS, **world.result(model.neurons)}

    return run
