"""W2: neurons on a field for one day. Ours against plain agents and Brian2, growth with N, memory bandwidth."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.measure import FOLDER, Measurement, Worker, exponent, installed, interleave, whole
from benchmarks.neurons_case import READ_OUTS, STEPS, VOXELS_PER_SIDE, largest_difference
from benchmarks.peers import NEURONS
from benchmarks.table import Row, compare, missing, said, timing

NAME = "W2 neurons"
LIMIT = 900.0  # s for setting up, and for each run
SIZES, QUICK_SIZES = (1_000, 10_000, 100_000, 1_000_000), (10_000, 100_000)
COMPARED, QUICK_COMPARED = (1_000, 100_000), (1_000,)
QUICK_STEPS = 24
FINE_NEURONS = 20_000  # enough for the error of the step to show above that of sampling
EXPONENT_GOAL, BANDWIDTH_GOAL = 1.05, 0.4


def rows(quick: bool) -> Iterator[Row]:
    """All rows of the workload. quick: fewer neurons, part of the day, fewer runs."""
    repeats, budget = (3, 2.0) if quick else (5, 30.0)
    for neurons in QUICK_COMPARED if quick else COMPARED:
        yield from comparison(neurons, repeats, budget if quick else 10.0, QUICK_STEPS if quick else STEPS)
    yield from growth(QUICK_SIZES if quick else SIZES, repeats, budget)
    if not quick:
        yield half_step()


def comparison(neurons: int, repeats: int, budget: float, steps: int) -> list[Row]:
    """Every peer on the same day of the same neurons, or on its first steps."""
    case = f"{neurons:,} neurons, {VOXELS_PER_SIDE}^2 voxels, 1 d"
    peers = [peer for peer in NEURONS if installed(peer.needs)]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "recording.npz")
        record({"neurons": neurons, "steps": steps}, path)
        given = {"neurons": neurons, "recording": path, "budget": budget}
        found = interleave([Worker(peer.module, given, peer.environment, LIMIT) for peer in peers], repeats)
        reference = {name: values for name, values in np.load(path).items() if name in ("means", "spreads")}
    table = []
    for peer, measured in zip(peers, found, strict=True):
        table.append(timing(NAME, case, peer.label, measured, float(neurons), peer.remark))
        table[-1].error = difference(measured, reference, neurons) if peer is not NEURONS[0] else ""
    table += [missing(NAME, case, peer.label, peer.needs) for peer in NEURONS if peer not in peers]
    compare(table)
    return table


def record(case: dict[str, Any], path: str, environment: dict[str, str] | None = None) -> None:
    """Have the model write down what its neurons meet; see benchmarks/recording.py."""
    command = [sys.executable, str(FOLDER / "recording.py"), json.dumps(case), path]
    subprocess.run(command, check=True, env=environment)


def difference(found: Measurement, reference: dict[str, Any], neurons: int) -> str:
    """How far a peer's population means are from ours after the same steps, in per cent and in standard errors."""
    if not found.runs:
        return ""
    run = found.runs[-1]
    ours = {kind: dict(zip(READ_OUTS, values[run["steps"] - 1], strict=True)) for kind, values in reference.items()}
    share, score = largest_difference(run, ours, neurons)
    return f"means within {100 * share:.2g} % of ours ({score:.1f} standard errors)"


def growth(sizes: Sequence[int], repeats: int, budget: float) -> list[Row]:
    """Ours for growing N: the population loop, whole steps, exponents; the loop's bandwidth at the largest N."""
    ours = NEURONS[0]
    table, loops = [], []
    for neurons in sizes:  # one after the other, since the largest needs most of a small machine's memory
        workers = [_ours({"neurons": neurons, "budget": budget})]
        if neurons == sizes[-1]:
            workers.append(Worker("triad", {}, {}, LIMIT))
        found = interleave(workers, repeats)
        loops.append(found[0])
        case = f"{neurons:,} neurons, 1 d"
        table.append(timing(NAME, case, "ours, growth", found[0], float(neurons), ours.remark))
        table.append(_whole_steps(case, found[0], neurons))
    table += _exponents(sizes, loops, repeats)
    return [*table, *bandwidth(sizes[-1], found[0], found[1])]


def _ours(case: dict[str, Any]) -> Worker:
    return Worker(NEURONS[0].module, case, NEURONS[0].environment, LIMIT)


def _whole_steps(case: str, found: Measurement, neurons: int) -> Row:
    remark = "blood, barrier, fields, neurons and 100 synapses per neuron"
    row = timing(NAME, case, "ours, whole steps", found, float(neurons), remark)
    if found.runs:
        row.value = float(np.median([whole({**run, "seconds": run["step_seconds"]}) for run in found.runs]))
    return row


def _exponents(sizes: Sequence[int], loops: Sequence[Measurement], repeats: int) -> list[Row]:
    measured = {size: one.seconds for size, one in zip(sizes, loops, strict=True) if one.runs}

    def row(chosen: Sequence[int], goal: str) -> Row:
        case, quantity = f"{chosen[0]:,} to {chosen[-1]:,} neurons", "growth exponent in neurons"
        value = exponent(chosen, [measured[size] for size in chosen])
        return Row(NAME, case, "ours", quantity, value, "1", goal=goal, runs=repeats)

    known = list(measured)
    return [row(known, ""), row(known[-2:], f"at most {EXPONENT_GOAL:g}")] if len(known) > 1 else []


def bandwidth(neurons: int, loop: Measurement, triad: Measurement) -> list[Row]:
    """What the population loop moves per second, beside what the triad reached between its runs."""
    if not loop.runs or not triad.runs:
        return []
    case = f"{neurons:,} neurons"
    moved = loop.median("bytes") * neurons * STEPS / loop.seconds / 1e9
    one, every = triad.median("one_core"), triad.median("all_cores")
    count = f"{loop.median('bytes'):.0f} bytes per neuron and step"
    rate, goal = "memory traffic of the population loop", f"at least {BANDWIDTH_GOAL:g}"
    share = Row(NAME, case, "ours", "share of the triad on all cores", moved / every, "1", goal=goal, remark=count)
    return [
        Row(NAME, case, "ours", rate, moved, "GB/s", remark=count, runs=len(loop.runs)),
        Row(NAME, case, "triad", "one core", one, "GB/s", runs=len(triad.runs)),
        Row(NAME, case, "triad", "all cores", every, "GB/s", runs=len(triad.runs)),
        share,
    ]


def half_step() -> Row:
    """Error of ours: the day's population means against those in half the step."""
    steps = ("15 min", "7.5 min")
    given = [{"neurons": FINE_NEURONS, "budget": LIMIT, "step": step} for step in steps]
    coarse, fine = interleave([_ours(case) for case in given], 1)
    row = Row(NAME, f"{FINE_NEURONS:,} neurons, 1 d", "ours", "difference of means to half the step", unit="%")
    if coarse.runs and fine.runs:
        share, score = largest_difference(coarse.runs[0], fine.runs[0], FINE_NEURONS)
        row.value, row.steps = 100 * share, said(*coarse.steps)
        row.remark = f"{score:.1f} standard errors; draws differ"
    return row
