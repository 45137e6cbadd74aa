"""The page of finished results: summary, tissue states over time, traces, and the report."""

from __future__ import annotations

import html
from dataclasses import dataclass, replace
from typing import Any

import solara

from abm.metric_names import REGIONS
from abm.view.server.browsing import Browser
from abm.view.server.controls import ALONE, choice, colour_name
from abm.view.server.courses import WINDOWS
from abm.view.server.painting import svg
from abm.view.server.printing import png_file
from abm.view.server.scene import COLOURED, FIELDS, View
from abm.view.server.style import LOOK
from abm.view.server.widgets import ClickablePicture, Save
from abm.view.style import WORDS
from abm.view.text import counted, time_text

REPORT = "/results/report.html"


class Served:
    """What this server shows; set before it starts."""

    browser: Browser


@dataclass(frozen=True)
class Looking:
    """What is looked at: schedules, replicate, the place of a stored time, and how."""

    own: str
    compared: str | None
    replicate: int
    moment: int
    view: View
    window: str = "so far"


@solara.component
def Layout(children: list[Any] = []) -> None:  # noqa: B006  # as Solara calls it
    """Nothing around the page."""
    solara.Div(children=children)


@solara.component
def Page() -> None:
    """The whole page."""
    browser = Served.browser
    solara.Style(LOOK)
    solara.Title(f"Results: {browser.experiment.name}")
    first = next((name for name in browser.schedules if name != browser.reference), browser.reference)
    looking, look = solara.use_state(Looking(first, browser.reference, 0, len(browser.hours) - 1, View()))

    def change(**what: Any) -> None:
        look(replace(looking, **what))

    with solara.Div(classes=["bench"]):
        with solara.Div(classes=["side"]):
            solara.HTML("h1", f"Results: {html.escape(browser.experiment.name)}")
            solara.HTML("div", _about(browser), classes=["note"])
            Choices(browser, looking, change)
        with solara.Div(classes=["main"]):
            Moment(browser, looking, change)
            States(browser, looking)
            solara.HTML("div", "<h2>Summary</h2>" + browser.summary(), classes=["summary"])


def _about(browser: Browser) -> str:
    record = browser.results.manifest
    schedules, replicates = counted(len(browser.schedules), "schedule"), counted(record["replicates"], "replicate")
    size = f"{schedules} on {replicates}, seed {record['seed']}."
    failures = record.get("failures", [])
    failed = f" Runs that failed: {len(failures)}." if failures else ""
    report = (browser.results.path / "report.html").exists()
    link = f' <a href="{REPORT}" target="_blank">The report</a>' if report else ""
    return size + failed + link


@solara.component
def Choices(browser: Browser, looking: Looking, change: Any) -> None:
    """What is shown."""

    def view(**what: Any) -> None:
        change(view=looking.view._replace(**what))

    solara.HTML("h2", "Plans")
    choice("Plan", looking.own, browser.schedules, lambda name: change(own=name))
    others = [ALONE, *browser.schedules]
    choice("Compare with", looking.compared or ALONE, others, lambda n: change(compared=None if n == ALONE else n))
    replicates = [str(k) for k in range(browser.experiment.run.replicates)]
    choice("Replicate of the picture", str(looking.replicate), replicates, lambda k: change(replicate=int(k)))
    solara.HTML("h2", "View")
    fields = {WORDS.get(name, name): name for name in FIELDS}
    shown = next(name for name, field in fields.items() if field == looking.view.field)
    choice("Field", shown, list(fields), lambda name: view(field=fields[name]))
    colours = {colour_name(name): name for name in COLOURED}
    choice(
        "Colour neurons by", colour_name(looking.view.colour), list(colours), lambda name: view(colour=colours[name])
    )
    choice("Region", looking.view.region, list(REGIONS), lambda name: view(region=name))
    windows = {"whole run": "so far", **{name: name for name in WINDOWS if name != "so far"}}
    named = next(name for name, window in windows.items() if window == looking.window)
    choice("Time shown", named, list(windows), lambda name: change(window=windows[name]))
    solara.HTML("div", "Time courses are means over replicates.", classes=["note"])
    Save("PNG", "tissue.png", "image/png", lambda: png_file(_pictures(browser, looking)), lambda text: None)


@solara.component
def Moment(browser: Browser, looking: Looking, change: Any) -> None:
    """The stored time that is shown."""
    hour = browser.hours[looking.moment]
    with solara.Div(classes=["bar", "moments"]):
        solara.HTML("span", f"State at {time_text(hour) if hour else 'the start'}", classes=["clock"])
        solara.SliderInt(
            "Stored state", value=looking.moment, min=0, max=max(len(browser.hours) - 1, 1),
            on_value=lambda place: change(moment=min(place, len(browser.hours) - 1)), thumb_label=False,
        )  # fmt: skip


def _pictures(browser: Browser, looking: Looking) -> list[Any]:
    names = [looking.own, *([looking.compared] if looking.compared else [])]
    return browser.pictures(names, looking.replicate, looking.moment, looking.view)


@solara.component
def States(browser: Browser, looking: Looking) -> None:
    """The tissues at that time, and the traces."""
    pictures = solara.use_memo(lambda: _pictures(browser, looking), [looking])
    names = [looking.own, *([looking.compared] if looking.compared else [])]
    field = looking.view.field if looking.view.field in FIELDS[:-1] else "lactate"
    span = browser.span(WINDOWS[looking.window])
    chain = solara.use_memo(lambda: browser.courses(names, field, looking.view.region, span), [looking])
    with solara.Div(classes=["stage", "compared" if len(pictures) > 1 else "alone"]):
        with solara.Div(classes=["pictures"]):
            for picture in pictures:
                ClickablePicture(svg=svg(picture), label=picture.caption)
            if not pictures:
                solara.HTML("div", "This run did not come to its end.", classes=["resting"])
        solara.HTML("div", chain, classes=["courses"])
