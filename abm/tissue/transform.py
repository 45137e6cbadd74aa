"""Discrete cosine transform over all axes (no-flux walls), callable from compiled code.

rocket-fft compiles SciPy's `dctn` into the caller; without it the same transform runs through the interpreter.
A lamella of one voxel's depth is transformed in its plane only: along z its one mode is the mean.
"""

from importlib.util import find_spec

import numpy as np
import numpy.typing as npt
import scipy.fft
from numba import njit, objmode

Field = npt.NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def compiled_cosine(field: Field) -> Field:
    """DCT-II of a (z, y, x) field, unnormalised; needs rocket-fft."""
    if field.shape[0] == 1:
        return scipy.fft.dctn(field, axes=(1, 2))
    return scipy.fft.dctn(field)


@njit(cache=True, error_model="numpy")
def compiled_inverse_cosine(modes: Field) -> Field:
    """Inverse of `compiled_cosine`; needs rocket-fft."""
    if modes.shape[0] == 1:
        return scipy.fft.idctn(modes, axes=(1, 2))
    return scipy.fft.idctn(modes)


@njit(cache=True, error_model="numpy")
def interpreted_cosine(field: Field) -> Field:
    """The same transform as `compiled_cosine`, done by SciPy."""
    with objmode(modes="float64[:, :, ::1]"):
        modes = scipy.fft.dctn(field, axes=(1, 2) if field.shape[0] == 1 else None)
    return modes


@njit(cache=True, error_model="numpy")
def interpreted_inverse_cosine(modes: Field) -> Field:
    """Inverse of `interpreted_cosine`."""
    with objmode(field="float64[:, :, ::1]"):
        field = scipy.fft.idctn(modes, axes=(1, 2) if modes.shape[0] == 1 else None)
    return field


if find_spec("rocket_fft"):
    cosine, inverse_cosine = compiled_cosine, compiled_inverse_cosine
else:
    cosine, inverse_cosine = interpreted_cosine, interpreted_inverse_cosine
