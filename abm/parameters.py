"""Parameters: every number once, with its unit, range, grade and source, in configs/parameters/<part>.yaml.

A file maps names to records, or to one record per species where these differ:

    half_life: {value: 20 min, range: [15 min, 25 min], grade: assumed, source: [], species: human, note: "recalled"}
    resting: {human: {value: 0.9 mmol/L, ...}, mouse: {value: 2 mmol/L, ...}}

A number that was fitted also says how well it is known, `interval`, and which command found it, `fit`. A number that
the equations divide by, so that it cannot be 0, says `divisor: true`.

The model takes them as a NamedTuple of floats whose fields name the unit wanted, `Annotated[float, Unit("1/h")]`, so
that they can be handed to compiled code as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

from abm.errors import Fault, ParameterError, listed, nearest
from abm.units import convert, dimension_name, same_dimension, split_quantity
from abm.yaml_lines import Document, read_yaml

T = TypeVar("T")

SPECIES = ("human", "mouse")
GRADES = ("measured", "derived", "fitted", "assumed")
_PACKAGE = Path(__file__).resolve().parent
CONFIG_DIRECTORY = _PACKAGE / "configs" if (_PACKAGE / "configs").is_dir() else _PACKAGE.parent / "configs"
_UNITS: dict[type[Any], dict[str, str]] = {}
_FIELDS = ("value", "range", "divisor", "grade", "source", "species", "note", "interval", "fit")


@dataclass(frozen=True)
class Unit:
    """The unit a field of a parameter class is wanted in; "1" for plain numbers."""

    name: str


class ParameterRecord(NamedTuple):
    """One number of a parameter file.

    value: as written; number, low, high: value and range in `unit`, the unit it was written in ("1" where there is
    none). interval: 95 % posterior interval in `unit`, and fit: the command that found it; of fitted numbers only.
    divisor: whether the equations divide by it.
    """

    name: str
    value: str | float
    number: float
    low: float
    high: float
    unit: str
    grade: str
    source: tuple[str, ...]
    species: str | None
    note: str
    file: str
    line: int
    interval: tuple[float, float] | None = None
    fit: str = ""
    divisor: bool = False

    def text(self, number: float) -> str | float:
        """A number in this record's unit as an override: text with the unit, or the plain number."""
        return number if self.unit == "1" else f"{number!r} {self.unit}"

    def read(self, override: str | float) -> float:
        """The number, in this record's unit, of an override of its dimension."""
        return convert(override, self.unit) if isinstance(override, str) else float(override)


def parameter_parts() -> list[str]:
    """The parts that have a parameter file."""
    return sorted(path.stem for path in (CONFIG_DIRECTORY / "parameters").glob("*.yaml"))


def parameter_records(part: str, species: str | None = None) -> dict[str, ParameterRecord]:
    """The records of a part by name; without `species` those that differ are called `name.human` and `name.mouse`.

    Raises ParameterError where there is no such part or a record breaks the rules.
    """
    path = CONFIG_DIRECTORY / "parameters" / f"{part}.yaml"
    if not path.is_file():
        parts = parameter_parts()
        raise ParameterError(f"no parameters for '{part}'", expected=listed(parts), suggestion=nearest(part, parts))
    records = _read(str(path), path.stat().st_mtime_ns)
    if species is None:
        return dict(records)
    return {name.removesuffix(f".{species}"): record for name, record in records.items() if _applies(name, species)}


def load_parameters(
    cls: type[T], part: str, species: str = "human", overrides: Mapping[str, str | float] | None = None
) -> T:
    """The parameters of a part for a species, in the units the fields of `cls` ask for.

    cls: a NamedTuple class, every field `Annotated[float, Unit("...")]`; part: name of the file; overrides:
    `part.name` -> text with unit or plain number; those of other parts are left alone. Raises ParameterError where
    fields and records do not match one to one, a unit has the wrong dimension, or an override names no record.
    """
    records = parameter_records(part, species)
    wanted = _units_of(cls)
    changed = _overrides_of(part, overrides or {}, wanted)
    file = next(iter(records.values())).file if records else str(CONFIG_DIRECTORY / "parameters" / f"{part}.yaml")
    for missing in wanted.keys() - records.keys():
        raise ParameterError(
            f"no record for {cls.__name__}", file=file, key=missing, suggestion=nearest(missing, records)
        )
    for unknown in records.keys() - wanted.keys():
        line, near = records[unknown].line, nearest(unknown, wanted)
        raise ParameterError(f"no field of {cls.__name__}", file=file, line=line, key=unknown, suggestion=near)
    values = {name: changed.get(name, records[name].value) for name in wanted}
    return cls(*(_number(values[name], unit, name, records[name]) for name, unit in wanted.items()))


def flatten_overrides(overrides: Mapping[str, Any], prefix: str = "") -> dict[str, str | float]:
    """Nested or dotted overrides as `part.name` -> value: {"body": {"x": 1}} and {"body.x": 1} are the same.

    Fault where one parameter is overridden in both ways.
    """
    flat: dict[str, str | float] = {}
    for key, value in overrides.items():
        own = flatten_overrides(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
        for twice in flat.keys() & own.keys():
            at = (key, twice.removeprefix(f"{prefix}{key}.")) if isinstance(value, Mapping) else (key,)
            raise Fault("overridden twice, with a dot and nested", expected=f"{twice} once", at=at)
        flat |= own
    return flat


def check_override(key: str, value: object, species: str) -> None:
    """Fault unless `key` is the `part.name` of a parameter of this species and `value` has its dimension."""
    part, _, name = key.partition(".")
    if part not in parameter_parts():
        expected = "part.name with a part among " + listed(parameter_parts())
        raise Fault(
            f"there are no parameters called '{part}'", expected=expected, suggestion=nearest(part, parameter_parts())
        )
    records = parameter_records(part, species)
    if not name:
        expected = f"{part}.name of a parameter in configs/parameters/{part}.yaml"
        raise Fault("the name of a part of the parameters", expected=expected)
    if name not in records:
        near = nearest(name, records)
        expected = f"a parameter in configs/parameters/{part}.yaml"
        suggestion = f"{part}.{near}" if near else None
        raise Fault(f"there is no parameter '{name}' of {part}", expected=expected, suggestion=suggestion)
    record = records[name]
    expected = f"{dimension_name(record.unit)} such as {record.value}"
    if isinstance(value, str):
        try:
            number = convert(value, record.unit)
        except Fault as fault:
            raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion) from fault
    elif isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise Fault("not a number", expected=expected)
    elif abs(value) > sys.float_info.max:
        raise Fault("too large a number", expected=expected)
    elif record.unit != "1":
        raise Fault("a bare number where a unit belongs", expected=expected)
    else:
        number = float(value)
    if number < 0.0 <= record.low:
        raise Fault("below zero", expected=f"0 or more, such as {record.value}")
    if number == 0.0 and record.divisor:
        raise Fault("the equations divide by it", expected=f"more than 0, such as {record.value}")


def _overrides_of(part: str, overrides: Mapping[str, str | float], fields: Iterable[str]) -> dict[str, str | float]:
    found = {}
    for key, value in flatten_overrides(overrides).items():
        owner, _, name = key.rpartition(".")
        if owner not in {part, ""}:
            continue
        if name not in fields:
            raise ParameterError(f"there is no parameter '{name}' of {part}", key=key, suggestion=nearest(name, fields))
        found[name] = value
    return found


def _units_of(cls: type[Any]) -> dict[str, str]:
    """Field -> unit of a parameter class."""
    if cls in _UNITS:
        return _UNITS[cls]
    units = {}
    for name, hint in get_type_hints(cls, include_extras=True).items():
        unit = next((extra.name for extra in get_args(hint)[1:] if isinstance(extra, Unit)), None)
        if get_origin(hint) is not Annotated or unit is None:
            raise TypeError(f'{cls.__name__}.{name} must be Annotated[float, Unit("...")]')
        units[name] = unit
    _UNITS[cls] = units
    return units


def _number(value: str | float, unit: str, name: str, record: ParameterRecord) -> float:
    """A value in the unit asked for; ParameterError where it has another dimension."""
    try:
        if isinstance(value, str):
            return convert(value, unit)
        if unit != "1":
            raise Fault("a bare number where a unit belongs", expected=f"{dimension_name(unit)}, in {unit}")
    except Fault as fault:
        expected = fault.expected or f"{dimension_name(unit)}, convertible to {unit}"
        raise ParameterError(
            fault.problem,
            file=record.file,
            line=record.line,
            key=name,
            value=repr(value),
            expected=expected,
            suggestion=fault.suggestion,
        ) from fault
    return float(value)


def _applies(name: str, species: str) -> bool:
    return "." not in name or name.endswith(f".{species}")


@lru_cache(maxsize=256)
def _read(path: str, modified: int) -> dict[str, ParameterRecord]:
    """All records of a file; `modified` keeps the cache true to the file."""
    document = read_yaml(path)
    if not isinstance(document.content, dict):
        raise ParameterError("not a mapping of names to records", file=path)
    records: dict[str, ParameterRecord] = {}
    for name, entry in document.content.items():
        if not isinstance(entry, dict):
            raise _broken(document, (name,), "not a record", f"a mapping with {listed(_FIELDS)}")
        if entry.keys() & set(SPECIES):
            if set(entry) != set(SPECIES):
                raise _broken(document, (name,), "a record per species must have all species", " and ".join(SPECIES))
            records |= {
                f"{name}.{species}": _record(document, (name, species), name, entry[species]) for species in SPECIES
            }
        else:
            records[name] = _record(document, (name,), name, entry)
    return records


def _record(document: Document, place: tuple[str, ...], name: str, entry: Any) -> ParameterRecord:
    if not isinstance(entry, dict):
        raise _broken(document, place, "not a record", f"a mapping with {listed(_FIELDS)}")
    for key in entry:
        if key not in _FIELDS:
            raise _broken(document, (*place, key), "unknown field", listed(_FIELDS), nearest(key, _FIELDS))
    for key in ("value", "range", "grade", "source"):
        if key not in entry:
            raise _broken(document, place, f"'{key}' is missing", "value, range, grade and source")
    unit = _unit(document, place, entry["value"])
    ends = entry["range"]
    if not isinstance(ends, list) or len(ends) != 2:
        raise _broken(document, (*place, "range"), "not a range", "a list of two values, [lowest, highest]")
    number, low, high = (_in_unit(document, place, item, unit) for item in (entry["value"], *ends))
    if not low <= number <= high:
        problem = f"the value {entry['value']} lies outside the range"
        raise _broken(document, (*place, "range"), problem, f"{ends[0]} to {ends[1]}")
    divisor = entry.get("divisor", False)
    if not isinstance(divisor, bool) or (divisor and low <= 0.0):
        raise _broken(document, (*place, "divisor"), "no number to divide by", "true, and a range above 0")
    source = _check_labels(document, place, entry)
    labels = (entry["grade"], source, entry.get("species"), entry.get("note", ""))
    interval = _interval(document, place, entry, unit)
    return ParameterRecord(
        name, entry["value"], number, low, high, unit, *labels, *document.mark(place), interval, entry.get("fit", ""),
        divisor,
    )  # fmt: skip


def _interval(
    document: Document, place: tuple[str, ...], entry: dict[str, Any], unit: str
) -> tuple[float, float] | None:
    """The posterior interval of a fitted number, which lies within its range and holds its value."""
    for key in ("interval", "fit"):
        if key in entry and entry["grade"] != "fitted":
            raise _broken(document, (*place, key), f"a number that is {entry['grade']} has no {key}", "grade: fitted")
    ends = entry.get("interval")
    if ends is None:
        return None
    if not isinstance(ends, list) or len(ends) != 2:
        raise _broken(document, (*place, "interval"), "not an interval", "a list of two values, [lowest, highest]")
    value, low, high, least, most = (
        _in_unit(document, place, item, unit) for item in (entry["value"], *ends, *entry["range"])
    )
    if not least <= low <= value <= high <= most:
        expected = f"its ends within the range {entry['range'][0]} to {entry['range'][1]}, the value between them"
        raise _broken(document, (*place, "interval"), f"not an interval about {entry['value']}", expected)
    return low, high


def _check_labels(document: Document, place: tuple[str, ...], entry: dict[str, Any]) -> tuple[str, ...]:
    """Grade, sources, species and note must be of the right kind; the sources are returned."""
    grade, source = entry["grade"], entry["source"]
    if grade not in GRADES:
        raise _broken(document, (*place, "grade"), f"unknown grade {grade!r}", listed(GRADES), nearest(grade, GRADES))
    if not isinstance(source, list) or not all(isinstance(key, str) for key in source):
        raise _broken(
            document, (*place, "source"), "not a list of source keys", "keys of references.bib such as [author2005]"
        )
    if grade in {"measured", "derived"} and not source:
        raise _broken(document, (*place, "source"), f"a {grade} number needs a source", "keys of references.bib")
    for key in ("interval", "fit"):
        if grade == "fitted" and key not in entry:
            raise _broken(document, place, f"a fitted number needs '{key}'", "it, as calibrate --write does")
    for key in ("species", "note", "fit"):
        if not isinstance(entry.get(key, ""), str):
            raise _broken(document, (*place, key), "not text")
    return tuple(source)


def _unit(document: Document, place: tuple[str, ...], value: Any) -> str:
    if isinstance(value, str):
        try:
            unit = split_quantity(value)[1]
        except Fault as fault:
            raise _broken(document, (*place, "value"), fault.problem, "a number, or a number with a unit") from fault
        if not unit:
            raise _broken(
                document, (*place, "value"), "a number in quotes", "a unit after the number, or a plain number"
            )
        return unit
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _broken(document, (*place, "value"), "not a number", "a number, or a number with a unit")
    return "1"


def _in_unit(document: Document, place: tuple[str, ...], value: Any, unit: str) -> float:
    if isinstance(value, str):
        try:
            return convert(value, unit)
        except Fault as fault:
            expected = f"the unit of the value, {unit}"
            raise _broken(document, place, f"{value!r}: {fault.problem}", expected, fault.suggestion) from fault
    if isinstance(value, bool) or not isinstance(value, int | float) or not same_dimension(unit, "1"):
        raise _broken(document, place, f"{value!r} has no unit", f"the unit of the value, {unit}")
    return float(value)


def _broken(
    document: Document, place: tuple[str, ...], problem: str, expected: str = "", suggestion: str | None = None
) -> ParameterError:
    mark = document.mark(place)
    return ParameterError(
        problem, file=mark.file, line=mark.line, key=".".join(place), expected=expected, suggestion=suggestion
    )
