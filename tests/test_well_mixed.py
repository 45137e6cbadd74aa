"""The signals of a piece of tissue without space: exact solutions, conservation, and the tissue that it stands for."""

from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from abm.barrier import Barrier
from abm.config import build_experiment
from abm.model import HippocampusModel
from abm.parameters import load_parameters
from abm.signals import BDNF, BHB, CORTISOL, IRISIN, LACTATE, SIGNALS
from abm.study.surrogate import ExposedNeuron
from abm.tissue.kernels import MeanRates, Metabolism
from abm.tissue.parameters import TissueParameters
from abm.well_mixed import Piece, Surroundings, well_mixed

Floats = np.ndarray
PLAN = {
    "name": "piece",
    "tissue": {"neurons": 40, "size": ["200 um", "200 um"]},
    "schedules": {
        "rest": {},
        "ride": {"sessions": {"kind": "cycling", "intensity": "85 %VO2max", "duration": "1 h", "start": "08:00"}},
        "blocked": {
            "sessions": {"kind": "cycling", "intensity": "85 %VO2max", "duration": "1 h", "start": "08:00"},
            "blocks": {"target": "MCT1", "fraction": 0.7, "start": "0 d"},
        },
    },
    "reference": "rest",
    "observe": [{"metric": "bdnf_protein", "at": "1 d"}],
    "run": {"duration": "1 d", "burn_in": "0 d", "replicates": 1, "seed": 1, "step": "15 min"},
}


@cache
def rates() -> MeanRates:
    """A human tissue in which every signal fills half of the volume and three are cleared."""
    p = load_parameters(TissueParameters, "tissue", "human")
    metabolism = Metabolism(*(getattr(p, name) for name in Metabolism._fields))
    clearance, production = np.zeros(5), np.zeros(5)
    clearance[IRISIN], clearance[CORTISOL], clearance[BDNF] = 1.2, 0.4, 2.0
    production[LACTATE] = p.lactate_production
    return MeanRates(metabolism, np.full(5, 0.5), clearance, production)


def piece(perfused: bool = True, secretion: float = 0.01) -> Piece:
    barrier = Barrier.build(build_experiment(PLAN))
    return Piece(rates(), barrier.parameters, barrier.rates, secretion, perfused)


def met(steps: int, plasma: tuple[float, ...] = (0.2, 3.0, 0.3, 300.0, 0.0)) -> Surroundings:
    free = np.full((steps, 5), np.nan)
    return Surroundings(np.tile(np.array(plasma), (steps, 1)), np.ones(steps), np.zeros((steps, 5)), free)


def course(p: Piece, surroundings: Surroundings, step: float, start: float = 0.1) -> Floats:
    return well_mixed(p, surroundings, step, np.full(5, start), np.zeros(3)).ends


@pytest.mark.parametrize("signal", [IRISIN, CORTISOL, BDNF])
def test_linear_signals_follow_their_exact_solution_at_any_step(signal: int) -> None:
    """phi c' = s + PS c_plasma - (k + PS) c: c(t) = c_inf + (c_0 - c_inf) e^(-(k + PS) t / phi)."""
    p, plasma = piece(), met(1).plasma[0]
    passage = {
        IRISIN: (p.passage.irisin_permeability, 1.0),
        CORTISOL: (p.passage.steroid_permeability, p.passage.free_steroid),
        BDNF: (p.passage.bdnf_permeability, 1.0),
    }
    permeability, free = passage[signal]
    loss = p.tissue.clearance[signal] + permeability
    level = (permeability * free * plasma[signal] + (p.secretion if signal == BDNF else 0.0)) / loss
    expected = level + (0.1 - level) * np.exp(-loss / p.tissue.storage[signal] * 2.0)
    time = p.tissue.storage[signal] / loss
    mean = level + (0.1 - level) * time / 2.0 * (1.0 - np.exp(-2.0 / time))
    for steps in (1, 8, 120):
        assert course(p, met(steps), 2.0 / steps)[-1, signal] == pytest.approx(expected, rel=1e-12)
        means = well_mixed(p, met(steps), 2.0 / steps, np.full(5, 0.1), np.zeros(3)).means
        assert means[:, signal].mean() == pytest.approx(mean, rel=1e-10)


def test_signals_without_any_loss_gain_what_comes_in() -> None:
    """A slice that nothing reaches: BDNF rises by what neurons secrete, BHB is burnt, the others stay."""
    still = rates()._replace(clearance=np.zeros(5), production=np.zeros(5))
    p = piece(perfused=False)._replace(tissue=still)
    found = course(p, met(4), 0.5)
    np.testing.assert_allclose(found[:, BDNF], 0.1 + 0.01 * 0.5 / 0.5 * np.arange(1, 5), rtol=1e-12)
    np.testing.assert_array_equal(found[:, [IRISIN, CORTISOL]], 0.1)
    assert (np.diff(found[:, BHB]) < 0.0).all()


def test_halving_the_step_halves_the_error_where_rates_hang_on_concentrations() -> None:
    """BHB and lactate cross at rates of the mean of a step, as its start foresees it; what burns them is that of its
    mean, by parts.
    """
    p = piece()
    fine = course(p, met(8192), 0.2 / 8192)[-1, :2]
    errors = [np.abs(course(p, met(steps), 0.2 / steps)[-1, :2] - fine) for steps in (16, 32, 64)]
    for coarse, half in pairwise(errors):
        assert (half < 0.6 * coarse).all()
        assert (half > 0.2 * coarse).all()  # of an order between one and two


@pytest.mark.parametrize("plasma", [0.02, 2.0])
def test_a_step_of_half_an_hour_ends_where_short_ones_do(plasma: float) -> None:
    """Little BHB is burnt within two minutes: rates of the start of a step would be off by a factor when it rises."""
    for start in (0.005, 2.0):
        whole, parts = (
            well_mixed(
                piece(), met(steps, (plasma, 1.0, 0.3, 300.0, 0.0)), 0.5 / steps,
                np.array([start, 1.5, 0.1, 0.1, 0.1]), np.zeros(3),
            ).ends[-1, [BHB, LACTATE]]
            for steps in (1, 1800)
        )  # fmt: skip
        np.testing.assert_allclose(whole, parts, rtol=0.1, atol=1e-4 * start)


def test_steps_of_a_quarter_of_an_hour_exchange_what_those_of_a_minute_do() -> None:
    """Half-hour means of mice that run: rates of the start of a step were off by 13 % in BHB and 2.4 % in lactate."""
    run = {"kind": "treadmill", "intensity": "80 %VO2max", "duration": "1 h", "start": "10:00"}
    seen = {}
    for step in ("1 min", "15 min"):
        plan = {
            **PLAN, "subject": {"species": "mouse"}, "schedules": {"rest": {}, "run": {"sessions": run}},
            "run": {**PLAN["run"], "duration": "18 h", "step": step}, "observe": [],
        }  # fmt: skip
        exposed = ExposedNeuron()
        means = exposed.arms[exposed.expose(build_experiment(plan), "run")].means[:, [BHB, LACTATE]]
        seen[step] = means.reshape(36, -1, 2).mean(axis=1)
    assert seen["1 min"][20:22, 1].max() > 2.0 * seen["1 min"][0, 1]
    np.testing.assert_allclose(seen["15 min"][:, 0], seen["1 min"][:, 0], rtol=0.06)
    np.testing.assert_allclose(seen["15 min"][:, 1], seen["1 min"][:, 1], rtol=0.015)


def test_baths_hold_and_injections_add() -> None:
    surroundings = met(3)
    surroundings.held[1:, BHB] = 4.0
    surroundings.injected[2, BDNF] = 0.5
    found, free = course(piece(), surroundings, 0.25), course(piece(), met(3), 0.25)
    assert found[0].tolist() == free[0].tolist()
    assert found[1:, BHB].tolist() == [4.0, 4.0]
    kept = np.exp(-(2.0 + piece().passage.bdnf_permeability) / 0.5 * 0.25)
    assert found[2, BDNF] - free[2, BDNF] == pytest.approx(0.5 / 0.5 * kept, rel=1e-9)


def test_bdnf_of_a_bath_comes_on_top_and_is_cleared_once_the_bath_is_gone() -> None:
    surroundings, step = met(6), 0.25
    surroundings.held[1:4, BDNF] = [3.0, 4.0, 1.0]
    surroundings.held[5, BDNF] = 3.0
    bathed, free = (
        well_mixed(piece(perfused=False), one, step, np.full(5, 0.1), np.zeros(3)) for one in (surroundings, met(6))
    )
    kept = np.exp(-2.0 / 0.5 * step)
    left = (1.0 + 3.0 * kept) * kept  # when the bath comes back, which is more and takes the place of it
    more = [0.0, 3.0, 4.0, 1.0 + 3.0 * kept, left, 3.0]
    np.testing.assert_allclose((bathed.ends - free.ends)[:, BDNF], more, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose((bathed.means - free.means)[[0, 1, 2, 5], BDNF], [0.0, 3.0, 4.0, 3.0], atol=1e-9)


@pytest.mark.parametrize("name", ["ride", "blocked"])
def test_a_small_piece_of_tissue_is_well_mixed(name: str) -> None:
    """Against the diffusing tissue of the same piece, whose neurons stay at rest: signals over rest within 1 %."""
    experiment = build_experiment({**PLAN, "subject": {"overrides": {"network.movement_gain": 0}}})
    exposed = ExposedNeuron()
    found, rest = (exposed.arms[exposed.expose(experiment, one)].ends for one in (name, "rest"))
    model, still = (HippocampusModel(experiment, one, neurons=40) for one in (name, "rest"))
    seen = []
    for _ in range(model.steps_total):
        for one in (model, still):
            one.expose()
            one.clock = one.clock.next()
        seen.append([
            one.tissue.concentration.reshape(len(SIGNALS), -1)[:, one.neurons.voxel].mean(axis=1)
            for one in (model, still)
        ])  # fmt: skip
    whole = np.array(seen)
    np.testing.assert_allclose(found / rest, whole[:, 0] / whole[:, 1], rtol=1e-2)
    assert found[35, LACTATE] > 1.3 * rest[35, LACTATE], "an hour at 85 % crosses the barrier, blocked or not"
