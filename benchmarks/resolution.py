"""Share of each region's cells that fire in an event of resting synapses, by how many synapses are modelled.

    python benchmarks/resolution.py

The members of an assembly that take part are 4 %; what is above is chance among few modelled synapses.
"""

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from abm.network import CASCADE, excite
from abm.parameters import load_parameters
from abm.synapses import SynapseParameters
from abm.wiring import ENTORHINAL, NetworkParameters, wire

NEURONS = 2000


def firing_shares(synapses_per_neuron: int) -> list[float]:
    """Mean over the assemblies, one event of each, for DG, CA3 and CA1."""
    p = load_parameters(NetworkParameters, "network")._replace(synapses_per_neuron=float(synapses_per_neuron))
    s, draws = load_parameters(SynapseParameters, "synapses"), np.random.default_rng(0)
    cells = np.array([p.granule_cells, p.ca3_cells, p.ca1_cells])
    region = np.repeat(np.arange(3), np.round(NEURONS * cells / cells.sum()).astype(int)).astype(np.int8)
    wiring, ones = wire(p, region, 1, 0), np.ones(region.size)
    none, release = np.zeros(wiring.sender.size, np.float32), np.ones(wiring.region.size, np.float32)
    room = np.empty(wiring.sender.size + 1, np.uint32), np.empty(region.size, np.int64)
    found = []
    for member in wiring.member:
        cue = member & (draws.random(member.size) < p.participation)
        firing, drive = cue & (wiring.region == ENTORHINAL), np.zeros(region.size)
        for target in CASCADE:
            excite(wiring, none, none, s, p, target, cue, firing, ones, ones, release, ones, drive, *room)
        found.append([firing[: region.size][region == target].mean() for target in range(3)])
    return [float(share) for share in np.mean(found, axis=0)]


if __name__ == "__main__":
    print("synapses per neuron     DG    CA3    CA1")
    for number in (20, 100, 300, 1000):
        print(f"{number:19d}", *(f"{100 * share:5.1f}%" for share in firing_shares(number)))
