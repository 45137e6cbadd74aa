"""Conservation of mass: what goes in equals what goes out plus the change, for every signal at every hand-over."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abm.parameters import load_parameters
from abm.signals import SIGNALS
from abm.tissue import Tissue, TissueParameters
from abm.tissue.ledger import TERMS

CLOSED = 1e-9
PARAMETERS = load_parameters(TissueParameters, "tissue")
SIZES = {"section": (400.0, 300.0), "block": (200.0, 150.0, 75.0)}
SIDES = ("left", "right", "bottom", "top", "front", "back")


def tissue(size="section", boundaries=None, tolerance=1e-3, seed=1):
    return Tissue.draw(
        PARAMETERS, 60, (1e6, 2e5, 3e5), seed, size=SIZES[size], boundaries=boundaries, tolerance=tolerance
    )


def forcing(piece, draws):
    vessels = (len(SIGNALS), piece.capillary_voxel.size)
    return {
        "influx": 50.0 * draws.random(vessels),
        "efflux": 20.0 * draws.random(vessels),
        "secretion": 1e4 * draws.random(piece.neuron_voxel.size),
    }


def account(piece):
    """Every term recomputed from the ledger's own table."""
    for row in piece.ledger.table().values():
        gained = row["initial"] + row["supplied"] + row["injected"] + row["secreted"] + row["held"]
        spent = row["removed"] + row["consumed"] + row["cleared"] + row["washed_out"]
        yield abs(gained - spent - row["stored"]) / (abs(gained) + abs(spent) + row["stored"] + 1e-300)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("boundaries", [{}, {"left": "washout", "back": "washout"}, dict.fromkeys(SIDES, "washout")])
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32 - 1), step=st.floats(1e-4, 3.0), tolerance=st.floats(1e-6, 0.1))
def test_the_balance_closes(size: str, boundaries: dict[str, str], seed: int, step: float, tolerance: float) -> None:
    draws = np.random.default_rng(seed)
    piece = tissue(size, boundaries, tolerance)
    for _ in range(3):
        piece.advance(step, **forcing(piece, draws), outside=draws.random(len(SIGNALS)))
        assert max(piece.ledger.worst_residual) < CLOSED
        assert piece.concentration.min() >= 0.0
    assert max(piece.ledger.residual()) < CLOSED
    assert max(account(piece)) < CLOSED
    assert np.isfinite(piece.ledger.amounts).all()


def test_the_balance_closes_over_many_steps() -> None:
    piece, draws = tissue(boundaries={"top": "washout"}), np.random.default_rng(3)
    for _ in range(300):
        piece.advance(0.1, **forcing(piece, draws))
    assert max(piece.ledger.residual()) < CLOSED


def test_baths_and_injections_are_on_the_account() -> None:
    piece, draws = tissue(), np.random.default_rng(4)
    piece.inject("lactate", 0.5)
    piece.advance(0.1, **forcing(piece, draws), bath=np.array([0.8, np.nan, np.nan, 20.0, np.nan]))
    piece.advance(0.1, **forcing(piece, draws))
    table = piece.ledger.table()
    assert max(piece.ledger.residual()) < CLOSED
    assert table["bhb"]["held"] == pytest.approx(0.8 * capacity(piece, 0))
    assert table["lactate"]["injected"] == pytest.approx(0.5 * piece.volume)
    assert table["cortisol"]["held"] == pytest.approx(20.0 * capacity(piece, 3))


def capacity(piece, row):
    """Amount in the tissue per unit of concentration."""
    return piece.voxel_volume * piece.structure.storage[row].sum()


def test_each_term_counts_what_it_says() -> None:
    """One signal, one advance, every term against its definition."""
    piece, draws = tissue(boundaries={"left": "washout"}), np.random.default_rng(5)
    given_rates = forcing(piece, draws)
    piece.advance(0.05, **given_rates)
    amounts = dict(zip(TERMS, piece.ledger.amounts[SIGNALS.index("bdnf")], strict=True))
    volume, bdnf = piece.voxel_volume, SIGNALS.index("bdnf")
    assert amounts["supplied"] == pytest.approx(given_rates["influx"][bdnf].sum() * volume * 0.05, rel=1e-12)
    assert amounts["secreted"] == pytest.approx(given_rates["secretion"].sum() * 0.05, rel=1e-12)
    assert amounts["consumed"] == amounts["injected"] == amounts["held"] == 0.0
    assert min(amounts["removed"], amounts["cleared"], amounts["washed_out"]) > 0.0
    lactate = dict(zip(TERMS, piece.ledger.amounts[SIGNALS.index("lactate")], strict=True))
    assert lactate["secreted"] == pytest.approx(PARAMETERS.lactate_production * piece.volume * 0.05, rel=1e-12)
    assert lactate["consumed"] > 0.0


ROUTES = {  # signal, and by what way alone it goes
    "consumed": "bhb",
    "removed": "cortisol",
    "cleared": "irisin",
    "washed_out": "cortisol",
}


@pytest.mark.parametrize("route", ROUTES)
def test_what_goes_one_way_is_booked_there(route: str) -> None:
    """All that is lost stands under the only way out, and by clearance alone it is 1 - exp(-k t) of what was there."""
    piece = tissue(boundaries={"left": "washout"} if route == "washed_out" else None)
    signal, hours = SIGNALS.index(ROUTES[route]), 0.2
    efflux = np.zeros((len(SIGNALS), piece.capillary_voxel.size))
    efflux[signal] = 20.0 if route == "removed" else 0.0
    piece.inject(ROUTES[route], 1.0)
    piece.advance(hours, efflux=efflux)
    row = piece.ledger.table()[ROUTES[route]]
    lost = row["injected"] - row["stored"]
    assert lost > 0.01 * row["injected"]
    assert {name: row[name] for name in ROUTES} == pytest.approx(dict.fromkeys(ROUTES, 0.0) | {route: lost}, rel=1e-9)
    if route == "cleared":
        assert lost == pytest.approx(row["injected"] * -np.expm1(-PARAMETERS.irisin_clearance * hours), rel=1e-3)


def test_results_do_not_depend_on_the_cadence() -> None:
    """Under constant rates one long step, many short ones and tighter sub-steps tell the same story."""
    draws = np.random.default_rng(6)
    rates = forcing(tissue(), draws)
    whole, parts, fine = tissue(tolerance=1e-4), tissue(tolerance=1e-4), tissue(tolerance=1e-7)
    # With BHB held the consumption of lactate is linear, so that the cadence plays no part.
    rates["bath"] = np.array([0.2, np.nan, np.nan, np.nan, np.nan])
    for piece in (whole, parts, fine):
        piece.concentration[0] = 0.2
        piece.reset_ledger()
    whole.advance(0.5, **rates)
    fine.advance(0.5, **rates)
    for _ in range(50):
        parts.advance(0.01, **rates)
    assert fine.substeps[1] > 3 * whole.substeps[1]
    for piece in (whole, parts):
        assert piece.concentration == pytest.approx(fine.concentration, rel=2e-3)
        assert piece.ledger.amounts == pytest.approx(fine.ledger.amounts, rel=2e-3)


def test_reset_opens_a_new_account() -> None:
    piece, draws = tissue(), np.random.default_rng(7)
    piece.advance(0.1, **forcing(piece, draws))
    piece.reset_ledger()
    assert (piece.ledger.amounts == 0.0).all()
    assert piece.ledger.initial == pytest.approx(piece.stored())
    assert piece.substeps.sum() == 0
    piece.advance(0.1, **forcing(piece, draws))
    assert max(piece.ledger.residual()) < CLOSED
