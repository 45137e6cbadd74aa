"""What the page is made of: a picture that can be clicked, a button that saves, a field for a whole number."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import solara

from abm.errors import ConfigError


@solara.component_vue("picture.vue")
def ClickablePicture(
    svg: str = "",
    frame: int = 0,
    label: str = "",
    event_picked: Callable[[list[float]], None] = lambda place: None,
    event_shown: Callable[[int], None] = lambda frame: None,
) -> None:
    """An SVG; tells where it was clicked (shares of its image from the top left) and which frame has been drawn."""


@solara.component_vue("save.vue")
def _SaveButton(
    label: str = "",
    filename: str = "",
    kind: str = "",
    content: str = "",
    stamp: int = 0,
    event_wanted: Callable[[Any], None] = lambda nothing: None,
) -> None:
    """A button; when `stamp` changes, the browser saves `content` (base64)."""


@solara.component
def Save(label: str, filename: str, kind: str, make: Callable[[], bytes | str], tell: Callable[[str], None]) -> None:
    """A button that makes a file when it is pressed, and lets the browser save it; `tell` hears why not."""
    made, set_made = solara.use_state(("", 0))

    def wanted(_: Any = None) -> None:
        try:
            content = make()
        except ConfigError as error:
            tell(str(error))
            return
        tell("")
        whole = content.encode() if isinstance(content, str) else content
        set_made((base64.b64encode(whole).decode(), made[1] + 1))

    _SaveButton(label=label, filename=filename, kind=kind, content=made[0], stamp=made[1], event_wanted=wanted)


@solara.component
def Number(
    label: str, value: int | None, take: Callable[[int], Any], drop: Callable[[], Any] | None = None, wrong: str = ""
) -> None:
    """A field for a whole number; what is refused stays in it, marked, beside the reason and the number in force.

    take: refuses a number by a ConfigError. drop: takes an empty field; None where there has to be a number. wrong:
    what is wrong with the number in force.
    """
    refused, set_refused = solara.use_state(("", ""))  # what is written, and why not
    solara.use_effect(lambda: set_refused(("", "")), [value])

    def written(text: str) -> None:
        try:
            number = int(text) if text.strip() or drop is None else None
        except ValueError:
            set_refused((text, "not a whole number"))
            return
        try:
            if number is not None and number != value:
                take(number)
            elif number is None and drop is not None:
                drop()
        except ConfigError as error:
            set_refused((text, error.reason))
        else:
            set_refused(("", ""))

    text, reason = refused
    in_force = "" if value is None else str(value)
    told = f"{reason}. In force: {in_force or 'none'}" if reason else wrong or False
    solara.InputText(label, value=text if reason else in_force, on_value=written, dense=True, error=told)
