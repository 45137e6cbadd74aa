"""Measured order of accuracy in time and space, and the error the solver claims against the one it makes."""

import math
from itertools import pairwise

import numpy as np
import pytest
from media import centres, exact, implicit, medium, rate_matrix
from scipy.linalg import expm, solve

from abm.tissue.solver import lay_out, prepare, start, substep, working_space


def layered(shape=(1, 16, 12), seed=2):
    """A heterogeneous system with the coefficients of a metabolite: a dense layer, capillaries, losses."""
    draws = np.random.default_rng(seed)
    conductance, storage = np.full(shape, 0.097), np.full(shape, 0.55)
    conductance[..., 5:7], storage[..., 5:7] = 0.0415, 0.52
    vessels = draws.random(shape) < 0.3
    loss, source = 15.0 + 9.0 * vessels, 25.0 + 30.0 * vessels
    return medium(shape, 25.0, 5.0e6, storage, loss, source, conductance), draws.random(shape) + 1.0


def march(system, field, duration, steps):
    """Fixed steps, corrections solved to rounding."""
    c, h = field.ravel().copy(), duration / steps
    for _ in range(steps):
        c += one_step(system, c, h)[0]
    return c.reshape(field.shape)


def one_step(system, c, h):
    """Change of a flat field over a step, corrected to rounding, and the error it claims."""
    work = working_space(system.shape)
    lay_out(system, work)
    level = start(system, h, c, work)[0]
    prepare(system, work)
    error, _, _ = substep(system, h, 1e-10, math.inf, work)
    return level * work.change, level * error


def reference(system, field, duration):
    """Matrix exponential of an independently assembled matrix: y' = A (y - y_steady)."""
    matrix = rate_matrix(system).toarray()
    steady = solve(matrix, -(system.source / system.storage))
    deviation = expm(matrix * duration) @ (field.ravel() - steady)
    return (steady + deviation).reshape(system.shape)


def smooth_start(system):
    """A start without fast transients, so that the order shows at moderate steps."""
    return exact_relaxed(system, 0.02)


def exact_relaxed(system, duration):
    return reference(system, np.full(system.shape, 1.0), duration)


def orders(system, steps):
    """Observed orders as the number of steps doubles, over 0.1 h."""
    field = smooth_start(system)
    system = system._replace(source=2.0 * system.source, mean_source=2.0 * system.mean_source)
    expected = reference(system, field, 0.1)
    errors = [np.sqrt(np.mean((march(system, field, 0.1, number) - expected) ** 2)) for number in steps]
    return [math.log2(coarse / fine) for coarse, fine in pairwise(errors)]


def test_second_order_in_time() -> None:
    system, _ = layered()
    found = orders(system._replace(diffusivity=5e4), (16, 32, 64, 128))
    assert found[-1] == pytest.approx(2.0, abs=0.05)
    assert min(found) > 1.85


def test_order_in_time_where_diffusion_is_much_faster_than_the_steps() -> None:
    system, _ = layered()
    assert min(orders(system, (4, 8, 16, 32))) > 1.5


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


@pytest.mark.parametrize("duration", [0.003, 0.01, 0.03, 0.1, 0.3])
def test_the_claimed_error_follows_the_true_one(duration: float) -> None:
    """From steps much shorter to steps much longer than the tissue takes to relax."""
    system, _ = layered()
    field = smooth_start(system)
    system = system._replace(source=2.0 * system.source, mean_source=2.0 * system.mean_source)
    change, claimed = one_step(system, field.ravel(), duration)
    true = math.sqrt(np.mean((field + change.reshape(system.shape) - reference(system, field, duration)) ** 2))
    assert 0.3 < claimed / true < 3.0


def test_a_uniform_medium_is_solved_exactly() -> None:
    """Whatever the step, against the exact solver."""
    draws = np.random.default_rng(8)
    shape = (3, 9, 7)
    system = medium(shape, 25.0, 1e5, 0.3, 2.0, draws.random(shape), 0.1)
    field = draws.random(shape)
    for duration in (1e-4, 1e-2, 1.0, 100.0):
        found, progress = implicit(system, field, duration, 1e-3)
        assert found == pytest.approx(exact(system, field, duration), rel=1e-12)
        assert progress.substeps == 1
        assert progress.iterations == 0


def test_smaller_tolerance_takes_more_substeps() -> None:
    system, start = layered()
    counts = [implicit(system, start, 0.1, tolerance)[1].substeps for tolerance in (1e-3, 1e-5, 1e-7)]
    assert counts == sorted(counts)
    assert counts[2] > 3 * counts[0]
