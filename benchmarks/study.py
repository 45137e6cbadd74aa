"""W3: the default study from the command to the files, against the same rules in plain Mesa."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from abm.clock import burn_in_steps
from benchmarks.measure import CORES, Worker, installed, interleave
from benchmarks.neurons import difference, record
from benchmarks.peers import STUDY
from benchmarks.table import Row, compare, missing, timing

NAME = "W3 default study"
LIMIT = 3600.0  # s for a run
NEURONS = 2000
REPLICATES, SCHEDULES, STEPS_PER_DAY, BURN_IN, DURATION = 8, 5, 96, 30, 28  # of the default experiment; days
STEPS = REPLICATES * (burn_in_steps(24.0 / STEPS_PER_DAY, 24.0 * BURN_IN) + SCHEDULES * DURATION * STEPS_PER_DAY)
WEEK = ["run.replicates=1", "run.burn_in=0 d", "run.duration=7 d", "observe=[{metric: bdnf_protein, at: [7 d]}]"]
WEEK_STEPS = SCHEDULES * STEPS_PER_DAY * 7
PEER_STEPS = 96  # a day, with its session and its events
GOAL = "at most 180 s on 2 cores"


def rows(quick: bool) -> Iterator[Row]:
    """All rows of the workload. quick: one week of one replicate, without burn-in."""
    extent = "1 replicate x 7 d" if quick else f"{REPLICATES} replicates x {DURATION} d + {BURN_IN} d burn-in"
    case = f"{SCHEDULES} schedules x {extent}, {CORES} cores"
    changes, steps = (WEEK, WEEK_STEPS) if quick else ([], STEPS)
    peers = [peer for peer in STUDY if installed(peer.needs)]
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "recording.npz")
        record({"neurons": NEURONS, "steps": PEER_STEPS, "study": True}, path)
        given = {"recording": path, "steps": steps, "budget": 3.0 if quick else 20.0, "changes": changes}
        found = interleave([Worker(one.module, given, one.environment, LIMIT) for one in peers], 1 if quick else 5)
        reference = {name: values for name, values in np.load(path).items() if name in ("means", "spreads")}
    table = [timing(NAME, case, one.label, m, remark=one.remark) for one, m in zip(peers, found, strict=True)]
    for row, measured in zip(table, found, strict=True):
        if row.peer == "ours":
            row.goal = "" if quick else GOAL
        else:
            row.error = difference(measured, reference, NEURONS)
    table += [missing(NAME, case, one.label, one.needs) for one in STUDY if one not in peers]
    compare(table)
    yield from table
