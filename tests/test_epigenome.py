"""Chromatin: erasers and inhibitors, the nucleosome chain, its mean field, memory."""

import numpy as np
import pytest
from numba import njit
from scipy.integrate import solve_ivp

from abm import epigenome
from abm.epigenome import (
    EpigenomeParameters,
    chromatin_step,
    eraser_activity,
    free_enzyme,
    mean_field,
    next_nucleosome,
    row_thresholds,
)
from abm.parameters import load_parameters
from abm.streams import generator, stream_key, uniforms

P = load_parameters(EpigenomeParameters, "epigenome")


def rows(repeats, creb, eraser, hours, parameters=P, dt=0.1, seed=1, nucleosomes=None):
    """Acetylated and repressed fraction of many rows after some hours, and the rows."""
    if nucleosomes is None:
        nucleosomes = epigenome.resting_rows(parameters, repeats, generator(seed, 0, "test"))
    for step in range(round(hours / dt)):
        together = nucleosomes.reshape(-1, nucleosomes.shape[2])
        move_rows(together, parameters, creb, eraser, dt, stream_key(seed, 0), step)
    return (nucleosomes == 1).mean(), (nucleosomes == -1).mean(), nucleosomes


@njit
def move_rows(rows, parameters, creb, eraser, dt, key, step):
    """One step of every row, shape (rows, size)."""
    chain = chromatin_step(parameters, creb, eraser, dt)
    for row in range(rows.shape[0]):
        repressed = (rows[row] == -1).sum() / rows.shape[1]
        thresholds = row_thresholds(
            parameters, chain.acetylated, chain.deacetylated, chain.opening, repressed, eraser, dt
        )
        for place in range(rows.shape[1]):
            draw = uniforms(key, row, step, 7, place // 4)[place % 4]
            rows[row, place] = next_nucleosome(float(rows[row, place]), thresholds, draw)


def mean_field_at(creb, eraser, hours, parameters=P):
    def rates(_, y):
        return mean_field(parameters, y[0], y[1], creb, eraser)

    start = [parameters.acetylated_fraction, parameters.repressed_fraction]
    return solve_ivp(rates, (0.0, hours), start, rtol=1e-9, atol=1e-12).y[:, -1]


@pytest.mark.parametrize(
    ("bhb", "hdac3", "hdac1"),
    [(0.1, 0.04, 0.019), (0.4, 0.14, 0.07), (0.8, 0.25, 0.13), (2.0, 0.45, 0.27), (5.0, 0.68, 0.49)],
)
def test_share_of_enzyme_inhibited_by_bhb(bhb, hdac3, hdac1):
    # From the recombinant IC50s (shimazu2013), 2.4 and 5.3 mmol/L, to the two digits of a percentage.
    assert 1.0 - free_enzyme(bhb, P.bhb_ic50_hdac3, 0.0) == pytest.approx(hdac3, abs=0.0051)
    assert 1.0 - free_enzyme(bhb, P.bhb_ic50_hdac1, 0.0) == pytest.approx(hdac1, abs=0.0051)


def test_erasers_are_one_without_inhibitor_and_fall_with_every_inhibitor():
    assert eraser_activity(P, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0) == pytest.approx(1.0)
    activities = [eraser_activity(P, bhb, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0) for bhb in np.linspace(0, 10, 21)]
    assert np.all(np.diff(activities) < 0)
    for drug in range(3):
        drugs = [0.0, 0.0, 0.0]
        drugs[drug] = 20.0
        assert eraser_activity(P, 0.0, 1.0, 1.0, 1.0, *drugs) < 1.0
    assert eraser_activity(P, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) == 0.0


def test_rest_is_stationary_in_the_mean_field():
    assert mean_field(P, P.acetylated_fraction, P.repressed_fraction, 1.0, 1.0) == pytest.approx((0.0, 0.0), abs=1e-15)


@pytest.mark.parametrize(("creb", "eraser"), [(1.0, 1.0), (1.6, 1.0), (1.0, 0.5), (1.3, 0.8)])
def test_long_rows_follow_the_mean_field_over_a_day(creb, eraser):
    # The mean field is the limit of a long row: here 400 nucleosomes, 80 rows, started at the resting fractions.
    order = np.argsort(generator(1, 0, "long rows").random((20, 4, 400)), axis=-1)
    repressed, open_from = 400 * P.repressed_fraction, 400 * (P.repressed_fraction + P.acetylated_fraction)
    start = np.where(order < repressed, -1, np.where(order < open_from, 1, 0)).astype(np.int8)
    acetylated, repressed, nucleosomes = rows(20, creb, eraser, 24.0, nucleosomes=start)
    expected = mean_field_at(creb, eraser, 24.0)
    error = 4.0 * 0.5 / np.sqrt(nucleosomes.size)
    assert acetylated == pytest.approx(expected[0], abs=error)
    assert repressed == pytest.approx(expected[1], abs=error)


def test_resting_rows_of_twelve_stay_at_their_stationary_fractions():
    """Whatever the step."""
    distribution = epigenome.resting_repressed_distribution(P)
    for dt in (0.2, 1.0):
        acetylated, repressed, found = rows(2000, 1.0, 1.0, 48.0, dt=dt)
        # Nucleosomes of one row are correlated, so the error is that of independent rows.
        error = 4.0 * (found == 1).mean(axis=2).std() / np.sqrt(8000)
        assert acetylated == pytest.approx(epigenome.resting_acetylation(P), abs=error)
        error = 4.0 * np.sqrt(distribution @ (np.arange(13) / 12) ** 2 - (distribution @ np.arange(13) / 12) ** 2)
        assert repressed == pytest.approx(distribution @ np.arange(13) / 12, abs=error / np.sqrt(8000))


def test_full_block_of_erasers_raises_acetylation_two_to_ten_fold():
    # Zheng 2013: sites of fast turnover gain 2-10 fold under HDAC inhibition.
    day = mean_field_at(1.0, 0.0, 24.0)[0] / P.acetylated_fraction
    final = mean_field_at(1.0, 0.0, 2000.0)[0] / P.acetylated_fraction
    hours = mean_field_at(1.0, 0.0, 5.0)[0] / P.acetylated_fraction
    assert 2.0 < hours < day < final <= 10.0


def test_acetylation_rises_with_the_signal_and_falls_with_the_erasers():
    by_signal = [mean_field_at(creb, 1.0, 100.0)[0] for creb in (0.8, 1.0, 1.2, 1.5, 2.0)]
    by_eraser = [mean_field_at(1.0, eraser, 100.0)[0] for eraser in (0.2, 0.5, 0.8, 1.0, 1.3)]
    assert np.all(np.diff(by_signal) > 0)
    assert np.all(np.diff(by_eraser) < 0)


def test_opening_is_remembered_for_days_after_the_signal_has_gone():
    opened = mean_field_at(2.0, 1.0, 21 * 24.0)

    def resting(_, y):
        return mean_field(P, y[0], y[1], 1.0, 1.0)

    times = [168.0, 1440.0, 2160.0, 2880.0]
    course = solve_ivp(resting, (0.0, times[-1]), opened, t_eval=times, rtol=1e-10, atol=1e-12).y[1]
    left = (P.repressed_fraction - course) / (P.repressed_fraction - opened[1])
    assert P.repressed_fraction - opened[1] > 0.05
    assert left[0] > 0.3
    # No second stable state holds it.
    assert left[1] < 0.25 * left[0]
    assert left[3] < 0.05
    # In the end it fades at the slower of the two rates of the resting state: the eigenvalue of its linear equations.
    rest = np.array([P.acetylated_fraction, P.repressed_fraction])
    columns = [np.subtract(resting(0.0, rest + h), resting(0.0, rest - h)) / 2e-6 for h in 1e-6 * np.eye(2)]
    slowest = np.linalg.eigvals(np.column_stack(columns)).real.max()
    assert np.log(left[3] / left[2]) / (times[3] - times[2]) == pytest.approx(slowest, rel=0.01)


def test_resting_rows_have_the_stationary_distribution():
    distribution = epigenome.resting_repressed_distribution(P)
    assert distribution.sum() == pytest.approx(1.0)
    drawn = epigenome.resting_rows(P, 4000, generator(1, 0, "rows"))
    counts = np.bincount((drawn == -1).sum(axis=-1).ravel(), minlength=13) / (4000 * 4)
    assert np.abs(counts - distribution).max() < 0.01
    assert set(np.unique(drawn)) == {-1, 0, 1}


def test_shares_of_the_enzymes_sum_to_one():
    assert P.hdac1_share + P.hdac2_share + P.hdac3_share == pytest.approx(1.0)


def test_repressors_are_recruited_by_pairs_of_repressed_nucleosomes():
    """1 + b R^2: half a row recruits a quarter of what a whole one does, without which no memory emerges (dodd2007)."""
    empty, half, whole = (epigenome.repression_rate(P, share, 1.0) for share in (0.0, 0.5, 1.0))
    assert whole / empty == pytest.approx(1.0 + P.repressor_recruitment)
    assert (half - empty) / (whole - empty) == pytest.approx(0.25)
    assert epigenome.repression_rate(P, 0.5, 0.4) == pytest.approx(0.4 * half)


def test_hdac_falls_by_half_of_its_loss_at_the_half_signal_and_never_rises():
    loss, half = 0.6, 1.0 + P.hdac_half_signal
    assert epigenome.hdac_abundance(1.0, loss, half, P, 1e6) == pytest.approx(1.0 - 0.5 * loss)
    assert epigenome.hdac_abundance(1.0, loss, 1e9, P, 1e6) == pytest.approx(1.0 - loss)
    assert epigenome.hdac_abundance(1.0, loss, 0.4, P, 1e6) == 1.0
    halfway = epigenome.hdac_abundance(1.0, loss, half, P, P.hdac_time * np.log(2.0))
    assert halfway == pytest.approx(1.0 - 0.25 * loss)
