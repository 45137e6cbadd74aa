"""How a study is carried out: plan, runs, faults, interruption, resumption, and the files it leaves."""

import csv
import errno
import json
import os
import subprocess
import sys
from concurrent.futures import BrokenExecutor, Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from toy import Here, toy_experiment, toy_model

from abm.body import simulate_body
from abm.config import ConfigError, load_experiment
from abm.metrics import METRICS
from abm.schedule import Bout, Timeline
from abm.study import open_results, run_experiment
from abm.study.estimate import estimate, lacking_memory
from abm.study.experiment import drive
from abm.study.plan import Reading, Run, plan_experiment, whole_voxels
from abm.study.record import QUANTILES, Recorder, quantiles
from abm.study.results import Results
from abm.study.store import ResultsError, ResultsFolder, write_atomically, write_table
from abm.study.validate import BoardFolder
from abm.study.work import Lost


@pytest.fixture(autouse=True)
def _toy() -> Any:
    with toy_model():
        yield


def toy_study(out: Path, *overrides: str, arrays: bool = False, **options: Any) -> Results:
    """The toy study; without its arrays, which take most of its time, where a test does not look at them."""
    unwritten = {"write_traces", "write_states"} if not arrays else set()
    with ExitStack() as stack:
        for name in unwritten:
            stack.enter_context(mock.patch(f"abm.study.experiment.{name}"))
        return run_experiment(toy_experiment(*overrides), out, executor=Here(), workers=1, **options)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def fault_in(schedule: str, replicate: int) -> Any:
    def before_step(own: str, number: int, model: Any) -> None:
        if (own, number) == (schedule, replicate) and model.taken == 20:
            raise FloatingPointError("something went wrong")

    return before_step


# plan


def test_plan_counts_runs_steps_and_readings() -> None:
    plan = plan_experiment(toy_experiment())
    assert plan.steps == plan.burn_in_steps == 48
    assert plan.runs == [Run(schedule, replicate) for schedule in ("sedentary", "run") for replicate in range(3)]
    protein = [Reading("bdnf_protein", region, step) for region in ("all", "DG", "CA3", "CA1") for step in (24, 48)]
    strength = [Reading("synaptic_strength", "CA1", step) for step in (0, 24, 48)]
    assert list(plan.readings) == protein + strength
    assert plan.state_steps == (0, 48)
    assert [plan.hour(step) for step in (0, 1, 48)] == [0.0, 0.5, 24.0]


def test_without_times_a_metric_is_read_at_the_start_and_the_end() -> None:
    plan = plan_experiment(toy_experiment("observe=[{metric: bdnf_pro.DG}]"))
    assert list(plan.readings) == [Reading("bdnf_pro", "DG", 0), Reading("bdnf_pro", "DG", 48)]


def test_maps_are_taken_at_the_end_of_the_last_session() -> None:
    plan = plan_experiment(toy_experiment())
    assert plan.map_steps == {"run": 16, "sedentary": 16}
    assert plan_experiment(toy_experiment("schedules={a: {}}", "reference=a")).map_steps == {"a": 48}


def test_maps_of_a_bolus_are_taken_when_it_has_come() -> None:
    doses = "{what: bhb, route: icv, amount: 10 nmol, at: 2 h}"
    plan = plan_experiment(toy_experiment(f"schedules={{a: {{doses: {doses}}}, b: {{}}}}", "reference=b"))
    assert {schedule: plan.hour(step) for schedule, step in plan.map_steps.items()} == {"a": 3.0, "b": 3.0}


def test_traces_have_every_hour_and_the_end_of_every_session() -> None:
    sessions = "{kind: running, intervals: {repeats: 4, work: 2 min at 90 %VO2max, rest: 2 min}, start: '07:30'}"
    plan = plan_experiment(toy_experiment("run.duration=5 d", "run.step=6 min", f"schedules.run.sessions={sessions}"))
    assert len(plan.timelines["run"].sessions) == 5
    hours = [plan.hour(step) for step in plan.trace_steps]
    assert set(hours) == {float(h) for h in range(121)} | {round(24 * day + 7.7, 9) for day in range(5)}


def test_long_runs_are_traced_every_three_hours() -> None:
    plan = plan_experiment(toy_experiment("run.duration=8 d", "run.step=30 min", "schedules={a: {}}", "reference=a"))
    assert [plan.hour(step) for step in plan.trace_steps] == [3.0 * sample for sample in range(65)]


def test_the_blood_has_no_regions() -> None:
    with pytest.raises(ConfigError, match="no regions"):
        plan_experiment(toy_experiment("observe=[{metric: plasma_bhb.CA1}]"))


def test_lengths_are_whole_numbers_of_voxels() -> None:
    voxels = (25.0, 32.0, 30.0, 400.0)
    assert [whole_voxels(200.0, voxel) for voxel in voxels] == [200.0, 192.0, 210.0, 400.0]


HUMAN, MOUSE = "schedules={sedentary: {}}", "subject.species=mouse"
WHEEL = "schedules={sedentary: {sessions: {kind: wheel, distance: 5 km/d, start: '19:00', duration: 10 h}}}"
INFUSED = "schedules={sedentary: {doses: {what: lactate, route: iv, amount: 500 mg/kg, at: 1 h}}}"


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        ((WHEEL, MOUSE, "subject.overrides={schedule.wheel_running_fraction: 0}"), "no share of the time"),
        ((WHEEL, MOUSE, "subject.overrides={schedule.wheel_bout: 0 min}"), "wheel_bout"),
        ((HUMAN, MOUSE, "subject.overrides={meals.rodent_meal_interval: 0 h}"), "rodent_meal_interval"),
        ((HUMAN, MOUSE, "subject.overrides={meals.rodent_meal_interval: 25 h}"), "rodent_meal_interval"),
        ((HUMAN, "subject.overrides={meals.breakfast_share: 0.7, meals.lunch_share: 0.6}"), "breakfast_share"),
        ((INFUSED, "subject.overrides={substances.lactate: 0 g/mol}"), "lactate has a molar mass of 0"),
        (("run.duration=1e999 d 1 h",), "too large a number"),
    ],
)
def test_overrides_with_which_no_day_can_be_laid_out_are_told(overrides: tuple[str, ...], says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        plan_experiment(toy_experiment(*overrides))


def test_the_estimate_grows_with_the_work() -> None:
    small, large = (plan_experiment(toy_experiment(f"run.replicates={n}")) for n in (2, 4))
    assert estimate(large, 1).core_time > estimate(small, 1).core_time
    assert estimate(large, 4).wall_time < estimate(large, 1).wall_time
    assert estimate(large, 1, predicted=True).wall_time > estimate(large, 1).wall_time
    assert estimate(large, 1).disk == pytest.approx(2 * estimate(small, 1).disk)


def test_a_study_that_this_machine_cannot_hold_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    cost = estimate(plan_experiment(toy_experiment()), 2)
    monkeypatch.setattr("os.sysconf", lambda name: {"SC_PAGE_SIZE": 4096}.get(name, 1 << 18))  # 1 GiB
    assert lacking_memory(cost) == ""
    large = cost._replace(memory=3e9)
    assert lacking_memory(large) == "about 6 GB of memory on 2 workers are needed, and this machine has 1 GB"
    assert lacking_memory(large._replace(workers=1)).startswith("about 3 GB of memory are needed")
    monkeypatch.delattr("os.sysconf")
    assert lacking_memory(large) == ""


# recording


def test_quantiles_are_numpys() -> None:
    values = np.random.default_rng(0).random((3, 101))
    np.testing.assert_allclose(quantiles(np.sort(values)), np.quantile(values, QUANTILES, axis=1).T, rtol=1e-12)


def test_traces_hold_what_the_metrics_read() -> None:
    plan = plan_experiment(toy_experiment())
    from abm.model import start  # type: ignore[attr-defined]

    model = start(plan.experiment, "run", None, 0, drive(plan).schedules["run"], {"start": np.float64(1.0)})
    recorder = Recorder(plan, "run")
    recorder.take(model, 0)
    model.advance()
    recorder.take(model, 1)
    arrays = recorder.arrays()
    for name, metric in METRICS.items():
        if metric.regional and metric.traced:
            np.testing.assert_allclose(arrays[f"trace.{name}"][:, 1], list(metric.observe(model).values()), rtol=1e-14)


# results


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Results:
    with toy_model():
        return toy_study(tmp_path_factory.mktemp("finished"), arrays=True)


def test_results_folder(finished: Results) -> None:
    names = {path.name for path in finished.path.iterdir()}
    assert names == {"config.yaml", "manifest.json", "replicates.csv", "summary.csv", "traces.zarr", "states.zarr"}
    assert finished.manifest["status"] == "complete"
    assert load_experiment(finished.path / "config.yaml") == toy_experiment()


def test_the_end_of_the_last_run_is_told_before_tables_are_written(tmp_path: Path) -> None:
    seen: list[tuple[int, bool]] = []
    folder = tmp_path / "study"

    def ended() -> None:
        seen.append((len(list((folder / ".runs").glob("run-*.npz"))), (folder / "summary.csv").exists()))

    toy_study(folder, ended=ended)
    assert seen == [(2 * 3, False)]


def test_replicates_are_one_row_per_reading(finished: Results) -> None:
    found = rows(finished.path / "replicates.csv")
    assert list(found[0]) == ["schedule", "replicate", "seed", "metric", "region", "time_h", "value", "unit"]
    assert len(found) == 2 * 3 * 11
    assert found[0] | {"value": ""} == {
        "schedule": "sedentary", "replicate": "0", "seed": "5", "metric": "bdnf_protein", "region": "all",
        "time_h": "12.0", "value": "", "unit": "1",
    }  # fmt: skip
    assert all(float(row["value"]) > 0 for row in found)


def test_summary_is_that_of_the_replicates(finished: Results) -> None:
    head = "schedule,metric,region,time_h,unit,n,mean,ci_low,ci_high,ratio,ratio_ci_low,ratio_ci_high,p_value"
    assert (finished.path / "summary.csv").read_text().splitlines()[0] == head
    keys = ["schedule", "metric", "region", "time_h"]
    means = finished.replicates.groupby(keys).value.mean()
    own = finished.summary.set_index(keys)
    pd.testing.assert_series_equal(own["mean"].sort_index(), means.sort_index(), check_names=False)
    assert (own.n == 3).all()
    assert own.loc["sedentary"].ratio.isna().all()
    last = own.loc[("run", "bdnf_protein", "all", 24.0)]
    assert 1.0 < last.ratio_ci_low <= last.ratio <= last.ratio_ci_high


def test_arrays_carry_units_and_agree_with_the_tables(finished: Results) -> None:
    traces, states = finished.traces, finished.states
    assert traces.sizes["schedule"] == 2
    assert traces.tissue_lactate.attrs["units"] == traces.plasma_lactate.attrs["units"] == "mmol/L"
    assert all("units" in array.attrs for array in traces.data_vars.values() if array.name != "finished")
    table = finished.replicates.set_index(["schedule", "replicate", "metric", "region", "time_h"]).value
    for schedule in ("sedentary", "run"):
        for replicate in range(3):
            trace = traces.bdnf_protein.sel(schedule=schedule, replicate=replicate, region="CA3", time=24.0)
            assert float(trace) == pytest.approx(table[schedule, replicate, "bdnf_protein", "CA3", 24.0], rel=1e-14)
    assert list(states.time.to_numpy()) == [0.0, 24.0]
    assert states.concentration.dims == ("schedule", "replicate", "signal", "y", "x")
    # A field and the cells in it are measured from the same corner.
    cell = states.isel(schedule=0, replicate=0, time=0, neuron=7)
    place = {axis: float(cell.position.sel(axis=axis)) for axis in ("x", "y")}
    nearest = states.concentration.isel(schedule=0, replicate=0).sel(**place, method="nearest")
    assert abs(float(nearest.x) - place["x"]) <= abs(float(states.x[1] - states.x[0])) / 2.0 + 1e-6
    assert states.x.attrs["units"] == "um"
    assert states.nucleosomes.dtype == np.int8
    assert bool(states.finished.all())


def test_results_open_without_a_warning_in_plain_xarray(finished: Results) -> None:
    assert xr.open_zarr(finished.path / "traces.zarr", chunks=None).attrs["title"] == "toy"


def test_manifest_tells_where_the_results_come_from(finished: Results) -> None:
    manifest = json.loads((finished.path / "manifest.json").read_text())
    assert manifest["seed"] == 5
    assert len(manifest["config_hash"]) == len(manifest["code_hash"]) == 64
    assert {"python", "numpy", "numba", "mesa"} <= manifest["versions"].keys()
    assert manifest["wall_time_s"] >= 0
    assert manifest["failures"] == []


def test_a_metric_without_a_zero_has_no_ratio(tmp_path: Path) -> None:
    found = toy_study(tmp_path, "observe=[{metric: spatial_clustering, at: 1 d}]").summary
    assert found["mean"].notna().any()
    assert found.ratio.isna().all()


def test_plasma_can_be_read_out(tmp_path: Path) -> None:
    found = toy_study(tmp_path, "observe=[{metric: plasma_lactate, at: 8 h}]").summary
    assert list(found.region.unique()) == ["all"]
    run = found[found.schedule == "run"].iloc[0]
    assert run.ratio > 1.5
    assert np.isnan(run.p_value), "plasma is the same for all replicates: there is no spread to test against"


def test_traces_of_cortisol_are_of_the_plasma_that_there_is(tmp_path: Path) -> None:
    """Its mean over a step, in the plasma that exercise has left."""
    results = toy_study(tmp_path, arrays=True)
    own = results.traces.sel(schedule="run", interval_time=7.75)
    left = float(own.plasma_plasma_volume / (1.0 + own.plasma_plasma_gained))
    experiment = toy_experiment()
    plasma = drive(plan_experiment(experiment)).schedules["run"]
    assert left < 0.95
    assert float(own.plasma_cortisol) == pytest.approx(plasma.cortisol[15] / left)
    assert own.plasma_plasma_volume.attrs["long_name"].endswith("at the end of a step")


# faults


def test_runs_without_what_they_start_from_end_with_a_fault(tmp_path: Path) -> None:
    """As where workers write to a disk of their own: the burn-in is done, and nobody here sees it."""
    with mock.patch("abm.study.execute.rest", return_value=None), mock.patch("abm.study.dispatch.POLL", 0.01):
        results = toy_study(tmp_path)
    assert {f["error"] for f in results.manifest["failures"]} == {
        "what it starts from is not there (do the workers see the results folder?)"
    }
    assert len(results.manifest["failures"]) == 6


def test_a_run_that_fails_is_a_row_and_costs_no_other_run(tmp_path: Path) -> None:
    whole = toy_study(tmp_path / "whole")
    with toy_model(fault_in("run", 1)):
        results = toy_study(tmp_path / "faulty", arrays=True)
    assert results.manifest["status"] == "incomplete"
    (failure,) = results.manifest["failures"]
    assert failure["schedule"] == "run"
    assert failure["replicate"] == 1
    assert failure["error"] == "FloatingPointError: something went wrong"
    (row,) = rows(tmp_path / "faulty" / "failures.csv")
    assert "before_step" in row["traceback"]
    expected = whole.replicates
    lost = (expected.schedule == "run") & (expected.replicate == 1)
    expected.loc[lost, "value"] = np.nan
    pd.testing.assert_frame_equal(results.replicates, expected)
    assert set(results.summary[results.summary.schedule == "run"].n) == {2}
    assert not bool(results.states.finished.sel(schedule="run", replicate=1))


def test_a_burn_in_that_fails_costs_its_replicate_only(tmp_path: Path) -> None:
    def fail(replicate: int) -> None:
        if replicate == 2:
            raise MemoryError("no room")

    with toy_model(in_burn_in=fail):
        results = toy_study(tmp_path)
    assert [(f["schedule"], f["replicate"], f["stage"]) for f in results.manifest["failures"]] == [
        ("sedentary", 2, "burn-in"),
        ("run", 2, "burn-in"),
    ]
    assert set(results.summary.n) == {2}


def test_a_body_that_cannot_be_solved_costs_its_schedule_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(subject: Any, timeline: Any, edges: Any) -> Any:
        if timeline.name == "run":
            raise ArithmeticError("no solution")
        return simulate_body(subject, timeline, edges)

    monkeypatch.setattr("abm.forcing.simulate_body", fail)
    results = toy_study(tmp_path, arrays=True)
    assert {(f["schedule"], f["stage"]) for f in results.manifest["failures"]} == {("run", "body")}
    assert results.traces.plasma_bhb.sel(schedule="run").isnull().all()
    assert set(results.summary[results.summary.schedule == "sedentary"].n) == {3}


def test_resuming_does_only_what_is_missing_and_gives_the_same_bytes(tmp_path: Path) -> None:
    toy_study(tmp_path / "whole")
    with toy_model(fault_in("run", 1)):
        toy_study(tmp_path / "again")
    workers = Here()
    with mock.patch("abm.study.experiment.write_traces"), mock.patch("abm.study.experiment.write_states"):
        results = run_experiment(toy_experiment(), tmp_path / "again", executor=workers, workers=1, resume=True)
    assert workers.tasks == 1
    assert results.manifest["status"] == "complete"
    assert not (tmp_path / "again" / "failures.csv").exists()
    for name in ("replicates.csv", "summary.csv", "config.yaml"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


@pytest.mark.parametrize("name", ["run-001-0001.npz", "rested-0001.npz"])
def test_a_run_that_a_failing_machine_left_half_on_disk_is_done_again(name: str, tmp_path: Path) -> None:
    """Of a file that was cut short, of one with blocks of zeros and of a draft nothing is taken up."""
    toy_study(tmp_path / "whole")
    folder = tmp_path / "again"
    with toy_model(fault_in("run", 1)):
        toy_study(folder)
    if name.startswith("rested"):
        damaged = folder / ".runs" / name
        content = bytearray(damaged.read_bytes())
        content[len(content) // 3 : len(content) // 3 + 16] = bytes(16)
    else:
        damaged = folder / ".runs" / name.replace("0001.npz", "0002.npz")
        content = damaged.read_bytes()[: damaged.stat().st_size // 2]
    damaged.write_bytes(content)
    (folder / "traces.zarr.1.part").mkdir()
    (folder / ".runs" / f"{name}.1.part").write_text("half")
    assert toy_study(folder, resume=True).manifest["status"] == "complete"
    assert (folder / "replicates.csv").read_bytes() == (tmp_path / "whole" / "replicates.csv").read_bytes()
    assert not list(folder.rglob("*.part"))


def test_a_full_disk_ends_with_a_sentence_and_an_account(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, "No space left on device")
    with (
        toy_model(fault_in("run", 1)),
        mock.patch("abm.study.experiment.write_traces", side_effect=full),
        pytest.raises(Lost, match="cannot be written: No space left on device"),
    ):
        run_experiment(toy_experiment(), tmp_path, executor=Here(), workers=1)
    manifest = ResultsFolder(tmp_path).manifest()
    assert manifest["status"] == "incomplete"
    assert [failure["replicate"] for failure in manifest["failures"]] == [1]
    assert toy_study(tmp_path, resume=True).manifest["status"] == "complete"


def test_resuming_what_is_complete_runs_nothing(finished: Results) -> None:
    workers = Here()
    run_experiment(toy_experiment(), finished.path, executor=workers, resume=True)
    assert workers.tasks == 0


def test_an_interruption_keeps_what_is_finished(tmp_path: Path) -> None:
    def interrupt(schedule: str, replicate: int, model: Any) -> None:
        if replicate == 1:
            raise KeyboardInterrupt

    with toy_model(interrupt), pytest.raises(KeyboardInterrupt):
        toy_study(tmp_path)
    assert open_results(tmp_path).manifest["status"] == "interrupted"
    finished = open_results(tmp_path).replicates.dropna()
    assert len(finished) > 0
    assert set(finished.replicate) == {0}
    assert toy_study(tmp_path, resume=True).replicates.value.notna().all()


class Fragile(Here):
    """An executor whose worker dies of one task, and loses whatever else it had in hand."""

    def __init__(self, deadly: int) -> None:
        super().__init__()
        self.deadly, self.deaths = deadly, 0

    def submit(self, task: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        run = arguments[2]
        if isinstance(run, Run) and run.replicate == self.deadly:
            self.deaths += 1
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor("a worker died"))
            return future
        return super().submit(task, *arguments, **named)


def test_a_worker_that_dies_of_a_task_gets_a_second_try_and_then_a_row(tmp_path: Path) -> None:
    workers = Fragile(deadly=1)
    results = run_experiment(toy_experiment(), tmp_path, executor=workers, workers=4)
    assert workers.deaths == 4
    assert [(f["schedule"], f["replicate"]) for f in results.manifest["failures"]] == [("sedentary", 1), ("run", 1)]
    assert set(results.summary.n) == {2}


# the folder


def test_a_folder_with_content_needs_a_decision(finished: Results) -> None:
    before = (finished.path / "manifest.json").read_bytes()
    with pytest.raises(ResultsError, match=r"--resume.*--overwrite"):
        toy_study(finished.path)
    assert (finished.path / "manifest.json").read_bytes() == before


def test_overwriting_replaces_results_and_leaves_other_files(tmp_path: Path) -> None:
    toy_study(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    results = toy_study(tmp_path, "run.seed=6", overwrite=True)
    assert set(results.replicates.seed) == {6}
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("options", [{}, {"resume": True}, {"overwrite": True}])
def test_a_study_that_ended_before_it_had_begun_is_begun_anew(tmp_path: Path, options: dict[str, bool]) -> None:
    (tmp_path / ".runs").mkdir()
    (tmp_path / ".runs" / "run-000-0000.npz").write_text("of another study")
    assert toy_study(tmp_path, **options).manifest["status"] == "complete"


def test_a_resumed_study_leaves_nothing_that_was_made_of_fewer_runs(tmp_path: Path) -> None:
    with toy_model(fault_in("run", 1)):
        toy_study(tmp_path)
    (tmp_path / "report.html").write_text("of five runs")

    def interrupt(schedule: str, replicate: int, model: Any) -> None:
        raise KeyboardInterrupt

    with toy_model(interrupt), pytest.raises(KeyboardInterrupt):
        toy_study(tmp_path, resume=True)
    left = {path.name for path in tmp_path.iterdir()}
    assert left & {"traces.zarr", "states.zarr", "report.html", "predictive.csv"} == set()
    assert len(open_results(tmp_path).replicates.dropna()) > 0


def test_overwriting_refuses_a_folder_that_holds_no_results(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ResultsError, match="holds no results"):
        toy_study(tmp_path, overwrite=True)
    assert (tmp_path / "thesis.tex").exists()


def test_overwriting_refuses_results_of_another_kind(tmp_path: Path) -> None:
    folder = BoardFolder(tmp_path)
    folder.open(overwrite=False)
    folder.write_manifest({"study": "validation"})
    with pytest.raises(ResultsError, match="holds no results of this kind"):
        toy_study(tmp_path, overwrite=True)
    folder.check_against({}, resume=False, overwrite=True)


def test_a_damaged_account_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{")
    with pytest.raises(ResultsError, match="damaged"):
        toy_study(tmp_path, resume=True)
    assert toy_study(tmp_path, overwrite=True).manifest["status"] == "complete"


@pytest.mark.parametrize("override", ["run.seed=6", "run.replicates=4", "tissue.neurons=40"])
def test_resuming_another_experiment_is_refused(finished: Results, override: str) -> None:
    with pytest.raises(ResultsError, match="the configuration has changed"):
        toy_study(finished.path, override, resume=True)


def test_resuming_with_another_program_is_refused(finished: Results, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abm.study.store.code_hash", lambda: "other")
    with pytest.raises(ResultsError, match="the program has changed"):
        toy_study(finished.path, resume=True)


def test_a_wrong_experiment_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        toy_study(tmp_path / "out", "observe=[{metric: serum_bdnf.CA1}]")
    assert not (tmp_path / "out").exists()


def test_opening_a_folder_without_results_says_so(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="no manifest"):
        open_results(tmp_path)


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_table(path, ["a"], [[1.5], [float("nan")], [None]])
    assert path.read_text() == 'a\n1.5\n""\n""\n'

    def fail(draft: Path) -> None:
        draft.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_text().startswith("a\n1.5")
    assert os.listdir(tmp_path) == ["table.csv"]


def test_a_folder_in_use_by_another_process_is_left_alone(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    hold = "import sys; from abm.study.store import ResultsFolder\n"
    hold += "folder = ResultsFolder(sys.argv[1]); folder.open(overwrite=False); print('held', flush=True); input()"
    command = [sys.executable, "-c", hold, str(tmp_path / "out")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(ResultsError, match="in use by another process"):
            ResultsFolder(tmp_path / "out").open(overwrite=True)
        other.communicate("\n")
    ResultsFolder(tmp_path / "out").open(overwrite=True)


def test_results_of_another_kind_are_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"study": "validation"}')
    with pytest.raises(ResultsError, match="another kind"):
        open_results(tmp_path)
    with pytest.raises(ResultsError, match="no results"):
        open_results(tmp_path / "manifest.json")


def test_a_disk_without_locks_is_used_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(fcntl, "flock", mock.Mock(side_effect=OSError(9, "Bad file descriptor")))
    ResultsFolder(tmp_path / "out").open(overwrite=False)
    assert (tmp_path / "out" / ".runs").is_dir()


@pytest.mark.slow
def test_more_replicates_than_files_can_be_open_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = toy_study(tmp_path / "whole", "run.replicates=5", arrays=True)
    monkeypatch.setattr("abm.study.arrays.OPEN_AT_ONCE", 2)
    parts = toy_study(tmp_path / "parts", "run.replicates=5", arrays=True)
    for name in ("traces", "states"):
        one, other = (getattr(found, name).load().drop_vars("wall_time", errors="ignore") for found in (whole, parts))
        assert one.equals(other)


def test_a_folder_that_cannot_be_looked_into_is_told(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be used"):
        toy_study(tmp_path / ("x" * 300))
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(ResultsError, match="cannot be read"):
        ResultsFolder(tmp_path).manifest()


@pytest.mark.parametrize(("pause", "sessions"), [(0.9, 1), (1.1, 2)])
def test_bouts_less_than_an_hour_apart_are_one_session(pause: float, sessions: int) -> None:
    bouts = (Bout(8.0, 8.5, 0.6, "cycling"), Bout(8.5 + pause, 9.0 + pause, 0.6, "cycling"))
    assert len(Timeline("t", 24.0, bouts=bouts).sessions) == sessions
