"""Figures of a study, drawn from its results folder alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from abm.clock import DAY
from abm.metric_names import PROMOTERS
from abm.metrics import METRICS
from abm.signals import SIGNALS
from abm.study.results import Results, SummaryRow
from abm.view.maps import strength_distribution, tissue_maps
from abm.view.style import (
    REFERENCE,
    STYLE,
    WORDS,
    Floats,
    colours,
    contrast_and_band,
    draw_ratios,
    few_ticks,
    label,
    mean_and_band,
    ratio_axis,
    save_figure,
    time_axis,
    wrapped,
)
from abm.view.text import told_values, without_unit

Styles = dict[str, tuple[str, str]]
Grid = NDArray[np.object_]

BOTH = ("lactate", "bhb")  # drawn in blood and tissue, where their concentrations can be compared
LEGEND_LINE, LEGEND_NAME = 130, 40  # letters of all names beside each other, and of one
NEURON_ROWS = ("acetylation", "bdnf_mrna", "bdnf_protein", "synaptic_strength")


def chain_overview(results: Results) -> Figure:
    """The chain over time, from session to synapse. Light line: plasma, dark: tissue; grey: the reference schedule."""
    traces, styles = results.traces, colours(results.schedules, results.reference)
    figure, axes = _columns(list(styles), 1 + len(BOTH) + len(NEURON_ROWS))
    for column, (schedule, style) in zip(axes.T, styles.items(), strict=True):
        own = traces.sel(schedule=schedule)
        column[0].set_title(wrapped(schedule), color=style[0], fontweight="bold")
        _draw_intensity(column[0], own, style[0])
        for place, signal in enumerate(BOTH, start=1):
            _draw_signal(column[place], own, signal, style[0])
        for place, metric in enumerate(NEURON_ROWS, start=1 + len(BOTH)):
            _draw_with_reference(column[place], traces, metric, schedule, results.reference, style)
        column[-1].set_xlabel(time_axis(traces.time.to_numpy())[1])
    names = [
        "mean intensity\n(% VO$_2$max)",
        *(f"{WORDS.get(name, name)}\n(mmol/L)" for name in BOTH),
        *map(label, NEURON_ROWS),
    ]
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(name)
    return figure


def session_signals(results: Results) -> Figure:
    """Signals on the day of the last session, else on the last day.

    Dark line: mean over the tissue, light: plasma (lactate and BHB). Intensity is the mean over a step.
    """
    traces, styles = results.traces, colours(results.schedules, results.reference)
    figure, axes = _columns(list(styles), 1 + len(SIGNALS))
    for column, (schedule, style) in zip(axes.T, styles.items(), strict=True):
        own, first = _last_day(traces.sel(schedule=schedule))
        column[0].set_title(wrapped(f"{schedule}, day {first / DAY:.0f}"), color=style[0], fontweight="bold")
        _draw_intensity(column[0], own, style[0], first)
        for ax, signal in zip(column[1:], SIGNALS, strict=True):
            _draw_signal(ax, own, signal, style[0], first)
        column[-1].set_xlabel("clock time (h)")
        column[-1].set_xticks([0, 6, 12, 18, 24])
    names = [f"{WORDS.get(name, name)}\n({METRICS[f'tissue_{name}'].unit})" for name in SIGNALS]
    for ax, name in zip(axes[:, 0], ["mean intensity\n(% VO$_2$max)", *names], strict=True):
        ax.set_ylabel(name)
    return figure


def _columns(schedules: list[str], rows: int) -> tuple[Figure, Grid]:
    figure = Figure(figsize=(1.2 + 2.3 * len(schedules), 1.15 * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, len(schedules), sharex=True, sharey="row", squeeze=False)
    return figure, axes


def _last_day(own: xr.Dataset) -> tuple[xr.Dataset, float]:
    """A schedule's traces on the day of its last session, else on the last day, and when that day begins."""
    active = own.interval_time.to_numpy()[own.intensity.to_numpy() > 0]
    last = float(active[-1]) if len(active) else float(own.step_time[-1]) - 1e-6
    first = DAY * (last // DAY)
    return own.sel(step_time=slice(first, first + DAY), interval_time=slice(first, first + DAY)), first


def _times(own: xr.Dataset, name: str, first: float | None) -> Floats:
    """A time of some traces: hours from `first`, or what the axis of the whole run is in."""
    values = own[name].to_numpy()
    if first is not None:
        return values - first
    end = own.step_time.to_numpy()[-1:]
    return values * float(time_axis(end)[0][-1] / end[-1])


def _draw_intensity(axes: Axes, own: xr.Dataset, colour: str, first: float | None = None) -> None:
    values = 100.0 * own.intensity.to_numpy()
    axes.fill_between(_times(own, "interval_time", first), values, step="mid", color=colour, linewidth=0.6)


def _draw_signal(axes: Axes, own: xr.Dataset, signal: str, colour: str, first: float | None = None) -> None:
    if signal in BOTH and f"plasma_{signal}" in own:
        times = _times(own, "interval_time", first)
        axes.plot(times, own[f"plasma_{signal}"], color=colour, alpha=0.35, linewidth=0.9)
    mean, _ = mean_and_band(own[f"tissue_{signal}"].sel(region="all"))
    axes.plot(_times(own, "step_time", first), mean, color=colour, linewidth=0.9)


def _draw_with_reference(
    axes: Axes, traces: xr.Dataset, metric: str, schedule: str, reference: str, style: tuple[str, str]
) -> None:
    values, time = traces[metric].sel(region="all"), time_axis(traces.time.to_numpy())[0]
    looks = {reference: (REFERENCE, "-"), schedule: style}
    _draw_means(axes, time, values, looks)


def signal_dose(results: Results) -> Figure:
    """Dose of each signal: time integral of its excess over the reference schedule; mean and 95 % interval."""
    traces, styles = results.traces, colours(results.schedules, results.reference)
    wheres = [where for where in ("plasma", "tissue") if f"{where}_bhb" in traces]
    places = [(where, signal) for where in wheres for signal in SIGNALS[:4]]
    figure = Figure(figsize=(9.5, (0.6 + 0.3 * len(styles)) * len(wheres)), layout="constrained")
    axes = figure.subplots(len(wheres), 4, sharey=True)
    others = [schedule for schedule in styles if schedule != results.reference]
    for ax, (where, signal) in zip(axes.flat, places, strict=True):
        metric = f"{where}_{signal}"
        for row, schedule in enumerate(others):
            mean, half = _dose(traces, metric, schedule, results.reference)
            ax.errorbar(mean, row, xerr=half, fmt="o", color=styles[schedule][0], markersize=4, capsize=2)
        ax.axvline(0.0, color=REFERENCE, linewidth=0.8)
        ax.set_title(f"{WORDS.get(signal, signal)}, {where}")
        few_ticks(ax.xaxis)
        ax.set_xlabel(f"{METRICS[metric].unit} · h")
        ax.set_yticks(range(len(others)), map(wrapped, others))
        ax.set_ylim(len(others) - 0.5, -0.5)
    return figure


def _dose(traces: xr.Dataset, metric: str, schedule: str, reference: str) -> tuple[float, float]:
    excess = traces[metric].sel(schedule=schedule) - traces[metric].sel(schedule=reference)
    if "interval_time" in excess.dims:  # means over steps
        return float(excess.sum(skipna=False) * traces.attrs["step_h"]), 0.0
    mean, half = mean_and_band(excess.sel(region="all").integrate("step_time").expand_dims("point"))
    return float(mean[0]), float(half[0])


def _panels(results: Results, metrics: tuple[str, ...], columns: int) -> Figure:
    """For each metric a panel of means over replicates, and below it one of the paired ratio with its interval."""
    traces, styles = results.traces, colours(results.schedules, results.reference)
    each = 2 if len(styles) > 1 else 1
    rows = each * -(-len(metrics) // columns)
    figure = Figure(figsize=(9.5, 1.5 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    time, text = time_axis(traces.time.to_numpy())
    for place, metric in enumerate(metrics):
        row, column = each * (place // columns), place % columns
        values = traces[metric].sel(region="all").load()
        _draw_means(axes[row, column], time, values, styles)
        axes[row, column].set_ylabel(label(metric))
        if each > 1:
            _draw_contrasts(axes[row + 1, column], time, metric, values, styles, results.reference)
            kind = "ratio to" if METRICS[metric].has_zero else "difference to"
            axes[row + 1, column].set_ylabel(f"{kind}\n{wrapped(results.reference)}")
    for ax in axes[-1]:
        ax.set_xlabel(text)
    handles, names = axes[0, 0].get_legend_handles_labels()
    longest = min(max(map(len, names)), LEGEND_NAME)
    columns = min(len(names), 5, max(LEGEND_LINE // (longest + 7), 1))
    figure.legend(handles, [wrapped(name, LEGEND_NAME) for name in names], loc="outside upper center", ncols=columns)
    return figure


def _draw_means(axes: Axes, time: Floats, values: xr.DataArray, styles: Styles) -> None:
    for schedule, (colour, dash) in styles.items():
        mean, _ = mean_and_band(values.sel(schedule=schedule))
        axes.plot(time, mean, color=colour, linestyle=dash, label=schedule, linewidth=0.9)


def _draw_contrasts(
    axes: Axes, time: Floats, metric: str, values: xr.DataArray, styles: Styles, reference: str
) -> None:
    axes.axhline(1.0 if METRICS[metric].has_zero else 0.0, color=REFERENCE, linewidth=0.8)
    centres, edges = [], []
    for schedule, (colour, dash) in styles.items():
        if schedule != reference:
            ratio, low, high = contrast_and_band(metric, values.sel(schedule=schedule), values.sel(schedule=reference))
            axes.plot(time, ratio, color=colour, linestyle=dash, linewidth=0.9)
            axes.fill_between(time, low, high, color=colour, alpha=0.18, linewidth=0)
            centres.append(ratio)
            edges += [low, high]
    if centres:
        _limit(axes, np.array(centres), np.array(edges))


def _limit(axes: Axes, centres: Floats, edges: Floats) -> None:
    """Show all of the lines and nine tenths of the intervals: with few replicates a single one can dwarf the rest."""
    if np.isnan(centres).all():
        return
    low = min(np.nanmin(centres), np.nanquantile(edges, 0.05))
    high = max(np.nanmax(centres), np.nanquantile(edges, 0.95))
    margin = 0.05 * (high - low) or 1e-3 * max(abs(high), 1.0)
    axes.set_ylim(low - margin, high + margin)


def promoter_acetylation(results: Results) -> Figure:
    """Acetylated fraction of each Bdnf promoter: mean over replicates, and paired ratio with its 95 % interval.

    The widest tenth of the intervals goes beyond the axes.
    """
    return _panels(results, tuple(f"acetylation_{name}" for name in PROMOTERS), 4)


def bdnf(results: Results) -> Figure:
    """BDNF from transcript to receptor: mean over replicates, and paired ratio with its 95 % interval.

    The widest tenth of the intervals goes beyond the axes.
    """
    return _panels(
        results, ("bdnf_mrna", "bdnf_pro", "bdnf_protein", "bdnf_release", "trkb_activation", "hdac_activity"), 3
    )


def synapses(results: Results) -> Figure:
    """Synapses: mean over replicates, and paired ratio (of the clustering, difference) with its 95 % interval.

    The widest tenth of the intervals goes beyond the axes. A ratio is drawn from when no replicate is zero.
    """
    names = (
        "synaptic_strength", "potentiated_fraction", "consolidated_fraction",
        "spine_density", "strength_heterogeneity", "spatial_clustering",
    )  # fmt: skip
    return _panels(results, names, 3)


def contrasts(results: Results) -> Figure:
    """Ratio to the reference schedule at the last reading of each metric, paired by replicate, with 95 % interval.

    Read-outs of blood and tissue stand at the time of their largest ratio too.
    """
    styles = colours(results.schedules, results.reference)
    others = [schedule for schedule in styles if schedule != results.reference]
    found = [(title, rows) for title, rows in told_values(results.summary_rows) if METRICS[rows[0].metric].has_zero]
    columns = min(max(len(found), 1), 3)
    lines = max(-(-len(found) // columns), 1)
    figure = Figure(figsize=(1.4 + 2.7 * columns, (0.75 + 0.2 * len(others)) * lines + 0.3), layout="constrained")
    axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
    for ax, (title, rows) in zip(axes.flat, found, strict=False):
        _draw_forest(ax, {row.schedule: row for row in rows}, others, styles)
        ax.set_title(without_unit(title))
    for ax in axes.flat[len(found) :]:
        ax.set_axis_off()
    axes[0, 0].set_yticks(range(len(others)), map(wrapped, others))
    axes[0, 0].set_ylim(len(others) - 0.5, -0.5)
    figure.supxlabel(f"ratio to {results.reference} (logarithmic axes)", fontsize=8)
    return figure


def _draw_forest(axes: Axes, rows: dict[str, SummaryRow], schedules: list[str], styles: Styles) -> None:
    for place, schedule in enumerate(schedules):
        row = rows[schedule]
        ends = row.ratio_ci_low, row.ratio_ci_high
        draw_ratios(axes, row.ratio, *ends, place, fmt="o", color=styles[schedule][0])
    ratio_axis(axes)


FIGURES: dict[str, Callable[[Results], Figure]] = {
    "chain_overview": chain_overview,
    "session_signals": session_signals,
    "contrasts": contrasts,
    "signal_dose": signal_dose,
    "promoter_acetylation": promoter_acetylation,
    "bdnf": bdnf,
    "synapses": synapses,
    "strength_distribution": strength_distribution,
    "tissue_maps": tissue_maps,
}


def write_figure(folder: Path, name: str, dpi: int) -> Path:
    """Draw one figure of a results folder into its figures/; returns its path."""
    path = folder / "figures" / f"{name}.png"
    with rc_context(STYLE):  # type: ignore[arg-type]
        save_figure(FIGURES[name](Results(folder)), path, dpi)
    return path
