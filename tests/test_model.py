"""The whole chain as a Mesa model: laws of locality, repetition, shared luck, mass; Mesa's own idioms."""

import copy
import gc
import hashlib
import weakref

import numpy as np
import pytest
import yaml

from abm import clock
from abm.body import body_parameters
from abm.body.cortisol import daily_level
from abm.config import Experiment, build_experiment, load_experiment
from abm.elementary import LN2
from abm.errors import ConfigError
from abm.forcing import blood_at, blood_of, resting_blood
from abm.model import DIMERS_PER_NANOMOLAR, HippocampusModel, burn_in, start
from abm.schedule import compile_schedule, resting_timeline
from abm.synapses import cortisol_gain, trkb_gain

SMALL = {
    "name": "small",
    "subject": {"species": "human"},
    "tissue": {"neurons": 90, "size": ["0.4 mm", "0.4 mm"]},
    "schedules": {
        "sedentary": {},
        "hard": {
            "sessions": {"kind": "running", "intensity": "85 %VO2max", "duration": "60 min", "start": "02:00"},
            "meals": {"fast": {"start": "0 h", "duration": "24 h"}},
            "doses": [{"what": "ketone_ester", "route": "oral", "amount": "500 mg/kg", "at": "1 h"}],
        },
    },
    "reference": "sedentary",
    "observe": [{"metric": "synaptic_strength", "at": ["1 d"]}],
    "run": {"duration": "1 d", "burn_in": "1 d", "replicates": 2, "seed": 3, "step": "0.2 h"},
}
EVERYTHING = ("bhb", "lactate", "irisin", "cortisol", "bdnf", "input_activity")


@pytest.fixture(scope="module")
def experiment(tmp_path_factory):
    path = tmp_path_factory.mktemp("config") / "small.yaml"
    path.write_text(yaml.safe_dump(SMALL))
    return load_experiment(path)


@pytest.fixture(scope="module")
def rest(experiment):
    return resting_blood(experiment)


@pytest.fixture(scope="module")
def rested(experiment, rest):
    return burn_in(experiment, 0, rest)


def at_zero(experiment, schedule, rested, rest, clamped=()):
    timeline = compile_schedule(experiment.schedules[schedule], experiment.subject, experiment.run.duration, schedule)
    plasma = blood_of(experiment, timeline)
    return HippocampusModel(
        experiment, schedule, 0, plasma=plasma, timeline=timeline, resting=rest, rested=rested, clamped=clamped
    )


def run(model, steps):
    for _ in range(steps):
        model.step()
    return model


def digest(model):
    state = model.checkpoint()
    del state["blood"]  # what the tissue has met, not what it has become
    return hashlib.sha256(b"".join(state[name].tobytes() for name in sorted(state))).hexdigest()


def test_all_that_stores_release_reaches_the_tissue(experiment, rested, rest):
    """Law 5 across the hand-over: release found from the state before each step, beside the tissue's own account."""
    model = at_zero(experiment, "hard", rested, rest)
    p, n, dt = model.expression, model.neurons, model.clock.step
    waiting, released = n.unsecreted.copy(), np.zeros(n.region.size)
    for _ in range(60):
        store, matured = n.bdnf_protein.copy(), LN2 / p.proform_half_life * n.bdnf_pro
        model.advance()
        outside = LN2 / p.store_half_life * p.released_share * release_gains(p, n)
        loss = outside + LN2 / p.store_half_life * (1.0 - p.released_share)
        course = matured / loss * dt + (store - matured / loss) * (1.0 - np.exp(-loss * dt)) / loss
        released += outside * course
        assert abs(n.unsecreted.sum()) < n.release_rate.sum() * dt  # never ahead or behind by as much as a step
    arrived = model.tissue.ledger.table()["bdnf"]["secreted"]
    left = (waiting + released - n.unsecreted).sum()
    assert arrived * DIMERS_PER_NANOMOLAR / model.cells_per_neuron == pytest.approx(left, rel=1e-9)


def release_gains(p, n):
    """`release_gain` of every neuron, as its equation stands, in steps that are moved through evenly."""
    return (n.activity / n.excitation) ** p.release_exponent * n.excitation**p.steady_release_exponent


def test_clamped_at_rest_a_schedule_changes_nothing(experiment, rested, rest):
    # Law 1: what a schedule does reaches neurons only as signals and input activity.
    sedentary = run(at_zero(experiment, "sedentary", rested, rest, EVERYTHING), 60)
    hard = run(at_zero(experiment, "hard", rested, rest, EVERYTHING), 60)
    assert digest(sedentary) == digest(hard)
    free = run(at_zero(experiment, "hard", rested, rest), 60)
    assert digest(free) != digest(hard)


def without_body(preparation, *overrides):
    bath = {"what": "bhb", "route": "bath", "amount": "5 mmol/L", "at": "0 h"}
    plan = {
        "name": "bath",
        "subject": {"species": "mouse"},
        "preparation": preparation,
        "tissue": {"neurons": 30, "size": ["0.2 mm", "0.2 mm"]},
        "schedules": {"vehicle": {}, "bhb": {"doses": bath}},
        "run": {"duration": "1 d", "burn_in": "0 h", "replicates": 1, "seed": 3, "step": "0.25 h"},
    }
    return build_experiment(plan, overrides)


@pytest.mark.parametrize("preparation", ["slice", "culture"])
def test_without_blood_neurons_begin_at_their_set_points(preparation):
    """Extracellular BDNF, which takes hours to gather, is what its mean over the resting day says, however slow."""
    for binding in (10, 100):
        experiment = without_body(preparation, f"subject.overrides={{tissue.bdnf_binding: {binding}}}")
        model = HippocampusModel(experiment, "vehicle")
        around = model.tissue.concentration.reshape(5, -1)[4, model.neurons.voxel]
        assert around == pytest.approx(model.neurons.rest_bdnf, rel=2e-3)
        model.advance()
        assert model.neurons.trkb == pytest.approx(1.0, abs=5e-3)


def test_what_a_short_bout_releases_is_in_the_blood_at_its_end_whatever_the_step():
    """Six sprints in six minutes, read when they end; a step that released what the last one did would show nothing."""
    sprints = {"kind": "cycling", "start": "02:00"}
    sprints["intervals"] = {"repeats": 6, "work": "40 s at 100 %VO2max", "rest": "24 s"}
    found = {}
    for step in ("6 min", "1 min"):
        run = {"duration": "3 h", "burn_in": "0 h", "replicates": 1, "seed": 2, "step": step}
        tissue = {"neurons": 100, "size": ["200 um", "200 um"]}
        schedules = {"rest": {}, "sprints": {"sessions": sprints}}
        plan = {"name": "bout", "tissue": tissue, "schedules": schedules, "reference": "rest", "run": run}
        experiment = build_experiment(plan)
        models = [HippocampusModel(experiment, name) for name in ("sprints", "rest")]
        for model in models:
            while model.hour < 2.1 - 1e-9:
                model.advance()
        found[step] = np.divide(*(
            [model.observe(name)["all"] for name in ("tissue_bdnf", "trkb_activation", "brain_bdnf_release")]
            for model in models
        ))  # fmt: skip
    assert (found["1 min"] > 1.1).all()
    assert found["6 min"] == pytest.approx(found["1 min"], rel=0.01)


def test_intervals_release_as_much_in_long_steps_as_in_short_ones():
    """Release takes a power of movement, so that the mean of a step would let intervals release too little."""
    plan = {
        "name": "intervals",
        "subject": {"species": "human"},
        "tissue": {"neurons": 60, "size": ["0.2 mm", "0.2 mm"]},
        "schedules": {
            "sedentary": {},
            "hiit": {
                "sessions": {
                    "kind": "running",
                    "intervals": {"repeats": 10, "work": "60 s at 95 %VO2max", "rest": "60 s at 30 %VO2max"},
                    "start": "07:30",
                }
            },
        },
        "run": {"duration": "9 h", "burn_in": "0 h", "replicates": 1, "seed": 3, "step": "1 min"},
    }
    released = {}
    for step in ("1 min", "15 min"):
        experiment = build_experiment(plan, [f"run.step={step}"])
        for name in plan["schedules"]:
            model = HippocampusModel(experiment, name)
            for _ in range(model.steps_total):
                model.advance()
            released[step, name] = model.tissue.ledger.table()["bdnf"]["secreted"]
    more = [released[step, "hiit"] / released[step, "sedentary"] - 1.0 for step in ("1 min", "15 min")]
    assert more[0] > 0.02
    assert more[1] == pytest.approx(more[0], rel=0.02)


def test_bdnf_of_a_bath_comes_on_top_of_what_neurons_release():
    """However much a piece has itself, which hangs on its size, and from the first step on."""
    low = {"what": "bdnf", "route": "bath", "amount": "0.003 nmol/L", "at": "0 h"}
    for side in ("0.2 mm", "0.8 mm"):
        size = f'tissue.size=["{side}", "{side}"]'
        experiment = without_body("slice", f"schedules.bhb.doses={low}", size)
        bathed, alone = (HippocampusModel(experiment, name) for name in ("bhb", "vehicle"))
        for steps in (1, 7):
            for model in (bathed, alone):
                run(model, steps)
            both = [model.tissue.concentration.reshape(5, -1)[4, model.neurons.voxel] for model in (bathed, alone)]
            if steps == 1:
                assert both[0] - both[1] == pytest.approx(np.full(30, 0.003), rel=1e-9)
            assert (both[0] > both[1]).all()
            assert bathed.neurons.trkb.mean() > alone.neurons.trkb.mean()


def test_brain_release_of_a_day_at_rest_is_that_at_rest(experiment, rest):
    days = experiment.model_copy(update={"run": experiment.run.model_copy(update={"duration": 10 * 24.0})})
    model = HippocampusModel(days, "sedentary", 0, resting=rest)
    seen, day = [], round(24.0 / model.clock.step)
    for _ in range(10 * day):
        model.advance()
        seen.append(model.tissue.outflow(4) / model.rest_outflow)
    # It starts at midnight, asleep, with the stores of a mean day; what that takes is back within a week.
    assert np.mean(seen[-4 * day :]) == pytest.approx(1.0, abs=0.02)


def test_receptors_read_in_a_slice_hold_what_is_in_its_bath():
    dose = "{what: dexamethasone, route: bath, amount: 100 nmol/L, at: 30 min, duration: 30 min}"
    experiment = without_body("slice", f"schedules.bhb.doses={dose}")
    model, seen = HippocampusModel(experiment, "bhb"), []
    while model.hour < 1.5:
        model.advance()
        seen.append(model.observe("gr_occupancy")["all"])
    per_half = round(0.5 / model.clock.step)
    assert seen[per_half - 1] == seen[-1] == 0.0
    assert seen[2 * per_half - 1] > 0.8


def test_set_points_are_those_of_the_plain_bath_whatever_comes_at_time_zero():
    vehicle, bhb = (HippocampusModel(without_body("culture"), name) for name in ("vehicle", "bhb"))
    for name in ("rest_bhb", "rest_eraser", "rest_lactate", "rest_bdnf"):
        assert np.array_equal(getattr(vehicle.neurons, name), getattr(bhb.neurons, name))
    for model in (vehicle, bhb):
        model.advance()
    assert (bhb.neurons.eraser < 0.8 * vehicle.neurons.eraser).all()


def test_a_burn_in_of_a_day_and_a_half_begins_at_noon(experiment, rest):
    half = experiment.model_copy(update={"run": experiment.run.model_copy(update={"burn_in": 36.0})})
    model = HippocampusModel(half, "sedentary", 0, resting=rest)
    model.advance()
    assert model.blood == blood_at(rest, 60)


def test_hours_of_burn_in_meet_the_mean_blood_of_their_steps(experiment, rest):
    run = experiment.run.model_copy(update={"burn_in": 120.0})
    model, met = HippocampusModel(experiment.model_copy(update={"run": run}), "sedentary", 0, resting=rest), []
    model.rest(lambda taken: met.append((taken, dict(model.blood))))
    assert [taken for taken, _ in met[:25]] == [*range(5, 121, 5), 121]
    for name in ("bhb", "cortisol"):
        hourly = getattr(rest, name).reshape(24, 5).mean(axis=1)
        assert [blood[name] for _, blood in met[:24]] == pytest.approx(hourly)
    assert met[24][1] == blood_at(rest, 0)


@pytest.mark.slow
def test_a_burn_in_by_the_hour_ends_where_one_in_short_steps_does(experiment, rest, monkeypatch):
    """Stores, enzymes and chromatin; the spread of the store, which noise of hours past would raise; the synapses."""
    run = experiment.run.model_copy(update={"burn_in": 720.0, "step": 0.25})
    tissue = experiment.tissue.model_copy(update={"neurons": 1500})
    changed = experiment.model_copy(update={"run": run, "tissue": tissue})
    day, found = resting_blood(changed), []
    for own in (clock.OWN_STEPS, 720.0):
        monkeypatch.setattr(clock, "OWN_STEPS", own)
        found.append([burn_in(changed, replicate, day) for replicate in range(3)])

    def ratio(read):
        hourly, short = ([read(state) for state in states] for states in found)
        return np.mean(hourly) / np.mean(short)

    for name in ("creb", "hdac2", "eraser", "trkb", "spine", "scale", "threshold", "mean_strength"):
        assert ratio(lambda state, name=name: state[f"neuron.{name}"].mean()) == pytest.approx(1.0, abs=0.005), name
    assert ratio(lambda state: state["neuron.bdnf_protein"].mean()) == pytest.approx(1.0, abs=0.01)
    assert ratio(lambda state: state["neuron.bdnf_protein"].std()) == pytest.approx(1.0, abs=0.06)
    assert ratio(lambda state: (state["neuron.nucleosomes"] == -1).mean()) == pytest.approx(1.0, abs=0.02)
    assert ratio(lambda state: np.abs(state["late"]).mean()) == pytest.approx(1.0, abs=0.1)


def test_what_sums_up_synapses_is_as_they_are_when_it_is_read(experiment, rested, rest):
    model = at_zero(experiment, "hard", rested, rest)
    for _ in range(30):
        model.advance()
    n, s, w = model.neurons, model.synapses, model.wiring
    owner = np.repeat(np.arange(90), np.diff(w.start))
    unchanged = (n.spine * n.scale)[owner] * model.release_probability[w.sender]
    counts, weight = np.bincount(owner), unchanged * (1.0 + s.early + s.late)
    assert n.mean_strength == pytest.approx(np.bincount(owner, weight) / counts, rel=1e-5)
    assert n.potentiated == pytest.approx(np.bincount(owner, s.early + s.late > 0.2) / counts, abs=1e-6)
    s.late[owner == 7] = 0.6  # read already in this step: agents and table stay as the step has left them
    assert model.neurons.consolidated[7] < 1.0
    model.step()
    assert model.agents.select(lambda neuron: neuron.unique_id == 8).get("consolidated")[0] > 0.9


def test_at_time_zero_a_schedule_has_not_begun(experiment, rested, rest):
    model = at_zero(experiment, "hard", rested, rest)
    assert model.blood == blood_at(rest, len(rest.edges) - 2)
    run(model, 1)
    assert model.blood == blood_at(model.plasma, 0)


@pytest.mark.parametrize("signal", EVERYTHING[:-2])
def test_each_signal_alone_can_be_held(experiment, rested, rest, signal):
    model = run(at_zero(experiment, "hard", rested, rest, (signal,)), 20)
    reference = run(at_zero(experiment, "sedentary", rested, rest, EVERYTHING), 20)
    assert model.blood[signal] == reference.blood[signal]


def test_schedules_start_from_the_same_tissue_and_meet_the_same_luck(experiment, rested, rest):
    sedentary, hard = (at_zero(experiment, name, rested, rest) for name in ("sedentary", "hard"))
    assert digest(sedentary) == digest(hard)
    run(sedentary, 9), run(hard, 9)
    same = (sedentary.neurons.promoter_on == hard.neurons.promoter_on).mean()
    # One allele in thirteen bursts at any time, so unrelated luck would leave 0.86.
    assert same > 0.94


def test_a_run_in_two_parts_gives_the_same_bits(experiment, rested, rest):
    whole = run(at_zero(experiment, "hard", rested, rest), 30)
    first = run(at_zero(experiment, "hard", rested, rest), 13)
    second = at_zero(experiment, "hard", first.checkpoint(), rest)
    assert second.hour == first.hour
    assert digest(run(second, 17)) == digest(whole)


def test_observing_changes_nothing(experiment, rested, rest):
    watched, left = (at_zero(experiment, "hard", rested, rest) for _ in range(2))
    for _ in range(10):
        watched.step()
        for metric in ("synaptic_strength", "spatial_clustering", "bdnf_mrna_I", "tissue_bhb"):
            watched.observe(metric)
    assert digest(watched) == digest(run(left, 10))


def test_a_step_without_collecting_is_the_same_step(experiment, rested, rest):
    collecting, bare = (at_zero(experiment, "hard", rested, rest) for _ in range(2))
    run(collecting, 10)
    for _ in range(10):
        bare.advance()
    assert digest(bare) == digest(collecting)
    assert bare.hour == collecting.hour
    assert len(collecting.datacollector.get_model_vars_dataframe()) == 2
    assert bare.datacollector.get_model_vars_dataframe().empty


def test_replicates_and_seeds_differ(experiment, rest):
    drawn = [
        digest(HippocampusModel(experiment, "sedentary", replicate, resting=rest, plasma=rest, rng=seed))
        for replicate, seed in ((0, 3), (1, 3), (0, 4), (0, 3))
    ]
    assert len(set(drawn)) == 3
    assert drawn[0] == drawn[3]


def test_mass_closes_for_every_signal(experiment, rested, rest):
    model = run(at_zero(experiment, "hard", rested, rest), 60)
    assert np.all(model.tissue.ledger.worst_residual < 1e-9)
    assert np.all(model.tissue.ledger.residual() < 1e-9)


def test_mesa_sees_real_agents(experiment, rested, rest):
    model = run(at_zero(experiment, "hard", rested, rest), 10)
    assert len(model.agents) == 90
    strengths = model.agents.get("mean_strength")
    assert np.mean(strengths) == pytest.approx(model.observe("synaptic_strength")["all"])
    granule = model.agents.select(lambda neuron: neuron.region == 0)
    assert 0 < len(granule) < 90
    assert granule.agg("bdnf_protein", np.mean) == pytest.approx(model.observe("bdnf_protein")["DG"])
    assert {len(group) for _, group in model.agents.groupby("region")} == set(np.bincount(model.neurons.region))
    collected = model.datacollector.get_model_vars_dataframe()
    assert len(collected) == 2
    assert collected["synaptic_strength"].iloc[-1] == pytest.approx(np.mean(strengths))


def test_a_copy_runs_on_alone(experiment, rested, rest):
    model = run(at_zero(experiment, "hard", rested, rest), 5)
    before, other = digest(model), copy.deepcopy(model)
    run(other, 5)
    assert digest(model) == before
    assert digest(run(model, 5)) == digest(other)


def test_plain_keywords_are_enough():
    model = HippocampusModel(schedule="hiit", neurons=60, rng=4)
    model.step()
    assert model.hour == pytest.approx(-720.0 + model.clock.step)
    assert model.schedule == "hiit"


def test_an_unknown_schedule_is_named(experiment):
    with pytest.raises(ConfigError, match=r"no such schedule.*did you mean"):
        HippocampusModel(experiment, "hrad")


def test_an_unknown_signal_cannot_be_clamped(experiment, rested, rest):
    with pytest.raises(ValueError, match="cannot clamp 'glucose'"):
        at_zero(experiment, "sedentary", rested, rest, ("glucose",))


def test_a_culture_has_no_blood_and_meets_its_bath(tmp_path):
    plan = copy.deepcopy(SMALL) | {"preparation": "culture"}
    bath = {"what": "bhb", "route": "bath", "amount": "5 mmol/L", "at": "1 h", "duration": "16 h"}
    plan["schedules"] = {"sedentary": {}, "bhb": {"doses": [bath]}}
    path = tmp_path / "culture.yaml"
    path.write_text(yaml.safe_dump(plan))
    experiment = load_experiment(path)
    rest = resting_blood(experiment)
    rested = burn_in(experiment, 0, rest)
    medium, treated = (
        run(HippocampusModel(experiment, name, resting=rest, rested=rested), 60) for name in ("sedentary", "bhb")
    )
    assert medium.observe("tissue_bhb")["all"] == 0.0
    assert treated.observe("tissue_bhb")["all"] == pytest.approx(5.0)
    assert treated.observe("hdac_activity")["all"] < 0.6
    assert treated.observe("acetylation")["all"] > 1.2 * medium.observe("acetylation")["all"]
    assert treated.observe("bdnf_mrna_I")["all"] > medium.observe("bdnf_mrna_I")["all"]


@pytest.mark.parametrize(("preparation", "goes_on"), [("slice", False), ("culture", True)])
def test_a_slice_has_no_events_once_it_is_cut(preparation, goes_on):
    # Without entorhinal input nothing is learnt: early changes only decay. Before the cut the animal's own events ran.
    experiment = build_experiment(
        {
            "name": "cut",
            "subject": {"species": "mouse"},
            "preparation": preparation,
            "tissue": {"neurons": 120, "size": ["0.4 mm", "0.4 mm"]},
            "schedules": {"vehicle": {}},
            "run": {"duration": "12 h", "burn_in": "1 d", "seed": 3, "step": "0.5 h"},
        }
    )
    model = HippocampusModel(experiment, "vehicle")
    model.rest()
    assert model.datacollector.get_model_vars_dataframe().empty
    before = np.abs(model.synapses.early)
    assert before.max() > 0.0
    grown = 0
    for _ in range(24):
        model.step()
        after = np.abs(model.synapses.early)
        grown += int((after > before).sum())
        before = after
    assert (grown > 0) == goes_on


def test_a_slice_reads_its_steroid_against_the_day_of_the_animal(tmp_path):
    """Diamond 1992: potentiation is best near 21.5 nmol/L of free hormone; an empty bath is below the day."""
    gains = {}
    for dose in ("0.01 nmol/L", "7.2 nmol/L", "21.7 nmol/L", "57.8 nmol/L"):
        config = {
            "name": "bath",
            "subject": {"species": "mouse"},
            "preparation": "slice",
            "tissue": {"neurons": 30, "size": ["0.1 mm", "0.1 mm"]},
            "schedules": {"held": {"doses": {"what": "corticosterone", "route": "bath", "amount": dose, "at": "0 h"}}},
            "reference": "held",
            "run": {"duration": "1 h", "burn_in": "0 h", "replicates": 1, "step": "15 min"},
        }
        path = tmp_path / "bath.yaml"
        path.write_text(yaml.safe_dump(config))
        model = HippocampusModel(load_experiment(path), "held")
        model.step()
        gains[dose] = float(model.neurons.potentiation_gain.mean())
    without, low, middle, high = gains.values()
    assert without < 0.9 < low < middle > high  # 0.9: below the mean of the day


def test_a_slice_learns_as_at_home_until_it_is_cut():
    """Before time zero a slice is in its animal, whatever steroid the bath will lack."""
    experiment = build_experiment(
        {
            "subject": {"species": "mouse"},
            "preparation": "slice",
            "tissue": {"neurons": 30, "size": ["0.1 mm", "0.1 mm"]},
            "schedules": {"held": {}},
            "run": {"duration": "1 h", "burn_in": "2 h", "step": "15 min"},
        }
    )
    model = HippocampusModel(experiment, "held")
    model.rest()
    gain, trkb = model.neurons.potentiation_gain, model.neurons.trkb
    assert gain == pytest.approx([trkb_gain(model.plasticity, k) for k in trkb], rel=1e-12)
    model.step()
    assert float(model.neurons.potentiation_gain.mean()) < 0.9


def test_a_learning_test_is_one_in_the_morning_at_whatever_hour_it_is_read():
    """A sedentary mouse has no memory of a weak training by day or night, though its corticosterone rises eightfold."""
    plan = build_experiment(
        {
            "subject": {"species": "mouse"},
            "tissue": {"neurons": 60, "size": ["0.1 mm", "0.1 mm"]},
            "schedules": {"sedentary": {}},
            "reference": "sedentary",
            "run": {"duration": "1 d", "burn_in": "0 h", "step": "1 h"},
        }
    )
    model, found = HippocampusModel(plan), {}
    for hour in range(1, 25):
        model.advance()
        found[hour] = model.gain_at_trough(), model.observe("object_location_preference")["all"]
    assert found[9][0] == pytest.approx(1.0, abs=0.01)
    assert found[19][0] < 0.6
    assert found[24][0] == pytest.approx(found[1][0], rel=0.1)
    assert all(preference < 0.51 for _, preference in found.values())


def test_a_learning_test_of_a_trained_mouse_is_one_in_the_morning_too():
    """Training raises the hormone of the evening and not of the trough, so that a test there does not feel it."""
    run = {"duration": "1 d", "burn_in": "0 h", "step": "1 h"}
    model = HippocampusModel(
        build_experiment(
            {
                "subject": {"species": "mouse", "overrides": {"body_cortisol.adrenal_gain": 0.7}},
                "tissue": {"neurons": 60, "size": ["0.1 mm", "0.1 mm"]},
                "schedules": {"sedentary": {}}, "reference": "sedentary", "run": run,
            }
        )
    )  # fmt: skip
    model.advance()
    axis, free = body_parameters(model.experiment.subject).cortisol, model.barrier.parameters.free_steroid
    for fitness in (0.0, 0.7):
        model.blood["fitness"] = fitness
        middle = model.clock.hour_of_day - 0.5
        present, trough = (
            cortisol_gain(model.plasticity, free * level, free * level, 1.0)
            for level in (daily_level(axis, middle, fitness)[0], axis.cortisol_nadir)
        )
        assert present * model.gain_at_trough() == pytest.approx(trough)


def fast_before(day: str, first: int, burn_in_for: str) -> Experiment:
    """A session on one day, fed and after a fast of 40 h; the run ends with that day."""
    session = {"kind": "cycling", "intensity": "60 %VO2max", "duration": "30 min", "start": "07:30", "days": [day]}
    return build_experiment(
        {
            "tissue": {"neurons": 100, "size": ["0.1 mm", "0.1 mm"]},
            "schedules": {
                "fed": {"sessions": session},
                "fasted": {"sessions": session, "meals": {"fast": {"before_sessions": "40 h"}}},
            },
            "reference": "fed",
            "run": {"duration": f"{first + 1} d", "burn_in": burn_in_for, "step": "30 min"},
        }
    )


@pytest.mark.parametrize("burn_in_for", ["0 h", "6 h"])
def test_a_fast_that_began_before_time_zero_is_lived_as_one_that_begins_later(burn_in_for):
    """By the first session blood, barrier, tissue and neurons are where a session on the Wednesday finds them."""
    seen = []
    for day, first in (("mon", 0), ("wed", 2)):
        plan = fast_before(day, first, burn_in_for)
        model = HippocampusModel(plan, "fasted")
        model.rest()
        at_zero = model.observe("tissue_bhb")["all"]
        run(model, first * 48 + 15)
        seen.append((at_zero, model.barrier.state, model.observe("tissue_bhb")["all"], model.neurons.hdac2.mean()))
    (fasted, carriers, bhb, hdac2), (fed, later_carriers, later_bhb, later_hdac2) = seen
    assert fasted > 5.0 * fed
    assert carriers == pytest.approx(later_carriers, rel=1e-3)
    assert bhb == pytest.approx(later_bhb, rel=0.01)
    assert hdac2 == pytest.approx(later_hdac2, rel=1e-3)


def test_all_ways_to_time_zero_live_a_fast_that_began_before():
    """Stepping through burn-in, `rest`, and starting from a rested tissue lead to the same bits, once and again."""
    plan = fast_before("mon", 0, "6 h")
    resting = resting_blood(plan)
    rested = burn_in(plan, 0, resting)
    stepped, through = HippocampusModel(plan, "fasted"), HippocampusModel(plan, "fasted")
    through.rest()
    run(stepped, 12)
    started = HippocampusModel(plan, "fasted", resting=resting, rested=rested)
    fed = HippocampusModel(plan, "fed", resting=resting, rested=rested)
    again = HippocampusModel(plan, "fasted", resting=resting, rested=rested)
    run(again, 3)
    again.begin(rested)
    held = HippocampusModel(plan, "fasted", resting=resting, rested=started.checkpoint())  # the fast is behind it
    for model in (through, stepped, again, held):
        assert model.hour == 0.0
        assert np.array_equal(model.tissue.concentration, started.tissue.concentration)
        assert np.array_equal(model.neurons.bdnf_protein, started.neurons.bdnf_protein)
    assert not np.array_equal(fed.neurons.bdnf_protein, started.neurons.bdnf_protein)
    assert np.max(np.abs(started.tissue.ledger.residual())) < 1e-9


@pytest.mark.parametrize(("what", "amount"), [("lactate", "200 nmol"), ("bhb", "1 umol"), ("corticosterone", "1 nmol")])
def test_neurons_meet_a_dose_into_the_ventricle_whatever_the_step(what, amount):
    """The tissue is rid of it within minutes: of a step they meet the mean, of which nothing is left at the end."""
    dose = {"what": what, "route": "icv", "amount": amount, "at": "30 min"}
    met = {}
    for step in ("1 min", "15 min", "30 min"):
        plan = build_experiment(
            {
                "subject": {"species": "mouse"},
                "tissue": {"neurons": 40, "size": ["0.1 mm", "0.1 mm"]},
                "schedules": {"vehicle": {}, "icv": {"doses": [dose]}},
                "reference": "vehicle",
                "run": {"duration": "90 min", "burn_in": "0 h", "replicates": 1, "step": step},
            }
        )
        areas = []
        for name in ("icv", "vehicle"):
            model, area = HippocampusModel(plan, name), 0.0
            for _ in range(model.steps_total):
                model.advance()
                signals = model._signals()
                own = {"lactate": signals.lactate, "bhb": signals.bhb, "corticosterone": signals.cortisol}[what]
                area += float(own.mean()) * model.clock.step
            areas.append(area)
        met[step] = areas[0] - areas[1]
    assert met["1 min"] > 0.0
    assert met["15 min"] == pytest.approx(met["1 min"], rel=0.05)
    assert met["30 min"] == pytest.approx(met["1 min"], rel=0.05)


@pytest.mark.slow
def test_synapses_are_stationary_at_rest_for_ninety_days(tmp_path):
    plan = copy.deepcopy(SMALL)
    plan["tissue"] = {"neurons": 600, "size": ["0.8 mm", "0.8 mm"]}
    plan["run"] |= {"duration": "90 d", "burn_in": "30 d", "step": "0.5 h"}
    path = tmp_path / "rest.yaml"
    path.write_text(yaml.safe_dump(plan))
    experiment = load_experiment(path)
    rest = resting_blood(experiment)
    rested = burn_in(experiment, 0, rest)
    timeline = resting_timeline(experiment.subject, experiment.run.duration)
    plasma = blood_of(experiment, timeline)
    model = start(experiment, "sedentary", timeline, 0, plasma, rested)
    days, strengths = np.arange(90), []
    for _ in days:
        run(model, 48)
        strengths.append(model.observe("synaptic_strength")["all"])
    drift_per_month = 30.0 * np.polyfit(days, strengths, 1)[0] / np.mean(strengths)
    assert abs(drift_per_month) < 0.01
    assert np.ptp(strengths) / np.mean(strengths) < 0.06


def test_a_burn_in_that_is_given_up_leaves_no_model_behind(experiment, rest):
    models = []

    def give_up(taken):
        models.extend(
            weakref.ref(found) for found in gc.get_objects() if type(found) is HippocampusModel and found.hour < 0.0
        )
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        burn_in(experiment, 0, rest, give_up)
    gc.collect()
    assert models
    assert [found() for found in models] == [None] * len(models)


def test_a_state_that_is_no_number_is_not_passed_over(experiment, rest, rested):
    model = at_zero(experiment, "sedentary", rested, rest)
    model.neurons.hdac2[3] = np.nan
    model.advance()
    with pytest.raises(FloatingPointError, match="of a neuron is not a number"):
        assert model.neurons is not None
