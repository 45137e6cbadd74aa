"""Sensitivity indices on the unit cube: Morris' elementary effects, then Sobol's indices, with SALib.

Places that cannot be simulated are NaN in the outputs; what depends on them is left out and nothing is put in place.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.errors import ConfigError

Floats = NDArray[np.float64]

LEVELS = 4
MOST_IMPORTANT = 10
COVERED = 0.95
RESAMPLES = 500
MOST_UNCERTAIN = 0.3  # half-width of the 95 % interval of a total-order index that is still used
INDICES = ("S1", "S1_conf", "ST", "ST_conf")


class Morris(NamedTuple):
    """Per factor: mean, mean size and standard deviation of its elementary effects, and how many there were."""

    mu: Floats
    mu_star: Floats
    sigma: Floats
    n: NDArray[np.intp]


class Sobol(NamedTuple):
    """Per factor: first-order and total-order index with half-widths of their 95 % bootstrap intervals, and how many
    base samples were complete.
    """

    first: Floats
    first_confidence: Floats
    total: Floats
    total_confidence: Floats
    n: int


def salib(module: str) -> Any:
    """A module of SALib; ConfigError where it is not installed."""
    try:
        return import_module(f"SALib.{module}")
    except ImportError:
        problem = "sensitivity needs SALib, which is not installed: install the extra 'fit'"
        raise ConfigError(problem, expected="pip install 'hippocampus-exercise[fit]'") from None


def _problem(factors: int) -> dict[str, Any]:
    return {"num_vars": factors, "names": [str(i) for i in range(factors)], "bounds": [[0.0, 1.0]] * factors}


def morris_places(factors: int, trajectories: int, seed: int) -> Floats:
    """Places of Morris' design: per trajectory factors + 1 rows, each of which differs from the last in one factor."""
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


def most_important(mu_star: Sequence[Floats]) -> tuple[list[int], float]:
    """Factors that matter, strongest first, and the part of the effects that they cover.

    Effects of each output are measured in parts of their sum and averaged over outputs; as many factors are taken as
    cover 95 % of it, at most ten, none without effect.
    """
    parts = [np.nan_to_num(own) / np.nansum(own) for own in mu_star if np.nansum(own) > 0.0]
    if not parts:
        return [], 0.0
    weight = np.mean(parts, axis=0)
    order = np.argsort(-weight, kind="stable")
    enough = int(np.searchsorted(np.cumsum(weight[order]), COVERED - 1e-12)) + 1
    chosen = [int(i) for i in order[: min(enough, MOST_IMPORTANT)] if weight[i] > 0.0]
    return chosen, float(weight[chosen].sum())


def sobol_places(factors: int, samples: int, seed: int) -> Floats:
    """Places of Saltelli's design: per base sample factors + 2 rows. samples: a power of two."""
    found = salib("sample.sobol").sample(_problem(factors), samples, calc_second_order=False, seed=seed)
    return np.asarray(found, dtype=np.float64)


def sobol_indices(factors: int, output: Floats, seed: int) -> Sobol:
    """First-order and total-order indices of one output; a base sample with a NaN among its rows is left out.

    An output that does not vary has no variance to share: all indices are zero. NaN with fewer than two samples.
    """
    rows = output.reshape(-1, factors + 2)
    rows = rows[np.isfinite(rows).all(axis=1)]
    if len(rows) < 2:
        return _same(factors, np.nan, len(rows))
    if np.ptp(rows) == 0.0:
        return _same(factors, 0.0, len(rows))
    with np.errstate(all="ignore"):  # a resample may happen to hold equal outputs only
        found = salib("analyze.sobol").analyze(
            # SALib takes 0 for no seed at all, and would draw what nobody can repeat.
            _problem(factors), rows.ravel(), calc_second_order=False, num_resamples=RESAMPLES, seed=max(seed, 1)
        )
    first, first_confidence, total, total_confidence = (np.asarray(found[key]) for key in INDICES)
    return Sobol(first, first_confidence, total, total_confidence, len(rows))


def _same(factors: int, value: float, n: int) -> Sobol:
    same = np.full(factors, value)
    return Sobol(same, same, same, same, n)


def can_share(sobol: Sobol | None) -> bool:
    """Whether total-order indices are there, not all zero, and known to +- 0.3 or better, so that they can be used."""
    if sobol is None or not len(sobol.total) or not np.isfinite(sobol.total).all():
        return False
    return bool(sobol.total.max() > 0.0 and sobol.total_confidence.max() <= MOST_UNCERTAIN)


def variance_shares(morris: Morris, chosen: Sequence[int], sobol: Sobol | None) -> Floats:
    """Share of each factor in the variance of an output; they sum to 1, or are all 0 where nothing varies.

    Of all factors the square of their mean effect, for which mu^2 - sigma^2 / n of n effects is the estimate without
    bias, nothing where that is negative. A factor with a single effect, as its other points failed, counts nothing
    beside those whose error is known. For an output that is a sum of straight lines it is the share of variance; mu*^2
    would add up luck, which moves every place a little, by the number of factors. The part that the chosen ones have in
    it is then divided among them in proportion to their total-order indices, where these are well known.
    """
    error = np.nan_to_num(morris.sigma) ** 2 / np.maximum(morris.n, 1)
    squares: Floats = np.maximum(np.nan_to_num(morris.mu) ** 2 - error, 0.0)
    if (morris.n > 1).any():
        squares[morris.n == 1] = 0.0
    if squares.sum() == 0.0:
        return squares
    shares: Floats = squares / squares.sum()
    if sobol is not None and can_share(sobol):
        total = np.clip(sobol.total, 0.0, None)
        shares[list(chosen)] = shares[list(chosen)].sum() * total / total.sum()
    return shares
