"""Exact steps in a uniform block, against matrix exponentials of each axis and a linear system for the steady state."""

import numpy as np
import pytest
from scipy.linalg import expm

from abm.tissue import uniform
from abm.tissue.uniform import UniformField

SHAPE, VOXEL, SPREAD, LOSS = (6, 7, 20), 2.0, 40.0, 0.5
LONG, SHORT = 5.0, 0.02  # h: of most modes nothing is left; of all of them something is
DRAW = np.random.default_rng(5)
START = DRAW.random(SHAPE)
SOURCE = DRAW.random(SHAPE) * (DRAW.random(SHAPE) < 0.05)


def laplacian(length: int) -> np.ndarray:
    """Second differences with no flux through the ends."""
    matrix = np.diag(np.full(length - 1, 1.0), 1) + np.diag(np.full(length - 1, 1.0), -1)
    return matrix - np.diag(matrix.sum(1))


AXES = [SPREAD / VOXEL**2 * laplacian(length) for length in SHAPE]
RATES = sum(
    np.kron(np.kron(*(one if k == axis else np.eye(len(one)) for k, one in enumerate(AXES[:2]))), np.eye(SHAPE[2]))
    for axis in range(2)
) + np.kron(np.eye(SHAPE[0] * SHAPE[1]), AXES[2])
STEADY = np.linalg.solve(LOSS * np.eye(START.size) - RATES, SOURCE.ravel()).reshape(SHAPE)


def after(h: float, strength: float, c: np.ndarray) -> np.ndarray:
    """The field after a step of length h: what differs from the steady state of the source decays."""
    z, y, x = (expm(h * axis) for axis in AXES)
    away = c - strength * STEADY
    return strength * STEADY + np.exp(-LOSS * h) * np.einsum("zZ,yY,xX,ZYX->zyx", z, y, x, away)


def block(start=START, precision=np.float64, source=SOURCE):
    return UniformField(start.astype(precision), VOXEL, SPREAD, LOSS, source)


@pytest.mark.parametrize("start", [START, np.zeros(SHAPE)], ids=["full", "empty"])
@pytest.mark.parametrize(("precision", "within"), [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize("seen", [True, False])
def test_long_and_short_steps_follow_each_other(start, precision, within, seen) -> None:
    field, expected = block(start, precision), start
    steps = [(LONG, 1.0), (LONG, 0.25), (LONG, 0.0), (SHORT, 2.0), (SHORT, 0.5), (LONG, 1.0), (SHORT, 0.0), (LONG, 3.0)]
    for k, (h, strength) in enumerate(steps):
        field.advance(h, strength)
        expected = after(h, strength, expected)
        assert (field._steady is not None) == (h == LONG)
        if seen or k == len(steps) - 1:
            assert np.linalg.norm(field.read() - expected) < within * np.linalg.norm(expected)


@pytest.mark.parametrize("axes", [(0, 2, 1), (1, 0, 2), (2, 0, 1), (2, 1, 0)])
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_a_block_turned_over_is_the_same_block(axes, precision) -> None:
    lying = block(precision=precision)
    turned = block(START.transpose(axes), precision, SOURCE.transpose(axes))
    for h, strength in ((LONG, 1.0), (LONG, 0.5), (SHORT, 2.0)):
        for field in (lying, turned):
            field.advance(h, strength)
        expected = lying.read().transpose(axes)
        assert np.linalg.norm(turned.read() - expected) < 10 * np.finfo(precision).eps * np.linalg.norm(expected)


def test_a_lamella_is_a_block_that_is_the_same_all_along_z() -> None:
    start, source = START[2], SOURCE[2] + 0.1
    flat = block(start, source=source)
    deep = block(np.broadcast_to(start, (3, *start.shape)), source=np.broadcast_to(source, (3, *start.shape)))
    for h, strength in ((LONG, 1.0), (SHORT, 2.0)):
        for field in (flat, deep):
            field.advance(h, strength)
        assert np.allclose(deep.read(), flat.read(), rtol=1e-13)


@pytest.mark.parametrize("length", [LONG, SHORT])
def test_reading_changes_nothing(length) -> None:
    read, unread = block(), block()
    for strength in (1.0, 0.5, 2.0):
        for field in (read, unread):
            field.advance(length, strength)
        assert np.array_equal(read.read(), read.read())
    assert np.array_equal(read.read(), unread.read())


def test_before_a_step_and_after_one_of_no_length_the_field_is_the_first() -> None:
    for field in (block(), block(source=None)):
        assert np.allclose(field.read(), START, rtol=1e-14)
        field.advance(0.0, 3.0)
        assert np.allclose(field.read(), START, rtol=1e-14)
    assert not block(np.zeros(SHAPE)).read().any()


def test_without_a_source_the_field_decays() -> None:
    field, expected = block(source=None), START
    for h in (SHORT, LONG, LONG):
        field.advance(h)
        expected = after(h, 0.0, expected)
        assert np.linalg.norm(field.read() - expected) < 1e-13 * np.linalg.norm(START)


def test_threads_do_not_change_the_bits(monkeypatch) -> None:
    found = []
    for workers in (1, 2):
        monkeypatch.setattr(uniform, "threads_for", lambda voxels, workers=workers: workers)
        field = block()
        for h, strength in ((LONG, 1.0), (LONG, 0.5), (SHORT, 1.0)):
            field.advance(h, strength)
            found.append(field.read())
    assert all(np.array_equal(one, two) for one, two in zip(found[:3], found[3:], strict=True))
