"""The schema of published experiments: what counts as seen, its interval, and one clear message for every mistake."""

import math
from pathlib import Path

import pytest
from mistakes import Mistake
from scipy.stats import t as student

from abm.config import ConfigError, Evidence, load_evidence
from abm.config.evidence import UNITS, detectable
from abm.metric_names import METRIC_NAMES
from abm.metrics import METRICS

BASE = """\
id: wheel
source: berchtold2010
role: calibration
note: three weeks
protocol:
  subject: {species: mouse}
  tissue: {neurons: 60, size: [0.2 mm, 0.2 mm]}
  schedules:
    sedentary: {}
    wheel:
      sessions: {kind: wheel, distance: 5 km/d, start: "19:00", duration: 10 h}
  run: {duration: 3 d, burn_in: 1 d, replicates: 2, step: 30 min}
observations:
  - contrast: wheel / sedentary
    metric: bdnf_protein
    at: 2 d 9 h
    ratio: 1.86
    interval: [1.5, 2.2]
  - {contrast: wheel / sedentary, metric: bdnf_mrna.CA1, at: 2 d, effect: none, within: [0.8, 1.3], n: [5, 4], p: 0.2}
  - {contrast: wheel / sedentary, metric: serum_bdnf, at: 2 d, smd: 0.46, interval: [0.2, .inf]}
  - {schedule: wheel, metric: plasma_lactate, at: 2 d, value: 890 umol/L, interval: [0.8 mmol/L, 1 mmol/L]}
  - {contrast: wheel / sedentary, metric: hdac3, at: 2 d, ratio: 0.7, n: [6, 5]}
  - {contrast: wheel / sedentary, metric: hdac2, at: 2 d, effect: down, n: 4, p: 0.05}
  - {schedule: sedentary, metric: bdnf_mrna_IV, at: 2 d 1 h, baseline: 37 h, effect: up, n: 7, paired: true}
"""


MISTAKES = {
    "wrong top key": Mistake("source: ber", "sourse: ber", "sourse", ("unknown key", "'source'")),
    "unknown source": Mistake("berchtold2010", "berchtold2001", "source", ("no such source", "'berchtold2010'")),
    "unknown role": Mistake("role: calibration", "role: calibrate", "role", ("'calibration'",)),
    "no role": Mistake("role: calibration\n", "", "role", ("is missing",)),
    "name with a space": Mistake("id: wheel", "id: a wheel", "id", ("not a name",)),
    "wrong key of the protocol": Mistake("  schedules:", "  shedules:", "protocol.shedules", ("'schedules'",)),
    "wrong key of a session": Mistake("distance:", "distanse:", "wheel.sessions.distanse", ("'distance'",)),
    "unknown metric": Mistake("metric: bdnf_protein", "metric: bdnf_protien", "metric", ("'bdnf_protein'",)),
    "unknown region": Mistake("bdnf_mrna.CA1", "bdnf_mrna.CA2", "metric", ("DG, CA3 or CA1", "'bdnf_mrna.CA3'")),
    "wrong key of an observation": Mistake("    ratio: 1.86", "    ration: 1.86", "ration", ("'ratio'",)),
    "unknown effect": Mistake("effect: none", "effect: non", "effect", ("'none'",)),
    "unknown arm": Mistake("contrast: wheel / sedentary\n", "contrast: weel / sedentary\n", "contrast", ("'wheel'",)),
    "unknown arm of a value": Mistake("schedule: wheel", "schedule: weel", "schedule", ("'wheel'",)),
    "same arm twice": Mistake("contrast: wheel / sedentary\n", "contrast: wheel / wheel\n", "contrast",
        ("an arm against itself",)),
    "one arm": Mistake("contrast: wheel / sedentary\n", "contrast: wheel\n", "contrast", ("not two arms",)),
    "value of a contrast": Mistake("{schedule: wheel,", "{contrast: wheel / sedentary,", "contrast", ("'schedule'",)),
    "bare value": Mistake("value: 890 umol/L", "value: 0.89", "value", ("a bare number", "mmol/L")),
    "value in a wrong dimension": Mistake("value: 890 umol/L", "value: 890 um", "value", ("a length",)),
    "value in a wrong unit": Mistake("value: 890 umol/L", "value: 890 umo/L", "value", ("umo",)),
    "negative amount": Mistake("value: 890 umol/L", "value: -890 umol/L", "value", ("not an amount", "0 or more")),
    "endless amount": Mistake("value: 890 umol/L", "value: .inf", "value", ("not an amount",)),
    "nothing, of n animals": Mistake("value: 890 umol/L, interval: [0.8 mmol/L, 1 mmol/L]", "value: 0 mmol/L, n: 5",
        "value", ("no interval", "[low, high]")),
    "no spread": Mistake("n: 4, p: 0.05", "n: 4, cv: 0", "cv", ("coefficient of variation", "0.25")),
    "nothing seen": Mistake("    ratio: 1.86\n    interval: [1.5, 2.2]\n", "", "observations", ("nothing was seen",)),
    "two things seen": Mistake("smd: 0.46", "smd: 0.46, effect: up", "effect", ("both smd and effect",)),
    "text for a ratio": Mistake("ratio: 1.86", "ratio: high", "ratio", ("not a number",)),
    "negative ratio": Mistake("ratio: 0.7", "ratio: -0.7", "observations", ("more than 0",)),
    "no interval": Mistake("    interval: [1.5, 2.2]\n", "", "observations", ("has no interval", "or n")),
    "no interval of an smd": Mistake(", interval: [0.2, .inf]", ", n: 5", "observations", ("has no interval",)),
    "interval of an effect": Mistake("within: [0.8, 1.3]", "interval: [0.8, 1.3]", "interval", ("'within'",)),
    "within of a ratio": Mistake("    interval: [1.5, 2.2]", "    within: [1.5, 2.2]\n    n: 5", "", ("no effect",)),
    "interval the wrong way": Mistake("[1.5, 2.2]", "[2.2, 1.5]", "interval", ("low and a high end",)),
    "interval beside it": Mistake("[1.5, 2.2]", "[1.9, 2.2]", "interval", ("does not hold",)),
    "interval of three": Mistake("[1.5, 2.2]", "[1.5, 2, 2.2]", "interval", ("low and a high end",)),
    "no effect without one": Mistake("[0.8, 1.3]", "[1.1, 1.3]", "within", ("does not hold",)),
    "two groups of a value": Mistake("interval: [0.8 mmol/L, 1 mmol/L]", "n: [1, 3]", "observations.3.n",
        ("one arm", "n: 8")),
    "one animal": Mistake("value: 890 umol/L, interval: [0.8 mmol/L, 1 mmol/L]", "value: 890 umol/L, n: 1", "n",
        ("two or more",)),
    "open at what was seen": Mistake("[1.5, 2.2]", "[1.86, .inf]", "interval", ("open to one side",)),
    "spread in per cent": Mistake("n: 4, p: 0.05", "n: 4, cv: 25", "cv", ("up to 5", '"25 %"')),
    "half an animal": Mistake("n: [5, 4]", "n: [5, 4.5]", "n", ("whole number",)),
    "too few animals": Mistake("n: [5, 4]", "n: 1", "n", ("too few",)),
    "p above one": Mistake("p: 0.2", "p: 2", "p", ("probability",)),
    "baseline of a value": Mistake("value: 890 umol/L", "baseline: 1 d, value: 890 umol/L", "baseline",
        ("a ratio or",)),
    "baseline of two arms": Mistake("at: 2 d, ratio: 0.7", "at: 2 d, baseline: 1 d, ratio: 0.7", "contrast",
        ("'schedule'",)),
    "baseline at the same time": Mistake("baseline: 37 h", "baseline: 49 h", "baseline", ("with itself",)),
    "baseline after the end": Mistake("baseline: 37 h", "baseline: 4 d", "baseline", ("after the end",)),
    "baseline between two steps": Mistake("baseline: 37 h", "baseline: 37 h 10 min", "baseline", ("whole number",)),
    "a change of what may be zero": Mistake("metric: bdnf_mrna_IV", "metric: brain_bhb_uptake", "metric",
        ("no ratio",)),
    "after the end": Mistake("at: 2 d 9 h", "at: 4 d", "at", ("after the end",)),
    "no ratio": Mistake("metric: hdac2", "metric: spatial_clustering", "metric", ("no ratio", "schedule:")),
    "regions of the blood": Mistake("metric: serum_bdnf", "metric: serum_bdnf.DG", "metric", ("no regions",)),
    "rats": Mistake("species: mouse", "species: rat", 'species = "rat"', ("mouse",)),
    "run between two steps": Mistake("duration: 3 d", "duration: 73.1 h", "protocol.run.duration", ("whole number",)),
    "between two steps": Mistake("at: 2 d 9 h", "at: 2 d 10 min", "at", ("whole number of steps",)),
    "no blood": Mistake("  tissue:", "  preparation: culture\n  tissue:", "", ("sessions",)),
}


def load(folder: Path, text: str) -> Evidence:
    path = folder / "wheel.yaml"
    path.write_text(text, encoding="utf-8")
    return load_evidence(path)


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named(mistake: Mistake, tmp_path: Path) -> None:
    assert BASE.count(mistake.right) == 1
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, mistake.made_in(BASE))
    shown = str(caught.value)
    assert "\n" not in shown
    assert "wheel.yaml:" in shown
    assert mistake.key in shown
    for text in mistake.says:
        assert text in shown


@pytest.mark.parametrize(
    "name", [name for name, mistake in MISTAKES.items() if name.startswith(("wrong", "unknown", "value in"))]
)
def test_the_line_is_given(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    with pytest.raises(ConfigError, match=rf"wheel\.yaml:{mistake.line_in(BASE)}\b"):
        load(tmp_path, mistake.made_in(BASE))


def test_every_key_is_checked_for_its_spelling(tmp_path: Path) -> None:
    """A letter doubled in any key of an observation gives the line and the right key."""
    for key in ("contrast", "metric", "at", "ratio", "interval"):
        right = f"    {key}: " if key != "contrast" else "  - contrast: wheel / sedentary\n"
        mistake = Mistake(right, right.replace(key, key + key[-1]), key, ())
        with pytest.raises(ConfigError, match=rf"wheel\.yaml:{mistake.line_in(BASE)}\b.*'{key}'"):
            load(tmp_path, mistake.made_in(BASE))


def test_what_was_seen(tmp_path: Path) -> None:
    protein, none, smd, lactate, hdac3, down, change = load(tmp_path, BASE).observations
    assert [seen.kind for seen in (protein, none, smd, lactate, hdac3, down, change)] == [
        "ratio", "none", "value", "value", "ratio", "down", "up",
    ]  # fmt: skip
    assert protein.readings == (("wheel", 57.0), ("sedentary", 57.0))
    assert lactate.readings == (("wheel", 48.0),)
    assert change.readings == (("sedentary", 49.0), ("sedentary", 37.0))
    assert protein.arms == ("wheel", "sedentary")
    assert protein.at == 57.0
    assert protein.limits == (1.5, 2.2)
    assert none.limits == (0.8, 1.3)
    assert none.sizes == (5, 4)
    assert smd.limits == (0.2, math.inf)
    assert lactate.arms == ("wheel", None)
    assert lactate.number == pytest.approx(0.89)
    assert down.sizes == (4, 4)
    assert down.limits is None


def test_no_effect_has_limits_of_its_own(tmp_path: Path) -> None:
    half = detectable((5, 4), 0.25)
    unlimited = BASE.replace(", within: [0.8, 1.3]", "")
    assert load(tmp_path, unlimited).observations[1].limits == pytest.approx((math.exp(-half), math.exp(half)))
    unsized = unlimited.replace("effect: none, n: [5, 4]", "effect: none")
    assert load(tmp_path, unsized).observations[1].limits == (0.85, 1.15)


def test_the_interval_of_a_ratio_is_that_of_a_t_test(tmp_path: Path) -> None:
    """ratio exp(+-t(0.975, n1 + n2 - 2) s sqrt(1/n1 + 1/n2)), s^2 = ln(1 + cv^2), against SciPy."""
    half = student.ppf(0.975, 9) * math.sqrt(math.log(1 + 0.25**2) * (1 / 6 + 1 / 5))
    limits = load(tmp_path, BASE).observations[4].limits
    assert limits == pytest.approx((0.7 * math.exp(-half), 0.7 * math.exp(half)))
    assert detectable((6, 5), 0.25) == pytest.approx(half)


def test_the_experiment_reads_what_was_seen(tmp_path: Path) -> None:
    evidence = load(tmp_path, BASE)
    assert evidence.experiment.name == "wheel"
    assert [(seen.metric, seen.at) for seen in evidence.experiment.observe] == [
        (seen.metric, seen.times) for seen in evidence.observations
    ]
    assert evidence.protocol.observe == ()


def test_units_are_those_of_the_read_outs() -> None:
    """The configuration cannot ask the read-outs for their units, so it repeats them."""
    assert {name: METRICS[name].unit for name in METRIC_NAMES if METRICS[name].unit != "1"} == UNITS


def test_one_observation_needs_no_list(tmp_path: Path) -> None:
    head = BASE[: BASE.index("observations:")]
    one = "observations: {contrast: wheel / sedentary, metric: hdac2, at: 2 d, effect: down}\n"
    assert len(load(tmp_path, head + one).observations) == 1
    with pytest.raises(ConfigError, match="observations"):
        load(tmp_path, head + "observations: []\n")


def test_a_protocol_is_an_experiment_with_what_it_observes(tmp_path: Path) -> None:
    evidence = load(tmp_path, BASE.replace("  run:", "  observe: {metric: hdac2, every: 1 d}\n  run:"))
    assert evidence.experiment == load(tmp_path, BASE).experiment


@pytest.mark.parametrize(("at", "minutes"), [("2 d 9 h", 6), ("2 d 10 min", 5), ("2 d 8 min", 4), ("2 d 37 min", 1)])
def test_the_step_is_one_at_which_all_can_be_read(tmp_path: Path, at: str, minutes: int) -> None:
    text = BASE.replace(", step: 30 min", "").replace("at: 2 d 9 h", f"at: {at}")
    assert load(tmp_path, text).experiment.run.step == pytest.approx(minutes / 60)


def test_a_share_may_be_written_in_per_cent(tmp_path: Path) -> None:
    row = "{schedule: wheel, metric: acetylation, at: 2 d, value: 12 %, interval: [0.1, 15 %]}"
    evidence = load(tmp_path, BASE + f"  - {row}\n")
    assert evidence.observations[-1].number == pytest.approx(0.12)
    assert evidence.observations[-1].limits == pytest.approx((0.1, 0.15))


def test_a_value_of_so_many_animals_has_their_interval(tmp_path: Path) -> None:
    row = "{schedule: wheel, metric: plasma_lactate, at: 2 d, value: 2 mmol/L, n: 8, cv: 0.2}"
    low, high = load(tmp_path, BASE + f"  - {row}\n").observations[-1].limits
    half = student.ppf(0.975, 7) * math.sqrt(math.log(1.04) / 8)
    assert (low, high) == pytest.approx((2.0 * math.exp(-half), 2.0 * math.exp(half)))


def test_the_same_subjects_count_once(tmp_path: Path) -> None:
    """A paired ratio has the interval of the mean change of n subjects."""
    row = "{contrast: wheel / sedentary, metric: plasma_lactate, at: 2 d, ratio: 2, n: 8, paired: true, cv: 0.2}"
    low, high = load(tmp_path, BASE + f"  - {row}\n").observations[-1].limits
    half = student.ppf(0.975, 7) * math.sqrt(math.log(1.04) / 8)
    assert (low, high) == pytest.approx((2.0 * math.exp(-half), 2.0 * math.exp(half)))
    with pytest.raises(ConfigError, match="counted once"):
        load(tmp_path, BASE + f"  - {row.replace('n: 8', 'n: [8, 7]')}\n")
    value = "{schedule: wheel, metric: plasma_lactate, at: 2 d, value: 2 mmol/L, n: 8, paired: true}"
    with pytest.raises(ConfigError, match="two arms"):
        load(tmp_path, BASE + f"  - {value}\n")
