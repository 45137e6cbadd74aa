"""The tissue: anatomy, capillaries, extracellular space, and the five signals under the barrier."""

import math

import numpy as np
import pytest
from numba import njit

from abm.barrier import Barrier, BarrierParameters, cross
from abm.parameters import load_parameters
from abm.signals import SIGNALS
from abm.sums import LANES, inner, inner_rows, padded_totals, total
from abm.tissue import Layer, Region, Tissue, TissueParameters
from abm.tissue.geometry import CELL_LAYERS, cell_layers, layer_map
from abm.tissue.kernels import bhb_consumption, lactate_consumption
from abm.tissue.medium import bdnf_memory, build_structure, storage_of
from abm.tissue.placement import Capillaries, Neurons, share_out
from abm.tissue.solver import precision_for
from abm.tissue.threads import advance_on

P = load_parameters(TissueParameters, "tissue")
BARRIER = load_parameters(BarrierParameters, "barrier")
SHARES = (1e6, 2e5, 3.115e5)
BLOOD = {"bhb": 0.4, "lactate": 2.0, "irisin": 0.3, "cortisol": 300.0}
BOUT = {"bhb": 1.0, "lactate": 8.0, "irisin": 0.6, "cortisol": 500.0}
BHB, LACTATE, IRISIN, CORTISOL, BDNF = range(5)


def lamella(neurons=500, seed=1, replicate=0, **options):
    return Tissue.draw(P, neurons, SHARES, seed, replicate, **options)


def small(seed=1, **options):
    return lamella(60, seed, size=(400.0, 400.0), **options)


@pytest.fixture(scope="module")
def whole():
    return lamella(2000)


# Anatomy


def test_neurons_are_shared_out_in_proportion(whole: Tissue) -> None:
    assert [int((whole.region == region).sum()) for region in Region] == [1323, 265, 412]
    assert share_out(7, (1.0, 1.0, 1.0)) == [3, 2, 2]
    assert sum(share_out(1001, SHARES)) == 1001


def test_neurons_lie_in_the_cell_layer_of_their_region(whole: Tissue) -> None:
    layers = whole.layers.reshape(-1)[whole.neuron_voxel]
    for region, layer in CELL_LAYERS.items():
        # The outermost cells of a thin layer fall into voxels that belong mostly to the next one.
        assert (layers[whole.region == region] == layer).mean() > 0.85


def test_neurons_are_sorted_by_voxel_and_inside(whole: Tissue) -> None:
    assert (np.diff(whole.neuron_voxel.astype(np.int64)) >= 0).all()
    column, row = (whole.positions // 25.0).astype(int).T
    assert (row * 64 + column == whole.neuron_voxel).all()
    assert whole.positions.min() >= 0.0
    assert whole.positions.max() < 1600.0


def test_the_transverse_coordinate_runs_along_the_loop(whole: Tissue) -> None:
    """CA3 begins between the blades of the dentate gyrus and ends where CA1 begins."""
    assert whole.transverse.min() >= 0.0
    assert whole.transverse.max() <= 1.0
    ends = {
        region: [whole.positions[(whole.region == region) & near].mean(axis=0) for near in (low, high)]
        for region in Region
        for low, high in [(whole.transverse < 0.05, whole.transverse > 0.95)]
    }
    assert np.linalg.norm(ends[Region.CA3][1] - ends[Region.CA1][0]) < 150.0
    upper, lower = ends[Region.DG]
    assert lower[1] < ends[Region.CA3][0][1] < upper[1]
    assert upper[1] < ends[Region.CA1][1][1]


def test_layers_are_as_thick_as_published(whole: Tissue) -> None:
    """Area of a band between distances a < b from a curve of length L that turns by t: L (b - a) +- t (b^2 - a^2) / 2.

    The outer side of a bend has the greater area. Of CA1's stratum radiatum, inside it, the dentate gyrus takes part.
    """
    size = (1600.0, 1600.0)
    curves = cell_layers(size, P)
    ca1, half = curves[Region.CA1], P.ca1_pyramidale / 2.0
    direction = np.unwrap(np.arctan2(ca1.normals[:, 1], ca1.normals[:, 0]))
    turn = abs(direction[-1] - direction[0])

    def band(width: float, side: float) -> float:
        return ca1.length * width + side * turn / 2.0 * ((half + width) ** 2 - half**2)

    areas = {
        Layer.GRANULE: curves[Region.DG].length * P.granule_layer,
        Layer.CA3_PYRAMIDALE: curves[Region.CA3].length * P.ca3_pyramidale,
        Layer.CA1_PYRAMIDALE: ca1.length * P.ca1_pyramidale,
        Layer.CA1_ORIENS: band(P.ca1_oriens, 1.0),
    }
    for voxel, layers in ((25.0, whole.layers), (12.5, layer_map(size, 12.5, curves, P))):
        found = {layer: (layers == layer).sum() * voxel**2 for layer in Layer}
        assert {layer: found[layer] for layer in areas} == pytest.approx(areas, rel=0.035)
        assert 0.9 < found[Layer.CA1_RADIATUM] / band(P.ca1_radiatum, -1.0) < 1.0


def test_every_layer_is_there(whole: Tissue) -> None:
    assert set(np.unique(whole.layers)) == {layer.value for layer in Layer}


def test_extracellular_space_follows_the_layers(whole: Tissue) -> None:
    cells = np.isin(whole.layers, list(CELL_LAYERS.values()))
    assert np.unique(whole.volume_fraction[cells]) == pytest.approx([0.127])
    assert np.unique(whole.tortuosity[cells]) == pytest.approx([1.75])
    radiatum = whole.layers == Layer.CA1_RADIATUM
    assert np.unique(whole.volume_fraction[radiatum]) == pytest.approx([0.218])
    assert np.unique(whole.tortuosity[radiatum]) == pytest.approx([1.5])


def test_storage_of_each_signal() -> None:
    storage = storage_of(np.full((1, 1, 1), 0.2), P).ravel()
    monocarboxylate = 0.2 + 0.58 * P.monocarboxylate_cell_ratio
    expected = [monocarboxylate, monocarboxylate, 0.2, 0.2 + 0.58 * P.steroid_cell_ratio, 0.2 * (1 + P.bdnf_binding)]
    assert storage == pytest.approx(expected)


def test_effective_diffusion_of_a_protein_is_the_measured_one() -> None:
    """NGF in striatum: 2.75e-7 cm^2/s at 34 C (stroh2003), 2.95e-7 at 37 C, where small ions meet 1.6."""
    structure = build_structure(np.full((1, 2, 2), 0.2), np.full((1, 2, 2), 1.6), 25.0, {}, P)
    effective = structure.diffusivity[BDNF] / 1.6**2 / 3600.0 / 1e8  # um^2/h -> cm^2/s
    assert effective == pytest.approx(2.95e-7, rel=0.02)


def test_an_open_side_is_half_a_voxel_away() -> None:
    """What lies beyond is met at the face: half the way, twice the conductance; in a corner of two sides both count."""
    fraction, tortuosity = np.full((1, 3, 8), 0.2), np.full((1, 3, 8), 1.6)
    open_left = build_structure(fraction, tortuosity, 25.0, {"left": "washout"}, P).washout
    between = 0.2 / 1.6**2 / 25.0**2
    assert open_left[0, :, 0] == pytest.approx(2.0 * between)
    assert (open_left[0, :, 1:] == 0.0).all()
    corner = build_structure(fraction, tortuosity, 25.0, {"left": "washout", "bottom": "washout"}, P).washout
    assert corner.max() == pytest.approx(4.0 * between)


def test_a_block_extrudes_the_lamella() -> None:
    block = lamella(100, size=(800.0, 600.0, 100.0))
    plane = lamella(100, size=(800.0, 600.0))
    assert block.concentration.shape == (5, 4, 24, 32)
    assert (block.layers == plane.layers).all()
    assert block.positions.shape == (100, 3)
    assert block.positions[:, 2].max() < 100.0
    voxel = np.floor(block.positions / 25.0).astype(int)
    assert ((voxel[:, 2] * 24 + voxel[:, 1]) * 32 + voxel[:, 0] == block.neuron_voxel).all()
    assert block.volume == pytest.approx(4 * plane.volume)


# Capillaries


@pytest.mark.parametrize("spacing", [40.0, 50.0, 80.0])
def test_capillaries_have_the_asked_density_and_carry_the_mean_surface(spacing: float) -> None:
    piece = lamella(10, spacing=spacing)
    vessels = piece.capillary_weight / piece.capillary_weight.min()
    density = vessels.sum() / (1600.0 * 1600.0)
    assert density == pytest.approx(4.0 / (math.pi * spacing**2), rel=0.05)
    assert piece.capillary_weight.sum() == pytest.approx(64 * 64)
    assert (np.diff(piece.capillary_voxel.astype(np.int64)) > 0).all()


def test_capillaries_are_more_regular_than_chance(whole: Tissue) -> None:
    """Vessels counted in squares of 100 um: far less spread than a Poisson count."""
    field = np.zeros(64 * 64)
    field[whole.capillary_voxel] = whole.capillary_weight / whole.capillary_weight.min()
    counts = field.reshape(16, 4, 16, 4).sum(axis=(1, 3))
    assert counts.var() < 0.5 * counts.mean()


def test_capillaries_of_a_block_differ_from_sheet_to_sheet() -> None:
    block = lamella(10, size=(400.0, 400.0, 50.0))
    sheets = [block.capillary_voxel[block.capillary_voxel // 256 == z] % 256 for z in (0, 1)]
    assert set(sheets[0]) != set(sheets[1])


# Reproducibility


def test_the_same_seed_draws_the_same_tissue() -> None:
    one, two, other = small(), small(), small(replicate=1)
    for name in ("positions", "region", "transverse", "neuron_voxel", "capillary_voxel", "capillary_weight"):
        assert np.array_equal(getattr(one, name), getattr(two, name))
    assert not np.array_equal(one.positions, other.positions)
    assert not np.array_equal(one.capillary_voxel, other.capillary_voxel)


def drive(piece: Tissue, barrier: Barrier, steps: int, start: int = 0) -> None:
    """Lactate up and down again, as in a session."""
    for step in range(start, start + steps):
        blood = BLOOD | {"lactate": 1.0 + 5.0 * math.exp(-(((step - 6) / 3.0) ** 2))}
        barrier.induce(blood, 0.1)
        influx, efflux = barrier.exchange(blood, piece.capillary_concentration(), piece.capillary_weight)
        piece.advance(0.1, influx, efflux, np.linspace(0.0, 2e4, piece.neuron_voxel.size))


def test_a_checkpoint_continues_bit_by_bit() -> None:
    through, first, second = small(), small(), small()
    barriers = Barrier(BARRIER), Barrier(BARRIER), Barrier(BARRIER)
    drive(through, barriers[0], 12)
    drive(first, barriers[1], 7)
    second.restore(first.checkpoint())
    barriers[2].restore(barriers[1].checkpoint())
    drive(second, barriers[2], 5, start=7)
    assert np.array_equal(second.concentration, through.concentration)
    assert np.array_equal(second.ledger.amounts, through.ledger.amounts)
    assert np.array_equal(second.step_error, through.step_error)
    assert np.array_equal(second.substeps, through.substeps)


@pytest.mark.parametrize("level", [1e-20, 1e-32, 1e-38, 1e-60, 1e-300])
def test_a_signal_may_die_away(level: float) -> None:
    tissue = small()
    tissue.concentration[0] = level * np.random.default_rng(5).uniform(0.5, 1.5, tissue.shape)
    tissue.ledger.stored[:] = tissue.stored()
    tissue.reset_ledger()
    for _ in range(3):
        tissue.advance(0.25)
    assert 0.0 <= tissue.concentration[0].min() <= tissue.concentration[0].max() <= 1.5 * level
    assert tissue.ledger.worst_residual.max() < 1e-12


def test_threads_do_not_change_the_bits() -> None:
    """The solver's text in the interpreter, passes on three threads, against the compiled solver."""
    one, three = (lamella(60, size=(1600.0, 1600.0, 75.0)) for _ in range(2))
    three._workers = 3
    draws = np.random.default_rng(4)
    for _ in range(3):
        vessels = (len(SIGNALS), one.capillary_voxel.size)
        rates = 50.0 * draws.random(vessels), 20.0 * draws.random(vessels), 1e4 * draws.random(60)
        for piece in (one, three):
            piece.advance(0.1, *rates)
    assert np.array_equal(one.concentration, three.concentration)
    assert np.array_equal(one.ledger.amounts, three.ledger.amounts)
    assert np.array_equal(one.iterations, three.iterations)
    assert advance_on(3) is not advance_on(1)


def test_sums() -> None:
    draws = np.random.default_rng(2)
    for n in (0, 1, 7, 8, 9, 31, 61, 100):
        a, b = draws.random(n), draws.random(n)
        assert np.array_equal(inner_rows(np.stack([a, b]), np.stack([b, b])), [inner(a, b), inner(b, b)])
        assert inner(a, b) == pytest.approx(float((a * b).sum()), rel=1e-14)
        assert total(a) == pytest.approx(float(a.sum()), rel=1e-14)


@njit
def totals_of(rows, size):
    return padded_totals((rows[0], rows[1], rows[2]), size)


@pytest.mark.parametrize("precision", [np.float32, np.float64])
def test_rows_are_added_up_side_by_side(precision) -> None:
    draws = np.random.default_rng(3)
    for n in (0, 1, 7, 8, 9, 58, 180):
        rows = draws.random((3, n + LANES + 1)).astype(precision)
        before = rows.copy()
        found = totals_of(rows, np.uint64(n))
        lanes = np.zeros((3, LANES), precision)
        for k in range(n):
            lanes[:, k % LANES] += before[:, k]
        pairs = lanes[:, ::2] + lanes[:, 1::2]
        fours = pairs[:, ::2] + pairs[:, 1::2]
        assert np.array_equal(np.array(found, precision), fours[:, 0] + fours[:, 1])
        assert not rows[:, n : n + LANES].any()
        assert np.array_equal(rows[:, -1], before[:, -1])
        exact = before[:, :n].astype(float).sum(axis=1)
        assert found == pytest.approx(exact, rel=1e-6 if precision is np.float32 else 1e-14)


# Signals


def settled(piece: Tissue, blood=BLOOD, secretion=None) -> Tissue:
    piece.settle(Barrier(BARRIER), blood, secretion)
    return piece


def test_settling_ends_in_a_steady_state() -> None:
    piece = settled(small(), secretion=np.full(60, 1e4))
    before = piece.content()
    influx, efflux = Barrier(BARRIER).exchange(BLOOD, piece.capillary_concentration(), piece.capillary_weight)
    piece.advance(5.0, influx, efflux, np.full(60, 1e4))
    assert piece.content() == pytest.approx(before, rel=1e-4)
    assert before.min() > 0.0


@pytest.mark.parametrize("seed", range(1, 5))
def test_a_tissue_with_an_open_side_settles_although_no_step_is_exact(seed: int) -> None:
    piece = settled(small(seed, boundaries={"top": "washout"}), secretion=np.full(60, 1e3))
    before = piece.content()
    influx, efflux = Barrier(BARRIER).exchange(BLOOD, piece.capillary_concentration(), piece.capillary_weight)
    piece.advance(100.0, influx, efflux, np.full(60, 1e3))
    assert piece.content() == pytest.approx(before, rel=1e-3)


def test_metabolites_settle_where_a_well_mixed_tissue_does() -> None:
    """Diffusion is so fast between capillaries that space hardly matters for BHB and lactate."""
    piece = settled(small())
    k = Barrier(BARRIER).rates
    bhb, lactate = 0.05, 1.5
    for _ in range(200):
        at = cross(k, BLOOD["bhb"], BLOOD["lactate"], bhb, lactate, 1.0)
        bhb = at.bhb_influx / (at.bhb_efflux + bhb_consumption(P, bhb))
        lactate = (at.lactate_influx + P.lactate_production) / (at.lactate_efflux + lactate_consumption(P, bhb))
    assert piece.concentration[BHB].mean() == pytest.approx(bhb, rel=0.02)
    assert piece.concentration[LACTATE].mean() == pytest.approx(lactate, rel=0.01)
    assert piece.concentration[LACTATE].std() < 0.02 * lactate


def test_the_exchange_with_blood_is_of_first_order_in_the_step() -> None:
    """Rates stand still for a step of the model; here of 3 min and parts of it, in the first minutes of a hard bout."""

    def after(steps: int) -> np.ndarray:
        piece, barrier = small(tolerance=1e-6), Barrier(BARRIER)
        piece.settle(barrier, BLOOD)
        for _ in range(steps):
            influx, efflux = barrier.exchange(BOUT, piece.capillary_concentration(), piece.capillary_weight)
            piece.advance(0.1 / steps, influx, efflux)
        return piece.content()[[BHB, LACTATE]]

    fine = after(64)
    errors = np.array([np.abs(after(steps) / fine - 1.0) for steps in (2, 4, 8)])
    assert (errors[:-1] > 1.9 * errors[1:]).all()
    assert errors.max() < 0.1


def test_finer_voxels_hold_the_same_amounts() -> None:
    """What metabolites and irisin amount to hardly depends on the voxel, and less with each halving of it."""
    coarse, usual, fine = (
        settled(small(voxel=voxel)).content()[[BHB, LACTATE, IRISIN]] for voxel in (50.0, 25.0, 12.5)
    )
    assert usual == pytest.approx(fine, rel=0.01)
    assert (np.abs(coarse - usual) > 1.9 * np.abs(usual - fine)).all()


def test_free_cortisol_is_that_of_plasma_and_irisin_is_scarce() -> None:
    piece = settled(small())
    assert piece.concentration[CORTISOL] == pytest.approx(0.05 * 300.0, rel=1e-3)
    influx, efflux = (
        rates[IRISIN].sum() / piece.layers.size
        for rates in Barrier(BARRIER).exchange(BLOOD, piece.capillary_concentration(), piece.capillary_weight)
    )
    well_mixed = influx / (efflux + P.irisin_clearance * piece.volume_fraction.mean())
    assert piece.concentration[IRISIN].mean() == pytest.approx(well_mixed, rel=0.05)
    assert well_mixed < 0.1 * BLOOD["irisin"]


def test_secreted_bdnf_stays_near_the_cells() -> None:
    piece = settled(lamella(300), secretion=np.full(300, 1e4))
    bdnf = piece.concentration[BDNF]
    cells = np.isin(piece.layers, list(CELL_LAYERS.values()))
    assert bdnf[cells].mean() > 2.0 * bdnf[piece.layers == Layer.OTHER].mean()
    # Secretion equals clearance plus what leaves through the barrier.
    lost = (
        P.bdnf_clearance * (piece.volume_fraction * bdnf).mean()
        + Barrier(BARRIER).rates.bdnf_permeability * bdnf.mean()
    )
    assert lost * piece.volume == pytest.approx(300 * 1e4, rel=0.02)


def test_binding_slows_bdnf_without_moving_its_steady_state() -> None:
    free = build(P._replace(bdnf_binding=0.0))
    bound = build(P._replace(bdnf_binding=30.0))
    secretion = np.full(60, 1e4)
    for piece in (free, bound):
        piece.advance(0.1, secretion=secretion)
    assert bound.concentration[BDNF].mean() < 0.2 * free.concentration[BDNF].mean()
    for piece in (free, bound):
        piece.advance(200.0, secretion=secretion)
    assert bound.concentration[BDNF] == pytest.approx(free.concentration[BDNF], rel=1e-3)


def test_bdnf_fades_with_its_memory_wherever_it_is() -> None:
    """Content phi c is lost at alpha k c, and phi / alpha is the same everywhere, so diffusion does not matter."""
    piece = build(P)
    piece.advance(1.0, secretion=np.full(60, 1e4))
    before = (piece.volume_fraction * piece.concentration[BDNF]).sum()
    piece.advance(2.0)
    after = (piece.volume_fraction * piece.concentration[BDNF]).sum()
    assert after / before == pytest.approx(np.exp(-2.0 / bdnf_memory(P)), rel=1e-3)


def build(parameters: TissueParameters) -> Tissue:
    return Tissue.draw(parameters, 60, SHARES, 1, size=(400.0, 400.0))


def test_ketones_spare_lactate() -> None:
    assert lactate_consumption(P, 0.0) == P.lactate_consumption
    assert lactate_consumption(P, P.ketone_sparing_half) == pytest.approx(0.5 * P.lactate_consumption)
    assert bhb_consumption(P, 0.0) * P.bhb_consumption_half == pytest.approx(P.bhb_consumption_limit)


def test_a_bath_holds_for_one_step() -> None:
    piece = small()
    piece.advance(0.1, bath=np.array([2.0, np.nan, np.nan, np.nan, np.nan]))
    assert (piece.concentration[BHB] == 2.0).all()
    assert piece.concentration[LACTATE].mean() != 2.0
    piece.advance(0.1)
    assert (piece.concentration[BHB] < 2.0).all()


def test_bdnf_of_a_bath_comes_on_top_of_the_own() -> None:
    """While the bath is there the difference is what it brings, everywhere; what it leaves is cleared, and all is
    accounted for.
    """
    bathed, alone = build(P), build(P)
    secretion = np.full(60, 1e4)
    bath = np.full(5, np.nan)
    for piece in (bathed, alone):
        piece.advance(1.0, secretion=secretion)
    for level in (3.0, 0.5):
        bath[BDNF] = level
        before = bathed.concentration[BDNF] - alone.concentration[BDNF]
        bathed.advance(0.5, secretion=secretion, bath=bath)
        alone.advance(0.5, secretion=secretion)
        if level == 3.0:
            met = bathed.mean_concentration[BDNF] - alone.mean_concentration[BDNF]
            assert met == pytest.approx(np.full(met.shape, 3.0), rel=1e-9)
        left = max(float(before.mean()) - level, 0.0) * math.exp(-0.5 / bdnf_memory(P))
        more = bathed.concentration[BDNF] - alone.concentration[BDNF]
        assert more == pytest.approx(np.full(more.shape, level + left), rel=2e-2)
        assert bathed.ledger.residual()[BDNF] < 1e-9
    copied = build(P)
    copied.restore(bathed.checkpoint())
    for piece in (bathed, copied):
        piece.advance(0.5, secretion=secretion, bath=bath)
    np.testing.assert_array_equal(bathed.concentration, copied.concentration)


def test_a_bath_of_bdnf_that_comes_back_takes_the_place_of_what_it_left() -> None:
    piece, alone, bath = build(P), build(P), np.full(5, np.nan)
    bath[BDNF] = 10.0
    for _ in range(4):
        for given, left in ((bath, 10.0), (None, 10.0 * math.exp(-0.5 / bdnf_memory(P)))):
            piece.advance(0.5, bath=given)
            alone.advance(0.5)
            more = piece.concentration[BDNF] - alone.concentration[BDNF]
            assert more == pytest.approx(np.full(more.shape, left), rel=1e-3)
            assert piece.ledger.residual()[BDNF] < 1e-9


def test_an_injection_raises_the_content() -> None:
    piece = small()
    piece.inject("bhb", 0.02)
    assert piece.content()[BHB] == pytest.approx(0.02)


def test_washout_carries_in_what_is_outside() -> None:
    """A slice in a bath: with every side open it comes to the bath's concentration, BDNF and consumption aside."""
    piece = small(boundaries={"front": "washout", "back": "washout"})
    for _ in range(20):
        piece.advance(0.5, outside=np.array([0.0, 0.0, 0.3, 20.0, 0.0]))
    assert piece.concentration[CORTISOL] == pytest.approx(20.0, rel=1e-3)
    assert piece.concentration[IRISIN] == pytest.approx(0.3, rel=1e-2)


@pytest.mark.parametrize(("tolerance", "rounding", "claimed"), [(1e-3, 1e-6, 1e-6), (1e-6, 1e-12, 1e-14)])
def test_a_uniform_tissue_is_solved_exactly(tolerance: float, rounding: float, claimed: float) -> None:
    """Without layers and vessels the steps are exact to the rounding of the precision that the tolerance asks for."""
    shape = (1, 8, 8)
    structure = build_structure(np.full(shape, 0.2), np.full(shape, 1.6), 25.0, {}, P)
    nobody = Neurons(np.empty((0, 2)), np.empty(0, np.int8), np.empty(0), np.empty(0, np.uint32))
    vessels = Capillaries(np.empty(0, np.uint32), np.empty(0))
    piece = Tissue(P, structure, 25.0, nobody, vessels, tolerance=tolerance)
    piece.inject("irisin", 1.0)
    piece.advance(3.0)
    assert piece.concentration[IRISIN] == pytest.approx(5.0 * math.exp(-3.0 * P.irisin_clearance), rel=rounding)
    assert piece.step_error[IRISIN] < claimed
    assert piece.ledger.residual().max() < 1e-12


def test_single_precision_is_used_where_it_makes_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounding of the solver's work against its tolerance, and fields kept in double precision in any case."""
    assert [precision_for(tolerance) for tolerance in (3e-4, 1e-5, 9e-6)] == [np.float32, np.float32, np.float64]
    single = small()
    with monkeypatch.context() as patch:
        patch.setattr("abm.tissue.fields.precision_for", lambda tolerance: np.float64)
        double = small()
    for piece in (single, double):
        drive(piece, Barrier(BARRIER), 12)
    assert single.concentration.dtype == double.concentration.dtype == np.float64
    assert (single._work.rate.dtype, double._work.rate.dtype) == (np.float32, np.float64)
    for signal in range(len(SIGNALS)):
        exact = double.concentration[signal]
        rounding = np.sqrt(np.mean((single.concentration[signal] - exact) ** 2) / np.mean(exact**2))
        assert 0.0 < rounding < 0.01 * single.tolerance
    assert single.ledger.residual().max() < 1e-12


def test_step_error_stays_below_the_tolerance() -> None:
    piece = small(tolerance=3e-4)  # for which lactate needs more than one sub-step in an hour of effort
    drive(piece, Barrier(BARRIER), 12)
    assert 0.0 < piece.step_error.max() <= piece.tolerance
    assert piece.substeps[LACTATE] > 12


def test_sizes_and_names_are_checked() -> None:
    with pytest.raises(ValueError, match="whole number of voxels"):
        lamella(size=(410.0, 400.0))
    with pytest.raises(ValueError, match="left"):
        small(boundaries={"port": "washout"})
    with pytest.raises(ValueError, match="no_flux"):
        small(boundaries={"left": "open"})
    with pytest.raises(ValueError, match="tolerance"):
        small(tolerance=0.5)
    with pytest.raises(ValueError, match="not in"):
        small().inject("glucose", 5.0)


def test_a_rate_that_is_not_a_number_is_an_error() -> None:
    piece = small()
    influx = np.zeros((len(SIGNALS), piece.capillary_voxel.size))
    influx[LACTATE, 0] = np.nan
    with pytest.raises(FloatingPointError, match="lactate"):
        piece.advance(0.1, influx, np.zeros_like(influx))


def test_a_tissue_that_does_not_come_to_rest_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("abm.tissue.fields.MOST_SETTLING_STEPS", 2)
    with pytest.raises(ArithmeticError, match="steady state"):
        settled(small())


def test_the_mean_of_a_step_is_what_passes_through_its_loss() -> None:
    """What was cleared in a step is clearance times the mean of the fields, however fast they fell meanwhile."""
    piece = small()
    for signal in ("irisin", "bdnf"):
        piece.inject(signal, 1.0)
    before = piece.content()
    piece.advance(0.5)
    lost = before - piece.content()
    k = piece.structure
    for signal in (IRISIN, BDNF):
        mean = (k.volume_fraction.ravel() * piece.mean_concentration[signal].ravel()).mean()
        assert lost[signal] == pytest.approx(0.5 * k.clearance[signal] * mean, rel=1e-6)
        assert piece.concentration[signal].mean() < piece.mean_concentration[signal].mean()


def test_what_a_bath_holds_is_held_on_the_mean_too() -> None:
    piece = small()
    piece.advance(0.2, bath=np.array([4.0, np.nan, np.nan, 2.0, np.nan]))
    assert (piece.mean_concentration[[BHB, CORTISOL]] == np.array([4.0, 2.0])[:, None, None]).all()
