"""The one-sink test shared by PhysiCell, Chaste, BioDynaMo and others (PerMedCoE, observatory_benchmark).

A box of 60 um without flux through its walls, 27 voxels of 20 um, 10 umol/L everywhere at first, D = 2000 um^2/min,
steps of 0.01 min, and a cell in the middle voxel that takes up the substance. Its specification gives the uptake as
"20 uM/min" and as "20 uM/0.01 min", and does not say whether the rate depends on what is left. Both units are run:

    20 uM/min, whatever the concentration (order 0), while it lasts
    20 uM/min at 10 uM, in proportion to the concentration (order 1): 2 /min
    20 uM/0.01 min at 10 uM, in proportion: 200 /min

The fourth reading, 20 uM/0.01 min whatever the concentration, has no solution: see the last test.
"""

import numpy as np
import pytest
from media import advance, medium, rate_matrix
from scipy.integrate import solve_ivp

VOXEL, D, START, STEP, MINUTES = 20.0, 2000.0, 10.0, 0.01, 3.0
MIDDLE = (1, 1, 1)


def sink(order: int, per_minute: float):
    source, loss = np.zeros((3, 3, 3)), np.zeros((3, 3, 3))
    if order == 0:
        source[MIDDLE] = -per_minute
    else:
        loss[MIDDLE] = per_minute / START
    return medium((3, 3, 3), VOXEL, D, 1.0, loss, source)


READINGS = {
    "20 uM/min, order 0": sink(0, 20.0),
    "20 uM/min, order 1": sink(1, 20.0),
    "20 uM/0.01 min, order 1": sink(1, 20.0 / 0.01),
}


@pytest.mark.parametrize("reading", READINGS)
def test_one_sink(reading: str) -> None:
    system = READINGS[reading]
    matrix, supply = rate_matrix(system), system.source
    times = np.linspace(0.0, MINUTES, round(MINUTES / STEP) + 1)
    oracle = solve_ivp(
        lambda _, c: matrix @ c + supply, (0.0, MINUTES), np.full(27, START), "Radau", times, rtol=1e-10, atol=1e-10
    ).y.reshape(3, 3, 3, -1)
    c, taken = np.full((3, 3, 3), START), 0.0
    for step in range(1, len(times)):
        before = c.sum()
        integral, _ = advance(system, c, STEP, 1e-8)
        uptake = (system.loss * integral.ravel()).sum() - system.source.sum() * STEP
        taken += uptake
        assert before - c.sum() == pytest.approx(uptake, abs=1e-11)
        assert c[MIDDLE] == pytest.approx(oracle[(*MIDDLE, step)], rel=2e-5, abs=1e-6)
        assert c.mean() == pytest.approx(oracle[..., step].mean(), rel=2e-5)
    assert taken + c.sum() == pytest.approx(27 * START, rel=1e-12)
    assert c.min() >= 0.0


def test_the_middle_falls_first_and_the_corners_last() -> None:
    c = np.full((3, 3, 3), START)
    advance(READINGS["20 uM/min, order 1"], c, 1.0, 1e-6)
    assert c[1, 1, 1] < c[0, 1, 1] < c[0, 0, 1] < c[0, 0, 0]


def test_the_last_reading_asks_for_more_than_diffusion_can_bring() -> None:
    """At 10 uM outside and nothing inside, six faces bring 6 D/dx^2 x 10 uM = 300 uM/min; 2000 uM/min are asked for.

    The equation then has negative concentrations for its solution, which no cell can take up.
    """
    system = sink(0, 20.0 / 0.01)
    matrix, supply = rate_matrix(system), system.source
    course = solve_ivp(lambda _, c: matrix @ c + supply, (0.0, STEP), np.full(27, START), "Radau", rtol=1e-8).y
    assert course[:, -1].reshape(3, 3, 3)[MIDDLE] < 0.0
