"""A server of the small experiment, and a Chromium that looks at it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
NEEDED = ("playwright", "solara", "uvicorn", "solara_assets")
MISSING = [name for name in NEEDED if find_spec(name) is None] + ([] if CHROMIUM else ["chromium"])
REASON = f"the page is not driven without {', '.join(MISSING)}"


@contextmanager
def serving(source: Path, log: Path, *overrides: str) -> Iterator[tuple[str, int]]:
    """`run.py serve SOURCE` on a free port; gives its address and the number of its process."""
    command = [sys.executable, str(ROOT / "run.py"), "serve", str(source), "--port", "0", "--no-browser"]
    command += [part for override in overrides for part in ("--set", override)]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with log.open("w") as stream:
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=stream, text=True, env=environment)
        try:
            assert server.stdout is not None
            told = server.stdout.readline()
            found = re.search(r"http://\S+", told)
            assert found, f"the server said {told!r}; {log.read_text()}"
            yield found.group(), server.pid
        finally:
            server.terminate()
            server.wait(20)
            if server.stdout:
                server.stdout.close()


@dataclass
class Tab:
    """A page of the browser, and what it asked for."""

    page: Any
    address: str
    requests: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.set_default_timeout(60000)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("requestfailed", lambda request: self.failures.append(request.url))
        self.page.on("response", lambda r: self.failures.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        self.page.on("pageerror", lambda error: self.failures.append(str(error)))

    def open(self) -> Tab:
        """Load the page and wait for the first picture."""
        self.page.goto(self.address)
        self.page.locator(".tissue").first.wait_for()
        return self

    @property
    def external(self) -> list[str]:
        """Requests that went anywhere but to the server."""
        inside = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        return [url for url in self.requests if not url.startswith(inside)]

    def press(self, name: str) -> None:
        """Click a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def choose(self, menu: str, option: str) -> None:
        """Take an option of a menu."""
        label = self.page.locator("label", has_text=re.compile(f"^{re.escape(menu)}$"))
        self.page.locator(".v-select", has=label).click()
        exactly = re.compile(f"^{re.escape(option)}$")
        self.page.locator(".menuable__content__active .v-list-item", has_text=exactly).click()
        self.page.locator(".menuable__content__active").wait_for(state="hidden")

    def write(self, name: str, text: str) -> None:
        """Fill a text field."""
        self.page.get_by_label(name, exact=True).fill(text)
        self.page.get_by_label(name, exact=True).press("Enter")

    @property
    def clock(self) -> str:
        """What the clock shows."""
        return str(self.page.locator(".clock").inner_text())

    def wait_for_clock(self, text: str) -> None:
        """Wait until the clock shows this."""
        self.page.locator(".clock", has_text=text).wait_for()

    def wait_for_change(self, before: str) -> None:
        """Wait until the clock shows something else."""
        self.page.wait_for_function("was => document.querySelector('.clock').innerText !== was", arg=before)

    def numbers(self) -> dict[str, list[str]]:
        """The table of read-outs: whole numbers by metric, one for each column."""
        return dict(
            self.page.evaluate(
                "() => Object.fromEntries([...document.querySelectorAll('.readouts tr[data-metric]')]"
                ".map(row => [row.dataset.metric, [...row.querySelectorAll('td.n')].map(cell => cell.title)]))"
            )
        )
