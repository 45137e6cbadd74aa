"""What the brain takes from the blood: net uptake, the difference between artery and vein, and the BHB it burns.

The model's hippocampus stands for the whole brain; blood that leaves it is not modelled, so that a difference is the
uptake over a blood flow that stays as it is at rest (assumed; in starvation it did, hasselbalch1994).
"""

from __future__ import annotations

from typing import Any, Protocol

from abm.observation.parameters import observation_parameters
from abm.signals import BHB, LACTATE
from abm.sums import inner, total

MINUTES = 60.0  # per hour


class Perfused(Protocol):
    """What is needed of a model: its tissue, its barrier, and the blood and carriers of the present step."""

    @property
    def tissue(self) -> Any: ...
    @property
    def barrier(self) -> Any: ...
    @property
    def blood(self) -> Any: ...
    @property
    def carriers(self) -> float: ...


def net_uptake(model: Perfused, signal: int) -> float:
    """Net uptake of BHB or lactate from the blood, umol per g of brain and minute; below 0 the brain gives it off.

    Mean over the tissue of influx less efflux (`abm.barrier.cross`), as blood and tissue are at the end of the step.
    """
    tissue, barrier = model.tissue, model.barrier
    blood = {name: model.blood[f"sampled_{name}"] for name in ("bhb", "lactate", "irisin", "cortisol")}
    outside = tissue.capillary_concentration()
    influx, efflux = barrier.exchange(blood, outside, tissue.capillary_weight, model.carriers)
    net = (total(influx[signal]) - inner(efflux[signal], outside[signal])) / tissue.layers.size
    return float(net / (MINUTES * barrier.parameters.tissue_density))


def brain_bhb_uptake(model: Perfused) -> float:
    """`net_uptake` of BHB."""
    return net_uptake(model, BHB)


def brain_lactate_uptake(model: Perfused) -> float:
    """`net_uptake` of lactate."""
    return net_uptake(model, LACTATE)


def brain_bhb_oxidation(model: Perfused) -> float:
    """BHB that the tissue burns at the end of the step, umol per g of brain and minute; in steady state its net uptake.

    Mean over the tissue of `abm.tissue.kernels.bhb_consumption` times the concentration.
    """
    return float(model.tissue.bhb_burnt() / (MINUTES * model.barrier.parameters.tissue_density))


def arteriovenous_lactate(model: Perfused) -> float:
    """Arterial less jugular venous lactate, mmol/L: net uptake over cerebral blood flow (Fick's principle)."""
    return brain_lactate_uptake(model) / observation_parameters(model).cerebral_blood_flow
