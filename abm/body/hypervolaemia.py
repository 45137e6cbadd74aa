"""Plasma gained after exercise: for days there is more of it than before, and what it carries is diluted.

Exercise that drives plasma out of the vessels moves albumin into them, which draws water after it over the hours that
follow: plasma is back at its volume an hour after intense intervals and a tenth above it a day later (Gillen 1991,
gillen1991). The larger the loss, the larger the gain (Fellmann 1992, fellmann1992), and more than in proportion, or
strolling would fill the vessels as hard training does; once training stops the gain is lost over days to weeks
(Cullinane 1986, cullinane1986; Houmard 1992, houmard1992). Both stages are linear between changes of exercise and
solved exactly.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.elementary import exponential, power
from abm.parameters import Unit

Vector = NDArray[np.float64]

NEARLY_EQUAL = 1e-3  # of two rates times the time, below which the difference of their exponentials is a series


class HypervolaemiaParameters(NamedTuple):
    """Constants of the gain of plasma; sources in configs/parameters/body_hypervolaemia.yaml."""

    largest_plasma_gain: Annotated[float, Unit("1")]
    protein_gain: Annotated[float, Unit("1/h")]
    protein_gain_exponent: Annotated[float, Unit("1")]
    filling_time: Annotated[float, Unit("h")]
    protein_loss_time: Annotated[float, Unit("h")]


def plasma_gain(p: HypervolaemiaParameters, times: Vector, loss: Vector) -> Vector:
    """Plasma gained as a share of that at the first time, at the ends of the intervals of `times` (n + 1, h): (n,).

        q' = k l^n (1 - q) - q / tau_q      protein in the vessels above its resting content, 0 at rest and 1 at most
        h' = (H q - h) / tau_h              water follows it

    loss l: (n,), what cycling as hard as in each interval drives out in the long run, as a share of the largest loss;
    running, which drives out less, leaves as much (Nelson 2023, nelson2023). At the first time there is no gain: a
    subject is as he was used to live.
    """
    gains, protein, gained = np.empty_like(loss), 0.0, 0.0
    # Most intervals are alike, hours of rest cut into the same steps.
    intervals = list(zip(loss.tolist(), np.diff(times).tolist(), strict=True))
    solved = {interval: _interval(p, *interval) for interval in set(intervals)}
    for i, interval in enumerate(intervals):
        held, protein_left, water_left, overlap = solved[interval]
        above, limit = protein - held, p.largest_plasma_gain * held
        gained = limit + (gained - limit) * water_left + p.largest_plasma_gain * above * overlap
        protein = held + above * protein_left
        gains[i] = gained
    return gains


def _interval(p: HypervolaemiaParameters, loss: float, length: float) -> tuple[float, float, float, float]:
    """Of an interval: protein held in the long run, shares of protein and water that it leaves, and their overlap."""
    entering = p.protein_gain * power(loss, p.protein_gain_exponent)
    rate, filling = entering + 1.0 / p.protein_loss_time, 1.0 / p.filling_time
    left, water_left = exponential(-rate * length), exponential(-filling * length)
    return entering / rate, left, water_left, filling * _difference(rate, filling, length)


def _difference(one: float, other: float, time: float) -> float:
    """(e^(-one t) - e^(-other t)) / (other - one), the convolution of the two; t e^(-other t) where they are equal."""
    x = (other - one) * time
    if abs(x) < NEARLY_EQUAL:
        return time * exponential(-other * time) * (1.0 + x / 2.0 + x * x / 6.0)
    return (exponential(-one * time) - exponential(-other * time)) / (other - one)
