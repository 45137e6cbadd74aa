"""A transverse lamella of the hippocampus: curved cell layers of DG, CA3 and CA1, and the layers beside them.

Each region's cell layer follows a parametric curve on the unit square, stretched to the size of the tissue. A voxel
belongs to the region whose curve is nearest and, by its signed distance, to one of that region's layers. Layers are
as thick as in the parameters on a lamella of 1.6 mm and shrink with a smaller one. In three dimensions the lamella
is extruded along z.
"""

import math
from collections.abc import Callable
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.tissue.parameters import TissueParameters

Floats = npt.NDArray[np.float64]

NATURAL_SIZE = 1600.0  # um; the extent the curves and layers are drawn for
POINTS = 400  # per curve
# Coordinates are rounded to 1e-6 um, so that the last bits of a machine's sines do not decide where a cell lies.
DECIMALS = 6


class Region(IntEnum):
    """Subfields, in the order of the loop DG -> CA3 -> CA1."""

    DG = 0
    CA3 = 1
    CA1 = 2


class Layer(IntEnum):
    """Layers of the transverse section; OTHER is what lies outside: fissure, alveus, white matter."""

    OTHER = 0
    HILUS = 1
    GRANULE = 2
    MOLECULAR = 3
    CA3_ORIENS = 4
    CA3_PYRAMIDALE = 5
    CA3_RADIATUM = 6
    CA1_ORIENS = 7
    CA1_PYRAMIDALE = 8
    CA1_RADIATUM = 9
    CA1_LACUNOSUM = 10


CELL_LAYERS = {Region.DG: Layer.GRANULE, Region.CA3: Layer.CA3_PYRAMIDALE, Region.CA1: Layer.CA1_PYRAMIDALE}


class CellLayer(NamedTuple):
    """Middle of a region's cell layer as a polyline.

    points: (m, 2) um; normals: (m, 2) unit vectors towards the apical dendrites; along: (m,) transverse coordinate,
    the share of the length from 0 (DG: tip of the suprapyramidal blade; CA3: hilus; CA1: CA3's end) to 1;
    thickness: of the cell layer, um.
    """

    points: Floats
    normals: Floats
    along: Floats
    length: float
    thickness: float


def _dentate(t: Floats) -> Floats:
    """Half an ellipse open towards CA3: suprapyramidal blade, crest, infrapyramidal blade."""
    angle = math.pi * (85.0 + 190.0 * t) / 180.0
    return np.stack([0.52 + 0.40 * np.cos(angle), 0.335 + 0.18 * np.sin(angle)], axis=1)


def _ca3(t: Floats) -> Floats:
    """Bezier curve from the hilus, between the blades, around to the end of CA1."""
    u = 1.0 - t
    w0, w1, w2, w3 = u * u * u, 3.0 * t * u * u, 3.0 * t * t * u, t * t * t
    return np.stack([0.45 * w0 + 0.75 * w1 + w2 + 0.844 * w3, 0.36 * w0 + 0.21 * w1 + 0.40 * w2 + 0.678 * w3], axis=1)


def _ca1(t: Floats) -> Floats:
    """Arc over the dentate gyrus from CA3 to the subiculum."""
    angle = math.pi * (35.0 + 130.0 * t) / 180.0
    return np.stack([0.50 + 0.42 * np.cos(angle), 0.42 + 0.45 * np.sin(angle)], axis=1)


def shrinkage(size: tuple[float, ...]) -> float:
    """Factor on the thickness of every layer: below 1 on a lamella smaller than the one the curves are drawn for."""
    return min(1.0, min(size[:2]) / NATURAL_SIZE)


def cell_layers(size: tuple[float, ...], parameters: TissueParameters) -> dict[Region, CellLayer]:
    """The cell layers of the three regions on a lamella of `size` (x, y[, z]; um)."""
    p, scale = parameters, shrinkage(size)
    return {
        Region.DG: _layer(_dentate, size, scale * p.granule_layer, apical_side=-1.0),
        Region.CA3: _layer(_ca3, size, scale * p.ca3_pyramidale, apical_side=1.0),
        Region.CA1: _layer(_ca1, size, scale * p.ca1_pyramidale, apical_side=1.0),
    }


def _layer(
    curve: Callable[[Floats], Floats], size: tuple[float, ...], thickness: float, apical_side: float
) -> CellLayer:
    """Sample a curve; apical_side is +1 where the apical dendrites lie to the left of the direction of travel."""
    points = np.round(curve(np.linspace(0.0, 1.0, POINTS)) * np.array(size[:2]), DECIMALS)
    tangent = np.empty_like(points)
    tangent[1:-1] = points[2:] - points[:-2]
    tangent[0], tangent[-1] = points[1] - points[0], points[-1] - points[-2]
    tangent /= np.sqrt(tangent[:, :1] ** 2 + tangent[:, 1:] ** 2)
    normals = apical_side * np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    steps = points[1:] - points[:-1]
    distance = np.concatenate([[0.0], np.cumsum(np.sqrt(steps[:, 0] ** 2 + steps[:, 1] ** 2))])
    return CellLayer(points, normals, distance / distance[-1], float(distance[-1]), thickness)


def layer_map(
    size: tuple[float, ...], voxel: float, layers: dict[Region, CellLayer], parameters: TissueParameters
) -> npt.NDArray[np.int8]:
    """Layer of every voxel of the plane, int8 of shape (y, x); see `Layer`."""
    nx, ny = round(size[0] / voxel), round(size[1] / voxel)
    bands = _bands(shrinkage(size), voxel, layers, parameters)
    found = np.zeros((ny, nx), np.int8)
    centres = (np.arange(nx) + 0.5) * voxel
    for row in range(ny):
        nearest = np.full(nx, np.inf)
        for region, layer in layers.items():
            dx, dy = centres[:, None] - layer.points[:, 0], (row + 0.5) * voxel - layer.points[:, 1]
            square = dx * dx + dy * dy
            point = np.argmin(square, axis=1)
            square = square[np.arange(nx), point]
            closer = square < nearest
            nearest[closer] = square[closer]
            normal = layer.normals[point]
            offset = dx[np.arange(nx), point] * normal[:, 0] + dy[point] * normal[:, 1]
            found[row][closer] = _layers_at(offset, square, point, bands[region], voxel, region)[closer]
    return found


def _bands(
    scale: float, voxel: float, layers: dict[Region, CellLayer], parameters: TissueParameters
) -> dict[Region, list[tuple[Layer, float, float]]]:
    """For each region its layers and the signed distances from the curve between which they lie, um."""
    p = parameters
    # A cell layer thinner than a voxel still marks the voxels it runs through.
    half = {region: max(0.5 * layer.thickness, 0.6 * voxel) for region, layer in layers.items()}
    dg, ca3, ca1 = half[Region.DG], half[Region.CA3], half[Region.CA1]
    radiatum = ca1 + scale * p.ca1_radiatum
    return {
        Region.DG: [
            (Layer.GRANULE, -dg, dg),
            (Layer.MOLECULAR, dg, dg + scale * p.molecular_layer),
            (Layer.HILUS, -np.inf, -dg),
        ],
        Region.CA3: [
            (Layer.CA3_PYRAMIDALE, -ca3, ca3),
            (Layer.CA3_RADIATUM, ca3, ca3 + scale * p.ca3_radiatum),
            (Layer.CA3_ORIENS, -ca3 - scale * p.ca3_oriens, -ca3),
        ],
        Region.CA1: [
            (Layer.CA1_PYRAMIDALE, -ca1, ca1),
            (Layer.CA1_RADIATUM, ca1, radiatum),
            (Layer.CA1_LACUNOSUM, radiatum, radiatum + scale * p.ca1_lacunosum),
            (Layer.CA1_ORIENS, -ca1 - scale * p.ca1_oriens, -ca1),
        ],
    }


def _layers_at(
    offset: Floats,
    square: Floats,
    point: npt.NDArray[np.intp],
    bands: list[tuple[Layer, float, float]],
    voxel: float,
    region: Region,
) -> npt.NDArray[np.int8]:
    """Layers at signed distances `offset` from the curve; square: squared distance to its nearest point."""
    layers = np.full(offset.size, Layer.OTHER, np.int8)
    for layer, low, high in bands:
        layers[(offset >= low) & (offset < high)] = layer
    # Beyond an end of the curve there are no layers; CA3 begins in the hilus.
    beyond = square - offset * offset > voxel * voxel
    layers[beyond & (point == POINTS - 1)] = Layer.OTHER
    layers[beyond & (point == 0)] = Layer.HILUS if region is Region.CA3 else Layer.OTHER
    return layers
