"""Which signal does it, for people: a table, a figure and one HTML page."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator

from abm.study.attribute import REMAINDER, TOTAL, Attribution, AttributionFolder, Interaction, Share
from abm.study.clamping import READ_OUTS, SIGNALS, ClampedStudy
from abm.study.estimate import estimate
from abm.study.store import write_text
from abm.view.page import image, note, page, table
from abm.view.style import PALETTE, REFERENCE, STYLE, WORDS, few_ticks, save_figure
from abm.view.text import aligned, duration_text, workers_text

DPI = 150
STRONGEST = 3  # pairs of signals named on the terminal, per schedule and read-out
PARTS = (*SIGNALS, REMAINDER, TOTAL)
# Okabe and Ito's colours, and a symbol each for those who see none.
LOOKS = dict(zip(PARTS, zip(PALETTE, "os^DvPX", strict=True), strict=True))
HEAD = ("factor [95 % interval]", "share [95 % interval]", "n")
CAPTION = (
    "Factor by which each signal changes a read-out at the end of the run: exp of its Shapley value, the mean of what "
    "it adds over all orders in which the five signals could be let through, with its 95 % interval over replicates "
    "(paired by common random draws). Remainder: what a schedule does besides the five signals. The factors multiply "
    "to the total."
)


def label(part: str) -> str:
    """A signal as it is written in text."""
    return " ".join(WORDS.get(word, word) for word in part.split("_"))


def design_text(study: ClampedStudy, workers: int) -> str:
    """What an attribution will run, and what that will cost, before it starts."""
    plan, run = study.plan, study.plan.experiment.run
    cost = estimate(plan, workers)
    return (
        f"{study.combinations} combinations of signals and schedules, of which {len(plan.timelines)} differ, "
        f"x {run.replicates} replicates = {len(plan.runs)} runs: about {duration_text(cost.wall_time)} on "
        f"{workers_text(cost.workers)}, {cost.disk / 1e6:.0f} MB on disk meanwhile"
    )


def attribution_text(found: Attribution) -> str:
    """The shares of every schedule and read-out as a table, and the signals that never left rest."""
    rows: list[tuple[str, ...]] = [("", *HEAD)]
    for metric in READ_OUTS:
        for schedule, own in _by_schedule(found.shares, metric).items():
            rows.append((f"{label(metric)}, {schedule} / {found.reference}", "", "", ""))
            rows += [(f"  {label(row.signal)}", *_cells(row)) for row in own]
    return "\n\n".join(["\n".join(part) for part in ([aligned(rows)], pair_lines(found), silent_lines(found)) if part])


def pair_lines(found: Attribution) -> list[str]:
    """The strongest interactions whose interval leaves out zero, as factors, for each schedule and read-out."""
    lines = []
    for metric in READ_OUTS:
        for schedule in found.silent:
            own = [row for row in found.interactions if (row.schedule, row.metric) == (schedule, metric)]
            told = sorted((row for row in own if row.ci_low * row.ci_high > 0.0), key=lambda r: -abs(r.interaction_log))
            if told:
                named = "; ".join(f"{_pair(row)} {_pair_factor(row)}" for row in told[:STRONGEST])
                lines.append(f"together, {label(metric)}, {schedule}: {named}")
    return lines


def _pair(row: Interaction) -> str:
    return f"{label(row.signal)} with {label(row.other)}"


def _pair_factor(row: Interaction) -> str:
    return _factor(*(math.exp(value) for value in (row.interaction_log, row.ci_low, row.ci_high)))


def silent_lines(found: Attribution) -> list[str]:
    """One line for each schedule with signals that never leave rest, whose combinations need not be run."""
    return [
        f"{schedule} never moves {', '.join(map(label, silent))} from rest: no effect, and no runs needed."
        for schedule, silent in found.silent.items()
        if silent
    ]


def _by_schedule(shares: Sequence[Share], metric: str) -> dict[str, list[Share]]:
    found: dict[str, list[Share]] = {}
    for row in shares:
        if row.metric == metric:
            found.setdefault(row.schedule, []).append(row)
    return found


def _cells(row: Share) -> tuple[str, str, str]:
    low, high = (math.exp(end) for end in (row.ci_low, row.ci_high))
    return _factor(row.effect_ratio, low, high), share_text(row), str(row.n)


def _factor(value: float, low: float, high: float) -> str:
    """Factors near 1 need their digits behind the point, not four significant ones."""
    if math.isnan(value):
        return "no replicate finished"
    return f"{value:.4f}" if math.isnan(low) else f"{value:.4f} [{low:.4f}, {high:.4f}]"


def share_text(row: Share) -> str:
    """The share in percent with its interval; empty where there is no effect to share out.

    Without an interval over replicates the total cannot be told from no effect, and shares of it would say nothing.
    """
    if math.isnan(row.share) or (row.n > 1 and math.isnan(row.share_ci_low)):
        return ""
    share = f"{round(100.0 * row.share)} %"
    return share if row.n == 1 else f"{share} [{round(100.0 * row.share_ci_low)}, {round(100.0 * row.share_ci_high)}]"


def attribution_figure(found: Attribution) -> Figure:
    """Factors of each signal with 95 % intervals, a row per schedule and part, a column per read-out."""
    schedules = list(found.silent)
    height = 0.9 + 0.17 * (len(PARTS) + 1.5) * len(schedules)
    figure = Figure(figsize=(9.5, height), layout="constrained")
    axes = figure.subplots(1, len(READ_OUTS), sharey=True, squeeze=False)[0]
    for ax, metric in zip(axes, READ_OUTS, strict=True):
        _draw_shares(ax, _by_schedule(found.shares, metric))
        ax.set_title(label(metric))
        ax.set_xlabel(f"factor on the ratio to {found.reference}")
    middles = [k * (len(PARTS) + 1.5) + (len(PARTS) - 1) / 2.0 for k in range(len(schedules))]
    axes[0].set_yticks(middles, schedules)
    axes[0].set_ylim(len(schedules) * (len(PARTS) + 1.5) - 1.5, -1.0)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(PARTS))
    return figure


def _draw_shares(axes: Axes, schedules: dict[str, list[Share]]) -> None:
    axes.axvline(1.0, color=REFERENCE, linewidth=0.8)
    for k, own in enumerate(schedules.values()):
        for place, row in enumerate(own):
            y = k * (len(PARTS) + 1.5) + place
            colour, marker = LOOKS[row.signal]
            axes.barh(y, row.effect_ratio - 1.0, left=1.0, height=0.8, color=colour, alpha=0.35)
            ends = np.nan_to_num(
                [[row.effect_ratio - math.exp(row.ci_low)], [math.exp(row.ci_high) - row.effect_ratio]]
            )
            axes.errorbar(
                row.effect_ratio, y, xerr=ends, fmt=marker, color=colour, markersize=3.5, capsize=2, elinewidth=0.9,
                label=label(row.signal) if k == 0 else None,
            )  # fmt: skip
    axes.tick_params(axis="y", length=0)
    axes.yaxis.set_minor_locator(NullLocator())
    few_ticks(axes.xaxis, 5)


def write_attribution_page(found: Attribution) -> Path:
    """Draw the figure into figures/attribution.png and write attribution.html, which needs no other file."""
    folder = AttributionFolder(found.path)
    folder.figures.mkdir(exist_ok=True)
    picture = folder.figures / "attribution.png"
    with rc_context(STYLE):  # type: ignore[arg-type]
        save_figure(attribution_figure(found), picture, DPI)
    sections = {
        "Shares": image(picture, "Factors of each signal", CAPTION) + _tables(found),
        "Interactions": _interactions(found.interactions),
        "Provenance": f"<pre>{html.escape(json.dumps(folder.manifest(), indent=2, ensure_ascii=False))}</pre>",
    }
    path = found.path / "attribution.html"
    lead = f"Which of {len(SIGNALS)} signals carries the effect of each schedule, in place of {found.reference}."
    failed = f' <span class="failed">Runs that failed: {len(found.failures)}.</span>' if found.failures else ""
    write_text(path, page("Attribution", f'<p class="lead">{html.escape(lead)}{failed}</p>', sections))
    return path


def _tables(found: Attribution) -> str:
    rows: list[tuple[str, ...]] = []
    for metric in READ_OUTS:
        for schedule, own in _by_schedule(found.shares, metric).items():
            rows.append((f"{label(metric)}, {schedule} / {found.reference}",))
            rows += [(label(row.signal), *_cells(row)) for row in own]
    text = (
        "Share: of the whole effect on the logarithmic scale, with Fieller's interval; none where the whole effect "
        "cannot be told from zero. Shares of signals that work against each other may lie below 0 or above 100 %. "
        "Where the reference schedule moves signals itself, the remainder holds what is lost without them."
    )
    return note(text) + "".join(map(note, silent_lines(found))) + table(("signal", *HEAD), rows, (3,))


def _interactions(rows: Sequence[Interaction]) -> str:
    text = (
        "Shapley interaction index as a factor: above 1 where two signals do more together than each alone, below 1 "
        "where one makes the other superfluous."
    )
    lines = [(row.schedule, label(row.metric), _pair(row), _pair_factor(row), str(row.n)) for row in rows]
    return note(text) + table(("schedule", "read-out", "signals", "factor [95 % interval]", "n"), lines, (4,))
