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
from abm.tissue.threads import shared, threads_for
from abm.tissue.transform import BACK, FORWARD, Shape, transform

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
    """modes = modes e^(-L h) + strength response; decays: e^(-rate h) of the loss, then of each axis."""
    depth, rows, columns = shape
    along = decays[1 + depth + rows :]
    for row in range(first * ROWS, min(last * ROWS, depth * rows)):
        left = decays[0] * decays[1 + row // rows] * decays[1 + depth + row % rows]
        state, gain = modes[row * columns : (row + 1) * columns], response[row * columns : (row + 1) * columns]
        for i in range(columns):
            state[i] = state[i] * (left * along[i]) + strength * gain[i]


class UniformField:
    """One signal in a uniform block, see the module; lengths and times in any units that fit together.

    start (z, y, x): the field at first; its precision, double or single, is that of the solution. source (z, y, x):
    what enters at strength 1, concentration/time. Large blocks take all threads allowed, with the same bits.
    """

    def __init__(
        self, start: Floats, voxel: float, diffusivity: float, loss: float, source: Floats | None = None
    ) -> None:
        self.shape: Shape = start.shape if start.ndim == 3 else (1, *start.shape)
        self._layout, self._dtype = start.shape, start.dtype
        self._workers = threads_for(start.size)
        spread = diffusivity / voxel**2 * cosine_eigenvalues(self.shape)
        self._rates = np.concatenate([[loss], spread])
        self._modes = self._transformed(start)
        self._source = None if source is None else self._transformed(source)
        self._response, self._decays, self._step = np.zeros_like(self._modes), np.zeros_like(self._rates), np.nan

    def _transformed(self, field: Floats) -> Floats:
        modes = np.ascontiguousarray(field, self._dtype).reshape(-1).copy()
        if modes.any():
            transform(modes, modes, self.shape, FORWARD, self._workers)
        return modes

    def _prepare(self, h: float) -> None:
        """Decays and response of steps of length h, kept until the length changes."""
        if h == self._step:
            return
        self._step = h
        decays = np.array([exponential(-h * rate) for rate in self._rates])
        self._decays = decays.astype(self._dtype)
        if self._source is not None:
            self._each(respond, self._rates, decays, h, self._source, self._response)

    def _each(self, kernel: Callable[..., None], *arguments: Any) -> None:
        slabs = -(-self.shape[0] * self.shape[1] // ROWS)
        shared(kernel, self._workers)(self.shape, *arguments, 0, slabs)

    def advance(self, h: float, strength: float = 1.0) -> None:
        """Advance by h with the source at a strength."""
        self._prepare(h)
        self._each(step_modes, self._decays, self._dtype.type(strength), self._response, self._modes)

    def read(self, out: Floats | None = None) -> Floats:
        """The field now; written into `out` (contiguous, of the same shape and precision) if given."""
        found = np.empty(self._layout, self._dtype) if out is None else out
        transform(self._modes, found.reshape(-1), self.shape, BACK, self._workers)
        return found
