"""From an experiment to its results folder: plan, plasma, runs, tables and arrays."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from functools import cache
from pathlib import Path
from typing import Any

from abm.config import Experiment
from abm.errors import ConfigError
from abm.study.arrays import read_libraries, shared_traces, write_states, write_traces
from abm.study.crew import Crew, cluster, crew_of
from abm.study.execute import Execution, Failure, Forcing
from abm.study.plan import Plan, plan_experiment
from abm.study.posterior import load_posteriors
from abm.study.predictive import Prediction, predict, predictive_rows
from abm.study.progress import Progress
from abm.study.provenance import now, provenance
from abm.study.results import PredictiveRow, Results, SummaryRow
from abm.study.store import ResultsFolder, remove, write_table
from abm.study.tables import FAILURE_COLUMNS, REPLICATE_COLUMNS, SUMMARY_COLUMNS, replicate_rows, summary_rows
from abm.study.work import fault_of, lost_if_not_written


def run_experiment(
    experiment: Experiment,
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    scheduler: str | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    ended: Callable[[], object] | None = None,
) -> Results:
    """Run every schedule on every replicate and store the results in `out` (default: results/<name>).

    workers: processes on this machine (default: one per core). scheduler: address of a Dask scheduler instead.
    executor: any other executor of concurrent.futures, given `workers` tasks at a time. Worker processes import the
    calling script, so that there the call belongs under `if __name__ == "__main__":`. resume: go on with what `out`
    lacks; overwrite: replace what it holds. progress: show a bar on stderr. ended: called when the last run has ended,
    before tables and arrays are written.

    Beside the last runs the posterior of the parameters is put through the expected neuron (`predictive`).

    Raises ConfigError where the experiment cannot be run and ResultsError where `out` cannot be used, both before
    anything is written. A run that fails does not raise: it is listed in `manifest["failures"]`. Lost is raised where
    no worker process can start or the results cannot be written. KeyboardInterrupt passes through after what is
    finished has been stored.
    """
    plan = plan_experiment(experiment)
    folder = ResultsFolder(out if out is not None else Path("results") / experiment.name)
    folder.check(plan, resume=resume, overwrite=overwrite)
    posteriors = load_posteriors()
    if resume and folder.is_complete():
        return Results(folder.path)
    with _crew(plan, workers, scheduler, executor) as crew:
        forcing = drive(plan)  # while the workers start
        folder.open(overwrite=overwrite)

        @cache
        def predicted() -> Prediction:
            # The executor of this moment: one whose worker died has been replaced.
            return predict(plan, list(forcing.schedules), posteriors, executor=crew.executor, progress=progress)

        bar = Progress(_all_steps(plan), shown=progress)
        with lost_if_not_written(folder):
            _conduct(plan, folder, forcing, crew, bar, predicted, ended or (lambda: None))
    return Results(folder.path)


def _crew(
    plan: Plan, workers: int | None, scheduler: str | None, executor: Executor | None
) -> AbstractContextManager[Crew]:
    if scheduler is not None:
        return cluster(scheduler)
    width = workers or os.cpu_count() or 1
    return crew_of(executor, width if executor else min(width, len(plan.runs)))


def drive(plan: Plan) -> Forcing:
    """Plasma of a resting day and of each schedule; the body does not feel the brain, so replicates share it."""
    # Planning and reading need neither the body nor its compiled code.
    from abm.forcing import blood_of, resting_blood

    try:
        forcing = Forcing(resting_blood(plan.experiment), {}, {})
    except ArithmeticError as error:
        raise _of_subject(str(error), plan.experiment) from None
    for name, timeline in plan.timelines.items():
        try:
            forcing.schedules[name] = blood_of(plan.experiment, timeline)
        except ArithmeticError as error:
            forcing.faults[name] = fault_of(error)
    return forcing


def _of_subject(problem: str, experiment: Experiment) -> ConfigError:
    """What is wrong with a body, and the numbers in which it differs from the parameter files."""
    changed = ", ".join(f"{key}: {value}" for key, value in experiment.subject.overrides.items())
    if not changed:
        return ConfigError(problem, key="subject")
    return ConfigError(problem, key="subject.overrides", value=changed, expected="values in their ranges, see describe")


def _all_steps(plan: Plan) -> int:
    return plan.experiment.run.replicates * (plan.burn_in_steps + len(plan.timelines) * plan.steps)


def _conduct(
    plan: Plan,
    folder: ResultsFolder,
    forcing: Forcing,
    crew: Crew,
    progress: Progress,
    predicted: Callable[[], Prediction],
    ended: Callable[[], object],
) -> None:
    began, record = time.perf_counter(), provenance(plan.experiment)
    if folder.has_manifest():  # resumed: the account goes on, and what was made of fewer runs does not stay beside it
        for name in ("predictive.csv", "traces.zarr", "states.zarr", "figures", "report.html"):
            remove(folder.path / name)
        record |= {key: folder.manifest()[key] for key in ("started", "wall_time_s") if key in folder.manifest()}
    spent = record.pop("wall_time_s", 0.0)
    folder.write_config(plan)
    folder.write_manifest(record | {"status": "running"})

    def beside() -> None:
        predicted()
        read_libraries()

    execution = Execution(plan, folder, forcing, crew, progress, beside)
    status = "interrupted"
    try:
        execution.carry_out()
        ended()
        prediction = predicted()  # has been, beside the last runs; not where none were missing
        whole = all(folder.run_file(plan, run).exists() for run in plan.runs)
        status = "complete" if whole and not execution.failures else "incomplete"
    finally:
        summary = _write_tables(plan, folder, execution.failures)
        failures = [failure._asdict() for failure in execution.failures]
        took = round(spent + time.perf_counter() - began, 3)
        ending: dict[str, Any] = {"status": status, "finished": now(), "wall_time_s": took}
        if status != "interrupted":
            # Should the disk fill up now, the account says which runs there are.
            folder.write_manifest(record | {"status": "incomplete", "failures": failures})
            write_traces(plan, folder, shared_traces(plan, forcing.schedules))
            write_states(plan, folder, _about_columns())
            _write_predictive(plan, folder, prediction, summary)
            ending["predictive"] = prediction.account()
        folder.write_manifest(record | ending | {"failures": failures})
    if status == "complete":
        remove(folder.runs)


def _write_predictive(
    plan: Plan, folder: ResultsFolder, prediction: Prediction, summary: Sequence[SummaryRow]
) -> None:
    """predictive.csv, where something was predicted."""
    remove(folder.path / "predictive.csv")
    if rows := predictive_rows(plan, prediction, summary):
        write_table(folder.path / "predictive.csv", PredictiveRow._fields, rows)


def _write_tables(plan: Plan, folder: ResultsFolder, failures: Sequence[Failure]) -> list[SummaryRow]:
    """The tables of what has finished, of which the summary is returned; a failed run keeps its rows, without values.
    """
    values = {}
    for run in plan.runs:
        with folder.record(plan, run) as record:
            if record:
                values[run] = record["readings"].tolist()
    write_table(folder.path / "replicates.csv", REPLICATE_COLUMNS, replicate_rows(plan, values))
    summary = list(summary_rows(plan, values))
    write_table(folder.path / "summary.csv", SUMMARY_COLUMNS, summary)
    remove(folder.path / "failures.csv")
    if failures:
        seed = plan.experiment.run.seed
        rows = [(f.schedule, f.replicate, seed, f.stage, f.error, f.traceback) for f in failures]
        write_table(folder.path / "failures.csv", FAILURE_COLUMNS, rows)
    return summary


def _about_columns() -> dict[str, dict[str, str]]:
    """Unit and meaning of the neuron columns, as they are declared."""
    from abm.neurons import Neuron

    return {name: {"units": c.unit, "long_name": c.__doc__ or name} for name, c in Neuron.declared_columns().items()}
