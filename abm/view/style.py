"""What all figures share: colours that colour-blind readers can tell apart, units on axes, means with intervals."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator
from numpy.typing import ArrayLike, NDArray

from abm.metric_names import REGIONS
from abm.metrics import METRICS
from abm.study.contrasts import t_quantile
from abm.study.store import write_atomically

Floats = NDArray[np.float64]

# Okabe and Ito's palette; the reference schedule is grey.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
REFERENCE = "#7F7F7F"
DARK, WHITE = "#222222", "#ffffff"  # of what is written on pictures, and of its edge
DASHES = ("-", "--", ":", "-.")
RATIOS_SHOWN = (1e-3, 1e3)  # what is next to nothing, as BHB without ketogenesis, would take an axis to itself
FIELD_MAP, STRENGTH_MAP = "cividis", "viridis"

STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 9,
    "axes.labelsize": 8,
    "axes.formatter.useoffset": False,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.2,
    "font.size": 8,
    "figure.constrained_layout.use": True,
    "figure.facecolor": "white",
    "svg.hashsalt": "abm",
}

# Words of metric names that are not written as they are spelled there.
WORDS = {
    "bhb": "BHB", "bdnf": "BDNF", "hdac": "HDAC", "hdac2": "HDAC2", "hdac3": "HDAC3", "mrna": "mRNA", "trkb": "TrkB",
    "fndc5": "FNDC5", "gr": "GR", "ltp": "LTP", "fepsp": "fEPSP", "mepsc": "mEPSC",
}  # fmt: skip


# What is counted has no unit of measurement; an axis says of what it is a number.
COUNTED = {"bdnf_pro": "dimers", "bdnf_protein": "dimers", "bdnf_mrna": "copies"}
COUNTED |= {f"bdnf_mrna_{promoter}": "copies" for promoter in ("I", "II", "IV", "VI")}
# What a number without unit relates to, by the beginning of its metric's name.
RELATED = {
    "acetylation": "fraction", "fndc5": "rel. to rest", "hdac": "rel. to rest", "spine": "rel. to rest",
    "strength_heterogeneity": "CV", "spatial_clustering": "Moran's I", "synaptic": "rel. to rest",
    "trkb": "rel. to rest", "gr": "fraction", "ltp": "rel. to before", "fepsp": "rel. to unpotentiated",
    "mepsc_amplitude": "rel. to unpotentiated", "mepsc_frequency": "rel. to rest",
}  # fmt: skip


def colours(schedules: Sequence[str], reference: str) -> dict[str, tuple[str, str]]:
    """Colour and line style of each schedule."""
    others = [schedule for schedule in schedules if schedule != reference]
    turns = {
        name: (PALETTE[i % len(PALETTE)], DASHES[i // len(PALETTE) % len(DASHES)]) for i, name in enumerate(others)
    }
    return {name: turns.get(name, (REFERENCE, "-")) for name in schedules}


def label(metric: str) -> str:
    """Axis label: readable name, and unit, or what is counted or what the number relates to."""
    related = next((words for start, words in RELATED.items() if metric.startswith(start)), METRICS[metric].unit)
    unit = COUNTED.get(metric, related)
    name = "proBDNF" if metric == "bdnf_pro" else " ".join(WORDS.get(word, word) for word in metric.split("_"))
    return name if unit == "1" else f"{name}\n({unit})"


def wrapped(name: str, width: int = 20) -> str:
    """A name of the user's on as many lines as it needs, broken after an underscore where there is one."""
    words = name.replace("_", "_ ")
    lines = textwrap.wrap(words, width, break_long_words=True, break_on_hyphens=False)
    return "\n".join(line.replace("_ ", "_") for line in lines)


def region_places(positions: Floats, region: NDArray[np.int8]) -> dict[str, tuple[float, float]]:
    """Where the name of each region is written: at its neurons' middle, in the bow of the layer and beside it; um."""
    found = {}
    for code, name in enumerate(REGIONS[1:]):
        if code in region:
            x, y = positions[region == code, :2].mean(axis=0)
            found[name] = (float(x), float(y))
    return found


def scale_length(width: float) -> float:
    """A round length, um, of an eighth to a quarter of a picture."""
    return max((length for length in (10, 20, 50, 100, 200, 500, 1000) if length <= width / 4.0), default=10)


def few_ticks(axis: Axis, count: int = 4) -> None:
    """Few, round ticks, so that labels of small numbers do not run into each other."""
    axis.set_major_locator(MaxNLocator(count, steps=[1, 2, 2.5, 5, 10]))


def draw_ratios(
    axes: Axes, ratios: ArrayLike, lows: ArrayLike, highs: ArrayLike, places: ArrayLike, **look: Any
) -> None:
    """Ratios to the reference with their intervals, where there are any; beyond RATIOS_SHOWN they stand at its ends."""
    centre, low, high = (np.clip(np.atleast_1d(values), *RATIOS_SHOWN) for values in (ratios, lows, highs))
    ends = np.nan_to_num([centre - low, high - centre])
    axes.errorbar(centre, places, xerr=ends, markersize=4, capsize=2, **look)


def ratio_axis(axes: Axes) -> None:
    """Finish an axis of ratios to the reference: logarithmic, with 1 marked and a thousandth to each side at least."""
    axes.axvline(1.0, color=REFERENCE, linewidth=0.8, zorder=1.0)
    axes.set_xscale("log")
    found = np.concatenate([[0.999, 1.001], np.clip(axes.dataLim.intervalx, *RATIOS_SHOWN)])
    low, high = np.nanmin(found), np.nanmax(found)
    margin = (high / low) ** 0.04
    axes.set_xlim(low / margin, high * margin)
    axes.xaxis.set_minor_locator(NullLocator())
    if high > 100.0 * low:
        axes.xaxis.set_major_locator(LogLocator(10.0, numticks=5))
    elif high > 4.0 * low:
        axes.xaxis.set_major_locator(LogLocator(10.0, subs=(1.0, 2.0, 5.0), numticks=8))
    else:
        few_ticks(axes.xaxis)
    axes.xaxis.set_major_formatter("{x:g}")


def mean_and_band(values: xr.DataArray) -> tuple[Floats, Floats]:
    """Mean over the finished replicates and the half-width of its 95 % interval (zero for a single replicate)."""
    count = values.count("replicate").to_numpy()  # may differ from time to time
    quantiles = np.array([0.0, 0.0, *(t_quantile(n - 1) for n in range(2, values.sizes["replicate"] + 1))])
    error = values.std("replicate", ddof=0).to_numpy() / np.sqrt(np.maximum(count - 1, 1))
    return values.mean("replicate").to_numpy(), quantiles[count] * error


def contrast_and_band(metric: str, values: xr.DataArray, reference: xr.DataArray) -> tuple[Floats, Floats, Floats]:
    """Paired ratio to the reference over time and its 95 % interval; NaN wherever a value is not positive.

    The difference instead, for a metric whose ratios mean nothing.
    """
    if not METRICS[metric].has_zero:
        mean, half = mean_and_band(values - reference)
        return mean, mean - half, mean + half
    undefined = ((values <= 0) | (reference <= 0)).any("replicate")
    ratio = (values / reference).where(~undefined)
    mean, half = mean_and_band(xr.DataArray(np.log(ratio)))
    return np.exp(mean), np.exp(mean - half), np.exp(mean + half)


def time_axis(hours: Floats) -> tuple[Floats, str]:
    """Times and label for an axis: days, or hours in a run shorter than two days."""
    return (hours, "time (h)") if hours[-1] < 48 else (hours / 24.0, "time (d)")


def save_figure(figure: Figure, path: Path, dpi: int) -> None:
    """Write a figure as PNG, atomically and without a date, so that equal figures are equal files."""

    def save(draft: Path) -> None:
        figure.savefig(draft, format="png", dpi=dpi, metadata={"Software": None})

    write_atomically(path, save)
