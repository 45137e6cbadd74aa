"""Samples of blood over draws of the posterior: against the body itself, and within an experiment's prediction."""

from concurrent.futures import BrokenExecutor
from typing import Any

import numpy as np
import pytest
from toy import Here

import abm.study.drawn_blood
import abm.study.predictive
from abm.body import PLASMA_COLUMNS, Plasma, simulate_body
from abm.config import Experiment, build_experiment
from abm.forcing import step_edges
from abm.model import HippocampusModel
from abm.observation import observation_parameters
from abm.observation.blood import plasma_bdnf, serum_bdnf
from abm.parameters import parameter_records
from abm.study.drawn_blood import SAMPLE_READ_OUTS, Exercised, exercised, is_upstream, samples, with_drawn
from abm.study.plan import Plan, plan_experiment
from abm.study.posterior import Posterior, load_posteriors
from abm.study.predictive import predict, predictive_rows

HOURS = (8.5, 9.5, 32.0, 47.5)
SAMPLED = {"blood", "plasma_volume"}
BODY = {"body", "training"}
UPSTREAM = BODY | {"barrier", "dexamethasone"}
OF_BODY = (
    "plasma_lactate", "plasma_bhb", "plasma_ffa", "plasma_insulin", "liver_glycogen", "plasma_cortisol", "vo2max",
)  # fmt: skip
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
        for metric in ("serum_bdnf", "plasma_bdnf", "plasma_volume", "platelet_count", *OF_BODY, "bdnf_protein")
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
    return exercised(plan.experiment, plan.timelines["ride"], HOURS)[1]


def columns(changed: Experiment) -> dict[str, np.ndarray]:
    """Plasma of the ride at the hours, from the body itself, whose steps are finer than those of a drawn one."""
    plan = plan_experiment(changed)
    edges = step_edges(48.0, plan.step)
    plasma = simulate_body(changed.subject, plan.timelines["ride"], edges)
    places = np.searchsorted(edges, HOURS) - 1
    return {name: getattr(plasma, name)[places] for name in PLASMA_COLUMNS}


def test_without_draws_the_blood_is_that_of_the_body(plan: Plan, ride: Exercised) -> None:
    found = samples(plan.experiment.subject, ride, {})
    for name, values in columns(plan.experiment).items():
        np.testing.assert_allclose(found.columns[name], values, rtol=2e-5, err_msg=name)
    assert found.parameters == observation_parameters(HippocampusModel(experiment(), "rest"))


def test_rest_is_one_interval_between_readings(ride: Exercised) -> None:
    """Two rides of ten steps each, three nights and days, four readings; the run has 480 steps."""
    assert ride.course.times.size <= 30
    assert set(HOURS) <= set(np.round(ride.course.times, 9))


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
    for name in ("plasma_volume", "plasma_gained", "platelets", "platelet_count", "exertion"):
        np.testing.assert_allclose(found.columns[name], expected[name], rtol=1e-6, err_msg=name)
    assert (found.columns["platelets"] != samples(plan.experiment.subject, ride, {}).columns["platelets"]).any()


@pytest.fixture(scope="module")
def rows(plan: Plan) -> dict[tuple[str, float], Any]:
    few = [posterior._replace(draws=posterior.draws[:25]) for posterior in load_posteriors()]
    prediction = predict(plan, list(plan.timelines), few)
    assert set(prediction.posteriors) == {"neurons", *SAMPLED, *UPSTREAM}
    found = predictive_rows(plan, prediction, [])
    return {(row.metric, row.time_h): row for row in found if row.schedule == "ride"}


@pytest.mark.slow
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
        if metric in OF_BODY:  # the day after, lactate is back where it was
            continue
        assert row.ratio_low < row.ratio_median < row.ratio_high, (metric, hour)
    assert rows["plasma_volume", 8.5].ratio_high < 1.0 < rows["plasma_volume", 32.0].ratio_low
    assert rows["platelet_count", 8.5].ratio_low > 1.0 > rows["platelet_count", 32.0].ratio_high


def test_numbers_of_the_body_leave_its_metabolites_and_vo2max_open(rows: dict[tuple[str, float], Any]) -> None:
    """An hour at 75 % raises lactate under any of the draws, by a factor that they leave open."""
    row = rows["plasma_lactate", 8.5]
    assert 1.0 < row.ratio_low < row.ratio_fitted < row.ratio_high
    assert row.ratio_high / row.ratio_low > 1.1
    assert rows["vo2max", 47.5].ratio_low > 1.0


@pytest.mark.parametrize(
    ("key", "own", "written"),
    [
        ("body_adaptation.fitness_time.human", "body_adaptation.fitness_time", "30 d"),
        ("body_lactate.muscle_release_half", "body_lactate.muscle_release_half", "2 mmol/L"),
    ],
)
def test_a_drawn_number_of_the_body_does_what_an_override_does(plan: Plan, key: str, own: str, written: str) -> None:
    """Numbers of mice do nothing to a person, nor do those that are not of the body."""
    others = {"body_adaptation.fitness_time.mouse": 5.0, "observation.adaptation_gain": 9.0}
    drawn = with_drawn(plan.experiment.subject, {key: float(written.split()[0]), **others}, is_upstream)
    assert drawn.overrides.keys() == {own}
    found = exercised(plan.experiment.model_copy(update={"subject": drawn}), plan.timelines["ride"], HOURS)[1]
    expected = columns(experiment(subject={"overrides": {own: written}}))
    for name in ("vo2max", "lactate", "bhb"):
        np.testing.assert_allclose(found.plasma[name], expected[name], rtol=2e-5, err_msg=name)


def test_draws_of_the_neurons_share_bodies_of_which_one_without_solution_counts_for_nothing(
    plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five draws behind two bodies: the first, third and fifth, and the second and fourth."""
    solved: list[Any] = []

    def some(changed: Experiment, *about: Any) -> tuple[Plasma, Exercised]:
        solved.append(changed.subject.overrides)
        if len(solved) > 4:  # the committed body and the first, of two schedules each
            raise ArithmeticError("no solution")
        return exercised(changed, *about)

    monkeypatch.setattr(abm.study.predictive, "BODIES", 2)
    monkeypatch.setattr(abm.study.drawn_blood, "exercised", some)
    few = [posterior._replace(draws=posterior.draws[:5]) for posterior in load_posteriors()]
    found = predictive_rows(plan, predict(plan, list(plan.timelines), few), [])
    assert len(solved) == 5
    assert solved[0] == solved[1] == {} != solved[2] == solved[3] != solved[4]
    of_body = {row.draws for row in found if row.metric in OF_BODY}
    assert of_body == {1}  # of two bodies one has numbers, behind which three of the draws are
    assert {row.draws for row in found if row.metric not in OF_BODY} == {3}


class Dying(Here):
    """Does two tasks and breaks."""

    left = 2

    def submit(self, function: Any, /, *about: Any, **named: Any) -> Any:
        if self.left == 0:
            raise BrokenExecutor("a worker died")
        self.left -= 1
        return super().submit(function, *about, **named)


def test_an_executor_predicts_the_same_and_its_death_loses_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abm.study.predictive, "BODIES", 3)
    few = [posterior._replace(draws=posterior.draws[:5]) for posterior in load_posteriors()]
    alone, here, dying = (
        predict(plan, list(plan.timelines), few, executor=executor).drawn for executor in (None, Here(), Dying())
    )
    assert alone is not None
    np.testing.assert_array_equal(here, alone)
    np.testing.assert_array_equal(dying, alone)


def test_bodies_widen_what_is_not_known_of_neurons(plan: Plan) -> None:
    """BDNF of neurons at their committed values depends on the body by what reaches them."""
    widths = []
    for names in (BODY | UPSTREAM, set()):
        few = [one._replace(draws=one.draws[:8]) for one in load_posteriors() if one.name in {"neurons", *names}]
        held = [one._replace(draws=np.tile(one.values, (8, 1))) if one.name == "neurons" else one for one in few]
        found = predictive_rows(plan, predict(plan, list(plan.timelines), held), [])
        row = next(row for row in found if (row.schedule, row.metric, row.time_h) == ("ride", "bdnf_protein", 47.5))
        widths.append(row.ratio_high - row.ratio_low)
    assert widths[0] > 1e-4
    assert widths[1] == 0.0


def stale(names: set[str]) -> list[Posterior]:
    """The posteriors, of which some were written for other values."""
    return [
        one._replace(values=tuple(2.0 * value for value in one.values)) if one.name in names else one
        for one in load_posteriors()
    ]


def double(part: str, name: str) -> dict[str, Any]:
    record = parameter_records(part, "human")[name]
    return {f"{part}.{name}": record.text(record.number * 2.0)}


@pytest.mark.parametrize(
    ("part", "name", "metric"),
    [("observation", "adaptation_gain", "serum_bdnf"), ("body_ketones", "ketone_clearance_half", "plasma_bhb")],
)
def test_what_an_experiment_sets_is_not_drawn(part: str, name: str, metric: str) -> None:
    """With every other number held, its read-out has one value: what the number set makes of it."""
    key = f"{part}.{name}"
    few = [
        one._replace(draws=np.array([[number if each.startswith(key) else kept for each, number, kept in zip(
            one.keys, draw, one.values, strict=True)] for draw in one.draws[:3]]))
        for one in load_posteriors()
    ]  # fmt: skip
    found = []
    for overrides in ({}, double(part, name)):
        plan = plan_experiment(experiment(subject={"overrides": overrides}))
        prediction = predict(plan, list(plan.timelines), few)
        assert set(prediction.posteriors) == {one.name for one in few}
        place = next(j for j, reading in enumerate(prediction.readings) if reading.metric == metric)
        assert prediction.drawn is not None
        found.append(np.ptp(prediction.drawn[:, 1, place]))
    assert found[0] > 0.0
    assert found[1] == 0.0


@pytest.mark.parametrize(
    ("without", "old", "gone"),
    [
        (SAMPLED | UPSTREAM, set(), SAMPLED | UPSTREAM),
        (set(), {"blood"}, SAMPLED),
        (set(), {"training"}, UPSTREAM),
    ],
    ids=["no posterior", "stale of a sample", "stale of the body"],
)
def test_blood_is_left_out_where_its_posterior_does_not_apply(
    without: set[str], old: set[str], gone: set[str]
) -> None:
    few = [one._replace(draws=one.draws[:2]) for one in stale(old) if one.name not in without]
    plan = plan_experiment(experiment())
    prediction = predict(plan, list(plan.timelines), few)
    assert {"neurons", *SAMPLED, *UPSTREAM} - gone == set(prediction.posteriors)
    left = {*(() if gone >= SAMPLED else SAMPLE_READ_OUTS), *(() if gone >= UPSTREAM else OF_BODY), "bdnf_protein"}
    assert {reading.metric for reading in prediction.readings} == left
