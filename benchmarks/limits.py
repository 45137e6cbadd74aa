"""What the model does that no published row speaks against, and that physiology would not: sizes for README.

    python benchmarks/limits.py

The body alone in fasts, after glucose and in training; then two weeks, a day and a slice on a small tissue. Half a
minute; no timing.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from abm import HippocampusModel
from abm.config import build_experiment
from abm.forcing import blood_of
from abm.schedule import compile_schedule

RIDE = {"kind": "cycling", "intensity": "65 %VO2max"}
STARVED = {"meals": {"fast": {"start": "20 h"}}}
NEURONS, DAYS = 500, 14


def blood(subject: dict, schedule: dict, column: str, hours: tuple[float, ...]) -> list[float]:
    """A column of the blood at some hours of a schedule."""
    run = {"duration": f"{max(hours):g} h", "burn_in": "0 h", "replicates": 1, "step": "6 min"}
    experiment = build_experiment({"subject": subject, "schedules": {"a": schedule}, "reference": "a", "run": run})
    plasma = blood_of(experiment, compile_schedule(experiment.schedules["a"], experiment.subject, max(hours)))
    steps = np.searchsorted(plasma.edges, np.array(hours) - 1e-6) - 1  # that end then; some come before time zero
    return getattr(plasma, column)[steps].tolist()


def tissue(schedule: dict, metric: str, hours: tuple[float, ...], preparation: str = "in_vivo") -> np.ndarray:
    """A read-out of a small tissue at some hours of a schedule, in order."""
    experiment = build_experiment({
        "subject": {"species": "human" if preparation == "in_vivo" else "mouse"}, "preparation": preparation,
        "tissue": {"neurons": NEURONS, "size": ["400 um", "400 um"]}, "schedules": {"a": schedule}, "reference": "a",
        "run": {"duration": f"{hours[-1]:g} h", "burn_in": "15 d", "replicates": 1, "seed": 1, "step": "15 min"},
    })  # fmt: skip
    model, found = HippocampusModel(experiment, "a"), []
    model.rest()
    for hour in hours:
        while model.hour < hour - 1e-6:
            model.advance()
        found.append(model.observe(metric)["all"])
    return np.array(found)


def told(what: str, values: Iterable[float]) -> None:
    """One line: what, then its numbers."""
    print(f"{what:88s}", *(f"{value:8.3g}" for value in values), flush=True)


if __name__ == "__main__":
    human, trained, day = {"species": "human"}, {"species": "human", "training": "trained"}, 24.0
    told("BHB after 3, 10 and 30 days without food (mmol/L)", blood(human, STARVED, "bhb", (68.0, 240.0, 720.0)))
    given = {"doses": {"what": "glucose", "route": "ip", "amount": "2 g/kg", "at": "10 h"}}
    levels = blood({"species": "mouse"}, given, "glucose", (10.0, 10.2, 10.8))
    told("glucose of a mouse 0, 12 and 48 min after 2 g/kg (mmol/L)", levels)
    keeps = {"sessions": RIDE | {"kind": "running", "intensity": "70 %VO2max", "duration": "60 min", "start": "07:30"}}
    later = (72.0, 336.0)
    told("plasma of a trained subject who runs on, 3 and 14 days", blood(trained, keeps, "plasma_volume", later))
    told("and of one who stops", blood(trained, {}, "plasma_volume", later))
    blocked, ride = {"blocks": {"target": "MCT1", "fraction": 1}}, RIDE | {"duration": "45 min", "start": "07:30"}
    rest, *others = (tissue(plan, "bdnf_protein", (DAYS * day,)) for plan in ({}, blocked, {"sessions": ride}))
    told("BDNF of rest after two weeks of blocked MCT1, and of a ride each day", np.ravel(others) / rest)
    hours = (6.0, 20.0)
    told("transcripts of people at rest at 6:00 and 20:00", tissue({}, "bdnf_mrna", hours))
    bath, at = {"doses": {"what": "lactate", "route": "bath", "amount": "10 mmol/L", "at": "0 h"}}, (3.0, 6.0, 24.0)
    alone, bathed = (tissue(plan, "bdnf_mrna", at, "slice") for plan in ({}, bath))
    told("transcripts of a slice 3, 6 and 24 h in 10 mmol/L of lactate, of vehicle", bathed / alone)
