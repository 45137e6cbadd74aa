"""W2 by Brian2 as a C++ program of its own (C++ standalone, all cores through OpenMP)."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brian2
import numpy as np

from abm.metric_names import PROMOTERS
from benchmarks.brian2_rule import FLOATS, LENGTH, SIGNALS, constants, rule, variables
from benchmarks.measure import CORES
from benchmarks.neurons_case import STEPS, read_outs, summary
from benchmarks.plain_world import World

HOUR = 3600.0  # s


def population(world: World) -> Any:
    """All neurons of a recording as a `NeuronGroup` at their initial state."""
    step = world.dt * HOUR * brian2.second
    brian2.defaultclock.dt = step
    fields, namespace = world.recording["fields"], constants(world, PROMOTERS)
    for k, signal in enumerate(SIGNALS):
        namespace[f"{signal}_at"] = brian2.TimedArray(np.ascontiguousarray(fields[:, k]), dt=step)
    namespace["waking"] = brian2.TimedArray(world.recording["waking"], dt=step)
    namespace["unevenness"] = brian2.TimedArray(world.recording["unevenness"], dt=step)
    namespace["input"] = brian2.TimedArray(world.recording["input_activity"], dt=step)
    group = brian2.NeuronGroup(world.neurons, variables(), namespace=namespace)
    group.run_regularly(rule(PROMOTERS), dt=step)
    start = {name.removeprefix("start."): array for name, array in world.recording.items()}
    group.place = world.recording["place"]
    for name in FLOATS:
        setattr(group, name, start[name])
    for q in range(len(PROMOTERS)):
        setattr(group, f"copies{q}", start["transcripts"][:, q])
        for allele in range(2):
            setattr(group, f"allele{q}_{allele}", start["promoter_on"][:, q, allele])
        for k in range(LENGTH):
            setattr(group, f"nucleosome{q}_{k}", start["nucleosomes"][:, q, k])
    return group


def columns(group: Any) -> dict[str, Any]:
    """The state as columns named like the model's."""
    rows = [[getattr(group, f"nucleosome{q}_{k}")[:] for k in range(LENGTH)] for q in range(len(PROMOTERS))]
    return {
        **{name: np.asarray(getattr(group, name)[:]) for name in FLOATS},
        "transcripts": np.stack([getattr(group, f"copies{q}")[:] for q in range(len(PROMOTERS))], axis=1),
        "nucleosomes": np.moveaxis(np.array(rows), 2, 0),
    }


def prepare(case: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    """Write, compile and link the program; see the package's docstring."""
    world = World(case["recording"])
    folder = tempfile.TemporaryDirectory()
    brian2.set_device("cpp_standalone", build_on_run=False, directory=folder.name)
    brian2.prefs.devices.cpp_standalone.openmp_threads = CORES
    brian2.seed(1)
    group = population(world)
    network = brian2.Network(group, *group.contained_objects)
    network.run(world.steps * brian2.defaultclock.dt)
    brian2.device.build(directory=folder.name, compile=True, run=False, with_output=False)

    def run() -> dict[str, Any]:
        brian2.device.run(folder.name, with_output=False)
        seconds = float((Path(folder.name) / "results" / "last_run_info.txt").read_text().split()[0])
        return {"seconds": seconds, "steps": world.steps, "total": STEPS, **summary(read_outs(columns(group)))}

    return run
