"""How the benchmarks measure: a process of its own for every peer, turns in rotation, medians, growth exponents.

Each peer is set up once, in a process that then waits. The peers take turns, one run at a time, so that whatever else
the machine does falls on all of them alike; of the runs of each the median counts.
"""

from __future__ import annotations

import importlib.util
import json
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent
ROOT = FOLDER.parent
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
Result = dict[str, Any]


def installed(module: str) -> bool:
    """Whether a library can be imported here."""
    return importlib.util.find_spec(module) is not None


@dataclass
class Measurement:
    """What one peer gave on one case.

    runs: one result for each turn; `seconds` of them took `steps` of the workload's `total` steps. setup: seconds from
    the start of the process until it could run. failure: why there is nothing, or nothing more.
    """

    peer: str
    case: Result
    runs: list[Result] = field(default_factory=list)
    setup: float = 0.0
    failure: str = ""

    def median(self, name: str) -> float:
        """Median of one number over the runs; not a number without runs."""
        values = [run[name] for run in self.runs if name in run]
        return statistics.median(values) if values else float("nan")

    @property
    def seconds(self) -> float:
        """Median time of the whole workload; where a run took part of its steps, in proportion."""
        return statistics.median(whole(run) for run in self.runs) if self.runs else float("nan")

    @property
    def steps(self) -> tuple[int, int]:
        """Steps measured in a run, and steps of the workload."""
        return (self.runs[-1]["steps"], self.runs[-1]["total"]) if self.runs else (0, 0)


def whole(run: Result) -> float:
    """Seconds of the whole workload at the pace of the steps that a run took."""
    return float(run["seconds"] * run["total"] / run["steps"])


class Worker:
    """A peer in a process of its own, set up for one case; see benchmarks/worker.py for the other end."""

    def __init__(self, peer: str, case: Result, environment: dict[str, str], limit: float) -> None:
        self.measurement = Measurement(peer, case)
        self.limit = limit
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115  (it lives as long as the process)
        threads = {name: str(CORES) for name in ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
        command = [sys.executable, str(FOLDER / "worker.py"), peer, json.dumps(case)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, cwd=ROOT,
            env={**os.environ, **threads, **environment},
        )  # fmt: skip
        self.waiting = b""
        ready = self._answer()
        if ready is not None:
            self.measurement.setup = ready["setup"]

    def run(self) -> None:
        """One turn; nothing if the peer has failed."""
        if self.measurement.failure:
            return
        assert self.process.stdin is not None
        self.process.stdin.write(b"run\n")
        self.process.stdin.flush()
        result = self._answer()
        if result is not None:
            self.measurement.runs.append(result)

    def stop(self) -> Measurement:
        """End the process; returns what it gave."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        self.log.close()
        return self.measurement

    def _answer(self) -> Result | None:
        """The next line of the process, or None once it has ended or taken longer than its limit."""
        assert self.process.stdout is not None
        end = time.monotonic() + self.limit
        while b"\n" not in self.waiting:
            ready, _, _ = select.select([self.process.stdout], [], [], max(end - time.monotonic(), 0.0))
            if not ready:
                return self._fail(f"not done within {self.limit:g} s")
            part = os.read(self.process.stdout.fileno(), 1 << 16)
            if not part:
                return self._fail(self._last_words())
            self.waiting += part
        line, self.waiting = self.waiting.split(b"\n", 1)
        answer: Result = json.loads(line)
        return answer

    def _last_words(self) -> str:
        self.process.wait()
        self.log.seek(0)
        lines = [line.strip() for line in self.log.read().splitlines() if line.strip()]
        return lines[-1] if lines else f"ended with code {self.process.returncode}"

    def _fail(self, reason: str) -> None:
        self.measurement.failure = reason
        if self.process.poll() is None:
            self.process.kill()


def interleave(workers: Sequence[Worker], repeats: int) -> list[Measurement]:
    """Let the workers take turns, `repeats` each, then end them."""
    for _ in range(repeats):
        for worker in workers:
            worker.run()
    return [worker.stop() for worker in workers]


def exponent(sizes: Iterable[float], seconds: Iterable[float]) -> float:
    """Growth exponent a of seconds ~ size^a: the slope of a straight line through the logarithms."""
    x, y = np.log(list(sizes)), np.log(list(seconds))
    x, y = x - x.mean(), y - y.mean()
    return float(x @ y / (x @ x))


def peak_memory() -> float:
    """Largest resident memory that this process, or any one that it started and that has ended, ever had; MB."""
    import resource

    ended = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024.0
    try:  # what getrusage says of this process includes the one that started it
        lines = Path("/proc/self/status").read_text().splitlines()
        own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024.0
    except OSError:
        own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    return max(own, ended)
