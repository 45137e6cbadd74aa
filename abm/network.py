"""The loops over synapses: what happens between events, and the events in which they change.

Neurons fire at lognormal rates. Plasticity is driven by events (bursts or replay of an assembly), because mean rates
say nothing about coincidence. In an event the assembly's entorhinal afferents fire; DG, CA3 (twice, through its
recurrent synapses) and CA1 follow, each held sparse by divisive inhibition.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from abm.loops import entry, loop
from abm.streams import EVENTS, StreamKey, uniforms
from abm.sums import total
from abm.synapses import (
    SynapseParameters,
    depressed,
    late_step,
    next_early,
    next_late,
    potentiated,
    release_probability,
)
from abm.wiring import CA1, CA3, DG, ENTORHINAL, NetworkParameters, Wiring

CASCADE = (DG, CA3, CA3, CA1)  # regions in the order in which an event reaches them


@dataclass
class Synapses:
    """State of all synapses: early and late change, each of shape (S,); in single precision, to halve their memory."""

    early: npt.NDArray[np.float32]
    late: npt.NDArray[np.float32]


@entry
def refresh_release(p: SynapseParameters, trkb: npt.NDArray[np.float64], release: npt.NDArray[np.float64]) -> None:
    """Release probability of every sending neuron relative to rest; entorhinal cells keep theirs."""
    for sender in range(np.uint64(trkb.size)):
        release[sender] = release_probability(p, trkb[sender])


@loop
def room_for(start: npt.NDArray[np.int64], first: int, last: int) -> int:
    """The largest number of synapses of one of the neurons first..last-1."""
    most = 0
    for neuron in range(first, last):
        most = max(most, start[neuron + 1] - start[neuron])
    return most


@entry
def advance_synapses(
    wiring: Wiring,
    early: npt.NDArray[np.float32],
    late: npt.NDArray[np.float32],
    p: SynapseParameters,
    dt: float,
    decay: float,
    trkb: npt.NDArray[np.float64],
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    protein: npt.NDArray[np.float64],
    release: npt.NDArray[np.float64],
    drive: npt.NDArray[np.float64],
    early_load: npt.NDArray[np.float64],
    strength: npt.NDArray[np.float64],
    potentiated_share: npt.NDArray[np.float64],
    consolidated_share: npt.NDArray[np.float64],
    first: int,
    last: int,
) -> None:
    """Advance the synapses of the neurons first..last-1 between events by dt hours and refresh each neuron's sums.

    release: release probability of every sending cell relative to rest. Outputs per neuron: drive (weight x rate
    relative to unpotentiated synapses), early_load (sum of |e|), strength (mean relative weight), and the shares of
    synapses with e + z > 0.2 and with z > 0.5.
    """
    room = room_for(wiring.start, first, last)
    loads, relative, driven = np.empty(room), np.empty(room), np.empty(room)
    for neuron in range(first, last):
        begin, end = np.uint64(wiring.start[neuron]), np.uint64(wiring.start[neuron + 1])
        step = late_step(p, protein[neuron], trkb[neuron], dt)
        common, size = contacts[neuron] * scale[neuron], end - begin
        raised = kept = 0
        for k in range(begin, end):
            e, z = next_early(early[k], decay), next_late(p, late[k], early[k], step)
            early[k], late[k] = e, z
            strength_now = common * (1.0 + e + z) * release[wiring.sender[k]]
            loads[k - begin], relative[k - begin] = abs(e), strength_now
            driven[k - begin] = strength_now * wiring.coupling[k]
            raised += e + z > 0.2
            kept += z > 0.5
        drive[neuron] = total(driven[:size])
        early_load[neuron] = total(loads[:size])
        strength[neuron] = total(relative[:size]) / size
        potentiated_share[neuron] = raised / size
        consolidated_share[neuron] = kept / size


@entry
def excite(
    wiring: Wiring,
    early: npt.NDArray[np.float32],
    late: npt.NDArray[np.float32],
    p: SynapseParameters,
    q: NetworkParameters,
    region: int,
    cue: npt.NDArray[np.bool_],
    firing: npt.NDArray[np.bool_],
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    release: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    drive: npt.NDArray[np.float64],
) -> None:
    """Relative drive of one region's neurons in an event, and which of them fire, in place.

    y = (cue + x) / (1 + g): x is the neuron's input from firing cells relative to the regional mean for unpotentiated
    synapses, which feedforward inhibition follows with gain g; a neuron fires if y > threshold factor x th.
    """
    expected, cells = 0.0, 0
    for neuron in range(contacts.size):
        if wiring.region[neuron] != region:
            continue
        cells += 1
        arriving = 0.0
        for synapse in range(np.uint64(wiring.start[neuron]), np.uint64(wiring.start[neuron + 1])):
            sender = wiring.sender[synapse]
            if firing[sender]:
                expected += wiring.weight[synapse]
                arriving += wiring.weight[synapse] * (1.0 + early[synapse] + late[synapse]) * release[sender]
        drive[neuron] = contacts[neuron] * scale[neuron] * arriving
    for neuron in range(contacts.size):
        if wiring.region[neuron] == region:
            relative = drive[neuron] * cells / expected if expected > 0.0 else 0.0
            drive[neuron] = (q.cue * cue[neuron] + relative) / (1.0 + q.inhibition)
            firing[neuron] = drive[neuron] > p.active_threshold * threshold[neuron]


@entry
def learn(
    wiring: Wiring,
    early: npt.NDArray[np.float32],
    p: SynapseParameters,
    firing: npt.NDArray[np.bool_],
    drive: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    potentiation_gain: npt.NDArray[np.float64],
    depression_gain: npt.NDArray[np.float64],
) -> None:
    """Early changes of every synapse whose sending cell fired in an event, in place."""
    for neuron in range(threshold.size):
        for synapse in range(np.uint64(wiring.start[neuron]), np.uint64(wiring.start[neuron + 1])):
            if firing[wiring.sender[synapse]]:
                if firing[neuron]:
                    early[synapse] = potentiated(
                        p, early[synapse], drive[neuron], threshold[neuron], potentiation_gain[neuron]
                    )
                else:
                    early[synapse] = depressed(p, early[synapse], depression_gain[neuron])


@entry
def replay(
    wiring: Wiring,
    early: npt.NDArray[np.float32],
    late: npt.NDArray[np.float32],
    p: SynapseParameters,
    q: NetworkParameters,
    dt: float,
    input_activity: float,
    key: StreamKey,
    step: int,
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    release: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    potentiation_gain: npt.NDArray[np.float64],
    depression_gain: npt.NDArray[np.float64],
) -> int:
    """Events of one step of dt hours, in the order of the assemblies; returns how many there were.

    Each assembly has an event with probability rate x input_activity x dt; a member takes part with probability
    `participation`. Draws are keyed by (assembly, step), so two runs with other input see the same luck.
    """
    events = 0
    drive = np.zeros(threshold.size)
    for assembly in range(wiring.event_rate.size):
        chance = wiring.event_rate[assembly] * input_activity * dt
        if uniforms(key, assembly, step, EVENTS, 0)[0] >= chance:
            continue
        events += 1
        cue, firing = np.zeros(wiring.region.size, np.bool_), np.zeros(wiring.region.size, np.bool_)
        for cell in range(cue.size):
            if wiring.member[assembly, cell]:
                cue[cell] = uniforms(key, cell, step, EVENTS, assembly + 1)[0] < q.participation
                firing[cell] = cue[cell] and wiring.region[cell] == ENTORHINAL
        for region in CASCADE:
            excite(
                wiring, early, late, p, q, region, cue, firing, contacts, scale, release, threshold, drive
            )
        learn(wiring, early, p, firing, drive, threshold, potentiation_gain, depression_gain)
    return events
