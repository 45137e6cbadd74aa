"""Exercise intensity in the units people write, and its conversion to a fraction of VO2max.

%VO2max       as it stands
%HRR          heart-rate reserve = oxygen-uptake reserve (swain1997): VO2 = rest + HRR (VO2max - rest)
mL/kg/min     oxygen uptake
W/kg          cycling, rowing: VO2 = unloaded + cost * power
m/min, km/h   walking, running, treadmill, wheel: VO2 = standing + cost * speed + climbing cost * speed * grade
              (people: bushman2020; mice: taylor1982 at 25 g, climbing taylor1972)
"""

from __future__ import annotations

import re
from typing import Annotated, Any, NamedTuple, SupportsFloat

from abm.errors import Fault, listed, nearest
from abm.parameters import Unit, load_parameters
from abm.units import FromText, convert, convert_time, parse_fraction, quantity_text, same_dimension, split_quantity

LOCOMOTION = ("walking", "running", "treadmill", "wheel")
ERGOMETRY = ("cycling", "rowing")
KINDS = ("rest", *LOCOMOTION, *ERGOMETRY)
KINDS_OF_SPECIES = {"human": KINDS, "mouse": ("rest", *LOCOMOTION)}
_RELATIVE = {"%VO2max": "%VO2max", "%VO2peak": "%VO2max", "%HRR": "%HRR", "%VO2R": "%HRR"}
_ABSOLUTE = ("mL/kg/min", "W/kg", "m/min")
_EXPECTED = 'an intensity such as "65 %VO2max", "60 %HRR", "2.5 W/kg", "12 km/h" or "35 mL/kg/min"'
# What people also write, and what it is in a unit that is read.
_ELSEWHERE = {
    "met": "3.5 mL/kg/min for each MET",
    "mets": "3.5 mL/kg/min for each MET",
    "mph": "1.609 km/h for each mile per hour",
    "min/km": "a speed such as 12 km/h, which is 5 min/km",
    "kph": "km/h",
    "w": "power per body mass such as 2.5 W/kg",
    "bpm": 'a share of the reserve of the heart rate such as "60 %HRR"',
}
_EFFORT = re.compile(r"\s*(?P<duration>.+?)(?:\s+at\s+(?P<intensity>.+))?\s*")


class ExerciseParameters(NamedTuple):
    """Aerobic capacity and the oxygen cost of exercise (configs/parameters/schedule.yaml)."""

    vo2max_untrained: Annotated[float, Unit("mL/kg/min")]
    vo2max_recreational: Annotated[float, Unit("mL/kg/min")]
    vo2max_trained: Annotated[float, Unit("mL/kg/min")]
    vo2max_elite: Annotated[float, Unit("mL/kg/min")]
    type_2_diabetes_vo2max: Annotated[float, Unit("1")]
    vo2_rest: Annotated[float, Unit("mL/kg/min")]
    vo2_standing: Annotated[float, Unit("mL/kg/min")]
    walking_cost: Annotated[float, Unit("mL/kg/m")]
    walking_climb_cost: Annotated[float, Unit("mL/kg/m")]
    running_cost: Annotated[float, Unit("mL/kg/m")]
    running_climb_cost: Annotated[float, Unit("mL/kg/m")]
    fastest_walk: Annotated[float, Unit("m/min")]
    slowest_run: Annotated[float, Unit("m/min")]
    cycling_unloaded: Annotated[float, Unit("mL/kg/min")]
    cycling_cost: Annotated[float, Unit("mL/min/W")]
    rowing_unloaded: Annotated[float, Unit("mL/kg/min")]
    rowing_cost: Annotated[float, Unit("mL/min/W")]
    wheel_running_fraction: Annotated[float, Unit("1")]
    wheel_bout: Annotated[float, Unit("h")]


class Capacity(NamedTuple):
    """What converts intensities for one subject: VO2max (mL/kg/min) and the parameters of the species."""

    vo2max: float
    parameters: ExerciseParameters

    @property
    def resting_fraction(self) -> float:
        """Oxygen uptake at rest as a fraction of VO2max."""
        return self.parameters.vo2_rest / self.vo2max

    def fraction(self, intensity: Intensity, kind: str, grade: float = 0.0) -> float:
        """Fraction of VO2max of an intensity in a kind of exercise, on a grade (rise over run).

        Raises Fault where the intensity's unit means nothing for the kind.
        """
        value, unit = intensity
        if unit == "%VO2max":
            return value / 100
        if unit == "%HRR":
            return self.resting_fraction + value / 100 * (1 - self.resting_fraction)
        if unit == "mL/kg/min":
            return value / self.vo2max
        return self._uptake(value, unit, kind, grade) / self.vo2max

    def _uptake(self, value: float, unit: str, kind: str, grade: float) -> float:
        p = self.parameters
        if unit == "W/kg" and kind == "cycling":
            return p.cycling_unloaded + p.cycling_cost * value
        if unit == "W/kg" and kind == "rowing":
            return p.rowing_unloaded + p.rowing_cost * value
        if unit == "m/min" and kind in LOCOMOTION:
            slope = max(grade, 0.0)
            walking = p.walking_cost + p.walking_climb_cost * slope
            running = p.running_cost + p.running_climb_cost * slope
            if kind == "running":
                return p.vo2_standing + running * value
            # Up a steep grade, who changes from walking to running would else be better off.
            walked, run = walking * p.fastest_walk, max(running * p.slowest_run, walking * p.fastest_walk)
            if value <= p.fastest_walk:
                return p.vo2_standing + walking * value
            if value >= p.slowest_run:
                return p.vo2_standing + max(running * value, run)
            between = (value - p.fastest_walk) / (p.slowest_run - p.fastest_walk)
            return p.vo2_standing + walked + between * (run - walked)
        kinds = ERGOMETRY if unit == "W/kg" else LOCOMOTION
        raise Fault(
            f"{unit} says nothing about {kind}; it is for {listed(kinds)}", expected='an intensity such as "65 %VO2max"'
        )


def capacity(species: str, training: str, condition: str, overrides: dict[str, str | float] | None = None) -> Capacity:
    """Aerobic capacity of a subject; type 2 diabetes lowers VO2max by a factor."""
    parameters = load_parameters(ExerciseParameters, "schedule", species, overrides)
    vo2max: float = getattr(parameters, f"vo2max_{training}")
    if condition == "type_2_diabetes":
        vo2max *= parameters.type_2_diabetes_vo2max
    if vo2max <= parameters.vo2_rest:
        expected = f"more than the uptake at rest, {parameters.vo2_rest:g} mL/kg/min"
        raise Fault(f"a VO2max of {vo2max:g} mL/kg/min", expected=expected)
    return Capacity(vo2max, parameters)


class Intensity(NamedTuple):
    """A number in %VO2max, %HRR, mL/kg/min, W/kg or m/min."""

    value: float
    unit: str

    @property
    def fixed(self) -> bool:
        """Whether it is a load, and not a share of a capacity that training raises."""
        return self.unit in _ABSOLUTE

    def text(self) -> str:
        """As it is written."""
        if self.fixed:
            return quantity_text(self.value, self.unit)
        return f"{int(self.value) if self.value.is_integer() else self.value!r} {self.unit}"


def parse_intensity(value: object) -> Intensity:
    """Intensity from text such as "65 %VO2max"; Fault where it is none."""
    if not isinstance(value, str):
        raise Fault(
            "a bare number where a unit belongs" if isinstance(value, int | float) else "no intensity",
            expected=_EXPECTED,
        )
    try:
        number, unit = split_quantity(value)
        unit = unit.replace(" ", "")
        if number < 0:
            raise Fault("must not be negative", expected=_EXPECTED)
        if unit in _RELATIVE:
            return Intensity(_finite(number), _RELATIVE[unit])
        if unit == "%":
            raise Fault(
                "percent of what?",
                expected='percent of a capacity such as "65 %VO2max" or "60 %HRR"',
                suggestion="%VO2max",
            )
        if unit.startswith("%"):
            # A share of the maximal heart rate is another dose than the same share of VO2max or of a reserve.
            near = None if unit.lower().startswith("%hrm") else nearest(unit, _RELATIVE)
            raise Fault(f"'{unit}' is not a unit", expected=_EXPECTED, suggestion=near)
        if unit.lower() in _ELSEWHERE:
            raise Fault(f"'{unit}' is not a unit of intensity", expected=_ELSEWHERE[unit.lower()])
        if f"%{unit}" in _RELATIVE:
            raise Fault(f"'{unit}' is not a unit", suggestion=f"%{unit}")
        for canonical in _ABSOLUTE:
            if unit and same_dimension(unit, canonical):
                return Intensity(convert(value, canonical), canonical)
    except Fault as fault:
        raise Fault(fault.problem, expected=fault.expected or _EXPECTED, suggestion=fault.suggestion) from fault
    problem = f"'{unit}' is not a unit of intensity" if unit else "a bare number where a unit belongs"
    raise Fault(problem, expected=_EXPECTED)


def _finite(number: SupportsFloat) -> float:
    try:
        return float(number)
    except OverflowError:
        raise Fault("too large a number", expected=_EXPECTED) from None


class Effort(NamedTuple):
    """A stretch of a session: duration in h and intensity, None for passive rest."""

    duration: float
    intensity: Intensity | None

    def text(self) -> str:
        """As it is written: "60 s at 95 %VO2max"."""
        duration = quantity_text(self.duration, "h")
        return f"{duration} at {self.intensity.text()}" if self.intensity else duration


def parse_effort(value: object) -> Effort:
    """Stretch of a session from text such as "60 s at 95 %VO2max" or "60 s"; Fault where it is none."""
    expected = 'text such as "60 s at 95 %VO2max", or "60 s" for passive rest'
    match = _EFFORT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Fault("not a duration at an intensity", expected=expected)
    try:
        duration = convert_time(match["duration"])
        intensity = parse_intensity(match["intensity"]) if match["intensity"] else None
    except Fault as fault:
        raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
    if duration <= 0:
        raise Fault("the duration must be more than 0", expected=expected)
    return Effort(duration, intensity)


def parse_grade(value: object) -> float:
    """Rise over run of a treadmill: 0.08 or "8 %" -> 0.08; Fault outside 0 to 1."""
    try:
        return parse_fraction(value)
    except Fault as fault:
        raise Fault(fault.problem, expected='a rise over run such as "8 %"') from fault


def _plain(value: Any) -> Any:
    return value


IntensityText = Annotated[Intensity, FromText(parse_intensity, Intensity.text, "exercise intensity", "65 %VO2max")]
EffortText = Annotated[Effort, FromText(parse_effort, Effort.text, "duration at an intensity", "60 s at 95 %VO2max")]
Grade = Annotated[float, FromText(parse_grade, _plain, "rise over run of a treadmill", 0.08)]
