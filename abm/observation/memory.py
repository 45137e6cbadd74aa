"""Object-location memory: whether a mouse turns to the object that was moved, a day after a training that is weak.

Mice explore two objects for a few minutes; a day later one of them stands elsewhere. In the frame of tag and capture a
weak training sets tags, and is retained where there is protein for them (ballarini2009, on spatial object recognition).
What a training itself makes comes by transcription: an inhibitor of HDACs given with a weak training makes it last, by
way of CREB and CBP (vecsey2007, stefanko2009), and so do three weeks of running, both by way of BDNF (intlekofer2013).
So here a training draws on the Bdnf promoters, as far as their nucleosomes stand open.

The training is an event as the network has them, of an assembly that is new: each synapse in turn is the one between
two members of it, so that the mean over synapses is what is expected of any new assembly, without draws.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from abm.elementary import power
from abm.epigenome import NUCLEOSOMES_PER_PROMOTER, REPRESSED, EpigenomeParameters, at_rest
from abm.loops import compiled
from abm.network import Singles
from abm.observation.parameters import ObservationParameters, observation_parameters
from abm.observation.probe import Recorded, settled, tetanised
from abm.synapses import SynapseParameters

Floats = NDArray[np.float64]


class Learner(Recorded, Protocol):
    """What a learning test needs of a model."""

    @property
    def network(self) -> Any: ...
    @property
    def epigenome(self) -> Any: ...
    @property
    def drugs(self) -> Any: ...
    def gain_at_trough(self) -> float: ...


class State(NamedTuple):
    """What learning and consolidation read of the neurons, each of shape (N,); protein: what the training makes."""

    strength: Floats
    trkb: Floats
    threshold: Floats
    potentiation_gain: Floats
    protein: Floats


def object_location_preference(model: Learner) -> Floats:
    """Share of the exploring that goes to the moved object, the same for all neurons, shape (N,): 0.5 without memory.

    The behaviour is that of the animal, so it follows the mean over its neurons of `retention`.
    """
    discrimination = discrimination_index(observation_parameters(model), float(retention(model).mean()))
    return np.full(len(model.neurons.trkb), 0.5 * (1.0 + discrimination))


def discrimination_index(o: ObservationParameters, retained: float) -> float:
    """(moved - unmoved) / (moved + unmoved) of the exploring times: D R^h / (R^h + R_half^h), D after a full training.

    retained R: see `retention`. R_half lies between what a weak training leaves after 7 days of running, when mice have
    no memory of it, and after 14, when they have one (butler2019); D and h are assumed.
    """
    if retained <= 0.0:
        return 0.0
    return o.largest_discrimination / (1.0 + power(o.half_retention / retained, o.retention_steepness))


def retention(model: Learner, events: int | None = None, time: float | None = None) -> Floats:
    """Late change that a training adds to the synapses it trains, `time` hours later, mean of each neuron, shape (N,).

        R = mean over synapses of  z(time | trained) - z(time | not trained)

    in units of the late change of a fully consolidated synapse. The training is of `events` events (default: the
    protocol's, a subthreshold one) in which sender and neuron fire; a neuron whose drive y = (cue + w) / (1 + g), w its
    mean relative weight, does not reach its threshold for firing learns nothing. Tags capture the protein that the
    training makes,

        p = g k omega,

    k TrkB signalling at the time of training and omega `inducibility`, as long as they stand; what chance events have
    made within the last hours is left out. Early change, tag and late change follow the rules of `abm.synapses`;
    nothing else acts. The training is one in the morning of a mouse, at the trough of its corticosterone, whenever the
    mouse is read: at other hours a sedentary one would learn it. What a treatment or a bout of these hours does to
    hormone, TrkB and drive counts, so that runners are to be read some hours after they ran. Sources: butler2019,
    pmc3160172 (protocol), luboeinski2021 (tag and capture).
    """
    o, n, q, d = observation_parameters(model), model.neurons, model.network, model.drugs
    ready = inducibility(n.nucleosomes, model.epigenome, o.induction_nucleosomes)
    made = model.plasticity.protein_gain * d.transcription * d.protein_synthesis * d.bdnf_synthesis
    gain = n.potentiation_gain * model.gain_at_trough()
    state = State(np.asarray(n.mean_strength, np.float64), n.trkb, n.threshold, gain, made * n.trkb * ready)
    retained = np.zeros(len(n.trkb))
    _train(
        model.wiring.start, model.synapses.early, model.synapses.late, model.plasticity, state, q.cue, q.inhibition,
        int(o.training_events) if events is None else events, o.retention_time if time is None else time, retained,
    )  # fmt: skip
    return retained


def inducibility(nucleosomes: NDArray[np.int8], p: EpigenomeParameters, needed: float) -> Floats:
    """How many of a neuron's Bdnf promoters answer a brief signal, relative to rest, shape (N,).

        omega = mean over promoters of (1 - R)^m / its resting mean

    R the repressed share of a promoter's nucleosomes: the chance that the m nucleosomes which an answer needs are all
    open (assumed; `needed` m). A brief signal finds promoters as days to weeks have left them, acetylation follows it
    within the hour. nucleosomes: (N, promoters, places).
    """
    # Looked up by their number, since a library's power has bits that hang on the processor.
    chances = np.array([_chance(n / NUCLEOSOMES_PER_PROMOTER, needed) for n in range(NUCLEOSOMES_PER_PROMOTER + 1)])
    repressed = np.count_nonzero(nucleosomes == REPRESSED, axis=2)
    return np.asarray(chances[repressed].mean(axis=1) / _resting_answer(p, needed), np.float64)


def _chance(repressed: float, needed: float) -> float:
    """(1 - R)^m."""
    return power(1.0 - repressed, needed)


@cache
def _resting_answer(p: EpigenomeParameters, needed: float) -> float:
    """Mean of (1 - R)^m over resting promoters."""
    return at_rest(p, lambda repressed: _chance(repressed, needed))


@compiled
def _train(
    start: NDArray[np.int64], early: Singles, late: Singles, p: SynapseParameters, n: State, cue: float,
    inhibition: float, events: int, time: float, retained: Floats,
) -> None:
    """Fill what each neuron retains; see `retention`."""
    for neuron in range(n.trkb.size):
        drive = (cue + n.strength[neuron]) / (1.0 + inhibition)
        if drive <= p.active_threshold * n.threshold[neuron]:
            continue
        begin, end = start[neuron], start[neuron + 1]
        trkb, protein, total = n.trkb[neuron], n.protein[neuron], 0.0
        for synapse in range(begin, end):
            e, z = float(early[synapse]), float(late[synapse])
            trained = tetanised(p, e, events, drive, n.threshold[neuron], n.potentiation_gain[neuron])
            total += settled(p, trained, z, protein, trkb, time)[1] - settled(p, e, z, protein, trkb, time)[1]
        retained[neuron] = total / (end - begin)
