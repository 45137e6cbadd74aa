"""Sums of flat arrays that vectorise and give the same bits on every machine: always in the same order.

They are added up in the precision of the arrays.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from abm.loops import entry

helpers: Any = cgutils  # which has no types

Field = npt.NDArray[Any]  # in double or single precision
LANES = 8  # sums side by side


def _tree(builder: Any, terms: list[Any]) -> Any:
    """Sum of a power of two of numbers, neighbours first."""
    while len(terms) > 1:
        terms = [builder.fadd(left, right) for left, right in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


@intrinsic
def _padded_totals(context: Any, rows: Any, size: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lists, count = helpers.unpack_tuple(builder, arguments[0]), arguments[1]
        starts = [target.make_array(rows.dtype)(target, builder, row).data for row in lists]
        number = target.get_value_type(rows.dtype.dtype)
        alignment, vector = target.get_abi_sizeof(number), ir.VectorType(number, LANES)
        nothing = ir.Constant(vector, [0.0] * LANES)
        sums = [helpers.alloca_once_value(builder, nothing) for _ in starts]

        def place(start: Any, k: Any) -> Any:
            return builder.bitcast(builder.gep(start, [k]), vector.as_pointer())

        for start in starts:
            builder.store(nothing, place(start, count), align=alignment)
        with helpers.for_range_slice(builder, count.type(0), count, count.type(LANES)) as (k, _):
            for start, so_far in zip(starts, sums, strict=True):
                terms = builder.load(place(start, k), align=alignment)
                builder.store(builder.fadd(builder.load(so_far), terms), so_far)
        lanes = [[builder.extract_element(builder.load(s), ir.IntType(32)(k)) for k in range(LANES)] for s in sums]
        return target.make_tuple(builder, signature.return_type, [_tree(builder, terms) for terms in lanes])

    found = types.UniTuple(rows.dtype.dtype, rows.count)  # type: ignore[no-untyped-call]
    return found(rows, size), build


if TYPE_CHECKING:

    def padded_totals(rows: tuple[Field, ...], size: int | np.uint64) -> tuple[Any, ...]:
        """Sums of the first `size` values of rows of one precision, each as `LANES` sums side by side.

        The LANES values after them, for which every row needs room, become 0. To be called from compiled code; written
        in the compiler's own vectors, because left to itself it adds up one short row after the other.
        """

else:
    padded_totals = _padded_totals


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
