"""YAML read strictly, with the file and line of every value.

Safe values only. Scalars follow YAML 1.2: `07:30`, `on`, `no` and dates are text, `1e-3` is a number. A key may stand
once in a mapping.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from abm.errors import ConfigError, Key, nearest

Place = tuple[Key, ...]


class Mark(NamedTuple):
    """Where something was written; line 0 where there are no lines, as in a command-line override."""

    file: str
    line: int


@dataclass(frozen=True)
class Document:
    """Plain values and, for the keys leading to each of them, where it stands."""

    content: Any
    marks: dict[Place, Mark]

    def mark(self, place: Place) -> Mark:
        """Mark of the innermost written thing on the way to `place`."""
        return self.marks.get(self.written(place), Mark("", 0))

    def written(self, place: Place) -> Place:
        """The keys of `place` as far as they were written.

        A 0 that was never written (the only entry where a list may stand) is passed over; keys written as one,
        `body.x`, count.
        """
        found: Place = ()
        for position, key in enumerate(place):
            rest = ".".join(map(str, place[position:]))
            if (*found, key) in self.marks:
                found = (*found, key)
            elif (*found, rest) in self.marks:
                return (*found, rest)
            elif key != 0 or isinstance(key, str):
                break
        return found

    def value(self, place: Place) -> Any:
        """What was written at `place`; None where nothing was."""
        value = self.content
        for position, key in enumerate(place):
            rest = ".".join(map(str, place[position:]))
            if isinstance(value, dict) and key in value:
                value = value[str(key)]
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            elif isinstance(value, dict) and rest in value:
                return value[rest]
            elif key != 0 or isinstance(key, str) or isinstance(value, list):
                return None
        return value


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe loader with the scalars of YAML 1.2."""

    yaml_implicit_resolvers: dict[str, list[Any]] = {}  # noqa: RUF012  (the attribute PyYAML looks up on the class)


_SCALARS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "merge": r"<<",
}
for _name, _pattern in _SCALARS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), None)


def read_yaml(path: str | Path) -> Document:
    """The document in a file. Raises ConfigError, naming file and line, where there is none or it is not YAML."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        here = [other.name for other in path.parent.iterdir() if other.is_file()] if path.parent.is_dir() else []
        raise ConfigError("no such file", file=str(path), suggestion=nearest(path.name, here)) from None
    except (IsADirectoryError, PermissionError, OSError) as error:
        raise ConfigError(f"cannot be read ({error.strerror})", file=str(path), expected="a YAML file") from None
    except UnicodeDecodeError:
        raise ConfigError("is not text in UTF-8", file=str(path), expected="a YAML file") from None
    return parse_yaml(text, str(path))


COLLECTIONS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")  # what the rest of YAML is made of


def parse_yaml(text: str, file: str) -> Document:
    """The document in a text; `file` is the name used in messages. Raises ConfigError where it is not strict YAML."""
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        here = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
        expected = "spaces, where a tab indents" if here.lstrip(" ").startswith("\t") else ""
        line = mark.line + 1 if mark else None
        raise ConfigError(f"not valid YAML ({problem})", file=file, line=line, expected=expected) from None
    except (yaml.YAMLError, RecursionError) as error:
        raise ConfigError(f"not valid YAML ({error})", file=file) from None
    marks: dict[Place, Mark] = {}
    content = None if node is None else _value(node, (), file, marks, ())
    marks[()] = Mark(file, 1)
    return Document(content, marks)


def _value(node: yaml.Node, place: Place, file: str, marks: dict[Place, Mark], above: tuple[yaml.Node, ...]) -> Any:
    marks.setdefault(place, Mark(file, node.start_mark.line + 1))
    if any(node is other for other in above):
        raise _error(node, file, place, "an alias inside what it stands for")
    if not isinstance(node, yaml.ScalarNode) and node.tag not in COLLECTIONS:
        raise _error(node, file, place, f"the tag {node.tag!r} is not allowed", "plain values")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, place, file, marks, (*above, node))
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*place, index), file, marks, (*above, node)) for index, item in enumerate(node.value)]
    return _scalar(node, place, file)


def _mapping(
    node: yaml.MappingNode, place: Place, file: str, marks: dict[Place, Mark], above: tuple[yaml.Node, ...]
) -> dict[str, Any]:
    content: dict[str, Any] = {}
    merged: list[yaml.Node] = []
    for key_node, value_node in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            merged += value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            raise _error(key_node, file, place, "a key is not text", "a name")
        key: str = key_node.value  # as it is written, also where it looks like a number
        if key in content:
            expected = f"it once; it stands in line {marks[(*place, key)].line} already"
            raise _error(key_node, file, (*place, key), "the key stands twice", expected)
        marks[(*place, key)] = Mark(file, key_node.start_mark.line + 1)
        content[key] = _value(value_node, (*place, key), file, marks, above)
    for other in merged:
        if not isinstance(other, yaml.MappingNode):
            raise _error(other, file, place, "'<<' merges a mapping only")
        for key, value in _mapping(other, place, file, {}, (*above, other)).items():
            content.setdefault(key, value)
    return content


def _scalar(node: yaml.Node, place: Place, file: str) -> Any:
    kind = node.tag.removeprefix("tag:yaml.org,2002:")
    text: str = node.value
    try:
        if kind == "str":
            return text
        if kind in {"int", "float"}:
            return int(text) if kind == "int" else float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if kind in {"null", "bool"}:
            return None if kind == "null" else text.lower() == "true"
    except ValueError:
        raise _error(node, file, place, f"{text!r} is not a number") from None
    raise _error(node, file, place, f"the tag {node.tag!r} is not allowed", "plain values")


def _error(node: yaml.Node, file: str, place: Place, problem: str, expected: str = "") -> ConfigError:
    key = ".".join(map(str, place)) or None
    return ConfigError(problem, file=file, line=node.start_mark.line + 1, key=key, expected=expected)
