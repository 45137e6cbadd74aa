"""A tab that is closed leaves no model behind."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from browser import CHROMIUM, MISSING, REASON, ROOT
from small import PLAN

pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(MISSING), reason=REASON)]

# The server, and for each line that it is sent the number of models in its memory.
SERVER = """
import gc, sys, threading
from abm.cli import main
from abm.model import HippocampusModel

def count():
    for _ in sys.stdin:
        gc.collect()
        print(sum(type(found) is HippocampusModel for found in gc.get_objects()), flush=True)

threading.Thread(target=count, daemon=True).start()
main(["serve", sys.argv[1], "--port", "0", "--no-browser"])
"""


def models(server: subprocess.Popen[str]) -> int:
    """Models in the server's memory."""
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write("?\n")
    server.stdin.flush()
    return int(server.stdout.readline())


def wait_for(server: subprocess.Popen[str], number: int, seconds: float = 120.0) -> int:
    """The number of models once it is the one waited for, or after some time."""
    end = time.monotonic() + seconds
    while (found := models(server)) != number and time.monotonic() < end:
        time.sleep(0.3)
    return found


def test_closing_a_tab_frees_its_models(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    path = tmp_path / "small.yaml"
    path.write_text(yaml.safe_dump(PLAN, sort_keys=False), encoding="utf-8")
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(path)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    assert server.stdout is not None
    assert server.stdin is not None
    try:
        address = next(word for word in server.stdout.readline().split() if word.startswith("http"))
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            tabs = [browser.new_context() for _ in range(2)]
            for tab in tabs:
                page = tab.new_page()
                page.goto(address)
                page.locator(".tissue").first.wait_for()
            assert wait_for(server, 2) == 2
            tabs[0].close()
            assert wait_for(server, 1) == 1
            tabs[1].close()
            assert wait_for(server, 0) == 0
            browser.close()
    finally:
        server.terminate()
        server.communicate(timeout=120)
