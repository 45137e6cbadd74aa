"""The committed scoreboard of the whole library: it is whole, every miss is explained, and a part of it still holds.

The board is made by `python run.py validate --out results/validation --overwrite`; CONTRIBUTING says when and how.
"""

import math
from collections.abc import Iterator
from pathlib import Path

import pytest

from abm.study.scoreboard import (
    COMMITTED_BOARD,
    EVIDENCE_DIRECTORY,
    NUMBERS,
    SENTENCES,
    BoardRow,
    Scoreboard,
    miss_sentences,
    read_board,
)
from abm.study.trajectories import observation_text, share
from abm.study.validate import choose, validate

REFRESH = (
    "Run `python run.py validate --out results/validation --overwrite`, copy results/validation/scoreboard.csv to "
    "configs/evidence/scoreboard.csv, and say in a line RESULTS CHANGE of the commit message what moves and why."
)
# Rows from cultures, slices and short protocols: seconds to run, and most of the chain from blood to promoter.
FAST = (
    "sleiman2016_culture", "sleiman2016_hdac_block", "zheng2013_hdac_block", "chen2017_dexamethasone",
    "gibbons2023_fasting",
)  # fmt: skip
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def committed() -> Scoreboard:
    return read_board(COMMITTED_BOARD)


def name_of(row: BoardRow) -> tuple[str, str, str]:
    """An observation of the library; one paper may have seen an effect in males and none in females."""
    return row.id, row.observation, row.kind


def test_the_board_holds_every_observation_of_the_library_once(committed: Scoreboard) -> None:
    library = [(item.id, observation_text(seen), seen.kind) for item in choose() for seen in item.observations]
    assert len(library) == len(set(library)), "two observations of one file have the same name"
    assert [name_of(row) for row in committed.rows] == library, REFRESH


def test_the_board_says_what_the_files_say(committed: Scoreboard) -> None:
    for question, row in zip(share(choose()).questions, committed.rows, strict=True):
        published, item = question.published, question.evidence
        assert (row.source, row.role, row.kind) == (item.source, item.role, published.kind), REFRESH
        seen = (published.observed, published.low, published.high)
        assert (row.observed, row.observed_low, row.observed_high) == pytest.approx(seen, nan_ok=True), REFRESH


def test_no_run_of_the_board_failed(committed: Scoreboard) -> None:
    assert [row.id for row in committed.rows if math.isnan(row.predicted) and "a run failed" in row.note] == []


def test_every_miss_has_a_sentence_on_why(committed: Scoreboard) -> None:
    sentences = miss_sentences()
    missing: dict[str, list[str]] = {}
    for row in committed.misses:
        if not sentences.get((row.id, row.observation)):
            missing.setdefault(row.id, []).append(f'  "{row.observation}":  # {row.note}')
    lines = [line for name, found in missing.items() for line in (f"{name}:", *found)]
    where = SENTENCES.relative_to(EVIDENCE_DIRECTORY.parent.parent)
    assert not missing, "\n".join([f"write after each colon in {where} why it is missed:", *lines])


def test_every_sentence_is_about_a_miss(committed: Scoreboard) -> None:
    misses = {(row.id, row.observation) for row in committed.misses}
    assert sorted(miss_sentences().keys() - misses) == []


def differences(found: Scoreboard, committed: Scoreboard) -> Iterator[str]:
    """What moved, in words."""
    before = {name_of(row): row for row in committed.rows}
    for row in found.rows:
        old = before[name_of(row)]
        for name in NUMBERS:
            new_value, old_value = getattr(row, name), getattr(old, name)
            if new_value != pytest.approx(old_value, rel=TOLERANCE, abs=TOLERANCE, nan_ok=True):
                yield f"{row.id}, {row.observation}: {name} {old_value:.10g} -> {new_value:.10g}"
        if row.passed != old.passed:
            yield f"{row.id}, {row.observation}: {'passes now' if row.passed else 'is missed now'}"


@pytest.mark.slow
def test_a_part_of_the_library_still_gives_the_committed_numbers(committed: Scoreboard, tmp_path: Path) -> None:
    moved = list(differences(validate(choose(FAST), tmp_path, workers=2), committed))
    assert moved == [], "\n".join([*moved, REFRESH])


def test_a_number_that_moves_is_told(committed: Scoreboard) -> None:
    row = committed.rows[0]
    moved = Scoreboard((row._replace(predicted=row.predicted * (1.0 + 1e-6)),))
    assert len(list(differences(moved, committed))) == 1
    assert list(differences(Scoreboard((row,)), committed)) == []
