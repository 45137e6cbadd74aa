"""How far a prediction lies from a published result, as a number to be made small by a fit.

    ratio, value   ln(predicted / published) / SE,  SE = (ln high - ln low) / (2 x 1.96); plain numbers if not above 0,
                   and of standardised differences, whose errors are even to both sides
    up, down       sqrt(-2 ln P), P the chance that a t test of the published size finds the effect (Student's t off
                   centre by the effect over its standard error); where its size is not published, what is missing to
                   an effect of 3 %, which a few paired replicates tell from none
    none           sqrt(-2 ln P/0.95), P = Phi((ln high - ln ratio)/SE) - Phi((ln low - ln ratio)/SE): the chance that a
                   study whose interval is as wide as the limits finds none; where only one is given, P/0.975

so that the sum of squares is -2 ln of the likelihood of what was published, directions and absent effects included. A
direction that is all but met still bends that sum, which squares of slopes do not see: an interval that rests on such
rows alone is up to a third too wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import nct

from abm.study.score import NORMAL, Published, standard_errors

CLEAR_EFFECT = 0.03
# Beyond this a row that cannot be met would decide over all the others.
FARTHEST = 5.0
# Surprise at a result that was as good as impossible: what the tail of the distribution can still be computed for.
UNLIKELIEST = 30.0


def residual(seen: Published, predicted: float) -> float:
    """Distance of a prediction from one published result in standard errors; NaN where nothing was predicted."""
    if math.isnan(predicted):
        return math.nan
    if seen.directed:
        return _missing_effect(seen, predicted)
    if seen.kind == "none":
        return _outside(seen, predicted)
    numbers = (predicted, seen.observed, seen.low, seen.high)
    if seen.kind == "ratio":
        return standard_errors(*map(_log, numbers)) if predicted > 0.0 else -FARTHEST
    positive = predicted > 0.0 and seen.observed > 0.0 and seen.low > 0.0
    return standard_errors(*(map(math.log, numbers) if positive and not seen.standardised else numbers))


def distance(seen: Sequence[Published], predicted: NDArray[np.float64]) -> float:
    """Root mean square of the residuals of all rows, each at most 5; a row without a prediction counts as 5.

    predicted: shape (rows,).
    """
    found = [residual(row, float(value)) for row, value in zip(seen, predicted, strict=True)]
    squares = [min(abs(value), FARTHEST) ** 2 if math.isfinite(value) else FARTHEST**2 for value in found]
    return math.sqrt(sum(squares) / len(squares))


def _log(number: float) -> float:
    """The logarithm; that of zero, the low end of an interval that is open there, is minus infinity."""
    return math.log(number) if number > 0.0 else -math.inf


def _missing_effect(seen: Published, ratio: float) -> float:
    sign = 1.0 if seen.kind == "up" else -1.0
    if ratio <= 0.0:
        return UNLIKELIEST if sign > 0.0 else 0.0
    if seen.smallest_effect == 0.0:
        return max(0.0, 1.0 - sign * math.log(ratio) / CLEAR_EFFECT)
    needed = seen.t(math.exp(seen.smallest_effect))
    return _surprise(float(nct.sf(needed, seen.freedom, sign * seen.t(ratio))))


def _outside(seen: Published, ratio: float) -> float:
    if ratio <= 0.0:
        return UNLIKELIEST
    low, high, effect = _log(seen.low), _log(seen.high), math.log(ratio)
    ends = [end for end in (low, high) if math.isfinite(end)]
    if not ends:
        return 0.0
    # Open to one side it is as wide as its other end lies from no effect.
    error = (high - low) / (2.0 * NORMAL) if len(ends) == 2 else abs(ends[0]) / NORMAL
    # From the far side of the distribution, where differences keep their digits.
    if effect < 0.5 * (low + high) or high == math.inf:
        low, high, effect = -high, -low, -effect
    chance = _normal((high - effect) / error) - _normal((low - effect) / error)
    return _surprise(min(chance / (0.95 if len(ends) == 2 else 0.975), 1.0))


def _surprise(chance: float) -> float:
    return math.sqrt(-2.0 * math.log(chance)) if chance > math.exp(-0.5 * UNLIKELIEST**2) else UNLIKELIEST


def _normal(x: float) -> float:
    """The normal distribution function, with its digits in the lower tail."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))
