"""W3 by this project: the user's command, from its start to the last file written, on all cores."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import CORES, ROOT
from benchmarks.start import small


def command(out: str, *arguments: str) -> list[str]:
    """`run.py experiment` on all cores, on the default experiment unless the arguments name another."""
    options = ["--workers", str(CORES), "--out", out, "--overwrite", "--quiet"]
    return [sys.executable, str(ROOT / "run.py"), "experiment", *arguments, *options]


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Compile, by a small experiment. changes: for --set; steps: how many the study then has."""
    changes = [part for change in case["changes"] for part in ("--set", change)]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(command(folder + "/out", small(folder)), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

    def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(command(folder, *changes), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            return {"seconds": time.perf_counter() - start, "steps": case["steps"], "total": case["steps"]}

    return run
