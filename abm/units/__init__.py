"""Quantities with units, checked where text comes in; inside the model there are plain floats.

The one place that knows pint. A quantity is text, a number and a unit: "45 min", "3 mmol/L", "25 um".
"""

from abm.units.conversion import (
    convert,
    convert_time,
    dimension_name,
    quantity_text,
    same_dimension,
    split_quantity,
)
from abm.units.fields import (
    ClockTime,
    Fraction,
    FromText,
    Hours,
    Micrometres,
    Moment,
    PositiveHours,
    Quantity,
    When,
    clock_text,
    parse_clock,
    parse_fraction,
    parse_moment,
)

__all__ = [
    "ClockTime",
    "Fraction",
    "FromText",
    "Hours",
    "Micrometres",
    "Moment",
    "PositiveHours",
    "Quantity",
    "When",
    "clock_text",
    "convert",
    "convert_time",
    "dimension_name",
    "parse_clock",
    "parse_fraction",
    "parse_moment",
    "quantity_text",
    "same_dimension",
    "split_quantity",
]
