"""Sums of flat arrays that vectorise and give the same bits on every machine: always in the same order.

They are added up in the precision of the arrays.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from abm.loops import entry

Field = npt.NDArray[Any]  # in double or single precision


@entry
def inner(first: Field, second: Field) -> float:
    """Sum of the products, as eight interleaved sums."""
    a, b = first, second
    whole = a.size // 8 * 8
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = a.dtype.type(0.0)
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
    return float(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)))


@entry
def inner_rows(first: Field, second: Field) -> Field:
    """`inner` of each row of two tables, (rows, n): (rows,)."""
    sums = np.empty(first.shape[0])
    for row in range(sums.size):
        sums[row] = inner(first[row], second[row])
    return sums


@entry
def total(field: Field) -> float:
    """Sum of a field, in the order of `inner`."""
    a = field
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


@entry
def largest(field: Field) -> float:
    """The largest value."""
    whole = field.size // 4 * 4
    m0 = m1 = m2 = m3 = -math.inf
    for i in range(0, whole, 4):
        m0, m1 = max(m0, field[i]), max(m1, field[i + 1])
        m2, m3 = max(m2, field[i + 2]), max(m3, field[i + 3])
    for i in range(whole, field.size):
        m0 = max(m0, field[i])
    return max(max(m0, m1), max(m2, m3))
