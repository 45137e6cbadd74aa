"""The five signals of a tissue over one step: loss and source of each, its advance, and the sums of the ledger."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.loops import entry, inlined
from abm.signals import BDNF, BHB, LACTATE, SIGNALS
from abm.sums import inner, largest, total
from abm.tissue.ledger import CLEARED, CONSUMED, REMOVED, SECRETED, SUPPLIED, WASHED_OUT
from abm.tissue.solver import Medium, Work, advance_implicit
from abm.tissue.transform import Cosines, Shape

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.uint32]
Counts = npt.NDArray[np.int64]


class Metabolism(NamedTuple):
    """The parameters of the tissue that consumption hangs on; see `abm.tissue.parameters.TissueParameters`."""

    bhb_consumption_limit: float
    bhb_consumption_half: float
    lactate_consumption: float
    ketone_sparing_half: float


class Coefficients(NamedTuple):
    """What stays the same of a tissue of n voxels, flat; see `abm.tissue.medium.Structure`."""

    shape: Shape
    storage: Floats  # (5, n)
    faces: npt.NDArray[Any]  # (3, n), in the precision of the solver's work
    fraction: Floats  # (n,)
    washout: Floats  # (n,)
    open_sides: float  # its sum
    eigenvalues: Floats
    diffusivity: Floats  # (5,)
    clearance: Floats  # (5,)
    production: Floats  # (5,) by the tissue, concentration/h
    mean_storage: Floats  # (5,)
    mean_face: float
    capillary: Indices  # (m,) voxels
    neuron: Indices  # voxels
    cosines: Cosines  # tables of the transforms, in the precision of the solver's work


class MeanRates(NamedTuple):
    """What the signals of a tissue hang on, mean over its volume.

    storage (5,): distribution volume per tissue volume; clearance (5,): first-order, with what open sides wash out,
    1/h; production (5,): by the tissue, concentration/h.
    """

    metabolism: Metabolism
    storage: Floats
    clearance: Floats
    production: Floats


class Rates(NamedTuple):
    """What drives a tissue during one step."""

    influx: Floats  # (5, m) by capillary voxel, concentration/h
    efflux: Floats  # (5, m) 1/h
    secretion: Floats  # by neuron, of BDNF, concentration/h in its voxel
    outside: Floats  # (5,) concentration beyond open sides
    held: Floats  # (5,) concentration at which a signal is held, NaN where it is free


class Account(NamedTuple):
    """What the advance of a tissue keeps about each signal; rows are signals."""

    next_step: Floats  # sub-step to try first, h
    step_error: Floats  # largest relative local error
    substeps: Counts
    iterations: Counts


@inlined
def bhb_consumption(p: Metabolism, bhb: float) -> float:
    """First-order rate at which the tissue burns BHB, per tissue volume (1/h).

    Michaelis-Menten in the extracellular concentration (mmol/L):  limit / (half + bhb).
    """
    return p.bhb_consumption_limit / (p.bhb_consumption_half + bhb)


@inlined
def lactate_consumption(p: Metabolism, bhb: float) -> float:
    """First-order rate at which the tissue burns lactate, per tissue volume (1/h).

    Ketones spare it:  k / (1 + bhb/half), bhb the extracellular concentration (mmol/L). Source: pan2000.
    """
    return p.lactate_consumption / (1.0 + bhb / p.ketone_sparing_half)


@entry
def consumption(p: Metabolism, bhb: Floats, rates: Floats) -> None:
    """Write the consumption of BHB and lactate (1/h) at concentrations of BHB (voxels,) into rates (5, voxels)."""
    for i in range(bhb.size):
        rates[BHB, i] = bhb_consumption(p, bhb[i])
        rates[LACTATE, i] = lactate_consumption(p, bhb[i])


@entry
def assemble(k: Coefficients, rates: Rates, signal: int, consumed: Floats, loss: Floats, source: Floats) -> None:
    """First-order loss (1/h) and source (concentration/h) of one signal per tissue volume.

    consumed: (n,) consumption, 1/h.
    """
    clearance, open_rate, produced = k.clearance[signal], k.diffusivity[signal], k.production[signal]
    outside = rates.outside[signal]
    for i in range(loss.size):
        washed = open_rate * k.washout[i]
        loss[i] = consumed[i] + clearance * k.fraction[i] + washed
        source[i] = produced + washed * outside
    influx, efflux = rates.influx[signal], rates.efflux[signal]
    for j in range(k.capillary.size):
        loss[k.capillary[j]] += efflux[j]
        source[k.capillary[j]] += influx[j]
    if signal == BDNF:
        for j in range(k.neuron.size):
            source[k.neuron[j]] += rates.secretion[j]


@entry
def tally(
    k: Coefficients,
    rates: Rates,
    signal: int,
    duration: float,
    consumed: Floats,
    integral: Floats,
    amounts: Floats,
) -> None:
    """Write what one advance moved into the amounts (8,) of this signal, in concentration x voxels; see `assemble`.

    integral: flat time integral of the concentration over the advance (concentration h).
    """
    open_rate, produced, outside = k.diffusivity[signal], k.production[signal], rates.outside[signal]
    if signal in (BHB, LACTATE):
        amounts[CONSUMED] = inner(consumed, integral)
    if k.clearance[signal] > 0.0:
        amounts[CLEARED] = k.clearance[signal] * inner(k.fraction, integral)
    if k.open_sides > 0.0:
        amounts[WASHED_OUT] = open_rate * (inner(k.washout, integral) - outside * duration * k.open_sides)
    influx, efflux, removed = rates.influx[signal], rates.efflux[signal], 0.0
    for j in range(k.capillary.size):
        removed += efflux[j] * integral[k.capillary[j]]
    amounts[SUPPLIED], amounts[REMOVED] = duration * total(influx), removed
    amounts[SECRETED] = produced * duration * integral.size
    if signal == BDNF:
        amounts[SECRETED] += duration * total(rates.secretion)


@entry
def advance_signals(
    metabolism: Metabolism,
    k: Coefficients,
    rates: Rates,
    duration: float,
    tolerance: float,
    fields: Floats,
    account: Account,
    work: Work,
    amounts: Floats,
    stored: Floats,
) -> None:
    """Advance all signals, fields (5, n), by `duration` (h).

    Writes what moved into amounts (5, 8), see `tally`, and what there is then into stored (5,), concentration x voxels.
    """
    n = fields.shape[1]
    consumed, loss, source, integral = np.zeros((len(SIGNALS), n)), np.empty(n), np.empty(n), np.empty(n)
    consumption(metabolism, fields[BHB], consumed)
    for signal in range(len(SIGNALS)):
        if not math.isnan(rates.held[signal]):
            fields[signal] = rates.held[signal]
            stored[signal] = inner(k.storage[signal], fields[signal])
            continue
        assemble(k, rates, signal, consumed[signal], loss, source)
        medium = Medium(
            k.shape, k.storage[signal], loss, source, k.faces, k.eigenvalues, k.diffusivity[signal],
            k.mean_storage[signal], total(loss) / n, total(source) / n, largest(loss), k.mean_face, k.cosines,
        )  # fmt: skip
        step = min(account.next_step[signal], duration)
        taken = advance_implicit(medium, duration, step, tolerance, fields[signal], integral, work)
        account.next_step[signal] = taken.step
        account.step_error[signal] = max(account.step_error[signal], taken.error)
        account.substeps[signal] += taken.substeps
        account.iterations[signal] += taken.iterations
        tally(k, rates, signal, duration, consumed[signal], integral, amounts[signal])
        stored[signal] = inner(k.storage[signal], fields[signal])
