"""The solver's passes over cosine modes, where the medium with all coefficients replaced by their means is diagonal.

Mode m of it decays at the rate L = (mean k + D mean(g) mu)/mean(phi). Of the forcing psi (a constant rate of change of
amount since the start of a step of length h) follow exactly

    change  = psi/mean(phi) h phi1(h L),       phi1(x) = (1 - e^-x)/x
    extra   = psi/mean(phi) h^2 phi2(h L),     phi2(x) = (1 - phi1(x))/x

change: of the concentration; extra: time integral of the concentration in excess of that at the start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from abm.elementary import exponential
from abm.tissue.arrays import Field, inner

if TYPE_CHECKING:
    from abm.tissue.solver import Medium
    from abm.tissue.transform import Shape

SERIES, TERMS = 0.1, 11  # below it the differences of exponentials are summed as series, to rounding
SLOW, FAST = 6.0, 10.0  # see `precondition`
ROWS = 64  # rows of modes in a chunk


@njit(cache=True, error_model="numpy", nogil=True)
def slabs_of(shape: Shape) -> int:
    """Number of chunks of modes."""
    return (shape[0] * shape[1] - 1) // ROWS + 1


@njit(cache=True, error_model="numpy", nogil=True)
def phi_one(x: float) -> float:
    """(1 - e^-x)/x, x >= 0."""
    return (1.0 - exponential(-x)) / x if x >= SERIES else 1.0 - x * phi_two(x)


@njit(cache=True, error_model="numpy", nogil=True)
def phi_two(x: float) -> float:
    """(1 - phi1(x))/x, x >= 0: 1/2 - x/3! ... by its series, nested, for small x."""
    if x >= SERIES:
        return (1.0 - (1.0 - exponential(-x)) / x) / x
    found = 1.0
    for n in range(TERMS, 2, -1):
        found = 1.0 - found * x / n
    return 0.5 * found


@njit(cache=True, error_model="numpy", nogil=True)
def _decays(medium: Medium, h: float) -> Field:
    """e^(-h D mean(g) mu/mean(phi)) for the eigenvalues mu of each axis: a mode's decay is a product of three."""
    spread = h * medium.diffusivity * medium.mean_face / medium.mean_storage
    found = np.empty_like(medium.eigenvalues)
    for i in range(found.size):
        found[i] = exponential(-spread * medium.eigenvalues[i])
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def predict(medium: Medium, h: float, forcing: Field, change: Field, extra: Field, first: int, last: int) -> None:
    """change and extra of the module's text from forcing, all three on cosine modes."""
    depth, rows, columns = medium.shape
    decays, mu = _decays(medium, h), medium.eigenvalues
    spread = medium.diffusivity * medium.mean_face / medium.mean_storage
    slowest = medium.mean_loss / medium.mean_storage
    start, along, decay = exponential(-h * slowest), mu[depth + rows :], decays[depth + rows :]
    for row in range(first * ROWS, min(last * ROWS, depth * rows)):
        z, y, a = row // rows, depth + row % rows, row * columns
        base, left = slowest + spread * (mu[z] + mu[y]), start * decays[z] * decays[y]
        psi, new, more = forcing[a : a + columns], change[a : a + columns], extra[a : a + columns]
        if h * base >= SERIES:
            for i in range(columns):
                rate, supply = base + spread * along[i], psi[i] / medium.mean_storage
                once = (1.0 - left * decay[i]) / rate
                new[i], more[i] = supply * once, supply * ((h - once) / rate)
        else:
            for i in range(columns):
                rate, supply = base + spread * along[i], psi[i] / medium.mean_storage
                new[i], more[i] = supply * (h * phi_one(h * rate)), supply * (h * h * phi_two(h * rate))


@njit(cache=True, error_model="numpy", nogil=True)
def precondition(medium: Medium, h: float, pace: float, defect: Field, sums: Field, first: int, last: int) -> None:
    """Divide a defect on cosine modes by pace phi + k + D g mu, all at their means: the correction of `extra`.

    Sums by Parseval's theorem: defect times correction; the square of the correction; and the square of the part of it
    that is in doubt. A correction hangs on how the defect grows during the step, which is not known: for slow modes
    (x = h L small) x/6 of it, the difference between a steady and a growing defect; for fast modes about a tenth.
    """
    depth, rows, columns = medium.shape
    mu, stiffness = medium.eigenvalues, medium.diffusivity * medium.mean_face
    level, loss = pace * medium.mean_storage + medium.mean_loss, medium.mean_loss
    along, unsure, share = mu[depth + rows :], np.empty(columns), h / medium.mean_storage
    for chunk in range(first, last):
        sums[chunk] = 0.0
        for row in range(chunk * ROWS, min((chunk + 1) * ROWS, depth * rows)):
            z, y, a = row // rows, row % rows, row * columns
            base = stiffness * (mu[z] + mu[depth + y])
            values = defect[a : a + columns]
            for i in range(columns):
                unsure[i] = values[i] / (level + base + stiffness * along[i])
            product, square, edge = inner(values, unsure), inner(unsure, unsure), values[0] * unsure[0]
            for i in range(columns):
                values[i] = unsure[i]
                x = share * (loss + base + stiffness * along[i])
                unsure[i] *= x / (SLOW + FAST * x)
            weight = 0.5 / columns * (0.25 if y == 0 else 0.5) / rows
            if depth > 1:
                weight *= (0.25 if z == 0 else 0.5) / depth
            # A mean counts half of what the other modes of its axis do.
            sums[chunk, 0] += weight * (product - 0.5 * edge)
            sums[chunk, 1] += weight * (square - 0.5 * values[0] * values[0])
            sums[chunk, 2] += weight * (inner(unsure, unsure) - 0.5 * unsure[0] * unsure[0])
