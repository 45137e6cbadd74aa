"""What a calibration found, and the files it leaves: posterior.csv and fit.json."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.config.calibration import Calibration
from abm.study.fitted_records import FittedNumber
from abm.study.priors import Prior
from abm.study.store import ResultsFolder, remove, write_table, write_text

Floats = NDArray[np.float64]


class FitFolder(ResultsFolder):
    """Where a calibration keeps its files."""

    own = ("posterior.csv", "fit.json")
    account = "fit.json"
    resumable = False

    def clear_up(self) -> None:
        """Leave nothing but a fit: no folder where there is none."""
        remove(self.runs)
        with suppress(OSError):  # which says that there is something in it
            self.path.rmdir()


class FittedRow(NamedTuple):
    """A published result that was fitted: predicted before and after, and the residuals in standard errors."""

    id: str
    observation: str
    before: float
    after: float
    residual_before: float
    residual_after: float


class FittedParameter(NamedTuple):
    """A parameter: its range, value before and after, 95 % posterior interval, in the unit of its record.

    identified: whether the rows narrowed it. kept: whether the value before is kept, as it lies in the interval.
    most_probable: the value at the optimum.
    """

    prior: Prior
    value: float
    low: float
    high: float
    identified: bool
    kept: bool
    most_probable: float


@dataclass(frozen=True)
class Fit:
    """What a calibration found.

    draws: (500, parameters) from the posterior; cost_before, cost_after: sum of squared residuals (least squares) or
    their root mean square (likelihood-free); left_out: rows the method cannot predict; notes: of the method.
    """

    calibration: Calibration
    seed: int
    rows: list[FittedRow]
    left_out: list[str]
    parameters: list[FittedParameter]
    draws: Floats
    cost_before: float
    cost_after: float
    notes: dict[str, Any]

    def numbers(self) -> list[FittedNumber]:
        """What goes into the parameter files."""
        return [
            FittedNumber(found.prior.key, None if found.kept else found.value, found.low, found.high, found.identified)
            for found in self.parameters
        ]


def write_fit(fit: Fit, out: Path) -> None:
    """Write posterior.csv and fit.json into a folder, which is made where it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    keys = [found.prior.key for found in fit.parameters]
    units = [found.prior.unit for found in fit.parameters]
    columns = [key if unit == "1" else f"{key} ({unit})" for key, unit in zip(keys, units, strict=True)]
    write_table(out / "posterior.csv", columns, ([float(value) for value in draw] for draw in fit.draws))
    record = {
        "name": fit.calibration.name,
        "method": fit.calibration.method,
        "seed": fit.seed,
        "cost_before": fit.cost_before,
        "cost_after": fit.cost_after,
        "rows": [row._asdict() for row in fit.rows],
        "rows_left_out": fit.left_out,
        "parameters": [
            {
                "key": found.prior.key,
                "unit": found.prior.unit,
                "range": [found.prior.low, found.prior.high],
                "before": found.prior.value,
                "after": found.value,
                "most_probable": found.most_probable,
                "interval": [found.low, found.high],
                "identified": found.identified,
            }
            for found in fit.parameters
        ],
        **fit.notes,
    }
    write_text(out / "fit.json", json.dumps(record, indent=2, ensure_ascii=False) + "\n")
