"""What is known of a parameter before a fit: its range, and the scale on which it is looked for."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from abm.parameters import ParameterRecord

NEURAL_PARTS = {"expression", "epigenome", "synapses", "network"}  # fitted and drawn apart from the body's
BODIES = 40  # draws of body and barrier, each shared by several of the neurons
WIDE = 3.0  # high over low from which a range is taken as a range of magnitudes
NORMAL = 1.96


class Prior(NamedTuple):
    """A parameter to be fitted.

    key: `part.name`, with `.species` where that differs. value, low, high: the present value and the ends of the
    range, in the unit of the record. centre: of the prior of a least-squares fit, where it is not the value.
    """

    key: str
    value: float
    low: float
    high: float
    unit: str = "1"
    centre: float | None = None

    @property
    def middle(self) -> float:
        """Where a least-squares fit takes the number to lie before it sees the rows."""
        return self.value if self.centre is None else self.centre

    @property
    def is_magnitude(self) -> bool:
        """Whether a likelihood-free fit draws the logarithm uniformly, not the number itself."""
        return self.low > 0.0 and self.high / self.low > WIDE

    @property
    def is_positive(self) -> bool:
        """Whether a least-squares fit works on the logarithm."""
        return self.low > 0.0

    def share(self, low: float, high: float) -> float:
        """How much of the range lies between two numbers, on the scale of a likelihood-free fit."""
        ends = [to_scale(end, self.is_magnitude) for end in (self.low, low, high, self.high)]
        return (ends[2] - ends[1]) / (ends[3] - ends[0])

    def text(self, number: float) -> str | float:
        """A number of this parameter as it is written: with its unit, or plain."""
        return number if self.unit == "1" else f"{number!r} {self.unit}"

    def overrides(self, number: float, species: str) -> dict[str, float]:
        """This parameter as an override `part.name` -> number for a subject; nothing where it is another species'."""
        part, name, *of = self.key.split(".")
        return {f"{part}.{name}": number} if not of or of[0] == species else {}


def priors_of(records: Mapping[str, ParameterRecord]) -> list[Prior]:
    """The priors of records by full key. Raises ValueError for a range without width."""
    found = [Prior(key, record.number, record.low, record.high, record.unit) for key, record in records.items()]
    for prior in found:
        if not prior.low < prior.high:
            raise ValueError(f"{prior.key} has a range without width")
    return found


def to_scale(number: float, logarithmic: bool) -> float:
    """A number on the scale of the fit."""
    return math.log(number) if logarithmic else number


def from_scale(position: float, logarithmic: bool) -> float:
    """The number at a place on the scale of the fit."""
    return math.exp(position) if logarithmic else position
