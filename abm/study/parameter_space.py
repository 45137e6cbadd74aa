"""The parameters of an experiment as the sides of a unit cube, each spanning the range of its record."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from abm.config import Experiment
from abm.errors import ConfigError, nearest
from abm.parameters import ParameterRecord, parameter_parts, parameter_records

WIDE = 3.0  # high over low from which a range is one of magnitudes
# Read by the body alone: in vivo they reach the tissue through plasma and through nothing else.
BODY_PARTS = {"meals", "schedule", "substances", *(part for part in parameter_parts() if part.startswith("body_"))}
COUNTS = {"network.assemblies"}
SHARES = (
    tuple(f"epigenome.hdac{enzyme}_share" for enzyme in (1, 2, 3)),
    tuple(f"expression.transcript_share_{promoter}" for promoter in ("I", "II", "IV", "VI")),
)
# Parts of one whole that must leave something over.
FRACTIONS = (
    ("epigenome.acetylated_fraction", "epigenome.repressed_fraction"),
    ("meals.breakfast_share", "meals.lunch_share"),
)
MOST_TAKEN = 0.95


class Factor(NamedTuple):
    """One parameter that is varied: its part and its record."""

    part: str
    record: ParameterRecord

    @property
    def name(self) -> str:
        """`part.name`."""
        return f"{self.part}.{self.record.name}"

    @property
    def is_magnitude(self) -> bool:
        """Whether its logarithm is varied evenly: a positive range that spans more than a factor of three."""
        return self.record.low > 0.0 and self.record.high / self.record.low > WIDE

    def at(self, place: float) -> float:
        """The number, in the record's unit, at a place from 0 (low end of the range) to 1 (high end)."""
        low, high = self.record.low, self.record.high
        number = low * (high / low) ** place if self.is_magnitude else low + (high - low) * place
        return float(round(number)) if self.name in COUNTS else number


@dataclass(frozen=True)
class ParameterSpace:
    """The factors, in the order of the axes; records holds every parameter of the parts used, varied or not.

    held: numbers that the experiment has of its own, in the unit of their records.
    """

    factors: tuple[Factor, ...]
    records: dict[str, ParameterRecord]
    held: dict[str, float] = field(default_factory=dict)

    def overrides(self, place: Sequence[float]) -> dict[str, str | float]:
        """The parameters at a place of the unit cube, as overrides of a subject.

        Shares of one whole are divided by their sum; fractions that would leave less than 5 % of their whole are scaled
        down together; what the experiment holds of them stays and the others share the rest. Raises ArithmeticError
        where every share of a whole is zero, or nothing is left to share.
        """
        numbers = {factor.name: factor.at(u) for factor, u in zip(self.factors, place, strict=True)}
        for group in (*SHARES, *FRACTIONS):
            if numbers.keys() & set(group):
                numbers |= self._within(group, numbers)
        return {name: self.records[name].text(number) for name, number in numbers.items()}

    def _within(self, group: Sequence[str], numbers: dict[str, float]) -> dict[str, float]:
        held = {name: number for name, number in self.held.items() if name in group and name not in numbers}
        own = {name: numbers.get(name, self.records[name].number) for name in group if name not in held}
        total, taken = math.fsum(own.values()), math.fsum(held.values())
        if group in SHARES:
            if total <= 0.0:
                raise ArithmeticError(f"every share is zero: {', '.join(group)}")
            if taken > 1.0:
                raise ArithmeticError(f"shares of more than the whole are held: {', '.join(held)}")
            return {name: number * (1.0 - taken) / total for name, number in own.items()}
        left = max(MOST_TAKEN - taken, 0.0)
        return {name: number * min(left / total, 1.0) if total > 0.0 else 0.0 for name, number in own.items()}


def absent_parts(experiment: Experiment) -> set[str]:
    """Parts that a culture has not: the body, what acts on it alone, and the barrier.

    A slice needs them: its set point of potentiation is that of the animal's resting day.
    """
    return {"barrier", *BODY_PARTS} if experiment.preparation == "culture" else set()


def used_parts(experiment: Experiment) -> list[str]:
    """Parts whose parameters an experiment can feel: no diabetes in the healthy, no body in cultures, no doses unasked.

    What belongs to the measurement of other read-outs (serum, field potentials) changes neither BDNF nor strength.
    A parameter that is read but matters to none of the schedules is found out by its effects, all zero.
    """
    timed = [dose for schedule in experiment.schedules.values() for dose in schedule.doses]
    unused = {"observation", *absent_parts(experiment)}
    if experiment.preparation == "in_vivo" and not timed:
        unused |= {"body_doses", "substances", "forcing"}
    if experiment.subject.condition == "healthy":
        unused.add("body_diabetes")
    return [part for part in parameter_parts() if part not in unused]


def parameter_space(experiment: Experiment, names: Sequence[str] = ()) -> ParameterSpace:
    """Every parameter of every part an experiment uses, or only the named ones (`part.name`).

    What the experiment overrides is the user's own number and is held there, unless it is named. Raises ConfigError
    for a name that is no such parameter, and for a parameter whose range has no width.
    """
    subject = experiment.subject
    found = {
        factor.name: factor
        for part in used_parts(experiment)
        for factor in (Factor(part, record) for record in parameter_records(part, subject.species).values())
    }
    for name in names:
        if name not in found:
            problem = "no parameter that this experiment uses"
            expected = "part.name of a record in configs/parameters"
            raise ConfigError(
                problem, key="--parameters", value=name, expected=expected, suggestion=nearest(name, found)
            )
        if found[name].record.low == found[name].record.high:
            raise ConfigError("its range has no width", key="--parameters", value=name)
    varied = list(dict.fromkeys(names)) or [name for name in found if name not in subject.overrides]
    factors = tuple(found[name] for name in varied if found[name].record.low < found[name].record.high)
    records = {name: factor.record for name, factor in found.items()}
    held = {name: records[name].read(value) for name, value in subject.overrides.items() if name in records}
    return ParameterSpace(factors, records, held)
