"""The expected neuron against the stochastic population, and its step error."""

import numpy as np
import pytest

from abm.epigenome import EpigenomeParameters, opening_rate, resting_acetylation, resting_rows, writer_rate
from abm.expectation import expected_neuron, set_point
from abm.expression import ExpressionParameters
from abm.neurons import Drive, Neuron, NeuronColumns, Pharmacology, Signals, add_set_point
from abm.parameters import load_parameters
from abm.population import advance_neurons, mean_drive
from abm.promoters import promoter_constants
from abm.streams import generator, stream_key
from abm.synapses import SynapseParameters

E = load_parameters(EpigenomeParameters, "epigenome")
X = load_parameters(ExpressionParameters, "expression")
S = load_parameters(SynapseParameters, "synapses")
REST = np.array([0.05, 1.0, 0.01, 5.0])


def days_of_running(days, dt):
    steps = round(24 / dt)
    day = np.tile(REST, (steps, 1))
    day[: steps // 2, :2] = [0.3, 2.5]
    activity = np.ones(steps)
    activity[: steps // 2] = 1.15
    return np.tile(day, (days, 1)), np.tile(activity, days)


def test_rest_stays_at_rest():
    """In steps of any length: every promoter has its share of the transcripts, as its parameter says."""
    shares = [X.transcript_share_I, X.transcript_share_II, X.transcript_share_IV, X.transcript_share_VI]
    for dt in (0.02, 0.1, 1.0):
        course = expected_neuron(E, X, np.tile(REST, (2000, 1)), np.ones(2000), set_point(E, X, REST[None]), dt)
        assert course.creb == pytest.approx(1.0)
        assert course.acetylated == pytest.approx(course.acetylated[0], rel=1e-9)
        assert course.acetylated == pytest.approx(resting_acetylation(E), rel=1e-3)
        assert course.bdnf == pytest.approx(X.store_at_rest, rel=1e-9)
        for share, found in zip(shares, course[7:11], strict=True):
            assert found == pytest.approx(share * X.transcripts_at_rest, rel=1e-9)


def test_halving_the_step_changes_bdnf_by_less_than_half_a_percent():
    rest = set_point(E, X, REST[None])
    coarse, fine = (expected_neuron(E, X, *days_of_running(10, dt), rest, dt).bdnf[-1] for dt in (0.2, 0.1))
    assert coarse == pytest.approx(fine, rel=5e-3)


@pytest.mark.parametrize("hours", [2, pytest.param(12, marks=pytest.mark.slow)])  # of which each takes a second
@pytest.mark.parametrize("dt", [0.1, 1.0])
def test_fractions_stay_fractions_where_chromatin_moves_fast(dt, hours):
    """Ends of the ranges of opening and its exponent under 20 mmol/L lactate; then without any deacetylase."""
    fast = E._replace(opening_rate=0.01, opening_exponent=5.0)
    strong = X._replace(lactate_gain=60.0)
    rest = set_point(fast, strong, REST[None])
    culture = np.tile([0.05, 20.0, 0.01, 5.0], (round(hours / dt), 1))
    activity = np.ones(len(culture))
    course = expected_neuron(fast, strong, culture, activity, rest, dt)
    none = np.array([Pharmacology(hdac1=0.0, hdac2=0.0, hdac3=0.0)], dtype=np.float64)
    without = expected_neuron(E, X, np.tile(REST, (500, 1)), np.ones(500), set_point(E, X, REST[None]), dt, none)
    for found in (course, without):
        assert all(np.isfinite(values).all() and values.min() >= 0.0 for values in found)
        assert (found.acetylated + found.repressed).max() <= 1.0 + 1e-12
    # Unmodified are those alone that have opened since they could last be acetylated: u = u (1 - a) + o R.
    creb = without.creb[-1]
    opened, acetylated = (-np.expm1(-rate(E, creb) * dt) for rate in (opening_rate, writer_rate))
    unmodified = 1.0 - without.acetylated - without.repressed
    assert unmodified[-1] == pytest.approx(opened * without.repressed[-2] / acetylated, rel=0.02)
    # Within the first of two long steps CREB only rises.
    assert course.repressed[-1] < (0.1 if dt * 2.0 >= hours else 0.01)


def test_extracellular_bdnf_follows_release_with_a_memory_and_adds_what_is_brought():
    """b = sum w b_j, b_j' = (release - b_j) / T_j, exactly over each step of constant release; a bath comes on top."""
    times, weights, dt = np.array([1.5, 0.1]), np.array([0.7, 0.3]), 0.25
    concentrations, activity = days_of_running(2, dt)
    bath = np.where(np.arange(len(activity)) < 40, 1.0, 3.0)
    course = expected_neuron(
        E, X, concentrations, activity, set_point(E, X, REST[None]), dt, following=(times, weights), brought=bath
    )
    own, keep = np.ones(2), np.exp(-dt / times)
    for release, brought, seen in zip(course.release, bath, course.extracellular_bdnf, strict=True):
        own = release + (own - release) * keep
        assert seen == pytest.approx(weights @ own + brought - 1.0, rel=1e-12)
    assert course.trkb[39] < course.trkb[41]


def test_without_a_memory_extracellular_bdnf_is_release():
    concentrations, activity = days_of_running(2, 0.25)
    course = expected_neuron(E, X, concentrations, activity, set_point(E, X, REST[None]), 0.25)
    np.testing.assert_array_equal(course.extracellular_bdnf, course.release)


@pytest.mark.slow
@pytest.mark.parametrize(("neurons", "hours", "dt"), [(2000, 120.0, 0.1), (20_000, 0.5, 1.0 / 60.0)])
def test_a_large_population_follows_the_expected_neuron(neurons, hours, dt):
    """Over days of running, and within half an hour of its beginning, when promoters have just begun to switch."""
    columns = {
        name: np.full((neurons, *column.shape), 0.0 if name.startswith("rest_") else column.default, column.dtype, "F")
        for name, column in Neuron.declared_columns().items()
    }
    n, draw = NeuronColumns(**columns), generator(4, 0, "population")
    n.nucleosomes[:] = resting_rows(E, neurons, draw)
    n.promoter_on[:] = draw.random((neurons, 4, 2)) < X.burst_start_rate / (X.burst_start_rate + X.burst_end_rate)
    concentrations, activity = (course[: round(hours / dt)] for course in days_of_running(5, dt))
    rest = set_point(E, X, REST[None])
    waking = 1.0 - 0.3 * np.sin(2.0 * np.pi * dt * np.arange(len(activity)) / 24.0)
    course = expected_neuron(E, X, concentrations, activity, rest, dt, waking=waking)
    start = expected_neuron(E, X, REST[None], np.ones(1), rest, dt)
    constants = promoter_constants(X, E, dt)
    n.transcripts[:] = draw.poisson(constants.transcripts, (neurons, 4))
    n.bdnf_protein[:] = start.bdnf[0]
    n.bdnf_pro[:] = start.bdnf[0] * X.proform_half_life / X.store_half_life
    signals = Signals(*(np.array([value]) for value in (*REST, 1.0)))
    add_set_point(n, signals, E, X, S, 1.0)
    key = stream_key(4, 0)
    resting_release = X.released_share * np.log(2.0) / X.store_half_life * start.bdnf[0]
    for step in range(len(activity)):
        for field, value in zip(signals[:4], concentrations[step], strict=True):
            field[0] = value
        signals.bdnf[0] = n.release_rate.mean() / resting_release if step else 1.0
        mean = mean_drive(n.region, n.drive)
        advance_neurons(
            n, signals, Pharmacology(), E, X, S, constants, Drive(waking[step], activity[step]), mean, dt, key, step, 0,
            neurons,
        )  # fmt: skip
    assert n.creb.mean() == pytest.approx(course.creb[-1], rel=0.005)
    assert (n.nucleosomes == -1).mean() == pytest.approx(course.repressed[-1], rel=0.02)
    assert (n.nucleosomes == 1).mean() == pytest.approx(course.acetylated[-1], rel=0.04)
    made, expected = n.transcripts.sum(axis=1).mean() - start.transcripts[0], course.transcripts[-1]
    assert made == pytest.approx(expected - start.transcripts[0], rel=0.1, abs=0.05)
    assert n.bdnf_protein.mean() == pytest.approx(course.bdnf[-1], rel=0.02)
