"""Attribution: clamped arms of a study, and the shares of each signal in what a schedule does."""

import csv
import math
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from toy import PLAN, Here, toy_experiment, toy_model

import abm.study.crew
from abm.cli import main
from abm.config import ConfigError, load_experiment
from abm.study.attribute import Attribution, Share, attribute, interaction_rows, share_rows
from abm.study.clamping import READ_OUTS, SIGNALS, ClampedStudy, clamped_study
from abm.study.contrasts import ratio_of_means
from abm.study.crew import Borrowed
from abm.study.shapley import coalitions
from abm.study.store import ResultsError
from abm.view.attribution import attribution_text, pair_lines, share_text, silent_lines, write_attribution_page


@pytest.fixture(scope="module")
def study() -> ClampedStudy:
    return clamped_study(toy_experiment())


@pytest.fixture(scope="module")
def found(study: ClampedStudy, tmp_path_factory: pytest.TempPathFactory) -> Attribution:
    with toy_model():
        return attribute(study, tmp_path_factory.mktemp("attribution"), executor=Here(), workers=1)


def by_signal(attribution: Attribution, schedule: str, metric: str) -> dict[str, Share]:
    return {row.signal: row for row in attribution.shares if (row.schedule, row.metric) == (schedule, metric)}


# arms


def test_every_combination_has_its_arm(study: ClampedStudy) -> None:
    assert set(study.active["run"]) <= set(SIGNALS)
    assert {through for _, through in study.arms} == set(coalitions(study.active["run"]))
    assert study.arms["run", frozenset(study.active["run"])] == "run"
    assert next(iter(study.plan.timelines)) == study.original.reference


def test_an_arm_is_clamped_where_its_signal_is_not_let_through(study: ClampedStudy) -> None:
    through = frozenset({"lactate"})
    plasma = study.forcing.schedules[study.arms["run", through]]
    free, day = study.forcing.schedules["run"], study.forcing.resting_day
    assert plasma.lactate.tolist() == free.lactate.tolist() != day.lactate.tolist()
    assert plasma.movement.tolist() == day.movement.tolist() != free.movement.tolist()
    assert plasma.cortisol.tolist() == day.cortisol.tolist()


def test_with_every_signal_at_rest_the_tissue_meets_the_resting_reference(study: ClampedStudy) -> None:
    """A schedule without blocks and doses into the brain does nothing besides its signals: no run is needed for it."""
    assert study.arms["run", frozenset()] == "sedentary"


def test_a_signal_that_never_leaves_rest_halves_the_combinations() -> None:
    blocked = "schedules.blocked={blocks: {target: MCT1, fraction: 0.9, start: 0 h}}"
    study = clamped_study(toy_experiment(blocked))
    assert study.active["blocked"] == ()
    assert study.silent("blocked") == SIGNALS
    assert study.arms["blocked", frozenset()] == "blocked"


def test_schedules_that_share_a_signal_share_its_arm() -> None:
    run = "sessions: {kind: running, intensity: 70 %VO2max, duration: 30 min, start: '07:30'}"
    fast = "meals: {fast: {start: 0 h, duration: 10 h}}"
    study = clamped_study(toy_experiment(f"schedules.fasted_run={{{run}, {fast}}}"))
    alone = frozenset({"input_activity"})
    assert study.arms["run", alone] == study.arms["fasted_run", alone]
    assert study.arms["run", frozenset({"bhb"})] != study.arms["fasted_run", frozenset({"bhb"})]


def test_names_of_arms_do_not_collide_with_schedules() -> None:
    study = clamped_study(toy_experiment("schedules.run+bhb={meals: {fast: {start: 0 h, duration: 10 h}}}"))
    assert study.arms["run", frozenset({"bhb"})] == "run+bhb"
    assert study.arms["run+bhb", frozenset(study.active["run+bhb"])] == "run+bhb_"


def test_the_plan_reads_only_the_end(study: ClampedStudy) -> None:
    assert [(r.metric, r.region, r.step) for r in study.plan.readings] == [(m, "all", 48) for m in READ_OUTS]
    assert study.plan.trace_steps == (0, 48)
    assert study.plan.state_steps == ()


@pytest.mark.parametrize("preparation", ["slice", "culture"])
def test_a_preparation_without_blood_is_refused(preparation: str) -> None:
    bath = "{bath: {doses: {what: lactate, route: bath, amount: 5 mmol/L, at: 0 h}}, control: {}}"
    observe = "observe=[{metric: bdnf_protein}]"
    experiment = toy_experiment(f"schedules={bath}", "reference=control", f"preparation={preparation}", observe)
    with pytest.raises(ConfigError, match="no blood"):
        clamped_study(experiment)


def test_a_reference_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="only the reference"):
        clamped_study(toy_experiment("schedules={sedentary: {}}"))


# shares


def games(seed: int, active: tuple[str, ...], replicates: int = 4) -> dict[frozenset[str], Any]:
    draw = np.random.default_rng(seed)
    return {through: draw.normal(0.3, 0.02, replicates) for through in coalitions(active)}


def test_shares_and_remainder_add_up_to_the_whole_effect() -> None:
    rows = {row.signal: row for row in share_rows("hiit", "bdnf_protein", SIGNALS, games(0, SIGNALS))}
    assert list(rows) == [*SIGNALS, "remainder", "total"]
    parts = [row for signal, row in rows.items() if signal != "total"]
    assert math.fsum(row.shapley_log for row in parts) == pytest.approx(rows["total"].shapley_log, rel=1e-14)
    assert math.fsum(row.share for row in parts) == pytest.approx(1.0, rel=1e-13)
    assert math.prod(row.effect_ratio for row in parts) == pytest.approx(rows["total"].effect_ratio, rel=1e-13)
    assert rows["total"].share == rows["total"].share_ci_low == rows["total"].share_ci_high == pytest.approx(1.0)


def test_a_silent_signal_has_no_share() -> None:
    active = ("bhb", "lactate")
    rows = {row.signal: row for row in share_rows("hiit", "bdnf_protein", active, games(0, active))}
    for signal in ("irisin", "cortisol", "input_activity"):
        assert rows[signal][3:9] == (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def test_an_effect_that_is_a_sum_is_shared_out_exactly_and_without_interaction() -> None:
    own = dict(zip(SIGNALS, (0.01, 0.02, 0.0, -0.03, 0.05), strict=True))
    tissue = np.array([0.0, 0.001, -0.002])
    game = {s: math.fsum(own[name] for name in s) * (1.0 + tissue) for s in coalitions(SIGNALS)}
    rows = {row.signal: row for row in share_rows("hiit", "synaptic_strength", SIGNALS, game)}
    for signal, effect in own.items():
        assert rows[signal].shapley_log == pytest.approx(effect * (1.0 + tissue.mean()), abs=1e-15)
        assert rows[signal].share == pytest.approx(effect / 0.05)
    assert all(abs(row.interaction_log) < 1e-15 for row in interaction_rows("hiit", "bdnf_protein", SIGNALS, game))


def test_a_replicate_with_a_lost_run_counts_nowhere() -> None:
    game = games(1, SIGNALS)
    whole = share_rows("hiit", "bdnf_protein", SIGNALS, {s: worth[1:] for s, worth in game.items()})
    game[frozenset({"bhb"})][0] = math.nan
    assert share_rows("hiit", "bdnf_protein", SIGNALS, game) == whole
    assert whole[0].n == 3


def test_fieller_interval_holds_the_ratios_that_cannot_be_refuted() -> None:
    from scipy.stats import ttest_1samp

    draw = np.random.default_rng(3)
    total = draw.normal(1.0, 0.2, 8)
    part = 0.4 * total + draw.normal(0.0, 0.1, 8)
    share, low, high = ratio_of_means(part, total)
    assert low < share == part.mean() / total.mean() < high
    for end in (low, high):
        assert ttest_1samp(part - end * total, 0.0).pvalue == pytest.approx(0.05)


def test_a_share_of_an_effect_that_may_be_zero_has_no_interval() -> None:
    total = np.array([-1.0, 1.0, 0.1])
    share, low, high = ratio_of_means(0.5 * total, total)
    assert share == pytest.approx(0.5)
    assert math.isnan(low)
    assert math.isnan(high)
    assert all(map(math.isnan, ratio_of_means(total, np.zeros(3))))


# the toy model, in which movement alone raises BDNF and strength


def test_the_toy_model_owes_everything_to_movement(found: Attribution) -> None:
    for metric in READ_OUTS:
        rows = by_signal(found, "run", metric)
        assert rows["total"].shapley_log > 0.0
        assert rows["input_activity"].shapley_log == pytest.approx(rows["total"].shapley_log, rel=1e-12)
        assert rows["input_activity"].share == pytest.approx(1.0)
        assert all(abs(rows[s].shapley_log) < 1e-15 for s in SIGNALS if s != "input_activity")
        assert rows["total"].n == 3


def test_the_toy_effect_is_the_one_of_its_rule(study: ClampedStudy, found: Attribution) -> None:
    movement = study.forcing.schedules["run"].movement
    expected = math.fsum(np.log1p(0.01 * movement))
    assert by_signal(found, "run", "bdnf_protein")["total"].shapley_log == pytest.approx(expected, rel=1e-12)


def test_the_results_folder(found: Attribution) -> None:
    names = {path.name for path in found.path.iterdir()}
    assert names == {"config.yaml", "manifest.json", "attribution.csv", "interactions.csv", "coalitions.csv"}
    assert load_experiment(found.path / "config.yaml") == toy_experiment()
    with (found.path / "attribution.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "schedule", "metric", "signal", "shapley_log", "ci_low", "ci_high", "share", "share_ci_low", "share_ci_high",
        "n", "effect_ratio",
    ]  # fmt: skip
    assert [float(row["shapley_log"]) for row in rows] == [row.shapley_log for row in found.shares]


def test_what_is_finished_is_not_run_again(study: ClampedStudy, found: Attribution) -> None:
    crew = Here()
    with toy_model():
        again = attribute(study, found.path, executor=crew, workers=1, resume=True)
    assert crew.tasks == 0
    assert again == found
    with pytest.raises(ResultsError, match="--resume"):
        attribute(study, found.path, executor=crew, workers=1)


def test_a_lost_run_is_told_and_resumed(study: ClampedStudy, found: Attribution, tmp_path: Path) -> None:
    def fail(schedule: str, replicate: int, model: Any) -> None:
        if schedule == "run" and replicate == 1:
            raise OverflowError("too much")

    with toy_model(fail):
        partial = attribute(study, tmp_path, executor=Here(), workers=1)
    assert [(f["schedule"], f["replicate"]) for f in partial.failures] == [("run", 1)]
    assert by_signal(partial, "run", "bdnf_protein")["total"].n == 2
    crew = Here()
    with toy_model():
        whole = attribute(study, tmp_path, executor=crew, workers=1, resume=True)
    assert crew.tasks == 1
    assert whole.shares == found.shares


def test_an_experiments_results_are_not_taken_for_an_attribution(study: ClampedStudy, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"status": "complete"}', encoding="utf-8")
    with pytest.raises(ResultsError, match="nothing in it is overwritten"):
        attribute(study, tmp_path, executor=Here(), workers=1, overwrite=True)


# what is shown


def test_the_table_tells_factors_shares_and_signals_at_rest(found: Attribution) -> None:
    text = attribution_text(found)
    total = by_signal(found, "run", "bdnf_protein")["total"]
    assert f"{total.effect_ratio:.4f}" in text
    assert "100 %" in text
    assert silent_lines(replace(found, silent={"run": ("bhb", "irisin")})) == [
        "run never moves BHB, irisin from rest: no effect, and no runs needed."
    ]


def test_pairs_are_named_where_they_can_be_told_from_none(found: Attribution) -> None:
    one = found.interactions[0]._replace(interaction_log=0.1, ci_low=0.05, ci_high=0.15)
    other = found.interactions[1]._replace(interaction_log=0.2, ci_low=-0.1, ci_high=0.5)
    (line,) = pair_lines(replace(found, interactions=[one, other]))
    assert "1.1052 [1.0513, 1.1618]" in line
    assert line.count(" with ") == 1


def test_the_page_needs_nothing_else(found: Attribution, tmp_path: Path) -> None:
    for name in ("manifest.json",):
        (tmp_path / name).write_bytes((found.path / name).read_bytes())
    page = write_attribution_page(replace(found, path=tmp_path)).read_text(encoding="utf-8")
    assert 'src="data:image/png' in page
    assert "input activity" in page
    assert (tmp_path / "figures" / "attribution.png").is_file()


# the command line


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(PLAN, sort_keys=False), encoding="utf-8")
    return path


def test_the_verb_prints_writes_and_resumes(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here = Here()
    monkeypatch.setattr(abm.study.crew, "local_processes", lambda workers: nullcontext(Borrowed(here, workers)))
    command = ["attribute", str(config), "--out", str(tmp_path / "out")]
    with toy_model():
        assert main([*command, "--set", "run.duration=12 h"]) == 0, "although the file observes a later time"
        shown, tasks = capsys.readouterr(), here.tasks
        assert main([*command, "--set", "run.duration=12 h", "--resume", "--quiet"]) == 0
    assert "run / sedentary" in shown.out
    assert "32 combinations" in shown.err, "the estimate goes to stderr"
    assert here.tasks == tasks
    again = capsys.readouterr()
    assert (again.out, again.err) == (shown.out, "")
    assert {path.name for path in (tmp_path / "out").iterdir()} >= {"attribution.csv", "attribution.html", "figures"}


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("preparation=culture", "a culture has no sessions"),
        ("schedules={sedentary: {}}", "only the reference"),
        ("run.replicats=3", "replicates"),
    ],
)
def test_wrong_input_exits_with_2_and_writes_nothing(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, told: str
) -> None:
    assert main(["attribute", str(config), "--out", str(tmp_path / "out"), "--set", option]) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_tiny_experiment_from_end_to_end(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Real tissue: the shares add up, and a schedule without blocks leaves nothing for the remainder."""
    tiny = ["tissue.neurons=40", "tissue.size=[100 um, 100 um]", "run.step=1 h", "run.duration=12 h", "run.burn_in=2 h"]
    sets = [argument for text in tiny for argument in ("--set", text)]
    assert main(["attribute", str(config), "--out", str(tmp_path), "--overwrite"]) == 2, "holds no attribution"
    out = tmp_path / "out"
    assert main(["attribute", str(config), "--out", str(out), "--replicates", "2", "--workers", "1", *sets]) == 0
    assert "BDNF protein, run / sedentary" in capsys.readouterr().out
    with (out / "attribution.csv").open(newline="") as stream:
        rows = {
            row["signal"]: float(row["shapley_log"]) for row in csv.DictReader(stream) if row["metric"] == READ_OUTS[0]
        }
    assert math.fsum(value for name, value in rows.items() if name != "total") == pytest.approx(
        rows["total"], abs=1e-15
    )
    assert abs(rows["remainder"]) < 1e-9


def test_a_share_of_what_may_be_nothing_is_not_told() -> None:
    row = Share("run", "bdnf_protein", "lactate", 0.01, 0.0, 0.02, 0.5, 0.4, 0.62, 8, 1.01)
    assert share_text(row) == "50 % [40, 62]"
    assert share_text(row._replace(share=66.1, share_ci_low=math.nan, share_ci_high=math.nan)) == ""
    assert share_text(row._replace(n=1, share_ci_low=math.nan, share_ci_high=math.nan)) == "50 %"
