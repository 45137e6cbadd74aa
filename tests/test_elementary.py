"""Portable exponential and power functions against the mathematics library."""

import math
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abm.elementary import exponential, logarithm, mean_relaxed, power, relax, solved


@given(st.floats(-700.0, 700.0))
def test_exponential_agrees_with_the_library(x):
    assert exponential(x) == pytest.approx(math.exp(x), rel=5e-16)


@given(st.floats(1e-300, 1e300))
def test_logarithm_agrees_with_the_library(x):
    assert logarithm(x) == pytest.approx(math.log(x), rel=1e-15, abs=1e-16)


@given(st.floats(1e-6, 1e6), st.floats(-5.0, 5.0))
def test_power_agrees_with_the_library(x, exponent):
    assert power(x, exponent) == pytest.approx(x**exponent, rel=1e-13)


def test_power_of_nothing_is_nothing():
    assert power(0.0, 1.5) == 0.0


def test_uncompiled_functions_give_the_same_bits():
    """The rules can be read and run as plain Python: NUMBA_DISABLE_JIT=1."""
    code = (
        "from abm.elementary import exponential, logarithm, power, relax;"
        "print([f.hex() for x in (1e-300, 0.3, 1.0, 2.7, 650.0) for f in map(float, (exponential(-x), logarithm(x),"
        " power(x, 0.7), relax(x, 1.0, 0.3, 0.25)))])"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | chosen, capture_output=True, text=True, check=True
        ).stdout
        for chosen in ({}, {"NUMBA_DISABLE_JIT": "1"})
    ]
    assert said[0] == said[1]


def test_extremes_do_not_overflow():
    assert exponential(1000.0) == math.inf
    assert exponential(-1000.0) == 0.0
    assert exponential(0.0) == 1.0


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.floats(0.0, 3.0), st.floats(0.0, 3.0))
def test_relaxation_does_not_depend_on_how_time_is_split(value, target, rate, duration):
    halves = relax(relax(value, target, rate, duration / 2), target, rate, duration / 2)
    assert halves == pytest.approx(relax(value, target, rate, duration), abs=1e-12)


@given(st.floats(-5.0, 5.0), st.floats(-5.0, 5.0), st.floats(1e-3, 20.0), st.floats(1e-3, 10.0))
def test_the_mean_of_a_relaxation_is_that_of_its_course(value, target, rate, duration):
    """Gauss and Legendre's quadrature of its exponential, in short pieces."""
    points, weights = np.polynomial.legendre.leggauss(12)
    pieces = 40
    times = (np.arange(pieces)[:, None] + 0.5 * (points + 1.0)) * duration / pieces
    course = target + (value - target) * np.exp(-rate * times)
    expected = (course @ weights).mean() / 2.0
    assert mean_relaxed(value, target, rate, duration) == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_system_of_a_markov_chain_is_solved():
    draw = np.random.default_rng(1)
    moves = draw.random((40, 40))
    moves /= moves.sum(axis=1, keepdims=True)
    matrix, right = np.eye(40) - 0.9 * moves.T, draw.random(40)
    np.testing.assert_allclose(solved(matrix, right), np.linalg.solve(matrix, right), rtol=1e-12)
