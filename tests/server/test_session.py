"""A session plays what `run.py experiment` computes, whatever its visitor does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import READ, Rows, small_experiment

from abm.errors import ConfigError
from abm.metric_names import REGIONS
from abm.metrics import METRICS
from abm.view.server.plans import Recipe, fault
from abm.view.server.resting import RestedTissues
from abm.view.server.scene import STRONGEST, strongest
from abm.view.server.session import Session

TISSUES = RestedTissues()


@pytest.fixture
def session() -> Iterator[Session]:
    opened = Session(small_experiment(), rested=TISSUES)
    opened.wait()
    yield opened
    opened.close()


def compare(session: Session, rows: Rows) -> int:
    """Every reading of the played arms so far is the published one; returns how many there were."""
    found = 0
    for arm in session.arms:
        for metric in READ:
            for region in REGIONS if METRICS[metric].regional else REGIONS[:1]:
                for step, value in enumerate(arm.trace(metric, region)):
                    published = rows.get((arm.plan.name, metric, region, step * 0.5))
                    if published is not None:
                        assert (float(published) == value) or (published == "" and np.isnan(value))
                        found += 1
    return found


def test_numbers_are_those_of_the_experiment(session: Session, published: tuple[Path, Rows]) -> None:
    session.choose("ride", "sedentary")
    while session.step(7):
        pass
    assert session.taken == session.steps
    assert session.clock == "day 2 (wed) 00:00"
    assert compare(session, published[1]) == len(published[1])


def test_they_stay_so_after_reset_and_change_of_plan(session: Session, published: tuple[Path, Rows]) -> None:
    session.step(30)
    session.reset()
    assert (session.taken, session.clock) == (0, "day 0 (mon) 00:00")
    session.step(40)
    assert compare(session, published[1]) > 0
    session.choose("sedentary")
    session.step(40)
    assert session.arms[0].plan.name == "sedentary"
    assert compare(session, published[1]) > 0


def test_next_session_and_when_there_is_none(session: Session) -> None:
    for clock in ("day 0 (mon) 07:30", "day 1 (tue) 07:30"):
        session.step(session.next_session() - session.taken)
        assert session.clock == clock
    with pytest.raises(ConfigError, match="no further session"):
        session.next_session()


def test_a_wrong_plan_is_a_sentence_and_changes_nothing(session: Session) -> None:
    wrong = {"sessions": {"kind": "cycling", "intensity": "65", "duration": "45 min", "start": "07:30"}}
    with pytest.raises(ConfigError, match="intensity"):
        session.add_plan("wrong", wrong)
    with pytest.raises(ConfigError, match="no such plan"):
        session.choose("wrong")
    assert session.plans == ["sedentary", "ride"]
    assert session.step(3) == 3


def test_a_drink_before_a_session_is_not_taken_the_day_after() -> None:
    early = Recipe(start="00:30", ketone_ester="500 mg/kg").schedule()
    assert early["doses"][0]["at"] == "00:00"
    with pytest.raises(ConfigError, match=r"the day before.*00:30 or later"):
        Recipe(start="00:10", ketone_ester="500 mg/kg").schedule()


def test_an_added_plan_plays(session: Session) -> None:
    walk = {"sessions": {"kind": "walking", "intensity": "40 %VO2max", "duration": "1 h", "start": "10:00"}}
    session.add_plan("walk", walk)
    session.choose("walk", "sedentary")
    session.step(24)
    own, compared = (arm.trace("tissue_lactate")[-1] for arm in session.arms)
    assert own > compared


def test_sessions_do_not_see_each_other(session: Session) -> None:
    other = Session(small_experiment(), rested=TISSUES)
    other.wait()
    other.step(10)
    assert session.taken == 0
    assert np.isnan(session.arms[0].history[0, 0, 1:]).all()
    session.step(10)
    np.testing.assert_array_equal(session.arms[0].history, other.arms[0].history)
    other.close()


def test_a_plan_that_is_wanted_no_more_changes_nothing(session: Session) -> None:
    """Its body may be solved only after a later plan has been asked for."""
    ride = {"sessions": {"kind": "cycling", "intensity": "65 %VO2max", "duration": "45 min", "start": "07:30"}}
    before = session.experiment
    assert not session.add_plan("late", ride, lambda: False)
    assert session.experiment is before
    assert session.add_plan("late", ride)
    assert "late" in session.plans


@pytest.mark.parametrize("times", [0, -3, 8])
def test_so_many_sessions_a_week_there_are_not(times: int) -> None:
    with pytest.raises(ConfigError, match="1 to 7"):
        Recipe(per_week=times).schedule()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({}, ""), ({"name": "a.b"}, "name"), ({"name": ""}, "name"), ({"intensity": "65"}, "intensity"),
        ({"duration": "45"}, "duration"), ({"start": "25:00"}, "start"), ({"per_week": 9}, "per_week"),
        ({"repeats": -1}, "repeats"), ({"repeats": 3, "work": "hard"}, "work"), ({"fast": "12"}, "fast"),
        ({"kind": "none", "fast": "12"}, "fast"), ({"ketone_ester": "500"}, "ketone_ester"),
        ({"ketone_ester": "500 mg/kg", "start": "00:10"}, "start"),
    ],
)  # fmt: skip
def test_a_fault_is_told_at_the_field_it_lies_in(changed: dict[str, Any], field: str) -> None:
    found, reason = fault(small_experiment(), Recipe(**changed))
    assert found == field
    assert bool(reason) == bool(field)
    assert "schedules" not in reason


def test_the_strongest_synapses_are_those_of_the_region(session: Session) -> None:
    model = session.arms[0].model
    code = np.asarray(model.neurons.region)
    change, start, sender = model.synapses.early + model.synapses.late, model.wiring.start, model.wiring.sender
    for name, region in (("CA3", 1), ("CA1", 2)):
        between = [
            (change[k], int(sender[k]), receiver)
            for receiver in np.flatnonzero(code == region)
            for k in range(start[receiver], start[receiver + 1])
            if sender[k] < len(code) and code[sender[k]] == region
        ]
        found = strongest(model, name)
        assert len(found) == min(len(between), STRONGEST)
        weakest = sorted((one for one, _, _ in between), reverse=True)[len(found) - 1]
        shown = {(sender, receiver) for one, sender, receiver in between if one >= weakest}
        assert {tuple(pair) for pair in found.tolist()} <= shown


def test_a_closed_session_is_freed() -> None:
    opened = Session(small_experiment(), rested=TISSUES)
    opened.wait()
    model = weakref.ref(opened.arms[0].model)
    opened.close()
    gc.collect()
    assert model() is None
    assert opened.step(5) == 0


def test_a_tissue_of_another_size_rests_first(session: Session) -> None:
    session.resize(40)
    session.wait()
    assert len(session.arms[0].model.neurons.region) == 40
    for many in (1, 10**9):
        with pytest.raises(ConfigError, match="neurons"):
            session.resize(many)
    assert len(session.arms[0].model.neurons.region) == 40


def test_rested_tissues_are_shared_and_the_oldest_unused_forgotten() -> None:
    tissues = RestedTissues(most=2)
    rests = [tissues.ask(small_experiment(f"run.seed={seed}"), 0) for seed in (1, 2)]
    assert tissues.ask(small_experiment("run.seed=1", "run.duration=1 d"), 0) is rests[0]
    for rest in (*rests, rests[0]):
        assert rest.done.wait(120)
        tissues.leave(rest)
    assert len(tissues.known) == 2
    third = tissues.ask(small_experiment("run.seed=3"), 0)
    assert len(tissues.known) == 2
    assert rests[1] not in tissues.known.values()
    tissues.leave(third)


def test_a_rest_that_nobody_waits_for_is_given_up() -> None:
    tissues = RestedTissues()
    rest = tissues.ask(small_experiment("run.burn_in=300 d"), 0)
    tissues.leave(rest)
    again = tissues.ask(small_experiment("run.burn_in=300 d"), 0)
    assert again is not rest  # or it would wait for what does not come
    tissues.leave(again)
    assert rest.done.wait(120)
    assert rest.error is not None
    assert not rest.arrays


def test_the_history_of_a_neuron_is_kept(session: Session) -> None:
    session.step(6)
    arm = session.arms[0]
    hours, values = arm.neuron_trace("bdnf_protein", 7)
    assert hours[-1] == 3.0
    assert values[-1] == np.float32(arm.model.neurons.bdnf_protein[7])
