"""The results folder: its files, written so that a reader never meets half a file.

    config.yaml  manifest.json  replicates.csv  summary.csv  predictive.csv  traces.zarr  states.zarr  figures/
    report.html

While a study runs, every finished run lies as one file in .runs; the tables and arrays are assembled from these in
the order of the plan, so that their bytes do not depend on which worker finished when.
"""

from __future__ import annotations

import csv
import json
import math
import os
import shutil
import weakref
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import yaml
from numpy.typing import NDArray

from abm.study.plan import Plan, Run
from abm.study.provenance import code_hash, config_hash

if TYPE_CHECKING:
    from abm.config import Experiment

Arrays = dict[str, NDArray[Any]]

DRAFT = ".part"  # ending of what is not whole yet
_occupied: set[Path] = set()  # folders that this process writes to

OWN = (
    "config.yaml", "manifest.json", "replicates.csv", "summary.csv", "predictive.csv", "failures.csv", "report.html",
    "traces.zarr", "states.zarr", "figures", ".runs",
)  # fmt: skip


class ResultsError(Exception):
    """The results folder cannot be used as asked; the message says what to do instead."""


def _vacate(path: Path, lock: int) -> None:
    _occupied.discard(path)
    os.close(lock)


class ResultsFolder:
    """Where one study keeps its files.

    own: what a study writes and may replace. account: the file that says how it went; study: the kind of study that
    it names, nothing for an experiment. resumable: whether a study that was broken off can go on.
    """

    own: tuple[str, ...] = OWN
    account: str = "manifest.json"
    study: str | None = None
    resumable: bool = True

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self.runs = self.path / ".runs"
        self.stop = self.runs / "stop"
        self.figures = self.path / "figures"

    def check(self, plan: Plan, *, resume: bool, overwrite: bool) -> None:
        """ResultsError where the folder holds something that must not be touched; changes nothing."""
        present = {
            "config_hash": ("configuration", config_hash(plan.experiment)),
            "code_hash": ("program", code_hash()),
        }
        self.check_against(present, resume=resume, overwrite=overwrite)

    def check_against(self, present: Mapping[str, tuple[str, str]], *, resume: bool, overwrite: bool) -> None:
        """As `check`; `present`: what the manifest of a study to be resumed must hold, key -> (what it is, value)."""
        try:
            if self.path.exists() and not self.path.is_dir():
                raise ResultsError(f"{self.path} is a file, not a folder")
            present_files = {path.name for path in self.path.iterdir()} if self.path.exists() else set()
        except OSError as error:  # a name that is too long, a folder that may not be looked into
            raise ResultsError(f"{self.path} cannot be used: {error.strerror or error}") from error
        begun = self.runs.name in present_files and present_files <= {self.runs.name, "config.yaml"}
        if not present_files or begun:  # of a study that ended before it had an account there is nothing to keep
            return
        if resume:
            self._check_same(present)
        elif not overwrite:
            go_on = "--resume to go on or " if self.resumable else ""
            raise ResultsError(f"{self.path} is not empty: add {go_on}--overwrite to replace its results")
        elif not self.has_manifest():
            raise ResultsError(f"{self.path} holds no results of this kind, so nothing in it is overwritten")

    def open(self, *, overwrite: bool) -> None:
        """Make the folder ready for a study; overwriting removes what an earlier one wrote, and only that."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._occupy()
            for name in self.own if overwrite else ():
                remove(self.path / name)
            if not self.has_manifest():  # runs without an account could be of any study
                remove(self.runs)
            self.runs.mkdir(parents=True, exist_ok=True)
            self.stop.unlink(missing_ok=True)
            self._clear_remains()
        except OSError as error:
            raise ResultsError(f"{self.path} cannot be used for results: {error.strerror}") from None

    def _clear_remains(self) -> None:
        """Remove drafts of a process that was killed, and runs that a failing machine left half on disk."""
        drafts = [draft for name in self.own for draft in self.path.glob(f"{name}.*{DRAFT}")]
        for path in (*drafts, *self.runs.iterdir()):
            if path.suffix == DRAFT or not is_whole(path):
                remove(path)

    def _occupy(self) -> None:
        """Keep other processes from writing here as long as this object lives.

        Where the system or a shared disk of a cluster has no such locks, they are trusted to stay away.
        """
        with suppress(ImportError):
            import fcntl

            if self.path in _occupied:
                return
            folder = os.open(self.path, os.O_RDONLY)
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(folder)
                raise ResultsError(f"{self.path} is in use by another process") from None
            except OSError:
                os.close(folder)
                return
            _occupied.add(self.path)
            weakref.finalize(self, _vacate, self.path, folder)

    def has_manifest(self) -> bool:
        """Whether a study of this kind has been started here, as far as its account can be read."""
        if not (self.path / self.account).is_file():
            return False
        with suppress(ResultsError):
            return self.manifest().get("study") == self.study
        return True

    def is_complete(self) -> bool:
        """Whether a study has been carried out here without a failure."""
        return self.has_manifest() and self.manifest().get("status") == "complete"

    def _check_same(self, present: Mapping[str, tuple[str, str]]) -> None:
        manifest = self.manifest()
        if manifest.get("study") != self.study:
            raise ResultsError(f"{self.path} holds a study of another kind, so it cannot be resumed; use another --out")
        for key, (what, value) in present.items():
            if manifest.get(key) != value:
                raise ResultsError(
                    f"{self.path} cannot be resumed: the {what} has changed since it was started; "
                    "use --overwrite to replace its results or another --out"
                )

    def manifest(self) -> dict[str, Any]:
        """The record of the study; ResultsError where there is none."""
        try:
            found: dict[str, Any] = json.loads((self.path / self.account).read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise ResultsError(f"{self.path} holds no results (no {self.account})") from None
        except OSError as error:
            raise ResultsError(f"{self.path / self.account} cannot be read: {error.strerror or error}") from error
        except json.JSONDecodeError as error:
            raise ResultsError(f"{self.path / self.account} is damaged: {error}") from None
        if not isinstance(found, dict):
            raise ResultsError(f"{self.path / self.account} is damaged: not a record")
        return found

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Replace the record of the study."""
        write_text(self.path / self.account, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")

    def write_config(self, plan: Plan) -> None:
        """Write the resolved experiment."""
        write_text(self.path / "config.yaml", config_text(plan.experiment))

    def run_file(self, plan: Plan, run: Run) -> Path:
        """The file of one finished run."""
        return self.runs / f"run-{list(plan.timelines).index(run.schedule):03d}-{run.replicate:04d}.npz"

    @contextmanager
    def record(self, plan: Plan, run: Run) -> Iterator[Mapping[str, NDArray[Any]]]:
        """What is kept of one run, each array read when it is asked for; empty where the run has not finished."""
        path = self.run_file(plan, run)
        if not path.exists():
            yield {}
            return
        with np.load(path, allow_pickle=False) as stored:
            yield stored

    def example(self, plan: Plan) -> Arrays:
        """What is kept of the first finished run, or nothing."""
        for run in plan.runs:
            if self.run_file(plan, run).exists():
                return read_arrays(self.run_file(plan, run))
        return {}

    def rested_file(self, replicate: int) -> Path:
        """The file of a replicate's state after burn-in."""
        return self.runs / f"rested-{replicate:04d}.npz"

    def progress_file(self, name: str) -> Path:
        """The file in which a worker says how many steps it has taken."""
        return self.runs / f"{name}.progress"


def config_text(experiment: Experiment) -> str:
    """The resolved experiment as YAML."""
    return yaml.safe_dump(experiment.resolved(), sort_keys=False, allow_unicode=True, width=110)


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def is_whole(path: Path) -> bool:
    """Whether the arrays or the record in a file can be read to their end; other files are taken as they are."""
    try:
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as stored:
                return stored.testzip() is None
        if path.suffix == ".json":
            json.loads(path.read_bytes())
    except (zipfile.BadZipFile, ValueError):
        return False
    return True


def write_atomically(path: Path, write: Callable[[Path], None]) -> None:
    """Let `write` fill a neighbouring file (or folder), then put it in place of `path` in one move."""
    draft = path.with_name(f"{path.name}.{os.getpid()}{DRAFT}")
    remove(draft)
    try:
        write(draft)
        if draft.is_dir():
            remove(path)
        os.replace(draft, path)
    finally:
        with suppress(OSError):
            remove(draft)


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, UTF-8, unix line ends."""

    def save(draft: Path) -> None:
        draft.write_bytes(text.encode())

    write_atomically(path, save)


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write named arrays atomically as .npz."""

    def save(draft: Path) -> None:
        with draft.open("wb") as stream:
            np.savez(stream, allow_pickle=False, **dict(arrays))

    write_atomically(path, save)


def read_arrays(path: Path) -> Arrays:
    """Read what `write_arrays` wrote."""
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a CSV file atomically; floats as their shortest exact text, NaN as an empty cell."""

    def save(draft: Path) -> None:
        with draft.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows([_cell(value) for value in row] for row in rows)

    write_atomically(path, save)


def _cell(value: object) -> object:
    return "" if value is None or (isinstance(value, float) and math.isnan(value)) else value
