"""What a sensitivity study found, and the files that hold it: sensitivity.json and two tables."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

from abm.study.contrasts import NAN
from abm.study.grades import GradeRow, SensitivityRow
from abm.study.points import SensitivityFolder
from abm.study.store import ResultsError, write_table

ROWS, GRADES = "sensitivity.csv", "sensitivity_grades.csv"


@dataclass(frozen=True)
class Contrast:
    """About one output: its value at the nominal parameters, its standard deviation over parameters spread evenly over
    their ranges, and that over seeds, root mean square over places of the ranges, which is luck.
    """

    contrast: str
    metric: str
    nominal: float
    spread: float
    luck: float


@dataclass(frozen=True)
class Sensitivity:
    """What was found: rows of both tables, contrasts, points done and those left out with the reason."""

    path: Path
    tissue: str
    rows: list[SensitivityRow]
    grades: list[GradeRow]
    contrasts: list[Contrast]
    points: int
    problems: dict[str, int]


def sensitivity_record(found: Sensitivity) -> dict[str, Any]:
    """What goes into sensitivity.json besides provenance: all that the tables do not hold."""
    return {
        "tissue": found.tissue, "points": found.points, "left_out": found.problems,
        "contrasts": [vars(contrast) for contrast in found.contrasts],
    }  # fmt: skip


def write_tables(found: Sensitivity) -> None:
    """Write sensitivity.csv and sensitivity_grades.csv."""
    write_table(found.path / ROWS, SensitivityRow._fields, found.rows)
    write_table(found.path / GRADES, GradeRow._fields, found.grades)


def read_sensitivity(path: str | Path) -> Sensitivity:
    """Read a finished study; ResultsError where the folder holds none, or one of an earlier version."""
    folder = SensitivityFolder(path)
    record = folder.manifest()
    if not folder.is_complete():
        raise ResultsError(f"{folder.path} holds a sensitivity study that is not finished: add --resume to go on")
    rows = [SensitivityRow(**cells) for cells in _cells(folder.path / ROWS, SensitivityRow)]
    grades = [GradeRow(**cells) for cells in _cells(folder.path / GRADES, GradeRow)]
    contrasts = [Contrast(**cells) for cells in record["contrasts"]]
    return Sensitivity(folder.path, record["tissue"], rows, grades, contrasts, record["points"], record["left_out"])


def _cells(path: Path, kind: type[SensitivityRow] | type[GradeRow]) -> Iterator[dict[str, Any]]:
    """The rows of a table, its numbers as numbers; an empty cell is NaN."""
    types = get_type_hints(kind)
    with path.open(newline="", encoding="utf-8") as stream:
        table = csv.DictReader(stream)
        if tuple(table.fieldnames or ()) != kind._fields:
            raise ResultsError(f"{path} was written by another version: do the study again with --overwrite")
        for row in table:
            yield {name: (types[name](cell) if cell or types[name] is str else NAN) for name, cell in row.items()}
