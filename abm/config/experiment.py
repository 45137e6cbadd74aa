"""An experiment: subject, preparation, tissue, schedules, what is observed, and the run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from abm.config import checks
from abm.config.part import OneOrMore, Part
from abm.config.schedules import Schedule
from abm.errors import Fault, listed, nearest
from abm.metric_names import BLOOD_METRIC_NAMES, METRIC_NAMES, REGIONS
from abm.parameters import check_override, flatten_overrides
from abm.units import ClockTime, Hours, Micrometres, PositiveHours, quantity_text

LONGEST = 3650 * 24.0  # h
SHORTEST_STEP = 1.0 / 3600.0  # h
MOST_VOXELS = 50_000_000
Boundary = Literal["no_flux", "washout"]
Count = Annotated[int, Field(strict=True, ge=1, le=1_000_000)]


def _is_no_number(name: str) -> str:
    try:
        float(name)
    except ValueError:
        return name
    raise Fault("a number is not a name", expected="a name with a letter that is no part of a number")


Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_+-]*$", max_length=100), AfterValidator(_is_no_number)]


class Light(Part):
    """When the lights of the animal house go on and off; rodents eat and run in the dark."""

    on: ClockTime = Field(default="07:00", validate_default=True)
    """Lights on."""
    off: ClockTime = Field(default="19:00", validate_default=True)
    """Lights off."""


def _is_no_rat(species: Any) -> Any:
    if species == "rat":
        raise Fault("there is no subject of its own for rats", expected="mouse, with a note that says rat")
    return species


class Subject(Part):
    """Whose hippocampus it is."""

    species: Annotated[Literal["human", "mouse"], BeforeValidator(_is_no_rat)] = "human"
    """human or mouse; a rat experiment runs on the mouse and says so in a note."""
    training: Literal["untrained", "recreational", "trained", "elite"] = "untrained"
    """State of training at the start."""
    condition: Literal["healthy", "type_2_diabetes"] = "healthy"
    """State of health."""
    light: Light | None = None
    """Light and dark of a rodent; a mouse without it has light from 07:00 to 19:00."""
    overrides: dict[str, Any] = Field(default_factory=dict)
    """Parameters that differ: `part.name` (or nested) -> value with its unit."""

    @field_validator("overrides", mode="before")
    @classmethod
    def _flat(cls, value: Any) -> Any:
        return flatten_overrides(value) if isinstance(value, dict) else value

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        if self.species == "human" and self.light is not None:
            raise Fault("people have no light schedule", expected="light with species: mouse", at=("light",))
        for key, value in self.overrides.items():
            try:
                check_override(key, value, self.species)
            except Fault as fault:
                at = ("overrides", *key.split("."))
                raise Fault(fault.problem, expected=fault.expected, suggestion=fault.suggestion, at=at) from fault
        checks.check_chromatin(self.overrides, self.species)
        checks.check_cells(self.overrides, self.species)
        return self

    @property
    def lights(self) -> tuple[float, float]:
        """Clock hours at which the lights go on and off."""
        light = self.light or Light()
        return light.on, light.off


class Capillaries(Part):
    """The capillary bed."""

    spacing: Micrometres | None = None
    """Diameter of the tissue cylinder around a capillary; from the parameters of the species where absent. It says
    where capillaries lie; the surface of the whole bed, and so what crosses, stays."""


class Boundaries(Part):
    """What happens to the signals at each side of the tissue: nothing passes (no_flux), or they are lost (washout)."""

    left: Boundary = "no_flux"
    """Side at the low end of the first axis."""
    right: Boundary = "no_flux"
    """Side at the high end of the first axis."""
    bottom: Boundary = "no_flux"
    """Side at the low end of the second axis."""
    top: Boundary = "no_flux"
    """Side at the high end of the second axis."""
    front: Boundary = "no_flux"
    """Side at the low end of the third axis."""
    back: Boundary = "no_flux"
    """Side at the high end of the third axis."""


def _one_for_all(value: Any) -> Any:
    return dict.fromkeys(Boundaries.model_fields.keys() - {"note"}, value) if isinstance(value, str) else value


class TissueConfig(Part):
    """The piece of hippocampus: a section (two lengths) or a block (three)."""

    neurons: Annotated[int, Field(strict=True, ge=10, le=10_000_000)] = 2000
    """How many neurons."""
    size: Annotated[tuple[Micrometres, ...], Field(min_length=2, max_length=3)] = Field(
        default=("1.6 mm", "1.6 mm"), validate_default=True
    )
    """Lengths of the sides, whole numbers of voxels."""
    voxel: Micrometres = Field(default="25 um", validate_default=True)
    """Side of a voxel."""
    boundaries: Annotated[Boundaries, BeforeValidator(_one_for_all)] = Field(default_factory=Boundaries)
    """Conditions at the sides; one word stands for all. A section has neither front nor back."""
    capillaries: Capillaries = Field(default_factory=Capillaries)
    """The capillary bed."""

    @model_validator(mode="after")
    def _whole_voxels(self) -> Self:
        for index, side in enumerate(self.size):
            if not checks.is_multiple(side, self.voxel):
                expected = f"a multiple of {self.voxel:g} um"
                raise Fault("not a whole number of voxels", expected=expected, at=("size", index))
        if math.prod(side / self.voxel for side in self.size) > MOST_VOXELS:
            expected = f"at most {MOST_VOXELS:,}: larger voxels or a smaller piece"
            raise Fault("too many voxels", expected=expected, at=("size",))
        return self

    @model_validator(mode="after")
    def _sides_that_are_there(self) -> Self:
        kinds = {side: getattr(self.boundaries, side) for side in Boundaries.model_fields if side != "note"}
        for side in ("front", "back"):
            if len(self.size) == 2 and kinds[side] == "washout" and "no_flux" in kinds.values():
                expected = "left, right, bottom or top, or three lengths"
                raise Fault("a section has no such side", expected=expected, at=("boundaries", side))
        return self


def _is_known(name: str) -> str:
    metric, dot, region = name.partition(".")
    if metric not in METRIC_NAMES:
        near = nearest(metric, METRIC_NAMES)
        alike = [known for known in METRIC_NAMES if metric.lower() in known.split("_")]
        expected = "the name of a read-out" if near else "one of " + listed(alike or METRIC_NAMES)
        raise Fault("unknown read-out", expected=expected, suggestion=near)
    if dot and metric in BLOOD_METRIC_NAMES:
        raise Fault("the blood has no regions", expected=metric)
    if dot and region not in REGIONS[1:]:
        near = nearest(region, REGIONS[1:])
        suggestion = f"{metric}.{near}" if near else None
        raise Fault(f"unknown region '{region}'", expected="DG, CA3 or CA1", suggestion=suggestion)
    return name


MetricName = Annotated[str, AfterValidator(_is_known)]


class Observation(Part):
    """A read-out and when it is taken: `at` times, or `every` so often; at the start and the end where neither is."""

    metric: MetricName
    """Name of a read-out, for all regions; with .DG, .CA3 or .CA1 for one."""
    at: Annotated[tuple[Hours, ...], OneOrMore, Field(min_length=1)] | None = None
    """Times since time zero."""
    every: PositiveHours | None = None
    """Interval, from time zero to the end."""

    @model_validator(mode="after")
    def _at_or_every(self) -> Self:
        if self.at is not None and self.every is not None:
            raise Fault("both at and every", expected="one of at and every", at=("every",))
        return self


class RunConfig(Part):
    """How long, how often, from which seed, in which steps."""

    duration: PositiveHours = Field(default="28 d", validate_default=True)
    """From time zero, midnight of day 0, a Monday."""
    burn_in: Hours = Field(default="30 d", validate_default=True)
    """Rest before time zero, in which the tissue finds its steady state."""
    replicates: Count = 8
    """Pieces of tissue, each run under every schedule."""
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**63)] = 1
    """Seed of all random draws."""
    step: PositiveHours = Field(default="0.1 h", validate_default=True)
    """Time step; a whole number of steps makes a day. Where absent 6 min, or what minutes all times can be read at.
    Means at rest are the same for any; what follows a bout within the hour is read best in steps of minutes."""

    @model_validator(mode="after")
    def _fills_a_day(self) -> Self:
        if not SHORTEST_STEP <= self.step <= 1.0 or not checks.is_multiple(24.0, self.step):
            raise Fault(
                "the steps do not fill a day",
                expected='a step of 1 s to 1 h that divides a day, such as "6 min"',
                at=("step",),
            )
        for key in ("duration", "burn_in"):
            if getattr(self, key) > LONGEST:
                raise Fault("too long", expected=f"at most {quantity_text(LONGEST, 'h')}", at=(key,))
        return self

    def stepped(self, times: Iterable[float]) -> RunConfig:
        """The same, if it names no step, in steps of which the given times (h), duration and burn-in are multiples."""
        if "step" in self.model_fields_set:
            return self
        step = checks.fitting_step((self.duration, self.burn_in, *times))
        return RunConfig.model_construct(self.model_fields_set, **(dict(self) | {"step": step}))


def _nothing_is_empty(value: Any) -> Any:
    return {} if value is None else value


class Experiment(Part):
    """The whole description of an experiment."""

    name: Name = "experiment"
    """Name of the experiment."""
    subject: Subject = Field(default_factory=Subject)
    """Whose hippocampus it is."""
    preparation: Literal["in_vivo", "slice", "culture"] = "in_vivo"
    """in_vivo; or slice or culture, which have no body and whose concentrations are held by doses into the bath."""
    tissue: TissueConfig = Field(default_factory=TissueConfig)
    """The piece of hippocampus."""
    schedules: Annotated[dict[Name, Annotated[Schedule, BeforeValidator(_nothing_is_empty)]], Field(min_length=1)]
    """The arms, by name; each inline, or {from: file}."""
    reference: str = ""
    """The schedule the others are compared with; the first one where absent."""
    observe: Annotated[tuple[Observation, ...], OneOrMore] = ()
    """Read-outs and when they are taken."""
    run: RunConfig = Field(default_factory=RunConfig)
    """How long, how often, from which seed."""

    @model_validator(mode="before")
    @classmethod
    def _first_is_reference(cls, value: Any) -> Any:
        if (
            isinstance(value, dict)
            and value.get("reference") is None
            and isinstance(value.get("schedules"), dict)
            and value["schedules"]
        ):
            return {**value, "reference": next(iter(value["schedules"]))}
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        times = [time for seen in self.observe for time in (*(seen.at or ()), *([seen.every] if seen.every else []))]
        self.step_through(times)
        checks.check_experiment(self)
        return self

    def step_through(self, times: Iterable[float]) -> None:
        """Choose the step, where none is named, for these times and those of baths and blocks.

        Only while the description is read; it is frozen for everyone else.
        """
        self.__dict__["run"] = self.run.stepped([*times, *checks.treatment_times(self)])

    def resolved(self) -> dict[str, Any]:
        """Everything with its defaults, as plain values with units in text; loading it gives an equal experiment."""
        plain: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        plain["subject"] = _without_empty(plain["subject"])
        plain["tissue"] = _without_empty(plain["tissue"])
        plain["schedules"] = {name: _without_empty(schedule) for name, schedule in plain["schedules"].items()}
        return plain


def _without_empty(part: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in part.items() if value not in ({}, [])}
