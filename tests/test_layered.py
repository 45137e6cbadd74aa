"""Diffusion in sheets against the matrix exponential, the uniform solver and the balance of amounts."""

import numpy as np
import pytest
import scipy.linalg

from abm.tissue.layered import POLES, RESIDUES, LayeredField, step_sheets
from abm.tissue.medium import face_conductance
from abm.tissue.uniform import UniformField

SHAPE, VOXEL = (7, 3, 4), 2.0
DRAW = np.random.Generator(np.random.Philox(11))
START, SOURCE = DRAW.uniform(0.0, 2.0, (2, *SHAPE))
DIFFUSIVITY, LOSS, STORAGE = DRAW.uniform(0.5, 3.0, (3, SHAPE[0]))
CLAIMED = 1e-5  # of a field, per step


def rational(x: float) -> float:
    return sum((-2.0 * a / (x + p)).real for p, a in zip(POLES, RESIDUES, strict=True))


def exact(h: float, strength: float, start: np.ndarray, source: np.ndarray) -> np.ndarray:
    """The field after h by the exponential of the matrix of rates; the source is one more unknown that stays 1."""
    sheets = (slice(None), *(None,) * (start.ndim - 1))
    conductance = np.broadcast_to(DIFFUSIVITY[sheets], start.shape).reshape(start.shape[0], -1, start.shape[-1])
    faces, size = face_conductance(conductance / VOXEL**2), start.size
    number = np.arange(size).reshape(conductance.shape)
    matrix = np.zeros((size + 1, size + 1))
    for axis in range(3):
        g, place = np.moveaxis(faces[axis], axis, 0)[:-1].ravel(), np.moveaxis(number, axis, 0)
        near, far = place[:-1].ravel(), place[1:].ravel()
        for one, other in ((near, far), (far, near)):
            matrix[one, other] += g
            matrix[one, one] -= g
    matrix[np.arange(size), np.arange(size)] -= np.broadcast_to(LOSS[sheets], start.shape).ravel()
    matrix[:-1, -1] = strength * source.ravel()
    matrix[:-1] /= np.broadcast_to(STORAGE[sheets], start.shape).reshape(-1, 1)
    return (scipy.linalg.expm(h * matrix) @ np.append(start.ravel(), 1.0))[:-1].reshape(start.shape)


def test_the_rational_function_stays_near_the_exponential_and_keeps_amounts():
    x = np.append(0.0, np.logspace(-6, 8, 20001))
    assert max(abs(rational(value) - np.exp(-value)) for value in x) < 7e-6
    assert rational(0.0) == pytest.approx(1.0, abs=1e-15)
    slope = sum((2.0 * a / p**2).real for p, a in zip(POLES, RESIDUES, strict=True))
    assert slope == pytest.approx(-1.0, abs=1e-15)


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("h", [1e-3, 0.1, 2.0, 50.0, 1e4])
def test_a_step_of_any_length_is_the_matrix_exponential(h, precision):
    field = LayeredField(START.astype(precision), VOXEL, DIFFUSIVITY, LOSS, SOURCE, STORAGE)
    field.advance(h, 0.7)
    expected = exact(h, 0.7, START, SOURCE)
    error = np.linalg.norm(field.read() - expected)
    assert error < CLAIMED * max(np.linalg.norm(START), np.linalg.norm(expected))


def test_a_lamella_of_strips_is_the_matrix_exponential():
    start, source = START[:, 0], SOURCE[:, 0]
    field = LayeredField(start, VOXEL, DIFFUSIVITY, LOSS, source, STORAGE)
    field.advance(1.5)
    assert np.linalg.norm(field.read() - exact(1.5, 1.0, start, source)) < CLAIMED * np.linalg.norm(start)


def test_steps_of_changing_length_and_strength_follow_each_other():
    field, expected = LayeredField(START, VOXEL, DIFFUSIVITY, LOSS, SOURCE, STORAGE), START
    for h, strength in ((0.3, 1.0), (4.0, 0.0), (0.3, 2.0), (1.0, 1.0)):
        field.advance(h, strength)
        expected = exact(h, strength, expected, SOURCE)
        assert np.linalg.norm(field.read() - expected) < 4 * CLAIMED * np.linalg.norm(START)


def test_amounts_close_without_loss():
    field = LayeredField(START, VOXEL, DIFFUSIVITY, 0.0, SOURCE, STORAGE)
    amount = STORAGE @ START.sum((1, 2))
    for h, strength in ((0.01, 1.0), (30.0, 0.5), (1e3, 0.0)):
        field.advance(h, strength)
        amount += h * strength * SOURCE.sum()
        assert STORAGE @ field.read().sum((1, 2)) == pytest.approx(amount, rel=1e-12)


def test_equal_sheets_are_a_uniform_block():
    layered = LayeredField(START, VOXEL, 1.3, 0.2, SOURCE)
    uniform = UniformField(START, VOXEL, 1.3, 0.2, SOURCE)
    for field in (layered, uniform):
        field.advance(0.8, 0.5)
    assert np.linalg.norm(layered.read() - uniform.read()) < CLAIMED * np.linalg.norm(START)


def test_nothing_stays_nothing_and_rows_do_not_hang_on_who_does_them():
    empty = LayeredField(np.zeros(SHAPE), VOXEL, DIFFUSIVITY, LOSS)
    empty.advance(1.0)
    assert not empty.read().any()
    one, two = (LayeredField(START, VOXEL, DIFFUSIVITY, LOSS, SOURCE) for _ in range(2))
    terms = np.ones((3, 6))
    step_sheets(one._sheets(1.0), one._across, terms, one._source, one._modes, 0, SHAPE[1])
    for row in (2, 0, 1):
        step_sheets(two._sheets(1.0), two._across, terms, two._source, two._modes, row, row + 1)
    assert np.array_equal(one._modes, two._modes)
