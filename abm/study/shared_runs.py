"""Carries out the runs that many published experiments share, and reads off them what each file asks.

Every finished run lies at once as a small file in `.runs`, named after its content, and holds the readings by name; a
run is done if its file holds all readings wanted now.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from abm.metrics import METRICS
from abm.study.crew import Crew
from abm.study.dispatch import Dispatch, Outcome
from abm.study.plan import Reading
from abm.study.progress import Progress
from abm.study.store import ResultsFolder, read_arrays, remove, write_arrays
from abm.study.trajectories import Run, SharedPlan, Trajectory
from abm.study.work import Fault, Ticker, guarded

if TYPE_CHECKING:
    from abm.config import Experiment

BURN_IN = ""
Values = dict[Run, dict[Reading, float]]


def run_file(folder: ResultsFolder, run: Run) -> Path:
    """The file of a finished run or burn-in."""
    name = f"run-{run.trajectory}" if run.trajectory else f"rested-{run.base}"
    return folder.runs / f"{name}-{run.replicate:03d}.npz"


def stored_readings(folder: ResultsFolder, run: Run) -> dict[Reading, float]:
    """What has been read on a run, as far as it has finished."""
    path = run_file(folder, run)
    if not path.exists():
        return {}
    stored = read_arrays(path)
    names = (str(name).split() for name in stored["names"])
    readings = [Reading(metric, region, int(step)) for metric, region, step in names]
    return dict(zip(readings, stored["values"].tolist(), strict=True))


def rest_base(folder: ResultsFolder, experiment: Experiment, run: Run) -> Fault | None:
    """Let the tissue of one base and replicate come to rest."""
    return guarded(lambda: _rest(folder, experiment, run))


def follow(folder: ResultsFolder, trajectory: Trajectory, run: Run) -> Fault | None:
    """Run one trajectory on one rested tissue up to its last reading, and store the readings."""
    return guarded(lambda: _follow(folder, trajectory, run))


def _rest(folder: ResultsFolder, experiment: Experiment, run: Run) -> None:
    from abm.forcing import resting_blood
    from abm.model import burn_in

    path = run_file(folder, run)
    with Ticker(folder, path.stem) as tick:
        write_arrays(path, burn_in(experiment, run.replicate, resting_blood(experiment), tick))


def _follow(folder: ResultsFolder, trajectory: Trajectory, run: Run) -> None:
    from abm.forcing import blood_of
    from abm.model import start

    experiment, path = trajectory.experiment, run_file(folder, run)
    plasma = blood_of(experiment, trajectory.timeline)
    rested = read_arrays(run_file(folder, run._replace(trajectory=BURN_IN)))
    model = start(experiment, experiment.reference, trajectory.timeline, run.replicate, plasma, rested)
    found: dict[Reading, float] = {}
    with Ticker(folder, path.stem) as tick:
        for step in range(trajectory.steps + 1):
            if step:
                model.advance()
                tick(step)
            due = [reading for reading in trajectory.readings if reading.step == step]
            seen = {metric: METRICS[metric].observe(model) for metric in {reading.metric for reading in due}}
            found |= {reading: seen[reading.metric][reading.region] for reading in due}
        _store(path, stored_readings(folder, run) | found)


def _store(path: Path, readings: Mapping[Reading, float]) -> None:
    names = np.array([f"{metric} {region} {step}" for metric, region, step in readings])
    write_arrays(path, {"names": names, "values": np.array(list(readings.values()))})


@dataclass
class SharedRuns(Dispatch[Run]):
    """The runs under way. wanted: which runs the answers need, given those that are finished; it may ask for more as
    they come in. faults: why runs failed.
    """

    plan: SharedPlan
    folder: ResultsFolder
    wanted: Callable[[Values], set[Run]]
    crew: Crew
    progress: Progress
    values: Values = field(default_factory=dict)
    faults: dict[Run, Fault] = field(default_factory=dict)
    waiting: list[Run] = field(default_factory=list)
    running: dict[Outcome, Run] = field(default_factory=dict)
    attempts: Counter[Run] = field(default_factory=Counter)
    asked: set[Run] = field(default_factory=set)

    def carry_out(self) -> None:
        """Do what is wanted and not stored yet, the longest first; on KeyboardInterrupt stop and pass it on."""
        self.ask()
        super().carry_out()

    def ask(self) -> None:
        """Queue what is wanted by now, until nothing more is."""
        while new := self.wanted(self.values) - self.asked:
            self.asked |= new
            for run in sorted(new):
                self._queue(run)
        self.waiting.sort(key=lambda run: (-self._ahead(run), run))

    def _queue(self, run: Run) -> None:
        stored = stored_readings(self.folder, run)
        if stored.keys() >= set(self.plan.trajectories[run.trajectory].readings):
            self.values[run] = stored
            return
        burn_in = run._replace(trajectory=BURN_IN)
        if burn_in in self.faults:
            self.faults[run] = self.faults[burn_in]
            return
        tasks = [run]
        if not (burn_in in self.asked or run_file(self.folder, burn_in).exists()):
            self.asked.add(burn_in)
            tasks.append(burn_in)
        for task in tasks:
            self.waiting.append(task)
            self.progress.expect(self._steps(task))

    def _steps(self, run: Run) -> int:
        if run.trajectory:
            return self.plan.trajectories[run.trajectory].steps
        settings = self._settings(run.base).run
        return round(settings.burn_in / settings.step)

    def _settings(self, base: str) -> Experiment:
        return next(item.experiment for item in self.plan.trajectories.values() if item.base == base)

    def _ahead(self, run: Run) -> int:
        """Steps from the start of a task to the end of the longest that waits for it."""
        if run.trajectory:
            return self._steps(run)
        behind = [self._steps(own) for own in self.waiting if own.trajectory and own._replace(trajectory="") == run]
        return self._steps(run) + max(behind, default=0)

    def ready(self, task: Run) -> bool:
        """A trajectory starts from the rested tissue of its base and replicate."""
        return not task.trajectory or run_file(self.folder, task._replace(trajectory=BURN_IN)).exists()

    def submit(self, task: Run) -> Outcome:
        """Give a trajectory or a burn-in to the crew."""
        if task.trajectory:
            return self.crew.executor.submit(follow, self.folder, self.plan.trajectories[task.trajectory], task)
        return self.crew.executor.submit(rest_base, self.folder, self._settings(task.base), task)

    def close(self, task: Run, fault: Fault | None) -> None:
        """Take up the readings of a finished run; the fault of a burn-in is the fault of all its runs."""
        self.progress.complete(self._steps(task))
        if fault is not None:
            self._give_up(task, fault)
        elif task.trajectory:
            self.values[task] = stored_readings(self.folder, task)
        self.ask()

    def _give_up(self, task: Run, fault: Fault) -> None:
        behind = [run for run in self.waiting if run._replace(trajectory=BURN_IN) == task]
        for run in behind:
            self.waiting.remove(run)
            self.progress.complete(self._steps(run))
        self.faults |= {run: fault for run in (task, *behind)}

    def show(self) -> None:
        """Tell how many runs are done."""
        runs = sum(1 for run in self.asked if run.trajectory)
        left = sum(1 for task in (*self.waiting, *self.running.values()) if task.trajectory)
        files = (self.folder.progress_file(run_file(self.folder, task).stem) for task in self.running.values())
        self.progress.show(f"{runs - left} of {runs} runs", files)

    def forget_rested(self) -> None:
        """Remove the rested tissues: large, and soon made again."""
        for path in self.folder.runs.glob("rested-*.npz"):
            remove(path)
