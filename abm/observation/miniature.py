"""Miniature excitatory currents (mEPSC): what single vesicles do, read from the state of a neuron's synapses.

A synapse's weight relative to rest is n s (1 + e + z) v. Patch-clamp takes it apart: the amplitude of a miniature tells
of the receiving side, s (1 + e + z); their frequency of the number of contacts and of release, n v.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from abm.network import refresh_release
from abm.observation.probe import Recorded

Floats = NDArray[np.float64]


def miniature_amplitude(model: Recorded) -> Floats:
    """Mean quantal amplitude of each neuron relative to unpotentiated synapses, s mean(1 + e + z), shape (N,)."""
    late_and_early = model.synapses.early.astype(np.float64) + model.synapses.late
    return np.asarray(model.neurons.scale * (1.0 + mean_over_synapses(model.wiring, late_and_early)), np.float64)


def miniature_frequency(model: Recorded) -> Floats:
    """Frequency of each neuron's miniatures relative to rest, n mean(v) over its synapses, shape (N,).

    Release is spontaneous, so firing does not count; entorhinal afferents keep their resting release probability.
    """
    release = np.ones(model.wiring.region.size, np.float32)
    refresh_release(model.plasticity, model.neurons.trkb, release)
    arriving = mean_over_synapses(model.wiring, release[model.wiring.sender].astype(np.float64))
    return np.asarray(model.neurons.spine * arriving, np.float64)


def mean_over_synapses(wiring: Any, values: Floats) -> Floats:
    """Mean of one value per synapse over the synapses of each neuron, shape (N,); every neuron has at least one."""
    return np.asarray(np.add.reduceat(values, wiring.start[:-1]) / np.diff(wiring.start), np.float64)
