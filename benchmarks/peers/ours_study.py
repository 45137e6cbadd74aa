"""W3 by this project: the user's command, from its start to the last file written, on all cores."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from benchmarks.measure import CORES, ROOT


def command(out: str, changes: list[str], workers: int = CORES) -> list[str]:
    """`run.py experiment` on the default experiment; changes: for --set."""
    settings = [part for change in changes for part in ("--set", change)]
    arguments = ["experiment", *settings, "--workers", str(workers), "--out", out, "--overwrite", "--quiet"]
    return [sys.executable, str(ROOT / "run.py"), *arguments]


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Nothing to set up; a first short run leaves the compiled code behind. changes: for --set; steps: of the study."""
    with tempfile.TemporaryDirectory() as folder:
        short = ["run.replicates=1", "run.burn_in=0 d", "tissue.neurons=100"]
        subprocess.run(command(folder, short), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)

    def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            subprocess.run(command(folder, case.get("changes", [])), check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
            return {"seconds": time.perf_counter() - start, "steps": case["measured"], "total": case["steps"]}

    return run
