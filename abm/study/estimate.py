"""How long a study will take and how much memory and disk it needs, before it runs.

The costs below were measured on one core of a 2026 server (AMD EPYC, 0.1-h steps); other machines differ by a factor of
two or so. Steps with exercise cost more than steps at rest, since the fields then take more sub-steps.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from abm.metrics import METRICS
from abm.study.plan import Plan

START = 6.0  # s to load and, if need be, compile a worker's kernels
PER_STEP = 0.6e-3  # s
PER_NEURON_STEP = 1.0e-6  # s
PER_VOXEL_STEP = 3.0e-7  # s
ACTIVE_FACTOR = 3.0  # a step with exercise or a dose over a step at rest, fields only
WORKER_BYTES = 350e6
NEURON_BYTES = 12e3
VOXEL_BYTES = 1e3
STATE_BYTES = 330.0  # per neuron, run and stored time
BYTES = 8.0


class Estimate(NamedTuple):
    """Core time (s), wall time (s) on `workers`, memory of one worker and size of the results (bytes)."""

    core_time: float
    wall_time: float
    workers: int
    memory: float
    disk: float


def estimate(plan: Plan, workers: int) -> Estimate:
    """What a plan will cost on so many workers of this machine."""
    replicates, neurons, voxels = plan.experiment.run.replicates, plan.experiment.tissue.neurons, voxels_of(plan)
    workers = min(workers, len(plan.runs))
    rest = PER_STEP + PER_NEURON_STEP * neurons + PER_VOXEL_STEP * voxels
    burn_in = plan.burn_in_steps * rest
    runs = [
        plan.steps * rest + _active_steps(plan, name) * (ACTIVE_FACTOR - 1.0) * PER_VOXEL_STEP * voxels
        for name in plan.timelines
    ]
    core = replicates * (burn_in + sum(runs))
    # At least one burn-in and the longest run follow each other.
    wall = START + max(core / workers, burn_in + max(runs))
    return Estimate(
        core + START * workers, wall, workers, WORKER_BYTES + NEURON_BYTES * neurons + VOXEL_BYTES * voxels, _disk(plan)
    )


def voxels_of(plan: Plan) -> int:
    """Number of voxels of the tissue."""
    tissue = plan.experiment.tissue
    return math.prod(round(side / tissue.voxel) for side in tissue.size)


def _active_steps(plan: Plan, schedule: str) -> float:
    timeline = plan.timelines[schedule]
    return sum(bout.end - bout.start for bout in timeline.bouts) / plan.step


def _disk(plan: Plan) -> float:
    traces = BYTES * 4 * (5 * plan.steps + 6 * len(METRICS) * len(plan.trace_steps))
    states = STATE_BYTES * plan.experiment.tissue.neurons * len(plan.state_steps)
    return len(plan.runs) * (traces + states)
