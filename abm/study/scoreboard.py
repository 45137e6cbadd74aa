"""The scoreboard: one row per published observation, as it is written, read back and counted."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from abm.metrics import METRICS
from abm.parameters import CONFIG_DIRECTORY
from abm.study.score import Prediction, goes
from abm.study.store import ResultsError, write_table

CLASSES = {"up": "direction", "down": "direction", "ratio": "magnitude", "value": "magnitude", "none": "null"}
BOARD_FILE = "scoreboard.csv"
EVIDENCE_DIRECTORY = CONFIG_DIRECTORY / "evidence"
COMMITTED_BOARD = EVIDENCE_DIRECTORY / BOARD_FILE
SENTENCES = EVIDENCE_DIRECTORY / "misses.yaml"


class BoardRow(NamedTuple):
    """One observation: what was seen, what is predicted, and whether they agree. NaN where there is no number.

    kind: ratio, value, up, down or none. part: of the chain. n: animals per arm as published. z: standard errors
    between predicted and observed (Student's t for a direction). note: the size of a miss, whether a pass rests on an
    effect that few animals would show, and the file's own.
    """

    id: str
    observation: str
    source: str
    role: str
    kind: str
    part: str
    predicted: float
    predicted_low: float
    predicted_high: float
    observed: float
    observed_low: float
    observed_high: float
    n: str
    z: float
    passed: bool
    note: str

    @property
    def about(self) -> str:
        """What was published about the effect: its direction, its magnitude, or that there is none (null)."""
        return CLASSES[self.kind]

    @property
    def right_sign(self) -> bool:
        """Whether a direction is predicted with the published sign, however many animals it would take to see it.

        A change that is no more than the error of the steps has no sign.
        """
        return goes(self.kind, Prediction(self.predicted, self.predicted_low, self.predicted_high))


COLUMNS = tuple("pass" if name == "passed" else name for name in BoardRow._fields)
NUMBERS = (
    "predicted", "predicted_low", "predicted_high", "observed", "observed_low", "observed_high", "z",
)  # fmt: skip


class Count(NamedTuple):
    """How many rows of a group pass."""

    group: tuple[str, ...]
    passed: int
    rows: int


@dataclass(frozen=True)
class Scoreboard:
    """The rows in the order of the library, and the runs that failed: schedule, replicate, stage and error of each."""

    rows: tuple[BoardRow, ...]
    failures: tuple[dict[str, Any], ...] = ()

    @property
    def misses(self) -> list[BoardRow]:
        """Rows that do not pass."""
        return [row for row in self.rows if not row.passed]

    def by_role_and_class(self) -> list[Count]:
        """Counts for each role, and within it for directions, their signs alone, magnitudes and nulls."""
        found = []
        for (role,), passed, rows in sorted(self.counts(lambda row: (row.role,))):
            found.append(Count((role, "all"), passed, rows))
            own = [row for row in self.rows if row.role == role]
            for (about,), met, of in sorted(_counts(own, lambda row: (row.about,))):
                found.append(Count((role, about), met, of))
                if about == "direction":
                    found.append(Count((role, "right sign"), sum(row.right_sign for row in own), of))
        return found

    def by_part(self) -> list[Count]:
        """Counts for each part of the chain and role."""
        return sorted(self.counts(lambda row: (row.part, row.role)), key=lambda count: _place(*count.group))

    def counts(self, group: Callable[[BoardRow], tuple[str, ...]]) -> list[Count]:
        """Passes and rows for each group, in the order in which groups first appear."""
        return _counts(self.rows, group)


def _place(part: str, role: str) -> tuple[int, str]:
    return next((place for place, metric in enumerate(METRICS.values()) if metric.part == part), len(METRICS)), role


def _counts(rows: Iterable[BoardRow], group: Callable[[BoardRow], tuple[str, ...]]) -> list[Count]:
    groups: dict[tuple[str, ...], list[bool]] = {}
    for row in rows:
        groups.setdefault(group(row), []).append(row.passed)
    return [Count(name, sum(passed), len(passed)) for name, passed in groups.items()]


def write_board(path: Path, rows: Sequence[BoardRow]) -> None:
    """Write scoreboard.csv."""
    cells = ([str(cell).lower() if isinstance(cell, bool) else cell for cell in row] for row in rows)
    write_table(path, COLUMNS, cells)


def read_board(path: Path) -> Scoreboard:
    """Read what `write_board` wrote; ResultsError where there is no such file."""
    if not path.is_file():
        raise ResultsError(f"there is no {path}; run.py validate --out DIR makes one")
    with path.open(newline="", encoding="utf-8") as stream:
        return Scoreboard(tuple(_row(cells) for cells in csv.DictReader(stream)))


def _row(cells: dict[str, str]) -> BoardRow:
    numbers = {name: float(cells[name]) if cells[name] else math.nan for name in NUMBERS}
    texts = {name: cells[name] for name in BoardRow._fields if name != "passed" and name not in numbers}
    return BoardRow(**texts, **numbers, passed=cells["pass"] == "true")  # type: ignore[arg-type]


def miss_sentences(path: Path = SENTENCES) -> dict[tuple[str, str], str]:
    """Why known misses miss: (id, observation) -> a sentence; nothing where there is no such file."""
    if not path.is_file():
        return {}
    written = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    return {(name, seen): why for name, sentences in written.items() for seen, why in sentences.items()}
