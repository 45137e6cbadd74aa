"""The hippocampal network: wiring DG -> CA3 -> CA1, sparse assemblies, and the loops over its synapses.

Neurons fire at lognormal rates. Plasticity is driven by events (bursts or replay of an assembly), because mean rates
say nothing about coincidence. In an event the assembly's entorhinal afferents fire; DG, CA3 (twice, through its
recurrent synapses) and CA1 follow, each held sparse by divisive inhibition.

Scaling of fan-in: a model synapse stands for a bundle of real ones. Every pathway's fan-in is the anatomical number
times one common factor, chosen so that the mean over cells is `synapses_per_neuron`, at least one and at most half of
the sending population; the bundle's weight is real / model fan-in, so that pathways keep their shares of the drive.
"""

from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from abm.elementary import exponential
from abm.parameters import Unit
from abm.streams import EVENTS, StreamKey, uniforms
from abm.synapses import (
    SynapseParameters,
    depressed,
    late_step,
    next_early,
    next_late,
    potentiated,
    release_probability,
)

DG, CA3, CA1, ENTORHINAL = 0, 1, 2, 3
REGIONS = ("DG", "CA3", "CA1")


class NetworkParameters(NamedTuple):
    """Anatomy, rates and events; sources in configs/parameters/network.yaml."""

    granule_cells: Annotated[float, Unit("1")]
    ca3_cells: Annotated[float, Unit("1")]
    ca1_cells: Annotated[float, Unit("1")]
    neuron_density: Annotated[float, Unit("1/um^3")]
    entorhinal_to_dg: Annotated[float, Unit("1")]
    dg_to_ca3: Annotated[float, Unit("1")]
    ca3_to_ca3: Annotated[float, Unit("1")]
    ca3_to_ca1: Annotated[float, Unit("1")]
    entorhinal_to_ca1: Annotated[float, Unit("1")]
    ca1_to_ca1: Annotated[float, Unit("1")]
    mossy_efficacy: Annotated[float, Unit("1")]
    synapses_per_neuron: Annotated[float, Unit("1")]
    rate_dg: Annotated[float, Unit("Hz")]
    rate_ca3: Annotated[float, Unit("Hz")]
    rate_ca1: Annotated[float, Unit("Hz")]
    rate_entorhinal: Annotated[float, Unit("Hz")]
    rate_spread: Annotated[float, Unit("1")]
    assemblies: Annotated[float, Unit("1")]
    assembly_share: Annotated[float, Unit("1")]
    event_rate: Annotated[float, Unit("1/h")]
    event_rate_spread: Annotated[float, Unit("1")]
    participation: Annotated[float, Unit("1")]
    cue: Annotated[float, Unit("1")]
    inhibition: Annotated[float, Unit("1")]
    movement_gain: Annotated[float, Unit("1")]


class Wiring(NamedTuple):
    """Fixed structure. Sending cells 0..N-1 are neurons, N.. are entorhinal afferents.

    start: first synapse of each neuron, shape (N + 1,); sender and weight (bundle size): shape (S,);
    rate: resting rate of every sending cell, Hz; resting_drive: sum of weight x rate per neuron;
    region: per sending cell; member: assemblies x sending cells; event_rate: 1/h per assembly.
    """

    start: npt.NDArray[np.int64]
    sender: npt.NDArray[np.uint32]
    weight: npt.NDArray[np.float64]
    rate: npt.NDArray[np.float64]
    resting_drive: npt.NDArray[np.float64]
    region: npt.NDArray[np.int8]
    member: npt.NDArray[np.bool_]
    event_rate: npt.NDArray[np.float64]


@dataclass
class Synapses:
    """State of all synapses: early and late change, each of shape (S,)."""

    early: npt.NDArray[np.float64]
    late: npt.NDArray[np.float64]


def fan_ins(p: NetworkParameters) -> tuple[tuple[int, int, float, float], ...]:
    """The pathways: (sending region, receiving region, real fan-in, efficacy of one synapse)."""
    return (
        (ENTORHINAL, DG, p.entorhinal_to_dg, 1.0),
        (DG, CA3, p.dg_to_ca3, p.mossy_efficacy),
        (CA3, CA3, p.ca3_to_ca3, 1.0),
        (CA3, CA1, p.ca3_to_ca1, 1.0),
        (ENTORHINAL, CA1, p.entorhinal_to_ca1, 1.0),
        (CA1, CA1, p.ca1_to_ca1, 1.0),
    )


def scaled_fan_in(p: NetworkParameters, real: float, senders: int, cells: npt.NDArray[np.int64]) -> int:
    """Model fan-in of a pathway; cells: model neurons in DG, CA3 and CA1 (the rule is in the module's docstring)."""
    total = sum(cells[receiver] * number for _, receiver, number, _ in fan_ins(p))
    factor = p.synapses_per_neuron * cells.sum() / total
    return int(min(max(round(real * factor), 1), max(senders // 2, 1)))


def wire(p: NetworkParameters, region: npt.NDArray[np.int8], draw: np.random.Generator) -> Wiring:
    """Draw the wiring of one replicate for neurons of the given regions, shape (N,)."""
    neurons = region.size
    entorhinal = max(neurons // 5, 20)
    cell_region = np.concatenate([region, np.full(entorhinal, ENTORHINAL, np.int8)])
    cells = np.bincount(region, minlength=3)
    senders_of = [np.flatnonzero(cell_region == r) for r in range(4)]
    sender: list[npt.NDArray[np.int64]] = []
    weight: list[npt.NDArray[np.float64]] = []
    for neuron in range(neurons):
        for source, target, real, efficacy in fan_ins(p):
            if target != region[neuron]:
                continue
            candidates = senders_of[source]
            if candidates.size == 0:
                continue
            number = scaled_fan_in(p, real, candidates.size, cells)
            chosen = np.sort(draw.choice(candidates, number, replace=False))
            sender.append(chosen)
            weight.append(np.full(number, real * efficacy / number))
    sizes = np.zeros(neurons, np.int64)
    owner = 0
    for neuron in range(neurons):
        pathways = sum(1 for s, t, _, _ in fan_ins(p) if t == region[neuron] and senders_of[s].size)
        sizes[neuron] = sum(len(part) for part in sender[owner : owner + pathways])
        owner += pathways
    start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    senders = np.concatenate(sender).astype(np.uint32)
    weights = np.concatenate(weight)
    rate = lognormal_rates(p, cell_region, draw)
    resting = np.add.reduceat(weights * rate[senders], start[:-1])
    member = assemblies(p, senders_of, draw)
    return Wiring(start, senders, weights, rate, resting, cell_region, member, event_rates(p, draw))


def lognormal_rates(
    p: NetworkParameters, cell_region: npt.NDArray[np.int8], draw: np.random.Generator
) -> npt.NDArray[np.float64]:
    """Resting firing rates, Hz: lognormal with the region's mean (Mizuseki 2013, mizuseki2013)."""
    means = np.array([p.rate_dg, p.rate_ca3, p.rate_ca1, p.rate_entorhinal])
    return means[cell_region] * lognormal(p.rate_spread, cell_region.size, draw)


def assemblies(
    p: NetworkParameters, senders_of: list[npt.NDArray[np.int64]], draw: np.random.Generator
) -> npt.NDArray[np.bool_]:
    """Members of each assembly, shape (assemblies, sending cells): a fixed share of every region, at least two."""
    total = sum(cells.size for cells in senders_of)
    member = np.zeros((int(p.assemblies), total), np.bool_)
    for row in member:
        for cells in senders_of:
            size = min(max(round(p.assembly_share * cells.size), 2), cells.size)
            row[draw.choice(cells, size, replace=False)] = True
    return member


def event_rates(p: NetworkParameters, draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Events per hour of each assembly at resting entorhinal input: lognormal with mean `event_rate`."""
    return p.event_rate * lognormal(p.event_rate_spread, int(p.assemblies), draw)


def lognormal(spread: float, size: int, draw: np.random.Generator) -> npt.NDArray[np.float64]:
    """Lognormal factors of mean 1; spread is the standard deviation of their logarithm."""
    logs = spread * draw.standard_normal(size) - 0.5 * spread * spread
    return np.array([exponential(value) for value in logs])


@njit(cache=True, error_model="numpy")
def advance_synapses(
    wiring: Wiring,
    early: npt.NDArray[np.float64],
    late: npt.NDArray[np.float64],
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
) -> None:
    """Advance all synapses between events by dt hours and refresh each neuron's sums over its synapses, in place.

    release: release probability of every sending cell relative to rest. Outputs per neuron: drive (weight x rate
    relative to unpotentiated synapses), early_load (sum of |e|), strength (mean relative weight), and the shares of
    synapses with e + z > 0.2 and with z > 0.5.
    """
    for sending in range(trkb.size):
        release[sending] = release_probability(p, trkb[sending])
    for neuron in range(trkb.size):
        first, last = wiring.start[neuron], wiring.start[neuron + 1]
        step = late_step(p, protein[neuron], trkb[neuron], dt)
        common = contacts[neuron] * scale[neuron]
        load = driven = total = 0.0
        raised = kept = 0
        for synapse in range(first, last):
            late[synapse] = z = next_late(p, late[synapse], early[synapse], step)
            early[synapse] = e = next_early(early[synapse], decay)
            sender = wiring.sender[synapse]
            relative = common * (1.0 + e + z) * release[sender]
            load += abs(e)
            total += relative
            driven += relative * wiring.weight[synapse] * wiring.rate[sender]
            raised += e + z > 0.2
            kept += z > 0.5
        drive[neuron] = driven / wiring.resting_drive[neuron]
        early_load[neuron] = load
        strength[neuron] = total / (last - first)
        potentiated_share[neuron] = raised / (last - first)
        consolidated_share[neuron] = kept / (last - first)


@njit(cache=True, error_model="numpy")
def excite(
    wiring: Wiring,
    early: npt.NDArray[np.float64],
    late: npt.NDArray[np.float64],
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
        drive[neuron] = 0.0
        common = contacts[neuron] * scale[neuron]
        for synapse in range(wiring.start[neuron], wiring.start[neuron + 1]):
            sender = wiring.sender[synapse]
            if firing[sender]:
                expected += wiring.weight[synapse]
                change = 1.0 + early[synapse] + late[synapse]
                drive[neuron] += wiring.weight[synapse] * common * change * release[sender]
    for neuron in range(contacts.size):
        if wiring.region[neuron] == region:
            relative = drive[neuron] * cells / expected if expected > 0.0 else 0.0
            drive[neuron] = (q.cue * cue[neuron] + relative) / (1.0 + q.inhibition)
            firing[neuron] = drive[neuron] > p.active_threshold * threshold[neuron]


@njit(cache=True, error_model="numpy")
def learn(
    wiring: Wiring,
    early: npt.NDArray[np.float64],
    p: SynapseParameters,
    firing: npt.NDArray[np.bool_],
    drive: npt.NDArray[np.float64],
    threshold: npt.NDArray[np.float64],
    potentiation_gain: npt.NDArray[np.float64],
    depression_gain: npt.NDArray[np.float64],
) -> None:
    """Early changes of every synapse whose sending cell fired in an event, in place."""
    for neuron in range(threshold.size):
        for synapse in range(wiring.start[neuron], wiring.start[neuron + 1]):
            if firing[wiring.sender[synapse]]:
                if firing[neuron]:
                    early[synapse] = potentiated(
                        p, early[synapse], drive[neuron], threshold[neuron], potentiation_gain[neuron]
                    )
                else:
                    early[synapse] = depressed(p, early[synapse], depression_gain[neuron])


@njit(cache=True, error_model="numpy")
def replay(
    wiring: Wiring,
    early: npt.NDArray[np.float64],
    late: npt.NDArray[np.float64],
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
        cue = np.zeros(wiring.region.size, np.bool_)
        for cell in range(cue.size):
            if wiring.member[assembly, cell]:
                cue[cell] = uniforms(key, cell, step, EVENTS, assembly + 1)[0] < q.participation
        firing = cue & (wiring.region == 3)
        for region in (0, 1, 1, 2):
            excite(
                wiring, early, late, p, q, region, cue, firing, contacts, scale, release, threshold, drive
            )
        learn(wiring, early, p, firing, drive, threshold, potentiation_gain, depression_gain)
    return events


def input_activity(p: NetworkParameters, movement: float) -> float:
    """Entorhinal and septal input relative to rest: 1 + g m, m movement from 0 (rest) to 1 (maximal)."""
    return 1.0 + p.movement_gain * movement


