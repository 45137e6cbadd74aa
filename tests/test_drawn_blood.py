"""Samples of blood over draws of the posterior: against the body itself, and within an experiment's prediction."""

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from abm.body import Plasma, simulate_body
from abm.config import Experiment, build_experiment
from abm.forcing import step_edges
from abm.model import HippocampusModel
from abm.observation import observation_parameters
from abm.observation.blood import plasma_bdnf, serum_bdnf
from abm.parameters import parameter_records
from abm.study.drawn_blood import Exercised, exercised, samples
from abm.study.plan import Plan, plan_experiment
from abm.study.posterior import Posterior, load_posteriors
from abm.study.predictive import predict, predictive_rows

HOURS = (8.5, 9.5, 32.0, 47.5)
PLAN = {
    "name": "sampled",
    "tissue": {"neurons": 60, "size": ["200 um", "200 um"]},
    "schedules": {
        "rest": {},
        "ride": {"sessions": {"kind": "cycling", "intensity": "75 %VO2max", "duration": "1 h", "start": "08:00"}},
    },
    "reference": "rest",
    "observe": [
        {"metric": metric, "at": [f"{hour} h" for hour in HOURS]}
        for metric in ("serum_bdnf", "plasma_bdnf", "plasma_volume", "platelet_count", "bdnf_protein")
    ],
    "run": {"duration": "2 d", "burn_in": "2 d", "replicates": 1, "seed": 1, "step": "6 min"},
}


def experiment(**changes: Any) -> Experiment:
    return build_experiment(PLAN | changes)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_experiment(experiment())


@pytest.fixture(scope="module")
def ride(plan: Plan) -> Exercised:
    return exercised(plan, "ride", HOURS)


def columns(changed: Experiment) -> dict[str, np.ndarray]:
    """Plasma of the ride at the hours, from the body itself."""
    plan = plan_experiment(changed)
    edges = step_edges(48.0, plan.step)
    plasma = simulate_body(changed.subject, plan.timelines["ride"], edges)
    places = np.searchsorted(edges, HOURS) - 1
    return {item.name: getattr(plasma, item.name)[places] for item in fields(Plasma) if item.name != "edges"}


def test_without_draws_the_blood_is_that_of_the_body(plan: Plan, ride: Exercised) -> None:
    found = samples(plan.experiment.subject, ride, {})
    for name, values in columns(plan.experiment).items():
        np.testing.assert_allclose(found.columns[name], values, rtol=1e-6, err_msg=name)
    assert found.parameters == observation_parameters(HippocampusModel(experiment(), "rest"))


def test_rest_is_one_interval_between_readings(ride: Exercised) -> None:
    """Two rides of ten steps each, three nights and days, four readings; the run has 480 steps."""
    assert ride.times.size <= 30
    assert set(HOURS) <= set(np.round(ride.times, 9))


@pytest.mark.parametrize(
    ("key", "unit", "number"),
    [
        ("body_hypervolaemia.largest_plasma_gain", "", 0.2),
        ("body_hypervolaemia.filling_time", " h", 2.0),
        ("body_haemoconcentration.largest_plasma_loss", "", 0.15),
        ("body_haemoconcentration.platelet_release", "", 0.3),
    ],
)
def test_a_drawn_number_does_what_an_override_does(
    plan: Plan, ride: Exercised, key: str, unit: str, number: float
) -> None:
    found = samples(plan.experiment.subject, ride, {key: number, "expression.activity_gain": 1.0})
    expected = columns(experiment(subject={"overrides": {key: f"{number}{unit}" if unit else number}}))
    for name in ("plasma_volume", "plasma_gained", "platelets", "exertion"):
        np.testing.assert_allclose(found.columns[name], expected[name], rtol=1e-6, err_msg=name)
    assert (found.columns["platelets"] != samples(plan.experiment.subject, ride, {}).columns["platelets"]).any()


@pytest.fixture(scope="module")
def rows(plan: Plan) -> dict[tuple[str, float], Any]:
    few = [posterior._replace(draws=posterior.draws[:25]) for posterior in load_posteriors()]
    prediction = predict(plan, list(plan.timelines), few)
    assert set(prediction.posteriors) == {"neurons", "blood", "plasma_volume"}
    found = predictive_rows(plan, prediction, [])
    return {(row.metric, row.time_h): row for row in found if row.schedule == "ride"}


def test_a_simulated_sample_is_near_the_predicted_one(rows: dict[tuple[str, float], Any]) -> None:
    """At the committed parameters, of which the expected neuron gives what the brain releases and stores.

    Plasma holds what the brain releases at the moment, for which the expected neuron has one memory in place of tissue.
    """
    models = {name: HippocampusModel(experiment(), name) for name in ("rest", "ride")}
    read = {"serum_bdnf": (serum_bdnf, 0.03), "plasma_bdnf": (plasma_bdnf, 0.15)}
    for model in models.values():
        model.rest()
    for step in range(1, 476):
        for model in models.values():
            model.advance()
        for metric, (sample, close) in read.items():
            if step / 10 in HOURS:
                ratio = sample(models["ride"]) / sample(models["rest"])
                assert rows[metric, step / 10].ratio_fitted == pytest.approx(ratio, rel=close), (metric, step / 10)


def test_parameters_of_blood_leave_intervals_open(rows: dict[tuple[str, float], Any]) -> None:
    for (metric, hour), row in rows.items():
        assert row.draws == 25
        assert row.ratio_low < row.ratio_median < row.ratio_high, (metric, hour)
    assert rows["plasma_volume", 8.5].ratio_high < 1.0 < rows["plasma_volume", 32.0].ratio_low
    assert rows["platelet_count", 8.5].ratio_low > 1.0 > rows["platelet_count", 32.0].ratio_high


def only(name: str) -> list[Posterior]:
    return [posterior for posterior in load_posteriors() if posterior.name == name]


@pytest.mark.parametrize("case", ["no posterior of blood", "an override of a sample", "a stale posterior"])
def test_samples_are_left_out_where_their_posterior_does_not_apply(case: str) -> None:
    record = parameter_records("observation")["adaptation_gain"]
    overrides = {"observation.adaptation_gain": record.number * 2.0} if case == "an override of a sample" else {}
    posteriors = only("neurons") if case == "no posterior of blood" else load_posteriors()
    if case == "a stale posterior":
        posteriors = [
            one._replace(values=tuple(2.0 * value for value in one.values)) if one.name == "blood" else one
            for one in posteriors
        ]
    few = [posterior._replace(draws=posterior.draws[:2]) for posterior in posteriors]
    plan = plan_experiment(experiment(subject={"overrides": overrides}))
    prediction = predict(plan, list(plan.timelines), few)
    assert {reading.metric for reading in prediction.readings} == {"bdnf_protein"}
    assert prediction.posteriors == ("neurons",)
