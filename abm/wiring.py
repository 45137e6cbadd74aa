"""How the network DG -> CA3 -> CA1 is wired: pathways, fan-in, resting rates, assemblies.

Scaling of fan-in: a model synapse stands for a bundle of real ones. Every pathway's fan-in is the anatomical number
times one common factor, chosen so that the mean over cells is `synapses_per_neuron`, and at least one; in a small
tissue all pathways onto a region are thinned alike, until none has more than half of its sending population. The
bundle's weight is real / model fan-in, so that pathways keep their shares of the drive.
What a neuron does must not depend on how many bundles are modelled: where chance among few bundles would count,
`sampling` takes it down to chance among the real synapses, and sums over synapses are taken in `bundle` synapses each.

A synapse takes 28 bytes: its early and late change, its sender, weight and coupling, and its place and receiver in the
list by sender.
"""

import math
from collections.abc import Sequence
from itertools import chain
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential, power
from abm.loops import compiled, loop
from abm.parameters import Unit
from abm.streams import WIRING, StreamKey, generator, stream_key, uniforms

DG, CA3, CA1, ENTORHINAL = 0, 1, 2, 3
EVEN = 1e-5  # variance of movement over its mean square that is taken for none; plasma is kept to seven digits
COUNTED = 100.0  # synapses of the mean neuron over which the early changes that trigger protein are summed


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

    start: first synapse of each neuron, shape (N + 1,); sender, weight (bundle size), coupling (weight x rate of the
    sender over the sum of that over the neuron's synapses): shape (S,). The same by sending cell: outgoing, the first
    place of each, shape (cells + 1,); synapse and receiver at each place, shape (S,). rate: resting rate of every
    sending cell, Hz; region: per sending cell; member: assemblies x sending cells; event_rate: 1/h per assembly. Of
    each receiving region, shape (3,): sampling, see `sampling`; bundle, for how many synapses one modelled one counts
    where the mean neuron has COUNTED.
    """

    start: npt.NDArray[np.int64]
    sender: npt.NDArray[np.uint32]
    weight: npt.NDArray[np.float32]
    coupling: npt.NDArray[np.float32]
    outgoing: npt.NDArray[np.int64]
    synapse: npt.NDArray[np.uint32]
    receiver: npt.NDArray[np.uint32]
    rate: npt.NDArray[np.float64]
    region: npt.NDArray[np.int8]
    member: npt.NDArray[np.bool_]
    event_rate: npt.NDArray[np.float64]
    sampling: npt.NDArray[np.float64]
    bundle: npt.NDArray[np.float64]


class Pathway(NamedTuple):
    """A pathway as it is modelled: `number` of `senders` cells to each receiver, for `real` synapses of `efficacy`."""

    source: int
    target: int
    number: int
    senders: int
    real: float
    efficacy: float

    @property
    def weight(self) -> float:
        """Weight of one modelled synapse, a bundle: real x efficacy / modelled fan-in."""
        return self.real * self.efficacy / self.number


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


def mean_fan_in(p: NetworkParameters, cells: npt.NDArray[np.int64]) -> float:
    """Real synapses of the mean neuron of a tissue with so many cells in DG, CA3 and CA1."""
    return float(sum(cells[receiver] * number for _, receiver, number, _ in fan_ins(p)) / cells.sum())


def pathways_onto(p: NetworkParameters, region: int, cells: npt.NDArray[np.int64]) -> list[Pathway]:
    """The modelled pathways onto a region (see the module's docstring); cells: of DG, CA3, CA1 and afferents."""
    onto = [
        (source, others, real, efficacy)
        for source, target, real, efficacy in fan_ins(p)
        for others in [int(cells[source]) - (source == target)]
        if target == region and others > 0
    ]
    wanted = p.synapses_per_neuron / mean_fan_in(p, cells[:3])
    factor = min([wanted, *(max(others // 2, 1) / real for _, others, real, _ in onto)])
    return [
        Pathway(source, region, max(round(real * factor), 1), others, real, efficacy)
        for source, others, real, efficacy in onto
    ]


def sampling(pathways: Sequence[Pathway]) -> float:
    """How far a cell's input may leave its region's mean by chance, relative to what modelled synapses would do.

        min(1, sqrt(sum n a^2 / sum m w^2 (M - m) / (M - 1)))

    over the pathways onto a region. Where a share f of the senders fires, the input from n real synapses of weight a
    has variance f (1 - f) n a^2, and that from m of M modelled senders, of weight w = a n / m and each chosen once,
    f (1 - f) m w^2 (M - m) / (M - 1). Both by the statistics of sampling; 1 where nothing is left to chance.
    """
    real = sum(path.real * path.efficacy**2 for path in pathways)
    modelled = sum(
        path.number * path.weight**2 * (path.senders - path.number) / max(path.senders - 1, 1) for path in pathways
    )
    return float(np.sqrt(real / modelled)) if modelled > real else 1.0


def wire(p: NetworkParameters, region: npt.NDArray[np.int8], seed: int, replicate: int) -> Wiring:
    """Draw the wiring of one replicate for neurons of the given regions, shape (N,)."""
    draw, neurons = generator(seed, replicate, "wiring"), region.size
    cell_region = np.concatenate([region, np.full(max(neurons // 5, 20), ENTORHINAL, np.int8)])
    cells = np.bincount(region, minlength=3)
    senders_of = [np.flatnonzero(cell_region == r) for r in range(4)]
    onto = [pathways_onto(p, r, np.array([senders.size for senders in senders_of])) for r in range(3)]
    fan_in = np.array([sum(path.number for path in paths) for paths in onto])
    start = np.concatenate([[0], np.cumsum(fan_in[region])]).astype(np.int64)
    sender, weight = np.empty(start[-1], np.uint32), np.empty(start[-1], np.float32)
    key, filled = stream_key(seed, replicate), start[:-1].copy()
    for pathway, path in enumerate(chain.from_iterable(onto)):
        senders, receivers, recurrent = senders_of[path.source], senders_of[path.target], path.source == path.target
        choose_senders(key, pathway, senders, receivers, recurrent, filled, path.number, path.weight, sender, weight)
    rate = lognormal_rates(p, cell_region, draw)
    coupling = np.empty(sender.size, np.float32)
    couple(start, sender, weight, rate, coupling)
    outgoing = np.concatenate([[0], np.cumsum(np.bincount(sender, minlength=cell_region.size))]).astype(np.int64)
    synapse, receiver = np.empty(sender.size, np.uint32), np.empty(sender.size, np.uint32)
    sort_by_sender(start, sender, outgoing[:-1].copy(), synapse, receiver)
    member = assemblies(p, senders_of, draw)
    chance = np.array([sampling(paths) for paths in onto])
    real = np.array([sum(path.real for path in paths) for paths in onto])
    bundle = COUNTED / mean_fan_in(p, cells) * real / np.maximum(fan_in, 1)
    return Wiring(
        start, sender, weight, coupling, outgoing, synapse, receiver, rate, cell_region, member, event_rates(p, draw),
        chance, bundle,
    )  # fmt: skip


@loop
def choose_senders(
    key: StreamKey, pathway: int, candidates: npt.NDArray[np.int64], receivers: npt.NDArray[np.int64], recurrent: bool,
    filled: npt.NDArray[np.int64], number: int, weight: float, sender: npt.NDArray[np.uint32],
    weights: npt.NDArray[np.float32],
) -> None:
    """Give every receiver `number` different senders of one pathway (Floyd's sampling), from its `filled` place on.

    recurrent: whether senders and receivers are the same cells, of which none sends to itself.
    """
    others = candidates.size - int(recurrent)
    taken = np.zeros(others, np.bool_)
    chosen = np.empty(number, np.int64)
    for own in range(receivers.size):
        neuron = receivers[own]
        first = int(filled[neuron])
        for k in range(number):
            if k % 4 == 0:
                draws = uniforms(key, neuron, pathway, WIRING, k // 4)
            last = others - number + k
            place = int(draws[k % 4] * (last + 1))
            if taken[place]:
                place = last
            taken[place] = True
            chosen[k] = place
            skipped = int(recurrent and place >= own)
            sender[first + k], weights[first + k] = candidates[place + skipped], weight
        for used in chosen:
            taken[used] = False
        filled[neuron] = first + number


@loop
def couple(
    start: npt.NDArray[np.int64], sender: npt.NDArray[np.uint32], weight: npt.NDArray[np.float32],
    rate: npt.NDArray[np.float64], coupling: npt.NDArray[np.float32],
) -> None:
    """Fill `coupling`: each synapse's share of its neuron's drive at rest, while no synapse is potentiated."""
    for neuron in range(start.size - 1):
        total = 0.0
        for synapse in range(start[neuron], start[neuron + 1]):
            total += weight[synapse] * rate[sender[synapse]]
        for synapse in range(start[neuron], start[neuron + 1]):
            coupling[synapse] = weight[synapse] * rate[sender[synapse]] / total


@loop
def sort_by_sender(
    start: npt.NDArray[np.int64], sender: npt.NDArray[np.uint32], place: npt.NDArray[np.int64],
    synapse: npt.NDArray[np.uint32], receiver: npt.NDArray[np.uint32],
) -> None:
    """Fill synapses and receivers by sending cell, each in the order of the synapses; place: where each cell's begin.

    An event follows the cells that fire, of which there are few.
    """
    for neuron in range(start.size - 1):
        for own in range(start[neuron], start[neuron + 1]):
            cell = sender[own]
            synapse[place[cell]], receiver[place[cell]] = own, neuron
            place[cell] += 1


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


def input_activity(p: NetworkParameters, movement: float) -> float:
    """Entorhinal and septal input relative to rest: 1 + g m, m movement from 0 (rest) to 1 (maximal)."""
    return 1.0 + p.movement_gain * movement


@compiled
def unevenness(gain: float, exponent: float, movement: float, squared: float, cubed: float) -> float:
    """Mean over a step of a power n of the input 1 + g m, over that power of its mean: mean((1 + g m)^n) / (1 + g M)^n.

    movement M, squared, cubed: means of m, m^2 and m^3 over the step. The two levels of movement that have these means
    (the Gaussian quadrature with two nodes) stand for it: exact where a step has two, as rest and a bout or work and
    rest of intervals. 1 where movement is even.
    """
    variance = squared - movement * movement
    if variance <= EVEN * squared:
        return 1.0
    skew = (cubed - 3.0 * movement * squared + 2.0 * movement * movement * movement) / (2.0 * variance)
    spread = math.sqrt(skew * skew + variance)
    low, high = skew - spread, skew + spread  # from the mean
    share = -low / (high - low)  # of the step at the high level
    below, above = 1.0 + gain * max(movement + low, 0.0), 1.0 + gain * (movement + high)
    mean = (1.0 - share) * power(below, exponent) + share * power(above, exponent)
    return mean / power(1.0 + gain * movement, exponent)


@compiled
def unevenness_of_steps(gain: float, exponent: float, movement: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """`unevenness` of many steps, (3, T) means of movement, its square and its cube -> (T,)."""
    found = np.empty(movement.shape[1])
    for t in range(found.size):
        found[t] = unevenness(gain, exponent, movement[0, t], movement[1, t], movement[2, t])
    return found
