"""Shapley values are those of the four axioms, whatever the game."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abm.study.shapley import Game, coalitions, interaction_indices, shapley_values

PLAYERS = ("bhb", "lactate", "irisin", "cortisol", "input_activity")
REPLICATES = 3
seeds = st.integers(0, 2**32 - 1)


def random_game(seed: int, players: tuple[str, ...] = PLAYERS) -> dict[frozenset[str], np.ndarray]:
    draw = np.random.default_rng(seed)
    return {coalition: draw.normal(size=REPLICATES) for coalition in coalitions(players)}


def in_order_of_joining(players: tuple[str, ...], game: Game) -> dict[str, np.ndarray]:
    """Shapley values by their definition: the mean gain over every order in which the players join."""
    orders = list(permutations(players))
    gains = {player: np.zeros(REPLICATES) for player in players}
    for order in orders:
        for place, player in enumerate(order):
            before = frozenset(order[:place])
            gains[player] += game[before | {player}] - game[before]
    return {player: gain / len(orders) for player, gain in gains.items()}


def test_coalitions_are_all_subsets() -> None:
    found = coalitions(PLAYERS)
    assert len(found) == len(set(found)) == 32
    assert found[0] == frozenset()
    assert found[-1] == frozenset(PLAYERS)
    assert coalitions(()) == [frozenset()]


@given(seeds)
def test_values_are_mean_gains_over_all_orders(seed: int) -> None:
    players = PLAYERS[:4]
    game = random_game(seed, players)
    expected = in_order_of_joining(players, game)
    for player, value in shapley_values(players, game).items():
        np.testing.assert_allclose(value, expected[player], atol=1e-12)


@given(seeds)
def test_efficiency(seed: int) -> None:
    game = random_game(seed)
    total = sum(shapley_values(PLAYERS, game).values())
    np.testing.assert_allclose(total + game[frozenset()], game[frozenset(PLAYERS)], atol=1e-12)


@given(seeds)
def test_symmetry(seed: int) -> None:
    """Two players who can stand for each other get the same."""
    game = random_game(seed)
    swap = {"bhb": "lactate", "lactate": "bhb"}
    symmetric = {s: game[s] + game[frozenset(swap.get(name, name) for name in s)] for s in game}
    values = shapley_values(PLAYERS, symmetric)
    np.testing.assert_allclose(values["bhb"], values["lactate"], atol=1e-12)


@given(seeds)
def test_a_dummy_gets_what_it_brings_alone(seed: int) -> None:
    rest = random_game(seed, PLAYERS[:4])
    game = {s: rest[s - {"input_activity"}] + (0.5 if "input_activity" in s else 0.0) for s in coalitions(PLAYERS)}
    values = shapley_values(PLAYERS, game)
    np.testing.assert_allclose(values["input_activity"], 0.5, atol=1e-12)
    without = shapley_values(PLAYERS[:4], rest)
    for player in PLAYERS[:4]:
        np.testing.assert_allclose(values[player], without[player], atol=1e-12)


@given(seeds, seeds)
def test_additivity(first: int, second: int) -> None:
    one, other = random_game(first), random_game(second)
    both = {s: one[s] + other[s] for s in one}
    a, b, c = (shapley_values(PLAYERS, game) for game in (one, other, both))
    for player in PLAYERS:
        np.testing.assert_allclose(a[player] + b[player], c[player], atol=1e-12)


def test_known_game() -> None:
    """A glove game: one left glove, two right ones; a pair is worth 1. Its values are 2/3, 1/6 and 1/6."""
    players = ("left", "right", "spare")
    game = {s: np.array([float("left" in s and len(s) > 1)]) for s in coalitions(players)}
    values = {player: float(value[0]) for player, value in shapley_values(players, game).items()}
    assert values == pytest.approx({"left": 2 / 3, "right": 1 / 6, "spare": 1 / 6})


@given(seeds)
def test_players_who_only_add_up_do_not_interact(seed: int) -> None:
    own = dict(zip(PLAYERS, np.random.default_rng(seed).normal(size=(5, REPLICATES)), strict=True))
    game = {s: np.sum([own[p] for p in s], axis=0) if s else np.zeros(REPLICATES) for s in coalitions(PLAYERS)}
    for index in interaction_indices(PLAYERS, game).values():
        np.testing.assert_allclose(index, 0.0, atol=1e-12)


def test_interaction_of_two_players_is_what_they_do_together() -> None:
    game = {frozenset(): 1.0, frozenset("a"): 2.0, frozenset("b"): 4.0, frozenset("ab"): 8.0}
    found = interaction_indices(("a", "b"), {s: np.array([v]) for s, v in game.items()})
    assert found["a", "b"].tolist() == [8.0 - 2.0 - 4.0 + 1.0]


def test_interaction_weighs_coalitions_as_orders_of_joining_do() -> None:
    """Players who only count together, all n of them: every pair has 1 / (n - 1) of it (Grabisch and Roubens 1999)."""
    for count in (2, 3, 4, 5):
        players = PLAYERS[:count]
        game = {s: np.array([float(len(s) == count)]) for s in coalitions(players)}
        for index in interaction_indices(players, game).values():
            assert float(index[0]) == pytest.approx(1.0 / (count - 1))


def test_a_single_player_gets_everything() -> None:
    game = {frozenset(): np.array([0.25]), frozenset("a"): np.array([1.0])}
    assert shapley_values(("a",), game)["a"].tolist() == [0.75]
    assert interaction_indices(("a",), game) == {}
