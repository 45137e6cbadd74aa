"""The style sheet of the pages."""

from __future__ import annotations

from pathlib import Path

LOOK = (Path(__file__).parent / "look.css").read_text(encoding="utf-8")
