"""The five signals of a tissue over one step: loss and source of each, its advance, and the sums of the ledger."""

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential
from abm.loops import inlined, loop
from abm.signals import BDNF, BHB, LACTATE, SIGNALS
from abm.sums import inner, largest, total
from abm.tissue.ledger import CLEARED, CONSUMED, REMOVED, SECRETED, SUPPLIED, WASHED_OUT
from abm.tissue.solver import Medium, Work, advance_implicit
from abm.tissue.transform import Cosines, Shape

LARGEST_CHANGE = 0.1  # of what consumption hangs on, within a part of a step
SMALLEST_LOSS = 1e-12  # 1/h; less is none

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

    Michaelis-Menten in the extracellular concentration (mmol/L), of a capacity that does not grow with ketosis:
    limit / (half + bhb). What is burnt is limited by transport at low levels (blomqvist1995, mikkelsen2014).
    """
    return p.bhb_consumption_limit / (p.bhb_consumption_half + bhb)


@inlined
def lactate_consumption(p: Metabolism, bhb: float) -> float:
    """First-order rate at which the tissue burns lactate, per tissue volume (1/h).

    Ketones spare it:  k / (1 + bhb/half), bhb the extracellular concentration (mmol/L). Source: pan2000.
    """
    return p.lactate_consumption / (1.0 + bhb / p.ketone_sparing_half)


@inlined
def unhurried(p: Metabolism, bhb: float, change: float, time: float) -> float:
    """For how long (h) the consumption of BHB may be held: half + bhb, which it hangs on, changes by at most a tenth.

    change: of bhb now, mmol/L/h; it ends within a `time` (h), that of its loss.
    """
    allowed = LARGEST_CHANGE * (p.bhb_consumption_half + bhb)
    return math.inf if abs(change) * time <= allowed else allowed / abs(change)


@inlined
def mean_gain(change: float, time: float, duration: float) -> float:
    """What a concentration has gained on the mean over a duration (h): g T (1 - (1 - e^-x) / x), x = duration / T.

    change g: of it at the start, concentration/h, which ends with the time constant T.
    """
    x = duration / time
    return change * time * (1.0 - (1.0 - exponential(-x)) / x) if x > 1e-6 else 0.0


@loop
def foresee(t: MeanRates, fields: Floats, influx: Floats, efflux: Floats, duration: float, outside: Floats) -> None:
    """Take BHB and lactate outside the capillaries, (5, m), on to their means over the coming `duration` (h).

    Their exchange with blood saturates and each hinders the other's, so that rates which hold over a step should be
    those of its mean. All voxels are taken to gain alike, at the exchange of the start: fields (5, n) as they are then,
    influx and efflux (5, m) as in `Rates`.
    """
    n = fields.shape[1]
    bhb = total(fields[BHB]) / n
    for signal in (BHB, LACTATE):
        burnt = bhb_consumption(t.metabolism, bhb) if signal == BHB else lactate_consumption(t.metabolism, bhb)
        lost = burnt + t.clearance[signal]
        gained = t.production[signal] - lost * (total(fields[signal]) / n)
        gained += (total(influx[signal]) - inner(efflux[signal], outside[signal])) / n
        time = t.storage[signal] / max(lost + total(efflux[signal]) / n, SMALLEST_LOSS)
        risen = mean_gain(gained / t.storage[signal], time, duration)
        for i in range(outside.shape[1]):
            outside[signal, i] = max(outside[signal, i] + risen, 0.0)


@loop
def consumption(p: Metabolism, bhb: Floats, gained: float, rates: Floats) -> None:
    """Write the consumption of BHB and lactate (1/h) into rates (5, voxels), at concentrations of BHB (voxels,) that
    have all gained as much.
    """
    for i in range(bhb.size):
        met = max(bhb[i] + gained, 0.0)
        rates[BHB, i] = bhb_consumption(p, met)
        rates[LACTATE, i] = lactate_consumption(p, met)


@loop
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


@loop
def tally(
    k: Coefficients,
    rates: Rates,
    signal: int,
    duration: float,
    consumed: Floats,
    integral: Floats,
    amounts: Floats,
) -> None:
    """Add what one advance moved to the amounts (8,) of this signal, in concentration x voxels; see `assemble`.

    integral: flat time integral of the concentration over the advance (concentration h).
    """
    open_rate, produced, outside = k.diffusivity[signal], k.production[signal], rates.outside[signal]
    if signal in (BHB, LACTATE):
        amounts[CONSUMED] += inner(consumed, integral)
    if k.clearance[signal] > 0.0:
        amounts[CLEARED] += k.clearance[signal] * inner(k.fraction, integral)
    if k.open_sides > 0.0:
        amounts[WASHED_OUT] += open_rate * (inner(k.washout, integral) - outside * duration * k.open_sides)
    influx, efflux, removed = rates.influx[signal], rates.efflux[signal], 0.0
    for j in range(k.capillary.size):
        removed += efflux[j] * integral[k.capillary[j]]
    amounts[SUPPLIED] += duration * total(influx)
    amounts[REMOVED] += removed
    amounts[SECRETED] += produced * duration * integral.size
    if signal == BDNF:
        amounts[SECRETED] += duration * total(rates.secretion)


@loop
def add_share(mean: Floats, integral: Floats, share: float) -> None:
    """Add a share of what was integrated over part of a duration to the mean over all of it."""
    for i in range(mean.size):
        mean[i] += share * integral[i]


@loop
def advance_signals(
    metabolism: Metabolism,
    k: Coefficients,
    rates: Rates,
    duration: float,
    tolerance: float,
    fields: Floats,
    account: Account,
    work: Work,
    means: Floats,
    amounts: Floats,
    stored: Floats,
) -> None:
    """Advance all signals, fields (5, n), by `duration` (h), and write their means over it into means (5, n).

    BHB and lactate go in parts of it, each with the consumption of its mean, as short as `unhurried` says: where
    BHB is low it is burnt within a minute, and a step that kept the rate of its start would miss a drink of it.
    Writes what moved into amounts (5, 8), see `tally`, and what there is then into stored (5,), concentration x voxels.
    """
    n = fields.shape[1]
    consumed, loss, source, integral = np.zeros((len(SIGNALS), n)), np.empty(n), np.empty(n), np.empty(n)
    means[:] = 0.0
    passed, last = 0.0, False
    while not last:
        part = duration - passed
        consumption(metabolism, fields[BHB], 0.0, consumed)
        if math.isnan(rates.held[BHB]):
            assemble(k, rates, BHB, consumed[BHB], loss, source)
            change = (total(source) - inner(loss, fields[BHB])) / (n * k.mean_storage[BHB])
            time = n * k.mean_storage[BHB] / max(total(loss), SMALLEST_LOSS)
            part = min(part, unhurried(metabolism, total(fields[BHB]) / n, change, time))
            consumption(metabolism, fields[BHB], mean_gain(change, time, part), consumed)
        last = not part < (1.0 - 1e-9) * (duration - passed)  # so also where it is not a number
        part = duration - passed if last else part
        passed += part
        for signal in range(len(SIGNALS)):
            coupled = signal in (BHB, LACTATE)
            if not (coupled or last):
                continue
            if not math.isnan(rates.held[signal]):
                fields[signal] = means[signal] = rates.held[signal]
                stored[signal] = inner(k.storage[signal], fields[signal])
                continue
            length = part if coupled else duration
            assemble(k, rates, signal, consumed[signal], loss, source)
            medium = Medium(
                k.shape, k.storage[signal], loss, source, k.faces, k.eigenvalues, k.diffusivity[signal],
                k.mean_storage[signal], total(loss) / n, total(source) / n, largest(loss), k.mean_face, k.cosines,
            )  # fmt: skip
            step = min(account.next_step[signal], length)
            taken = advance_implicit(medium, length, step, tolerance, fields[signal], integral, work)
            account.next_step[signal] = taken.step
            account.step_error[signal] = max(account.step_error[signal], taken.error)
            account.substeps[signal] += taken.substeps
            account.iterations[signal] += taken.iterations
            tally(k, rates, signal, length, consumed[signal], integral, amounts[signal])
            add_share(means[signal], integral, 1.0 / duration)
            stored[signal] = inner(k.storage[signal], fields[signal])
