"""The scoreboard for people: lines on the terminal, a figure of predicted against observed, and one HTML page."""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from abm.study.scoreboard import BoardRow, Count, Scoreboard, miss_sentences
from abm.study.store import write_text
from abm.view.bibliography import reference_lines
from abm.view.page import note, page, table
from abm.view.style import PALETTE, REFERENCE, STYLE
from abm.view.text import aligned, number

BLUE, VERMILION = PALETTE[0], PALETTE[1]
ROLES = {"calibration": (BLUE, "o"), "validation": (VERMILION, "s")}
DPI = 150
RATIOS = 5.0  # inches
LINE = 0.035  # of the height of the frame of ratios
WIDEST = 78  # characters of an observation in the figure
HEAD = ("id", "observation", "predicted [95 % interval]", "published [interval]", "z", "result", "role")


# Text


def board_text(board: Scoreboard) -> str:
    """One line per observation, then how many pass by role, by class of result and by part of the chain."""
    lines = [HEAD, *(_line(row) for row in board.rows)]
    return f"{aligned(lines)}\n\n{totals_text(board)}"


def totals_text(board: Scoreboard) -> str:
    """How many observations pass: by role and class of result, then by part of the chain."""
    rows = [("passed", "", ""), *(_count_cells(count) for count in board.by_role_and_class())]
    rows += [("", "", ""), *(_count_cells(count) for count in board.by_part())]
    return aligned(rows)


def _count_cells(count: Count) -> tuple[str, str, str]:
    share = f"{count.passed} of {count.rows} ({100.0 * count.passed / count.rows:.0f} %)"
    return count.group[0], count.group[1], share


def _line(row: BoardRow) -> tuple[str, ...]:
    result = "pass" if row.passed else "MISS"
    return row.id, row.observation, predicted_text(row), observed_text(row), z_text(row), result, row.role


def predicted_text(row: BoardRow) -> str:
    """Prediction with its interval over replicates; a dash where there is none."""
    if math.isnan(row.predicted):
        return "-"
    low, high = row.predicted_low, row.predicted_high
    width = "" if math.isnan(low) else f" [{number(low)}, {number(high)}]"
    return number(row.predicted) + width


def observed_text(row: BoardRow) -> str:
    """What was published: number with interval, or the effect."""
    if row.about == "direction":
        return row.kind
    span = f"[{_end(row.observed_low)}, {_end(row.observed_high)}]"
    return f"none {span}" if row.kind == "none" else f"{number(row.observed)} {span}"


def _end(value: float) -> str:
    return ("-" if value < 0 else "") + "inf" if math.isinf(value) else number(value)


def z_text(row: BoardRow) -> str:
    """z (Student's t of a direction) to one digit."""
    return "" if math.isnan(row.z) else f"{row.z:+.1f}"


# Figure


def board_figure(board: Scoreboard) -> Figure:
    """Predicted against observed: ratios, values and standardised differences in the unit of half their interval,
    and directions and nulls as ratios. Filled: passes; open and labelled: misses."""
    ratios = [row for row in board.rows if row.kind == "ratio" and row.predicted > 0.0]
    values = [row for row in board.rows if row.kind == "value" and _has_distance(row)]
    effects = [row for row in board.rows if row.about in ("direction", "null") and row.predicted > 0.0]
    effects.sort(key=lambda row: (row.kind, row.predicted))
    column = 0.13 * len(values) + 0.8
    height = max(RATIOS + column, 0.13 * len(effects) + 0.8) + 0.5
    figure = Figure(figsize=(12.0, height), layout="constrained")
    # Sub-figures keep the long names of one panel from narrowing another.
    top, panels = figure.subfigures(2, 1, squeeze=False, height_ratios=(0.4, height - 0.4)).flat
    left, right = panels.subfigures(1, 2, squeeze=False).flat
    upper, lower = left.subfigures(2, 1, squeeze=False, height_ratios=(RATIOS, height - RATIOS)).flat
    first = upper.subplots()
    _draw_ratios(first, ratios)
    _draw_values(second := lower.subplots(), values)
    _draw_effects(third := right.subplots(), effects)
    for axes, rows in ((first, ratios), (second, values), (third, effects)):
        if not rows:
            axes.text(0.05, 0.9, "none published", transform=axes.transAxes, color=REFERENCE)
    for role, (colour, marker) in ROLES.items():
        first.plot([], [], marker, color=colour, label=f"{role}, pass")
        first.plot([], [], marker, markerfacecolor="white", markeredgecolor=colour, label=f"{role}, miss")
    handles, labels = first.get_legend_handles_labels()
    top.legend(handles, labels, loc="center", ncols=4)
    return figure


def _has_distance(row: BoardRow) -> bool:
    return math.isfinite(row.z)


def _looks(row: BoardRow) -> dict[str, object]:
    colour, marker = ROLES.get(row.role, (REFERENCE, "o"))
    face = colour if row.passed else "white"
    return {"marker": marker, "color": colour, "markerfacecolor": face, "markersize": 4.5, "linestyle": "none"}


def _draw_ratios(axes: Axes, rows: Sequence[BoardRow]) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    numbers = [value for row in rows for value in (row.observed, row.predicted)]
    low, high = min([*numbers, 0.5]) / 1.3, max([*numbers, 2.0]) * 1.3
    axes.plot([low, high], [low, high], color=REFERENCE, linewidth=0.8)
    axes.axhline(1.0, color=REFERENCE, linewidth=0.4, linestyle=":")
    axes.axvline(1.0, color=REFERENCE, linewidth=0.4, linestyle=":")
    for row in rows:
        ends = np.clip([[row.observed - row.observed_low], [row.observed_high - row.observed]], 0.0, 10.0 * high)
        spread = np.nan_to_num([[row.predicted - row.predicted_low], [row.predicted_high - row.predicted]])
        looks = _looks(row)
        axes.errorbar(row.observed, row.predicted, xerr=ends, yerr=spread, elinewidth=0.6, **looks)  # type: ignore[arg-type]
    axes.set(xlim=(low, high), ylim=(low, high), aspect="equal")
    _name_misses(axes, [row for row in rows if not row.passed], low, high)
    _write_ratios(axes.xaxis)
    _write_ratios(axes.yaxis)
    axes.set_title("ratios")
    axes.set_xlabel("published (95 % interval)")
    axes.set_ylabel("predicted")


def _write_ratios(axis: Axis) -> None:
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_locator(NullLocator())


def _name_misses(axes: Axes, misses: Sequence[BoardRow], low: float, high: float) -> None:
    """Names beside the frame, each at the height of its point or as much above the one below as a line needs."""
    height = 0.0
    for row in sorted(misses, key=lambda row: row.predicted):
        height = max(height + LINE, math.log(row.predicted / low) / math.log(high / low))
        thin = {"arrowstyle": "-", "linewidth": 0.3, "color": REFERENCE}
        axes.annotate(
            row.id, (row.observed, row.predicted), xytext=(1.02, height), textcoords="axes fraction", fontsize=5.5,
            va="center", arrowprops=thin,
        )  # fmt: skip


def _name_lines(axes: Axes, rows: Sequence[BoardRow]) -> None:
    """Names of the observations, those missed in bold."""
    texts = [f"{row.id}: {row.observation}" for row in rows]
    shown = [text if len(text) <= WIDEST else f"{text[: WIDEST - 1]}…" for text in texts]
    names = axes.set_yticks(range(len(rows)), shown, fontsize=6)
    for tick, row in zip(names, rows, strict=True):
        tick.label1.set_fontweight("normal" if row.passed else "bold")
    # The axis of numbers is at both ends: a figure of hundreds of lines is taller than a screen.
    axes.tick_params(axis="x", top=True, labeltop=True)


def _draw_values(axes: Axes, rows: Sequence[BoardRow]) -> None:
    axes.axvspan(-1.96, 1.96, color=REFERENCE, alpha=0.15, linewidth=0)
    ordered = sorted(rows, key=lambda row: row.z)
    for place, row in enumerate(ordered):
        axes.plot(np.clip(row.z, -12.0, 12.0), place, **_looks(row))  # type: ignore[arg-type]
    _name_lines(axes, ordered)
    axes.set(xlim=(-12.5, 12.5), ylim=(-0.7, max(len(rows), 1) - 0.3))
    axes.set_title("values and standardised differences")
    axes.set_xlabel("z = (predicted - published) / SE")


def _draw_effects(axes: Axes, rows: Sequence[BoardRow]) -> None:
    axes.set_xscale("log")
    axes.axvline(1.0, color=REFERENCE, linewidth=0.8)
    for place, row in enumerate(rows):
        if row.kind == "none":
            axes.plot([row.observed_low, row.observed_high], [place, place], color=REFERENCE, linewidth=4, alpha=0.3)
        else:
            word = "▶" if row.kind == "up" else "◀"
            axes.annotate(word, (1.0, place), fontsize=7, ha="center", va="center", color=REFERENCE)
        spread = np.nan_to_num([[row.predicted - row.predicted_low], [row.predicted_high - row.predicted]])
        axes.errorbar(row.predicted, place, xerr=np.maximum(spread, 0.0), elinewidth=0.6, **_looks(row))  # type: ignore[arg-type]
    _name_lines(axes, rows)
    axes.set_ylim(-0.7, max(len(rows), 1) - 0.3)
    numbers = [row.predicted for row in rows]
    axes.set_xlim(min([*numbers, 0.6]) / 1.2, max([*numbers, 1.7]) * 1.2)
    _write_ratios(axes.xaxis)
    axes.set_title("up ▶, down ◀, none (grey)")
    axes.set_xlabel("predicted ratio")


# Page


def write_page(board: Scoreboard, path: Path, record: Mapping[str, object] | None = None) -> Path:
    """Write scoreboard.html, which needs no other file and no network; record: the manifest of the validation."""
    sections = {
        "Totals": _totals(board),
        "Predicted against observed": _figure(board),
        "Misses": _misses(board),
        "Observations": _rows(board),
        "Sources": _sources(board),
    }
    if record:
        lines = "\n".join(f"{key}: {value}" for key, value in record.items())
        sections["Provenance"] = f"<pre>{html.escape(lines)}</pre>"
    write_text(path, page("Scoreboard of published experiments", _lead(board), sections))
    return path


def _lead(board: Scoreboard) -> str:
    passed = len(board.rows) - len(board.misses)
    sources = len({row.source for row in board.rows})
    text = f"{passed} of {len(board.rows)} observations from {sources} papers are met."
    failed = f' <span class="failed">Runs that failed: {len(board.failures)}.</span>' if board.failures else ""
    return f'<p class="lead">{html.escape(text)}{failed}</p>'


def _totals(board: Scoreboard) -> str:
    text = (
        "Calibration rows may have been used to fit parameters, validation rows never were. Direction: only up or down "
        "was published, and the effect must be one that a study of the published n sees, or where n is not published "
        "more than the error of the steps; right sign: whether or not it does; magnitude: a ratio or a value; null: no "
        "effect was seen."
    )
    first = [_count_cells(count) for count in board.by_role_and_class()]
    second = [_count_cells(count) for count in board.by_part()]
    tables = table(("role", "published", "pass"), first, (2,)) + table(("part", "role", "pass"), second, (2,))
    return note(text) + tables


def _figure(board: Scoreboard) -> str:
    with rc_context(STYLE):  # type: ignore[arg-type]
        figure, stream = board_figure(board), io.BytesIO()
        figure.savefig(stream, format="png", dpi=DPI)
    image = base64.b64encode(stream.getvalue()).decode()
    caption = (
        "Ratios with the published interval and that over replicates (the line is equality); values and standardised "
        "differences by their distance from the published number (grey: within a symmetric interval; cut at 12); "
        "directions and published nulls by predicted ratio. Filled symbols pass; open ones, with bold names, miss."
    )
    text = html.escape(caption)
    return f'<figure><img alt="Predicted against observed" src="data:image/png;base64,{image}">' + (
        f"<figcaption>{text}</figcaption></figure>"
    )


def _misses(board: Scoreboard) -> str:
    why = miss_sentences()
    rows = [
        (row.id, row.observation, row.role, row.note, why.get((row.id, row.observation), "")) for row in board.misses
    ]
    return table(("id", "observation", "role", "size", "why"), rows) if rows else note("None.")


def _rows(board: Scoreboard) -> str:
    head = (*HEAD[:5], "n", "result", "kind", "role", "part", "source", "note")
    parts: list[tuple[str, ...]] = []
    for row in board.rows:
        cells = _line(row)
        parts.append((*cells[:5], row.n, cells[5], row.kind, row.role, row.part, row.source, row.note))
    text = (
        "Predicted: mean over replicates (ratios are paired by replicate) with 95 % interval. z: distance from the "
        "published number in its standard errors; of a direction Student's t of the predicted ratio in a study of the "
        "published size; n: animals, subjects or cultures per arm."
    )
    return note(text) + table(head, parts, (2, 3, 4, 5))


def _sources(board: Scoreboard) -> str:
    lines = []
    for key, text, link in reference_lines(row.source for row in board.rows):
        shown = html.escape(text)
        lines.append(f"<li><b>{key}</b> " + (f'<a href="{html.escape(link)}">{shown}</a>' if link else shown) + "</li>")
    return f"<ul>{''.join(lines)}</ul>"
