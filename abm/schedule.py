"""Schedules as plain numbers: bouts of exercise, meals, doses and blocks on one time axis.

The body and the model read a Timeline; nothing here depends on how it was described. Times are hours since time zero
(midnight of day 0, a Monday), intensities fractions of the subject's own VO2max.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from abm.clock import DAY
from abm.parameters import Unit, load_parameters

if TYPE_CHECKING:
    from abm.config import Capacity, Fast, Schedule, Session, Subject

SIMULTANEOUS = 1e-6  # h
SESSION_GAP = 1.0  # h
Floats = NDArray[np.float64]
# A block of the class removes the same part of each of its members.
CLASSES = {"HDAC1": "class_I_HDAC", "HDAC2": "class_I_HDAC", "HDAC3": "class_I_HDAC"}


class Bout(NamedTuple):
    """Exercise from `start` to `end` (h) at one intensity: the whole oxygen uptake as a fraction of VO2max.

    fixed: whether this is a power, a speed or an oxygen uptake, which training makes a smaller fraction of VO2max; then
    the intensity is that of time zero.
    """

    start: float
    end: float
    intensity: float
    kind: str
    fixed: bool = False


class Meal(NamedTuple):
    """A meal from `start` to `end` (h); carbohydrate in g per kg of body mass, eaten evenly."""

    start: float
    end: float
    carbohydrate: float


class Dose(NamedTuple):
    """Something given from `at` for `duration` (h; 0 is a bolus).

    amount, in total: oral, iv, ip, sc in mmol/kg for ketone_ester, bhb, lactate, glucose, 2-deoxyglucose and in
    nmol/kg for irisin, corticosterone, dexamethasone, bdnf; icv in nmol; bath in mmol/L or nmol/L likewise, the
    concentration held during `duration` (of bdnf added to the tissue's own).
    """

    what: str
    route: str
    amount: float
    at: float
    duration: float


class Block(NamedTuple):
    """A mechanism that from `start` to `end` (h) lacks `fraction` (0 to 1) of its activity.

    loss: whether part of it is gone (knock-down, knock-out), and not held by a drug.
    """

    target: str
    fraction: float
    start: float
    end: float
    loss: bool = False


def lasts(start: float, end: float, hour: float) -> bool:
    """Whether what lasts from start to end (h) does so in the step, or at the meal, that begins at an hour, to 1e-6 h.

    A clock counts in whole steps and is rounded, where 20 min are a third of an hour.
    """
    return start <= hour + SIMULTANEOUS < end


class MealParameters(NamedTuple):
    """When and how much is eaten (configs/parameters/meals.yaml)."""

    daily_carbohydrate: Annotated[float, Unit("g/kg")]
    meal_duration: Annotated[float, Unit("h")]
    breakfast: Annotated[float, Unit("h")]
    lunch: Annotated[float, Unit("h")]
    dinner: Annotated[float, Unit("h")]
    breakfast_share: Annotated[float, Unit("1")]
    lunch_share: Annotated[float, Unit("1")]
    rodent_meal_interval: Annotated[float, Unit("h")]
    rodent_dark_share: Annotated[float, Unit("1")]


@dataclass(frozen=True)
class Timeline:
    """What happens in one arm of an experiment until `duration` (h).

    bouts: sorted, not overlapping, intervals expanded; a passive rest is the absence of a bout. light: clock hours at
    which the lights of the animal house go on and off. begin: midnight of the first day that is no resting day, 0 or,
    where a fast before the first session took a meal away, earlier (h).
    """

    name: str
    duration: float
    bouts: tuple[Bout, ...] = ()
    meals: tuple[Meal, ...] = ()
    doses: tuple[Dose, ...] = ()
    blocks: tuple[Block, ...] = ()
    light: tuple[float, float] = (7.0, 19.0)
    begin: float = 0.0

    def intensity(self, t: ArrayLike) -> Floats:
        """Fraction of VO2max of time zero at times t (h), any shape; 0 outside bouts, where the body is at rest."""
        times = np.asarray(t, dtype=np.float64)
        starts, ends, levels = self._columns
        if not starts.size:
            return np.zeros_like(times)
        index = np.searchsorted(starts, times, side="right") - 1
        inside = (index >= 0) & (times < ends[index])
        return np.where(inside, levels[index], 0.0)

    def mean_intensity(self, edges: ArrayLike) -> Floats:
        """Mean of intensity(t) over each step, exactly; edges (T+1,) in h -> (T,)."""
        times = np.asarray(edges, dtype=np.float64)
        starts, ends, levels = self._columns
        if not starts.size:
            return np.zeros(max(times.size - 1, 0))
        before = np.concatenate([[0.0], np.cumsum((ends - starts) * levels)])
        index = np.maximum(np.searchsorted(starts, times, side="right") - 1, 0)
        within = np.clip(times - starts[index], 0.0, ends[index] - starts[index])
        return np.diff(before[index] + levels[index] * within) / np.diff(times)

    def remaining_activity(self, target: str, t: float, loss: bool | None = None) -> float:
        """Activity of a mechanism left at time t (h), 0 to 1: the product of 1 - fraction over the blocks on it.

        A block of class_I_HDAC acts on HDAC1, HDAC2 and HDAC3. loss: what losses alone leave, or what drugs alone do;
        default: both.
        """
        names = {target, CLASSES.get(target, target)}
        left = (
            1.0 - block.fraction
            for block in self.blocks
            if block.target in names and loss in (None, block.loss) and lasts(block.start, block.end, t)
        )
        return math.prod(left, start=1.0)  # a float even of nothing: whole numbers compile all loops anew

    @cached_property
    def sessions(self) -> tuple[tuple[float, float], ...]:
        """When each session begins and ends, h; bouts less than an hour apart are one session."""
        spans: list[tuple[float, float]] = []
        for bout in self.bouts:
            if spans and bout.start - spans[-1][1] < SESSION_GAP:
                spans[-1] = (spans[-1][0], bout.end)
            else:
                spans.append((bout.start, bout.end))
        return tuple(spans)

    @cached_property
    def _columns(self) -> tuple[Floats, Floats, Floats]:
        """Starts, ends and intensities of the bouts."""
        columns = np.array([bout[:3] for bout in self.bouts], dtype=np.float64).reshape(-1, 3)
        return columns[:, 0], columns[:, 1], columns[:, 2]


def compile_schedule(schedule: Schedule, subject: Subject, duration: float, name: str = "") -> Timeline:
    """The timeline of a schedule for a subject, up to `duration` (h)."""
    # The description is imported when a schedule is compiled, so that reading a timeline needs no schema.
    from abm.config import capacity, dose_amount

    of_subject = capacity(subject.species, subject.training, subject.condition, subject.overrides)
    bouts = [bout for session in schedule.sessions for bout in _bouts(session, duration, of_subject)]
    doses = [
        Dose(dose.what, dose.route, amount, at, dose.duration or (duration - at if dose.route == "bath" else 0.0))
        for dose in schedule.doses
        for amount in [dose_amount(dose.what, dose.route, dose.amount, dose.duration or 0.0, subject.overrides)]
        for at in dose.occurrences(duration)
    ]
    blocks = [
        Block(block.target, block.fraction, block.start, min(block.start + length, duration), key != "blocks")
        for key, _, block in schedule.all_blocks()
        for length in [block.duration or math.inf]
    ]
    meals, begin = _meals(schedule, subject, duration)
    return Timeline(
        name=name,
        duration=duration,
        bouts=tuple(sorted(bouts)),
        meals=tuple(sorted(meals)),
        doses=tuple(sorted(doses, key=lambda dose: (dose.at, dose.what, dose.route))),
        blocks=tuple(sorted(blocks, key=lambda block: (block.start, block.target))),
        light=subject.lights,
        begin=begin,
    )


def resting_timeline(subject: Subject, duration: float = DAY) -> Timeline:
    """A life at rest with the usual meals, as in the burn-in."""
    from abm.config import Schedule

    return compile_schedule(Schedule(), subject, duration, "rest")


def _bouts(session: Session, duration: float, of_subject: Capacity) -> list[Bout]:
    """The bouts of a session on every day it takes place, cut off at the end of the run."""
    found: list[Bout] = []
    for start in session.occurrences(duration):
        week = session.week(start)
        if session.kind == "wheel":
            found += _wheel_bouts(session, start, week, of_subject, duration)
            continue
        for effort in session.efforts(week):
            if effort.intensity is not None and session.kind != "rest":
                level = of_subject.fraction(effort.intensity, session.kind, session.grade or 0.0)
                found.append(Bout(start, start + effort.duration, level, session.kind, effort.intensity.fixed))
            start += effort.duration
    return [
        bout._replace(end=min(bout.end, duration)) for bout in found if bout.start < duration and bout.intensity > 0
    ]


def _wheel_bouts(session: Session, start: float, week: int, of_subject: Capacity, duration: float) -> list[Bout]:
    """Voluntary running: bouts and pauses in turn, evenly spread, so that the given part of the time is spent running.

    Of those that begin within the run.

    A distance is covered in the time spent running, distance / (duration * running fraction) being the speed. Real
    mice run most in the first hours of the dark; the even spread leaves that out.
    """
    from abm.config.checks import wheel_running

    parameters = of_subject.parameters
    length = session.length(week)
    running, intensity = wheel_running(session, week, of_subject)
    level = of_subject.fraction(intensity, "wheel")
    share = running / length
    if parameters.wheel_bout <= 0.0:
        raise ArithmeticError("bouts of no length in the wheel (schedule.wheel_bout)")
    count = 1 if share >= 1 else max(1, round(running / parameters.wheel_bout))
    period = length / count
    starts = [start + k * period for k in range(min(count, math.ceil((duration - start) / period)))]
    return [Bout(begin, begin + share * period, level, "wheel", intensity.fixed) for begin in starts]


def _spans(schedule: Schedule, until: float) -> list[tuple[float, float]]:
    """When each session that starts before `until` begins and ends, h."""
    found = [(start, start + s.length(s.week(start))) for s in schedule.sessions for start in s.occurrences(until)]
    return sorted(found)


def _meals(schedule: Schedule, subject: Subject, duration: float) -> tuple[list[Meal], float]:
    """Usual meals outside fasts and the meals of the schedule itself, and from which midnight (h) they are given."""
    parameters = load_parameters(MealParameters, "meals", subject.species, subject.overrides)
    usual = _rodent_meals(parameters, subject.lights) if subject.species == "mouse" else _human_meals(parameters)
    fasts = [span for meal in schedule.meals if meal.fast for span in _fasts(meal.fast, schedule, duration)]

    def eaten(day: int) -> list[Meal]:
        starts = [(DAY * day + meal.start, meal.carbohydrate) for meal in usual]
        return [
            Meal(start, start + parameters.meal_duration, carbohydrate)
            for start, carbohydrate in starts
            if start < duration and not any(lasts(first, last, start) for first, last in fasts)
        ]

    if any(meal.start >= DAY for meal in usual):
        raise ArithmeticError("a usual meal at no hour of the day (meals.breakfast, meals.lunch, meals.dinner)")
    days = range(math.floor(min([0.0, *(first for first, _ in fasts)]) / DAY), math.ceil(duration / DAY))
    begin = next((day for day in days if day < 0 and len(eaten(day)) < len(usual)), 0)
    # A meal that runs past midnight is eaten to its end, on the first night too.
    found = [meal for day in range(begin - 1, days.stop) for meal in eaten(day) if meal.end > DAY * begin]
    for meal_plan in schedule.meals:
        carbohydrate = meal_plan.carbohydrate
        if carbohydrate is None:
            continue
        length = meal_plan.duration or parameters.meal_duration
        eating = [(at, at + length) for at in meal_plan.occurrences(duration)]
        times = _spans(schedule, duration) if meal_plan.during else eating
        found += [Meal(start, end, carbohydrate.over(end - start)) for start, end in times]
    return found, DAY * begin


def _fasts(fast: Fast, schedule: Schedule, duration: float) -> list[tuple[float, float]]:
    """From when to when a fast takes the usual meals away, also ahead of a session that comes after the end."""
    ahead = fast.before_sessions
    if ahead is not None:
        return [(start - ahead, end) for start, end in _spans(schedule, duration + ahead)]
    return [(start, start + (fast.duration or math.inf)) for start in fast.occurrences(duration)]


def _human_meals(parameters: MealParameters) -> list[Meal]:
    """Breakfast, lunch and dinner of a day."""
    p = parameters
    dinner_share = 1 - p.breakfast_share - p.lunch_share
    if min(p.breakfast_share, p.lunch_share, dinner_share) < -1e-9:  # the difference is rounded
        raise ArithmeticError("breakfast, lunch and dinner are not shares of a day's food (meals.breakfast_share)")
    shares = ((p.breakfast, p.breakfast_share), (p.lunch, p.lunch_share), (p.dinner, dinner_share))
    return [Meal(start, start + p.meal_duration, share * p.daily_carbohydrate) for start, share in shares]


def _rodent_meals(parameters: MealParameters, lights: tuple[float, float]) -> list[Meal]:
    """Small meals at even intervals over a day, about as long as asked for, larger in the dark, where there is one."""
    p = parameters
    if not 0.0 < p.rodent_meal_interval <= DAY:
        raise ArithmeticError("meals must come at least once a day, and not all at once (meals.rodent_meal_interval)")
    meals = max(round(DAY / p.rodent_meal_interval), 1)
    starts = [index * DAY / meals for index in range(meals)]
    on, off = lights
    dark = [start for start in starts if not ((on <= start < off) if on < off else (start >= on or start < off))]
    bright = len(starts) - len(dark)
    in_dark = p.rodent_dark_share if dark and bright else 1.0
    share = {
        start: in_dark / len(dark) if start in dark else (1.0 - in_dark if dark else 1.0) / bright for start in starts
    }
    return [Meal(start, start + p.meal_duration, share[start] * p.daily_carbohydrate) for start in starts]
