"""Time courses as one inline SVG: the chain from session to synapse on one time axis, and how strength is spread."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.clock import DAY
from abm.view.server.arm import Arm
from abm.view.server.scene import title
from abm.view.style import PALETTE, REFERENCE
from abm.view.text import number

Floats = NDArray[Any]
Curve = tuple[Floats, Floats]  # hours, values

WIDTH, LEFT, RIGHT, TOP = 560.0, 150.0, 8.0, 18.0
ROW, GAP = 46.0, 14.0
MOST_POINTS = 300
LETTER, LINE, BESIDE = 6.6, 42.0, 125.0  # of a legend: a letter, a line with its gaps, what stands on the right of it
OWN, COMPARED = PALETTE[0], PALETTE[1]
WINDOWS = {"so far": math.inf, "last 7 days": 7 * DAY, "last 2 days": 2 * DAY, "last day": DAY}


class Line(NamedTuple):
    """A curve: hours, values, colour, and whether it is dashed."""

    hours: Floats
    values: Floats
    colour: str
    dashed: bool = False


class Row(NamedTuple):
    """One plot of the stack."""

    title: str
    lines: tuple[Line, ...]


def chain_rows(arms: Sequence[Arm], signal: str, region: str, window: tuple[float, float]) -> list[Row]:
    """The chain for one signal: intensity, its plasma and tissue, acetylation, mRNA, BDNF and synaptic strength.

    BDNF has no plasma here; lactate, the fastest sign of a session, stands in for it.
    """
    signal = signal if signal in ("bhb", "lactate", "irisin", "cortisol", "bdnf") else "lactate"
    blood = "lactate" if signal == "bdnf" else signal
    metrics = (
        f"plasma_{blood}", f"tissue_{signal}", "acetylation", "bdnf_mrna", "bdnf_protein", "synaptic_strength",
    )  # fmt: skip
    rows = [Row("intensity (% VO₂max)", _drawn([_intensity(arm, window) for arm in arms]))]
    for metric in metrics:
        rows.append(Row(title(metric), _drawn([_trace(arm, metric, region, window) for arm in arms])))
    return rows


def _drawn(curves: Sequence[Curve]) -> tuple[Line, ...]:
    """Curves of the own and of the compared arm in their colours."""
    looks = ((OWN, False), (COMPARED, True))
    return tuple(Line(*curve, colour, dashed) for curve, (colour, dashed) in zip(curves, looks, strict=False))


def _trace(arm: Arm, metric: str, region: str, window: tuple[float, float]) -> Curve:
    step = float(arm.model.clock.step)
    first, last = max(math.floor(window[0] / step), 0), math.ceil(window[1] / step)
    values = arm.trace(metric, region)[first : last + 1]
    return thinned((first + np.arange(len(values))) * step, values)


def _intensity(arm: Arm, window: tuple[float, float]) -> Curve:
    hours, values = [window[0]], [0.0]
    for bout in arm.plan.timeline.bouts:
        if bout.end > window[0] and bout.start < window[1]:
            start, end = max(bout.start, window[0]), min(bout.end, window[1])
            hours += [start, start, end, end]
            values += [0.0, 100.0 * bout.intensity, 100.0 * bout.intensity, 0.0]
    return np.array([*hours, window[1]]), np.array([*values, 0.0])


def thinned(hours: Floats, values: Floats, most: int = MOST_POINTS) -> tuple[Floats, Floats]:
    """At most about `most` points, of each stretch its lowest and its highest, so that no peak is lost."""
    if len(values) <= most:
        return hours, values
    edges = np.linspace(0, len(values), most // 2 + 1).astype(int)
    kept: list[int] = []
    for first, last in pairwise(edges.tolist()):
        part = values[first:last]
        kept += sorted({first + int(np.argmin(part)), first + int(np.argmax(part))})
    kept = sorted({0, *kept, len(values) - 1})
    return hours[kept], values[kept]


def window_of(arms: Sequence[Arm], name: str) -> tuple[float, float]:
    """First and last hour shown; at least a day, in which the session to come can be seen."""
    now = arms[0].taken * float(arms[0].model.clock.step) if arms else 0.0
    length = WINDOWS[name]
    if math.isinf(length):
        return 0.0, max(now, DAY)
    return (now - length, now) if now > length else (0.0, min(length, max(now, DAY)))


def courses(arms: Sequence[Arm], signal: str, region: str, window: str) -> str:
    """The time courses of one or two arms, with sessions shaded over all rows."""
    span = window_of(arms, window)
    spans = [part for arm in arms for part in arm.plan.sessions]
    return stack(chain_rows(arms, signal, region, span), span, spans, [arm.plan.name for arm in arms], region)


def stack(
    rows: Sequence[Row],
    span: tuple[float, float],
    sessions: Sequence[tuple[float, float]],
    names: Sequence[str],
    region: str = "all",
) -> str:
    """Plots one below the other on one axis of time."""
    height = TOP + len(rows) * (ROW + GAP) + 22.0
    wide = (WIDTH - LEFT - RIGHT) / max(span[1] - span[0], 1e-9)
    bottom = TOP + len(rows) * (ROW + GAP) - GAP
    bands = "".join(
        f'<rect x="{LEFT + (max(start, span[0]) - span[0]) * wide:.1f}" y="{TOP:g}" height="{bottom - TOP:g}" '
        f'width="{max((min(end, span[1]) - max(start, span[0])) * wide, 0.8):.1f}" fill="#f6c55e" opacity="0.45"/>'
        for start, end in dict.fromkeys(sessions)
        if end > span[0] and start < span[1]
    )
    parts = [_row(row, TOP + place * (ROW + GAP), span, wide) for place, row in enumerate(rows)]
    where = "" if region == "all" else f" · {region}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" font-family="sans-serif" '
        f'font-size="11" fill="#222"><rect width="{WIDTH:g}" height="{height:g}" fill="#fff"/>{bands}{"".join(parts)}'
        f"{_time_axis(span, bottom, wide)}{_legend(names)}"
        f'<text x="{WIDTH - RIGHT:g}" y="11" text-anchor="end">shaded: sessions{where}</text></svg>'
    )


def _row(row: Row, top: float, span: tuple[float, float], wide: float) -> str:
    values = np.concatenate([line.values for line in row.lines]) if row.lines else np.empty(0)
    finite = values[np.isfinite(values)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if row.title.startswith("intensity"):
        low, high = 0.0, max(high, 100.0)
    if high - low < 1e-3 * max(abs(high), 1e-9):
        middle, spare = (high + low) / 2.0, 0.5e-3 * max(abs(high), 1e-9)
        low, high = middle - spare, middle + spare
    curves = "".join(_curve(line, top, span, wide, low, high) for line in row.lines)
    frame = f'<path d="M{LEFT:g} {top:g}V{top + ROW:g}H{WIDTH - RIGHT:g}" fill="none" stroke="#999"/>'
    look = 'text-anchor="end" font-size="10.5"'
    ticks = (
        f'<text x="{LEFT - 4:g}" y="{top + 8:g}" {look}>{number(high).removesuffix(".0")}</text>'
        f'<text x="{LEFT - 4:g}" y="{top + ROW:g}" {look}>{number(low)}</text>'
    )
    return f"{frame}{ticks}{_row_title(row.title, top)}{curves}"


def _row_title(text: str, top: float) -> str:
    """Name and unit, on two lines where there is a unit."""
    name, bracket, unit = text.partition(" (")
    lines = [name, bracket.strip() + unit] if bracket else [name]
    first = top + ROW / 2.0 + (4.0 if len(lines) == 1 else -3.0)
    return "".join(
        f'<text x="2" y="{first + 13.0 * place:g}">{html.escape(line)}</text>' for place, line in enumerate(lines)
    )


def _curve(line: Line, top: float, span: tuple[float, float], wide: float, low: float, high: float) -> str:
    good = np.isfinite(line.values)
    x = LEFT + (line.hours[good] - span[0]) * wide
    y = top + ROW - (line.values[good] - low) / (high - low) * ROW
    points = " ".join(f"{right:.1f},{down:.1f}" for right, down in zip(x, y, strict=True))
    dash = ' stroke-dasharray="5 3"' if line.dashed else ""
    return f'<polyline points="{points}" fill="none" stroke="{line.colour}" stroke-width="1.4"{dash}/>'


def _time_axis(span: tuple[float, float], bottom: float, wide: float) -> str:
    """Clock times where about a day is seen, else days."""
    length = span[1] - span[0]
    every = next((step for step in (2, 6, 12, 24, 48, 96, 168) if length / step <= 7), 336)
    first = math.ceil(span[0] / every - 1e-9) * every
    parts = []
    for hour in np.arange(first, span[1] + 1e-6, every):
        x = LEFT + (hour - span[0]) * wide
        name = f"day {hour / DAY:.0f}" if hour % DAY == 0 else f"{hour % DAY:02.0f}:00"
        anchor = "end" if x > WIDTH - 30 else "middle"
        parts.append(
            f'<path d="M{x:.1f} {bottom:g}v4" stroke="#999"/>'
            f'<text x="{x:.1f}" y="{bottom + 16:g}" text-anchor="{anchor}" font-size="10.5">{name}</text>'
        )
    return "".join(parts) + f'<text x="2" y="{bottom + 16:g}">time</text>'


def _legend(names: Sequence[str]) -> str:
    """Line and name of each arm; names that would run into what stands on the right are cut, and whole as a tooltip."""
    letters = int((WIDTH - RIGHT - BESIDE - LEFT - LINE * len(names)) / LETTER)
    room = letters // max(len(names), 1) if sum(map(len, names)) > letters else letters
    x, parts = LEFT, []
    for name, colour, dash in zip(names, (OWN, COMPARED), ("", ' stroke-dasharray="5 3"'), strict=False):
        shown = name if len(name) <= room else name[: room - 1] + "…"
        parts.append(
            f'<path d="M{x:g} 7h22" stroke="{colour}" stroke-width="2"{dash}/>'
            f'<text x="{x + 27:g}" y="11"><title>{html.escape(name)}</title>{html.escape(shown)}</text>'
        )
        x += LINE + LETTER * len(shown)
    return "".join(parts)


def distribution(values: Sequence[Floats], names: Sequence[str], bins: int = 40) -> str:
    """How the neurons' mean synaptic strength is spread: a histogram, and the median as a line, of each arm."""
    height, top, bottom = 120.0, 18.0, 86.0
    everything = np.concatenate(values) if len(values) else np.empty(0)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH:g} {height:g}" font-family="sans-serif" '
        f'font-size="11" fill="#222"><rect width="{WIDTH:g}" height="{height:g}" fill="#fff"/>'
    )
    if not everything.size:
        return f'{head}<text x="{LEFT:g}" y="50">no neurons</text></svg>'
    low, high = (float(value) for value in np.quantile(everything, (0.001, 0.999)))
    edges = np.linspace(low, max(high, low + 1e-6), bins + 1)
    counts = [np.histogram(part, edges)[0] for part in values]
    most = max(int(count.max()) for count in counts) or 1
    wide = (WIDTH - LEFT - RIGHT) / bins
    parts = []
    for count, part, colour in zip(counts, values, (OWN, COMPARED), strict=False):
        steps = "".join(f"V{bottom - (bottom - top) * n / most:.1f}h{wide:.2f}" for n in count)
        middle = LEFT + float(np.clip((np.median(part) - edges[0]) / (edges[-1] - edges[0]), 0, 1)) * wide * bins
        parts.append(
            f'<path d="M{LEFT:g} {bottom:g}{steps}V{bottom:g}z" fill="{colour}" fill-opacity="0.25" stroke="{colour}"/>'
            f'<path d="M{middle:.1f} {top:g}V{bottom:g}" stroke="{colour}" stroke-width="2"/>'
        )
    ticks = "".join(
        f'<text x="{LEFT + share * wide * bins:.1f}" y="{bottom + 14:g}" text-anchor="{anchor}" font-size="10.5">'
        f"{number(edges[0] + share * (edges[-1] - edges[0]))}</text>"
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    return (
        f'{head}<path d="M{LEFT:g} {top:g}V{bottom:g}H{WIDTH - RIGHT:g}" fill="none" stroke="{REFERENCE}"/>'
        f'{"".join(parts)}{ticks}{_legend(names)}<text x="2" y="48">neurons</text><text x="2" y="61">(count)</text>'
        f'<text x="{LEFT - 4:g}" y="{top + 8:g}" text-anchor="end" font-size="10.5">{most}</text>'
        f'<text x="{LEFT - 4:g}" y="{bottom:g}" text-anchor="end" font-size="10.5">0</text>'
        f'<text x="{(LEFT + WIDTH - RIGHT) / 2:g}" y="{height - 6:g}" text-anchor="middle">'
        "mean synaptic strength of a neuron; line: median</text></svg>"
    )


def strengths(scene_region: str, arms: Sequence[Arm]) -> list[Floats]:
    """Mean synaptic strength of every neuron of a region, for each arm."""
    found = []
    for arm in arms:
        neurons = arm.model.neurons
        region = np.asarray(neurons.region)
        codes = {"all": slice(None), "DG": region == 0, "CA3": region == 1, "CA1": region == 2}
        found.append(np.array(neurons.mean_strength[codes[scene_region]]))
    return found
