"""The command line: verbs, exit codes, and where messages go."""

import csv
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from toy import PLAN, Here, toy_model

import abm.study.crew
from abm.cli import DEFAULT_CONFIG, build_parser, main
from abm.study.crew import Borrowed
from abm.view.drawing import figures

ROOT = Path(__file__).parents[1]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump(PLAN, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The toy model, run without worker processes and without figures, which have their own tests."""
    from contextlib import nullcontext

    monkeypatch.setattr(abm.study.crew, "local_processes", lambda workers: nullcontext(Borrowed(Here(), workers)))
    monkeypatch.setattr("abm.view.drawing.summon", lambda pool: None)
    for place in ("abm.view.drawing.draw", "abm.view.report.draw"):
        monkeypatch.setattr(place, lambda pool, folder: {})
    with toy_model():
        yield


def run(*arguments: object) -> int:
    return main([str(argument) for argument in arguments])


def test_help_lists_the_verbs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    shown = capsys.readouterr().out
    assert all(verb in shown for verb in ("experiment", "check", "report"))


@pytest.mark.parametrize("command", [["run.py"], ["-m", "abm"]])
def test_starts_from_a_checkout(command: list[str]) -> None:
    done = subprocess.run([sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "experiment" in done.stdout


def test_default_experiment_exists() -> None:
    assert (ROOT / DEFAULT_CONFIG).is_file()
    assert build_parser().parse_args(["experiment"]).config is None


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["experiment", "--workers", "0"], ["experiment", "--workers", "two"], ["report"],
     ["experiment", "--resume", "--overwrite"], ["experiment", "--seed", "x"]],
)  # fmt: skip
def test_wrong_arguments_exit_with_2(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2


def test_check_prints_the_plan_and_writes_nothing(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("check", config, "--replicates", 5, "--seed", 9, "--set", "run.duration=2 d") == 0
    shown = capsys.readouterr()
    assert "2 schedules x 5 replicates = 10, seed 9" in shown.out
    assert shown.err == ""
    assert list(tmp_path.iterdir()) == [config]


def test_check_loads_no_compiled_code(config: Path) -> None:
    code = (
        f"import sys; from abm.cli import main; main(['check', {str(config)!r}]);"
        "assert not {'numba', 'mesa', 'matplotlib', 'xarray', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("run.replicats=3", "replicates"),
        ("run.duration=3 kg", "run.duration"),
        ("observe=[{metric: serum_bdnf.CA1}]", "no regions"),
    ],
)
def test_a_wrong_configuration_exits_with_2_and_one_message(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], option: str, told: str
) -> None:
    out = tmp_path / "out"
    assert run("experiment", config, "--out", out, "--set", option) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert told in shown.err
    assert not out.exists()


@pytest.mark.usefixtures("_in_this_process")
def test_a_folder_that_cannot_be_made_exits_with_2(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("experiment", config, "--out", config / "out") == 2
    assert "cannot be used" in capsys.readouterr().err


def test_a_missing_file_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path / "none.yaml") == 2
    assert "none.yaml" in capsys.readouterr().err


@pytest.mark.usefixtures("_in_this_process")
def test_experiment_prints_its_summary_and_exits_with_0(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("experiment", config, "--out", tmp_path / "out", "--quiet", "--workers", 1) == 0
    shown = capsys.readouterr()
    assert "ratio to sedentary" in shown.out
    assert shown.err == ""
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.usefixtures("_in_this_process")
def test_results_go_to_a_folder_named_after_the_experiment(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("experiment", config) == 0
    assert (tmp_path / "results" / "toy" / "replicates.csv").is_file()
    assert "to go" in capsys.readouterr().err, "progress goes to stderr"
    assert run("experiment", config) == 2
    assert "--resume" in capsys.readouterr().err
    assert run("experiment", config, "--resume") == 0
    assert run("report", "results/toy") == 0


@pytest.mark.usefixtures("_in_this_process")
def test_a_run_that_fails_exits_with_1(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(schedule: str, replicate: int, model: Any) -> None:
        if schedule == "run" and replicate == 0:
            raise OverflowError("too much")

    with toy_model(fail):
        assert run("experiment", config, "--out", tmp_path / "out", "--quiet") == 1
    assert "failed: run, replicate 0, run: OverflowError: too much" in capsys.readouterr().err
    with (tmp_path / "out" / "replicates.csv").open(newline="") as stream:
        lost = [row for row in csv.DictReader(stream) if row["value"] == ""]
    assert {(row["schedule"], row["replicate"]) for row in lost} == {("run", "0")}


@pytest.mark.usefixtures("_in_this_process")
def test_a_study_of_which_every_run_fails_has_a_report(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(replicate: int) -> None:
        raise OverflowError("too much")

    with toy_model(in_burn_in=fail):
        assert run("experiment", config, "--out", tmp_path / "out", "--quiet") == 1
    shown = capsys.readouterr()
    assert "no value" in shown.out
    assert "failed: run, replicate 1, burn-in: OverflowError: too much" in shown.err
    assert "OverflowError: too much" in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert figures(tmp_path / "out") == []


@pytest.mark.slow
def test_output_that_nobody_reads_to_its_end_is_no_fault() -> None:
    piped = f"{sys.executable} run.py describe | head -n 1"
    shown = subprocess.run(piped, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("# ")
    assert shown.stderr == ""


def test_a_pipe_to_a_worker_that_breaks_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise BrokenPipeError("worker")

    monkeypatch.setattr("abm.cli._load", fail)
    with pytest.raises(BrokenPipeError):
        run("check")


@pytest.mark.usefixtures("_in_this_process")
def test_an_interruption_exits_with_130(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupt(schedule: str, replicate: int, model: Any) -> None:
        raise KeyboardInterrupt

    with toy_model(interrupt):
        assert run("experiment", config, "--out", tmp_path / "out", "--quiet") == 130
    assert "--resume" in capsys.readouterr().err


def test_report_of_a_folder_without_results_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("report", tmp_path) == 2
    assert "holds no results" in capsys.readouterr().err


@pytest.mark.usefixtures("_in_this_process")
def test_a_cluster_needs_its_extra(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run("experiment", config, "--out", tmp_path / "out", "--scheduler", "tcp://localhost:1") == 2
    assert "extra 'cluster'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
