"""Blood samples: BDNF in plasma and serum, its release from the brain, and hormones per volume of shrunken plasma.

The blood of one step (`abm.body.Plasma`) holds plasma volume and platelet count relative to rest, exertion and the
adaptation of the body to training; the model's hippocampus stands for the whole brain. The adaptation is of organs
outside the brain and does not touch the brain's release. In mice no BDNF was found in blood (Klein 2011, klein2011),
so that for them the laws below are assumptions without a measurement behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from abm.observation.parameters import ObservationParameters, observation_parameters
from abm.signals import BDNF


class Sampled(Protocol):
    """What a blood sample needs of a model: its neurons, the tissue around them, and the plasma of the present step."""

    @property
    def tissue(self) -> Any: ...
    @property
    def rest_outflow(self) -> float: ...
    @property
    def neurons(self) -> Any: ...
    @property
    def blood(self) -> Any: ...
    @property
    def expression(self) -> Any: ...


def sampled_cortisol(model: Sampled) -> float:
    """Total cortisol of a plasma sample, nmol/L: the hormone at constant plasma volume, `concentrated`.

    So a laboratory sees it; metabolites and irisin are published, and modelled, as measured and stay as they are.
    """
    blood = model.blood
    return float(concentrated(blood["sampled_cortisol"], blood["plasma_volume"], blood["plasma_gained"]))


def concentrated(level: Any, plasma_volume: Any, plasma_gained: Any) -> Any:
    """A level that holds at constant plasma volume as a laboratory finds it, c (1 + h) / v = c / (1 - loss).

    v: plasma relative to time zero; h: the share gained since. A hormone, which is renewed within hours, is
    concentrated by water that leaves in minutes; the plasma that is gained over a day it fills as the rest.
    """
    return level * (1.0 + plasma_gained) / plasma_volume


def relative_release(model: Sampled) -> float:
    """BDNF that the brain gives to the blood, relative to a resting day: extracellular BDNF outside the capillaries.

    It leaves in proportion to the concentration. What blood gives back is taken for none (assumed), though its plasma
    holds more free BDNF than the model's tissue at rest: the brain as a whole gives BDNF off, at rest and in exercise
    (Rasmussen 2009, rasmussen2009).
    """
    return float(model.tissue.outflow(BDNF) / model.rest_outflow)


def relative_store(model: Sampled) -> float:
    """Mature BDNF stored by the neurons relative to rest: a slow trace of what they released over the last days."""
    return float(model.neurons.bdnf_protein.mean() / model.expression.store_at_rest)


def brain_release(model: Sampled) -> float:
    """Net release of BDNF by the brain into jugular blood, ng per g and min: resting value x relative release.

    Measured as arteriovenous difference x blood flow (Seifert 2010, seifert2010). The resting value is that published;
    only the change is the model's, whose neurons secrete some three hundred times less than that.
    """
    return observation_parameters(model).brain_release_at_rest * relative_release(model)


def plasma_bdnf(model: Sampled) -> float:
    """BDNF of a plasma sample, ng/mL; see `plasma_level`."""
    return float(plasma_level(observation_parameters(model), model.blood, relative_release(model)))


def serum_bdnf(model: Sampled) -> float:
    """BDNF of a serum sample, ng/mL; see `serum_level`."""
    brain = relative_release(model), relative_store(model)
    return float(serum_level(observation_parameters(model), model.blood, *brain))


def plasma_level(p: ObservationParameters, blood: Mapping[str, Any], release: Any) -> Any:
    """BDNF of plasma, ng/mL, of one sample or of an array of them.

        P = P_rest [f b + (1 - f) (A + g x)] + infused,    A = (1 + G F) / (1 + G F_0)

    b = release: relative release of the brain, which supplies the share f (rasmussen2009); x: recent exertion, the
    memory of intensity that drives release outside the brain (muscle, endothelium); A: resting supply of the same
    organs, which follows fitness F over weeks (griffin2011, zoladz2008), F_0 that of the start.
    BDNF of plasma is renewed within minutes, so that it follows supply over clearance, whatever water has left. blood:
    the columns of `abm.body.Plasma` by name.
    """
    elsewhere = adapted(p, blood, blood["adaptation"]) + p.peripheral_gain * blood["exertion"]
    supply = p.brain_share * release + (1.0 - p.brain_share) * elsewhere
    return p.plasma_bdnf_at_rest * supply + infused(p, blood["sampled_bdnf"])


def serum_level(p: ObservationParameters, blood: Mapping[str, Any], release: Any, store: Any) -> Any:
    """BDNF of serum, ng/mL: that of the plasma and that which platelets give off when blood clots.

        S = n q S_platelet + P,    q = [f s + (1 - f) A] (1 + h x)

    n: platelets per volume of plasma relative to rest, haemoconcentration and the dilution of the days after exercise
    included (Gibbons 2023, gibbons2023; Gillen 1991, gillen1991); q: BDNF per platelet. A platelet lives ten days, so q
    follows the supply of BDNF slowly: to a share f that of the brain as the neurons' store s relative to rest, that of
    other organs, megakaryocytes among them (Naegelin 2018, naegelin2018), as the supply A adapted to when the platelets
    in the blood were made. h x: loading during hard exercise.
    """
    others = adapted(p, blood, blood["platelet_adaptation"])
    per_platelet = p.platelet_brain_share * store + (1.0 - p.platelet_brain_share) * others
    per_platelet = per_platelet * (1.0 + p.platelet_loading * blood["exertion"])
    return blood["platelets"] * per_platelet * p.platelet_bdnf_at_rest + plasma_level(p, blood, release)


def adapted(p: ObservationParameters, blood: Mapping[str, Any], adaptation: Any) -> Any:
    """Resting supply of BDNF outside the brain, relative to the subject as he was used to live.

    A = (1 + G F) / (1 + G F_0): F_0 the fitness at the start, F - F_0 the adaptation, so that who was fit and stops
    keeps at least the supply of an untrained subject.
    """
    gain, start = p.adaptation_gain, blood["fitness"] - blood["adaptation"]
    return 1.0 + gain * adaptation / (1.0 + gain * start)


def infused(p: ObservationParameters, dosed: Any) -> Any:
    """Dosed BDNF in ng/mL from nmol/L: nmol/L x g/mol is ng/L."""
    return dosed * p.bdnf_mass * 1e-3
