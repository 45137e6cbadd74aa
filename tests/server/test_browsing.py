"""Finished results are browsed and filmed from their folder alone."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small import Rows

from abm.cli import main
from abm.study import open_results
from abm.view.server.browsing import Browser
from abm.view.server.scene import NO_FIELD, View


@pytest.fixture(scope="module")
def browser(published: tuple[Path, Rows]) -> Browser:
    return Browser(open_results(published[0]))


def test_neurons_carry_what_was_stored(browser: Browser, published: tuple[Path, Rows]) -> None:
    for metric in ("bdnf_protein", "acetylation", "bdnf_mrna"):
        scene = browser.scene("ride", 0, len(browser.hours) - 1, View(colour=metric))
        assert scene.values.mean() == float(published[1]["ride", metric, "all", browser.hours[-1]])
    assert browser.scene("ride", 0, 0, View(field=NO_FIELD)).field is None


def test_pictures_side_by_side_have_one_scale(browser: Browser) -> None:
    own, other = browser.pictures(["ride", "sedentary"], 0, 1, View())
    assert [bar.ends for bar in own.bars] == [bar.ends for bar in other.bars]
    assert own.caption == "ride, day 2; field of day 1, 08:00"


def test_traces_and_summary(browser: Browser) -> None:
    text = browser.courses(["ride", "sedentary"], "lactate", "all", browser.span(np.inf))
    words = {element.text for element in ET.fromstring(text).iter()}
    assert {"plasma lactate", "tissue lactate", "synaptic strength", "day 1"} <= words
    assert "bdnf_protein at 2 d" in browser.summary()


def test_the_report_makes_a_movie(
    published: tuple[Path, Rows], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("abm.view.report.write_report", lambda results: results.path / "report.html")
    assert main(["report", str(published[0]), "--movie"]) == 0
    movie = published[0] / "figures" / "tissue.gif"
    assert str(movie) in capsys.readouterr().out
    with Image.open(movie) as film:
        assert film.n_frames == 2
