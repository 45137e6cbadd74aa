"""What the layers mean for diffusion: volume fraction, tortuosity, storage, conductance of faces, open sides."""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.signals import BDNF, BHB, CORTISOL, IRISIN, LACTATE, SIGNALS
from abm.tissue.geometry import CELL_LAYERS, Layer
from abm.tissue.parameters import TissueParameters
from abm.tissue.transform import on_modes

Floats = npt.NDArray[np.float64]

# Name of a side -> axis of (z, y, x) and whether it is the far end.
SIDES = {
    "left": (2, False),
    "right": (2, True),
    "bottom": (1, False),
    "top": (1, True),
    "front": (0, False),
    "back": (0, True),
}
BOUNDARIES = ("no_flux", "washout")


class Structure(NamedTuple):
    """Constant coefficients of the tissue; fields of shape (z, y, x).

    volume_fraction, tortuosity: of the extracellular space; storage: (5, z, y, x) distribution volume of each signal
    per tissue volume; faces: (3, z, y, x) conductance alpha/lambda^2 of the face towards the next voxel along z, y and
    x over the squared edge, 1/um^2; washout: (z, y, x) conductance to outside the tissue, 1/um^2; eigenvalues: of the
    cosine modes, axes as in `on_modes`, 1; diffusivity: (5,) free coefficients, um^2/h, of proteins less their extra
    hindrance; clearance: (5,) 1/h.
    """

    volume_fraction: Floats
    tortuosity: Floats
    storage: Floats
    faces: Floats
    washout: Floats
    eigenvalues: Floats
    diffusivity: Floats
    clearance: Floats


def extracellular_space(layers: npt.NDArray[np.int8], parameters: TissueParameters) -> tuple[Floats, Floats]:
    """Volume fraction and tortuosity of every voxel of a layer map."""
    p = parameters
    fraction = np.full(layers.shape, p.neuropil_volume_fraction)
    tortuosity = np.full(layers.shape, p.neuropil_tortuosity)
    cells = np.isin(layers, list(CELL_LAYERS.values()))
    fraction[cells], tortuosity[cells] = p.cell_layer_volume_fraction, p.cell_layer_tortuosity
    other = np.isin(layers, [Layer.OTHER, Layer.HILUS])
    fraction[other], tortuosity[other] = p.other_volume_fraction, p.other_tortuosity
    return fraction, tortuosity


def build_structure(
    fraction: Floats, tortuosity: Floats, voxel: float, boundaries: Mapping[str, str], parameters: TissueParameters
) -> Structure:
    """Coefficients of a tissue of extracellular volume fraction and tortuosity (z, y, x), voxels of edge `voxel` (um).

    boundaries: side -> no_flux or washout; sides left out let nothing through. Raises ValueError for other names.
    """
    p = parameters
    conductance = fraction / (tortuosity * tortuosity) / (voxel * voxel)
    # Proteins are hindered more than the small ions that tortuosity is measured with.
    hindered = (p.other_tortuosity / p.protein_tortuosity) ** 2
    diffusivity = np.empty(len(SIGNALS))
    diffusivity[BHB], diffusivity[LACTATE], diffusivity[CORTISOL] = (
        p.bhb_diffusivity,
        p.lactate_diffusivity,
        p.cortisol_diffusivity,
    )
    diffusivity[IRISIN], diffusivity[BDNF] = p.irisin_diffusivity * hindered, p.bdnf_diffusivity * hindered
    clearance = np.zeros(len(SIGNALS))
    clearance[IRISIN], clearance[CORTISOL], clearance[BDNF] = p.irisin_clearance, p.cortisol_clearance, p.bdnf_clearance
    return Structure(
        fraction,
        tortuosity,
        storage_of(fraction, p),
        face_conductance(conductance),
        _washout(conductance, boundaries),
        cosine_eigenvalues(on_modes(conductance.shape)),
        diffusivity,
        clearance,
    )


def storage_of(fraction: Floats, parameters: TissueParameters) -> Floats:
    """Distribution volume of each signal per tissue volume, (5, z, y, x).

    Monocarboxylates and steroids fill the water of the cells at a fixed ratio r to the extracellular concentration,
    phi = alpha + (water - alpha) r; proteins stay outside and bind reversibly, phi = alpha (1 + binding).
    """
    p = parameters
    cells = p.tissue_water - fraction
    storage = np.empty((len(SIGNALS), *fraction.shape))
    storage[BHB] = storage[LACTATE] = fraction + cells * p.monocarboxylate_cell_ratio
    storage[CORTISOL] = fraction + cells * p.steroid_cell_ratio
    storage[IRISIN] = fraction * (1.0 + p.irisin_binding)
    storage[BDNF] = fraction * (1.0 + p.bdnf_binding)
    return storage


def bdnf_memory(parameters: TissueParameters) -> float:
    """Hours in which extracellular BDNF follows a release that is everywhere alike: (1 + binding) / clearance.

    Only free BDNF is cleared, phi dc/dt = release - alpha k c with phi = alpha (1 + binding); see `storage_of`.
    """
    return (1.0 + parameters.bdnf_binding) / parameters.bdnf_clearance


def face_conductance(conductance: Floats) -> Floats:
    """Harmonic mean of the conductances on the two sides of every inner face; 0 on the walls; shape (3, z, y, x)."""
    faces = np.zeros((3, *conductance.shape))
    for axis in range(3):
        near = np.moveaxis(conductance, axis, 0)
        np.moveaxis(faces[axis], axis, 0)[:-1] = 2.0 * near[:-1] * near[1:] / (near[:-1] + near[1:])
    return faces


def mean_conductance(faces: Floats) -> float:
    """The conductance that stands for all inner faces: their mean, but at least halfway between the extremes.

    With less, a step would overshoot where conductance is more than twice what stands for it.
    """
    inside = faces[faces > 0.0]
    if not inside.size:
        return 0.0
    return max(math.fsum(inside) / inside.size, 0.5 * float(inside.min() + inside.max()))


def _washout(conductance: Floats, boundaries: Mapping[str, str]) -> Floats:
    """Conductance of every voxel to what lies beyond the washout sides: half a voxel's way."""
    washout = np.zeros_like(conductance)
    for side, kind in boundaries.items():
        if side not in SIDES or kind not in BOUNDARIES:
            raise ValueError(
                f"boundary {side}: {kind}; expected one of {', '.join(SIDES)} and {' or '.join(BOUNDARIES)}"
            )
        if kind == "washout":
            axis, far = SIDES[side]
            end = -1 if far else 0
            np.moveaxis(washout, axis, 0)[end] += 2.0 * np.moveaxis(conductance, axis, 0)[end]
    return washout


def cosine_eigenvalues(shape: tuple[int, ...]) -> Floats:
    """Eigenvalues of the sum over faces of (c - c_neighbour) along each axis: 2 - 2 cos(pi k/n), one axis after the
    other; a mode's eigenvalue is the sum of its axes'.
    """
    # Rounded, because the last bit of a cosine differs between machines.
    return np.concatenate([np.round(2.0 - 2.0 * np.cos(math.pi * np.arange(n) / n), 14) for n in shape])
