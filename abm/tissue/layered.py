"""Diffusion with first-order loss in sheets: coefficients vary along one axis only, and no iteration is needed.

    storage dc/dt = div(D grad c) - loss c + strength(t) source,     no flux through the walls

D, loss and storage are those of the sheet; a face between two has the harmonic mean of their D. Cosine modes of the
other axes do not mix, so that each leaves a chain along the layered axis, dc/dt = -A c + strength source, with a
tridiagonal A. A step of length h, with constant strength, replaces e^-x on A's eigenvalues by a rational function

    e^-x ~ r(x) = -2 Re sum_j a_j/(x + p_j),     c <- -2 Re sum_j a_j (h A + p_j)^-1 (c + strength h source/p_j)

which takes a tridiagonal system for each p_j (storage multiplies p_j and c). Whatever the step, a mode of A is off by
at most 7e-6 of how far it was from its steady state. Since r(0) = 1 and r'(0) = -1, amounts are kept and what a source
brings is counted to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from abm.loops import loop
from abm.tissue.medium import cosine_eigenvalues, face_conductance
from abm.tissue.threads import shared, threads_for
from abm.tissue.transform import Shape, cosines, on_modes, planes

Floats = npt.NDArray[Any]

# Poles, less their signs, of the near-best such function that Caratheodory and Fejer's method gives; the residues are
# those of the smallest error with r(0) = 1 and r'(0) = -1.
POLES = (
    complex(2.400602938931994, 1.193129308402113),
    complex(1.158552571718089, 3.614772600819722),
    complex(-1.781988275922166, 6.196512467347266),
)
RESIDUES = (
    complex(-0.5760584320746878, -4.289642402116294),
    complex(0.6610682139825492, 1.4493690478615004),
    complex(-0.08423535275726525, -0.10569233091153833),
)


@loop
def chains(
    row: int, sheets: Floats, across: Floats, terms: Floats, source: Floats, modes: Floats, real: Floats,
    imaginary: Floats, ahead: Floats, aside: Floats, change: Floats,
) -> None:
    """Advance the chains of one row of modes; arguments as in `step_sheets`, then scratch of shape (sheets, modes).

    Elimination without pivoting is safe: no pivot is smaller than the imaginary part of p, times the storage.
    Complex numbers are held as two: inverse pivots in (real, imaginary), right side and solution in (ahead, aside).
    """
    depth, columns, one = modes.shape[0], np.uint64(modes.shape[2]), modes.dtype.type(1.0)
    for j in range(terms.shape[0]):
        p, q, a, b, s, t = terms[j, 0], terms[j, 1], terms[j, 2], terms[j, 3], terms[j, 4], terms[j, 5]
        for z in range(depth):
            last, link, phi = max(z - 1, 0), sheets[0, z], sheets[3, z]
            level, lateral, sunk = sheets[1, z] + p * phi, sheets[2, z], q * phi
            for i in range(columns):
                u, v = link * real[last, i], link * imaginary[last, i]
                d, e = level + lateral * across[row, i] - link * u, sunk - link * v
                f, g = phi * modes[z, row, i] + s * source[z, row, i], t * source[z, row, i]
                scale = one / (d * d + e * e)
                f, g = f + (u * ahead[last, i] - v * aside[last, i]), g + (u * aside[last, i] + v * ahead[last, i])
                real[z, i], imaginary[z, i], ahead[z, i], aside[z, i] = d * scale, -e * scale, f, g
        for z in range(depth - 1, -1, -1):
            following, link = min(z + 1, depth - 1), sheets[0, z + 1]
            for i in range(columns):
                f, g = ahead[z, i] + link * ahead[following, i], aside[z, i] + link * aside[following, i]
                u, v = f * real[z, i] - g * imaginary[z, i], f * imaginary[z, i] + g * real[z, i]
                ahead[z, i], aside[z, i] = u, v
                part = a * u - b * v
                change[z, i] = part if j == 0 else change[z, i] + part
    for z in range(depth):
        for i in range(columns):
            modes[z, row, i] = change[z, i]


@loop
def step_sheets(
    sheets: Floats, across: Floats, terms: Floats, source: Floats, modes: Floats, first: int, last: int
) -> None:
    """Advance rows first..last-1 of modes (sheets, rows, columns) by a step of length h.

    sheets: (4, sheets + 1) h times the conductance of the face before each, h times the rate at which a sheet loses to
    its neighbours and by loss, h D/voxel^2, storage; across: (rows, columns) eigenvalues; terms: for each p of the
    module's text its real and imaginary part, those of -2 a, and those of h strength/p; source as modes.
    """
    shape = modes.shape[0], modes.shape[2]
    real, imaginary = np.zeros(shape, modes.dtype), np.zeros(shape, modes.dtype)
    ahead, aside, change = np.zeros(shape, modes.dtype), np.zeros(shape, modes.dtype), np.zeros(shape, modes.dtype)
    for row in range(first, last):
        chains(row, sheets, across, terms, source, modes, real, imaginary, ahead, aside, change)


class LayeredField:
    """One signal in a block of sheets across the first axis; lengths and times in any units that fit together.

    start (z, y, x) or (z, x): the field at first; its precision, double or single, is that of the solution.
    diffusivity, loss, storage: one number or one of each sheet, (z,); source, as start: what enters at strength 1,
    concentration/time per storage of 1. Large blocks take all threads allowed, with the same bits.
    """

    def __init__(
        self,
        start: Floats,
        voxel: float,
        diffusivity: npt.ArrayLike,
        loss: npt.ArrayLike,
        source: Floats | None = None,
        storage: npt.ArrayLike = 1.0,
    ) -> None:
        depth, columns = start.shape[0], start.shape[-1]
        shape: Shape = (depth, math.prod(start.shape[1:-1]), columns)
        self.shape, self._cosines = on_modes(shape), cosines(shape, start.dtype)
        self._layout, self._dtype, self._workers = start.shape, start.dtype, threads_for(start.size)
        self._spread, self._loss, self._storage = (
            np.broadcast_to(np.asarray(each, np.float64), depth)
            for each in (np.asarray(diffusivity) / voxel**2, loss, storage)
        )
        rows = cosine_eigenvalues(self.shape)[depth:]
        across = rows[: self.shape[1], None] + rows[self.shape[1] :]
        self._across = np.ascontiguousarray(across, self._dtype)
        self._modes = self._transformed(start)
        self._source = np.zeros_like(self._modes) if source is None else self._transformed(source)

    def _transformed(self, field: Floats) -> Floats:
        modes = np.zeros(self.shape, self._dtype)
        if field.any():
            self._transform(False, np.ascontiguousarray(field, self._dtype), modes)
        return modes

    def _transform(self, back: bool, source: Floats, target: Floats) -> None:
        """Along the two axes that are uniform."""
        each: Callable[..., None] = shared(planes, self._workers)
        filled = self.shape if back else on_modes(self.shape)
        each(self._cosines, back, filled, source.reshape(-1), target.reshape(-1), 0, self.shape[0])

    def _sheets(self, h: float) -> Floats:
        """What `step_sheets` needs of each sheet."""
        faces = face_conductance(self._spread[:, None, None])[0, :, 0, 0]
        table = np.zeros((4, self.shape[0] + 1))
        table[0, 1:], table[2, :-1], table[3, :-1] = h * faces, h * self._spread, self._storage
        table[1, :-1] = table[0, :-1] + table[0, 1:] + h * self._loss
        return table.astype(self._dtype)

    def advance(self, h: float, strength: float = 1.0) -> None:
        """Advance by h with the source at a strength."""
        rows = [(p, -2.0 * a, h * strength / p) for p, a in zip(POLES, RESIDUES, strict=True)]
        terms = np.array(rows).view(np.float64).astype(self._dtype)
        step: Callable[..., None] = shared(step_sheets, self._workers)
        step(self._sheets(h), self._across, terms, self._source, self._modes, 0, self.shape[1])

    def read(self, out: Floats | None = None) -> Floats:
        """The field now; written into `out` (contiguous, of the same shape and precision) if given."""
        found = np.empty(self._layout, self._dtype) if out is None else out
        self._transform(True, self._modes, found)
        return found
