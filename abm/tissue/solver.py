"""Diffusion with first-order loss in a layered tissue: one signal's semi-discrete system and its two solvers.

Finite volumes on a regular grid (z, y, x), c the extracellular concentration of a voxel:

    phi dc/dt = D sum_faces g (c_neighbour - c) - k c + s

phi: storage (distribution volume per tissue volume, 1); g: face conductance, the harmonic mean of alpha/lambda^2
divided by the square of the voxel's edge (1/um^2); D: diffusivity (um^2/h); k: loss (1/h); s: source
(concentration/h), both per tissue volume. Within one call k and s are constant: the system is linear.

Either solver returns the new field and the time integral I of c. Diffusion only moves amounts between neighbours and
the loss is k I, so the new amount is known exactly: the field is scaled to it and the balance closes to rounding.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from abm.elementary import exponential, power
from abm.tissue.arrays import accumulate, assign, inner, total
from abm.tissue.transform import cosine, inverse_cosine

Field = npt.NDArray[np.float64]

GAMMA = 1.0 - math.sqrt(0.5)  # two equal implicit stages: L-stable, second order (Alexander 1977)
# Weights of F(c), F(Y1), F(Y2) in the method less those of the formula of third order on the same three values,
# which solves  b1 g + b2 = 1/2,  b1 g^2 + b2 g (2 - g) = 1/6,  b0 + b1 + b2 = 1  (linear problems).
_THIRD_1 = (1.0 / 6.0 - GAMMA * (2.0 - GAMMA) / 2.0) / (GAMMA * GAMMA * (GAMMA - 1.0))
_THIRD_2 = 0.5 - GAMMA * _THIRD_1
ERROR_0 = _THIRD_1 + _THIRD_2 - 1.0
ERROR_1 = 1.0 - GAMMA - _THIRD_1
ERROR_2 = GAMMA - _THIRD_2
LINEAR_SHARE = 0.2  # residual of the linear solves, as a share of the tolerance of the step
LINEAR_ITERATIONS = 60
ROUNDING = 1e-14
NEGLIGIBLE = 0.02  # share of the tolerance below which an error is taken as it is, without damping
SAFETY, LARGEST_GROWTH, LARGEST_CUT = 0.9, 5.0, 0.1
SMALLEST_STEP = 1e-9  # share of the coupling step below which an error is no longer pursued
SERIES = 1e-3  # below it the differences of exponentials are summed as series


class Medium(NamedTuple):
    """One signal's linear system during one coupling step; fields of shape (z, y, x), symbols as in the module text."""

    storage: Field  # phi
    loss: Field  # k
    source: Field  # s
    faces: Field  # g, shape (3, z, y, x): the face towards the next voxel along z, y and x; 0 at the far wall
    modes: Field  # eigenvalues of -sum_faces (difference) on cosine modes, 1
    diffusivity: float  # D
    mean_storage: float
    mean_loss: float
    mean_face: float


class Progress(NamedTuple):
    """What an advance took: sub-step to try first next time (h), sub-steps, largest relative error, iterations."""

    step: float
    substeps: int
    error: float
    iterations: int


@njit(cache=True, error_model="numpy")
def divergence(c: Field, faces: Field, out: Field) -> None:
    """out = div(g grad c): for each voxel the sum over its faces of g times the difference to the neighbour.

    The faces at the far walls are 0, so each axis is one run over the flat fields, whatever the rows.
    """
    state, flat, stride = c.ravel(), out.ravel(), 1
    for i in range(flat.size):
        flat[i] = 0.0
    for axis in (2, 1, 0):
        face = faces[axis].ravel()[: max(flat.size - stride, 0)]
        near, far = state[: face.size], state[stride:]
        gain, gift = flat[: face.size], flat[stride:]
        for i in range(face.size):
            gain[i] += face[i] * (far[i] - near[i])
        for i in range(face.size):
            gift[i] -= face[i] * (far[i] - near[i])
        stride *= c.shape[axis]


@njit(cache=True, error_model="numpy")
def _apply(medium: Medium, h: float, c: Field, out: Field) -> None:
    """out = (phi + h k) c - h D div(g grad c), the operator of an implicit stage of length h."""
    divergence(c, medium.faces, out)
    flat, state, phi, k = out.ravel(), c.ravel(), medium.storage.ravel(), medium.loss.ravel()
    spread = h * medium.diffusivity
    for i in range(flat.size):
        flat[i] = (phi[i] + h * k[i]) * state[i] - spread * flat[i]


@njit(cache=True, error_model="numpy")
def _damp(medium: Medium, h: float, amount: Field, twice: bool) -> Field:
    """Solves an implicit stage with every coefficient replaced by its mean, exactly, mode by mode; once or twice over.

    Solved twice, the result is multiplied by the mean storage, so that it is a concentration as well.
    """
    spectrum = cosine(amount)
    flat, eigenvalue = spectrum.ravel(), medium.modes.ravel()
    level, spread = medium.mean_storage + h * medium.mean_loss, h * medium.diffusivity * medium.mean_face
    if twice:
        for i in range(flat.size):
            damping = level + spread * eigenvalue[i]
            flat[i] *= medium.mean_storage / (damping * damping)
    else:
        for i in range(flat.size):
            flat[i] /= level + spread * eigenvalue[i]
    return inverse_cosine(spectrum)


@njit(cache=True, error_model="numpy")
def _solve_stage(medium: Medium, h: float, right: Field, c: Field, tolerance: float) -> tuple[Field, int]:
    """Preconditioned conjugate gradients for `_apply(c) = right` from the guess in c; right becomes the residual.

    The residual's root mean square falls below `tolerance` (concentration times storage). A guess that is not exact to
    rounding gets at least one iteration, so that drifts slower than the tolerance are followed too.
    Returns the residual of the guess and the iterations.
    """
    image, search = np.empty_like(c), np.zeros_like(c)
    _apply(medium, h, c, image)
    state, residual, product, direction = c.ravel(), right.ravel(), image.ravel(), search.ravel()
    for i in range(residual.size):
        residual[i] -= product[i]
    start = right.copy()
    limit, norm, slope = residual.size * tolerance * tolerance, inner(right, right), math.inf
    enough = limit * (ROUNDING / LINEAR_SHARE) ** 2
    for iteration in range(LINEAR_ITERATIONS):
        if norm <= enough:
            return start, iteration
        improved = _damp(medium, h, right, False)
        fresh, old_slope = improved.ravel(), slope
        slope = inner(right, improved)
        for i in range(state.size):
            direction[i] = fresh[i] + slope / old_slope * direction[i]
        _apply(medium, h, search, image)
        length = slope / inner(search, image)
        for i in range(state.size):
            state[i] += length * direction[i]
            residual[i] -= length * product[i]
        norm, enough = inner(right, right), limit
    return start, LINEAR_ITERATIONS


@njit(cache=True, error_model="numpy")
def _balance(medium: Medium, duration: float, before: Field, integral: Field, after: Field) -> float:
    """Scale `after` so that the amount in the tissue is the amount before + s h - k I; negative values become 0 first.

    What leaves one voxel enters its neighbour, so the amount is known exactly and the balance closes to rounding
    whatever the tolerance of the linear solves. Returns the smallest concentration found.
    """
    amount = inner(medium.storage, before) + duration * total(medium.source) - inner(medium.loss, integral)
    new, smallest = after.ravel(), math.inf
    for i in range(new.size):
        smallest = min(smallest, new[i])
    if smallest < 0.0:
        for i in range(new.size):
            new[i] = max(new[i], 0.0)
    found = inner(medium.storage, after)
    scale = amount / found if found > 0.0 else 0.0
    for i in range(new.size):
        new[i] *= scale
    return smallest


@njit(cache=True, error_model="numpy")
def _level(medium: Medium, duration: float, c: Field) -> float:
    """Scale for relative errors: the field's root mean square, or what its sources reach within the step if larger."""
    reach = duration / (medium.mean_storage + duration * medium.mean_loss)
    return max(math.sqrt(inner(c, c) / c.size), abs(total(medium.source)) / c.size * reach)


@njit(cache=True, error_model="numpy")
def substep(
    medium: Medium, h: float, c: Field, level: float, tolerance: float, new: Field, integral: Field
) -> tuple[float, int]:
    """Try one step of SDIRK2 from c: the new field, the time integral over the step, the relative error, iterations.

    Y1 = c + h g F(Y1);  new = Y2 = c + h (1 - g) F(Y1) + h g F(Y2);  I = h ((1 - g) Y1 + g Y2);  g = 1 - 1/sqrt 2.
    Error: the difference to the formula of third order, damped twice like an implicit stage; for a single decaying
    mode this follows the true local error within 30 % from slow to infinitely fast.
    """
    limit, iterations = LINEAR_SHARE * tolerance * level * medium.mean_storage, 0
    right, slope, error = np.empty_like(c), np.zeros_like(c), np.zeros_like(c)
    state, y, r, q, e = c.ravel(), new.ravel(), right.ravel(), slope.ravel(), error.ravel()
    sums, phi, s = integral.ravel(), medium.storage.ravel(), medium.source.ravel()
    assign(new, c)
    for stage in range(2):
        for i in range(r.size):
            r[i] = phi[i] * state[i] + (1.0 - GAMMA) / GAMMA * q[i] + GAMMA * h * s[i]
        start, taken = _solve_stage(medium, GAMMA * h, right, new, limit)
        iterations += taken
        before = start.ravel()
        for i in range(r.size):
            gain = phi[i] * (y[i] - state[i]) + r[i] - (1.0 - GAMMA) / GAMMA * q[i]  # h g F(Y), exact for the Y found
            if stage == 0:
                e[i] = (ERROR_0 * before[i] + ERROR_1 * gain) / GAMMA  # the first guess is c: before = h g F(c)
                q[i] = gain
                sums[i] = (1.0 - GAMMA) * h * y[i]
                y[i] = state[i] + (y[i] - state[i]) / GAMMA  # guess of Y2: the same slope to the end of the step
            else:
                e[i] += ERROR_2 / GAMMA * gain
                sums[i] += GAMMA * h * y[i]
    relative = math.sqrt(inner(error, error) / r.size) / (medium.mean_storage * level)
    if relative > NEGLIGIBLE * tolerance:
        damped = _damp(medium, GAMMA * h, error, True)
        relative = math.sqrt(inner(damped, damped) / r.size) / level
    smallest = _balance(medium, h, c, integral, new)
    return max(relative, -smallest / level), iterations


@njit(cache=True, error_model="numpy")
def advance_implicit(
    medium: Medium, duration: float, step: float, tolerance: float, c: Field, integral: Field
) -> Progress:
    """Advance c over `duration` (h) with error-controlled sub-steps; `integral` receives the time integral of c.

    step: sub-step to try first (h); tolerance: relative local error allowed per sub-step. Rates jump between calls
    and the field then relaxes, so the step to try first in the next call is the one that this call began with.
    """
    new, part = np.zeros_like(c), np.empty_like(c)
    assign(integral, new)
    remaining, substeps, worst, iterations, opening = duration, 0, 0.0, 0, step
    while remaining > 0.0:
        level = _level(medium, remaining, c)
        if level == 0.0 or not math.isfinite(level):
            break
        h = remaining if step >= remaining else min(0.5 * remaining, max(step, SMALLEST_STEP * duration))
        error, taken = substep(medium, h, c, level, tolerance, new, part)
        iterations += taken
        growth = SAFETY * power(tolerance / error, 1.0 / 3.0) if error > 0.0 else LARGEST_GROWTH
        step = h * (min(LARGEST_GROWTH, max(LARGEST_CUT, growth)) if math.isfinite(error) else LARGEST_CUT)
        if not error <= tolerance and h > SMALLEST_STEP * duration:
            continue
        assign(c, new)
        accumulate(integral, part)
        remaining = remaining - h if h < remaining else 0.0
        substeps += 1
        if substeps == 1:
            opening = step
        worst = max(worst, error)
    return Progress(min(opening, duration), substeps, worst, iterations)


@njit(cache=True, error_model="numpy")
def advance_uniform(medium: Medium, duration: float, c: Field, integral: Field) -> None:
    """Advance c over `duration` (h) exactly in time; every coefficient but the source must be uniform.

    Mode by mode, with rate L = (k + D g mu)/phi:  I = c (1 - e^(-L h))/L + (s/phi) (h - (1 - e^(-L h))/L)/L.
    """
    spectrum, forcing = cosine(c), cosine(medium.source)
    state, source, eigenvalue = spectrum.ravel(), forcing.ravel(), medium.modes.ravel()
    for i in range(state.size):
        rate = (medium.mean_loss + medium.diffusivity * medium.mean_face * eigenvalue[i]) / medium.mean_storage
        x, supply = rate * duration, source[i] / medium.mean_storage
        if x < SERIES:
            once = duration * (1.0 - x * (0.5 - x * (1.0 / 6.0 - x / 24.0)))
            twice = duration * duration * (0.5 - x * (1.0 / 6.0 - x * (1.0 / 24.0 - x / 120.0)))
        else:
            once = (1.0 - exponential(-x)) / rate
            twice = (duration - once) / rate
        start = state[i]
        state[i] = start * exponential(-x) + supply * once
        source[i] = start * once + supply * twice
    assign(integral, inverse_cosine(forcing))
    new = inverse_cosine(spectrum)
    _balance(medium, duration, c, integral, new)
    assign(c, new)
