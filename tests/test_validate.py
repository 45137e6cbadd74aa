"""Published experiments against the model: runs are shared, sharing changes no number, and nothing finished is lost."""

import copy
import csv
import math
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from toy import Here, ToyModel, toy_model

import abm.study.crew
import abm.study.validate
import abm.view.scoreboard
from abm.cli import main
from abm.clock import hours_text
from abm.config import ConfigError, Evidence, Schedule, Subject, build_experiment, load_evidence
from abm.forcing import blood_of
from abm.observation import standardised_difference
from abm.schedule import compile_schedule
from abm.streams import generator
from abm.study.crew import Borrowed
from abm.study.scoreboard import COLUMNS, BoardRow, Scoreboard, miss_sentences, read_board
from abm.study.store import ResultsError
from abm.study.trajectories import share
from abm.study.validate import choose, validate
from abm.view.scoreboard import board_text, write_page

RIDE = {"sessions": {"kind": "running", "intensity": "70 %VO2max", "duration": "30 min", "start": "07:30"}}
PROTOCOL: dict[str, Any] = {
    "tissue": {"neurons": 30, "size": ["200 um", "200 um"]},
    "schedules": {"rest": {}, "ride": RIDE},
    "run": {"duration": "1 d", "burn_in": "12 h", "replicates": 4, "seed": 5, "step": "30 min"},
}
RATIO = {"metric": "bdnf_protein", "at": "1 d", "contrast": "ride / rest", "ratio": 1.01, "interval": [0.5, 2.0]}
VALUE = {"metric": "plasma_lactate", "at": "8 h", "schedule": "ride", "value": "9 mmol/L", "interval": [
    "1 mmol/L", "20 mmol/L"]}  # fmt: skip
EDGE = {"metric": "bdnf_protein", "at": "12 h", "contrast": "ride / rest", "effect": "up"}


def evidence(name: str, *observations: dict[str, Any], role: str = "validation", **changed: Any) -> Evidence:
    """A published experiment with the toy protocol; changed: parts of the protocol."""
    protocol = copy.deepcopy(PROTOCOL)
    for part, content in changed.items():
        protocol[part] = protocol.get(part, {}) | content if isinstance(content, dict) else content
    content = {"id": name, "source": "berchtold2010", "role": role, "protocol": protocol}
    return Evidence.model_validate(content | {"observations": list(observations or (RATIO, VALUE))})


def judge(items: Sequence[Evidence], out: Path, **how: Any) -> Scoreboard:
    """Validate in this process."""
    return validate(items, out, executor=how.pop("executor", None) or Here(), workers=1, **how)


class Steps:
    """Counts the steps that each arm takes."""

    def __init__(self) -> None:
        self.taken: Counter[tuple[str, int]] = Counter()

    def __call__(self, schedule: str, replicate: int, model: ToyModel) -> None:
        self.taken[schedule, replicate] += 1


def test_overrides_that_leave_no_day_are_told_before_anything_runs(tmp_path: Path) -> None:
    shares = {"meals.breakfast_share": 0.7, "meals.lunch_share": 0.6}
    with pytest.raises(ConfigError, match=r"subject\.overrides.*not shares of a day"):
        judge([evidence("meals", subject={"overrides": shares})], tmp_path)


# Sharing


def test_two_files_with_the_same_arms_simulate_them_once_and_to_the_longest_time(tmp_path: Path) -> None:
    renamed = evidence(
        "longer",
        RATIO | {"at": "36 h", "contrast": "wheel / sedentary"},
        schedules={"sedentary": {"note": "as before"}, "wheel": RIDE},
        run={"duration": "2 d", "replicates": 3},
    )
    steps = Steps()
    with toy_model(steps):
        board = judge([evidence("shorter"), renamed], tmp_path)
    assert len(share([evidence("shorter"), renamed]).trajectories) == 2
    assert steps.taken == {(arm, replicate): 72 for arm in ("rest", "ride") for replicate in range(2)}
    assert [row.id for row in board.rows] == ["shorter", "shorter", "longer"]


@pytest.mark.parametrize(
    "changed",
    [{"subject": {"species": "mouse"}}, {"preparation": "slice"}, {"tissue": {"neurons": 31}}, {"run": {"seed": 6}},
     {"run": {"step": "15 min"}}, {"run": {"burn_in": "1 d"}}, {"subject": {"training": "trained"}}],
)  # fmt: skip
def test_nothing_is_shared_between_different_bases(changed: dict[str, Any]) -> None:
    seen = EDGE | {"contrast": "bath / rest"}
    arms = {"bath": {"doses": {"what": "bhb", "route": "bath", "amount": "5 mmol/L", "at": "0 h"}}, "ride": {}}
    if changed.get("preparation") != "slice":
        seen, arms = EDGE, {}
    first, second = evidence("a", EDGE), evidence("b", seen, schedules=arms, **changed)
    assert len(share([first, second]).trajectories) == 4
    assert len({item.base for item in share([first, second]).trajectories.values()}) == 2


def test_the_rested_tissue_of_a_base_is_shared(tmp_path: Path) -> None:
    rested: list[int] = []
    other = {"rest": {}, "ride": {"sessions": RIDE["sessions"] | {"intensity": "50 %VO2max"}}}
    with toy_model(in_burn_in=rested.append):
        judge([evidence("a"), evidence("b", schedules=other)], tmp_path)
    assert sorted(rested) == [0, 1]
    assert not list((tmp_path / ".runs").glob("rested-*"))


def test_sharing_never_changes_a_number(tmp_path: Path) -> None:
    items = [
        evidence("a"),
        evidence("b", RATIO | {"at": "40 h"}, EDGE, run={"duration": "2 d", "replicates": 8}),
        evidence("c", EDGE, VALUE | {"at": "31 h"}, run={"duration": "3 d"}),
    ]
    with toy_model():
        together = judge(items, tmp_path / "all")
        alone = [judge([item], tmp_path / item.id).rows for item in items]
    assert repr(together.rows) == repr(tuple(row for rows in alone for row in rows))


SCHEDULES: dict[str, dict[str, Any]] = {
    "wheel": {"sessions": {"kind": "wheel", "distance": "5 km/d", "start": "19:00", "duration": "10 h"}},
    "running": RIDE,
    "meals": {"meals": [{"at": "08:00", "carbohydrate": "1 g/kg"}, {"fast": {"start": "20 h", "duration": "20 h"}}]},
    "doses": {"doses": {"what": "bhb", "route": "ip", "amount": "2 mmol/kg", "at": "10:00"}},
    "block": {"blocks": {"target": "MCT2", "fraction": "80 %", "start": "5 h"}, **RIDE},
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("hours", [20.25, 22.0, 31.5])
def test_the_blood_does_not_know_how_long_the_run_is(name: str, hours: float) -> None:
    subject, schedule = Subject(species="mouse"), Schedule.model_validate(SCHEDULES[name])
    plan = copy.deepcopy(PROTOCOL) | {"subject": {"species": "mouse"}, "schedules": {"arm": SCHEDULES[name]}}
    found = []
    for duration in (hours, 48.0):
        plan["run"] = PROTOCOL["run"] | {"duration": f"{duration} h", "step": "15 min"}
        blood = blood_of(build_experiment(plan), compile_schedule(schedule, subject, duration, "arm"))
        found.append([getattr(blood, key)[: round(hours / 0.25)] for key in ("bhb", "lactate", "cortisol", "movement")])
    np.testing.assert_array_equal(*found)


# What is predicted


def test_replicates_are_added_only_while_the_verdict_is_open(tmp_path: Path) -> None:
    steps = Steps()
    close = EDGE | {"effect": "none", "within": [0.99, 1.0001]}

    def diverge(schedule: str, replicate: int, model: ToyModel) -> None:
        steps(schedule, replicate, model)
        if schedule == "ride":
            model.columns["bdnf_protein"] *= 1.0 + 1e-3 * (-1) ** replicate

    with toy_model(diverge):
        judge([evidence("open", close)], tmp_path / "open")
        assert {replicate for _, replicate in steps.taken} == {0, 1, 2, 3}
        steps.taken.clear()
        judge([evidence("clear", RATIO)], tmp_path / "clear")
        assert {replicate for _, replicate in steps.taken} == {0, 1}


def test_a_change_is_one_arm_over_itself_at_another_time(tmp_path: Path) -> None:
    change = {"metric": "bdnf_protein", "at": "12 h", "baseline": "6 h", "schedule": "ride", "ratio": 1.1, "n": 9}
    arms = {"metric": "bdnf_protein", "at": "12 h", "contrast": "ride / rest", "ratio": 1.1, "n": 9}
    steps = Steps()
    with toy_model(steps):
        alone, both = judge([evidence("change", change), evidence("arms", arms)], tmp_path).rows
    assert alone.observation == "bdnf_protein ride at 12 h / at 6 h"
    assert alone.predicted == pytest.approx(both.predicted, rel=1e-12)  # rest does not move
    assert alone.predicted > 1.001
    with toy_model(steps := Steps()):
        judge([evidence("change", change)], tmp_path / "alone")
    assert {arm for arm, _ in steps.taken} == {"ride"}


def test_a_standardised_difference_is_that_of_a_large_cohort(tmp_path: Path) -> None:
    seen = {"metric": "serum_bdnf", "at": "8 h", "contrast": "ride / rest", "smd": 0.5, "interval": [0.2, 0.8]}
    values = {"rest": 10.0, "ride": 12.0}
    item = evidence("meta", seen)
    question = share([item]).questions[0]
    from abm.study.answers import predict

    found = predict(question, [[values["ride"]] * 2, [values["rest"]] * 2])
    spread, response = published_spreads(item)
    # The treated vary by the factor of their mean and by their response: pooled variance of two lognormal groups.
    varied = math.sqrt((1.0 + spread**2) * (1.0 + response**2) - 1.0)
    expected = (12.0 - 10.0) / math.sqrt(((12.0 * varied) ** 2 + (10.0 * spread) ** 2) / 2.0)
    assert found.value == pytest.approx(expected, rel=0.05)
    assert found.low == found.value == found.high
    apart = predict(question, [[11.8, 12.2], [10.0, 10.0]])
    assert apart.low < found.value < apart.high


def published_spreads(item: Evidence) -> tuple[float, float]:
    """Coefficients of variation of the samples that meta-analyses pool, and of the response."""
    from abm.observation import ObservationParameters, pooled_cv
    from abm.parameters import load_parameters

    p = load_parameters(ObservationParameters, "observation", item.protocol.subject.species)
    own = standardised_difference(10.0, 10.0, pooled_cv(p, "serum_bdnf"), generator(1, 0, "cohort"))
    assert abs(own.g) < 0.02
    return pooled_cv(p, "serum_bdnf"), p.response_cv


# Files and failures


def test_the_board_has_the_fixed_columns_and_reads_back(tmp_path: Path) -> None:
    with toy_model():
        board = judge([evidence("a", RATIO, VALUE, EDGE, {**EDGE, "at": "6 h", "effect": "none"})], tmp_path)
    with (tmp_path / "scoreboard.csv").open(newline="", encoding="utf-8") as stream:
        lines = list(csv.reader(stream))
    assert ",".join(lines[0]) == (
        "id,observation,source,role,kind,part,predicted,predicted_low,predicted_high,observed,observed_low,"
        "observed_high,n,z,pass,note"
    )
    assert {line[COLUMNS.index("pass")] for line in lines[1:]} <= {"true", "false"}
    assert repr(read_board(tmp_path / "scoreboard.csv").rows) == repr(board.rows)
    assert [row.kind for row in board.rows] == ["ratio", "value", "up", "none"]
    assert board.rows[1].observation == "plasma_lactate ride at 8 h"


@pytest.mark.parametrize(
    ("hours", "text"), [(0.0, "0 h"), (16.0, "16 h"), (24.0, "1 d"), (513.0, "21 d 9 h"), (9.0 + 50 / 60, "9 h 50 min")]
)
def test_times_are_written_as_people_do(hours: float, text: str) -> None:
    assert hours_text(hours) == text


def test_a_run_that_fails_is_a_miss_with_its_reason_and_the_others_go_on(tmp_path: Path) -> None:
    def fail(schedule: str, replicate: int, model: ToyModel) -> None:
        if schedule == "ride" and replicate == 1:
            raise FloatingPointError("negative concentration")

    with toy_model(fail):
        board = judge([evidence("a", RATIO, {**VALUE, "schedule": "rest"})], tmp_path)
    broken, fine = board.rows
    assert not broken.passed
    assert math.isnan(broken.predicted)
    assert "negative concentration" in broken.note
    assert not math.isnan(fine.predicted)
    assert [(failure["schedule"], failure["replicate"]) for failure in board.failures] == [("ride", 1)]
    with toy_model():
        assert judge([evidence("a", RATIO)], tmp_path, resume=True).rows[0].passed


def test_a_burn_in_that_fails_fails_what_starts_from_it(tmp_path: Path) -> None:
    def fail(replicate: int) -> None:
        raise FloatingPointError("it never came to rest")

    with toy_model(in_burn_in=fail):
        board = judge([evidence("a")], tmp_path)
    assert all("it never came to rest" in row.note and not row.passed for row in board.rows)


def test_an_interrupted_validation_goes_on_where_it_was_with_the_same_bits(tmp_path: Path) -> None:
    items = [evidence("a"), evidence("b", EDGE, run={"seed": 9})]
    steps = Steps()

    def interrupt(schedule: str, replicate: int, model: ToyModel) -> None:
        steps(schedule, replicate, model)
        if sum(steps.taken.values()) == 110:
            raise KeyboardInterrupt

    with toy_model():
        whole = judge(items, tmp_path / "whole")
    with toy_model(interrupt), pytest.raises(KeyboardInterrupt):
        judge(items, tmp_path / "cut")
    kept = len(list((tmp_path / "cut" / ".runs").glob("run-*.npz")))
    assert kept > 0
    assert not (tmp_path / "cut" / "scoreboard.csv").exists()
    again = Here()
    with toy_model():
        resumed = judge(items, tmp_path / "cut", resume=True, executor=again)
    assert repr(resumed.rows) == repr(whole.rows)
    runs = len(list((tmp_path / "cut" / ".runs").glob("run-*.npz")))
    assert runs - kept <= again.tasks < runs + 4
    same = Here()
    with toy_model():
        assert repr(judge(items, tmp_path / "cut", resume=True, executor=same).rows) == repr(whole.rows)
    assert same.tasks == 0


def test_a_board_of_other_papers_does_not_stay_beside_an_interrupted_account(tmp_path: Path) -> None:
    def interrupt(schedule: str, replicate: int, model: ToyModel) -> None:
        raise KeyboardInterrupt

    with toy_model():
        judge([evidence("a")], tmp_path)
    with toy_model(interrupt), pytest.raises(KeyboardInterrupt):
        judge([evidence("b", EDGE, run={"seed": 9})], tmp_path, resume=True)
    assert not (tmp_path / "scoreboard.csv").exists()


def test_a_later_reading_on_a_stored_run_keeps_the_earlier_ones(tmp_path: Path) -> None:
    later = RATIO | {"at": "20 h"}
    with toy_model():
        judge([evidence("a")], tmp_path)
        found = judge([evidence("a", RATIO, later)], tmp_path, resume=True)
        whole = judge([evidence("a", RATIO, later)], tmp_path / "whole")
        again = Here()
        judge([evidence("a")], tmp_path, resume=True, executor=again)
    assert repr(found.rows) == repr(whole.rows)
    assert again.tasks == 0


def test_results_are_replaced_only_when_told(tmp_path: Path) -> None:
    with toy_model():
        judge([evidence("a")], tmp_path / "own")
        with pytest.raises(ResultsError, match=r"--resume.*--overwrite"):
            judge([evidence("a")], tmp_path / "own")
        judge([evidence("a")], tmp_path / "own", overwrite=True)
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "diary.txt").write_text("mine")
        with pytest.raises(ResultsError, match="nothing in it is overwritten"):
            judge([evidence("a")], tmp_path / "other", overwrite=True)


def test_another_program_is_not_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with toy_model():
        judge([evidence("a")], tmp_path)
        monkeypatch.setattr(abm.study.validate, "code_hash", lambda: "another")
        with pytest.raises(ResultsError, match="program has changed"):
            judge([evidence("a")], tmp_path, resume=True)


# Command line and page


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """An evidence file of a user's own, of which one observation is missed."""
    item = {"id": "mine", "source": "berchtold2010", "role": "validation", "protocol": PROTOCOL}
    missed = RATIO | {"at": "6 h", "ratio": 4.0, "interval": [3.0, 5.0]}
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(item | {"observations": [RATIO, missed]}), encoding="utf-8")
    return path


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    crew = lambda workers: nullcontext(Borrowed(Here(), workers))  # noqa: E731
    monkeypatch.setattr(abm.study.crew, "local_processes", crew)
    with toy_model():
        yield


@pytest.mark.usefixtures("_in_this_process")
def test_the_verb_prints_a_line_per_observation_and_writes_board_and_page(
    own_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["validate", "--only", str(own_file), "--quiet", "--out", str(out)]) == 0  # a miss is a result
    shown = capsys.readouterr()
    lines = shown.out.splitlines()
    assert [line.split()[0] for line in lines[1:3]] == ["mine", "mine"]
    assert "pass" in lines[1]
    assert "MISS" in lines[2]
    assert "1 of 2 (50 %)" in shown.out
    assert shown.err == ""
    assert {path.name for path in out.iterdir()} == {"manifest.json", "scoreboard.csv", "scoreboard.html", ".runs"}
    page = (out / "scoreboard.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in page
    assert "too small by x" in page
    assert "Berchtold" in page
    assert all(mark not in page for mark in ("<script", "<link", 'src="http'))


@pytest.mark.usefixtures("_in_this_process")
def test_a_failed_run_ends_with_1(own_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(schedule: str, replicate: int, model: ToyModel) -> None:
        raise FloatingPointError("negative concentration")

    with toy_model(fail):
        assert main(["validate", str(own_file), "--quiet", "--out", str(tmp_path / "out")]) == 1
    assert "negative concentration" in capsys.readouterr().err


@pytest.mark.parametrize("only", [[], ["--only"]])
def test_an_unknown_id_is_told_the_nearest(only: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", *only, "sleiman2016_cultur", "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert "sleiman2016_culture" in shown.err
    assert not (tmp_path / "out").exists()


def test_files_and_ids_are_found(own_file: Path) -> None:
    assert [item.id for item in choose(["sleiman2016_culture", str(own_file)])] == ["sleiman2016_culture", "mine"]
    assert len(choose(["sleiman2016_culture", "sleiman2016_culture"])) == 1
    twin = own_file.with_name("twin.yaml")
    twin.write_bytes(own_file.read_bytes())
    with pytest.raises(ConfigError, match="mine"):
        choose([str(own_file), str(twin)])


def test_a_miss_is_shown_with_the_sentence_on_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "misses.yaml"
    path.write_text('mine:\n  "bdnf_mrna run / rest at 2 h": The model has no immediate early genes.\n')
    sentences = miss_sentences(path)
    assert sentences == {("mine", "bdnf_mrna run / rest at 2 h"): "The model has no immediate early genes."}
    assert miss_sentences(tmp_path / "none.yaml") == {}
    monkeypatch.setattr(abm.view.scoreboard, "miss_sentences", lambda: sentences)
    row = BoardRow(
        "mine", "bdnf_mrna run / rest at 2 h", "berchtold2010", "validation", "ratio", "expression", 1.0, 0.9, 1.1,
        4.0, 3.0, math.inf, "5", -3.0, False, "predicted 1: too small",
    )  # fmt: skip
    page = write_page(Scoreboard((row,)), tmp_path / "page.html").read_text(encoding="utf-8")
    assert "no immediate early genes" in page
    assert "[3.000, inf]" in board_text(Scoreboard((row,)))


def test_a_direction_of_the_right_sign_is_counted_though_the_study_would_not_see_it() -> None:
    def row(kind: str, low: float, high: float, passed: bool) -> BoardRow:
        nan = math.nan
        return BoardRow(
            "mine", "seen", "s", "validation", kind, "blood", low, low, high, nan, nan, nan, "3", nan, passed, ""
        )

    rows = [
        row("up", 1.5, 1.6, True), row("up", 1.01, 1.02, False), row("down", 0.9, 0.95, False),
        row("up", 0.99, 1.2, False), row("down", 1.1, 1.2, False), row("none", 1.1, 1.2, False),
        row("up", 1.004, 1.01, False), row("down", 0.996, 0.997, False),
    ]  # fmt: skip
    counts = {count.group: (count.passed, count.rows) for count in Scoreboard(tuple(rows)).by_role_and_class()}
    assert counts["validation", "direction"] == (1, 7)
    assert counts["validation", "right sign"] == (3, 7)
    assert counts["validation", "null"] == (0, 1)


# The real model

NEW: dict[str, dict[str, Any]] = {
    "mouse_dose": {
        "subject": {"species": "mouse"},
        "schedules": {
            "rest": {}, "given": {"doses": {"what": "lactate", "route": "ip", "amount": "180 mg/kg", "at": "90 min"}},
        },
        "run": {"duration": "7 h", "step": "15 min"},
        "observations": [
            {"metric": "tissue_lactate", "at": "105 min", "contrast": "given / rest", "effect": "up", "n": [7, 5]},
            {"metric": "bdnf_mrna_IV.CA1", "at": "6.5 h", "contrast": "given / rest", "ratio": 1.3, "n": 6},
        ],
    },
    "slice_block": {
        "preparation": "slice",
        "schedules": {
            "rest": {"doses": {"what": "bhb", "route": "bath", "amount": "2 mmol/L", "at": "1 h", "duration": "2 h"}},
            "given": {
                "doses": {"what": "bhb", "route": "bath", "amount": "2 mmol/L", "at": "1 h", "duration": "2 h"},
                "blocks": {"target": "MCT2", "fraction": "60 %", "start": "0 h"},
            },
        },
        "run": {"duration": "4 h", "step": "30 min"},
        "observations": [
            {"metric": "acetylation", "at": "3.5 h", "contrast": "given / rest", "effect": "none"},
            {"metric": "hdac3_occupancy.DG", "at": "4 h", "schedule": "given", "value": 0.5, "interval": [0, 1]},
        ],
    },
    "trained_human": {
        "subject": {"species": "human", "training": "trained"},
        "schedules": {"rest": {}, "given": {"sessions": RIDE["sessions"] | {"start": "00:40"}}},
        "run": {"duration": "3 h", "step": "10 min"},
        "observations": [
            {"metric": "serum_bdnf", "at": "70 min", "contrast": "given / rest", "smd": 0.5, "interval": [0.1, 0.9]},
            {"metric": "plasma_irisin", "at": "2 h", "schedule": "given", "value": "0.3 nmol/L",
             "interval": ["0.1 nmol/L", ".inf"]},
        ],
    },
}  # fmt: skip


def real(name: str, **run: Any) -> dict[str, Any]:
    protocol = {key: value for key, value in NEW[name].items() if key != "observations"}
    protocol["tissue"] = {"neurons": 60, "size": ["400 um", "400 um"]}
    protocol["run"] = {"burn_in": "6 h", "replicates": 2, "seed": 3} | protocol["run"] | run
    content = {"id": name, "source": "berchtold2010", "role": "validation", "protocol": protocol}
    return content | {"observations": NEW[name]["observations"]}


@pytest.mark.slow
@pytest.mark.parametrize("name", NEW)
def test_new_protocols_need_no_new_code(name: str, tmp_path: Path) -> None:
    path = tmp_path / "new.yaml"
    path.write_text(yaml.safe_dump(real(name)).replace("'.inf'", ".inf"), encoding="utf-8")
    board = judge([load_evidence(path)], tmp_path / "out")
    assert board.failures == ()
    assert all(math.isfinite(row.predicted) for row in board.rows)


@pytest.mark.slow
def test_sharing_never_changes_a_number_of_the_real_model(tmp_path: Path) -> None:
    first = Evidence.model_validate(real("mouse_dose"))
    longer = real("mouse_dose", duration="1 d", replicates=3) | {"id": "longer"}
    longer["protocol"]["schedules"] = {
        "control": {}, "drug": NEW["mouse_dose"]["schedules"]["given"], "fast": {
            "meals": {"fast": {"start": "2 h", "duration": "8 h"}}},
    }  # fmt: skip
    longer["observations"] = [
        {"metric": "bdnf_protein", "at": "11 h", "contrast": "drug / control", "effect": "none"},
        {"metric": "bdnf_mrna", "at": "11 h", "contrast": "fast / control", "effect": "up"},
    ]
    second = Evidence.model_validate(longer)
    together = judge([first, second], tmp_path / "all")
    alone = [judge([item], tmp_path / item.id).rows for item in (first, second)]
    assert len(share([first, second]).trajectories) == 3
    assert repr(together.rows) == repr((*alone[0], *alone[1]))
