"""The frame of an HTML page that needs no other file: style sheet, sections and tables."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 72rem; margin: 0 auto; padding: 1rem 1.5rem 4rem; }
h1 { font-size: 1.6rem; margin-bottom: 0; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .5rem; border-bottom: 1px solid #ddd; }
h3 { font-size: 1rem; margin: 1.4rem 0 .3rem; }
.lead, .note, figcaption { color: #555; }
.failed { color: #a40000; }
.wide, pre { overflow-x: auto; }
.wide { margin-bottom: 1rem; }
table { border-collapse: collapse; font-size: .85rem; }
th, td { text-align: left; padding: .2rem .9rem .2rem 0; border-bottom: 1px solid #eee; vertical-align: top; }
th { border-bottom-color: #999; }
.n { text-align: right; font-variant-numeric: tabular-nums; }
.group td { font-weight: 600; padding-top: .7rem; }
figure { margin: 1.2rem 0 2rem; }
img { max-width: 100%; height: auto; }
pre { font-size: .8rem; background: #f7f7f7; padding: .8rem; }
summary { cursor: pointer; font-weight: 600; }
"""


def page(title: str, lead: str, sections: Mapping[str, str]) -> str:
    """A whole page; title is text, lead and the sections (by heading) are HTML."""
    name = html.escape(title)
    body = "".join(f"<section><h2>{heading}</h2>{content}</section>" for heading, content in sections.items())
    viewport = '<meta name="viewport" content="width=device-width">'
    head = f'<head><meta charset="utf-8">{viewport}<title>{name}</title><style>{STYLE}</style></head>'
    return f'<!doctype html><html lang="en">{head}<body><h1>{name}</h1>{lead}{body}</body></html>\n'


def details(heading: str, content: str) -> str:
    """HTML that is folded away under a heading, which is text."""
    return f"<details><summary>{html.escape(heading)}</summary>{content}</details>"


def image(path: Path, name: str, caption: str) -> str:
    """A PNG file as part of the page, with its name for those who cannot see it and its caption, both text."""
    content = base64.b64encode(path.read_bytes()).decode()
    shown = f'<img alt="{html.escape(name)}" src="data:image/png;base64,{content}">'
    return f"<figure>{shown}<figcaption>{html.escape(caption)}</figcaption></figure>"


def note(text: str) -> str:
    """A paragraph of explanation."""
    return f'<p class="note">{html.escape(text)}</p>'


def table(head: Sequence[str], rows: Iterable[Sequence[str]], numeric: Iterable[int] = ()) -> str:
    """An HTML table of escaped cells; a row of one cell is a heading over the rows below it."""
    right = set(numeric)

    def cells(tag: str, row: Sequence[str]) -> str:
        marks = (' class="n"' if i in right else "" for i in range(len(row)))
        return "".join(f"<{tag}{mark}>{html.escape(cell)}</{tag}>" for mark, cell in zip(marks, row, strict=True))

    def line(row: Sequence[str]) -> str:
        if len(row) > 1:
            return f"<tr>{cells('td', row)}</tr>"
        return f'<tr class="group"><td colspan="{len(head)}">{html.escape(row[0])}</td></tr>'

    body = "".join(map(line, rows))
    return f'<div class="wide"><table><thead><tr>{cells("th", head)}</tr></thead><tbody>{body}</tbody></table></div>'
