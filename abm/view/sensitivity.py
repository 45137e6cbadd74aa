"""What a result depends on, for people: sentences, a table, a figure, and a section of a page."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from abm.parameters import GRADES
from abm.study.grades import (
    LEAST,
    LUCK,
    SHARED,
    TOGETHER,
    GradeRow,
    SensitivityRow,
    by_contrast,
    percent,
    percent_of,
    sentences,
)
from abm.study.points import SensitivityFolder
from abm.study.sensitivity import Design, tissue_text
from abm.study.sensitivity_results import Contrast, Sensitivity, read_sensitivity
from abm.study.store import ResultsError, ResultsFolder, write_text
from abm.view.page import details, image, note, page, table
from abm.view.style import PALETTE, STYLE, WORDS, save_figure
from abm.view.text import aligned, duration_text, number, workers_text

DPI = 150
SHOWN = 8  # parameters per contrast on the terminal
DRAWN = 5
# Okabe and Ito's colours; hatched too, so that the grades can be told apart without colour.
LOOKS = dict(zip(GRADES, ((PALETTE[0], ""), (PALETTE[5], "//"), (PALETTE[4], ".."), (PALETTE[1], "xx")), strict=True))
LOOKS |= {TOGETHER: ("0.6", ""), LUCK: ("0.85", "")}
HEAD = ("parameter", "grade", "share [95 %]", "among three", "SRRC", "mu*", "mu", "sigma")
CAPTION = (
    "Left: share of the variance of each contrast's rank by the grade of the numbers it comes from, each by itself, "
    "what numbers bring together, and luck. Right: the parameters with the largest shares in each contrast, with 95 % "
    "intervals."
)


def design_text(design: Design, workers: int) -> str:
    """What a sensitivity study will run, and what that will cost, before it starts."""
    time = duration_text(design.seconds(workers))
    return (
        f"{len(design.space.factors)} parameters, each point all schedules on {tissue_text(design.experiment)}\n"
        f"{design.points} points, about {time} on {workers_text(workers)}"
    )


def sensitivity_text(found: Sensitivity) -> str:
    """For each contrast the parameters with the largest shares; then sentences, and what was left out."""
    head = _head(found)
    rows: list[tuple[str, ...]] = [head]
    for (contrast, metric), own in by_contrast(found.rows).items():
        rows.append((f"{contrast} {metric}", *[""] * (len(head) - 1)))
        rows += [(f"  {row.parameter}", *_cells(row))[: len(head)] for row in own[:SHOWN] if row.share >= LEAST]
    told = sentences(found.rows, found.grades)
    return "\n\n".join([aligned(rows), aligned(_grade_cells(found.grades)), *told, "\n".join(about_lines(found))])


def _head(found: Sensitivity) -> tuple[str, ...]:
    """What the table of parameters shows; elementary effects only where there are any."""
    return HEAD if any(row.mu_star >= 0.0 for row in found.rows) else HEAD[: HEAD.index("mu*")]


def _grade_cells(grades: Sequence[GradeRow]) -> list[tuple[str, ...]]:
    """Share of the variance of each contrast in the numbers of each grade, in what acts together, and in luck."""
    rows: list[tuple[str, ...]] = [("share of the variance [95 %]", *SHARED)]
    shares = {(row.contrast, row.metric, row.grade): percent(row.share, row.low, row.high) for row in grades}
    for contrast, metric in dict.fromkeys((row.contrast, row.metric) for row in grades):
        rows.append((f"{contrast} {metric}", *(shares[contrast, metric, grade] for grade in SHARED)))
    return rows


def about_lines(found: Sensitivity) -> list[str]:
    """How the study was done: tissue, what a share is, luck, and points that could not be simulated."""
    parameters = len({row.parameter for row in found.rows})
    lines = [
        f"Simulated: {found.points} points, each with {found.tissue}.",
        f"Shares are of the variance of a contrast's rank, over {parameters} parameters that each lie anywhere in the "
        "range of their records; brackets are 95 % intervals. SRRC: standardised rank regression coefficient.",
        *(_luck_line(contrast) for contrast in found.contrasts),
    ]
    left = sum(found.problems.values())
    if left:
        reasons = "; ".join(f"{count} x {problem}" for problem, count in found.problems.items())
        lines.append(f"Left out: {left} points whose parameters do not go together ({reasons}).")
    return lines


def _luck_line(contrast: Contrast) -> str:
    """How far luck alone moves an output, against the parameters."""
    return (
        f"{contrast.contrast} {contrast.metric}: factor {math.exp(contrast.nominal):.4f} at the present parameters, "
        f"standard deviation of its logarithm {number(contrast.spread)} over the ranges and {number(contrast.luck)} "
        f"over seeds."
    )


def _cells(row: SensitivityRow) -> tuple[str, ...]:
    effects = (number(row.srrc), number(row.mu_star), number(row.mu), number(row.sigma))
    return row.grade, percent_of(row), f"{100.0 * row.among_three:.0f} %", *effects


def sensitivity_figure(found: Sensitivity) -> Figure:
    """Share of variance by grade, and the strongest parameters, of each contrast."""
    contrasts = by_contrast(found.rows)
    figure = Figure(figsize=(9.5, 0.8 + 1.15 * len(contrasts)), layout="constrained")
    axes = figure.subplots(len(contrasts), 2, squeeze=False, width_ratios=(1.0, 1.3), sharex="col")
    for (left, right), ((contrast, metric), rows) in zip(axes, contrasts.items(), strict=True):
        _draw_grades(left, [row for row in found.grades if (row.contrast, row.metric) == (contrast, metric)])
        _draw_largest(right, rows)
        left.set_title(f"{contrast}: {' '.join(WORDS.get(word, word) for word in metric.split('_'))}", loc="left")
    axes[-1, 0].set_xlabel("share of variance")
    axes[-1, 1].set_xlabel("share of variance")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(SHARED))
    return figure


def _draw_grades(axes: Axes, rows: list[GradeRow]) -> None:
    left = 0.0
    for row in rows:
        (colour, hatch), share = LOOKS[row.grade], max(row.share, 0.0)
        axes.barh(0.0, share, left=left, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5, label=row.grade)
        left += share
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.7, 0.7)
    axes.set_yticks([])


def _draw_largest(axes: Axes, rows: list[SensitivityRow]) -> None:
    largest = [row for row in rows[:DRAWN] if row.share >= LEAST]
    for place, row in enumerate(largest):
        colour, hatch = LOOKS[row.grade]
        axes.barh(place, row.share, xerr=row.share_conf, color=colour, hatch=hatch, edgecolor="white", linewidth=0.5)
    axes.set_yticks(range(len(largest)), [row.parameter for row in largest], fontsize=6)
    axes.set_ylim(DRAWN - 0.4, -0.6)


def write_sensitivity_page(found: Sensitivity) -> Path:
    """Draw sensitivity.png and write sensitivity.html, which needs no other file."""
    with rc_context(STYLE):  # type: ignore[arg-type]
        save_figure(sensitivity_figure(found), found.path / "sensitivity.png", DPI)
    path = found.path / "sensitivity.html"
    lead = f'<p class="lead">{html.escape(f"What the contrasts of an experiment depend on. {found.tissue}.")}</p>'
    record = json.dumps(SensitivityFolder(found.path).manifest(), indent=2, ensure_ascii=False)
    sections = {"Sensitivity": sensitivity_section(found), "Provenance": f"<pre>{html.escape(record)}</pre>"}
    write_text(path, page("Sensitivity", lead, sections))
    return path


def report_section(folder: Path) -> str:
    """HTML for the report of the results in a folder, if a finished sensitivity study lies beside them; else empty."""
    beside = SensitivityFolder(folder)
    if not beside.is_complete():
        return ""
    study, results = beside.manifest(), ResultsFolder(folder).manifest()
    same = all(study.get(key) == results.get(key) for key in ("config_hash", "code_hash"))
    warning = "" if same else note("This study was made with another configuration or program than the results here.")
    try:
        return warning + sensitivity_section(read_sensitivity(folder))
    except ResultsError as error:
        return note(str(error))


def sensitivity_section(found: Sensitivity) -> str:
    """The study as HTML: sentences, figure, tables."""
    told = sentences(found.rows, found.grades)
    parts = [f"<p>{html.escape(text)}</p>" for text in told]
    picture = found.path / "sensitivity.png"
    if picture.is_file():
        parts.append(image(picture, "Shares of the variance", CAPTION))
    grades = _grade_cells(found.grades)
    parts.append(table(grades[0], grades[1:], range(1, len(grades[0]))))
    parts += [note(line) for line in about_lines(found)]
    parts.append(note(
        "Share: first-order index of the contrast's rank, what would be gone of its variance if the parameter were "
        "known, as far as it follows a straight line. Together: what numbers bring only with each other, or along "
        "curves. Among three: how often the parameter is among those with the three largest shares, over resamples. "
        "SRRC: standardised rank regression coefficient; its sign says whether more of the parameter raises the "
        "contrast. mu*, mu, sigma: of Morris' elementary effects, where trajectories were asked for. Each point has a "
        "seed of its own."
    ))  # fmt: skip
    head = _head(found)
    for (contrast, metric), rows in by_contrast(found.rows).items():
        lines = [(row.parameter, *_cells(row))[: len(head)] for row in rows if row.share > 0.0]
        parts.append(details(f"{contrast}, {metric}", table(head, lines, range(2, len(head)))))
    return "".join(parts)
