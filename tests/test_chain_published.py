"""The whole chain against a few published results; every row is compared with what the paper reports.

Rows are paired on one tissue, so that their noise is far below the differences between animals. Running, rest, the
block of lactate transport, the agonist and the HDAC block are calibration rows (configs/calibration/neurons.yaml), and
a rule was changed after priming had been missed, so that meeting them is consistency, not prediction. So it is with
fasting and the ester (gibbons2023_fasting, pmid39804761_mouse).
"""

import numpy as np
import pytest

from abm.config import build_experiment
from abm.config.intensity import capacity
from abm.forcing import blood_of, resting_blood
from abm.model import HippocampusModel, burn_in
from abm.observation import observation_parameters
from abm.observation.memory import retention
from abm.schedule import compile_schedule
from abm.study.surrogate import ExposedNeuron

pytestmark = pytest.mark.slow
UNCHANGED = (0.85, 1.15)


def experiment_of(species, preparation, arms, hours, neurons, side):
    return build_experiment(
        {
            "name": "rows",
            "subject": {"species": species},
            "preparation": preparation,
            "tissue": {"neurons": neurons, "size": [side, side]},
            "schedules": {"sedentary": {}, **arms},
            "reference": "sedentary",
            "run": {"duration": f"{hours} h", "burn_in": "4 d", "replicates": 1, "seed": 5, "step": "0.5 h"},
        }
    )


def courses(species, preparation, arms, hours, times, metric, neurons=250, side="0.8 mm"):
    """Ratio of a read-out to the sedentary arm, per arm, at the given hours."""
    experiment = experiment_of(species, preparation, arms, hours, neurons, side)
    rest = resting_blood(experiment)
    rested = burn_in(experiment, 0, rest)
    read = {}
    for name, schedule in experiment.schedules.items():
        timeline = compile_schedule(schedule, experiment.subject, float(hours), name)
        model = HippocampusModel(
            experiment, name, plasma=blood_of(experiment, timeline), timeline=timeline, resting=rest, rested=rested
        )
        values = []
        while model.hour < hours:
            model.step()
            if np.isclose(model.hour % 24.0, 0.0) or model.hour in times:
                values.append((model.hour, model.observe(metric)["all"]))
        read[name] = dict(values)
    return {name: [read[name][t] / read["sedentary"][t] for t in times] for name in arms}


def test_wheel_running_raises_bdnf_and_four_weeks_of_rest_bring_it_back():
    # Berchtold 2010: 186 % of sedentary after 21 d; raised 7 and 14 d later, at baseline after 21-28 d.
    wheel = {"kind": "wheel", "distance": "5 km/d", "start": "19:00", "duration": "10 h"}
    arms = {
        "wheel": {"sessions": wheel | {"first_day": "0 d", "last_day": "21 d"}},
        "blocked": {
            "sessions": wheel | {"first_day": "0 d", "last_day": "21 d"},
            "blocks": [
                {"target": target, "fraction": 0.95, "start": "0 d", "duration": "21 d"} for target in ("MCT1", "MCT2")
            ],
        },
    }
    days = (21, 28, 35, 49)
    times = [24.0 * day for day in days]
    found = courses("mouse", "in_vivo", arms, 49 * 24, times, "bdnf_protein", neurons=150, side="0.4 mm")
    end, week, fortnight, month = found["wheel"]
    assert 1.5 < end < 2.2
    assert week > 1.05  # significantly raised; the size is not in the abstract
    assert 1.03 < fortnight < week
    assert UNCHANGED[0] < month < UNCHANGED[1]
    # El Hayek 2019: an inhibitor of lactate transport abolishes the effect.
    assert UNCHANGED[0] < found["blocked"][0] < UNCHANGED[1]


def test_a_second_block_of_running_acts_faster_than_the_first_the_more_so_the_shorter_the_rest():
    # Butler 2019: two nights in the wheel do what two weeks did, if they come within a week of them. Here what is left
    # of the first block is open chromatin at promoter I, so that two nights of the same effort give more transcripts
    # and BDNF. At the same speed fitness, for which it is less effort, makes up for that.
    wheel = {"kind": "wheel", "intensity": "60 %VO2max", "start": "19:00", "duration": "10 h"}
    again = wheel | {"first_day": "28 d", "last_day": "30 d"}
    arms = {"first": {"sessions": again}} | {
        f"rested{rest}": {"sessions": [wheel | {"first_day": f"{14 - rest} d", "last_day": f"{28 - rest} d"}, again]}
        for rest in (7, 14)
    }
    for metric in ("bdnf_mrna_I", "bdnf_protein"):
        reached = courses("mouse", "in_vivo", arms, 729, [705.0, 729.0], metric)  # 09:00 after the nights
        for night in range(2):
            assert reached["rested7"][night] > 1.02 * reached["first"][night]
            assert reached["rested7"][night] > reached["rested14"][night] > reached["first"][night]


def test_mice_of_one_effort_run_as_far_as_mice_do_and_further_from_week_to_week():
    # Means over weeks: 4 km/d (Droste 2003) to 6.8 km/d (Allen 2001); further after four weeks (Adlard 2004, rats).
    wheel = {"kind": "wheel", "intensity": "53 %VO2max", "start": "19:00", "duration": "10 h"}
    plan = experiment_of("mouse", "in_vivo", {"wheel": {"sessions": wheel}}, 28 * 24, 60, "0.2 mm")
    timeline = compile_schedule(plan.schedules["wheel"], plan.subject, 28 * 24.0, "wheel")
    blood, p = blood_of(plan, timeline), capacity("mouse", "untrained", "healthy").parameters
    uptake = np.interp(19.0 + 24.0 * np.arange(28), blood.edges[1:], blood.vo2max)  # at the start of each night
    minutes = 600.0 * p.wheel_running_fraction
    distances = (0.53 * uptake - p.vo2_standing) / p.running_cost * minutes / 1000.0
    assert distances[0] == pytest.approx(3.5, abs=0.1)
    assert distances[-1] == pytest.approx(6.3, abs=0.1)
    assert (np.diff(distances) > 0.0).all()
    assert 4.0 < distances.mean() < 6.8


def test_half_of_a_memory_lies_midway_between_seven_and_fourteen_days_of_running():
    # Butler 2019: no memory of a weak training after 7 days in the wheel, a memory after 14. What the training leaves
    # is no read-out, so the number that rests on it is measured here, on the protocol of butler2019_wheel.
    wheel = {"kind": "wheel", "intensity": "53 %VO2max", "start": "19:00", "duration": "10 h"}
    plan = experiment_of("mouse", "in_vivo", {"wheel": {"sessions": wheel}}, 360, 300, "0.4 mm")
    left = {177.0: [], 345.0: []}  # 09:00 of days 7 and 14
    for replicate in range(10):
        model = HippocampusModel(plan, "wheel", replicate)
        model.rest()
        for hour, found in left.items():
            while model.hour < hour:
                model.advance()
            found.append(retention(model).mean())
    week, fortnight = (np.mean(found) for found in left.values())
    half = observation_parameters(model).half_retention
    assert week < half < fortnight
    assert np.sqrt(week * fortnight) == pytest.approx(half, rel=0.06)  # the standard error is 3 %


def test_animals_at_rest_have_more_transcripts_when_they_are_awake() -> None:
    """Rats 1.34 to 1.58 times as many in the dark (pmid10407182, fitted); a day-active rodent by day (pmc4157103).

    Corticosterone, which rises towards the dark in rodents and by day in people, takes some of it back.
    """
    for species in ("mouse", "human"):
        plan = experiment_of(species, "in_vivo", {"sedentary": {}}, 10 * 24, 300, "0.4 mm")
        neuron = ExposedNeuron()
        key = neuron.expose(plan, "sedentary")
        course, arm, _ = neuron.courses()[key]
        day = slice(-round(24.0 / plan.run.step), None)
        awake = arm.awake[day] > arm.awake[day].mean()
        for read in (course.transcripts, course.transcripts_II, course.transcripts_IV):
            assert read[day][awake].mean() / read[day][~awake].mean() > 1.05


def test_fasting_and_ketone_ester_alone_leave_bdnf_near_unchanged():
    # Gibbons 2023: 20 h of fasting; PMID 39804761: ketone monoester; both without effect on BDNF. In a day the store
    # moves little; the scoreboard has the ester after two weeks.
    arms = {
        "fast": {"meals": {"fast": {"start": "0 h", "duration": "20 h"}}},
        "ester": {"doses": [{"what": "ketone_ester", "route": "oral", "amount": "500 mg/kg", "at": "10 h"}]},
    }
    found = courses("human", "in_vivo", arms, 24, [20.0, 24.0], "bdnf_protein")
    for ratios in found.values():
        assert all(UNCHANGED[0] < ratio < UNCHANGED[1] for ratio in ratios)


def test_a_glucocorticoid_agonist_lowers_transcripts_by_about_thirty_percent():
    # Chen 2017, cultured neurons: total Bdnf mRNA -30 %.
    dose = {"what": "dexamethasone", "route": "bath", "amount": "1000 nmol/L", "at": "0 h"}
    arms, times = {"dexamethasone": {"doses": [dose]}}, [24.0, 36.0, 48.0]
    found = courses("mouse", "culture", arms, 48, times, "bdnf_mrna", neurons=600)
    assert np.mean(found["dexamethasone"]) == pytest.approx(0.70, abs=0.08)


def test_a_full_block_of_hdacs_raises_acetylation_two_to_ten_fold():
    # Zheng 2013: 2-10 fold at sites of fast turnover; Sleiman 2016 read transcripts after 5 h.
    arms = {"block": {"blocks": [{"target": "class_I_HDAC", "fraction": 1.0, "start": "0 h", "duration": "24 h"}]}}
    found = courses("mouse", "culture", arms, 24, [5.0, 24.0], "acetylation")
    assert 2.0 < found["block"][0] < found["block"][1] < 10.0
