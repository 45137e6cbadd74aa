"""Published experiments against the model: the runs they share, what these say, and the board.

Every observation of every file is one row. Runs are shared between files (`abm.study.trajectories`), and each row takes
as many replicates as its answer needs (`abm.study.answers`).
"""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abm.errors import ConfigError, nearest
from abm.metrics import METRICS
from abm.study.answers import Answer, Answers
from abm.study.crew import Crew, crew_of
from abm.study.progress import Progress
from abm.study.provenance import LIBRARIES, code_hash, commit, now, versions
from abm.study.score import faintness, score, shortfall
from abm.study.scoreboard import BOARD_FILE, BoardRow, Scoreboard, write_board
from abm.study.shared_runs import SharedRuns
from abm.study.store import ResultsFolder, remove
from abm.study.trajectories import Question, Run, SharedPlan, observation_text, share
from abm.study.work import Fault, lost_if_not_written

if TYPE_CHECKING:
    from abm.config import Evidence, EvidenceObservation

DEFAULT_OUT = Path("results") / "validation"


def choose(names: Sequence[str | os.PathLike[str]] = ()) -> list[Evidence]:
    """Published experiments by their ids in the library or as files of their own; the whole library for no names.

    Raises ConfigError for a name that is neither, a file that cannot be read, or two files with one id.
    """
    from abm.config import evidence_library, load_evidence

    library = {path.stem: path for path in evidence_library()}
    paths = [_find(os.fspath(name), library) for name in names] if names else list(library.values())
    found: dict[str, tuple[Path, Evidence]] = {}
    for path in dict.fromkeys(path.resolve() for path in paths):
        item = load_evidence(path)
        if item.id in found:
            problem = f"is the id of {found[item.id][0].name} as well"
            raise ConfigError(problem, file=str(path), key="id", value=item.id, expected="an id of its own")
        found[item.id] = path, item
    return [item for _, item in found.values()]


def _find(name: str, library: Mapping[str, Path]) -> Path:
    if name in library:
        return library[name]
    if Path(name).is_file():
        return Path(name)
    expected = "an id of the library or an evidence file"
    raise ConfigError("no such evidence", value=name, key="ID", expected=expected, suggestion=nearest(name, library))


class BoardFolder(ResultsFolder):
    """Where a validation keeps its files."""

    own = ("manifest.json", BOARD_FILE, "scoreboard.html", ".runs")
    study = "validation"


def validate(
    evidence: Sequence[Evidence],
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
) -> Scoreboard:
    """Predict what some published experiments saw and write manifest.json and scoreboard.csv in `out`.

    out (default: results/validation) and the other arguments are as in `run_experiment`; resume reuses every run
    that is stored in `out`, also for other experiments, as long as the program is the same.

    Raises ConfigError where an experiment cannot be run and ResultsError where `out` cannot be used, both before
    anything is written. A run that fails does not raise: its rows have no prediction and do not pass.
    """
    plan = share(evidence)
    folder = BoardFolder(out if out is not None else DEFAULT_OUT)
    present = {"study": ("kind of study", "validation"), "code_hash": ("program", code_hash())}
    folder.check_against(present, resume=resume, overwrite=overwrite)
    with crew_of(executor, workers or os.cpu_count() or 1) as crew:
        folder.open(overwrite=overwrite)
        with lost_if_not_written(folder):
            return _conduct(plan, folder, crew, Progress(0, shown=progress))


def _conduct(plan: SharedPlan, folder: BoardFolder, crew: Crew, progress: Progress) -> Scoreboard:
    record = _record(plan)
    began = time.perf_counter()
    for name in (BOARD_FILE, "scoreboard.html"):  # resumed: a board of other papers does not stay beside the account
        remove(folder.path / name)
    folder.write_manifest(record | {"status": "running"})
    answers = Answers(plan)
    runs = SharedRuns(plan, folder, answers.wanted, crew, progress)
    status = "interrupted"
    try:
        runs.carry_out()
        status = "incomplete" if runs.faults else "complete"
    finally:
        failures = _failures(plan, runs.faults)
        ending = {"status": status, "finished": now(), "wall_time_s": round(time.perf_counter() - began, 3)}
        folder.write_manifest(record | ending | {"runs": len(runs.values), "failures": failures})
    runs.forget_rested()
    rows = tuple(map(_row, plan.questions, answers.given(runs.values, runs.faults)))
    write_board(folder.path / BOARD_FILE, rows)
    return Scoreboard(rows, tuple(failures))


def _record(plan: SharedPlan) -> dict[str, Any]:
    """Where the board comes from."""
    return {
        "study": "validation",
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "started": now(),
        "evidence": list(dict.fromkeys(question.evidence.id for question in plan.questions)),
        "trajectories": len(plan.trajectories),
        "code_hash": code_hash(),
        "commit": commit(),
        "versions": versions(LIBRARIES),
    }


def _failures(plan: SharedPlan, faults: Mapping[Run, Fault]) -> list[dict[str, Any]]:
    found = []
    for run, fault in sorted(faults.items()):
        schedule = plan.trajectories[run.trajectory].experiment.reference if run.trajectory else ""
        stage = "run" if run.trajectory else "burn-in"
        found.append({"schedule": schedule, "replicate": run.replicate, "stage": stage, "error": fault.error})
    return found


def _row(question: Question, said: Answer) -> BoardRow:
    item, observation, published = question.evidence, question.observation, question.published
    found = score(published, said.predicted)
    said_of_it = said.problem or shortfall(published, said.predicted) or faintness(published, said.predicted)
    return BoardRow(
        id=item.id,
        observation=observation_text(observation),
        source=item.source,
        role=item.role,
        kind=published.kind,
        part=METRICS[question.metric].part,
        predicted=said.predicted.value,
        predicted_low=said.predicted.low,
        predicted_high=said.predicted.high,
        observed=published.observed,
        observed_low=published.low,
        observed_high=published.high,
        n=_groups_text(observation),
        z=found.z,
        passed=found.passed,
        note="; ".join(part for part in (said_of_it, observation.note) if part),
    )


def _groups_text(observation: EvidenceObservation) -> str:
    if observation.n is None:
        return ""
    return str(observation.n) if isinstance(observation.n, int) else "/".join(map(str, observation.n))
