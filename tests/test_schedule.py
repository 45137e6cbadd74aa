"""Schedules as numbers: when sessions, meals, doses and blocks happen, and how hard a session is."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from abm.config import Schedule, Subject, build_experiment, capacity, dose_amount, dose_unit
from abm.config.checks import longest_effort
from abm.config.doses import check_most
from abm.config.intensity import Intensity
from abm.errors import Fault
from abm.schedule import Bout, Timeline, compile_schedule, lasts, resting_timeline

PERSON = Subject()
MOUSE = Subject(species="mouse")
WEEK = 168.0


def timeline(duration: float = WEEK, subject: Subject = PERSON, **parts: object) -> Timeline:
    return compile_schedule(Schedule.model_validate(parts), subject, duration)


def session(**changes: object) -> dict[str, object]:
    plain = {"kind": "running", "intensity": "70 %VO2max", "duration": "30 min", "start": "07:30"}
    return {key: value for key, value in {**plain, **changes}.items() if value is not None}


# When things happen


def test_weekdays_count_from_a_monday() -> None:
    bouts = timeline(sessions=session(days=["mon", "wed", "sunday"])).bouts
    assert [bout.start for bout in bouts] == [7.5, 55.5, 151.5]
    assert all(bout.end - bout.start == 0.5 and bout.intensity == 0.7 and bout.kind == "running" for bout in bouts)


@pytest.mark.parametrize(
    ("pattern", "starts"),
    [
        ({}, [7.5, 31.5, 55.5, 79.5]),
        ({"first_day": "1 d", "last_day": "3 d"}, [31.5, 55.5]),
        ({"first_day": "1 d", "days": ["mon", "tue", "thu"]}, [31.5, 79.5]),
        ({"every": "2 d"}, [7.5, 55.5]),
        ({"every": "2 d", "first_day": "1 d"}, [31.5, 79.5]),
        ({"start": "20 h"}, [20.0]),
        ({"start": "20 h", "every": "30 h"}, [20.0, 50.0, 80.0]),
        ({"start": "20 h", "every": "30 h", "last_day": "50 h"}, [20.0, 50.0]),
    ],
)
def test_patterns(pattern: dict[str, object], starts: list[float]) -> None:
    assert [bout.start for bout in timeline(96.0, sessions=session(**pattern)).bouts] == starts


@pytest.mark.parametrize(
    ("pattern", "days"),
    [
        ({"days": ["mon", "fri"], "every": "14 d"}, [0, 4, 14, 18]),
        ({"days": ["mon", "fri"], "every": "14 d", "first_day": "4 d"}, [4, 14, 18]),
        ({"days": ["tue"], "every": "14 d", "first_day": "7 d"}, [8, 22]),
        ({"days": ["mon"], "every": "14 d", "first_day": "3 d"}, [7, 21]),
        ({"every": "14 d", "first_day": "12 h"}, [1, 15]),
        ({"every": "14 d", "first_day": "1 d 7.5 h"}, [1, 15]),
    ],
)
def test_weeks_and_days_are_counted_from_the_first_possible_one(pattern: dict[str, object], days: list[int]) -> None:
    bouts = timeline(4 * WEEK, sessions=session(**pattern)).bouts
    assert [bout.start for bout in bouts] == [24.0 * day + 7.5 for day in days]


@given(
    st.floats(0, 23.9),
    st.sets(st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun"]), min_size=1),
    st.integers(8, 40),
)
def test_every_week_is_the_same(hour: float, days: set[str], length: int) -> None:
    clock = f"{int(hour):02d}:{int(hour % 1 * 60):02d}"
    schedule = Schedule.model_validate({"sessions": session(start=clock, days=sorted(days))})
    starts = compile_schedule(schedule, PERSON, 24.0 * length).bouts
    first = [bout.start for bout in starts if bout.start < WEEK]
    assert len(first) == len(days)
    assert all(
        any(np.remainder(bout.start - start + 1, WEEK) == pytest.approx(1) for start in first) for bout in starts
    )


def test_a_session_that_crosses_midnight_stays_whole_and_ends_with_the_run() -> None:
    bouts = timeline(48.0, sessions=session(start="23:00", duration="2 h")).bouts
    assert [(bout.start, bout.end) for bout in bouts] == [(23.0, 25.0), (47.0, 48.0)]


# Sessions


def test_intervals_alternate_without_a_last_rest() -> None:
    intervals = {"repeats": 3, "work": "60 s at 95 %VO2max", "rest": "120 s at 30 %VO2max"}
    bouts = timeline(24.0, sessions=session(intensity=None, duration=None, intervals=intervals)).bouts
    assert [bout.intensity for bout in bouts] == [0.95, 0.3, 0.95, 0.3, 0.95]
    assert bouts[-1].end == pytest.approx(7.5 + 7 / 60)
    assert all(after.start == before.end for before, after in pairwise(bouts))


def test_passive_rest_leaves_a_gap_and_warm_up_comes_first() -> None:
    intervals = {"repeats": 2, "work": "40 s at 100 %VO2max", "rest": "60 s"}
    plan = session(intensity=None, duration=None, intervals=intervals, warm_up="5 min at 40 %VO2max", cool_down="1 min")
    bouts = timeline(24.0, sessions=plan).bouts
    assert [bout.intensity for bout in bouts] == [0.4, 1.0, 1.0]
    assert bouts[2].start - bouts[1].end == pytest.approx(60 / 3600)


def test_progression_adds_each_week_until_it_stops() -> None:
    growth = {"duration_per_week": "10 min", "intensity_per_week": "5 %VO2max", "weeks": 2}
    bouts = timeline(4 * WEEK, sessions=session(days=["tue"], progression=growth)).bouts
    assert [round(60 * (bout.end - bout.start)) for bout in bouts] == [30, 40, 50, 50]
    assert [bout.intensity for bout in bouts] == pytest.approx([0.7, 0.75, 0.8, 0.8])


def test_a_plan_that_begins_later_grows_from_its_first_session() -> None:
    growth = {"intensity_per_week": "5 %VO2max"}
    late = session(start="14 d 9 h", every="7 d", progression=growth)
    assert [bout.intensity for bout in timeline(4 * WEEK, sessions=late).bouts] == pytest.approx([0.7, 0.75])


@pytest.mark.parametrize("start", ["8 h 10 min", "8 h 20 min", "7 h 5 min"])
def test_progression_counts_whole_weeks_at_any_minute(start: str) -> None:
    """Hours of minutes are rounded, and a week less 1e-14 h is no week."""
    plan = session(start=start, every="7 d", progression={"duration_per_week": "10 min"})
    bouts = timeline(8 * WEEK, sessions=plan).bouts
    assert [round(60 * (bout.end - bout.start)) for bout in bouts] == [30, 40, 50, 60, 70, 80, 90, 100]


def test_last_day_is_met_to_the_minute() -> None:
    plan = session(start="01:13", last_day="1 d 1 h 13 min")
    assert [bout.start for bout in timeline(96.0, sessions=plan).bouts] == pytest.approx([73 / 60, 24 + 73 / 60])


def test_progression_of_intervals() -> None:
    intervals = {"repeats": 2, "work": "60 s at 90 %VO2max", "rest": "60 s"}
    plan = session(
        intensity=None, duration=None, intervals=intervals, days=["mon"], progression={"repeats_per_week": 3}
    )
    starts = [bout.start for bout in timeline(2 * WEEK, sessions=plan).bouts]
    assert [sum(start < WEEK for start in starts), sum(start >= WEEK for start in starts)] == [2, 5]


def test_rest_is_no_bout() -> None:
    assert timeline(sessions={"kind": "rest", "start": "07:30", "duration": "1 h"}).bouts == ()


@given(st.floats(0.5, 12), st.floats(4, 12), st.floats(0.2, 1.0))
def test_a_night_in_the_wheel_covers_its_distance(kilometres: float, hours: float, share: float) -> None:
    """Speed in the bouts times the time spent in them is the distance, and that time is the given part of the night."""
    plan = {
        "kind": "wheel",
        "distance": f"{kilometres!r} km/d",
        "start": "19:00",
        "duration": f"{hours!r} h",
        "running_fraction": share,
    }
    bouts = compile_schedule(Schedule.model_validate({"sessions": plan}), MOUSE, 48.0).bouts
    night = [bout for bout in bouts if bout.start < 36]
    running = sum(bout.end - bout.start for bout in night)
    assert running == pytest.approx(hours * share)
    assert night[-1].end <= 19.0 + hours + 1e-9
    parameters = capacity("mouse", "untrained", "healthy").parameters
    speed = (
        night[0].intensity * parameters.vo2max_untrained - parameters.vo2_standing
    ) / parameters.running_cost  # m/min
    assert speed * running * 60 / 1000 == pytest.approx(kilometres)


@pytest.mark.parametrize(
    ("distance", "duration", "kilometres"),
    [("5 km/d", "21 d", 105.0), ("5 km/d", "12 h", 5.0), ("5 km", "36 h", 5.0), ("3000 m", "10 h", 3.0)],
)
def test_a_distance_is_of_a_session_or_of_a_day(distance: str, duration: str, kilometres: float) -> None:
    """A wheel that is free for weeks is run in each of their days."""
    plan = {"kind": "wheel", "distance": distance, "start": "0 h", "duration": duration}
    schedule = Schedule.model_validate({"sessions": plan})
    assert schedule.sessions[0].kilometres() == pytest.approx(kilometres)
    parameters = capacity("mouse", "untrained", "healthy").parameters
    uptake = sum(
        (bout.end - bout.start) * 60 * (bout.intensity * parameters.vo2max_untrained - parameters.vo2_standing)
        for bout in compile_schedule(schedule, MOUSE, 21 * 24.0).bouts
    )
    assert uptake / parameters.running_cost / 1000 == pytest.approx(kilometres)
    assert Schedule.model_validate(schedule.model_dump(mode="json")) == schedule


def test_the_wheel_runs_where_the_parameters_say_so() -> None:
    plan = {"kind": "wheel", "distance": "5 km/d", "start": "19:00", "duration": "10 h"}
    schedule = Schedule.model_validate({"sessions": plan})
    changed = Subject(species="mouse", overrides={"schedule.wheel_running_fraction": 0.25})
    share = [sum(b.end - b.start for b in compile_schedule(schedule, who, 40.0).bouts) / 10 for who in (MOUSE, changed)]
    assert share == pytest.approx([0.42, 0.25])


# Intensity


def test_a_person_runs_by_the_metabolic_equation() -> None:
    """10 km/h up 5 %: VO2 = 3.5 + 0.2 S + 0.9 S G (bushman2020)."""
    untrained = capacity("human", "untrained", "healthy")
    speed = 10000 / 60
    uptake = 3.5 + 0.2 * speed + 0.9 * speed * 0.05
    assert untrained.fraction(Intensity(speed, "m/min"), "running", 0.05) == pytest.approx(uptake / 38)


def test_no_speed_doubles_the_cost_of_the_one_before() -> None:
    """Between the two equations, 100 and 134 m/min, a belt costs what lies between; fast walking costs as running."""
    person = capacity("human", "untrained", "healthy")
    for kind in ("treadmill", "walking"):
        speeds = np.linspace(20.0, 200.0, 181)
        costs = [person.fraction(Intensity(float(speed), "m/min"), kind) for speed in speeds]
        assert np.max(np.diff(costs)) * 38 < 0.6
        assert costs[-1] == person.fraction(Intensity(200.0, "m/min"), "running")
    assert person.fraction(Intensity(120, "m/min"), "walking") * 38 == pytest.approx(24.0, abs=1.0)


@pytest.mark.parametrize("interval", ["2 h", "2.01 h", "2.4 h", "2.41 h", "5 h", "24 h"])
def test_a_mouse_eats_at_even_intervals(interval: str) -> None:
    """Also where the interval asked for does not divide the day: none of the night's gaps is longer than the others."""
    mouse = Subject.model_validate({"species": "mouse", "overrides": {"meals.rodent_meal_interval": interval}})
    starts = np.array([meal.start for meal in resting_timeline(mouse, 24.0).meals])
    gaps = np.diff(np.append(starts, starts[0] + 24.0))
    np.testing.assert_allclose(gaps, 24.0 / len(starts))
    assert abs(gaps[0] - float(interval.split()[0])) < 0.21 * gaps[0]


def test_a_treadmill_below_the_gait_transition_is_walked() -> None:
    person = capacity("human", "untrained", "healthy")
    assert person.fraction(Intensity(80, "m/min"), "treadmill") == person.fraction(Intensity(80, "m/min"), "walking")
    assert person.fraction(Intensity(160, "m/min"), "treadmill") == person.fraction(Intensity(160, "m/min"), "running")


@pytest.mark.parametrize("grade", [0.0, 0.05, 0.15, 0.25])
def test_no_faster_belt_is_easier(grade: float) -> None:
    """On steep grades the equation of walking gives more at the transition than that of running."""
    person = capacity("human", "untrained", "healthy")
    speeds = np.linspace(20.0, 200.0, 181)
    costs = [person.fraction(Intensity(float(speed), "m/min"), "treadmill", grade) for speed in speeds]
    assert np.all(np.diff(costs) >= 0.0)


def test_a_cyclist_by_the_metabolic_equation() -> None:
    """2.5 W/kg: VO2 = 7 + 1.8 * 6.12 * W / M (bushman2020)."""
    person = capacity("human", "trained", "healthy")
    assert person.fraction(Intensity(2.5, "W/kg"), "cycling") == pytest.approx((7 + 11.0 * 2.5) / 63.9)


@pytest.mark.parametrize("speed", [10.0, 25.0, 50.0])
def test_a_mouse_runs_by_the_scaling_of_mammals(speed: float) -> None:
    """VO2 = 0.533 M^-0.316 v + 0.300 M^-0.303 in mL/kg/s, v in m/s, M = 0.025 kg (taylor1982)."""
    uptake = 60 * (0.533 * 0.025**-0.316 * speed / 60 + 0.300 * 0.025**-0.303)
    mouse = capacity("mouse", "untrained", "healthy")
    assert mouse.fraction(Intensity(speed, "m/min"), "treadmill") * mouse.vo2max == pytest.approx(uptake, rel=0.002)


def test_heart_rate_reserve_is_oxygen_uptake_reserve() -> None:
    """swain1997: % heart-rate reserve equals % oxygen-uptake reserve."""
    for person in (capacity("human", "untrained", "healthy"), capacity("human", "elite", "type_2_diabetes")):
        rest = person.resting_fraction
        assert person.fraction(Intensity(0, "%HRR"), "cycling") == rest
        assert person.fraction(Intensity(100, "%HRR"), "cycling") == pytest.approx(1.0)
        assert person.fraction(Intensity(50, "%HRR"), "cycling") == pytest.approx((1 + rest) / 2)


@given(st.sampled_from(["%VO2max", "%HRR", "mL/kg/min", "m/min"]), st.floats(1, 60), st.floats(1.01, 1.3))
def test_harder_is_harder(unit: str, value: float, factor: float) -> None:
    for species in ("human", "mouse"):
        who = capacity(species, "untrained", "healthy")
        low, high = (who.fraction(Intensity(x, unit), "running", 0.1) for x in (value, value * factor))
        assert low < high


def test_the_same_speed_is_easier_when_trained_and_harder_with_diabetes() -> None:
    states = [("elite", "healthy"), ("trained", "healthy"), ("untrained", "healthy"), ("untrained", "type_2_diabetes")]
    levels = [capacity("human", *state).fraction(Intensity(120, "m/min"), "running") for state in states]
    assert levels == sorted(levels)


# The timeline


BOUTS = (Bout(1.0, 2.0, 0.5, "running"), Bout(2.0, 2.5, 1.0, "running"), Bout(4.0, 5.0, 0.25, "running"))


def test_intensity_is_zero_outside_bouts() -> None:
    line = Timeline("t", 6.0, bouts=BOUTS)
    times = np.array([0.0, 0.999, 1.0, 1.999, 2.0, 2.4, 2.5, 3.0, 4.5, 5.0])
    assert line.intensity(times).tolist() == [0, 0, 0.5, 0.5, 1, 1, 0, 0, 0.25, 0]
    assert line.intensity(1.5).shape == ()
    assert Timeline("t", 6.0).intensity(times).tolist() == [0] * 10


@given(st.lists(st.floats(0, 6), min_size=2, max_size=30, unique=True))
def test_mean_intensity_adds_up(edges: list[float]) -> None:
    """Whatever the steps, their means times their lengths are the integral, and a fine sum agrees."""
    line = Timeline("t", 6.0, bouts=BOUTS)
    times = np.sort(edges)
    if np.diff(times).min() > 1e-6:
        total = float(line.mean_intensity(times) @ np.diff(times))
        fine = np.linspace(times[0], times[-1], 20001)
        middle = line.intensity((fine[1:] + fine[:-1]) / 2)
        assert total == pytest.approx(float(middle.mean() * (times[-1] - times[0])), abs=2e-3)


def test_mean_intensity_of_a_day() -> None:
    line = timeline(sessions=session(days=["mon"]))
    edges = np.linspace(0, WEEK, 1681)
    assert line.mean_intensity(edges) @ np.diff(edges) == pytest.approx(0.7 * 0.5)
    assert Timeline("t", 6.0).mean_intensity(edges).tolist() == [0.0] * 1680


def test_blocks_multiply_and_end() -> None:
    line = timeline(
        blocks=[
            {"target": "MCT1", "fraction": 0.5, "start": "1 d", "duration": "1 d"},
            {"target": "MCT1", "fraction": "80 %"},
        ],
        knock_down={"target": "class_I_HDAC", "fraction": 0.25},
        knock_out=["FNDC5", {"target": "HDAC3", "start": "2 d"}],
    )
    assert [line.remaining_activity("MCT1", t) for t in (0.0, 24.0, 47.9, 48.0)] == pytest.approx([0.2, 0.1, 0.1, 0.2])
    assert line.remaining_activity("FNDC5", 0.0) == 0.0
    assert [line.remaining_activity("HDAC3", t) for t in (0.0, 48.0)] == [0.75, 0.0]
    assert line.remaining_activity("HDAC1", 0.0) == 0.75
    assert line.remaining_activity("MCT2", 0.0) == 1.0
    assert {block.end for block in line.blocks if block.target == "FNDC5"} == {WEEK}


def test_a_timeline_can_be_a_key() -> None:
    assert timeline(sessions=session()) == timeline(sessions=session())
    assert len({timeline(), timeline(sessions=session())}) == 2


# Meals


def test_a_day_has_three_meals_before_and_after_a_morning_session() -> None:
    day = resting_timeline(PERSON)
    assert [meal.start for meal in day.meals] == [6.5, 12.5, 18.5]
    assert sum(meal.carbohydrate for meal in day.meals) == pytest.approx(4.0)
    assert day.bouts == ()
    assert day.duration == 24.0


def test_a_mouse_eats_mostly_in_the_dark() -> None:
    """36.5 % of the food was eaten in the light (fonken2010)."""
    meals = resting_timeline(MOUSE).meals
    light = sum(meal.carbohydrate for meal in meals if 7 <= meal.start < 19)
    assert light / sum(meal.carbohydrate for meal in meals) == pytest.approx(0.365)
    shifted = Subject.model_validate({"species": "mouse", "light": {"on": "19:00", "off": "07:00"}})
    meals = resting_timeline(shifted).meals
    assert sum(meal.carbohydrate for meal in meals if 7 <= meal.start < 19) == pytest.approx(0.635 * 88)
    assert compile_schedule(Schedule(), shifted, 24.0).light == (19.0, 7.0)


@pytest.mark.parametrize("light", [{"on": "07:00", "off": "07:00"}, {"on": "00:30", "off": "00:45"}])
def test_a_mouse_eats_as_much_where_the_light_never_changes(light: dict[str, str]) -> None:
    """At the times of its meals, every two hours, it is always light or always dark."""
    meals = resting_timeline(Subject.model_validate({"species": "mouse", "light": light})).meals
    assert len({meal.carbohydrate for meal in meals}) == 1
    assert sum(meal.carbohydrate for meal in meals) == pytest.approx(88)


def test_a_fast_takes_the_usual_meals_of_its_time() -> None:
    line = timeline(48.0, meals={"fast": {"start": "0 h", "duration": "20 h"}})
    assert [meal.start for meal in line.meals] == [30.5, 36.5, 42.5]


def test_a_fast_before_sessions_reaches_back_before_time_zero() -> None:
    line = timeline(72.0, sessions=session(days=["mon", "wed"]), meals={"fast": {"before_sessions": "12 h"}})
    assert [meal.start for meal in line.meals] == [12.5, 18.5, 30.5, 36.5, 42.5, 60.5, 66.5]


@pytest.mark.parametrize("before", ["3 h", "14 h", "20 h", "40 h"])
def test_what_is_eaten_does_not_depend_on_how_long_the_run_is(before: str) -> None:
    """The fast ahead of a session that comes after the end has begun within the run."""
    days: dict[str, object] = {"sessions": session(days=["mon", "thu"]), "meals": {"fast": {"before_sessions": before}}}
    longest = timeline(21 * 24.0, **days).meals
    for hours in (20.0, 7 * 24.0, 7 * 24.0 + 6.0, 10 * 24.0):
        assert timeline(hours, **days).meals == tuple(meal for meal in longest if meal.start < hours)


@pytest.mark.parametrize(("before", "meals_a_day"), [("109 min", 3), ("110 min", 2), ("111 min", 2)])
def test_a_fast_that_begins_with_a_meal_takes_it_every_day(before: str, meals_a_day: int) -> None:
    """Breakfast is at 06:30; hours of a clock are rounded, on each day otherwise."""
    line = timeline(28 * 24.0, sessions=session(start="08:20"), meals={"fast": {"before_sessions": before}})
    assert len(line.meals) == 28 * meals_a_day


def test_a_meal_at_the_end_of_a_fast_is_eaten_every_day() -> None:
    line = timeline(28 * 24.0, meals={"fast": {"start": "17:10", "duration": "80 min"}})
    assert len(line.meals) == 28 * 3


def test_a_fast_at_a_clock_time_repeats() -> None:
    line = timeline(72.0, meals={"fast": {"start": "12:00", "duration": "8 h", "days": ["mon", "wed"]}})
    assert [meal.start for meal in line.meals] == [6.5, 30.5, 36.5, 42.5, 54.5]


def test_meals_of_the_schedule_are_kept_in_a_fast() -> None:
    eaten = {"carbohydrate": "1 g/kg", "at": "2 h", "duration": "15 min"}
    line = timeline(24.0, meals=[{"fast": {"start": "0 h"}}, eaten])
    assert line.meals == ((2.0, 2.25, 1.0),)


def test_carbohydrate_during_sessions() -> None:
    line = timeline(24.0, sessions=session(duration="2 h"), meals={"carbohydrate": "0.8 g/kg/h", "during": "sessions"})
    assert (7.5, 9.5, pytest.approx(1.6)) in line.meals


# Doses


@pytest.mark.parametrize(
    ("what", "route", "amount", "duration", "number", "unit"),
    [
        ("ketone_ester", "oral", "500 mg/kg", 0.0, 500 / 176.21, "mmol/kg"),
        ("lactate", "ip", "180 mg/kg", 0.0, 2.0, "mmol/kg"),
        ("lactate", "iv", "2 mmol/kg", 1.0, 2.0, "mmol/kg"),
        ("glucose", "iv", "30 umol/kg/min", 2.0, 3.6, "mmol/kg"),
        ("bhb", "icv", "10 nmol", 0.0, 10.0, "nmol"),
        ("bdnf", "icv", "1 ug", 0.0, 1 / 27, "nmol"),
        ("irisin", "iv", "0.12 mg/kg", 0.0, 10.0, "nmol/kg"),
        ("corticosterone", "sc", "32 mg/kg", 0.0, 32e6 / 346.46, "nmol/kg"),
        ("bhb", "bath", "0.8 mM", 0.0, 0.8, "mmol/L"),
        ("bdnf", "bath", "27 ng/mL", 0.0, 1.0, "nmol/L"),
        ("dexamethasone", "bath", "1 uM", 0.0, 1000.0, "nmol/L"),
    ],
)
def test_amounts(what: str, route: str, amount: str, duration: float, number: float, unit: str) -> None:
    assert dose_amount(what, route, amount, duration) == pytest.approx(number, rel=1e-3)
    assert dose_unit(what, route) == unit


def test_what_nobody_gives_is_judged_by_the_day() -> None:
    """The ester of a diet over weeks, an injection each week and a pump pass; the same at once does not."""
    given: tuple[tuple[str, str, str, float, float | None], ...] = (
        ("ketone_ester", "oral", "10 g/kg/d", 28 * 24.0, None),
        ("ketone_ester", "oral", "30 g/kg", 0.0, 48.0),
        ("ketone_ester", "oral", "30 g/kg", 72.0, 60.0),
        ("bdnf", "icv", "12 ug/d", 14 * 24.0, None),
        ("bhb", "bath", "20 mmol/L", 240.0, 1.0),
    )
    for case in given:
        check_most(*case)
    too_much: tuple[tuple[str, str, str, float, float | None], ...] = (
        ("ketone_ester", "oral", "200 g/kg/d", 48.0, None),
        ("ketone_ester", "oral", "200 g/kg", 0.0, None),
        ("ketone_ester", "oral", "30 g/kg", 0.0, 12.0),
        ("bdnf", "icv", "12 mg", 0.0, None),
        ("dexamethasone", "ip", "2 g/kg", 0.0, None),
        ("bdnf", "bath", "1 mmol/L", 240.0, None),
        ("bhb", "bath", "2 mol/L", 240.0, None),
    )
    for case in too_much:
        with pytest.raises(Fault, match="more than anybody gives"):
            check_most(*case)


def test_effort_is_limited_as_far_beyond_what_is_published_as_the_limit_says() -> None:
    """Times to exhaustion at 1, 1.2 and 1.4 of the speed at VO2max: 347, 131 and 72 s (billat2000)."""
    for fraction, seconds in ((1.0, 347.0), (1.2, 131.0), (1.4, 72.0)):
        assert 3.5 < 3600.0 * longest_effort(fraction) / seconds < 5.0
    fractions = np.linspace(0.3, 2.0, 500)
    limits = np.array([longest_effort(fraction) for fraction in fractions])
    assert (np.diff(limits) <= 0.0).all()
    assert (np.abs(np.diff(np.log(limits))) < 0.1).all()  # without a jump


def test_doses_repeat() -> None:
    dose = {"what": "lactate", "route": "ip", "amount": "2 mmol/kg", "at": "09:00", "days": ["mon", "thu"]}
    assert [given_.at for given_ in timeline(doses=dose).doses] == [9.0, 81.0]
    assert timeline(doses=dose).doses[0] == ("lactate", "ip", 2.0, 9.0, 0.0)


def test_a_bath_lasts_to_the_end() -> None:
    plan = {"preparation": "slice", "run": {"duration": "5 h", "burn_in": "1 h"}}
    plan["schedules"] = {"a": {"doses": [{"what": "bhb", "route": "bath", "amount": "5 mM", "at": "2 h"}]}}
    experiment = build_experiment(plan)
    (dose,) = compile_schedule(experiment.schedules["a"], experiment.subject, 5.0, "a").doses
    assert (dose.at, dose.duration) == (2.0, 3.0)


def test_a_session_in_the_wheel_of_any_length_has_the_bouts_of_the_run_alone() -> None:
    wheel = {"kind": "wheel", "distance": "5 km/d", "start": "19:00", "duration": "48 h", "days": ["mon"]}
    long = timeline(30.0, MOUSE, sessions=wheel | {"duration": "1e9 h"}).bouts
    usual = timeline(30.0, MOUSE, sessions=wheel).bouts
    assert len(long) == pytest.approx(len(usual), abs=1)
    assert long[-1].end <= 30.0


def test_a_wheel_is_not_run_in_for_longer_than_it_is_there() -> None:
    greedy = Subject.model_validate({"species": "mouse", "overrides": {"schedule.wheel_running_fraction": 1.5}})
    with pytest.raises(Fault, match="share of the time"):
        timeline(48.0, greedy, sessions={"kind": "wheel", "distance": "5 km/d", "start": "10:00", "duration": "5 h"})


def test_a_dinner_past_midnight_is_eaten_to_its_end_on_the_first_night_too() -> None:
    late = Subject.model_validate({"overrides": {"meals.dinner": "23.8 h"}})

    def eaten(day: int) -> float:
        meals = timeline(72.0, late).meals
        return sum(
            meal.carbohydrate * max(min(meal.end, 24.0 * (day + 1)) - max(meal.start, 24.0 * day), 0.0)
            / (meal.end - meal.start)
            for meal in meals
        )

    assert eaten(0) == pytest.approx(eaten(1)) == pytest.approx(eaten(2))
    with pytest.raises(ArithmeticError, match="no hour of the day"):
        timeline(24.0, Subject.model_validate({"overrides": {"meals.breakfast": "30 h"}}))


def test_what_lasts_begins_within_a_rounded_hour_and_not_before() -> None:
    """20 min are a third of an hour: an hour that falls short of it by rounding still counts."""
    third = 1.0 / 3.0
    assert lasts(third, 2.0, third - 5e-7)
    assert not lasts(third, 2.0, third - 1e-5)
    assert not lasts(0.0, third, third - 5e-7)
    assert lasts(0.0, third, third - 1e-5)
