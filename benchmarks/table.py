"""The table of results: one row for each thing measured, as text, as CSV and as Markdown."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.measure import Measurement

SHOWN = (
    "case", "peer", "quantity", "value", "unit", "against_ours", "error", "memory_mb", "setup_s", "steps", "remark",
)  # fmt: skip
MARKS = ("<!-- benchmarks: begin -->", "<!-- benchmarks: end -->")


@dataclass
class Row:
    """One line of the table.

    quantity, value, unit: what was measured, the median of `runs`; size: voxels or neurons, where growth is looked at;
    against_ours: the peer's time over ours; error: against the reference that the workload names; memory_mb: largest
    resident memory of the process; setup_s: seconds before it could run, compilation included; steps: whether all
    steps were run; goal: what the quantity should be.
    """

    workload: str
    case: str
    peer: str
    quantity: str
    value: float = math.nan
    unit: str = "s"
    size: float = math.nan
    against_ours: float = math.nan
    error: str = ""
    memory_mb: float = math.nan
    setup_s: float = math.nan
    steps: str = ""
    runs: int = 0
    goal: str = ""
    remark: str = ""


def timing(workload: str, case: str, peer: str, found: Measurement, size: float = math.nan, remark: str = "") -> Row:
    """The row of a measured time."""
    if not found.runs:
        return Row(workload, case, peer, "time", size=size, remark=found.failure or "nothing measured")
    return Row(
        workload, case, peer, "time", found.seconds, "s", size, memory_mb=found.median("memory"),
        setup_s=found.setup, steps=said(*found.steps), runs=len(found.runs),
        remark="; ".join(part for part in (remark, found.failure) if part),
    )  # fmt: skip


def missing(workload: str, case: str, peer: str, library: str) -> Row:
    """The row of a peer that is not installed."""
    return Row(workload, case, peer, "time", remark=f"not installed: {library}")


def said(steps: int, total: int) -> str:
    """How much of the workload was run."""
    return f"all {total:,} steps" if steps >= total else f"extrapolated from {steps:,} of {total:,} steps"


def compare(rows: Sequence[Row]) -> None:
    """Fill in every time's ratio to the time of `ours` in the same case."""
    ours = {row.case: row.value for row in rows if row.peer == "ours" and row.quantity == "time"}
    for row in rows:
        if row.quantity == "time" and row.case in ours:
            row.against_ours = row.value / ours[row.case]
            if row.against_ours < 1.0 and not row.peer.startswith("ours"):
                row.remark = f"faster than ours; {row.remark}"


def number(value: float) -> str:
    """Three digits; nothing for what is not a number."""
    if isinstance(value, float) and math.isnan(value):
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write_csv(rows: Iterable[Row], path: Path) -> None:
    """All columns of all rows."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in fields(Row)])
        for row in rows:
            cells = astuple(row)
            writer.writerow(["" if isinstance(cell, float) and math.isnan(cell) else cell for cell in cells])


def read_csv(path: Path) -> list[Row]:
    """What `write_csv` wrote; nothing where there is no file."""
    if not path.exists():
        return []
    kinds: dict[str, Callable[[str], Any]] = {
        column.name: {"str": str, "int": int, "float": _float}[str(column.type)] for column in fields(Row)
    }
    with path.open(newline="", encoding="utf-8") as file:
        return [Row(**{name: kinds[name](cell) for name, cell in line.items()}) for line in csv.DictReader(file)]


def _float(cell: str) -> float:
    return float(cell) if cell else math.nan


def markdown(rows: Sequence[Row]) -> str:
    """A table for each workload, for a page."""
    return "\n".join(_part(workload, rows) for workload in dict.fromkeys(row.workload for row in rows))


def headline(rows: Sequence[Row]) -> str:
    """The short table of the project's page: ours beside the peers, then what has a goal."""
    lines = ["| | time (s) | × ours | error | memory (MB) | |", "|---|---|---|---|---|---|"]
    for row in rows:
        if not math.isnan(row.against_ours) or row.remark.startswith("not installed"):
            extrapolated = " (extrapolated)" if row.steps.startswith("extrapolated") else ""
            numbers = [number(row.value) + extrapolated, number(row.against_ours), row.error, number(row.memory_mb)]
            lines.append(f"| {row.case}: {row.peer} | " + " | ".join([*numbers, row.remark]) + " |")
    lines += ["", "| | | goal |", "|---|---|---|"]
    for row in rows:
        if row.goal:
            unit = "" if row.unit == "1" else f" {row.unit}"
            lines.append(f"| {row.case}: {row.quantity} | {number(row.value)}{unit} | {row.goal} |")
    return "\n".join(lines) + "\n"


def put_between_marks(text: str, table: str) -> str:
    """A page with what stands between its marks replaced by the table. Raises ValueError if it has no marks."""
    before, _, rest = text.partition(MARKS[0])
    _, found, after = rest.partition(MARKS[1])
    if not found:
        raise ValueError(f"no {MARKS[0]} and {MARKS[1]}")
    return f"{before}{MARKS[0]}\n\n{table}\n{MARKS[1]}{after}"


def _part(workload: str, rows: Sequence[Row]) -> str:
    mine = [row for row in rows if row.workload == workload]
    columns = [name for name in SHOWN if any(_cell(row, name) for row in mine)]
    if any(row.goal for row in mine):
        columns.insert(columns.index("unit") + 1, "goal")
    lines = [f"### {workload}", "", "| " + " | ".join(name.replace("_", " ") for name in columns) + " |"]
    lines.append("|" + "---|" * len(columns))
    lines += ["| " + " | ".join(_cell(row, name) for name in columns) + " |" for row in mine]
    return "\n".join([*lines, ""])


def _cell(row: Row, name: str) -> str:
    value = getattr(row, name)
    return number(value) if isinstance(value, int | float) else str(value)
