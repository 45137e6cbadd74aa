"""Pictures show what the arrays hold: colours, bars, units, regions; as PNG, SVG and movie."""

from __future__ import annotations

import io
import itertools
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from abm.errors import ConfigError
from abm.parameters import load_parameters
from abm.tissue import Region, TissueParameters
from abm.tissue.geometry import cell_layers
from abm.view.server.colours import CHOSEN, FAINT, LEVELS, MISSING, PAPER, SYNAPSE, VESSEL, levels, palette, png, scale
from abm.view.server.courses import Line, Row, distribution, stack, thinned
from abm.view.server.painting import SIDE, limits, neuron_at, paint, svg
from abm.view.server.printing import _shortened, font, png_file, print_pictures, write_movie
from abm.view.server.scene import COLOURED, Scene, View, difference, title
from abm.view.style import region_places


def scene(change: bool = False) -> Scene:
    """A lamella of 100 x 50 um with four neurons, the field rising to the right."""
    return Scene(
        size=(100.0, 50.0),
        field=np.tile(np.linspace(1.0, 2.0, 10), (5, 1)),
        positions=np.array([[10.0, 10.0], [90.0, 40.0], [50.0, 25.0], [20.0, 40.0]]),
        values=np.array([0.0, 1.0, 0.5, 0.25]),
        region=np.array([0, 1, 2, 2], np.int8),
        vessels=np.array([[70.0, 10.0]]),
        synapses=np.array([[0, 1]]),
        titles=("tissue lactate (mmol/L)", "synaptic strength"),
        change=change,
    )


def pixel(x: float, y: float) -> tuple[int, int]:
    """Row and column of a place in um."""
    return int(SIDE // 2 - 1 - y * SIDE / 100.0), int(x * SIDE / 100.0)


def test_png_is_read_back_by_another_library() -> None:
    indices = np.random.default_rng(1).integers(0, 256, (33, 57)).astype(np.uint8)
    colours = palette(False)
    image = Image.open(io.BytesIO(png(indices, colours))).convert("RGB")
    np.testing.assert_array_equal(np.asarray(image), colours[indices])


def test_scales_run_evenly_from_dark_to_light() -> None:
    for name in ("cividis", "viridis"):
        luminance = scale(name) @ np.array([0.2126, 0.7152, 0.0722])
        assert (np.diff(luminance) > -1.0).all()
    assert levels(np.array([0.0, 1.0, 2.0, 9.0, np.nan]), 0.0, 2.0).tolist() == [0, 60, 119, 119, MISSING]
    assert levels(np.array([1.0, np.nan]), 0.0, 2.0, LEVELS).tolist() == [LEVELS + 60, MISSING]


def test_field_and_neurons_lie_where_they_are() -> None:
    view = View(neuron_range=(0.0, 1.0), field_range=(1.0, 2.0))
    pixels = paint(scene(), view).pixels
    assert pixels.shape == (SIDE // 2, SIDE)
    assert [pixels[pixel(x, 25.0)] for x in (2.0, 98.0)] == [0, LEVELS - 1]
    assert pixels[pixel(10.0, 10.0)] == LEVELS
    assert pixels[pixel(90.0, 40.0)] == 2 * LEVELS - 1


def test_vessels_synapses_and_the_chosen_neuron_are_marked() -> None:
    pixels = paint(scene(), View(chosen=2)).pixels
    assert pixels[pixel(70.0, 10.0)] == VESSEL
    assert (pixels == SYNAPSE).sum() > SIDE // 2
    assert (pixels == CHOSEN).sum() > 20
    assert not (paint(scene(), View(region="CA3")).pixels == SYNAPSE).any()


def test_a_region_hides_the_others() -> None:
    view = View(region="CA1", neuron_range=(0.0, 1.0))
    pixels = paint(scene(), view).pixels
    assert pixels[pixel(10.0, 10.0)] < LEVELS
    assert LEVELS <= pixels[pixel(50.0, 25.0)] < 2 * LEVELS
    assert neuron_at(scene(), view, 0.1, 0.8) == 3
    assert neuron_at(scene(), View(), 0.1, 0.8) == 0
    assert neuron_at(scene(), View(), 1.4, 0.8) is None


def test_a_difference_has_its_zero_in_the_middle() -> None:
    changed = difference(scene(), scene())
    assert limits(np.array([-1.0, 3.0]), True) == (-3.0, 3.0)
    picture = paint(changed, View())
    assert [bar.ends[0] + bar.ends[1] for bar in picture.bars] == [0.0, 0.0]
    assert picture.bars[0].ends == pytest.approx((-0.015, 0.015))  # a percent of what has not changed
    assert picture.bars[0].title == "Δ tissue lactate (mmol/L)"


def test_automatic_limits_do_not_exaggerate() -> None:
    low, high = limits(np.array([1.0, 1.001]), False)
    assert high - low == pytest.approx(0.02, rel=0.1)
    assert limits(np.array([np.nan]), False) == (0.0, 1.0)


def test_a_picture_of_nothing_is_an_error_in_words() -> None:
    with pytest.raises(ConfigError, match="no tissue to show"):
        png_file([])


def test_long_captions_do_not_lie_over_each_other() -> None:
    draw = ImageDraw.Draw(Image.new("RGB", (900, 100)))
    long = _shortened(draw, "fasted_" * 12 + ", day 3 (thu) 07:30", 400)
    assert draw.textlength(long, font(16)) <= 400
    assert long.startswith("fasted_")
    assert long.endswith("…, day 3 (thu) 07:30")
    assert _shortened(draw, "ride, day 3", 400) == "ride, day 3"


def test_synapses_can_be_seen_on_paper_too() -> None:
    for field, entry in ((None, FAINT), (scene().field, SYNAPSE)):
        assert (paint(replace(scene(), field=field), View()).pixels == entry).any()
    paper, dark = (palette(False)[entry].astype(int) for entry in (PAPER, FAINT))
    assert (paper - dark > 80).all()
    assert (paint(scene(change=True), View()).pixels == FAINT).any()


def test_svg_is_a_document_with_captions_units_and_regions() -> None:
    text = svg(paint(scene(), View(), "ride & rest"))
    root = ET.fromstring(text)
    words = [element.text for element in root.iter() if element.text]
    assert {"ride & rest", "field: tissue lactate (mmol/L)", "neurons: synaptic strength", "CA1", "20 µm"} <= set(words)
    assert "http://" not in text.replace('xmlns="http://www.w3.org/2000/svg"', "")


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_svg_of_several_plans_shows_each_of_them_whole_and_once(count: int) -> None:
    captions = [f"plan {k}" for k in range(count)]
    root = ET.fromstring(svg(*(paint(scene(), View(), caption) for caption in captions)))
    name = "{http://www.w3.org/2000/svg}"
    wide, high = (float(length) for length in root.attrib["viewBox"].split()[2:])
    one = [float(length) for length in ET.fromstring(svg(paint(scene(), View()))).attrib["viewBox"].split()[2:]]
    groups = root.findall(f"{name}g")
    assert [group.findtext(f"{name}text") for group in groups] == captions
    assert all(len(group.findall(f"{name}image")) == 1 for group in groups)
    places = [[float(part) for part in re.findall(r"[\d.]+", group.attrib["transform"])] for group in groups]
    assert all(x + one[0] <= wide and y + one[1] <= high for x, y in places)
    apart = [(abs(x - u) >= one[0] or abs(y - v) >= one[1]) for (x, y), (u, v) in itertools.combinations(places, 2)]
    assert all(apart), "none lies over another"


def test_names_of_regions_lie_beside_their_neurons() -> None:
    size = (1600.0, 1600.0)
    layers = cell_layers(size, load_parameters(TissueParameters, "tissue", "human"))
    positions = np.concatenate([layers[region].points for region in Region])
    region = np.repeat(np.array(list(Region), np.int8), [len(layers[region].points) for region in Region])
    places = region_places(positions, region)
    assert list(places) == ["DG", "CA3", "CA1"]
    for code, place in enumerate(places.values()):
        distance = np.hypot(*(positions - place).T)
        assert region[np.argmin(distance)] == code
        assert 0.07 * size[0] < distance.min() < 0.2 * size[0], "beside the layer, not on it"


def test_names_and_scale_are_dark_on_a_white_ground_and_light_on_a_field() -> None:
    for one, fill in ((scene(), "#ffffff"), (replace(scene(), field=None), "#222222"), (scene(change=True), "#222222")):
        root = ET.fromstring(svg(paint(one, View())))
        written = {element.text: element.get("fill") for element in root.iter() if element.text}
        assert {written["DG"], written["CA3"], written["CA1"], written["20 µm"]} == {fill}


def test_a_title_says_once_what_a_number_is_of() -> None:
    said = {metric: title(metric) for metric in (*COLOURED, "tissue_lactate", "hdac_activity")}
    assert said["bdnf_protein"] == "BDNF protein (dimers)"
    assert said["synaptic_strength"] == "synaptic strength (rel. to rest)"
    assert said["tissue_lactate"] == "tissue lactate (mmol/L)"
    assert all(words.count("(") <= 1 for words in said.values())


def test_pictures_for_files(tmp_path: Path) -> None:
    picture = paint(scene(), View(), "ride")
    with Image.open(io.BytesIO(png_file([picture, picture]))) as image:
        assert image.width > 2 * SIDE
    frames = [print_pictures([picture]), print_pictures([paint(scene(), View(colour="acetylation"), "rest")])]
    with Image.open(write_movie(frames, tmp_path / "movie.gif")) as movie:
        assert movie.n_frames == 2
    again = write_movie(frames, tmp_path / "again.gif")
    assert again.read_bytes() == (tmp_path / "movie.gif").read_bytes()


def test_thinning_keeps_every_peak() -> None:
    values = np.zeros(5000)
    values[1234] = 7.0
    hours, kept = thinned(np.arange(5000.0), values)
    assert len(kept) < 320
    assert hours[np.argmax(kept)] == 1234.0


def test_time_courses_have_units_days_and_sessions() -> None:
    hours = np.arange(0.0, 49.0)
    row = Row("plasma lactate (mmol/L)", (Line(hours, np.sin(hours), "#000"), Line(hours, np.full(49, np.nan), "#111")))
    text = stack([row], (0.0, 48.0), [(7.5, 8.25)], ["ride", "rest"])
    words = {element.text for element in ET.fromstring(text).iter()}
    assert {"plasma lactate", "(mmol/L)", "day 1", "12:00", "ride", "rest", "shaded: sessions"} <= words
    assert "nan" not in text


def test_long_names_leave_room_for_what_stands_beside_them() -> None:
    for names in (["fasted_continuous", "sedentary"], ["running_intervals_95_percent", "fasted_before_breakfast"]):
        root = ET.fromstring(stack([], (0.0, 48.0), [], names))
        titles = [element.text for element in root.iter() if element.tag.endswith("title")]
        shown = [element.tail or "" for element in root.iter() if element.tag.endswith("title")]
        assert titles == names
        assert all(name.startswith(text.removesuffix("…")) for name, text in zip(names, shown, strict=True))
        assert sum(map(len, shown)) * 6.6 + 2 * 42.0 <= 560.0 - 150.0 - 125.0 - 8.0
    assert "textLength" not in svg(paint(scene(), View(), "hiit: lactate"))
    assert "textLength" in svg(paint(scene(), View(), "running_intervals_95_percent: field of day 12 (mon), 07:30"))


def test_distribution_shows_both_arms() -> None:
    draw = np.random.default_rng(2)
    text = distribution([draw.normal(1.0, 0.1, 500), draw.normal(1.1, 0.1, 500)], ["ride", "rest"])
    assert ET.fromstring(text) is not None
    assert text.count('stroke-width="2"/>') >= 2
    assert "no neurons" in distribution([], [])


def test_every_colouring_is_a_read_out() -> None:
    from abm.metrics import METRICS

    assert set(COLOURED) <= METRICS.keys()
