"""Where neurons and capillaries lie: drawn once, while the tissue is set up."""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.tissue.geometry import CellLayer, Region

Floats = npt.NDArray[np.float64]
JITTER = 0.8  # part of a lattice cell over which its vessel may lie: irregular, but never two side by side by chance


class Neurons(NamedTuple):
    """Placed neurons, sorted by voxel.

    positions: (n, 2 or 3) um, columns x, y[, z]; region: (n,) int8, see `Region`; transverse: (n,) coordinate along the
    region's cell layer, 0 to 1; voxel: (n,) uint32 flat index into a field of shape (z, y, x).
    """

    positions: Floats
    region: npt.NDArray[np.int8]
    transverse: Floats
    voxel: npt.NDArray[np.uint32]


class Capillaries(NamedTuple):
    """Voxels that a capillary runs through.

    voxel: (m,) uint32 flat index; weight: (m,) vessel surface in the voxel relative to the mean over all voxels of the
    tissue, so that a rate per tissue volume times the weight is the rate in that voxel.
    """

    voxel: npt.NDArray[np.uint32]
    weight: Floats


def share_out(neurons: int, proportions: tuple[float, ...]) -> list[int]:
    """Whole numbers that add up to `neurons`, in the given proportions (largest remainders)."""
    exact = [neurons * part / math.fsum(proportions) for part in proportions]
    counts = [math.floor(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda k: counts[k] - exact[k])
    for k in by_remainder[: neurons - sum(counts)]:
        counts[k] += 1
    return counts


def flat_voxel(positions: Floats, shape: tuple[int, int, int], voxel: float) -> npt.NDArray[np.uint32]:
    """Flat index of the voxels that contain the positions (n, 2 or 3; x, y[, z]; um)."""
    steps = np.floor(positions / voxel).astype(np.int64)
    depth = steps[:, 2] if positions.shape[1] == 3 else 0
    return ((depth * shape[1] + steps[:, 1]) * shape[2] + steps[:, 0]).astype(np.uint32)


def place_neurons(
    draws: np.random.Generator,
    neurons: int,
    proportions: tuple[float, float, float],
    layers: dict[Region, CellLayer],
    size: tuple[float, ...],
    shape: tuple[int, int, int],
    voxel: float,
) -> Neurons:
    """Neurons spread evenly along and across the cell layers of DG, CA3 and CA1, in the given proportions."""
    counts = share_out(neurons, proportions)
    region = np.repeat(np.array([Region.DG, Region.CA3, Region.CA1], np.int8), counts)
    uniform = draws.random((neurons, 3))
    positions = np.empty((neurons, len(size)))
    if len(size) == 3:
        positions[:, 2] = uniform[:, 2] * size[2]
    for which, layer in layers.items():
        here = region == which
        along, across = uniform[here, 0], (uniform[here, 1] - 0.5) * layer.thickness
        for axis in range(2):
            middle = np.interp(along, layer.along, layer.points[:, axis])
            positions[here, axis] = middle + across * np.interp(along, layer.along, layer.normals[:, axis])
    positions = np.clip(positions, 0.0, np.nextafter(np.array(size), 0.0))
    at = flat_voxel(positions, shape, voxel)
    order = np.argsort(at, kind="stable")
    return Neurons(positions[order], region[order], uniform[order, 0], at[order])


def place_capillaries(
    draws: np.random.Generator, spacing: float, size: tuple[float, ...], shape: tuple[int, int, int], voxel: float
) -> Capillaries:
    """Capillaries on a jittered square lattice, a new one in each sheet of voxels.

    spacing: diameter of the cylinder of tissue around one capillary, um; a vessel then runs through every
    pi spacing^2/4 of the plane, which is the inverse of the length density.
    """
    edge = 0.5 * math.sqrt(math.pi) * spacing
    columns, rows = max(1, round(size[0] / edge)), max(1, round(size[1] / edge))
    place = 0.5 + JITTER * (draws.random((shape[0], rows, columns, 2)) - 0.5)
    x = (np.arange(columns) + place[..., 0]) * (size[0] / columns)
    y = (np.arange(rows)[:, None] + place[..., 1]) * (size[1] / rows)
    z = np.broadcast_to((np.arange(shape[0])[:, None, None] + 0.5) * voxel, x.shape)
    at = flat_voxel(np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1), shape, voxel)
    occupied, vessels = np.unique(at, return_counts=True)
    return Capillaries(occupied.astype(np.uint32), vessels.astype(np.float64) * (math.prod(shape) / at.size))
