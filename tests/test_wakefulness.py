"""Sleep and waking: shares of time awake, and what waking brings to the CREB signal."""

import numpy as np
import pytest

from abm.body import resting_day, simulate_body
from abm.body.wakefulness import WakefulnessParameters, share_awake, wakefulness_parameters
from abm.config import Schedule, Subject, build_experiment
from abm.epigenome import EpigenomeParameters
from abm.expectation import expected_neuron, set_point
from abm.expression import LEAST_CREB, ExpressionParameters, awake_creb, waking_drive
from abm.forcing import resting_wakefulness
from abm.metric_names import PROMOTERS
from abm.model import HippocampusModel
from abm.parameters import load_parameters
from abm.promoters import promoter_constants
from abm.schedule import compile_schedule

X = load_parameters(ExpressionParameters, "expression", "mouse")
NIGHT = WakefulnessParameters(active_from=19.0, active_until=7.0, awake_when_active=0.7, awake_at_rest=0.2)


@pytest.mark.parametrize("begin", [-31.0, -0.3, 0.0, 5.5, 18.9, 40.0])
@pytest.mark.parametrize("step", [0.1, 0.7, 1.0, 5.0, 24.0])
def test_the_share_awake_is_that_of_a_fine_count(begin, step):
    edges = begin + step * np.arange(20)
    for p in (NIGHT, NIGHT._replace(active_from=7.0, active_until=23.0), NIGHT._replace(active_until=19.0)):
        middles = edges[:-1, None] + step * (np.arange(4000) + 0.5) / 4000
        since = (middles - p.active_from) % 24.0
        active = since < (p.active_until - p.active_from) % 24.0
        counted = np.where(active, p.awake_when_active, p.awake_at_rest).mean(axis=1)
        np.testing.assert_allclose(share_awake(p, edges), counted, atol=2e-3)


def test_rodents_are_awake_in_the_dark_whenever_that_is():
    moved = Subject(species="mouse", light={"on": "03:00", "off": "17:00"})
    p = wakefulness_parameters(moved)
    assert (p.active_from, p.active_until) == (17.0, 3.0)
    awake = share_awake(p, np.arange(25.0))
    assert awake[0] == awake[17] == p.awake_when_active > awake[3] == awake[16] == p.awake_at_rest
    people = wakefulness_parameters(Subject(species="human"))
    assert share_awake(people, np.array([0.0, 7.0, 23.0, 24.0])).tolist() == [0.0, 1.0, 0.0]


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_exercise_wakes_whom_it_finds_asleep_and_a_wheel_does_not(species):
    """Intervals from 3:00 to 4:06 with their pauses; of half an hour that they end in, 6 min count."""
    subject, day = Subject(species=species), resting_day(Subject(species=species), 0.5).wakefulness
    intervals = {"repeats": 6, "work": "6 min at 70 %VO2max", "rest": "6 min"}
    run = {"kind": "running", "intervals": intervals, "start": "03:00"}
    wheel = {"kind": "wheel", "intensity": "50 %VO2max", "start": "03:00", "duration": "2 h"}
    found = {}
    for name, session in (("run", run), ("wheel", wheel)):
        timeline = compile_schedule(Schedule(sessions=session), subject, 48.0, name)
        found[name] = simulate_body(subject, timeline, np.arange(0.0, 48.1, 0.5)).wakefulness
    woken = 2 * day.tolist()
    for step in (6, 7, 54, 55):
        woken[step] = 1.0
    for step in (8, 56):
        woken[step] = 0.2 + 0.8 * woken[step]
    assert found["wheel"] == pytest.approx(2 * day.tolist(), rel=1e-7)
    assert found["run"] == pytest.approx(woken, rel=1e-6)


@pytest.mark.parametrize("species", ["human", "mouse"])
def test_a_resting_day_is_as_long_awake_as_the_clock_says(species):
    day = resting_day(Subject(species=species), 0.5)
    plan = {"name": "rest", "schedules": {"rest": {}}, "reference": "rest", "subject": {"species": species}}
    mean = resting_wakefulness(build_experiment(plan)).mean()
    assert day.wakefulness.mean() == pytest.approx(mean)
    assert mean == pytest.approx({"human": 16.0 / 24.0, "mouse": (0.64 + 0.376) / 2.0}[species])


@pytest.mark.parametrize("asleep", [0.05, 0.3, 1.0])
def test_waking_drives_one_on_the_mean_of_a_day_and_more_when_awake(asleep):
    x = X._replace(creb_asleep=asleep)
    awake = share_awake(NIGHT, np.arange(25.0))
    drive = waking_drive(x, awake, awake)
    assert drive.mean() == pytest.approx(1.0, abs=1e-12)
    assert waking_drive(x, 0.0, [0.6]) == pytest.approx(asleep * waking_drive(x, 1.0, [0.2, 1.0]))
    assert (drive.max() > drive.min()) == (asleep < 1.0)
    assert waking_drive(x, 0.0, [0.0, 0.0]) == 1.0  # a slice


def test_a_blocker_of_creb_takes_what_waking_brings_with_it():
    assert awake_creb(1.3, 1.2, 1.0) == pytest.approx(1.5)
    assert awake_creb(0.5, 0.2, 0.0) == 0.5
    assert awake_creb(0.3, 0.2, 1.0) == LEAST_CREB


def test_sleep_and_waking_leave_deacetylases_and_their_set_points_alone():
    e = load_parameters(EpigenomeParameters, "epigenome", "mouse")
    rest = np.array([[0.1, 1.9, 0.5, 5.0]])
    awake = np.tile(share_awake(NIGHT, np.arange(0.0, 24.25, 0.25)), 20)
    signals, even = np.repeat(rest, awake.size, axis=0), np.ones(awake.size)
    at_rest = waking_drive(X, awake[:96:4], awake[:96])
    waking = waking_drive(X, awake, awake[:96])
    day = expected_neuron(e, X, signals, even, set_point(e, X, rest), 0.25, waking=waking, waking_at_rest=at_rest)
    last = slice(-96, None)
    assert np.ptp(day.hdac2) < 0.02  # by way of what TrkB feeds back
    assert day.transcripts[last].mean() == pytest.approx(X.transcripts_at_rest, rel=0.03)
    assert day.transcripts[last].max() > 1.1 * day.transcripts[last].min()
    per_store = day.release / day.bdnf
    assert np.ptp(per_store[last]) < 1e-9 * per_store[0]  # waking is no part of firing


@pytest.mark.parametrize("dt", [0.1, 1.0, 6.0, 24.0])
def test_promoters_keep_their_transcripts_on_the_mean_of_a_day_in_any_step(dt):
    e = load_parameters(EpigenomeParameters, "epigenome", "human")
    awake = share_awake(wakefulness_parameters(Subject(species="human")), np.arange(25.0))
    at_rest = waking_drive(X, awake, awake)
    steps = round(24.0 / dt)
    waking = np.tile(at_rest.repeat(240).reshape(steps, -1).mean(axis=1), 3)
    rest = np.array([[0.1, 1.5, 0.5, 5.0]])
    signals, even = np.repeat(rest, waking.size, axis=0), np.ones(waking.size)
    day = expected_neuron(e, X, signals, even, set_point(e, X, rest), dt, waking=waking, waking_at_rest=at_rest)
    for promoter, share in zip(PROMOTERS, promoter_constants(X, e, dt).transcripts, strict=True):
        assert getattr(day, f"transcripts_{promoter}")[-steps:].mean() == pytest.approx(share, rel=0.05)


def test_a_slice_neither_sleeps_nor_wakes():
    model = HippocampusModel(build_experiment({
        "name": "slice", "preparation": "slice", "tissue": {"neurons": 20, "size": ["100 um", "100 um"]},
        "schedules": {"vehicle": {}}, "reference": "vehicle",
        "run": {"duration": "1 d", "burn_in": "0 h", "step": "1 h"},
    }), "vehicle")  # fmt: skip
    assert all(model.expose()[1].waking == 1.0 for _ in range(3))
