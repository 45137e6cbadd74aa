"""What exercise does to the blood itself: plasma leaves the vessels, the spleen gives off platelets.

Neither feeds back on the body's equations, whose concentrations hold at constant plasma volume; a laboratory's samples
feel both. Everything here is a first-order memory of what the intensity of the moment asks for, with one time constant
during exercise and one after it, and is solved exactly over intervals of constant intensity.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.elementary import exponential, power
from abm.parameters import Unit

Vector = NDArray[np.float64]


class HaemoconcentrationParameters(NamedTuple):
    """Constants of what exercise does to blood; sources in configs/parameters/body_haemoconcentration.yaml."""

    largest_plasma_loss: Annotated[float, Unit("1")]
    plasma_loss_half: Annotated[float, Unit("1")]
    plasma_loss_exponent: Annotated[float, Unit("1")]
    platelet_release: Annotated[float, Unit("1")]
    onset_time: Annotated[float, Unit("h")]
    recovery_time: Annotated[float, Unit("h")]


class BloodSample(NamedTuple):
    """Means over intervals, each of shape (n,), relative to rest.

    plasma_volume; platelets: their concentration; exertion: recent squared intensity, 0 at rest and at most 1.
    """

    plasma_volume: Vector
    platelets: Vector
    exertion: Vector


def plasma_loss(p: HaemoconcentrationParameters, intensity: Vector) -> Vector:
    """Share of plasma that has left the vessels in long exercise at a fraction y of VO2max: L y^n / (y^n + K^n).

    After 30 min at 40, 60 and 80 % it is 9.9, 15.6 and 17.2 % (Hill 2008, hill2008).
    """
    ratio = np.array([power(value / p.plasma_loss_half, p.plasma_loss_exponent) for value in intensity])
    return p.largest_plasma_loss * ratio / (1.0 + ratio)


def haemoconcentration(p: HaemoconcentrationParameters, times: Vector, intensity: Vector) -> BloodSample:
    """The blood along `times` (n + 1, h) for an intensity (n,) that is 0 at rest; at the first time it is rested.

    v = 1 - loss;  platelets = (1 + g y) / v: they gain from the spleen in proportion to the intensity y (Gibbons 2023,
    gibbons2023), and all that stays in the vessels is concentrated as v shrinks; exertion follows y^2.
    """
    asked = np.stack([plasma_loss(p, intensity), p.platelet_release * intensity, intensity * intensity])
    loss, released, exertion = remembered(p, np.diff(times), asked, intensity > 0.0)
    return BloodSample(1.0 - loss, (1.0 + released) / (1.0 - loss), exertion)


def remembered(p: HaemoconcentrationParameters, width: Vector, asked: Vector, exercising: NDArray[np.bool_]) -> Vector:
    """Interval means (k, n) of k first-order memories of what is asked (k, n), zero at the start, exactly.

    m' = (asked - m) / tau: over an interval w the mean is a + (m - a) (tau / w) (1 - e^(-w / tau)).
    """
    means, memory = np.empty_like(asked), np.zeros(len(asked))
    for i, length in enumerate(width):
        tau = p.onset_time if exercising[i] else p.recovery_time
        kept = exponential(-length / tau)
        distance = memory - asked[:, i]
        means[:, i] = asked[:, i] + distance * (tau / length * (1.0 - kept))
        memory = asked[:, i] + distance * kept
    return means
