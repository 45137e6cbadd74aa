"""Diffusion with first-order loss where every coefficient is uniform: exact in time, whatever the step.

    dc/dt = D lap c - loss c + strength(t) source,     no flux through the walls

The field stays on its cosine modes, where each decays at its own rate L = loss + D mu/voxel^2; only reading it takes a
transform. During a step of length h the strength is constant:

    c <- c e^(-L h) + strength source (1 - e^(-L h))/L
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential
from abm.loops import entry
from abm.tissue.medium import cosine_eigenvalues
from abm.tissue.modes import ROWS, SERIES, averages
from abm.tissue.passes import CHUNK, blend
from abm.tissue.threads import shared, threads_for, transform_on
from abm.tissue.transform import STRAIGHT, Cosines, Shape, aligned, along, blocks, cosines, on_modes, planes

Floats = npt.NDArray[Any]


@entry
def respond(
    shape: Shape, rates: Floats, decays: Floats, h: float, source: Floats, response: Floats, first: int, last: int
) -> None:
    """response = source (1 - e^(-L h))/L on modes; rates: loss, then what each axis adds to it. Chunks of rows.

    decays: e^(-rate h) of each of them, in double precision.
    """
    depth, rows, columns = shape
    along, decay = rates[1 + depth + rows :], decays[1 + depth + rows :]
    for row in range(first * ROWS, min(last * ROWS, depth * rows)):
        z, y = 1 + row // rows, 1 + depth + row % rows
        base, left = rates[0] + rates[z] + rates[y], decays[0] * decays[z] * decays[y]
        given, found = source[row * columns : (row + 1) * columns], response[row * columns : (row + 1) * columns]
        if h * base < SERIES:
            for i in range(columns):
                found[i] = given[i] * (h * averages(h * (base + along[i]))[0])
        else:
            for i in range(columns):
                found[i] = given[i] * ((1.0 - left * decay[i]) / (base + along[i]))


@entry
def step_modes(
    shape: Shape, decays: Floats, strength: float, response: Floats, modes: Floats, first: int, last: int
) -> None:
    """modes = modes e^(-L h) + strength response; decays: e^(-rate h) of the loss, then of each axis. Rows of modes."""
    depth, rows, columns = shape
    along = decays[1 + depth + rows :]
    for row in range(first, last):
        left = decays[0] * decays[1 + row // rows] * decays[1 + depth + row % rows]
        state, gain = modes[row * columns : (row + 1) * columns], response[row * columns : (row + 1) * columns]
        for i in range(state.size):
            state[i] = state[i] * (left * along[i]) + strength * gain[i]


@entry
def step_planes(
    shape: Shape,
    decays: Floats,
    strength: float,
    response: Floats,
    modes: Floats,
    tables: Cosines,
    field: Floats,
    first: int,
    last: int,
) -> None:
    """`step_modes` and at once, while a plane lies in the nearest caches, its way back to real space; planes."""
    for z in range(first, last):
        step_modes(shape, decays, strength, response, modes, z * shape[1], (z + 1) * shape[1])
        planes(tables, True, modes, field, z, z + 1)


class UniformField:
    """One signal in a uniform block, see the module; lengths and times in any units that fit together.

    start (z, y, x): the field at first; its precision, double or single, is that of the solution. source (z, y, x):
    what enters at strength 1, concentration/time. Large blocks take all threads allowed, with the same bits.
    """

    def __init__(
        self, start: Floats, voxel: float, diffusivity: float, loss: float, source: Floats | None = None
    ) -> None:
        shape: Shape = start.shape if start.ndim == 3 else (1, *start.shape)
        self.shape = on_modes(shape)
        self._layout, self._dtype, self._cosines = start.shape, start.dtype, cosines(shape, start.dtype)
        self._workers = threads_for(start.size)
        spread = diffusivity / voxel**2 * cosine_eigenvalues(self.shape)
        self._rates = np.concatenate([[loss], spread])
        self._modes, self._response = (aligned((start.size,), self._dtype) for _ in range(2))
        self._source = None
        if start.any():
            self._transform(start, self._modes)
        if source is not None:
            self._source = aligned((start.size,), self._dtype)
            self._transform(source, self._source)
        else:
            self._response[:] = 0.0
        self._decays, self._step = np.zeros_like(self._rates), np.nan
        self._due: float | None = None  # strength of a step that the modes still have to take

    def _transform(self, field: Floats, modes: Floats) -> None:
        flat, copied = field.reshape(-1), self._response  # which is not in use yet
        shared(blend, self._workers)(copied, 0.0, 1.0, flat, 0, -(-flat.size // CHUNK))
        transform_on(self._workers)(self._cosines, False, copied, modes)

    def _prepare(self, h: float) -> None:
        """Decays and response of steps of length h, kept until the length changes."""
        if h == self._step:
            return
        self._step = h
        decays = np.array([exponential(-h * rate) for rate in self._rates])
        # What an axis leaves below rounding is nothing: products of it would be too small for the processor to be fast.
        decays[1:][decays[1:] < np.finfo(self._dtype).eps] = 0.0
        self._decays = decays.astype(self._dtype)
        if self._source is not None:
            slabs = -(-self.shape[0] * self.shape[1] // ROWS)
            shared(respond, self._workers)(
                self.shape, self._rates, decays, h, self._source, self._response, 0, slabs
            )  # fmt: skip

    def _take(self, kernel: Callable[..., None], units: int, *more: Any) -> None:
        """Take the step that is due, if one is."""
        if self._due is not None:
            strength, self._due = self._dtype.type(self._due), None
            each = shared(kernel, self._workers)
            each(self.shape, self._decays, strength, self._response, self._modes, *more, 0, units)

    def advance(self, h: float, strength: float = 1.0) -> None:
        """Advance by h with the source at a strength."""
        self._take(step_modes, self.shape[0] * self.shape[1])
        self._prepare(h)
        self._due = strength

    def read(self, out: Floats | None = None) -> Floats:
        """The field now; written into `out` (contiguous, of the same shape and precision) if given."""
        found = np.empty(self._layout, self._dtype) if out is None else out
        flat, tables, (depth, rows, columns) = found.reshape(-1), self._cosines, self.shape
        if self._due is None or depth == 1:
            self._take(step_modes, depth * rows)
            transform_on(self._workers)(tables, True, self._modes, flat)
        else:
            self._take(step_planes, depth, tables, flat)
            down = shared(along, self._workers)
            down(tables.z, True, STRAIGHT, rows * columns, flat, flat, 0, blocks(rows * columns, flat))
        return found
