"""Plasticity rules of one synapse and one neuron: exact updates, bounds, directions."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from abm import synapses
from abm.expression import ExpressionParameters, glucocorticoid_equivalent
from abm.parameters import load_parameters
from abm.synapses import SynapseParameters

P = load_parameters(SynapseParameters, "synapses")
X = load_parameters(ExpressionParameters, "expression")


def integrated(rate, start, hours):
    return solve_ivp(lambda _, y: [rate(y[0])], (0.0, hours), [start], rtol=1e-10, atol=1e-12).y[0, -1]


@pytest.mark.parametrize(("early", "target"), [(0.5, 1.0), (0.0, 0.0), (-0.4, P.late_floor)])
def test_late_change_is_the_exact_solution_while_tags_hold(early, target):
    protein, trkb = 0.08, 1.4
    turnover = synapses.late_turnover(P, trkb)
    capture = protein / P.capture_time if early else 0.0
    expected = integrated(lambda z: capture * (target - z) - turnover * z, 0.3, 7.0)
    step = synapses.late_step(P, protein, trkb, 7.0)
    assert synapses.next_late(0.3, early, float(early != 0.0), step) == pytest.approx(expected, abs=1e-9)


@given(
    st.floats(-0.5, 1.0), st.floats(-0.5, 1.0), st.floats(0.0, 0.4), st.floats(0.0, 2.0), st.floats(0.01, 24.0),
    st.floats(0.0, 1.0),
)  # fmt: skip
def test_late_change_stays_within_its_bounds(late, early, protein, trkb, dt, tagged):
    after = synapses.next_late(late, early, tagged, synapses.late_step(P, protein, trkb, dt))
    assert P.late_floor - 1e-15 <= after <= 1.0 + 1e-15


@given(st.floats(-1.0, 1.0), st.floats(0.01, 2.0))
def test_a_tag_stands_until_the_early_change_has_fallen_below_its_threshold(early, dt):
    exact = 0.0
    if abs(early) > P.tag_threshold:
        exact = min(P.early_time * math.log(abs(early) / P.tag_threshold) / dt, 1.0)
    found = synapses.tagged_share(early, synapses.early_step(P, dt))
    # A chord of the logarithm over a step misses it by less than an eighth of the step in early times.
    assert found == pytest.approx(exact, abs=dt / P.early_time / 8.0 + 1e-12)
    assert (found == 0.0) == (exact == 0.0)


def consolidation(dt, trkb=1.2, hours=24.0):
    """Late change and protein after three events, of a neuron with three such synapses, in the order of the model."""
    fading, early, late, protein = synapses.early_step(P, dt), 0.0, 0.0, 0.0
    for step in range(round(hours / dt)):
        if step * dt in (0.0, 6.0, 6.5):
            early = synapses.potentiated(P, early, 1.0, 1.0, 1.5)
        triggered = synapses.triggered_time(P, 3.0 * abs(early), dt)
        after = synapses.next_protein(P, protein, triggered, trkb, 1.0, dt)
        mean = synapses.mean_protein(P, protein, after, triggered, trkb, 1.0, dt)
        tagged = synapses.tagged_share(early, fading)
        late = synapses.next_late(late, early, tagged, synapses.late_step(P, mean, trkb, dt))
        early, protein = synapses.next_early(early, fading), after
    return late, protein


def test_consolidation_hardly_depends_on_the_step():
    """Tag, protein and capture in long steps against very short ones: second order in the step."""
    reference, protein = consolidation(1.0 / 1024.0)
    assert reference > 0.1
    errors = [abs(consolidation(dt)[0] / reference - 1.0) for dt in (0.5, 0.25, 0.125)]
    assert np.all(np.array(errors) < (0.01, 0.005, 0.001))
    assert errors[2] < errors[0] / 8.0
    assert consolidation(0.5)[1] == pytest.approx(protein, rel=1e-6)


def test_short_steps_solve_the_equations_of_consolidation():
    """One event, against an independent solver stopped where tag and trigger end."""
    early, load, trkb = 0.6, 1.8, 1.2
    trigger_ends = P.early_time * math.log(load / P.protein_threshold)
    tag_ends = P.early_time * math.log(early / P.tag_threshold)
    state, turnover = [0.0, 0.0], synapses.late_turnover(P, trkb)
    for begin, end in pairwise(sorted([0.0, trigger_ends, tag_ends, 8.0])):
        made, tagged = trkb * P.protein_gain * (end <= trigger_ends), end <= tag_ends

        def rates(_, y, made=made, tagged=tagged):
            protein, late = y
            captured = tagged * protein / P.capture_time * (1.0 - late)
            return [(made - protein) / P.protein_time, captured - turnover * late]

        state = solve_ivp(rates, (begin, end), state, rtol=1e-10, atol=1e-13).y[:, -1]
    dt, late, protein = 1.0 / 256.0, 0.0, 0.0
    fading = synapses.early_step(P, dt)
    for _ in range(round(8.0 / dt)):
        triggered = synapses.triggered_time(P, load, dt)
        after = synapses.next_protein(P, protein, triggered, trkb, 1.0, dt)
        mean = synapses.mean_protein(P, protein, after, triggered, trkb, 1.0, dt)
        late = synapses.next_late(
            late, early, synapses.tagged_share(early, fading), synapses.late_step(P, mean, trkb, dt)
        )
        early, load, protein = early * fading.left, load * fading.left, after
    assert (protein, late) == pytest.approx(tuple(state), rel=1e-4)


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


def test_a_sender_alone_takes_a_share_of_the_way_to_half_away():
    assert synapses.depressed(P, 0.0, 0.5) == pytest.approx(-0.5 * P.depression * 0.5)
    assert synapses.depressed(P, 0.4, 0.5) == pytest.approx(0.4 - P.depression * 0.5 * 0.9)
    assert synapses.depressed(P, 0.4, 1e6) == -0.5


def test_scaling_moves_against_the_drive_at_its_own_speed():
    """d ln s / dt = (1 - drive) / tau at rest of TrkB."""
    for drive in (0.6, 1.0, 1.4):
        speed = np.log(synapses.next_scale(P, 1.2, drive, 1.0, 0.5) / 1.2) / 0.5
        assert speed == pytest.approx((1.0 - drive) / P.scaling_time)


def test_early_change_decays_with_its_time_constant():
    step = synapses.early_step(P, P.early_time)
    assert synapses.next_early(0.6, step) == pytest.approx(0.6 / np.e)
    assert step.mean == pytest.approx(1.0 - 1.0 / np.e)
    assert synapses.next_early(2.0**-40, step) == 0.0


def test_protein_needs_a_trigger_and_follows_trkb():
    assert synapses.triggered_time(P, 0.4, 5.0) == 0.0
    assert synapses.triggered_time(P, 0.0, 5.0) == 0.0
    assert synapses.triggered_time(P, P.protein_threshold * np.e, 5.0) == pytest.approx(P.early_time)
    assert synapses.triggered_time(P, 100.0, 5.0) == 5.0
    assert synapses.next_protein(P, 0.0, 0.0, 1.0, 1.0, 5.0) == 0.0
    low, high = (synapses.next_protein(P, 0.0, 100.0, trkb, 1.0, 100.0) for trkb in (1.0, 2.0))
    assert low == pytest.approx(P.protein_gain)
    assert high == pytest.approx(2.0 * P.protein_gain)
    assert synapses.next_protein(P, 0.0, 100.0, 2.0, 0.0, 100.0) == 0.0


@pytest.mark.parametrize("gain", [-0.2, P.scaling_gain, 0.2])
def test_scaling_brings_the_drive_to_its_set_point(gain):
    p, scale = P._replace(scaling_gain=gain), 1.0
    for _ in range(2000):
        scale = synapses.next_scale(p, scale, 1.3 * scale, 1.5, 0.5)
    assert 1.3 * scale == pytest.approx(1.0 + gain * 0.5, rel=1e-4)


def test_contacts_and_threshold_rest_at_one():
    assert synapses.next_contacts(P, 1.3, 1.0, 1e5) == pytest.approx(1.0)
    assert synapses.next_threshold(P, 0.2, 1.0, 1e4) == pytest.approx(1.0)


def test_contacts_follow_trkb_in_both_directions():
    less, same, more = (synapses.next_contacts(P, 1.0, trkb, 1e5) for trkb in (0.0, 1.0, 2.0))
    assert P.contact_gain > 0.0
    assert more - same == pytest.approx(same - less) == pytest.approx(P.contact_gain)


def test_the_threshold_slides_faster_than_the_drive():
    """Bienenstock, Cooper and Munro: it follows the square of activity, so that no drive runs away."""
    found = synapses.next_threshold(P, 0.2, 2.0, 5.0)
    assert found == pytest.approx(integrated(lambda y: (0.5 * (1.0 + 2.0**2) - y) / P.threshold_time, 0.2, 5.0))
    middle, high, higher = (synapses.next_threshold(P, 1.0, drive, 1e5) for drive in (2.0, 3.0, 4.0))
    assert (higher - high) / (high - middle) == pytest.approx((16.0 - 9.0) / (9.0 - 4.0))


def by_hormone(cortisol):
    return synapses.cortisol_gain(P, cortisol, cortisol, 1.0)


def test_cortisol_gain_is_a_gaussian_of_the_logarithm():
    """One width away from the optimum e^(-1/2) of what lies above the floor is left, to either side."""
    for factor in (math.exp(P.cortisol_width), math.exp(-P.cortisol_width)):
        gain = by_hormone(P.cortisol_optimum * factor)
        assert (gain - P.cortisol_floor) / (1.0 - P.cortisol_floor) == pytest.approx(math.exp(-0.5))


def test_cortisol_gain_is_an_inverted_u_with_its_peak_in_the_published_bin():
    # Diamond 1992: potentiation rises to 318-578 nmol/L total and falls beyond; free share 5 %.
    total = np.geomspace(10.0, 3000.0, 400)
    gains = np.array([by_hormone(0.05 * c) for c in total])
    assert 318.0 < total[gains.argmax()] < 578.0
    assert gains.max() <= 1.0
    assert gains[0] < 0.8
    assert gains[-1] < 0.8


def test_what_is_lost_by_too_much_hormone_goes_through_glucocorticoid_receptors():
    """A block of the receptors takes the falling limb away in proportion and leaves the rising one."""
    low, high = 0.2 * P.cortisol_optimum, 5.0 * P.cortisol_optimum
    assert [synapses.cortisol_gain(P, low, low, left) for left in (0.0, 0.5)] == [by_hormone(low)] * 2
    lost = [1.0 - synapses.cortisol_gain(P, high, high, left) for left in (1.0, 0.5, 0.0)]
    assert lost == pytest.approx([1.0 - by_hormone(high), 0.5 * (1.0 - by_hormone(high)), 0.0])


def test_an_agonist_lowers_potentiation_whatever_the_hormone():
    # Pavlides 1996: an agonist of glucocorticoid receptors suppresses potentiation in slices of rats without adrenals.
    for cortisol in (0.0, 2.0, P.cortisol_optimum, 100.0):
        with_agonist = [
            synapses.cortisol_gain(P, cortisol, glucocorticoid_equivalent(X, cortisol, agonist), 1.0)
            for agonist in (0.0, 3.0, 30.0, 300.0)
        ]
        assert with_agonist[0] == pytest.approx(by_hormone(cortisol), rel=1e-12)
        assert np.all(np.diff(with_agonist) <= 0.0)
        assert with_agonist[-1] < 0.6 * with_agonist[0] or cortisol == 100.0


def test_trkb_slows_forgetting_and_raises_release():
    assert synapses.late_turnover(P, 2.0) < synapses.late_turnover(P, 1.0) == pytest.approx(1.0 / P.late_time)
    assert synapses.release_probability(P, 1.0) == 1.0
    assert synapses.release_probability(P, 2.0) == pytest.approx(1.0 + P.presynaptic_gain)


def test_release_goes_on_without_trkb():
    assert synapses.release_probability(P, 0.0) == pytest.approx(1.0 - P.presynaptic_loss)
    levels = [synapses.release_probability(P, trkb) for trkb in np.linspace(0.0, 2.0, 21)]
    assert levels == sorted(levels)
    assert np.diff(levels).max() <= 0.1 * P.presynaptic_gain + 1e-12  # no leap where the two laws meet
