"""The five signals in a piece of tissue that is everywhere alike: blood, barrier and tissue without space.

Each signal obeys the equation of `abm.tissue` without diffusion, phi dc/dt = source - loss c, with the exchange of the
mean of a step held over it and consumption over its parts, as they are there, so that a part is exact. It stands for
the surroundings of the expected neuron (`abm.expectation`), which hardly vary over a small piece of tissue, and takes
thousands of steps in a millisecond.
"""

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.barrier import BarrierParameters, Rates, cross_all, induce, induced_carriers
from abm.elementary import exponential
from abm.loops import compiled
from abm.signals import BDNF, BHB, LACTATE, SIGNALS
from abm.tissue.kernels import (
    SMALLEST_LOSS,
    MeanRates,
    bhb_consumption,
    foresee,
    lactate_consumption,
    mean_gain,
    unhurried,
)

Floats = npt.NDArray[np.float64]


class Piece(NamedTuple):
    """Constants of a piece of tissue; concentrations in mmol/L, of proteins and steroids nmol/L.

    secretion: of BDNF by its neurons, concentration/h; perfused: whether blood reaches it.
    """

    tissue: MeanRates
    barrier: BarrierParameters
    passage: Rates
    secretion: float
    perfused: bool


class Surroundings(NamedTuple):
    """What a piece of tissue meets over T steps.

    plasma (T, 5): means of each step; carriers (T,): what a blocker leaves of MCT1; injected (T, 5): amount per tissue
    volume put in at the start of a step; held (T, 5): concentration at which a bath holds a signal, of BDNF what it
    adds, NaN where free.
    """

    plasma: Floats
    carriers: Floats
    injected: Floats
    held: Floats


class Course(NamedTuple):
    """Concentrations after each step, and on the mean over each, (T, 5)."""

    ends: Floats
    means: Floats


@compiled
def well_mixed(p: Piece, met: Surroundings, step: float, concentration: Floats, induction: Floats) -> Course:
    """Concentrations in T steps of `step` h, from `concentration` (5,) and MCT1 `induction` (3,).

    Both are advanced in place; see `Tissue.advance` and `Barrier` for the rates.
    """
    count, tissue = len(met.carriers), p.tissue
    ends, means, weight = np.empty((count, len(SIGNALS))), np.zeros((count, len(SIGNALS))), np.ones(1)
    influx, efflux = np.zeros((len(SIGNALS), 1)), np.zeros((len(SIGNALS), 1))
    consumed, bathed, faded = np.zeros(len(SIGNALS)), 0.0, 1.0
    for k in range(count):
        plasma, carriers = met.plasma[k], met.carriers[k]
        for i in range(len(SIGNALS)):
            concentration[i] += met.injected[k, i] / tissue.storage[i]
        if p.perfused:
            induce(p.barrier, induction, plasma[BHB], carriers * plasma[LACTATE], step)
            active = carriers * induced_carriers(p.barrier, induction[0], induction[2])
            outside = concentration.copy().reshape(-1, 1)
            cross_all(p.passage, plasma, outside, weight, active, influx, efflux)
            foresee(tissue, concentration.reshape(-1, 1), influx, efflux, step, outside)
            cross_all(p.passage, plasma, outside, weight, active, influx, efflux)
        added = 0.0 if math.isnan(met.held[k, BDNF]) else met.held[k, BDNF]
        still = min(bathed, added)  # see `abm.tissue.Tissue.advance`
        concentration[BDNF] -= still
        passed, last = 0.0, False
        while not last:  # in parts, see `abm.tissue.kernels.advance_signals`
            part, bhb = step - passed, concentration[BHB]
            if math.isnan(met.held[k, BHB]):
                loss = bhb_consumption(tissue.metabolism, bhb) + tissue.clearance[BHB] + efflux[BHB, 0]
                change = (tissue.production[BHB] + influx[BHB, 0] - loss * bhb) / tissue.storage[BHB]
                time = tissue.storage[BHB] / max(loss, SMALLEST_LOSS)
                part = min(part, unhurried(tissue.metabolism, bhb, change, time))
                bhb = max(bhb + mean_gain(change, time, part), 0.0)
            last = not part < (1.0 - 1e-9) * (step - passed)
            part = step - passed if last else part
            passed += part
            consumed[LACTATE] = lactate_consumption(tissue.metabolism, bhb)
            consumed[BHB] = bhb_consumption(tissue.metabolism, bhb)
            for i in range(len(SIGNALS)):
                coupled = i in (BHB, LACTATE)
                if not (coupled or last):
                    continue
                if i != BDNF and not math.isnan(met.held[k, i]):
                    concentration[i] = means[k, i] = met.held[k, i]
                    continue
                source = tissue.production[i] + influx[i, 0] + (p.secretion if i == BDNF else 0.0)
                loss = consumed[i] + tissue.clearance[i] + efflux[i, 0]
                length = part if coupled else step
                change = (source - loss * concentration[i]) / tissue.storage[i]
                time = tissue.storage[i] / max(loss, SMALLEST_LOSS)
                means[k, i] += (concentration[i] + mean_gain(change, time, length)) * length / step
                kept = exponential(-loss / tissue.storage[i] * length)
                faded = kept if i == BDNF else faded
                gained = source / loss * (1.0 - kept) if loss > 0.0 else source / tissue.storage[i] * length
                concentration[i] = concentration[i] * kept + gained
        concentration[BDNF] += added
        means[k, BDNF] += added
        bathed = added + (bathed - still) * faded
        ends[k] = concentration
    return Course(ends, means)
