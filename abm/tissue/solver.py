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

found by conjugate gradients that use the mean medium as preconditioner. pace, the ratio that the prediction itself has,
runs from 2/h for slow to 1/h for fast changes: second order, and fast modes die at once.
In a uniform medium the defect is 0 and the step is exact.

Diffusion only moves amounts between neighbours and the loss is k times the time integral of c, so the new amount is
known exactly: the field is scaled to it and the balance closes to rounding.

Change and correction are found in units of the field's level, in single precision where its rounding, about 1e-7, is
far below the tolerance; fields, integrals and amounts are double.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from abm.elementary import power
from abm.loops import inlined
from abm.sums import Field, total
from abm.tissue.modes import ROWS, precondition, predict
from abm.tissue.passes import CHUNK, balance, blend, even_out, follow, lift, product
from abm.tissue.transform import BACK, FORTH, Cosines, Shape, aligned, on_modes, transform

LEFT_OUT = 0.4  # a correction below this share of the tolerance is left out
LINEAR_ITERATIONS = 60
STEADY, GROWING = 0.1, 0.3  # share of a fast correction that is in doubt for pace h = 1, and more for 2; measured
SMOOTHER = 2.0
QUIET = 1e-3  # of what may be left out: a field that changes less is at rest
ROUNDING = 1e-15
EMPTY = 1e-30  # level, in the unit of the field, below which there is nothing that single precision could hold
SAFETY, LARGEST_GROWTH, LARGEST_CUT = 0.9, 5.0, 0.1
ALMOST = 0.7  # share of the remaining time from which a sub-step is stretched to its end
SMALLEST_STEP = 1e-9  # share of the coupling step below which an error is no longer pursued
SINGLE = 1e-5  # tolerance from which single precision will do


class Medium(NamedTuple):
    """One signal's linear system during one coupling step; flat fields of n voxels, symbols as in the module text."""

    shape: Shape  # (z, y, x)
    storage: Field  # phi
    loss: Field  # k
    source: Field  # s
    faces: Field  # g, shape (3, n): the face towards the next voxel along z, y and x; 0 at the far wall; as Work
    eigenvalues: Field  # of -sum_faces (difference) on the modes' axes, see `on_modes`; 1
    diffusivity: float  # D
    mean_storage: float
    mean_loss: float
    mean_source: float
    largest_loss: float
    mean_face: float
    cosines: Cosines  # tables of the transforms, in the precision of the work


class Work(NamedTuple):
    """Fields of n voxels or modes that the solver works on, and the sums of their chunks.

    field, rate ... image are in units of the field's level; storage, loss and source are those of the medium; all in
    the precision of the work. after and whole: the new field and its time integral, double.
    """

    storage: Field
    loss: Field
    source: Field
    field: Field
    rate: Field
    forcing: Field
    change: Field
    extra: Field
    defect: Field
    fresh: Field
    search: Field
    image: Field
    after: Field
    whole: Field
    sums: Field  # (3, chunks)
    modal: Field  # (3, slabs), of modes
    chunks: int
    slabs: int


class Progress(NamedTuple):
    """What an advance took: sub-step to try first next time (h), sub-steps, largest relative error, iterations."""

    step: float
    substeps: int
    error: float
    iterations: int


def precision_for(tolerance: float) -> type[np.floating[Any]]:
    """The precision of the work that a tolerance needs."""
    return np.float32 if tolerance >= SINGLE else np.float64


def working_space(shape: Shape, precision: type[np.floating[Any]] = np.float64) -> Work:
    """Room for the solver on a grid of this shape."""
    n = math.prod(shape)
    chunks, slabs = -(-n // CHUNK), -(-shape[0] * shape[2] // ROWS)
    room = aligned((12, n), precision)
    room[:] = 0.0  # written now, because memory handed out in large pages is several times as fast
    storage, loss, source, field, rate, forcing, change, extra, defect, fresh, search, image = room
    after, whole = np.zeros((2, n))
    sums, modal = np.zeros((3, chunks)), np.zeros((3, slabs))
    return Work(
        storage, loss, source, field, rate, forcing, change, extra, defect, fresh, search, image, after, whole, sums,
        modal, chunks, slabs,
    )  # fmt: skip


@inlined
def lay_out(m: Medium, w: Work) -> None:
    """Copy the medium's coefficients in the precision of the work."""
    blend(w.storage, 0.0, 1.0, m.storage, 0, w.chunks)
    blend(w.loss, 0.0, 1.0, m.loss, 0, w.chunks)
    blend(w.source, 0.0, 1.0, m.source, 0, w.chunks)


@inlined
def start(m: Medium, remaining: float, c: Field, w: Work) -> tuple[float, float, float]:
    """Rate of change of c; returns the level, the amount in c, and its change relative to the level if it lasts.

    The level is the field's root mean square, or what its sources reach within the step if that is larger.
    """
    n = w.chunks
    product(c, c, w.sums[0], 0, n)
    product(m.storage, c, w.sums[1], 0, n)
    reach = remaining * abs(m.mean_source) / (m.mean_storage + remaining * m.mean_loss)
    level = max(math.sqrt(total(w.sums[0]) / c.size), reach)
    unit = 1.0 / level if level > 0.0 else 0.0
    blend(w.field, 0.0, unit, c, 0, n)
    balance(
        m.shape, m.faces, w.storage, w.loss, m.diffusivity, unit, w.source, 0.0, w.field, w.field, w.rate, 0, n
    )  # fmt: skip
    product(w.rate, w.rate, w.sums[2], 0, n)
    return level, total(w.sums[1]), remaining * math.sqrt(total(w.sums[2]) / c.size) / m.mean_storage


@inlined
def prepare(m: Medium, w: Work) -> None:
    """The forcing of the mean medium, on cosine modes, that has the field change as the rate says at first."""
    even_out(w.rate, w.storage, m.mean_storage, w.fresh, 0, w.chunks)
    transform(m.cosines, FORTH, w.fresh, w.forcing)


@inlined
def pace_of(h: float, w: Work) -> float:
    """Ratio of the predicted change to its extra, root mean squares: how fast what drives the defect grows."""
    product(w.change, w.change, w.sums[0], 0, w.chunks)
    product(w.extra, w.extra, w.sums[1], 0, w.chunks)
    extra = math.sqrt(total(w.sums[1]))
    return min(max(math.sqrt(total(w.sums[0])) / extra, 1.0 / h), 2.0 / h) if extra > 0.0 else 2.0 / h


@inlined
def substep(m: Medium, h: float, limit: float, most: float, w: Work) -> tuple[float, float, int]:
    """Try one step of length h from the rate of change and the forcing of a field: its error, pace, iterations.

    Leaves the change of the field and the extra of its time integral. limit: a correction below it is left out; an
    error above `most` is not worth the solving; both and the error are root mean squares relative to the level.
    """
    n, k, modes = w.chunks, w.slabs, on_modes(m.shape)
    root, spread, share = math.sqrt(w.rate.size), m.diffusivity * m.mean_face, 1.0 / m.mean_storage
    predict(
        modes, m.eigenvalues, m.mean_loss * share, spread * share, share, h, w.forcing, w.search, w.image, 0, k
    )  # fmt: skip
    transform(m.cosines, BACK, w.search, w.change)
    transform(m.cosines, BACK, w.image, w.extra)
    pace = pace_of(h, w)
    level = pace * m.mean_storage + m.mean_loss
    growing = (pace * h - 1.0) * (pace * h - 1.0)
    unsure = STEADY + GROWING * (growing * growing)  # products, because a power may differ in its last bit
    balance(
        m.shape, m.faces, w.storage, w.loss, m.diffusivity, h, w.rate, 1.0, w.change, w.extra, w.defect, 0, n
    )  # fmt: skip
    product(w.defect, w.defect, w.sums[0], 0, n)
    square, old, error, iterations = total(w.sums[0]), math.inf, 0.0, 0
    left = pace * math.sqrt(square) / (root * level)  # no correction is larger than that of an even defect
    while left > limit and iterations < LINEAR_ITERATIONS:
        transform(m.cosines, FORTH, w.defect, w.fresh)
        precondition(modes, m.eigenvalues, level, m.largest_loss, spread, h * share, unsure, w.fresh, w.modal, 0, k)
        slope, left = total(w.modal[0]), pace * math.sqrt(total(w.modal[1])) / root
        if iterations == 0:
            error = pace * math.sqrt(total(w.modal[2])) / root
        if left <= limit or not error <= most:
            break
        transform(m.cosines, BACK, w.fresh, w.image)
        blend(w.search, slope / old, 1.0, w.image, 0, n)
        balance(
            m.shape, m.faces, w.storage, w.loss, m.diffusivity, 0.0, w.search, pace, w.search, w.search, w.image, 0, n
        )  # fmt: skip
        product(w.search, w.image, w.sums[0], 0, n)
        length = -slope / total(w.sums[0])
        blend(w.change, 1.0, pace * length, w.search, 0, n)
        blend(w.extra, 1.0, length, w.search, 0, n)
        blend(w.defect, 1.0, length, w.image, 0, n)
        product(w.defect, w.defect, w.sums[0], 0, n)
        # What is left is smoother than the defect and shrinks less.
        before, square, old = square, total(w.sums[0]), slope
        left *= SMOOTHER * math.sqrt(square / before)
        iterations += 1
    return math.sqrt(error * error + left * left), pace, iterations


@inlined
def conclude(
    m: Medium, h: float, pace: float, level: float, amount: float, c: Field, w: Work
) -> tuple[float, float, float]:
    """Turn change and extra into the new field and its integral; the smallest value, factors for field and integral.

    Negative values become 0. What the balance  amount before + s h = amount after + k integral  then lacks is shared
    between the two as in the mean medium, where a lasting defect changes amount and loss as pace mean(phi) to mean(k).
    """
    n, least = w.chunks, math.inf
    follow(w.after, 1.0, c, level, w.change, 0, n)
    follow(w.whole, h, c, level, w.extra, 0, n)
    lift(w.after, w.sums[0], 0, n)
    product(m.storage, w.after, w.sums[1], 0, n)
    product(m.loss, w.whole, w.sums[2], 0, n)
    for chunk in range(n):
        least = min(least, w.sums[0, chunk])
    stored, lost = total(w.sums[1]), total(w.sums[2])
    missing, kept = amount + h * m.mean_source * c.size - stored - lost, m.mean_storage * pace
    kept = kept / (kept + m.mean_loss) if lost > 0.0 else 1.0
    scale = (stored + kept * missing) / stored if stored > 0.0 else 0.0
    return least, scale, (lost + (1.0 - kept) * missing) / lost if lost > 0.0 else 1.0


@inlined
def advance_implicit(
    m: Medium, duration: float, step: float, tolerance: float, c: Field, integral: Field, w: Work
) -> Progress:
    """Advance c over `duration` (h) with error-controlled sub-steps; `integral` receives the time integral of c.

    step: sub-step to try first (h); tolerance: relative local error allowed per sub-step. Rates jump between calls
    and the field then relaxes, so the step to try first in the next call is the one that this call began with.
    """
    n = w.chunks
    lay_out(m, w)
    blend(integral, 0.0, 0.0, c, 0, n)
    remaining, substeps, worst, iterations, opening, moved = duration, 0, 0.0, 0, step, True
    level, amount, drift = 0.0, 0.0, 0.0
    while remaining > 0.0:
        if moved:
            level, amount, drift = start(m, remaining, c, w)
        if level < EMPTY or not math.isfinite(level):
            break
        h = remaining if step >= ALMOST * remaining else min(0.5 * remaining, max(step, SMALLEST_STEP * duration))
        limit = max(LEFT_OUT * tolerance, ROUNDING)
        if drift <= QUIET * limit:
            h = remaining
            blend(w.change, 0.0, 0.0, w.rate, 0, n)
            blend(w.extra, 0.0, 0.0, w.rate, 0, n)
            error, pace = drift, 2.0 / h
        else:
            if moved:
                prepare(m, w)
            error, pace, taken = substep(m, h, limit, tolerance, w)
            iterations += taken
        scale = span = 0.0
        moved = error <= tolerance or h <= SMALLEST_STEP * duration
        if moved:
            least, scale, span = conclude(m, h, pace, level, amount, c, w)
            error = max(error, -least / level)
            moved = error <= tolerance or h <= SMALLEST_STEP * duration
            # Not moved after all: the field is unchanged, and so are its rate and forcing.
        growth = SAFETY * power(tolerance / error, 1.0 / 3.0) if error > 0.0 else LARGEST_GROWTH
        step = h * (min(LARGEST_GROWTH, max(LARGEST_CUT, growth)) if math.isfinite(error) else LARGEST_CUT)
        if moved:
            blend(c, 0.0, scale, w.after, 0, n)
            blend(integral, 1.0, span, w.whole, 0, n)
            remaining = remaining - h if h < remaining else 0.0
            if substeps == 0:  # where loss is fast the error hangs on the jump at first, not on h: try longer again
                opening = max(step, 2.0 * h)
            substeps, worst = substeps + 1, max(worst, error)
        else:
            step = min(step, 0.5 * h)
    return Progress(min(opening, duration), substeps, worst, iterations)
