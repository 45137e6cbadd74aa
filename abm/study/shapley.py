"""Fair shares of a joint effect: Shapley values and Shapley interaction indices of a cooperative game.

A game gives every coalition S of players a worth v(S). Here players are signals, a coalition is the set of signals that
are let through to the tissue, and its worth is an effect on the logarithmic scale, one number per replicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from math import factorial

import numpy as np
from numpy.typing import NDArray

Coalition = frozenset[str]
Floats = NDArray[np.float64]
Game = Mapping[Coalition, Floats]


def coalitions(players: Iterable[str]) -> list[Coalition]:
    """All 2^n sets of players, from the empty one to the one of all."""
    names = list(players)
    return [frozenset(chosen) for size in range(len(names) + 1) for chosen in combinations(names, size)]


def shapley_values(players: Sequence[str], worth: Game) -> dict[str, Floats]:
    """Shapley value of each player.

        phi_i = sum over S without i of  |S|! (n - |S| - 1)! / n!  (v(S + i) - v(S))

    i's mean contribution over all orders in which the players could join. They sum to v(all) - v(none), equal players
    get equal values, a player who never changes anything gets zero, and the values of a sum of games are sums of values
    (Shapley 1953: the only shares with these four properties).

    worth: coalition -> v, arrays of one shape (one number per replicate), for every coalition of the players.
    """
    n = len(players)
    values = {}
    for player in players:
        without = coalitions(other for other in players if other != player)
        weights = [factorial(len(s)) * factorial(n - len(s) - 1) / factorial(n) for s in without]
        gains = [worth[s | {player}] - worth[s] for s in without]
        values[player] = _weighted(weights, gains)
    return values


def interaction_indices(players: Sequence[str], worth: Game) -> dict[tuple[str, str], Floats]:
    """Shapley interaction index of each pair (Grabisch and Roubens): what two do together beyond what each does alone.

        I_ij = sum over S without i, j of  |S|! (n - |S| - 2)! / (n - 1)!  (v(S+i+j) - v(S+i) - v(S+j) + v(S))

    Positive: the two help each other; negative: one makes the other superfluous. worth as in `shapley_values`.
    """
    n = len(players)
    values = {}
    for first, second in combinations(players, 2):
        without = coalitions(other for other in players if other not in (first, second))
        weights = [factorial(len(s)) * factorial(n - len(s) - 2) / factorial(n - 1) for s in without]
        gains = [worth[s | {first, second}] - worth[s | {first}] - worth[s | {second}] + worth[s] for s in without]
        values[first, second] = _weighted(weights, gains)
    return values


def _weighted(weights: Sequence[float], gains: Sequence[Floats]) -> Floats:
    return np.asarray(np.tensordot(np.array(weights), np.stack(gains), axes=1))
