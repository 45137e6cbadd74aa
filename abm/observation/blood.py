"""Blood samples: BDNF in plasma and serum, its release from the brain, and hormones per volume of shrunken plasma.

The blood of one step (`abm.body.Plasma`) holds plasma volume and platelet count relative to rest; the model's
hippocampus stands for the whole brain. In rodents no BDNF was found in blood (Klein 2011, klein2011), so that for them
the laws below are assumptions without a measurement behind them.
"""

from __future__ import annotations

from typing import Any, Protocol

from abm.observation.parameters import ObservationParameters, observation_parameters

BDNF = 4  # place of BDNF among the tissue's signals


class Sampled(Protocol):
    """What a blood sample needs of a model: its neurons, the tissue around them, and the plasma of the present step."""

    @property
    def tissue(self) -> Any: ...
    @property
    def neurons(self) -> Any: ...
    @property
    def blood(self) -> Any: ...
    @property
    def expression(self) -> Any: ...


def sampled_cortisol(model: Sampled) -> float:
    """Total cortisol of a plasma sample, nmol/L: the hormone at constant plasma volume over the relative volume.

    So a laboratory sees it; metabolites and irisin are published, and modelled, as measured and stay as they are.
    """
    return float(model.blood["cortisol"] / model.blood["plasma_volume"])


def relative_release(model: Sampled) -> float:
    """BDNF that the brain gives to the blood, relative to rest: mean extracellular BDNF over the neurons' set points.

    Release follows the concentration because it leaves down the gradient into blood (Rasmussen 2009, rasmussen2009).
    """
    n = model.neurons
    bdnf = model.tissue.concentration[BDNF].reshape(-1)[n.voxel]
    return float(bdnf.mean() / n.rest_bdnf.mean())


def relative_store(model: Sampled) -> float:
    """Mature BDNF stored by the neurons relative to rest: a slow trace of what they released over the last days."""
    return float(model.neurons.bdnf_protein.mean() / model.expression.store_at_rest)


def brain_release(model: Sampled) -> float:
    """Net release of BDNF by the brain into jugular blood, ng per g and min: resting value x relative release.

    Measured as arteriovenous difference x blood flow (Seifert 2010, seifert2010).
    """
    return observation_parameters(model).brain_release_at_rest * relative_release(model)


def plasma_bdnf(model: Sampled) -> float:
    """BDNF of a plasma sample, ng/mL.

        P = P_rest [f b + (1 - f) (1 + g x)] / v + infused

    b: relative release of the brain, which supplies the share f (rasmussen2009); x: recent exertion, the memory of
    squared intensity that drives release outside the brain (muscle, endothelium); v: relative plasma volume.
    """
    p, blood = observation_parameters(model), model.blood
    supply = p.brain_share * relative_release(model)
    supply += (1.0 - p.brain_share) * (1.0 + p.peripheral_gain * blood["exertion"])
    return float(p.plasma_bdnf_at_rest * supply / blood["plasma_volume"]) + infused(p, blood["bdnf_iv"])


def serum_bdnf(model: Sampled) -> float:
    """BDNF of a serum sample, ng/mL: that of the plasma and that which platelets give off when blood clots.

        S = n q S_platelet + P,    q = (f s + 1 - f) (1 + h x)

    n: relative platelet count, haemoconcentration included (Gibbons 2023, gibbons2023); q: BDNF per platelet. A
    platelet lives ten days, so q follows the circulating BDNF slowly; the neurons' store s relative to rest stands for
    that slow course. h x: loading during hard exercise.
    """
    p, blood = observation_parameters(model), model.blood
    per_platelet = p.brain_share * relative_store(model) + 1.0 - p.brain_share
    per_platelet *= 1.0 + p.platelet_loading * blood["exertion"]
    return float(blood["platelets"] * per_platelet * p.platelet_bdnf_at_rest) + plasma_bdnf(model)


def infused(p: ObservationParameters, dosed: float) -> float:
    """Dosed BDNF in ng/mL from nmol/L: nmol/L x g/mol is ng/L."""
    return dosed * p.bdnf_mass * 1e-3
