"""Types of the configuration that are written as text with a unit and are plain numbers once read."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

from abm.errors import Fault
from abm.units.conversion import convert, convert_time, dimension_name, quantity_text

if TYPE_CHECKING:
    from pydantic_core import core_schema

_CLOCK = re.compile(r"\s*([01]?\d|2[0-3]):([0-5]\d)\s*")


class FromText:
    """Marks a config type that is written as text: how it is read, how it is written, what a reader may type."""

    def __init__(self, parse: Callable[[Any], Any], text: Callable[[Any], Any], meaning: str, example: Any) -> None:
        self.parse, self.text, self.meaning, self.example = parse, text, meaning, example

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        from pydantic_core import core_schema

        writer = core_schema.plain_serializer_function_ser_schema(self.text, when_used="json")
        return core_schema.no_info_plain_validator_function(self.parse, serialization=writer)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        kind = "string" if isinstance(self.example, str) else "number"
        return {"type": kind, "description": self.meaning, "examples": [self.example]}


class Quantity(FromText):
    """A quantity in `unit` that is not negative, or `positive`."""

    def __init__(self, unit: str, example: str, *, positive: bool = False) -> None:
        self.unit, self.positive = unit, positive
        super().__init__(self._parse, self._text, f"number with unit, in {unit} inside the model", example)

    def _parse(self, value: object) -> float:
        expected = f'{dimension_name(self.unit)} such as "{self.example}"'
        if not isinstance(value, str):
            bare = isinstance(value, int | float) and not isinstance(value, bool)
            raise Fault("a bare number where a unit belongs" if bare else "not a quantity", expected=expected)
        if self.unit == "h" and _CLOCK.fullmatch(value):
            raise Fault("a clock time where a length of time or a time since time zero belongs", expected=expected)
        try:
            number = self._number(value)
        except Fault as fault:
            raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
        if number < 0:
            raise Fault("must not be negative", expected=expected)
        if self.positive and number == 0:
            raise Fault("must be more than 0", expected=expected)
        return number

    def _number(self, text: str) -> float:
        return convert_time(text) if self.unit == "h" else convert(text, self.unit)

    def _text(self, number: float) -> str:
        return quantity_text(number, self.unit)


def parse_fraction(value: object) -> float:
    """0.95 or "95 %" -> 0.95; Fault outside 0 to 1."""
    expected = 'a fraction from 0 to 1 such as 0.95 or "95 %"'
    if isinstance(value, str):
        try:
            value = convert(value, "%") / 100
        except Fault as fault:
            raise Fault("not a fraction", expected=expected) from fault
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Fault("not a fraction", expected=expected)
    if not 0.0 <= value <= 1.0:
        raise Fault("outside 0 to 1", expected=expected)
    return float(value)


def parse_clock(value: object) -> float:
    """Hours after midnight of a clock time "07:30"."""
    match = _CLOCK.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Fault("not a clock time", expected='a clock time from "00:00" to "23:59" such as "07:30"')
    return int(match[1]) + int(match[2]) / 60


def clock_text(hours: float) -> str:
    """Hours after midnight as a clock time "07:30", to the minute."""
    minutes = round(hours * 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


class Moment(NamedTuple):
    """When something happens: at a clock time (hours after midnight) or at a time since time zero (h)."""

    hours: float
    clock: bool

    def text(self) -> str:
        """As it is written."""
        return clock_text(self.hours) if self.clock else quantity_text(self.hours, "h")


def parse_moment(value: object) -> Moment:
    """Clock time "07:30" (of each day that applies) or time since time zero "20 h" (once)."""
    expected = 'a clock time such as "07:30" or a time since time zero such as "20 h"'
    if isinstance(value, str) and ":" in value:
        return Moment(parse_clock(value), clock=True)
    if not isinstance(value, str):
        bare = isinstance(value, int | float)
        raise Fault("a bare number where a unit belongs" if bare else "not a time", expected=expected)
    try:
        hours = convert_time(value)
    except Fault as fault:
        raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
    if hours < 0:
        raise Fault("must not be negative", expected=expected)
    return Moment(hours, clock=False)


Hours = Annotated[float, Quantity("h", "45 min")]
PositiveHours = Annotated[float, Quantity("h", "45 min", positive=True)]
Micrometres = Annotated[float, Quantity("um", "25 um", positive=True)]
Fraction = Annotated[float, FromText(parse_fraction, float, "fraction from 0 to 1, or a percentage", 0.95)]
ClockTime = Annotated[float, FromText(parse_clock, clock_text, "clock time", "07:30")]
When = Annotated[Moment, FromText(parse_moment, Moment.text, "clock time, or time since time zero", "07:30")]
