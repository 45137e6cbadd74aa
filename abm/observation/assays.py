"""Assays of tissue that see molecules where they sit: receptors with their ligand, enzymes on a promoter."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abm.epigenome import REPRESSED, free_enzyme, resting_repressed_share, share_in_state
from abm.expression import ExpressionParameters, glucocorticoid_occupancy
from abm.loops import loop
from abm.metric_names import PROMOTERS
from abm.signals import BHB, CORTISOL

Floats = NDArray[np.float64]
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
    @property
    def drugs(self) -> Any: ...


def receptor_occupancy(model: Assayed) -> Floats:
    """Share of each neuron's glucocorticoid receptors that hold cortisol or dexamethasone, shape (N,).

    Of the receptors there were before a blocker or a loss. By the law that the neurons themselves obey
    (`abm.expression.glucocorticoid_occupancy`), as binding assays of Reul 1987 (reul1987) see it.
    """
    cortisol = np.take(model.tissue.concentration[CORTISOL], model.neurons.voxel)
    left: float = model.drugs.gr
    return left * _occupancies(model.expression, cortisol, model.drugs.agonist)


@loop
def _occupancies(x: ExpressionParameters, cortisol: Floats, agonist: float) -> Floats:
    found = np.empty(cortisol.size)
    for i in range(cortisol.size):
        found[i] = glucocorticoid_occupancy(x, cortisol[i], agonist)
    return found


def deacetylase_occupancy(model: Assayed, enzyme: str) -> Floats:
    """HDAC2 or HDAC3 bound at Bdnf promoter I of each neuron, as ChIP sees it, shape (N,); 1 at rest without inhibitor.

        abundance x share that no inhibitor holds x repressed share of the promoter's nucleosomes / its resting mean

    of what a knock-down leaves of the enzyme.

    Their corepressor complexes are taken to sit on repressed nucleosomes (assumed), and an enzyme whose active site is
    taken by an inhibitor to leave the promoter: SAHA, which holds the active site, took HDAC1 off the p21 promoter
    within hours (Gui 2004, gui2004). enzyme: hdac2 or hdac3.
    """
    n, drugs = model.neurons, model.drugs
    repressed = share_in_state(n.nucleosomes[:, PROMOTER_I : PROMOTER_I + 1], REPRESSED)
    bhb = drugs.mct2 * np.take(model.tissue.concentration[BHB], n.voxel)
    drug = getattr(drugs, f"drug_{enzyme}")
    bound = bound_shares(bhb, getattr(model.epigenome, f"bhb_ic50_{enzyme}"), drug)
    left = getattr(drugs, enzyme) * getattr(n, enzyme)
    return np.asarray(left * bound * repressed / resting_repressed_share(model.epigenome), np.float64)


@loop
def bound_shares(bhb: Floats, ic50: float, drug: float) -> Floats:
    """Share of an enzyme that no inhibitor takes off chromatin; bhb, ic50: mmol/L; drug: in multiples of its IC50."""
    found = np.empty(bhb.size)
    for i in range(bhb.size):
        found[i] = free_enzyme(bhb[i], ic50, drug)
    return found
