"""The loops over synapses: what happens between events, and the events in which they change.

Neurons fire at lognormal rates. Plasticity is driven by events (bursts or replay of an assembly), because mean rates
say nothing about coincidence. In an event the assembly's entorhinal afferents fire; DG, CA3 (twice, through its
recurrent synapses) and CA1 follow, each held sparse by divisive inhibition.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from abm.loops import loop, rule
from abm.streams import EVENTS, StreamKey, uniforms
from abm.sums import LANES, padded_totals
from abm.synapses import (
    EarlyStep,
    LateStep,
    SynapseParameters,
    depressed,
    early_step,
    late_step,
    next_early,
    next_late,
    potentiated,
    release_probability,
    tagged_share,
)
from abm.wiring import CA1, CA3, DG, ENTORHINAL, NetworkParameters, Wiring

CASCADE = (DG, CA3, CA3, CA1)  # regions in the order in which an event reaches them
Singles: TypeAlias = npt.NDArray[np.float32]
# Between events synapses are reckoned in single precision, twice as many at once; so are the constants they meet.
Single: Any = np.float32
RAISED, CONSOLIDATED, NONE, ONE = Single(0.2), Single(0.5), Single(0.0), Single(1.0)
Index: Any = np.uint64  # unsigned, as in `abm.population`


@dataclass
class Synapses:
    """State of all synapses: early and late change, each of shape (S,); in single precision, to halve their memory."""

    early: Singles
    late: Singles


@loop
def refresh_release(p: SynapseParameters, trkb: npt.NDArray[np.float64], release: Singles) -> None:
    """Release probability of every sending neuron relative to rest; entorhinal cells keep theirs."""
    for sender in range(np.uint64(trkb.size)):
        release[sender] = release_probability(p, trkb[sender])


@rule
def single_early(step: EarlyStep) -> EarlyStep:
    """A step of the early changes in single precision."""
    tag = Single(step.tag_threshold), Single(step.tag_rise)
    return EarlyStep(Single(step.left), Single(step.mean), tag[0], tag[1], Single(0.0), Single(1.0))


@loop
def late_steps(
    p: SynapseParameters, protein: npt.NDArray[np.float64], trkb: npt.NDArray[np.float64], dt: float, steps: Singles
) -> None:
    """Fill the step of the late changes of every neuron, (4, neurons), in a loop of its own: it works on several."""
    for row in range(protein.size):
        step = late_step(p, protein[row], trkb[row], dt)
        steps[0, row], steps[1, row] = step.forgotten, step.captured
        steps[2, row], steps[3, row] = step.potentiated_target, step.depressed_target


@loop
def advance_row(
    early: Singles, late: Singles, sender: npt.NDArray[np.uint32], coupling: Singles, release: Singles,
    e_step: EarlyStep, z_step: LateStep, common: float, load: Singles, drive: Singles,
) -> None:
    """Advance the synapses of one neuron, given as slices, and write what each adds to the neuron's sums.

    common: contacts x scale. load: |e|; drive: weight x coupling with the mean early change of the step.
    """
    for k in range(Index(early.size)):
        e, z = early[k], late[k]
        z = next_late(z, e, tagged_share(e, e_step), z_step)
        mean, e = e * e_step.mean, next_early(e, e_step)
        early[k], late[k] = e, z
        unchanged = common * release[sender[k]]
        load[k] = abs(e)
        drive[k] = (unchanged + unchanged * (mean + z)) * coupling[k]


@loop
def advance_synapses(
    wiring: Wiring,
    early: Singles,
    late: Singles,
    p: SynapseParameters,
    dt: float,
    trkb: npt.NDArray[np.float64],
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    protein: npt.NDArray[np.float64],
    release: Singles,
    drive: npt.NDArray[np.float64],
    early_load: npt.NDArray[np.float64],
    first: int,
    last: int,
) -> None:
    """Advance the synapses of the neurons first..last-1 between events by dt hours and refresh each neuron's sums.

    protein: mean over the step; release: release probability of every sending cell relative to rest. Outputs per
    neuron: drive (weight x rate relative to unpotentiated synapses, mean over the step) and early_load (sum of |e|,
    each for `wiring.bundle` synapses).
    """
    e = single_early(early_step(p, dt))
    steps, most = np.empty((4, last - first), Single), 0
    late_steps(p, protein[first:last], trkb[first:last], dt, steps)
    for neuron in range(first, last):
        most = max(most, wiring.start[neuron + 1] - wiring.start[neuron])
    table = np.empty((2, most + LANES), Single)
    load, driven = table[0], table[1]
    for neuron in range(first, last):
        begin, end, row = wiring.start[neuron], wiring.start[neuron + 1], neuron - first
        z = LateStep(steps[0, row], steps[1, row], steps[2, row], steps[3, row])
        advance_row(
            early[begin:end], late[begin:end], wiring.sender[begin:end], wiring.coupling[begin:end], release, e, z,
            Single(contacts[neuron] * scale[neuron]), load, driven,
        )  # fmt: skip
        drive[neuron], loaded = padded_totals((driven, load), Index(end - begin))
        early_load[neuron] = wiring.bundle[wiring.region[neuron]] * loaded


@loop
def weigh_row(
    early: Singles, late: Singles, sender: npt.NDArray[np.uint32], release: Singles, common: float, strength: Singles,
    raised: Singles, consolidated: Singles,
) -> None:
    """Write of each synapse of one neuron, given as slices, its relative weight, and 1 or 0 for the neuron's shares."""
    for k in range(Index(early.size)):
        changed, unchanged = early[k] + late[k], common * release[sender[k]]
        strength[k] = unchanged + unchanged * changed
        raised[k] = ONE if changed > RAISED else NONE
        consolidated[k] = ONE if late[k] > CONSOLIDATED else NONE


@loop
def weigh_synapses(
    wiring: Wiring,
    early: Singles,
    late: Singles,
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    release: Singles,
    strength: npt.NDArray[np.float64],
    potentiated_share: npt.NDArray[np.float64],
    consolidated_share: npt.NDArray[np.float64],
    first: int,
    last: int,
) -> None:
    """Read the synapses of the neurons first..last-1: nothing in a step hangs on what comes out.

    Outputs per neuron: strength (mean relative weight), and the shares of synapses with e + z > 0.2 and with z > 0.5.
    """
    most = 0
    for neuron in range(first, last):
        most = max(most, wiring.start[neuron + 1] - wiring.start[neuron])
    table = np.empty((3, most + LANES), Single)
    weight, raised, held = table[0], table[1], table[2]
    for neuron in range(first, last):
        begin, end = wiring.start[neuron], wiring.start[neuron + 1]
        common, size = Single(contacts[neuron] * scale[neuron]), Index(end - begin)
        weigh_row(
            early[begin:end], late[begin:end], wiring.sender[begin:end], release, common, weight, raised, held,
        )  # fmt: skip
        totals = padded_totals((weight, raised, held), size)
        strength[neuron] = float(totals[0]) / size
        potentiated_share[neuron], consolidated_share[neuron] = float(totals[1]) / size, float(totals[2]) / size


@loop
def excite(
    wiring: Wiring,
    early: Singles,
    late: Singles,
    p: SynapseParameters,
    q: NetworkParameters,
    region: int,
    cue: npt.NDArray[np.bool_],
    firing: npt.NDArray[np.bool_],
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    release: Singles,
    threshold: npt.NDArray[np.float64],
    drive: npt.NDArray[np.float64],
) -> None:
    """Relative drive of one region's neurons in an event, and which of them fire, in place.

    y = (cue + x) / (1 + g): x is the neuron's input from firing cells relative to the regional mean for unpotentiated
    synapses, which feedforward inhibition follows with gain g; a neuron fires if y > threshold factor x th.

        x = contacts x scale x strength (1 + sampling (arriving - 1))

    arriving: input of the neuron over the regional mean were no synapse potentiated, whose chance is taken from the
    modelled to the real synapses by `wiring.sampling`; strength: mean relative weight of the synapses that it comes by.
    """
    arriving, potentiated_input = np.zeros(contacts.size), np.zeros(contacts.size)
    for sender in range(firing.size):
        if firing[sender]:
            for k in range(Index(wiring.outgoing[sender]), Index(wiring.outgoing[sender + 1])):
                neuron, synapse = Index(wiring.receiver[k]), Index(wiring.synapse[k])
                if wiring.region[neuron] == region:
                    weight = wiring.weight[synapse]
                    arriving[neuron] += weight
                    potentiated_input[neuron] += weight * (1.0 + early[synapse] + late[synapse]) * release[sender]
    expected, cells = 0.0, 0
    for neuron in range(contacts.size):
        if wiring.region[neuron] == region:
            expected, cells = expected + arriving[neuron], cells + 1
    for neuron in range(contacts.size):
        if wiring.region[neuron] == region:
            relative = 0.0
            if expected > 0.0:
                strength = potentiated_input[neuron] / arriving[neuron] if arriving[neuron] > 0.0 else 1.0
                chance = wiring.sampling[region] * (arriving[neuron] * cells / expected - 1.0)
                relative = contacts[neuron] * scale[neuron] * strength * (1.0 + chance)
            drive[neuron] = (q.cue * cue[neuron] + relative) / (1.0 + q.inhibition)
            firing[neuron] = drive[neuron] > p.active_threshold * threshold[neuron]


@loop
def learn(
    wiring: Wiring,
    early: Singles,
    p: SynapseParameters,
    firing: npt.NDArray[np.bool_],
    drive: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    potentiation_gain: npt.NDArray[np.float64],
    depression_gain: npt.NDArray[np.float64],
    early_load: npt.NDArray[np.float64],
) -> None:
    """Early changes of every synapse whose sending cell fired in an event, and their sums, in place."""
    for sender in range(firing.size):
        if firing[sender]:
            for k in range(Index(wiring.outgoing[sender]), Index(wiring.outgoing[sender + 1])):
                neuron, synapse = Index(wiring.receiver[k]), Index(wiring.synapse[k])
                before = early[synapse]
                if firing[neuron]:
                    after = potentiated(p, before, drive[neuron], threshold[neuron], potentiation_gain[neuron])
                else:
                    after = depressed(p, before, depression_gain[neuron])
                early[synapse] = after
                early_load[neuron] += wiring.bundle[wiring.region[neuron]] * (abs(after) - abs(before))


@loop
def replay(
    wiring: Wiring,
    early: Singles,
    late: Singles,
    p: SynapseParameters,
    q: NetworkParameters,
    dt: float,
    input_activity: float,
    key: StreamKey,
    step: int,
    contacts: npt.NDArray[np.float64],
    scale: npt.NDArray[np.float64],
    release: Singles,
    threshold: npt.NDArray[np.float64],
    potentiation_gain: npt.NDArray[np.float64],
    depression_gain: npt.NDArray[np.float64],
    early_load: npt.NDArray[np.float64],
) -> int:
    """Events of one step of dt hours, in the order of the assemblies; returns how many there were.

    Each assembly has an event with probability rate x input_activity x dt, where this is above 1 as many as its whole
    part and one more with the rest; a member takes part with probability `participation`. Draws are keyed by (assembly,
    step), so two runs with other input see the same luck.
    """
    events = 0
    drive = np.zeros(threshold.size)
    assemblies = wiring.event_rate.size
    for assembly in range(assemblies):
        expected = wiring.event_rate[assembly] * input_activity * dt
        luck = uniforms(key, assembly, step, EVENTS, 0)[0]
        for event in range(int(expected) + 1):
            if luck >= expected - event:
                continue
            events += 1
            cue, firing = np.zeros(wiring.region.size, np.bool_), np.zeros(wiring.region.size, np.bool_)
            for cell in range(cue.size):
                if wiring.member[assembly, cell]:
                    draw = uniforms(key, cell, step, EVENTS, 1 + assembly + event * assemblies)[0]
                    cue[cell] = draw < q.participation
                    firing[cell] = cue[cell] and wiring.region[cell] == ENTORHINAL
            for region in CASCADE:
                excite(wiring, early, late, p, q, region, cue, firing, contacts, scale, release, threshold, drive)
            learn(wiring, early, p, firing, drive, threshold, potentiation_gain, depression_gain, early_load)
    return events
