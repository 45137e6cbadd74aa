"""Which signal does it: the effect of each schedule shared out among the signals that carry it into the hippocampus.

For a schedule and a set S of signals, v(S) is the logarithm of a read-out at the end of the run when only S is let
through and the other signals are held at those of a resting day, relative to the reference schedule on the same tissue
with the same random draws. Each replicate is one game; shares are its Shapley values (`abm.study.shapley`). v(none) is
what the schedule does besides its signals, such as blocks and doses into the brain.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.study.clamping import READ_OUTS, SIGNALS, ClampedStudy, through_text
from abm.study.contrasts import NAN, mean_over_replicates, ratio_of_means
from abm.study.crew import Crew, crew_of
from abm.study.execute import Execution
from abm.study.plan import Run
from abm.study.progress import Progress
from abm.study.provenance import now, provenance
from abm.study.shapley import Coalition, Game, interaction_indices, shapley_values
from abm.study.store import ResultsFolder, remove, write_table
from abm.study.work import lost_if_not_written

REMAINDER, TOTAL = "remainder", "total"
TABLES = ("attribution.csv", "interactions.csv", "coalitions.csv")
COALITION_COLUMNS = ("schedule", "through", "replicate", "metric", "value", "reference_value", "effect_log")

Floats = NDArray[np.float64]


class AttributionFolder(ResultsFolder):
    """The results folder of an attribution."""

    own = ("config.yaml", "manifest.json", *TABLES, "attribution.html", "figures", ".runs")
    study = "attribution"


class Share(NamedTuple):
    """A row of attribution.csv: what one signal contributes to the effect of a schedule on a read-out.

    shapley_log and its 95 % interval: natural logarithm of a factor. share: of the total, with Fieller's interval, NaN
    where the total cannot be told from zero. signal "remainder" is v(none), "total" the whole effect, their sum.
    effect_ratio: the factor itself.
    """

    schedule: str
    metric: str
    signal: str
    shapley_log: float
    ci_low: float
    ci_high: float
    share: float
    share_ci_low: float
    share_ci_high: float
    n: int
    effect_ratio: float


class Interaction(NamedTuple):
    """A row of interactions.csv: Shapley interaction index of two signals, with its 95 % interval."""

    schedule: str
    metric: str
    signal: str
    other: str
    interaction_log: float
    ci_low: float
    ci_high: float
    n: int


@dataclass(frozen=True)
class Attribution:
    """What was found: the rows of both tables, signals that never left rest by schedule, and runs that failed."""

    path: Path
    reference: str
    shares: list[Share]
    interactions: list[Interaction]
    silent: dict[str, tuple[str, ...]]
    failures: list[dict[str, Any]]


def attribute(
    study: ClampedStudy,
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    announce: Callable[[int], None] | None = None,
) -> Attribution:
    """Run every arm on every replicate and share out the effects; results in `out` (default: results/NAME_attribution).

    Options, errors and interruption as in `abm.study.run_experiment`. The folder then holds config.yaml, manifest.json,
    attribution.csv, interactions.csv and coalitions.csv, with the value of every combination and replicate. announce is
    called with the number of workers once the folder is found usable, before the first run.
    """
    plan = study.plan
    folder = AttributionFolder(out if out is not None else Path("results") / f"{plan.experiment.name}_attribution")
    folder.check(plan, resume=resume, overwrite=overwrite)
    if not (resume and folder.is_complete()):
        width = min(workers or os.cpu_count() or 1, len(plan.runs))
        if announce:
            announce(width)
        with crew_of(executor, width) as crew:
            folder.open(overwrite=overwrite)
            with lost_if_not_written(folder):
                _conduct(study, folder, crew, progress)
    return _read(study, folder)


def _conduct(study: ClampedStudy, folder: AttributionFolder, crew: Crew, progress: bool) -> None:
    plan = study.plan
    began = {"study": "attribution", "schedules": list(study.original.schedules), "arms": list(plan.timelines)}
    record = provenance(plan.experiment) | began
    for name in (*TABLES, "attribution.html", "figures"):  # resumed: what was made of fewer runs does not stay
        remove(folder.path / name)
    folder.write_config(replace(plan, experiment=study.original))
    folder.write_manifest(record | {"status": "running"})
    steps = plan.experiment.run.replicates * (plan.burn_in_steps + len(plan.timelines) * plan.steps)
    execution = Execution(plan, folder, study.forcing, crew, Progress(steps, shown=progress))
    status = "interrupted"
    try:
        execution.carry_out()
        status = "incomplete" if execution.failures else "complete"
    finally:
        write_table(folder.path / "coalitions.csv", COALITION_COLUMNS, _coalition_rows(study, folder))
        failures = [failure._asdict() for failure in execution.failures]
        folder.write_manifest(record | {"status": status, "finished": now(), "failures": failures})
    if status == "complete":
        remove(folder.runs)


def _coalition_rows(study: ClampedStudy, folder: AttributionFolder) -> Iterator[tuple[object, ...]]:
    """Every value, per schedule and combination; NaN where its run has not finished."""
    plan, reference = study.plan, study.original.reference
    values = {}
    for run in plan.runs:
        with folder.record(plan, run) as record:
            values[run] = record["readings"].tolist() if record else [NAN] * len(plan.readings)
    for (schedule, through), arm in study.arms.items():
        for replicate in range(plan.experiment.run.replicates):
            own, other = values[Run(arm, replicate)], values[Run(reference, replicate)]
            for metric, value, compared in zip(READ_OUTS, own, other, strict=True):
                yield (schedule, through_text(through), replicate, metric, value, compared, log_ratio(value, compared))


def log_ratio(value: float, reference: float) -> float:
    """ln(value / reference); NaN unless both are positive."""
    return math.log(value / reference) if value > 0.0 and reference > 0.0 else NAN


def _read(study: ClampedStudy, folder: AttributionFolder) -> Attribution:
    """Share out what coalitions.csv holds, write the tables of shares and interactions, and return them."""
    games = _games(folder.path / "coalitions.csv")
    shares, interactions = [], []
    for schedule, active in study.active.items():
        for metric in READ_OUTS:
            shares += share_rows(schedule, metric, active, games[schedule, metric])
            interactions += interaction_rows(schedule, metric, active, games[schedule, metric])
    write_table(folder.path / "attribution.csv", Share._fields, shares)
    write_table(folder.path / "interactions.csv", Interaction._fields, interactions)
    silent = {schedule: study.silent(schedule) for schedule in study.active}
    return Attribution(
        folder.path, study.original.reference, shares, interactions, silent, folder.manifest()["failures"]
    )


def _games(path: Path) -> dict[tuple[str, str], dict[Coalition, Floats]]:
    """For each schedule and read-out the effect of every combination in each replicate."""
    effects: dict[tuple[str, str], dict[Coalition, list[float]]] = {}
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            through = frozenset(row["through"].split("+")) - {"none"}
            game = effects.setdefault((row["schedule"], row["metric"]), {})
            game.setdefault(through, []).append(float(row["effect_log"] or NAN))
    return {key: {through: np.array(logs) for through, logs in game.items()} for key, game in effects.items()}


def share_rows(schedule: str, metric: str, active: Sequence[str], game: Game) -> list[Share]:
    """What each signal contributes, then what none of them carries, then the whole effect.

    game: coalition of active signals -> v, one number per replicate; a replicate that lacks one counts nowhere.
    """
    game = _finished(game)
    total, none = game[frozenset(active)], game[frozenset()]
    values = shapley_values(active, game)
    parts = {signal: values.get(signal, np.zeros_like(total)) for signal in SIGNALS}
    return [
        _share(schedule, metric, name, part, total) for name, part in {**parts, REMAINDER: none, TOTAL: total}.items()
    ]


def _share(schedule: str, metric: str, name: str, part: Floats, total: Floats) -> Share:
    n, mean, low, high = mean_over_replicates(part.tolist())
    share = ratio_of_means(part, total)
    return Share(schedule, metric, name, mean, low, high, *share, n, math.exp(mean))


def interaction_rows(schedule: str, metric: str, active: Sequence[str], game: Game) -> list[Interaction]:
    """The interaction of each pair of active signals."""
    rows = []
    for (signal, other), index in interaction_indices(active, _finished(game)).items():
        n, mean, low, high = mean_over_replicates(index.tolist())
        rows.append(Interaction(schedule, metric, signal, other, mean, low, high, n))
    return rows


def _finished(game: Game) -> dict[Coalition, Floats]:
    """A game of the replicates in which every combination has finished."""
    whole = np.isfinite(np.stack(list(game.values()))).all(axis=0)
    return {through: worth[whole] for through, worth in game.items()}
