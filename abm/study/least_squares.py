"""Weighted least squares with priors: the most probable parameters and, by Laplace's approximation, their intervals.

    minimise  sum over rows r_i(x)^2 + sum over parameters ((x_j - x0_j) / s_j)^2

r_i: (model - published) / standard error. x: ln(value) for ranges above zero, else the value; x0: the centre of the
prior, the value before the fit or what the calibration says; s: width of the range on that scale / (2 x 1.96). The
prior is that normal distribution cut off at the range, which holds 95 % of it where x0 lies in its middle.

Near the optimum x* the residuals are taken as straight, r + J (x - x*), J holding both kinds: the posterior is normal
with covariance (J'J)^-1 about x* - (J'J)^-1 J'r, cut off at the ranges. Its centre is x* itself but where x* lies at an
end of a range, beyond which the residuals would still fall.

Rows that disagree with each other, or with any parameters, by more than their standard errors say less than those
errors have it: where the sum of squares of the rows exceeds its expectation, rows less the parameters that they
determine (sum over parameters of 1 - C_jj), the posterior is that of errors widened by the root of that ratio (Birge
1932), about the same most probable values.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from abm.streams import generator
from abm.study.priors import NORMAL, Prior, from_scale, to_scale
from abm.study.truncated_normal import truncated_normal

Floats = NDArray[np.float64]
Residuals = Callable[[Floats], Floats]
Mapped = Callable[[Residuals, Iterable[Floats]], Iterable[Floats]]

DRAWS = 500
MANY_DRAWS = 20_000  # from which the intervals are taken
STEP = 0.02  # of finite differences, in prior standard deviations
INSIDE = 0.01  # of a range, from its ends, where the search may begin
AT_END = 1e-3  # of a range, from its ends, within which the search has ended there
ROUNDS = 30  # most evaluations of the gradient


class Laplace(NamedTuple):
    """The posterior of a least-squares fit, in the units of the priors.

    point, low, high: (parameters,), the most probable values and the 95 % intervals of the posterior, widened where
    they leave the point out. covariance: of the parameters in prior standard deviations, on the scale of the
    fit, before it is cut off. draws: (500, parameters), equally weighted, of the posterior.
    cost_after: sum of squared residuals of the rows, in their published errors. determined: how many parameters the
    rows determine. widened: factor by which the errors were widened.
    """

    point: Floats
    low: Floats
    high: Floats
    covariance: Floats
    draws: Floats
    cost_after: float
    determined: float
    widened: float

    @property
    def shrinkage(self) -> Floats:
        """Posterior over prior standard deviation of each parameter, (parameters,): 1 where the rows say nothing."""
        return np.sqrt(np.diag(self.covariance))


def fit_least_squares(residuals: Residuals, priors: Sequence[Prior], *, seed: int, mapped: Mapped = map) -> Laplace:
    """The posterior of the parameters.

    residuals: numbers (parameters,) in the units of the priors -> residuals (rows,) in standard errors; mapped: a
    `map` for the finite differences. Raises what `residuals` raises.
    """
    scale = _Scale(priors)
    low, high = scale.place(scale.low), scale.place(scale.high)
    # A search that begins on the end of a range does not leave it, and stops as if it had arrived.
    start = np.clip(scale.place(scale.middle), low + INSIDE * (high - low), high - INSIDE * (high - low))

    def both(u: Floats) -> Floats:
        return np.concatenate([residuals(scale.number(u)), u])

    def slopes(u: Floats) -> Floats:
        steps = np.where(u + STEP <= high, STEP, -STEP)
        base = residuals(scale.number(u))
        places = [scale.number(u + step * unit) for step, unit in zip(steps, np.eye(len(u)), strict=True)]
        columns = [(row - base) / step for row, step in zip(mapped(residuals, places), steps, strict=True)]
        return np.vstack([np.array(columns).T.reshape(len(base), len(u)), np.eye(len(u))])

    found = least_squares(both, start, slopes, bounds=(low, high), max_nfev=ROUNDS, xtol=1e-4, ftol=1e-4)
    rows = len(found.fun) - len(priors)
    jacobian, squares = np.asarray(found.jac, np.float64), float(np.sum(found.fun[:rows] ** 2))
    determined = len(priors) - float(np.trace(_covariance(jacobian, rows, 1.0)))
    freedom = rows - determined
    widened = math.sqrt(squares / freedom) if squares > freedom >= 1.0 else 1.0
    covariance = _covariance(jacobian, rows, widened)
    # Inside the range the most probable value is the centre. At an end, where the slope is not 0, it lies beyond.
    at_end = np.minimum(found.x - low, high - found.x) < AT_END * (high - low)
    slope = jacobian[:rows].T @ found.fun[:rows] / widened**2 + jacobian[rows:].T @ found.fun[rows:]
    centre = found.x - covariance @ np.where(at_end, slope, 0.0)
    draws = truncated_normal(centre, covariance, low, high, MANY_DRAWS, generator(seed, 0, "laplace"))
    below, above = np.quantile(draws, (0.025, 0.975), axis=0)
    return Laplace(
        scale.number(found.x),
        scale.number(np.minimum(below, found.x)),
        scale.number(np.maximum(above, found.x)),
        covariance,
        np.array([scale.number(draw) for draw in draws[:DRAWS]]),
        squares,
        determined,
        widened,
    )


def _covariance(jacobian: Floats, rows: int, widened: float) -> Floats:
    """Covariance of the parameters where the errors of the rows, which come first, are widened by a factor."""
    slopes = np.concatenate([jacobian[:rows] / widened, jacobian[rows:]])
    return np.asarray(np.linalg.inv(slopes.T @ slopes), np.float64)


class _Scale:
    """Parameters in prior standard deviations from the middle of their priors."""

    def __init__(self, priors: Sequence[Prior]) -> None:
        self.logarithmic = [prior.is_positive for prior in priors]
        self.middle, self.low, self.high = (
            np.array([getattr(prior, name) for prior in priors], np.float64) for name in ("middle", "low", "high")
        )
        self.centre, low, high = (self._scaled(ends) for ends in (self.middle, self.low, self.high))
        self.deviation = (high - low) / (2.0 * NORMAL)

    def _scaled(self, numbers: Floats) -> Floats:
        return np.array([to_scale(float(x), log) for x, log in zip(numbers, self.logarithmic, strict=True)])

    def place(self, numbers: Floats) -> Floats:
        """Numbers in the units of the priors -> prior standard deviations from the middle."""
        place: Floats = (self._scaled(numbers) - self.centre) / self.deviation
        return place

    def number(self, place: Floats) -> Floats:
        """The inverse of `place`, within the ranges."""
        scaled = self.centre + place * self.deviation
        numbers = np.array([from_scale(float(x), log) for x, log in zip(scaled, self.logarithmic, strict=True)])
        within: Floats = np.clip(numbers, self.low, self.high)
        return within
