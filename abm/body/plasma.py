"""Plasma over a schedule: what the tissue sees of the body, as means over time steps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from abm.body.rates import Vector

SIGNIFICANT_DIGITS = 7
EXACT_POWER = 22.0  # the largest power of ten that a float holds exactly
NEAR_MIDDLE = 1e-6  # far more than the error of a product of 7 digits
SMALLEST = 10.0 ** (SIGNIFICANT_DIGITS - 1)  # integer with as many digits


@dataclass(frozen=True)
class Plasma:
    """Means over the steps between `edges` (T + 1, h); every other field but `before` has shape (T,).

    bhb, lactate, glucose, ffa: mmol/L. insulin: pmol/L. irisin, cortisol: nmol/L, cortisol total plasma hormone at
    constant plasma volume, corticosterone in rodents. glycogen: liver, mmol glucose per kg body mass. movement: share
    of the oxygen-uptake reserve, 0 to 1, the drive of movement to the entorhinal cortex and the septum; means of its
    powers, movement_squared and movement_cubed, say how unevenly a step is moved through. wakefulness: share of the
    step that the subject is awake, undisturbed. dexamethasone: multiples of its EC50 at the glucocorticoid receptors of
    the brain. two_deoxyglucose: mmol/L. bdnf_iv: dosed, nmol/L. Only
    samples feel the rest, which hold at the end of a step, before what is given then: sampled_bhb to sampled_bdnf,
    as above; fitness, 0 untrained, 1 trained; vo2max, maximal oxygen uptake at that fitness, mL/kg/min; plasma_volume,
    platelets per volume of plasma and platelet_count, per volume of blood, relative to time zero; plasma_gained, what
    exercise of the last days has added to the plasma, as a share; exertion, recent power of the intensity, 0 at rest;
    adaptation, fitness above that of the start, and platelet_adaptation, what it was on the mean when the platelets in
    the blood were made. before: the same of the hours before the first edge in which a fast had begun already, if any.
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
    movement: Vector
    movement_squared: Vector
    movement_cubed: Vector
    wakefulness: Vector
    dexamethasone: Vector
    two_deoxyglucose: Vector
    bdnf_iv: Vector
    sampled_bhb: Vector
    sampled_lactate: Vector
    sampled_glucose: Vector
    sampled_ffa: Vector
    sampled_irisin: Vector
    sampled_cortisol: Vector
    sampled_insulin: Vector
    sampled_glycogen: Vector
    sampled_bdnf: Vector
    fitness: Vector
    vo2max: Vector
    plasma_volume: Vector
    plasma_gained: Vector
    platelets: Vector
    platelet_count: Vector
    exertion: Vector
    adaptation: Vector
    platelet_adaptation: Vector
    before: Plasma | None = None

    @property
    def steps_before(self) -> int:
        """Steps of the hours before the first edge."""
        return 0 if self.before is None else len(self.before.edges) - 1

    def lived(self, name: str) -> Vector:
        """A column, the hours before the first edge included."""
        own: Vector = getattr(self, name)
        return own if self.before is None else np.concatenate([getattr(self.before, name), own])

    def from_time_zero(self) -> Plasma:
        """The plasma from time zero on, with what was before."""
        steps = int(np.searchsorted(self.edges, 0.0))
        if steps == 0:
            return self
        early = {name: getattr(self, name)[:steps] for name in PLASMA_COLUMNS}
        late = {name: getattr(self, name)[steps:] for name in PLASMA_COLUMNS}
        before = replace(self, edges=self.edges[: steps + 1], **early)
        return replace(self, edges=self.edges[steps:], **late, before=before)


PLASMA_COLUMNS = tuple(item.name for item in fields(Plasma) if item.name not in ("edges", "before"))


def rounded(values: Iterable[float]) -> NDArray[np.float64]:
    """Values to 7 significant digits: what lies beyond is error of the solution and should decide nothing
    downstream.

    A value is k / 10^p of an integer k with 7 digits, which is the float nearest to the decimal number; where it lies
    so near the middle of two of them, or p is so large, that the product says no more which, its decimals decide.
    """
    given = np.asarray(values if isinstance(values, np.ndarray) else list(values), np.float64)
    size = np.abs(given)
    with np.errstate(divide="ignore", invalid="ignore"):
        places = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(size))
        scale = 10.0 ** np.clip(places, 0.0, EXACT_POWER)
        scaled = size * scale
        found: NDArray[np.float64] = np.copysign(np.rint(scaled) / scale, given)
        middle = np.abs(scaled - np.floor(scaled) - 0.5)
        sure = (places >= 0.0) & (places <= EXACT_POWER) & (middle > NEAR_MIDDLE)
        sure &= (scaled >= SMALLEST) & (scaled < 10.0 * SMALLEST - 1.0)
    for i in np.flatnonzero(~sure & (given != 0.0)):
        found[i] = float(f"{given[i]:.{SIGNIFICANT_DIGITS - 1}e}")
    found[given == 0.0] = given[given == 0.0]
    return found
