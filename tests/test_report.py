"""Figures and report of a study: complete, self-contained, and true to the tables."""

import io
import math
import re
import shutil
import xml.etree.ElementTree as ET
from concurrent.futures import Future
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest import mock

import matplotlib.image
import numpy as np
import pandas as pd
import pytest
import xarray as xr
from matplotlib import rc_context
from matplotlib.figure import Figure
from toy import Here, toy_experiment, toy_model

from abm.signals import SIGNALS
from abm.study import open_results, run_experiment
from abm.study.contrasts import paired_ratio
from abm.study.plan import plan_experiment
from abm.study.results import Results, SummaryRow
from abm.study.scoreboard import COMMITTED_BOARD, Scoreboard, read_board
from abm.view.bibliography import read_bibliography, reference_lines
from abm.view.figures import FIGURES, _dose, _panels, _times
from abm.view.maps import _limits, tissue_maps
from abm.view.page import table
from abm.view.report import CHANGED, _lead, write_report
from abm.view.scoreboard import WIDEST, board_figure
from abm.view.style import (
    STYLE,
    WORDS,
    colours,
    contrast_and_band,
    draw_ratios,
    label,
    mean_and_band,
    ratio_axis,
    wrapped,
)
from abm.view.text import (
    aligned,
    day_text,
    duration_text,
    interval,
    number,
    p_text,
    plan_text,
    summary_text,
    time_text,
    told_values,
    without_unit,
)

VOID = {"meta", "img", "br"}


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    def fail(schedule: str, replicate: int, model: Any) -> None:
        if (schedule, replicate) == ("run", 2):
            raise ValueError("lost <run> & more")

    with toy_model(fail):
        found = run_experiment(toy_experiment(), tmp_path_factory.mktemp("study"), executor=Here(), workers=1)
    (found.path / "figures").mkdir(exist_ok=True)
    for name in FIGURES:  # drawing takes ten seconds, which the text of the page need not wait for
        matplotlib.image.imsave(found.path / "figures" / f"{name}.png", np.zeros((2, 2, 3)))
    write_report(found, at_hand(found))
    return found


@pytest.fixture(scope="module")
def drawn(results: Results, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The same study with its figures drawn."""
    folder = tmp_path_factory.mktemp("drawn") / "study"
    shutil.copytree(results.path, folder)
    shutil.rmtree(folder / "figures")
    found = open_results(folder)
    with mock.patch("abm.view.drawing.DPI", 75):  # half the resolution, a fraction of the time
        write_report(found)
    return found


def at_hand(results: Results) -> dict[str, Future[Path]]:
    """The figures in the folder, as if they had just been drawn."""
    figures: dict[str, Future[Path]] = {name: Future() for name in FIGURES}
    for name, path in figures.items():
        path.set_result(results.path / "figures" / f"{name}.png")
    return figures


@pytest.fixture(scope="module")
def page(results: Results) -> str:
    return (results.path / "report.html").read_text(encoding="utf-8")


class Structure(HTMLParser):
    """Checks that tags close in order, and collects links, sources and text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        self.loaded += [
            value or "" for name, value in attrs if name in {"src", "srcset"} or (tag == "link" and name == "href")
        ]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def parsed(page: str) -> Structure:
    structure = Structure()
    structure.feed(page)
    return structure


@pytest.mark.slow
@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_drawn(drawn: Results, name: str) -> None:
    image = matplotlib.image.imread(drawn.path / "figures" / f"{name}.png")
    assert min(image.shape[:2]) > 80
    assert np.ptp(image[..., :3]) > 0.5, "the figure is empty"


def test_a_map_of_one_value_has_one_colour() -> None:
    """A signal that a slice has not: its scale must span something, or the colour bar widens that of one row only."""
    low, high = _limits(np.zeros(3))
    assert low < 0.0 < high
    assert _limits(np.array([1.0, 3.0])) == (1.0, 3.0)
    low, high = _limits(np.array([1.0, 1.001]))
    assert high - low == pytest.approx(0.02, rel=0.01)


def test_the_figure_of_the_scoreboard_can_be_read_whole_and_in_part() -> None:
    board = read_board(COMMITTED_BOARD)
    for rows in (board.rows, board.rows[:3]):
        with rc_context(STYLE):
            figure = board_figure(Scoreboard(rows, ()))
            figure.draw_without_rendering()
        page = figure.get_window_extent()
        for ax in figure.axes:
            title = ax.title.get_window_extent()
            assert page.x0 <= title.x0 < title.x1 <= page.x1, "the title is cut"
        for ax in figure.axes[1:]:  # one line for each observation
            places = ax.get_yticks()
            assert ax.get_ylim() == pytest.approx((-0.7, max(len(places), 1) - 0.3)), "no marker is cut at the edge"
            assert all(name.get_fontsize() >= 6 and len(name.get_text()) <= WIDEST for name in ax.get_yticklabels())
            assert bool(ax.texts and ax.texts[-1].get_text() == "none published") == (not len(places))


def test_maps_name_regions_and_scale_within_their_frames(results: Results) -> None:
    figure = tissue_maps(results)
    figure.draw_without_rendering()
    top, other = figure.axes[:6], figure.axes[6:12]
    for ax in top:
        written = {text.get_text(): text.get_window_extent() for text in ax.texts}
        assert list(written)[:-1] == ["DG", "CA3", "CA1"]
        length = float(list(written)[-1].removesuffix(" µm"))
        assert np.ptp(ax.lines[-1].get_xdata()) == pytest.approx(length)
        frame = ax.get_window_extent()
        for text in written.values():
            assert frame.x0 <= text.x0 < text.x1 <= frame.x1
            assert frame.y0 <= text.y0 < text.y1 <= frame.y1
        assert text.height / figure.dpi * 72.0 > 7.0
    assert not any(ax.texts for ax in other)
    assert len({(*ax.get_xlim(), *ax.get_ylim()) for ax in figure.axes[:12]}) == 1, "one place, one scale"


@pytest.mark.parametrize(
    ("ratios", "low", "high"),
    [
        ([1.0, 1.2], 0.999, 1.21),
        ([1.0, 0.0], 1e-3, 1.001),  # BHB of who makes none, which underflows
        ([8.7e-65, 3e-84, math.nan], 1e-3, 1.001),
        ([1.0, 40.0], 0.999, 40.0),
        ([math.inf, 2.0], 0.999, 1e3),
        ([math.nan], 0.999, 1.001),
    ],
)
def test_an_axis_of_ratios_holds_whatever_comes(ratios: list[float], low: float, high: float) -> None:
    """Ends just beyond what is shown, 1 among the ticks where decades are, and a picture that can be drawn."""
    figure = Figure()
    axes = figure.subplots()
    draw_ratios(axes, ratios, np.array(ratios) * 0.9, np.array(ratios) * 1.1, range(len(ratios)), fmt="o")
    ratio_axis(axes)
    figure.savefig(io.BytesIO())
    left, right = axes.get_xlim()
    assert 0.7 * low < left <= low
    assert high <= right < 1.5 * high
    ticks = [tick for tick in axes.get_xticks() if left <= tick <= right]
    assert len(ticks) < 7
    if right > 10.0 * left:
        assert 1.0 in ticks


def test_page_is_well_formed(parsed: Structure) -> None:
    assert parsed.open == []


def test_page_loads_nothing(parsed: Structure, page: str) -> None:
    assert len(parsed.loaded) == len(FIGURES)
    assert all(source.startswith("data:image/png;base64,") for source in parsed.loaded)
    assert not re.search(r"<(script|link|iframe)|@import|url\(", page)


def test_a_page_written_by_another_program_says_so(
    results: Results, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CHANGED not in page
    monkeypatch.setattr("abm.view.report.code_hash", lambda: "another")
    assert CHANGED in _lead(results)


@pytest.mark.parametrize("name", ["hiit", "cycling_65_percent_45_minutes", "fasted_before_breakfast", "x" * 88])
def test_names_of_any_length_fit_a_panel(name: str) -> None:
    shown = wrapped(name)
    assert shown.replace("\n", "") == name
    assert max(map(len, shown.split("\n"))) <= 20


def test_numbers_of_molecules_say_of_what() -> None:
    assert label("bdnf_mrna") == "BDNF mRNA\n(copies)"
    assert label("bdnf_protein") == "BDNF protein\n(dimers)"
    assert label("plasma_lactate") == "plasma lactate\n(mmol/L)"
    assert label("acetylation_IV") == "acetylation IV\n(fraction)"
    assert label("spine_density") == "spine density\n(rel. to rest)"
    assert label("consolidated_fraction") == "consolidated fraction"


def test_page_holds_what_it_should(parsed: Structure) -> None:
    for heading in ("Summary", "Figures", "Mass ledger and step error", "Plan", "Parameters", "Sources", "Provenance"):
        assert heading in parsed.text
    assert "Runs that failed and are left out: 1." in parsed.text
    assert "lost <run> & more" in parsed.text, "texts are escaped once"
    assert "assumed" in parsed.text


def test_page_shows_the_largest_errors_of_all_runs(page: str) -> None:
    """Three replicates of the toy, each with errors larger than the one before."""
    for size, signal in enumerate(SIGNALS, 1):
        cells = [WORDS.get(signal, signal), f"{3e-12 * size:.1e}", f"{3e-12 * size:.1e}", f"{3e-4 * size:.1e}", "1"]
        assert "<tr><td>" + '</td><td class="n">'.join(cells) + "</td></tr>" in page


def test_page_shows_the_numbers_of_the_summary(results: Results, parsed: Structure) -> None:
    last = results.summary.query(
        "schedule == 'run' and metric == 'bdnf_protein' and region == 'all' and time_h == 24"
    ).iloc[0]
    assert interval(last.ratio, last.ratio_ci_low, last.ratio_ci_high) in parsed.text


def test_cited_sources_are_listed(parsed: Structure) -> None:
    assert "shimazu2013" in parsed.text


@pytest.mark.slow
def test_report_is_the_same_when_written_again(drawn: Results) -> None:
    page = (drawn.path / "report.html").read_text(encoding="utf-8")
    write_report(drawn, at_hand(drawn))
    assert (drawn.path / "report.html").read_text(encoding="utf-8") == page


def test_table_escapes_its_cells() -> None:
    root = ET.fromstring(table(("a", "b"), [("x < y",), ("1", "&")], (1,)))
    assert [cell.text for cell in root.iter("td")] == ["x < y", "1", "&"]


def test_every_schedule_has_its_own_look() -> None:
    names = [f"schedule {i}" for i in range(20)]
    looks = colours(names, "schedule 3")
    assert len(set(looks.values())) == 20


def test_band_is_the_interval_over_replicates() -> None:
    values = xr.DataArray(np.array([[1.0, 2.0], [3.0, 2.0], [np.nan, np.nan]]), dims=("replicate", "time"))
    mean, half = mean_and_band(values)
    np.testing.assert_allclose(mean, [2.0, 2.0])
    np.testing.assert_allclose(half, [12.706 * np.sqrt(2) / np.sqrt(2), 0.0], rtol=1e-3)


def test_band_counts_the_replicates_there_are_at_each_time() -> None:
    values = xr.DataArray(np.array([[0.1, 1.0], [0.2, 2.0], [np.nan, 3.0]]), dims=("replicate", "time"))
    mean, half = mean_and_band(values)
    np.testing.assert_allclose(mean, [0.15, 2.0])
    np.testing.assert_allclose(half, [12.706 * 0.05, 4.3027 / np.sqrt(3.0)], rtol=1e-4)


def test_all_times_of_a_run_of_two_days_are_in_the_unit_of_its_axis() -> None:
    steps = np.arange(0.0, 48.5, 0.5)
    own = xr.Dataset(coords={"step_time": steps, "interval_time": 0.5 * (steps[1:] + steps[:-1])})
    assert _times(own, "step_time", None)[-1] == 2.0
    assert _times(own, "interval_time", None)[-1] == pytest.approx(47.75 / 24.0)
    assert _times(own, "interval_time", 24.0)[-1] == 23.75
    day = own.sel(step_time=slice(0, 24), interval_time=slice(0, 24))
    assert _times(day, "interval_time", None)[-1] == 23.75


def test_ratio_over_time_is_the_contrast_of_the_tables() -> None:
    draw = np.random.default_rng(2)
    own, reference = (xr.DataArray(draw.lognormal(size=(5, 3)), dims=("replicate", "time")) for _ in range(2))
    own[0, 2], own[4] = -1.0, np.nan
    found = np.array(contrast_and_band("bdnf_pro", own, reference)).T
    for time in range(3):
        expected = paired_ratio(own[:, time].values.tolist(), reference[:, time].values.tolist())
        np.testing.assert_allclose(found[time], expected[:3])


@pytest.mark.parametrize("ratios", [[1.0, 1.0], [1.0 + 1e-9, 1.0], [0.9996, 0.9999], [0.5, 3.0], [np.nan, 1.2]])
def test_axis_of_ratios_shows_all_of_them_with_labels_that_differ(ratios: list[float]) -> None:
    axes = Figure().subplots()
    axes.errorbar(ratios, [0, 1], xerr=np.zeros((2, 2)), fmt="o")
    ratio_axis(axes)
    low, high = axes.get_xlim()
    assert low <= 0.999 <= 1.001 <= high
    assert low < np.nanmin(ratios)
    assert np.nanmax(ratios) < high
    assert high / low < 1.5 * np.nanmax([*ratios, 1.001]) / np.nanmin([*ratios, 0.999])
    axes.figure.draw_without_rendering()
    shown = [text.get_text() for text in axes.get_xticklabels()]
    assert len(set(shown)) == len(shown)


def test_dose_is_the_integral_of_the_excess(results: Results) -> None:
    dose, spread = _dose(results.traces, "plasma_lactate", "run", "sedentary")
    plasma = results.traces.plasma_lactate
    excess = plasma.sel(schedule="run") - plasma.sel(schedule="sedentary")
    assert dose == pytest.approx(float(excess.sum()) * 0.5)
    assert dose > 0
    assert spread == 0.0
    assert _dose(results.traces, "tissue_lactate", "run", "sedentary")[0] > 0


# text


def test_summary_text_shows_each_schedule_at_the_last_time(results: Results) -> None:
    text = summary_text(results)
    assert "bdnf_protein at 1 d" in text
    assert "synaptic_strength.CA1 at 1 d" in text
    lines = [line.split() for line in text.splitlines()]
    assert sum(line[0] == "sedentary" for line in lines[1:]) == 2
    assert sum(line[0] == "run" for line in lines[1:]) == 2


def row_of(metric: str, schedule: str, hour: float, ratio: float, unit: str = "1") -> SummaryRow:
    return SummaryRow(schedule, metric, "all", hour, unit, 2, 1.0, 0.9, 1.1, ratio, ratio, ratio, 0.5)


def test_blood_is_told_at_the_time_of_its_largest_ratio_too() -> None:
    """At the last reading, days after the last session, nothing of it is left to see."""
    lactate = [
        row_of("plasma_lactate", schedule, hour, ratio, "mmol/L")
        for hour, ratios in ((8.0, (1.0, 4.0)), (9.0, (1.0, 0.5)), (24.0, (1.0, 1.0)))
        for schedule, ratio in zip(("sedentary", "run"), ratios, strict=True)
    ]
    protein = [row_of("bdnf_protein", "run", hour, ratio) for hour, ratio in ((8.0, 4.0), (24.0, 1.1))]
    told = list(told_values([*lactate, *protein]))
    titles = [title for title, _ in told]
    assert titles == ["plasma_lactate (mmol/L) at 8 h", "plasma_lactate (mmol/L) at 1 d", "bdnf_protein at 1 d"]
    assert [row.ratio for row in told[0][1]] == [1.0, 4.0]
    assert [without_unit(title) for title in titles[1:]] == ["plasma_lactate at 1 d", "bdnf_protein at 1 d"]
    same = [row_of("plasma_lactate", "run", hour, ratio) for hour, ratio in ((8.0, 1.0 + 1e-7), (24.0, 1.0))]
    assert [title for title, _ in told_values(same)] == ["plasma_lactate at 1 d"]


def test_a_plan_alone_has_no_panels_of_ratios(results: Results) -> None:
    alone = mock.Mock(schedules=["run"], reference="run", traces=results.traces.sel(schedule=["run"]))
    metrics = ("bdnf_mrna", "bdnf_protein")
    assert len(_panels(alone, metrics, 2).axes) == 2
    assert len(_panels(results, metrics, 2).axes) == 4


def test_plan_text_tells_the_work() -> None:
    text = plan_text(plan_experiment(toy_experiment()))
    assert "2 schedules x 3 replicates = 6, seed 5" in text
    assert "sedentary (reference)" in text
    assert re.search(r"estimate +\d", text)
    assert re.search(r"run +\d+ +[\d.]+ h +\d+ ", text)  # bouts, hours, %VO2max


@pytest.mark.parametrize(("neurons", "warned"), [(499, True), (500, False)])
def test_plan_text_warns_of_a_tissue_too_small_for_synapses(neurons: int, warned: bool) -> None:
    text = plan_text(plan_experiment(toy_experiment(f"tissue.neurons={neurons}")))
    assert ("fewer than 500 neurons" in text) == warned


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (1.0, "1.000"),
        (0.001234, "0.001234"),
        (1234.5, "1234"),
        (98765.4, "98765"),
        (9999.6, "10000"),
        (1.5e-7, "1.500e-07"),
        (np.nan, ""),
    ],
)
def test_number(value: float, text: str) -> None:
    assert number(value) == text


def test_small_texts() -> None:
    assert interval(1.0, np.nan, np.nan) == "1.000"
    assert interval(np.nan, np.nan, np.nan) == ""
    assert [p_text(p) for p in (0.5, 0.012345, 1e-9, np.nan)] == ["0.5", "0.012", "< 0.0001", ""]
    assert [time_text(hours) for hours in (0.0, 6.0, 24.0, 36.0, 504.0)] == ["0 h", "6 h", "1 d", "36 h", "21 d"]
    days = ["day 0", "day 0, 07:30", "day 2", "day 26, 07:45"]
    assert [day_text(hours) for hours in (0.0, 7.5, 47.999, 631.75)] == days
    assert [duration_text(seconds) for seconds in (40, 300, 7200)] == ["40 s", "5 min", "2.0 h"]
    assert aligned([("a", "bb"), ("ccc", "")]) == "a    bb\nccc"


def test_bibliography_is_read_whole() -> None:
    entries = read_bibliography()
    assert len(entries) > 100
    assert all(fields.get("year") for fields in entries.values())
    ((key, text, link),) = reference_lines(["akhtar2009"])
    assert key == "akhtar2009"
    assert "Akhtar et al. (2009)" in text
    assert link == ""
    texts = {key: text for key, text, _ in reference_lines(["krasnow", "sleiman2016", "swain1997"])}
    assert texts["sleiman2016"].startswith("Sleiman et al. (2016). Exercise promotes")
    assert texts["swain1997"].startswith("Swain and Leutholtz (1997). Heart rate reserve")
    assert texts["krasnow"].startswith("Computational Neuroanatomy Group, Krasnow Institute, George Mason University (")


def test_a_schedule_may_be_called_none(tmp_path: Path) -> None:
    (tmp_path / "summary.csv").write_text("schedule,mean\nnone,1.5\nNA,\n")
    found = Results(tmp_path).summary
    pd.testing.assert_series_equal(
        found.schedule, pd.Series(["none", "NA"], name="schedule", dtype=found.schedule.dtype)
    )
