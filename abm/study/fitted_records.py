"""Fitted numbers written into configs/parameters: value, interval, grade and command; all other text stays as it is."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import yaml

from abm.errors import ConfigError
from abm.parameters import CONFIG_DIRECTORY
from abm.study.store import write_text
from abm.units import convert, split_quantity
from abm.yaml_lines import parse_yaml

DIGITS = 4  # significant, of what is written
UNIDENTIFIED = "not identified by the rows of the fit"


class FittedNumber(NamedTuple):
    """What a fit says of one record: key `part.name`, with `.species` where these differ; value None: as it stands.

    identified: whether the rows say something of it.
    """

    key: str
    value: float | None
    low: float
    high: float
    identified: bool = True


def write_fitted(numbers: Iterable[FittedNumber], command: str, folder: Path | None = None) -> list[Path]:
    """Write the numbers into their files and return these; each record then has grade fitted, interval and fit.

    command: the command that made the fit; folder: of the parameter files. Raises ConfigError where a record is not
    written as one flow mapping in braces; nothing has been written then.
    """
    folder = folder or CONFIG_DIRECTORY / "parameters"
    texts: dict[Path, str] = {}
    for number in numbers:
        part, _, name = number.key.partition(".")
        path = folder / f"{part}.yaml"
        text = texts.get(path) or path.read_text(encoding="utf-8")
        texts[path] = _replaced(text, path, name, number, command)
    for path, text in texts.items():
        write_text(path, text)
    return list(texts)


def _replaced(text: str, path: Path, name: str, number: FittedNumber, command: str) -> str:
    begin, end = _span(text, path, tuple(name.split(".")))
    record = text[begin:end]
    if not record.startswith("{"):
        raise ConfigError("is not written in braces", file=str(path), key=name, expected="{value: ..., range: ...}")
    content = parse_yaml(record, str(path)).content
    unit = split_quantity(content["value"])[1] if isinstance(content["value"], str) else "1"
    value, least, most = (_number(item, unit) for item in (content["value"], *content["range"]))
    if number.value is not None:
        value = min(max(_rounded(number.value), least), most)
        record = _with(record, "value", _text(value, unit))
    low, high = max(least, min(_rounded(number.low), value)), min(most, max(_rounded(number.high), value))
    record = _with(record, "grade", "fitted")
    indent = " " * (begin - text.rfind("\n", 0, begin))
    record = _with(record, "interval", f"[{_text(low, unit)}, {_text(high, unit)}]", indent)
    record = _with(record, "fit", f'"{command}"')
    note = content.get("note", "").removesuffix(UNIDENTIFIED).removesuffix("; ")
    if not number.identified:
        note = f"{note}; {UNIDENTIFIED}" if note else UNIDENTIFIED
    if note != content.get("note", ""):
        record = _with(record, "note", json.dumps(note, ensure_ascii=False))
    return text[:begin] + record + text[end:]


def _span(text: str, path: Path, place: tuple[str, ...]) -> tuple[int, int]:
    """Where in the text the record at a place begins and ends."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for key in place:
        node = _inside(node, key)
    if node is None:
        raise ConfigError("there is no such record", file=str(path), key=".".join(place))
    return int(node.start_mark.index), int(node.end_mark.index)


def _inside(node: yaml.Node | None, key: str) -> yaml.Node | None:
    """The value of a key of a mapping."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    return next((value for name, value in pairs if name.value == key), None)


def _with(record: str, key: str, text: str, indent: str = "") -> str:
    """The record with a key's value replaced, or the key put at its end where it is missing: on a line of its own
    where an indent is given.
    """
    node = yaml.compose(record, Loader=yaml.SafeLoader)
    old = _inside(node, key)
    if old is not None:
        return record[: old.start_mark.index] + text + record[old.end_mark.index :]
    gap = f",\n{indent}" if indent else ", "
    return f"{record[:-1].rstrip(', ')}{gap}{key}: {text}}}"


def _number(value: str | float, unit: str) -> float:
    return convert(value, unit) if isinstance(value, str) else float(value)


def _rounded(number: float) -> float:
    return float(f"{number:.{DIGITS}g}")


def _text(number: float, unit: str) -> str:
    """A number as it is written, such as "0.27 L/kg"; with the point that YAML wants before an exponent."""
    text = f"{number:.12g}"
    if "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text if unit == "1" else f"{text} {unit}"
