"""Field recordings on a copy of the model's synapses: input-output slope, paired pulses, potentiation by tetanus.

An electrode excites a fixed half of a pathway's fibres, every other one: the Schaffer collaterals (CA3 to
CA1), the recurrent collaterals of CA3, or the perforant path (entorhinal cortex to DG). The field of a region is the
sum over its neurons; what is returned per neuron is its part of the field divided by the regional mean of the field
that it is compared with, so that the mean over the region's neurons is the ratio of the two fields.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abm.elementary import exponential, logarithm
from abm.loops import compiled, rule
from abm.observation.parameters import ObservationParameters, observation_parameters
from abm.synapses import NEGLIGIBLE, SynapseParameters, late_step, next_late, potentiated, release_probability
from abm.wiring import CA1, CA3, DG, ENTORHINAL, Wiring

Floats = NDArray[np.float64]
# Sending region of the stimulated pathway, by receiving region.
PATHWAYS = [{DG: ENTORHINAL, CA3: CA3, CA1: CA3}[region] for region in (DG, CA3, CA1)]


class Recorded(Protocol):
    """What a field recording needs of a model."""

    @property
    def experiment(self) -> Any: ...
    @property
    def neurons(self) -> Any: ...
    @property
    def wiring(self) -> Any: ...
    @property
    def synapses(self) -> Any: ...
    @property
    def plasticity(self) -> Any: ...


def field_slope(model: Recorded) -> Floats:
    """Slope of the input-output curve relative to unpotentiated synapses at rest, shape (N,).

        sum over stimulated synapses of w n s (1 + e + z) v / sum of w

    w bundle size, n contacts, s scaling, e + z early and late change, v release probability of the sending cell
    relative to rest: what the initial slope of the fEPSP grows with at a given number of excited fibres.
    """
    unpotentiated, first, _ = responses(model)
    return relative_field(model, first, unpotentiated)


def paired_pulse(model: Recorded) -> Floats:
    """Second over first response to a pair of stimuli 40 ms apart, shape (N,); see `second_release`."""
    _, first, second = responses(model)
    return relative_field(model, second, first)


def potentiation(model: Recorded, time: float | None = None) -> Floats:
    """Slope of the fEPSP `time` hours after a tetanus relative to the slope before, shape (N,).

    time: default the protocol's, about an hour. Nothing but the tetanus and decay acts on the copied synapses.
    """
    p, n = observation_parameters(model), model.neurons
    time = p.recording_time if time is None else time
    before, after = np.zeros(len(n.trkb)), np.zeros(len(n.trkb))
    _tetanise(
        model.wiring, model.synapses.early, model.synapses.late, model.plasticity, p, n.spine, n.scale, n.trkb,
        n.threshold, n.potentiation_gain, n.plasticity_protein, first_fibres(model.wiring), time, before, after,
    )  # fmt: skip
    return relative_field(model, after, before)


def responses(model: Recorded) -> tuple[Floats, Floats, Floats]:
    """Summed responses of each neuron, each of shape (N,): unpotentiated at rest, to the first and second of a pair."""
    n, size = model.neurons, len(model.neurons.trkb)
    unpotentiated, first, second = np.zeros(size), np.zeros(size), np.zeros(size)
    _respond(
        model.wiring, model.synapses.early, model.synapses.late, model.plasticity, observation_parameters(model),
        n.spine, n.scale, n.trkb, first_fibres(model.wiring), unpotentiated, first, second,
    )  # fmt: skip
    return unpotentiated, first, second


def relative_field(model: Recorded, response: Floats, reference: Floats) -> Floats:
    """Each neuron's response over the mean reference response of its region; NaN where nothing responds."""
    region = np.asarray(model.neurons.region)
    total = np.bincount(region, reference, minlength=3)
    cells = np.bincount(region, minlength=3)
    mean = np.divide(total, cells, out=np.full(3, np.nan), where=(cells > 0) & (total > 0.0))
    return np.asarray(response / mean[region], np.float64)


def first_fibres(wiring: Wiring) -> NDArray[np.int64]:
    """Number of the first sending cell of each stimulated pathway, by receiving region, shape (3,)."""
    return np.array([np.argmax(wiring.region == sending) for sending in PATHWAYS], np.int64)


@rule
def stimulated(wiring: Wiring, synapse: int, first: int) -> bool:
    """Whether the electrode excites the fibre of a synapse: from a pathway's first sending cell on every other one."""
    sender = wiring.sender[synapse]
    return bool(wiring.region[sender] == wiring.region[first] and (sender - first) % 2 == 0)


@rule
def second_release(o: ObservationParameters, release: float) -> float:
    """Release by the second of a pair of stimuli relative to the first, for an initial release probability p.

        [1 + f (1 - p)] (1 - d p)

    Utilisation u -> u + p (1 - u) and resources x -> x (1 - u) at the first stimulus (Markram 1998, markram1998);
    f and d are what is left of either change 40 ms later. Falls with p, as at single release sites (Dobrunz 1997,
    dobrunz1997).
    """
    return (1.0 + o.facilitation * (1.0 - release)) * (1.0 - o.depletion * release)


@rule
def relative_release(p: SynapseParameters, trkb: Floats, sender: int) -> float:
    """Release probability of a sending cell relative to rest; entorhinal cells, which are no neurons here, rest."""
    return release_probability(p, trkb[sender]) if sender < trkb.size else 1.0


@compiled
def _respond(
    wiring: Wiring, early: Floats, late: Floats, p: SynapseParameters, o: ObservationParameters, contacts: Floats,
    scale: Floats, trkb: Floats, fibres: NDArray[np.int64], unpotentiated: Floats, first: Floats, second: Floats,
) -> None:
    """Fill the responses of every neuron to the stimulated half of its pathway."""
    for neuron in range(trkb.size):
        fibre = fibres[wiring.region[neuron]]
        for synapse in range(wiring.start[neuron], wiring.start[neuron + 1]):
            if stimulated(wiring, synapse, fibre):
                release = relative_release(p, trkb, wiring.sender[synapse])
                strength = contacts[neuron] * scale[neuron] * (1.0 + early[synapse] + late[synapse])
                response = wiring.weight[synapse] * strength * release
                unpotentiated[neuron] += wiring.weight[synapse]
                first[neuron] += response
                second[neuron] += response * second_release(o, min(o.initial_release * release, 1.0))


@compiled
def tetanised(p: SynapseParameters, early: float, trains: int, drive: float, threshold: float, gain: float) -> float:
    """Early change of a synapse after `trains` trains, each an event in which both cells fire."""
    for _ in range(trains):
        early = potentiated(p, early, drive, threshold, gain)
    return early


@rule
def tagged_time(p: SynapseParameters, early: float, time: float) -> float:
    """For how many of the next `time` hours the tag stands, |e| > threshold: tau ln(|e| / threshold)."""
    return min(max(p.early_time * logarithm(max(abs(early), NEGLIGIBLE) / p.tag_threshold), 0.0), time)


@compiled
def settled(
    p: SynapseParameters, early: float, late: float, protein: float, trkb: float, time: float
) -> tuple[float, float]:
    """Early and late change `time` hours later, exactly: e decays, and z captures protein as long as the tag stands."""
    tagged = tagged_time(p, early, time)
    captured = next_late(late, early, 1.0, late_step(p, protein, trkb, tagged))
    forgotten = next_late(captured, early, 0.0, late_step(p, protein, trkb, time - tagged))
    return early * exponential(-time / p.early_time), forgotten


@compiled
def _tetanise(
    wiring: Wiring, early: Floats, late: Floats, p: SynapseParameters, o: ObservationParameters, contacts: Floats,
    scale: Floats, trkb: Floats, threshold: Floats, gain: Floats, protein: Floats, fibres: NDArray[np.int64],
    time: float, before: Floats, after: Floats,
) -> None:
    """Fill the responses of every neuron before a tetanus and `time` hours after it.

    In a train the neuron's drive is `train_drive` x its response relative to unpotentiated synapses at rest.
    """
    for neuron in range(trkb.size):
        fibre, unpotentiated = fibres[wiring.region[neuron]], 0.0
        common = contacts[neuron] * scale[neuron]
        for synapse in range(wiring.start[neuron], wiring.start[neuron + 1]):
            if stimulated(wiring, synapse, fibre):
                unit = wiring.weight[synapse] * common * relative_release(p, trkb, wiring.sender[synapse])
                unpotentiated += wiring.weight[synapse]
                before[neuron] += unit * (1.0 + early[synapse] + late[synapse])
        if unpotentiated == 0.0:
            continue
        drive = o.train_drive * before[neuron] / unpotentiated
        for synapse in range(wiring.start[neuron], wiring.start[neuron + 1]):
            if stimulated(wiring, synapse, fibre):
                unit = wiring.weight[synapse] * common * relative_release(p, trkb, wiring.sender[synapse])
                e = tetanised(p, early[synapse], int(o.trains), drive, threshold[neuron], gain[neuron])
                e, z = settled(p, e, late[synapse], protein[neuron], trkb[neuron], time)
                after[neuron] += unit * (1.0 + e + z)
