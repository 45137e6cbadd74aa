"""Whether results at synapses depend on how many synapses are modelled.

    python benchmarks/resolution.py

First the share of each region's cells that fire in an event of resting synapses: the members of an assembly that take
part are 4 %. Then what ten days, with a running wheel or without, leave at the synapses of a mouse. About five minutes.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from abm import HippocampusModel
from abm.config import load_experiment
from abm.network import CASCADE, excite
from abm.parameters import load_parameters
from abm.synapses import SynapseParameters
from abm.wiring import ENTORHINAL, NetworkParameters, wire

EXPERIMENT = Path(__file__).parents[1] / "configs" / "experiments" / "mouse_wheel.yaml"
MODELLED = (20, 100, 300)  # synapses per neuron
NEURONS, DAYS, REPLICATES = 1000, 10, 2
METRICS = ("synaptic_strength", "potentiated_fraction", "consolidated_fraction")


def firing_shares(synapses_per_neuron: int) -> list[float]:
    """Mean over the assemblies, one event of each, for DG, CA3 and CA1."""
    p = load_parameters(NetworkParameters, "network")._replace(synapses_per_neuron=float(synapses_per_neuron))
    s, draws = load_parameters(SynapseParameters, "synapses"), np.random.default_rng(0)
    cells = np.array([p.granule_cells, p.ca3_cells, p.ca1_cells])
    region = np.repeat(np.arange(3), np.round(2 * NEURONS * cells / cells.sum()).astype(int)).astype(np.int8)
    wiring, ones = wire(p, region, 1, 0), np.ones(region.size)
    none, release = np.zeros(wiring.sender.size, np.float32), np.ones(wiring.region.size, np.float32)
    found = []
    for member in wiring.member:
        cue = member & (draws.random(member.size) < p.participation)
        firing, drive = cue & (wiring.region == ENTORHINAL), np.zeros(region.size)
        for target in CASCADE:
            excite(wiring, none, none, s, p, target, cue, firing, ones, ones, release, ones, drive)
        found.append([firing[: region.size][region == target].mean() for target in range(3)])
    return [float(share) for share in np.mean(found, axis=0)]


def after_days(synapses_per_neuron: int, schedule: str) -> dict[str, list[float]]:
    """Each of METRICS in the whole tissue after DAYS of a schedule, one number per replicate."""
    changes = [f"subject.overrides.network.synapses_per_neuron={synapses_per_neuron}", f"tissue.neurons={NEURONS}"]
    experiment, found = load_experiment(EXPERIMENT, changes), {metric: [] for metric in METRICS}
    for replicate in range(REPLICATES):
        model = HippocampusModel(experiment, schedule, replicate=replicate)
        model.rest()
        while model.hour < 24.0 * DAYS:
            model.advance()
        for metric in METRICS:
            found[metric].append(model.observe(metric)["all"])
    return found


if __name__ == "__main__":
    print("cells that fire in an event of resting synapses")
    print("synapses per neuron     DG    CA3    CA1")
    for number in MODELLED:
        print(f"{number:19d}", *(f"{100 * share:5.1f}%" for share in firing_shares(number)), flush=True)
    print(f"\nafter {DAYS} days, mean of {REPLICATES} replicates of {NEURONS} neurons, and half their difference")
    print("synapses per neuron  schedule  ", *(f"{metric:>22s}" for metric in METRICS))
    for number in MODELLED:
        for schedule in ("sedentary", "wheel"):
            found = after_days(number, schedule).values()
            cells = (f"{np.mean(values):13.5f} +- {np.ptp(values) / 2:.5f}" for values in found)
            print(f"{number:19d}  {schedule:9s} ", *cells, flush=True)
