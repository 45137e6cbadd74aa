"""What reaches the tissue from outside: the blood of each step, doses given into the brain, and blocked mechanisms.

Everything a schedule does to the hippocampus passes through here, as concentrations, input activity and pharmacology;
neurons see nothing else of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.body import PLASMA_COLUMNS, Plasma, resting_day, share_awake, simulate_body, wakefulness_parameters
from abm.clock import DAY
from abm.neurons import Pharmacology
from abm.parameters import Unit
from abm.schedule import Dose, Timeline, lasts
from abm.signals import SIGNALS

if TYPE_CHECKING:
    from abm.config import Experiment

# Which columns of the plasma carry each signal that can be held at rest.
CLAMPED_COLUMNS = {
    "bhb": ("bhb", "sampled_bhb"),
    "lactate": ("lactate", "sampled_lactate"),
    "irisin": ("irisin", "sampled_irisin"),
    "cortisol": ("cortisol", "sampled_cortisol", "dexamethasone"),
    "bdnf": ("bdnf_iv", "sampled_bdnf"),
    "input_activity": ("movement", "movement_squared", "movement_cubed", "wakefulness"),
}
# Largest inhibitor level, in multiples of the IC50, that stands for a complete block of an enzyme.
COMPLETE_BLOCK = 1e6


class ForcingParameters(NamedTuple):
    """Constants of what is applied to the brain directly; sources in configs/parameters/forcing.yaml."""

    brain_volume: Annotated[float, Unit("mL")]
    bath_bhb: Annotated[float, Unit("mmol/L")]
    bath_lactate: Annotated[float, Unit("mmol/L")]
    bath_irisin: Annotated[float, Unit("nmol/L")]
    bath_cortisol: Annotated[float, Unit("nmol/L")]
    bath_dexamethasone_half: Annotated[float, Unit("nmol/L")]


def step_edges(duration: float, step: float) -> npt.NDArray[np.float64]:
    """Edges of the steps from 0 to `duration`, h, shape (T + 1,)."""
    return np.round(np.arange(round(duration / step) + 1) * step, 9)


def resting_blood(experiment: Experiment) -> Plasma:
    """Plasma over a resting day, as in the burn-in; of a slice or culture, which has no blood, all zero."""
    step = experiment.run.step
    if experiment.preparation == "in_vivo":
        return resting_day(experiment.subject, step)
    return no_blood(step_edges(DAY, step))


def resting_wakefulness(experiment: Experiment) -> npt.NDArray[np.float64]:
    """Share of each hour of a resting day that the subject is awake, (24,); 0 of a slice or culture, which has none."""
    if experiment.preparation != "in_vivo":
        return np.zeros(24)
    return share_awake(wakefulness_parameters(experiment.subject), np.arange(25.0))


def blood_of(experiment: Experiment, timeline: Timeline) -> Plasma:
    """Plasma over a schedule from time zero to the end of the experiment; all zero for a slice or culture.

    Where a fast before the first session began before time zero, so do the blood's hours (`Plasma.before`).
    """
    run = experiment.run
    if experiment.preparation != "in_vivo":
        return no_blood(step_edges(run.duration, run.step))
    return simulate_body(experiment.subject, timeline, lived_edges(timeline, run.duration, run.step)).from_time_zero()


def lived_edges(timeline: Timeline, duration: float, step: float) -> npt.NDArray[np.float64]:
    """Edges of the steps from the beginning of a fast before time zero, or from time zero, to `duration`, h."""
    return np.round(step_edges(duration - timeline.begin, step) + timeline.begin, 9)


def no_blood(edges: npt.NDArray[np.float64]) -> Plasma:
    """Plasma that carries nothing."""
    return Plasma(edges, before=None, **{name: np.zeros(len(edges) - 1) for name in PLASMA_COLUMNS})


def bath(p: ForcingParameters, timeline: Timeline, hour: float) -> npt.NDArray[np.float64]:
    """Concentrations at which the bath of a slice or culture holds each signal, shape (5,); NaN where it does not.

    The medium's own, or what a dose by route bath holds during its time; of BDNF what a dose adds to the tissue's own.
    """
    held = {
        "bhb": p.bath_bhb, "lactate": p.bath_lactate, "irisin": p.bath_irisin, "cortisol": p.bath_cortisol,
        "bdnf": np.nan,
    }  # fmt: skip
    for dose in timeline.doses:
        if dose.route == "bath" and dose.what in DOSED_SIGNALS and lasts(dose.at, dose.at + dose.duration, hour):
            held[DOSED_SIGNALS[dose.what]] = dose.amount
    return np.array([held[signal] for signal in SIGNALS])


def bath_agonist(p: ForcingParameters, timeline: Timeline, hour: float) -> float:
    """Dexamethasone in the bath at an hour, in multiples of its half-saturating concentration."""
    return sum(
        dose.amount / p.bath_dexamethasone_half
        for dose in timeline.doses
        if dose.route == "bath" and dose.what == "dexamethasone" and lasts(dose.at, dose.at + dose.duration, hour)
    )


def blood_at(plasma: Plasma, step: int, joined: int = 1) -> dict[str, float]:
    """The plasma means of one step, or of several that begin with it, by name; steps beyond the end repeat the last."""
    now = min(step, len(plasma.edges) - 2)
    if joined == 1:
        return {name: getattr(plasma, name).item(now) for name in PLASMA_COLUMNS}
    return {name: math.fsum(getattr(plasma, name)[now : now + joined]) / joined for name in PLASMA_COLUMNS}


def clamp_to_rest(plasma: Plasma, resting_day: Plasma, signals: Iterable[str]) -> Plasma:
    """The plasma with the given signals ("bhb", ..., "input_activity") replaced by those of a resting day, repeated.

    Raises ValueError for a signal that does not exist.
    """
    held = tuple(signals)
    for signal in held:
        if signal not in CLAMPED_COLUMNS:
            raise ValueError(f"cannot clamp {signal!r}; signals are {', '.join(CLAMPED_COLUMNS)}")
    steps = len(plasma.edges) - 1
    columns = [column for signal in held for column in CLAMPED_COLUMNS[signal]]
    before = plasma.before and clamp_to_rest(plasma.before, resting_day, held)
    return replace(plasma, before=before, **{name: np.resize(getattr(resting_day, name), steps) for name in columns})


def pharmacology(timeline: Timeline, hour: float, agonist: float) -> Pharmacology:
    """What drugs and genetics leave of each mechanism at an hour.

    A block of HDAC1-3 by a drug that leaves the fraction r is a competitive inhibitor at (1 - r) / r times its IC50, so
    that it competes with BHB; a loss takes part of the enzyme away. agonist: dexamethasone, in multiples of its EC50.
    """
    if not timeline.blocks:
        return Pharmacology(agonist=agonist)
    left = {name: timeline.remaining_activity(name, hour) for name in BLOCK_TARGETS}
    enzymes = {
        name: value
        for enzyme in ("HDAC1", "HDAC2", "HDAC3")
        for rest in [timeline.remaining_activity(enzyme, hour, loss=False)]
        for name, value in (
            (enzyme.lower(), timeline.remaining_activity(enzyme, hour, loss=True)),
            (f"drug_{enzyme.lower()}", min((1.0 - rest) / rest if rest > 0.0 else COMPLETE_BLOCK, COMPLETE_BLOCK)),
        )
    }
    return Pharmacology(agonist=agonist, **enzymes, **{BLOCK_TARGETS[name]: value for name, value in left.items()})


BLOCK_TARGETS = {
    "MCT2": "mct2",
    "SIRT1": "sirt1",
    "PGC1A": "pgc1a",
    "FNDC5": "fndc5",
    "integrin_aV": "integrin",
    "PKA": "pka",
    "CREB": "creb",
    "NMDAR": "nmdar",
    "GR": "gr",
    "TrkB": "trkb",
    "BDNF_synthesis": "bdnf_synthesis",
    "transcription": "transcription",
    "protein_synthesis": "protein_synthesis",
}


SMALL_MOLECULES = ("bhb", "lactate")
DOSED_SIGNALS = {"bhb": "bhb", "lactate": "lactate", "irisin": "irisin", "corticosterone": "cortisol", "bdnf": "bdnf"}


def injections(p: ForcingParameters, timeline: Timeline, start: float, end: float) -> list[tuple[str, float]]:
    """What icv doses put into the tissue from start to end (h): signal and amount per tissue volume."""
    return [
        (DOSED_SIGNALS[dose.what], amount)
        for dose in timeline.doses
        if dose.route == "icv"
        for amount in [intracerebroventricular(p, dose, start, end)]
        if amount > 0.0
    ]


def intracerebroventricular(p: ForcingParameters, dose: Dose, start: float, end: float) -> float:
    """Amount per tissue volume of the part of an icv dose given from start to end (h), spread over the whole brain.

    amount / brain volume x share of the dose in the step, in mmol/L for metabolites and nmol/L for proteins and
    steroids (1 nmol per mL is 1 umol/L). A bolus counts in the step that holds its hour, to 1e-6 h: hours are rounded,
    and of two steps that share an end just one must hold it.
    """
    if dose.duration > 0.0:
        share = max(min(end, dose.at + dose.duration) - max(start, dose.at), 0.0) / dose.duration
    else:
        share = 1.0 if lasts(start, end, dose.at) else 0.0
    micromolar = share * dose.amount / p.brain_volume
    return micromolar * 1e-3 if dose.what in SMALL_MOLECULES else micromolar * 1e3
