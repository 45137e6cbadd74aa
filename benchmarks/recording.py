"""What the model's neurons met on the day of a workload, kept in a file for peers that have no blood and no fields.

    python benchmarks/recording.py CASE FILE

CASE: JSON with `neurons`, `steps`, and `study` where the tissue is that of the default experiment with its synapses.
The file holds the state at the start, and for each step the five concentrations at the voxels that hold neurons, the
input and the drugs; further the population means and standard deviations of the read-outs after each step.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.neurons_case import READ_OUTS, SCHEDULE, experiment, read_outs, summary


def record(model: Any, steps: int, synapses: bool = False) -> dict[str, np.ndarray[Any, Any]]:
    """Run the model for some steps and note what its neurons met; see the module."""
    voxels, place = np.unique(model.neurons.voxel, return_inverse=True)
    kept: dict[str, list[Any]] = {"fields": [], "drugs": [], "means": [], "spreads": []}
    kept |= {"waking": [], "input_activity": [], "unevenness": []}
    start = {f"start.{name}": column.copy() for name, column in model.neurons.columns.items()}
    wiring = {f"wiring.{name}": array for name, array in model.wiring._asdict().items()} if synapses else {}
    advance = model._advance_neurons

    def noting(drugs: Any, given: Any) -> None:
        kept["fields"].append(np.stack(model._signals())[:, voxels])
        kept["waking"].append(given.waking)
        kept["input_activity"].append(given.activity)
        kept["unevenness"].append(given.unevenness)
        kept["drugs"].append(list(drugs))
        advance(drugs, given)

    model._advance_neurons = noting
    for _ in range(steps):
        model.step()
        found = summary(read_outs(model.neurons.columns))
        kept["means"].append([found["means"][name] for name in READ_OUTS])
        kept["spreads"].append([found["spreads"][name] for name in READ_OUTS])
    return {
        **start,
        **wiring,
        **{name: np.array(values) for name, values in kept.items()},
        "place": place.astype(np.int64),
        "dt": np.array(model.clock.step),
        "waking_at_rest": np.array(model.waking_at_rest),
    }


def main() -> None:
    """Build the model of the case and write its recording."""
    from abm.config import load_experiment
    from abm.model import DEFAULT_EXPERIMENT, HippocampusModel

    case = json.loads(sys.argv[1])
    study = bool(case.get("study"))
    chosen = load_experiment(DEFAULT_EXPERIMENT, ["run.burn_in=0 d"]) if study else experiment(case["neurons"])
    np.savez(sys.argv[2], **record(HippocampusModel(chosen, SCHEDULE), case["steps"], study))


if __name__ == "__main__":
    main()
