"""The sources of the numbers, read from configs/references.bib, as lines of a reference list."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from abm.parameters import CONFIG_DIRECTORY

ENTRY = re.compile(r"@[a-z]+\{(?P<key>[^,\s]+),\n(?P<fields>.*?)\n\}\n", re.DOTALL)
NAMED = 3  # authors that a line names
FIELD = re.compile(r"  (?P<name>[a-z]+) = \{(?P<value>.*)\},?")
LINKS = {
    "doi": "https://doi.org/{}",
    "pmid": "https://pubmed.ncbi.nlm.nih.gov/{}/",
    "pmcid": "https://pmc.ncbi.nlm.nih.gov/articles/{}/",
    "url": "{}",
}


def read_bibliography(path: Path = CONFIG_DIRECTORY / "references.bib") -> dict[str, dict[str, str]]:
    """Fields of every entry by its key; one field a line, values in braces."""
    text = path.read_text(encoding="utf-8")
    return {
        entry["key"]: {field["name"]: field["value"] for field in FIELD.finditer(entry["fields"])}
        for entry in ENTRY.finditer(text)
    }


def reference_lines(keys: Iterable[str]) -> list[tuple[str, str, str]]:
    """Key, reference as text, and link (or nothing), sorted by key."""
    known = read_bibliography()
    return [(key, _text(known[key]), _link(known[key])) for key in sorted(set(keys)) if key in known]


def _text(fields: dict[str, str]) -> str:
    authors = _authors(fields.get("author", fields.get("organization", "")))
    # Braces protect capitals and a backslash a percent sign from LaTeX.
    fields = {name: re.sub(r"[{}]|\\(?=%)", "", value).replace("--", "-") for name, value in fields.items()}
    where = " ".join(fields[name] for name in ("journal", "volume") if name in fields)
    where += f":{fields['pages']}" if "pages" in fields else ""
    parts = [f"{authors} ({fields.get('year', 'n.d.')})", fields.get("title", ""), where, fields.get("note", "")]
    return ". ".join(part for part in parts if part) + "."


def _authors(field: str) -> str:
    """Up to three authors by name, of more the first: "Rutherford, Nelson and Turrigiano", "Sleiman et al."."""
    if field.startswith("{"):  # an organisation
        return field.strip("{}")
    names = [name.split(",")[0] for name in field.split(" and ") if name != "others"]
    if len(names) > NAMED or " and others" in field:
        return f"{names[0]} et al."
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


def _link(fields: dict[str, str]) -> str:
    return next((form.format(fields[name]) for name, form in LINKS.items() if name in fields), "")
