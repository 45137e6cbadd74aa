"""Figures of a study, drawn from its results folder alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator
from numpy.typing import NDArray

from abm.metrics import METRICS, SIGNALS
from abm.study.results import Results
from abm.study.store import write_atomically
from abm.view.maps import strength_distribution, tissue_maps
from abm.view.style import REFERENCE, STYLE, WORDS, colours, draw_band, few_ticks, label, mean_and_band, time_axis
from abm.view.text import last_values

Hours = NDArray[np.float64]
Grid = NDArray[np.object_]

DPI = 150
DAY = 24.0
BOTH = ("lactate", "bhb")  # drawn in blood and tissue, where their concentrations can be compared
NEURON_ROWS = ("acetylation", "bdnf_mrna", "bdnf_protein", "synaptic_strength")


def chain_overview(results: Results) -> Figure:
    """The chain over time, from session to synapse. Light line: plasma, dark: tissue; grey: the reference schedule."""
    traces, styles = results.traces, colours(results.schedules, results.reference)
    figure, axes = _columns(list(styles), 1 + len(BOTH) + len(NEURON_ROWS))
    for column, (schedule, style) in zip(axes.T, styles.items(), strict=True):
        own = traces.sel(schedule=schedule)
        column[0].set_title(schedule, color=style[0], fontweight="bold")
        _draw_intensity(column[0], own, style[0])
        for place, signal in enumerate(BOTH, start=1):
            _draw_signal(column[place], own, signal, style[0])
        for place, metric in enumerate(NEURON_ROWS, start=1 + len(BOTH)):
            _draw_with_reference(column[place], traces, metric, schedule, results.reference, style)
        column[-1].set_xlabel(time_axis(traces.time.to_numpy())[1])
    names = [
        "intensity\n(% VO$_2$max)",
        *(f"{WORDS.get(name, name)}\n(mmol/L)" for name in BOTH),
        *map(label, NEURON_ROWS),
    ]
    for ax, name in zip(axes[:, 0], names, strict=True):
        ax.set_ylabel(name)
    return figure


def session_signals(results: Results) -> Figure:
    """Signals on the day of the last session, else on the last day. Light line: plasma, dark: mean over the tissue."""
    traces, styles = results.traces, colours(results.schedules, results.reference)
    figure, axes = _columns(list(styles), 1 + len(SIGNALS))
    for column, (schedule, style) in zip(axes.T, styles.items(), strict=True):
        own, first = _last_day(traces.sel(schedule=schedule))
        column[0].set_title(f"{schedule}, day {first / DAY:.0f}", color=style[0], fontweight="bold")
        _draw_intensity(column[0], own, style[0], first)
        for ax, signal in zip(column[1:], SIGNALS, strict=True):
            _draw_signal(ax, own, signal, style[0], first)
        column[-1].set_xlabel("clock time (h)")
        column[-1].set_xticks([0, 6, 12, 18, 24])
    names = [f"{WORDS.get(name, name)}\n({METRICS[f'tissue_{name}'].unit})" for name in SIGNALS]
    for ax, name in zip(axes[:, 0], ["intensity\n(% VO$_2$max)", *names], strict=True):
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


def _hours(time: xr.DataArray, first: float | None) -> Hours:
    values = time.to_numpy()
    return time_axis(values)[0] if first is None else values - first


def _draw_intensity(axes: Axes, own: xr.Dataset, colour: str, first: float | None = None) -> None:
    values = 100.0 * own.intensity.to_numpy()
    axes.fill_between(_hours(own.interval_time, first), values, step="mid", color=colour, linewidth=0.6)


def _draw_signal(axes: Axes, own: xr.Dataset, signal: str, colour: str, first: float | None = None) -> None:
    if signal in BOTH and f"plasma_{signal}" in own:
        axes.plot(_hours(own.interval_time, first), own[f"plasma_{signal}"], color=colour, alpha=0.35, linewidth=0.9)
    mean, _ = mean_and_band(own[f"tissue_{signal}"].sel(region="all"))
    axes.plot(_hours(own.step_time, first), mean, color=colour, linewidth=0.9)


def _draw_with_reference(
    axes: Axes, traces: xr.Dataset, metric: str, schedule: str, reference: str, style: tuple[str, str]
) -> None:
    values, time = traces[metric].sel(region="all"), time_axis(traces.time.to_numpy())[0]
    if schedule != reference:
        draw_band(axes, time, values.sel(schedule=reference), (REFERENCE, "-"), reference)
    draw_band(axes, time, values.sel(schedule=schedule), style, schedule)


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
        ax.set_yticks(range(len(others)), others)
        ax.set_ylim(len(others) - 0.5, -0.5)
    return figure


def _dose(traces: xr.Dataset, metric: str, schedule: str, reference: str) -> tuple[float, float]:
    excess = traces[metric].sel(schedule=schedule) - traces[metric].sel(schedule=reference)
    if "interval_time" in excess.dims:  # means over steps
        return float(excess.sum() * traces.attrs["step_h"]), 0.0
    mean, half = mean_and_band(excess.sel(region="all").integrate("step_time").expand_dims("point"))
    return float(mean[0]), float(half[0])


def _panels(results: Results, metrics: tuple[str, ...], columns: int) -> Figure:
    traces, styles = results.traces, colours(results.schedules, results.reference)
    rows = -(-len(metrics) // columns)
    figure = Figure(figsize=(9.5, 2.1 * rows + 0.6), layout="constrained")
    axes = figure.subplots(rows, columns, sharex=True, squeeze=False)
    time, text = time_axis(traces.time.to_numpy())
    for ax, metric in zip(axes.flat, metrics, strict=False):
        values = traces[metric].sel(region="all")
        for schedule, style in styles.items():
            draw_band(ax, time, values.sel(schedule=schedule), style, schedule)
        ax.set_ylabel(label(metric))
    for ax in axes[-1]:
        ax.set_xlabel(text)
    handles, names = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside upper center", ncols=min(len(names), 5))
    return figure


def promoter_acetylation(results: Results) -> Figure:
    """Acetylated fraction of each Bdnf promoter over time; bands are 95 % intervals over replicates."""
    return _panels(results, tuple(f"acetylation_{name}" for name in ("I", "II", "IV", "VI")), 2)


def bdnf(results: Results) -> Figure:
    """BDNF from transcript to receptor over time; bands are 95 % intervals over replicates."""
    return _panels(
        results, ("bdnf_mrna", "bdnf_pro", "bdnf_protein", "bdnf_release", "trkb_activation", "hdac_activity"), 3
    )


def synapses(results: Results) -> Figure:
    """Synapses over time; bands are 95 % intervals over replicates."""
    names = (
        "synaptic_strength", "potentiated_fraction", "consolidated_fraction",
        "spine_density", "strength_heterogeneity", "spatial_clustering",
    )  # fmt: skip
    return _panels(results, names, 3)


def contrasts(results: Results) -> Figure:
    """Ratio to the reference schedule at the last reading of each metric, paired by replicate, with 95 % interval."""
    styles = colours(results.schedules, results.reference)
    groups = [
        (title, [row for row in rows if not np.isnan(row.ratio)]) for title, rows in last_values(results.summary_rows)
    ]
    groups = [(title, rows) for title, rows in groups if rows]
    count = sum(len(rows) + 1 for _, rows in groups)
    figure = Figure(figsize=(7.5, 0.8 + 0.2 * max(count, 3)), layout="constrained")
    ax, place, ticks = figure.subplots(), 0, []
    for title, rows in groups:
        ax.text(0.0, place, title, transform=ax.get_yaxis_transform(), fontweight="bold", va="center")
        for row in rows:
            place += 1
            error = np.array([[row.ratio - row.ratio_ci_low], [row.ratio_ci_high - row.ratio]])
            shown = None if np.isnan(error).any() else error
            ax.errorbar(row.ratio, place, xerr=shown, fmt="o", color=styles[row.schedule][0], markersize=4, capsize=2)
            ticks.append((place, row.schedule))
        place += 1
    ax.axvline(1.0, color=REFERENCE, linewidth=0.8)
    ax.set_xscale("log")
    ax.xaxis.set_minor_locator(NullLocator())
    few_ticks(ax.xaxis, 7)
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_yticks([y for y, _ in ticks], [name for _, name in ticks])
    ax.set_ylim(place - 0.5, -0.7)
    ax.set_xlabel(f"ratio to {results.reference}, 95 % interval")
    return figure


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


def write_figures(results: Results) -> dict[str, Path]:
    """Draw every figure into the folder's figures/ as PNG; returns their paths by name."""
    folder = results.path / "figures"
    folder.mkdir(exist_ok=True)
    paths = {}
    for name, draw in FIGURES.items():
        with rc_context(STYLE):  # type: ignore[arg-type]
            figure = draw(results)
            paths[name] = folder / f"{name}.png"
            _save(figure, paths[name])
    return paths


def _save(figure: Figure, path: Path) -> None:
    def save(draft: Path) -> None:
        figure.savefig(draft, format="png", dpi=DPI, metadata={"Software": None})

    write_atomically(path, save)
