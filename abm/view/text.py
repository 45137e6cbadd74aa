"""Plan and summary as text for the terminal."""

from __future__ import annotations

import math
import os
import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from abm.clock import burn_in_steps, hours_text
from abm.metrics import METRICS
from abm.study.estimate import Estimate, estimate, lacking_memory
from abm.study.plan import Plan

if TYPE_CHECKING:  # a plan is shown without loading what reads results
    from abm.config import TissueConfig
    from abm.schedule import Timeline
    from abm.study.results import PredictiveRow, Results, SummaryRow


Moment = tuple[str, str, str, float]
FAST_PARTS = ("body", "tissue")  # of the chain, whose signals move within hours
ALIKE = 1e-3  # difference of logarithms below which no ratio is called the largest
FEW_NEURONS = 500  # below which an assembly of the network has more than its share of members


def number(value: float) -> str:
    """Four significant digits, readable from 1e-3 to 1e5; empty for NaN."""
    if math.isnan(value):
        return ""
    if value == 0.0:
        return "0"
    if 1e-3 <= abs(value) < 1e5:
        return f"{value:#.4g}".rstrip(".") if abs(value) < 9999.5 else f"{value:.0f}"
    return f"{value:.3e}"


def interval(centre: float, low: float, high: float) -> str:
    """Such as "1.2 [1.1, 1.3]"; the bare value where there is no interval."""
    if math.isnan(centre):
        return ""
    return number(centre) if math.isnan(low) else f"{number(centre)} [{number(low)}, {number(high)}]"


def p_text(p: float) -> str:
    """p to two digits, "< 0.0001" below that; empty for NaN."""
    if math.isnan(p):
        return ""
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}"


def time_text(hours: float) -> str:
    """Whole days as days, else hours."""
    return f"{hours / 24:g} d" if hours and hours % 24 == 0 else f"{hours:g} h"


def day_text(hour: float) -> str:
    """Day and clock time, such as "day 3, 07:30"; a midnight without its clock time."""
    day, minutes = divmod(round(60.0 * hour), 24 * 60)
    return f"day {day}" + (f", {minutes // 60:02d}:{minutes % 60:02d}" if minutes else "")


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as columns two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def summary_text(results: Results) -> str:
    """Each metric at its last time: mean of every schedule, and its ratio to the reference, with 95 % intervals.

    Beside the interval over replicates stands that over the posterior of the parameters, where there is one; below
    the table, why there is none.
    """
    drawn = predictive_of(results)
    head = ("", "mean [95 % interval]", f"ratio to {results.reference}", "parameters 95 %", "p")
    rows: list[tuple[str, ...]] = [head]
    for title, part in told_values(results.summary_rows):
        rows.append((title, "", "", "", ""))
        for row in part:
            open_ = "" if row.schedule == results.reference else predictive_text(drawn.get(row[:4]))
            mean = mean_text(row) or "no value"
            rows.append((f"  {row.schedule}", mean, ratio_text(row), open_, p_text(row.p_value)))
    if not any(row[3] for row in rows[1:]):
        rows = [(*row[:3], row[4]) for row in rows]
    return "\n".join([aligned(rows), *filter(None, [results.predictive_note])])


def predictive_of(results: Results) -> dict[Moment, PredictiveRow]:
    """The rows of predictive.csv by schedule, metric, region and time."""
    return {row[:4]: row for row in results.predictive_rows}


def predictive_text(row: PredictiveRow | None) -> str:
    """The interval of a ratio over the posterior, such as "[1.1, 1.3]"; empty where there is none."""
    if row is None or math.isnan(row.ratio_low):
        return ""
    return f"[{number(row.ratio_low)}, {number(row.ratio_high)}]"


def mean_text(row: SummaryRow) -> str:
    """Mean and its interval."""
    return interval(row.mean, row.ci_low, row.ci_high)


def ratio_text(row: SummaryRow) -> str:
    """Ratio to the reference and its interval."""
    return interval(row.ratio, row.ratio_ci_low, row.ratio_ci_high)


def told_values(summary: Iterable[SummaryRow]) -> Iterator[tuple[str, list[SummaryRow]]]:
    """Title and rows, one per schedule, of each metric at its last time; of the whole tissue where that was read.

    What moves within hours, in blood and tissue, is told at the time of its largest ratio too, where that is another.
    """
    by_metric: dict[str, list[SummaryRow]] = {}
    for row in summary:
        by_metric.setdefault(row.metric, []).append(row)
    for metric, rows in by_metric.items():
        regions = list(dict.fromkeys(row.region for row in rows))
        for region in ["all"] if "all" in regions else regions:
            own = [row for row in rows if row.region == region]
            last = max(row.time_h for row in own)
            times = dict.fromkeys([*_largest(own), last] if METRICS[metric].part in FAST_PARTS else [last])
            unit = "" if own[0].unit == "1" else f" ({own[0].unit})"
            name = metric if region == "all" else f"{metric}.{region}"
            for time in times:
                yield f"{name}{unit} at {hours_text(time)}", [row for row in own if row.time_h == time]


def _largest(rows: list[SummaryRow]) -> list[float]:
    """The time at which a schedule differs most from the reference, if it is told apart from it at all."""
    apart = [(abs(math.log(row.ratio)), row.time_h) for row in rows if 0.0 < row.ratio < math.inf]
    return [time for most, time in [max(apart, default=(0.0, 0.0))] if most > ALIKE]


def without_unit(title: str) -> str:
    """A title of `told_values` for what has none, such as a ratio."""
    return re.sub(r" \([^()]*\) at ", " at ", title)


def plan_text(plan: Plan) -> str:
    """What an experiment will do, and what it will cost on this machine."""
    experiment = plan.experiment
    subject, run = experiment.subject, experiment.run
    metrics = dict.fromkeys(item.metric for item in experiment.observe)
    about = (subject.species, subject.training, subject.condition, experiment.preparation)
    size = f"{len(plan.timelines)} schedules x {run.replicates} replicates = {len(plan.runs)}"
    resting = burn_in_steps(run.step, run.burn_in)
    hourly = ", most of it by the hour" if resting < plan.burn_in_steps else ""
    cost = estimate(plan, os.cpu_count() or 1, predicted=True)
    lines = [
        f"{experiment.name}: {', '.join(about).replace('_', ' ')}",
        f"tissue      {tissue_text(experiment.tissue)}",
        f"runs        {size}, seed {run.seed}",
        f"steps       {plan.steps} per run ({time_text(run.duration)} in steps of {60 * run.step:g} min), "
        f"{resting} per burn-in ({time_text(run.burn_in)}{hourly})",
        textwrap.fill(
            f"observed    {len(plan.readings)} readings per run of {', '.join(metrics) or 'nothing'}",
            110,
            subsequent_indent=" " * 12,
        ),
        "",
        _schedule_table(plan),
        "",
        _cost_line(cost),
        *_cautions(plan),
        *(f"note        {text}" for text in [lacking_memory(cost)] if text),
    ]
    return "\n".join(lines)


def _cautions(plan: Plan) -> list[str]:
    """What a reader of the results should know beforehand."""
    observed = {METRICS[item.metric.partition(".")[0]].part for item in plan.experiment.observe}
    if plan.experiment.tissue.neurons >= FEW_NEURONS or "synapses" not in observed:
        return []
    text = (
        f"note        with fewer than {FEW_NEURONS} neurons more of them fire together than in a larger tissue: "
        "compare read-outs of synapses between schedules, not with other tissues"
    )
    return [textwrap.fill(text, 110, subsequent_indent=" " * 12)]


def tissue_text(tissue: TissueConfig) -> str:
    """Such as "2000 neurons, 64 x 64 voxels of 25 um"."""
    shape = " x ".join(f"{round(side / tissue.voxel)}" for side in tissue.size)
    return f"{tissue.neurons} neurons, {shape} voxels of {tissue.voxel:g} um"


def _schedule_table(plan: Plan) -> str:
    rows: list[tuple[str, ...]] = [("schedule", "bouts", "exercise", "%VO2max", "doses", "blocks", "meals")]
    for name, timeline in plan.timelines.items():
        active = sum(bout.end - bout.start for bout in timeline.bouts)
        mark = " (reference)" if name == plan.experiment.reference else ""
        eats = plan.experiment.preparation == "in_vivo"
        counts = (len(timeline.doses), len(timeline.blocks), len(timeline.meals) if eats else "-")
        about = (str(len(timeline.bouts)), f"{active:.4g} h", _intensities(timeline))
        rows.append((name + mark, *about, *map(str, counts)))
    return aligned(rows)


def _intensities(timeline: Timeline) -> str:
    """Lowest and highest oxygen uptake that bouts ask for, in per cent of VO2max, rests between intervals included."""
    asked = sorted({round(100.0 * bout.intensity) for bout in timeline.bouts})
    if not asked:
        return ""
    return f"{asked[0]}" if asked[0] == asked[-1] else f"{asked[0]} to {asked[-1]}"


def _cost_line(cost: Estimate) -> str:
    wall, core = duration_text(cost.wall_time), duration_text(cost.core_time)
    return (
        f"estimate    {wall} on {workers_text(cost.workers)} ({core} of one core), "
        f"{cost.memory / 1e9:.1f} GB of memory per worker, {cost.disk / 1e6:.0f} MB of results"
    )


def counted(count: int, what: str) -> str:
    """Such as "1 replicate" or "8 replicates"."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def workers_text(count: int) -> str:
    """Such as "1 worker" or "8 workers"."""
    return counted(count, "worker")


def duration_text(seconds: float) -> str:
    """Such as "40 s", "12 min" or "3.5 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
