"""Sums of flat arrays that give the same bits on every machine: always in the same order; and their extremes.

They are added up in the precision of the arrays, and in the compiler's own vectors: left to itself it adds up one
number after the other, because it may not change the order.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from abm.loops import loop

helpers: Any = cgutils  # which has no types

Field = npt.NDArray[Any]  # in double or single precision
LANES = 8  # sums side by side


def _tree(builder: Any, terms: list[Any]) -> Any:
    """Sum of a power of two of numbers, neighbours first."""
    while len(terms) > 1:
        terms = [builder.fadd(left, right) for left, right in zip(terms[::2], terms[1::2], strict=True)]
    return terms[0]


def _vectors(target: Any, builder: Any, kinds: Any, arrays: Any) -> Any:
    """For some flat arrays, what loads or stores the LANES numbers from entry k on, and the type of these numbers."""
    starts = [target.make_array(kind)(target, builder, array).data for kind, array in zip(kinds, arrays, strict=True)]
    number = target.get_value_type(kinds[0].dtype)
    vector, size = ir.VectorType(number, LANES), target.get_abi_sizeof(number)

    def place(row: int, k: Any) -> Any:
        return builder.bitcast(builder.gep(starts[row], [k]), vector.as_pointer())

    def load(row: int, k: Any) -> Any:
        return builder.load(place(row, k), align=size)

    def store(row: int, k: Any, value: Any) -> None:
        builder.store(value, place(row, k), align=size)

    return load, store, vector


def _running(builder: Any, count: Any, first: list[Any], step: Any) -> list[list[Any]]:
    """What `step(k, so far)` makes of vectors for k = 0, LANES ... up to count; the numbers of each."""
    kept = [helpers.alloca_once_value(builder, value) for value in first]
    with helpers.for_range_slice(builder, count.type(0), count, count.type(LANES)) as (k, _):
        for place, value in zip(kept, step(k, [builder.load(place) for place in kept]), strict=True):
            builder.store(value, place)
    return [[builder.extract_element(builder.load(place), ir.IntType(32)(k)) for k in range(LANES)] for place in kept]


@intrinsic
def _padded_totals(context: Any, rows: Any, size: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lists, count = helpers.unpack_tuple(builder, arguments[0]), arguments[1]
        load, store, vector = _vectors(target, builder, [rows.dtype] * rows.count, lists)
        nothing = [ir.Constant(vector, [0.0] * LANES)] * rows.count
        for row in range(rows.count):
            store(row, count, nothing[row])

        def add(k: Any, sums: list[Any]) -> list[Any]:
            return [builder.fadd(so_far, load(row, k)) for row, so_far in enumerate(sums)]

        lanes = _running(builder, count, nothing, add)
        return target.make_tuple(builder, signature.return_type, [_tree(builder, terms) for terms in lanes])

    found = types.UniTuple(rows.dtype.dtype, rows.count)  # type: ignore[no-untyped-call]
    return found(rows, size), build


@intrinsic
def _sums_of_products(context: Any, first: Any, second: Any, size: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        load, _, vector = _vectors(target, builder, [first, second], arguments[:2])

        def add(k: Any, sums: list[Any]) -> list[Any]:
            return [builder.fadd(sums[0], builder.fmul(load(0, k), load(1, k)))]

        (lanes,) = _running(builder, arguments[2], [ir.Constant(vector, [0.0] * LANES)], add)
        return target.make_tuple(builder, signature.return_type, lanes)

    found = types.UniTuple(first.dtype, LANES)  # type: ignore[no-untyped-call]
    return found(first, second, size), build


@intrinsic
def _sums(context: Any, field: Any, size: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        load, _, vector = _vectors(target, builder, [field], arguments[:1])
        (lanes,) = _running(
            builder, arguments[1], [ir.Constant(vector, [0.0] * LANES)],
            lambda k, sums: [builder.fadd(sums[0], load(0, k))],
        )  # fmt: skip
        return target.make_tuple(builder, signature.return_type, lanes)

    return types.UniTuple(field.dtype, LANES)(field, size), build  # type: ignore[no-untyped-call]


def _extremes(comparison: str, worst: float) -> Any:
    """LANES numbers that pass a comparison with all others LANES apart among the first `size`, a multiple of LANES."""

    def extremes(context: Any, field: Any, size: Any) -> Any:
        def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            load, _, vector = _vectors(target, builder, [field], arguments[:1])

            def choose(k: Any, found: list[Any]) -> list[Any]:
                here = load(0, k)
                return [builder.select(builder.fcmp_ordered(comparison, here, found[0]), here, found[0])]

            (lanes,) = _running(builder, arguments[1], [ir.Constant(vector, [worst] * LANES)], choose)
            return target.make_tuple(builder, signature.return_type, lanes)

        return types.UniTuple(field.dtype, LANES)(field, size), build  # type: ignore[no-untyped-call]

    return intrinsic(extremes)


if TYPE_CHECKING:

    def padded_totals(rows: tuple[Field, ...], size: int | np.uint64) -> tuple[Any, ...]:
        """Sums of the first `size` values of rows of one precision, each as `LANES` sums side by side.

        The LANES values after them, for which every row needs room, become 0. To be called from compiled code.
        """

    def sums_of_products(first: Field, second: Field, size: int) -> tuple[Any, ...]:
        """LANES sums side by side of the products of the first `size` numbers, a multiple of LANES."""

    def sums(field: Field, size: int) -> tuple[Any, ...]:
        """LANES sums side by side of the first `size` numbers, a multiple of LANES."""

    def largest_apart(field: Field, size: int) -> tuple[Any, ...]:
        """The largest of the first `size` numbers that lie LANES apart, size a multiple of LANES."""

    def smallest_apart(field: Field, size: int) -> tuple[Any, ...]:
        """The smallest of them."""

else:
    padded_totals, sums_of_products, sums = _padded_totals, _sums_of_products, _sums
    largest_apart, smallest_apart = _extremes(">", -math.inf), _extremes("<", math.inf)


@loop
def inner(first: Field, second: Field) -> float:
    """Sum of the products, as eight interleaved sums."""
    whole = first.size // LANES * LANES
    s0, s1, s2, s3, s4, s5, s6, s7 = sums_of_products(first, second, whole)
    for i in range(whole, first.size):
        s0 += first[i] * second[i]
    return float(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)))


@loop
def inner_rows(first: Field, second: Field) -> Field:
    """`inner` of each row of two tables, (rows, n): (rows,)."""
    found = np.empty(first.shape[0])
    for row in range(found.size):
        found[row] = inner(first[row], second[row])
    return found


@loop
def total(field: Field) -> float:
    """Sum of a field, in the order of `inner`."""
    whole = field.size // LANES * LANES
    s0, s1, s2, s3, s4, s5, s6, s7 = sums(field, whole)
    for i in range(whole, field.size):
        s0 += field[i]
    return float(((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7)))


@loop
def largest(field: Field) -> float:
    """The largest value; minus infinity of none."""
    whole = field.size // LANES * LANES
    m0, m1, m2, m3, m4, m5, m6, m7 = largest_apart(field, whole)
    for i in range(whole, field.size):
        m0 = max(m0, field[i])
    return float(max(max(max(m0, m1), max(m2, m3)), max(max(m4, m5), max(m6, m7))))


@loop
def smallest(field: Field) -> float:
    """The smallest value; infinity of none."""
    whole = field.size // LANES * LANES
    m0, m1, m2, m3, m4, m5, m6, m7 = smallest_apart(field, whole)
    for i in range(whole, field.size):
        m0 = min(m0, field[i])
    return float(min(min(min(m0, m1), min(m2, m3)), min(min(m4, m5), min(m6, m7))))
