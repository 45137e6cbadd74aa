"""Plasma over a schedule: what the tissue sees of the body, as means over time steps."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from abm.body.rates import Vector

SIGNIFICANT_DIGITS = 7


@dataclass(frozen=True)
class Plasma:
    """Means over the steps between `edges` (T + 1, h); every other field has shape (T,).

    bhb, lactate, glucose, ffa: mmol/L. insulin: pmol/L. irisin, cortisol: nmol/L, cortisol total plasma hormone at
    constant plasma volume, corticosterone in rodents. glycogen: liver, mmol glucose per kg body mass. fitness: 0
    untrained, 1 trained. vo2max: maximal oxygen uptake at that fitness, mL/kg/min. movement: share of the oxygen-uptake
    reserve, 0 to 1, the drive of movement to the entorhinal cortex and the septum. dexamethasone: multiples of its EC50
    at the glucocorticoid receptor. two_deoxyglucose: mmol/L. bdnf_iv: dosed, nmol/L. Only samples of blood feel these
    six, which hold at the end of a step: plasma_volume and platelets, their concentration, relative to time zero;
    plasma_gained, what exercise of the last days has added to the plasma, as a share; exertion, recent power of the
    intensity, 0 at rest; adaptation, fitness above that of the start, and platelet_adaptation, what it was on the mean
    when the platelets in the blood were made.
    """

    edges: Vector
    bhb: Vector
    lactate: Vector
    glucose: Vector
    ffa: Vector
    irisin: Vector
    cortisol: Vector
    insulin: Vector
    glycogen: Vector
    fitness: Vector
    vo2max: Vector
    movement: Vector
    dexamethasone: Vector
    two_deoxyglucose: Vector
    bdnf_iv: Vector
    plasma_volume: Vector
    plasma_gained: Vector
    platelets: Vector
    exertion: Vector
    adaptation: Vector
    platelet_adaptation: Vector


def rounded(values: Iterable[float]) -> NDArray[np.float64]:
    """Values to 7 significant digits: what lies beyond is error of the solution and should decide nothing
    downstream.
    """
    return np.array([float(f"{value:.{SIGNIFICANT_DIGITS - 1}e}") for value in values])
