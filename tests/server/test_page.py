"""The page in a real browser, against the real server."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from browser import CHROMIUM, MISSING, REASON, Tab, serving
from small import PLAN, READ, Rows

from abm.config import load_experiment

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=REASON)]
Opened = Callable[..., Tab]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    long = PLAN | {"run": PLAN["run"] | {"duration": "10 d"}}  # still playing when a slow browser presses Pause
    (folder / "small.yaml").write_text(yaml.safe_dump(long, sort_keys=False), encoding="utf-8")
    with serving(folder / "small.yaml", folder / "log") as (found, _):
        yield found


@pytest.fixture
def tab(chromium: Any, address: str) -> Iterator[Opened]:
    """Opens tabs, each in a browser session of its own; none may ask for anything from outside, or in vain."""
    tabs: list[Tab] = []
    contexts = []

    def opened(width: int = 1440, height: int = 900) -> Tab:
        contexts.append(chromium.new_context(viewport={"width": width, "height": height}, accept_downloads=True))
        tabs.append(Tab(contexts[-1].new_page(), address))
        return tabs[-1].open()

    yield opened
    for one in tabs:
        assert (one.external, one.failures) == ([], [])
    for context in contexts:
        context.close()


def test_steps_plays_pauses_and_resets(tab: Opened) -> None:
    page = tab()
    assert page.clock == "day 0 (mon) 00:00"
    page.press("Step")
    page.wait_for_clock("day 0 (mon) 00:30")
    page.press("Next session")
    page.wait_for_clock("day 0 (mon) 07:30")
    page.press("Play")
    page.wait_for_change("day 0 (mon) 07:30")
    page.press("Pause")
    page.page.get_by_role("button", name="Play", exact=True).wait_for()
    page.page.wait_for_timeout(300)
    stood = page.clock
    page.page.wait_for_timeout(300)
    assert page.clock == stood
    page.press("Reset")
    page.wait_for_clock("day 0 (mon) 00:00")
    page.choose("Per frame", "1 day")
    page.press("Play")
    page.wait_for_clock("day 10 (thu) 00:00")
    page.page.get_by_role("button", name="Play", exact=True).wait_for()


def test_numbers_are_those_of_the_experiment(tab: Opened, published: tuple[Path, Rows]) -> None:
    page = tab()
    page.choose("Compare with", "sedentary")
    page.choose("Per frame", "6 hours")
    for hour, clock in ((6, "day 0 (mon) 06:00"), (12, "day 0 (mon) 12:00"), (18, "day 0 (mon) 18:00")):
        page.press("Step")
        page.wait_for_clock(clock)
        page.page.locator(f"[data-clock='{clock}']").wait_for()
        shown = page.numbers()
        for metric in READ:
            expected = [published[1][schedule, metric, "all", hour] for schedule in ("ride", "sedentary")]
            assert shown[metric][:2] == expected
    page.choose("Region", "CA3")
    page.page.get_by_text("Read-outs now, CA3").wait_for()
    expected = [published[1][schedule, "bdnf_protein", "CA3", 18.0] for schedule in ("ride", "sedentary")]
    assert page.numbers()["bdnf_protein"][:2] == expected


def test_two_plans_side_by_side_and_their_difference(tab: Opened) -> None:
    page = tab()
    page.choose("Compare with", "sedentary")
    page.page.locator(".tissue").nth(1).wait_for()
    page.choose("Second picture", "the difference")
    page.page.get_by_text("ride − sedentary", exact=False).first.wait_for()
    page.page.get_by_text("field: Δ tissue lactate (mmol/L)").wait_for()
    page.press("Next session")
    page.wait_for_clock("07:30")
    page.press("Step")
    page.wait_for_clock("08:00")
    page.page.locator("[data-clock='day 0 (mon) 08:00']").wait_for()
    ratio = float(page.numbers()["tissue_lactate"][2])
    assert ratio > 1.02
    page.choose("Plan", "sedentary")
    page.wait_for_clock("day 0 (mon) 00:00")
    page.choose("Compare with", "nothing")
    page.page.locator(".compared").wait_for(state="detached")


def test_another_field_colour_region_and_range(tab: Opened) -> None:
    page = tab()
    page.choose("Field", "BHB")
    page.page.get_by_text("field: tissue BHB (mmol/L)").wait_for()
    page.choose("Colour neurons by", "acetylation IV")
    page.page.get_by_text("neurons: acetylation IV (fraction)").wait_for()
    page.choose("Colour range", "fixed as now")
    before = page.page.locator(".tissue svg text").all_inner_texts()[-6:]
    page.press("Next session")
    page.wait_for_clock("07:30")
    assert page.page.locator(".tissue svg text").all_inner_texts()[-6:] == before
    page.choose("Field", "none")
    page.page.get_by_text("field: tissue").wait_for(state="detached")
    page.page.get_by_text("Capillaries").click()
    page.page.get_by_text("Strongest synapses").click()
    page.choose("Time shown", "last day")


def test_a_neuron_is_inspected_by_click_and_by_number(tab: Opened) -> None:
    page = tab()
    page.page.locator(".tissue").click(position={"x": 150, "y": 150})
    page.page.locator("h3.neuron").wait_for()
    clicked = page.page.locator("h3.neuron").inner_text()
    assert re.match(r"neuron \d+ · (DG|CA3|CA1) · x \d+ µm, y \d+ µm", clicked)
    assert page.page.locator(".facts svg rect").count() == 4 * 12
    page.write("Number", "7")
    page.page.get_by_text("neuron 7 ·").wait_for()
    page.write("Number", "7000")
    page.page.get_by_text("no such neuron; expected 0 to 59").wait_for()


def test_pictures_and_plans_are_saved(tab: Opened, tmp_path: Path) -> None:
    page = tab()
    for name, check in (
        ("PNG", lambda path: path.read_bytes()[:4] == b"\x89PNG"),
        ("SVG", lambda path: ET.parse(path)),
    ):
        with page.page.expect_download() as waited:
            page.press(name)
        waited.value.save_as(tmp_path / name)
        assert check(tmp_path / name)
    page.write("Name of the plan", "evening")
    page.write("Duration", "30 min")
    with page.page.expect_download() as waited:
        page.press("Save YAML")
    assert waited.value.suggested_filename == "evening.yaml"
    waited.value.save_as(tmp_path / "evening.yaml")
    saved = load_experiment(tmp_path / "evening.yaml")
    assert saved.schedules["evening"].sessions[0].duration == 0.5
    assert list(saved.schedules) == ["sedentary", "ride", "evening"]


def test_what_is_played_can_be_filmed(tab: Opened, tmp_path: Path) -> None:
    from PIL import Image

    page = tab()
    page.press("GIF")
    page.page.get_by_text("nothing has been recorded").wait_for()
    page.page.get_by_text("Record a movie", exact=True).click()
    for clock in ("00:30", "01:00", "01:30"):
        page.press("Step")
        page.wait_for_clock(clock)
    with page.page.expect_download() as waited:
        page.press("GIF")
    waited.value.save_as(tmp_path / "played.gif")
    with Image.open(tmp_path / "played.gif") as film:
        assert film.n_frames == 3


def marked(page: Tab) -> list[tuple[str, str]]:
    """What is written in the fields that are marked as wrong, and what is said below, where it can be seen."""
    return [
        (field.locator("input").input_value(), field.locator(".v-messages__message:visible").inner_text())
        for field in page.page.locator(".v-input.error--text").all()
    ]


def test_a_refused_number_is_marked_until_it_is_right(tab: Opened) -> None:
    page = tab()
    page.press("Step")
    page.wait_for_clock("00:30")
    page.write("Neurons", "5")
    page.page.get_by_text("expected at least 10. In force: 60").wait_for()
    page.write("Number", "7000")
    page.page.get_by_text("expected 0 to 59. In force: none").wait_for()
    page.press("Step")
    page.wait_for_clock("01:00")
    assert marked(page) == [
        ("5", "out of range; expected at least 10. In force: 60"),
        ("7000", "no such neuron; expected 0 to 59. In force: none"),
    ]
    page.write("Number", "x")
    page.page.get_by_text("not a whole number. In force: none").wait_for()
    page.page.locator(".tissue").click(position={"x": 150, "y": 150})
    page.page.get_by_text("not a whole number").wait_for(state="detached")
    assert page.page.get_by_label("Number", exact=True).input_value().isdigit()
    page.write("Number", "")
    page.page.get_by_text("Click a neuron").wait_for()
    page.write("Neurons", "60")
    page.page.get_by_text("In force").wait_for(state="detached")
    assert page.clock == "day 0 (mon) 01:00", "the number in force is no other tissue"
    assert marked(page) == []


def test_another_number_of_neurons_is_another_tissue(tab: Opened) -> None:
    page = tab()
    page.press("Step")
    page.wait_for_clock("00:30")
    page.write("Neurons", "5")
    page.page.get_by_text("expected at least 10. In force: 60").wait_for()
    assert page.clock == "day 0 (mon) 00:30"
    page.write("Neurons", "45")
    page.wait_for_clock("00:00")
    page.page.locator(".tissue").wait_for()
    page.write("Number", "45")
    page.page.get_by_text("expected 0 to 44").wait_for()


def test_a_wrong_plan_is_a_sentence_and_the_page_goes_on(tab: Opened) -> None:
    page = tab()
    page.write("Sessions per week", "9")
    page.page.get_by_text("expected 1 to 7").wait_for()
    page.write("Sessions per week", "3")
    page.page.get_by_text("expected 1 to 7").wait_for(state="detached")
    page.write("Intensity", "65")
    page.page.get_by_text("a bare number where a unit belongs").wait_for()
    ((written, reason),) = marked(page)
    assert (written, reason.partition(";")[0]) == ("65", "a bare number where a unit belongs")
    page.press("Play this plan")
    alert = page.page.locator(".v-alert", has_text="a bare number where a unit belongs")
    alert.wait_for()
    assert 0 <= alert.bounding_box()["y"] < 900, "the sentence is seen from where the button is"
    page.press("Step")
    page.wait_for_clock("00:30")
    page.write("Intensity", "70 %VO2max")
    page.press("Play this plan")
    page.page.locator(".pictures", has_text="my_plan").wait_for()
    assert page.page.get_by_text("a bare number where a unit belongs").count() == 0


def test_sessions_do_not_see_each_other(tab: Opened) -> None:
    one, other = tab(), tab()
    one.choose("Plan", "sedentary")
    one.press("Step")
    one.wait_for_clock("00:30")
    assert other.clock == "day 0 (mon) 00:00"
    other.page.locator(".pictures", has_text="ride").wait_for()
    other.press("Next session")
    other.wait_for_clock("07:30")
    assert one.clock == "day 0 (mon) 00:30"


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768)])
def test_nothing_is_cut_at_usual_sizes(tab: Opened, width: int, height: int, tmp_path: Path) -> None:
    page = tab(width, height)
    page.choose("Compare with", "sedentary")
    page.press("Next session")
    page.wait_for_clock("07:30")
    page.page.locator(".tissue").first.click(position={"x": 100, "y": 100})
    page.page.locator("h3.neuron").wait_for()
    page.page.screenshot(path=tmp_path / f"page_{width}x{height}.png", full_page=True)
    wide, seen = page.page.evaluate("() => [document.documentElement.scrollWidth, window.innerWidth]")
    assert wide <= seen
    cut = "() => [...document.querySelectorAll('.bench svg text')].map(text => [text.innerHTML," \
        " text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()])" \
        ".filter(([_, own, whole]) => own.left < whole.left - 1 || own.right > whole.right + 1" \
        " || own.bottom > whole.bottom + 1 || own.height < 9.5).map(([name]) => name)"  # fmt: skip
    assert page.page.evaluate(cut) == []
    clipped = "() => [...document.querySelectorAll('.bench .v-label, .bench .v-btn, .bench .v-select__selection')]" \
        ".filter(item => item.scrollWidth > item.clientWidth + 1).map(item => item.innerText)"  # fmt: skip
    assert page.page.evaluate(clipped) == []


def test_results_are_browsed(chromium: Any, published: tuple[Path, Rows], tmp_path: Path) -> None:
    (published[0] / "report.html").write_text("<h1>The report of this study</h1>", encoding="utf-8")
    with serving(published[0], tmp_path / "log") as (address, _):
        context = chromium.new_context(viewport={"width": 1440, "height": 900})
        page = Tab(context.new_page(), address).open()
        page.page.get_by_text("State at 2 d").wait_for()
        page.page.get_by_text("bdnf_protein at 2 d").wait_for()
        page.page.locator(".v-slider__thumb-container").press("ArrowLeft")
        page.page.get_by_text("State at the start").wait_for()
        page.choose("Colour neurons by", "acetylation")
        page.page.get_by_text("neurons: acetylation (fraction)").first.wait_for()
        page.page.screenshot(path=tmp_path / "results.png", full_page=True)
        page.page.goto(address + "results/report.html")
        page.page.get_by_text("The report of this study").wait_for()
        assert page.external == []
        context.close()
