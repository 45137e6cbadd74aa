"""Draws from a normal distribution of several numbers of which each must lie in its range.

    density(x) ~ exp(-(x - m)' P (x - m) / 2)  where low <= x <= high, else 0

Draws of the normal itself, moved into the ranges, are refreshed number by number from the normal of one given the
others, cut off at its range (Gibbs sampling), until they have forgotten where they began. Moving alone would pile them
up at the ends. Where the ranges are wide these are draws of the normal distribution itself.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

Floats = NDArray[np.float64]

SWEEPS = 200
TAIL = 8.0  # standard deviations beyond which the normal distribution is taken as empty


def truncated_normal(
    mean: Floats, covariance: Floats, low: Floats, high: Floats, count: int, random: np.random.Generator
) -> Floats:
    """`count` independent draws, shape (count, n).

    mean, low, high: (n,); covariance: (n, n), of the normal before it is cut off. Raises LinAlgError where the
    covariance is singular and holds something other than zeros; a number without spread stays at its mean.
    """
    free = np.diag(covariance) > 0.0
    draws = np.tile(mean, (count, 1))
    if free.any():
        spread = covariance[np.ix_(free, free)]
        draws[:, free] = _refreshed(mean[free], spread, low[free], high[free], count, random)
    return draws


def _refreshed(
    mean: Floats, covariance: Floats, low: Floats, high: Floats, count: int, random: np.random.Generator
) -> Floats:
    precision = np.linalg.inv(covariance)
    deviation = 1.0 / np.sqrt(np.diag(precision))
    draws = np.clip(random.multivariate_normal(mean, covariance, count), low, high)
    for _ in range(SWEEPS):
        for place, share in enumerate(random.random((mean.size, count))):
            pull = (draws - mean) @ precision[place] - precision[place, place] * (draws[:, place] - mean[place])
            centre = mean[place] - pull / precision[place, place]
            draws[:, place] = _cut_off(centre, deviation[place], low[place], high[place], share)
    return draws


def _cut_off(centre: Floats, deviation: float, low: float, high: float, share: Floats) -> Floats:
    """The quantiles `share` of normals about `centre`, cut off at low and high; shape of centre."""
    below, above = (low - centre) / deviation, (high - centre) / deviation
    # The upper tail is looked up as the lower one, which keeps its digits.
    turned = below > 0.0
    first, last = np.where(turned, -above, below), np.where(turned, -below, above)
    share = np.where(turned, 1.0 - share, share)
    first, last = np.clip(first, -TAIL, TAIL), np.clip(last, -TAIL, TAIL)
    place = ndtri(ndtr(first) + share * (ndtr(last) - ndtr(first)))
    found: Floats = np.clip(centre + deviation * np.where(turned, -place, place), low, high)
    return found
