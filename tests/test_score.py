"""Pass and miss: against t tests made by SciPy, and what must hold of any published interval."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from abm.config import EvidenceObservation
from abm.study.score import NAN, Prediction, Published, faintness, published_of, score, shortfall, undecided

INF = math.inf
ratios = st.floats(0.05, 20.0)
sizes = st.tuples(st.integers(2, 40), st.integers(2, 40))
spreads = st.floats(0.02, 0.8)
MIRRORED = {"up": "down", "down": "up", "none": "none", "ratio": "ratio"}


def exactly(value: float) -> Prediction:
    """A prediction without spread over replicates."""
    return Prediction(value, value, value)


def groups_with(means: tuple[float, float], spread: float, n: tuple[int, int]) -> list[np.ndarray]:
    """Two samples that have exactly these means and this standard deviation."""
    found = []
    for mean, size in zip(means, n, strict=True):
        ranks = stats.norm.ppf((np.arange(size) + 0.5) / size)
        found.append(mean + spread * (ranks - ranks.mean()) / ranks.std(ddof=1))
    return found


@given(ratio=ratios, n=sizes, cv=spreads)
def test_a_direction_is_found_where_a_t_test_between_animals_finds_it(
    ratio: float, n: tuple[int, int], cv: float
) -> None:
    treated, control = groups_with((math.log(ratio), 0.0), math.sqrt(math.log1p(cv**2)), n)
    test = stats.ttest_ind(treated, control)
    for kind, right in (("up", ratio > 1.0), ("down", ratio < 1.0)):
        found = score(Published(kind, groups=n, cv=cv), exactly(ratio))
        assert found.z == pytest.approx(test.statistic, rel=1e-6, abs=1e-9)
        if abs(test.pvalue - 0.05) > 1e-6:
            assert found.passed == (right and test.pvalue < 0.05)


@given(ratio=ratios, n=st.integers(3, 40), cv=spreads)
def test_a_direction_in_the_same_subjects_is_found_where_a_paired_t_test_finds_it(
    ratio: float, n: int, cv: float
) -> None:
    before = groups_with((0.0, 0.0), 1.0, (n, n))[0][::-1]
    change, _ = groups_with((math.log(ratio), 0.0), math.sqrt(math.log1p(cv**2)), (n, n))
    test = stats.ttest_rel(before + change, before)
    for kind, right in (("up", ratio > 1.0), ("down", ratio < 1.0)):
        found = score(Published(kind, groups=(n, n), cv=cv, paired=True), exactly(ratio))
        assert found.z == pytest.approx(test.statistic, rel=1e-6, abs=1e-6)
        if abs(test.pvalue - 0.05) > 1e-6:
            assert found.passed == (right and test.pvalue < 0.05)


@given(ratio=ratios, low=st.floats(0.1, 0.99), high=st.floats(1.01, 9.0), n=st.none() | sizes, cv=spreads)
def test_turning_a_contrast_round_changes_nothing(
    ratio: float, low: float, high: float, n: tuple[int, int] | None, cv: float
) -> None:
    predicted = Prediction(ratio, ratio / 1.1, ratio * 1.1)
    turned = Prediction(1.0 / ratio, 1.0 / predicted.high, 1.0 / predicted.low)
    for kind, mirrored in MIRRORED.items():
        seen = math.sqrt(low * high)
        one = score(Published(kind, seen, low, high, n, cv), predicted)  # type: ignore[arg-type]
        other = score(Published(mirrored, 1.0 / seen, 1.0 / high, 1.0 / low, n and (n[1], n[0]), cv), turned)  # type: ignore[arg-type]
        assert one.passed == other.passed or min(abs(ratio / low - 1.0), abs(ratio / high - 1.0)) < 1e-9
        if not math.isnan(one.z):
            assert one.z == pytest.approx(-other.z, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("predicted", "passed"),
    [((1.5, 1.2, 1.9), True), ((1.5, 0.9, 2.5), False), ((0.7, 0.6, 0.8), False), ((1.5, NAN, NAN), False)],
)
def test_without_a_number_of_animals_the_predicted_interval_excludes_one(
    predicted: tuple[float, float, float], passed: bool
) -> None:
    found = score(Published("up"), Prediction(*predicted))
    assert found.passed == passed
    assert math.isnan(found.z)


@pytest.mark.parametrize(
    ("kind", "predicted", "passed", "z"),
    [
        ("value", 4.0, True, 0.0), ("value", 5.0, True, 1.96), ("value", 5.01, False, 1.9796),
        ("value", 3.0, True, -1.96), ("value", -2.0, False, -11.76), ("ratio", 4.0, True, 0.0),
        ("ratio", 2.0, False, -1.96 * 2.0 * math.log(2.0) / math.log(5.0 / 3.0)), ("ratio", 0.0, False, -INF),
    ],
)  # fmt: skip
def test_a_magnitude_passes_within_its_interval(kind: str, predicted: float, passed: bool, z: float) -> None:
    found = score(Published(kind, 4.0, 3.0, 5.0), exactly(predicted))  # type: ignore[arg-type]
    assert found.passed == passed
    assert found.z == pytest.approx(z, rel=1e-12)


@pytest.mark.parametrize(
    ("low", "high", "predicted", "passed", "z"),
    [(2.0, INF, 1e6, True, None), (2.0, INF, 1.9, False, -1.96 * 2.1 / 2.0), (2.0, INF, 4.0, True, 0.0),
     (-INF, 5.0, -7.0, True, -1.96 * 11.0), (-INF, 5.0, 6.0, False, 1.96 * 2.0), (-INF, INF, 6.0, True, NAN)],
)  # fmt: skip
def test_an_open_interval_is_judged_by_its_finite_end(
    low: float, high: float, predicted: float, passed: bool, z: float | None
) -> None:
    found = score(Published("value", 4.0, low, high), exactly(predicted))
    assert found.passed == passed
    if z is not None:
        assert found.z == pytest.approx(z, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("predicted", "passed"),
    [((1.0, 0.9, 1.1), True), ((1.0, 0.85, 1.15), True), ((1.0, 0.8, 1.1), False), ((1.1, 1.0, 1.2), False),
     ((1.0, NAN, NAN), False)],
)  # fmt: skip
def test_an_absent_effect_needs_an_interval_that_shows_it(predicted: tuple[float, float, float], passed: bool) -> None:
    assert score(Published("none", low=0.85, high=1.15), Prediction(*predicted)).passed == passed


@pytest.mark.parametrize("kind", ["ratio", "value", "up", "down", "none"])
def test_no_prediction_never_passes(kind: str) -> None:
    published = Published(kind, 1.0, 0.0, INF, (5, 5))  # type: ignore[arg-type]
    assert score(published, exactly(NAN)) == (pytest.approx(NAN, nan_ok=True), False)
    assert shortfall(published, exactly(NAN)) == "no prediction"
    assert undecided(published, exactly(NAN))


@given(value=ratios, width=st.floats(1.0, 3.0), n=st.none() | sizes)
def test_more_replicates_are_asked_only_where_they_may_change_the_verdict(
    value: float, width: float, n: tuple[int, int] | None
) -> None:
    predicted = Prediction(value, value / width, value * width)
    for kind in ("ratio", "up", "down"):
        published = Published(kind, 2.0, 1.5, 3.0, n)  # type: ignore[arg-type]
        if not undecided(published, predicted):
            verdicts = {score(published, exactly(end)).passed for end in predicted}
            assert verdicts == {score(published, predicted).passed}
    inside = Published("none", low=0.5, high=2.0)
    if not undecided(inside, predicted) and 0.5 < value < 2.0:
        assert score(inside, predicted).passed


@pytest.mark.parametrize(
    ("published", "predicted", "words"),
    [
        (Published("ratio", 4.0, 3.0, 5.0), exactly(1.1), "predicted 1.1, published 3 to 5: too small by x2.7"),
        (Published("value", 4.0, 3.0, INF), exactly(1.5), "predicted 1.5, published 3 or more: too small by x2"),
        (Published("value", -0.5, -1.0, 0.0), exactly(0.3), "predicted 0.3, published -1 to 0: too large by 0.3"),
        (Published("up", groups=(8, 8)), exactly(0.9), "predicted 0.9: published up; wrong direction"),
        (Published("up"), Prediction(1.2, 0.9, 1.6), "predicted 1.2: up, but its interval [0.9, 1.6] holds 1"),
        (Published("up"), exactly(1.004), "predicted 1: published up; no change beyond the error of the steps, 0.5%"),
        (Published("down"), exactly(0.994), ""),
        (Published("none", low=0.85, high=1.15), Prediction(1.2, 1.1, 1.3),
         "predicted 1.2 [1.1, 1.3], published 0.85 to 1.15: too large by x1.1"),
        (Published("value", 4.0, 3.0, 5.0), exactly(4.5), ""),
    ],
)  # fmt: skip
def test_a_miss_says_its_size(published: Published, predicted: Prediction, words: str) -> None:
    assert shortfall(published, predicted) == words


def test_a_direction_without_n_says_when_ten_animals_would_not_find_it() -> None:
    needed = math.exp(Published("up", groups=(10, 10)).smallest_effect)
    for ratio, faint in ((1.02, True), (needed * 0.99, True), (needed * 1.01, False)):
        said = faintness(Published("up"), Prediction(ratio, ratio * 0.99, ratio * 1.01))
        assert bool(said) == faint
    assert faintness(Published("up"), Prediction(0.9, 0.89, 0.91)) == ""  # a miss has its own words
    assert faintness(Published("up", groups=(50, 50)), exactly(1.2)) == ""


def test_an_effect_too_small_for_the_study_says_what_it_would_have_seen() -> None:
    published = Published("down", groups=(5, 5))
    words = shortfall(published, exactly(0.9))
    assert words.startswith("predicted 0.9: down, but a study of 5 and 5 sees only effects beyond 0.")
    limit = float(words.split()[-1])
    assert score(published, exactly(limit - 0.001)).passed
    assert not score(published, exactly(limit + 0.001)).passed


def test_an_observation_is_scored_in_the_unit_of_its_read_out() -> None:
    seen = {"metric": "plasma_lactate", "at": "1 h", "schedule": "run", "value": "890 umol/L"}
    published = published_of(EvidenceObservation.model_validate(seen | {"interval": ["0.8 mmol/L", "1 mmol/L"]}))
    assert (published.kind, published.groups) == ("value", None)
    assert (published.observed, published.low, published.high) == pytest.approx((0.89, 0.8, 1.0))


def test_a_ratio_without_interval_has_that_of_a_t_test_between_animals() -> None:
    seen = {"metric": "bdnf_mrna", "at": "1 h", "contrast": "run / rest", "ratio": 1.5, "n": [6, 9], "cv": 0.3}
    published = published_of(EvidenceObservation.model_validate(seen))
    treated, control = groups_with((math.log(1.5), 0.0), math.sqrt(math.log1p(0.09)), (6, 9))
    ends = stats.ttest_ind(treated, control).confidence_interval()
    assert (published.low, published.high) == pytest.approx((math.exp(ends.low), math.exp(ends.high)))
