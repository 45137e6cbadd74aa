"""Closed solutions of diffusion with loss: cosine modes, a point source, screened steady states."""

import math

import numpy as np
import pytest
from media import centres, exact, implicit, medium
from scipy.special import k0

D = 5.0e6  # um^2/h, a metabolite in brain
BOTH = pytest.mark.parametrize("solver", ["implicit", "exact"])


def advance(solver, system, c, duration):
    return implicit(system, c, duration)[0] if solver == "implicit" else exact(system, c, duration)


@BOTH
@pytest.mark.parametrize("mode", [(0, 0), (1, 0), (2, 3), (5, 5)])
def test_a_cosine_mode_decays_at_its_own_rate(solver: str, mode: tuple[int, int]) -> None:
    n, length, loss, storage = 32, 800.0, 3.0, 0.5
    voxel = length / n
    y, x = np.meshgrid(centres(n, length), centres(n, length), indexing="ij")
    shape = np.cos(mode[0] * math.pi * y / length) * np.cos(mode[1] * math.pi * x / length)
    start = (2.0 + shape)[None]
    system = medium((1, n, n), voxel, D, storage, loss)
    duration = 0.004
    # Rate of the mode on the grid, 4 sin^2(pi k/2n)/dx^2 instead of (pi k/L)^2: exact for the finite volumes.
    spatial = sum(4.0 * math.sin(math.pi * k / (2 * n)) ** 2 for k in mode) * D / voxel**2
    base = math.exp(-loss / storage * duration)
    expected = base * (2.0 + math.exp(-spatial / storage * duration) * shape)
    assert advance(solver, system, start, duration)[0] == pytest.approx(expected, rel=1e-6)


@BOTH
def test_a_point_source_spreads_as_the_heat_kernel(solver: str) -> None:
    n, voxel, duration = 65, 10.0, 0.0006
    start = np.zeros((1, n, n))
    start[0, n // 2, n // 2] = 1.0 / voxel**2
    system = medium((1, n, n), voxel, D)
    y, x = np.meshgrid(centres(n, n * voxel), centres(n, n * voxel), indexing="ij")
    square = (x - n * voxel / 2) ** 2 + (y - n * voxel / 2) ** 2
    kernel = np.exp(-square / (4 * D * duration)) / (4 * math.pi * D * duration)
    found = advance(solver, system, start, duration)[0]
    # sqrt(2 D t) is 7.7 voxels, so the grid resolves the kernel to about 1 %.
    assert np.abs(found - kernel).max() < 0.01 * kernel.max()
    assert found.sum() * voxel**2 == pytest.approx(1.0, rel=1e-12)
    assert found.min() >= 0.0


@BOTH
def test_a_plane_source_is_screened_exponentially(solver: str) -> None:
    n, voxel, loss, flux = 512, 2.0, 6.0, 40.0
    diffusivity = 1.0e5
    source = np.zeros((1, 1, n))
    source[0, 0, n // 2] = flux / voxel
    system = medium((1, 1, n), voxel, diffusivity, 1.0, loss, source)
    steady = advance(solver, system, np.zeros((1, 1, n)), 20.0)[0, 0]
    length = math.sqrt(diffusivity / loss)  # 129 um, like BDNF
    distance = np.abs(centres(n, n * voxel) - (n // 2 + 0.5) * voxel)
    # Walls at about 4 lengths reflect: images on both sides.
    left, right = (n // 2 + 0.5) * voxel, n * voxel - (n // 2 + 0.5) * voxel
    reflected = [np.exp(-(2 * left + s * (centres(n, n * voxel) - left)) / length) for s in (1,)]
    reflected += [np.exp(-(2 * right - (centres(n, n * voxel) - left)) / length)]
    expected = flux / (2.0 * math.sqrt(diffusivity * loss)) * (np.exp(-distance / length) + sum(reflected))
    assert steady == pytest.approx(expected, rel=2e-3)


@BOTH
def test_a_line_source_is_screened_as_a_bessel_function(solver: str) -> None:
    """In the plane a steady point source with first-order loss gives Q/(2 pi D) K0(r/length)."""
    n, voxel, diffusivity, loss, strength = 129, 10.0, 1.0e5, 40.0, 1.0e5
    source = np.zeros((1, n, n))
    source[0, n // 2, n // 2] = strength / voxel**2
    system = medium((1, n, n), voxel, diffusivity, 1.0, loss, source)
    steady = advance(solver, system, np.zeros((1, n, n)), 3.0)[0]
    length = math.sqrt(diffusivity / loss)  # 50 um: the walls are 13 lengths away
    row = steady[n // 2, n // 2 + 2 : n // 2 + 25]
    distance = voxel * np.arange(2, 25)
    expected = strength / (2 * math.pi * diffusivity) * k0(distance / length)
    assert row == pytest.approx(expected, rel=0.02)


def test_both_solvers_agree_where_coefficients_are_uniform() -> None:
    draws = np.random.default_rng(5)
    shape = (1, 24, 20)
    source = 30.0 * draws.random(shape)
    system = medium(shape, 25.0, D, 0.55, 14.0, source, 0.09)
    start = draws.random(shape)
    fine, _ = implicit(system, start, 0.1, 1e-9)
    assert fine == pytest.approx(exact(system, start, 0.1), rel=1e-12)


def test_the_exact_solver_is_the_same_in_one_step_or_many() -> None:
    draws = np.random.default_rng(6)
    system = medium((2, 8, 8), 25.0, 1e4, 0.2, 1.2, draws.random((2, 8, 8)), 0.1)
    many = start = draws.random((2, 8, 8))
    for _ in range(50):
        many = exact(system, many, 0.02)
    assert many == pytest.approx(exact(system, start, 1.0), rel=1e-12)


def test_slow_loss_is_summed_as_a_series_without_cancellation() -> None:
    system = medium((1, 4, 4), 25.0, 1e4, 1.0, 1e-9, 2.0)
    found = exact(system, np.ones((1, 4, 4)), 0.1)
    assert found == pytest.approx(1.2 - 1.1e-10, abs=1e-14)
