"""Turns what the schema objects to into one clear message: place, value, what was expected, nearest spelling."""

from __future__ import annotations

import json
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from abm.errors import ConfigError, Fault, Key, listed, nearest
from abm.yaml_lines import Document, Place

_ENDS = {
    "greater_than_equal": "at least",
    "greater_than": "more than",
    "less_than_equal": "at most",
    "less_than": "less than",
    "too_short": "at least",
    "too_long": "at most",
}
Model = TypeVar("Model", bound=BaseModel)
_TYPES = {
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "list_type": "a list",
    "tuple_type": "a list",
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "bool_type": "true or false",
}


def validate(cls: type[Model], document: Document) -> Model:
    """The model a document describes. Raises ConfigError with the first thing that is wrong."""
    if not isinstance(document.content, dict):
        mark = document.mark(())
        problem = "the file is empty" if document.content is None else "not a mapping"
        raise ConfigError(
            problem, file=mark.file, line=mark.line, expected="keys with values, such as name: my_experiment"
        )
    try:
        return cls.model_validate(document.content)
    except ValidationError as error:
        raise _explain(cls, document, error) from None


def _explain(cls: type[BaseModel], document: Document, error: ValidationError) -> ConfigError:
    """The error that stands first in the file; in place of a missing key the unknown one beside it, likely the same."""
    found = [(_reached(document, _place(item)), item) for item in error.errors(include_url=False)]
    place, item = min(found, key=lambda pair: document.mark(pair[0]).line)
    if item["type"] == "missing":
        beside = (pair for pair in found if pair[1]["type"] == "extra_forbidden" and pair[0][:-1] == place[:-1])
        place, item = next(beside, (place, item))
    mark = document.mark(place)
    problem, expected, suggestion = _problem(cls, place, item)
    return ConfigError(
        problem,
        file=mark.file or None,
        line=mark.line or None,
        key=_dotted(document, place),
        value=_shown(document.value(place)),
        expected=expected,
        suggestion=suggestion,
    )


def _place(item: Any) -> Place:
    """Keys down to what is wrong. A wrong key of a mapping is reported as `[key]` after the key itself."""
    place: tuple[Key, ...] = tuple(key for key in item["loc"] if key != "[key]")
    fault = item.get("ctx", {}).get("error")
    return (*place, *fault.at) if isinstance(fault, Fault) else place


def _reached(document: Document, place: Place) -> Place:
    """The place as far as it can be written: below a word that stands for several keys there is none."""
    words = (depth for depth in range(1, len(place)) if isinstance(document.value(place[:depth]), str | int | float))
    return place[: next(words, len(place))]


def _problem(cls: type[BaseModel], place: Place, item: Any) -> tuple[str, str, str | None]:
    """What is wrong, what was expected, and the nearest valid spelling."""
    kind, context = item["type"], item.get("ctx", {})
    fault = context.get("error")
    if isinstance(fault, Fault):
        return fault.problem, fault.expected, fault.suggestion
    if kind == "extra_forbidden":
        keys = [key for key in _keys(cls, place[:-1]) if key != "note"]
        near = nearest(place[-1], keys)
        owners = [name for name in cls.model_fields if place[-1] in _keys(cls, (name,))]
        expected = f"it in '{owners[0]}'" if owners and len(place) > 1 else "one of " + listed(keys)
        return "unknown key", "" if near else expected, near
    if kind == "missing":
        return "is missing", _meaning(cls, place), None
    if kind == "literal_error":
        options = [option.strip("'") for option in context["expected"].replace(" or ", ", ").split(", ")]
        return "unknown name", listed(options), nearest(item["input"], options)
    if kind == "string_pattern_mismatch":
        return "not a name", "letters, digits, _, + and - only, beginning with a letter or digit", None
    if kind in _TYPES:
        return "is of the wrong kind", _TYPES[kind], None
    if kind in {"too_short", "too_long"}:
        limit = context.get("min_length", context.get("max_length"))
        some = "entry" if limit == 1 else "entries"
        return "has the wrong number of entries", f"{_ENDS[kind]} {limit} {some}", None
    if kind in _ENDS:
        limit = next(context[end] for end in ("ge", "gt", "le", "lt") if end in context)
        return "out of range", f"{_ENDS[kind]} {limit:,}", None
    return item["msg"][0].lower() + item["msg"][1:], "", None


def _keys(cls: type[BaseModel], place: Place) -> list[str]:
    owner = _model_at(cls, place)
    return list(owner.model_fields) if owner else []


def _meaning(cls: type[BaseModel], place: Place) -> str:
    """What a missing key would say."""
    owner = _model_at(cls, place[:-1])
    field = owner.model_fields.get(str(place[-1])) if owner else None
    meaning = field.description if field and field.description else "it beside the other keys"
    return meaning[0].lower() + meaning[1:].rstrip(".")


def _model_at(cls: type[BaseModel], place: Place) -> type[BaseModel] | None:
    """The class that describes the mapping at a place."""
    annotation: Any = cls
    for key in place:
        annotation = _plain(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(key))
            if field is None:
                return None
            annotation = field.annotation
        else:
            annotation = (get_args(annotation) or (None,))[1 if get_origin(annotation) is dict else 0]
    annotation = _plain(annotation)
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _plain(annotation: Any) -> Any:
    """An annotation without `Annotated[...]` and `| None`."""
    while get_args(annotation) and get_origin(annotation) not in {dict, list, tuple}:
        annotation = next((part for part in get_args(annotation) if part is not type(None)), None)
    return annotation


def _dotted(document: Document, place: Place) -> str:
    """Keys with dots, as written: without the index where one entry stands for a list."""
    kept: list[str] = []
    for position, key in enumerate(place):
        if not isinstance(key, int) or isinstance(document.value(place[:position]), list):
            kept.append(str(key))
    return ".".join(kept)


def _shown(value: Any) -> str | None:
    """The value as a reader wrote it, shortened; None for a mapping, a list of more than values, or where there is
    none.
    """
    if value is None or isinstance(value, dict):
        return None
    if isinstance(value, list):
        entries = [_shown(entry) for entry in value]
        shown = [entry for entry in entries if entry is not None]
        text = f"[{', '.join(shown)}]"
        return text if len(entries) == len(shown) and len(text) <= 60 else None
    if isinstance(value, bool):
        return "true" if value else "false"
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
