"""The page: what is seen of a tissue while a plan plays. One `Visit` stands behind each tab."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from typing import Any

import solara

from abm.config import Experiment
from abm.metric_names import REGIONS
from abm.metrics import METRICS
from abm.view.server.arm import TRACED
from abm.view.server.controls import Builder, Look, Plans, choice
from abm.view.server.courses import courses, distribution, strengths
from abm.view.server.inspector import inspect
from abm.view.server.painting import svg
from abm.view.server.scene import title
from abm.view.server.style import LOOK
from abm.view.server.visit import SPEEDS, Visit
from abm.view.server.widgets import ClickablePicture, Number
from abm.view.text import number


class Served:
    """What this server shows; set before it starts."""

    experiment: Experiment


@solara.component
def Layout(children: list[Any] = []) -> None:  # noqa: B006  # as Solara calls it
    """Nothing around the page."""
    solara.Div(children=children)


@solara.component
def Page() -> None:
    """The whole page."""
    solara.Style(LOOK)
    solara.Title("Hippocampus and exercise")
    visit: Visit = solara.use_memo(lambda: Visit(Served.experiment), [])
    solara.use_effect(lambda: visit.close, [])
    with solara.Div(classes=["bench"]):
        with solara.Div(classes=["side"]):
            solara.HTML("h1", f"Hippocampus: {html.escape(Served.experiment.name)}")
            Plans(visit)
            Look(visit)
            Builder(visit)
        with solara.Div(classes=["main"]):
            Transport(visit)
            Message(visit)
            Stage(visit)
            with solara.Div(classes=["lower"]):
                with solara.Div(classes=["now"]):
                    ReadOuts(visit)
                with solara.Div(classes=["inspector"]):
                    Inspector(visit)


@solara.component
def Transport(visit: Visit) -> None:
    """Play, pause, step, reset, speed; where it stands."""
    with solara.Div(classes=["bar"]):
        if visit.playing.value:
            solara.Button("Pause", icon_name="mdi-pause", on_click=visit.pause, color="primary", small=True)
        else:
            solara.Button("Play", icon_name="mdi-play", on_click=visit.play, color="primary", small=True)
        solara.Button("Step", icon_name="mdi-step-forward", on_click=visit.step, small=True)
        solara.Button("Next session", icon_name="mdi-run", on_click=visit.to_next_session, small=True)
        solara.Button("Reset", icon_name="mdi-skip-backward", on_click=visit.reset, small=True)
        choice("Per frame", visit.speed.value, list(SPEEDS), visit.speed.set)
        Clock(visit)


@solara.component
def Clock(visit: Visit) -> None:
    """Day and clock time, how much of the experiment is over."""
    visit.tick.value  # noqa: B018  # read, so that every frame draws this anew
    session = visit.session
    length = session.experiment.run.duration / 24.0
    solara.HTML("span", session.clock, classes=["clock"])
    solara.HTML("span", f"{session.hour / 24.0:.2f} of {length:g} d", classes=["elapsed"])


@solara.component
def Message(visit: Visit) -> None:
    """What went wrong, in a sentence; and the progress of the rest or of the run."""
    visit.tick.value  # noqa: B018
    status = visit.session.status
    share = status.share if status.stage == "resting" else visit.session.taken / max(visit.session.steps, 1)
    solara.HTML("div", f'<div style="width:{100.0 * share:.1f}%"></div>', classes=["track"])
    if status.stage == "failed":
        solara.Error(status.text)
    elif visit.message.value:
        solara.Error(visit.message.value, dense=True)


@solara.component
def Stage(visit: Visit) -> None:
    """The pictures and the time courses."""
    frame, view = visit.tick.value, visit.view.value
    session = visit.session
    status = session.status
    if status.stage != "ready":
        text = status.text[:1].upper() + status.text[1:]
        solara.HTML("div", html.escape(text) + ("" if status.stage == "failed" else " …"), classes=["resting"])
        return
    pictures = visit.pictures()
    with session.lock:
        arms = session.arms
        names = [arm.plan.name for arm in arms]
        chain = courses(arms, view.field, view.region, visit.window.value)
        spread = distribution(strengths(view.region, arms), names)
    shown: Callable[[int], None] = lambda _: visit.drawn.set()  # noqa: E731
    with solara.Div(classes=["stage", "compared" if len(pictures) > 1 else "alone"]):
        with solara.Div(classes=["pictures"]):
            for picture in pictures:
                ClickablePicture(
                    svg=svg(picture), frame=frame, label=picture.caption,
                    event_picked=lambda place: visit.pick(*place), event_shown=shown,
                )  # fmt: skip
        solara.HTML("div", chain + spread, classes=["courses"])


@solara.component
def ReadOuts(visit: Visit) -> None:
    """The numbers now, of the shown region; of two plans, their paired ratio."""
    visit.tick.value  # noqa: B018
    region = visit.view.value.region
    session = visit.session
    with session.lock:
        names = [arm.plan.name for arm in session.arms]
        values = [[arm.trace(metric, region)[-1] for arm in session.arms] for metric in TRACED]
        clock = session.clock
    if not names:
        return
    head = "".join(f"<th class='n'>{html.escape(name)}</th>" for name in names)
    head += "<th class='n'>ratio</th>" if len(names) > 1 else ""
    rows = "".join(_row(metric, own) for metric, own in zip(TRACED, values, strict=True))
    where = "whole tissue" if region == REGIONS[0] else region
    heading = f"<h3>Read-outs now, {where}</h3>"
    solara.HTML("div", f"{heading}<table class='readouts' data-clock='{clock}'><tr><th></th>{head}</tr>{rows}</table>")


def _row(metric: str, values: list[float]) -> str:
    """One read-out; the whole number stands in the cell's title."""
    cells = "".join(f'<td class="n" title="{float(value)!r}">{number(float(value))}</td>' for value in values)
    if len(values) > 1:
        ratio = float(values[0] / values[1]) if values[1] else math.nan
        cells += f'<td class="n" title="{ratio!r}">{ratio:.4f}</td>'
    return f'<tr data-metric="{metric}" title="{METRICS[metric].definition}"><td>{title(metric)}</td>{cells}</tr>'


@solara.component
def Inspector(visit: Visit) -> None:
    """The chosen neuron."""
    visit.tick.value  # noqa: B018
    chosen, session = visit.view.value.chosen, visit.session
    solara.HTML("h3", "Neuron")
    Number("Number", chosen, visit.choose_neuron, lambda: visit.choose_neuron(None))
    with session.lock:
        text = inspect(session.arms[0], chosen) if chosen is not None and session.arms else ""
    solara.HTML("div", text or "Click a neuron in the picture, or give its number.", classes=["looked-at"])
