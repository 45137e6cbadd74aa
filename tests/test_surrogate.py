"""The surrogate of the fits against the whole model, and what it must keep to."""

import numpy as np
import pytest

from abm.config import build_experiment
from abm.config.evidence import Evidence, evidence_library, load_evidence
from abm.forcing import blood_of, resting_blood
from abm.model import HippocampusModel, burn_in
from abm.schedule import compile_schedule
from abm.study.surrogate import READ_OUTS, ExposedNeuron, Surrogate

WHEEL = {"kind": "wheel", "distance": "5 km/d", "start": "02:00", "duration": "10 h"}
METRICS = ("bdnf_mrna", "bdnf_protein", "hdac3", "trkb_activation", "tissue_lactate")


def evidence(**protocol):
    content = {
        "id": "rows", "source": "berchtold2010", "role": "calibration",
        "protocol": {
            "subject": {"species": "mouse"},
            "tissue": {"neurons": 600, "size": ["0.4 mm", "0.4 mm"]},
            "schedules": {"sedentary": {}, "wheel": {"sessions": WHEEL}},
            "run": {"duration": "3 d", "burn_in": "1 d", "replicates": 1, "seed": 2, "step": "30 min"},
        } | protocol,
        "observations": [
            {"contrast": "wheel / sedentary", "metric": metric, "at": "2 d 12 h", "ratio": 1.5, "interval": [1, 2]}
            for metric in METRICS
        ],
    }  # fmt: skip
    return Evidence.model_validate(content)


@pytest.fixture(scope="module")
def rows():
    return evidence()


@pytest.fixture(scope="module")
def surrogate(rows):
    return Surrogate([rows])


def test_only_what_the_expected_neuron_has_is_predicted(surrogate):
    assert [seen.metric for _, seen in surrogate.observations] == [m for m in METRICS if m != "tissue_lactate"]


def test_running_raises_bdnf_and_without_any_gain_nothing_moves(surrogate):
    usual = dict(zip([seen.metric for _, seen in surrogate.observations], surrogate.predict(), strict=True))
    assert usual["bdnf_protein"] > 1.1
    assert usual["hdac3"] < 1.0
    gains = ("activity_gain", "bhb_gain", "lactate_gain", "irisin_gain", "fndc5_gain", "bhb_excitability")
    off = [*(f"expression.{gain}" for gain in gains), "expression.glucocorticoid_repression", "network.movement_gain"]
    still = dict.fromkeys(off, 0.0)
    assert surrogate.predict(still) == pytest.approx(1.0, abs=2e-3)


def test_its_resting_day_is_that_of_the_plain_medium_whatever_the_reference_meets():
    bath = {"what": "bhb", "route": "bath", "amount": "5 mmol/L", "at": "0 h"}
    run = {"duration": "1 d", "burn_in": "0 h", "replicates": 1, "seed": 2, "step": "30 min"}
    own = {"subject": {"species": "mouse"}, "preparation": "culture", "schedules": {"bhb": {"doses": bath}}, "run": run}
    exposed = ExposedNeuron()
    exposed.expose(build_experiment(own), "bhb")
    (site,) = exposed.sites.values()
    assert site.day[:, 0].max() < 1.0


def test_transcripts_after_a_bout_hang_little_on_the_step():
    """Half an hour on the treadmill (soya2007), read when it ends and later, in steps of a minute and longer ones."""
    plan = load_evidence(evidence_library()[0].with_name("soya2007_treadmill.yaml")).protocol
    found = {}
    for minutes in (1.0, 6.0, 15.0):
        exposed = ExposedNeuron()
        run = plan.run.model_copy(update={"step": minutes / 60.0})
        keys = {name: exposed.expose(plan.model_copy(update={"run": run}), name) for name in plan.schedules}
        courses, read = exposed.courses(), READ_OUTS["bdnf_mrna"]
        found[minutes] = np.array([
            [read(*courses[keys[name]], hour) / read(*courses[keys["sedentary"]], hour) for hour in (9.5, 12.0)]
            for name in ("mild", "moderate")
        ])  # fmt: skip
    assert (found[1.0] > 1.02).all()
    assert found[6.0][:, 0] == pytest.approx(found[1.0][:, 0], rel=0.004)
    assert found[15.0][:, 0] == pytest.approx(found[1.0][:, 0], rel=0.02)
    assert found[15.0][:, 1] == pytest.approx(found[1.0][:, 1], rel=0.02)


def test_a_subject_keeps_parameters_of_its_own(rows):
    """What a file overrides of its neurons holds in a fit too, unless the fit moves the very same parameter."""
    own = {"expression.bhb_gain": 0, "expression.lactate_gain": 0, "expression.activity_gain": 0.1}
    changed = evidence(subject={"species": "mouse", "overrides": own}).model_copy(update={"id": "own"})
    plain, other = np.split(Surrogate([rows, changed]).predict(), 2)
    assert (np.abs(other[:2] - 1.0) < 0.7 * np.abs(plain[:2] - 1.0)).all()
    together = Surrogate([changed])
    assert np.array_equal(together.predict(), other)
    assert np.array_equal(Surrogate([rows]).predict(own), together.predict(own))


def test_a_fast_that_began_before_time_zero_is_lived_as_one_that_begins_later():
    """The hours of both are counted from time zero, and by the first session signals and neuron are the same."""
    session = {"kind": "running", "intensity": "60 %VO2max", "duration": "30 min", "start": "07:30"}
    schedules = {
        day: {"sessions": session | {"days": [day]}, "meals": {"fast": {"before_sessions": "40 h"}}}
        for day in ("mon", "wed")
    }
    run = {"duration": "3 d", "burn_in": "0 h", "replicates": 1, "seed": 2, "step": "30 min"}
    plan = build_experiment({"schedules": {"sedentary": {}, **schedules}, "reference": "sedentary", "run": run})
    exposed = ExposedNeuron()
    keys = [exposed.expose(plan, day) for day in schedules]
    first, later = (exposed.arms[key] for key in keys)
    assert (first.before, later.before) == (96, 0)
    until = 96 + 15  # steps to 07:30, on Monday of a run that begins on Saturday and on Wednesday of one on Monday
    np.testing.assert_allclose(first.means[until], later.means[until], rtol=0.01)
    courses = exposed.courses()
    for metric in ("bdnf_mrna", "hdac2"):
        seen = [READ_OUTS[metric](*courses[key], hour) for key, hour in zip(keys, (7.5, 55.5), strict=True)]
        assert seen[0] == pytest.approx(seen[1], rel=0.01), metric


def test_receptors_that_are_lost_hold_no_hormone():
    lost = {"target": "GR", "fraction": 0.8, "start": "0 h", "duration": "1 d"}
    run = {"duration": "1 d", "burn_in": "0 h", "replicates": 1, "seed": 2, "step": "30 min"}
    schedules = {"sedentary": {}, "lost": {"knock_down": lost}}
    exposed = ExposedNeuron()
    plan = build_experiment({"schedules": schedules, "reference": "sedentary", "run": run})
    keys = [exposed.expose(plan, name) for name in schedules]
    courses = exposed.courses()
    whole, left = (READ_OUTS["gr_occupancy"](*courses[key], 12.0) for key in keys)
    assert left == pytest.approx(0.2 * whole)


def test_arms_that_files_share_are_computed_once(rows):
    twice = Surrogate([rows, rows.model_copy(update={"id": "again"})])
    assert len(twice.arms) == 2
    assert np.array_equal(*np.split(twice.predict(), 2))


def test_arms_in_other_tissue_are_other_arms(rows):
    """Lactate leaves a tissue that is open at its sides, and a file read after another must not get its signals."""
    open_tissue = {"neurons": 600, "size": ["0.4 mm", "0.4 mm"], "boundaries": {"top": "washout"}}
    other = evidence(tissue=open_tissue).model_copy(update={"id": "open"})
    both = np.split(Surrogate([rows, other]).predict(), 2)
    assert np.array_equal(both[1], Surrogate([other]).predict())
    assert not np.array_equal(*both)


def test_what_is_followed_relative_to_rest_is_not_compared_with_an_amount(rows):
    alone = {"schedule": "wheel", "metric": "brain_bdnf_release", "at": "2 d", "value": "0.6 ng/g/min",
             "interval": ["0.4 ng/g/min", "0.8 ng/g/min"]}  # fmt: skip
    content = rows.model_dump(mode="json", exclude_none=True) | {"observations": [alone]}
    assert Surrogate([Evidence.model_validate(content)]).observations == []


@pytest.mark.slow
def test_the_whole_model_follows_the_surrogate(rows, surrogate):
    experiment = rows.protocol
    rest = resting_blood(experiment)
    rested, found = burn_in(experiment, 0, rest), {}
    for name, schedule in experiment.schedules.items():
        timeline = compile_schedule(schedule, experiment.subject, experiment.run.duration, name)
        model = HippocampusModel(
            experiment, name, plasma=blood_of(experiment, timeline), timeline=timeline, resting=rest, rested=rested
        )
        while model.hour < 60.0:
            model.step()
        found[name] = {metric: model.observe(metric)["all"] for metric in METRICS}
    for (_, seen), predicted in zip(surrogate.observations, surrogate.predict(), strict=True):
        ratio = found["wheel"][seen.metric] / found["sedentary"][seen.metric]
        assert ratio == pytest.approx(predicted, rel=0.06), seen.metric
