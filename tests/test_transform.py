"""The cosine transform against SciPy's, its inverse, its tables, and the vectors that it is written in."""

import numpy as np
import pytest
import scipy.fft
from numba import njit

from abm.tissue.cosine import factors, waves
from abm.tissue.threads import transform_on
from abm.tissue.transform import aligned, cosines, on_modes
from abm.vectors import BYTES, Index, Numbers, side_by_side, transposed, widest_vectors

# Whole blocks of lanes and parts of them; factors 8, 4, 2, 3, 5, 7 of a half, and none; odd lengths; planes, blocks.
SHAPES = [
    (1, 64, 64), (1, 128, 16), (1, 256, 8), (1, 32, 512), (1, 12, 20), (1, 50, 100), (1, 70, 22), (1, 33, 48),
    (1, 1, 1), (1, 1, 9), (1, 2, 2), (3, 5, 7), (4, 6, 10), (16, 32, 24), (2, 96, 17),
]  # fmt: skip


def modes_of(field, workers=1):
    found = np.empty(field.size, field.dtype)
    transform_on(workers)(cosines(field.shape, field.dtype), False, field.reshape(-1), found)
    return found


def field_of(modes, shape, workers=1):
    found = np.empty(modes.size, modes.dtype)
    transform_on(workers)(cosines(shape, modes.dtype), True, modes, found)
    return found.reshape(shape)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
@pytest.mark.parametrize("shape", SHAPES)
def test_modes_are_those_of_scipy_and_lead_back(shape, precision) -> None:
    field = np.random.default_rng(1).normal(size=shape).astype(precision)
    axes = (0, 1, 2) if shape[0] > 1 else (1, 2)
    expected = scipy.fft.dctn(field.astype(np.float64), axes=axes)
    modes = modes_of(field)
    found, rounding = np.swapaxes(modes.reshape(on_modes(shape)), 1, 2), 20 * np.finfo(precision).eps
    assert np.linalg.norm(found - expected) < rounding * np.linalg.norm(expected)
    assert np.linalg.norm(field_of(modes, shape) - field) < rounding * np.linalg.norm(field)


@pytest.mark.parametrize("shape", [(1, 64, 48), (6, 20, 17)])
def test_threads_do_not_change_the_bits(shape) -> None:
    field = np.random.default_rng(2).random(shape).astype(np.float32)
    modes = modes_of(field)
    assert np.array_equal(modes_of(field, 2), modes)
    assert np.array_equal(field_of(modes, shape, 2), field_of(modes, shape))


def test_a_place_in_memory_does_not_change_the_bits() -> None:
    field = np.random.default_rng(3).random((1, 64, 64)).astype(np.float32)
    room = np.empty(field.size + 1, np.float32)
    room[1:] = field.reshape(-1)
    assert np.array_equal(modes_of(room[1:].reshape(field.shape)), modes_of(field))
    assert aligned((3, 5), np.float32).ctypes.data % BYTES == 0


@pytest.mark.parametrize("length", [1, 2, 7, 64, 100, 1024])
def test_waves_are_cosines_to_rounding(length) -> None:
    cosines_, sines = waves(length).reshape(2, -1)
    angle = np.pi * np.arange(length) / (2 * length)
    assert np.abs(cosines_[:length] - np.cos(angle)).max() < 4e-16
    assert np.abs(sines[:length] - np.sin(angle)).max() < 4e-16
    assert np.array_equal(cosines_[length :: 2 * length], [0.0, 0.0])
    assert np.array_equal(sines[:: 2 * length], [0.0, 0.0])
    assert np.array_equal(cosines_[: 2 * length], -cosines_[2 * length :])
    assert np.array_equal(sines[length:], cosines_[:-length])


def test_factors_multiply_to_the_number() -> None:
    for number in range(1, 300):
        found = factors(number)
        assert np.prod(found, dtype=int) == number
        assert all(factor in (8, 4) or factor in (2, *range(3, 300, 2)) for factor in found)
    assert [factors(n) for n in (16, 32, 64, 128)] == [[4, 4], [8, 4], [8, 8], [8, 4, 4]]
    assert factors(0) == []


@side_by_side
def turn_over(source: Numbers, target: Numbers, zero: Index) -> None:
    rows = [source.load(zero + k * source.lanes) for k in range(source.lanes)]
    for k, row in enumerate(transposed(rows)):
        target.store(zero + k * source.lanes, row)


@side_by_side
def reckon(a: Numbers, b: Numbers, places: Numbers, target: Numbers, k: Index) -> None:
    one, two = a.load(k), b.everywhere(places.index(k + 1))
    target.store(k, (one + two) * (one - two) - one.times(0.1))
    target.store(k * 2 + a.lanes, -one)


@njit
def call_turn_over(source, target):
    turn_over(source, target, 0)


@njit
def call_reckon(a, b, places, target):
    reckon(a, b, places, target, 0)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_vectors_reckon_lane_by_lane(precision) -> None:
    lanes = BYTES // np.dtype(precision).itemsize
    draws = np.random.default_rng(4)
    square, target = draws.random((lanes, lanes)).astype(precision), np.zeros((lanes, lanes), precision)
    call_turn_over(square.reshape(-1), target.reshape(-1))
    assert np.array_equal(target, square.T)
    a, b = draws.random(lanes).astype(precision), draws.random(5).astype(precision)
    found = np.zeros(2 * lanes, precision)
    call_reckon(a, b, np.array([0, 3]), found)
    assert np.array_equal(found[:lanes], (a + b[3]) * (a - b[3]) - a * precision(0.1))
    assert np.array_equal(found[lanes:], -a)


def test_a_loop_that_asks_for_the_widest_vectors_is_compiled_for_them_and_reckons_the_same() -> None:
    def double(values):
        for i in range(values.size):
            values[i] = 2.0 * values[i] + values[i] * values[i]

    def wide(values):
        widest_vectors()
        for i in range(values.size):
            values[i] = 2.0 * values[i] + values[i] * values[i]

    found = []
    for loop in (njit(double), njit(wide)):
        values = np.random.default_rng(2).random(1001)
        loop(values)
        found.append(values)
    assert '"prefer-vector-width"="512"' in next(iter(loop.inspect_llvm().values()))
    assert np.array_equal(*found)
