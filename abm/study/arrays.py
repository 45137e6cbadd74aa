"""traces.zarr and states.zarr: labelled arrays over schedules and replicates, with units.

traces.zarr   what happened over time: intensity and plasma, tissue signals every step, all else hourly (every three
              hours in runs of more than a week), with quantiles over neurons; the ledger of every signal and the step
              error.
states.zarr   every column of every neuron at chosen times, and the concentration fields at one time per schedule.

Runs that failed are NaN (zero in columns of whole numbers); `finished` says which they are.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from abm.body import PLASMA_COLUMNS, Plasma
from abm.metric_names import PROMOTERS, REGIONS
from abm.metrics import METRICS
from abm.observation.blood import concentrated
from abm.signals import SIGNALS
from abm.study.plan import Plan, Run
from abm.study.record import FAST, LEDGER, QUANTILES, SLOW, SPREAD
from abm.study.store import ResultsFolder, write_atomically

if TYPE_CHECKING:  # loaded where arrays are written, so that a study starts sooner
    import xarray as xr
    import zarr

# Dimensions of a neuron column after the neuron, by the shape of one neuron's entry.
ENTRIES = {
    (): (),
    (3,): ("axis",),
    (len(PROMOTERS),): ("promoter",),
    (len(PROMOTERS), 2): ("promoter", "allele"),
    (len(PROMOTERS), 12): ("promoter", "nucleosome"),
}


def names(labels: Iterable[str]) -> NDArray[np.object_]:
    """Labels as an array of objects, the one kind of text that Zarr's format specifies."""
    return np.array(list(labels), dtype=object)


@dataclass(frozen=True)
class Variable:
    """One array over runs: its name in the run files, the dimensions after (schedule, replicate), dtype, attributes."""

    recorded: str
    dimensions: tuple[str, ...]
    shape: tuple[int, ...]
    attributes: dict[str, str]
    dtype: np.dtype[Any] = field(default=np.dtype(np.float64))


OPEN_AT_ONCE = 128  # records; a process may have a thousand files open or fewer
LARGEST_CHUNK = 1 << 23  # bytes that replicates may share; files are few then, and quickly written
AMOUNTS = "1e-18 mol (bhb, lactate), else 1e-24 mol; residuals are relative"
PLASMA_UNITS = {
    "bhb": "mmol/L", "lactate": "mmol/L", "glucose": "mmol/L", "ffa": "mmol/L", "irisin": "nmol/L",
    "cortisol": "nmol/L", "insulin": "pmol/L", "glycogen": "mmol/kg", "vo2max": "mL/kg/min",
    "two_deoxyglucose": "mmol/L", "bdnf_iv": "nmol/L",
}  # fmt: skip

PLASMA_MEANINGS = {
    "cortisol": "total cortisol (in rodents corticosterone) in the plasma there is", "ffa": "free fatty acids",
    "glycogen": "liver glycogen as glucose per kg body mass", "movement": "share of the oxygen-uptake reserve in use",
    "movement_squared": "square of the share of the oxygen-uptake reserve in use",
    "movement_cubed": "cube of the share of the oxygen-uptake reserve in use",
    "wakefulness": "share of the step that the subject is awake",
    "dexamethasone": "dexamethasone at receptors of the brain, in multiples of its half-saturating concentration",
    "bdnf_iv": "BDNF that was infused", "fitness": "fitness, 0 untrained, 1 trained",
    "vo2max": "maximal oxygen uptake", "plasma_volume": "volume relative to time zero",
    "plasma_gained": "share of volume that exercise of the last days has added",
    "platelets": "platelets per volume of plasma relative to time zero",
    "platelet_count": "platelets per volume of blood relative to time zero",
    "exertion": "recent power of the intensity, 0 at rest", "adaptation": "fitness above that of the start",
    "platelet_adaptation": "mean of it when the platelets in the blood were made",
}  # fmt: skip
# The rest are means over steps.
AT_ENDS = (
    "fitness", "vo2max", "plasma_volume", "plasma_gained", "platelets", "platelet_count", "exertion", "adaptation",
    "platelet_adaptation",
)  # fmt: skip
TRACED = tuple(name for name in PLASMA_COLUMNS if not name.startswith("sampled_"))  # those are read-outs


def read_libraries() -> None:
    """Read what writing takes, which lasts a second, while there is nothing else to do."""
    import xarray as xr  # noqa: F401
    import zarr  # noqa: F401


def shared_traces(plan: Plan, plasma: Mapping[str, Plasma]) -> xr.Dataset:
    """What all replicates of a schedule share, as means over steps: intensity, and plasma where there is a body."""
    import xarray as xr

    edges = np.array([plan.hour(step) for step in range(plan.steps + 1)])
    middle = {"units": "h", "long_name": "middle of a step, from the end of burn-in"}
    found = xr.Dataset(coords={"interval_time": ("interval_time", (edges[1:] + edges[:-1]) / 2.0, middle)})
    intensity = np.array([timeline.mean_intensity(edges) for timeline in plan.timelines.values()])
    meaning = "Exercise asked for, fraction of VO2max: of the present one where the plan has a share, else at time zero"
    about = {"units": "1", "long_name": meaning}
    found["intensity"] = (("schedule", "interval_time"), intensity, about)
    # A culture or slice has no blood; a schedule whose body could not be solved has no values.
    for name in TRACED if plan.experiment.preparation == "in_vivo" else ():
        values = np.array([_blood(plasma.get(schedule), name, plan.steps) for schedule in plan.timelines])
        when = "at the end of a step" if name in AT_ENDS else "mean over a step"
        what = PLASMA_MEANINGS.get(name, name.replace("_", " "))
        about = {"units": PLASMA_UNITS.get(name, "1"), "long_name": f"Plasma: {what}, {when}"}
        found[f"plasma_{name}"] = (("schedule", "interval_time"), values, about)
    return found


def _blood(plasma: Plasma | None, name: str, steps: int) -> NDArray[np.float64]:
    """A field of the plasma, NaN where the body could not be solved; the hormone in the plasma there is, as sampled."""
    if plasma is None:
        return np.full(steps, np.nan)
    values: NDArray[np.float64] = getattr(plasma, name)
    return concentrated(values, plasma.plasma_volume, plasma.plasma_gained) if name == "cortisol" else values


def write_traces(plan: Plan, folder: ResultsFolder, shared: xr.Dataset) -> None:
    """Assemble traces.zarr; `shared` holds what all replicates have in common (plasma, intensity)."""
    hours = [plan.hour(step) for step in plan.trace_steps]
    every = [plan.hour(step) for step in range(plan.steps + 1)]
    units = {"units": "h", "long_name": "time from the end of burn-in"}
    labels = shared.assign_coords(
        region=names(REGIONS),
        signal=names(SIGNALS),
        term=names(LEDGER),
        quantile=list(QUANTILES),
        time=("time", hours, units),
        step_time=("step_time", every, units),
    )
    regions = len(REGIONS)
    variables = {
        m.name: Variable(f"trace.{m.name}", ("region", "step_time"), (regions, len(every)), _of(m.name)) for m in FAST
    }
    variables |= {
        m.name: Variable(f"trace.{m.name}", ("region", "time"), (regions, len(hours)), _of(m.name)) for m in SLOW
    }
    for metric in SPREAD:
        shape = (len(QUANTILES), regions, len(hours))
        meaning = metric.definition.replace(", mean over neurons", "")
        about = _of(metric.name) | {"long_name": f"Quantiles over neurons. {meaning}"}
        dimensions = ("quantile", "region", "time")
        variables[f"{metric.name}_quantiles"] = Variable(f"quantiles.{metric.name}", dimensions, shape, about)
    signals = len(SIGNALS)
    about = {"long_name": "Mass ledger of the tissue over the run", "units": AMOUNTS}
    variables["ledger"] = Variable("ledger", ("signal", "term"), (signals, len(LEDGER)), about)
    about = {"long_name": "Largest estimated relative error of a step of a signal's field", "units": "1"}
    variables["step_error"] = Variable("step_error", ("signal",), (signals,), about)
    about = {"long_name": "Sub-steps that a signal's field took", "units": "1"}
    variables["substeps"] = Variable("substeps", ("signal",), (signals,), about)
    variables["wall_time"] = Variable("wall_time", (), (), {"long_name": "Time the run took", "units": "s"})
    _write(folder.path / "traces.zarr", plan, folder, labels, variables)


def _of(metric: str) -> dict[str, str]:
    return {"units": METRICS[metric].unit, "long_name": METRICS[metric].definition}


def write_states(plan: Plan, folder: ResultsFolder, about: Mapping[str, Mapping[str, str]]) -> None:
    """Assemble states.zarr; `about` gives unit and meaning of the neuron columns."""
    import xarray as xr

    hours = [plan.hour(step) for step in plan.state_steps]
    times = {"units": "h", "long_name": "time from the end of burn-in"}
    known = {"signal": names(SIGNALS), "promoter": names(PROMOTERS), "axis": names(("x", "y", "z"))}
    labels = xr.Dataset(coords={"time": ("time", hours, times), **known})
    variables = {}
    for name, values in folder.example(plan).items():
        if name.startswith("state."):
            column = name.removeprefix("state.")
            dimensions = ("time", "neuron", *ENTRIES[values.shape[2:]])
            variables[column] = Variable(name, dimensions, values.shape, dict(about[column]), values.dtype)
        elif name == "fields":
            dimensions = ("signal", *("z", "y", "x")[4 - values.ndim :])
            meaning = {
                "long_name": "Extracellular concentration at map_time",
                "units": "mmol/L (bhb, lactate), else nmol/L",
            }
            variables["concentration"] = Variable(name, dimensions, values.shape, meaning)
            labels = labels.assign_coords(_centres(dimensions[1:], values.shape[1:], plan.experiment.tissue.voxel))
    map_times = [plan.hour(plan.map_steps[schedule]) for schedule in plan.timelines]
    labels = labels.assign(
        map_time=("schedule", map_times, times | {"long_name": "time at which `concentration` was stored"})
    )
    _write(folder.path / "states.zarr", plan, folder, labels, variables)


def _centres(axes: Sequence[str], voxels: Sequence[int], voxel: float) -> dict[str, Any]:
    """Where the centres of voxels lie along each axis, um, from the corner that `position` counts from."""
    return {
        axis: (axis, (np.arange(count) + 0.5) * voxel, {"units": "um", "long_name": "centre of the voxel"})
        for axis, count in zip(axes, voxels, strict=True)
    }


def _write(
    path: Path, plan: Plan, folder: ResultsFolder, labels: xr.Dataset, variables: Mapping[str, Variable]
) -> None:
    """Write one store. The replicates of a schedule share a chunk, or have one each where that would be large."""
    import zarr

    replicates = range(plan.experiment.run.replicates)
    finished = [[folder.run_file(plan, Run(s, r)).exists() for r in replicates] for s in plan.timelines]
    labels = labels.assign_coords(schedule=names(plan.timelines), replicate=list(replicates))
    labels = labels.assign(finished=(("schedule", "replicate"), np.array(finished)))
    labels.attrs = {"title": plan.experiment.name, "seed": plan.experiment.run.seed, "step_h": plan.step}

    def save(draft: Path) -> None:
        labels.to_zarr(draft, mode="w", zarr_format=3, consolidated=False)
        group = zarr.open_group(draft, mode="r+")
        arrays = {name: _create(group, name, v, (len(finished), len(replicates))) for name, v in variables.items()}
        for place, schedule in enumerate(plan.timelines):
            for first in range(0, len(replicates), OPEN_AT_ONCE):
                some = replicates[first : first + OPEN_AT_ONCE]
                with ExitStack() as stack:
                    records = [stack.enter_context(folder.record(plan, Run(schedule, r))) for r in some]
                    for name, variable in variables.items():
                        arrays[name][place, some.start : some.stop] = _over_replicates(records, variable)
        with warnings.catch_warnings():  # Zarr warns that its specification has no consolidated metadata yet
            warnings.simplefilter("ignore")
            zarr.consolidate_metadata(draft)

    write_atomically(path, save)


def _create(group: zarr.Group, name: str, variable: Variable, runs: tuple[int, int]) -> zarr.Array[Any]:
    whole = np.issubdtype(variable.dtype, np.integer)
    together = runs[1] * math.prod(variable.shape) * variable.dtype.itemsize <= LARGEST_CHUNK
    return group.create_array(
        name,
        shape=(*runs, *variable.shape),
        chunks=(1, runs[1] if together else 1, *(max(1, length) for length in variable.shape)),
        dtype=variable.dtype,
        fill_value=0 if whole else np.nan,
        dimension_names=("schedule", "replicate", *variable.dimensions),
        attributes=dict(variable.attributes),
        chunk_key_encoding={"name": "default", "separator": "."},  # no folder within a folder for every dimension
    )


def _over_replicates(records: Sequence[Mapping[str, NDArray[Any]]], variable: Variable) -> NDArray[Any]:
    missing = 0 if np.issubdtype(variable.dtype, np.integer) else np.nan
    block = np.full((len(records), *variable.shape), missing, variable.dtype)
    for place, record in enumerate(records):
        if record:
            block[place] = record[variable.recorded]
    return block
