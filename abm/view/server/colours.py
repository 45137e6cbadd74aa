"""The colours of a painted tissue: one palette of 256 entries, so that a picture is one small array of bytes."""

from __future__ import annotations

import struct
import zlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from abm.view.style import FIELD_MAP, STRENGTH_MAP

Bytes = NDArray[np.uint8]

LEVELS = 120  # of each colour scale
CHANGE_MAP = "PuOr_r"  # differences: purple below, orange above; told apart by colour-blind readers
# Lines of synapses are light on a field and dark, FAINT, on paper and on a change, which is white where there is none.
PAPER, OUTLINE, VESSEL, SYNAPSE, CHOSEN, MISSING, FAINT = range(2 * LEVELS, 2 * LEVELS + 7)
MARKS = (
    (255, 255, 255), (30, 30, 30), (214, 69, 65), (240, 240, 240), (255, 0, 120), (160, 160, 160), (130, 130, 130)
)  # fmt: skip


@cache
def scale(name: str) -> Bytes:
    """A colour map of matplotlib as LEVELS rows of red, green, blue."""
    from matplotlib import colormaps

    shades = colormaps[name](np.linspace(0.0, 1.0, LEVELS))[:, :3]
    return np.asarray(np.round(255.0 * shades), np.uint8)


@cache
def palette(change: bool) -> Bytes:
    """All colours of a picture, (256, 3): the field's, the neurons', then the marks; `change` for differences."""
    maps = (CHANGE_MAP, CHANGE_MAP) if change else (FIELD_MAP, STRENGTH_MAP)
    found = np.full((256, 3), 255, np.uint8)
    found[:LEVELS], found[LEVELS : 2 * LEVELS] = scale(maps[0]), scale(maps[1])
    found[2 * LEVELS : 2 * LEVELS + len(MARKS)] = MARKS
    return found


def levels(values: NDArray[np.float64], low: float, high: float, first: int = 0) -> Bytes:
    """Values as entries of the palette, on a scale from low to high that begins at `first`.

    What lies outside takes the scale's end, what is no number the colour of what is missing.
    """
    spread = high - low if high > low else 1.0
    place = np.clip((values - low) / spread, 0.0, 1.0) * (LEVELS - 1) + 0.5 + first
    return np.nan_to_num(place, nan=MISSING).astype(np.uint8)


def png(indices: Bytes, colours: Bytes) -> bytes:
    """A picture of palette entries (rows, columns), first row on top, as a PNG file."""
    rows, columns = indices.shape
    lines = np.zeros((rows, columns + 1), np.uint8)  # each line begins with its filter, none
    lines[:, 1:] = indices
    head = struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0)
    parts = (
        (b"IHDR", head),
        (b"PLTE", colours.tobytes()),
        (b"IDAT", zlib.compress(lines.tobytes(), 1)),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    )
