"""Diffusion with first-order loss where every coefficient is uniform: exact in time, whatever the step.

    dc/dt = D lap c - loss c + strength(t) source,     no flux through the walls

The field stays on its cosine modes, where each decays at its own rate L = loss + D mu/voxel^2; only reading it takes a
transform. During a step of length h the strength is constant:

    c <- c e^(-L h) + strength response,     response = source (1 - e^(-L h))/L

Where a step is so long that of most modes nothing is left after it, the two terms go back to real space apart: the
response once, and of what is left only the few modes that make it up.

A block (z, y, x) has its modes in the order (y, x, z): a slab of one wave along y lies together in memory and takes the
way along x and z in the nearest caches; what is left, along y, is done within planes of the block.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential
from abm.loops import loop
from abm.tissue.medium import cosine_eigenvalues
from abm.tissue.modes import ROWS, SERIES, averages
from abm.tissue.threads import shared, threads_for, transform_on
from abm.tissue.transform import (
    FIRST,
    STRAIGHT,
    TURNED,
    Cosines,
    Shape,
    aligned,
    along,
    blocks,
    cosines,
    on_modes,
    scratch,
)
from abm.vectors import BYTES

Floats = npt.NDArray[Any]
FEW = 0.125  # share of the modes up to which those that are left go back to real space by themselves


@loop
def respond(
    shape: Shape, rates: Floats, decays: Floats, h: float, undo: bool, response: Floats, first: int, last: int
) -> None:
    """Times (1 - e^(-L h))/L a source on modes becomes their response, or with `undo` the source again; chunks of rows.

    rates: loss, then what each axis adds to it; decays: e^(-rate h) of each of them; double precision.
    """
    depth, rows, columns = shape
    along, decay = rates[1 + depth + rows :], decays[1 + depth + rows :]
    mean = np.empty(columns, response.dtype)
    for row in range(first * ROWS, min(last * ROWS, depth * rows)):
        z, y = 1 + row // rows, 1 + depth + row % rows
        base, left = rates[0] + rates[z] + rates[y], decays[0] * decays[z] * decays[y]
        values = response[row * columns : (row + 1) * columns]
        if h * base < SERIES:
            for i in range(columns):
                mean[i] = h * averages(h * (base + along[i]))[0]
        else:
            for i in range(columns):
                mean[i] = (1.0 - left * decay[i]) / (base + along[i])
        if undo:
            for i in range(columns):
                values[i] /= mean[i]
        else:
            for i in range(columns):
                values[i] *= mean[i]


@loop
def step_modes(
    shape: Shape,
    filled: Shape,
    decays: Floats,
    now: float,
    before: float,
    response: Floats,
    modes: Floats,
    first: int,
    last: int,
) -> None:
    """modes = (modes + before response) e^(-L h) + now response, for as many modes along each axis as filled; slabs.

    decays: e^(-rate h) of the loss, then of each axis. Modes of which nothing is left are not read.
    """
    slabs, rows, columns = shape
    along = decays[1 + slabs + rows : 1 + slabs + rows + filled[2]]
    for slab in range(first, last):
        for row in range(filled[1]):
            left, a = decays[0] * decays[1 + slab] * decays[1 + slabs + row], (slab * rows + row) * columns
            state, gain = modes[a : a + along.size], response[a : a + along.size]
            if left == 0.0:
                for i in range(state.size):
                    state[i] = now * gain[i]
            else:
                for i in range(state.size):
                    decay = left * along[i]
                    state[i] = state[i] * decay + (now + before * decay) * gain[i]


@loop
def slabs_back(
    tables: Cosines, shape: Shape, filled: Shape, modes: Floats, field: Floats, first: int, last: int
) -> None:
    """Modes back to real space along x and z, slab by slab; a slab holds the modes of one wave along y.

    filled: waves along each axis from which on modes count as nothing; waves along y that do are not written.
    """
    rows, columns, depth = shape
    size, met = columns * depth, blocks(filled[2], modes)
    known, work = min(met * (BYTES // modes.itemsize), depth), scratch(size, modes)
    for y in range(first, last):
        along(tables.x, True, TURNED, depth, filled[1], modes[y * size : (y + 1) * size], work, FIRST, met)
        along(tables.z, True, STRAIGHT, columns, known, work, work, FIRST, blocks(columns, modes))
        for z in range(depth):
            line, done = field[(z * rows + y) * columns : (z * rows + y + 1) * columns], work[z * columns :]
            for x in range(columns):
                line[x] = done[x]


@loop
def step_slabs(
    shape: Shape,
    filled: Shape,
    decays: Floats,
    now: float,
    before: float,
    response: Floats,
    modes: Floats,
    tables: Cosines,
    field: Floats,
    first: int,
    last: int,
) -> None:
    """`step_modes` and at once, while a slab lies in the nearest caches, its way back to real space."""
    for y in range(first, last):
        step_modes(shape, filled, decays, now, before, response, modes, y, y + 1)
        slabs_back(tables, shape, filled, modes, field, y, y + 1)


@loop
def planes_back(
    tables: Cosines, shape: Shape, filled: Shape, share: float, steady: Floats, field: Floats, first: int, last: int
) -> None:
    """The rest of the way back, along y, plane by plane, and a share of a steady field added."""
    rows, columns, _ = shape
    size = rows * columns
    for z in range(first, last):
        plane, more = field[z * size : (z + 1) * size], steady[z * size :]
        along(tables.y, True, STRAIGHT, columns, filled[0], plane, plane, FIRST, blocks(columns, field))
        if share != 0.0:
            for i in range(size):
                plane[i] += share * more[i]


@loop
def planes_forth(tables: Cosines, shape: Shape, field: Floats, half_way: Floats, first: int, last: int) -> None:
    """A field, in any precision, to its waves along y, plane by plane."""
    rows, columns, _ = shape
    size, number = rows * columns, half_way.dtype.type
    for z in range(first, last):
        plane, values = half_way[z * size : (z + 1) * size], field[z * size :]
        for i in range(size):
            plane[i] = number(values[i])
        along(tables.y, False, STRAIGHT, columns, rows, plane, plane, FIRST, blocks(columns, plane))


@loop
def slabs_forth(tables: Cosines, shape: Shape, half_way: Floats, modes: Floats, first: int, last: int) -> None:
    """The rest of the way to modes, along z and x, slab by slab."""
    rows, columns, depth = shape
    size, work = columns * depth, scratch(columns * depth, modes)
    for y in range(first, last):
        for z in range(depth):
            line, to = half_way[(z * rows + y) * columns : (z * rows + y + 1) * columns], work[z * columns :]
            for x in range(columns):
                to[x] = line[x]
        slab = modes[y * size : (y + 1) * size]
        along(tables.z, False, TURNED, columns, depth, work, slab, FIRST, blocks(columns, modes))
        along(tables.x, False, STRAIGHT, depth, columns, slab, slab, FIRST, blocks(depth, modes))


class UniformField:
    """One signal in a uniform block, see the module; lengths and times in any units that fit together.

    start (z, y, x): the field at first; its precision, double or single, is that of the solution. source (z, y, x):
    what enters at strength 1, concentration/time. Large blocks take all threads allowed, with the same bits.
    """

    def __init__(
        self, start: Floats, voxel: float, diffusivity: float, loss: float, source: Floats | None = None
    ) -> None:
        shape: Shape = start.shape if start.ndim == 3 else (1, *start.shape)
        self.shape: Shape = on_modes(shape) if shape[0] == 1 else (shape[1], shape[2], shape[0])
        self._layout, self._dtype, self._cosines = start.shape, start.dtype, cosines(shape, start.dtype)
        self._workers, self._supplied = threads_for(start.size), source is not None
        spread = diffusivity / voxel**2 * cosine_eigenvalues(self.shape)
        self._rates = np.concatenate([[loss], spread])
        self._modes, self._response = (aligned((start.size,), self._dtype) for _ in range(2))
        if source is not None:
            self._to_modes(source, self._response)
        else:
            self._response[:] = 0.0
        self._held = bool(start.any())  # else the field is nothing, whatever the memory of its modes holds
        if self._held:
            self._to_modes(start, self._modes)
        self._step, self._exact = 0.0, np.zeros_like(self._rates)
        self._decays, self._filled = self._exact.astype(self._dtype), self.shape
        self._steady: Floats | None = None  # the response in real space, where modes hold only what is left of others
        self._due: float | None = None  # strength of a step that the modes still have to take
        self._last = 0.0  # strength of the step before it, if its response lies in the steady field alone

    def _to_modes(self, field: Floats, modes: Floats) -> None:
        """Modes of a field of any precision."""
        flat, half_way, (rows, _, depth) = field.reshape(-1), aligned((field.size,), self._dtype), self.shape
        if rows == 1:
            half_way[:] = flat
            transform_on(self._workers)(self._cosines, False, half_way, modes)
        else:
            shared(planes_forth, self._workers)(self._cosines, self.shape, flat, half_way, 0, depth)
            shared(slabs_forth, self._workers)(self._cosines, self.shape, half_way, modes, 0, rows)

    def _prepare(self, h: float) -> None:
        """Decays and response of steps of length h, kept until the length changes."""
        if h == self._step:
            return
        if self._step:
            self._complete()
            self._respond(True)
        self._step, self._exact = h, np.array([exponential(-h * rate) for rate in self._rates])
        self._respond(False)
        # What an axis leaves below rounding is nothing: products of it would be too small for the processor to be fast.
        left = self._exact.copy()
        left[1:][left[1:] < np.finfo(self._dtype).eps] = 0.0
        self._decays = left.astype(self._dtype)
        y, x, z = (int(np.count_nonzero(axis)) for axis in np.split(left[1:], np.cumsum(self.shape)[:-1]))
        lanes = BYTES // self._dtype.itemsize
        filled = (y, x, min(blocks(z, self._modes) * lanes, self.shape[2]))
        if self._supplied and self.shape[0] > 1 and math.prod(filled) <= FEW * self._modes.size:
            steady, rows = aligned((self._modes.size,), self._dtype), self.shape[0]
            shared(slabs_back, self._workers)(self._cosines, self.shape, self.shape, self._response, steady, 0, rows)
            self._finish(steady, 0.0, self._response)
            self._filled, self._steady = filled, steady

    def _complete(self) -> None:
        """Give the modes what they lack beside a steady field."""
        if self._steady is not None:
            y, x, z = self._filled
            whole = (self._dtype.type(self._last) * self._response).reshape(self.shape)
            whole[:y, :x, :z] += self._modes.reshape(self.shape)[:y, :x, :z]
            self._modes[:] = whole.reshape(-1)
            self._filled, self._steady, self._last = self.shape, None, 0.0

    def _respond(self, undo: bool) -> None:
        if self._supplied:
            slabs = -(-self.shape[0] * self.shape[1] // ROWS)
            each = shared(respond, self._workers)
            each(self.shape, self._rates, self._exact, self._step, undo, self._response, 0, slabs)

    def _take(self, kernel: Callable[..., None], *more: Any) -> None:
        """Take the step that is due."""
        strength, self._due = self._due or 0.0, None
        now, before, last = (strength, 0.0, 0.0) if self._steady is None else (0.0, self._last, strength)
        decays, number = self._decays if self._held else np.zeros_like(self._decays), self._dtype.type
        shared(kernel, self._workers)(
            self.shape, self._filled, decays, number(now), number(before), self._response, self._modes, *more, 0,
            self._filled[0],
        )  # fmt: skip
        self._held, self._last = True, last

    def advance(self, h: float, strength: float = 1.0) -> None:
        """Advance by h with the source at a strength."""
        if h == 0.0:
            return
        if self._due is not None:
            self._take(step_modes)
        self._prepare(h)
        self._due = strength if self._supplied else 0.0

    def read(self, out: Floats | None = None) -> Floats:
        """The field now; written into `out` (contiguous, of the same shape and precision) if given."""
        found = np.empty(self._layout, self._dtype) if out is None else out
        flat, tables = found.reshape(-1), self._cosines
        if self._due is None and not self._held:
            flat[:] = 0.0
        elif self.shape[0] == 1:
            if self._due is not None:
                self._take(step_modes)
            transform_on(self._workers)(tables, True, self._modes, flat)
        else:
            if self._due is not None:
                self._take(step_slabs, tables, flat)
            else:
                each = shared(slabs_back, self._workers)
                each(tables, self.shape, self._filled, self._modes, flat, 0, self._filled[0])
            self._finish(flat, *((0.0, self._response) if self._steady is None else (self._last, self._steady)))
        return found

    def _finish(self, flat: Floats, share: float, steady: Floats) -> None:
        """From waves along y to real space, with a share of a steady field."""
        each, number = shared(planes_back, self._workers), self._dtype.type
        each(self._cosines, self.shape, self._filled, number(share), steady, flat, 0, self.shape[2])
