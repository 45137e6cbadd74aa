"""Plasticity rules of one synapse and one neuron: exact updates, bounds, directions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from abm import synapses
from abm.elementary import exponential
from abm.parameters import load_parameters
from abm.synapses import SynapseParameters

P = load_parameters(SynapseParameters, "synapses")


def integrated(rate, start, hours):
    return solve_ivp(lambda _, y: [rate(y[0])], (0.0, hours), [start], rtol=1e-10, atol=1e-12).y[0, -1]


@pytest.mark.parametrize(("early", "target"), [(0.5, 1.0), (0.0, 0.0), (-0.4, P.late_floor)])
def test_late_change_is_the_exact_solution_while_tags_hold(early, target):
    protein, trkb = 0.08, 1.4
    turnover = synapses.late_turnover(P, trkb)
    capture = protein / P.capture_time if early else 0.0
    expected = integrated(lambda z: capture * (target - z) - turnover * z, 0.3, 7.0)
    step = synapses.late_step(P, protein, trkb, 7.0)
    assert synapses.next_late(P, 0.3, early, step) == pytest.approx(expected, abs=1e-9)


@given(st.floats(-0.5, 1.0), st.floats(-0.5, 1.0), st.floats(0.0, 0.4), st.floats(0.0, 2.0), st.floats(0.01, 24.0))
def test_late_change_stays_within_its_bounds(late, early, protein, trkb, dt):
    after = synapses.next_late(P, late, early, synapses.late_step(P, protein, trkb, dt))
    assert P.late_floor <= after <= 1.0


def test_potentiation_needs_trkb_in_part():
    # Korte 1995, Patterson 1996: smaller with one or no copy of Bdnf, as before when BDNF is added.
    gains = [synapses.trkb_gain(P, trkb) for trkb in (0.0, 0.5, 1.0, 2.0)]
    assert gains[2] == 1.0
    assert gains[0] == pytest.approx(1.0 - P.trkb_gate)
    assert np.all(np.diff(gains) > 0.0)


@given(st.floats(-0.5, 1.0), st.floats(0.1, 5.0), st.floats(0.2, 3.0), st.floats(0.0, 1.6))
def test_events_keep_the_early_change_within_its_bounds(early, drive, threshold, gain):
    up = synapses.potentiated(P, early, drive, threshold, gain)
    down = synapses.depressed(P, early, gain)
    assert early <= up <= 1.0
    assert -0.5 <= down <= early


def test_early_change_decays_with_its_time_constant():
    decay = exponential(-P.early_time / P.early_time)
    assert synapses.next_early(0.6, decay) == pytest.approx(0.6 / np.e)


def test_protein_needs_a_trigger_and_follows_trkb():
    assert synapses.next_protein(P, 0.0, 0.4, 1.0, 1.0, 5.0) == 0.0
    low, high = (synapses.next_protein(P, 0.0, 0.6, trkb, 1.0, 100.0) for trkb in (1.0, 2.0))
    assert low == pytest.approx(P.protein_gain)
    assert high == pytest.approx(2.0 * P.protein_gain)
    assert synapses.next_protein(P, 0.0, 0.6, 2.0, 0.0, 100.0) == 0.0


def test_scaling_brings_the_drive_to_its_set_point():
    scale = 1.0
    for _ in range(2000):
        scale = synapses.next_scale(P, scale, 1.3 * scale, 1.5, 0.5)
    assert 1.3 * scale == pytest.approx(1.0 + P.scaling_gain * 0.5, rel=1e-4)


def test_contacts_and_threshold_rest_at_one():
    assert synapses.next_contacts(P, 1.3, 1.0, 1e5) == pytest.approx(1.0)
    assert synapses.next_threshold(P, 0.2, 1.0, 1e4) == pytest.approx(1.0)


def test_cortisol_gain_is_an_inverted_u_with_its_peak_in_the_published_bin():
    # Diamond 1992: potentiation rises to 318-578 nmol/L total and falls beyond; free share 5 %.
    total = np.geomspace(10.0, 3000.0, 400)
    gains = np.array([synapses.cortisol_gain(P, 0.05 * c) for c in total])
    assert 318.0 < total[gains.argmax()] < 578.0
    assert gains.max() <= 1.0
    assert gains[0] < 0.8
    assert gains[-1] < 0.8


def test_trkb_slows_forgetting_and_raises_release():
    assert synapses.late_turnover(P, 2.0) < synapses.late_turnover(P, 1.0) == pytest.approx(1.0 / P.late_time)
    assert synapses.release_probability(P, 1.0) == 1.0
    assert synapses.release_probability(P, 2.0) > 1.0
