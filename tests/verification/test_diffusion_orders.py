"""Measured order of accuracy in time and space, and the error the solver claims against the one it makes."""

import math
from itertools import pairwise

import numpy as np
import pytest
from media import centres, exact, implicit, medium, rate_matrix
from scipy.sparse.linalg import expm_multiply, spsolve

from abm.tissue.solver import substep


def layered(shape=(1, 16, 12), seed=2):
    """A heterogeneous system with the coefficients of a metabolite: a dense layer, capillaries, losses."""
    draws = np.random.default_rng(seed)
    conductance, storage = np.full(shape, 0.097), np.full(shape, 0.55)
    conductance[..., 5:7], storage[..., 5:7] = 0.0415, 0.52
    vessels = draws.random(shape) < 0.3
    loss, source = 15.0 + 9.0 * vessels, 25.0 + 30.0 * vessels
    return medium(shape, 25.0, 5.0e6, storage, loss, source, conductance), draws.random(shape) + 1.0


def march(system, start, duration, steps):
    """Fixed steps of the implicit method, linear systems solved to rounding."""
    c, h = start.copy(), duration / steps
    new, integral = np.empty_like(c), np.empty_like(c)
    for _ in range(steps):
        substep(system, h, c, 1.0, 1e-9, new, integral)
        c = new.copy()
    return c


def reference(system, start, duration):
    """Matrix exponential of an independently assembled matrix: y' = A (y - y_steady)."""
    matrix = rate_matrix(system)
    steady = spsolve(matrix.tocsc(), -(system.source / system.storage).ravel())
    deviation = expm_multiply(matrix * duration, start.ravel() - steady)
    return (steady + deviation).reshape(start.shape)


def smooth_start(system):
    """A start without fast transients, so that the order shows at moderate steps."""
    return exact_relaxed(system, 0.02)


def exact_relaxed(system, duration):
    return reference(system, np.full(system.storage.shape, 1.0), duration)


def test_second_order_in_time() -> None:
    system, _ = layered()
    start = smooth_start(system)
    expected = reference(system, start, 0.1)
    errors = [np.abs(march(system, start, 0.1, steps) - expected).max() for steps in (4, 8, 16, 32)]
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders[-1] == pytest.approx(2.0, abs=0.1)
    assert min(orders) > 1.8


def test_fast_modes_are_damped_at_once() -> None:
    """L-stability: one long step over a rough field leaves no trace of the roughness."""
    system, rough = layered()
    after = march(system, rough, 10.0, 1)
    steady = reference(system, rough, 10.0)
    assert np.abs(after - steady).max() < 0.01 * steady.mean()


def test_second_order_in_space_with_uniform_coefficients() -> None:
    length, diffusivity, duration = 1.0, 1.0, 0.05
    errors = []
    for n in (16, 32, 64):
        x = centres(n, length)
        system = medium((1, 1, n), length / n, diffusivity)
        # Voxel means of 1 + cos(2 pi x).
        mean = math.sin(math.pi / n) * n / math.pi
        start = (1.5 + mean * np.cos(2 * math.pi * x))[None, None]
        expected = 1.5 + mean * math.exp(-4 * math.pi**2 * duration) * np.cos(2 * math.pi * x)
        errors.append(np.abs(exact(system, start, duration)[0, 0] - expected).max())
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders == pytest.approx([2.0, 2.0], abs=0.1)


def test_second_order_in_space_with_varying_conductance() -> None:
    """Steady state made to measure: c = 2 + cos(pi x), conductance 1 + x/2, loss 3, source -(g c')' + 3 c."""
    errors = []
    for n in (16, 32, 64):
        x = centres(n, 1.0)
        c, slope, bend = 2 + np.cos(math.pi * x), -math.pi * np.sin(math.pi * x), -(math.pi**2) * np.cos(math.pi * x)
        source = -(0.5 * slope + (1 + 0.5 * x) * bend) + 3 * c
        system = medium((1, 1, n), 1.0 / n, 1.0, 1.0, 3.0, source, 1 + 0.5 * x)
        found = implicit(system, c[None, None], 20.0, 1e-9)[0][0, 0]
        errors.append(np.abs(found - c).max())
    orders = [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]
    assert orders == pytest.approx([2.0, 2.0], abs=0.2)


@pytest.mark.parametrize("shape", [(1, 16, 12), (4, 8, 6)])
@pytest.mark.parametrize("tolerance", [1e-3, 1e-5, 1e-7])
def test_the_error_stays_near_the_tolerance(shape: tuple[int, int, int], tolerance: float) -> None:
    system, start = layered(shape)
    found, progress = implicit(system, start, 0.1, tolerance)
    expected = reference(system, start, 0.1)
    error = math.sqrt(np.mean((found - expected) ** 2)) / math.sqrt(np.mean(expected**2))
    assert progress.error <= tolerance
    # Local errors of many sub-steps add up, in a decaying system more like a random walk than like a sum.
    assert error < tolerance * (1.0 + math.sqrt(progress.substeps))


def test_the_claimed_error_follows_the_true_one_for_slow_and_fast_modes() -> None:
    for rate in (0.1, 1.0, 3.0, 10.0, 100.0, 1e4):
        # A deviation of 1 from a steady state of 2.
        system = medium((1, 4, 4), loss=rate, source=2.0 * rate)
        c, new, integral = np.full((1, 4, 4), 3.0), np.empty((1, 4, 4)), np.empty((1, 4, 4))
        claimed, _ = substep(system, 1.0, c, 1.0, 1e-9, new, integral)
        true = abs(new[0, 0, 0] - 2.0 - math.exp(-rate))
        assert claimed == pytest.approx(true, rel=0.35)


def test_smaller_tolerance_takes_more_substeps() -> None:
    system, start = layered()
    counts = [implicit(system, start, 0.1, tolerance)[1].substeps for tolerance in (1e-3, 1e-5, 1e-7)]
    assert counts == sorted(counts)
    assert counts[2] > 3 * counts[0]
