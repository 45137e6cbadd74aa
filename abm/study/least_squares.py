"""Weighted least squares with priors: the most probable parameters and, by Laplace's approximation, their intervals.

    minimise  sum over rows r_i(x)^2 + sum over parameters ((x_j - x0_j) / s_j)^2

r_i: (model - published) / standard error. x: ln(value) for ranges above zero, else the value; x0: the centre of the
prior, the value before the fit or what the calibration says; s: width of the range on that scale / (2 x 1.96), so that
the range holds 95 % of the prior where x0 lies in its middle. Near the optimum the posterior is normal with covariance
(J'J)^-1, J holding both kinds of residuals, and cut off at the ranges. Where the optimum lies at an end of a range the
residuals would still fall beyond it, and the true posterior is narrower there.
"""

from __future__ import annotations

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
STEP = 0.02  # of finite differences, in prior standard deviations
ROUNDS = 30  # most evaluations of the gradient


class Laplace(NamedTuple):
    """The posterior of a least-squares fit, in the units of the priors.

    point, low, high: (parameters,), the most probable values and 95 % intervals within the ranges. covariance: of the
    parameters in prior standard deviations, on the scale of the fit. draws: (500, parameters), equally weighted, of the
    normal distribution with that covariance within the ranges.
    cost_before, cost_after: sum of squared residuals of the rows. sensitivity: (rows, parameters), change of each
    residual per prior standard deviation.
    """

    point: Floats
    low: Floats
    high: Floats
    covariance: Floats
    draws: Floats
    cost_before: float
    cost_after: float
    sensitivity: Floats

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
    start, low, high = scale.place(scale.value), scale.place(scale.low), scale.place(scale.high)

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
    jacobian = np.asarray(found.jac, np.float64)
    covariance = np.asarray(np.linalg.inv(jacobian.T @ jacobian), np.float64)
    spread = NORMAL * np.sqrt(np.diag(covariance))
    draws = truncated_normal(found.x, covariance, low, high, DRAWS, generator(seed, 0, "laplace"))
    return Laplace(
        scale.number(found.x),
        scale.number(np.clip(found.x - spread, low, high)),
        scale.number(np.clip(found.x + spread, low, high)),
        covariance,
        np.array([scale.number(draw) for draw in draws]),
        float(np.sum(residuals(scale.value) ** 2)),
        float(np.sum(found.fun[:rows] ** 2)),
        jacobian[:rows],
    )


class _Scale:
    """Parameters in prior standard deviations from their values before the fit."""

    def __init__(self, priors: Sequence[Prior]) -> None:
        self.logarithmic = [prior.is_positive for prior in priors]
        self.value, self.low, self.high = (
            np.array([getattr(prior, name) for prior in priors], np.float64) for name in ("value", "low", "high")
        )
        self.centre, low, high = (self._scaled(ends) for ends in (self.value, self.low, self.high))
        self.deviation = (high - low) / (2.0 * NORMAL)

    def _scaled(self, numbers: Floats) -> Floats:
        return np.array([to_scale(float(x), log) for x, log in zip(numbers, self.logarithmic, strict=True)])

    def place(self, numbers: Floats) -> Floats:
        """Numbers in the units of the priors -> prior standard deviations from the values before the fit."""
        place: Floats = (self._scaled(numbers) - self.centre) / self.deviation
        return place

    def number(self, place: Floats) -> Floats:
        """The inverse of `place`, within the ranges."""
        scaled = self.centre + place * self.deviation
        numbers = np.array([from_scale(float(x), log) for x, log in zip(scaled, self.logarithmic, strict=True)])
        within: Floats = np.clip(numbers, self.low, self.high)
        return within
