"""The two components whose look is written for the browser: a picture that can be clicked, a button that saves."""

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
