"""Assays of tissue that see molecules where they sit: receptors with their ligand, enzymes on a promoter."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numba import njit
from numpy.typing import NDArray

from abm.epigenome import NUCLEOSOMES_PER_PROMOTER, PROMOTERS, REPRESSED, resting_repressed_distribution
from abm.expression import ExpressionParameters, glucocorticoid_occupancy

Floats = NDArray[np.float64]
CORTISOL = 3  # place of cortisol among the tissue's signals
PROMOTER_I = PROMOTERS.index("I")


class Assayed(Protocol):
    """What the assays need of a model: its neurons, the tissue around them, the blood and two sets of constants."""

    @property
    def tissue(self) -> Any: ...
    @property
    def neurons(self) -> Any: ...
    @property
    def blood(self) -> Any: ...
    @property
    def expression(self) -> Any: ...
    @property
    def epigenome(self) -> Any: ...


def receptor_occupancy(model: Assayed) -> Floats:
    """Share of each neuron's glucocorticoid receptors that hold cortisol or dexamethasone from the blood, shape (N,).

    By the law that the neurons themselves obey (`abm.expression.glucocorticoid_occupancy`), as binding assays of
    Reul 1987 (reul1987) see it. Dexamethasone in the bath of a culture is not counted.
    """
    cortisol = model.tissue.concentration[CORTISOL].reshape(-1)[model.neurons.voxel]
    return _occupancies(model.expression, cortisol, model.blood["dexamethasone"])


@njit(cache=True, error_model="numpy")
def _occupancies(x: ExpressionParameters, cortisol: Floats, agonist: float) -> Floats:
    found = np.empty(cortisol.size)
    for i in range(cortisol.size):
        found[i] = glucocorticoid_occupancy(x, cortisol[i], agonist)
    return found


def deacetylase_occupancy(model: Assayed, enzyme: str) -> Floats:
    """HDAC2 or HDAC3 bound at Bdnf promoter I of each neuron relative to rest, as ChIP sees it, shape (N,).

        abundance x repressed share of the promoter's nucleosomes / its resting mean

    Their corepressor complexes are taken to sit on repressed nucleosomes (assumed). enzyme: hdac2 or hdac3.
    """
    n = model.neurons
    repressed = (np.asarray(n.nucleosomes[:, PROMOTER_I]) == REPRESSED).mean(axis=1)
    return np.asarray(getattr(n, enzyme) * repressed / resting_repressed_share(model), np.float64)


def resting_repressed_share(model: Assayed) -> float:
    """Mean share of a resting promoter's nucleosomes that are repressed."""
    distribution = resting_repressed_distribution(model.epigenome)
    return float(distribution @ np.arange(distribution.size)) / NUCLEOSOMES_PER_PROMOTER
