"""Studies of the real model in worker processes: same bytes whoever works, and nothing lost by signals and deaths."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from abm.config import Experiment, build_experiment
from abm.study import run_experiment
from abm.study.results import Results

ROOT = Path(__file__).parents[1]
PLAN = {
    "name": "tiny",
    "tissue": {"neurons": 60, "size": ["400 um", "400 um"]},
    "schedules": {
        "sedentary": {},
        "run": {"sessions": {"kind": "running", "intensity": "70 %VO2max", "duration": "30 min", "start": "07:30"}},
    },
    "observe": [{"metric": "synaptic_strength", "at": ["12 h", "1 d"]}, {"metric": "tissue_lactate", "every": "4 h"}],
    "run": {"duration": "3 d", "burn_in": "1 d", "replicates": 3, "seed": 3},
}
# BDNF is also read off the expected neuron for many draws of the parameters, beside the last runs.
DRAWN = PLAN | {"observe": {"metric": "bdnf_protein", "at": "1 d"}}
pytestmark = pytest.mark.slow


def tiny(*overrides: str) -> Experiment:
    return build_experiment(PLAN, overrides)


def tables(folder: Path) -> list[bytes]:
    return [(folder / name).read_bytes() for name in ("replicates.csv", "summary.csv", "config.yaml")]


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The tiny study, done by one worker."""
    return run_experiment(tiny(), tmp_path_factory.mktemp("alone"), workers=1)


def test_a_study_of_the_real_model_is_complete(alone: Results) -> None:
    assert alone.manifest["failures"] == []
    assert alone.replicates.value.notna().all()
    assert float(alone.traces.ledger.sel(term="residual").max()) < 1e-9
    lactate = alone.traces.tissue_lactate.sel(region="all").max("step_time").mean("replicate")
    assert float(lactate.sel(schedule="run")) > float(lactate.sel(schedule="sedentary"))


def test_replicates_differ_and_schedules_start_alike(alone: Results) -> None:
    start = alone.states.isel(time=0).bdnf_protein
    assert (start.sel(replicate=0) != start.sel(replicate=1)).any()
    assert (start.sel(schedule="run") == start.sel(schedule="sedentary")).all()


def test_two_workers_give_the_same_bytes(alone: Results, tmp_path: Path) -> None:
    run_experiment(tiny(), tmp_path, workers=2)
    assert tables(tmp_path) == tables(alone.path)


def test_a_worker_that_is_killed_costs_nothing(alone: Results, tmp_path: Path) -> None:
    work = threading.Thread(target=run_experiment, args=(tiny(), tmp_path), kwargs={"workers": 2})
    strangers = set(multiprocessing.active_children())
    work.start()
    wait_for(lambda: any((tmp_path / ".runs").glob("run-*.progress")))
    own = set(multiprocessing.active_children()) - strangers
    os.kill(next(iter(own)).pid or 0, signal.SIGKILL)
    work.join(300)
    assert not work.is_alive()
    assert tables(tmp_path) == tables(alone.path)


def hear_interrupts() -> None:
    """A shell makes what it runs in the background ignore Ctrl-C, and with it these tests and their children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def interrupt(folder: Path, sent: signal.Signals) -> tuple[list[str], Path]:
    """A study that a signal ended after its first run, as it should: its command and its results."""
    config, out = folder / "tiny.yaml", folder / "out"
    config.write_text(yaml.safe_dump(PLAN, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "run.py", "experiment", str(config), "--out", str(out), "--workers", "1", "--quiet"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, preexec_fn=hear_interrupts, **pipes) as study:
        wait_for(lambda: any((out / ".runs").glob("run-*.npz")))
        study.send_signal(sent)
        _, told = study.communicate(timeout=60)
    assert study.returncode == 130
    assert "--resume" in told
    assert "Traceback" not in told
    assert any((out / ".runs").glob("run-*.npz"))
    return command, out


def test_after_a_cluster_has_ended_a_study_it_goes_on(alone: Results, tmp_path: Path) -> None:
    _, out = interrupt(tmp_path, signal.SIGTERM)
    run_experiment(tiny(), out, workers=1, resume=True)
    assert tables(out) == tables(alone.path)


def test_after_an_interruption_a_study_goes_on(alone: Results, tmp_path: Path) -> None:
    command, out = interrupt(tmp_path, signal.SIGINT)
    done = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert tables(out) == tables(alone.path)


def test_a_signal_that_comes_twice_while_figures_are_drawn_leaves_nobody_behind(tmp_path: Path) -> None:
    config, out = tmp_path / "tiny.yaml", tmp_path / "out"
    config.write_text(yaml.safe_dump(DRAWN, sort_keys=False), encoding="utf-8")
    command = [sys.executable, "run.py", "experiment", str(config), "--out", str(out), "--replicates", "1", "--quiet"]
    pipes = {"stderr": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, cwd=ROOT, preexec_fn=hear_interrupts, **pipes) as study:
        wait_for(lambda: (out / "figures").exists())
        study.send_signal(signal.SIGINT)
        time.sleep(0.05)  # at once they would count as one
        study.send_signal(signal.SIGINT)
        _, told = study.communicate(timeout=60)
    assert study.returncode == 130
    assert "Traceback" not in told
    done = subprocess.run([*command, "--resume"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (out / "report.html").exists()


@pytest.mark.filterwarnings("ignore")
def test_a_dask_cluster_gives_the_same_bytes(alone: Results, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="needs the extra 'cluster'")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        run_experiment(tiny(), tmp_path, scheduler=cluster.scheduler_address)
    assert tables(tmp_path) == tables(alone.path)


def test_a_script_without_its_guard_is_told_so(tmp_path: Path) -> None:
    """Workers that import the calling script and find the call there would start workers of their own."""
    script, out = tmp_path / "study.py", tmp_path / "out"
    script.write_text(
        "from abm.config import build_experiment\nfrom abm.study import run_experiment\n"
        f"run_experiment(build_experiment({PLAN!r}, ()), {str(out)!r}, workers=1)\n",
        encoding="utf-8",
    )
    found = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, str(script)], env=found, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 1 <= done.stderr.count("bootstrapping phase") <= 2  # workers get a second try, which may end unheard
    assert done.stderr.strip().splitlines()[-1].endswith('under if __name__ == "__main__":')
    assert not any((out / ".runs").glob("run-*.npz"))
