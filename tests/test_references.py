"""The bibliography: well formed, complete enough to find each source, and covering every key that is cited."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

CONFIGS = Path(__file__).parents[1] / "configs"
ENTRY = re.compile(r"@(?P<kind>[a-z]+)\{(?P<key>[^,\s]+),\n(?P<fields>.*?)\n\}\n", re.DOTALL)
FIELD = re.compile(r"  (?P<name>[a-z]+) = \{(?P<value>.*)\},?")
KEY = re.compile(r"[a-z]+[0-9]{4}[a-z]?|pmc[0-9]+|pmid[0-9]+")
UNDATED_KEY = re.compile(r"[a-z]+")


class Entry(NamedTuple):
    kind: str
    key: str
    fields: dict[str, str]


def parse(text: str) -> list[Entry]:
    """Entries of a BibTeX text laid out as in references.bib: one field a line, values in braces."""
    return [
        Entry(found["kind"], found["key"], {field["name"]: field["value"] for field in FIELD.finditer(found["fields"])})
        for found in ENTRY.finditer(text)
    ]


TEXT = (CONFIGS / "references.bib").read_text(encoding="utf-8")
ENTRIES = parse(TEXT)


def test_nothing_but_entries_and_comments() -> None:
    rest = ENTRY.sub("", TEXT)
    assert [line for line in rest.splitlines() if line and not line.startswith("%")] == []
    for found in ENTRY.finditer(TEXT):
        lines = found["fields"].splitlines()
        assert [line for line in lines if not FIELD.fullmatch(line)] == []
        assert [line.endswith(",") for line in lines] == [True] * (len(lines) - 1) + [False]


def test_keys_are_unique_and_sorted() -> None:
    keys = [entry.key for entry in ENTRIES]
    assert [key for key, count in Counter(keys).items() if count > 1] == []
    assert keys == sorted(keys)


@pytest.mark.parametrize("name", ["doi", "pmid", "pmcid"])
def test_no_paper_stands_twice(name: str) -> None:
    found = Counter(entry.fields[name].lower() for entry in ENTRIES if name in entry.fields)
    assert [identifier for identifier, count in found.items() if count > 1] == []


def test_every_entry_is_cited() -> None:
    """In a parameter file, a row, a docstring or a test."""
    root = CONFIGS.parent
    files = [*root.glob("configs/**/*.yaml"), *root.glob("configs/**/*.csv"), *root.glob("configs/**/*.md")]
    files += [*root.glob("abm/**/*.py"), *root.glob("tests/**/*.py"), *root.glob("*.md")]
    words = set(re.findall(r"\w+", "\n".join(file.read_text(encoding="utf-8") for file in files)))
    assert [entry.key for entry in ENTRIES if entry.key not in words] == []


def test_text_is_readable_as_it_stands() -> None:
    """Names are written in Unicode, without LaTeX accents or formulas."""
    assert set(re.findall(r"\\.|\$", TEXT)) <= {"\\%"}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_entry(entry: Entry) -> None:
    fields = entry.fields
    assert entry.kind in {"article", "misc"}
    assert fields.get("author") or fields.get("organization")
    if fields["year"] == "n.d.":
        assert UNDATED_KEY.fullmatch(entry.key)
        assert fields["url"]
    else:
        assert KEY.fullmatch(entry.key)
        assert re.fullmatch(r"(18|19|20)[0-9]{2}", fields["year"])
    assert any(fields.get(name) for name in ("journal", "doi", "url", "pmid", "pmcid", "note"))
    assert all(value.strip() == value and value.count("{") == value.count("}") for value in fields.values())
    assert fields.get("title") or "title not recorded" in fields.get("note", "")
    assert entry.kind == "misc" or fields.get("journal")
    if named_year := re.search(r"[a-z]([0-9]{4})[a-z]?$", entry.key):
        assert entry.key.startswith("pm") or named_year[1] == fields["year"]
    for name, form in (("doi", r"10\.[0-9]{4,}/\S+"), ("pmid", "[0-9]+"), ("pmcid", "PMC[0-9]+"), ("url", r"https?://\S+")):
        assert name not in fields or re.fullmatch(form, fields[name])


def cited(node: Any) -> Iterator[str]:
    """Every source key below a node of a parsed YAML file."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "source":
                yield from [value] if isinstance(value, str) else value or []
            else:
                yield from cited(value)
    elif isinstance(node, list):
        for value in node:
            yield from cited(value)


@pytest.mark.parametrize(
    "path",
    sorted([*CONFIGS.glob("parameters/**/*.yaml"), *CONFIGS.glob("evidence/**/*.yaml")]),
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_cited_keys_are_in_the_bibliography(path: Path) -> None:
    known = {entry.key for entry in ENTRIES}
    assert sorted(set(cited(yaml.safe_load(path.read_text(encoding="utf-8")))) - known) == []
