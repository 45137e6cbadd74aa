"""What exercise does to the blood itself: plasma leaves the vessels, the spleen gives off platelets.

Nothing here feeds back on the body's equations, whose concentrations hold at constant plasma volume; a laboratory's
samples feel all of it. Everything but the gain of plasma in the days after (`abm.body.hypervolaemia`) is a first-order
memory of what the intensity of the moment asks for, with one time constant where it asks for more and one where it asks
for less, and is solved exactly over intervals of constant intensity.
"""

from typing import Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body.hypervolaemia import HypervolaemiaParameters, plasma_gain
from abm.elementary import exponential, power
from abm.parameters import Unit

Vector = NDArray[np.float64]


ON_FOOT = frozenset({"running", "walking", "treadmill"})  # kinds of exercise in which the body stands


class HaemoconcentrationParameters(NamedTuple):
    """Constants of what exercise does to blood; sources in configs/parameters/body_haemoconcentration.yaml."""

    largest_plasma_loss: Annotated[float, Unit("1")]
    plasma_loss_half: Annotated[float, Unit("1")]
    plasma_loss_exponent: Annotated[float, Unit("1")]
    plasma_loss_on_foot: Annotated[float, Unit("1")]
    plasma_loss_time: Annotated[float, Unit("h")]
    haematocrit_at_rest: Annotated[float, Unit("1")]
    platelet_release: Annotated[float, Unit("1")]
    onset_time: Annotated[float, Unit("h")]
    recovery_time: Annotated[float, Unit("h")]
    exertion_exponent: Annotated[float, Unit("1")]
    platelet_life: Annotated[float, Unit("h")]


class ExerciseCourse(NamedTuple):
    """What a schedule asks of a body between `times` (n + 1, h).

    intensity: (n,), the share of the oxygen-uptake reserve. on_foot: (n,), whether it is walked or run.
    """

    times: Vector
    intensity: Vector
    on_foot: NDArray[np.bool_]


class BloodSample(NamedTuple):
    """The blood at the end of intervals, each of shape (n,): a sample is taken at a moment.

    plasma_volume; platelets per volume of plasma, as serum holds what they give off; platelet_count, per volume of
    blood, as a counter finds them: relative to the first time. plasma_gained: share by which plasma has grown since,
    which the loss of the moment is taken from. exertion: recent power of the intensity, 0 at rest and at most 1 at
    VO2max.
    """

    plasma_volume: Vector
    plasma_gained: Vector
    platelets: Vector
    platelet_count: Vector
    exertion: Vector


def plasma_loss(p: HaemoconcentrationParameters, intensity: Vector) -> Vector:
    """Share of plasma that has left the vessels in long cycling, L e^n / (e^n + K^n), e the share of uptake reserve.

    Papers do not agree: at 60 to 70 % of VO2max 6.5 % (pmid1425629), 11 % (bloomer2013) and 15.6 % (Hill 2008,
    hill2008) were found; at VO2max 18.6 % (Sullivan 1993, sullivan1993). It comes within a minute of hard work: 17.4 %
    in 30 s of sprinting (Whittlesey 1996, whittlesey1996), 17.2 % in 3 min at 105 % (pmid6693309).
    """
    levels, places = np.unique(intensity, return_inverse=True)  # most are 0
    ratio = np.array([power(value / p.plasma_loss_half, p.plasma_loss_exponent) for value in levels])[places]
    return p.largest_plasma_loss * ratio / (1.0 + ratio)


def effort(p: HaemoconcentrationParameters, intensity: Vector) -> Vector:
    """What exertion follows, min(e, 1)^n: BDNF of the blood rises little at low and much at high effort e.

    Six 40-s intervals at VO2max raise it 4-5 times as much as 90 min at 25 % (Gibbons 2023, gibbons2023). It rises with
    the lactate of the same bouts (Ferris 2007, ferris2007), but lactate given at rest does not raise it (Roja 2025,
    roja2025): the effort drives it, not the lactate. Beyond VO2max nothing was measured, and nothing is added.
    """
    levels, places = np.unique(intensity, return_inverse=True)
    powers: Vector = np.array([power(min(value, 1.0), p.exertion_exponent) for value in levels])[places]
    return powers


def haemoconcentration(
    p: HaemoconcentrationParameters, gain: HypervolaemiaParameters, course: ExerciseCourse
) -> BloodSample:
    """The blood along a course of exercise, rested and seated at its first time.

    v = (1 - loss) (1 + h);  platelets = (1 + g e) / v;  platelet_count = (1 + g e) / (H + (1 - H) v)

    Platelets gain from the spleen in proportion to the intensity e (Gibbons 2023, gibbons2023), and all that stays in
    the vessels for days is concentrated as plasma is lost and diluted as it is gained. Blood, of which red cells are
    the share H at rest, shrinks less than its plasma: so a count rises less than BDNF of serum. exertion x follows e^n.

    On foot the loss is a share of that of cycling: a runner has lost plasma by standing up and hardly loses more by
    running (Edwards 1984, edwards1984; pmid1425629). What is gained afterwards follows the intensity alone: running
    brings protein into the vessels without driving plasma out (edwards1984), and intervals on a treadmill leave as much
    of it a day later as on a bicycle (Nelson 2023, nelson2023).
    """
    cycling = plasma_loss(p, course.intensity)
    driven_out = np.where(course.on_foot, p.plasma_loss_on_foot, 1.0) * cycling
    asked = np.stack([driven_out, p.platelet_release * course.intensity, effort(p, course.intensity)])
    onset_times = np.array([p.plasma_loss_time, p.onset_time, p.onset_time])
    loss, released, exertion = remembered(np.diff(course.times), asked, onset_times, p.recovery_time)
    gained = plasma_gain(gain, course.times, cycling / p.largest_plasma_loss)
    volume = (1.0 - loss) * (1.0 + gained)
    blood_volume = p.haematocrit_at_rest + (1.0 - p.haematocrit_at_rest) * volume
    return BloodSample(volume, gained, (1.0 + released) / volume, (1.0 + released) / blood_volume, exertion)


def remembered(width: Vector, asked: Vector, onset_times: Vector, recovery_time: float) -> Vector:
    """First-order memories of what is asked (k, n) at the end of each interval (k, n), zero at the start, exactly.

    m' = (asked - m) / tau, with the onset's tau (k,) where m rises and the recovery's where it falls: after an interval
    w it is a + (m - a) e^(-w / tau). width: (n,), h.
    """
    ends, lengths = np.empty_like(asked), width.tolist()
    falling = {length: exponential(-length / recovery_time) for length in set(lengths)}
    for row, (wanted, onset_time) in enumerate(zip(asked.tolist(), onset_times.tolist(), strict=True)):
        rising = {length: exponential(-length / onset_time) for length in falling}
        memory = 0.0
        for i, length in enumerate(lengths):
            left = rising[length] if wanted[i] > memory else falling[length]
            memory = wanted[i] + (memory - wanted[i]) * left
            ends[row, i] = memory
    return ends


def mean_over_lives(p: HaemoconcentrationParameters, times: Vector, means: Vector, at: Vector) -> Vector:
    """Mean of a state over the birth times of the platelets that are in the blood at times `at`, h.

    A platelet keeps what it was loaded with when it was made and disappears after its life T (Fliedner 2002,
    fliedner2002), so that those in the blood at t were made evenly over [t - T, t]. means: (n,), of the state over the
    intervals of times (n + 1, h); before the first time it was 0.
    """
    sums = np.concatenate([[0.0], np.cumsum(means * np.diff(times))])
    found: Vector = (np.interp(at, times, sums) - np.interp(at - p.platelet_life, times, sums)) / p.platelet_life
    return found
