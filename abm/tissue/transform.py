"""Discrete cosine transform of a field over all its axes (no-flux walls), and back.

On modes the last two axes are exchanged: a field (z, y, x) has modes (z, x, y). Each transform then turns its planes
over once. A lamella of one voxel's depth is transformed in its plane only: along z its one mode is the mean.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.loops import compiled, inlined, loop
from abm.sums import Field
from abm.tissue.cosine import Axis, axis, bring, lines, turn
from abm.vectors import BYTES

Shape = tuple[int, int, int]
# Typed, because what the compiler knows the value of it compiles anew for every value.
TURNED, STRAIGHT = np.bool_(True), np.bool_(False)
FORTH: Any = np.bool_(False)
BACK: Any = np.bool_(True)
FIRST: Any = np.int64(0)


class Cosines(NamedTuple):
    """Tables of the transforms along z, y and x."""

    z: Axis
    y: Axis
    x: Axis


def cosines(shape: Shape, precision: npt.DTypeLike) -> Cosines:
    """The tables for fields of a shape in a precision."""
    return Cosines(*(axis(length, precision) for length in shape))


def aligned(shape: tuple[int, ...], precision: npt.DTypeLike) -> npt.NDArray[Any]:
    """Room for numbers that begins where a line of the processor's memory does, which vectors then do not straddle."""
    kind = np.dtype(precision)
    room = np.empty(math.prod(shape) + BYTES // kind.itemsize, kind)
    ahead = -room.ctypes.data % BYTES // kind.itemsize
    return room[ahead : ahead + math.prod(shape)].reshape(shape)


@compiled
def on_modes(shape: Shape) -> Shape:
    """Shape of the modes of a field of this shape."""
    return shape[0], shape[2], shape[1]


@inlined
def scratch(size: int, like: Field) -> Field:
    """Room for numbers as those of a field, from where a line of the processor's memory begins."""
    room = np.empty(size + BYTES // like.itemsize, like.dtype)
    ahead = (BYTES - room.ctypes.data % BYTES) // like.itemsize
    return room[ahead : ahead + size]


@inlined
def blocks(columns: int, field: Field) -> int:
    """Blocks of lines side by side that columns of a field make."""
    lanes = BYTES // field.itemsize
    return (columns + lanes - 1) // lanes


@compiled
def along(
    table: Axis,
    back: bool,
    turned: np.bool_,
    columns: int,
    filled: int,
    source: Field,
    target: Field,
    first: int,
    last: int,
) -> None:
    """Transform planes (rows, columns) of a field down their columns, the planes one after the other.

    turned: the planes of the target are (columns, rows); else source and target may be the same. filled: rows of each
    plane that hold something, all but with `back`; those after them count as nothing and are not read. first, last:
    range of blocks of lanes columns, those of all planes counted.
    """
    rows, lanes = table.waves.size // 8, BYTES // source.itemsize
    enter, leave = table.enter[int(back)], table.leave[int(back)]
    count, waves, factors = blocks(columns, source), table.waves, table.factors
    work = scratch(2 * rows * lanes, source)
    work[:] = 0.0  # lanes that are not used must hold numbers
    for block in range(first, last):
        plane, column = block // count * rows * columns, block % count * lanes
        width = min(lanes, columns - column)
        if width == lanes:
            for k in range(filled):
                bring(source, plane + enter[k] * columns + column, work, k * lanes)
        else:
            for k in range(filled):
                place = plane + enter[k] * columns + column
                for i in range(width):
                    work[k * lanes + i] = source[place + i]
        work[filled * lanes : rows * lanes] = 0.0
        at = lines(work, waves, factors, back, lanes)
        if turned:
            whole = rows // lanes * lanes if width == lanes else 0
            for k in range(0, whole, lanes):
                turn(work, at, leave, k, target, plane + column * rows + k, rows)
            for i in range(width):
                for k in range(whole, rows):
                    target[plane + (column + i) * rows + k] = work[(at + leave[k]) * lanes + i]
        elif width == lanes:
            for k in range(rows):
                bring(work, (at + leave[k]) * lanes, target, plane + k * columns + column)
        else:
            for k in range(rows):
                place, row = plane + k * columns + column, (at + leave[k]) * lanes
                for i in range(width):
                    target[place + i] = work[row + i]


@loop
def planes(tables: Cosines, back: bool, filled: Shape, source: Field, target: Field, first: int, last: int) -> None:
    """Transform the planes first..last-1 of a field, or with `back` of modes, along both their axes.

    filled: with `back`, rows and columns of each plane from which on modes count as nothing, after the planes; a column
    counts if it shares a block with one that does.
    """
    one, two = (tables.x, tables.y) if back else (tables.y, tables.x)
    rows, columns = one.waves.size // 8, two.waves.size // 8
    by_column, by_row, met = blocks(columns, source), blocks(rows, source), blocks(filled[2], source)
    lines = min(met * (BYTES // source.itemsize), columns)
    for z in range(first, last):
        along(one, back, TURNED, columns, filled[1], source, target, z * by_column, z * by_column + met)
        along(two, back, STRAIGHT, rows, lines, target, target, z * by_row, (z + 1) * by_row)


@compiled
def transform(tables: Cosines, back: bool, source: Field, target: Field) -> None:
    """target = modes of the source, a flat field (DCT-II, not normalised), or with `back` the field of such modes."""
    one, two = (tables.x, tables.y) if back else (tables.y, tables.x)
    depth, rows, columns = tables.z.waves.size // 8, one.waves.size // 8, two.waves.size // 8
    if depth > 1:
        planes(tables, back, (depth, rows, columns), source, target, FIRST, depth)
        along(tables.z, back, STRAIGHT, rows * columns, depth, target, target, FIRST, blocks(rows * columns, source))
    else:
        along(one, back, TURNED, columns, rows, source, target, FIRST, blocks(columns, source))
        along(two, back, STRAIGHT, rows, columns, target, target, FIRST, blocks(rows, source))
