"""Carries out a plan on any executor of concurrent.futures.

Each replicate's tissue first comes to rest, then every schedule runs from that same state. What is finished is on disk
at once: a fault costs its own run only, and after an interruption `resume` does what is missing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from abm.body import Plasma
from abm.study.crew import Crew
from abm.study.dispatch import Dispatch, Outcome
from abm.study.plan import Plan, Run
from abm.study.progress import Progress
from abm.study.store import ResultsFolder
from abm.study.work import Fault, rest, simulate

BURN_IN = ""


class Failure(NamedTuple):
    """A run that did not finish: a row of failures.csv."""

    schedule: str
    replicate: int
    stage: str
    error: str
    traceback: str


class Forcing(NamedTuple):
    """What drives the tissue: plasma over a resting day (burn-in) and over each schedule whose body could be solved."""

    resting_day: Plasma
    schedules: dict[str, Plasma]
    faults: dict[str, Fault]


@dataclass
class Execution(Dispatch[Run]):
    """The state of a study under way. A task is a run, or a burn-in where its schedule is empty.

    aside: what this process does itself while the workers finish the last runs.
    """

    plan: Plan
    folder: ResultsFolder
    forcing: Forcing
    crew: Crew
    progress: Progress
    aside: Callable[[], object] | None = None
    failures: list[Failure] = field(default_factory=list)
    waiting: list[Run] = field(default_factory=list)
    running: dict[Outcome, Run] = field(default_factory=dict)
    attempts: Counter[Run] = field(default_factory=Counter)

    def carry_out(self) -> None:
        """Do every task that is not done yet; on KeyboardInterrupt stop the workers and pass it on."""
        self._queue()
        super().carry_out()

    def _queue(self) -> None:
        missing = [run for run in self.plan.runs if not self.folder.run_file(self.plan, run).exists()]
        for run in (run for run in missing if run.schedule in self.forcing.faults):
            fault = self.forcing.faults[run.schedule]
            self.failures.append(Failure(*run, "body", fault.error, fault.traceback))
        missing = [run for run in missing if run.schedule in self.forcing.schedules]
        needed = sorted({run.replicate for run in missing if not self.folder.rested_file(run.replicate).exists()})
        # Replicate by replicate, so that a study that is interrupted has whole comparisons.
        self.waiting = sorted(missing, key=lambda run: run.replicate) + [
            Run(BURN_IN, replicate) for replicate in needed
        ]
        done = len(self.plan.runs) - len(missing)
        rested = self.plan.experiment.run.replicates - len(needed)
        self.progress.complete(done * self.plan.steps + rested * self.plan.burn_in_steps)

    def meanwhile(self) -> None:
        """What was asked for beside the runs."""
        if self.aside is not None:
            self.aside()

    def ready(self, task: Run) -> bool:
        """A run starts from the rested tissue of its replicate."""
        return task.schedule == BURN_IN or self.folder.rested_file(task.replicate).exists()

    def submit(self, task: Run) -> Outcome:
        """Give a run or a burn-in to the crew."""
        if task.schedule == BURN_IN:
            day = self.forcing.resting_day
            return self.crew.executor.submit(rest, self.plan, self.folder, task.replicate, day)
        plasma = self.forcing.schedules[task.schedule]
        return self.crew.executor.submit(simulate, self.plan, self.folder, task, plasma)

    def close(self, task: Run, fault: Fault | None) -> None:
        """Take a task off the books; the fault of a burn-in is the fault of all its runs."""
        self.progress.complete(self.plan.steps if task.schedule else self.plan.burn_in_steps)
        if fault is None:
            return
        failed = [task] if task.schedule else [run for run in self.waiting if run.replicate == task.replicate]
        self.waiting = [run for run in self.waiting if run not in failed]
        stage = "run" if task.schedule else "burn-in"
        self.failures += [Failure(*run, stage, fault.error, fault.traceback) for run in failed]

    def show(self) -> None:
        """Tell how many runs are done."""
        runs = len(self.plan.runs)
        left = sum(1 for task in (*self.waiting, *self.running.values()) if task.schedule)
        self.progress.show(f"{runs - left} of {runs} runs", map(self._progress_file, self.running.values()))

    def _progress_file(self, task: Run) -> Path:
        if task.schedule:
            return self.folder.progress_file(self.folder.run_file(self.plan, task).stem)
        return self.folder.progress_file(self.folder.rested_file(task.replicate).stem)
