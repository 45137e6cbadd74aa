"""Figures of neurons: how strength is distributed, and where neurons and signals lie in the tissue."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke
from numpy.typing import NDArray

from abm.metric_names import REGIONS
from abm.metrics import METRICS
from abm.study.results import Results
from abm.view.style import (
    DARK,
    FIELD_MAP,
    STRENGTH_MAP,
    WHITE,
    WORDS,
    Floats,
    colours,
    few_ticks,
    label,
    region_places,
    scale_length,
    wrapped,
)
from abm.view.text import day_text

BINS = 60


def strength_distribution(results: Results) -> Figure:
    """Mean synaptic strength of every neuron at the end of the run, all replicates together; the bar is the median."""
    states, styles = results.states.isel(time=-1), colours(results.schedules, results.reference)
    strength, region = states.mean_strength.to_numpy(), states.region.to_numpy()
    figure = Figure(figsize=(9.5, 1.0 + 0.7 * len(styles)), layout="constrained")
    axes = figure.subplots(len(styles), 3, sharex=True, squeeze=False)
    low, high = np.nanquantile(strength, (0.001, 0.999))
    edges = np.linspace(low, max(high, low + 1e-9), BINS + 1)
    for row, (schedule, style) in enumerate(styles.items()):
        for column, name in enumerate(REGIONS[1:]):
            values = strength[row][region[row] == column]
            _ridge(axes[row, column], values[np.isfinite(values)], edges, style[0])
            axes[0, column].set_title(name)
        axes[row, 0].set_ylabel(wrapped(schedule), rotation=0, ha="right", va="center", color=style[0])
    for ax in axes[:-1].flat:
        ax.tick_params(bottom=False)
    figure.supxlabel("mean synaptic strength of a neuron (rel. to rest)", fontsize=8)
    return figure


def _ridge(axes: Axes, values: Floats, edges: Floats, colour: str) -> None:
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])
    if len(values):
        axes.hist(values, bins=list(edges), density=True, histtype="stepfilled", color=colour, alpha=0.6)
        axes.axvline(float(np.median(values)), color=colour, linewidth=1.5)


def tissue_maps(results: Results) -> Figure:
    """Replicate 0: concentrations at the end of the last session, and neurons by strength at the end of the run.

    Sessions end at different hours, which stand at the left: what follows the clock differs by that too. All maps
    show the same place, whose regions and scale are written in the top row. Of a block fields are the middle plane,
    and neurons are seen from above.
    """
    states = results.states
    schedules, signals = list(results.schedules), list(states.signal.to_numpy())
    figure = Figure(figsize=(1.9 * (len(signals) + 1), 1.75 * len(schedules) + 0.5), layout="constrained")
    axes = figure.subplots(len(schedules), len(signals) + 1, squeeze=False)
    fields = _plane(states.concentration.isel(replicate=0))
    sides = [float(fields[axis][0] + fields[axis][-1]) for axis in "xy"]  # coordinates are the middles of voxels
    extent = (0.0, sides[0], 0.0, sides[1])
    for column, signal in enumerate(signals):
        own = fields.sel(signal=signal)
        low, high = _limits(own.to_numpy())
        for row, schedule in enumerate(schedules):
            image = axes[row, column].imshow(
                own.sel(schedule=schedule), cmap=FIELD_MAP, vmin=low, vmax=high, origin="lower", extent=extent,
                interpolation="nearest",
            )  # fmt: skip
        axes[0, column].set_title(WORDS.get(signal, signal))
        bar = figure.colorbar(
            image, ax=axes[:, column], location="bottom", shrink=0.9, label=METRICS[f"tissue_{signal}"].unit
        )
        few_ticks(bar.ax.xaxis, 3)
    _draw_neurons(figure, axes[:, -1], states.isel(replicate=0, time=-1))
    for row, schedule in enumerate(schedules):
        hour = float(states.map_time.sel(schedule=schedule))
        axes[row, 0].set_ylabel(f"{wrapped(schedule)}\nfields of {day_text(hour)}")
    for ax in axes.flat:
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(False)
        ax.axis(extent)
    # The neurons are the same under all schedules; those of a run that failed are missing.
    place = states[["position", "region"]].isel(replicate=0, time=0).max("schedule").load()
    for ax in axes[0, :-1]:
        _draw_place(ax, place, sides[0], WHITE, DARK)
    _draw_place(axes[0, -1], place, sides[0], DARK, WHITE)
    return figure


def _draw_place(axes: Axes, states: xr.Dataset, width: float, ink: str, edge: str) -> None:
    """Names of the regions and a bar of known length; their edge parts them from what they lie on."""
    look: dict[str, Any] = {"color": ink, "path_effects": [withStroke(linewidth=1.8, foreground=edge)]}
    for name, place in region_places(states.position.to_numpy(), states.region.to_numpy()).items():
        axes.text(*place, name, fontweight="bold", ha="center", va="center", **look)
    length, end = scale_length(width), 0.96 * width
    axes.plot([end - length, end], [0.05 * width] * 2, linewidth=1.8, solid_capstyle="butt", color=ink)
    axes.text(end, 0.08 * width, f"{length:g} µm", ha="right", va="bottom", **look)


def _limits(values: Floats) -> tuple[float, float]:
    """Ends of a colour scale: those of the values, but so far apart that differences of a percent do not glare."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    spare = max(0.02 * abs(high) - (high - low), 0.0) / 2.0 if high or low else 1e-3
    return low - spare, high + spare


def _plane(fields: xr.DataArray) -> xr.DataArray:
    """The fields themselves, or the middle plane of a volume."""
    return fields.isel(z=fields.sizes["z"] // 2) if "z" in fields.dims else fields


def _draw_neurons(figure: Figure, axes: NDArray[np.object_], states: xr.Dataset) -> None:
    strength = states.mean_strength.to_numpy()
    low, high = np.nanquantile(strength, (0.02, 0.98))
    for row, ax in enumerate(axes):
        position = states.position[row].to_numpy()
        dots = ax.scatter(
            position[:, 0], position[:, 1], c=strength[row], cmap=STRENGTH_MAP, vmin=low, vmax=high, s=2, linewidth=0
        )
        ax.set_aspect("equal")
    axes[0].set_title("neurons")
    figure.colorbar(dots, ax=list(axes), location="bottom", shrink=0.9, label=label("synaptic_strength"))
