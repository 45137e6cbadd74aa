"""A small experiment on the real model, quick enough to be played in a test."""

from __future__ import annotations

from typing import Any

from abm.config import Experiment, build_experiment

Rows = dict[tuple[str, str, str, float], str]  # schedule, metric, region, hour -> value as it is written
READ = (
    "plasma_lactate",
    "tissue_bhb",
    "tissue_lactate",
    "acetylation",
    "bdnf_mrna",
    "bdnf_protein",
    "synaptic_strength",
)
PLAN: dict[str, Any] = {
    "name": "small",
    "tissue": {"neurons": 60, "size": ["400 um", "400 um"]},
    "schedules": {
        "sedentary": {},
        "ride": {"sessions": {"kind": "cycling", "intensity": "70 %VO2max", "duration": "45 min", "start": "07:30"}},
    },
    "reference": "sedentary",
    "observe": [{"metric": metric, "every": "2 h"} for metric in READ],
    "run": {"duration": "2 d", "burn_in": "1 d", "replicates": 1, "seed": 5, "step": "30 min"},
}


def small_experiment(*overrides: str) -> Experiment:
    """Two schedules on one tissue for two days."""
    return build_experiment(PLAN, overrides)
