"""Discrete cosine transform over all axes (no-flux walls), callable from compiled code.

rocket-fft compiles SciPy's transform into the caller; without it the same transform runs through the interpreter.
A lamella of one voxel's depth is transformed in its plane only: along z its one mode is the mean.
"""

from importlib.util import find_spec

import numpy as np
import scipy.fft
from numba import objmode

from abm.loops import compiled
from abm.sums import Field

Shape = tuple[int, int, int]
FORWARD, BACK = 2, 3  # kinds of the transform

if find_spec("rocket_fft"):
    from rocket_fft import dct

    @compiled
    def compiled_transform(field: Field, out: Field, shape: Shape, kind: int, workers: int) -> None:
        """As `interpreted_transform`; field and out may be the same array."""
        first, scale = 1 if shape[0] == 1 else 0, 1.0
        axes = np.empty(3 - first, np.int64)
        for i in range(axes.size):
            axes[i] = first + i
            scale /= 1.0 if kind == FORWARD else 2.0 * shape[first + i]
        dct(field.reshape(shape), out.reshape(shape), axes, kind, scale, False, workers)


@compiled
def interpreted_transform(field: Field, out: Field, shape: Shape, kind: int, workers: int) -> None:
    """out = DCT-II of a flat (z, y, x) field, unnormalised, by SciPy; with kind BACK, its inverse.

    workers: number of threads, which does not change the bits.
    """
    with objmode():
        along = scipy.fft.dctn if kind == FORWARD else scipy.fft.idctn
        axes = (1, 2) if shape[0] == 1 else (0, 1, 2)
        out[:] = along(field.reshape(shape), axes=axes, workers=workers).reshape(-1)


transform = compiled_transform if find_spec("rocket_fft") else interpreted_transform
