"""Compiled loops over voxels: consumption, the loss and source of each signal, and the sums of the ledger."""

import numpy as np
import numpy.typing as npt
from numba import njit

from abm.tissue.arrays import inner, total
from abm.tissue.ledger import CLEARED, CONSUMED, REMOVED, SECRETED, SUPPLIED, WASHED_OUT
from abm.tissue.parameters import TissueParameters
from abm.tissue.signals import BDNF, BHB, LACTATE

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.uint32]


@njit(cache=True, error_model="numpy")
def bhb_consumption(p: TissueParameters, bhb: float) -> float:
    """First-order rate at which the tissue burns BHB, per tissue volume (1/h).

    Michaelis-Menten in the extracellular concentration (mmol/L):  limit / (half + bhb).
    """
    return p.bhb_consumption_limit / (p.bhb_consumption_half + bhb)


@njit(cache=True, error_model="numpy")
def lactate_consumption(p: TissueParameters, bhb: float) -> float:
    """First-order rate at which the tissue burns lactate, per tissue volume (1/h).

    Ketones spare it:  k / (1 + bhb/half), bhb the extracellular concentration (mmol/L). Source: pan2000.
    """
    return p.lactate_consumption / (1.0 + bhb / p.ketone_sparing_half)


@njit(cache=True, error_model="numpy")
def consumption(p: TissueParameters, bhb: Floats, rates: Floats) -> None:
    """Write the consumption of BHB and lactate (1/h) at flat concentrations of BHB into rates (2, voxels)."""
    for i in range(bhb.size):
        rates[BHB, i] = bhb_consumption(p, bhb[i])
        rates[LACTATE, i] = lactate_consumption(p, bhb[i])


@njit(cache=True, error_model="numpy")
def assemble(
    signal: int,
    consumed: Floats,
    cleared: Floats,
    washed: Floats,
    outside: float,
    produced: float,
    capillary: Indices,
    influx: Floats,
    efflux: Floats,
    neuron: Indices,
    secretion: Floats,
    loss: Floats,
    source: Floats,
) -> float:
    """First-order loss (1/h) and source (concentration/h) of one signal per tissue volume; returns the sum of the loss.

    consumed, cleared, washed: rates by voxel (1/h); outside: concentration beyond open sides; produced: by the tissue
    (concentration/h); influx, efflux: by capillary voxel; secretion: by neuron (concentration/h in its voxel), of BDNF.
    """
    for i in range(loss.size):
        loss[i] = consumed[i] + cleared[i] + washed[i]
        source[i] = produced + washed[i] * outside
    for i in range(capillary.size):
        loss[capillary[i]] += efflux[i]
        source[capillary[i]] += influx[i]
    if signal == BDNF:
        for i in range(neuron.size):
            source[neuron[i]] += secretion[i]
    return total(loss)


@njit(cache=True, error_model="numpy")
def tally(
    signal: int,
    duration: float,
    consumed: Floats,
    cleared: Floats,
    washed: Floats,
    outside: float,
    produced: float,
    capillary: Indices,
    influx: Floats,
    efflux: Floats,
    secretion: Floats,
    integral: Floats,
    amounts: Floats,
) -> None:
    """Add what one advance moved to the amounts of this signal, in concentration x voxels; arguments as `assemble`.

    integral: flat time integral of the concentration over the advance (concentration h).
    """
    amounts[CONSUMED] += inner(consumed, integral)
    amounts[CLEARED] += inner(cleared, integral)
    amounts[WASHED_OUT] += inner(washed, integral) - outside * duration * total(washed)
    for i in range(capillary.size):
        amounts[SUPPLIED] += influx[i] * duration
        amounts[REMOVED] += efflux[i] * integral[capillary[i]]
    amounts[SECRETED] += produced * duration * integral.size
    if signal == BDNF:
        for i in range(secretion.size):
            amounts[SECRETED] += secretion[i] * duration
