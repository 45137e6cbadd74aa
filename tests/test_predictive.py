"""Posterior draws, and what they leave open of an experiment: laws of draws, intervals and files."""

import csv
import math
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from toy import Here

import abm.study.crew
import abm.study.posterior
from abm.cli import main
from abm.config import ConfigError, Experiment, build_experiment
from abm.parameters import parameter_records
from abm.streams import generator
from abm.study.crew import Borrowed
from abm.study.plan import Plan, plan_experiment
from abm.study.posterior import Posterior, load_posterior, load_posteriors, write_posterior
from abm.study.predictive import Prediction, predict, predictive_rows
from abm.study.results import PredictiveRow, open_results
from abm.study.truncated_normal import truncated_normal

Floats = np.ndarray[Any, np.dtype[np.float64]]

KEYS = ("expression.activity_gain", "expression.release_exponent", "epigenome.hdac3_loss", "network.movement_gain")
COMMAND = "python run.py calibrate configs/calibration/neurons.yaml --seed 1"
EXPERIMENT = {
    "name": "tiny",
    "subject": {"species": "mouse"},
    "tissue": {"neurons": 30, "size": ["200 um", "200 um"]},
    "schedules": {
        "sedentary": {},
        "wheel": {"sessions": {"kind": "wheel", "distance": "5 km/d", "start": "02:00", "duration": "10 h"}},
    },
    "reference": "sedentary",
    "observe": [
        {"metric": "bdnf_mrna", "every": "12 h"},
        {"metric": "hdac3.CA1", "at": "12 h"},
        {"metric": "bdnf_release", "at": "12 h"},
        {"metric": "tissue_lactate", "at": "12 h"},
    ],
    "run": {"duration": "1 d", "burn_in": "1 d", "replicates": 2, "seed": 5, "step": "30 min"},
}


def posterior(width: float, count: int = 60, **changes: Any) -> Posterior:
    """Draws about the committed values: `width` of the way to the ends of the ranges."""
    records = [parameter_records(part)[name] for part, _, name in (key.partition(".") for key in KEYS)]
    share = generator(3, 0, "test").uniform(-width, width, (count, len(KEYS)))
    value, low, high = (np.array([getattr(r, name) for r in records]) for name in ("number", "low", "high"))
    draws = value + np.where(share > 0.0, share * (high - value), share * (value - low))
    units = tuple(record.unit for record in records)
    given = {"name": "neurons", "command": COMMAND, "keys": KEYS, "units": units, "values": tuple(value.tolist())}
    return Posterior(**{**given, "draws": draws, **changes})  # type: ignore[arg-type]


def tiny(**changes: Any) -> Experiment:
    return build_experiment({**EXPERIMENT, **changes})


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_experiment(tiny())


def predicted(plan: Plan, *posteriors: Posterior) -> list[PredictiveRow]:
    return predictive_rows(plan, predict(plan, list(plan.timelines), posteriors), [])


@pytest.fixture(scope="module")
def rows(plan: Plan) -> list[PredictiveRow]:
    return predicted(plan, posterior(0.5))


def widths(rows: list[PredictiveRow]) -> Floats:
    return np.array([math.log(row.ratio_high / row.ratio_low) for row in rows if row.schedule == "wheel"])


# Draws


def test_draws_reproduce_the_covariance_where_ranges_are_wide() -> None:
    mean, covariance = np.array([1.0, -2.0, 0.5]), np.array([[1.0, 0.9, 0.0], [0.9, 2.0, -0.6], [0.0, -0.6, 0.7]])
    wide = np.full(3, 50.0)
    draws = truncated_normal(mean, covariance, -wide, wide, 4000, generator(1, 0, "test"))
    np.testing.assert_allclose(draws.mean(axis=0), mean, atol=0.08)
    np.testing.assert_allclose(np.cov(draws.T), covariance, atol=0.1)


def test_draws_have_the_moments_of_a_cut_normal_and_do_not_pile_up() -> None:
    """A standard normal from its middle on is a half-normal: mean sqrt(2 / pi), variance 1 - 2 / pi."""
    zero, one = np.zeros(1), np.ones((1, 1))
    draws = truncated_normal(zero, one, zero, np.array([50.0]), 4000, generator(1, 0, "test"))[:, 0]
    assert draws.min() > 0.0
    assert draws.mean() == pytest.approx(math.sqrt(2.0 / math.pi), abs=0.04)
    assert draws.var() == pytest.approx(1.0 - 2.0 / math.pi, abs=0.04)


@pytest.mark.parametrize(
    ("middle", "correlation", "low", "high", "close"),
    [
        (0.5, 0.8, (0.0, -0.5), (1.0, 3.0), 0.04),
        # Cut far from the middle, where draws that are only moved into the ranges pile up.
        (0.0, 0.97, (0.5, -4.0), (4.0, 0.6), 0.01),
    ],
)
def test_draws_of_correlated_numbers_keep_to_the_cut_density(
    middle: float, correlation: float, low: tuple[float, float], high: tuple[float, float], close: float
) -> None:
    """Against draws of the whole normal of which those outside are thrown away."""
    mean, covariance = np.full(2, middle), np.array([[1.0, correlation], [correlation, 1.0]])
    draws = truncated_normal(mean, covariance, np.array(low), np.array(high), 4000, generator(1, 0, "test"))
    every = generator(2, 0, "test").multivariate_normal(mean, covariance, 400_000)
    kept = every[((every >= low) & (every <= high)).all(axis=1)]
    np.testing.assert_allclose(draws.mean(axis=0), kept.mean(axis=0), atol=close)
    np.testing.assert_allclose(np.cov(draws.T), np.cov(kept.T), atol=0.75 * close)


def test_without_spread_every_draw_is_the_mean() -> None:
    mean, ends = np.array([1.0, 2.0]), np.array([5.0, 5.0])
    draws = truncated_normal(mean, np.zeros((2, 2)), -ends, ends, 3, generator(1, 0, "test"))
    assert (draws == mean).all()


# Predictive intervals


def test_without_uncertainty_every_draw_predicts_what_the_committed_values_do(plan: Plan) -> None:
    for row in predicted(plan, posterior(0.0, count=3)):
        assert (row.ratio_low, row.ratio_median, row.ratio_high) == (row.ratio_fitted,) * 3


@pytest.mark.parametrize("voxel", [32, 400])
def test_any_voxel_has_a_piece_of_tissue_for_the_expected_neuron(voxel: int) -> None:
    plan = plan_experiment(tiny(tissue={"neurons": 30, "size": ["1.6 mm", "1.6 mm"], "voxel": f"{voxel} um"}))
    assert predicted(plan, posterior(0.0, count=1))


def test_nothing_is_predicted_of_a_tissue_with_open_sides() -> None:
    tissue = {"neurons": 30, "size": ["200 um", "200 um"], "boundaries": "washout"}
    plan = plan_experiment(tiny(tissue=tissue))
    assert "open at its sides" in predict(plan, list(plan.timelines), [posterior(0.5)]).left_out


def test_a_wider_posterior_gives_wider_intervals(plan: Plan, rows: list[PredictiveRow]) -> None:
    narrow, wide = widths(predicted(plan, posterior(0.1))), widths(rows)
    assert (narrow > 0.0).all()
    assert (wide > 2.0 * narrow).all()


def test_intervals_hold_the_prediction_of_the_committed_values(rows: list[PredictiveRow]) -> None:
    for row in rows:
        assert row.ratio_low <= row.ratio_fitted <= row.ratio_high
        assert row.ratio_low <= row.ratio_median <= row.ratio_high


def test_the_reference_is_exactly_one(rows: list[PredictiveRow]) -> None:
    own = [row for row in rows if row.schedule == "sedentary"]
    assert own
    assert {number for row in own for number in row[7:11]} == {1.0}


def test_rows_are_the_readings_that_the_expected_neuron_has(rows: list[PredictiveRow]) -> None:
    found = [(row.metric, row.region, row.time_h) for row in rows if row.schedule == "wheel"]
    # Not hdac3 of CA1: the expected neuron knows no regions.
    assert found == [("bdnf_mrna", "all", 12.0), ("bdnf_mrna", "all", 24.0), ("bdnf_release", "all", 12.0)]
    assert {row.draws for row in rows} == {60}
    assert {math.isnan(row.median) for row in rows if row.metric == "bdnf_release"} == {True}


def test_same_draws_same_bits(plan: Plan, rows: list[PredictiveRow]) -> None:
    again = predicted(plan, posterior(0.5))
    assert repr(again) == repr(rows)


def test_the_place_of_the_run_is_the_share_of_draws_below_it(plan: Plan) -> None:
    from abm.study.plan import Reading
    from abm.study.results import SummaryRow

    drawn = np.array([[[1.0], [1.0 + share]] for share in (0.1, 0.2, 0.3, math.nan)])
    reading = Reading("bdnf_mrna", "all", 24)
    found = Prediction(("sedentary", "wheel"), (reading,), np.array([[1.0], [1.2]]), drawn, ("neurons",))
    ran = SummaryRow("wheel", "bdnf_mrna", "all", 12.0, "1", 2, *[math.nan] * 3, 1.25, *[math.nan] * 3)
    row = predictive_rows(plan, found, [ran])[1]
    assert (row.draws, row.run_ratio, row.run_place) == (3, 1.25, pytest.approx(2 / 3))
    assert row.ratio_median == pytest.approx(1.2)


def test_ratios_that_differ_by_rounding_have_no_place(plan: Plan) -> None:
    from abm.study.plan import Reading
    from abm.study.results import SummaryRow

    drawn = np.array([[[1.0], [1.0 + 1e-8]], [[1.0], [1.0 - 1e-8]]])
    found = Prediction(
        ("sedentary", "wheel"), (Reading("bdnf_mrna", "all", 24),), np.array([[1.0], [1.0]]), drawn, ("neurons",)
    )
    ran = SummaryRow("wheel", "bdnf_mrna", "all", 12.0, "1", 2, *[math.nan] * 3, 1.0, *[math.nan] * 3)
    assert math.isnan(predictive_rows(plan, found, [ran])[1].run_place)


@pytest.mark.parametrize(
    ("changes", "given", "says"),
    [
        ({}, [], "there is no posterior of neurons"),
        ({"subject": {"overrides": {"expression.creb_time": "1 h"}}}, [{}], "changes expression.creb_time, on which"),
        ({"observe": [{"metric": "tissue_bhb"}], "subject": {}}, [{}], "observed after time zero"),
        ({}, [{"values": (9.0, 1.0, 1.0, 1.0)}], f"neurons is stale, as expression.activity_gain is 9 there .* "
         f"run `{COMMAND} --write` again"),
        ({}, [{"keys": ("expression.gone", *KEYS[1:])}], "is no parameter expression.gone any more"),
        ({}, [{"units": ("h", "1", "1", "1")}], "is in h there and in 1 in the parameter files"),
        ({}, [{"draws": np.full((5, 4), 99.0)}], "draws of expression.activity_gain lie outside its range"),
    ],
)  # fmt: skip
def test_what_would_mean_nothing_is_left_out_with_a_reason(
    changes: dict[str, Any], given: list[dict[str, Any]], says: str
) -> None:
    given_up = plan_experiment(build_experiment({**EXPERIMENT, "schedules": {"sedentary": {}}, **changes}))
    found = predict(given_up, ["sedentary"], [posterior(0.1, **change) for change in given])
    assert predictive_rows(given_up, found, []) == []
    assert re.search(says, found.left_out)
    assert found.account()["draws"] == 0


# Files


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    written = posterior(0.5)
    path = write_posterior(written, tmp_path / "posterior")
    (found,) = load_posteriors(path.parent)
    assert found[:5] == written[:5]
    np.testing.assert_allclose(found.draws, written.draws, rtol=1e-5)
    assert found.stale() == ""
    assert write_posterior(found, tmp_path).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("# command: ", "# made by ", "has no line '# command:'"),
        ("# values: ", "# values: 1,", "not a number for each parameter; expected 4 numbers"),
        (",expression.release_exponent", ",expression.activity_gain", "a parameter stands twice"),
        ("\n0.", "\nnan,0.", r"neurons.csv:5: not a number for each parameter"),
    ],
)
def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = write_posterior(posterior(0.5), tmp_path)
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ConfigError, match=says):
        load_posterior(path)


def test_a_parameter_belongs_to_one_posterior(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_posterior(posterior(0.5, name=name), tmp_path)
    with pytest.raises(ConfigError, match=r"second.csv: expression.activity_gain: also stands in first.csv"):
        load_posteriors(tmp_path)


def test_a_folder_that_is_not_there_holds_none(tmp_path: Path) -> None:
    assert load_posteriors(tmp_path / "none") == []


def test_shipped_posteriors_belong_to_the_parameter_files() -> None:
    shipped = load_posteriors()
    assert {found.name for found in shipped} == {
        "barrier", "blood", "body", "dexamethasone", "neurons", "plasma_volume", "training"
    }
    assert [found.stale() for found in shipped if found.stale()] == []


# The command line


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_posterior(posterior(0.5), tmp_path / "posterior")
    monkeypatch.setattr(abm.study.posterior, "posterior_folder", lambda: tmp_path / "posterior")
    monkeypatch.setattr("abm.view.drawing.summon", lambda pool: None)
    monkeypatch.setattr("abm.view.drawing.draw", lambda pool, folder: {})
    here = lambda workers: nullcontext(Borrowed(Here(), workers))  # noqa: E731
    monkeypatch.setattr(abm.study.crew, "local_processes", here)
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(EXPERIMENT, sort_keys=False), encoding="utf-8")
    return path


@pytest.mark.slow
def test_experiment_prints_and_keeps_what_the_parameters_leave_open(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["experiment", str(config), "--out", str(out), "--quiet", "--workers", "1"]) == 0
    assert "parameters 95 %" in capsys.readouterr().out
    results = open_results(out)
    assert results.manifest["predictive"] == {"posteriors": ["neurons"], "draws": 60, "left_out": ""}
    with (out / "predictive.csv").open() as stream:
        assert next(csv.reader(stream)) == list(PredictiveRow._fields)
    recorded = {(row.schedule, row.metric, row.region, row.time_h): row.ratio for row in results.summary_rows}
    found = [row for row in results.predictive_rows if row.schedule == "wheel"]
    assert [row.run_ratio for row in found] == [recorded[row[:4]] for row in found]
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "What the parameters leave open" in page
    assert "their calibration evidence: neurons; only" in page
    assert (out / "figures" / "predictive.png").is_file()
    # Interrupted before the end, it is made when the study goes on.
    before = (out / "predictive.csv").read_bytes()
    (out / "predictive.csv").unlink()
    manifest = out / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"complete"', '"interrupted"'))
    assert main(["experiment", str(config), "--out", str(out), "--quiet", "--workers", "2", "--resume"]) == 0
    assert (out / "predictive.csv").read_bytes() == before


def test_a_damaged_posterior_is_told_before_anything_runs(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "posterior" / "neurons.csv").write_text("# nothing\n")
    assert main(["experiment", str(config), "--out", str(tmp_path / "out"), "--quiet"]) == 2
    assert "neurons.csv" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
