"""A schedule: sessions, meals, doses and blocks of one arm of an experiment."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self, get_args

from pydantic import ConfigDict, Field, field_validator, model_validator

from abm.clock import DAY
from abm.config.doses import check_most, check_route
from abm.config.part import Listed, OneOrMore, Part, Repeating
from abm.config.sessions import Session
from abm.errors import Fault, listed, nearest
from abm.units import (
    Fraction,
    FromText,
    Hours,
    Moment,
    PositiveHours,
    When,
    convert,
    quantity_text,
    same_dimension,
    split_quantity,
)

What = Literal[
    "ketone_ester", "bhb", "lactate", "irisin", "corticosterone", "dexamethasone", "glucose", "2-deoxyglucose", "bdnf"
]
Route = Literal["oral", "iv", "ip", "sc", "icv", "bath"]
Target = Literal[
    "MCT1", "MCT2", "HDAC1", "HDAC2", "HDAC3", "class_I_HDAC", "SIRT1", "PGC1A", "FNDC5", "integrin_aV", "PKA", "CREB",
    "NMDAR", "GR", "TrkB", "BDNF_synthesis", "transcription", "protein_synthesis", "ketogenesis",
]  # fmt: skip


MOST_CARBOHYDRATE = 100.0  # g/kg, a tenth of the body
LONGEST_FAST = 60 * DAY  # h, beyond what people live through


class Carbohydrate(NamedTuple):
    """Carbohydrate eaten, in g per kg of body mass, or per hour where it is a rate."""

    grams: float
    rate: bool

    def text(self) -> str:
        """As it is written."""
        return quantity_text(self.grams, "g/kg/h" if self.rate else "g/kg")

    def over(self, hours: float) -> float:
        """g/kg eaten in a meal of some length."""
        return self.grams * hours if self.rate else self.grams


def parse_carbohydrate(value: object) -> Carbohydrate:
    """Carbohydrate from text such as "1 g/kg" or "0.8 g/kg/h"; Fault where it is none."""
    expected = 'an amount per body mass such as "1 g/kg", or a rate such as "0.8 g/kg/h"'
    if not isinstance(value, str):
        raise Fault("a bare number where a unit belongs", expected=expected)
    try:
        number, unit = split_quantity(value)
        rate = bool(unit) and same_dimension(unit, "g/kg/h")
        grams = convert(value, "g/kg/h" if rate else "g/kg")
    except Fault as fault:
        raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
    if number <= 0:
        raise Fault("must be more than 0", expected=expected)
    if grams > MOST_CARBOHYDRATE:
        raise Fault("more than can be eaten", expected=f"at most {MOST_CARBOHYDRATE:g} g/kg")
    return Carbohydrate(grams, rate)


CarbohydrateText = Annotated[
    Carbohydrate, FromText(parse_carbohydrate, Carbohydrate.text, "carbohydrate per body mass", "1 g/kg")
]


class Fast(Repeating):
    """A time without the usual meals.

    From `start` for `duration`, or from `before_sessions` ahead of each session until the session has ended. Without
    a duration it lasts to the end of the run. Food given by the schedule itself is not taken away, and nobody
    eats more after a fast.
    """

    start: When | None = None
    """Clock time, on each day that applies; or a time since time zero, once."""
    duration: PositiveHours | None = None
    """How long it lasts."""
    before_sessions: PositiveHours | None = None
    """Fast this long before every session, and during it."""

    @property
    def moment(self) -> Moment | None:
        """When it starts."""
        return self.start

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        if (self.start is None) == (self.before_sessions is None):
            raise Fault(
                "a fast starts at a time or lies before the sessions", expected="one of start and before_sessions"
            )
        if self.before_sessions is not None:
            if self.before_sessions > LONGEST_FAST:
                expected = f"at most {quantity_text(LONGEST_FAST, 'h')}"
                raise Fault("longer than anybody fasts", expected=expected, at=("before_sessions",))
            for key in ("duration", "days", "first_day", "last_day", "every"):
                if getattr(self, key) is not None:
                    raise Fault(
                        f"'{key}' does not go with before_sessions", expected="before_sessions alone", at=(key,)
                    )
        elif self.duration is not None and self.duration > LONGEST_FAST:
            expected = f"at most {quantity_text(LONGEST_FAST, 'h')}"
            raise Fault("longer than anybody fasts", expected=expected, at=("duration",))
        elif self.moment is not None and self.moment.clock and self.duration is None:
            raise Fault("a fast at a clock time needs a duration", expected='a time such as "12 h"')
        return self


class MealPlan(Repeating):
    """A change to the usual meals: a `fast`, a meal of its own `at` a time, or carbohydrate `during` every session."""

    fast: Fast | None = None
    """A time without the usual meals."""
    carbohydrate: CarbohydrateText | None = None
    """Per body mass: "1 g/kg" at a time, or a rate "0.8 g/kg/h" during sessions."""
    at: When | None = None
    """Clock time, on each day that applies; or a time since time zero, once."""
    duration: PositiveHours | None = None
    """How long the meal lasts; as long as a usual meal where absent."""
    during: Literal["sessions"] | None = None
    """Spread over every session."""

    @property
    def moment(self) -> Moment | None:
        """When it is eaten."""
        return self.at

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = {key for key in type(self).model_fields if getattr(self, key) is not None} - {"note"}
        if "fast" in given:
            if given != {"fast"}:
                key = min(given - {"fast"})
                raise Fault(
                    f"'{key}' does not go with a fast",
                    expected="the fast alone; a meal is an entry of its own",
                    at=(key,),
                )
        elif "carbohydrate" not in given:
            raise Fault("neither a fast nor a meal", expected="fast: {...} or carbohydrate: 1 g/kg")
        elif (self.at is None) == (self.during is None):
            problem = "the meal has no time" if self.at is None else "both 'at' and 'during'"
            raise Fault(problem, expected='one of at: "12:30" and during: sessions')
        elif self.during and given - {"carbohydrate", "during"}:
            key = min(given - {"carbohydrate", "during"})
            raise Fault(f"'{key}' does not go with 'during'", expected="carbohydrate and during alone", at=(key,))
        elif self.during and self.carbohydrate and not self.carbohydrate.rate:
            raise Fault(
                "an amount, not a rate",
                expected='a rate for sessions of any length such as "0.8 g/kg/h"',
                at=("carbohydrate",),
            )
        elif self.carbohydrate and self.carbohydrate.rate and self.at and not self.duration:
            raise Fault(
                "a rate needs a duration",
                expected='an amount such as "1 g/kg", or a duration beside it',
                at=("carbohydrate",),
            )
        return self


class DosePlan(Repeating):
    """Something given: what, by which route, how much, when."""

    what: What
    """The substance. Glucose and 2-deoxyglucose change or stay in the blood; nothing in the tissue answers to them."""
    route: Route
    """oral, iv, ip, sc, icv (into the ventricle) or bath (the concentration a slice or culture is held at)."""
    amount: str
    """Per body mass ("500 mg/kg", "2 mmol/kg", or a rate per hour with a duration), icv "10 nmol", bath "5 mmol/L"."""
    at: When
    """Clock time, on each day that applies; or a time since time zero, once."""
    duration: PositiveHours | None = None
    """Of an infusion, or of a bath, which lasts to the end of the run where absent; a bolus otherwise."""

    @property
    def moment(self) -> Moment:
        """When it is given."""
        return self.at

    @field_validator("amount", mode="before")
    @classmethod
    def _amount_is_text(cls, value: Any) -> Any:
        if isinstance(value, int | float):
            raise Fault(
                "a bare number where a unit belongs", expected='an amount such as "500 mg/kg", "10 nmol" or "5 mmol/L"'
            )
        return value

    @model_validator(mode="after")
    def _can_be_given(self) -> Self:
        for key, check in (("route", self._check_route), ("amount", self._check_amount)):
            try:
                check()
            except Fault as fault:
                raise Fault(fault.problem, expected=fault.expected, suggestion=fault.suggestion, at=(key,)) from fault
        return self

    def _check_route(self) -> None:
        check_route(self.what, self.route)

    def _check_amount(self) -> None:
        check_most(self.what, self.route, self.amount, self.duration or 0.0, self.every)


class BlockPlan(Part):
    """A mechanism partly or wholly blocked for a time: by a drug, or (knock_down, knock_out) by its loss."""

    target: Target
    """The mechanism."""
    fraction: Annotated[Fraction, Field(gt=0)]
    """Part of the activity that is taken away, 0 to 1."""
    start: Hours = Field(default="0 h", validate_default=True)
    """Time since time zero."""
    duration: PositiveHours | None = None
    """How long; to the end of the run where absent."""


class KnockOut(BlockPlan):
    """The loss of a mechanism: all of it and for the whole run, unless said otherwise.

    It comes at time zero, to neurons that have lived with the mechanism until then; what they had made of it, such as
    stored BDNF, fades as it is used. FNDC5 is lost in muscle as well, which then releases no irisin.
    """

    fraction: Annotated[Fraction, Field(gt=0)] = 1.0
    """Part of the activity that is taken away, 0 to 1."""


def _named_targets(value: Any) -> Any:
    """A bare name stands for {target: name}."""
    entries = value if isinstance(value, list | tuple) else [value]
    targets = get_args(Target)
    for place, entry in enumerate(entries):
        if isinstance(entry, str) and entry not in targets:
            at = (place,) if isinstance(value, list | tuple) else ()
            near = nearest(entry, targets)
            raise Fault(f"unknown mechanism '{entry}'", expected=listed(targets), suggestion=near, at=at)
    return [{"target": entry} if isinstance(entry, str) else entry for entry in entries]


def _may_come_from_a_file(schema: dict[str, Any]) -> None:
    schema["properties"]["from"] = {"type": "string", "description": "A file that holds the schedule."}


class Schedule(Part):
    """One arm of an experiment.

    Each part takes one entry or a list; an empty schedule is a sedentary life with the usual meals.
    """

    model_config = ConfigDict(json_schema_extra=_may_come_from_a_file)

    sessions: Annotated[tuple[Session, ...], OneOrMore] = ()
    """Exercise."""
    meals: Annotated[tuple[MealPlan, ...], OneOrMore] = ()
    """Changes to the usual meals."""
    doses: Annotated[tuple[DosePlan, ...], OneOrMore] = ()
    """What is given."""
    blocks: Annotated[tuple[BlockPlan, ...], OneOrMore] = ()
    """Drugs that block a mechanism."""
    knock_down: Annotated[tuple[BlockPlan, ...], OneOrMore] = ()
    """Mechanisms partly lost."""
    knock_out: Annotated[tuple[KnockOut, ...], Listed(_named_targets, also={"type": "string"})] = ()
    """Mechanisms wholly lost; a bare name will do."""

    def all_blocks(self) -> list[tuple[str, int, BlockPlan]]:
        """Blocks, knock-downs and knock-outs, each with the key and the place it stands at."""
        return [
            (key, i, entry)
            for key in ("blocks", "knock_down", "knock_out")
            for i, entry in enumerate(getattr(self, key))
        ]
