"""Sums and extremes of flat arrays, against the same order of additions written out."""

import math

import numpy as np
import pytest
from numba import njit

from abm.sums import LANES, inner, inner_rows, largest, padded_totals, smallest, total

SIZES = [0, 1, 7, 8, 9, 64, 4099]
PRECISIONS = [np.float32, np.float64]


def in_order(terms: np.ndarray, whole: int) -> float:
    """Eight sums side by side, what is left over in the first, then neighbours together."""
    sums = [terms.dtype.type(0.0)] * LANES
    for place, term in enumerate(terms):
        lane = place % LANES if place < whole else 0
        sums[lane] = sums[lane] + term
    while len(sums) > 1:
        sums = [left + right for left, right in zip(sums[::2], sums[1::2], strict=True)]
    return float(sums[0])


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("size", SIZES)
def test_sums_are_made_in_one_order(precision, size) -> None:
    one, two = np.random.default_rng(size).standard_normal((2, size)).astype(precision)
    whole = size // LANES * LANES
    assert total(one) == in_order(one, whole)
    assert inner(one, two) == in_order(one * two, whole)
    assert inner(one, one) == in_order(one * one, whole)
    table = np.stack([one, two])
    assert list(inner_rows(table, table)) == [inner(one, one), inner(two, two)]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("size", SIZES)
def test_extremes_are_found_wherever_they_lie(precision, size) -> None:
    field = np.random.default_rng(size).standard_normal(size).astype(precision)
    assert largest(field) == max(field, default=-math.inf)
    assert smallest(field) == min(field, default=math.inf)
    for place in range(0, size, 5):
        field[place] += 100.0
        assert largest(field) == field[place]
        field[place] -= 200.0
        assert smallest(field) == field[place]
        field[place] = 0.0


@njit
def padded(one, two, size):
    return padded_totals((one, two), size)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_short_rows_are_summed_side_by_side(precision) -> None:
    rows = np.random.default_rng(1).standard_normal((2, 21 + LANES)).astype(precision)
    kept = rows[:, :21].copy()
    found = padded(rows[0], rows[1], 21)
    assert not rows[:, 21:].any()
    filled = np.concatenate([kept, np.zeros((2, 3), precision)], axis=1)
    assert [float(value) for value in found] == [in_order(row, row.size) for row in filled]
