"""Calibration: known posteriors are found, validation rows are never read, and parameter files keep their text."""

import csv
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from scipy.stats import norm, truncnorm

import abm.config.calibration
import abm.study.calibrate
from abm import parameters
from abm.cli import main
from abm.config import ConfigError, Evidence, EvidenceObservation, load_evidence
from abm.config.calibration import Calibration, ChainPart, load_calibration
from abm.errors import ParameterError
from abm.metrics import METRICS
from abm.model import HippocampusModel
from abm.observation import ObservationParameters, effect_size
from abm.parameters import CONFIG_DIRECTORY, load_parameters, parameter_parts, parameter_records
from abm.study.body_rows import BodyRows, is_predicted
from abm.study.calibrate import calibrate, fit_calibration
from abm.study.fitted_records import FittedNumber, write_fitted
from abm.study.least_squares import fit_least_squares
from abm.study.posterior import load_posterior, posterior_of, write_posterior
from abm.study.priors import NORMAL, Prior
from abm.study.residuals import FARTHEST, distance, residual
from abm.study.score import Published
from abm.study.store import ResultsError

Floats = np.ndarray[Any, np.dtype[np.float64]]


# Least squares


def test_least_squares_finds_the_posterior_of_a_linear_model() -> None:
    """With rows A x = b in standard errors and normal priors mean and covariance are known."""
    slopes = np.array([[1.0, 2.0], [0.5, -1.0], [0.0, 3.0]])
    seen = np.array([4.0, -1.0, 5.0])
    priors = [Prior("a.x", 0.0, -3.92, 3.92), Prior("a.y", 0.0, -7.84, 7.84)]  # standard deviations 2 and 4
    found = fit_least_squares(lambda x: slopes @ x - seen, priors, seed=1)
    precision = slopes.T @ slopes + np.diag([1 / 2.0**2, 1 / 4.0**2])
    mean, covariance = np.linalg.solve(precision, slopes.T @ seen), np.linalg.inv(precision)
    np.testing.assert_allclose(found.point, mean, rtol=1e-4)
    np.testing.assert_allclose(found.covariance * np.outer([2.0, 4.0], [2.0, 4.0]), covariance, rtol=1e-6)
    np.testing.assert_allclose(found.high - found.low, 2 * 1.96 * np.sqrt(np.diag(covariance)), rtol=0.03)
    np.testing.assert_allclose(np.cov(found.draws.T), covariance, rtol=0.2)


def test_rows_that_disagree_leave_more_open_than_their_errors_say() -> None:
    """Four measurements of one number to 0.1 that lie 1 apart: as sure as their scatter has it, not their errors."""
    seen, prior = np.array([1.0, 2.0, 2.0, 3.0]), Prior("a.x", 0.0, -392.0, 392.0)
    found = fit_least_squares(lambda x: (x - seen) / 0.1, [prior], seed=1)
    assert found.point[0] == pytest.approx(2.0, abs=1e-3)
    assert found.widened == pytest.approx(seen.std(ddof=1) / 0.1, rel=1e-3)
    assert found.determined == pytest.approx(1.0, abs=1e-3)
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * seen.std(ddof=1) / 2.0, rel=0.03)
    agreed = fit_least_squares(lambda x: (x - seen) / 2.0, [prior], seed=1)
    assert agreed.widened == 1.0


@pytest.mark.parametrize(
    ("seen", "slope"), [([-8, -3, 5, -6, 4, -7, 6, -5], 2.0), ([-20, -3, 12, -16, 9, -17, 11, -15, -14], 8.0)]
)
def test_at_an_end_of_its_range_a_number_is_as_open_as_widened_errors_have_it(seen: list[int], slope: float) -> None:
    """Rows that disagree and pull below the range, against the posterior density on a fine grid."""
    rows, prior = np.array(seen, float), Prior("a.x", 0.5, 0.0, 1.0)
    found = fit_least_squares(lambda x: slope * x[0] - rows, [prior], seed=1)
    assert found.point[0] < 1e-3
    assert found.widened > 3.0
    places = np.linspace(0.0, 1.0, 100_001)
    residuals = (slope * places[:, None] - rows) / found.widened
    density = -0.5 * (residuals**2).sum(axis=1) - 0.5 * ((places - 0.5) * 3.92) ** 2
    share = np.cumsum(np.exp(density - density.max()))
    assert found.high[0] == pytest.approx(places[np.searchsorted(share, 0.975 * share[-1])], rel=0.05)


def test_least_squares_finds_amplitude_and_half_life() -> None:
    times = np.array([0.5, 1.0, 2.0, 4.0])
    seen = 8.0 * 0.5 ** (times / 1.5)
    priors = [Prior("a.amplitude", 3.0, 0.5, 50.0), Prior("a.half_life", 4.0, 0.1, 20.0)]

    def residuals(x: np.ndarray) -> np.ndarray:
        return (x[0] * 0.5 ** (times / x[1]) - seen) / (0.01 * seen)

    found = fit_least_squares(residuals, priors, seed=1)
    np.testing.assert_allclose(found.point, [8.0, 1.5], rtol=0.01)
    assert found.cost_after < 0.1 < np.sum(residuals(np.array([3.0, 4.0])) ** 2)
    assert (found.shrinkage < 0.1).all()


def test_what_no_row_sees_keeps_its_prior() -> None:
    priors = [Prior("a.seen", 1.0, 0.1, 10.0), Prior("a.unseen", 2.0, 1.0, 4.0)]
    found = fit_least_squares(lambda x: np.array([math.log(x[0] / 3.0) / 0.01]), priors, seed=1)
    assert found.point[1] == pytest.approx(2.0)
    end = norm.ppf(0.025 + 0.95 * norm.cdf(-NORMAL))  # of a normal distribution cut off at +-1.96
    low, high = (2.0 ** (1.0 + sign * end / NORMAL) for sign in (1.0, -1.0))
    assert (found.low[1], found.high[1]) == pytest.approx((low, high), rel=0.02)
    assert found.shrinkage[1] == pytest.approx(1.0)
    assert found.point[0] == pytest.approx(3.0, rel=1e-3)


def test_an_optimum_at_the_end_of_a_range_has_the_posterior_that_is_cut_off_there() -> None:
    """x = 3 +/- 0.25 under a prior N(0, 1/1.96) on [-1, 1]: the normal about 2.42, of which only the tail is left."""
    prior = Prior("a.x", 0.0, -1.0, 1.0)
    found = fit_least_squares(lambda x: np.array([(x[0] - 3.0) / 0.25]), [prior], seed=1)
    assert found.point[0] == pytest.approx(1.0)
    precision = 1.0 / 0.25**2 + NORMAL**2
    centre, deviation = 3.0 / 0.25**2 / precision, precision**-0.5
    exact = truncnorm((-1.0 - centre) / deviation, (1.0 - centre) / deviation, centre, deviation)
    shares = [0.1, 0.5, 0.9]
    assert np.quantile(found.draws[:, 0], shares) == pytest.approx(exact.ppf(shares), abs=0.01)
    assert (found.low[0], found.high[0]) == pytest.approx((exact.ppf(0.025), 1.0), abs=0.01)


def test_a_search_that_begins_on_the_end_of_a_range_goes_on() -> None:
    """The second number begins on its upper end; the rows know the first, and that the second is lower."""
    priors = [Prior("a.x", 1.0, 0.1, 10.0), Prior("a.share", 1.0, 0.5, 1.0)]
    seen = np.array([3.0, 0.8])
    found = fit_least_squares(lambda x: np.log(x / seen) / 0.01, priors, seed=1)
    assert found.point == pytest.approx(seen, rel=2e-3)


# Likelihood-free


def off_target(numbers: dict[str, float]) -> float:
    """Residual of a row that says x = 1.5 +/- 0.2 and nothing of y."""
    return abs(numbers["a.x"] - 1.5) / 0.2


TOY = [Prior("a.x", 0.0, -5.0, 5.0), Prior("a.y", 1.0, 0.1, 10.0)]


def sampled(**options: Any) -> Any:
    pytest.importorskip("pyabc")
    from abm.study.likelihood_free import fit_likelihood_free

    return fit_likelihood_free(off_target, TOY, rows=1, **{"population": 60, "generations": 6} | options)


@pytest.fixture(scope="module")
def found() -> Any:
    return sampled(seed=3)


@pytest.mark.slow
def test_likelihood_free_narrows_what_the_row_sees_and_not_the_rest(found: Any) -> None:
    x, y = found.draws.T
    assert np.mean(x) == pytest.approx(1.5, abs=0.1)
    assert found.temperatures == sorted(found.temperatures, reverse=True)
    assert found.temperatures[-1] == 1.0
    assert found.point[0] == pytest.approx(1.5, abs=0.05)
    low, middle, high = np.quantile(np.log10(y), [0.1, 0.5, 0.9])
    assert (low, middle, high) == pytest.approx((-0.8, 0.0, 0.8), abs=0.3)
    assert off_target({"a.x": found.point[0]}) == pytest.approx(found.distance)


@pytest.mark.slow
@pytest.mark.parametrize("generations", [3, 7])
def test_the_draws_are_those_of_the_posterior_however_many_generations(generations: int) -> None:
    """x = 1.5 +/- 0.2 under a flat prior is a normal distribution of that mean and spread."""
    x = sampled(seed=5, population=300, generations=generations).draws[:, 0]
    assert np.mean(x) == pytest.approx(1.5, abs=0.05)
    assert np.std(x) == pytest.approx(0.2, rel=0.2)


@pytest.mark.slow
def test_same_seed_same_bits(found: Any) -> None:
    again, other = sampled(seed=3), sampled(seed=4)
    assert found.draws.tobytes() == again.draws.tobytes()
    assert found.evaluations == again.evaluations
    assert found.draws.tobytes() != other.draws.tobytes()


@pytest.mark.slow
def test_the_number_of_workers_does_not_matter_to_a_likelihood_free_fit(found: Any) -> None:
    assert found.draws.tobytes() == sampled(seed=3, workers=2).draws.tobytes()


def test_the_global_generator_is_left_as_it_was() -> None:
    from abm.streams import global_stream

    before = np.random.get_state()[1].copy()  # noqa: NPY002
    with global_stream("test", 1):
        first = np.random.random()  # noqa: NPY002
    with global_stream("test", 1):
        assert np.random.random() == first  # noqa: NPY002
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_without_pyabc_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from abm.study.likelihood_free import fit_likelihood_free

    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"needs pyABC.*\[fit\]"):
        fit_likelihood_free(off_target, TOY, rows=1, population=10, generations=1, seed=1)


# Residuals


@pytest.mark.parametrize(
    ("seen", "predicted", "expected"),
    [
        (Published("ratio", 2.0, 1.0, 4.0), 2.0, 0.0),
        (Published("ratio", 2.0, 1.0, 4.0), 4.0, 1.96),
        (Published("value", 2.0, 1.0, 4.0), 1.0, -1.96),
        (Published("value", 1.0, -1.0, 3.0), 3.0, 1.96),
        (Published("value", 2.0, 1.0, 3.0, standardised=True), 1.0, -1.96),
        (Published("ratio", 2.0, 1.0, math.inf), 1.0, -1.96),
        (Published("none", low=0.8, high=1.25), 1.0, 0.0),
        (Published("none", low=0.8, high=1.25), 1.25, math.sqrt(-2.0 * math.log((0.5 - norm.cdf(-3.92)) / 0.95))),
        (Published("none", low=0.8, high=1.25), 0.8**2, math.sqrt(-2.0 * math.log(norm.cdf(-1.96) / 0.95))),
        (Published("none", low=0.0, high=1.15), 1.0, 0.0),
        (Published("none", low=0.0, high=1.15), 0.01, 0.0),
        (Published("none", low=0.0, high=1.15), 1.15, math.sqrt(-2.0 * math.log(0.5 / 0.975))),
        (Published("none", low=0.85, high=math.inf), 40.0, 0.0),
        (Published("none", low=0.85, high=math.inf), 0.85, math.sqrt(-2.0 * math.log(0.5 / 0.975))),
        (Published("none", low=0.0, high=math.inf), 3.0, 0.0),
        (Published("up"), 1.05, 0.0),
        (Published("up"), 1.0, 1.0),
        (Published("down"), math.exp(0.03), 2.0),
        (Published("down"), 0.9, 0.0),
        (Published("ratio", 2.0, 1.0, 4.0), math.nan, math.nan),
    ],
)
def test_residual(seen: Published, predicted: float, expected: float) -> None:
    assert residual(seen, predicted) == pytest.approx(expected, nan_ok=True)


@pytest.mark.slow
def test_blood_samples_of_a_fit_are_those_of_the_model() -> None:
    """BDNF of serum and plasma from body and held brain, their effect size, and platelets, against a whole run."""
    item = load_evidence(CONFIG_DIRECTORY / "evidence" / "gibbons2023_exercise.yaml")
    meta = load_evidence(CONFIG_DIRECTORY / "evidence" / "szuhany2015_bout.yaml")
    rows = [(one, seen) for one in (item, meta) for seen in one.observations if is_predicted(seen)]
    assert len(rows) == 6
    found = BodyRows(rows).predict([], np.array([]))
    for (one, seen), value in zip(rows, found, strict=True):
        own, other = (observed(one, arm, seen) for arm in seen.arms if arm is not None)
        p = load_parameters(ObservationParameters, "observation", "human")
        expected = own / other if seen.smd is None else effect_size(p, seen.metric, own, other, 1)
        assert value == pytest.approx(expected, rel=1e-6)
    gain = Prior("observation.peripheral_gain", 1.0, 0.0, 15.0)
    more = [BodyRows(rows[1:2]).predict([gain], np.array([x]))[0] for x in (2.0, 4.0)]
    assert more[0] < more[1]  # a parameter of samples moves them


def rides(days: int, intensity: str = "75 %VO2max") -> list[tuple[Evidence, EvidenceObservation]]:
    """Lactate of a daily ride on the last of some days."""
    ride = {"kind": "cycling", "intensity": intensity, "duration": "45 min", "start": "08:00"}
    run = {"duration": f"{days} d", "burn_in": "0 h", "step": "15 min"}
    seen = {"contrast": "ride / rest", "metric": "plasma_lactate", "at": f"{24 * days - 15.5} h", "effect": "up"}
    protocol = {"schedules": {"rest": {}, "ride": {"sessions": ride}}, "run": run}
    about = {"id": f"ride{days}", "source": "shaw2019", "role": "calibration"}
    item = Evidence.model_validate(about | {"protocol": protocol, "observations": [seen]})
    return [(item, observation) for observation in item.observations]


def test_an_arm_of_two_files_is_trained_for_as_long_as_each_lasts() -> None:
    alone = [float(BodyRows(rides(days)).predict([], np.array([]))[0]) for days in (7, 2)]
    assert min(alone) > 2.0
    assert BodyRows([*rides(7), *rides(2)]).predict([], np.array([])).tolist() == alone
    assert BodyRows([*rides(2), *rides(7)]).predict([], np.array([])).tolist() == alone[::-1]


def test_what_exercise_costs_and_what_is_eaten_reaches_the_body() -> None:
    """Parameters of schedule and meals are read when a timeline is laid out, not by the body's equations."""
    rows, cost = rides(2, "2.5 W/kg"), Prior("schedule.cycling_cost", 11.0, 10.3, 11.7, "mL/min/W")
    low, high = (BodyRows(rows).predict([cost], np.array([x]))[0] for x in (10.3, 11.7))
    assert low < high


def observed(item: Evidence, arm: str, seen: EvidenceObservation) -> float:
    model = HippocampusModel(item.experiment, arm)
    model.rest()
    for _ in range(round(seen.at / item.experiment.run.step)):
        model.step()
    return model.observe(seen.metric)["all"]


def test_a_direction_is_met_when_a_study_of_that_size_would_see_it() -> None:
    seen = Published("up", groups=(8, 8))
    needed = math.exp(seen.smallest_effect)
    assert math.exp(-0.5 * residual(seen, needed) ** 2) == pytest.approx(0.5, abs=0.02)  # every second finds it
    assert residual(seen, needed**4) < 0.01
    assert residual(seen, 1.0) ** 2 == pytest.approx(-2.0 * math.log(0.025))  # as often as chance has it
    assert residual(Published("down", groups=(8, 8)), 1.0 / 1.7) == pytest.approx(residual(seen, 1.7))


@pytest.mark.parametrize("seen", [Published("up", groups=(8, 8)), Published("none", low=0.8, high=1.25)])
def test_likelihood_of_a_study_adds_up_to_one(seen: Published) -> None:
    """Against studies drawn by chance: how many of them find what was published."""
    draw = np.random.default_rng(1)
    for ratio in (0.9, 1.0, 1.2, 1.5):
        if seen.directed:
            spread = np.sqrt(draw.chisquare(seen.freedom, 200_000) / seen.freedom)
            found = draw.normal(seen.t(ratio), 1.0, 200_000) / spread > seen.t(math.exp(seen.smallest_effect))
            chance = math.exp(-0.5 * residual(seen, ratio) ** 2)
        else:
            error = (math.log(seen.high) - math.log(seen.low)) / 3.919927969
            estimate = draw.normal(math.log(ratio), error, 200_000)
            found = (estimate > math.log(seen.low)) & (estimate < math.log(seen.high))
            chance = 0.95 * math.exp(-0.5 * residual(seen, ratio) ** 2)
        assert chance == pytest.approx(found.mean(), abs=0.005)


def test_distance_is_the_root_mean_square_and_bounded() -> None:
    rows = [Published("ratio", 2.0, 1.0, 4.0), Published("ratio", 1.0, 0.99, 1.01)]
    assert distance(rows, np.array([4.0, 1.0])) == pytest.approx(1.96 / math.sqrt(2))
    assert distance(rows, np.array([2.0, 50.0])) == pytest.approx(FARTHEST / math.sqrt(2))
    assert distance(rows, np.array([2.0, math.nan])) == pytest.approx(FARTHEST / math.sqrt(2))


# Which rows are read

PROTOCOL = {
    "tissue": {"neurons": 60, "size": ["0.2 mm", "0.2 mm"]},
    "schedules": {"rest": {}, "fast": {"meals": {"fast": {"start": "0 h"}}}},
    "run": {"duration": "8 h", "burn_in": "0 h", "replicates": 1, "step": "1 h"},
}
FIT = {
    "name": "toy",
    "method": "least_squares",
    "parameters": ["body_irisin.irisin_at_rest.human", "body_ketones.ketone_volume"],
}


def evidence(name: str, role: str, value: str, interval: list[str], metric: str = "plasma_irisin") -> dict[str, Any]:
    seen = {"schedule": "rest", "metric": metric, "at": "8 h", "value": value, "interval": interval}
    return {"id": name, "source": "pan2000", "role": role, "protocol": PROTOCOL, "observations": [seen]}


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library of one calibration row and one validation row."""
    folder = tmp_path / "evidence"
    folder.mkdir()
    rows = [
        evidence("fit_me", "calibration", "0.4 nmol/L", ["0.36 nmol/L", "0.44 nmol/L"]),
        evidence("judge_me", "validation", "9 nmol/L", ["8 nmol/L", "10 nmol/L"]),
    ]
    for row in rows:
        (folder / f"{row['id']}.yaml").write_text(yaml.safe_dump(row, sort_keys=False))
    monkeypatch.setattr(abm.config.calibration, "evidence_library", lambda: sorted(folder.glob("*.yaml")))
    return folder


@pytest.fixture
def config(tmp_path: Path) -> Callable[..., Path]:
    def write(**changes: Any) -> Path:
        path = tmp_path / "toy.yaml"
        path.write_text(yaml.safe_dump({**FIT, **changes}, sort_keys=False))
        return path

    return write


def test_the_calibration_row_is_fitted(library: Path, config: Callable[..., Path], tmp_path: Path) -> None:
    fit = calibrate(config(), tmp_path / "out", seed=5)
    assert [row.id for row in fit.rows] == ["fit_me"]
    assert fit.rows[0].after == pytest.approx(0.4, rel=0.05)
    irisin, volume = fit.parameters
    assert irisin.identified
    assert not volume.identified
    assert volume.kept
    assert irisin.low < irisin.value < irisin.high
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"fit.json", "posterior.csv"}
    with (tmp_path / "out" / "posterior.csv").open() as stream:
        table = list(csv.reader(stream))
    assert table[0] == ["body_irisin.irisin_at_rest.human (nmol/L)", "body_ketones.ketone_volume (L/kg)"]
    assert len(table) == 501
    record = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert record["seed"] == 5
    assert [row["id"] for row in record["rows"]] == ["fit_me"]
    kept = load_posterior(write_posterior(posterior_of(fit, COMMAND), tmp_path / "posterior"))
    assert (kept.keys, kept.units) == tuple(zip(*((p.prior.key, p.prior.unit) for p in fit.parameters), strict=True))
    chosen = fit.draws[[5 * i // 2 for i in range(200)]]
    places = np.abs(kept.draws[:, None] / chosen - 1.0).max(axis=2).argmin(axis=1)
    assert sorted(places) == list(range(200)), "each is kept once"
    np.testing.assert_allclose(kept.draws, chosen[places], rtol=1e-5)
    assert abs(np.corrcoef(places, np.arange(200))[0, 1]) < 0.3, "not in the order of the fit, which may mean something"
    assert (kept.command, kept.stale()) == (COMMAND, "")


@pytest.mark.slow
def test_a_number_with_a_centre_of_its_own_becomes_most_probable(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    fit = calibrate(config(centres={"body_ketones.ketone_volume": "0.2 L/kg"}), tmp_path / "out")
    volume = fit.parameters[1]
    assert not volume.kept
    assert volume.value == volume.most_probable == pytest.approx(0.2, rel=1e-3), "as no row sees it"


@pytest.mark.parametrize("name", ["body", "training", "plasma_volume", "barrier", "blood"])
def test_no_row_of_body_and_blood_is_left_out_of_its_fit(name: str) -> None:
    """A null among them (hazell2010: short rests between sprints) counts as the numbers do."""
    calibration, evidence = load_calibration(CONFIG_DIRECTORY / "calibration" / f"{name}.yaml")
    wanted = [seen for item in evidence for seen in item.observations if seen.metric in calibration.metrics]
    assert wanted
    assert all(is_predicted(seen) for seen in wanted)
    assert any(seen.kind == "none" for seen in wanted) == (name in {"body", "training", "plasma_volume", "barrier"})


def test_parts_are_those_of_the_read_outs() -> None:
    assert set(get_args(ChainPart)) == {metric.part for metric in METRICS.values()}


@pytest.mark.slow
def test_the_number_of_workers_does_not_matter_to_least_squares(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    fits = [calibrate(config(), tmp_path / str(workers), workers=workers) for workers in (1, 2)]
    assert fits[0].draws.tobytes() == fits[1].draws.tobytes()


def test_no_number_of_a_validation_row_enters(library: Path, config: Callable[..., Path], tmp_path: Path) -> None:
    """Changing every number of it leaves the results as they are, to the bit."""
    calibrate(config(), tmp_path / "before")
    changed = evidence("judge_me", "validation", "0.01 nmol/L", ["0.005 nmol/L", "0.02 nmol/L"])
    (library / "judge_me.yaml").write_text(yaml.safe_dump(changed))
    calibrate(config(), tmp_path / "after")
    for name in ("posterior.csv", "fit.json"):
        assert (tmp_path / "before" / name).read_bytes() == (tmp_path / "after" / name).read_bytes()


def test_only_calibration_rows_are_scored(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []
    original = abm.study.calibrate.published_of
    monkeypatch.setattr(abm.study.calibrate, "published_of", lambda seen: read.append(seen) or original(seen))
    calibrate(config(), tmp_path / "out")
    validation = load_evidence(library / "judge_me.yaml").observations
    assert read
    assert not set(read) & set(validation)


def test_naming_validation_evidence_is_an_error(library: Path, config: Callable[..., Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"toy.yaml:\d+: evidence = \"judge_me\": is kept for validation"):
        load_calibration(config(evidence=["fit_me", "judge_me"]))
    with pytest.raises(ConfigError, match="is kept for validation"):
        load_calibration(config(evidence=[str(library / "judge_me.yaml")]))


def test_a_copy_of_validation_evidence_is_no_other_paper(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    copy = tmp_path / "mine.yaml"
    copy.write_text((library / "judge_me.yaml").read_text().replace("role: validation", "role: calibration"))
    with pytest.raises(ConfigError, match="is kept for validation"):
        load_calibration(config(evidence=["fit_me", str(copy)]))


def test_validation_evidence_is_refused_however_it_comes(library: Path) -> None:
    calibration = Calibration.model_validate(FIT)
    judged = load_evidence(library / "judge_me.yaml")
    with pytest.raises(ConfigError, match="is kept for validation"):
        fit_calibration(calibration, [judged], seed=1)


def test_the_shipped_library_gives_its_calibration_rows_only() -> None:
    for path in sorted((CONFIG_DIRECTORY / "calibration").glob("*.yaml")):
        _, rows = load_calibration(path)
        assert rows
        assert {row.role for row in rows} == {"calibration"}


@pytest.mark.parametrize(("name", "says"), [("fit.json", "--overwrite"), ("thesis.tex", "--overwrite")])
def test_a_folder_that_holds_something_is_refused_before_the_fit(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, says: str
) -> None:
    monkeypatch.setattr("abm.study.calibrate.fit_calibration", lambda *_, **__: pytest.fail("it was fitted"))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / name).write_text("{}")
    with pytest.raises(ResultsError, match=says) as refused:
        calibrate(config(), tmp_path / "out")
    assert "--resume" not in str(refused.value), "a fit cannot be resumed"
    if name != "fit.json":
        with pytest.raises(ResultsError, match="nothing in it is overwritten"):
            calibrate(config(), tmp_path / "out", overwrite=True)


@pytest.mark.slow
def test_neurons_are_fitted_by_the_expected_neuron(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the surrogate: mRNA in proportion to a gain, which the row wants doubled."""
    pytest.importorskip("pyabc")

    class Stand:
        def __init__(self, items: list[Evidence]) -> None:
            self.observations = [(item, seen) for item in items for seen in item.observations]

        def predict(self, overrides: dict[str, float]) -> Floats:
            return np.full(len(self.observations), overrides.get("expression.activity_gain", 0.95))

    monkeypatch.setattr(abm.study.calibrate, "Surrogate", Stand)
    row = evidence("mrna", "calibration", "0.4", ["0.3", "0.5"], "bdnf_mrna")
    row["observations"] = [{"contrast": "fast / rest", "metric": "bdnf_mrna", "at": "8 h", "ratio": 1.6,
                            "interval": [1.5, 1.7]}]  # fmt: skip
    (library / "mrna.yaml").write_text(yaml.safe_dump(row))
    path = config(method="likelihood_free", evidence="mrna", parameters="expression.activity_gain",
                  settings={"population": 60, "generations": 5})  # fmt: skip
    fit = calibrate(path, tmp_path / "out")
    assert fit.parameters[0].value == pytest.approx(1.6, abs=0.1)
    assert fit.cost_after < fit.cost_before
    again = calibrate(path, tmp_path / "again")
    assert again.draws.tobytes() == fit.draws.tobytes()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"parameters": ["body_ketones.ketone_volum"]}, "did you mean 'body_ketones.ketone_volume'"),
        ({"parameters": ["body_keton.ketone_volume"]}, "did you mean 'body_ketones.ketone_volume'"),
        ({"parameters": []}, "wrong number of entries"),
        ({"parameters": ["body_ketones.ketone_volume"] * 2}, "stands twice"),
        ({"metrics": ["plasma_irisn"]}, "did you mean 'plasma_irisin'"),
        ({"evidence": ["fit_mee"]}, "did you mean 'fit_me'"),
        ({"method": "guess"}, "least_squares or likelihood_free"),
        ({"settings": {"population": 20}}, "least squares has no settings"),
        ({"metrics": ["plasma_bhb"]}, "none of the rows can be predicted"),
        ({"parts": ["tissue"]}, "none of the rows can be predicted"),
        ({"parts": ["tisue"]}, "did you mean 'tissue'"),
    ],
)
def test_wrong_files_exit_with_2_and_write_nothing(
    library: Path, config: Callable[..., Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    says: str,
) -> None:
    assert main(["calibrate", str(config(**changes)), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_recorded_command_names_no_machine(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def carry_out(path: Path, out: Path, *, command: str, **options: Any) -> Any:
        commands.append(command)
        raise ConfigError("enough")

    monkeypatch.setattr(abm.study.calibrate, "calibrate", carry_out)
    shipped = CONFIG_DIRECTORY / "calibration" / "body.yaml"
    assert main(["calibrate", str(shipped.absolute()), "--seed", "7"]) == 2
    assert commands == ["python run.py calibrate configs/calibration/body.yaml --seed 7"]


def test_the_command_prints_rows_and_parameters(
    library: Path, config: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["calibrate", str(config()), "--out", str(tmp_path / "out"), "--quiet"]) == 0
    shown = capsys.readouterr().out
    assert "fit_me: plasma_irisin rest at 8 h" in shown
    assert "body_irisin.irisin_at_rest.human" in shown
    assert "not identified by the rows" in shown


# Parameter files

FILE = """\
# A comment that stays.
volume:
  {value: 0.28 L/kg, range: [0.15 L/kg, 0.3 L/kg], grade: assumed, source: [pan2000], species: human, note: "as, {is}"}
rate:  # by species
  human: {value: 7.5 1/h, range: [3 1/h, 900 1/min], grade: fitted, source: [], interval: [3 1/h, 9 1/h], fit: "old"}
  mouse:
    {value: 60 1/h, range: [30 1/h, 100 1/h], grade: assumed, source: [],
     note: "unchanged"}
share: {value: 0.5, range: [0, 1], grade: assumed, source: []}
"""
COMMAND = "python run.py calibrate configs/calibration/toy.yaml --seed 1"


@pytest.fixture
def parameter_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(parameters, "CONFIG_DIRECTORY", tmp_path)
    path = tmp_path / "parameters" / "kinetics.yaml"
    path.parent.mkdir()
    path.write_text(FILE)
    return path


def test_fitted_numbers_are_written_and_all_else_stays(parameter_file: Path) -> None:
    numbers = [
        FittedNumber("kinetics.volume", 0.2512345, 0.2012345, 0.29, True),
        FittedNumber("kinetics.rate.human", None, 4.00001, 12.0, False),
        FittedNumber("kinetics.share", 1e-5, 0.0, 2e-5, True),
    ]
    assert write_fitted(numbers, COMMAND, parameter_file.parent) == [parameter_file]
    records = parameter_records("kinetics")
    assert records["volume"].value == "0.2512 L/kg"
    assert records["volume"].interval == (0.2012, 0.29)
    assert {records[name].grade for name in ("volume", "rate.human", "share")} == {"fitted"}
    assert records["rate.human"].value == "7.5 1/h"
    assert records["rate.human"].interval == (4.0, 12.0)
    assert records["rate.human"].fit == COMMAND
    assert records["share"].number == 1e-5
    assert records["volume"].note == "as, {is}"
    text = parameter_file.read_text()
    for line in ("# A comment that stays.", "rate:  # by species", '     note: "unchanged"}'):
        assert line in text.splitlines()
    before = yaml.safe_load(FILE)["rate"]["mouse"]
    assert yaml.safe_load(text)["rate"]["mouse"] == before


def test_writing_twice_is_writing_once(parameter_file: Path) -> None:
    numbers = [FittedNumber("kinetics.volume", 0.25, 0.2, 0.29, False)]
    write_fitted(numbers, COMMAND, parameter_file.parent)
    once = parameter_file.read_text()
    assert "not identified" in parameter_records("kinetics")["volume"].note
    write_fitted(numbers, COMMAND, parameter_file.parent)
    assert parameter_file.read_text() == once
    write_fitted([numbers[0]._replace(identified=True)], COMMAND, parameter_file.parent)
    assert parameter_file.read_text() == once.replace("; not identified by the rows of the fit", "")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('interval: [3 1/h, 9 1/h], fit: "old"', "", "a fitted number needs 'interval'"),
        (', fit: "old"', "", "a fitted number needs 'fit'"),
        ("[3 1/h, 9 1/h]", "[8 1/h, 9 1/h]", "not an interval about 7.5 1/h"),
        ("[3 1/h, 9 1/h]", "[2 1/h, 9 1/h]", "not an interval about 7.5 1/h"),
        ("[3 1/h, 9 1/h]", "9 1/h", "a list of two values"),
        ("grade: fitted", "grade: assumed", "a number that is assumed has no interval"),
    ],
)
def test_a_fitted_number_needs_its_interval(parameter_file: Path, old: str, new: str, says: str) -> None:
    parameter_file.write_text(FILE.replace(old, new).replace(", }", "}"))
    with pytest.raises(ParameterError, match=says):
        parameter_records("kinetics")


def test_every_fitted_number_of_the_library_has_an_interval_and_its_command() -> None:
    for part in parameter_parts():
        for name, record in parameter_records(part).items():
            if record.grade == "fitted":
                assert record.interval is not None, f"{part}.{name}"
                assert record.low <= record.interval[0] <= record.number <= record.interval[1] <= record.high
                assert record.fit.startswith("python run.py calibrate configs/calibration/"), f"{part}.{name}"


def test_least_squares_fits_neurons_by_the_expected_neuron_too(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stand-in has an analytic optimum: the row and the prior pull on the logarithm of the gain."""

    record = parameter_records("synapses")["contact_gain"]

    class Proportional:
        def __init__(self, items: list[Evidence]) -> None:
            self.observations = [(item, seen) for item in items for seen in item.observations]

        def predict(self, overrides: dict[str, float]) -> Floats:
            return np.full(len(self.observations), overrides.get("synapses.contact_gain", record.number))

    monkeypatch.setattr(abm.study.calibrate, "Surrogate", Proportional)
    row = evidence("spines", "calibration", "0.4", ["0.3", "0.5"], "spine_density")
    row["observations"] = [{"contrast": "fast / rest", "metric": "spine_density", "at": "8 h", "ratio": 0.3,
                            "interval": [0.25, 0.36]}]  # fmt: skip
    (library / "spines.yaml").write_text(yaml.safe_dump(row))
    path = config(method="least_squares", evidence="spines", parameters="synapses.contact_gain")
    fit = calibrate(path, tmp_path / "out")
    error = math.log(0.36 / 0.25) / (2 * 1.96)
    spread = math.log(record.high / record.low) / (2 * 1.96)
    weight = spread**2 / (spread**2 + error**2)
    expected = (1 - weight) * math.log(record.number) + weight * math.log(0.3)
    assert math.log(fit.parameters[0].most_probable) == pytest.approx(expected, abs=0.01)


def test_a_fit_of_neurons_and_body_at_once_is_refused(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    path = config(method="least_squares", evidence="calibration",
                  parameters=["synapses.contact_gain", "body_lactate.lactate_active_clearance"])  # fmt: skip
    with pytest.raises(ConfigError, match="neurons and of the body"):
        calibrate(path, tmp_path / "out")


def test_a_likelihood_free_fit_of_the_body_is_refused(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match="of neurons only"):
        calibrate(config(method="likelihood_free"), tmp_path / "out")


def test_before_a_fit_is_what_the_parameter_file_holds(
    library: Path, config: Callable[..., Path], tmp_path: Path
) -> None:
    """And not the centre of the prior, which differs from it where an earlier result was written."""
    key = "body_irisin.irisin_at_rest.human"
    held = parameter_records("body_irisin")["irisin_at_rest.human"].number
    fit = calibrate(config(centres={key: "0.38 nmol/L"}), tmp_path / "out")
    assert fit.parameters[0].prior.value == held
    assert fit.rows[0].before == pytest.approx(held, rel=0.05)
    assert json.loads((tmp_path / "out" / "fit.json").read_text())["parameters"][0]["before"] == held


def test_a_parameter_of_another_posterior_is_refused_before_the_fit(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fit = calibrate(config(), tmp_path / "first")
    write_posterior(posterior_of(fit, COMMAND), tmp_path / "posterior")
    monkeypatch.setattr("abm.study.posterior.posterior_folder", lambda: tmp_path / "posterior")
    monkeypatch.setattr("abm.study.calibrate.fit_calibration", lambda *_, **__: pytest.fail("it was fitted"))
    with pytest.raises(ConfigError, match=r"the fit 'toy' has it already.*name: toy"):
        calibrate(config(name="mine"), tmp_path / "second", write=True)
    assert not (tmp_path / "second").exists()


def test_a_folder_that_cannot_be_made_is_told_before_the_fit(
    library: Path, config: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("abm.study.calibrate.fit_calibration", lambda *_, **__: pytest.fail("it was fitted"))
    (tmp_path / "file").write_text("")
    with pytest.raises(ResultsError, match="cannot be used"):
        calibrate(config(), tmp_path / "file" / "fit")


def test_a_fast_before_a_session_to_come_is_kept_in_a_fit() -> None:
    """Glucose-sparing ketones of the morning are those of the fasted, whether the run is read before or after."""
    fasted = {
        "sessions": {"kind": "cycling", "intensity": "60 %VO2max", "duration": "1 h", "start": "09:00"},
        "meals": {"fast": {"before_sessions": "12 h"}},
    }
    seen = {"metric": "plasma_bhb", "at": "9 h", "value": "0.3 mmol/L", "interval": ["0.1 mmol/L", "0.5 mmol/L"]}
    item = Evidence.model_validate(
        {
            "id": "rows", "source": "pan2000", "role": "calibration",
            "protocol": {
                "tissue": PROTOCOL["tissue"], "schedules": {"fed": {}, "fasted": fasted}, "reference": "fed",
                "run": {"duration": "10 h", "burn_in": "0 h", "replicates": 1, "step": "1 h"},
            },
            "observations": [{"schedule": name} | seen for name in ("fed", "fasted")],
        }
    )  # fmt: skip
    rows = BodyRows([(item, observation) for observation in item.observations])
    fed, without_breakfast = rows.predict([], np.empty(0))
    assert without_breakfast > 1.2 * fed


# Centres of priors


@pytest.mark.parametrize("name", ["neurons", "blood"])
def test_priors_of_fits_that_move_values_do_not_move_with_them(name: str) -> None:
    """Else a fit repeated from its own result would find another one."""
    calibration, _ = load_calibration(CONFIG_DIRECTORY / "calibration" / f"{name}.yaml")
    assert set(calibration.centres) == set(calibration.records)


@pytest.mark.parametrize(
    ("centre", "said"),
    [
        ({"expression.activity_gian": 0.5}, r"is not fitted.*'expression.activity_gain'"),
        ({"expression.activity_gain": 50}, r"outside the range; expected 0.1 to 2"),
        ({"expression.activity_gain": "much"}, r"not a number"),
        ({"expression.lactate_half": 3}, r"bare number"),
        ({"expression.lactate_half": "3 h"}, r"wrong dimension"),
        ({"expression.activity_gain": None}, r"\.activity_gain: is of the wrong kind; expected a number"),
        ({"expression.activity_gain": True}, r"is of the wrong kind"),
    ],
)
def test_centres_are_checked(tmp_path: Path, centre: dict[str, Any], said: str) -> None:
    path = tmp_path / "fit.yaml"
    names = ["expression.activity_gain", "expression.lactate_half"]
    path.write_text(
        yaml.safe_dump({"name": "fit", "method": "least_squares", "parameters": names, "centres": centre})
    )
    with pytest.raises(ConfigError, match=said):
        load_calibration(path)


def test_a_likelihood_free_fit_has_no_centres(tmp_path: Path) -> None:
    path, key = tmp_path / "fit.yaml", "expression.activity_gain"
    path.write_text(
        yaml.safe_dump({"name": "fit", "method": "likelihood_free", "parameters": [key], "centres": {key: 0.5}})
    )
    with pytest.raises(ConfigError, match=r"centres.*are flat"):
        load_calibration(path)
