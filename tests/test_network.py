"""Wiring, firing and events of the network."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from abm import network
from abm import wiring as anatomy
from abm.parameters import load_parameters
from abm.streams import generator, stream_key
from abm.synapses import SynapseParameters, early_step, late_step, next_late, tagged_share
from abm.wiring import CA1, CA3, DG, ENTORHINAL, NetworkParameters, wire

P = load_parameters(NetworkParameters, "network")
S = load_parameters(SynapseParameters, "synapses")


def regions(neurons):
    shares = np.array([P.granule_cells, P.ca3_cells, P.ca1_cells])
    counts = np.round(neurons * shares / shares.sum()).astype(int)
    counts[0] += neurons - counts.sum()
    return np.repeat(np.arange(3), counts).astype(np.int8)


@pytest.fixture(scope="module")
def wiring():
    return wire(P, regions(600), 1, 0)


def incoming(wiring, neuron):
    return wiring.sender[wiring.start[neuron] : wiring.start[neuron + 1]]


def test_pathways_follow_the_trisynaptic_circuit(wiring):
    allowed = {DG: {ENTORHINAL}, CA3: {DG, CA3}, CA1: {CA3, ENTORHINAL, CA1}}
    for neuron in range(600):
        senders = incoming(wiring, neuron)
        assert set(wiring.region[senders]) <= allowed[int(wiring.region[neuron])]
        assert len(set(senders)) == len(senders)


def test_no_neuron_sends_to_itself():
    """In pieces so small that every cell is drawn often; a lone cell of a region has no recurrent synapses."""
    for neurons in (20, 60):
        small = wire(P, regions(neurons), 3, 0)
        assert all(neuron not in incoming(small, neuron) for neuron in range(neurons))
    lone = wire(P, np.array([DG, DG, CA3, CA1], np.int8), 3, 0)
    assert not (lone.sender == np.repeat(np.arange(4), np.diff(lone.start))).any()
    assert set(incoming(lone, 2)) <= {0, 1}


def test_fan_in_is_scaled_by_one_factor_and_weights_keep_the_anatomical_shares(wiring):
    for region in (DG, CA3, CA1):
        neuron = int(np.flatnonzero(wiring.region[:600] == region)[3])
        senders = incoming(wiring, neuron)
        weights = wiring.weight[wiring.start[neuron] : wiring.start[neuron + 1]]
        for source, target, real, efficacy in anatomy.fan_ins(P):
            if target == region:
                assert weights[wiring.region[senders] == source].sum() == pytest.approx(real * efficacy)


def test_large_tissue_has_the_wanted_number_of_synapses():
    cells = np.bincount(regions(20000), minlength=3)
    onto = [anatomy.pathways_onto(P, target, np.append(cells, 4000)) for target in (DG, CA3, CA1)]
    total = sum(cells[path.target] * path.number for paths in onto for path in paths)
    assert total / 20000 == pytest.approx(P.synapses_per_neuron, rel=0.03)


def test_synapses_are_listed_by_sender_too(wiring):
    owner = np.repeat(np.arange(600), np.diff(wiring.start))
    assert wiring.outgoing[-1] == wiring.sender.size
    for cell in range(wiring.region.size):
        places = slice(*wiring.outgoing[cell : cell + 2])
        assert wiring.synapse[places].tolist() == np.flatnonzero(wiring.sender == cell).tolist()
        assert (wiring.receiver[places] == owner[wiring.synapse[places]]).all()


def test_small_tissue_thins_all_pathways_onto_a_region_alike():
    """Else means over modelled synapses would weigh pathways by how many cells of their source are modelled."""
    onto = anatomy.pathways_onto(P, CA1, np.append(np.bincount(regions(1000), minlength=3), 200))
    most = max(onto, key=lambda path: path.real)
    assert most.number == most.senders // 2 < P.synapses_per_neuron
    for path in onto:
        assert path.number == max(round(path.real * most.number / most.real), 1)


def test_couplings_are_shares_of_the_resting_drive(wiring):
    drive = wiring.weight * wiring.rate[wiring.sender]
    total = np.add.reduceat(drive, wiring.start[:-1])
    assert wiring.coupling == pytest.approx(drive / np.repeat(total, np.diff(wiring.start)), rel=1e-6)


def test_senders_are_chosen_evenly():
    # Every CA3 cell sends to a CA1 cell with the same chance: a binomial number of synapses for each.
    wiring = wire(P, regions(3000), 5, 2)
    to_ca1 = wiring.region[np.repeat(np.arange(3000), np.diff(wiring.start))] == CA1
    from_ca3 = wiring.region[wiring.sender] == CA3
    counts = np.bincount(wiring.sender[to_ca1 & from_ca3], minlength=3000)[wiring.region[:3000] == CA3]
    receivers = (wiring.region[:3000] == CA1).sum()
    share = counts.mean() / receivers
    spread = np.sqrt(receivers * share * (1.0 - share))
    assert counts.std() == pytest.approx(spread, rel=0.25)
    assert abs(counts - counts.mean()).max() < 5.0 * spread


def test_rates_are_lognormal_around_the_regional_mean():
    rates = anatomy.lognormal_rates(P, np.full(20000, CA1, np.int8), generator(2, 0, "rates"))
    assert rates.mean() == pytest.approx(P.rate_ca1, rel=0.05)
    assert stats.kstest(np.log(rates), stats.norm(-0.5 * P.rate_spread**2, P.rate_spread).cdf).pvalue > 1e-3


def cells_at_rest(wiring):
    neurons = len(wiring.start) - 1
    ones = np.ones(neurons)
    return {"contacts": ones, "scale": ones, "release": np.ones(wiring.region.size), "threshold": ones}


def test_events_come_at_their_rate_and_more_often_with_more_input(wiring):
    state, none, load = cells_at_rest(wiring), np.zeros(600), np.zeros(600)
    counts = []
    for activity in (1.0, 1.5):
        synapses = np.zeros((2, wiring.sender.size))
        counts.append(
            sum(
                network.replay(
                    wiring, *synapses, S, P, 0.1, activity, stream_key(1, 0), step, *state.values(), none, none,
                    load,
                )
                for step in range(4800)
            )
        )
    expected = wiring.event_rate.sum() * 480.0
    assert counts[0] == pytest.approx(expected, abs=4.0 * np.sqrt(expected))
    assert counts[1] == pytest.approx(1.5 * expected, abs=4.0 * np.sqrt(1.5 * expected))
    assert counts[1] > counts[0]


def test_a_step_longer_than_the_time_between_events_has_several(wiring):
    state, none, load = cells_at_rest(wiring), np.zeros(600), np.zeros(600)
    rate, synapses = wiring.event_rate.sum(), np.zeros((2, wiring.sender.size))
    dt = 3.0 / wiring.event_rate.min()
    counts = [
        network.replay(
            wiring, *synapses, S, P, dt, 1.0, stream_key(1, 0), step, *state.values(), none, none, load
        )
        for step in range(3)
    ]
    assert np.mean(counts) == pytest.approx(rate * dt, abs=wiring.event_rate.size)
    assert min(counts) >= 3 * wiring.event_rate.size


def input_of_granule_cells(synapses_per_neuron):
    """Relative input of resting granule cells while random afferents, a twentieth of all, fire."""
    p, draws = P._replace(synapses_per_neuron=synapses_per_neuron), np.random.default_rng(0)
    wiring = wire(p, regions(1500), 4, 0)
    afferents, found = np.flatnonzero(wiring.region == ENTORHINAL), []
    for _ in range(20):
        firing, drive = np.zeros(wiring.region.size, np.bool_), np.zeros(1500)
        firing[draws.choice(afferents, afferents.size // 20, replace=False)] = True
        none, state = np.zeros((2, wiring.sender.size)), cells_at_rest(wiring)
        network.excite(wiring, *none, S, p, DG, np.zeros_like(firing), firing, *state.values(), drive)
        found.append(drive[wiring.region[:1500] == DG] * (1.0 + P.inhibition))
    return np.concatenate(found)


@pytest.mark.parametrize("synapses_per_neuron", [20.0, 100.0, 300.0])
def test_chance_in_the_input_is_that_of_the_real_synapses(synapses_per_neuron):
    """A granule cell has thousands of perforant-path synapses, however few are modelled."""
    found = input_of_granule_cells(synapses_per_neuron)
    assert found.mean() == pytest.approx(1.0, abs=1e-9)
    assert found.std() == pytest.approx(np.sqrt(0.95 / (0.05 * P.entorhinal_to_dg)), rel=0.05)


def test_the_load_that_triggers_protein_does_not_count_modelled_synapses():
    """A neuron whose synapses are all changed alike has the same load however many of them are modelled."""
    loads = []
    for synapses_per_neuron in (20.0, 100.0, 300.0):
        wiring = wire(P._replace(synapses_per_neuron=synapses_per_neuron), regions(1500), 4, 0)
        loads.append(wiring.bundle * np.diff(wiring.start)[np.searchsorted(wiring.region[:1500], (DG, CA3, CA1))])
    cells = np.bincount(regions(1500), minlength=3)
    assert loads[1] == pytest.approx(loads[0])
    assert loads[2] == pytest.approx(loads[0])
    assert (loads[0] * cells).sum() / cells.sum() == pytest.approx(anatomy.COUNTED)


def test_cells_of_ca3_that_an_event_fires_excite_others_of_ca3():
    """Members of one assembly drive each other; so CA3 is reached twice before CA1."""
    wiring = wire(P, regions(600), 1, 0)
    cue, drive = wiring.member[0].copy(), np.zeros(600)
    firing, state = cue & (wiring.region == ENTORHINAL), cells_at_rest(wiring)
    synapses, met = np.zeros((2, wiring.sender.size)), []
    for region in network.CASCADE:
        network.excite(wiring, *synapses, S, P, region, cue, firing, *state.values(), drive)
        if region == CA3:
            met.append(drive[cue[:600] & (wiring.region[:600] == CA3)].mean())
    assert network.CASCADE[-1] == CA1
    assert len(met) == 2
    assert met[1] > met[0]


@pytest.mark.parametrize("synapses_per_neuron", [20.0, 100.0, 300.0])
def test_an_event_fires_its_members_and_stays_sparse(synapses_per_neuron):
    """The input of real cells is so even that inhibition silences others, however few synapses are modelled."""
    wiring = wire(P._replace(synapses_per_neuron=synapses_per_neuron), regions(600), 1, 0)
    cue = wiring.member[0].copy()
    firing, drive = cue & (wiring.region == ENTORHINAL), np.zeros(600)
    state = cells_at_rest(wiring)
    synapses = np.zeros((2, wiring.sender.size))
    for region in (DG, CA3, CA3, CA1):
        network.excite(wiring, *synapses, S, P, region, cue, firing, *state.values(), drive)
    fired = firing[:600]
    assert fired[cue[:600]].mean() > 0.9
    assert fired[~cue[:600]].mean() < 0.02


def test_learning_touches_only_synapses_of_cells_that_fired(wiring):
    firing = wiring.member[1].copy()
    early = np.zeros(wiring.sender.size)
    ones, load = np.ones(600), np.zeros(600)
    network.learn(wiring, early, S, firing, ones, ones, ones, ones, load)
    sent = firing[wiring.sender]
    owner = np.repeat(np.arange(600), np.diff(wiring.start))
    assert np.all(early[~sent] == 0.0)
    assert np.all(early[sent & firing[owner]] > 0.0)
    assert np.all(early[sent & ~firing[owner]] < 0.0)
    counted = wiring.bundle[wiring.region[:600]]
    assert load == pytest.approx(counted * np.add.reduceat(np.abs(early), wiring.start[:-1]))


def test_sums_over_synapses(wiring):
    neurons, dt = 600, 0.1
    draw = generator(3, 0, "states")
    early, late = draw.uniform(-0.4, 0.8, (2, wiring.sender.size)).astype(np.float32)
    before = early.copy()
    trkb, contacts, scale = draw.uniform(0.5, 1.5, (3, neurons))
    advanced, weighed = np.zeros((2, neurons)), np.zeros((3, neurons))
    release = np.ones(wiring.region.size, np.float32)
    protein = draw.uniform(0.0, 0.1, neurons)
    owner = np.repeat(np.arange(neurons), np.diff(wiring.start))
    fading = early_step(S, dt)
    expected_late = [
        next_late(float(z), float(e), tagged_share(float(e), fading), late_step(S, protein[n], trkb[n], dt))
        for e, z, n in zip(early, late, owner, strict=True)
    ]
    network.refresh_release(S, trkb, release)
    network.advance_synapses(wiring, early, late, S, dt, trkb, contacts, scale, protein, release, *advanced, 0, neurons)
    network.weigh_synapses(wiring, early, late, contacts, scale, release, *weighed, 0, neurons)
    assert early == pytest.approx(before * np.exp(-dt / S.early_time), rel=1e-6)
    assert late == pytest.approx(np.array(expected_late), abs=1e-6)
    common = (contacts * scale)[owner] * release[wiring.sender]
    relative = common * (1.0 + early + late)
    mean_early = before * S.early_time / dt * (1.0 - np.exp(-dt / S.early_time))
    for neuron in (0, 300, 599):
        mine = owner == neuron
        weights, rates = wiring.weight[mine], wiring.rate[wiring.sender[mine]]
        driving = common[mine] * (1.0 + mean_early + late)[mine]
        drive = (driving * weights * rates).sum() / (weights * rates).sum()
        load = wiring.bundle[wiring.region[neuron]] * np.abs(early[mine]).sum()
        shares = [(early + late)[mine].__gt__(0.2).mean(), (late[mine] > 0.5).mean()]
        assert advanced[:, neuron] == pytest.approx([drive, load], rel=1e-5)
        assert weighed[:, neuron] == pytest.approx([relative[mine].mean(), *shares], rel=1e-5)


def test_sums_do_not_depend_on_how_neurons_are_shared_out(wiring):
    draw = generator(4, 0, "states")
    start = draw.uniform(-0.4, 0.8, (2, wiring.sender.size)).astype(np.float32)
    ones, release = np.ones(600), np.ones(wiring.region.size, np.float32)
    found = []
    for pieces in ([(0, 600)], [(0, 1), (1, 77), (77, 600)]):
        (early, late), advanced, weighed = start.copy(), np.zeros((2, 600)), np.zeros((3, 600))
        for first, last in pieces:
            network.advance_synapses(
                wiring, early, late, S, 0.25, ones, ones, ones, 0.1 * ones, release, *advanced, first, last
            )
            network.weigh_synapses(wiring, early, late, ones, ones, release, *weighed, first, last)
        found.append([array.tobytes() for array in (early, late, advanced, weighed)])
    assert found[0] == found[1]


def moments(levels, shares):
    """Means of movement, its square and its cube over a step of which shares are spent at levels."""
    return [float(np.dot(shares, np.power(levels, power))) for power in (1, 2, 3)]


def asked(levels, shares, exponent):
    """Mean of the power of input over a step, over that power of its mean, level by level."""
    whole = [(1.0 + P.movement_gain * level) ** exponent for level in levels]
    return np.dot(shares, whole) / (1.0 + P.movement_gain * np.dot(shares, levels)) ** exponent


@pytest.mark.parametrize("exponent", [1.0, 2.2, 4.12, 4.5])
@pytest.mark.parametrize(("levels", "shares"), [([0.0, 0.6], [0.5, 0.5]), ([0.3, 0.95], [0.9, 0.1])])
def test_two_levels_of_movement_within_a_step_count_exactly(levels, shares, exponent):
    found = anatomy.unevenness(P.movement_gain, exponent, *moments(levels, shares))
    assert found == pytest.approx(asked(levels, shares, exponent), rel=1e-9)
    assert found == pytest.approx(1.0) if exponent == 1.0 else found > 1.0


@given(
    levels=st.lists(st.floats(0.0, 1.0), min_size=3, max_size=6),
    weights=st.lists(st.floats(0.05, 1.0), min_size=6, max_size=6),
)
def test_many_levels_of_movement_count_to_half_a_per_cent(levels, weights):
    shares = np.array(weights[: len(levels)]) / sum(weights[: len(levels)])
    found = anatomy.unevenness(P.movement_gain, 4.12, *moments(levels, shares))
    assert found == pytest.approx(asked(levels, shares, 4.12), rel=0.005)


def test_even_movement_is_even_though_plasma_is_rounded():
    for level in (0.0, 0.1234567, 0.7654321, 1.0):
        rounded = [float(f"{level**power:.6e}") for power in (1, 2, 3)]
        assert anatomy.unevenness(P.movement_gain, 4.12, *rounded) == 1.0


def test_input_rises_with_movement():
    assert anatomy.input_activity(P, 0.0) == 1.0
    assert anatomy.input_activity(P, 0.6) == pytest.approx(1.0 + 0.6 * P.movement_gain)
