"""Sums and copies of whole fields that vectorise, compile fast and give the same bits on every machine."""

import numpy as np
import numpy.typing as npt
from numba import njit

Field = npt.NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def assign(target: Field, source: Field) -> None:
    """target = source, which would cost every caller more to compile as a slice."""
    to, values = target.ravel(), source.ravel()
    for i in range(to.size):
        to[i] = values[i]


@njit(cache=True, error_model="numpy")
def accumulate(target: Field, part: Field) -> None:
    """target += part."""
    sums, values = target.ravel(), part.ravel()
    for i in range(sums.size):
        sums[i] += values[i]


@njit(cache=True, error_model="numpy")
def inner(first: Field, second: Field) -> float:
    """Sum of the products, always in the same order: eight interleaved sums, which vectorise and repeat bit by bit."""
    a, b = first.ravel(), second.ravel()
    whole = a.size // 8 * 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for i in range(0, whole, 8):
        s0 += a[i] * b[i]
        s1 += a[i + 1] * b[i + 1]
        s2 += a[i + 2] * b[i + 2]
        s3 += a[i + 3] * b[i + 3]
        s4 += a[i + 4] * b[i + 4]
        s5 += a[i + 5] * b[i + 5]
        s6 += a[i + 6] * b[i + 6]
        s7 += a[i + 7] * b[i + 7]
    for i in range(whole, a.size):
        s0 += a[i] * b[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))


@njit(cache=True, error_model="numpy")
def total(field: Field) -> float:
    """Sum of a field, in the order of `inner`."""
    a = field.ravel()
    whole = a.size // 8 * 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    for i in range(0, whole, 8):
        s0 += a[i]
        s1 += a[i + 1]
        s2 += a[i + 2]
        s3 += a[i + 3]
        s4 += a[i + 4]
        s5 += a[i + 5]
        s6 += a[i + 6]
        s7 += a[i + 7]
    for i in range(whole, a.size):
        s0 += a[i]
    return ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
