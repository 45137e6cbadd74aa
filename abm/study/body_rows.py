"""Predictions of blood and barrier rows: the body alone, and for brain lactate and BHB the barrier on a bit of tissue.

The body does not feel the brain, so plasma needs no tissue; lactate and BHB do not feel the neurons' chemistry, so the
tissue may be small and its neurons at rest. BDNF of blood samples has a share that the brain gives: what it releases
and stores is found once, by one replicate of the experiment, and held, for nothing a sample is fitted by acts on it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abm.body import PLASMA_COLUMNS, Plasma, simulate_body
from abm.forcing import lived_edges
from abm.observation import ObservationParameters, effect_size
from abm.observation.blood import concentrated, plasma_level, relative_release, relative_store, serum_level
from abm.parameters import load_parameters
from abm.study.drawn_blood import BODY_READ_OUTS, COLUMNS, SAMPLE_COLUMNS
from abm.study.parameter_space import BODY_PARTS
from abm.study.plan import timeline_of, whole_voxels

if TYPE_CHECKING:
    from abm.config import Evidence, EvidenceObservation, Experiment, Subject
    from abm.schedule import Timeline
    from abm.study.priors import Prior

TISSUE = ("tissue_bhb", "tissue_lactate")
CROSSING = ("brain_bhb_uptake", "brain_bhb_oxidation", "brain_lactate_uptake", "arteriovenous_lactate")
BLOOD = (*BODY_READ_OUTS, *SAMPLE_COLUMNS)
SAMPLES = ("serum_bdnf", "plasma_bdnf")
NEURONS, SIDE = 60, 200.0  # um

Floats = NDArray[np.float64]
Changes = tuple[tuple[str, str | float], ...]


def is_predicted(observation: EvidenceObservation) -> bool:
    """Whether a row is of the body, a blood sample or what crosses the barrier."""
    metric = observation.metric.partition(".")[0]
    return metric in SAMPLES or (metric in (*BLOOD, *TISSUE, *CROSSING) and observation.smd is None)


@dataclass(frozen=True)
class _Course:
    """One arm of an experiment, and for how long it is followed; its key says all that it depends on."""

    key: str
    experiment: Experiment = field(compare=False)
    arm: str = field(compare=False)
    hours: float
    tissue: bool
    neurons: bool


class BodyRows:
    """Predictions of rows of blood and barrier for changed parameters; an arm that several rows share is run once."""

    def __init__(self, rows: Sequence[tuple[Evidence, EvidenceObservation]]) -> None:
        self.rows = list(rows)
        self.courses: dict[str, _Course] = {}
        for evidence, observation in self.rows:
            for arm, hour in observation.readings:
                self._add(evidence.experiment, arm, hour, observation)

    def _add(self, experiment: Experiment, arm: str, hour: float, observation: EvidenceObservation) -> None:
        key = _key(experiment, arm)
        old = self.courses.get(key)
        hours = max(hour, experiment.run.step, old.hours if old else 0.0)
        tissue = observation.metric.partition(".")[0] in (*TISSUE, *CROSSING) or bool(old and old.tissue)
        neurons = observation.metric.startswith(SAMPLES) or bool(old and old.neurons)
        self.courses[key] = _Course(key, experiment, arm, hours, tissue, neurons)

    def predict(self, priors: Sequence[Prior], numbers: Floats) -> Floats:
        """Ratio, value or standardised difference of every row, shape (rows,), with the parameters at the numbers."""
        changes = {
            species: tuple(
                (key, prior.text(value))
                for prior, number in zip(priors, numbers, strict=True)
                for key, value in prior.overrides(float(number), species).items()
            )
            for species in {course.experiment.subject.species for course in self.courses.values()}
        }
        read = {key: _run(course, changes[course.experiment.subject.species]) for key, course in self.courses.items()}
        found = []
        for evidence, observation in self.rows:
            experiment, metric = evidence.experiment, observation.metric.partition(".")[0]
            own, *others = (
                float(read[_key(experiment, arm)][metric][max(round(hour / experiment.run.step) - 1, 0)])
                for arm, hour in observation.readings
            )
            if observation.smd is not None:
                p = _observation_parameters(experiment.subject, changes[experiment.subject.species])
                found.append(effect_size(p, metric, own, others[0], experiment.run.seed))
            else:
                found.append(own / others[0] if others else own)
        return np.array(found)


def _key(experiment: Experiment, arm: str) -> str:
    """What an arm depends on, as text."""
    parts, run = (experiment.subject, experiment.schedules[arm], experiment.tissue), experiment.run
    setting = (experiment.preparation, run.step, run.duration, run.burn_in, run.seed)
    return "".join([*(part.model_dump_json() for part in parts), str(setting)])


def _run(course: _Course, changes: Changes) -> dict[str, Floats]:
    """Read-outs of an arm after each step."""
    of_body = tuple(change for change in changes if change[0].partition(".")[0] in BODY_PARTS)
    plasma = _plasma(course, of_body)
    found: dict[str, Floats] = {name: getattr(plasma, column) for name, column in COLUMNS.items()}
    # A laboratory sees the hormone in the volume of plasma there is.
    found["plasma_cortisol"] = concentrated(plasma.sampled_cortisol, plasma.plasma_volume, plasma.plasma_gained)
    if course.neurons:
        found |= _samples(course, plasma, _observation_parameters(course.experiment.subject, changes))
    return found | (_brain(course, of_body, changes) if course.tissue else {})


def _observation_parameters(subject: Subject, changes: Changes) -> ObservationParameters:
    overrides = _changed(subject, changes).overrides
    return load_parameters(ObservationParameters, "observation", subject.species, overrides)


def _samples(course: _Course, plasma: Plasma, p: ObservationParameters) -> dict[str, Floats]:
    """BDNF in serum and plasma after each step."""
    release, store = _neurons(course)
    blood = {name: getattr(plasma, name) for name in PLASMA_COLUMNS}
    return {"serum_bdnf": serum_level(p, blood, release, store), "plasma_bdnf": plasma_level(p, blood, release)}


@lru_cache(maxsize=64)
def _neurons(course: _Course) -> tuple[Floats, Floats]:
    """BDNF that the brain releases and stores, relative to rest, after each step, with the parameters as they are."""
    from abm.model import HippocampusModel

    experiment = course.experiment
    timeline = _timeline(course, experiment.subject)
    model = HippocampusModel(experiment, course.arm, plasma=_plasma(course, ()), timeline=timeline)
    model.rest()
    found = []
    for _ in range(round(course.hours / experiment.run.step)):
        model.advance()
        found.append((relative_release(model), relative_store(model)))
    release, store = np.array(found).T
    return release, store


# A gradient changes one parameter at a time, which leaves most courses as they were.
@lru_cache(maxsize=256)
def _plasma(course: _Course, changes: Changes) -> Plasma:
    subject = _changed(course.experiment.subject, changes)
    timeline = _timeline(course, subject)
    edges = lived_edges(timeline, course.hours, course.experiment.run.step)
    return simulate_body(subject, timeline, edges).from_time_zero()


def _timeline(course: _Course, subject: Subject) -> Timeline:
    """Of the whole run, since a fast before a session depends on a session to come."""
    experiment = course.experiment
    return timeline_of(experiment.schedules[course.arm], subject, experiment.run.duration, course.arm)


def _changed(subject: Subject, changes: Changes) -> Subject:
    return subject.model_copy(update={"overrides": {**subject.overrides, **dict(changes)}})


@lru_cache(maxsize=64)
def _brain(course: _Course, of_body: Changes, changes: Changes) -> dict[str, Floats]:
    """Extracellular BHB and lactate, mean over the neurons, and what the brain takes of them, after each step."""
    from abm.model import HippocampusModel
    from abm.observation.uptake import brain_bhb_oxidation, net_uptake
    from abm.signals import BHB, LACTATE, SIGNALS

    experiment = course.experiment
    size = (whole_voxels(SIDE, experiment.tissue.voxel),) * len(experiment.tissue.size)
    small = experiment.model_copy(
        update={
            "subject": _changed(experiment.subject, changes),
            "tissue": experiment.tissue.model_copy(update={"neurons": NEURONS, "size": size}),
            "run": experiment.run.model_copy(update={"burn_in": 0.0, "replicates": 1}),
        }
    )
    timeline = _timeline(course, small.subject)
    model = HippocampusModel(small, course.arm, plasma=_plasma(course, of_body), timeline=timeline)
    seen, taken = [], []
    for _ in range(round(course.hours / experiment.run.step)):
        model.expose()
        model.clock = model.clock.next()
        seen.append(model.tissue.concentration.reshape(len(SIGNALS), -1)[:, model.neurons.voxel].mean(axis=1))
        taken.append((net_uptake(model, BHB), brain_bhb_oxidation(model), net_uptake(model, LACTATE)))
    columns, (bhb, burnt, lactate) = np.array(seen).T, np.array(taken).T
    flow = _observation_parameters(experiment.subject, changes).cerebral_blood_flow
    crossing = dict(zip(CROSSING, (bhb, burnt, lactate, lactate / flow), strict=True))
    return crossing | {name: columns[SIGNALS.index(name.removeprefix("tissue_"))] for name in TISSUE}
