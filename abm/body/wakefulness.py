"""When a subject is awake: by the clock of its species, and by the lights of the animal house."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body.rates import Vector
from abm.clock import DAY
from abm.parameters import Unit, load_parameters

if TYPE_CHECKING:
    from abm.config import Subject

LIGHTS = (7.0, 19.0)  # clock hours at which they go on and off in the parameter files


class WakefulnessParameters(NamedTuple):
    """Constants of sleep and waking; sources in configs/parameters/body_wakefulness.yaml."""

    active_from: Annotated[float, Unit("h")]
    active_until: Annotated[float, Unit("h")]
    awake_when_active: Annotated[float, Unit("1")]
    awake_at_rest: Annotated[float, Unit("1")]


def wakefulness_parameters(subject: Subject) -> WakefulnessParameters:
    """Constants of a subject; where lights go on and off at other hours, so does the active part of the day."""
    p = load_parameters(WakefulnessParameters, "body_wakefulness", subject.species, subject.overrides)
    later_on, later_off = (own - usual for own, usual in zip(subject.lights, LIGHTS, strict=True))
    return p._replace(active_from=(p.active_from + later_off) % DAY, active_until=(p.active_until + later_on) % DAY)


def share_awake(p: WakefulnessParameters, edges: Vector) -> Vector:
    """Share of each step between `edges` (T + 1, h from a midnight) that an undisturbed subject is awake, (T,).

    `awake_when_active` in the active part of the day and `awake_at_rest` in the rest of it; exact for edges anywhere.
    """
    active = np.diff(_active_hours(p, edges)) / np.diff(edges)
    found: Vector = p.awake_at_rest + (p.awake_when_active - p.awake_at_rest) * active
    return found


def share_awake_in_exercise(p: WakefulnessParameters, times: Vector, exercising: NDArray[np.bool_]) -> Vector:
    """Share of each interval between `times` (T + 1, h) that a subject is awake, (T,): all of it where one exercises.

    exercising: (T,), for as long as a session lasts, whatever the hour, with the pauses between its intervals. A wheel
    is no such session: rodents run in it when they are awake, which the share awake at those hours counts already.
    """
    found: Vector = np.where(exercising, 1.0, share_awake(p, times))
    return found


def _active_hours(p: WakefulnessParameters, hours: Vector) -> Vector:
    """Hours of active parts of days that have passed since the first of them began on day 0; less than 0 before."""
    days, since = np.divmod(hours - p.active_from, DAY)
    length = (p.active_until - p.active_from) % DAY
    found: Vector = days * length + np.minimum(since, length)
    return found
