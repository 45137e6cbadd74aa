"""Laws of the body: positive concentrations, closed balances, monotone responses, periodic rest, verified numerics."""

import numpy as np
import pytest
from body_laboratory import INDEX, Samples, bout, ester, experiment, intervals, person
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import RK45, solve_ivp

from abm.body import (
    PLASMA_COLUMNS,
    STATES,
    body_parameters,
    initial_fitness,
    resting_day,
    resting_state,
    simulate_body,
    solve_body,
)
from abm.body.adaptation import relative_maximal_uptake, resting_uptake, threshold_shift
from abm.body.cortisol import daily_level
from abm.body.fuels import ffa_rate, lipolysis_under_ketones, release_into_laden_blood
from abm.body.ketones import (
    butanediol_conversion,
    fasting_rate,
    ketogenesis,
    ketogenic_capacity,
    ketone_absorption,
    ketone_clearance,
)
from abm.body.lactate import above, glycolysis_left, lactate_turnover, thresholds
from abm.body.plasma import rounded
from abm.body.protocol import build_protocol
from abm.body.rates import body_rates
from abm.body.simulate import SMALL, TOLERANCE
from abm.body.solve import ERROR, INTEGRAL, NODES, STAGES
from abm.config import Schedule, Subject, capacity
from abm.parameters import ParameterError
from abm.schedule import Block, Bout, Dose, Meal, Timeline, compile_schedule, resting_timeline
from abm.streams import generator

HUMAN, MOUSE = person(), person(species="mouse")
SUBJECTS = [HUMAN, person("trained"), person(condition="type_2_diabetes"), MOUSE]
named = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda s: f"{s.species}-{s.training}-{s.condition}")
STEP = 0.1
SIGNALS = ("bhb", "lactate", "glucose", "ffa", "irisin", "cortisol", "insulin")


def edges(hours: float, step: float = STEP) -> np.ndarray:
    return np.round(np.arange(round(hours / step) + 1) * step, 9)


def busy(subject: Subject, hours: float = 48.0) -> Timeline:
    """A timeline with everything in it: intervals, meals, doses by every route, blocks."""
    bouts = [*intervals(9.03, 6, (1, 1.2), (2, 0.3)), bout(30.0, 40, 0.7)]
    doses = [
        ester(500, 11.0), Dose("bhb", "ip", 2.0, 12.25, 0.0), Dose("lactate", "iv", 3.0, 13.0, 0.5),
        Dose("glucose", "oral", 5.0, 14.0, 0.0), Dose("irisin", "sc", 1.0, 15.0, 0.0),
        Dose("corticosterone", "sc", 500.0, 16.0, 0.0),
        Dose("dexamethasone", "ip", 50.0, 20.0, 0.0), Dose("2-deoxyglucose", "ip", 1.0, 21.0, 0.0),
        Dose("bdnf", "iv", 1.0, 22.0, 0.2),
        Dose("bhb", "icv", 10.0, 12.0, 0.0),
    ]  # fmt: skip
    usual = resting_timeline(subject, hours)
    meals = tuple(meal for meal in usual.meals if not 24.0 <= meal.start < 33.0)
    return Timeline(
        "busy",
        hours,
        tuple(bouts),
        meals,
        tuple(doses),
        (Block("ketogenesis", 0.5, 26.0, 29.0),),
    )


# Physiological laws.


@named
def test_all_concentrations_stay_positive(subject: Subject) -> None:
    tr = solve_body(body_parameters(subject), busy(subject), edges(48.0), resting_state(subject))
    assert np.isfinite(tr.points).all()
    # Depots and the gut empty exponentially and may undershoot by the error of a step.
    assert tr.points.min() > -1e-7
    for name in SIGNALS:
        assert tr.points[:, INDEX[name]].min() > 0.0


def simpson(samples: Samples, values: np.ndarray) -> float:
    """Integral over equal sampling intervals, an even number of them."""
    width = samples.times[1] - samples.times[0]
    return float(width / 3 * (values[0] + 4 * values[1:-1:2].sum() + 2 * values[2:-1:2].sum() + values[-1]))


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_no_liver_makes_more_ketone_than_it_can(species: str) -> None:
    p = body_parameters(person(species=species)).ketones
    most = p.ketogenesis_maximum
    drives = np.geomspace(0.01, 1e4, 60)
    made = np.array([ketogenesis(p, 1.0, drive, 1.0, 1.0, 0.0) for drive in drives])
    asked = p.ketogenesis_rate * drives
    assert np.all(np.diff(made) > 0.0)
    assert made[-1] == pytest.approx(most, rel=1e-6)
    assert np.all(made < most)
    assert made[asked < 0.5 * most] == pytest.approx(asked[asked < 0.5 * most], rel=0.016)


def test_the_fittest_too_make_lactate_at_vo2max() -> None:
    """Training moves the first threshold towards VO2max and keeps the second between the two."""
    for training in ("untrained", "recreational", "trained", "elite"):
        p = body_parameters(person(training))
        first, second = thresholds(p.lactate, threshold_shift(p.adaptation, initial_fitness(p.adaptation, training)))
        assert first < second < 1.0
        share = (1.0 - second) / (1.0 - first)
        assert share == pytest.approx((1.0 - p.lactate.second_threshold) / (1.0 - p.lactate.first_threshold))
    peaks = [
        experiment(person(training), 10.0, [bout(9.0, 6, 1.0)]).peak("lactate", 9.0)
        for training in ("recreational", "trained", "elite")
    ]
    assert peaks == sorted(peaks, reverse=True)
    assert peaks[-1] > 8.0


def test_a_sample_does_not_hang_on_the_step() -> None:
    """Read as intervals end, where the mean over a step of 6 min is far from what is there at its end."""
    ride = [bout(8.0, 6, 0.95), bout(8.3, 6, 0.95)]
    timeline = Timeline("t", 9.0, bouts=tuple(ride))
    coarse, fine = (simulate_body(HUMAN, timeline, edges(9.0, step)) for step in (0.1, 1.0 / 60.0))
    for name in ("lactate", "bhb", "glucose", "ffa", "irisin", "cortisol", "insulin", "glycogen"):
        sampled = getattr(coarse, f"sampled_{name}")
        np.testing.assert_allclose(sampled, getattr(fine, f"sampled_{name}")[5::6], rtol=1e-5)
    assert coarse.sampled_lactate[80] > 1.5 * coarse.lactate[80]


def test_a_sample_at_the_time_of_a_dose_is_drawn_before_it() -> None:
    timeline = Timeline("t", 2.0, doses=(Dose("lactate", "iv", 5.0, 1.0, 0.0),))
    plasma = simulate_body(HUMAN, timeline, edges(2.0))
    assert plasma.sampled_lactate[9] == pytest.approx(plasma.sampled_lactate[8], rel=0.01)
    assert plasma.sampled_lactate[10] > 2.0 * plasma.sampled_lactate[9]


def test_ketone_made_and_absorbed_is_cleared_or_still_there() -> None:
    test = experiment(HUMAN, 24.0, doses=[ester(395, 0.0)], fast_from=0.0)
    p = body_parameters(HUMAN)
    ketone = p.ketones
    names = (
        "bhb", "fitness", "ffa", "insulin", "glucose", "glycogen", "gut_ketone", "gut_carbohydrate",
        "butanediol", "fasting", "sympathetic",
    )  # fmt: skip
    rows = [dict(zip(names, row, strict=True)) for row in np.column_stack([test[name] for name in names]).tolist()]
    action = [p.fuels.insulin_sensitivity * row["insulin"] / p.fuels.insulin_basal for row in rows]
    glucagon = [p.fuels.glucagon_basal * (p.fuels.glucose_basal / row["glucose"]) ** 2 for row in rows]
    made = [
        ketogenesis(ketone, ketogenic_capacity(ketone, row["fasting"]), row["ffa"], i, g, row["glycogen"])
        for row, i, g in zip(rows, action, glucagon, strict=True)
    ]
    absorbed = [
        (ketone_absorption(ketone, row["gut_ketone"], row["gut_carbohydrate"])
         + ketone.ester_bhb_yield * butanediol_conversion(ketone, row["butanediol"])) / ketone.ketone_volume
        for row in rows
    ]  # fmt: skip
    cleared = [
        ketone_clearance(ketone, row["bhb"], 0.0, row["sympathetic"], row["fitness"]) for row in rows
    ]
    change = rows[-1]["bhb"] - rows[0]["bhb"]
    gained = simpson(test, np.array(made)) + simpson(test, np.array(absorbed))
    assert gained - simpson(test, np.array(cleared)) == pytest.approx(change, abs=1e-4 * gained)
    given = 395 / 176.21 * ketone.ester_bhb_yield * 2 / ketone.ketone_volume
    left = (rows[-1]["gut_ketone"] + ketone.ester_bhb_yield * rows[-1]["butanediol"]) / ketone.ketone_volume
    assert simpson(test, np.array(absorbed)) == pytest.approx(given - left, rel=1e-4)


@pytest.mark.slow
def test_carbohydrate_eaten_is_stored_or_passes_through_the_blood() -> None:
    """Over a day: meals = what left the gut; glycogen and glucose change by what flows in and out."""
    test = experiment(HUMAN, 24.0, [bout(16.0, 60, 0.6)])
    p = body_parameters(HUMAN).fuels
    fluxes = [test.fluxes(time) for time in test.times.tolist()]

    def total(*signs_and_names: tuple[int, str]) -> float:
        return simpson(
            test, np.array([sum(sign * getattr(flux, name) for sign, name in signs_and_names) for flux in fluxes])
        )

    def change(name: str) -> float:
        return test.at(name, 24.0) - test.at(name, 0.0)

    grams = sum(meal.carbohydrate for meal in resting_timeline(HUMAN, 24.0).meals)
    eaten = 1000 * grams / body_parameters(HUMAN).glucose_molar_mass
    assert eaten - total((1, "gut_glucose")) == pytest.approx(change("gut_carbohydrate"), abs=1e-4 * eaten)
    stored = total((1, "portal_uptake"), (-1, "glycogenolysis"))
    assert stored == pytest.approx(change("glycogen"), abs=1e-4 * eaten)
    names = (
        (1, "gut_glucose"),
        (-1, "portal_uptake"),
        (1, "glycogenolysis"),
        (1, "gluconeogenesis"),
        (-1, "glucose_uptake"),
    )
    assert total(*names) == pytest.approx(p.glucose_volume * change("glucose"), abs=1e-4 * eaten)


def test_harder_work_makes_more_lactate_irisin_and_cortisol() -> None:
    levels = (0.2, 0.4, 0.6, 0.8, 1.0, 1.2)
    tests = [experiment(HUMAN, 11.0, [bout(10.0, 10, level)]) for level in levels]
    lactate = [test.peak("lactate", 10.0) for test in tests]
    assert lactate == sorted(lactate)
    # Oxygen uptake ends at VO2max, and these two follow it.
    for name in ("irisin", "cortisol"):
        peaks = [test.peak(name, 10.0) for test in tests[:5]]
        assert peaks == sorted(peaks)


def test_longer_work_makes_more_ketosis_and_empties_the_liver() -> None:
    tests = [experiment(HUMAN, 14.0, [bout(8.0, minutes, 0.6)], fast_from=0.0) for minutes in (30, 60, 90, 120)]
    peaks = [test.peak("bhb", 8.0, 12.0) for test in tests]
    assert peaks == sorted(peaks)
    stores = [test.at("glycogen", 11.0) for test in tests]
    assert stores == sorted(stores, reverse=True)


@pytest.mark.parametrize("subject", [HUMAN, MOUSE], ids=["human", "mouse"])
def test_more_ester_gives_a_higher_peak(subject: Subject) -> None:
    peaks = [experiment(subject, 14.0, doses=[ester(amount, 9.0)]).peak("bhb", 9.0) for amount in (100, 300, 600, 1200)]
    assert peaks == sorted(peaks)


@given(bhb=st.floats(0.01, 8.0), more=st.floats(0.01, 4.0))
def test_clearance_rises_but_clearance_per_concentration_falls(bhb: float, more: float) -> None:
    p = body_parameters(HUMAN).ketones
    low, high = (ketone_clearance(p, level, 0.0, 0.0, 0.0) for level in (bhb, bhb + more))
    assert low < high
    assert low / bhb > high / (bhb + more)


@given(fitness=st.floats(0.0, 1.4), effort=st.floats(0.0, 1.0))
def test_training_speeds_the_clearance_of_ketones_in_muscle_alone(fitness: float, effort: float) -> None:
    """At low levels clearance is V B / K (1 + a e + b f (m + a s)): training counts by the share of muscle at rest, and
    by what effort adds in and after exercise."""
    p, trace = body_parameters(HUMAN).ketones, 1e-9
    rested = ketone_clearance(p, trace, 0.0, 0.0, 0.0)
    gain, training = p.ketone_clearance_exercise, p.ketone_clearance_training * fitness
    at_rest = ketone_clearance(p, trace, 0.0, 0.0, fitness) / rested
    working = ketone_clearance(p, trace, effort, effort, fitness) / rested
    just_after = ketone_clearance(p, trace, 0.0, effort, fitness) / rested
    assert at_rest == pytest.approx(1.0 + training * p.ketone_clearance_muscle, rel=1e-6)
    assert just_after - at_rest == pytest.approx(training * gain * effort, abs=1e-6)
    assert working - just_after == pytest.approx(gain * effort, abs=1e-6)


def test_days_of_a_fast_raise_lipolysis_and_ketogenesis_together() -> None:
    """Into blood that carries no more, fat gives off 1 + n f times the fatty acids of a fed day.

    The liver makes ketones 1 + g f times as fast.
    """
    p = body_parameters(HUMAN)
    assert p.fuels.lipolysis_fasting_gain > 0.0
    for fasting in (0.0, 0.3, 0.8):
        risen = ffa_rate(p.fuels, p.fuels.ffa_basal, 1.0, 0.0, 0.0, 0.0, fasting)
        wanted = p.fuels.ffa_turnover * p.fuels.ffa_basal * p.fuels.lipolysis_fasting_gain * fasting
        assert risen == pytest.approx(wanted, abs=1e-12)
        assert ketogenic_capacity(p.ketones, fasting) == 1.0 + p.ketones.ketogenic_induction * fasting
        assert fasting_rate(p.ketones, fasting, 1.0 - fasting) == pytest.approx(0.0, abs=1e-12)
    test = experiment(HUMAN, 84.0, fast_from=10.0)
    assert test.at("fasting", 30.0) < test.at("fasting", 54.0) < test.at("fasting", 84.0) < 1.0
    assert min(test.at("ffa", 54.0), test.at("ffa", 84.0)) > 1.3 * test.at("ffa", 24.0)


@given(st.floats(-1.0, 2.0), st.floats(0.0, 1.0), st.floats(0.01, 0.2))
def test_smoothed_corner_lies_on_the_corner(intensity: float, threshold: float, width: float) -> None:
    excess = above(intensity, threshold, width)
    assert 0.0 <= excess - max(0.0, intensity - threshold) <= width * np.log(2) + 1e-12


def test_active_clearance_of_lactate_is_half_at_the_threshold_wherever_training_has_moved_it() -> None:
    p = body_parameters(HUMAN).lactate
    rest = lactate_turnover(p, 0.0, 0.0)
    assert rest == pytest.approx(np.log(2.0) / p.lactate_half_life)
    for shift in (-0.1, 0.0, 0.08):
        found = lactate_turnover(p, p.first_threshold + shift, shift)
        assert found == pytest.approx(rest * (1.0 + 0.5 * p.lactate_active_clearance))


def test_blocked_ketogenesis_makes_no_ketone() -> None:
    whole = experiment(HUMAN, 60.0, fast_from=12.0)
    half = experiment(HUMAN, 60.0, fast_from=12.0, blocks=[Block("ketogenesis", 0.5, 0.0, 60.0)])
    none = experiment(HUMAN, 60.0, fast_from=12.0, blocks=[Block("ketogenesis", 1.0, 0.0, 60.0)])
    assert none.at("bhb", 60.0) < 1e-6 < half.at("bhb", 60.0) < whole.at("bhb", 60.0)
    fuels = body_parameters(HUMAN).fuels
    left = lipolysis_under_ketones(fuels, whole.at("bhb", 60.0))
    freed = [level / release_into_laden_blood(fuels, level) for level in (whole.at("ffa", 60.0), none.at("ffa", 60.0))]
    assert freed[0] == pytest.approx(left * freed[1], rel=1e-2)


def test_fat_gives_off_less_into_blood_that_carries_more_and_nothing_into_blood_that_is_full() -> None:
    fuels = body_parameters(HUMAN).fuels
    levels = np.array([0.0, fuels.ffa_basal, 1.0, 2.0, 3.0, fuels.ffa_limit, 9.0])
    taken_up = [release_into_laden_blood(fuels, level) for level in levels]
    assert taken_up[1] == 1.0
    assert taken_up[-2] == taken_up[-1] == 0.0
    assert np.all(np.diff(taken_up[:-1]) < 0.0)


@given(st.floats(0.0, 0.99), st.floats(0.0, 1.2), st.floats(0.001, 1.5))
def test_whatever_frees_fatty_acids_they_come_to_rest_below_what_blood_carries(
    fasting: float, effort: float, insulin: float
) -> None:
    """At m times the lipolysis of rest m (1 - (F / F_l)^2) = (1 - (F_b / F_l)^2) F / F_b, a quadratic equation in F."""
    fuels = body_parameters(HUMAN).fuels
    basal, limit = fuels.ffa_basal, fuels.ffa_limit
    drive = 1.0 + ffa_rate(fuels, basal, insulin, effort, 0.0, 0.0, fasting) / (fuels.ffa_turnover * basal)
    half = (1.0 - (basal / limit) ** 2) * limit**2 / (2.0 * drive * basal)
    level = np.sqrt(half * half + limit * limit) - half
    assert 0.0 < level < limit
    assert ffa_rate(fuels, level, insulin, effort, 0.0, 0.0, fasting) == pytest.approx(0.0, abs=1e-9)


def test_fatty_acids_of_a_starved_body_that_exercises_stay_below_what_blood_carries() -> None:
    starved = experiment(HUMAN, 110.0, bouts=[Bout(106.0, 108.0, 0.6, "cycling")], fast_from=20.0)
    assert starved.at("ffa", 106.0) < starved.peak("ffa", 106.0, 110.0) < body_parameters(HUMAN).fuels.ffa_limit


def test_an_animal_without_fndc5_has_no_irisin() -> None:
    """Lost in muscle too it leaves half or none of the irisin of a bout; a drug in the brain leaves all."""
    found = [
        experiment(HUMAN, 24.0, [bout(16.0, 60, 0.6)], blocks=[Block("FNDC5", fraction, 0.0, 24.0, loss)]).at(
            "irisin", 17.0
        )
        for fraction, loss in ((1.0, True), (0.5, True), (1.0, False), (0.0, True))
    ]
    assert found[0] < 1e-3 * found[3]
    assert found[1] == pytest.approx(0.5 * found[3], rel=1e-3)
    assert found[2] == found[3]


def test_two_blocks_of_ketogenesis_leave_the_product_of_what_each_leaves() -> None:
    both = [Block("ketogenesis", 0.5, 0.0, 60.0), Block("ketogenesis", 0.4, 10.0, 60.0)]
    one = [Block("ketogenesis", 0.5, 0.0, 10.0), Block("ketogenesis", 0.7, 10.0, 60.0)]
    left = [experiment(HUMAN, 60.0, fast_from=12.0, blocks=blocks).at("bhb", 60.0) for blocks in (both, one)]
    assert left[0] == pytest.approx(left[1], rel=1e-9)


def test_ketones_hold_their_own_supply_in_check() -> None:
    fuels = body_parameters(HUMAN).fuels
    assert lipolysis_under_ketones(fuels, fuels.lipolysis_ketone_half) == 0.5
    assert lipolysis_under_ketones(fuels, 0.2) > 0.99
    long = [Bout(20.0, 24.0, 0.65, "running")]
    fed, fasted = experiment(HUMAN, 48.0, bouts=long), experiment(HUMAN, 48.0, bouts=long, fast_from=0.0)
    assert fed.peak("bhb", 20.0, 48.0) < fasted.peak("bhb", 20.0, 48.0) < 10.0


@pytest.mark.parametrize("intensity", [0.9, 1.0, 1.1])
def test_lactate_ends_at_exhaustion_however_long_the_work(intensity: float) -> None:
    limit = body_parameters(HUMAN).lactate.lactate_at_exhaustion
    works = [Bout(8.0, 8.0 + hours, intensity, "cycling") for hours in (0.5, 1.0)]
    short, long = (experiment(HUMAN, 12.0, bouts=[work]) for work in works)
    assert 0.7 * limit < short.peak("lactate", 8.0, 9.0) < 1.3 * limit
    assert long.peak("lactate", 8.0, 10.0) == pytest.approx(short.peak("lactate", 8.0, 9.0), rel=0.05)
    assert glycolysis_left(body_parameters(HUMAN).lactate, limit) == 0.5
    assert glycolysis_left(body_parameters(HUMAN).lactate, 0.4 * limit) > 0.99


# Doses.


@pytest.mark.parametrize(
    ("what", "name", "volume"),
    [
        ("lactate", "lactate", lambda p: p.lactate.lactate_volume),
        ("bhb", "bhb", lambda p: p.ketones.ketone_volume),
        ("glucose", "glucose", lambda p: p.fuels.glucose_volume),
        ("irisin", "irisin", lambda p: p.irisin.irisin_volume),
        ("corticosterone", "cortisol", lambda p: p.cortisol.cortisol_volume),
        ("dexamethasone", "dexamethasone", lambda p: p.doses.dexamethasone_volume),
        ("2-deoxyglucose", "deoxyglucose", lambda p: p.doses.deoxyglucose_volume),
        ("bdnf", "bdnf", lambda p: p.doses.bdnf_volume),
    ],
)
def test_bolus_raises_the_blood_by_amount_over_volume(what: str, name: str, volume) -> None:
    dosed = experiment(MOUSE, 13.0, doses=[Dose(what, "iv", 1.5, 12.0, 0.0)])
    rise = dosed.at(name, 12.0) - experiment(MOUSE, 13.0).at(name, 12.0)
    assert rise == pytest.approx(1.5 / volume(body_parameters(MOUSE)), rel=1e-6)


@pytest.mark.parametrize(
    ("what", "state", "route", "absorption", "name"),
    [
        ("dexamethasone", "dexamethasone", "ip", "intraperitoneal_absorption", "dexamethasone"),
        ("dexamethasone", "dexamethasone", "sc", "subcutaneous_steroid_absorption", "dexamethasone"),
        ("2-deoxyglucose", "deoxyglucose", "oral", "oral_absorption", "deoxyglucose"),
        ("bdnf", "bdnf", "sc", "subcutaneous_absorption", "bdnf"),
    ],
)
def test_absorbed_dose_follows_the_bateman_function(
    what: str, state: str, route: str, absorption: str, name: str
) -> None:
    """One compartment, first-order absorption and elimination: closed form."""
    p = body_parameters(MOUSE).doses
    test = experiment(MOUSE, 14.0, doses=[Dose(what, route, 40.0, 8.0, 0.0)])
    ka, ke = getattr(p, absorption), np.log(2) / getattr(p, f"{name}_half_life")
    time = test.times[test.times >= 8.0] - 8.0
    exact = 40.0 / getattr(p, f"{name}_volume") * ka / (ka - ke) * (np.exp(-ke * time) - np.exp(-ka * time))
    np.testing.assert_allclose(test[state][test.times >= 8.0], exact, rtol=1e-6, atol=1e-5)


def test_infusion_reaches_rate_over_clearance() -> None:
    p = body_parameters(HUMAN).doses
    test = experiment(HUMAN, 12.0, doses=[Dose("bdnf", "iv", 3.0, 2.0, 10.0)])
    steady = 3.0 / 10.0 / p.bdnf_volume * p.bdnf_half_life / np.log(2)
    assert test.at("bdnf", 11.9) == pytest.approx(steady, rel=1e-6)


def test_depots_of_two_routes_add_up() -> None:
    both = [Dose("lactate", "ip", 1.0, 8.0, 0.0), Dose("lactate", "sc", 1.0, 8.0, 0.0)]
    rest = experiment(MOUSE, 10.0)["lactate"]
    together = experiment(MOUSE, 10.0, doses=both)["lactate"] - rest
    apart = sum(experiment(MOUSE, 10.0, doses=[dose])["lactate"] - rest for dose in both)
    np.testing.assert_allclose(together, apart, atol=1e-6)


def test_doses_into_the_brain_or_the_bath_leave_the_body_alone() -> None:
    local = [Dose("bhb", "icv", 10.0, 5.0, 0.0), Dose("lactate", "bath", 5.0, 5.0, 1.0)]
    assert np.array_equal(
        experiment(MOUSE, 8.0, doses=local).trajectory.points, experiment(MOUSE, 8.0).trajectory.points
    )


def test_dexamethasone_silences_the_adrenal() -> None:
    test = experiment(HUMAN, 20.0, doses=[Dose("dexamethasone", "oral", 500.0, 0.0, 0.0)])
    assert test.at("cortisol", 8.5) < 0.2 * experiment(HUMAN, 20.0).at("cortisol", 8.5)


def test_dexamethasone_silences_the_answer_to_exercise_too() -> None:
    ride = [bout(10.0, 45, 0.8)]
    given, free = ([Dose("dexamethasone", "oral", 500.0, 0.0, 0.0)], [])
    risen = [
        experiment(HUMAN, 12.0, ride, doses=doses).at("cortisol", 10.75) - experiment(HUMAN, 12.0, doses=doses).at(
            "cortisol", 10.75
        )
        for doses in (given, free)
    ]
    assert 0.0 < risen[0] < 0.2 * risen[1]


def test_unknown_substances_and_routes_are_refused() -> None:
    with pytest.raises(ValueError, match="does not know 'sugar'"):
        experiment(HUMAN, 2.0, doses=[Dose("sugar", "iv", 1.0, 1.0, 0.0)])
    with pytest.raises(ValueError, match="route 'nasal'"):
        experiment(HUMAN, 2.0, doses=[Dose("irisin", "nasal", 1.0, 1.0, 0.0)])


def test_a_meal_at_once_equals_a_drink_of_glucose() -> None:
    meal = experiment(HUMAN, 12.0, fast_from=0.0, meals=[Meal(8.0, 8.0, 0.5)])
    amount = 500.0 / body_parameters(HUMAN).glucose_molar_mass
    drunk = experiment(HUMAN, 12.0, fast_from=0.0, doses=[Dose("glucose", "oral", amount, 8.0, 0.0)])
    np.testing.assert_allclose(meal["glucose"], drunk["glucose"], rtol=1e-9)


# Subjects.


@named
def test_resting_days_are_periodic(subject: Subject) -> None:
    start, timeline = resting_state(subject), resting_timeline(subject, 72.0)
    tr = solve_body(body_parameters(subject), timeline, np.array([24.0, 48.0, 72.0]), start, adapting=False)
    for day in (48.0, 72.0):
        np.testing.assert_allclose(tr.points[tr.protocol.times == day][0], start, rtol=1e-6, atol=5e-9)


@named
def test_a_schedule_without_events_goes_on_as_the_resting_day(subject: Subject) -> None:
    untrained = subject.model_copy(update={"training": "untrained"})
    day = resting_day(untrained, STEP)
    plasma = simulate_body(untrained, resting_timeline(untrained, 48.0), edges(48.0))
    for name in SIGNALS:
        np.testing.assert_allclose(getattr(plasma, name)[240:], getattr(day, name), rtol=1e-5)


@pytest.mark.parametrize("training", ["untrained", "trained"])
@pytest.mark.parametrize("species", ["human", "mouse"])
def test_cortisol_of_a_resting_day_is_the_daily_level(species: str, training: str) -> None:
    subject = person(training, species=species)
    day, p = resting_day(subject, STEP), body_parameters(subject).cortisol
    fitness = initial_fitness(body_parameters(subject).adaptation, training)
    middle = [daily_level(p, time, fitness)[0] for time in (day.edges[1:] - STEP / 2).tolist()]
    np.testing.assert_allclose(day.cortisol, middle, rtol=2e-3)
    hours = np.arange(0, 24, 0.5)
    np.testing.assert_allclose(
        [daily_level(p, time + 1e-4, fitness)[0] for time in hours],
        [level * (1 + 1e-4 * slope) for level, slope in (daily_level(p, time, fitness) for time in hours)],
        rtol=1e-6,
    )


@pytest.mark.parametrize("gain", [0.0, 0.48])
def test_training_raises_the_daily_peak_of_cortisol_and_not_its_nadir(gain: float) -> None:
    p = body_parameters(MOUSE).cortisol._replace(adrenal_gain=gain)
    assert daily_level(p, p.cortisol_peak_time, 0.5)[0] == pytest.approx(p.cortisol_peak * (1 + 0.5 * gain))
    assert daily_level(p, p.cortisol_nadir_time, 0.5)[0] == pytest.approx(p.cortisol_nadir)
    hours = np.arange(0, 24, 0.5)
    levels = np.array([[daily_level(p, hour, fitness)[0] for hour in hours] for fitness in (0.0, 0.3, 0.7)])
    assert (np.diff(levels, axis=0) >= (-1e-12 if gain else 0.0)).all()
    if not gain:
        assert (levels == levels[0]).all()


def test_adrenals_of_rats_grow_as_published() -> None:
    """Ten weeks on five days of 60 min at 30 m/min: 18.9 over 14.8 mg per 100 g (trainingintensity)."""
    run = Schedule.model_validate(
        {"sessions": {"kind": "treadmill", "intensity": "30 m/min", "duration": "60 min", "start": "09:00",
                      "days": ["mon", "tue", "wed", "thu", "fri"]}}
    )  # fmt: skip
    trained = simulate_body(MOUSE, compile_schedule(run, MOUSE, 1680.0, "run"), edges(1680.0, 0.5)).fitness[-1]
    gland = 1.0 + body_parameters(MOUSE).cortisol.adrenal_gain * trained
    assert gland == pytest.approx(18.9 / 14.8, rel=0.01)


def test_a_sample_holds_what_is_left_of_a_dose_when_it_is_drawn() -> None:
    """BDNF into a vein at 1 h: by half every half-life from sample to sample, and a step's mean is more."""
    line = Timeline("bolus", 3.0, doses=(Dose("bdnf", "iv", 1.0, 1.0, 0.0),))
    plasma, half_life = simulate_body(HUMAN, line, edges(3.0, 0.5)), body_parameters(HUMAN).doses.bdnf_half_life
    assert plasma.sampled_bdnf[1] == 0.0  # drawn before the dose that is given at the end of the step
    assert plasma.sampled_bdnf[3] / plasma.sampled_bdnf[2] == pytest.approx(0.5 ** (0.5 / half_life), rel=1e-4)
    assert plasma.bdnf_iv[2] > plasma.sampled_bdnf[2] > 0.0


def test_overrides_change_the_body() -> None:
    slow = person(**{"body_lactate.lactate_half_life": "40 min"})
    assert body_parameters(slow).lactate.lactate_half_life == pytest.approx(40 / 60)
    bouts = [bout(8.0, 5, 1.0)]
    assert experiment(slow, 9.0, bouts).at("lactate", 9.0) > 1.3 * experiment(HUMAN, 9.0, bouts).at("lactate", 9.0)


@pytest.mark.parametrize("species", ["human", "mouse"])
@pytest.mark.parametrize("training", ["untrained", "recreational", "trained", "elite"])
@pytest.mark.parametrize("condition", ["healthy", "type_2_diabetes"])
def test_the_body_has_the_vo2max_that_makes_powers_intensities(species: str, training: str, condition: str) -> None:
    p = body_parameters(person(training, species=species, condition=condition))
    expected = capacity(species, training, condition).vo2max / capacity(species, "trained", "healthy").vo2max
    uptake = relative_maximal_uptake(p.maximal_uptake, initial_fitness(p.adaptation, training))
    assert uptake == pytest.approx(expected, rel=1e-12)


def test_a_vo2max_of_ones_own_reaches_the_fluxes_of_absolute_work() -> None:
    """Half the VO2max: half the absolute work at the same fraction of it, and less glucose and fat are burnt."""
    weak = person(**{"schedule.vo2max_untrained": "19 mL/kg/min", "schedule.vo2_rest": "1.75 mL/kg/min"})
    halves = [relative_maximal_uptake(body_parameters(who).maximal_uptake, 0.0) for who in (weak, HUMAN)]
    assert halves[0] == pytest.approx(0.5 * halves[1])
    ride = [bout(8.0, 60, 0.6)]
    light, usual = (experiment(who, 10.0, ride) for who in (weak, HUMAN))
    assert light.fluxes(8.5).glucose_uptake < 0.8 * usual.fluxes(8.5).glucose_uptake
    assert light.at("lactate", 9.0) == pytest.approx(usual.at("lactate", 9.0), rel=0.02), "it follows the fraction"


@pytest.mark.parametrize("who", [HUMAN, MOUSE])
def test_exercise_begins_at_rest_and_not_at_nothing(who: Subject) -> None:
    """A bout at the uptake at rest is rest; every response then grows with the uptake above it, in any species."""
    at_rest = resting_uptake(body_parameters(who).maximal_uptake, 0.0)
    rest, begin, *others = (
        experiment(who, 11.0, [bout(9.0, 60, at_rest + effort * (1.0 - at_rest))] if effort is not None else [])
        for effort in (None, 0.0, 0.01, 0.1, 0.3, 0.5, 0.7)
    )
    assert all(np.array_equal(begin[name], rest[name]) for name in STATES)
    for name in ("sympathetic", "ffa", "irisin", "lactate", "cortisol_drive"):
        # In hard work muscle takes fatty acids up as fast as lipolysis brings them.
        looked_at = others[:-1] if name == "ffa" else others
        changes = np.array([test.at(name, 10.0) - rest.at(name, 10.0) for test in looked_at])
        assert np.all(np.diff(changes) >= 0.0), name
        assert 0.0 <= changes[0] < 0.15 * changes[-1], f"{name}: next to rest there is next to nothing"


def test_a_vo2max_that_would_sink_to_rest_is_refused() -> None:
    with pytest.raises(ArithmeticError, match="vo2max_gain is too large"):
        body_parameters(person("elite", **{"body_adaptation.vo2max_gain": "60 mL/kg/min"}))


class Stranger:
    species, training, condition, lights = "human", "untrained", "healthy", (7.0, 19.0)
    overrides: dict[str, str] = {}  # noqa: RUF012


def test_a_subject_is_anything_with_its_attributes_and_mistakes_are_named() -> None:
    assert body_parameters(Stranger()) == body_parameters(HUMAN)
    wrong = Stranger()
    wrong.condition = "gout"
    with pytest.raises(ValueError, match="unknown condition 'gout'"):
        body_parameters(wrong)
    with pytest.raises(ValueError, match="unknown training 'lazy'"):
        initial_fitness(body_parameters(HUMAN).adaptation, "lazy")
    wrong.condition, wrong.overrides = "healthy", {"body_lactate.half_life": "3 h"}
    with pytest.raises(ParameterError, match="half_life"):
        body_parameters(wrong)


def test_a_step_must_divide_the_day() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        resting_day(HUMAN, 0.7)


# Plasma.


def test_plasma_has_one_mean_per_step_rounded_to_seven_digits() -> None:
    plasma = simulate_body(HUMAN, busy(HUMAN), edges(48.0))
    assert plasma.edges.shape == (481,)
    for name in PLASMA_COLUMNS:
        values = getattr(plasma, name)
        assert values.shape == (480,)
        assert [float(f"{value:.6e}") for value in values] == values.tolist()


def test_plasma_is_the_same_each_time() -> None:
    first, second = (simulate_body(MOUSE, busy(MOUSE), edges(48.0)) for _ in range(2))
    assert all(np.array_equal(getattr(first, name), getattr(second, name)) for name in PLASMA_COLUMNS)


def test_a_fixed_load_costs_the_same_oxygen_when_training_has_raised_the_vo2max() -> None:
    """An hour a day at the same power: its share of VO2max falls, while an equal share of VO2max stays one."""
    days, p = 56, body_parameters(HUMAN)
    share, fixed = ([bout(24 * day + 8.0, 60, 0.7)._replace(fixed=f) for day in range(days)] for f in (False, True))
    hours, start = edges(24.0 * days, 0.5), resting_state(HUMAN)
    relative, load = (
        solve_body(p, Timeline("t", 24.0 * days, tuple(bouts)), hours, start) for bouts in (share, fixed)
    )
    last = np.array([24.0 * (days - 1) + 9.0])
    uptake, fitness = (float(load.at(last, INDEX[name])[0]) for name in ("oxygen_uptake", "fitness"))
    assert fitness > 0.2
    oxygen = uptake * relative_maximal_uptake(p.maximal_uptake, fitness) + p.maximal_uptake.rest
    assert oxygen == pytest.approx(0.7 * p.maximal_uptake.at_start, rel=1e-3)
    share, trained = (float(relative.at(last, INDEX[name])[0]) for name in ("oxygen_uptake", "fitness"))
    assert share + resting_uptake(p.maximal_uptake, trained) == pytest.approx(0.7, rel=1e-3)
    assert fitness < trained
    plasma = simulate_body(HUMAN, Timeline("t", 24.0 * days, tuple(fixed)), hours)
    movement = plasma.movement[plasma.movement > 0.0]
    assert movement[-1] < 0.9 * movement[0]


def test_a_fast_before_a_session_on_the_first_day_is_like_that_before_a_later_one() -> None:
    """It reaches back before time zero, and takes the dinner of that day away."""
    session = {"kind": "cycling", "intensity": "60 %VO2max", "duration": "1 h", "start": "07:30"}

    def line(day: str, fast: str) -> Timeline:
        plan = {"sessions": session | {"days": [day]}, "meals": {"fast": {"before_sessions": fast}}}
        return compile_schedule(Schedule.model_validate(plan), HUMAN, 96.0)

    assert line("mon", "12 h").begin == line("thu", "14 h").begin == 0.0
    assert line("mon", "14 h").begin == -24.0
    assert [meal.start for meal in line("mon", "14 h").meals if meal.start < 0.0] == [-17.5, -11.5]
    first, later = (simulate_body(HUMAN, line(day, "14 h"), edges(96.0)) for day in ("mon", "thu"))
    for name in ("bhb", "lactate", "glycogen", "ffa", "insulin", "fitness"):
        np.testing.assert_allclose(getattr(first, name)[:240], getattr(later, name)[720:], rtol=1e-5, err_msg=name)


def test_movement_is_the_mean_effort_above_rest() -> None:
    timeline = Timeline("t", 1.0, (Bout(0.0, 0.05, 0.55, "running"), Bout(0.5, 0.6, 1.7, "running")))
    movement = simulate_body(HUMAN, timeline, edges(1.0)).movement
    rest = 3.5 / 38  # uptake at rest over VO2max, both in configs/parameters/schedule.yaml
    half_the_step = 0.5 * (0.55 - rest) / (1.0 - rest)
    np.testing.assert_allclose(movement, [half_the_step, 0, 0, 0, 0, 1.0, 0, 0, 0, 0], atol=1e-5)


def test_dexamethasone_comes_in_multiples_of_its_effective_concentration() -> None:
    p = body_parameters(HUMAN).doses
    timeline = Timeline("t", 1.0, doses=(Dose("dexamethasone", "iv", 100.0, 0.5, 0.0),))
    plasma = simulate_body(HUMAN, timeline, edges(1.0))
    assert plasma.dexamethasone[4] == 0.0
    assert plasma.dexamethasone[5] == pytest.approx(
        100 / p.dexamethasone_volume * p.dexamethasone_brain_share / p.dexamethasone_half_effect, rel=0.02
    )


# Numerics.


def test_the_tableau_is_that_of_scipy() -> None:
    np.testing.assert_allclose(STAGES[:6, :5], RK45.A)
    np.testing.assert_allclose(STAGES[6], RK45.B)
    np.testing.assert_allclose(NODES[:6], RK45.C)
    np.testing.assert_allclose(np.abs(ERROR), np.abs(RK45.E), rtol=1e-12)
    np.testing.assert_allclose(INTEGRAL, (RK45.P / np.arange(2, 6)).sum(axis=1))


def scipy_solution(subject: Subject, timeline: Timeline, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """States at `times` and integrals over the steps between, by an implicit solver restarted at every breakpoint."""
    p = body_parameters(subject)
    protocol = build_protocol(p, timeline, times, adapting=True)
    size = len(STATES) + len(protocol.depot_absorption)
    state, integral = np.concatenate([resting_state(subject), np.zeros(size - len(STATES))]), np.zeros(size)

    def rates(time: float, y: np.ndarray, inputs: np.ndarray) -> np.ndarray:
        rate = np.empty(size)
        body_rates(
            p,
            time,
            y[:size].copy(),
            inputs,
            protocol.depot_absorption,
            protocol.depot_target,
            protocol.depot_scale,
            rate,
        )
        return np.concatenate([rate, y[:size]])

    states, integrals = {}, {}
    for k, (start, end) in enumerate(zip(protocol.times[:-1], protocol.times[1:], strict=True)):
        for interval, index, amount in zip(
            protocol.jump_interval, protocol.jump_state, protocol.jump_amount, strict=True
        ):
            if interval == k:
                state[index] += amount
        states[start], integrals[start] = state.copy(), integral.copy()
        found = solve_ivp(
            rates,
            (start, end),
            np.concatenate([state, integral]),
            "LSODA",
            args=(protocol.inputs[k],),
            rtol=1e-11,
            atol=1e-12,
        )
        state, integral = found.y[:size, -1], found.y[size:, -1]
    states[protocol.times[-1]], integrals[protocol.times[-1]] = state, integral
    return np.array([states[t] for t in times]), np.diff([integrals[t] for t in times], axis=0)


@pytest.mark.parametrize("subject", [HUMAN, MOUSE], ids=["human", "mouse"])
def test_states_and_means_agree_with_an_independent_solver(subject: Subject) -> None:
    times = edges(24.0, 0.5)
    timeline = busy(subject, 24.0)
    tr = solve_body(body_parameters(subject), timeline, times, resting_state(subject))
    states, integrals = scipy_solution(subject, timeline, times)
    scale = np.array([SMALL.get(index, 1e-3) for index in range(tr.points.shape[1])])
    for index in range(tr.points.shape[1]):
        np.testing.assert_allclose(tr.at(times, index), states[:, index], rtol=1e-6, atol=1e-4 * scale[index])
        means = tr.step_means(times, tr.means[:, index])
        np.testing.assert_allclose(means, integrals[:, index] / 0.5, rtol=1e-6, atol=1e-4 * scale[index])


@named
def test_the_solution_converges_with_the_tolerance(subject: Subject) -> None:
    p, start, timeline, times = body_parameters(subject), resting_state(subject), busy(subject), edges(48.0)
    finest = solve_body(p, timeline, times, start, tolerance=1e-12)

    def error(tolerance: float) -> float:
        tr = solve_body(p, timeline, times, start, tolerance=tolerance)
        return max(np.max(np.abs(tr.means[:, i] / finest.means[:, i] - 1)) for i in (INDEX[name] for name in SIGNALS))

    errors = [error(tolerance) for tolerance in (1e-4, 1e-6, TOLERANCE)]
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 1e-6  # a tenth of the wanted accuracy of step means


def test_spent_states_bound_no_step_of_the_night() -> None:
    """What is left of oxygen uptake and muscle lactate an hour after exercise is nothing, and no step is cut for it."""
    p, times, usual = body_parameters(HUMAN), edges(24.0, 0.25), resting_timeline(HUMAN, 24.0)
    ride = Timeline("ride", 24.0, (bout(7.5, 45, 0.65),), usual.meals)
    ridden, rested = (
        solve_body(p, timeline, times, resting_state(HUMAN), tolerance=1e-4) for timeline in (ride, usual)
    )
    for name in ("oxygen_uptake", "muscle_lactate"):
        assert ridden.at(np.array([8.25]), INDEX[name])[0] > 0.0
        assert (ridden.at(times[times >= 9.0], INDEX[name]) == 0.0).all()
    assert ridden.steps < 1.5 * rested.steps  # four times as many, were they not spent


def test_step_means_do_not_depend_on_the_step() -> None:
    fine = simulate_body(HUMAN, busy(HUMAN), edges(48.0, 0.1))
    coarse = simulate_body(HUMAN, busy(HUMAN), edges(48.0, 0.5))
    for name in SIGNALS:
        means = getattr(fine, name).reshape(-1, 5).mean(axis=1)
        np.testing.assert_allclose(means, getattr(coarse, name), rtol=1e-6)


def test_four_weeks_of_intervals_take_few_steps() -> None:
    """The work grows with what happens: about two steps per quiet tenth of an hour."""
    bouts = [b for day in range(28) if day % 7 in (1, 3, 5) for b in intervals(24 * day + 7.5, 10, (1, 0.95), (1, 0.3))]
    usual = resting_timeline(HUMAN, 28 * 24.0)
    timeline = Timeline("hiit", 28 * 24.0, tuple(bouts), usual.meals)
    steps = solve_body(body_parameters(HUMAN), timeline, edges(28 * 24.0), resting_state(HUMAN)).steps
    assert steps < 60_000


def test_impossible_parameters_are_reported() -> None:
    p = body_parameters(HUMAN)
    broken = p._replace(fuels=p.fuels._replace(glucose_volume=-0.2))
    with pytest.raises(ArithmeticError, match="could not be solved"):
        solve_body(broken, resting_timeline(HUMAN, 48.0), edges(48.0), resting_state(HUMAN))


def test_a_body_whose_steps_never_end_is_given_up() -> None:
    """A time constant of 4 ms keeps explicit steps near 12 ms: some 15 million of them in two days."""
    p = body_parameters(HUMAN)
    stiff = p._replace(fuels=p.fuels._replace(insulin_time=1e-6))
    with pytest.raises(ArithmeticError, match="could not be solved"):
        solve_body(stiff, resting_timeline(HUMAN, 48.0), edges(48.0), resting_state(HUMAN))


def test_a_bolus_at_the_start_counts_and_one_at_the_end_does_not() -> None:
    def peak(at: float) -> float:
        timeline = Timeline("t", 2.0, doses=(Dose("lactate", "iv", 2.0, at, 0.0),))
        return float(simulate_body(HUMAN, timeline, edges(2.0)).lactate.max())

    assert peak(0.0) > 3.0 > peak(2.0)


def test_rounding_gives_the_floats_that_decimals_name() -> None:
    """Bit for bit what formatting and reading back give: ordinary values, middles of two, powers of ten, extremes."""
    draw = generator(1, 0, "rounding")
    whole = draw.integers(10**6, 10**7, 20_000)
    cases = np.concatenate([
        draw.uniform(0.0, 1000.0, 20_000),
        -(10.0 ** draw.uniform(-25.0, 25.0, 20_000)),
        (whole + 0.5) / 10.0 ** draw.integers(0, 12, 20_000),
        np.nextafter((whole + 0.5) / 1e3, 0.0),
        [0.0, 1.0, 10.0, 5e-324, 1e-300, 9_999_999.5, 9_999_999.4, 0.99999995, 1e7, 1e22, np.inf, -np.inf, np.nan],
    ])  # fmt: skip
    expected = np.array([float(f"{value:.6e}") for value in cases])
    np.testing.assert_array_equal(rounded(cases), expected)
    assert np.signbit(rounded(np.array([-0.0]))).all()
