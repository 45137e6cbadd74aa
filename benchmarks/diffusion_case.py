"""Workload W1: five substances from point sources spread through n x n x n voxels for one minute.

    dc/dt = D laplace c - k c + s(x) f(t),   no flux through the walls,   c = 0 at the start

on voxels of 20 um with the seven-point stencil (five points where the grid is one voxel deep). Every peer advances
this same system, which its grid makes of the equation, so what is compared is the time it takes to reach a given
error against the solution that is exact in time.

The layered tissue is the same with D halved in every second of eight sheets of equal thickness along z, and the
harmonic mean of both at the faces between.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import scipy.fft
import scipy.sparse as sparse
from scipy.sparse.linalg import expm_multiply

EDGE = 20.0  # um
DIFFUSIVITY = (1000.0, 1000.0, 100.0, 500.0, 50.0)  # um^2/s: BHB, lactate, irisin, cortisol, BDNF, to one figure
LOSS = (1e-2, 2e-2, 1e-3, 2e-3, 1e-3)  # 1/s
RATE = (10.0, 20.0, 1.0, 1.0, 0.5)  # umol/L/s in a source voxel
WINDOW = 10.0  # s over which the sources keep their strength, and after which the fields are needed in real space
STRENGTH = (1.0, 0.25, 1.0, 0.0, 0.5, 1.0)  # of the sources in each window
DURATION = WINDOW * len(STRENGTH)  # s
TARGET = 0.01  # relative error that every peer must reach
SHEETS = 8
CONTRAST = 2.0  # of D between neighbouring layers
SEED = 2026

Floats = np.ndarray[Any, np.dtype[np.float64]]


def grid(n: int, flat: bool = False) -> tuple[int, int, int]:
    """Voxels along z, y and x: a cube, or a plane of one voxel's depth."""
    return (1, n, n) if flat else (n, n, n)


def sources(shape: tuple[int, int, int]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Flat indices of the source voxels: one in 512 (one in 64 of a plane), drawn without replacement, sorted."""
    voxels = math.prod(shape)
    share = 8 ** sum(length > 1 for length in shape)
    draw = np.random.Generator(np.random.Philox(SEED))
    return np.sort(draw.choice(voxels, voxels // share, replace=False))


def source_field(shape: tuple[int, int, int], substance: int) -> Floats:
    """Source of one substance in every voxel at strength 1, umol/L/s."""
    field = np.zeros(math.prod(shape))
    field[sources(shape)] = RATE[substance]
    return field.reshape(shape)


def layers(shape: tuple[int, int, int]) -> Floats:
    """D of every voxel of the layered tissue over that of the uniform one."""
    sheet = np.arange(shape[0]) * SHEETS // shape[0]
    along = np.where(sheet % 2 == 0, 1.0, 1.0 / CONTRAST)
    return np.broadcast_to(along[:, None, None], shape).copy()


def decay_rates(shape: tuple[int, int, int], substance: int) -> Floats:
    """Rate at which each cosine mode decays, 1/s: k + D / edge^2 sum over axes of 2 - 2 cos(pi m / n)."""
    modes = np.zeros(shape)
    for axis, length in enumerate(shape):
        along = 2.0 - 2.0 * np.cos(math.pi * np.arange(length) / length)
        modes = modes + along.reshape([-1 if k == axis else 1 for k in range(3)])
    return LOSS[substance] + DIFFUSIVITY[substance] / EDGE**2 * modes


def exact(shape: tuple[int, int, int], substance: int) -> Floats:
    """The field of one substance at the end in uniform tissue, exact in time: mode by mode, window by window."""
    rate = decay_rates(shape, substance)
    forcing = scipy.fft.dctn(source_field(shape, substance), norm="ortho")
    kept = np.exp(-rate * WINDOW)
    gained = forcing * -np.expm1(-rate * WINDOW) / rate
    modes = np.zeros(shape)
    for strength in STRENGTH:
        modes = modes * kept + strength * gained
    return scipy.fft.idctn(modes, norm="ortho")


def exact_layered(shape: tuple[int, int, int], substance: int) -> Floats:
    """The field of one substance at the end in layered tissue, exact in time: exponentials of the matrix of rates.

    The source is one more unknown that stays 1. Grids beyond 32^3 voxels take minutes.
    """
    voxels, k = math.prod(shape), layers(shape)
    number = np.arange(voxels).reshape(shape)
    matrix = sparse.csr_matrix((voxels + 1, voxels + 1))
    for axis in range(3):
        near, far = (np.moveaxis(number, axis, 0)[part].ravel() for part in (slice(None, -1), slice(1, None)))
        g = DIFFUSIVITY[substance] / EDGE**2 * 2.0 * k.ravel()[near] * k.ravel()[far]
        g = g / (k.ravel()[near] + k.ravel()[far])
        pairs = (np.r_[near, far, near, far], np.r_[far, near, near, far])
        matrix = matrix + sparse.csr_matrix((np.r_[g, g, -g, -g], pairs), shape=matrix.shape)
    matrix = matrix - sparse.diags(np.r_[np.full(voxels, LOSS[substance]), 0.0])
    where = sources(shape)
    cells = (where, np.full(where.size, voxels))
    supply = sparse.csr_matrix((np.full(where.size, RATE[substance]), cells), matrix.shape)
    state = np.zeros(voxels + 1)
    for strength in STRENGTH:
        state[-1] = 1.0
        state = expm_multiply(WINDOW * (matrix + strength * supply), state, traceA=float(WINDOW * matrix.trace()))
    return state[:-1].reshape(shape)


def relative_error(found: Floats, reference: Floats) -> float:
    """Euclidean norm of the difference over that of the reference."""
    return float(np.linalg.norm(found - reference) / np.linalg.norm(reference))
