"""Paints a scene: an array of palette entries with its colour bars, written as SVG, as PNG or as a frame of a movie."""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.view.server.colours import CHOSEN, FAINT, LEVELS, OUTLINE, PAPER, SYNAPSE, VESSEL, Bytes, levels, palette, png
from abm.view.server.scene import Scene, View
from abm.view.style import DARK, WHITE, region_places, scale_length
from abm.view.text import number

SIDE = 512  # pixels of the longer side
WIDTH = 360.0  # of the SVG, in its own units
BAR_ROW = 42.0
BETWEEN = 12.0  # from one picture to the next
PER_ROW = 3  # pictures, where several are saved as one
NEURON_SPREAD = (0.02, 0.98)  # quantiles at the ends of the neurons' automatic scale
Range = tuple[float, float]


class Bar(NamedTuple):
    """A colour bar: what it shows with its unit, its ends, and the first palette entry of its scale."""

    title: str
    ends: Range
    first: int


@dataclass(frozen=True)
class Picture:
    """A painted tissue.

    pixels: palette entries, (rows, columns), first row on top. size: (x, y) um. light: whether the ground is white,
    so that what is written on it is dark.
    """

    pixels: Bytes
    colours: Bytes
    bars: tuple[Bar, ...]
    labels: tuple[tuple[str, float, float], ...]
    size: Range
    caption: str = ""
    light: bool = False

    @property
    def ink(self) -> tuple[str, str]:
        """Colour of what is written on it, and of its edge."""
        return (DARK, WHITE) if self.light else (WHITE, DARK)

    def png(self) -> bytes:
        """The tissue alone, as a PNG file."""
        return png(self.pixels, self.colours)


def limits(values: NDArray[np.float64], change: bool, spread: Range = (0.0, 1.0), typical: float = 0.0) -> Range:
    """Ends of an automatic colour scale, so far apart that a difference of a percent does not glare.

    A change has its zero in the middle. spread: the quantiles that lie at the ends; typical: size of what has changed.
    """
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.quantile(finite, spread))
    if change:
        end = max(abs(low), abs(high), 0.01 * typical) or 1e-6
        return -end, end
    spare = max(0.02 * abs(high) - (high - low), 0.0) / 2.0 or (1e-6 if high == low else 0.0)
    return low - spare, high + spare


def on_one_scale(scenes: Sequence[Scene], view: View) -> View:
    """The view with colour scales that fit all scenes, so that pictures side by side can be compared."""
    fields = [scene.field.ravel() for scene in scenes if scene.field is not None]
    values = [scene.values[scene.shown(view.region)] for scene in scenes]
    if fields and view.field_range is None:
        view = view._replace(field_range=limits(np.concatenate(fields), False))
    if values and view.neuron_range is None:
        view = view._replace(neuron_range=limits(np.concatenate(values), False, NEURON_SPREAD))
    return view


def paint(scene: Scene, view: View, caption: str = "") -> Picture:
    """Field, vessels, synapses and neurons, one over the other."""
    scale = SIDE / max(scene.size)
    columns, rows = (max(1, round(length * scale)) for length in scene.size)
    shown = scene.shown(view.region)
    values = scene.values[shown]
    ends = view.neuron_range or limits(values, scene.change, NEURON_SPREAD, scene.typical[1])
    pixels, bars = _ground(scene, view, rows, columns)
    places = np.floor(scene.positions * scale).astype(np.intp)
    for x, y in np.floor(scene.vessels * scale).astype(np.intp):
        pixels[max(y - 1, 0) : y + 2, max(x - 1, 0) : x + 2] = VESSEL
    light = scene.field is None or scene.change
    _lines(pixels, places, scene.synapses, shown, FAINT if light else SYNAPSE)
    radius = float(np.clip(SIDE / 24.0 / np.sqrt(max(len(shown), 1)) * 5.0, 1.0, 5.0))
    if radius > 1.5:
        _discs(pixels, places[shown], np.full(len(shown), OUTLINE, np.uint8), radius + 1.0)
    _discs(pixels, places[shown], levels(values, *ends, LEVELS), radius)
    if view.chosen is not None and view.chosen in shown:
        _ring(pixels, places[view.chosen], radius + 4.0)
    labels = _labels(scene, scale, rows)
    bars = (*bars, Bar(scene.titles[1], ends, LEVELS))
    return Picture(pixels[::-1].copy(), palette(scene.change), bars, labels, scene.size, caption, light)


def _ground(scene: Scene, view: View, rows: int, columns: int) -> tuple[Bytes, tuple[Bar, ...]]:
    """The field in its colours, or white paper."""
    if scene.field is None:
        return np.full((rows, columns), PAPER, np.uint8), ()
    ends = view.field_range or limits(scene.field, scene.change, typical=scene.typical[0])
    coloured = levels(scene.field, *ends)
    across = np.arange(columns) * coloured.shape[1] // columns
    along = np.arange(rows) * coloured.shape[0] // rows
    return coloured[along][:, across], (Bar(scene.titles[0], ends, 0),)


def _discs(pixels: Bytes, places: NDArray[np.intp], entries: Bytes, radius: float) -> None:
    reach = int(np.ceil(radius))
    x, y = np.meshgrid(np.arange(-reach, reach + 1), np.arange(-reach, reach + 1))
    inside = x * x + y * y <= radius * radius
    for right, up in zip(x[inside], y[inside], strict=True):
        _put(pixels, places[:, 0] + right, places[:, 1] + up, entries)


def _put(pixels: Bytes, x: NDArray[np.intp], y: NDArray[np.intp], entries: Bytes) -> None:
    inside = (x >= 0) & (y >= 0) & (x < pixels.shape[1]) & (y < pixels.shape[0])
    pixels[y[inside], x[inside]] = entries[inside]


def _lines(
    pixels: Bytes, places: NDArray[np.intp], pairs: NDArray[np.intp], shown: NDArray[np.intp], entry: int
) -> None:
    pairs = pairs[np.isin(pairs, shown).all(axis=1)]
    along = np.linspace(0.0, 1.0, SIDE)[:, None, None]
    points = np.round(places[pairs[:, 0]] * (1.0 - along) + places[pairs[:, 1]] * along).astype(np.intp).reshape(-1, 2)
    _put(pixels, points[:, 0], points[:, 1], np.full(len(points), entry, np.uint8))


def _ring(pixels: Bytes, place: NDArray[np.intp], radius: float) -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 200)
    for reach in (radius, radius + 1.0, radius + 2.0):
        x, y = (
            np.round(place[k] + reach * part).astype(np.intp) for k, part in ((0, np.cos(angle)), (1, np.sin(angle)))
        )
        _put(pixels, x, y, np.full(len(angle), CHOSEN, np.uint8))


def _labels(scene: Scene, scale: float, rows: int) -> tuple[tuple[str, float, float], ...]:
    """Name of each region and where it is written, in pixels from the top left."""
    places = region_places(scene.positions, scene.region)
    return tuple((name, x * scale, rows - y * scale) for name, (x, y) in places.items())


def neuron_at(scene: Scene, view: View, right: float, down: float) -> int | None:
    """The shown neuron nearest to a place in the picture, given as shares of its width and height from the top left."""
    shown = scene.shown(view.region)
    if not len(shown) or not (0.0 <= right <= 1.0 and 0.0 <= down <= 1.0):
        return None
    place = np.array([right * scene.size[0], (1.0 - down) * scene.size[1]])
    return int(shown[np.argmin(((scene.positions[shown] - place) ** 2).sum(axis=1))])


def svg(*pictures: Picture) -> str:
    """Tissues in rows of at most `PER_ROW`, with captions, scales and colour bars, as one SVG document of its own."""
    drawn = [_drawn(picture) for picture in pictures]
    across, row = min(len(drawn), PER_ROW), max(height for _, height in drawn)
    wide = across * (WIDTH + BETWEEN) - BETWEEN
    high = -(-len(drawn) // across) * (row + BETWEEN) - BETWEEN
    placed = [
        f'<g transform="translate({k % across * (WIDTH + BETWEEN):g} {k // across * (row + BETWEEN):g})">{inside}</g>'
        for k, (inside, _) in enumerate(drawn)
    ]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide:g} {high:g}" font-family="sans-serif" '
        'font-size="12" fill="#222">',
        f'<rect width="{wide:g}" height="{high:g}" fill="#fff"/>',
        *placed,
        "</svg>",
    ]
    return "".join(parts)


def _drawn(picture: Picture) -> tuple[str, float]:
    """One tissue as SVG elements, from the top left, and its height."""
    rows, columns = picture.pixels.shape
    unit = WIDTH / columns
    height = rows * unit
    top = 20.0
    encoded = base64.b64encode(picture.png()).decode()
    parts = [
        f'<text x="2" y="13" font-weight="bold"{_fitted(picture.caption)}>{html.escape(picture.caption)}</text>',
        f'<image x="0" y="{top:g}" width="{WIDTH:g}" height="{height:g}" preserveAspectRatio="none" '
        f'href="data:image/png;base64,{encoded}"/>',
        f'<rect x="0.5" y="{top:g}" width="{WIDTH - 1:g}" height="{height:g}" fill="none" stroke="#888"/>',
        *(_region_label(name, x * unit, top + y * unit, picture.ink) for name, x, y in picture.labels),
        _scale_bar(picture.size[0], top + height, picture.ink),
        *(_bar(picture, bar, place, top + height) for place, bar in enumerate(picture.bars)),
    ]
    return "".join(parts), top + height + BAR_ROW * len(picture.bars) + 2.0


def _fitted(caption: str) -> str:
    """Attributes that press a caption into the width of the picture where it would be cut off."""
    return f' textLength="{WIDTH - 4.0:g}" lengthAdjust="spacingAndGlyphs"' if 6.9 * len(caption) > WIDTH else ""


def _written(x: float, y: float, text: str, ink: tuple[str, str], more: str = "") -> str:
    look = f'text-anchor="middle" fill="{ink[0]}" stroke="{ink[1]}" stroke-width="2.5" paint-order="stroke"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}{more}>{text}</text>'


def _region_label(name: str, x: float, y: float, ink: tuple[str, str]) -> str:
    return _written(x, y, name, ink, ' font-size="13" font-weight="bold" dominant-baseline="central"')


def _scale_bar(width: float, bottom: float, ink: tuple[str, str]) -> str:
    length = scale_length(width)
    end = WIDTH - 10.0
    start = end - length / width * WIDTH
    line = f'<path d="M{start:.1f} {bottom - 9:.1f}H{end:.1f}" fill="none"'
    text = _written((start + end) / 2.0, bottom - 14.0, f"{length:g} µm", ink)
    return f'{line} stroke="{ink[1]}" stroke-width="5"/>{line} stroke="{ink[0]}" stroke-width="3"/>{text}'


def _bar(picture: Picture, bar: Bar, place: int, top: float) -> str:
    x, y, wide = 2.0, top + 17.0 + place * BAR_ROW, WIDTH - 4.0
    stops = "".join(
        f'<stop offset="{k / 12:.3f}" stop-color="rgb({",".join(map(str, picture.colours[bar.first + shade]))})"/>'
        for k in range(13)
        for shade in [round(k / 12 * (LEVELS - 1))]
    )
    name = f"scale{bar.first}{int(picture.colours[0].sum())}"
    ticks = "".join(
        f'<text x="{x + share * wide:.1f}" y="{y + 20:.1f}" text-anchor="{anchor}" font-size="11">'
        f"{number(bar.ends[0] + share * (bar.ends[1] - bar.ends[0]))}</text>"
        for share, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end"))
    )
    what = "neurons: " if bar.first else "field: "
    return (
        f'<defs><linearGradient id="{name}">{stops}</linearGradient></defs>'
        f'<text x="{x:.1f}" y="{y - 4:.1f}">{html.escape(what + bar.title)}</text>'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:g}" height="9" fill="url(#{name})" stroke="#888"/>{ticks}'
    )
