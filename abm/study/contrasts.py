"""Means and paired contrasts over replicates, with their uncertainty.

Every schedule runs on the same tissues with the same draws (common random numbers), so replicate r of
a schedule is compared with replicate r of the reference, and the spread between tissues cancels. Effects
are ratios, hence they are compared on the logarithmic scale:

    d_r = ln(x_r / ref_r),   ratio = exp(mean d),   interval = exp(mean d +- t(0.975, n-1) sd(d) / sqrt(n)).

What cannot be said is left out (NaN), never replaced: no interval from one replicate, no ratio of values
that are not positive or of which one is nothing beside the other, no p value where the replicates do not differ at all.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
CONFIDENCE = 0.95
ROUNDING = 1e-12
NOTHING = 1e-6  # share of the other value below which one is what is left of a decay and not a level
NAN = math.nan


class Mean(NamedTuple):
    """Mean over replicates and its confidence interval (Student's t); all NaN where nothing finished."""

    n: int
    mean: float
    low: float
    high: float


class Contrast(NamedTuple):
    """Geometric mean of the paired ratios, its interval, and the p value of the two-sided paired t test (ratio = 1)."""

    ratio: float
    low: float
    high: float
    p_value: float


NO_CONTRAST = Contrast(NAN, NAN, NAN, NAN)


def mean_over_replicates(values: Sequence[float]) -> Mean:
    """Mean and 95 % interval of the finite values; the interval needs two of them."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return Mean(0, NAN, NAN, NAN)
    mean, half = _mean_and_half_width(finite)
    return Mean(len(finite), mean, mean - half, mean + half)


def paired_ratio(values: Sequence[float], reference: Sequence[float]) -> Contrast:
    """Ratio of `values` to `reference`, paired by position (replicate).

    Pairs with a missing (NaN) member are left out; one pair with a value that is not above nothing makes the ratio
    undefined for all, since leaving out just that pair would bias it.
    """
    pairs = [(v, r) for v, r in zip(values, reference, strict=True) if math.isfinite(v) and math.isfinite(r)]
    if not pairs or any(min(v, r) <= NOTHING * max(v, r, 0.0) for v, r in pairs):
        return NO_CONTRAST
    logs = [math.log(v / r) for v, r in pairs]
    mean, half = _mean_and_half_width(logs)
    return Contrast(math.exp(mean), math.exp(mean - half), math.exp(mean + half), _p_value(mean, half, len(logs)))


def _mean_and_half_width(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, NAN
    # Values that differ by no more than rounding are equal: their spread must not pass for certainty.
    if max(values) - min(values) <= ROUNDING * max(1.0, abs(mean)):
        return mean, 0.0
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    return mean, t_quantile(n - 1) * spread / math.sqrt(n)


def _p_value(mean: float, half: float, n: int) -> float:
    """Two-sided p of the one-sample t test; NaN where it is not defined (one pair, or no spread at all)."""
    if not half > 0.0:
        return NAN
    from scipy.special import stdtr

    return float(2.0 * stdtr(n - 1, -abs(mean) * t_quantile(n - 1) / half))


@cache
def t_quantile(freedom: int) -> float:
    """Student's t at the upper end of the 95 % interval for `freedom` degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + CONFIDENCE / 2.0))


def ratio_of_means(part: Floats, total: Floats) -> tuple[float, float, float]:
    """mean(part) / mean(total) over replicates and Fieller's 95 % interval; all NaN where the total is zero.

    The interval holds every ratio r for which mean(part - r total) cannot be told from zero (paired t test). It is NaN
    for a single replicate, and where the total itself cannot be told from zero, since it then has no ends.
    """
    n = len(total)
    if not n or not total.mean():
        return NAN, NAN, NAN
    a, b = float(part.mean()), float(total.mean())
    if n < 2:
        return a / b, NAN, NAN
    (aa, ab), (_, bb) = t_quantile(n - 1) ** 2 * np.cov(part, total, ddof=1) / n
    if b * b <= bb:
        return a / b, NAN, NAN
    centre, spread = a * b - ab, math.sqrt(max((a * b - ab) ** 2 - (b * b - bb) * (a * a - aa), 0.0))
    return a / b, float((centre - spread) / (b * b - bb)), float((centre + spread) / (b * b - bb))
