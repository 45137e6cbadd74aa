"""Reading descriptions from files: `from:` brings in another file, `key.path=value` replaces a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from abm.config.experiment import Experiment
from abm.config.messages import validate
from abm.errors import ConfigError, Key, listed, nearest
from abm.yaml_lines import Document, Mark, Place, parse_yaml, read_yaml

Model = TypeVar("Model", bound=BaseModel)


def load_experiment(path: str | Path, overrides: Sequence[str] = ()) -> Experiment:
    """The experiment in a YAML file, with `key.path=value` overrides that are checked as if they stood in the file.

    Raises ConfigError, one message with file, line, key, value, what was expected and the nearest valid spelling.
    """
    return load_model(Experiment, path, overrides)


def load_model(cls: type[Model], path: str | Path, overrides: Sequence[str] = ()) -> Model:
    """As load_experiment for any part of a description, or for a model that contains one."""
    return validate(cls, override(load_document(path), overrides, Path(path)))


def build_experiment(content: Mapping[str, Any], overrides: Sequence[str] = ()) -> Experiment:
    """An experiment from plain values, such as those of `Experiment.resolved()`. Raises ConfigError."""
    return validate(Experiment, override(Document(_copied(content), {}), overrides))


def load_document(path: str | Path, above: tuple[Path, ...] = ()) -> Document:
    """A YAML file with every `{from: other.yaml}` replaced by that file; keys beside `from` replace its keys."""
    path = Path(path)
    document = read_yaml(path)
    marks: dict[Place, Mark] = {}
    content = _included(document, document.content, (), path, (*above, path.resolve()), marks)
    return Document(content, marks)


def _included(
    document: Document, value: Any, place: Place, path: Path, above: tuple[Path, ...], marks: dict[Place, Mark]
) -> Any:
    marks[place] = document.mark(place)
    if isinstance(value, list):
        return [_included(document, item, (*place, i), path, above, marks) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    content: dict[str, Any] = {}
    if "from" in value:
        content = _read_other(document, value["from"], (*place, "from"), path, above, marks)
    for key, item in value.items():
        if key != "from":
            _forget(marks, (*place, key))
            content[key] = _included(document, item, (*place, key), path, above, marks)
    return content


def _read_other(
    document: Document, name: Any, place: Place, path: Path, above: tuple[Path, ...], marks: dict[Place, Mark]
) -> dict[str, Any]:
    """The mapping in the file named by `from`, its marks added below the mapping that names it."""
    mark = document.mark(place)
    where = partial(ConfigError, file=mark.file, line=mark.line, key=".".join(map(str, place)), value=f'"{name}"')
    expected = "a path relative to this file, such as ../schedules/hiit.yaml"
    if not isinstance(name, str):
        raise where("not a file name", expected=expected)
    other = path.parent / name
    if "\0" in name:
        raise where("no such file", expected=expected)
    if other.resolve() in above:
        raise where("the file brings in itself")
    if not other.is_file():
        here = [file.name for file in other.parent.iterdir() if file.is_file()] if other.parent.is_dir() else []
        near = nearest(other.name, here)
        suggestion = str(Path(name).parent / near) if near else None
        raise where("a folder" if other.is_dir() else "no such file", expected=expected, suggestion=suggestion)
    included = load_document(other, above)
    content = {} if included.content is None else included.content
    if not isinstance(content, dict):
        raise where("the file holds no mapping", expected="keys with values")
    marks.update({(*place[:-1], *inner): found for inner, found in included.marks.items() if inner})
    return content


def override(document: Document, overrides: Sequence[str], path: Path = Path()) -> Document:
    """The document with `key.path=value` replacements, each value read as if it stood in the file at `path`."""
    content, marks = document.content, dict(document.marks)
    for text in overrides:
        content = _replaced(content, marks, text, path)
    return Document(content, marks)


def _replaced(content: Any, marks: dict[Place, Mark], text: str, file: Path) -> Any:
    source = f"--set {text}"
    path, equals, value = text.partition("=")
    keys = path.strip().split(".")
    if not equals or not all(keys):
        raise ConfigError("not a replacement", file=source, expected='key.path=value such as run.duration="14 d"')
    try:
        parsed = parse_yaml(value, source)
    except ConfigError as error:
        raise ConfigError(error.problem, file=source, expected="a value as in a YAML file") from None
    place: Place = ()
    content = _copied(content)
    inner: Any = content
    for position, key in enumerate(keys):
        inner, here = _entry(inner, key, source, ".".join(keys[:position]))
        rest = ".".join(keys[position:])
        dotted = isinstance(inner, dict) and rest in inner  # as parameters are written: body_ketones.ketone_volume
        here, last = (rest, True) if dotted else (here, position == len(keys) - 1)
        place = (*place, here)
        if last and here == "from" and isinstance(inner, dict):
            given = Document(parsed.content, {place: Mark(source, 0)})
            brought = _read_other(given, parsed.content, place, file, (file.resolve(),), marks)
            inner.update({**brought, **inner})
        elif last:
            _forget(marks, place)
            written = [place[:depth] for depth in range(len(place))] + [(*place, *below) for below in parsed.marks]
            given = Document(parsed.content, dict.fromkeys(written, Mark(source, 0)))
            inner[here] = _included(given, given.content, place, file, (file.resolve(),), marks)
            break
        else:
            if isinstance(inner, dict) and inner.get(here) is None:
                if place[:-1] == ("schedules",) and here not in inner:
                    problem, near = "there is no such schedule", nearest(key, inner)
                    raise ConfigError(problem, file=source, value=key, expected=listed(inner), suggestion=near)
                inner[here] = {}
            marks.setdefault(place, Mark(source, 0))
            inner = inner[here]
    return content


def _entry(inner: Any, key: str, source: str, above: str) -> tuple[Any, Key]:
    """What holds `key`, and the key as it is used there: a number in a list."""
    if isinstance(inner, dict):
        return inner, key
    if isinstance(inner, list):
        if key.isdecimal() and int(key) < len(inner):
            return inner, int(key)
        raise ConfigError(
            f"'{above}' is a list of {len(inner)}", file=source, expected="the number of an entry, from 0"
        )
    raise ConfigError(f"'{above}' has no keys below it", file=source, expected=f"{above}=value")


def _forget(marks: dict[Place, Mark], place: Place) -> None:
    for known in [known for known in marks if known[: len(place)] == place]:
        del marks[known]


def _copied(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _copied(item) for key, item in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list | tuple) else value
