"""Parameter files: strict records, units, species, overrides; and the honesty of every file there is."""

import math
import re
from pathlib import Path
from typing import Annotated, NamedTuple

import pytest

from abm import parameters
from abm.errors import Fault, ParameterError
from abm.parameters import (
    CONFIG_DIRECTORY,
    ParameterRecord,
    Unit,
    check_override,
    flatten_overrides,
    load_parameters,
    parameter_parts,
    parameter_records,
)

RECORD = "{value: 20 min, range: [15 min, 0.5 h], grade: measured, source: [author2005], species: human}"


class Clearance(NamedTuple):
    """A part for these tests."""

    half_life: Annotated[float, Unit("h")]
    share: Annotated[float, Unit("1")]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # type: ignore[no-untyped-def]
    """Writes the parameter file of the part `clearance`."""
    monkeypatch.setattr(parameters, "CONFIG_DIRECTORY", tmp_path)
    (tmp_path / "parameters").mkdir()

    def write_file(text: str) -> None:
        (tmp_path / "parameters" / "clearance.yaml").write_text(text)

    return write_file


SHARE = "\nshare: {value: 0.3, range: [0, 1], grade: assumed, source: [], note: recalled}\n"


def test_values_come_in_the_unit_of_the_field(write) -> None:  # type: ignore[no-untyped-def]
    write(f"half_life: {RECORD}{SHARE}")
    assert load_parameters(Clearance, "clearance") == (1 / 3, 0.3)


def test_species_differ(write) -> None:  # type: ignore[no-untyped-def]
    mouse = RECORD.replace("20 min", "8 min").replace("15 min", "5 min")
    write(f"half_life: {{human: {RECORD}, mouse: {mouse}}}{SHARE}")
    assert load_parameters(Clearance, "clearance", "mouse").half_life == pytest.approx(8 / 60)
    assert set(parameter_records("clearance")) == {"half_life.human", "half_life.mouse", "share"}
    assert set(parameter_records("clearance", "mouse")) == {"half_life", "share"}


def test_a_record_tells_everything(write) -> None:  # type: ignore[no-untyped-def]
    write(f"half_life: {RECORD}{SHARE}")
    record = parameter_records("clearance")["half_life"]
    assert record[:9] == ("half_life", "20 min", 20.0, 15.0, 30.0, "min", "measured", ("author2005",), "human")
    assert record.text(18.5) == "18.5 min"
    assert parameter_records("clearance")["share"].text(0.4) == 0.4


def test_overrides(write) -> None:  # type: ignore[no-untyped-def]
    write(f"half_life: {RECORD}{SHARE}")
    nested = {"clearance": {"half_life": "1 h"}, "other.half_life": "9 h"}
    assert load_parameters(Clearance, "clearance", overrides=nested) == (1.0, 0.3)
    assert flatten_overrides(nested) == {"clearance.half_life": "1 h", "other.half_life": "9 h"}
    with pytest.raises(ParameterError, match="did you mean 'half_life'"):
        load_parameters(Clearance, "clearance", overrides={"clearance.half_live": "1 h"})
    with pytest.raises(ParameterError, match="a time"):
        load_parameters(Clearance, "clearance", overrides={"clearance.half_life": "1 um"})


def test_a_changed_file_is_read_again(write, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    import os

    write(f"half_life: {RECORD}{SHARE}")
    load_parameters(Clearance, "clearance")
    write(f"half_life: {RECORD.replace('20 min', '24 min')}{SHARE}")
    os.utime(tmp_path / "parameters" / "clearance.yaml", ns=(1, 1))
    assert load_parameters(Clearance, "clearance").half_life == 0.4


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (SHARE, "half_life: no record for Clearance"),
        (f"half_life: {RECORD}\nhalf_live: {RECORD}{SHARE}", "clearance.yaml:2: half_live: no field of Clearance"),
        (f"half_life: {RECORD.replace('grade', 'grad')}{SHARE}", "unknown field.*did you mean 'grade'"),
        (f"half_life: {RECORD.replace('measured', 'seen')}{SHARE}", "unknown grade 'seen'"),
        (f"half_life: {RECORD.replace('20 min', '50 min')}{SHARE}", "outside the range"),
        (f"half_life: {RECORD.replace('20 min', '20')}{SHARE}", "the unit of the value"),
        (f"half_life: {RECORD.replace('20 min', '20 mim')}{SHARE}", "not a unit"),
        (f"half_life: {RECORD.replace('[author2005]', '[]')}{SHARE}", "a measured number needs a source"),
        (f"half_life: {RECORD.replace('[author2005]', 'author2005')}{SHARE}", "not a list of source keys"),
        (f"half_life: {RECORD.replace('[author2005]', '[2005]')}{SHARE}", "not a list of source keys"),
        (f"half_life: {RECORD.replace('[15 min, 0.5 h]', '15 min')}{SHARE}", "not a range"),
        (f"half_life: {RECORD.replace('grade: measured, ', '')}{SHARE}", "'grade' is missing"),
        (f"half_life: {{human: {RECORD}}}{SHARE}", "human and mouse"),
        (f"half_life: 20 min{SHARE}", "not a record"),
        (f"half_life: {RECORD.replace(' min', ' um').replace('0.5 h', '30 um')}{SHARE}", "a time"),
        (f"half_life: {RECORD}{SHARE.replace('0.3', '0.3 h').replace('[0, 1]', '[0 h, 1 h]')}", "a plain number"),
        ("- a", "not a mapping"),
    ],
)
def test_what_a_file_may_not_say(write, text: str, says: str) -> None:  # type: ignore[no-untyped-def]
    write(text)
    with pytest.raises(ParameterError, match=says):
        load_parameters(Clearance, "clearance")


def test_unknown_part_names_the_nearest() -> None:
    with pytest.raises(ParameterError, match="did you mean 'schedule'"):
        parameter_records("schedul")


def test_every_field_needs_a_unit() -> None:
    class Bare(NamedTuple):
        x: float

    with pytest.raises(TypeError, match=r"Bare\.x must be Annotated"):
        load_parameters(Bare, "schedule")


def test_overrides_are_checked_by_dimension() -> None:
    check_override("schedule.vo2_rest", "3 mL/kg/min", "human")
    check_override("meals.breakfast_share", 0.2, "human")
    check_override("expression.bhb_gain", 0, "human")
    for key, value in {
        "schedule.vo2_rest": 3,
        "meals.breakfast_share": "3 h",
        "meals.brakfast": "7 h",
        "mals.x": 1,
        "expression.activity_gain": math.nan,
        "expression.creb_time": "-1 h",
        "expression.bhb_half": "0 mmol/L",
    }.items():
        with pytest.raises(Fault):
            check_override(key, value, "human")


RECORDS = [(part, name, record) for part in parameter_parts() for name, record in parameter_records(part).items()]
each_record = pytest.mark.parametrize(
    ("part", "name", "record"), RECORDS, ids=[f"{part}.{name}" for part, name, _ in RECORDS]
)


def test_what_equations_divide_by_says_so() -> None:
    """By their names: half saturations x/(x + K), half-lives ln 2/t and volumes amount/V."""
    for part, name, record in RECORDS:
        if name.partition(".")[0].endswith(("_half", "_half_life", "_volume")):
            assert record.divisor, f"{part}.{name}"


@each_record
def test_every_number_is_honest(part: str, name: str, record: ParameterRecord) -> None:
    """Sources stand in the bibliography; what was seen or worked out has one; what was recalled is called assumed."""
    bibliography = (CONFIG_DIRECTORY / "references.bib").read_text(encoding="utf-8")
    known = set(re.findall(r"^@\w+\{([^,\s]+),", bibliography, re.MULTILINE))
    assert set(record.source) <= known
    assert record.source or record.grade in {"assumed", "fitted"}
    if record.note.startswith("recalled"):
        assert record.grade == "assumed"
    assert record.low <= record.number <= record.high
    assert record.species is None or record.species in {"human", "mouse", "rat"}
