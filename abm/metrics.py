"""The read-outs of a simulation: name, unit, definition, and how each is read from a model.

A metric is a set of values, one per neuron or a single one for the blood, and the number that sums them up for a
region. `METRICS` is the one place where read-outs are defined: results, figures and reports take names, units and
definitions from here. Reading never changes a model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np

from abm.layout import Floats, Layout, SumUp, coefficient_of_variation, mean, moran, recorded_field
from abm.metric_names import PROMOTERS
from abm.signals import SIGNALS


class Observed(Protocol):
    """What a read-out needs of a model: tissue, neurons (one array per column) and the plasma of the present step.

    Observation models need more: the wiring and state of the synapses, and the constants of the parts they look at.
    """

    @property
    def tissue(self) -> Any: ...
    @property
    def neurons(self) -> Any: ...
    @property
    def blood(self) -> Mapping[str, float]: ...
    @property
    def barrier(self) -> Any: ...
    @property
    def carriers(self) -> float: ...
    @property
    def wiring(self) -> Any: ...
    @property
    def synapses(self) -> Any: ...
    @property
    def expression(self) -> Any: ...
    @property
    def epigenome(self) -> Any: ...
    @property
    def plasticity(self) -> Any: ...
    @property
    def network(self) -> Any: ...
    @property
    def experiment(self) -> Any: ...
    @property
    def drugs(self) -> Any: ...
    def gain_at_trough(self) -> float: ...


@dataclass(frozen=True)
class Metric:
    """One read-out.

    name: as in configuration and results. unit: of the number ("1" is dimensionless). part: its place in the chain.
    definition: one sentence. values: model -> the measured values, one per neuron, or one for the blood.
    sum_up: values of a region's neurons -> the number; the arithmetic mean where nothing else is said.
    has_zero: whether zero means "nothing of it", so that ratios of two numbers mean something. traced: whether it is
    followed over time; what takes a sample or a stimulus is made only when it is asked for.
    """

    name: str
    unit: str
    part: str
    definition: str
    values: Callable[[Observed], Floats]
    sum_up: SumUp = mean
    has_zero: bool = True
    traced: bool = True

    @property
    def regional(self) -> bool:
        """Whether the read-out has one number per region (the blood has none)."""
        return self.part not in ("body", "blood")

    def whole(self, model: Observed) -> float:
        """The number for the whole tissue."""
        values = self.values(model)
        return self.sum_up(values, "all", Layout.of(model)) if self.regional else float(values)

    def observe(self, model: Observed) -> dict[str, float]:
        """The number for the whole tissue ("all") and, but for the blood, for each region."""
        values = self.values(model)
        if not self.regional:
            return {"all": float(values)}
        layout = Layout.of(model)
        return {region: self.sum_up(values[members], region, layout) for region, members in layout.members.items()}


def _plasma(name: str, model: Observed) -> Floats:
    return np.asarray(model.blood[name], dtype=np.float64)


def _sample_of(name: str) -> Callable[[Observed], Floats]:
    """What a sample holds that is drawn at the end of the step."""
    return partial(_plasma, f"sampled_{name}")


def _sampled(name: str, model: Observed) -> Floats:
    from abm.observation import blood

    return np.asarray(getattr(blood, name)(model), dtype=np.float64)


def _taken_up(name: str, model: Observed) -> Floats:
    from abm.observation import uptake

    return np.asarray(getattr(uptake, name)(model), dtype=np.float64)


def _receptors(model: Observed) -> Floats:
    # Loaded when something is read: the compiled parts are not needed to check an experiment.
    from abm.observation.assays import receptor_occupancy

    return receptor_occupancy(model)


def _deacetylase(enzyme: str, model: Observed) -> Floats:
    from abm.observation.assays import deacetylase_occupancy

    return deacetylase_occupancy(model, enzyme)


def _probed(name: str, model: Observed) -> Floats:
    from abm.observation import probe

    return np.asarray(getattr(probe, name)(model), dtype=np.float64)


def _miniature(name: str, model: Observed) -> Floats:
    from abm.observation import miniature

    return np.asarray(getattr(miniature, name)(model), dtype=np.float64)


def _remembered(model: Observed) -> Floats:
    from abm.observation.memory import object_location_preference

    return object_location_preference(model)


def _tissue(signal: int, model: Observed) -> Floats:
    field_ = model.tissue.concentration[signal].reshape(-1)
    return np.asarray(np.take(field_, model.neurons.voxel), dtype=np.float64)


def _column(name: str, model: Observed) -> Floats:
    return np.asarray(getattr(model.neurons, name), dtype=np.float64)


def _acetylated(promoters: slice, model: Observed) -> Floats:
    from abm.epigenome import ACETYLATED, share_in_state

    return share_in_state(model.neurons.nucleosomes[:, promoters], ACETYLATED)


def _transcripts(promoters: slice, model: Observed) -> Floats:
    return np.asarray(model.neurons.transcripts[:, promoters].sum(axis=1), dtype=np.float64)


def _mean_of(column: str, part: str, definition: str, unit: str = "1", name: str = "") -> Metric:
    """The mean of one neuron column."""
    return Metric(name or column, unit, part, definition, partial(_column, column))


def _body() -> list[Metric]:
    substances = {
        "bhb": ("beta-hydroxybutyrate", "mmol/L"),
        "lactate": ("lactate", "mmol/L"),
        "irisin": ("irisin", "nmol/L"),
        "glucose": ("glucose", "mmol/L"),
        "ffa": ("free fatty acids", "mmol/L"),
        "insulin": ("insulin", "pmol/L"),
    }
    cortisol = "Total cortisol (a rodent's corticosterone) in the plasma that there is, as a sample holds it."
    glycogen = "Glycogen of the liver, glucose per body mass."
    uptake = "Maximal oxygen uptake, which follows fitness."
    volume = "Plasma volume relative to that at time zero, what exercise took and what the days after it added."
    count = "Platelets per volume of blood relative to time zero: what the spleen gives off, less plasma around them."
    return [
        *(
            Metric(f"plasma_{name}", unit, "body", f"{text.capitalize()} in plasma.", _sample_of(name))
            for name, (text, unit) in substances.items()
        ),
        Metric("plasma_cortisol", "nmol/L", "body", cortisol, partial(_sampled, "sampled_cortisol")),
        Metric("liver_glycogen", "mmol/kg", "body", glycogen, _sample_of("glycogen")),
        Metric("vo2max", "mL/kg/min", "body", uptake, partial(_plasma, "vo2max")),
        Metric("plasma_volume", "1", "body", volume, partial(_plasma, "plasma_volume")),
        Metric("platelet_count", "1", "body", count, partial(_plasma, "platelet_count")),
    ]


def _blood() -> list[Metric]:
    definitions = {
        "plasma_bdnf": ("ng/mL", "BDNF in plasma: supply from brain and elsewhere, not concentrated by lost water."),
        "serum_bdnf": ("ng/mL", "BDNF in serum: that of the plasma and that which platelets give off."),
        "brain_release": ("ng/g/min", "Net release of BDNF by the brain: the published one at rest times the change."),
    }
    names = {"brain_release": "brain_bdnf_release"}
    return [
        Metric(names.get(name, name), unit, "blood", text, partial(_sampled, name), traced=False)
        for name, (unit, text) in definitions.items()
    ]


def _uptake() -> list[Metric]:
    taken = "Net uptake of {} by the brain: arteriovenous difference times blood flow."
    venous = "Lactate of arterial less that of jugular venous blood: net uptake by the brain over its blood flow."
    definitions = {
        "brain_bhb_uptake": ("umol/g/min", taken.format("beta-hydroxybutyrate")),
        "brain_lactate_uptake": ("umol/g/min", taken.format("lactate")),
        "arteriovenous_lactate": ("mmol/L", venous),
    }
    oxidation = "brain_bhb_oxidation"
    burnt = "Beta-hydroxybutyrate that the brain burns; its net uptake where nothing changes."
    return [
        *(
            Metric(name, unit, "blood", text, partial(_taken_up, name), has_zero=False, traced=False)
            for name, (unit, text) in definitions.items()
        ),
        Metric(oxidation, "umol/g/min", "blood", burnt, partial(_taken_up, oxidation), traced=False),
    ]


def _tissue_signals() -> list[Metric]:
    substances = {
        "bhb": ("beta-hydroxybutyrate", "mmol/L"),
        "lactate": ("lactate", "mmol/L"),
        "irisin": ("irisin", "nmol/L"),
        "cortisol": ("free cortisol (a rodent's corticosterone)", "nmol/L"),
        "bdnf": ("mature BDNF", "nmol/L"),
    }
    text = "Extracellular concentration of {} at the neurons, mean over neurons."
    return [
        Metric(f"tissue_{name}", unit, "tissue", text.format(substance), partial(_tissue, SIGNALS.index(name)))
        for name, (substance, unit) in substances.items()
    ]


def _epigenome() -> list[Metric]:
    acetylation = "Acetylated fraction of the nucleosomes of Bdnf promoter"
    return [
        _mean_of(
            "eraser", "epigenome", "Deacetylating activity of HDAC1, 2 and 3, relative to rest.", name="hdac_activity"
        ),
        _mean_of("hdac2", "epigenome", "Abundance of HDAC2, relative to rest; a knock-down comes on top."),
        _mean_of("hdac3", "epigenome", "Abundance of HDAC3, relative to rest; a knock-down comes on top."),
        *(
            Metric(
                f"{enzyme}_occupancy",
                "1",
                "epigenome",
                f"{enzyme.upper()} at Bdnf promoter I, relative to rest (ChIP).",
                partial(_deacetylase, enzyme),
            )
            for enzyme in ("hdac2", "hdac3")
        ),
        Metric("acetylation", "1", "epigenome", f"{acetylation}s I, II, IV and VI.", partial(_acetylated, slice(None))),
        *(
            Metric(
                f"acetylation_{name}", "1", "epigenome", f"{acetylation} {name}.", partial(_acetylated, slice(i, i + 1))
            )
            for i, name in enumerate(PROMOTERS)
        ),
    ]


def _expression() -> list[Metric]:
    transcripts = "Bdnf transcripts per neuron"
    receptors = "Share of glucocorticoid receptors that are occupied."
    return [
        _mean_of("fndc5", "expression", "FNDC5 of the neuron, relative to rest."),
        Metric("gr_occupancy", "1", "expression", receptors, _receptors),
        Metric(
            "bdnf_mrna", "1", "expression", f"{transcripts}, all promoters (qPCR).", partial(_transcripts, slice(None))
        ),
        *(
            Metric(
                f"bdnf_mrna_{name}",
                "1",
                "expression",
                f"{transcripts} from promoter {name} (qPCR of its exon).",
                partial(_transcripts, slice(i, i + 1)),
            )
            for i, name in enumerate(PROMOTERS)
        ),
        _mean_of("bdnf_pro", "expression", "proBDNF dimers per neuron (western blot)."),
        _mean_of("bdnf_protein", "expression", "Mature BDNF dimers stored per neuron (western blot)."),
        _mean_of(
            "release_rate", "expression", "Mature BDNF dimers released per neuron and hour.", "1/h", "bdnf_release"
        ),
    ]


def _synapses() -> list[Metric]:
    strength = partial(_column, "mean_strength")
    return [
        _mean_of("trkb_surface", "synapses", "TrkB at the surface of the neuron, relative to rest."),
        _mean_of("trkb", "synapses", "TrkB signalling, relative to rest.", name="trkb_activation"),
        _mean_of(
            "mean_strength",
            "synapses",
            "Mean weight of a neuron's plastic synapses, relative to rest, mean over neurons.",
            name="synaptic_strength",
        ),
        _mean_of(
            "potentiated",
            "synapses",
            "Fraction of a neuron's plastic synapses that are potentiated, mean over neurons.",
            name="potentiated_fraction",
        ),
        _mean_of(
            "consolidated",
            "synapses",
            "Fraction of a neuron's plastic synapses whose potentiation is consolidated, mean over neurons.",
            name="consolidated_fraction",
        ),
        _mean_of("spine", "synapses", "Density of dendritic spines, relative to rest.", name="spine_density"),
        Metric(
            "strength_heterogeneity",
            "1",
            "synapses",
            "Coefficient of variation of the neurons' mean synaptic strength, within regions; fewer modelled synapses "
            "per neuron give more of it.",
            strength,
            coefficient_of_variation,
        ),
        Metric(
            "spatial_clustering",
            "1",
            "synapses",
            "Moran's I of the neurons' mean synaptic strength among the 8 nearest neurons.",
            strength,
            moran,
            has_zero=False,
        ),
    ]


def _probes() -> list[Metric]:
    definitions = {
        "ltp_magnitude": ("potentiation", "fEPSP slope an hour after four trains of 100 Hz, relative to that before."),
        "fepsp_slope": ("field_slope", "fEPSP slope per excited fibre, relative to unpotentiated synapses at rest."),
        "paired_pulse_ratio": ("paired_pulse", "Second over first fEPSP slope at an interval of 40 ms."),
    }
    return [
        Metric(name, "1", "synapses", text, partial(_probed, recording), recorded_field, traced=False)
        for name, (recording, text) in definitions.items()
    ]


def _miniatures() -> list[Metric]:
    definitions = {
        "mepsc_amplitude": ("miniature_amplitude", "Quantal amplitude (mEPSC), relative to unpotentiated synapses."),
        "mepsc_frequency": ("miniature_frequency", "Frequency of miniature currents (mEPSC), relative to rest."),
    }
    return [
        Metric(name, "1", "synapses", text, partial(_miniature, current), traced=False)
        for name, (current, text) in definitions.items()
    ]


def _memory() -> list[Metric]:
    text = (
        "Share of exploring at the moved object a day after a subthreshold training; 0.5 without memory. Read it hours "
        "after a bout: what that leaves of BDNF and hormone helps or hinders the training."
    )
    return [Metric("object_location_preference", "1", "synapses", text, _remembered, traced=False)]


METRICS: dict[str, Metric] = {
    metric.name: metric
    for part in (
        _body, _blood, _uptake, _tissue_signals, _epigenome, _expression, _synapses, _probes, _miniatures, _memory,
    )
    for metric in part()
}
