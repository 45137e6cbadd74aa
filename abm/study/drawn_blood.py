"""Samples of blood over draws of the posterior: metabolites, hormones, VO2max, plasma volume, platelets and BDNF.

The body is solved for every draw of its own numbers; what exercise does to blood (`body_haemoconcentration`,
`body_hypervolaemia`) and how BDNF of a sample follows it (`observation`) are drawn too, and what the brain releases and
stores comes from the expected neuron of the same draw.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body import PLASMA_COLUMNS, Plasma, exercised_body
from abm.body.haemoconcentration import ExerciseCourse, HaemoconcentrationParameters, haemoconcentration
from abm.body.hypervolaemia import HypervolaemiaParameters
from abm.forcing import lived_edges
from abm.observation import ObservationParameters
from abm.observation.blood import concentrated, plasma_level, serum_level
from abm.parameters import load_parameters, parameter_records

if TYPE_CHECKING:
    from abm.config import Experiment, Subject
    from abm.schedule import Timeline

Floats = NDArray[np.float64]

SAMPLE_PARTS = {"body_haemoconcentration", "body_hypervolaemia", "observation"}
SAMPLE_COLUMNS = {"plasma_volume": "plasma_volume", "platelet_count": "platelet_count"}
SAMPLE_READ_OUTS = ("serum_bdnf", "plasma_bdnf", *SAMPLE_COLUMNS)
BODY_COLUMNS = {
    "plasma_bhb": "sampled_bhb",
    "plasma_lactate": "sampled_lactate",
    "plasma_glucose": "sampled_glucose",
    "plasma_ffa": "sampled_ffa",
    "plasma_insulin": "sampled_insulin",
    "liver_glycogen": "sampled_glycogen",
    "plasma_irisin": "sampled_irisin",
    "vo2max": "vo2max",
}
BODY_READ_OUTS = (*BODY_COLUMNS, "plasma_cortisol")
COLUMNS = SAMPLE_COLUMNS | BODY_COLUMNS
TOLERANCE = 5e-7  # of a body's step, relative: parameters leave open a hundred thousand times as much


def is_upstream(part: str) -> bool:
    """Whether numbers of a part of the parameter files decide which signals reach the neurons."""
    return part in ("barrier", "tissue") or (part.startswith("body_") and part not in SAMPLE_PARTS)


class Exercised(NamedTuple):
    """One schedule as blood feels it: its exercise and, at `hours`, the plasma's columns."""

    course: ExerciseCourse
    hours: Floats
    plasma: dict[str, Floats]


class Samples(NamedTuple):
    """Columns of the blood at the hours of the readings, and the parameters that a sample is read with."""

    hours: Floats
    columns: dict[str, Floats]
    parameters: ObservationParameters

    def read(self, metric: str, hour: float, release: float, store: float) -> float:
        """A read-out at one of the hours; release, store: of the brain, relative to rest."""
        place = int(np.searchsorted(self.hours, hour))
        blood = {name: values[place] for name, values in self.columns.items()}
        if metric in COLUMNS:
            return float(blood[COLUMNS[metric]])
        if metric == "plasma_cortisol":
            return float(concentrated(blood["sampled_cortisol"], blood["plasma_volume"], blood["plasma_gained"]))
        if metric == "plasma_bdnf":
            return float(plasma_level(self.parameters, blood, release))
        return float(serum_level(self.parameters, blood, release, store))


def exercised(experiment: Experiment, timeline: Timeline, hours: Sequence[float]) -> tuple[Plasma, Exercised]:
    """The plasma of a schedule over the run, and what the schedule asks of the body, read at hours that end steps.

    Raises ArithmeticError where the body cannot be solved.
    """
    step, read = experiment.run.step, np.array(sorted(set(hours)))
    edges = lived_edges(timeline, experiment.run.duration, step)
    plasma, course = exercised_body(experiment.subject, timeline, edges, TOLERANCE)
    places = np.searchsorted(edges, read - step / 2.0) - 1
    columns = {name: getattr(plasma, name)[places] for name in PLASMA_COLUMNS}
    return plasma.from_time_zero(), Exercised(_merged(course, read), read, columns)


def samples(subject: Subject, schedule: Exercised, drawn: Mapping[str, float]) -> Samples:
    """The blood of a schedule with drawn parameters: `part.name` -> number in the unit of its record."""
    overrides = with_drawn(subject, drawn, SAMPLE_PARTS.__contains__).overrides
    shift = load_parameters(HaemoconcentrationParameters, "body_haemoconcentration", subject.species, overrides)
    gain = load_parameters(HypervolaemiaParameters, "body_hypervolaemia", subject.species, overrides)
    sample = haemoconcentration(shift, gain, schedule.course)
    places = np.searchsorted(schedule.course.times, schedule.hours - 1e-6) - 1
    found = {name: values[places] for name, values in sample._asdict().items()}
    own = load_parameters(ObservationParameters, "observation", subject.species, overrides)
    return Samples(schedule.hours, schedule.plasma | found, own)


def with_drawn(subject: Subject, drawn: Mapping[str, float], of: Callable[[str], bool]) -> Subject:
    """The subject with the drawn numbers of some parts, `part.name` or `part.name.species` -> number, as overrides.

    Numbers of another species are left out.
    """
    written: dict[str, str | float] = {}
    for key, number in drawn.items():
        part, _, name = key.partition(".")
        parameter, _, species = name.partition(".")
        if of(part) and species in ("", subject.species):
            written[f"{part}.{parameter}"] = parameter_records(part)[name].text(number)
    return subject.model_copy(update={"overrides": {**subject.overrides, **written}})


def _merged(course: ExerciseCourse, hours: Floats) -> ExerciseCourse:
    """The same course in as few intervals as there are: cut where exercise changes, and at the hours."""
    last = np.append((np.diff(course.intensity) != 0.0) | np.diff(course.on_foot), True)
    last |= np.isin(np.round(course.times[1:], 9), np.round(hours, 9))
    times = np.append(course.times[:1], course.times[1:][last])
    return ExerciseCourse(times, course.intensity[last], course.on_foot[last])
