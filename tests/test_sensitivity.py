"""Sensitivity: indices of functions whose indices are known, parameters as a unit cube, shares by grade, the study."""

import csv
import json
import math
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from toy import PLAN, Here, toy_experiment, toy_model

import abm.study.points
from abm.cli import main
from abm.config import ConfigError
from abm.parameters import GRADES, parameter_records
from abm.study import run_experiment
from abm.study.grades import LUCK, SHARED, TOGETHER, GradeRow, SensitivityRow, grade_rows, percent, sentences
from abm.study.indices import (
    RESAMPLES,
    FirstOrder,
    TotalOrder,
    first_order,
    latin_places,
    morris_effects,
    morris_places,
    ranks,
    total_order,
)
from abm.study.parameter_space import FRACTIONS, SHARES, parameter_space, used_parts
from abm.study.points import Point, SensitivityFolder, contrasts_of
from abm.study.sensitivity import (
    analyse_sensitivity,
    design_sensitivity,
    small_experiment,
    tissue_text,
)
from abm.study.sensitivity_results import Sensitivity, read_sensitivity
from abm.study.store import ResultsError
from abm.study.work import Lost
from abm.view.report import write_report
from abm.view.sensitivity import sensitivity_text, write_sensitivity_page

pytest.importorskip("SALib")

# None of them spans a magnitude or belongs to a whole, and not all have the same grade.
NAMES = (
    "tissue.neuropil_volume_fraction", "synapses.potentiation", "synapses.active_threshold",
    "expression.glucocorticoid_exponent",
)  # fmt: skip
SLOPES = (3.0, 2.0, 0.0, 1.0)


# indices of functions whose indices are known


def ishigami(places: np.ndarray) -> np.ndarray:
    """sin x + 7 sin^2 y + 0.1 z^4 sin x on [-pi, pi]^3."""
    x, y, z = (2.0 * places - 1.0).T * np.pi
    return np.sin(x) + 7.0 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def g_function(places: np.ndarray) -> np.ndarray:
    """Sobol's function, product of (|4 u - 2| + a) / (1 + a)."""
    a = np.array([0.0, 1.0, 4.5, 9.0])
    return np.prod((np.abs(4.0 * places - 2.0) + a) / (1.0 + a), axis=1)


def mixed(places: np.ndarray, group: Sequence[int], pairs: int) -> np.ndarray:
    """The first places with a group of factors as they are at others."""
    found = places[:pairs].copy()
    found[:, group] = places[pairs : 2 * pairs][:, group]
    return found


def test_a_latin_hypercube_has_every_factor_once_in_every_slice() -> None:
    places = latin_places(5, 40, 0)
    np.testing.assert_array_equal(np.sort(np.floor(40.0 * places), axis=0), np.tile(np.arange(40.0), (5, 1)).T)
    np.testing.assert_array_equal(places, latin_places(5, 40, 0))
    assert not np.array_equal(places, latin_places(5, 40, 1))


def test_ranks_have_no_mean_and_unit_variance_and_ties_share() -> None:
    draw = np.random.default_rng(1).lognormal(size=50)
    found = ranks(draw, draw)
    assert found.mean() == pytest.approx(0.0, abs=1e-12)
    assert found.std() == pytest.approx(1.0)
    np.testing.assert_array_equal(np.argsort(found), np.argsort(draw))
    tied = ranks(np.array([1.0, 2.0, 2.0, 3.0]), np.array([1.0, 2.0, 2.0, 3.0]))
    assert tied[1] == tied[2] == pytest.approx(0.0)
    assert ranks(np.ones(3), np.ones(3)).tolist() == [0.0] * 3


def test_indices_of_a_sum_are_those_of_the_normal_distribution() -> None:
    """A sum y of many straight lines is normal. With rho^2 the share of a factor, or of a group, in its variance,

    first-order index of the rank = 3/pi rho^2; total-order = 1 - 6/pi asin((1 - rho^2) / 2), by Spearman's correlation.
    """
    slopes = np.repeat([1.0, 2.0, 3.0], 20)
    shares = slopes**2 / (slopes**2).sum()
    places = latin_places(60, 4000, 1)
    output = places @ slopes
    found = first_order(places, output, 1)
    np.testing.assert_allclose(found.share, 3.0 / np.pi * shares, atol=0.005)
    np.testing.assert_allclose(found.coefficient, np.sqrt(3.0 / np.pi * shares), atol=0.02)
    for group in (range(20), range(20, 40), range(40, 60)):
        total = total_order(output, mixed(places, group, 2000) @ slopes, 1)
        part = shares[list(group)].sum()
        assert total.share == pytest.approx(1.0 - 6.0 / np.pi * np.arcsin((1.0 - part) / 2.0), rel=0.1)
        assert np.quantile(total.resampled, 0.005) < total.share < np.quantile(total.resampled, 0.995)


def test_what_only_acts_together_has_a_total_index_and_no_first_order_one() -> None:
    """y = u + v modulo 1 is evenly spread and independent of either."""
    places = latin_places(3, 4000, 2)
    output = (places[:, 0] + places[:, 1]) % 1.0
    found = first_order(places, output, 2)
    np.testing.assert_allclose(found.share, 0.0, atol=0.01)
    for factor, expected in enumerate((1.0, 1.0, 0.0)):
        again = mixed(places, [factor], 2000)
        total = total_order(output, (again[:, 0] + again[:, 1]) % 1.0, 2).share
        assert total == pytest.approx(expected, abs=0.06)


@pytest.mark.parametrize(("function", "factors"), [(ishigami, 3), (g_function, 4)])
def test_indices_are_those_of_very_many_draws(function: Callable[[np.ndarray], np.ndarray], factors: int) -> None:
    """The squared correlation of a factor with the rank, and Jansen's mean, over independent places."""
    draw = np.random.default_rng(3)
    many, other = draw.random((200_000, factors)), draw.random((200_000, factors))
    output = function(many)
    rank = ranks(output, output)
    places = latin_places(factors, 2000, 4)
    own = function(places)
    found = first_order(places, own, 4)
    for factor in range(factors):
        alone = np.corrcoef(many[:, factor], rank)[0, 1] ** 2
        assert found.share[factor] == pytest.approx(alone, abs=0.04)
        swapped = many.copy()
        swapped[:, factor] = other[:, factor]
        expected = np.square(rank - ranks(function(swapped), output)).mean() / 2.0
        total = total_order(own, function(mixed(places, [factor], 1000)), 4).share
        assert total == pytest.approx(expected, abs=0.06)


def test_a_steep_scale_of_the_output_changes_no_index() -> None:
    places = latin_places(4, 200, 5)
    output = places @ np.array(SLOPES)
    line, steep = (first_order(places, values, 5) for values in (output, np.exp(3.0 * output)))
    np.testing.assert_array_equal(line.share, steep.share)


def product_of_sums(places: np.ndarray) -> np.ndarray:
    """A straight line and what it does with another; 20 factors, of two kinds."""
    centred = np.sqrt(12.0) * (places - 0.5)
    weights = 0.7 ** np.arange(20)
    line, other = centred @ weights, centred @ weights[::-1]
    return line + 0.5 * line * other


def test_intervals_hold_the_truth_about_as_often_as_they_say() -> None:
    """Of single factors, of the sum over every second, and of its total-order index: 95 % of 150 studies."""
    group = np.arange(0, 20, 2)
    draw = np.random.default_rng(6)
    many, other = draw.random((200_000, 20)), draw.random((200_000, 20))
    output = product_of_sums(many)
    rank = ranks(output, output)
    alone = np.array([np.corrcoef(column, rank)[0, 1] ** 2 for column in many.T])
    other[:, group + 1] = many[:, group + 1]
    whole = np.square(rank - ranks(product_of_sums(other), output)).mean() / 2.0
    truth = np.array([alone[0], alone[1], alone[group].sum(), whole])
    held = []
    for seed in range(150):
        places = latin_places(20, 100, seed)
        values = product_of_sums(places)
        found = first_order(places, values, seed)
        total = total_order(values, product_of_sums(mixed(places, list(group), 48)), seed)
        resampled = [*found.resampled[:, :2].T, found.resampled[:, group].sum(axis=1), total.resampled]
        low, high = np.quantile(resampled, (0.025, 0.975), axis=1)
        held.append((low <= truth) & (truth <= high))
    covered = np.mean(held, axis=0)
    assert (covered > 0.9).all(), covered


def test_first_order_indices_are_without_bias_where_factors_are_many() -> None:
    """One factor that acts and 99 that do not, under noise: the squares of 99 errors would add up."""
    draw, found = np.random.default_rng(7), []
    for seed in range(20):
        places = latin_places(100, 250, seed)
        shares = first_order(places, places[:, 0] + 0.3 * draw.standard_normal(250), seed)
        found.append((shares.share[1:].sum(), (shares.coefficient[1:] ** 2).sum()))
    without, naive = np.mean(found, axis=0)
    assert abs(without) < 0.05
    assert naive > 0.2


def test_luck_is_the_total_index_of_the_seed() -> None:
    """Noise of 1/4 of the variance of what the parameters bring, with places as they were."""
    draw = np.random.default_rng(8)
    places = latin_places(30, 4000, 8)
    line = places.sum(axis=1)
    first, again = (line + 0.5 * line.std() * draw.standard_normal(4000) for _ in range(2))
    expected = 1.0 - 6.0 / np.pi * np.arcsin((1.0 - 0.2) / 2.0)
    assert total_order(first, again, 8).share == pytest.approx(expected, abs=0.02)
    assert first_order(places, first, 8).share.sum() == pytest.approx(3.0 / np.pi * 0.8, abs=0.03)


def test_places_without_an_outcome_are_left_out() -> None:
    places = latin_places(3, 60, 1)
    output = ishigami(places)
    again = output[:20] + 1.0
    short = first_order(places[5:], output[5:], 1)
    holes = output.copy()
    holes[:5] = again[5:7] = np.nan
    np.testing.assert_allclose(first_order(places, holes, 1).share, short.share)
    assert np.isfinite(total_order(holes, again, 1).share)
    assert np.isnan(total_order(holes, again[:5], 1).share)
    assert np.isnan(first_order(places, np.full(60, np.nan), 1).half_width).all()


def test_an_output_that_does_not_vary_has_no_variance_to_share() -> None:
    still = first_order(latin_places(3, 20, 1), np.ones(20), 1)
    assert still.share.tolist() == still.half_width.tolist() == still.among_largest.tolist() == [0.0] * 3
    assert total_order(np.ones(20), np.ones(5), 1).share == 0.0


def test_how_often_a_factor_is_among_the_three_largest() -> None:
    resampled = np.tile([0.4, 0.3, 0.2, 0.1, 0.0], (10, 1))
    resampled[:3, 3] = 0.25
    found = FirstOrder(np.zeros(5), np.zeros(5), resampled)
    assert found.among_largest.tolist() == [1.0, 1.0, 0.7, 0.3, 0.0]
    assert FirstOrder(np.zeros(2), np.zeros(2), resampled[:, :2]).among_largest.tolist() == [1.0, 1.0]


def test_elementary_effects_of_a_straight_line_are_its_slopes() -> None:
    slopes = np.array([3.0, -2.0, 0.0])
    places = morris_places(3, 6, 1)
    found = morris_effects(places, places @ slopes)
    np.testing.assert_allclose(found.mu, slopes, atol=1e-12)
    np.testing.assert_allclose(found.mu_star, np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(found.sigma, 0.0, atol=1e-12)
    assert found.n.tolist() == [6, 6, 6]


def test_elementary_effects_agree_with_salib() -> None:
    from SALib.analyze import morris

    places = morris_places(3, 8, 2)
    output = ishigami(places)
    problem = {"num_vars": 3, "names": list("xyz"), "bounds": [[0.0, 1.0]] * 3}
    theirs, ours = morris.analyze(problem, places, output, num_levels=4), morris_effects(places, output)
    for name in ("mu", "mu_star", "sigma"):
        np.testing.assert_allclose(getattr(ours, name), np.asarray(theirs[name]), rtol=1e-9, atol=1e-9)


def test_pairs_with_a_place_that_cannot_be_simulated_are_left_out() -> None:
    places = morris_places(3, 2, 1)
    output = places @ np.array([3.0, -2.0, 1.0])
    output[0] = np.nan
    found = morris_effects(places, output)
    assert sorted(found.n.tolist()) == [1, 2, 2]
    np.testing.assert_allclose(found.mu, [3.0, -2.0, 1.0])


def test_without_trajectories_there_are_no_effects() -> None:
    places = morris_places(3, 0, 1)
    assert places.shape == (0, 3)
    assert np.isnan(morris_effects(places, np.empty(0)).mu).all()


# parameters as sides of a cube


def test_every_parameter_spans_its_range() -> None:
    factors = parameter_space(toy_experiment()).factors
    assert len(factors) > 200
    for factor in factors:
        assert factor.at(0.0) == factor.record.low
        assert factor.at(1.0) == pytest.approx(factor.record.high)
        assert factor.record.low < factor.at(0.5) < factor.record.high


def test_wide_ranges_are_varied_by_magnitude_and_counts_stay_whole() -> None:
    by_name = {factor.name: factor for factor in parameter_space(toy_experiment()).factors}
    wide, narrow = by_name["network.mossy_efficacy"], by_name["synapses.potentiation"]
    assert wide.at(0.5) == pytest.approx(math.sqrt(wide.record.low * wide.record.high))
    assert narrow.at(0.25) == pytest.approx(0.75 * narrow.record.low + 0.25 * narrow.record.high)
    assert by_name["network.assemblies"].at(0.123).is_integer()


def test_shares_of_one_whole_stay_one_whole() -> None:
    space = parameter_space(toy_experiment())
    draw = np.random.default_rng(1)
    for _ in range(20):
        overrides = space.overrides(draw.random(len(space.factors)).tolist())
        for group in SHARES:
            assert math.fsum(float(overrides[name]) for name in group) == pytest.approx(1.0)
        for group in FRACTIONS:
            assert math.fsum(float(overrides[name]) for name in group) <= 0.95 + 1e-12


def test_a_share_varied_alone_takes_the_others_with_it() -> None:
    space = parameter_space(toy_experiment(), ["epigenome.hdac3_share"])
    overrides = space.overrides([0.0])
    assert overrides["epigenome.hdac3_share"] == 0.0
    assert overrides["epigenome.hdac1_share"] == pytest.approx(overrides["epigenome.hdac2_share"]) == pytest.approx(0.5)


def test_what_the_experiment_holds_of_a_whole_stays() -> None:
    own = "subject.overrides={epigenome.hdac1_share: 0.6, epigenome.acetylated_fraction: 0.3}"
    space = parameter_space(toy_experiment(own), ["epigenome.hdac3_share", "epigenome.repressed_fraction"])
    overrides = space.overrides([0.0, 1.0])
    assert {"epigenome.hdac1_share", "epigenome.acetylated_fraction"}.isdisjoint(overrides)
    assert overrides["epigenome.hdac2_share"] == pytest.approx(0.4)
    assert float(overrides["epigenome.repressed_fraction"]) <= 0.65 + 1e-12
    whole = toy_experiment("subject.overrides={epigenome.hdac1_share: 2}")
    too_much = parameter_space(whole, ["epigenome.hdac3_share"])
    with pytest.raises(ArithmeticError, match="more than the whole"):
        too_much.overrides([0.5])


def test_a_whole_without_shares_is_no_place() -> None:
    space = parameter_space(toy_experiment(), [f"epigenome.hdac{enzyme}_share" for enzyme in (1, 2, 3)])
    with pytest.raises(ArithmeticError, match="every share is zero"):
        space.overrides([0.0, 0.0, 0.0])


def test_only_parts_that_can_be_felt_are_varied() -> None:
    healthy = used_parts(toy_experiment())
    assert not {"body_diabetes", "body_doses", "observation", "forcing"} & set(healthy)
    assert "body_diabetes" in used_parts(toy_experiment("subject.condition=type_2_diabetes"))
    bath = "schedules={bath: {doses: {what: lactate, route: bath, amount: 5 mmol/L, at: 0 h}}, control: {}}"
    culture, sliced = (
        toy_experiment(bath, "reference=control", f"preparation={name}", "observe=[{metric: bdnf_protein}]")
        for name in ("culture", "slice")
    )
    assert not {"barrier", "meals", "body_lactate"} & set(used_parts(culture))
    assert {"forcing", "synapses"} <= set(used_parts(culture))
    assert {"barrier", "body_cortisol"} <= set(used_parts(sliced)), "potentiation is set by the animal's day"


def test_every_place_is_a_subject_that_can_be_described() -> None:
    """The overrides have the names and dimensions that an experiment file may hold."""
    space = parameter_space(toy_experiment())
    for place in (0.05, 0.5, 1.0):
        overrides = space.overrides([place] * len(space.factors))
        assert toy_experiment(f"subject.overrides={json.dumps(overrides)}").subject.overrides == overrides


def test_what_the_user_sets_is_held() -> None:
    experiment = toy_experiment("subject.overrides={synapses.potentiation: 0.5}")
    assert "synapses.potentiation" not in {factor.name for factor in parameter_space(experiment).factors}
    assert [f.name for f in parameter_space(experiment, ["synapses.potentiation"]).factors] == ["synapses.potentiation"]


def test_an_unknown_parameter_is_told_with_its_nearest_spelling() -> None:
    with pytest.raises(ConfigError, match=r"synapses\.potentiation"):
        parameter_space(toy_experiment(), ["synapses.potentation"])


def test_a_point_changes_parameters_and_seed_only() -> None:
    experiment = toy_experiment("subject.overrides={synapses.depression: 0.2}")
    changed = Point((("synapses.potentiation", 0.5),), 9).experiment(experiment)
    assert changed.subject.overrides == {"synapses.depression": 0.2, "synapses.potentiation": 0.5}
    assert changed.run.seed == 9
    back = changed.run.model_copy(update={"seed": experiment.run.seed})
    assert changed.model_copy(update={"subject": experiment.subject, "run": back}) == experiment


# grades


def row(name: str, grade: str, share: float, among: float = 1.0, metric: str = "bdnf_protein") -> SensitivityRow:
    nan = math.nan
    return SensitivityRow(
        "hiit / rest", metric, name, "x", grade, "", nan, nan, nan, 0.5, share, 0.04, among, "",
    )  # fmt: skip


def graded(**shares: float) -> list[GradeRow]:
    key, total = ("hiit / rest", "bdnf_protein"), (0.5, 0.4, 0.6)
    return [
        GradeRow(*key, grade, share, share - 0.02, share + 0.03, 5, *total, "")
        for grade, share in shares.items()
    ]


def test_shares_of_the_grades_and_of_the_rest_sum_to_one() -> None:
    places = latin_places(30, 200, 1)
    output = product_of_sums(places[:, :20])
    found = first_order(places, output, 1)
    kinds = [GRADES[i % 4] for i in range(30)]
    luck = TotalOrder(0.05, np.full(RESAMPLES, 0.05))
    crossed = grade_rows("hiit / rest", "bdnf_protein", "", kinds, found, {grade: luck for grade in (*GRADES, LUCK)})
    assert [own.grade for own in crossed] == list(SHARED)
    assert math.fsum(own.share for own in crossed) == pytest.approx(1.0)
    assert sum(own.parameters for own in crossed) == 30
    assert crossed[0].share == pytest.approx(found.share[::4].sum())
    assert all(own.low <= own.share <= own.high for own in crossed)
    assert crossed[0].total == 0.05
    still = first_order(places, np.ones(200), 1)
    nothing = TotalOrder(0.0, np.zeros(RESAMPLES))
    crossed = grade_rows("hiit / rest", "bdnf_protein", "", kinds, still, {LUCK: nothing})
    assert [own.share for own in crossed] == [0.0] * 6


def test_a_share_is_told_as_no_less_than_nothing() -> None:
    assert percent(-0.01, -0.04, 0.02) == "0 % [0, 2]"
    assert percent(0.98, 0.9, 1.07) == "98 % [90, 100]"
    assert percent(math.nan, math.nan, math.nan) == "unknown"


def test_the_sentence_names_grades_and_measurements() -> None:
    rows = [row("a.x", "measured", 0.2), row("a.y", "assumed", 0.5), row("a.z", "fitted", 0.1, 0.6)]
    rows += [row("a.w", "fitted", 0.09, 0.4), row("a.v", "fitted", 0.01, 0.0)]
    grades = graded(measured=0.2, derived=0.0, fitted=0.2, assumed=0.5, together=0.07, luck=0.03)
    (sentence,) = sentences(rows, grades)
    assert "20 % [18, 23] of the variance of hiit / rest bdnf_protein comes from measured numbers" in sentence
    assert "20 % [18, 23] from fitted and 50 % [48, 53] from assumed ones, each by itself" in sentence
    assert "7 % [5, 10] from numbers acting together and 3 % [1, 6] from luck" in sentence
    assert "together with others: measured 50 % [40, 60], derived 50 % [40, 60], fitted 50 %" in sentence
    assert "two measurements that would narrow it most are a.y (assumed, 50 % [46, 54]), a.x (measured" in sentence
    assert "among the three may also be a.z (fitted, 10 % [6, 14], in 60 % of resamples), a.w" in sentence
    assert "a.v" not in sentence
    assert sentence.endswith("; no other brings more than 5 %.")


def test_few_pairs_say_nothing_of_what_acts_together() -> None:
    """A total-order index is no less than what is brought alone; an estimate from few pairs may be."""
    grades = graded(measured=0.2, derived=0.0, fitted=0.2, assumed=0.6, together=0.0, luck=0.0)
    (sentence,) = sentences([row("a.x", "measured", 0.2)], grades)
    assert "takes more places" in sentence
    assert "assumed 50 %" not in sentence


def test_the_sentence_says_how_unsure_it_is() -> None:
    grades = graded(measured=0.0, derived=0.0, fitted=0.0, assumed=0.0, together=1.0, luck=0.0)
    assert "by itself" in sentences([row("a.x", "measured", 0.0)], grades)[0]
    assert "most is not sure: none stands out" in sentences([row("a.x", "measured", 0.02, 0.3)], grades)[0]
    assert "most is not sure: a.x" in sentences([row("a.x", "measured", 0.2, 0.3)], grades)[0]
    assert "Too few points" in sentences([row("a.x", "measured", math.nan, math.nan)], grades)[0]
    (told,) = sentences([row("a.x", "measured", 0.9), row("a.y", "assumed", 1e-5)], grades)
    assert "The measurement that would narrow it most is a.x" in told  # and not one of 0 %


# the study, with contrasts that are straight lines of the parameters


def line(folder: SensitivityFolder, experiment: Any) -> list[float]:
    """In place of a simulation: one contrast that is a straight line of the parameters, and one that never varies."""
    places = []
    for name in NAMES:
        record = parameter_records(name.partition(".")[0], "human")[name.partition(".")[2]]
        number = float(experiment.subject.overrides.get(name, record.number))
        places.append((number - record.low) / (record.high - record.low))
    value = float(np.dot(places, SLOPES))
    return [value, 0.0]


@pytest.fixture
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abm.study.points, "_contrasts", line)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sensitivity:
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=400)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(abm.study.points, "_contrasts", line)
        return analyse_sensitivity(design, tmp_path_factory.mktemp("found"), executor=Here(), workers=1)


def test_a_straight_line_is_found_again(found: Sensitivity) -> None:
    own = {row.parameter: row for row in found.rows if row.metric == "bdnf_protein"}
    expected = np.square(SLOPES) / np.square(SLOPES).sum()
    for name, slope, share in zip(NAMES, SLOPES, expected, strict=True):
        assert own[name].mu == pytest.approx(slope, abs=1e-9)
        assert own[name].mu_star == pytest.approx(abs(slope), abs=1e-9)
        assert own[name].share == pytest.approx(share, abs=0.03)
        assert own[name].srrc == pytest.approx(math.sqrt(share), abs=0.03)
        assert own[name].among_three == (1.0 if slope else 0.0)


def test_grades_of_a_straight_line(found: Sensitivity) -> None:
    shares = {r.grade: r.share for r in found.grades if r.metric == "bdnf_protein"}
    assert math.fsum(shares.values()) == pytest.approx(1.0)
    squares = dict.fromkeys(GRADES, 0.0)
    for factor, slope in zip(parameter_space(toy_experiment(), NAMES).factors, SLOPES, strict=True):
        squares[factor.record.grade] += slope**2
    assert sum(value > 0.0 for value in squares.values()) > 1
    for grade, value in squares.items():
        assert shares[grade] == pytest.approx(value / np.square(SLOPES).sum(), abs=0.03)
    assert shares[LUCK] == 0.0
    assert shares[TOGETHER] == pytest.approx(0.0, abs=0.05)
    assert all(r.share == 0.0 for r in found.grades if r.metric == "synaptic_strength"), "nothing varies"


def test_the_files_of_a_study(found: Sensitivity) -> None:
    page = write_sensitivity_page(found).read_text(encoding="utf-8")
    names = {path.name for path in found.path.iterdir()}
    assert names == {
        "sensitivity.json", "sensitivity.csv", "sensitivity_grades.csv", "sensitivity.html", "sensitivity.png",
    }  # fmt: skip
    with (found.path / "sensitivity.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "contrast", "metric", "parameter", "part", "grade", "source", "mu", "mu_star", "sigma", "srrc", "share",
        "share_conf", "among_three", "tissue",
    ]  # fmt: skip
    assert len(rows) == 2 * len(NAMES)
    with (found.path / "sensitivity_grades.csv").open(newline="") as stream:
        grades = list(csv.DictReader(stream))
    assert list(grades[0]) == [
        "contrast", "metric", "grade", "share", "low", "high", "parameters", "total", "total_low", "total_high",
        "tissue",
    ]  # fmt: skip
    assert [row["grade"] for row in grades] == 2 * list(SHARED)
    assert {row["tissue"] for row in rows} == {tissue_text(toy_experiment())}
    assert 'src="data:image/png' in page
    assert "http" not in page.partition("Provenance")[0]
    text = sensitivity_text(found)
    assert "comes from measured numbers" in text


def test_a_finished_study_is_read_not_run(found: Sensitivity) -> None:
    crew = Here()
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=400)
    again = analyse_sensitivity(design, found.path, executor=crew, workers=1, resume=True)
    assert crew.tasks == 0
    assert repr(again) == repr(found), "NaN is not equal to itself"
    assert repr(read_sensitivity(found.path)) == repr(found)
    with pytest.raises(ResultsError, match="--resume"):
        analyse_sensitivity(design, found.path, executor=crew, workers=1)
    other = design_sensitivity(toy_experiment(), NAMES, trajectories=5, samples=400)
    with pytest.raises(ResultsError, match="the design has changed"):
        analyse_sensitivity(other, found.path, executor=crew, workers=1, resume=True)


def test_after_an_interruption_only_the_missing_points_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def interrupted(folder: SensitivityFolder, experiment: Any) -> list[float]:
        if len(done) == 15:
            raise KeyboardInterrupt
        done.append(experiment)
        return line(folder, experiment)

    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=16)
    monkeypatch.setattr(abm.study.points, "_contrasts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    assert json.loads((tmp_path / "sensitivity.json").read_text())["status"] == "interrupted"
    with pytest.raises(ResultsError, match="not finished"):
        read_sensitivity(tmp_path)
    monkeypatch.setattr(abm.study.points, "_contrasts", line)
    rest, whole = Here(), Here()
    resumed = analyse_sensitivity(design, tmp_path, executor=rest, workers=1, resume=True)
    fresh = analyse_sensitivity(design, tmp_path / "fresh", executor=whole, workers=1)
    assert rest.tasks == whole.tasks - 15
    assert repr(resumed.rows) == repr(fresh.rows)


def test_places_without_an_outcome_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sometimes(folder: SensitivityFolder, experiment: Any) -> list[float]:
        values = line(folder, experiment)
        if values[0] > 5.0:
            raise ArithmeticError("no such tissue")
        return values

    monkeypatch.setattr(abm.study.points, "_contrasts", sometimes)
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=8, samples=64)
    found = analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    assert found.problems["ArithmeticError: no such tissue"] > 0
    own = {row.parameter: row for row in found.rows if row.metric == "bdnf_protein"}
    assert own[NAMES[0]].mu == pytest.approx(3.0)
    assert "no such tissue" in sensitivity_text(found)


def test_a_point_that_the_machine_lost_is_not_kept_as_one_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full(folder: SensitivityFolder, experiment: Any) -> list[float]:
        tried.append(experiment)
        if len(tried) == 7:
            raise OSError("no space left on device")
        return line(folder, experiment)

    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=16)
    monkeypatch.setattr(abm.study.points, "_contrasts", full)
    with pytest.raises(Lost, match=r"1 of .* no space left on device"):
        analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    resumed = analyse_sensitivity(design, tmp_path, executor=Here(), workers=1, resume=True)
    fresh = analyse_sensitivity(design, tmp_path / "fresh", executor=Here(), workers=1)
    assert resumed.problems == {}
    assert repr(resumed.rows) == repr(fresh.rows)


def test_parameters_with_which_nothing_can_be_run_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(folder: SensitivityFolder, experiment: Any) -> list[float]:
        raise ArithmeticError("no such tissue")

    monkeypatch.setattr(abm.study.points, "_contrasts", never)
    with pytest.raises(ConfigError, match="no such tissue"):
        analyse_sensitivity(design_sensitivity(toy_experiment(), NAMES), tmp_path, executor=Here(), workers=1)


def test_luck_is_what_the_seed_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A straight line, and noise of a tenth of its variance that is another at every seed."""
    size = math.sqrt(0.1 * np.square(SLOPES).sum() / 12.0)

    def lucky(folder: SensitivityFolder, experiment: Any) -> list[float]:
        noise = float(np.random.default_rng(experiment.run.seed).standard_normal())
        return [line(folder, experiment)[0] + size * noise, 0.0]

    monkeypatch.setattr(abm.study.points, "_contrasts", lucky)
    design = design_sensitivity(toy_experiment(), NAMES, samples=400)
    found = analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    assert found.contrasts[0].luck == pytest.approx(size, rel=0.3)
    shares = {row.grade: row for row in found.grades if row.metric == "bdnf_protein"}
    assert shares[LUCK].low < 0.1 / 1.1 < shares[LUCK].high
    assert shares[TOGETHER].share == pytest.approx(0.0, abs=0.06)
    assert all(math.isnan(row.mu) for row in found.rows), "no trajectories were asked for"


def of_earlier(study: Path) -> None:
    """As if a study had been written before there were totals."""
    table = study / "sensitivity_grades.csv"
    table.write_text(table.read_text(encoding="utf-8").replace("total_low", "lower"), encoding="utf-8")


def test_a_study_of_an_earlier_version_is_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abm.study.points, "_contrasts", line)
    design = design_sensitivity(toy_experiment(), NAMES, samples=20)
    analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    of_earlier(tmp_path)
    with pytest.raises(ResultsError, match="another version"):
        read_sensitivity(tmp_path)


@pytest.mark.slow
@pytest.mark.usefixtures("_straight")
def test_beside_the_results_of_an_experiment_it_is_part_of_the_report(tmp_path: Path) -> None:
    with toy_model():
        results = run_experiment(toy_experiment(), tmp_path, executor=Here(), workers=1)
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=2, samples=16)
    before = (tmp_path / "manifest.json").read_bytes()
    write_sensitivity_page(analyse_sensitivity(design, tmp_path, executor=Here(), workers=1))
    assert (tmp_path / "manifest.json").read_bytes() == before
    page = write_report(results, figures={}).read_text(encoding="utf-8")
    assert "What the result depends on" in page
    assert "comes from measured numbers" in page
    assert "another configuration or program" not in page
    with toy_model():
        others = run_experiment(toy_experiment("run.seed=6"), tmp_path, executor=Here(), workers=1, overwrite=True)
    assert "another configuration or program" in write_report(others, figures={}).read_text(encoding="utf-8")
    of_earlier(tmp_path)
    assert "another version" in write_report(others, figures={}).read_text(encoding="utf-8")


def test_points_that_are_one_to_the_tissue_are_simulated_once(tmp_path: Path) -> None:
    """How a mouse runs in its wheel changes no one's blood here; a parameter of the tissue and the seed do matter."""
    folder = SensitivityFolder(tmp_path)
    folder.open(overwrite=False)
    wheels = [Point((("schedule.wheel_running_fraction", share),), 1) for share in (0.3, 0.5)]
    others = [Point((("synapses.potentiation", 0.5),), 1), Point((), 2)]
    with toy_model():
        for point in (*wheels, *others):
            assert abm.study.points.evaluate(folder, toy_experiment(), point) is None
    assert len(list(folder.runs.glob("point-*.json"))) == 4
    assert len(list(folder.runs.glob("tissue-*.json"))) == 3


def test_a_slice_is_another_where_its_animal_had_other_cortisol(tmp_path: Path) -> None:
    bath = "schedules={bath: {doses: {what: lactate, route: bath, amount: 5 mmol/L, at: 0 h}}, control: {}}"
    sliced = toy_experiment(bath, "reference=control", "preparation=slice", "observe=[{metric: bdnf_protein}]")
    folder = SensitivityFolder(tmp_path)
    folder.open(overwrite=False)
    with toy_model():
        for peak in ("330 nmol/L", "560 nmol/L"):
            assert abm.study.points.evaluate(folder, sliced, Point((("body_cortisol.cortisol_peak", peak),), 1)) is None
    assert len(list(folder.runs.glob("tissue-*.json"))) == 2


# experiments made small


def config(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False), encoding="utf-8")
    return path


def test_an_experiment_is_made_small(tmp_path: Path) -> None:
    large = {"neurons": 5000, "size": ["1.6 mm", "0.2 mm"], "voxel": "25 um"}
    run = {"duration": "7 d", "burn_in": "30 d", "replicates": 8, "seed": 5, "step": "6 min"}
    small = small_experiment(config(tmp_path, tissue=large, run=run))
    assert (small.tissue.neurons, list(small.tissue.size)) == (200, [400.0, 200.0])
    assert (small.run.step, small.run.burn_in, small.run.replicates, small.run.duration) == (0.5, 48.0, 1, 168.0)
    assert tissue_text(small) == "200 neurons on 0.4 x 0.2 mm, 7 d in steps of 30 min after 2 d of rest, 1 replicate"


def test_what_the_user_sets_stays(tmp_path: Path) -> None:
    path = config(tmp_path)
    small = small_experiment(path, ["tissue.neurons=400", "run.step=15 min", "run.duration=12 h"], replicates=3)
    assert (small.tissue.neurons, small.run.step, small.run.replicates) == (400, 0.25, 3)
    assert small.run.duration == 12.0, "although the file observes a later time"
    assert small_experiment(path, ["run.replicates=4"]).run.replicates == 4


def test_the_step_stays_where_a_longer_one_does_not_fit_the_burn_in(tmp_path: Path) -> None:
    run = {"duration": "1 d", "burn_in": "100 min", "replicates": 1, "seed": 5, "step": "10 min"}
    small = small_experiment(config(tmp_path, run=run))
    assert (small.run.step, small.run.burn_in) == pytest.approx((1.0 / 6.0, 5.0 / 3.0))


def test_a_reference_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="only the reference"):
        design_sensitivity(toy_experiment("schedules={sedentary: {}}"))


def test_too_few_samples_for_the_parameters_are_refused() -> None:
    with pytest.raises(ConfigError, match="10 or more"):
        design_sensitivity(toy_experiment(), NAMES, samples=9)


def test_outputs_are_contrasts_of_both_read_outs() -> None:
    assert contrasts_of(toy_experiment()) == [("run", "bdnf_protein"), ("run", "synaptic_strength")]


# the command line


def test_without_salib_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.latin", None)
    out = tmp_path / "out"
    assert main(["sensitivity", str(config(tmp_path)), "--out", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "install the extra 'fit'" in shown.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--parameters", "synapses.potentation"], "synapses.potentiation"),
        (["--set", "run.replicats=3"], "replicates"),
        (["--set", "schedules={sedentary: {}}"], "only the reference"),
    ],
)
def test_wrong_input_exits_with_2_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    out = tmp_path / "out"
    assert main(["sensitivity", str(config(tmp_path)), "--out", str(out), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


TINY = [
    "--set", "tissue.neurons=40", "--set", "tissue.size=[100 um, 100 um]", "--set", "run.step=1 h", "--set",
    "run.duration=12 h", "--set", "run.burn_in=2 h", "--workers", "1",
]  # fmt: skip


@pytest.mark.slow
def test_a_tiny_experiment_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    few = ["--parameters", "expression.activity_gain", "expression.store_at_rest", "epigenome.hdac3_share"]
    command = ["sensitivity", str(config(tmp_path)), "--out", str(out), *TINY]
    design = ["--trajectories", "2", "--samples", "8", *few]
    assert main([*command, *design]) == 0
    shown = capsys.readouterr()
    assert "run / sedentary bdnf_protein" in shown.out
    assert "3 parameters" in shown.err
    found = read_sensitivity(out)
    assert [row.parameter for row in found.rows] == few[1:] * 2
    for metric in ("bdnf_protein", "synaptic_strength"):
        assert math.fsum(row.share for row in found.grades if row.metric == metric) == pytest.approx(1.0)
        assert any(row.mu_star > 0.0 for row in found.rows if row.metric == metric)
    assert main([*command, "--quiet", "--resume", *design]) == 0
    assert capsys.readouterr().out == shown.out
