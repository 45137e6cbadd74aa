"""Units: exact conversion, refusal of what is no quantity, and text that reads back as the same number."""

import math
import subprocess
import sys
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abm.errors import Fault
from abm.units import (
    Quantity,
    clock_text,
    convert,
    convert_time,
    dimension_name,
    parse_clock,
    parse_fraction,
    parse_moment,
    quantity_text,
    same_dimension,
)


@pytest.mark.parametrize(
    ("text", "unit", "number"),
    [
        ("45 min", "h", 0.75),
        ("6 min", "h", 0.1),
        ("40 s", "h", 1 / 90),
        ("28 d", "h", 672.0),
        ("1.6 mm", "um", 1600.0),
        ("25 µm", "um", 25.0),
        ("3.5 mM", "mmol/L", 3.5),
        ("15.5 ug/dL", "ng/mL", 155.0),
        ("1.38e-3 mm^2/s", "um^2/h", 1.38e-3 * 1e6 * 3600),
        ("0.46 1/h", "1/d", 11.04),
        ("0.4 umol/g/min", "mmol/kg/h", 24.0),
        ("12 km/h", "m/min", 200.0),
        ("12 kDa", "g/mol", 12000.0),
        ("500 mg/kg", "g/kg", 0.5),
        ("1 W/kg", "J/kg/s", 1.0),
        ("2 mL/min/W", "mL/J", 2 / 60),
        ("45 %", "1", 0.45),
        ("-70 mV", "V", -0.07),
        ("5min", "h", 1 / 12),
        ("2.5 nmol·um^3/L/h", "nmol/L*um^3/h", 2.5),
    ],
)
def test_conversion(text: str, unit: str, number: float) -> None:
    assert convert(text, unit) == pytest.approx(number, rel=1e-15)


@given(st.integers(0, 10**6))
def test_a_whole_number_of_minutes_is_the_nearest_float_of_hours(minutes: int) -> None:
    assert convert(f"{minutes} min", "h") == float(Fraction(minutes, 60))


@given(st.floats(0, 1e9, allow_subnormal=False), st.sampled_from(["h", "um", "mmol/L", "g/kg/h", "km/d", "1/h"]))
def test_text_reads_back_as_the_same_float(number: float, unit: str) -> None:
    assert convert(quantity_text(number, unit), unit) == number


@pytest.mark.parametrize(
    ("hours", "text"),
    [(0.75, "45 min"), (24.0, "1 d"), (607.0, "607 h"), (1 / 60, "1 min"), (1 / 360, "10 s"), (0, "0 d")],
)
def test_times_are_written_as_people_do(hours: float, text: str) -> None:
    assert quantity_text(hours, "h") == text


def test_a_sum_of_times() -> None:
    assert convert_time("25 d 8 h 18 min") == 608.3
    with pytest.raises(Fault, match="'m' is a length"):
        convert_time("25 d 8 m")
    with pytest.raises(Fault, match="not a unit"):
        convert_time("1 d -2 h")
    with pytest.raises(Fault, match="'mh' is not a unit") as caught:
        convert_time("1 d 5 mh")
    assert caught.value.suggestion == "h"


@pytest.mark.parametrize(
    "text", ["", "h", "h 3", "3 h 4", "3,5 h", "1e5000 h", "three h", "--3 h", "3 h + 2 h", "nan h", "inf h"]
)
def test_what_is_no_quantity(text: str) -> None:
    with pytest.raises(Fault):
        convert(text, "h")


def test_a_bare_number_is_refused() -> None:
    with pytest.raises(Fault, match="bare number"):
        convert("3", "h")
    with pytest.raises(Fault, match="bare number"):
        Quantity("h", "45 min").parse(3)


def test_mass_per_mass_is_not_a_plain_number() -> None:
    assert same_dimension("mg/kg", "g/kg")
    assert not same_dimension("mg/kg", "1")
    assert not same_dimension("%", "g/kg")
    assert not same_dimension("mL/L", "mg/g")


def test_wrong_dimension_is_named() -> None:
    with pytest.raises(Fault, match="'um' is a length") as caught:
        convert("3 um", "h")
    assert caught.value.expected == "a time"


def test_nearest_unit_is_of_the_right_dimension() -> None:
    with pytest.raises(Fault) as caught:
        convert("45 mim", "h")
    assert caught.value.suggestion == "min"


@pytest.mark.parametrize(("unit", "name"), [("d", "a time"), ("nM", "a concentration"), ("um^5", "a quantity in um^5")])
def test_names_of_dimensions(unit: str, name: str) -> None:
    assert dimension_name(unit) == name


@given(st.integers(0, 24 * 60 - 1))
def test_clock_times_read_back(minute: int) -> None:
    assert round(parse_clock(clock_text(minute / 60)) * 60) == minute


@pytest.mark.parametrize("value", ["24:00", "7.30", "07:60", "730", 450, None, "07:30:00"])
def test_what_is_no_clock_time(value: object) -> None:
    with pytest.raises(Fault, match="not a clock time"):
        parse_clock(value)


def test_a_moment_is_a_clock_time_or_a_time() -> None:
    assert parse_moment("19:00") == (19.0, True)
    assert parse_moment("20 h") == (20.0, False)
    assert parse_moment("20 h").text() == "20 h"


@pytest.mark.parametrize(("value", "fraction"), [(0.95, 0.95), ("95 %", 0.95), (1, 1.0), (0, 0.0)])
def test_fractions(value: object, fraction: float) -> None:
    assert parse_fraction(value) == pytest.approx(fraction)


@pytest.mark.parametrize("value", [1.01, -0.1, math.nan, True, "95", "0.5 h", "50 deg", None])
def test_what_is_no_fraction(value: object) -> None:
    with pytest.raises(Fault):
        parse_fraction(value)


def test_pint_is_loaded_only_when_text_is_read() -> None:
    code = "import sys, abm.units, abm.parameters; assert not {'pint', 'pydantic'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "text", ["45 mh", "2 dd", "1 kwk", "3 mmol/kg/mh", "45 mhour", "5 mday", "3 kilominutes", "2 Mweek"]
)
def test_times_longer_than_a_second_take_no_prefix(text: str) -> None:
    with pytest.raises(Fault, match="is not a unit"):
        convert(text, "h")
