"""The table as a picture: what every peer takes beside ours, and how our times grow. Logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.table import Row, number

# Okabe and Ito's colours, which most colour-blind readers can tell apart.
COLOURS = {"ours": "#0072B2", "peer": "#E69F00", "line": ("#0072B2", "#D55E00", "#009E73", "#CC79A7")}
MARKERS = "osD^"
GROWING = ("ours, growth", "ours, whole steps")


def draw(rows: Sequence[Row], path: Path) -> None:
    """Write the figure; nothing if there are no times."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    timed = [row for row in rows if row.quantity == "time" and row.value > 0.0]
    if not timed:
        return
    figure, (left, right) = plt.subplots(1, 2, figsize=(13.0, 6.0), layout="constrained")
    _bars(left, [row for row in timed if not math.isnan(row.against_ours)])
    _lines(right, [row for row in timed if row.peer in GROWING])
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _bars(axes: Any, rows: Sequence[Row]) -> None:
    """Seconds of every peer, case by case, the first on top."""
    rows = list(rows)[::-1]
    labels = [f"{row.workload.split()[0]}, {row.case.split(', ')[0]}: {row.peer}" for row in rows]
    colours = [COLOURS["ours" if row.peer.startswith("ours") else "peer"] for row in rows]
    hatches = ["//" if row.steps.startswith("extrapolated") else "" for row in rows]
    bars = axes.barh(range(len(rows)), [row.value for row in rows], color=colours, hatch=hatches, edgecolor="white")
    for bar, row in zip(bars, rows, strict=True):
        beside = "" if row.peer == "ours" else f" ({number(row.against_ours)} x ours)"
        text = f" {number(row.value)} s{beside}"
        axes.text(row.value, bar.get_y() + 0.5 * bar.get_height(), text, va="center", fontsize=8)
    axes.set_xscale("log")
    if rows:
        axes.set_xlim(0.5 * min(row.value for row in rows), 1000.0 * max(row.value for row in rows))
    axes.set_yticks(range(len(rows)), labels, fontsize=8)
    axes.set_xlabel("time (s); hatched: extrapolated from some steps")
    axes.set_title("Ours and the peers")


def _lines(axes: Any, rows: Sequence[Row]) -> None:
    """Our seconds over voxels and over neurons."""
    curves: dict[str, list[Row]] = {}
    for row in rows:
        kind = row.case.split(",")[0].split("^")[-1].split()[0] if "^" in row.case else row.peer.split(", ")[1]
        names = {"2": "diffusion, planes", "3": "diffusion, cubes", "growth": "population loop, 1 d"}
        curves.setdefault(names.get(kind, f"model, {kind}, 1 d"), []).append(row)
    for number_of, (name, points) in enumerate(curves.items()):
        axes.plot(
            [row.size for row in points], [row.value for row in points], label=name,
            marker=MARKERS[number_of % 4], color=COLOURS["line"][number_of % 4],
        )  # fmt: skip
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("voxels (five substances), or neurons")
    axes.set_ylabel("time (s)")
    axes.set_title("Growth")
    if curves:
        axes.legend(fontsize=8)
