"""How extracellular BDNF at the neurons follows their release, where all of them release alike.

Most of it is fast: what leaves a cell layer for the neuropil around it does so in minutes, while the tissue as a whole
fills or empties in hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.barrier import Barrier
from abm.parameters import load_parameters
from abm.signals import BDNF, SIGNALS
from abm.tissue import Tissue, TissueParameters
from abm.tissue.medium import bdnf_memory
from abm.wiring import NetworkParameters

if TYPE_CHECKING:
    from abm.config import Experiment

Floats = npt.NDArray[np.float64]
FIRST = 1.0 / 60.0  # h; of the times at which the response is read, each twice the one before
LAST = 20.0  # of them, in times of clearance: the end of it, to 1e-8
HALVINGS = 9  # of the slowest time: down to a quarter of a minute
DIGITS = 6  # of the weights: the last bits of a least-squares fit differ between machines


class BdnfResponse(NamedTuple):
    """Response of extracellular BDNF at the neurons to a step of release, 1 - sum w_j e^(-t/T_j).

    times T (J,), h; weights w (J,), of sum 1; contrast: BDNF at the neurons over its mean in the tissue, at rest.
    """

    times: Floats
    weights: Floats
    contrast: float


def bdnf_response(experiment: Experiment) -> BdnfResponse:
    """The response of an experiment's tissue, by a sum of decays whose times halve from that of clearance on.

    Diffusion and clearance are symmetric in where BDNF is released and where it is met, so that all weights are
    positive (least squares without negative weights).
    """
    from scipy.optimize import nnls

    times, response, contrast = step_response(experiment)
    memories = _memory(experiment) * 0.5 ** np.arange(HALVINGS)
    weights = nnls(-np.expm1(-times[:, None] / memories), response)[0]
    weights = np.round(weights / weights.sum(), DIGITS)
    used = weights > 0.0
    return BdnfResponse(memories[used], weights[used] / weights[used].sum(), contrast)


def step_response(experiment: Experiment) -> tuple[Floats, Floats, float]:
    """Times, h, extracellular BDNF at the neurons when they have released evenly for so long, of 1 in the end, and its
    final contrast; all neurons and their layers as in the first replicate of the experiment, which is in no bath.
    """
    subject, config = experiment.subject, experiment.tissue
    network = load_parameters(NetworkParameters, "network", subject.species, subject.overrides)
    shares = (network.granule_cells, network.ca3_cells, network.ca1_cells)
    tissue = Tissue.build(experiment, config.neurons, shares, experiment.run.seed, 0)
    efflux = np.zeros((len(SIGNALS), tissue.capillary_voxel.size))
    if experiment.preparation == "in_vivo":
        efflux[BDNF] = Barrier.build(experiment).rates.bdnf_permeability * tissue.capillary_weight
    release = np.full(config.neurons, tissue.volume / config.neurons)  # 1 nmol/L an hour
    times, seen = [FIRST], []
    while times[-1] < LAST * _memory(experiment):
        times.append(2.0 * times[-1])
    bdnf = tissue.concentration[BDNF].reshape(-1)
    for length in np.diff(times, prepend=0.0):
        tissue.advance(float(length), efflux=efflux, secretion=release)
        seen.append(bdnf[tissue.neuron_voxel].mean())
    return np.array(times), np.array(seen) / seen[-1], float(seen[-1] / bdnf.mean())


def _memory(experiment: Experiment) -> float:
    """Hours in which the tissue as a whole is cleared of BDNF, the barrier left out."""
    subject = experiment.subject
    return bdnf_memory(load_parameters(TissueParameters, "tissue", subject.species, subject.overrides))
