"""Reading and writing quantities.

Conversion factors are exact fractions, so "6 min" is the float 0.1 h on every machine. Units are products and
quotients of named units with whole powers: `mL/kg/min`, `um^2/h`, `nmol/L*um^3/h`.
"""

from __future__ import annotations

import re
from fractions import Fraction as Exact
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

from abm.errors import Fault, nearest

if TYPE_CHECKING:
    from pint import UnitRegistry

_DEFINITIONS = """
femto- = 1e-15 = f-
pico- = 1e-12 = p-
nano- = 1e-9 = n-
micro- = 1e-6 = µ- = μ- = u-
milli- = 1e-3 = m-
centi- = 1e-2 = c-
deci- = 1e-1 = d-
kilo- = 1e3 = k-
mega- = 1e6 = M-
giga- = 1e9 = G-
meter = [length] = m = metre
gram = [mass] = g
second = [time] = s = sec
mole = [substance] = mol
ampere = [current] = A
kelvin = [temperature] = K
minute = 60 * second = min
hour = 60 * minute = h = hr
day = 24 * hour = d
week = 7 * day = wk
liter = decimeter ** 3 = L = l = litre
molar = mole / liter = M
dalton = gram / mole = Da
hertz = 1 / second = Hz
newton = kilogram * meter / second ** 2 = N
pascal = newton / meter ** 2 = Pa
joule = newton * meter = J
calorie = 4.184 * joule = cal
watt = joule / second = W
coulomb = ampere * second = C
volt = watt / ampere = V
ohm = volt / ampere
siemens = ampere / volt = S
farad = coulomb / volt = F
percent = 0.01
"""
# Spellings offered for a unit that is not known.
_COMMON = (
    *(
        "s",
        "min",
        "h",
        "d",
        "wk",
        "ms",
        "um",
        "mm",
        "cm",
        "m",
        "km",
        "ng",
        "ug",
        "mg",
        "g",
        "kg",
        "nmol",
        "umol",
        "mmol",
        "mol",
    ),
    *(
        "mmol/L",
        "umol/L",
        "nmol/L",
        "pmol/L",
        "mM",
        "uM",
        "nM",
        "ug/dL",
        "ng/mL",
        "mmol/kg",
        "nmol/kg",
        "mg/kg",
        "g/kg",
    ),
    *("mL/kg/min", "W/kg", "m/min", "km/h", "km/d", "m/s", "%", "1/h", "1/min", "1/s", "um^2/h", "um^2/s", "mm^2/s"),
    *("mV", "g/mol", "kDa", "Hz", "g/kg/h", "mg/kg/h"),
)
_DIMENSIONS = {
    "h": "a time",
    "um": "a length",
    "g": "a mass",
    "nmol": "an amount of substance",
    "mmol/L": "a concentration",
    "g/L": "a mass concentration",
    "mmol/kg": "an amount per body mass",
    "g/kg": "a mass per body mass",
    "m/min": "a speed",
    "W/kg": "a power per body mass",
    "mL/kg/min": "an oxygen uptake",
    "1/h": "a rate",
    "1": "a plain number",
    "%": "a percentage",
}
_UNSIGNED = r"(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?"
_NUMBER = rf"[+-]?{_UNSIGNED}"
_QUANTITY = re.compile(rf"\s*({_NUMBER})\s*(\S.*?)?\s*")
_POWER = r"(?:(?:\^|\*\*)-?\d)?"
_UNIT = re.compile(rf"(?:1|[A-Za-zµμ%]+{_POWER})(?:\s*[*/·]\s*[A-Za-zµμ%]+{_POWER})*")
# A prefix belongs to the second alone: "45 mh" is not what anybody means.
_PREFIX = r"(?:femto|pico|nano|micro|milli|centi|deci|kilo|mega|giga|[fpnuµμmcdkMG])"
_PREFIXED_TIME = re.compile(rf"\b{_PREFIX}(?:min|minutes?|hr|hours?|h|d|days?|wk|weeks?)\b")
_SUM_OF_TIMES = re.compile(rf"\s*{_NUMBER}\s*[A-Za-z]+(?:\s*{_UNSIGNED}\s*[A-Za-z]+)+\s*")


@cache
def _registry() -> UnitRegistry[Any]:
    import pint

    registry: UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Exact)
    registry.load_definitions(_DEFINITIONS.strip().splitlines())
    return registry


class _Scale(NamedTuple):
    factor: Exact  # one of this unit in SI base units
    dimension: tuple[tuple[str, Exact], ...]
    ratio: tuple[tuple[str, Exact], ...]  # dimensions before cancelling: g/kg is a mass per mass, not a mere number


@lru_cache(maxsize=4096)
def _scale(unit: str) -> _Scale:
    """Factor and dimension of a unit; Fault for text that is no unit."""
    if unit == "1":
        return _Scale(Exact(1), (), ())
    if not _UNIT.fullmatch(unit) or _PREFIXED_TIME.search(unit):
        raise Fault(f"'{unit}' is not a unit", suggestion=nearest(unit, _COMMON))
    import pint

    registry = _registry()
    try:
        units = registry.parse_units(unit.replace("·", "*").replace("%", "percent"))
        factor: Any = registry.get_root_units(units)[0]
    except (pint.errors.PintError, AttributeError, ValueError) as error:
        raise Fault(f"'{unit}' is not a unit", suggestion=nearest(unit, _COMMON)) from error
    dimension = tuple(sorted(_exact(dict(units.dimensionality)).items()))
    ratio: dict[tuple[str, bool], Exact] = {}
    for name, power in _exact(dict(units._units)).items():  # before cancelling; pint offers no public view of them
        for base, exponent in _exact(dict(registry.get_dimensionality(name))).items():
            side = (base, power * exponent > 0)
            ratio[side] = ratio.get(side, Exact(0)) + power * exponent
    return _Scale(Exact(factor), dimension, tuple(sorted((base, power) for (base, _), power in ratio.items())))


def _exact(powers: dict[Any, Any]) -> dict[str, Exact]:
    return {str(name): Exact(power) for name, power in powers.items()}


def same_dimension(unit: str, other: str) -> bool:
    """Whether two units measure the same thing. A mass per mass (mg/kg) and a plain number (or %) do not."""
    first, second = _scale(unit), _scale(other)
    return first.dimension == second.dimension and (bool(first.dimension) or first.ratio == second.ratio)


def split_quantity(text: str) -> tuple[Exact, str]:
    """Number and unit of "3 mmol/L"; the unit is "" where there is none. Fault where the text begins with no number."""
    match = _QUANTITY.fullmatch(text)
    if match is None:
        raise Fault("not a number with a unit")
    return Exact(match[1]), match[2] or ""


@lru_cache(maxsize=4096)
def dimension_name(unit: str) -> str:
    """The dimension of a unit in words: "a time", "a concentration"; "a quantity in <unit>" where it has no name."""
    return next((name for known, name in _DIMENSIONS.items() if same_dimension(unit, known)), f"a quantity in {unit}")


@lru_cache(maxsize=16384)
def convert(text: str, unit: str) -> float:
    """The number of `unit` in the quantity `text`: convert("45 min", "h") = 0.75.

    Raises Fault where the text has no number, no unit, an unknown unit or a unit of another dimension.
    """
    number, written = split_quantity(text)
    if not written:
        raise Fault("a bare number where a unit belongs", expected=dimension_name(unit))
    try:
        return float(number * _factor(written, unit))
    except OverflowError:
        raise Fault("too large a number", expected=dimension_name(unit)) from None


def convert_time(text: str) -> float:
    """Hours in "45 min" or in a sum of times such as "25 d 8 h 18 min"."""
    if not _SUM_OF_TIMES.fullmatch(text):
        return convert(text, "h")
    parts = map(split_quantity, re.findall(rf"{_NUMBER}\s*[A-Za-z]+", text))
    try:
        return float(sum(number * _factor(written, "h") for number, written in parts))
    except OverflowError:
        raise Fault("too large a number", expected="a time") from None


def _factor(written: str, unit: str) -> Exact:
    """How many of `unit` one of the unit that is written makes; Fault where it makes none."""
    try:
        fits = same_dimension(written, unit)
    except Fault as fault:
        alike = [known for known in _COMMON if same_dimension(known, unit)]
        raise Fault(fault.problem, expected=dimension_name(unit), suggestion=nearest(written, alike)) from fault
    if not fits:
        raise Fault(f"'{written}' is {dimension_name(written)}, the wrong dimension", expected=dimension_name(unit))
    return _scale(written).factor / _scale(unit).factor


def quantity_text(number: float, unit: str) -> str:
    """Text that reads back as exactly the same float; of the units of time the largest that gives a whole number."""
    for candidate in ("d", "h", "min", "s") if unit == "h" else (unit,):
        value = round(float(Exact(number) * _scale(unit).factor / _scale(candidate).factor), 9)
        if value.is_integer() and abs(value) < 1e15 and convert(f"{int(value)} {candidate}", unit) == number:
            return f"{int(value)} {candidate}"
    return f"{number!r} {unit}"
