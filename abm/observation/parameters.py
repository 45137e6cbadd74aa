"""Constants of the observation models; sources in configs/parameters/observation.yaml."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from abm.parameters import Unit, load_parameters

# Read-outs whose spread between subjects has a record of its own.
SPREADS = ("serum_bdnf", "plasma_bdnf", "brain_bdnf_release", "plasma_irisin")
# Read-outs that meta-analyses pool: an effect size does not say whether it is of serum or of plasma.
POOLED = ("serum_bdnf", "plasma_bdnf")


class ObservationParameters(NamedTuple):
    """Blood samples, stimulation of synapses, a learning test, and the spread between subjects."""

    brain_release_at_rest: Annotated[float, Unit("ng/g/min")]
    plasma_bdnf_at_rest: Annotated[float, Unit("ng/mL")]
    platelet_bdnf_at_rest: Annotated[float, Unit("ng/mL")]
    brain_share: Annotated[float, Unit("1")]
    platelet_brain_share: Annotated[float, Unit("1")]
    peripheral_gain: Annotated[float, Unit("1")]
    adaptation_gain: Annotated[float, Unit("1")]
    platelet_loading: Annotated[float, Unit("1")]
    bdnf_mass: Annotated[float, Unit("g/mol")]
    cerebral_blood_flow: Annotated[float, Unit("mL/g/min")]
    trains: Annotated[float, Unit("1")]
    train_drive: Annotated[float, Unit("1")]
    recording_time: Annotated[float, Unit("h")]
    training_events: Annotated[float, Unit("1")]
    retention_time: Annotated[float, Unit("h")]
    induction_nucleosomes: Annotated[float, Unit("1")]
    half_retention: Annotated[float, Unit("1")]
    retention_steepness: Annotated[float, Unit("1")]
    largest_discrimination: Annotated[float, Unit("1")]
    initial_release: Annotated[float, Unit("1")]
    facilitation: Annotated[float, Unit("1")]
    depletion: Annotated[float, Unit("1")]
    serum_bdnf_cv: Annotated[float, Unit("1")]
    plasma_bdnf_cv: Annotated[float, Unit("1")]
    pooled_bdnf_cv: Annotated[float, Unit("1")]
    brain_bdnf_release_cv: Annotated[float, Unit("1")]
    plasma_irisin_cv: Annotated[float, Unit("1")]
    other_cv: Annotated[float, Unit("1")]
    response_cv: Annotated[float, Unit("1")]


def observation_parameters(model: Any) -> ObservationParameters:
    """The constants for a model's species, with the overrides of its experiment."""
    subject = model.experiment.subject
    return load_parameters(ObservationParameters, "observation", subject.species, subject.overrides)


def between_subject_cv(p: ObservationParameters, metric: str) -> float:
    """Coefficient of variation of a read-out between untreated subjects; metric: its name, without region."""
    return float(getattr(p, f"{metric}_cv" if metric in SPREADS else "other_cv"))


def pooled_cv(p: ObservationParameters, metric: str) -> float:
    """Coefficient of variation behind an effect size of a read-out as meta-analyses pool it over many laboratories."""
    return p.pooled_bdnf_cv if metric in POOLED else between_subject_cv(p, metric)
