"""py-pde as an independent solver of the same equation: its own discretisation, its own time stepping."""

import math

import numpy as np
import pytest
from media import centres, implicit, medium

WALLS = {"derivative": 0}


def difference(n: int) -> float:
    """Largest relative difference to py-pde on n x n voxels, smooth heterogeneous coefficients."""
    pde = pytest.importorskip("pde")
    x, y = np.meshgrid(centres(n, 1.0), centres(n, 1.0), indexing="ij")
    conductance = 1.0 + 0.5 * np.cos(math.pi * x) * np.cos(math.pi * y)
    loss = 2.0 + np.sin(math.pi * x) ** 2
    source = 1.0 + np.exp(-20.0 * ((x - 0.3) ** 2 + (y - 0.6) ** 2))
    start = 0.5 + 0.3 * np.cos(2 * math.pi * x)
    grid = pde.CartesianGrid([[0, 1], [0, 1]], [n, n])
    slope = {
        name: pde.ScalarField(grid, conductance).gradient(WALLS, backend="scipy")[i].data for i, name in enumerate("xy")
    }

    class Equation(pde.PDEBase):
        def evolution_rate(self, state, t=0):
            gradient = state.gradient(WALLS, backend="scipy").data
            spread = conductance * state.laplace(WALLS, backend="scipy").data
            rate = spread + slope["x"] * gradient[0] + slope["y"] * gradient[1] - loss * state.data + source
            return pde.ScalarField(grid, rate)

    oracle = Equation().solve(
        pde.ScalarField(grid, start), t_range=0.05, dt=0.1 / n**2, solver="euler", backend="numpy", tracker=None
    )
    system = medium((1, n, n), 1.0 / n, 1.0, 1.0, loss[None], source[None], conductance[None])
    found = implicit(system, start[None].copy(), 0.05, 1e-7)[0][0]
    return float(np.abs(found - oracle.data).max() / oracle.data.mean())


def test_py_pde_agrees_and_more_so_on_a_finer_grid() -> None:
    coarse, fine = difference(8), difference(16)
    assert coarse < 0.02
    assert fine < 0.4 * coarse
