"""What a laboratory sees: blood samples, assays, field recordings, effect sizes; against laws and published values."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from scipy.stats import lognorm
from test_metrics import Model

from abm.body import exercised_body, simulate_body
from abm.body.haemoconcentration import (
    BloodSample,
    ExerciseCourse,
    HaemoconcentrationParameters,
    effort,
    haemoconcentration,
    mean_over_lives,
    plasma_loss,
)
from abm.body.hypervolaemia import HypervolaemiaParameters, plasma_gain
from abm.config import Subject, build_experiment
from abm.epigenome import REPRESSED, EpigenomeParameters, resting_repressed_distribution, resting_rows
from abm.expression import glucocorticoid_occupancy
from abm.metric_names import METRIC_NAMES, REGIONS, TISSUE_METRIC_NAMES
from abm.metrics import METRICS
from abm.model import HippocampusModel
from abm.neurons import Pharmacology
from abm.observation import (
    ObservationParameters,
    between_subject_cv,
    effect_size,
    observation_parameters,
    pooled_cv,
    standardised_difference,
)
from abm.observation.assays import bound_shares, deacetylase_occupancy, receptor_occupancy
from abm.observation.blood import (
    brain_release,
    concentrated,
    plasma_bdnf,
    plasma_level,
    relative_release,
    sampled_cortisol,
    serum_bdnf,
    serum_level,
)
from abm.observation.cohort import small_sample, variation
from abm.observation.memory import discrimination_index, inducibility, object_location_preference, retention
from abm.observation.miniature import miniature_amplitude, miniature_frequency
from abm.observation.probe import field_slope, paired_pulse, potentiation, settled, tetanised
from abm.parameters import load_parameters
from abm.schedule import Bout, compile_schedule, resting_timeline
from abm.streams import generator
from abm.study.drawn_blood import _merged
from abm.synapses import (
    SynapseParameters,
    late_step,
    next_late,
    release_probability,
)

SAMPLED = (
    "plasma_volume", "plasma_gained", "platelets", "platelet_count", "exertion", "adaptation", "platelet_adaptation",
)  # fmt: skip
RESTED = {"plasma_volume": 1.0, "platelets": 1.0, "platelet_count": 1.0} | dict.fromkeys(
    ("plasma_gained", "exertion", "fitness", "adaptation", "platelet_adaptation"), 0.0
)
BLOOD = load_parameters(HaemoconcentrationParameters, "body_haemoconcentration")
GAIN = load_parameters(HypervolaemiaParameters, "body_hypervolaemia")
PLASTICITY = load_parameters(SynapseParameters, "synapses")
MINUTE = 1.0 / 60.0


# blood during exercise


def intensities() -> tuple[np.ndarray, np.ndarray]:
    """Rest, three bouts with rests of uneven length, rest."""
    return np.array([0.0, 0.5, 0.6, 0.9, 1.2, 2.0, 2.3, 4.0]), np.array([0.0, 0.9, 0.0, 0.6, 0.0, 0.3, 0.0])


def sample_of(times: np.ndarray, intensity: np.ndarray, on_foot: bool = False) -> BloodSample:
    return haemoconcentration(BLOOD, GAIN, ExerciseCourse(times, intensity, np.full(intensity.size, on_foot)))


def test_memories_of_exercise_agree_with_an_independent_solver() -> None:
    times, intensity = intensities()
    sample = sample_of(times, intensity)

    def rates(x: float, state: np.ndarray) -> np.ndarray:
        loss = plasma_loss(BLOOD, np.array([x]))[0]
        asked = np.array([loss, BLOOD.platelet_release * x, x**BLOOD.exertion_exponent])
        onset = np.array([BLOOD.plasma_loss_time, BLOOD.onset_time, BLOOD.onset_time])
        return (asked - state) / np.where(asked > state, onset, BLOOD.recovery_time)

    def advance(state: np.ndarray, x: float, length: float) -> np.ndarray:
        return solve_ivp(lambda _, y: rates(x, y), (0.0, length), state, rtol=1e-11, atol=1e-14).y[:, -1]

    states = [np.zeros(3)]
    for x, length in zip(intensity, np.diff(times), strict=True):
        states.append(advance(states[-1], x, length))
    loss, released, exertion = np.array(states)[1:].T
    gained = plasma_gain(GAIN, times, plasma_loss(BLOOD, intensity) / BLOOD.largest_plasma_loss)
    volume = (1.0 - loss) * (1.0 + gained)
    np.testing.assert_allclose(sample.plasma_gained, gained)
    np.testing.assert_allclose(sample.plasma_volume, volume, rtol=1e-8)
    np.testing.assert_allclose(sample.platelets, (1.0 + released) / volume, rtol=1e-8)
    np.testing.assert_allclose(sample.exertion, exertion, rtol=1e-7, atol=1e-12)


def test_what_follows_a_bout_keeps_its_memory_the_better_the_harder_it_is() -> None:
    """A cool-down, or an active rest between intervals, is something between rest and going on."""
    after = (0.0, 1e-4, 0.1, 0.3, 0.5, 0.8)
    found = [sample_of(np.array([0.0, 0.5, 0.8]), np.array([0.8, y])) for y in after]
    for name, sign in (("plasma_volume", -1.0), ("platelets", 1.0), ("exertion", 1.0)):
        left = [sign * float(getattr(sample, name)[-1]) for sample in found]
        assert np.all(np.diff(left) >= 0.0), name
        assert left[1] == pytest.approx(left[0], rel=1e-3), name


def test_cutting_intervals_does_not_change_their_ends() -> None:
    times, intensity = intensities()
    fine = np.sort(np.concatenate([times, 0.5 * (times[1:] + times[:-1])]))
    whole, halves = sample_of(times, intensity), sample_of(fine, np.repeat(intensity, 2))
    for one, other in zip(whole, halves, strict=True):
        np.testing.assert_allclose(one, other[1::2], rtol=1e-12)


def test_on_foot_a_share_of_the_plasma_leaves_and_as_much_is_gained() -> None:
    """Standing up takes what a runner loses (edwards1984); intervals leave as much on a treadmill (nelson2023)."""
    times, intensity = intensities()
    cycled, run = sample_of(times, intensity), sample_of(times, intensity, on_foot=True)
    lost = [1.0 - sample.plasma_volume / (1.0 + sample.plasma_gained) for sample in (cycled, run)]
    np.testing.assert_allclose(lost[1], BLOOD.plasma_loss_on_foot * lost[0], rtol=1e-12)
    assert 0.0 < BLOOD.plasma_loss_on_foot < 1.0
    np.testing.assert_array_equal(run.plasma_gained, cycled.plasma_gained)
    np.testing.assert_array_equal(run.exertion, cycled.exertion)


@pytest.mark.parametrize(
    ("kind", "share"), [("running", BLOOD.plasma_loss_on_foot), ("walking", BLOOD.plasma_loss_on_foot), ("rowing", 1.0)]
)
def test_a_session_is_on_foot_by_its_kind(kind: str, share: float) -> None:
    subject, edges = Subject(species="human"), np.array([0.0, 8.0, 8.5, 9.0])

    def lost(kind: str) -> float:
        timeline = replace(resting_timeline(subject, 9.0), bouts=(Bout(8.0, 8.5, 0.6, kind),))
        plasma = simulate_body(subject, timeline, edges)
        assert plasma.plasma_volume[0] == 1.0
        return float(1.0 - plasma.plasma_volume[1] / (1.0 + plasma.plasma_gained[1]))

    assert lost(kind) == pytest.approx(share * lost("cycling"), rel=1e-5)


def test_running_after_cycling_is_told_apart_where_the_intensity_is_the_same() -> None:
    subject, edges = Subject(species="human"), np.array([0.0, 8.0, 8.5, 9.0, 10.0])
    bouts = (Bout(8.0, 8.5, 0.6, "cycling"), Bout(8.5, 9.0, 0.6, "running"))
    plasma, course = exercised_body(subject, replace(resting_timeline(subject, 10.0), bouts=bouts), edges)
    merged = _merged(course, np.array([10.0]))
    np.testing.assert_array_equal(merged.times, [0.0, 8.0, 8.5, 9.0, 10.0])
    np.testing.assert_array_equal(merged.on_foot, [False, False, True, False])
    np.testing.assert_allclose(haemoconcentration(BLOOD, GAIN, merged).plasma_volume, plasma.plasma_volume, rtol=1e-6)


def programme(sessions: str, intensity: str = "70 %VO2max") -> Any:
    """Blood of a man over eight weeks of training on the days given and eight of rest, in steps of an hour."""
    bouts = {"kind": "cycling", "intensity": intensity, "duration": "45 min", "start": "08:00"}
    plan = {
        "name": "programme",
        "schedules": {"rest": {}, "training": {"sessions": bouts | {"days": sessions.split(), "last_day": "55 d"}}},
        "reference": "rest",
        "run": {"duration": "112 d", "burn_in": "0 h", "replicates": 1},
    }
    experiment = build_experiment(plan)
    timeline = compile_schedule(experiment.schedules["training"], experiment.subject, 2688.0, "training")
    return simulate_body(experiment.subject, timeline, np.arange(2689.0))


def test_adaptation_is_the_fitness_gained_and_is_lost_again() -> None:
    three, five = programme("mon wed fri"), programme("mon tue wed thu fri")
    harder = programme("mon wed fri", "85 %VO2max")
    end = 56 * 24 - 1
    assert 0.0 < three.adaptation[end] < min(five.adaptation[end], harder.adaptation[end])
    np.testing.assert_allclose(three.adaptation, three.fitness, atol=0.03)  # an untrained man: from zero; end and mean
    assert 0.0 < three.adaptation[-1] < 0.6 * three.adaptation[end]
    assert three.exertion[-1] < 1e-9  # of the last bout nothing is left


def test_platelets_keep_what_they_were_made_with() -> None:
    """A step of the supply shows in platelets as the share of them made since: linear over a life, whole after it."""
    life = BLOOD.platelet_life
    times = np.array([0.0, 100.0, 100.0 + life / 4.0, 100.0 + life / 2.0, 100.0 + life, 100.0 + 3.0 * life])
    means = np.array([0.0, 2.0, 2.0, 2.0, 2.0])
    found = mean_over_lives(BLOOD, times, means, times)
    np.testing.assert_allclose(found, [0.0, 0.0, 0.5, 1.0, 2.0, 2.0], rtol=1e-12)


def test_adaptation_reaches_platelets_late_and_leaves_them_late() -> None:
    blood = programme("mon wed fri")
    week, end = 7 * 24 - 1, 56 * 24 - 1
    assert 0.0 < blood.platelet_adaptation[week] < 0.7 * blood.adaptation[week]
    assert blood.platelet_adaptation[end + 96] > blood.adaptation[end + 96]
    np.testing.assert_allclose(blood.platelet_adaptation[end], blood.adaptation[end - 240 : end].mean(), rtol=0.02)


def test_effort_is_steeper_than_intensity() -> None:
    light, middle, maximal, sprint = effort(BLOOD, np.array([0.25, 0.5, 1.0, 1.7]))
    assert sprint == maximal
    assert maximal == 1.0
    assert middle - light < 0.25 * (maximal - middle)


def sampled(intensity: float, minutes: float, start: float = 10.0, training: str = "trained") -> Any:
    """Blood of a man in steps of a minute; the last step of a bout and the last one before it."""
    subject = Subject(species="human", training=training)
    bouts = (Bout(start, start + minutes * MINUTE, intensity, "cycling"),) if intensity else ()
    edges = np.arange(round((start + 4.0) * 60.0) + 1) * MINUTE
    timeline = replace(resting_timeline(subject, float(edges[-1])), bouts=bouts)
    return simulate_body(subject, timeline, edges), round(start * 60.0 + minutes) - 1, round(start * 60.0) - 1


@pytest.mark.parametrize(
    ("training", "intensity", "minutes", "change", "within"),
    [
        ("trained", 0.4, 30.0, -0.099, 0.025),
        ("untrained", 1.05, 3.0, -0.172, 0.031),
    ],
    ids=["hill2008", "pmid6693309"],
)
def test_plasma_lost_in_exercise(
    training: str, intensity: float, minutes: float, change: float, within: float
) -> None:
    """Two papers that were fitted, each with its interval; 60 and 80 % of hill2008 and bloomer2013 the board misses."""
    blood, end, _ = sampled(intensity, minutes, training=training)
    assert blood.plasma_volume[end] - 1.0 == pytest.approx(change, abs=within)


@pytest.mark.parametrize(
    ("intensity", "change", "deviation"), [(0.0, -6.6, 3.5), (0.4, 5.7, 11.0), (0.6, 39.9, 11.8), (0.8, 83.1, 18.5)]
)
def test_cortisol_as_it_is_sampled(intensity: float, change: float, deviation: float) -> None:
    """Row C1, Hill 2008: per cent after 30 min, haemoconcentration included, within the published deviation."""
    blood, end, before = sampled(intensity, 30.0)
    measured = concentrated(blood.cortisol, blood.plasma_volume, blood.plasma_gained)
    assert 100.0 * (measured[end] / measured[before] - 1.0) == pytest.approx(change, abs=deviation)


def test_platelets_after_light_exercise() -> None:
    """Row E07, Gibbons 2023: +7 +- 6 % after 90 min at 25 %, n = 12; within the 95 % interval of the mean."""
    blood, end, _ = sampled(0.25, 90.0)
    assert blood.platelet_count[end] == pytest.approx(1.07, abs=2.2 * 0.06 / np.sqrt(12.0))


def test_blood_at_rest_is_undisturbed_and_recovers() -> None:
    blood, _, _ = sampled(0.0, 30.0)
    assert (blood.plasma_volume == 1.0).all()
    assert (blood.plasma_gained == 0.0).all()
    assert (blood.platelets == 1.0).all()
    assert (blood.platelet_count == 1.0).all()
    assert (blood.exertion == 0.0).all()
    assert (np.diff(blood.adaptation) <= 0.0).all()  # a trained man who rests loses fitness
    blood, end, _ = sampled(0.8, 30.0)
    left = 1.0 - blood.plasma_volume / (1.0 + blood.plasma_gained)
    assert left[end + 120] < 0.05 * left[end]


# samples


class Rested(Model):
    """Neurons at their set points in undisturbed blood."""

    def __init__(self, species: str = "human") -> None:
        super().__init__()
        self.experiment.subject.species = species
        self.blood |= RESTED
        self.rest_outflow = self.tissue.outflow(4)
        self.neurons.bdnf_protein[:] = self.expression.store_at_rest


def test_resting_samples_have_the_published_means() -> None:
    assert serum_bdnf(Rested()) == pytest.approx(32.69, abs=0.01)  # Naegelin 2018
    assert plasma_bdnf(Rested()) == pytest.approx(0.336)  # Gibbons 2023
    assert brain_release(Rested()) == pytest.approx(0.58)  # Seifert 2010


def test_effort_loads_platelets_where_a_parameter_says_so() -> None:
    """What clots gives off more by the share h x, what was in the plasma stays."""
    p, calm, hard = observation_parameters(Rested()), Rested(), Rested()
    hard.blood["exertion"] = 0.8
    loaded = p._replace(platelet_loading=0.5, peripheral_gain=0.0)
    plasma = plasma_level(loaded, calm.blood, 1.0)
    found = [serum_level(loaded, model.blood, 1.0, 1.0) - plasma for model in (calm, hard)]
    assert found[1] == pytest.approx((1.0 + 0.5 * 0.8) * found[0])


def test_shrinking_plasma_keeps_a_hormone_and_renews_bdnf() -> None:
    """Cortisol stays in the plasma: concentration x volume does not depend on the volume. BDNF is gone in minutes."""
    full, shrunk = Rested(), Rested()
    shrunk.blood["plasma_volume"] = 0.8
    assert sampled_cortisol(shrunk) * 0.8 == pytest.approx(sampled_cortisol(full), rel=1e-14)
    assert plasma_bdnf(shrunk) == plasma_bdnf(full)


def test_a_counter_finds_less_of_a_loss_of_plasma_than_serum_does() -> None:
    """Of 100 mL of blood with 45 of cells, a fifth of the plasma leaves: 89 of blood and 44 of plasma are left."""
    own = BLOOD._replace(largest_plasma_loss=0.2, plasma_loss_half=1e-4, haematocrit_at_rest=0.45, platelet_release=0)
    course = ExerciseCourse(np.array([0.0, 3.0]), np.array([1.0]), np.array([False]))
    sample = haemoconcentration(own, GAIN._replace(largest_plasma_gain=0.0), course)
    assert sample.platelet_count[0] == pytest.approx(100.0 / 89.0, rel=1e-4)
    assert sample.platelets[0] == pytest.approx(55.0 / 44.0, rel=1e-4)


def test_plasma_gained_over_days_dilutes_platelets_alone() -> None:
    """What is renewed within hours keeps its level in the larger volume; platelets live ten days."""
    gained = Rested()
    gained.blood |= {"plasma_volume": 1.1, "plasma_gained": 0.1, "platelets": 1.0 / 1.1}
    for read in (sampled_cortisol, plasma_bdnf):
        assert read(gained) == pytest.approx(read(Rested()), rel=1e-14)
    diluted = serum_bdnf(Rested()) - plasma_bdnf(Rested())
    assert serum_bdnf(gained) - plasma_bdnf(gained) == pytest.approx(diluted / 1.1)


def test_the_brain_supplies_its_share() -> None:
    model = Rested()
    model.tissue.concentration[4] *= 2.0
    assert relative_release(model) == pytest.approx(2.0)
    assert brain_release(model) == pytest.approx(2 * 0.58)
    assert plasma_bdnf(model) / plasma_bdnf(Rested()) == pytest.approx(1.75)  # Rasmussen 2009: 70-80 %
    assert serum_bdnf(model) / serum_bdnf(Rested()) < 1.01  # platelets do not follow within minutes


def test_platelets_carry_the_slow_part_of_serum() -> None:
    model = Rested()
    model.neurons.bdnf_protein *= 1.4
    assert serum_bdnf(model) / serum_bdnf(Rested()) == pytest.approx(1.3, abs=0.01)
    model = Rested()
    model.blood["platelets"] = 1.07
    assert serum_bdnf(model) / serum_bdnf(Rested()) == pytest.approx(1.07, abs=0.001)


def of_plasma(p: ObservationParameters, elsewhere: float) -> float:
    """BDNF of plasma relative to rest, at resting release of the brain."""
    return p.brain_share + (1.0 - p.brain_share) * elsewhere


def of_serum(p: ObservationParameters, elsewhere: float) -> float:
    """That of serum: platelets and plasma, each with its own share of the brain."""
    platelets = p.platelet_bdnf_at_rest * (p.platelet_brain_share + (1.0 - p.platelet_brain_share) * elsewhere)
    at_rest = p.platelet_bdnf_at_rest + p.plasma_bdnf_at_rest
    return (platelets + p.plasma_bdnf_at_rest * of_plasma(p, elsewhere)) / at_rest


def test_training_raises_what_organs_outside_the_brain_supply() -> None:
    """Their share rises in plasma and in platelets alike; the brain's release stays."""
    model, p = Rested(), observation_parameters(Rested())
    model.blood |= {"fitness": 0.5, "adaptation": 0.5, "platelet_adaptation": 0.5}
    elsewhere = 1.0 + 0.5 * p.adaptation_gain
    assert plasma_bdnf(model) / plasma_bdnf(Rested()) == pytest.approx(of_plasma(p, elsewhere))
    assert serum_bdnf(model) / serum_bdnf(Rested()) == pytest.approx(of_serum(p, elsewhere))
    assert brain_release(model) == brain_release(Rested())


def test_who_was_fit_and_stops_has_the_supply_of_the_untrained() -> None:
    """A trained subject trains no more: 1 / (1 + G) of the supply outside the brain is left, never less than none."""
    model, p = Rested(), observation_parameters(Rested())
    model.blood |= {"fitness": 0.0, "adaptation": -1.0, "platelet_adaptation": -1.0}
    elsewhere = 1.0 / (1.0 + p.adaptation_gain)
    assert plasma_bdnf(model) / plasma_bdnf(Rested()) == pytest.approx(of_plasma(p, elsewhere))
    assert serum_bdnf(model) / serum_bdnf(Rested()) == pytest.approx(of_serum(p, elsewhere))


def test_serum_after_light_hard_and_maximal_exercise() -> None:
    """Rows E06-E08, to which the law was fitted: +6 +- 8 %, 4-5 times that after intervals, +30 % after a test."""
    light, hard = Rested(), Rested()
    blood, end, _ = sampled(0.25, 90.0)
    light.blood |= {name: getattr(blood, name)[end] for name in SAMPLED}
    blood, end, _ = sampled(1.0, 5.0)
    hard.blood |= {name: getattr(blood, name)[end] for name in SAMPLED}
    rest = serum_bdnf(Rested())
    assert serum_bdnf(light) / rest - 1.0 == pytest.approx(0.06, abs=0.08)
    assert 0.1 < serum_bdnf(hard) / rest - 1.0 < 0.44  # 0.27, its interval


def test_a_dose_is_added_in_its_own_mass() -> None:
    model = Rested()
    model.blood["sampled_bdnf"] = 2.0
    assert plasma_bdnf(model) - plasma_bdnf(Rested()) == pytest.approx(2.0 * 27.0)  # 2 nmol/L of 27 kDa


def test_blood_of_mice_holds_almost_none() -> None:
    """Klein 2011: not detectable; platelets add nothing."""
    model = Rested("mouse")
    assert serum_bdnf(model) == plasma_bdnf(model) < 0.1


# cohorts


@pytest.mark.parametrize(("treated", "cv", "response"), [(1.3, 0.25, 0.0), (0.8, 0.25, 0.1), (1.05, 0.6, 0.2)])
def test_g_of_a_large_cohort_is_the_analytic_one(treated: float, cv: float, response: float) -> None:
    """Variance of a product of independent lognormal factors of mean 1: (1 + cv^2)(1 + r^2) - 1."""
    spread = treated * np.sqrt((1.0 + cv**2) * (1.0 + response**2) - 1.0)
    expected = (treated - 1.0) / np.sqrt(0.5 * (spread**2 + cv**2))
    found = standardised_difference(treated, 1.0, cv, generator(1, 0, "cohort"), response)
    assert found.g == pytest.approx(expected, abs=0.015)
    assert found.low < expected < found.high
    assert found.high - found.low < 0.03


def test_small_cohorts_are_unbiased_in_the_mean() -> None:
    """Hedges' J takes away the bias of small samples, for nearly normal values."""
    draw = generator(2, 0, "cohort")
    found = [standardised_difference(1.06, 1.0, 0.1, draw, n=(6, 5)).g for _ in range(4000)]
    large = standardised_difference(1.06, 1.0, 0.1, draw).g
    assert np.mean(found) == pytest.approx(large, abs=4.0 * np.std(found) / np.sqrt(4000))
    assert small_sample(9) == pytest.approx(1.0 - 3.0 / 35.0)


def test_g_does_not_depend_on_the_unit_and_vanishes_without_effect() -> None:
    one = standardised_difference(1.2, 1.0, 0.3, generator(1, 0, "c"), n=50)
    assert standardised_difference(36.0, 30.0, 0.3, generator(1, 0, "c"), n=50) == pytest.approx(one)
    assert standardised_difference(1.0, 1.0, 0.3, generator(1, 0, "c")).g == pytest.approx(0.0, abs=0.015)


def test_subjects_differ_as_told() -> None:
    factors = variation(0.4, 200_000, generator(3, 0, "c"))
    assert factors.mean() == pytest.approx(1.0, abs=0.005)
    assert factors.std() == pytest.approx(0.4, abs=0.01)
    shape = np.sqrt(np.log1p(0.16))
    assert np.quantile(factors, 0.9) == pytest.approx(lognorm(shape, scale=np.exp(-0.5 * shape**2)).ppf(0.9), rel=0.01)


@pytest.mark.parametrize("wrong", [{"treated": 0.0}, {"cv": 0.0}, {"response_cv": -0.1}, {"n": 1}])
def test_an_impossible_cohort_is_refused(wrong: dict[str, Any]) -> None:
    given: dict[str, Any] = {"treated": 1.1, "control": 1.0, "cv": 0.25, "generator": generator(1, 0, "c")} | wrong
    with pytest.raises(ValueError, match="a cohort needs"):
        standardised_difference(**given)


def test_spreads_between_subjects() -> None:
    p = observation_parameters(Rested())
    assert between_subject_cv(p, "serum_bdnf") == pytest.approx(8.33 / 32.69, abs=0.001)
    assert between_subject_cv(p, "plasma_bdnf") > between_subject_cv(p, "serum_bdnf")  # Polyakova 2017
    assert between_subject_cv(p, "bdnf_protein") == 0.25
    for metric in ("serum_bdnf", "plasma_bdnf"):  # which meta-analyses pool
        assert p.serum_bdnf_cv < pooled_cv(p, metric) < p.plasma_bdnf_cv
    assert pooled_cv(p, "bdnf_protein") == 0.25


def test_effect_sizes_have_the_spread_that_studies_have() -> None:
    p = observation_parameters(Rested())
    draw = generator(1, 0, "cohort")
    expected = standardised_difference(1.2, 1.0, p.pooled_bdnf_cv, draw, p.response_cv).g
    assert effect_size(p, "serum_bdnf", 36.0, 30.0, 1) == pytest.approx(expected)
    # g of a large cohort: the difference over the pooled spread, the response's own in that of the treated.
    between = p.pooled_bdnf_cv**2
    treated = 1.2**2 * ((1.0 + between) * (1.0 + p.response_cv**2) - 1.0)
    assert expected == pytest.approx(0.2 / np.sqrt(0.5 * (between + treated)), rel=0.02)


def test_the_interval_of_an_effect_size_holds_it_in_95_of_100_small_studies() -> None:
    draw = generator(3, 0, "cohort")
    true = standardised_difference(1.25, 1.0, 0.1, draw).g  # large, so that its own square counts in the interval
    found = [standardised_difference(1.25, 1.0, 0.1, draw, n=20) for _ in range(2000)]
    assert np.mean([each.low <= true <= each.high for each in found]) == pytest.approx(0.95, abs=0.015)


# assays


def test_receptors_hold_what_the_scalar_law_says() -> None:
    model = Rested()
    model.drugs = Pharmacology(agonist=0.2)
    cortisol = model.tissue.concentration[3].reshape(-1)[model.neurons.voxel]
    expected = [glucocorticoid_occupancy(model.expression, value, 0.2) for value in cortisol]
    np.testing.assert_allclose(receptor_occupancy(model), expected, rtol=1e-14)


@pytest.mark.parametrize(("total", "occupied"), [(43.0, 0.281), (811.0, 0.745)])
def test_receptors_at_published_levels(total: float, occupied: float) -> None:
    """Reul 1987: occupancy against total plasma corticosterone, of which 5 % is free."""
    model = Rested()
    model.tissue.concentration[3] = 0.05 * total
    assert receptor_occupancy(model) == pytest.approx(occupied, abs=0.005)


def test_deacetylases_sit_on_repressed_nucleosomes() -> None:
    epigenome = load_parameters(EpigenomeParameters, "epigenome")
    rows = resting_rows(epigenome, 20_000, generator(1, 0, "rows"))
    neurons = SimpleNamespace(nucleosomes=rows, hdac2=np.ones(20_000), hdac3=np.full(20_000, 0.6))
    neurons.voxel = np.zeros(20_000, dtype=np.int64)
    tissue = SimpleNamespace(concentration=np.zeros((5, 1)))
    model = SimpleNamespace(neurons=neurons, epigenome=epigenome, tissue=tissue, drugs=Pharmacology())
    assert deacetylase_occupancy(model, "hdac2").mean() == pytest.approx(1.0, abs=0.01)
    assert deacetylase_occupancy(model, "hdac3").mean() == pytest.approx(0.6, abs=0.01)
    rows[:, 1:] = 0  # the other promoters do not matter to a ChIP at promoter I
    assert deacetylase_occupancy(model, "hdac2").mean() == pytest.approx(1.0, abs=0.01)
    rows[:, 0] = 1
    assert (deacetylase_occupancy(model, "hdac2") == 0.0).all()


@pytest.mark.parametrize(("enzyme", "ic50"), [("hdac2", 5.3), ("hdac3", 2.4)])
def test_an_inhibitor_takes_deacetylases_off_the_promoter(enzyme: str, ic50: float) -> None:
    """Half is gone at the IC50 of BHB, and a third is left with another inhibitor at its own IC50 beside it."""
    epigenome = load_parameters(EpigenomeParameters, "epigenome")
    half = getattr(epigenome, f"bhb_ic50_{enzyme}")
    assert bound_shares(np.array([0.0, ic50]), half, 0.0) == pytest.approx([1.0, 0.5])
    assert bound_shares(np.array([ic50]), half, 1.0) == pytest.approx([1.0 / 3.0])


# field recordings


class Slice(Model):
    """Unpotentiated synapses of neurons at rest."""

    def __init__(self) -> None:
        super().__init__(neurons=150)
        for name in ("trkb", "spine", "scale", "threshold", "potentiation_gain"):
            getattr(self.neurons, name)[:] = 1.0
        self.neurons.plasticity_protein[:] = 0.0
        self.synapses.early[:], self.synapses.late[:] = 0.0, 0.0

    def stimulated(self) -> np.ndarray:
        """The synapses of every other Schaffer collateral, from the first on."""
        w = self.wiring
        owner = np.repeat(np.arange(150), np.diff(w.start))
        sender, first = w.sender.astype(int), int(np.argmax(w.region == 1))
        return (w.region[owner] == 2) & (w.region[sender] == 1) & ((sender - first) % 2 == 0)


def ca1(model: Model, values: np.ndarray) -> float:
    return float(values[model.neurons.region == 2].mean())


def test_unpotentiated_synapses_at_rest_are_the_measure() -> None:
    model = Slice()
    assert ca1(model, field_slope(model)) == pytest.approx(1.0, rel=1e-12)


def test_the_slope_grows_with_every_factor_of_strength() -> None:
    model = Slice()
    model.neurons.spine[:], model.neurons.scale[:], model.neurons.trkb[:] = 1.1, 0.9, 1.5
    model.synapses.early[:], model.synapses.late[:] = 0.2, 0.1
    expected = 1.1 * 0.9 * 1.3 * release_probability(PLASTICITY, 1.5)
    assert ca1(model, field_slope(model)) == pytest.approx(expected, rel=1e-12)


def test_the_field_is_the_sum_over_stimulated_synapses_only() -> None:
    model = Slice()
    held = model.stimulated()
    model.synapses.late[~held] = 5.0
    assert ca1(model, field_slope(model)) == pytest.approx(1.0, rel=1e-12)
    draw = np.random.default_rng(2)
    model.synapses.late[held] = draw.random(held.sum())
    weight = model.wiring.weight[held].astype(float)  # what is stored is of single precision, what is computed is not
    expected = (weight * (1.0 + model.synapses.late[held])).sum() / weight.sum()
    assert ca1(model, field_slope(model)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("neurons", [10, 11, 12, 13])
def test_the_smallest_tissues_have_fields(neurons: int) -> None:
    """One cell in CA3, with whatever number, is a fibre that is excited; alone it has no recurrent synapses."""
    model = Model(neurons)
    for probe in (field_slope, paired_pulse, potentiation):
        values = probe(model)
        assert np.isfinite(values[model.neurons.region != 1]).all()


def test_miniatures_take_the_weight_of_a_synapse_apart() -> None:
    # n s (1 + e + z) v: the receiving side in the amplitude, contacts and release in the frequency.
    model = Model()
    n, w = model.neurons, model.wiring
    for i in range(len(n.trkb)):
        own = slice(w.start[i], w.start[i + 1])
        change = model.synapses.early[own] + model.synapses.late[own]
        assert miniature_amplitude(model)[i] == pytest.approx(n.scale[i] * (1.0 + change.mean()), rel=1e-6)
        senders = w.sender[own].astype(int)
        release = [release_probability(PLASTICITY, n.trkb[k]) if k < len(n.trkb) else 1.0 for k in senders]
        assert miniature_frequency(model)[i] == pytest.approx(n.spine[i] * np.mean(release), rel=1e-6)


def test_more_contacts_and_release_are_more_miniatures_and_not_larger_ones() -> None:
    model, more = Slice(), Slice()
    more.neurons.spine[:], more.neurons.trkb[:] = 1.2, 1.5
    assert miniature_amplitude(more) == pytest.approx(miniature_amplitude(model), rel=1e-12)
    assert (miniature_frequency(more) > 1.19 * miniature_frequency(model)).all()
    more.synapses.late[:] = 0.4
    assert miniature_amplitude(more) == pytest.approx(1.4 * miniature_amplitude(model), rel=1e-6)


def test_paired_pulses_facilitate_less_where_release_is_likelier() -> None:
    o = observation_parameters(Slice())
    ratios = []
    for trkb in (0.5, 1.0, 1.5, 2.0):
        model = Slice()
        model.neurons.trkb[:] = trkb
        likely = o.initial_release * release_probability(PLASTICITY, trkb)
        # Utilisation and resources after the first pulse, and what is left of their changes at the second.
        utilisation, resources = likely + likely * (1.0 - likely), 1.0 - likely
        second = (likely + o.facilitation * (utilisation - likely)) * (1.0 - o.depletion * (1.0 - resources))
        assert ca1(model, paired_pulse(model)) == pytest.approx(second / likely, rel=1e-12)
        ratios.append(ca1(model, paired_pulse(model)))
    assert ratios == sorted(ratios, reverse=True)
    assert 1.2 < ratios[1] < 2.0


def test_paired_pulses_see_release_alone() -> None:
    model = Slice()
    model.neurons.spine[:], model.synapses.late[:] = 1.4, 0.7
    assert ca1(model, paired_pulse(model)) == pytest.approx(ca1(Slice(), paired_pulse(Slice())), rel=1e-12)


@pytest.mark.parametrize(
    ("minutes", "change", "error"), [(17.5, 0.765, 0.109), (37.5, 0.577, 0.122), (57.5, 0.532, 0.137)]
)
def test_potentiation_of_control_slices(minutes: float, change: float, error: float) -> None:
    """Front Pharmacol 2025, control slices: no number of the law was fitted to them. Within the standard error."""
    model = Slice()
    assert ca1(model, potentiation(model, minutes * MINUTE)) - 1.0 == pytest.approx(change, abs=error)


def test_without_protein_potentiation_decays_with_the_early_change() -> None:
    model = Slice()
    times = np.array([0.0, 0.5, 2.0, 6.0])
    changes = np.array([ca1(model, potentiation(model, time)) - 1.0 for time in times])
    np.testing.assert_allclose(changes / changes[0], np.exp(-times / PLASTICITY.early_time), rtol=1e-12)
    model.neurons.plasticity_protein[:] = 0.5
    assert ca1(model, potentiation(model, 6.0)) - 1.0 > changes[-1]


def test_potentiation_grows_with_its_gain() -> None:
    found = []
    for gain in (0.0, 0.4, 1.0, 1.4):
        model = Slice()
        model.neurons.potentiation_gain[:] = gain
        found.append(ca1(model, potentiation(model)))
    assert found[0] == pytest.approx(1.0, rel=1e-12)
    assert found == sorted(found)


def test_potentiated_synapses_leave_less_to_potentiate() -> None:
    model = Slice()
    model.synapses.early[:] = 0.5
    assert ca1(model, potentiation(model, 0.0)) < ca1(Slice(), potentiation(Slice(), 0.0))


@pytest.mark.parametrize("early", [0.87, 0.25, 0.1, -0.4])
def test_settling_is_exact(early: float) -> None:
    """Against many small steps of the two equations, the tag looked at anew in each."""
    steps, time, late, protein, trkb = 40_000, 3.0, 0.2, 0.3, 1.4
    dt, e = time / steps, early
    step = late_step(PLASTICITY, protein, trkb, dt)
    for _ in range(steps):
        late = next_late(late, e, float(abs(e) > PLASTICITY.tag_threshold), step)
        e *= np.exp(-dt / PLASTICITY.early_time)
    assert settled(PLASTICITY, early, 0.2, protein, trkb, time) == pytest.approx((e, late), abs=1e-4)


# learning


class Naive(Slice):
    """Synapses of `Slice`, whose neurons have a weight of 1 and so many of twelve nucleosomes repressed."""

    def __init__(self, repressed: int = 6, trkb: float = 1.0) -> None:
        super().__init__()
        self.neurons.mean_strength[:], self.neurons.trkb[:] = 1.0, trkb
        self.neurons.nucleosomes[:], self.neurons.nucleosomes[..., :repressed] = 0, REPRESSED

    def retained(self, events: int | None = None, time: float | None = None) -> float:
        return float(retention(self, events, time).mean())


def test_a_weak_training_tags_a_synapse_of_a_naive_neuron() -> None:
    o, q = observation_parameters(Naive()), Naive().network
    early = tetanised(PLASTICITY, 0.0, int(o.training_events), (q.cue + 1.0) / (1.0 + q.inhibition), 1.0, 1.0)
    assert PLASTICITY.tag_threshold < early < PLASTICITY.protein_threshold
    assert Naive().retained() > 0.0


@pytest.mark.parametrize("trkb", [1.0, 1.5])
@pytest.mark.parametrize("repressed", [0, 4, 8])
def test_what_is_left_of_a_weak_training_has_a_closed_form(repressed: int, trkb: float) -> None:
    """z' = p / tau_c (1 - z) while the tag stands, but for forgetting, which is slow; p = g k omega."""
    p, model = PLASTICITY, Naive(repressed, trkb)
    o, q, x = observation_parameters(model), model.network, model.epigenome
    drive = (q.cue + 1.0) / (1.0 + q.inhibition)
    tagged = p.early_time * np.log(p.potentiation * drive / (drive + 1.0) / p.tag_threshold)
    rows = np.arange(13)
    rest = resting_repressed_distribution(x) @ (1.0 - rows / 12.0) ** o.induction_nucleosomes
    protein = p.protein_gain * trkb * (1.0 - repressed / 12.0) ** o.induction_nucleosomes / rest
    forgotten = np.exp(-(24.0 - tagged) * (1.5 - 0.5 * trkb) / p.late_time)
    assert model.retained() == pytest.approx((1.0 - np.exp(-protein * tagged / p.capture_time)) * forgotten, rel=0.003)


def test_promoters_answer_as_at_rest_on_the_mean_and_never_when_closed() -> None:
    epigenome = load_parameters(EpigenomeParameters, "epigenome")
    rows = resting_rows(epigenome, 20_000, generator(1, 0, "rows"))
    for needed in (1.0, 4.0, 6.0):
        assert inducibility(rows, epigenome, needed).mean() == pytest.approx(1.0, abs=0.02)
    repressed = np.zeros((13, 4, 12), np.int8)
    for count in range(13):
        repressed[count, :, :count] = REPRESSED
    found = inducibility(repressed, epigenome, 6.0)
    assert found.tolist() == sorted(set(found), reverse=True)
    assert found[12] == 0.0


def test_a_strong_training_leaves_more_than_a_weak_one() -> None:
    """Ten minutes of exploring against three."""
    weak, *stronger = (Naive().retained(events) for events in (1, 2, 3, 5))
    assert [weak, *stronger] == sorted([weak, *stronger])
    assert stronger[1] > 2.0 * weak


@pytest.mark.parametrize("blocked", ["transcription", "protein_synthesis", "bdnf_synthesis"])
def test_without_new_bdnf_nothing_is_retained(blocked: str) -> None:
    model = Naive()
    model.drugs = Pharmacology(**{blocked: 0.0})
    assert model.retained(5) == 0.0
    model.drugs = Pharmacology(**{blocked: 0.5})
    assert model.retained() == pytest.approx(0.5 * Naive().retained(), rel=0.02)


@pytest.mark.parametrize("events", [1, 3])
def test_retention_rises_with_open_chromatin_and_with_trkb(events: int) -> None:
    """TrkB by the protein it lets neurons make and by slower forgetting; its gain of potentiation is another column."""
    by_row = [Naive(repressed).retained(events) for repressed in (12, 9, 6, 3, 0)]
    assert by_row[0] == 0.0
    assert by_row == sorted(set(by_row))
    by_trkb = [Naive(6, trkb).retained(events) for trkb in (0.25, 0.5, 1.0, 1.5, 2.0)]
    assert by_trkb == sorted(set(by_trkb))
    by_gain = []
    for gain in (0.3, 0.7, 1.0, 1.4):
        model = Naive()
        model.neurons.potentiation_gain[:] = gain
        by_gain.append(model.retained(events))
    assert by_gain == sorted(by_gain)
    assert by_gain[0] < by_gain[-1]


def test_without_a_tag_or_without_firing_nothing_is_learnt() -> None:
    model = Naive()
    model.neurons.potentiation_gain[:] = 0.3
    assert model.retained() == 0.0  # the early change is below the tag's threshold
    high = Naive()
    high.neurons.threshold[:] = 2.0
    assert high.retained() == 0.0


def test_a_memory_is_forgotten_with_the_turnover_of_spines() -> None:
    day, week = Naive().retained(), Naive().retained(time=168.0)
    assert week / day == pytest.approx(np.exp(-144.0 / PLASTICITY.late_time), rel=1e-9)


def test_what_happens_without_training_is_no_memory() -> None:
    """Synapses that hold a tag already gain from the protein of the training; only the difference counts."""
    model = Naive(0)
    model.synapses.early[:] = 0.5
    assert model.retained(0) == 0.0
    assert 0.0 < model.retained() < Naive(0).retained()


def test_mice_that_retain_nothing_explore_both_objects_alike() -> None:
    model = Naive(12)
    assert (object_location_preference(model) == 0.5).all()
    o = observation_parameters(model)
    low, half, high = (discrimination_index(o, share * o.half_retention) for share in (0.1, 1.0, 10.0))
    assert half == pytest.approx(0.5 * o.largest_discrimination)
    assert low < 0.01 * half
    assert high == pytest.approx(o.largest_discrimination, rel=0.01)
    both = Naive(3)
    expected = 0.5 * (1.0 + discrimination_index(o, both.retained()))
    assert object_location_preference(both) == pytest.approx(expected)


def test_a_region_without_neurons_has_no_field() -> None:
    model = Slice()
    model.neurons.region[:] = 2
    assert np.isnan(METRICS["fepsp_slope"].observe(model)["DG"])


# whole models

SMALL = {
    "name": "small",
    "subject": {"species": "mouse"},
    "tissue": {"neurons": 90, "size": ["200 um", "200 um"]},
    "schedules": {"sedentary": {}},
    "reference": "sedentary",
    "observe": [{"metric": "bdnf_protein", "at": ["1 h"]}],
    "run": {"duration": "6 h", "burn_in": "6 h", "step": "30 min", "seed": 4},
}


@pytest.mark.parametrize(
    ("preparation", "names"),
    [("in_vivo", METRIC_NAMES), ("slice", TISSUE_METRIC_NAMES), ("culture", TISSUE_METRIC_NAMES)],
)
def test_every_read_out_of_a_real_model_is_a_number_and_leaves_it_alone(
    preparation: str, names: tuple[str, ...]
) -> None:
    model = HippocampusModel(build_experiment(SMALL | {"preparation": preparation}))
    model.rest()
    for _ in range(3):
        before = model.checkpoint()
        for name in names:
            values = METRICS[name].observe(model)
            assert list(values) == (list(REGIONS) if METRICS[name].regional else ["all"])
            assert np.isfinite(list(values.values())).all()
        after = model.checkpoint()
        for key, array in before.items():
            np.testing.assert_array_equal(after[key], array)
        model.step()
