"""The description: the example of the manual, includes, overrides, round trips, the schema, the shipped files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from abm.config import Experiment, Schedule, build_experiment, load_experiment, load_model
from abm.metric_names import METRIC_NAMES, REGIONS, TISSUE_METRIC_NAMES, split_metric
from abm.parameters import CONFIG_DIRECTORY
from abm.schedule import compile_schedule
from abm.yaml_lines import parse_yaml

EXAMPLE = """\
name: exercise_schedules
subject: {species: human, training: untrained, condition: healthy}      # or mouse; type_2_diabetes; overrides
preparation: in_vivo            # or slice, culture: no body, concentrations clamped by the schedule
tissue: {neurons: 2000}
schedules:                      # inline, or {from: ../schedules/hiit.yaml}
  sedentary: {}
  continuous:
    sessions: {kind: cycling, intensity: 65 %VO2max, duration: 45 min, start: "07:30", days: [mon, wed, fri]}
  hiit:
    sessions: {kind: running, intervals: {repeats: 10, work: 60 s at 95 %VO2max, rest: 60 s at 30 %VO2max}, start: "07:30", days: [tue, thu, sat]}
  fasted_ketone:
    meals: {fast: {start: 0 h, duration: 20 h}}
    doses: [{what: ketone_ester, route: oral, amount: 500 mg/kg, at: 20 h}]
  wheel_blocked:
    sessions: {kind: wheel, distance: 5 km/d, start: "19:00", duration: 10 h, first_day: 0 d, last_day: 21 d}   # every day
    blocks: [{target: MCT1, fraction: 0.95, start: 0 d, duration: 28 d}]      # also: knock_down, knock_out
reference: sedentary
observe: [{metric: bdnf_protein, at: [21 d, 28 d]}, {metric: synaptic_strength, every: 1 d}]
run: {duration: 28 d, burn_in: 30 d, replicates: 8, seed: 1}
"""  # noqa: E501


@pytest.fixture
def example(tmp_path: Path) -> Path:
    path = tmp_path / "example.yaml"
    path.write_text(EXAMPLE)
    return path


def test_the_example_loads(example: Path) -> None:
    experiment = load_experiment(example)
    assert list(experiment.schedules) == ["sedentary", "continuous", "hiit", "fasted_ketone", "wheel_blocked"]
    assert (experiment.run.duration, experiment.run.burn_in, experiment.run.step) == (672.0, 720.0, 0.1)
    assert experiment.tissue.size == (1600.0, 1600.0)
    assert experiment.tissue.voxel == 25.0
    assert experiment.observe[0].at == (504.0, 672.0)
    assert experiment.observe[1].every == 24.0
    nights = [
        bout.start for bout in compile_schedule(experiment.schedules["wheel_blocked"], experiment.subject, 672.0).bouts
    ]
    assert min(nights) == 19.0
    assert 21 * 24 - 5 < max(nights) < 21 * 24 + 5


def test_an_almost_empty_file_has_defaults() -> None:
    experiment = build_experiment({"schedules": {"first": None, "second": {}}})
    assert experiment.reference == "first"
    assert experiment.subject.species == "human"
    assert (experiment.run.duration, experiment.run.replicates, experiment.run.seed) == (672.0, 8, 1)


def test_one_entry_is_a_list_of_one() -> None:
    dose = {"what": "bhb", "route": "oral", "amount": "1 mmol/kg", "at": "1 h"}
    single, double = (build_experiment({"schedules": {"a": {"doses": doses}}}) for doses in (dose, [dose]))
    assert single == double


def test_a_word_stands_for_all_boundaries() -> None:
    tissue = build_experiment({"schedules": {"a": {}}, "tissue": {"boundaries": "washout"}}).tissue
    assert tissue.boundaries.left == tissue.boundaries.back == "washout"


def test_text_of_yaml_means_what_it_says() -> None:
    content = parse_yaml("{start: 07:30, on: 1e-3, no: ~, date: 2020-01-01, n: 010, x: .5, y: yes, 12: a}", "f").content
    assert content == {
        "start": "07:30",
        "on": 1e-3,
        "no": None,
        "date": "2020-01-01",
        "n": 10,
        "x": 0.5,
        "y": "yes",
        "12": "a",
    }


def test_an_unquoted_clock_time_is_a_clock_time(example: Path) -> None:
    example.write_text(EXAMPLE.replace('"07:30"', "07:30").replace('"19:00"', "19:00"))
    assert load_experiment(example).schedules["continuous"].sessions[0].start.hours == 7.5


def test_anchors_and_merges() -> None:
    content = parse_yaml("a: &x {p: 1, q: 2}\nb: *x\nc: {<<: *x, q: 3}", "f").content
    assert content == {"a": {"p": 1, "q": 2}, "b": {"p": 1, "q": 2}, "c": {"p": 1, "q": 3}}


def test_files_include_files(tmp_path: Path) -> None:
    (tmp_path / "schedules").mkdir()
    (tmp_path / "schedules" / "run.yaml").write_text(
        "sessions: {kind: running, intensity: 50 %HRR, duration: 1 h, start: '08:00'}"
    )
    (tmp_path / "schedules" / "blocked.yaml").write_text("from: run.yaml\nblocks: {target: MCT1, fraction: 0.9}")
    (tmp_path / "a.yaml").write_text(
        "schedules:\n  rest: {}\n  blocked: {from: schedules/blocked.yaml, knock_out: BDNF_synthesis}\n"
        "  run: {from: schedules/run.yaml, note: as before}"
    )
    schedules = load_experiment(tmp_path / "a.yaml").schedules
    assert schedules["blocked"].sessions == schedules["run"].sessions
    assert [block.target for _, _, block in schedules["blocked"].all_blocks()] == ["MCT1", "BDNF_synthesis"]
    assert schedules["run"].note == "as before"


@pytest.mark.parametrize(
    ("observed", "named", "minutes"),
    [("at: 6 h", "", 6), ("at: [6 h, 50 min]", "", 5), ("every: 4 min", "", 4), ("at: 6 h", ", step: 15 min", 15)],
)
def test_the_step_fits_the_times(observed: str, named: str, minutes: int) -> None:
    run = f"run: {{duration: 8 h, burn_in: 8 h{named}}}"
    text = f"schedules: {{a: {{}}}}\nobserve: [{{metric: hdac2, {observed}}}]\n{run}"
    experiment = build_experiment(yaml.safe_load(text))
    assert experiment.run.step == pytest.approx(minutes / 60)
    assert build_experiment(experiment.resolved()) == experiment


def test_overrides(example: Path) -> None:
    experiment = load_experiment(
        example,
        [
            "run.duration=29 d",
            "tissue.voxel=50 um",
            "observe.0.at=[1 d, 2 d]",
            "schedules.continuous.sessions.days=[mon]",
            "schedules.rest_again={}",
            "subject.overrides.schedule.vo2_rest=4 mL/kg/min",
            "subject.training=trained",
            "run.seed=7",
        ],
    )
    assert (experiment.run.duration, experiment.run.seed, experiment.tissue.voxel) == (696.0, 7, 50.0)
    assert experiment.observe[0].at == (24.0, 48.0)
    assert experiment.schedules["continuous"].sessions[0].days == ("mon",)
    assert "rest_again" in experiment.schedules
    assert experiment.subject.overrides == {"schedule.vo2_rest": "4 mL/kg/min"}


def test_an_override_brings_in_a_file_as_the_experiment_does(example: Path) -> None:
    """Its path is relative to the experiment's file, and keys beside it replace keys of it."""
    session = "{kind: cycling, intensity: 60 %VO2max, duration: 20 min, start: '07:00'}"
    example.with_name("other.yaml").write_text(f"meals: {{fast: {{before_sessions: 3 h}}}}\nsessions: {session}\n")
    overrides = ["schedules.brought={from: other.yaml}", "schedules.fed={from: other.yaml, meals: []}"]
    schedules = load_experiment(example, overrides).schedules
    assert schedules["brought"].sessions == schedules["fed"].sessions
    assert schedules["brought"].sessions[0].duration == pytest.approx(1 / 3)
    assert len(schedules["brought"].meals) == 1
    assert not schedules["fed"].meals
    beside = load_experiment(example, ["schedules.continuous.from=other.yaml"]).schedules["continuous"]
    assert beside.sessions != schedules["brought"].sessions
    assert beside.meals == schedules["brought"].meals


def test_the_resolved_example_loads_again(example: Path, tmp_path: Path) -> None:
    experiment = load_experiment(example)
    again = tmp_path / "again.yaml"
    again.write_text(yaml.safe_dump(experiment.resolved(), sort_keys=False))
    assert load_experiment(again) == experiment
    assert build_experiment(experiment.resolved()).resolved() == experiment.resolved()


TIMES = st.integers(1, 40).map(lambda steps: f"{6 * steps} min")
CLOCKS = st.builds(lambda h, m: f"{h:02d}:{m:02d}", st.integers(0, 23), st.integers(0, 59))
INTENSITIES = st.one_of(  # above rest and such as somebody keeps up for hours
    st.builds(lambda number: f"{number!r} %VO2max", st.floats(10, 70)),
    st.builds(lambda number: f"{number!r} %HRR", st.floats(5, 65)),
    st.builds(lambda number: f"{number!r} mL/kg/min", st.floats(5, 30)),
)
SESSIONS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["running", "cycling"]), "intensity": INTENSITIES, "start": CLOCKS, "duration": TIMES},
    optional={
        "days": st.lists(st.sampled_from(["mon", "tue", "wed"]), min_size=1, unique=True),
        "warm_up": st.just("5 min at 30 %VO2max"),
        "progression": st.fixed_dictionaries({"duration_per_week": TIMES}, optional={"weeks": st.integers(1, 3)}),
    },
)
MEALS = st.one_of(
    st.builds(lambda t: {"fast": {"start": "0 h", "duration": t}}, TIMES),
    st.builds(lambda g, t: {"carbohydrate": f"{g!r} g/kg", "at": t}, st.floats(0.01, 5), CLOCKS),
)
DOSES = st.builds(
    lambda amount, at: {"what": "bhb", "route": "oral", "amount": f"{amount!r} mmol/kg", "at": at},
    st.floats(0.1, 9),
    CLOCKS,
)
BLOCKS = st.builds(lambda f: {"target": "GR", "fraction": f, "start": "1 h"}, st.floats(0.01, 1))
NOTES = st.text("abcdefghijklm .:#-'\n", max_size=10)


def is_a_name(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return True
    return False


EXPERIMENTS = st.fixed_dictionaries(
    {
        "schedules": st.dictionaries(
            st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+-]{0,8}", fullmatch=True).filter(is_a_name),
            st.fixed_dictionaries(
                {}, optional={"sessions": SESSIONS, "meals": MEALS, "doses": st.lists(DOSES), "blocks": BLOCKS}
            ),
            min_size=1,
            max_size=3,
        ),
        "observe": st.lists(
            st.builds(
                lambda m, t: {"metric": m, "at": t},
                st.sampled_from([*METRIC_NAMES, *(f"{name}.DG" for name in TISSUE_METRIC_NAMES)]),
                TIMES,
            )
        ),
        "run": st.fixed_dictionaries({"duration": st.just("15 d")}, optional={"seed": st.integers(0, 2**63 - 1)}),
    },
    optional={
        "name": st.just("x-1"),
        "tissue": st.just({"size": ["0.1 mm", "0.2 mm", "50 um"]}),
        "note": NOTES,
    },
)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EXPERIMENTS)
def test_every_experiment_is_resolved_to_an_equal_one(content: dict[str, object]) -> None:
    experiment = build_experiment(content)
    text = yaml.safe_dump(experiment.resolved(), allow_unicode=True)
    assert build_experiment(parse_yaml(text, "resolved").content) == experiment


def test_the_json_schema_is_complete() -> None:
    schema = Experiment.model_json_schema()
    json.dumps(schema)
    assert set(schema["properties"]) >= {
        "name",
        "subject",
        "preparation",
        "tissue",
        "schedules",
        "reference",
        "observe",
        "run",
    }
    assert schema["$defs"]["RunConfig"]["properties"]["burn_in"]["default"] == "30 d"
    parts = schema["$defs"]["Schedule"]["properties"]
    assert {"from", "sessions", "meals", "doses", "blocks", "knock_down", "knock_out"} <= set(parts)
    assert {"$ref": "#/$defs/Session"} in parts["sessions"]["anyOf"]
    described = [item for part in schema["$defs"].values() for item in part.get("properties", {}).values()]
    assert all("description" in item or "$ref" in item for item in described)


EXPERIMENT_FILES = sorted((CONFIG_DIRECTORY / "experiments").glob("*.yaml"))
RODENT_SCHEDULES = {"voluntary_wheel", "treadmill_rodent", "bhb_icv", "lactate_injections"}
SCHEDULE_FILES = sorted((CONFIG_DIRECTORY / "schedules").glob("*.yaml"))


@pytest.mark.parametrize("path", EXPERIMENT_FILES, ids=lambda path: path.stem)
def test_shipped_experiments_load(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.name == path.stem
    assert build_experiment(experiment.resolved()) == experiment


@pytest.mark.parametrize("path", SCHEDULE_FILES, ids=lambda path: path.stem)
def test_shipped_schedules_load(path: Path) -> None:
    experiment = build_experiment(
        {
            "schedules": {"x": load_model(Schedule, path).model_dump(mode="json", exclude_none=True)},
            "subject": {"species": "mouse" if path.stem in RODENT_SCHEDULES else "human"},
            "preparation": "slice" if path.stem == "bhb_bath" else "in_vivo",
        }
    )
    compile_schedule(experiment.schedules["x"], experiment.subject, 28 * 24.0)


def test_the_default_experiment_is_the_one_promised() -> None:
    experiment = load_experiment(CONFIG_DIRECTORY / "experiments" / "exercise_schedules.yaml")
    assert list(experiment.schedules) == ["sedentary", "continuous", "hiit", "prolonged", "fasted_continuous"]
    assert experiment.reference == "sedentary"
    run = experiment.run
    assert (run.duration, run.burn_in, run.replicates, run.seed) == (28 * 24.0, 30 * 24.0, 8, 1)
    assert experiment.tissue.neurons == 2000
    lines = {
        name: compile_schedule(s, experiment.subject, run.duration, name) for name, s in experiment.schedules.items()
    }
    assert lines["continuous"].bouts == lines["fasted_continuous"].bouts
    assert len(lines["continuous"].meals) - len(lines["fasted_continuous"].meals) == 12
    assert len(lines["prolonged"].bouts) == 8


def test_the_names_of_read_outs() -> None:
    assert len(METRIC_NAMES) == len(set(METRIC_NAMES)) == 57
    assert split_metric("bdnf_protein.CA1") == ("bdnf_protein", "CA1")
    assert split_metric("bdnf_protein") == ("bdnf_protein", "all")
    assert REGIONS == ("all", "DG", "CA3", "CA1")
    for wrong in ("bdnf", "bdnf_protein.CA2"):
        with pytest.raises(ValueError, match="unknown read-out"):
            split_metric(wrong)


def test_a_slice_is_read_without_blood() -> None:
    plan = {"preparation": "culture", "observe": {"metric": "plasma_bhb"}, "schedules": {"a": {}}}
    with pytest.raises(Exception, match="a culture has no blood"):
        build_experiment(plan)
    with pytest.raises(Exception, match="a slice explores nothing"):
        build_experiment({**plan, "preparation": "slice", "observe": {"metric": "object_location_preference"}})


def test_a_timeline_is_read_without_the_schema() -> None:
    code = "import sys, abm.schedule; assert not {'pint', 'pydantic', 'yaml.constructor_'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
