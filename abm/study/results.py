"""Reading the results of a study."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from abm.study.store import ResultsError, ResultsFolder

if TYPE_CHECKING:  # loaded where a table or array is read, so that a study starts sooner
    import pandas as pd
    import xarray as xr


class SummaryRow(NamedTuple):
    """One row of summary.csv; NaN where nothing can be said."""

    schedule: str
    metric: str
    region: str
    time_h: float
    unit: str
    n: int
    mean: float
    ci_low: float
    ci_high: float
    ratio: float
    ratio_ci_low: float
    ratio_ci_high: float
    p_value: float


class PredictiveRow(NamedTuple):
    """One row of predictive.csv: what the parameters leave open, given the evidence that they were fitted to.

    draws: how many different sets of the parameters that matter to it were drawn and gave a number. median: of the
    read-out in `unit` over the draws, by the expected neuron; NaN where that knows only ratios. ratio_...: to the
    reference schedule, with the committed parameters (ratio_fitted) and over the draws (median, 2.5 and 97.5 %).
    run_ratio: that of the simulated population (summary.csv), and run_place the share of draws whose ratio lies below
    it.
    """

    schedule: str
    metric: str
    region: str
    time_h: float
    unit: str
    draws: int
    median: float
    ratio_fitted: float
    ratio_median: float
    ratio_low: float
    ratio_high: float
    run_ratio: float
    run_place: float


@dataclass(frozen=True)
class Results:
    """The results in one folder; each part is read when it is first used."""

    path: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """Provenance: versions, platform, commit, seed, hashes, times, failures."""
        return ResultsFolder(self.path).manifest()

    @property
    def schedules(self) -> list[str]:
        """Names of the schedules, in the order of the experiment."""
        return list(self.manifest["schedules"])

    @property
    def reference(self) -> str:
        """The schedule that the others are compared with."""
        return str(self.manifest["reference"])

    @cached_property
    def replicates(self) -> pd.DataFrame:
        """Every value: schedule, replicate, seed, metric, region, time_h, value, unit."""
        return self._table("replicates.csv")

    @cached_property
    def summary(self) -> pd.DataFrame:
        """Mean and 95 % interval per schedule, metric, region and time, and the paired ratio to the reference."""
        return self._table("summary.csv")

    @property
    def summary_rows(self) -> list[SummaryRow]:
        """The rows of `summary`, one by one."""
        return [SummaryRow(*row) for row in self.summary[list(SummaryRow._fields)].itertuples(index=False, name=None)]

    @cached_property
    def predictive(self) -> pd.DataFrame:
        """Predictive intervals over the posterior of the parameters; ResultsError where there are none."""
        return self._table("predictive.csv")

    @property
    def predictive_rows(self) -> list[PredictiveRow]:
        """The rows of `predictive`, one by one; none where there is no such table."""
        if not (self.path / "predictive.csv").exists():
            return []
        rows = self.predictive[list(PredictiveRow._fields)].itertuples(index=False, name=None)
        return [PredictiveRow(*row) for row in rows]

    @property
    def predictive_note(self) -> str:
        """Why there are no predictive intervals; empty where there are some."""
        return str(self.manifest.get("predictive", {}).get("left_out", ""))

    @cached_property
    def traces(self) -> xr.Dataset:
        """Traces over time, with units."""
        return self._arrays("traces.zarr")

    @cached_property
    def states(self) -> xr.Dataset:
        """Neuron columns and concentration fields at chosen times, with units."""
        return self._arrays("states.zarr")

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        # Only an empty cell is a missing value: a schedule may be called "none" or "NA".
        texts = dict.fromkeys(("schedule", "metric", "region", "unit"), str)
        return pd.read_csv(self._part(name), dtype=texts, keep_default_na=False, na_values=[""])

    def _arrays(self, name: str) -> xr.Dataset:
        import xarray as xr

        return xr.open_dataset(self._part(name), engine="zarr")

    def _part(self, name: str) -> Path:
        path = self.path / name
        if not path.exists():
            status = self.manifest.get("status", "unknown")
            advice = "use --overwrite to run it anew" if status == "complete" else "go on with --resume"
            raise ResultsError(f"{self.path} holds no {name} (its study is {status}): {advice}")
        return path


def open_results(path: str | os.PathLike[str]) -> Results:
    """Open the results of a study; ResultsError where the folder holds none."""
    results = Results(Path(path))
    if "study" in results.manifest:
        raise ResultsError(f"{results.path} holds a study of another kind ({results.manifest['study']})")
    return results
