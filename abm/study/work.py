"""What a worker does: one burn-in, or one schedule on one rested tissue; each leaves one file behind."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from typing import Self

import numpy as np

from abm.body import Plasma
from abm.study.plan import Plan, Run
from abm.study.record import Recorder, numerics
from abm.study.store import ResultsFolder, read_arrays, write_arrays, write_text

REPORT_INTERVAL = 0.5  # s


class Lost(Exception):
    """Work that the machine has failed to do; what is finished is kept, and a resumed study does the rest."""


@contextmanager
def lost_if_not_written(folder: ResultsFolder) -> Iterator[None]:
    """Turn what keeps a study from writing, such as a full disk, into Lost, which says so in a sentence."""
    try:
        yield
    except ConnectionError:  # of the workers, not of the disk
        raise
    except OSError as error:
        raise Lost(f"{folder.path} cannot be written: {error.strerror or error}") from error


class Stopped(Exception):
    """The study was asked to stop; the run in hand is given up."""


@dataclass(frozen=True)
class Fault:
    """Why a task failed, in words that survive the way back from another process."""

    error: str
    traceback: str


class Ticker:
    """Tells the study how many steps a task has taken, and learns from it that it should stop."""

    def __init__(self, folder: ResultsFolder, name: str) -> None:
        self.folder, self.path = folder, folder.progress_file(name)
        self.next = time.monotonic()

    def __call__(self, steps: int) -> None:
        """To be called after every step; looks at the clock, and at the disk twice a second."""
        if time.monotonic() < self.next:
            return
        self.next = time.monotonic() + REPORT_INTERVAL
        if self.folder.stop.exists():
            raise Stopped
        write_text(self.path, str(steps))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Take the progress file away, however the task has ended."""
        self.path.unlink(missing_ok=True)


def prepare_worker() -> None:
    """Set up a worker process: Ctrl-C is for the study to handle, and a worker ends when the study does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def load(order: int) -> None:
    """Load the compiled loops, or compile them, before the first task comes; see `abm.warm_up`."""
    from abm.warm_up import load_kernels

    load_kernels(order)


def _end_with(parent: BaseProcess) -> None:
    parent.join()
    os._exit(1)


def rest(plan: Plan, folder: ResultsFolder, replicate: int, resting_day: Plasma) -> Fault | None:
    """Let one replicate's tissue come to rest; every schedule then starts from that state."""
    return guarded(lambda: _rest(plan, folder, replicate, resting_day))


def simulate(plan: Plan, folder: ResultsFolder, run: Run, plasma: Plasma) -> Fault | None:
    """Run one schedule on one rested tissue and store what is kept of it."""
    return guarded(lambda: _simulate(plan, folder, run, plasma))


def guarded(work: Callable[[], None]) -> Fault | None:
    """Do some work; whatever goes wrong is returned in words."""
    try:
        work()
    except Exception as error:  # whatever it is, it becomes a row of the results
        return fault_of(error)
    return None


def fault_of(error: Exception) -> Fault:
    """An exception in words."""
    return Fault(f"{type(error).__name__}: {error}", "".join(traceback.format_exception(error)))


def _rest(plan: Plan, folder: ResultsFolder, replicate: int, resting_day: Plasma) -> None:
    from abm.model import burn_in

    path = folder.rested_file(replicate)
    with Ticker(folder, path.stem) as tick:
        write_arrays(path, burn_in(plan.experiment, replicate, resting_day, tick))


def _simulate(plan: Plan, folder: ResultsFolder, run: Run, plasma: Plasma) -> None:
    from abm.model import start

    began = time.perf_counter()
    rested = read_arrays(folder.rested_file(run.replicate))
    model = start(plan.experiment, run.schedule, plan.timelines[run.schedule], run.replicate, plasma, rested)
    recorder, path = Recorder(plan, run.schedule), folder.run_file(plan, run)
    recorder.take(model, 0)
    with Ticker(folder, path.stem) as tick:
        for step in range(1, plan.steps + 1):
            model.advance()
            recorder.take(model, step)
            tick(step)
        took = np.array(time.perf_counter() - began)
        write_arrays(path, {**recorder.arrays(), **numerics(model.tissue), "wall_time": took})
