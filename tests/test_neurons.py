"""The neuron and the loop over neurons: rest, directions, blocks, locality."""

import numpy as np
import pytest

from abm.epigenome import EpigenomeParameters, resting_rows
from abm.expectation import expected_neuron, set_point
from abm.expression import ExpressionParameters, calcium_drive, creb_target, relative_firing
from abm.neurons import (
    Drive,
    Neuron,
    NeuronColumns,
    Pharmacology,
    Signals,
    add_set_point,
)
from abm.parameters import load_parameters
from abm.population import advance_neurons, mean_drive
from abm.promoters import promoter_constants
from abm.streams import generator, stream_key
from abm.synapses import SynapseParameters

E = load_parameters(EpigenomeParameters, "epigenome")
X = load_parameters(ExpressionParameters, "expression")
S = load_parameters(SynapseParameters, "synapses")
DT = 0.1
REST = {"bhb": 0.05, "lactate": 1.0, "irisin": 0.01, "cortisol": 5.0, "bdnf": 0.005}


def signals(**changed):
    return Signals(**{name: np.array([value]) for name, value in {**REST, **changed}.items()})


SET_POINT = set_point(E, X, np.array([list(REST.values())[:4]]))


def population(neurons=300, seed=1):
    columns = {
        name: np.full((neurons, *column.shape), 0.0 if name.startswith("rest_") else column.default, column.dtype, "F")
        for name, column in Neuron.declared_columns().items()
    }
    n = NeuronColumns(**columns)
    draw = generator(seed, 0, "population")
    n.nucleosomes[:] = resting_rows(E, neurons, draw)
    n.region[:] = np.arange(neurons) % 3
    n.transcripts[:] = draw.poisson(2.5, (neurons, 4))
    n.bdnf_protein[:] = X.store_at_rest
    n.bdnf_pro[:] = X.store_at_rest * X.proform_half_life / X.store_half_life
    add_set_point(n, signals(), E, X, S, 1.0)
    return n


def live(n, hours, now=None, drugs=None, activity=1.0, first=0):
    for step in range(first, first + round(hours / DT)):
        advance(n, now or signals(), drugs or Pharmacology(), activity, DT, stream_key(1, 0), step)
    return n


def advance(n, now, drugs, activity, dt, key, step):
    constants, mean = promoter_constants(X, E, dt), mean_drive(n.region, n.drive)
    advance_neurons(n, now, drugs, E, X, S, constants, Drive(activity=activity), mean, dt, key, step, 0, n.region.size)


@pytest.fixture(scope="module")
def rested():
    return live(population(), 72.0)


def test_rest_stays_at_rest(rested):
    assert np.allclose(rested.creb, 1.0, atol=1e-12)
    assert np.allclose(rested.eraser, 1.0, atol=1e-12)
    assert np.allclose(rested.trkb, 1.0, atol=1e-12)
    # 300 neurons, about ten transcripts each in bursts: a standard error near 3 %.
    assert rested.transcripts.sum(axis=1).mean() == pytest.approx(X.transcripts_at_rest, rel=0.12)
    assert rested.bdnf_protein.mean() == pytest.approx(X.store_at_rest, rel=0.08)


@pytest.mark.parametrize("dt", [0.05, 0.5])
def test_the_step_does_not_bias_the_number_of_transcripts(dt):
    n, key, seen = population(1200), stream_key(8, 0), []
    expected = expected_neuron(E, X, np.array([list(REST.values())[:4]]), np.ones(1), SET_POINT, dt).transcripts[0]
    for step in range(round(120.0 / dt)):
        advance(n, signals(), Pharmacology(), 1.0, dt, key, step)
        if step * dt >= 24.0:
            seen.append(n.transcripts.sum(axis=1).mean())
    # Some 1200 x 96 h / 2.5 h independent counts of about ten bursty transcripts: a standard error near 0.3 %.
    assert np.mean(seen) == pytest.approx(expected, rel=0.015)


@pytest.mark.parametrize(
    ("changed", "activity"),
    [({"bhb": 2.0}, 1.0), ({"lactate": 6.0}, 1.0), ({"irisin": 1.0}, 1.0), ({"bdnf": 0.02}, 1.0), ({}, 1.5)],
)
def test_each_signal_raises_creb_and_transcripts(rested, changed, activity):
    treated = live(population(), 48.0, signals(**changed), activity=activity)
    assert treated.creb.mean() > 1.0
    assert treated.transcripts.sum() > live(population(), 48.0).transcripts.sum()


def test_cortisol_lowers_transcripts():
    rest, stressed = live(population(), 24.0), live(population(), 24.0, signals(cortisol=100.0))
    assert stressed.transcripts.sum() < 0.9 * rest.transcripts.sum()


def test_a_block_of_glucocorticoid_receptors_gives_potentiation_back_under_stress():
    rest, stressed = live(population(60), 1.0), live(population(60), 1.0, signals(cortisol=200.0))
    blocked = live(population(60), 1.0, signals(cortisol=200.0), Pharmacology(gr=0.0))
    assert stressed.potentiation_gain.mean() < rest.potentiation_gain.mean() < blocked.potentiation_gain.mean()
    drugged = live(population(60), 1.0, drugs=Pharmacology(agonist=30.0))
    assert drugged.potentiation_gain.mean() < 0.7 * rest.potentiation_gain.mean()


@pytest.mark.parametrize(
    ("blocked", "changed"),
    [
        (("pka",), {"bhb": 2.0}),
        (("nmdar", "sirt1"), {"lactate": 6.0}),
        (("nmdar", "fndc5"), {"lactate": 6.0}),
        (("integrin",), {"irisin": 1.0}),
        (("mct2",), {"lactate": 6.0}),
        (("creb",), {"bhb": 2.0}),
    ],
)
def test_with_its_routes_blocked_a_signal_changes_nothing(blocked, changed):
    none = Pharmacology(**dict.fromkeys(blocked, 0.0))
    assert live(population(60), 6.0, signals(**changed)).creb.mean() > 1.01
    closed = live(population(60), 6.0, signals(**changed), none)
    assert np.array_equal(closed.creb, live(population(60), 6.0, signals(), none).creb)


@pytest.mark.parametrize("blocked", ["nmdar", "sirt1"])
def test_each_route_of_lactate_carries_a_part(blocked):
    drugs, raised = Pharmacology(**{blocked: 0.0}), signals(lactate=6.0)
    alone = live(population(60), 6.0, raised, drugs).creb - live(population(60), 6.0, signals(), drugs).creb
    both = live(population(60), 6.0, raised).creb - live(population(60), 6.0, signals()).creb
    assert 0.0 < alone.mean() < both.mean()


def test_without_nmda_receptors_transcripts_at_rest_fall_and_firing_above_rest_still_raises_them():
    """Thoenen 1991; a half of the receptors brings half of the fall."""
    def signal(firing, left):
        return creb_target(X, calcium_drive(firing, left), 0.0, 0.0, 0.0, 1.0, 1.0, 1.0)

    assert [signal(1.0, left) for left in (1.0, 0.5, 0.0)] == pytest.approx(
        [1.0, 1.0 - 0.5 * X.activity_gain, 1.0 - X.activity_gain]
    )
    assert signal(3.0, 0.0) - signal(1.0, 0.0) == pytest.approx(2.0 * X.activity_gain)
    open_, closed = (live(population(), 24.0, drugs=Pharmacology(nmdar=left)).transcripts.sum() for left in (1.0, 0.0))
    assert 0.0 < closed < 0.9 * open_


def test_lactate_reaches_fndc5_only_through_sirt1_and_pgc1a():
    raised = live(population(60), 24.0, signals(lactate=6.0)).fndc5.mean()
    for name in ("sirt1", "pgc1a"):
        blocked = live(population(60), 24.0, signals(lactate=6.0), Pharmacology(**{name: 0.0})).fndc5.mean()
        assert blocked == 1.0 < raised


def test_transcription_block_empties_transcripts_and_synthesis_block_the_store():
    blocked = live(population(60), 48.0, drugs=Pharmacology(transcription=0.0))
    assert blocked.transcripts.sum() <= 3
    starved = live(population(60), 200.0, drugs=Pharmacology(bdnf_synthesis=0.0))
    assert starved.bdnf_protein.mean() < 0.05 * X.store_at_rest


def test_full_block_of_hdacs_raises_acetylation_two_to_ten_fold():
    # Zheng 2013: fast sites gain 2-10 fold; here over three days of a complete block.
    before = population()
    rest = (before.nucleosomes == 1).mean()
    treated = live(before, 72.0, drugs=Pharmacology(drug_hdac1=1e6, drug_hdac2=1e6, drug_hdac3=1e6))
    assert 2.0 < (treated.nucleosomes == 1).mean() / rest < 10.0


def test_a_neuron_reads_only_its_own_voxel():
    n = population(60)
    n.voxel[:30] = 0
    n.voxel[30:] = 1
    two = Signals(**{name: np.array([value, value]) for name, value in REST.items()})
    two.bhb[1] = 3.0
    live(n, 2.0, two)
    assert np.allclose(n.creb[:30], 1.0)
    assert np.all(n.creb[30:] > 1.05)


def test_feedback_inhibition_keeps_the_regional_mean_of_firing():
    n = population(90)
    n.drive[:] = generator(1, 0, "drive").uniform(0.2, 3.0, 90)
    mean = mean_drive(n.region, n.drive)
    firing = np.array([relative_firing(d, mean[r], 1.3) for d, r in zip(n.drive, n.region, strict=True)])
    for region in range(3):
        assert firing[n.region == region].mean() == pytest.approx(1.3)


def test_the_loop_in_two_parts_gives_the_same_bits():
    whole = live(population(60), 4.0, signals(lactate=3.0))
    parts = live(live(population(60), 2.0, signals(lactate=3.0)), 2.0, signals(lactate=3.0), first=20)
    assert all(np.array_equal(a, b) for a, b in zip(whole, parts, strict=True))
