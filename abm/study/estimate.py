"""How long a study will take and how much memory and disk it needs, before it runs.

The costs were measured on one core of a server of 2023 (AMD EPYC), 200 to 8,000 neurons, 256 and 4,096 voxels, steps of
6 to 30 min; other machines differ by a factor of two or so.
"""

from __future__ import annotations

import math
import os
from typing import NamedTuple

from abm.clock import DAY, burn_in_steps
from abm.metrics import METRICS
from abm.study.plan import Plan
from abm.study.priors import BODIES

START = 6.0  # s to load a worker's kernels; to compile them, once after an installation, takes a minute more
PER_STEP = 0.34e-3  # s
PER_NEURON_STEP = 0.8e-6  # s
PER_VOXEL_STEP = 1.3e-7  # s
LONG_STEP, LONGER = 0.25, 0.4  # h; power by which longer steps cost more, as fields take more parts of a step
PER_BODY_DAY = 9e-3  # s for a schedule
WORKER_BYTES = 270e6
NEURON_BYTES = 11e3
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


def estimate(plan: Plan, workers: int, *, predicted: bool = False) -> Estimate:
    """What a plan will cost on so many workers of this machine; predicted: with intervals over the posterior."""
    replicates, neurons, voxels = plan.experiment.run.replicates, plan.experiment.tissue.neurons, voxels_of(plan)
    workers = min(workers, len(plan.runs))
    step = PER_STEP + PER_NEURON_STEP * neurons + PER_VOXEL_STEP * voxels
    step *= max(plan.experiment.run.step / LONG_STEP, 1.0) ** LONGER
    burn_in, run = burn_in_steps(plan.step, plan.experiment.run.burn_in) * step, plan.steps * step
    body = PER_BODY_DAY * len(plan.timelines) * plan.experiment.run.duration / DAY
    core = body + replicates * (burn_in + len(plan.timelines) * run)
    # Draws of the posterior, with bodies of their own, are put through the schedules at the end.
    drawn = BODIES * body if predicted and plan.experiment.preparation == "in_vivo" else 0.0
    # At least one burn-in and one run follow each other.
    wall = START + max(core / workers, body + burn_in + run) + drawn / workers
    memory = WORKER_BYTES + NEURON_BYTES * neurons + VOXEL_BYTES * voxels
    return Estimate(core + drawn + START * workers, wall, workers, memory, _disk(plan))


def lacking_memory(cost: Estimate) -> str:
    """That a study needs more memory than this machine has, in words; empty where it does not, or nobody can say."""
    try:
        there = float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    except (AttributeError, OSError, ValueError):
        return ""
    needed = cost.memory * cost.workers
    if needed <= there:
        return ""
    on = f"on {cost.workers} workers " if cost.workers > 1 else ""
    return f"about {needed / 1e9:.0f} GB of memory {on}are needed, and this machine has {there / 1e9:.0f} GB"


def voxels_of(plan: Plan) -> int:
    """Number of voxels of the tissue."""
    tissue = plan.experiment.tissue
    return math.prod(round(side / tissue.voxel) for side in tissue.size)


def _disk(plan: Plan) -> float:
    traces = BYTES * 4 * (5 * plan.steps + 6 * len(METRICS) * len(plan.trace_steps))
    states = STATE_BYTES * plan.experiment.tissue.neurons * len(plan.state_steps)
    return len(plan.runs) * (traces + states)
