"""Expression: signals, bursts, transcripts, proteins, TrkB; each rule against its equation or its limit."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

from abm import expression
from abm.elementary import exponential
from abm.expression import ExpressionParameters
from abm.parameters import load_parameters
from abm.streams import stream_key, uniforms

P = load_parameters(ExpressionParameters, "expression")
LN2 = np.log(2.0)


def integrated(rate, start, hours):
    return solve_ivp(lambda _, y: [rate(y[0])], (0.0, hours), [start], rtol=1e-10, atol=1e-12).y[0, -1]


def test_signal_is_one_at_rest_and_rises_with_every_input():
    assert expression.creb_target(P, 1.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0) == 1.0
    rest = [1.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    for position in range(6):
        raised = rest.copy()
        raised[position] += 0.2
        assert expression.creb_target(P, *raised, 1.0) > 1.0


def test_fndc5_lags_lactate_by_its_time_constant():
    # Half of the rise after ln 2 x 18 h = 12.5 h, inside the 12-48 h window of park2021.
    late = expression.next_fndc5(P, 1.0, 0.8, 0.1, 1000.0)
    half = expression.next_fndc5(P, 1.0, 0.8, 0.1, LN2 * P.fndc5_time)
    assert half - 1.0 == pytest.approx(0.5 * (late - 1.0), rel=1e-6)
    assert late == pytest.approx(1.0 + P.fndc5_lactate_gain * 0.7 / 0.9)


@pytest.mark.parametrize(("total", "occupancy"), [(43.0, 0.281), (811.0, 0.745)])
def test_glucocorticoid_receptors_in_vivo(total, occupancy):
    # Reul 1987: plasma 43 and 811 nmol/L; the free share is 5 %.
    assert expression.glucocorticoid_occupancy(P, 0.05 * total, 0.0) == pytest.approx(occupancy, abs=0.01)


def test_saturating_agonist_lowers_burst_frequency_by_thirty_percent():
    # Chen 2017: dexamethasone lowers total Bdnf mRNA of cultured neurons, which meet no other steroid, by 30 %.
    left = expression.promoter_access(P, 1.0, 0.0)
    assert expression.burst_start(P, 1.0, left) / P.burst_start_rate == pytest.approx(0.7, abs=0.05)
    by_occupancy = [expression.promoter_access(P, occupied, 0.281) for occupied in (0.0, 0.281, 0.745, 1.0)]
    assert np.all(np.diff(by_occupancy) < 0)


def test_promoter_is_active_for_the_exact_two_state_share():
    key, dt = stream_key(2, 0), 0.1
    start, end = 0.5, 6.0
    active, bursting = 0, 0
    for step in range(60000):
        draw = uniforms(key, 0, step, 2, 0)[0]
        active = expression.next_promoter(active, *expression.switching(start, end, dt), draw)
        bursting += int(active)
    assert bursting / 60000 == pytest.approx(start / (start + end), rel=0.05)


@pytest.mark.parametrize("dt", [0.02, 0.25, 0.5, 1.0, 3.0])
@pytest.mark.parametrize(("start", "end"), [(0.5, 6.0), (2.0, 3.0), (0.1, 20.0), (5.0, 0.6)])
def test_transcripts_differ_as_a_telegraph_has_them_whatever_the_step(start, end, dt):
    """Stationary mean and variance of the step's own chain, solved, against those of the telegraph promoter.

    m' = Binomial(m, q) + Poisson(k T): for the moments with each state s of one allele, M_s = E[m, s] and
    F_s = E[m (m - 1), s], two linear systems. Alleles are independent, so one of them says all.
    """
    decay, initiation = LN2 / P.transcript_half_life, 7.0
    on, off = expression.switching(start, end, dt)
    lost = 1.0 - np.exp(-decay * dt)
    move = np.array([[1.0 - on, on], [off, 1.0 - off]])
    state = np.array([end, start]) / (start + end)
    # Two alleles share the text of the rule: half of it with twice the ends is one of them.
    ends = [[0.0, 2.0], [2.0, 4.0]]
    times = np.array([[0.5 * expression.bursting(k, start, end, on, off, decay, lost) for k in row] for row in ends])
    made = initiation * lost / decay * times
    kept = np.eye(2) - (1.0 - lost) * move.T
    first = np.linalg.solve(kept, (state[:, None] * move * made).sum(0))
    gain = move * (2.0 * (1.0 - lost) * first[:, None] * made + state[:, None] * made**2)
    second = np.linalg.solve(np.eye(2) - (1.0 - lost) ** 2 * move.T, gain.sum(0))
    mean = initiation * start / (start + end) / decay
    fano = 1.0 + initiation * end / ((start + end) * (start + end + decay))
    assert first.sum() == pytest.approx(mean)
    assert second.sum() + first.sum() - first.sum() ** 2 == pytest.approx(fano * mean)
    assert (times >= 0.0).all()


@pytest.mark.parametrize("decay", [0.01, 1.0, 30.0])
def test_no_step_takes_back_what_was_transcribed(decay):
    start, end, dt = 0.5, 2.0, 3.0
    on, off = expression.switching(start, end, dt)
    times = [expression.bursting(k, start, end, on, off, decay, 1.0 - np.exp(-decay * dt)) for k in range(5)]
    assert (np.diff(times) > 0.0).all()
    assert times[0] >= 0.0


@pytest.mark.parametrize("mean", [0.02, 0.7, 4.0])
def test_poisson_by_inversion(mean):
    key = stream_key(4, 0)
    none = exponential(-mean)
    drawn = [expression.poisson(mean, none, value) for i in range(2500) for value in uniforms(key, i, 0, 9, 0)]
    expected = stats.poisson(mean).pmf(np.arange(12)) * len(drawn)
    counts = np.bincount(drawn, minlength=12)[:12]
    keep = expected > 5
    assert stats.chisquare(counts[keep], expected[keep] * counts[keep].sum() / expected[keep].sum()).pvalue > 1e-3


@pytest.mark.parametrize(("trials", "probability"), [(1, 0.03), (9, 0.03), (30, 0.2)])
def test_binomial_by_inversion(trials, probability):
    key = stream_key(5, 0)
    none = expression.survival(probability)[trials]
    drawn = [expression.binomial(trials, probability, none, v) for i in range(2500) for v in uniforms(key, i, 0, 9, 0)]
    expected = stats.binom(trials, probability).pmf(np.arange(trials + 1)) * len(drawn)
    counts, keep = np.bincount(drawn, minlength=trials + 1), expected > 5
    assert len(counts) == trials + 1
    assert stats.chisquare(counts[keep], expected[keep] * counts[keep].sum() / expected[keep].sum()).pvalue > 1e-3
    assert expression.binomial(0, probability, 1.0, 0.5) == 0


@pytest.mark.parametrize("mean", [0.0, 0.4, 1.9, 6.0])
def test_few_are_drawn_as_many_are(mean):
    for value in np.linspace(0.0, 1.0, 997, endpoint=False):
        few = expression.few_of_poisson(mean, exponential(-mean), value)
        assert few == min(expression.poisson(mean, exponential(-mean), value), expression.MANY)
    for trials in (0, 1, 2, 3, 20):
        none = expression.survival(0.3)[trials]
        for value in np.linspace(0.0, 1.0, 997, endpoint=False):
            few = expression.few_of_binomial(float(trials), 0.3, none, value)
            assert few == min(expression.binomial(trials, 0.3, none, value), expression.MANY)


@pytest.mark.parametrize("agonist", [0.0, 0.3, 10.0])
def test_the_equivalent_hormone_occupies_as_many_receptors(agonist):
    for cortisol in (0.0, 2.0, 50.0):
        alone = expression.glucocorticoid_equivalent(P, cortisol, agonist)
        occupied = expression.glucocorticoid_occupancy(P, cortisol, agonist)
        assert expression.glucocorticoid_occupancy(P, alone, 0.0) == pytest.approx(occupied)


def test_protein_equations_are_solved_exactly():
    at_rest = P.store_at_rest * P.proform_half_life / P.store_half_life
    rate = LN2 / P.proform_half_life
    made = 1.4 * at_rest
    assert expression.next_proform(P, 300.0, 1.4 * P.transcripts_at_rest, 1.0, 5.0) == pytest.approx(
        integrated(lambda y: rate * (made - y), 300.0, 5.0)
    )
    loss = LN2 / P.store_half_life * (1.0 - P.released_share + P.released_share * 3.5)
    assert expression.next_store(P, 6000.0, 800.0, 3.5, 5.0) == pytest.approx(
        integrated(lambda y: rate * 800.0 - loss * y, 6000.0, 5.0)
    )


@pytest.mark.parametrize("gain", [0.0, 1.0, 6.0])
def test_what_a_store_releases_is_its_rate_over_its_course(gain):
    outside = LN2 / P.store_half_life * P.released_share * gain
    loss = LN2 / P.store_half_life * (1.0 - P.released_share) + outside
    matured = LN2 / P.proform_half_life * 800.0
    course = solve_ivp(  # the store, and what it has released
        lambda t, y: [matured - loss * y[0], outside * y[0]], (0.0, 5.0), [6000.0, 0.0], rtol=1e-10, atol=1e-8
    )
    after = expression.next_store(P, 6000.0, 800.0, gain, 5.0)
    assert expression.released(P, 6000.0, after, 800.0, gain, 5.0) == pytest.approx(course.y[1, -1])


def test_stores_rest_at_ten_mature_to_one_pro():
    # Dieni 2012: about 10 : 1 in the adult mouse hippocampus.
    proform = expression.next_proform(P, 0.0, P.transcripts_at_rest, 1.0, 1e4)
    store = expression.next_store(P, 0.0, proform, 1.0, 1e4)
    assert store == pytest.approx(P.store_at_rest)
    assert store / proform == pytest.approx(10.0, rel=0.05)


def test_more_release_empties_the_store():
    released = [expression.release_rate(P, 7000.0, gain) for gain in (1.0, 2.0)]
    assert released[0] == pytest.approx(P.released_share * LN2 / P.store_half_life * 7000.0)
    assert released[1] == pytest.approx(2.0 * released[0])
    assert expression.next_store(P, 7000.0, 700.0, 2.0, 10.0) < expression.next_store(P, 7000.0, 700.0, 1.0, 10.0)


def test_bursts_release_more_than_steady_firing():
    """Input twice as strong: 2^n; a neuron that BHB makes fire as much more often: 2^m, less than that."""
    bursts, steady = 2.0**P.release_exponent, 2.0**P.steady_release_exponent
    assert expression.release_gain(P, 2.0, 1.0, 1.0) == pytest.approx(bursts)
    assert expression.release_gain(P, 2.0, 2.0, 1.0) == pytest.approx(steady)
    assert expression.release_gain(P, 4.0, 2.0, 1.5) == pytest.approx(1.5 * bursts * steady)
    assert 2.0 <= steady < bursts


def test_bhb_raises_firing_only_above_the_set_point():
    assert expression.excitation(P, 0.0) == 1.0
    assert expression.excitation(P, 0.5) == pytest.approx(1.0 + 0.5 * P.bhb_excitability)


def test_bhb_of_a_fast_drives_the_creb_signal_but_hardly_firing():
    # Excitability was seen at 2 mmol/L; a brain after a day of fasting or an ester holds some tenths of that.
    creb, firing = (expression.saturation(0.3, half) for half in (P.bhb_half, P.bhb_excitability_half))
    assert creb > 2.0 * firing
    assert firing < 0.5 * expression.saturation(2.0, P.bhb_excitability_half)


def test_saturating_bdnf_halves_surface_trkb_within_hours():
    # Proenca 2016: half of surface TrkB is gone after 2-3 h of saturating BDNF.
    assert 0.4 < expression.next_trkb_surface(P, 1.0, 1e6, 3.0) < 0.6
    assert expression.next_trkb_surface(P, 1.0, 1.0, 100.0) == pytest.approx(1.0)


def test_trkb_comes_back_to_the_surface_with_its_time_constant():
    hours = 0.7 * P.trkb_return_time
    assert expression.next_trkb_surface(P, 0.4, 1.0, hours) == pytest.approx(1.0 - 0.6 * np.exp(-0.7))


def test_trkb_is_one_at_rest_and_saturates_at_two():
    drives = [expression.trkb_drive(bdnf, 1.0) for bdnf in (0.0, 0.5, 1.0, 2.0, 100.0)]
    assert drives[0] == 0.0
    assert drives[2] == 1.0
    assert np.all(np.diff(drives) > 0)
    assert drives[-1] < 2.0


def test_p75_is_one_at_rest():
    at_rest = P.store_at_rest * P.proform_half_life / P.store_half_life
    assert expression.p75_drive(P, at_rest, 1.0) == pytest.approx(1.0)
    assert expression.p75_drive(P, 2.0 * at_rest, 1.0) == pytest.approx(4.0 / 3.0)  # half occupied at rest
    assert expression.p75_drive(P, at_rest, 2.0) == expression.p75_drive(P, 2.0 * at_rest, 1.0)
    assert expression.p75_drive(P, at_rest, 0.0) == 0.0


def test_trkb_answers_steeply_and_alike_to_ligand_and_receptor():
    """Hill's exponent 2: at half saturation the slope of ln k over ln b is 1, and k(b) + k(1/b) the most there is."""
    above, below = expression.trkb_drive(1.001, 1.0), expression.trkb_drive(0.999, 1.0)
    assert (above - below) / 0.002 == pytest.approx(1.0, rel=1e-3)
    for bdnf in (0.5, 2.0, 7.0):
        assert expression.trkb_drive(bdnf, 1.0) + expression.trkb_drive(1.0 / bdnf, 1.0) == pytest.approx(2.0)
        assert expression.trkb_drive(bdnf, 1.0 / bdnf) == pytest.approx(1.0)


def test_the_signal_is_a_straight_line_down_to_its_floor():
    steep = P._replace(activity_gain=0.8, trkb_feedback=0.6)
    levels = np.linspace(0.0, 1.0, 11)
    found = np.array([expression.creb_target(steep, level, 0.0, 0.0, 0.0, 1.0, level, 1.0) for level in levels])
    assert found == pytest.approx(np.maximum(1.0 - 1.4 * (1.0 - levels), 0.05))
    assert found[0] == 0.05


def test_half_of_creb_leaves_half_of_the_signal_and_none_its_floor():
    signals = [expression.creb_target(P, 1.4, 0.2, 0.01, 0.1, 1.2, 1.1, left) for left in (1.0, 0.5, 0.0)]
    assert signals[1] == pytest.approx(0.5 * signals[0])
    assert signals[2] == 0.05


def test_acetylation_prolongs_bursts():
    ends = [expression.burst_end(P, acetylation, 1.0) for acetylation in (0.0, 0.5, 1.0, 2.0, 4.0)]
    assert np.all(np.diff(ends) < 0)
    assert ends[2] == P.burst_end_rate
    assert ends[3] == pytest.approx(P.burst_end_rate / 2.0)


def test_shares_of_the_promoters_sum_to_one():
    shares = [P.transcript_share_I, P.transcript_share_II, P.transcript_share_IV, P.transcript_share_VI]
    assert sum(shares) == pytest.approx(1.0)
