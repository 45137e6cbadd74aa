"""Every mistake gives one message: file, line, key, value, what was expected and the nearest spelling."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mistakes import Mistake

from abm.config import ConfigError, build_experiment, load_experiment

BASE = """\
name: plans
subject:
  species: human
  training: untrained
preparation: in_vivo
tissue:
  neurons: 200
  voxel: 25 um
schedules:
  sedentary: {}
  continuous:
    sessions:
      kind: cycling
      intensity: 65 %VO2max
      duration: 45 min
      start: "07:30"
      days: [mon, wed, fri]
  hiit:
    sessions:
      - kind: running
        intervals: {repeats: 10, work: 60 s at 95 %VO2max, rest: 60 s at 30 %VO2max}
        start: "07:30"
        days: [tue, thu]
      - kind: running
        intensity: 50 %VO2max
        duration: 60 min
        start: "07:45"
        days: [sat]
  drug:
    meals: {fast: {start: 0 h, duration: 20 h}}
    doses: [{what: ketone_ester, route: oral, amount: 500 mg/kg, at: 20 h}]
    blocks: [{target: MCT1, fraction: 0.95, start: 0 d, duration: 7 d}]
reference: sedentary
observe:
  - {metric: bdnf_protein, at: [7 d, 14 d]}
  - {metric: synaptic_strength, every: 1 d}
run:
  duration: 14 d
  burn_in: 2 d
  replicates: 2
  seed: 1
"""


MISTAKES = {
    "wrong key": Mistake("intensity: 65 %VO2max", "intensty: 65 %VO2max", "continuous.sessions.intensty",
        ("'intensity'",)),
    "wrong key in a flow": Mistake("repeats: 10", "repetas: 10", "intervals.repetas", ("unknown key", "'repeats'")),
    "wrong top key": Mistake("reference: sed", "refrence: sed", "refrence", ("unknown key", "'reference'")),
    "key far from all": Mistake("  seed: 1", "  qqqqq: 1", "run.qqqqq", ("unknown key", "replicates", "burn_in")),
    "key of another part": Mistake("  voxel: 25 um", "  seed: 1", "tissue.seed = 1", ("unknown key", "it in 'run'")),
    "wrong unit": Mistake("duration: 45 min", "duration: 45 mim", "duration",
        ("'mim' is not a unit", "'min'", "a time")),
    "wrong dimension": Mistake("duration: 45 min", "duration: 45 um", "duration", ("a length", "a time", '"45 min"')),
    "bare number": Mistake("duration: 45 min", "duration: 45", "duration = 45", ("a bare number", "a time")),
    "bare number in quotes": Mistake("duration: 45 min", 'duration: "45"', "duration", ("a bare number", "a time")),
    "negative duration": Mistake("duration: 45 min", "duration: -45 min", "duration", ("negative", '"-45 min"')),
    "no duration at all": Mistake("      duration: 45 min\n", "", "continuous.sessions", ("has no duration",)),
    "zero duration": Mistake("duration: 45 min", "duration: 0 min", "duration", ("more than 0",)),
    "block between two steps": Mistake("start: 0 d, duration: 7 d", "start: 1 s, duration: 7 d", "drug.blocks.0.start",
        ("whole number of steps", "6 min")),
    "negative run": Mistake("duration: 14 d", "duration: -14 d", "run.duration", ("negative",)),
    "voxel in hours": Mistake("voxel: 25 um", "voxel: 25 h", "tissue.voxel", ("a time", "a length")),
    "voxel does not fit": Mistake("voxel: 25 um", "voxel: 27 um", "tissue.size", ("whole number of voxels",)),
    "a side that a section has not": Mistake("voxel: 25 um", "boundaries: {front: washout}", "tissue.boundaries.front",
        ("no such side", "three lengths")),
    "no nucleosomes left": Mistake("training: untrained",
        "overrides: {epigenome.acetylated_fraction: 0.4, epigenome.repressed_fraction: 0.7}",
        "subject.overrides.epigenome.acetylated_fraction", ("no unmodified nucleosome", "less than 1 together")),
    "voxels too small": Mistake("voxel: 25 um", "voxel: 1 nm", "tissue.size", ("too many voxels", "larger voxels")),
    "nothing done": Mistake("intensity: 65 %VO2max", "intensity: 0 %VO2max", "continuous.sessions.intensity",
        ("an intensity of 0", "kind: rest")),
    "work beyond the body": Mistake("60 s at 95 %VO2max", "60 s at 950 %VO2max", "intervals.work", ("200 %VO2max",)),
    "rest beyond the body": Mistake("60 s at 30 %VO2max", "60 s at 300 %VO2max", "intervals.rest", ("200 %VO2max",)),
    "grams for milligrams": Mistake("500 mg/kg", "500 g/kg", "doses.0.amount", ("at most 50 g/kg a day",)),
    "endless name": Mistake("name: plans", "name: " + 300 * "p", "name", ("at most 100",)),
    "no capacity": Mistake("  training: untrained", "  overrides: {schedule.vo2max_untrained: 0 mL/kg/min}",
        "subject.overrides", ("a VO2max of 0", "more than")),
    "too many voxels": Mistake("voxel: 25 um", "size: [1 km, 1 km]", "tissue.size", ("too many voxels",)),
    "run without end": Mistake("duration: 14 d", "duration: 1e6 d", "run.duration", ("too long", "3650 d")),
    "too many repeats": Mistake("repeats: 10", "repeats: 10000", "intervals.repeats", ("at most 1,000",)),
    "observed too often": Mistake("every: 1 d", "every: 1e-6 h", "observe.1.every", ("number of steps",)),
    "days out of step with weeks": Mistake("days: [sat]", "days: [sat]\n        every: 2 d", "hiit.sessions.1.every",
        ("counts weeks", '"14 d"')),
    "repeated too often": Mistake("days: [sat]", "every: 1 s", "hiit.sessions.1.every", ("a minute or more",)),
    "too few neurons": Mistake("neurons: 200", "neurons: 2", "tissue.neurons = 2", ("at least 10",)),
    "neurons as text": Mistake("neurons: 200", "neurons: many", "tissue.neurons", ("a whole number",)),
    "replicates not whole": Mistake("replicates: 2", "replicates: 2.5", "run.replicates", ("a whole number",)),
    "no replicates": Mistake("replicates: 2", "replicates: 0", "run.replicates", ("at least 1",)),
    "seed is true": Mistake("seed: 1", "seed: true", "run.seed = true", ("a whole number",)),
    "unknown species": Mistake("species: human", "species: humn", "subject.species", ("human or mouse", "'human'")),
    "unknown training": Mistake("untrained", "untraned", "subject.training", ("elite", "'untrained'")),
    "unknown preparation": Mistake("in_vivo", "in vivo", "preparation", ("slice", "'in_vivo'")),
    "unknown kind": Mistake("kind: cycling", "kind: cyclin", "sessions.kind", ("treadmill", "'cycling'")),
    "unknown weekday": Mistake("days: [mon,", "days: [mno,", "sessions.days.0", ("sun", "'mon'")),
    "percent of what": Mistake("65 %VO2max", "65 %", "intensity", ("percent of what?", "%HRR")),
    "misspelt capacity": Mistake("65 %VO2max", "65 %VO2mx", "intensity", ("'%VO2max'",)),
    "intensity without a unit": Mistake("65 %VO2max", "65", "intensity", ("a bare number",)),
    "implausible intensity": Mistake("65 %VO2max", "230 %VO2max", "intensity", ("230 %VO2max", "at most 200")),
    "implausible power": Mistake("65 %VO2max", "9 W/kg", "intensity", ("%VO2max of this subject",)),
    "power while running": Mistake("50 %VO2max", "3 W/kg", "intensity", ("running", "cycling or rowing")),
    "malformed interval": Mistake("60 s at 95 %VO2max", "60 s@95 %VO2max", "work", ('"60 s at 95 %VO2max"',)),
    "interval without intensity": Mistake("work: 60 s at 95 %VO2max", "work: 60 s", "work", ("has no intensity",)),
    "interval unit": Mistake("60 s at 95 %VO2max", "60 m at 95 %VO2max", "work", ("a length",)),
    "interval key missing": Mistake("repeats: 10, ", "", "hiit.sessions.0.intervals.repeats", ("is missing",)),
    "clock time": Mistake('start: "07:30"\n      days: [mon', 'start: "25:30"\n      days: [mon', "start",
        ("clock time",)),
    "start is missing": Mistake('      start: "07:30"\n      days: [mon', "      days: [mon", "start", ("is missing",)),
    "start is a number": Mistake('start: "07:30"\n      days: [mon', "start: 7.5\n      days: [mon", "start",
        ("a bare number",)),
    "overlapping sessions": Mistake("days: [sat]", "days: [tue]", "hiit.sessions.1.start",
        ("overlaps", "day 1 from 07:30 to 07:49")),
    "session after the end": Mistake('start: "07:45"\n        days: [sat]', "start: 14 d", "hiit.sessions.1.start",
        ("never", "14 d")),
    "first day after the end": Mistake("days: [sat]", "first_day: 20 d", "hiit.sessions.1.first_day",
        ("nothing starts after that", "an earlier time")),
    "last day before the clock": Mistake("days: [sat]", "last_day: 2 h", "hiit.sessions.1.last_day",
        ("nothing has started by then", "a later time")),
    "no such weekday in the run": Mistake("duration: 14 d", "duration: 5 d", "hiit.sessions.1.days",
        ("no such day comes before the end", "a day that does")),
    "speed for a distance": Mistake("intensity: 50 %VO2max", "distance: 12 km/h", "hiit.sessions.1.distance",
        ("a speed, not a distance", '"5 km"')),
    "misspelt distance": Mistake("intensity: 50 %VO2max", "distance: 12 kmm", "hiit.sessions.1.distance",
        ("'kmm' is not a unit", "'km'")),
    "percent sign forgotten": Mistake("65 %VO2max", "65 VO2max", "intensity", ("'%VO2max'",)),
    "unit of a dose twice": Mistake("500 mg/kg", "500 mg/kg mg", "drug.doses.0.amount", ("not a unit", '"500 mg/kg"')),
    "dose without number": Mistake("500 mg/kg", "much", "drug.doses.0.amount", ("not a number", '"500 mg/kg"')),
    "reference is zero": Mistake("reference: sedentary", "reference: 0", "reference = 0", ("expected",)),
    "fast of years": Mistake("{start: 0 h, duration: 20 h}", "{before_sessions: 1e6 d}", "fast.before_sessions",
        ("longer than anybody fasts", "60 d")),
    "days without a clock": Mistake('start: "07:45"', "start: 31 h", "hiit.sessions.1.days", ("clock time",)),
    "intensity and intervals": Mistake("        start: \"07:30\"\n",
        "        intensity: 50 %HRR\n        start: \"07:30\"\n",
        "hiit.sessions.0.intervals", ("both intensity and intervals",)),
    "grade while cycling": Mistake("kind: cycling", "kind: cycling\n      grade: 5 %", "sessions.grade",
        ("treadmill",)),
    "grade beside a share of VO2max": Mistake("kind: cycling", "kind: treadmill\n      grade: 5 %", "sessions.grade",
        ("a speed or a distance",)),
    "less than rest": Mistake("intensity: 65 %VO2max", "intensity: 5 %VO2max", "continuous.sessions.intensity",
        ("less than rest", "at least 9.21 %VO2max")),
    "sprint of minutes": Mistake("60 s at 95 %VO2max", "30 min at 170 %VO2max", "hiit.sessions.0.intervals.work",
        ("170 %VO2max for 30 min", "at most 2.7 min")),
    "all out for hours": Mistake("intensity: 65 %VO2max", "intensity: 110 %VO2max", "continuous.sessions.intensity",
        ("for 45 min, several times longer", "at most 19 min")),
    "miles per hour": Mistake("65 %VO2max", "8 mph", "continuous.sessions.intensity", ("1.609 km/h",)),
    "metabolic equivalents": Mistake("65 %VO2max", "8 METs", "continuous.sessions.intensity", ("3.5 mL/kg/min",)),
    "another sport": Mistake("kind: cycling", "kind: swimming", "continuous.sessions.kind", ("unknown name",)),
    "clock time for a length": Mistake("duration: 45 min", 'duration: "07:30"', "continuous.sessions.duration",
        ("a clock time where a length of time", "45 min")),
    "last day before the first session": Mistake("      days: [tue, thu]",
        "      last_day: 1 d\n        days: [tue, thu]", "hiit.sessions.0",
        ("nothing has started by then", "a later time")),
    "boundaries by one word": Mistake("  voxel: 25 um", "  voxel: 25 um\n  boundaries: open",
        'tissue.boundaries = "open"', ("no_flux or washout",)),
    "several read-outs": Mistake("metric: bdnf_protein", "metric: BDNF", "observe.0.metric",
        ("one of", "serum_bdnf", "bdnf_protein")),
    "part in place of a parameter": Mistake("  species: human", "  species: human\n  overrides: {epigenome: 3}",
        "subject.overrides.epigenome = 3", ("epigenome.name",)),
    "endless parameter": Mistake("  species: human",
        "  species: human\n  overrides: {epigenome.hdac3_share: .inf}", "hdac3_share", ("too large a number",)),
    "unknown metric": Mistake("metric: bdnf_protein", "metric: bdnf_protien", "observe.0.metric", ("'bdnf_protein'",)),
    "unknown region": Mistake("metric: bdnf_protein", "metric: bdnf_protein.CA2", "observe.0.metric",
        ("DG, CA3 or CA1",)),
    "observation after the end": Mistake("at: [7 d, 14 d]", "at: [7 d, 15 d]", "observe.0.at.1",
        ("after the end", "14 d")),
    "observation between steps": Mistake("at: [7 d, 14 d]", "at: [7 d, 61 s]", "observe.0.at.1",
        ("number of steps", "6 min")),
    "at and every": Mistake("every: 1 d", "every: 1 d, at: 2 d", "observe.1.every", ("both at and every",)),
    "interval of observation": Mistake("every: 1 d", "every: 1 mmol/L", "observe.1.every",
        ("a concentration", "a time")),
    "reference": Mistake("reference: sedentary", "reference: sedentry", "reference",
        ("no such schedule", "'sedentary'")),
    "schedule name": Mistake("  hiit:", "  hi it:", "schedules.hi it", ("not a name",)),
    "a number as a name": Mistake("  hiit:", "  1e5:", "schedules.1e5", ("a number is not a name",)),
    "a list as a key": Mistake("  hiit:", "  ? [a]\n  :", "schedules", ("a key is not text",)),
    "duration between steps": Mistake("duration: 14 d", "duration: 14.001 d", "run.duration", ("number of steps",)),
    "burn-in between steps": Mistake("burn_in: 2 d", "burn_in: 7 s", "run.burn_in", ("number of steps",)),
    "step does not fill a day": Mistake("  seed: 1", "  step: 7 min", "run.step", ("a day",)),
    "unknown target": Mistake("target: MCT1", "target: MTC1", "drug.blocks.0.target", ("'MCT1'",)),
    "fraction above 1": Mistake("fraction: 0.95", "fraction: 1.2", "drug.blocks.0.fraction = 1.2", ("outside 0 to 1",)),
    "fraction below 0": Mistake("fraction: 0.95", "fraction: -0.1", "drug.blocks.0.fraction", ("outside 0 to 1",)),
    "block after the end": Mistake("start: 0 d, duration: 7 d", "start: 15 d", "drug.blocks.0.start",
        ("after the end",)),
    "mechanism by name": Mistake("blocks: [{target: MCT1, fraction: 0.95, start: 0 d, duration: 7 d}]",
        "knock_out: BDNF", "drug.knock_out", ("'BDNF'", "transcription", "did you mean 'BDNF_synthesis'?")),
    "step too short": Mistake("  seed: 1", "  step: 1 ms", "run.step", ("1 s to 1 h",)),
    "into the ventricle": Mistake("what: ketone_ester, route: oral, amount: 500 mg/kg",
        "what: dexamethasone, route: icv, amount: 1 nmol", "drug.doses.0.route", ("not in the model", "bath")),
    "unknown substance": Mistake("ketone_ester", "ketone_estr", "drug.doses.0.what", ("'ketone_ester'",)),
    "unknown route": Mistake("route: oral", "route: orally", "drug.doses.0.route", ("icv", "'oral'")),
    "impossible route": Mistake("route: oral", "route: iv", "drug.doses.0.route", ("cannot be given iv", "oral")),
    "dose per volume": Mistake("500 mg/kg", "500 mg/L", "drug.doses.0.amount", ("mg/L", "500 mg/kg")),
    "dose without unit": Mistake("500 mg/kg", "500", "drug.doses.0.amount = 500", ("a bare number",)),
    "dose of grams": Mistake("what: ketone_ester, route: oral, amount: 500 mg/kg",
        "what: irisin, route: iv, amount: 10 g/kg", "drug.doses.0.amount",
        ("more than anybody gives", "0.1 g/kg a day")),
    "dose every hour": Mistake("amount: 500 mg/kg, at: 20 h", "amount: 5 g/kg, at: 20 h, every: 1 h",
        "drug.doses.0.amount", ("120 g/kg a day", "at most 50 g/kg a day")),
    "glucose in the bath": Mistake("what: ketone_ester, route: oral, amount: 500 mg/kg",
        "what: glucose, route: bath, amount: 5 mmol/L", "drug.doses.0.route", ("nothing in a slice",)),
    "rate without duration": Mistake("500 mg/kg", "500 mg/kg/h", "drug.doses.0.amount", ("duration",)),
    "dose after the end": Mistake("at: 20 h}]", "at: 20 d}]", "drug.doses.0.at", ("never happens",)),
    "bath in vivo": Mistake("what: ketone_ester, route: oral, amount: 500 mg/kg",
        "what: bhb, route: bath, amount: 1 mM",
                            "drug.doses.0.route", ("no bath in vivo",)),
    "body in a slice": Mistake("preparation: in_vivo", "preparation: slice", "continuous.sessions",
        ("a slice has no sessions",)),
    "body in a culture": Mistake(BASE[BASE.index("preparation: in_vivo"):BASE.index("reference:")],
        "preparation: culture\nschedules: {sedentary: {}, drug: {knock_out: [MCT2, MCT1]}}\n",
        "drug.knock_out.1", ("a culture has no MCT1", "MCT2")),
    "mouse on a bicycle": Mistake("species: human", "species: mouse", "sessions.kind", ("a mouse does no cycling",)),
    "light for a person": Mistake("  species: human", '  species: human\n  light: {on: "07:00"}', "subject.light",
        ("mouse",)),
    "unknown parameter": Mistake("  species: human", "  species: human\n  overrides: {schedule.vo2_rst: 3 mL/kg/min}",
        "subject.overrides.schedule.vo2_rst", ("'schedule.vo2_rest'",)),
    "unknown part of parameters": Mistake("  species: human",
        "  species: human\n  overrides: {schedul.vo2_rest: 3 mL/kg/min}",
        "subject.overrides.schedul.vo2_rest", ("'schedule'",)),
    "parameter in a wrong unit": Mistake("  species: human",
        "  species: human\n  overrides: {schedule: {vo2_rest: 3 mmol/L}}",
        "subject.overrides.schedule.vo2_rest", ("a concentration",
        "an oxygen uptake")),
    "parameter without unit": Mistake("  species: human", "  species: human\n  overrides: {schedule.vo2_rest: 3}",
        "subject.overrides.schedule.vo2_rest", ("a bare number",)),
    "neither fast nor meal": Mistake("{fast: {start: 0 h, duration: 20 h}}", "{at: 2 h}", "drug.meals", ("neither",)),
    "fast without sessions": Mistake("{start: 0 h, duration: 20 h}", "{before_sessions: 12 h}", "before_sessions",
        ("no sessions",)),
    "meal in grams": Mistake("{fast: {start: 0 h, duration: 20 h}}", "{carbohydrate: 60 g, at: 2 h}", "carbohydrate",
        ("g/kg",)),
    "a part is a word": Mistake("tissue:\n  neurons: 200\n  voxel: 25 um", "tissue: small", "tissue", ("a mapping",)),
    "overridden twice": Mistake("  training: untrained", "  overrides: {schedule.vo2_rest: 3 mL/kg/min, schedule: "
        "{vo2_rest: 4 mL/kg/min}}", "subject.overrides.schedule.vo2_rest", ("twice", "once")),
    "tag of a mapping": Mistake("sedentary: {}", "sedentary: !rest {}", "schedules.sedentary", ("tag", "not allowed")),
    "folder for a file": Mistake("sedentary: {}", "sedentary: {from: ..}", "schedules.sedentary.from", ("a folder",)),
    "endless intensity": Mistake("65 %VO2max", "1e400 %VO2max", "intensity", ("too large a number",)),
    "meal with two times": Mistake("meals: {fast: {start: 0 h, duration: 20 h}}",
        'meals: {carbohydrate: 1 g/kg/h, at: "07:00", during: sessions}', "drug.meals", ("both 'at' and 'during'",)),
    "no cells": Mistake("  training: untrained",
        "  overrides: {network: {granule_cells: 0, ca3_cells: 0, ca1_cells: 0}}",
        "subject.overrides.network.granule_cells", ("no region has a cell", "above 0")),
    "silent region": Mistake("  training: untrained", "  overrides: {network.rate_dg: 0 Hz}", "network.rate_dg",
        ("0",)),
    "no synapses": Mistake("  training: untrained", "  overrides: {network.synapses_per_neuron: 0}",
        "network.synapses_per_neuron", ("0",)),
    "duplicate key": Mistake("  seed: 1", "  seed: 1\n  seed: 2", "run.seed", ("stands twice", "line 41")),
    "bad YAML": Mistake("observe:", "observe: [", "", ("not valid YAML",)),
    "tab": Mistake("  seed: 1", "\tseed: 1", "", ("not valid YAML", "spaces", "tab")),
    "python tag": Mistake("seed: 1", "seed: !!python/name:os.system", "run.seed", ("is not allowed",)),
    "missing include": Mistake("sedentary: {}", "sedentary: {from: nowhere.yaml}", "sedentary.from", ("no such file",)),
}  # fmt: skip


def message(folder: Path, text: str, *overrides: str) -> str:
    """The message for a description that must not load; it stands on one line and begins with the file."""
    path = folder / "plans.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_experiment(path, overrides)
    shown = str(caught.value)
    assert "\n" not in shown
    return shown.replace(f"{folder}/", "")


def test_the_base_is_right() -> None:
    import yaml

    assert build_experiment(yaml.safe_load(BASE)).run.seed == 1


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_mistakes_are_named(mistake: Mistake, tmp_path: Path) -> None:
    shown = message(tmp_path, mistake.made_in(BASE))
    assert shown.startswith("plans.yaml:")
    assert mistake.key in shown
    for part in mistake.says:
        assert part in shown


# Where the mistake is not in the line that is named: what is missing is named by what it is missing from, and what
# contradicts another line by one of the two.
ELSEWHERE = {
    "no duration at all", "interval key missing", "start is missing", "voxel does not fit", "overlapping sessions",
    "voxels too small",
    "first day after the end", "days without a clock", "intensity and intervals", "body in a slice",
    "light for a person", "no such weekday in the run", "mouse on a bicycle", "neither fast nor meal", "duplicate key",
    "bad YAML", "tab",
    "grade while cycling", "grade beside a share of VO2max", "body in a culture", "days out of step with weeks",
    "unknown parameter", "unknown part of parameters", "parameter in a wrong unit", "parameter without unit",
    "a list as a key", "boundaries by one word", "endless parameter", "part in place of a parameter",
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(MISTAKES.keys() - ELSEWHERE))
def test_the_line_is_that_of_the_mistake(name: str, tmp_path: Path) -> None:
    mistake = MISTAKES[name]
    shown = message(tmp_path, mistake.made_in(BASE))
    assert shown.startswith(f"plans.yaml:{mistake.line_in(BASE)}: ")


def test_whole_message(tmp_path: Path) -> None:
    wrong = BASE.replace("duration: 45 min", "duration: 45 mim")
    assert message(tmp_path, wrong) == (
        "plans.yaml:15: schedules.continuous.sessions.duration = \"45 mim\": 'mim' is not a unit; "
        "expected a time such as \"45 min\"; did you mean 'min'?"
    )


def test_missing_file_names_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "exercise.yaml").write_text(BASE)
    with pytest.raises(ConfigError, match=r"exercize\.yaml: no such file; did you mean 'exercise\.yaml'\?"):
        load_experiment(tmp_path / "exercize.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "is empty"), ("just text", "not a mapping"), ("- a\n- b", "not a mapping"), ("\xe9", "UTF-8")],
)
def test_files_that_are_no_description(text: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=says):
        load_experiment(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="expected a YAML file"):
        load_experiment(tmp_path)


def test_mistakes_in_an_included_file_name_that_file(tmp_path: Path) -> None:
    (tmp_path / "hiit.yaml").write_text(
        "sessions:\n  kind: running\n  intensity: fast\n  duration: 1 h\n  start: 1 h\n"
    )
    shown = message(tmp_path, BASE.replace("sedentary: {}", "sedentary: {from: hiit.yaml}"))
    assert shown.startswith('hiit.yaml:3: schedules.sedentary.sessions.intensity = "fast"')


def test_a_bath_holds_one_concentration_of_a_substance(tmp_path: Path) -> None:
    bath = "preparation: slice\nschedules:\n  a:\n    doses:\n"
    for start, duration in (("0 h", "2 h"), ("2 h", "1 h"), ("2.5 h", "1 h")):
        bath += f"      - {{what: bdnf, route: bath, amount: 1 nM, at: {start}, duration: {duration}}}\n"
    assert message(tmp_path, bath).startswith(
        'plans.yaml:7: schedules.a.doses.2.at = "2.5 h": bdnf is in the bath already, until 3 h; '
    )


def test_files_may_not_include_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("from: b.yaml\n")
    (tmp_path / "b.yaml").write_text("from: a.yaml\n")
    assert "brings in itself" in message(tmp_path, BASE.replace("sedentary: {}", "sedentary: {from: a.yaml}"))


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("run.duration=-3 d", ("run.duration", "negative")),
        ("run.duraton=3 d", ("run.duraton", "'duration'")),
        ("run.replicates=two", ("run.replicates", "a whole number")),
        ("tissue.neurons", ("not a replacement", "key.path=value")),
        ("=3", ("not a replacement",)),
        ("run.seed.x=3", ("'run.seed' has no keys",)),
        ("observe.7.at=3 d", ("is a list of 2",)),
        ("schedules.continuous.sessions.start=24:30", ("sessions.start", "clock time")),
        ("schedules.hiit={from: other.yaml}", ("schedules.hiit.from", "no such file")),
        ("subject={species: [}", ("not valid YAML",)),
        ("reference=hit", ("no such schedule", "'hiit'")),
        ("schedules.hit.knock_out=MCT1", ("no such schedule", "'hiit'")),
        ("subject.overrides.schedule.vo2_rest=4", ("schedule.vo2_rest", "a bare number")),
        ("subject.overrides.expression.bhb_half=0 mmol/L", ("expression.bhb_half", "divide by it", "more than 0")),
    ],
)
def test_overrides_are_named(override: str, says: tuple[str, ...], tmp_path: Path) -> None:
    shown = message(tmp_path, BASE, override)
    assert shown.startswith(f"--set {override}: ")
    for part in says:
        assert part in shown


KEYS = [
    "name",
    "subject",
    "tissue",
    "schedules",
    "reference",
    "observe",
    "run",
    "neurons",
    "voxel",
    "burn_in",
    "replicates",
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KEYS), st.data())
def test_a_misspelt_key_is_named_with_its_right_spelling(tmp_path: Path, key: str, data: st.DataObject) -> None:
    """A letter lost, doubled or exchanged with its neighbour."""
    place = data.draw(st.integers(0, len(key) - 2))
    swapped = key[:place] + key[place + 1] + key[place] + key[place + 2 :]
    wrong = data.draw(st.sampled_from([key[:place] + key[place + 1 :], key[: place + 1] + key[place:], swapped]))
    if wrong != key:
        shown = message(tmp_path, BASE.replace(f"{key}:", f"{wrong}:", 1))
        assert f"{wrong}" in shown
        assert f"did you mean '{key}'?" in shown


LENGTHS_AND_MORE = [
    "um",
    "mmol/L",
    "W/kg",
    "mg/kg",
    "%",
    "%VO2max",
    "1/h",
    "km/h",
    "K",
    "m^2",
    "h^2",
    "parsec",
    "min min",
    "/h",
]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0.1, 1e6), st.sampled_from(LENGTHS_AND_MORE))
def test_a_wrong_unit_is_an_error_that_asks_for_a_time(tmp_path: Path, number: float, unit: str) -> None:
    shown = message(tmp_path, BASE.replace("45 min", f"{number!r} {unit}"))
    assert shown.startswith("plans.yaml:15: schedules.continuous.sessions.duration")
    assert "a time" in shown


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.floats(max_value=-1e-6, min_value=-1e6),
    st.sampled_from(["45 min", "65 %VO2max", "25 um", "14 d", "500 mg/kg", "95 %VO2max"]),
)
def test_a_negative_number_is_an_error(tmp_path: Path, number: float, right: str) -> None:
    unit = right.split(" ", 1)[1]
    shown = message(tmp_path, BASE.replace(right, f"{number!r} {unit}", 1))
    assert "negative" in shown or "more than 0" in shown


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=30))
@example("1e999999999 h")
@example("1" * 400 + " h")
@example("h^1e9")
@example("1 h^9999999")
@example("{}[]:,&*#?|-<>=!%@\\")
def test_no_text_makes_it_fall_over(tmp_path: Path, text: str) -> None:
    """Whatever is written as a duration, the outcome is an experiment or a ConfigError."""
    path = tmp_path / "plans.yaml"
    path.write_text(BASE.replace("45 min", text), encoding="utf-8")
    try:
        load_experiment(path)
    except ConfigError as error:
        message_text = str(error)
    else:
        return
    assert "\n" not in message_text
