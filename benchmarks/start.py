"""How soon the first result is there, and whether every way of running gives the same bits."""

from __future__ import annotations

import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import CORES, ROOT
from benchmarks.table import Row

START, BITS = "Start", "Same bits"
SMALL = """
name: small
subject: {species: human}
tissue: {neurons: 300, size: [0.8 mm, 0.8 mm]}
schedules:
  sedentary: {}
  cycling: {sessions: {kind: cycling, intensity: 75 %VO2max, duration: 45 min, start: "07:30"}}
reference: sedentary
observe: [{metric: bdnf_protein, every: 1 h}, {metric: tissue_lactate, every: 1 h}, {metric: acetylation, every: 1 h}]
run: {duration: 1 d, burn_in: 1 d, replicates: 2, seed: 3}
"""
# Builds the model and takes a step, twice: the second time everything is loaded and compiled. Prints its seconds.
FIRST_STEP = """
import sys, time
from abm import HippocampusModel, load_experiment
def first_step():
    start = time.perf_counter()
    HippocampusModel(load_experiment(sys.argv[1]), "cycling").step()
    return time.perf_counter() - start
first_step()
print(first_step())
"""
RUN = """
import sys
from abm import load_experiment, run_experiment
run_experiment(load_experiment(sys.argv[1]), sys.argv[2], workers=int(sys.argv[3]))
"""
BASELINE = "baseline (SSE2)"
PROCESSORS = {
    BASELINE: {"NUMBA_CPU_NAME": "generic"},
    "AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx,+avx2,+fma"},
}


def start_rows(quick: bool) -> Iterator[Row]:
    """Seconds to the help text, to the model's first step beyond the work itself, and of a first study beyond the next.

    The cache is empty or warm; the study has two workers, which compile together.
    """
    repeats = 3 if quick else 5
    times = [_clock([sys.executable, "run.py", "--help"], {}) for _ in range(repeats)]
    yield Row(START, "run.py --help", "ours", "time", statistics.median(times), goal="under 0.5 s", runs=repeats)
    with tempfile.TemporaryDirectory() as folder:
        config = small(folder)
        cold = []
        for number in range(1 if quick else repeats):
            cache = str(Path(folder) / f"cache{number}")
            cold.append(_beyond_work(config, cache))
        warm = [_beyond_work(config, cache) for _ in range(repeats)]
        study = [_beyond_next(str(Path(folder) / f"study{number}")) for number in range(1 if quick else repeats)]
    case = "first step of a new process, beyond the work itself"
    for name, found, goal in (("empty cache", cold, "at most 5 s"), ("warm", warm, "at most 1 s")):
        value = statistics.median(beyond for beyond, _ in found)
        remark = f"the work itself takes {statistics.median(work for _, work in found):.2f} s"
        yield Row(START, f"{case}, {name}", "ours", "time", value, goal=goal, runs=len(found), remark=remark)
    case, remark = "study of two workers, empty cache, beyond the next", "the small study that the bits are compared on"
    yield Row(START, case, "ours", "time", statistics.median(study), runs=len(study), remark=remark)


def bit_rows(quick: bool) -> Iterator[Row]:
    """Digest of replicates.csv for every way of running that is possible here."""
    ways: dict[str, tuple[str, dict[str, str]]] = {
        "1 worker": ("1", {}),
        "2 workers": ("2", {}),
    }
    if not quick:
        ways["1 thread"] = ("1", {"NUMBA_NUM_THREADS": "1"})
        ways["2 threads"] = ("1", {"NUMBA_NUM_THREADS": str(min(2, CORES))})
        ways.update({name: ("1", environment) for name, environment in PROCESSORS.items()})
    digests: dict[str, str] = {}
    for name, (workers, environment) in ways.items():
        digests[name] = _digest(workers, environment)
        same = float(digests[name] == digests["1 worker"])
        yield Row(BITS, name, "ours", "same replicates.csv", same, "1", goal="1", remark=f"sha256 {digests[name][:16]}")
    wide = "avx512f" in Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else False
    if wide and BASELINE in digests:
        same, goal, remark = float(digests[BASELINE] == digests["1 worker"]), "1", "what this processor runs by itself"
    else:
        same, goal, remark = float("nan"), "", "not run" if wide else "this processor has none"
    yield Row(BITS, "AVX-512", "ours", "same replicates.csv", same, "1", goal=goal, remark=remark)


def small(folder: str) -> str:
    """The small experiment as a file in a folder."""
    config = Path(folder) / "small.yaml"
    config.write_text(SMALL, encoding="utf-8")
    return str(config)


def _clock(command: list[str], environment: dict[str, str]) -> float:
    """Seconds of a command."""
    start = time.perf_counter()
    env = {**os.environ, **environment}
    subprocess.run(command, check=True, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def _beyond_work(config: str, cache: str) -> tuple[float, float]:
    """Seconds from the start of a process to the model's first step less those of the work itself, and the latter."""
    start = time.perf_counter()
    env = {**os.environ, "NUMBA_CACHE_DIR": cache}
    command = [sys.executable, "-c", FIRST_STEP, config]
    output = subprocess.run(command, check=True, cwd=ROOT, env=env, capture_output=True, text=True).stdout
    work = float(output)
    return time.perf_counter() - start - 2.0 * work, work


def _beyond_next(cache: str) -> float:
    """Seconds of a study of two workers that finds an empty cache, less those of the next, which finds a full one."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", RUN, small(folder)]
        first, following = (
            _clock([*command, str(Path(folder) / out), "2"], {"NUMBA_CACHE_DIR": cache}) for out in ("first", "next")
        )
    return first - following


def _digest(workers: str, environment: dict[str, str]) -> str:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        _clock([sys.executable, "-c", RUN, small(folder), str(out), workers], environment)
        return hashlib.sha256((out / "replicates.csv").read_bytes()).hexdigest()
