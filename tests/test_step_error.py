"""The step error that a report gives of its neurons, on traces that are known."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from abm.config import build_experiment
from abm.study.step_error import step_errors

HOURS = 24.0
REST = {"bhb": 0.05, "lactate": 1.0, "irisin": 0.01, "cortisol": 5.0}
PLAN = {
    "name": "known",
    "subject": {"overrides": {"expression.creb_asleep": 1}},  # a day without sleep
    "schedules": {"sedentary": {}, "run": {}},
    "reference": "sedentary",
    "run": {"duration": "1 d"},
}


def errors(step: float, lactate: np.ndarray, replicates: int = 2) -> dict[str, tuple[float, ...]]:
    """Step errors by schedule; lactate: of schedule `run`, at time zero and at the end of every step."""
    shape = (2, replicates, 1, lactate.size)
    tissue = {name: np.full(shape, value) for name, value in REST.items()}
    tissue["lactate"][1] = lactate
    names = ("schedule", "replicate", "region", "step_time")
    traces = xr.Dataset(
        {f"tissue_{name}": (names, values) for name, values in tissue.items()}
        | {
            f"plasma_movement{power}": (("schedule", "step"), np.zeros((2, lactate.size - 1)))
            for power in ("", "_squared", "_cubed")
        }
        | {"plasma_wakefulness": (("schedule", "step"), np.full((2, lactate.size - 1), 0.5))},
        {"schedule": ["sedentary", "run"], "region": ["all"]},
    )
    results = SimpleNamespace(traces=traces, schedules=["sedentary", "run"], reference="sedentary")
    found = step_errors(results, build_experiment(PLAN, [f"run.step={step} h"]))
    return {error.schedule: tuple(error[1:]) for error in found}


def wave(step: float) -> np.ndarray:
    """Lactate that rises and falls twice in the day."""
    return 2.0 - np.cos(4.0 * np.pi * np.linspace(0.0, 1.0, round(HOURS / step) + 1))


def test_what_stands_still_has_no_error() -> None:
    assert errors(0.5, np.ones(49))["run"] == pytest.approx((0.0,) * 5, abs=1e-12)


def test_halving_the_step_halves_the_error_at_least() -> None:
    """First order where one rule takes the end of another's step, second where it takes the mean (CREB).

    Extracellular BDNF comes to first order in steps that are shorter than the minutes in which it leaves a cell layer.
    """
    coarse, fine, finest = (np.array(errors(step, wave(step))["run"]) for step in (0.2, 0.1, 0.025))
    assert (coarse > 1e-4).all()
    assert (coarse[:3] > 1.6 * fine[:3]).all()
    assert (coarse[3:] > 1.4 * fine[3:]).all()
    assert (fine[3:] > 1.7**2 * finest[3:]).all()
    assert (coarse < 6.0 * fine).all()
    assert coarse[0] == pytest.approx(4.0 * fine[0], rel=0.1)


def test_a_schedule_that_was_lost_has_none() -> None:
    assert errors(0.5, np.full(49, np.nan)).keys() == {"sedentary"}
