"""Workload W2: one day of N neurons on a field of 256 x 256 voxels, with the model's own rules in its own steps.

A lamella of 6.4 x 6.4 mm in voxels of 25 um, on a day with a training session of the default experiment (schedule
`continuous`, its first Monday), from the resting state and without burn-in.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SIDE = "6.4 mm"
VOXELS_PER_SIDE = 256
SCHEDULE = "continuous"
STEP = "15 min"
STEPS = 96  # of a day
READ_OUTS = ("creb", "acetylation", "transcripts", "bdnf_pro", "bdnf_protein", "release_rate", "trkb", "spine")

# What the population loop of the model has to read, and what it has to write, of every neuron in every step. Columns
# that stay in the processor's cache anyway count once; fields do not count, because neurons are sorted by voxel.
READ = (
    "region", "voxel", "rest_bhb", "rest_excitability", "rest_lactate", "rest_fndc5", "rest_irisin", "rest_eraser",
    "rest_glucocorticoid", "rest_potentiation", "rest_bdnf", "creb", "fndc5", "hdac2", "hdac3", "nucleosomes",
    "promoter_on", "transcripts", "bdnf_pro", "bdnf_protein", "unsecreted", "trkb_surface", "trkb",
    "plasticity_protein", "spine", "scale", "threshold", "drive", "early_load",
)  # fmt: skip
WRITTEN = (
    "activity", "excitation", "creb", "fndc5", "hdac2", "hdac3", "eraser", "nucleosomes", "promoter_on", "transcripts",
    "bdnf_pro", "bdnf_protein", "release_rate", "unsecreted", "trkb_surface", "trkb", "plasticity_protein",
    "mean_protein", "spine", "scale", "threshold", "potentiation_gain", "depression_gain",
)  # fmt: skip


def experiment(neurons: int, step: str = STEP) -> Any:
    """The default experiment on the large lamella, without burn-in."""
    from abm.config import load_experiment
    from abm.model import DEFAULT_EXPERIMENT

    changes = [f"tissue.neurons={neurons}", f'tissue.size=["{SIDE}", "{SIDE}"]', f"run.step={step}"]
    return load_experiment(DEFAULT_EXPERIMENT, [*changes, "run.burn_in=0 d"])


def bytes_per_neuron(columns: dict[str, Any]) -> int:
    """Bytes that the population loop must move for each neuron in a step: what it reads plus what it writes."""

    def size(name: str) -> int:
        return int(columns[name].nbytes // len(columns[name]))

    return sum(size(name) for names in (READ, WRITTEN) for name in names if name in columns)


def read_outs(columns: dict[str, Any]) -> dict[str, Any]:
    """Every neuron's value of each read-out, from the model's columns."""
    derived = {
        "acetylation": (np.asarray(columns["nucleosomes"]) == 1).mean(axis=(1, 2)),
        "transcripts": np.asarray(columns["transcripts"]).sum(axis=1),
    }
    return {name: derived[name] if name in derived else np.asarray(columns[name]) for name in READ_OUTS}


def summary(values: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Population means and standard deviations of the read-outs."""
    return {
        "means": {name: float(np.mean(value)) for name, value in values.items()},
        "spreads": {name: float(np.std(value)) for name, value in values.items()},
    }


def largest_difference(found: dict[str, Any], reference: dict[str, Any], neurons: int) -> tuple[float, float]:
    """Largest relative difference of a population mean, and the largest in standard errors.

    found, reference: with `means` and `spreads`. The standard error takes the two populations as independent; a
    read-out whose difference is rounding counts as the same.
    """
    shares, scores = [0.0], [0.0]
    for name, mean in found["means"].items():
        other = reference["means"][name]
        share = abs(mean - other) / max(abs(other), 1e-12)
        error = np.hypot(found["spreads"][name], reference["spreads"][name]) / np.sqrt(neurons)
        shares.append(share)
        scores.append(abs(mean - other) / error if share > 1e-9 and error > 0.0 else 0.0)
    return float(max(shares)), float(max(scores))
