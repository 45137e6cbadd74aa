"""Sensitivity: indices of functions whose indices are known, parameters as a unit cube, shares by grade, the study."""

import csv
import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from toy import PLAN, Here, toy_experiment, toy_model

import abm.study.points
from abm.cli import main
from abm.config import ConfigError
from abm.parameters import GRADES, parameter_records
from abm.study import run_experiment
from abm.study.grades import SensitivityRow, grade_rows, sentences
from abm.study.indices import (
    can_share,
    morris_effects,
    morris_places,
    most_important,
    sobol_indices,
    sobol_places,
    variance_shares,
)
from abm.study.parameter_space import FRACTIONS, SHARES, parameter_space, used_parts
from abm.study.points import Point, SensitivityFolder, contrasts_of
from abm.study.sensitivity import (
    analyse_sensitivity,
    design_sensitivity,
    over_ranges,
    small_experiment,
    tissue_text,
)
from abm.study.sensitivity_results import Sensitivity, read_sensitivity
from abm.study.store import ResultsError
from abm.study.work import Lost
from abm.view.report import write_report
from abm.view.sensitivity import luck_sentences, sensitivity_text, write_sensitivity_page

pytest.importorskip("SALib")

# None of them spans a magnitude or belongs to a whole, and not all have the same grade.
NAMES = (
    "tissue.neuropil_volume_fraction", "synapses.potentiation", "synapses.active_threshold",
    "expression.glucocorticoid_exponent",
)  # fmt: skip
SLOPES = (3.0, 2.0, 0.0, 1.0)


# indices of functions whose indices are known


def ishigami(places: np.ndarray) -> np.ndarray:
    """sin x + 7 sin^2 y + 0.1 z^4 sin x on [-pi, pi]^3."""
    x, y, z = (2.0 * places - 1.0).T * np.pi
    return np.sin(x) + 7.0 * np.sin(y) ** 2 + 0.1 * z**4 * np.sin(x)


def ishigami_indices() -> tuple[list[float], list[float]]:
    """First-order and total-order indices in closed form."""
    a, b = 7.0, 0.1
    alone = (0.5 * (1.0 + b * np.pi**4 / 5.0) ** 2, a**2 / 8.0, 0.0)
    both = b**2 * np.pi**8 * (1.0 / 18.0 - 1.0 / 50.0)  # x with z
    total = sum(alone) + both
    return [part / total for part in alone], [(alone[0] + both) / total, alone[1] / total, both / total]


def test_sobol_indices_of_ishigamis_function() -> None:
    first, total = ishigami_indices()
    found = sobol_indices(3, ishigami(sobol_places(3, 4096, 1)), 1)
    np.testing.assert_allclose(found.first, first, atol=0.02)
    np.testing.assert_allclose(found.total, total, atol=0.02)
    assert found.n == 4096
    assert all(0.0 < half < 0.1 for half in (*found.first_confidence, *found.total_confidence))


def test_sobol_indices_of_a_straight_line_are_its_squared_slopes() -> None:
    places = sobol_places(4, 1024, 3)
    found = sobol_indices(4, places @ np.array(SLOPES), 3)
    expected = np.square(SLOPES) / np.square(SLOPES).sum()
    np.testing.assert_allclose(found.first, expected, atol=0.02)
    np.testing.assert_allclose(found.total, expected, atol=0.02)


def test_the_seed_zero_is_a_seed() -> None:
    output = ishigami(sobol_places(3, 64, 0))
    found = [sobol_indices(3, output, 0) for _ in range(2)]
    assert found[0].first_confidence.tolist() == found[1].first_confidence.tolist()


def test_incomplete_samples_are_left_out_of_sobols_indices() -> None:
    output = ishigami(sobol_places(3, 256, 1))
    short = sobol_indices(3, output[5:], 1)  # without its first base sample
    output[2] = np.nan
    found = sobol_indices(3, output, 1)
    assert found.n == 255
    np.testing.assert_array_equal(found.total, short.total)


def test_an_output_that_does_not_vary_has_no_variance_to_share() -> None:
    assert sobol_indices(2, np.ones(4 * 8), 1).total.tolist() == [0.0, 0.0]
    assert np.isnan(sobol_indices(2, np.full(4 * 8, np.nan), 1).total).all()


def test_elementary_effects_of_a_straight_line_are_its_slopes() -> None:
    slopes = np.array([3.0, -2.0, 0.0])
    places = morris_places(3, 6, 1)
    found = morris_effects(places, places @ slopes)
    np.testing.assert_allclose(found.mu, slopes, atol=1e-12)
    np.testing.assert_allclose(found.mu_star, np.abs(slopes), atol=1e-12)
    np.testing.assert_allclose(found.sigma, 0.0, atol=1e-12)
    assert found.n.tolist() == [6, 6, 6]


def test_the_spread_over_ranges_is_that_of_even_draws() -> None:
    """Of a sum of straight lines, whose places are Morris' four levels, or anywhere in a range: variance 1/12 each."""
    slopes = np.array([1.0, -2.0, 0.5])
    levels = np.random.default_rng(1).integers(0, 4, (40000, 3)) / 3.0
    assert over_ranges(levels @ slopes) == pytest.approx(np.sqrt((slopes**2).sum() / 12.0), rel=0.02)


def test_elementary_effects_agree_with_salib() -> None:
    from SALib.analyze import morris

    places = morris_places(3, 8, 2)
    output = ishigami(places)
    problem = {"num_vars": 3, "names": list("xyz"), "bounds": [[0.0, 1.0]] * 3}
    theirs, ours = morris.analyze(problem, places, output, num_levels=4), morris_effects(places, output)
    for name in ("mu", "mu_star", "sigma"):
        np.testing.assert_allclose(getattr(ours, name), np.asarray(theirs[name]), rtol=1e-9, atol=1e-9)


def test_pairs_with_a_place_that_cannot_be_simulated_are_left_out() -> None:
    places = morris_places(3, 2, 1)
    output = places @ np.array([3.0, -2.0, 1.0])
    output[0] = np.nan
    found = morris_effects(places, output)
    assert sorted(found.n.tolist()) == [1, 2, 2]
    np.testing.assert_allclose(found.mu, [3.0, -2.0, 1.0])


# what matters, and its shares


def test_as_many_factors_matter_as_cover_the_effects() -> None:
    effects = np.array([1.0, 90.0, 4.0, 5.0, np.nan])
    assert most_important([effects]) == ([1, 3], pytest.approx(0.95))
    assert most_important([effects, np.zeros(5)]) == ([1, 3], pytest.approx(0.95))
    assert most_important([np.zeros(5)]) == ([], 0.0)
    chosen, covered = most_important([np.ones(40)])
    assert (len(chosen), covered) == (10, pytest.approx(0.25))


def test_shares_of_a_straight_line_are_those_of_its_variance() -> None:
    places = sobol_places(4, 512, 1)
    sobol = sobol_indices(3, (sobol_places(3, 512, 1) @ np.array([3.0, 2.0, 1.0])), 1)
    screening = morris_places(4, 4, 1)
    morris = morris_effects(screening, screening @ np.array(SLOPES))
    expected = np.var(places, axis=0) * np.square(SLOPES)
    for shares in (variance_shares(morris, [], None), variance_shares(morris, [0, 1, 3], sobol)):
        np.testing.assert_allclose(shares, expected / expected.sum(), atol=0.02)
        assert math.fsum(shares) == pytest.approx(1.0)
    still = morris_effects(screening, np.ones(len(screening)))
    assert variance_shares(still, [], None).tolist() == [0.0] * 4


def test_a_single_effect_counts_nothing_beside_those_whose_error_is_known() -> None:
    """Of the first factor all points but those of the last trajectory have failed."""
    screening = morris_places(3, 4, 1)
    output = screening @ np.array([3.0, 2.0, 1.0])
    steps = [k for k in range(len(screening) - 1) if screening[k, 0] != screening[k + 1, 0] and (k + 1) % 4]
    for place in steps[:-1]:
        output[place if place % 4 == 0 else place + 1] = np.nan
    morris = morris_effects(screening, output)
    assert morris.n[0] == 1
    shares = variance_shares(morris, [], None)
    assert shares[0] == 0.0
    assert math.fsum(shares) == pytest.approx(1.0)
    alone = morris_effects(screening[:4], screening[:4] @ np.array([3.0, 2.0, 1.0]))
    assert variance_shares(alone, [], None) == pytest.approx(np.array([9.0, 4.0, 1.0]) / 14.0)


@pytest.mark.slow
def test_luck_is_not_shared_out_by_the_number_of_factors() -> None:
    """One factor that acts and 99 that do not, under noise: on the mean the 99 have little more than nothing."""
    draw, found = np.random.default_rng(5), []
    for seed in range(20):
        screening = morris_places(100, 4, seed)
        output = screening[:, 0] + 0.05 * draw.standard_normal(len(screening))
        morris = morris_effects(screening, output)
        naive = morris.mu_star**2
        found.append((variance_shares(morris, [], None)[0], naive[0] / naive.sum()))
    ours, by_size = np.mean(found, axis=0)
    assert by_size < 0.75
    assert ours > by_size + 0.5 * (1.0 - by_size)


def test_indices_that_are_hardly_known_share_nothing_out() -> None:
    screening = morris_places(4, 4, 1)
    morris = morris_effects(screening, screening @ np.array(SLOPES))
    few = sobol_indices(3, sobol_places(3, 4, 1) @ np.array([3.0, 2.0, 1.0]), 1)
    assert few.total_confidence.max() > 0.3
    assert not can_share(few)
    assert variance_shares(morris, [0, 1, 3], few).tolist() == variance_shares(morris, [], None).tolist()
    assert not can_share(sobol_indices(3, np.ones(5 * 8), 1))


# parameters as sides of a cube


def test_every_parameter_spans_its_range() -> None:
    factors = parameter_space(toy_experiment()).factors
    assert len(factors) > 200
    for factor in factors:
        assert factor.at(0.0) == factor.record.low
        assert factor.at(1.0) == pytest.approx(factor.record.high)
        assert factor.record.low < factor.at(0.5) < factor.record.high


def test_wide_ranges_are_varied_by_magnitude_and_counts_stay_whole() -> None:
    by_name = {factor.name: factor for factor in parameter_space(toy_experiment()).factors}
    wide, narrow = by_name["network.mossy_efficacy"], by_name["synapses.potentiation"]
    assert wide.at(0.5) == pytest.approx(math.sqrt(wide.record.low * wide.record.high))
    assert narrow.at(0.25) == pytest.approx(0.75 * narrow.record.low + 0.25 * narrow.record.high)
    assert by_name["network.assemblies"].at(0.123).is_integer()


def test_shares_of_one_whole_stay_one_whole() -> None:
    space = parameter_space(toy_experiment())
    draw = np.random.default_rng(1)
    for _ in range(20):
        overrides = space.overrides(draw.random(len(space.factors)).tolist())
        for group in SHARES:
            assert math.fsum(float(overrides[name]) for name in group) == pytest.approx(1.0)
        for group in FRACTIONS:
            assert math.fsum(float(overrides[name]) for name in group) <= 0.95 + 1e-12


def test_a_share_varied_alone_takes_the_others_with_it() -> None:
    space = parameter_space(toy_experiment(), ["epigenome.hdac3_share"])
    overrides = space.overrides([0.0])
    assert overrides["epigenome.hdac3_share"] == 0.0
    assert overrides["epigenome.hdac1_share"] == pytest.approx(overrides["epigenome.hdac2_share"]) == pytest.approx(0.5)


def test_what_the_experiment_holds_of_a_whole_stays() -> None:
    own = "subject.overrides={epigenome.hdac1_share: 0.6, epigenome.acetylated_fraction: 0.3}"
    space = parameter_space(toy_experiment(own), ["epigenome.hdac3_share", "epigenome.repressed_fraction"])
    overrides = space.overrides([0.0, 1.0])
    assert {"epigenome.hdac1_share", "epigenome.acetylated_fraction"}.isdisjoint(overrides)
    assert overrides["epigenome.hdac2_share"] == pytest.approx(0.4)
    assert float(overrides["epigenome.repressed_fraction"]) <= 0.65 + 1e-12
    whole = toy_experiment("subject.overrides={epigenome.hdac1_share: 2}")
    too_much = parameter_space(whole, ["epigenome.hdac3_share"])
    with pytest.raises(ArithmeticError, match="more than the whole"):
        too_much.overrides([0.5])


def test_a_whole_without_shares_is_no_place() -> None:
    space = parameter_space(toy_experiment(), [f"epigenome.hdac{enzyme}_share" for enzyme in (1, 2, 3)])
    with pytest.raises(ArithmeticError, match="every share is zero"):
        space.overrides([0.0, 0.0, 0.0])


def test_only_parts_that_can_be_felt_are_varied() -> None:
    healthy = used_parts(toy_experiment())
    assert not {"body_diabetes", "body_doses", "observation", "forcing"} & set(healthy)
    assert "body_diabetes" in used_parts(toy_experiment("subject.condition=type_2_diabetes"))
    bath = "schedules={bath: {doses: {what: lactate, route: bath, amount: 5 mmol/L, at: 0 h}}, control: {}}"
    culture, sliced = (
        toy_experiment(bath, "reference=control", f"preparation={name}", "observe=[{metric: bdnf_protein}]")
        for name in ("culture", "slice")
    )
    assert not {"barrier", "meals", "body_lactate"} & set(used_parts(culture))
    assert {"forcing", "synapses"} <= set(used_parts(culture))
    assert {"barrier", "body_cortisol"} <= set(used_parts(sliced)), "potentiation is set by the animal's day"


def test_every_place_is_a_subject_that_can_be_described() -> None:
    """The overrides have the names and dimensions that an experiment file may hold."""
    space = parameter_space(toy_experiment())
    for place in (0.05, 0.5, 1.0):
        overrides = space.overrides([place] * len(space.factors))
        assert toy_experiment(f"subject.overrides={json.dumps(overrides)}").subject.overrides == overrides


def test_what_the_user_sets_is_held() -> None:
    experiment = toy_experiment("subject.overrides={synapses.potentiation: 0.5}")
    assert "synapses.potentiation" not in {factor.name for factor in parameter_space(experiment).factors}
    assert [f.name for f in parameter_space(experiment, ["synapses.potentiation"]).factors] == ["synapses.potentiation"]


def test_an_unknown_parameter_is_told_with_its_nearest_spelling() -> None:
    with pytest.raises(ConfigError, match=r"synapses\.potentiation"):
        parameter_space(toy_experiment(), ["synapses.potentation"])


def test_a_point_changes_parameters_and_seed_only() -> None:
    experiment = toy_experiment("subject.overrides={synapses.depression: 0.2}")
    changed = Point((("synapses.potentiation", 0.5),), 9).experiment(experiment)
    assert changed.subject.overrides == {"synapses.depression": 0.2, "synapses.potentiation": 0.5}
    assert changed.run.seed == 9
    back = changed.run.model_copy(update={"seed": experiment.run.seed})
    assert changed.model_copy(update={"subject": experiment.subject, "run": back}) == experiment


# grades


def row(name: str, grade: str, share: float, metric: str = "bdnf_protein", basis: str = "sobol") -> SensitivityRow:
    nan = math.nan
    return SensitivityRow(
        "hiit / rest", metric, name, "x", grade, "", nan, nan, nan, nan, nan, nan, nan, share, basis, ""
    )


def test_shares_of_the_grades_sum_to_one() -> None:
    draw = np.random.default_rng(1)
    shares = draw.dirichlet(np.ones(30))
    rows = [row(f"p{i}", GRADES[i % 4], float(share)) for i, share in enumerate(shares)]
    crossed = grade_rows(rows)
    assert [found.grade for found in crossed] == list(GRADES)
    assert math.fsum(found.share for found in crossed) == pytest.approx(1.0)
    assert sum(found.parameters for found in crossed) == 30
    assert crossed[0].share == pytest.approx(shares[::4].sum())


def test_the_sentence_names_grades_and_measurements() -> None:
    rows = [row("a.x", "measured", 0.25), row("a.y", "assumed", 0.6), row("a.z", "fitted", 0.15, basis="morris")]
    (sentence,) = sentences(rows)
    assert "25 % of the variance of hiit / rest bdnf_protein comes from measured numbers" in sentence
    assert "15 % from fitted and 60 % from assumed ones" in sentence
    assert "are a.y (assumed, 60 %), a.x (measured, 25 %), a.z (fitted, 15 %)" in sentence
    assert "(85 % of the variance is shared out by Sobol's" in sentence
    assert "No parameter that was varied changes" in sentences([row("a.x", "measured", 0.0)])[0]
    (told,) = sentences([row("a.x", "measured", 1.0), row("a.y", "assumed", 1e-5)])
    assert "the measurement that would narrow it most is a.x" in told  # and not one of 0 %


# the study, with contrasts that are straight lines of the parameters


def line(folder: SensitivityFolder, experiment: Any) -> list[float]:
    """In place of a simulation: one contrast that is a straight line of the parameters, and one that never varies."""
    places = []
    for name in NAMES:
        record = parameter_records(name.partition(".")[0], "human")[name.partition(".")[2]]
        number = float(experiment.subject.overrides.get(name, record.number))
        places.append((number - record.low) / (record.high - record.low))
    value = float(np.dot(places, SLOPES))
    return [value, 0.0]


@pytest.fixture
def _straight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abm.study.points, "_contrasts", line)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Sensitivity:
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=256)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(abm.study.points, "_contrasts", line)
        return analyse_sensitivity(design, tmp_path_factory.mktemp("found"), executor=Here(), workers=1)


def test_a_straight_line_is_found_again(found: Sensitivity) -> None:
    own = {row.parameter: row for row in found.rows if row.metric == "bdnf_protein"}
    expected = np.square(SLOPES) / np.square(SLOPES).sum()
    for name, slope, share in zip(NAMES, SLOPES, expected, strict=True):
        assert own[name].mu == pytest.approx(slope, abs=1e-9)
        assert own[name].mu_star == pytest.approx(abs(slope), abs=1e-9)
        assert own[name].share == pytest.approx(share, abs=0.03)
        assert own[name].basis == ("sobol" if slope else "morris")
    assert found.chosen == [NAMES[0], NAMES[1], NAMES[3]]
    assert found.covered == pytest.approx(1.0)


def test_grades_of_a_straight_line(found: Sensitivity) -> None:
    shares = {r.grade: r.share for r in found.grades if r.metric == "bdnf_protein"}
    assert math.fsum(shares.values()) == pytest.approx(1.0)
    squares = dict.fromkeys(GRADES, 0.0)
    for factor, slope in zip(parameter_space(toy_experiment(), NAMES).factors, SLOPES, strict=True):
        squares[factor.record.grade] += slope**2
    assert sum(value > 0.0 for value in squares.values()) > 1
    for grade, value in squares.items():
        assert shares[grade] == pytest.approx(value / np.square(SLOPES).sum(), abs=0.03)
    assert all(r.share == 0.0 for r in found.grades if r.metric == "synaptic_strength"), "nothing varies"


def test_the_files_of_a_study(found: Sensitivity) -> None:
    page = write_sensitivity_page(found).read_text(encoding="utf-8")
    names = {path.name for path in found.path.iterdir()}
    assert names == {
        "sensitivity.json", "sensitivity.csv", "sensitivity_grades.csv", "sensitivity.html", "sensitivity.png",
    }  # fmt: skip
    with (found.path / "sensitivity.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:14] == [
        "contrast", "metric", "parameter", "part", "grade", "source", "mu", "mu_star", "sigma", "S1", "S1_conf", "ST",
        "ST_conf", "share",
    ]  # fmt: skip
    assert len(rows) == 2 * len(NAMES)
    assert {row["tissue"] for row in rows} == {tissue_text(toy_experiment())}
    assert 'src="data:image/png' in page
    assert "http" not in page.partition("Provenance")[0]
    text = sensitivity_text(found)
    assert "comes from measured numbers" in text


def test_a_finished_study_is_read_not_run(found: Sensitivity) -> None:
    crew = Here()
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=256)
    again = analyse_sensitivity(design, found.path, executor=crew, workers=1, resume=True)
    assert crew.tasks == 0
    assert repr(again) == repr(found), "NaN is not equal to itself"
    assert repr(read_sensitivity(found.path)) == repr(found)
    with pytest.raises(ResultsError, match="--resume"):
        analyse_sensitivity(design, found.path, executor=crew, workers=1)
    other = design_sensitivity(toy_experiment(), NAMES, trajectories=5, samples=256)
    with pytest.raises(ResultsError, match="the design has changed"):
        analyse_sensitivity(other, found.path, executor=crew, workers=1, resume=True)


def test_after_an_interruption_only_the_missing_points_are_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = []

    def interrupted(folder: SensitivityFolder, experiment: Any) -> list[float]:
        if len(done) == 15:
            raise KeyboardInterrupt
        done.append(experiment)
        return line(folder, experiment)

    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=16)
    monkeypatch.setattr(abm.study.points, "_contrasts", interrupted)
    with pytest.raises(KeyboardInterrupt):
        analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    assert json.loads((tmp_path / "sensitivity.json").read_text())["status"] == "interrupted"
    with pytest.raises(ResultsError, match="not finished"):
        read_sensitivity(tmp_path)
    monkeypatch.setattr(abm.study.points, "_contrasts", line)
    rest, whole = Here(), Here()
    resumed = analyse_sensitivity(design, tmp_path, executor=rest, workers=1, resume=True)
    fresh = analyse_sensitivity(design, tmp_path / "fresh", executor=whole, workers=1)
    assert rest.tasks == whole.tasks - 15
    assert repr(resumed.rows) == repr(fresh.rows)


def test_places_without_an_outcome_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def sometimes(folder: SensitivityFolder, experiment: Any) -> list[float]:
        values = line(folder, experiment)
        if values[0] > 5.0:
            raise ArithmeticError("no such tissue")
        return values

    monkeypatch.setattr(abm.study.points, "_contrasts", sometimes)
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=8, samples=64)
    found = analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    assert found.problems["ArithmeticError: no such tissue"] > 0
    own = {row.parameter: row for row in found.rows if row.metric == "bdnf_protein"}
    assert own[NAMES[0]].mu == pytest.approx(3.0)
    assert "no such tissue" in sensitivity_text(found)


def test_a_point_that_the_machine_lost_is_not_kept_as_one_that_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def full(folder: SensitivityFolder, experiment: Any) -> list[float]:
        tried.append(experiment)
        if len(tried) == 7:
            raise OSError("no space left on device")
        return line(folder, experiment)

    design = design_sensitivity(toy_experiment(), NAMES, trajectories=4, samples=16)
    monkeypatch.setattr(abm.study.points, "_contrasts", full)
    with pytest.raises(Lost, match=r"1 of .* no space left on device"):
        analyse_sensitivity(design, tmp_path, executor=Here(), workers=1)
    resumed = analyse_sensitivity(design, tmp_path, executor=Here(), workers=1, resume=True)
    fresh = analyse_sensitivity(design, tmp_path / "fresh", executor=Here(), workers=1)
    assert resumed.problems == {}
    assert repr(resumed.rows) == repr(fresh.rows)


def test_parameters_with_which_nothing_can_be_run_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(folder: SensitivityFolder, experiment: Any) -> list[float]:
        raise ArithmeticError("no such tissue")

    monkeypatch.setattr(abm.study.points, "_contrasts", never)
    with pytest.raises(ConfigError, match="no such tissue"):
        analyse_sensitivity(design_sensitivity(toy_experiment(), NAMES), tmp_path, executor=Here(), workers=1)


def test_luck_is_told_where_it_is_large(found: Sensitivity) -> None:
    first = found.contrasts[0]
    assert first.luck == 0.0 < first.spread
    assert luck_sentences([first]) == []
    lucky = type(first)(first.contrast, first.metric, 0.1, 0.02, 0.01)
    assert "25 % of that over parameters" in luck_sentences([lucky])[0]


@pytest.mark.slow
@pytest.mark.usefixtures("_straight")
def test_beside_the_results_of_an_experiment_it_is_part_of_the_report(tmp_path: Path) -> None:
    with toy_model():
        results = run_experiment(toy_experiment(), tmp_path, executor=Here(), workers=1)
    design = design_sensitivity(toy_experiment(), NAMES, trajectories=2, samples=16)
    before = (tmp_path / "manifest.json").read_bytes()
    write_sensitivity_page(analyse_sensitivity(design, tmp_path, executor=Here(), workers=1))
    assert (tmp_path / "manifest.json").read_bytes() == before
    page = write_report(results, figures={}).read_text(encoding="utf-8")
    assert "What the result depends on" in page
    assert "comes from measured numbers" in page
    assert "another configuration or program" not in page
    with toy_model():
        others = run_experiment(toy_experiment("run.seed=6"), tmp_path, executor=Here(), workers=1, overwrite=True)
    assert "another configuration or program" in write_report(others, figures={}).read_text(encoding="utf-8")


def test_points_that_are_one_to_the_tissue_are_simulated_once(tmp_path: Path) -> None:
    """How a mouse runs in its wheel changes no one's blood here; a parameter of the tissue and the seed do matter."""
    folder = SensitivityFolder(tmp_path)
    folder.open(overwrite=False)
    wheels = [Point((("schedule.wheel_running_fraction", share),), 1) for share in (0.3, 0.5)]
    others = [Point((("synapses.potentiation", 0.5),), 1), Point((), 2)]
    with toy_model():
        for point in (*wheels, *others):
            assert abm.study.points.evaluate(folder, toy_experiment(), point) is None
    assert len(list(folder.runs.glob("point-*.json"))) == 4
    assert len(list(folder.runs.glob("tissue-*.json"))) == 3


def test_a_slice_is_another_where_its_animal_had_other_cortisol(tmp_path: Path) -> None:
    bath = "schedules={bath: {doses: {what: lactate, route: bath, amount: 5 mmol/L, at: 0 h}}, control: {}}"
    sliced = toy_experiment(bath, "reference=control", "preparation=slice", "observe=[{metric: bdnf_protein}]")
    folder = SensitivityFolder(tmp_path)
    folder.open(overwrite=False)
    with toy_model():
        for peak in ("330 nmol/L", "560 nmol/L"):
            assert abm.study.points.evaluate(folder, sliced, Point((("body_cortisol.cortisol_peak", peak),), 1)) is None
    assert len(list(folder.runs.glob("tissue-*.json"))) == 2


# experiments made small


def config(tmp_path: Path, **changes: Any) -> Path:
    path = tmp_path / "toy.yaml"
    path.write_text(yaml.safe_dump({**PLAN, **changes}, sort_keys=False), encoding="utf-8")
    return path


def test_an_experiment_is_made_small(tmp_path: Path) -> None:
    large = {"neurons": 5000, "size": ["1.6 mm", "0.2 mm"], "voxel": "25 um"}
    run = {"duration": "7 d", "burn_in": "30 d", "replicates": 8, "seed": 5, "step": "6 min"}
    small = small_experiment(config(tmp_path, tissue=large, run=run))
    assert (small.tissue.neurons, list(small.tissue.size)) == (200, [400.0, 200.0])
    assert (small.run.step, small.run.burn_in, small.run.replicates, small.run.duration) == (0.5, 48.0, 1, 168.0)
    assert tissue_text(small) == "200 neurons on 0.4 x 0.2 mm, 7 d in steps of 30 min after 2 d of rest, 1 replicate"


def test_what_the_user_sets_stays(tmp_path: Path) -> None:
    path = config(tmp_path)
    small = small_experiment(path, ["tissue.neurons=400", "run.step=15 min", "run.duration=12 h"], replicates=3)
    assert (small.tissue.neurons, small.run.step, small.run.replicates) == (400, 0.25, 3)
    assert small.run.duration == 12.0, "although the file observes a later time"
    assert small_experiment(path, ["run.replicates=4"]).run.replicates == 4


def test_the_step_stays_where_a_longer_one_does_not_fit_the_burn_in(tmp_path: Path) -> None:
    run = {"duration": "1 d", "burn_in": "100 min", "replicates": 1, "seed": 5, "step": "10 min"}
    small = small_experiment(config(tmp_path, run=run))
    assert (small.run.step, small.run.burn_in) == pytest.approx((1.0 / 6.0, 5.0 / 3.0))


def test_a_reference_alone_is_refused() -> None:
    with pytest.raises(ConfigError, match="only the reference"):
        design_sensitivity(toy_experiment("schedules={sedentary: {}}"))


def test_outputs_are_contrasts_of_both_read_outs() -> None:
    assert contrasts_of(toy_experiment()) == [("run", "bdnf_protein"), ("run", "synaptic_strength")]


# the command line


def test_without_salib_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "SALib.sample.morris", None)
    out = tmp_path / "out"
    assert main(["sensitivity", str(config(tmp_path)), "--out", str(out)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "install the extra 'fit'" in shown.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--parameters", "synapses.potentation"], "synapses.potentiation"),
        (["--set", "run.replicats=3"], "replicates"),
        (["--set", "schedules={sedentary: {}}"], "only the reference"),
    ],
)
def test_wrong_input_exits_with_2_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    out = tmp_path / "out"
    assert main(["sensitivity", str(config(tmp_path)), "--out", str(out), *arguments]) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_samples_are_a_power_of_two(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["sensitivity", str(config(tmp_path)), "--samples", "12"])
    assert stop.value.code == 2


TINY = [
    "--set", "tissue.neurons=40", "--set", "tissue.size=[100 um, 100 um]", "--set", "run.step=1 h", "--set",
    "run.duration=12 h", "--set", "run.burn_in=2 h", "--workers", "1",
]  # fmt: skip


@pytest.mark.slow
def test_a_tiny_experiment_from_end_to_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    few = ["--parameters", "expression.activity_gain", "expression.store_at_rest", "epigenome.hdac3_share"]
    command = ["sensitivity", str(config(tmp_path)), "--out", str(out), *TINY]
    design = ["--trajectories", "2", "--samples", "2", *few]
    assert main([*command, *design]) == 0
    shown = capsys.readouterr()
    assert "run / sedentary bdnf_protein" in shown.out
    assert "3 parameters" in shown.err
    found = read_sensitivity(out)
    assert [row.parameter for row in found.rows] == few[1:] * 2
    for metric in ("bdnf_protein", "synaptic_strength"):
        shares = math.fsum(row.share for row in found.grades if row.metric == metric)
        assert shares == pytest.approx(1.0) or shares == 0.0  # nothing may be left of so few effects
        assert any(row.mu_star > 0.0 for row in found.rows if row.metric == metric)
    assert main([*command, "--quiet", "--resume", *design]) == 0
    assert capsys.readouterr().out == shown.out
