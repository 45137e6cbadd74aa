"""Sensitivity indices on the unit cube: first-order and total-order indices of ranks, and Morris' elementary effects.

The output is replaced by its rank r among the places of a Latin hypercube, since few large values would decide about a
variance of the output itself. In r = a + sum b_i z_i + e, with z_i the places scaled to variance 1 and r likewise, b_i
is the standardised rank regression coefficient and b_i^2 the share of the variance that factor i brings alone, along a
straight line: the first-order index. All come from the same places, however many factors there are. What a group of
factors does with others as well, its total-order index, takes places where that group alone is drawn anew (Jansen's
estimator). Places that cannot be simulated are NaN in the outputs; what depends on them is left out and nothing is put
in place.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.errors import ConfigError
from abm.streams import generator

Floats = NDArray[np.float64]

LEVELS = 4
RESAMPLES = 1000
WITHIN = (0.025, 0.975)
MEASUREMENTS = 3


class Morris(NamedTuple):
    """Per factor: mean, mean size and standard deviation of its elementary effects, and how many there were."""

    mu: Floats
    mu_star: Floats
    sigma: Floats
    n: NDArray[np.intp]


class FirstOrder(NamedTuple):
    """Of one output, per factor: standardised rank regression coefficient and first-order index, its square less its
    error, which is without bias and so may fall below 0; resampled (RESAMPLES, factors): the index over the error of
    the regression.
    """

    coefficient: Floats
    share: Floats
    resampled: Floats

    @property
    def half_width(self) -> Floats:
        """Of the 95 % interval of each index."""
        low, high = np.quantile(self.resampled, WITHIN, axis=0)
        return np.asarray((high - low) / 2.0, dtype=np.float64)

    @property
    def among_largest(self) -> Floats:
        """How often each factor is among the three of the largest index."""
        return np.asarray((self.resampled >= _third(self.resampled)[:, None]).mean(axis=0), dtype=np.float64)


class TotalOrder(NamedTuple):
    """Of one output and a group of factors: total-order index of the rank, and the same over resamples."""

    share: float
    resampled: Floats


def salib(module: str) -> Any:
    """A module of SALib; ConfigError where it is not installed."""
    try:
        return import_module(f"SALib.{module}")
    except ImportError:
        problem = "sensitivity needs SALib, which is not installed: install the extra 'fit'"
        raise ConfigError(problem, expected="pip install 'hippocampus-exercise[fit]'") from None


def _problem(factors: int) -> dict[str, Any]:
    return {"num_vars": factors, "names": [str(i) for i in range(factors)], "bounds": [[0.0, 1.0]] * factors}


def latin_places(factors: int, samples: int, seed: int) -> Floats:
    """Places of a Latin hypercube, (samples, factors): each factor once in each of as many slices of its range."""
    found = salib("sample.latin").sample(_problem(factors), samples, seed=seed)
    return np.asarray(found, dtype=np.float64)


def ranks(values: Floats, among: Floats) -> Floats:
    """Ranks of values among others, scaled to mean 0 and variance 1 of the others; equal ones share their mean rank.

    All 0 where the others do not vary.
    """
    ordered = np.sort(among)
    middle = _middle(ordered, among)
    spread = middle.std()
    return (_middle(ordered, values) - middle.mean()) / spread if spread > 0.0 else np.zeros(len(values))


def _middle(ordered: Floats, values: Floats) -> Floats:
    below, upto = (np.searchsorted(ordered, values, side=side) for side in ("left", "right"))
    return np.asarray((below + upto) / 2.0, dtype=np.float64)


def first_order(places: Floats, output: Floats, seed: int) -> FirstOrder:
    """First-order indices of the rank of one output, at the places of a Latin hypercube, by ordinary least squares.

    The error may differ between places. With h the leverage of a place and e its residual, e^2 / (1 - h) stands for the
    variance there in the mean error of an index, and in the resamples, a wild bootstrap with normal draws, e / (1 - h)
    for its size as in a jackknife, as residuals hide a part of what differs. NaN where there are hardly more places
    than factors.
    """
    there = np.isfinite(output)
    factors, n = places.shape[1], int(there.sum())
    if n < factors + 3:
        nothing = np.full((RESAMPLES, factors), np.nan)
        return FirstOrder(nothing[0], nothing[0], nothing)
    rank = ranks(output[there], output[there])
    scaled = np.column_stack([np.ones(n), np.sqrt(12.0) * (places[there] - 0.5)])
    solution = np.linalg.pinv(scaled)
    coefficients = solution @ rank
    leverage = np.einsum("ij,ji->i", scaled, solution)
    residuals, free = rank - scaled @ coefficients, np.maximum(1.0 - leverage, 1e-6)
    bias = (np.square(solution[1:] * residuals) / free).sum(axis=1)
    noise = (solution[1:] * (residuals / free)).T
    draws = generator(seed, 0, "wild bootstrap").standard_normal((RESAMPLES, n))
    resampled = (coefficients[1:] + draws @ noise) ** 2 - (noise**2).sum(axis=0) - bias
    return FirstOrder(coefficients[1:], coefficients[1:] ** 2 - bias, resampled)


def total_order(output: Floats, again: Floats, seed: int) -> TotalOrder:
    """Total-order index of a group of factors, E[(r - r')^2] / 2, its share with all that it does with others.

    again: the output at the first places, with the group's factors drawn anew and the others as they were; a seed is a
    factor like others. Resampled by the bootstrap of pairs, studentised: the distance of a resample from the
    index, in its own standard errors, is laid off to the other side in those of the index, as few squares rarely hold a
    large one.
    """
    there = np.isfinite(output[: len(again)]) & np.isfinite(again)
    if not there.any():
        return TotalOrder(float("nan"), np.full(RESAMPLES, np.nan))
    among = output[np.isfinite(output)]
    pairs = (ranks(values[there], among) for values in (output[: len(again)], again))
    halves = np.square(np.subtract(*pairs)) / 2.0
    picked = generator(seed, 0, "bootstrap of pairs").integers(len(halves), size=(RESAMPLES, len(halves)))
    share, resamples = float(halves.mean()), halves[picked]
    distance, errors = resamples.mean(axis=1) - share, resamples.std(axis=1)
    scale = np.divide(halves.std(), errors, out=np.ones(RESAMPLES), where=errors > 0.0)
    return TotalOrder(share, share - distance * scale)


def _third(resampled: Floats) -> Floats:
    """The third largest index of each resample, above 0; of fewer factors the least."""
    count = min(MEASUREMENTS, resampled.shape[1])
    return np.maximum(np.sort(resampled, axis=1)[:, -count], np.finfo(float).tiny)


def morris_places(factors: int, trajectories: int, seed: int) -> Floats:
    """Places of Morris' design: per trajectory factors + 1 rows, each of which differs from the last in one factor."""
    if not trajectories:
        return np.empty((0, factors))
    found = salib("sample.morris").sample(_problem(factors), trajectories, num_levels=LEVELS, seed=seed)
    return np.asarray(found, dtype=np.float64)


def morris_effects(places: Floats, output: Floats) -> Morris:
    """Elementary effects (y' - y) / (u' - u) between neighbouring places of each trajectory, summed up per factor.

    output: one value per place; a pair with a NaN is left out. Measures are NaN for a factor without a pair, sigma for
    one with a single pair.
    """
    factors = places.shape[1]
    moves, changes = np.diff(places, axis=0), np.diff(output)
    effects: list[list[float]] = [[] for _ in range(factors)]
    for pair in range(len(moves)):
        if (pair + 1) % (factors + 1) and np.isfinite(changes[pair]):
            moved = int(np.argmax(np.abs(moves[pair])))
            effects[moved].append(float(changes[pair] / moves[pair, moved]))
    return Morris(
        np.array([np.mean(own) if own else np.nan for own in effects]),
        np.array([np.mean(np.abs(own)) if own else np.nan for own in effects]),
        np.array([np.std(own, ddof=1) if len(own) > 1 else np.nan for own in effects]),
        np.array([len(own) for own in effects], dtype=np.intp),
    )
