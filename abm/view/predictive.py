"""Two kinds of uncertainty side by side: luck, over replicates, and the parameters, over their posterior."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from abm.study.results import PredictiveRow, Results, SummaryRow
from abm.study.store import ResultsFolder
from abm.view.page import image, note, table
from abm.view.style import PALETTE, STYLE, draw_ratios, ratio_axis, save_figure, wrapped
from abm.view.text import interval, number, predictive_of, ratio_text, told_values, without_unit

DPI = 150
COLUMNS = 3
# Okabe and Ito's colours, and markers that differ, so that the two can be told apart without colour.
LUCK, PARAMETERS = (PALETTE[0], "o", "replicates"), (PALETTE[1], "s", "parameters")
APART = 0.17
CAPTION = (
    "Ratio to the reference schedule at the last reading, and of blood where it is largest too. Circles: simulated "
    "population, 95 % interval over replicates "
    "(luck). Squares: median and 95 % interval of the expected neuron over the posterior of the fitted parameters."
)
EXPLAINED = (
    "Two kinds of uncertainty. The interval over replicates is luck: how far the ratio moves between pieces of tissue "
    "and random draws at the committed parameters; with more replicates it shrinks. The predictive interval is what is "
    "not known of the parameters: how far the ratio moves over {draws} sets of parameters drawn from the posteriors of "
    "these fits, given their calibration evidence: {fits}; only more evidence shrinks it. It is computed for the "
    "expected neuron (every random draw replaced by its probability), so its ratio at the committed parameters can "
    "differ a little from that of the population; the last column is the share of draws whose ratio lies below the "
    "population's. All other parameters are held at their committed values: what is not known of these comes on top. "
    "Every time is in predictive.csv."
)
HEAD = ("schedule", "replicates: ratio [95 %]", "expected neuron", "parameters: median [95 %]", "draws below")

Pair = tuple[SummaryRow, PredictiveRow]


def report_section(results: Results) -> str:
    """HTML for the report: explanation, figure and table, or why there is none; empty where nothing is said of it."""
    if results.predictive_note:
        return note(results.predictive_note)
    found = _pairs(results)
    if not found:
        return ""
    picture = write_predictive_figure(results)
    rows: list[tuple[str, ...]] = []
    for title, pairs in found:
        rows.append((title,))
        rows += [_cells(row, drawn) for row, drawn in pairs]
    counts = sorted({drawn.draws for _, pairs in found for _, drawn in pairs})
    draws = str(counts[-1]) + (f" (of what only the body moves, {counts[0]})" if len(counts) > 1 else "")
    figure = image(picture, "Intervals over replicates and over parameters", CAPTION)
    fits = ", ".join(results.manifest["predictive"]["posteriors"]).replace("_", " ")
    return note(EXPLAINED.format(draws=draws, fits=fits)) + figure + table(HEAD, rows, (2, 4))


def _pairs(results: Results) -> list[tuple[str, list[Pair]]]:
    """Title and rows of each read-out that was predicted, at its last time; the reference is left out."""
    drawn, found = predictive_of(results), []
    for title, rows in told_values(results.summary_rows):
        pairs = [
            (row, drawn[key]) for row in rows for key in [row[:4]] if key in drawn and row.schedule != results.reference
        ]
        if pairs:
            found.append((title, pairs))
    return found


def _cells(row: SummaryRow, drawn: PredictiveRow) -> tuple[str, ...]:
    place = "" if np.isnan(drawn.run_place) else f"{100.0 * drawn.run_place:.0f} %"
    middle = interval(drawn.ratio_median, drawn.ratio_low, drawn.ratio_high)
    return row.schedule, ratio_text(row), number(drawn.ratio_fitted), middle, place


def write_predictive_figure(results: Results) -> Path:
    """Draw figures/predictive.png; returns its path."""
    path = ResultsFolder(results.path).figures / "predictive.png"
    path.parent.mkdir(exist_ok=True)
    with rc_context(STYLE):  # type: ignore[arg-type]
        save_figure(predictive_figure(results), path, DPI)
    return path


def predictive_figure(results: Results) -> Figure:
    """Both intervals of each schedule, one panel for each read-out at its last time."""
    found = _pairs(results)
    others = [schedule for schedule in results.schedules if schedule != results.reference]
    columns = min(COLUMNS, len(found))
    lines = -(-len(found) // columns)
    figure = Figure(figsize=(1.4 + 2.7 * columns, (0.75 + 0.28 * len(others)) * lines + 0.5), layout="constrained")
    axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for ax, (title, pairs) in zip(axes.flat, found, strict=False):
        _draw(ax, pairs, others)
        ax.set_title(without_unit(title))
    for ax in axes.flat[len(found) :]:
        ax.set_axis_off()
    axes[0, 0].set_yticks(range(len(others)), map(wrapped, others))
    axes[0, 0].set_ylim(len(others) - 0.5, -0.5)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.supxlabel(f"ratio to {results.reference} (logarithmic axes)", fontsize=8)
    return figure


def _draw(axes: Axes, pairs: list[Pair], schedules: list[str]) -> None:
    places = np.array([schedules.index(row.schedule) for row, _ in pairs], dtype=np.float64)
    luck = [(row.ratio, row.ratio_ci_low, row.ratio_ci_high) for row, _ in pairs]
    parameters = [(drawn.ratio_median, drawn.ratio_low, drawn.ratio_high) for _, drawn in pairs]
    for values, (colour, marker, name), shift in ((luck, LUCK, -APART), (parameters, PARAMETERS, APART)):
        centre, low, high = np.array(values, dtype=np.float64).T
        look = {"fmt": marker, "color": colour, "markerfacecolor": colour if marker == "o" else "white"}
        draw_ratios(axes, centre, low, high, places + shift, label=name, **look)
    ratio_axis(axes)
