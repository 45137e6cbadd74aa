"""The synapses and events of the network in plain Python, for the one-object-per-neuron model of a whole study.

The loops of `abm.network` on lists, one list per receiving neuron, with the model's rules of one synapse.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from benchmarks.plain_neuron import PlainNeuron

from abm.synapses import (  # isort: skip  (after the elementary functions have been chosen)
    depressed,
    early_step,
    late_step,
    next_early,
    next_late,
    potentiated,
    release_probability,
    tagged_share,
)
from abm.wiring import ENTORHINAL  # isort: skip

ORDER = (0, 1, 1, 2)  # DG, CA3 twice through its recurrent synapses, CA1


class PlainSynapses:
    """All synapses of a recording. senders, weights, early, late: a list for each receiving neuron."""

    def __init__(self, world: Any, neurons: Sequence[PlainNeuron]) -> None:
        wiring = {name.removeprefix("wiring."): a for name, a in world.recording.items() if name.startswith("wiring.")}
        self.world, self.neurons = world, neurons
        ends = wiring["start"].tolist()
        spans = [slice(first, last) for first, last in pairwise(ends)]
        self.senders = [wiring["sender"][span].tolist() for span in spans]
        self.weights = [wiring["weight"][span].tolist() for span in spans]
        self.couplings = [wiring["coupling"][span].tolist() for span in spans]
        self.early = [[0.0] * len(row) for row in self.senders]
        self.late = [[0.0] * len(row) for row in self.senders]
        self.region = wiring["region"].tolist()
        self.sampling, self.bundle = wiring["sampling"].tolist(), wiring["bundle"].tolist()
        self.members = [row.nonzero()[0].tolist() for row in wiring["member"]]
        self.event_rate = wiring["event_rate"].tolist()
        self.release = [1.0] * len(self.region)
        self.early_step = early_step(world.plasticity, world.dt)

    def advance(self) -> None:
        """One step: between events, then the events."""
        p = self.world.plasticity
        for number, neuron in enumerate(self.neurons):
            self.release[number] = release_probability(p, neuron.trkb)
        for number, neuron in enumerate(self.neurons):
            self._between_events(number, neuron)
        dt, activity = self.world.dt, self.world.input_activity
        for members, rate in zip(self.members, self.event_rate, strict=True):
            if random.random() < rate * activity * dt:
                self._event(members)

    def _between_events(self, number: int, neuron: Any) -> None:
        p = self.world.plasticity
        step = late_step(p, neuron.mean_protein, neuron.trkb, self.world.dt)
        common = neuron.spine * neuron.scale
        early, late, release, fading = self.early[number], self.late[number], self.release, self.early_step
        load = driven = 0.0
        for k, (sender, coupling) in enumerate(zip(self.senders[number], self.couplings[number], strict=True)):
            late[k] = z = next_late(late[k], early[k], tagged_share(early[k], fading), step)
            mean = early[k] * fading.mean
            early[k] = e = next_early(early[k], fading)
            unchanged = common * release[sender]
            load += abs(e)
            driven += (unchanged + unchanged * (mean + z)) * coupling
        neuron.drive, neuron.early_load = driven, load * self.bundle[neuron.region]

    def _event(self, members: list[int]) -> None:
        cue = [False] * len(self.region)
        for cell in members:
            cue[cell] = random.random() < self.world.network.participation
        firing = [cued and region == ENTORHINAL for cued, region in zip(cue, self.region, strict=True)]
        drive = [0.0] * len(self.neurons)
        for region in ORDER:
            self._excite(region, cue, firing, drive)
        self._learn(firing, drive)

    def _excite(self, region: int, cue: list[bool], firing: list[bool], drive: list[float]) -> None:
        """Drive of one region's neurons in an event, and which of them fire, in place."""
        q, p, release = self.world.network, self.world.plasticity, self.release
        here = [number for number, neuron in enumerate(self.neurons) if neuron.region == region]
        arriving, received = [], []
        for number in here:
            arrives = with_strength = 0.0
            own = (self.senders[number], self.weights[number], self.early[number], self.late[number])
            for sender, weight, e, z in zip(*own, strict=True):
                if firing[sender]:
                    arrives += weight
                    with_strength += weight * (1.0 + e + z) * release[sender]
            arriving.append(arrives)
            received.append(with_strength / arrives if arrives > 0.0 else 1.0)
        expected = sum(arriving) / len(here)
        for number, arrives, strength in zip(here, arriving, received, strict=True):
            neuron, relative = self.neurons[number], 0.0
            if expected > 0.0:
                chance = self.sampling[region] * (arrives / expected - 1.0)
                relative = neuron.spine * neuron.scale * strength * (1.0 + chance)
            drive[number] = (q.cue * cue[number] + relative) / (1.0 + q.inhibition)
            firing[number] = drive[number] > p.active_threshold * self.neurons[number].threshold

    def _learn(self, firing: list[bool], drive: list[float]) -> None:
        """Early changes of every synapse whose sending cell fired, in place."""
        p = self.world.plasticity
        for number, neuron in enumerate(self.neurons):
            early = self.early[number]
            for k, sender in enumerate(self.senders[number]):
                if not firing[sender]:
                    continue
                before = early[k]
                if firing[number]:
                    gain = neuron.potentiation_gain
                    early[k] = potentiated(p, before, drive[number], neuron.threshold, gain)
                else:
                    early[k] = depressed(p, before, neuron.depression_gain)
                neuron.early_load += self.bundle[neuron.region] * (abs(early[k]) - abs(before))
