"""What the benchmarks compare is the same thing on all sides; no wall time is looked at."""

import ast
import inspect
import math
import random
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from abm.population import Scratch  # noqa: E402
from abm.signals import SIGNALS  # noqa: E402
from benchmarks import diffusion, diffusion_case, measure, neurons, neurons_case, table  # noqa: E402
from benchmarks.peers import DIFFUSION, NEURONS, STUDY, Peer  # noqa: E402

SMALL = ['tissue.size=["0.4 mm", "0.4 mm"]', "tissue.neurons=400", "run.burn_in=0 d"]
STEPS = 8


def explicit(shape, substance, relative=None, steps=6000):
    """W1 by explicit Euler in small steps, every face written out: the oracle of the reference."""
    d = diffusion_case.DIFFUSIVITY[substance] / diffusion_case.EDGE**2
    relative = np.ones(shape) if relative is None else relative
    source, c = diffusion_case.source_field(shape, substance), np.zeros(shape)
    dt = diffusion_case.DURATION / steps
    for step in range(steps):
        strength = diffusion_case.STRENGTH[step * len(diffusion_case.STRENGTH) // steps]
        change = strength * source - diffusion_case.LOSS[substance] * c
        for axis in range(3):
            k = np.moveaxis(relative, axis, 0)
            flow = d * 2.0 * k[1:] * k[:-1] / (k[1:] + k[:-1]) * np.diff(np.moveaxis(c, axis, 0), axis=0)
            np.moveaxis(change, axis, 0)[:-1] += flow
            np.moveaxis(change, axis, 0)[1:] -= flow
        c += dt * change
    return c


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("substance", [0, 4])
def test_the_exact_reference_is_what_fine_steps_tend_to(flat, substance):
    shape = diffusion_case.grid(16 if flat else 8, flat)
    reference = diffusion_case.exact(shape, substance)
    coarse, fine = (
        diffusion_case.relative_error(explicit(shape, substance, steps=n), reference) for n in (3000, 6000)
    )
    assert fine < 2e-3
    assert fine == pytest.approx(0.5 * coarse, rel=0.05)


def test_ours_meets_the_reference():
    from benchmarks.peers.ours_diffusion import largest_error, solve

    shape = diffusion_case.grid(8)
    assert largest_error(solve(shape, False)[0], shape, False) < 1e-12


def test_the_layered_reference_is_what_fine_steps_tend_to():
    shape = (16, 8, 8)
    reference = diffusion_case.exact_layered(shape, 0)
    assert np.unique(diffusion_case.layers(shape)).size == 2
    assert diffusion_case.relative_error(explicit(shape, 0, diffusion_case.layers(shape)), reference) < 2e-3


@pytest.mark.parametrize(("implicit", "allowed"), [(False, 5e-5), (True, diffusion_case.TARGET)])
def test_ours_in_layers_keeps_within_the_target(implicit, allowed):
    from benchmarks.peers.ours_diffusion import largest_error, solve

    shape = diffusion_case.grid(16)
    assert largest_error(solve(shape, True, implicit=implicit)[0], shape, True) < allowed


@pytest.fixture(scope="module")
def model_and_recording():
    """A small model after some steps, what its neurons met, and its read-outs then."""
    from abm.config import load_experiment
    from abm.model import DEFAULT_EXPERIMENT, HippocampusModel
    from benchmarks.recording import record

    model = HippocampusModel(load_experiment(DEFAULT_EXPERIMENT, SMALL), neurons_case.SCHEDULE)
    recording = record(model, STEPS, synapses=True)
    return model, recording, neurons_case.summary(neurons_case.read_outs(model.neurons.columns))


def test_plain_agents_live_the_same_day(model_and_recording):
    from benchmarks.peers.mesa_study import PlainStudyModel
    from benchmarks.plain_world import World

    model, recording, ours = model_and_recording
    random.seed(1)
    plain = PlainStudyModel(World(recording))
    for _ in range(STEPS):
        plain.step()
    found = plain.world.result(plain.neurons)
    for name in ("creb", "trkb", "spine"):  # which no draw has reached yet
        assert found["means"][name] == pytest.approx(ours["means"][name], rel=1e-6)
    _, errors = neurons_case.largest_difference(found, ours, len(plain.neurons))
    assert errors < 4.0
    plain_synapses = plain.synapses
    assert plain_synapses.senders[5] == model.wiring.sender[slice(*model.wiring.start[5:7])].tolist()


def test_the_text_for_brian2_names_only_what_it_gets():
    from abm.metric_names import PROMOTERS
    from benchmarks import brian2_rule

    text = brian2_rule.rule(PROMOTERS)
    assert text.count("rand()") == 48 + 8
    assert text.count("poisson(") == 8


def test_the_text_for_brian2_says_what_the_plain_rule_does(model_and_recording):
    """One step of it, run as Python, beside the plain neuron: all that no draw has reached yet."""
    from abm.metric_names import PROMOTERS
    from benchmarks import brian2_rule
    from benchmarks.peers.mesa_study import PlainStudyModel
    from benchmarks.plain_world import World

    world = World(model_and_recording[1])
    plain = PlainStudyModel(world)
    place = int(np.argmin([abs(neuron.drive - 1.0) for neuron in plain.neurons]))
    own = dict(vars(plain.neurons[place]))
    names = {
        **brian2_rule.constants(world, PROMOTERS), **{name: own[name] for name in brian2_rule.FLOATS},
        **{f"{signal}_at": lambda t, i, k=k: world.recording["fields"][0][k][i] for k, signal in enumerate(SIGNALS)},
        **{f"copies{q}": own["transcripts"][q] for q in range(4)},
        **{f"allele{q}_{a}": own["promoter_on"][q][a] for q in range(4) for a in range(2)},
        **{f"nucleosome{q}_{k}": own["nucleosomes"][q][k] for q in range(4) for k in range(12)},
        "place": own["place"], "t": 0.0, "input": lambda t: float(world.recording["input_activity"][0]),
        "waking": lambda t: world.recording["waking"][0],
        "unevenness": lambda t: float(world.recording["unevenness"][0]),
        "exp": np.exp, "log": np.log, "sqrt": np.sqrt, "clip": np.clip, "int": int, "rand": random.random,
        "poisson": np.random.default_rng(1).poisson,
    }  # fmt: skip
    exec(brian2_rule.rule(PROMOTERS), names)
    plain.step()
    found = vars(plain.neurons[place])
    drawn = {"bdnf_pro", "depression_gain", "early_load"}
    for name in set(brian2_rule.FLOATS) - drawn:
        assert names[name] == pytest.approx(found[name], rel=1e-6, abs=1e-12), name


def test_the_card_is_given_all_that_a_tile_needs():
    """No machine that tests has a card; its room for one neuron is at least of the kinds that the loops want."""
    text = (ROOT / "benchmarks" / "accelerator.py").read_text(encoding="utf-8")
    call = next(
        node for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Scratch"
    )  # fmt: skip
    kinds = [ast.unparse(argument.args[1]) for argument in call.args]
    wanted = {"Floats": "float64", "Wholes": "int32", "npt.NDArray[np.int8]": "int8"}
    bundle = ast.parse(inspect.getsource(Scratch)).body[0]
    fields = [ast.unparse(node.annotation) for node in bundle.body if isinstance(node, ast.AnnAssign)]
    assert kinds == [wanted[field] for field in fields]


def test_bytes_count_every_column_that_a_step_changes(model_and_recording):
    model = model_and_recording[0]
    columns = model.neurons.columns
    assert set(neurons_case.READ) | set(neurons_case.WRITTEN) <= set(columns)
    before = {name: column.copy() for name, column in columns.items()}
    model.step()
    synaptic = {"drive", "early_load", "mean_strength", "potentiated", "consolidated"}
    changed = {name for name, column in columns.items() if (column != before[name]).any()}
    assert changed - synaptic <= set(neurons_case.WRITTEN)


def test_growth_exponents_are_slopes_of_logarithms():
    sizes = [1e3, 1e4, 1e5]
    assert measure.exponent(sizes, [3.0 * size**1.1 for size in sizes]) == pytest.approx(1.1)


def test_medians_scale_measured_steps_to_the_whole():
    runs = [{"seconds": seconds, "steps": 10, "total": 100} for seconds in (3.0, 1.0, 2.0)]
    measurement = measure.Measurement("peer", {}, runs)
    assert measurement.seconds == 20.0
    assert table.timing("W", "c", "p", measurement).steps == "extrapolated from 10 of 100 steps"


def test_a_peer_that_is_not_installed_is_a_row(monkeypatch, tmp_path):
    absent = Peer("absent", "absent", "a_library_nobody_has")
    monkeypatch.setattr(diffusion, "DIFFUSION", (absent,))
    monkeypatch.setattr(neurons, "NEURONS", (absent,))
    monkeypatch.setattr(neurons, "record", lambda case, path: np.savez(path, means=[], spreads=[]))
    found = diffusion.comparison(8, 8, 1, 0.0, False) + neurons.comparison(10, 1, 0.0, 1)
    assert [row.remark for row in found] == ["not installed: a_library_nobody_has"] * 2
    assert all(math.isnan(row.value) for row in found)
    table.write_csv(found, tmp_path / "table.csv")
    assert "not installed" in table.markdown(found)
    assert repr(table.read_csv(tmp_path / "table.csv")) == repr(found)


def test_the_readme_shows_the_table_that_was_written():
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = table.read_csv(ROOT / "benchmarks" / "results" / "table.csv")
    assert rows
    assert table.put_between_marks(page, table.headline(rows)) == page


def test_a_peer_that_is_faster_is_said_to_be():
    rows = [table.Row("W", "c", peer, "time", value) for peer, value in (("ours", 2.0), ("peer", 1.0))]
    table.compare(rows)
    assert rows[1].against_ours == 0.5
    assert rows[1].remark.startswith("faster than ours")


def test_a_peer_that_fails_is_a_row_with_its_last_words():
    found = measure.interleave([measure.Worker("no_such_peer", {}, {}, 60.0)], 2)[0]
    assert not found.runs
    assert "no_such_peer" in table.timing("W", "c", "p", found).remark


@pytest.mark.parametrize("peer", [*DIFFUSION, *NEURONS, *STUDY])
def test_every_peer_has_its_module(peer):
    assert (ROOT / "benchmarks" / "peers" / f"{peer.module}.py").is_file()


def test_the_default_study_is_the_one_that_is_counted():
    from abm.clock import burn_in_steps
    from abm.config import load_experiment
    from abm.model import DEFAULT_EXPERIMENT
    from benchmarks import study

    experiment = load_experiment(DEFAULT_EXPERIMENT)
    run = experiment.run
    steps = burn_in_steps(run.step, run.burn_in) + len(experiment.schedules) * run.duration / run.step
    assert run.replicates * steps == study.STEPS
    assert experiment.tissue.neurons == study.NEURONS


def test_the_figure_can_be_drawn(tmp_path):
    from benchmarks.figure import draw

    rows = [
        table.Row("W1 diffusion", "8^3 voxels, 60 s", "ours", "time", 1.0, against_ours=1.0),
        table.Row("W1 diffusion", "8^3 voxels, 60 s", "other", "time", 9.0, against_ours=9.0, steps="extrapolated"),
        table.Row("W1 diffusion", "8^3 voxels, 60 s", "ours, growth", "time", 1.0, size=512.0),
        table.Row("W2 neurons", "10 neurons, 1 d", "ours, whole steps", "time", 1.0, size=10.0),
    ]
    draw(rows, tmp_path / "figure.png")
    assert (tmp_path / "figure.png").stat().st_size > 10_000
