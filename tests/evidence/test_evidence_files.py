"""The shipped library of published experiments: it says what was published, can be run, and keeps the roles apart."""

import csv
import math
from collections import Counter
from pathlib import Path
from string import ascii_lowercase

import pytest
from scipy.stats import t as student

from abm.config import Evidence, EvidenceObservation, evidence_library, load_evidence
from abm.config.evidence import LIBRARY, source_keys
from abm.parameters import parameter_parts, parameter_records
from abm.study.plan import plan_experiment

COLUMNS = ["row", "source", "role", "kind", "statement", "number", "low", "high", "n", "p", "grade", "where"]
GRADES = {"seen", "derived", "recalled", "assumed"}
# Rows of cells and tissue (V), people (E) and rodents (R) that may be fitted; all others are held back.
FITTED = {
    "V01", "V03", "V06", "V09", "V13a", "V13b", "V14", "V16", "V17", "V18", "V19", "V20", "V21", "V32",
    "E01", "E02", "E03", "E06", "E07", "E08", "E09", "E10", "E30", "E31", "E32", "E36",
    "R01", "R02", "R03", "R16", "R19", "Y1a", "Y1b", "Y1c",
}  # fmt: skip

Row = dict[str, str]
FILES = {path.stem: path for path in evidence_library()}
LOADED = [load_evidence(path) for path in FILES.values()]


def published(path: Path = LIBRARY / "published.csv") -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def number(text: str) -> float | None:
    return float(text) if text else None


def counts(text: str) -> tuple[int, int] | None:
    each = [int(count) for count in text.removesuffix(" pairs").split("/")] if text else []
    return (each[0], each[-1]) if each else None


def written(seen: EvidenceObservation) -> dict[str, object]:
    """What an observation says that its line must say too."""
    given = (seen.interval or seen.within) and seen.limits
    low, high = given or (None, None)
    number = {"number": seen.number, "low": low, "high": high}
    return {"kind": seen.kind, "n": seen.sizes, "paired": seen.paired, "p": seen.p, **number}


def stated(row: Row) -> dict[str, object]:
    read = {key: number(row[key]) for key in ("number", "low", "high", "p")}
    return {"kind": row["kind"], "n": counts(row["n"]), "paired": row["n"].endswith(" pairs"), **read}


def disagreements(library: list[Evidence], rows: list[Row]) -> list[str]:
    """Where the files and the table of published results say different things; both ways."""
    by_id, used, found = {row["row"]: row for row in rows}, Counter[str](), []
    for evidence in library:
        for seen in evidence.observations:
            used[seen.row or ""] += 1
            row = by_id.get(seen.row or "")
            if row is None:
                found.append(f"{evidence.id}: no row {seen.row}")
                continue
            here = {"source": evidence.source, "role": evidence.role, **written(seen)}
            there = {"source": row["source"], "role": row["role"], **stated(row)}
            found += [f"{seen.row}: {key} {here[key]} is {there[key]}" for key in here if here[key] != there[key]]
    found += [f"{row}: used {count} times" for row, count in used.items() if count > 1]
    return found + [f"{row}: in no file" for row in by_id if row not in used]


ROWS = published()
OBSERVATIONS = [seen for evidence in LOADED for seen in evidence.observations]


def test_files_and_table_agree() -> None:
    assert disagreements(LOADED, ROWS) == []


def altered(row: str, key: str, value: str) -> list[Row]:
    assert any(line["row"] == row and line[key] != value for line in ROWS)
    return [{**line, key: value} if line["row"] == row else line for line in ROWS]


@pytest.mark.parametrize(
    ("row", "key", "value"),
    [
        ("V18", "number", "1.87"),
        ("V18", "low", "1.5"),
        ("V18", "high", ""),
        ("V06b", "low", "0.8"),
        ("V06b", "n", "9"),
        ("R01", "n", "5/6"),
        ("R02a", "p", "0.05"),
        ("R02a", "kind", "down"),
        ("R02a", "role", "validation"),
        ("V14a", "source", "chen2019"),
        ("V14a", "row", "V14z"),
    ],
)
def test_a_changed_table_is_noticed(row: str, key: str, value: str) -> None:
    assert disagreements(LOADED, altered(row, key, value))


def test_a_lost_or_added_line_is_noticed() -> None:
    assert disagreements(LOADED, ROWS[1:]) == [f"{_file_of(ROWS[0]['row'])}: no row {ROWS[0]['row']}"]
    assert disagreements(LOADED, [*ROWS, {**ROWS[0], "row": "V99"}]) == ["V99: in no file"]


def _file_of(row: str) -> str:
    return next(evidence.id for evidence in LOADED for seen in evidence.observations if seen.row == row)


def test_the_table_is_well_formed() -> None:
    assert list(ROWS[0]) == COLUMNS
    assert [row for row, count in Counter(line["row"] for line in ROWS).items() if count > 1] == []
    assert {line["grade"] for line in ROWS} <= GRADES
    assert [line["row"] for line in ROWS if not (line["statement"] and line["where"])] == []
    assert {line["source"] for line in ROWS} <= source_keys()
    # An assumed interval is called assumed, and only what was worked out or taken on trust may be anything but seen.
    assert [line["row"] for line in ROWS if "assumed" in line["statement"] and line["grade"] != "assumed"] == []


def test_there_is_enough_of_each_kind() -> None:
    assert len(OBSERVATIONS) >= 55
    kinds = Counter(seen.kind for seen in OBSERVATIONS)
    assert min(kinds[kind] for kind in ("ratio", "value", "up", "down", "none")) >= 5
    assert {evidence.role for evidence in LOADED} == {"calibration", "validation"}


def test_roles_follow_the_split() -> None:
    """The kinetics of blood calibrate the body; whatever is new is held back until it is named above."""
    rows = [line["row"] for line in ROWS]
    fitted = {row for row in rows if FITTED & {row, row.rstrip(ascii_lowercase)} or row.startswith("body_")}
    assert {line["row"] for line in ROWS if line["role"] == "calibration"} == fitted


def test_what_papers_that_are_held_back_gave_to_the_model_is_listed() -> None:
    """A number of the model whose source is scored as a prediction too is in the table of the library's README."""
    held = {evidence.source for evidence in LOADED if evidence.role == "validation"}
    numbers = [record for part in parameter_parts() for record in parameter_records(part).items()]
    section = (LIBRARY / "README.md").read_text(encoding="utf-8").partition("papers that are held back gave")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("| ")][2:]
    listed = [tuple(cell.strip() for cell in line.split("|")[1:3]) for line in lines]
    cited = {(f"{Path(r.file).stem}.{name}", source) for name, r in numbers for source in held & set(r.source)}
    assert sorted(listed) == sorted(cited)


@pytest.mark.parametrize("evidence", LOADED, ids=FILES)
def test_file(evidence: Evidence) -> None:
    """Named as its file is, from a known source, and it can be run."""
    assert FILES[evidence.id].stem == evidence.id
    assert evidence.source in source_keys()
    plan = plan_experiment(evidence.experiment)
    read = {(reading.metric, reading.region, reading.step) for reading in plan.readings}
    for seen in evidence.observations:
        metric, _, region = seen.metric.partition(".")
        assert (metric, region or "all", round(seen.at / plan.step)) in read


TABLE = {row["row"]: row for row in published()}


def has_interval_of_training(row: Row) -> bool:
    """Whether a row, or the one it is told "as", says that its interval is that of body_T1a."""
    told = row["statement"]
    if "interval as of body_T1a" in told or "sqrt(0.08^2/n + 0.025^2)" in told:
        return True
    other = row["where"].removeprefix("as ")
    return "interval" not in told and other in TABLE and other != row["row"] and has_interval_of_training(TABLE[other])


TRAINED = [row for row in TABLE.values() if row["kind"] == "ratio" and row["n"] and has_interval_of_training(row)]


@pytest.mark.parametrize("row", TRAINED, ids=lambda row: row["row"])
def test_a_gain_of_vo2max_has_the_interval_it_names(row: Row) -> None:
    """A group before and after training: r +- t(n - 1) sqrt(0.08^2 / n + 0.025^2)."""
    n, ratio = int(row["n"].split()[0]), float(row["number"])
    half = student.ppf(0.975, n - 1) * math.sqrt(0.08**2 / n + 0.025**2)
    assert (float(row["low"]), float(row["high"])) == pytest.approx((ratio - half, ratio + half), abs=0.0011)


@pytest.mark.parametrize("seen", OBSERVATIONS, ids=lambda seen: seen.row)
def test_no_effect_is_what_a_t_test_cannot_tell(seen: EvidenceObservation) -> None:
    """Where n was published, no change means within exp(+-t s sqrt(1/n1 + 1/n2)), of pairs exp(+-t s sqrt(1/n))."""
    if seen.kind == "none" and seen.sizes is not None:
        first, second = seen.sizes
        freedom, parts = (first - 1, 1 / first) if seen.paired else (first + second - 2, 1 / first + 1 / second)
        half = student.ppf(0.975, freedom) * math.sqrt(math.log(1 + seen.cv**2) * parts)
        assert seen.limits == pytest.approx((math.exp(-half), math.exp(half)), abs=0.0051)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("R02c", "V27b"),  # promoter IV after three to four weeks in the wheel
        ("V42c", "V42a"),  # potentiation in DG of running males and females
        ("V40a", "V42a"),  # potentiation in DG after two weeks of running
        ("E24a", "E23"),  # BDNF of blood under infused lactate
        ("S30", "R13a"),  # FNDC5 after a month in the wheel
    ],
)
def test_papers_that_disagree_both_stand(one: str, other: str) -> None:
    kinds = {seen.row: (seen.metric, seen.kind) for seen in OBSERVATIONS}
    assert kinds[one][0] == kinds[other][0]
    assert kinds[one][1] in ("none", "down")
    assert kinds[other][1] == "up"
