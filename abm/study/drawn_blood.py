"""Samples of blood over draws of the posterior: plasma volume, platelets, and BDNF of serum and plasma.

The body's solution stays that of the committed parameters; what exercise does to blood (`body_haemoconcentration`,
`body_hypervolaemia`) and how BDNF of a sample follows it (`observation`) are drawn, and what the brain releases and
stores comes from the expected neuron of the same draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body import exercised_body
from abm.body.haemoconcentration import HaemoconcentrationParameters, haemoconcentration
from abm.body.hypervolaemia import HypervolaemiaParameters
from abm.forcing import step_edges
from abm.observation import ObservationParameters
from abm.observation.blood import plasma_level, serum_level
from abm.parameters import load_parameters, parameter_records

if TYPE_CHECKING:
    from abm.config import Subject
    from abm.study.plan import Plan

Floats = NDArray[np.float64]

DRAWN_PARTS = {"body_haemoconcentration", "body_hypervolaemia", "observation"}
OWN_COLUMNS = {"plasma_volume": "plasma_volume", "platelet_count": "platelets"}
BLOOD_READ_OUTS = ("serum_bdnf", "plasma_bdnf", *OWN_COLUMNS)


class Exercised(NamedTuple):
    """One schedule as blood feels it: times (n + 1, h), intensity (n,) and, at `hours`, the plasma's columns."""

    times: Floats
    intensity: Floats
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
        if metric in OWN_COLUMNS:
            return float(blood[OWN_COLUMNS[metric]])
        if metric == "plasma_bdnf":
            return float(plasma_level(self.parameters, blood, release))
        return float(serum_level(self.parameters, blood, release, store))


def exercised(plan: Plan, schedule: str, hours: Sequence[float]) -> Exercised:
    """What a schedule asks of the body until the last of the hours, which end steps of the run."""
    subject, step, timeline = plan.experiment.subject, plan.step, plan.timelines[schedule]
    read = np.array(sorted(set(hours)))
    edges = step_edges(float(read[-1]), step)
    plasma, times, intensity = exercised_body(subject, timeline, edges)
    places = np.searchsorted(edges, read - step / 2.0) - 1
    columns = {item.name: getattr(plasma, item.name)[places] for item in fields(plasma) if item.name != "edges"}
    return Exercised(*_merged(times, intensity, read), read, columns)


def samples(subject: Subject, course: Exercised, drawn: Mapping[str, float]) -> Samples:
    """The blood of a schedule with drawn parameters: `part.name` -> number in the unit of its record."""
    written = {
        key: parameter_records(key.partition(".")[0], subject.species)[key.partition(".")[2]].text(number)
        for key, number in drawn.items()
        if key.partition(".")[0] in DRAWN_PARTS
    }
    overrides = {**subject.overrides, **written}
    shift = load_parameters(HaemoconcentrationParameters, "body_haemoconcentration", subject.species, overrides)
    gain = load_parameters(HypervolaemiaParameters, "body_hypervolaemia", subject.species, overrides)
    sample = haemoconcentration(shift, gain, course.times, course.intensity)
    places = np.searchsorted(course.times, course.hours - 1e-6) - 1
    found = {name: values[places] for name, values in sample._asdict().items()}
    own = load_parameters(ObservationParameters, "observation", subject.species, overrides)
    return Samples(course.hours, course.plasma | found, own)


def _merged(times: Floats, intensity: Floats, hours: Floats) -> tuple[Floats, Floats]:
    """The same course in as few intervals as there are: cut where the intensity changes, and at the hours."""
    last = np.append(np.diff(intensity) != 0.0, True)
    last |= np.isin(np.round(times[1:], 9), np.round(hours, 9))
    return np.append(times[:1], times[1:][last]), intensity[last]
