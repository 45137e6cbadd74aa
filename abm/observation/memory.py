"""A learning test on a copy of the model's synapses: what a weak training leaves in them a day later.

Object-location memory is tested 24 h after mice have explored two objects for a few minutes. In the frame of tag and
capture a training that is too weak for long-term memory sets tags and makes no protein of its own: it is retained where
proteins are there for another reason (ballarini2009, on spatial object recognition). Here the training is an event as
the network has them, of an assembly that is new: each synapse in turn is the one between two members of it, so that the
mean over synapses is what is expected of any new assembly, without draws.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from abm.loops import compiled, rule
from abm.network import Singles
from abm.observation.parameters import observation_parameters
from abm.observation.probe import Recorded, settled, tagged_time, tetanised
from abm.synapses import SynapseParameters, mean_protein, next_protein, triggered_time

Floats = NDArray[np.float64]


class Learner(Recorded, Protocol):
    """What a learning test needs of a model."""

    @property
    def network(self) -> Any: ...
    @property
    def drugs(self) -> Any: ...


class State(NamedTuple):
    """The neurons' columns that learning and consolidation read, each of shape (N,); synthesis: left of protein's."""

    strength: Floats
    trkb: Floats
    threshold: Floats
    potentiation_gain: Floats
    protein: Floats
    synthesis: float


def memory_retention(model: Learner, events: int | None = None, time: float | None = None) -> Floats:
    """Late change that a training adds to the synapses it trains, `time` hours later, mean of each neuron, shape (N,).

        R = mean over synapses of  z(time | trained) - z(time | not trained)

    in units of the late change of a fully consolidated synapse. The training is of `events` events (default: the
    protocol's, a subthreshold one) in which sender and neuron fire; a neuron whose drive y = (cue + w) / (1 + g), w its
    mean relative weight, does not reach its threshold for firing learns nothing. Early change, tag, protein and late
    change then follow the rules of `abm.synapses` with TrkB as it is at the time of training; nothing else acts.
    Sources: butler2019, pmc3160172 (protocol), ballarini2009, luboeinski2021 (tag and capture).
    """
    o, n, q = observation_parameters(model), model.neurons, model.network
    state = State(
        np.asarray(n.mean_strength, np.float64), n.trkb, n.threshold, n.potentiation_gain, n.plasticity_protein,
        float(model.drugs.protein_synthesis),
    )  # fmt: skip
    retained = np.zeros(len(n.trkb))
    bundle = model.wiring.bundle[model.wiring.region[: retained.size]]
    _train(
        model.wiring.start, bundle, model.synapses.early, model.synapses.late, model.plasticity, state, q.cue,
        q.inhibition, int(o.training_events) if events is None else events,
        o.retention_time if time is None else time, retained,
    )  # fmt: skip
    return retained


@rule
def consolidated(
    p: SynapseParameters, early: float, late: float, load: float, protein: float, trkb: float, synthesis: float,
    time: float,
) -> float:
    """Late change of a synapse `time` hours later; load: sum of |e| that triggers protein.

    In it the trained synapse counts as one of `abm.wiring.COUNTED`, since few are trained. The tag captures the mean of
    the protein over the hours for which it stands, some of which the load has triggered. What the neuron forgets within
    these hours apart, z depends on the protein through this mean alone.
    """
    tagged = tagged_time(p, early, time)
    triggered = triggered_time(p, load, tagged)
    after = next_protein(p, protein, triggered, trkb, synthesis, tagged)
    mean = mean_protein(p, protein, after, triggered, trkb, synthesis, tagged) if tagged > 0.0 else 0.0
    return settled(p, early, late, mean, trkb, time)[1]


@compiled
def _train(
    start: NDArray[np.int64], bundle: Floats, early: Singles, late: Singles, p: SynapseParameters, n: State, cue: float,
    inhibition: float, events: int, time: float, retained: Floats,
) -> None:
    """Fill what each neuron retains; see `memory_retention`."""
    for neuron in range(n.trkb.size):
        drive = (cue + n.strength[neuron]) / (1.0 + inhibition)
        if drive <= p.active_threshold * n.threshold[neuron]:
            continue
        begin, end = start[neuron], start[neuron + 1]
        load, total = 0.0, 0.0
        for synapse in range(begin, end):
            load += bundle[neuron] * abs(float(early[synapse]))
        trkb, protein = n.trkb[neuron], n.protein[neuron]
        for synapse in range(begin, end):
            e, z = float(early[synapse]), float(late[synapse])
            trained = tetanised(p, e, events, drive, n.threshold[neuron], n.potentiation_gain[neuron])
            after = consolidated(p, trained, z, load + abs(trained) - abs(e), protein, trkb, n.synthesis, time)
            total += after - consolidated(p, e, z, load, protein, trkb, n.synthesis, time)
        retained[neuron] = total / (end - begin)
