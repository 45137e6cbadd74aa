"""One day of a million neurons with a hundred million synapses: how long each part takes and how much memory.

    python benchmarks/million.py [--neurons N]

prints a table and writes it to benchmarks/results/million.md. The day has a session of 45 min; the tissue is a lamella
of 256 x 256 voxels of 20 um, and creation, with its search for every neuron's set points, is counted.
"""

import argparse
import platform
import resource
import time
from pathlib import Path

from abm.config import load_experiment
from abm.model import HippocampusModel

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "configs" / "experiments" / "exercise_schedules.yaml"


def peak_memory() -> float:
    """Largest resident memory of this process so far, GB."""
    unit = 1.0 if platform.system() == "Darwin" else 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def main() -> None:
    """Run the day and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--neurons", type=int, default=1_000_000)
    neurons = parser.parse_args().neurons
    HippocampusModel(load_experiment(CONFIG, ["tissue.neurons=40"]), "continuous").step()  # compiles
    plan = [f"tissue.neurons={neurons}", "tissue.size=[5.12 mm, 5.12 mm]", "tissue.voxel=20 um", "run.burn_in=0 h"]
    began = time.perf_counter()
    model = HippocampusModel(load_experiment(CONFIG, plan), "continuous")
    created, memory = time.perf_counter(), peak_memory()
    steps = round(24.0 / model.clock.step)
    for step in range(steps):
        model.step()
        print(f"\r{step + 1} of {steps} steps, {time.perf_counter() - created:.0f} s", end="", flush=True)
    ended = time.perf_counter()
    lines = [
        "# One day of a large tissue",
        "",
        f"`python benchmarks/million.py --neurons {neurons}`, {platform.machine()}, Python {platform.python_version()}",
        "",
        "| | |",
        "|---|---|",
        f"| neurons | {neurons:,} |",
        f"| synapses | {model.synapses.early.size:,} |",
        f"| creation, with set points over a resting day | {created - began:.0f} s, {memory:.1f} GB |",
        f"| one day, {steps} steps | {ended - created:.0f} s, {peak_memory():.1f} GB at most |",
        f"| per step | {(ended - created) / steps:.2f} s |",
        f"| BDNF, mean of neurons | {model.observe('bdnf_protein')['all']:.2f} dimers |",
        "",
    ]
    text = "\n".join(lines)
    folder = ROOT / "benchmarks" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "million.md").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
