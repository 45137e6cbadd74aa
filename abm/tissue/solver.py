"""Diffusion with first-order loss in a layered tissue: one signal's semi-discrete system and how it is advanced.

Finite volumes on a regular grid (z, y, x), c the extracellular concentration of a voxel:

    phi dc/dt = D sum_faces g (c_neighbour - c) - k c + s

phi: storage (distribution volume per tissue volume, 1); g: face conductance, the harmonic mean of alpha/lambda^2
divided by the square of the voxel's edge (1/um^2); D: diffusivity (um^2/h); k: loss (1/h); s: source
(concentration/h), both per tissue volume. Within one call k and s are constant: the system is linear.

A step predicts and corrects. The prediction is what the medium with all coefficients replaced by their means makes of
the present rates of change: exact in time, by cosine modes (`abm.tissue.modes`). The correction u, its integral U over
the step, restores the balance that layers and capillaries have spoilt by the defect r:

    phi u + (k - div D g grad) U = r,     u = U/pace

found by conjugate gradients that use the mean medium as preconditioner. pace, the ratio that a defect driven by the
mean of the tissue has, runs from 2/h for slow to 1/h for fast loss: second order, and fast modes die at once.
In a uniform medium the defect is 0 and the step is exact.

Diffusion only moves amounts between neighbours and the loss is k times the time integral of c, so the new amount is
known exactly: the field is scaled to it and the balance closes to rounding.
"""

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from abm.elementary import power
from abm.tissue.arrays import Field
from abm.tissue.modes import phi_one, phi_two, precondition, predict, slabs_of
from abm.tissue.passes import (
    SUMS,
    accept,
    chunks_of,
    collect,
    conclude,
    find_defect,
    find_rate,
    improve,
    least_of,
    probe,
    turn,
)
from abm.tissue.transform import Shape, transform

LEFT_OUT = 0.1  # a correction below this share of the tolerance is left out
LINEAR_ITERATIONS = 60
ROUNDING = 1e-15
SAFETY, LARGEST_GROWTH, LARGEST_CUT = 0.9, 5.0, 0.1
SMALLEST_STEP = 1e-9  # share of the coupling step below which an error is no longer pursued
FIELDS = 8  # work arrays


class Medium(NamedTuple):
    """One signal's linear system during one coupling step; flat fields of n voxels, symbols as in the module text."""

    shape: Shape  # (z, y, x)
    storage: Field  # phi
    loss: Field  # k
    source: Field  # s
    faces: Field  # g, shape (3, n): the face towards the next voxel along z, y and x; 0 at the far wall
    eigenvalues: Field  # of -sum_faces (difference) on the cosine modes of z, then y, then x; 1
    diffusivity: float  # D
    mean_storage: float
    mean_loss: float
    mean_face: float
    workers: int  # threads of the transforms


class Progress(NamedTuple):
    """What an advance took: sub-step to try first next time (h), sub-steps, largest relative error, iterations."""

    step: float
    substeps: int
    error: float
    iterations: int


@njit(cache=True, error_model="numpy", nogil=True)
def correct(medium: Medium, h: float, limit: float, most: float, work: Field, sums: Field) -> tuple[float, int]:
    """Solve for the correction of a predicted step until what is left of it is below `limit`; its error, iterations.

    limit, most: root mean squares of concentration; an error above `most` ends the step before it is corrected.
    """
    x = h * medium.mean_loss / medium.mean_storage
    pace = phi_one(x) / (h * phi_two(x))
    rate, change, extra, defect = work[0], work[2], work[3], work[4]
    fresh, search, image = work[5], work[6], work[7]
    n, chunks, slabs = rate.size, chunks_of(rate.size), slabs_of(medium.shape)
    find_defect(medium, h, rate, change, extra, defect, sums, 0, chunks)
    norm = pace / math.sqrt(n)
    left = norm * math.sqrt(collect(sums, chunks, 0)) / (pace * medium.mean_storage + medium.mean_loss)
    if left <= limit:  # no correction is larger than if its defect were even
        return left, 0
    error, old = 0.0, math.inf
    for iteration in range(LINEAR_ITERATIONS):
        transform(defect, fresh, medium.shape, True, medium.workers)
        precondition(medium, h, pace, fresh, sums, 0, slabs)
        slope, left = collect(sums, slabs, 0), norm * math.sqrt(collect(sums, slabs, 1))
        if iteration == 0:
            error = norm * math.sqrt(collect(sums, slabs, 2))
        if left <= limit or error > most:
            return error + left, iteration
        transform(fresh, fresh, medium.shape, False, medium.workers)
        turn(search, fresh, slope / old, 0, chunks)
        probe(medium, pace, search, image, sums, 0, chunks)
        improve(slope / collect(sums, chunks, 0), pace, search, image, change, extra, defect, 0, chunks)
        old = slope
    return error + left, LINEAR_ITERATIONS


@njit(cache=True, error_model="numpy", nogil=True)
def substep(
    medium: Medium, h: float, c: Field, level: float, tolerance: float, work: Field, sums: Field
) -> tuple[float, int]:
    """Try one step of length h from c, whose rate of change and forcing stand in `work`: relative error, iterations.

    Leaves the new field in work[2] and the time integral over the step in work[3]; level: what errors are relative to.
    Where the error is above the tolerance they are unfinished.
    """
    forcing, change, extra = work[1], work[2], work[3]
    predict(medium, h, forcing, change, extra, 0, slabs_of(medium.shape))
    transform(change, change, medium.shape, False, medium.workers)
    transform(extra, extra, medium.shape, False, medium.workers)
    limit = max(LEFT_OUT * tolerance, ROUNDING) * level
    error, iterations = correct(medium, h, limit, tolerance * level, work, sums)
    return error / level, iterations


@njit(cache=True, error_model="numpy", nogil=True)
def advance_implicit(
    medium: Medium, duration: float, step: float, tolerance: float, c: Field, integral: Field
) -> Progress:
    """Advance c over `duration` (h) with error-controlled sub-steps; `integral` receives the time integral of c.

    step: sub-step to try first (h); tolerance: relative local error allowed per sub-step. Rates jump between calls
    and the field then relaxes, so the step to try first in the next call is the one that this call began with.
    """
    chunks = chunks_of(c.size)
    work, sums = np.zeros((FIELDS, c.size)), np.empty((max(chunks, slabs_of(medium.shape)), SUMS))
    integral[:] = 0.0
    remaining, substeps, worst, iterations, opening, moved = duration, 0, 0.0, 0, step, True
    amount, supply, level = 0.0, 0.0, 0.0
    while remaining > 0.0:
        if moved:
            find_rate(medium, c, work[0], work[1], sums, 0, chunks)
            square, supply, amount = collect(sums, chunks, 0), collect(sums, chunks, 1), collect(sums, chunks, 2)
            # Errors are relative to the field, or to what its sources reach within the step if that is larger.
            reach = remaining / (medium.mean_storage + remaining * medium.mean_loss)
            level = max(math.sqrt(square / c.size), abs(supply) / c.size * reach)
            transform(work[1], work[1], medium.shape, True, medium.workers)
        if level == 0.0 or not math.isfinite(level):
            break
        h = remaining if step >= remaining else min(0.5 * remaining, max(step, SMALLEST_STEP * duration))
        error, taken = substep(medium, h, c, level, tolerance, work, sums)
        pursued = h > SMALLEST_STEP * duration
        found = lost = 0.0
        if error <= tolerance or not pursued:
            conclude(medium, h, c, work[2], work[3], sums, 0, chunks)
            least, found, lost = least_of(sums, chunks), collect(sums, chunks, 1), collect(sums, chunks, 2)
            error = max(error, -least / level)
        iterations += taken
        growth = SAFETY * power(tolerance / error, 1.0 / 3.0) if error > 0.0 else LARGEST_GROWTH
        step = h * (min(LARGEST_GROWTH, max(LARGEST_CUT, growth)) if math.isfinite(error) else LARGEST_CUT)
        moved = error <= tolerance or not pursued
        if moved:
            scale = (amount + h * supply - lost) / found if found > 0.0 else 0.0
            accept(scale, work[2], work[3], c, integral, 0, chunks)
            remaining = remaining - h if h < remaining else 0.0
            substeps += 1
            opening = step if substeps == 1 else opening
            worst = max(worst, error)
    return Progress(min(opening, duration), substeps, worst, iterations)
