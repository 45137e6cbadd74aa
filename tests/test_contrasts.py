"""Means and paired ratios against SciPy, and what they say where nothing can be said."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from abm.study.answers import arm_ratio
from abm.study.contrasts import mean_over_replicates, paired_ratio, ratio_of_means

positive = st.floats(0.1, 10.0)
pairs = st.lists(st.tuples(positive, positive), min_size=3, max_size=12)


@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=20))
def test_mean_and_interval_are_students(values: list[float]) -> None:
    found = mean_over_replicates(values)
    assert found.mean == pytest.approx(np.mean(values), abs=1e-9)
    error = stats.sem(values)
    if error > 1e-6:
        low, high = stats.t.interval(0.95, len(values) - 1, np.mean(values), error)
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


@given(pairs)
def test_ratio_is_the_paired_t_test_of_the_logarithms(values: list[tuple[float, float]]) -> None:
    own, reference = np.array(values).T
    logs = np.log(own / reference)
    found = paired_ratio(list(own), list(reference))
    assert found.ratio == pytest.approx(stats.gmean(own / reference))
    if np.ptp(logs) > 1e-6:
        oracle = stats.ttest_rel(np.log(own), np.log(reference))
        interval = oracle.confidence_interval(0.95)
        assert found.p_value == pytest.approx(oracle.pvalue, rel=1e-6)
        assert (found.low, found.high) == (
            pytest.approx(math.exp(interval.low)),
            pytest.approx(math.exp(interval.high)),
        )


@given(pairs)
def test_exchanging_the_schedules_inverts_the_ratio(values: list[tuple[float, float]]) -> None:
    own, reference = zip(*values, strict=True)
    there, back = paired_ratio(own, reference), paired_ratio(reference, own)
    assert there.ratio * back.ratio == pytest.approx(1.0)
    assert there.low * back.high == pytest.approx(1.0)


def test_pairing_cancels_what_the_replicates_share() -> None:
    tissue = np.array([1.0, 4.0, 0.3, 9.0])
    found = paired_ratio(list(1.1 * tissue), list(tissue))
    assert found.ratio == pytest.approx(1.1)
    assert found.high - found.low < 1e-9


def test_one_replicate_has_a_mean_and_a_ratio_but_no_interval() -> None:
    assert mean_over_replicates([2.0])[:2] == (1, 2.0)
    assert np.isnan(mean_over_replicates([2.0])[2:]).all()
    found = paired_ratio([2.0], [1.0])
    assert found.ratio == 2.0
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize("values", [[], [math.nan, math.nan]])
def test_nothing_finished_gives_nothing(values: list[float]) -> None:
    found = mean_over_replicates(values)
    assert found.n == 0
    assert np.isnan(found[1:]).all()
    assert np.isnan(paired_ratio(values, values)).all()


def test_a_missing_partner_leaves_its_pair_out() -> None:
    whole = paired_ratio([2.0, 3.0, 5.0], [1.0, 2.0, 3.0])
    assert paired_ratio([2.0, 9.0, 3.0, 5.0], [1.0, math.nan, 2.0, 3.0]) == whole


@pytest.mark.parametrize(
    ("own", "reference"), [([1.0, 0.0], [1.0, 1.0]), ([1.0, 1.0], [-1.0, 1.0]), ([1e-191, 1e-190], [1.0, 1.0])]
)
def test_values_that_are_not_above_nothing_have_no_ratio(own: list[float], reference: list[float]) -> None:
    assert np.isnan(paired_ratio(own, reference)).all()


@pytest.mark.parametrize(("share", "has_ends"), [(0.9, False), (1.1, True)])
def test_a_share_of_a_total_has_ends_where_the_total_is_not_nothing(share: float, has_ends: bool) -> None:
    """Where a t test of the total gives `share` of what p = 0.05 needs."""
    spread = np.array([-1.5, -0.5, 0.5, 1.5])
    total = 1.0 + spread / (share * stats.t.ppf(0.975, 3) * spread.std(ddof=1) / 2.0)
    ratio, low, high = ratio_of_means(0.4 * total + np.array([0.1, -0.1, -0.1, 0.1]), total)
    assert ratio == pytest.approx(0.4)
    assert (low < ratio < high) == has_ends
    assert math.isfinite(low) == has_ends


def test_replicates_that_do_not_differ_have_no_p_value() -> None:
    found = paired_ratio([0.1 + 0.2, 0.3, 0.3], [0.1, 0.1, 0.1])
    assert found.ratio == pytest.approx(3.0)
    assert found.low == found.high == found.ratio
    assert math.isnan(found.p_value)


def test_p_values_are_uniform_where_nothing_differs() -> None:
    draw = np.random.default_rng(7)
    found = [paired_ratio(*draw.lognormal(size=(2, 6))).p_value for _ in range(800)]
    assert stats.kstest(found, stats.uniform.cdf).pvalue > 0.01


def test_an_arm_with_zeros_is_compared_by_means() -> None:
    few = arm_ratio([0.0, 0.0], [2.0, 4.0])
    assert few.value == 0.0
    assert math.isnan(few.high)  # so uncertain a control holds no end
    assert arm_ratio([0.0, 0.0], [0.0, 0.0]) == (1.0, 1.0, 1.0)
    assert all(math.isnan(number) for number in arm_ratio([1.0, 0.0], [0.0, 0.0]))
    assert arm_ratio([0.0, 3.0, 3.0], [2.0, 3.0, 1.0]).value == pytest.approx(1.0)
    draw = np.random.default_rng(2)
    treated, control = draw.poisson(9.0, (2000, 8)), draw.poisson(3.0, (2000, 8))
    found = [arm_ratio(own.tolist(), other.tolist()) for own, other in zip(treated, control, strict=True)]
    covered = [one.low <= 3.0 <= one.high for one in found if not math.isnan(one.low)]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.02)
    assert arm_ratio([2.0, 3.0], [1.0, 1.0]) == paired_ratio([2.0, 3.0], [1.0, 1.0])[:3]
