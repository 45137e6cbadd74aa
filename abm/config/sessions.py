"""Exercise sessions: kind, intensity, duration, intervals, the weekly pattern and how a plan grows harder."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from abm.config.distance import DistanceText
from abm.config.intensity import ERGOMETRY, LOCOMOTION, Effort, EffortText, Grade, Intensity, IntensityText
from abm.config.part import WEEK, Part, Repeating
from abm.errors import Fault, listed
from abm.units import Fraction, Moment, PositiveHours, When

Kind = Literal["rest", "walking", "running", "cycling", "rowing", "treadmill", "wheel"]
Repeats = Annotated[int, Field(strict=True, ge=1, le=1000)]


class Intervals(Part):
    """Work and rest in turn: `repeats` times work with a rest between two works (none after the last)."""

    repeats: Repeats
    """How many times the work is done."""
    work: EffortText
    """Duration and intensity of the work."""
    rest: EffortText
    """Duration and intensity of the rest between; without an intensity it is passive."""

    @model_validator(mode="after")
    def _work_has_an_intensity(self) -> Self:
        if self.work.intensity is None:
            raise Fault("the work has no intensity", expected='text such as "60 s at 95 %VO2max"', at=("work",))
        return self


class Progression(Part):
    """How a plan changes from week to week, counted from `first_day`; after `weeks` weeks it stays as it is."""

    duration_per_week: PositiveHours | None = None
    """Added to the duration each week."""
    intensity_per_week: IntensityText | None = None
    """Added to the intensity (of the work) each week, in the unit of the intensity."""
    distance_per_week: DistanceText | None = None
    """Added to the distance each week."""
    repeats_per_week: Repeats | None = None
    """Added to the repeats of the intervals each week."""
    weeks: Annotated[int, Field(strict=True, ge=1)] | None = None
    """For how many weeks it goes on; to the end where absent."""


class Session(Repeating):
    """Exercise of one kind: at an `intensity` or over a `distance` for a `duration`, or as `intervals`."""

    kind: Kind
    """rest, walking, running, cycling, rowing, treadmill or wheel."""
    start: When
    """Clock time, on each day that applies; or a time since time zero, once."""
    duration: PositiveHours | None = None
    """How long a session lasts; that of intervals follows from them."""
    intensity: IntensityText | None = None
    """Of a continuous session; of a wheel, that of the running bouts. A power, a speed or an oxygen uptake stays as it
    is when training raises VO2max."""
    distance: DistanceText | None = None
    """Distance covered in a session, or "5 km/d" in each day of a longer one; over the time spent moving, the speed."""
    grade: Grade | None = None
    """Rise over run of a treadmill, where the intensity is a speed or a distance."""
    running_fraction: Annotated[Fraction, Field(gt=0)] | None = None
    """Part of the time in the wheel that is spent running, in bouts spread evenly; from the parameters where absent."""
    intervals: Intervals | None = None
    """Work and rest in turn."""
    warm_up: EffortText | None = None
    """Before the session proper, added to its duration."""
    cool_down: EffortText | None = None
    """After the session proper, added to its duration."""
    progression: Progression | None = None
    """How the session changes from week to week."""

    @property
    def moment(self) -> Moment:
        """When a session starts."""
        return self.start

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        given = [key for key in ("intensity", "distance", "intervals") if getattr(self, key) is not None]
        if self.kind == "rest":
            others = ("warm_up", "cool_down", "progression", "grade", "running_fraction")
            extra = given + [key for key in others if getattr(self, key) is not None]
            if extra:
                raise Fault(f"a session of rest has no {extra[0]}", expected="kind, start and duration", at=(extra[0],))
        elif not given:
            raise Fault("the session has no intensity", expected="one of intensity, distance and intervals")
        elif len(given) > 1:
            raise Fault(
                f"both {given[0]} and {given[1]}", expected="one of intensity, distance and intervals", at=(given[1],)
            )
        if self.intervals is not None and self.duration is not None:
            raise Fault("intervals have their own duration", expected="no duration beside intervals", at=("duration",))
        if self.intervals is None and self.duration is None:
            raise Fault("the session has no duration", expected='a time such as "45 min"')
        return self

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        for key, kinds in (
            ("distance", LOCOMOTION),
            ("grade", ("walking", "running", "treadmill")),
            ("running_fraction", ("wheel",)),
        ):
            if getattr(self, key) is not None and self.kind not in kinds:
                raise Fault(f"'{key}' does not go with {self.kind}", expected=f"it with {listed(kinds)}", at=(key,))
        if self.kind == "wheel" and (self.intervals or self.warm_up or self.cool_down):
            key = "intervals" if self.intervals else "warm_up" if self.warm_up else "cool_down"
            raise Fault(
                f"a wheel is run voluntarily and has no {key}",
                expected="kind: treadmill for a forced protocol",
                at=(key,),
            )
        if self.grade is not None and not (self.distance or "m/min" in [i.unit for _, i in self._named_intensities()]):
            raise Fault("a share of VO2max is one on any grade", expected="a speed or a distance", at=("grade",))
        for at, (value, unit) in self._named_intensities():
            if value == 0.0 and at in (("intensity",), ("intervals", "work")):
                raise Fault("nothing is done at an intensity of 0", expected="more than 0, or kind: rest", at=at)
            fits = {"W/kg": ERGOMETRY, "m/min": LOCOMOTION}.get(unit)
            if fits and self.kind not in fits:
                raise Fault(
                    f"{unit} says nothing about {self.kind}", expected=f'{listed(fits)}, or "65 %VO2max"', at=at
                )
        return self

    @model_validator(mode="after")
    def _progression_fits(self) -> Self:
        growth = self.progression
        if growth is None:
            return self
        needs: tuple[tuple[str, Any, str], ...] = (
            ("duration_per_week", self.duration, "a duration"),
            ("intensity_per_week", self.intensity or self.intervals, "an intensity"),
            ("distance_per_week", self.distance, "a distance"),
            ("repeats_per_week", self.intervals, "intervals"),
        )
        for key, there, name in needs:
            if getattr(growth, key) is not None and there is None:
                raise Fault(f"'{key}' needs {name}", expected=f"a session with {name}", at=("progression", key))
        base = self.intensity or (self.intervals.work.intensity if self.intervals else None)
        if growth.intensity_per_week and base and growth.intensity_per_week.unit != base.unit:
            raise Fault("not the unit of the intensity", expected=base.unit, at=("progression", "intensity_per_week"))
        return self

    def _named_intensities(self) -> list[tuple[tuple[str, ...], Intensity]]:
        """Every intensity of the session with the key it stands under."""
        efforts: dict[tuple[str, ...], Effort | None] = {("warm_up",): self.warm_up, ("cool_down",): self.cool_down}
        if self.intervals:
            efforts |= {("intervals", "work"): self.intervals.work, ("intervals", "rest"): self.intervals.rest}
        named = [
            (("intensity",), self.intensity),
            *((at, effort and effort.intensity) for at, effort in efforts.items()),
        ]
        return [(at, intensity) for at, intensity in named if intensity is not None]

    def week(self, start: float) -> int:
        """How many weeks the plan has grown by the session that starts at `start` (h)."""
        first = self.first_day or (0.0 if self.start.clock else self.start.hours)
        weeks = int((start - first) / WEEK + 1e-9)  # hours may be off by a rounding
        limit = self.progression.weeks if self.progression else None
        return weeks if limit is None else min(weeks, limit)

    def efforts(self, week: int = 0) -> list[Effort]:
        """The stretches of a session in a week of the plan, in order."""
        return [effort for _, effort in self.named_efforts(week)]

    def named_efforts(self, week: int = 0) -> list[tuple[tuple[str, ...], Effort]]:
        """The stretches of a session in a week of the plan, in order, each with the key it stands under."""
        growth = self.progression or Progression()
        main: list[tuple[tuple[str, ...], Effort]]
        if self.intervals is not None:
            effort = self.intervals.work
            work = Effort(effort.duration, _grown(effort.intensity, growth.intensity_per_week, week))
            repeats = self.intervals.repeats + week * (growth.repeats_per_week or 0)
            again = [(("intervals", "rest"), self.intervals.rest), (("intervals", "work"), work)]
            main = [(("intervals", "work"), work), *again * (repeats - 1)]
        else:
            duration = self._planned_duration(week)
            key = "distance" if self.distance else "intensity"
            main = [((key,), Effort(duration, self._continuous(duration, growth, week)))]
        before = [] if self.warm_up is None else [(("warm_up",), self.warm_up)]
        after = [] if self.cool_down is None else [(("cool_down",), self.cool_down)]
        return [*before, *main, *after]

    def _continuous(self, duration: float, growth: Progression, week: int) -> Intensity | None:
        if self.distance is None or self.kind == "wheel":
            return _grown(self.intensity, growth.intensity_per_week, week)
        return Intensity(self.kilometres(week) * 1000 / (duration * 60), "m/min")

    def kilometres(self, week: int = 0) -> float:
        """Distance covered in a session of a week of the plan."""
        growth = self.progression.distance_per_week if self.progression else None
        duration = self._planned_duration(week)
        covered = self.distance.over(duration) if self.distance else 0.0
        return covered + (week * growth.over(duration) if growth else 0.0)

    def _planned_duration(self, week: int) -> float:
        """Duration of what has no intervals in a week of the plan, without warm-up and cool-down, h."""
        growth = self.progression.duration_per_week if self.progression else None
        return (self.duration or 0.0) + week * (growth or 0.0)

    def length(self, week: int = 0) -> float:
        """Duration of a session in a week of the plan, h."""
        return sum(effort.duration for effort in self.efforts(week))


def _grown(intensity: Intensity | None, growth: Intensity | None, week: int) -> Intensity | None:
    if intensity is None or growth is None:
        return intensity
    return Intensity(intensity.value + week * growth.value, intensity.unit)
