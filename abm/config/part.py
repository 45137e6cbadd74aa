"""What all parts of the description share: strictness, notes, and things that repeat over days."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, GetJsonSchemaHandler, model_validator
from pydantic_core import core_schema

from abm.clock import DAY, WEEKDAYS
from abm.errors import Fault
from abm.units import Hours, Moment, PositiveHours

WEEK = 7 * DAY
SHORTEST_REPEAT = 1 / 60  # h
Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_LONG = dict(zip(("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), WEEKDAYS, strict=True))


class Part(BaseModel):
    """A part of the description: unknown keys are errors, and a note may say anything."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, use_attribute_docstrings=True)

    note: str | None = None
    """Anything worth telling a reader."""


def listify(value: Any) -> Any:
    """One entry or a list of entries -> a list."""
    return value if value is None or isinstance(value, list | tuple) else [value]


def _short_days(value: Any) -> Any:
    if value is None:
        return None
    return [_LONG.get(day.lower(), day.lower()) if isinstance(day, str) else day for day in listify(value)]


class Listed:
    """Marks a list that may also be written as its only entry; `read` turns what was written into a list."""

    def __init__(self, read: Callable[[Any], Any] = listify, also: dict[str, Any] | None = None) -> None:
        self.read, self.also = read, also

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(self.read, handler(source))

    def __get_pydantic_json_schema__(self, schema: Any, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        entries = handler(schema)
        return {"anyOf": [entries["items"], entries, *([self.also] if self.also else [])]}


OneOrMore = Listed()
Weekdays = Annotated[tuple[Weekday, ...], Listed(_short_days)]


class Repeating(Part):
    """Something that happens at a clock time on some days, or once at a time since time zero.

    A clock time ("07:30") repeats every day; `days` keeps weekdays (day 0 is a Monday), `first_day` and `last_day`
    keep what starts between those two times, `every` keeps each n-th day from the first possible one, or beside `days`
    each n-th week from that of the first possible one. A time since time zero ("20 h") happens once, or again after
    each `every`.
    """

    days: Annotated[Weekdays, Field(min_length=1)] | None = None
    """Weekdays, such as [mon, wed, fri]; day 0 is a Monday. Every day where absent."""
    first_day: Hours | None = None
    """Nothing starts before this time."""
    last_day: Hours | None = None
    """Nothing starts after this time."""
    every: PositiveHours | None = None
    """Repeat: whole days for a clock time, any time otherwise."""

    @property
    @abstractmethod
    def moment(self) -> Moment | None:
        """When it happens; None where something else decides."""

    @model_validator(mode="after")
    def _pattern(self) -> Self:
        moment = self.moment
        if self.every is not None and self.every < SHORTEST_REPEAT:
            raise Fault("repeats too often", expected="a minute or more", at=("every",))
        if moment is None or moment.clock:
            if self.every is not None and self.every % DAY:
                raise Fault(
                    "something at a clock time repeats after whole days", expected='days such as "2 d"', at=("every",)
                )
            if self.every is not None and self.days is not None and self.every % WEEK:
                raise Fault("beside 'days' it counts weeks", expected='weeks such as "14 d"', at=("every",))
        else:
            for key in ("days", "first_day"):
                if getattr(self, key) is not None:
                    expected = 'a clock time such as "07:30" for what repeats'
                    raise Fault(f"'{key}' does not go with a time since time zero", expected=expected, at=(key,))
            if self.last_day is not None and self.every is None:
                raise Fault(
                    "'last_day' does not go with something that happens once", expected="'every'", at=("last_day",)
                )
        if self.last_day is not None and self.last_day < (self.first_day or 0.0):
            raise Fault("before first_day", expected="first_day <= last_day", at=("last_day",))
        return self

    def occurrences(self, until: float) -> list[float]:
        """Times (h since time zero) at which it starts, before `until`."""
        moment = self.moment
        if moment is None:
            return []
        last = math.inf if self.last_day is None else self.last_day + 1e-9  # hours may be off by a rounding
        if moment.clock:
            # The first day that is late enough; hours may be off by a rounding.
            first = max(math.ceil(((self.first_day or 0.0) - moment.hours) / DAY - 1e-9), 0)
            days = range(first, math.ceil(until / DAY))
            times = [DAY * day + moment.hours for day in days if self._applies(day, first)]
            return [time for time in times if time <= last and time < until]
        if self.every is None:
            return [moment.hours] if moment.hours < until else []
        count = max(0, math.ceil((min(last, until) - moment.hours) / self.every) + 1)
        times = [moment.hours + index * self.every for index in range(count)]
        return [time for time in times if time <= last and time < until]

    def _applies(self, day: int, first: int) -> bool:
        """Whether it happens on a day, of those from `first` on."""
        if self.days is None:
            return self.every is None or (day - first) % round(self.every / DAY) == 0
        weeks = 1 if self.every is None else round(self.every / WEEK)
        begun = next(day for day in range(first, first + 7) if WEEKDAYS[day % 7] in self.days) // 7
        return WEEKDAYS[day % 7] in self.days and (day // 7 - begun) % weeks == 0
