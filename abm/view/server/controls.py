"""The controls beside the picture: plans, view and builder. What acts when is said where it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import solara

from abm.metric_names import REGIONS
from abm.view.server.courses import WINDOWS
from abm.view.server.plans import BLOCKED, KINDS, fault
from abm.view.server.scene import COLOURED, FIELDS
from abm.view.server.visit import CHANGE, OTHER_PLAN, Visit
from abm.view.server.widgets import Number, Save
from abm.view.style import WORDS, label

ALONE = "nothing"
AUTOMATIC, FIXED = "automatic", "fixed as now"


def choice(label: str, value: str, options: list[str], on_value: Callable[[str], Any]) -> None:
    """A menu."""
    solara.Select(label, values=options, value=value, on_value=on_value, dense=True)


def colour_name(metric: str) -> str:
    """How a read-out is called in the menu of colours; its unit stands at the colour bar."""
    return label(metric).partition("\n")[0]


@solara.component
def Plans(visit: Visit) -> None:
    """Which plans are played."""
    visit.tick.value  # noqa: B018  # read, so that a plan that was added appears
    session = visit.session
    own, compared = session.chosen
    solara.HTML("h2", "Plans")
    choice("Plan", own, session.plans, lambda name: visit.choose(own=name))
    others = [ALONE, *session.plans]
    choice(
        "Compare with",
        compared or ALONE,
        others,
        lambda name: visit.choose(compared=name, alone=name == ALONE),
    )
    solara.HTML(
        "div", "Changing a plan starts again at day 0, on the same tissue with the same luck.", classes=["note"]
    )
    Number("Neurons", session.experiment.tissue.neurons, visit.resize)
    solara.HTML("div", "Another number of neurons is another tissue, which rests first.", classes=["note"])


@solara.component
def Look(visit: Visit) -> None:
    """How the tissue is looked at; acts at once."""
    visit.tick.value  # noqa: B018  # read, so that what depends on the plans follows them
    view = visit.view.value

    def change(**what: Any) -> None:
        visit.view.value = visit.view.value._replace(**what)

    solara.HTML("h2", "View")
    fields = {WORDS.get(name, name): name for name in FIELDS}
    shown = next(name for name, field in fields.items() if field == view.field)
    choice("Field", shown, list(fields), lambda name: change(field=fields[name], field_range=None))
    colours = {colour_name(name): name for name in COLOURED}
    choice(
        "Colour neurons by",
        colour_name(view.colour),
        list(colours),
        lambda name: change(colour=colours[name], neuron_range=None),
    )
    choice("Region", view.region, list(REGIONS), lambda name: change(region=name))
    fixed = view.neuron_range is not None
    choice("Colour range", FIXED if fixed else AUTOMATIC, [AUTOMATIC, FIXED], lambda r: visit.fix_ranges(r == FIXED))
    choice("Time shown", visit.window.value, list(WINDOWS), visit.window.set)
    if visit.session.chosen[1]:
        choice("Second picture", visit.second.value, [OTHER_PLAN, CHANGE], visit.second.set)
    solara.Checkbox(label="Capillaries", value=view.capillaries, on_value=lambda on: change(capillaries=on))
    solara.Checkbox(label="Strongest synapses", value=view.synapses, on_value=lambda on: change(synapses=on))
    with solara.Div():
        Save("PNG", "tissue.png", "image/png", visit.png, visit.message.set)
        Save("SVG", "tissue.svg", "image/svg+xml", visit.svg, visit.message.set)
        Save("GIF", "tissue.gif", "image/gif", visit.movie, visit.message.set)
    solara.Checkbox(label="Record a movie", value=visit.recording.value, on_value=visit.record)


@solara.component
def Builder(visit: Visit) -> None:
    """A plan of one's own; what is wrong stands at its field, and is told when the plan is played or saved."""
    recipe = visit.recipe.value
    wrong, reason = fault(visit.session.experiment, recipe)

    def change(**what: Any) -> None:
        visit.recipe.value = replace(visit.recipe.value, **what)

    def text(label: str, key: str) -> None:
        solara.InputText(
            label, value=getattr(recipe, key), on_value=lambda value: change(**{key: value}), dense=True,
            error=reason if key == wrong else False,
        )  # fmt: skip

    def whole(label: str, key: str) -> None:
        Number(label, getattr(recipe, key), lambda n: change(**{key: n}), wrong=reason if key == wrong else "")

    solara.HTML("h2", "Build a plan")
    text("Name of the plan", "name")
    choice("Kind", recipe.kind, list(KINDS), lambda value: change(kind=value))
    if recipe.kind != "none":
        whole("Sessions per week", "per_week")
        whole("Intervals (0: continuous)", "repeats")
        for label, key in (("Work", "work"), ("Rest", "rest")) if recipe.repeats else ():
            text(label, key)
        for label, key in (("Intensity", "intensity"), ("Duration", "duration")) if not recipe.repeats else ():
            text(label, key)
    if recipe.kind != "none" or recipe.ketone_ester.strip():
        text("Start", "start")
    text("Fast (such as 12 h)", "fast")
    text("Ketone ester (500 mg/kg)", "ketone_ester")
    choice("Block", recipe.blocked, list(BLOCKED), lambda value: change(blocked=value))
    solara.Button("Play this plan", on_click=visit.add_plan, color="primary", small=True, style="width: 100%")
    Save("Save YAML", f"{recipe.name}.yaml", "application/yaml", visit.plan_text, visit.message.set)
