"""What sessions do to fitness and VO2max: against an independent solver, its laws, and a published time course."""

from itertools import pairwise

import numpy as np
import pytest
from body_laboratory import INDEX, person
from scipy.integrate import quad, solve_ivp

from abm.body import body_parameters, resting_state, simulate_body, solve_body
from abm.body.lactate import deficit_glycolysis
from abm.schedule import Bout, Timeline

UNTRAINED = person()
DAY = 24.0


def sessions(days: list[int], minutes: float, intensity: float, fixed: bool = False) -> tuple[Bout, ...]:
    return tuple(
        Bout(DAY * day + 9.0, DAY * day + 9.0 + minutes / 60.0, intensity, "cycling", fixed=fixed) for day in days
    )


def fitness_after(days: int, bouts: tuple[Bout, ...]) -> np.ndarray:
    """Fitness at every midnight."""
    p, hours = body_parameters(UNTRAINED), np.arange(0.0, DAY * days + DAY, DAY)
    trajectory = solve_body(p, Timeline("t", DAY * days, bouts), hours, resting_state(UNTRAINED))
    return trajectory.at(hours, INDEX["fitness"])


def test_signal_and_fitness_agree_with_an_independent_solver() -> None:
    """A sprint, and an hour on the day after: the two equations written out, driven by the body's uptake and lactate.

    q' = e^n + s (D - y)+^2.5 / (1 + ((M + L) / L_ex)^6) - q / tau_q;  f' = (g q / (q + K) (f_max - f) - f) / tau;
    e = (y - rest) / (1 - rest / VO2max).
    """
    bouts = (Bout(9.0, 9.0 + 40.0 / 3600.0, 1.9, "cycling"), Bout(33.0, 34.0, 0.9, "cycling"))
    p, grids = body_parameters(UNTRAINED), [np.arange(0.0, 48.0 + 1e-9, 1.0 / 120.0)]
    # Uptake and lactate are interpolated between these hours, so that they lie close where the demand jumps.
    grids += [edge + np.arange(0.0, 0.2, 0.2 / 3600.0) for bout in bouts for edge in (bout.start, bout.end)]
    hours = np.unique(np.round(np.concatenate(grids), 9))
    trajectory = solve_body(p, Timeline("t", 48.0, bouts), hours, resting_state(UNTRAINED))
    above_rest, muscle, blood = (
        trajectory.at(hours, INDEX[name]) for name in ("oxygen_uptake", "muscle_lactate", "lactate")
    )
    a, own = p.adaptation, p.maximal_uptake

    def rates(time: float, state: np.ndarray) -> list[float]:
        signal, fitness = state
        rest = own.rest / (own.at_start + own.gain * fitness)
        demand = next((bout.intensity for bout in bouts if bout.start <= time < bout.end), rest)
        uptake = np.interp(time, hours, above_rest)
        lactate = np.interp(time, hours, muscle) + np.interp(time, hours, blood)
        sprint = max(demand - rest - uptake, 0.0) ** 2.5 / (1.0 + (lactate / p.lactate.lactate_at_exhaustion) ** 6)
        drive = a.fitness_gain * signal / (signal + a.training_half)
        return [
            (uptake / (1.0 - rest)) ** a.training_exponent
            + a.training_sprint_gain * sprint
            - signal / a.training_time,
            (drive * (a.fitness_maximum - fitness) - fitness) / a.fitness_time,
        ]

    found, ends = np.zeros(2), sorted({0.0, 48.0, *(edge for bout in bouts for edge in (bout.start, bout.end))})
    for begin, end in pairwise(ends):  # the demand jumps at the ends
        inside = (begin, end - 1e-9)
        found = solve_ivp(rates, inside, found, max_step=0.01, rtol=1e-9, atol=1e-12).y[:, -1]
    last = [trajectory.points[-1, INDEX[name]] for name in ("training_signal", "fitness")]
    np.testing.assert_allclose(last, found, rtol=2e-4)


def test_a_sprint_counts_by_a_power_of_its_oxygen_deficit() -> None:
    """From rest to D > 1 the deficit is (D - 1) + (1 - rest) e^(-t / tau_y), of which the power 2.5 counts; the lactate
    of so short a sprint leaves glycolysis as it is.
    """
    p, seconds, demand = body_parameters(UNTRAINED), 8.0, 2.0
    times = np.array([0.0, 9.0 + seconds / 3600.0])
    sprint = (Bout(9.0, 9.0 + seconds / 3600.0, demand, "cycling"),)
    course = solve_body(p, Timeline("t", 12.0, sprint), times, resting_state(UNTRAINED))
    rest, tau, t = p.maximal_uptake.rest / p.maximal_uptake.at_start, p.lactate.oxygen_uptake_time, seconds / 3600.0
    a, b = demand - 1.0, 1.0 - rest
    reserve = lambda x: (1.0 - np.exp(-x / tau)) ** p.adaptation.training_exponent  # noqa: E731
    deficit = lambda x: (a + b * np.exp(-x / tau)) ** 2.5  # noqa: E731
    expected = quad(reserve, 0.0, t)[0] + p.adaptation.training_sprint_gain * quad(deficit, 0.0, t)[0]
    assert course.at(times, INDEX["training_signal"])[-1] == pytest.approx(expected, rel=5e-3)


def test_glycolysis_fades_as_lactate_accumulates() -> None:
    """Of a demand that uptake covers it is 0, and at the lactate of exhaustion half of what it is without any."""
    p = body_parameters(UNTRAINED).lactate
    assert deficit_glycolysis(p, 0.7, 0.7, 1.0) == deficit_glycolysis(p, 0.7, 0.9, 1.0) == 0.0
    assert deficit_glycolysis(p, 1.5, 0.5, 0.0) == 1.0
    assert deficit_glycolysis(p, 1.5, 0.5, p.lactate_at_exhaustion) == 0.5
    found = [deficit_glycolysis(p, 1.5, 0.5, lactate) for lactate in (0.0, 5.0, 15.0, 25.0, 40.0)]
    assert found == sorted(found, reverse=True)


def test_the_same_training_keeps_an_elite_athlete_as_it_keeps_a_trained_one() -> None:
    """Two hours a day at 75 % of VO2max for eight weeks; a ceiling in proportion to the fitness at the start."""
    days, kept = np.array([0.0, 56.0 * DAY]), {}
    ride = sessions(list(range(56)), 120.0, 0.75)
    for training in ("trained", "elite"):
        subject = person(training)
        course = solve_body(body_parameters(subject), Timeline("t", 56 * DAY, ride), days, resting_state(subject))
        start, end = course.at(days, INDEX["fitness"])
        kept[training] = end / start
    assert kept["elite"] == pytest.approx(kept["trained"], rel=0.02)
    ceilings = [body_parameters(person(one)).adaptation.fitness_maximum for one in ("untrained", "trained", "elite")]
    assert ceilings[0] == ceilings[1] < ceilings[2]


def test_signal_and_fitness_follow_their_exact_solutions() -> None:
    """In steady exercise q goes to e^n tau_q, at rest to 0, both as e^(-t / tau_q); without a signal f falls as
    e^(-t / tau).
    """
    p = body_parameters(UNTRAINED)
    times = np.array([0.0, 9.25, 10.0, 12.0, 30.0])  # rest, twice in a bout of an hour, twice at rest after it
    bout = (Bout(9.0, 10.0, 0.8, "cycling"),)
    course = solve_body(p, Timeline("t", 30.0, bout), times, resting_state(UNTRAINED))
    q, y = (course.at(times, INDEX[name]) for name in ("training_signal", "oxygen_uptake"))
    assert q[0] == 0.0
    assert y[4] < 1e-9
    a, rest = p.adaptation, p.maximal_uptake.rest / p.maximal_uptake.at_start
    level = ((0.8 - rest) / (1.0 - rest)) ** a.training_exponent * a.training_time
    left = np.exp(-0.75 / a.training_time)
    assert q[2] == pytest.approx(level + (q[1] - level) * left, rel=2e-3)  # fitness moves a little meanwhile
    assert q[4] == pytest.approx(q[3] * np.exp(-18.0 / a.training_time), rel=1e-6)
    elite, days = person("elite"), np.array([0.0, 20 * DAY])
    fitness = solve_body(body_parameters(elite), Timeline("rest", 20 * DAY, ()), days, resting_state(elite))
    start, end = fitness.at(days, INDEX["fitness"])
    assert end == pytest.approx(start * np.exp(-20 * DAY / a.fitness_time), rel=1e-6)


def test_a_long_session_adds_less_than_its_halves_on_two_days() -> None:
    """Hours of exercise do not count as weeks of sessions do."""
    doses = (([0], 52.5), ([0], 210.0), ([0, 3], 105.0), ([0, 2, 4, 6], 52.5))
    short, once, halves, quarters = (fitness_after(14, sessions(days, time, 0.7))[-1] for days, time in doses)
    assert 0.0 < short < once < halves < quarters
    assert once < 3.0 * short, "four times as long"


@pytest.mark.parametrize("what", ["sprints", "minutes", "intensity", "days"])
def test_more_training_makes_fitter(what: str) -> None:
    doses = {
        "sprints": [([0, 2, 4], 0.5 * count, 1.8) for count in (0.5, 1.0, 2.0)],
        "minutes": [([0, 2, 4], minutes, 0.65) for minutes in (10.0, 20.0, 40.0, 80.0)],
        "intensity": [([0, 2, 4], 30.0, share) for share in (0.3, 0.5, 0.7, 0.9)],
        "days": [(days, 30.0, 0.65) for days in ([0], [0, 3], [0, 2, 4], [0, 1, 2, 3, 4, 5])],
    }[what]
    found = [fitness_after(7, sessions(*dose))[-1] for dose in doses]
    assert found == sorted(found)
    assert found[0] > 0.0


def test_constant_work_reaches_its_plateau_as_fast_as_published() -> None:
    """Hickson 1981 (hickson1981): with 40 min on six days a week at constant work rates VO2max rose with half times of
    10.3 and 10.8 d and no further after three weeks. The paper gave nothing to the fit; its intensity is assumed. Here
    it takes 12.9 d.
    """
    days = [day for day in range(70) if day % 7 != 6]
    fitness = fitness_after(70, sessions(days, 40.0, 0.8, True))
    half = float(np.interp(0.5 * fitness[-1], fitness, np.arange(71.0)))
    assert half == pytest.approx(10.5, rel=0.35)


def test_vo2max_starts_as_in_the_schedules_and_follows_fitness() -> None:
    p = body_parameters(UNTRAINED)
    hours = np.arange(0.0, 14 * DAY + 1, DAY)
    rest = simulate_body(UNTRAINED, Timeline("rest", 14 * DAY, ()), hours)
    np.testing.assert_allclose(rest.vo2max, 38.0, rtol=1e-6)
    assert (rest.fitness == 0.0).all()
    trained = simulate_body(UNTRAINED, Timeline("t", 14 * DAY, sessions(list(range(14)), 45.0, 0.7)), hours)
    np.testing.assert_allclose(trained.vo2max - 38.0, p.adaptation.vo2max_gain * trained.fitness, rtol=1e-5, atol=1e-5)
    elite = simulate_body(person("elite"), Timeline("rest", DAY, ()), np.array([0.0, DAY]))
    assert elite.vo2max[0] == pytest.approx(72.0, abs=0.5)
