"""One place in the space of parameters: all schedules on a small tissue, and what came of it, kept on disk.

Points of one seed (common random numbers) differ by their parameters and not by luck, as far as the random draws still
mean the same there; places of a Latin hypercube have seeds of their own.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.config import Experiment
from abm.errors import ConfigError
from abm.study.clamping import READ_OUTS, tissue_input
from abm.study.crew import Crew
from abm.study.dispatch import Dispatch, Outcome
from abm.study.execute import Forcing
from abm.study.experiment import drive
from abm.study.parameter_space import BODY_PARTS
from abm.study.plan import Plan, plan_experiment
from abm.study.progress import Progress
from abm.study.store import ResultsFolder, write_text
from abm.study.work import Fault, Lost, Stopped, fault_of

Floats = NDArray[np.float64]


class SensitivityFolder(ResultsFolder):
    """Where a sensitivity study keeps its files; it may be the results folder of the experiment itself."""

    own = ("sensitivity.json", "sensitivity.csv", "sensitivity_grades.csv", "sensitivity.html", "sensitivity.png",
           ".sensitivity")  # fmt: skip
    account = "sensitivity.json"
    study = "sensitivity"

    def __init__(self, path: str | Path) -> None:
        super().__init__(path)
        self.runs = self.path / ".sensitivity"
        self.stop = self.runs / "stop"

    def check_against(self, present: Mapping[str, tuple[str, str]], *, resume: bool, overwrite: bool) -> None:
        """As elsewhere, but beside the results of an experiment there is room for a sensitivity study."""
        beside = (self.path / ResultsFolder.account).is_file() and not self.has_manifest()
        if not beside:
            super().check_against(present, resume=resume, overwrite=overwrite)

    def point_file(self, key: str) -> Path:
        """Where the outcome of a point is kept."""
        return self.runs / f"point-{key}.json"


class Point(NamedTuple):
    """Parameters that differ, as `part.name` and value, and the seed."""

    overrides: tuple[tuple[str, str | float], ...]
    seed: int

    @property
    def key(self) -> str:
        """A name for the point's file, the same for equal points."""
        return _digest(json.dumps([self.overrides, self.seed]).encode())

    def experiment(self, experiment: Experiment) -> Experiment:
        """The experiment at this point."""
        subject = experiment.subject
        changed = subject.model_copy(update={"overrides": {**subject.overrides, **dict(self.overrides)}})
        run = experiment.run.model_copy(update={"seed": self.seed})
        return experiment.model_copy(update={"subject": changed, "run": run})


def contrasts_of(experiment: Experiment) -> list[tuple[str, str]]:
    """The outputs: each schedule but the reference, with each read-out."""
    return [(name, metric) for name in experiment.schedules if name != experiment.reference for metric in READ_OUTS]


def evaluate(folder: SensitivityFolder, experiment: Experiment, point: Point) -> Fault | None:
    """Worker: simulate an experiment at a point and keep its contrasts, or why there are none.

    Points that differ only in what the body does not need for these schedules are one to the tissue, and run once.
    """
    outcome: dict[str, object]
    try:
        outcome = {"values": _contrasts(folder, point.experiment(experiment))}
    except Stopped:
        return None
    except (ArithmeticError, ConfigError) as error:  # where the model cannot live: left out of the indices, and counted
        outcome = {"problem": f"{type(error).__name__}: {error}"}
    except Exception as error:  # which says nothing of the point
        return fault_of(error)
    write_text(folder.point_file(point.key), json.dumps(outcome))
    return None


def _contrasts(folder: SensitivityFolder, experiment: Experiment) -> list[float]:
    """ln(read-out / reference) of every contrast at the end of the run, mean over replicates."""
    plan = plan_experiment(experiment)
    forcing = drive(plan)
    for fault in forcing.faults.values():
        raise ArithmeticError(fault.error)
    kept = folder.runs / f"tissue-{_met_by_tissue(plan, forcing)}.json"
    if kept.exists():
        values: list[float] = json.loads(kept.read_text(encoding="utf-8"))
        return values
    logs = np.stack([_replicate(folder, plan, forcing, replicate) for replicate in range(experiment.run.replicates)])
    values = logs.mean(axis=0).tolist()
    write_text(kept, json.dumps(values))
    return values


def _met_by_tissue(plan: Plan, forcing: Forcing) -> str:
    """Digest of all that decides the outcome in the tissue: blood, doses, blocks, the tissue's parameters, the seed."""
    subject = plan.experiment.subject
    met = [tissue_input(plasma, plan.timelines[name]) for name, plasma in forcing.schedules.items()]
    rest = tissue_input(forcing.resting_day, plan.timelines[plan.experiment.reference])[0]
    through_plasma = BODY_PARTS if plan.experiment.preparation == "in_vivo" else ()
    local = {key: value for key, value in subject.overrides.items() if key.partition(".")[0] not in through_plasma}
    other = [[given[1:] for given in met], sorted(local.items()), plan.experiment.run.seed]
    return _digest(rest, *(given[0] for given in met), repr(other).encode())


def _replicate(folder: SensitivityFolder, plan: Plan, forcing: Forcing, replicate: int) -> Floats:
    from abm.metrics import METRICS
    from abm.model import burn_in, start

    experiment = plan.experiment
    stop = partial(_give_up_when_told, folder)
    rested = burn_in(experiment, replicate, forcing.resting_day, stop)
    ends = {}
    for name, timeline in plan.timelines.items():
        model = start(experiment, name, timeline, replicate, forcing.schedules[name], rested)
        for step in range(plan.steps):
            model.advance()
            stop(step)
        ends[name] = {metric: METRICS[metric].observe(model)["all"] for metric in READ_OUTS}
    reference = ends[experiment.reference]
    logs = [_log_ratio(ends[name][metric], reference[metric]) for name, metric in contrasts_of(experiment)]
    return np.array(logs)


def _give_up_when_told(folder: SensitivityFolder, step: int) -> None:
    if step % 100 == 0 and folder.stop.exists():
        raise Stopped


def _log_ratio(value: float, reference: float) -> float:
    if not (value > 0.0 and reference > 0.0 and math.isfinite(value / reference)):
        raise ArithmeticError(f"no ratio of {value:g} to {reference:g}")
    return math.log(value / reference)


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        digest.update(b"%d " % len(part) + part)
    return digest.hexdigest()


@dataclass
class Points(Dispatch[Point]):
    """Points under way, and what came of those that are done."""

    folder: SensitivityFolder
    experiment: Experiment
    crew: Crew
    progress: Progress
    all: int
    waiting: list[Point]
    running: dict[Outcome, Point] = field(default_factory=dict)
    attempts: Counter[Point] = field(default_factory=Counter)
    lost: list[Fault] = field(default_factory=list)

    def ready(self, task: Point) -> bool:
        """A point waits for nothing."""
        return True

    def submit(self, task: Point) -> Outcome:
        """Give a point to the crew."""
        return self.crew.executor.submit(evaluate, self.folder, self.experiment, task)

    def close(self, task: Point, fault: Fault | None) -> None:
        """Take a point off the books; one that was lost to its machine has no outcome."""
        if fault is not None:
            self.lost.append(fault)
        self.progress.complete(1)

    def show(self) -> None:
        """Tell how many points are done."""
        left = len(self.waiting) + len(self.running)
        self.progress.show(f"{self.all - left} of {self.all} points", [])


def simulate_points(
    folder: SensitivityFolder, experiment: Experiment, points: Iterable[Point], crew: Crew, *, progress: bool
) -> None:
    """Simulate the points that have not been yet; each is on disk when it is done.

    Raises Lost where some have no outcome for a reason that is not theirs, such as memory or a full disk.
    """
    every = list(dict.fromkeys(points))
    waiting = [point for point in every if not folder.point_file(point.key).exists()]
    bar = Progress(len(every), shown=progress)
    bar.complete(len(every) - len(waiting))
    work = Points(folder, experiment, crew, bar, len(every), waiting)
    work.carry_out()
    if work.lost:
        raise Lost(f"{len(work.lost)} of {len(every)} points were lost ({work.lost[0].error})")


def outcomes(folder: SensitivityFolder, points: Sequence[Point | None], outputs: int) -> tuple[Floats, Counter[str]]:
    """Contrasts of the points, shape (points, outputs), NaN where there are none; and how often each problem occurred.

    A place that is no point at all (None) has been counted where it was refused.
    """
    values, problems = np.full((len(points), outputs), np.nan), Counter[str]()
    for row, point in enumerate(points):
        if point is None:
            continue
        found = json.loads(folder.point_file(point.key).read_text(encoding="utf-8"))
        if "problem" in found:
            problems[found["problem"]] += 1
        else:
            values[row] = found["values"]
    return values, problems
