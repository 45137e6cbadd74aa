"""What the tests of the server share."""

from __future__ import annotations

import csv
from pathlib import Path
from unittest import mock

import pytest
from small import Rows, small_experiment

from abm.study import run_experiment


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Rows]:
    """Results of the small experiment, as `run.py experiment` writes them: folder, and value by what was read."""
    folder = tmp_path_factory.mktemp("published") / "small"
    # What the parameters leave open is not looked at here, and takes longer than the runs.
    with mock.patch("abm.study.posterior.posterior_folder", return_value=Path("none")):
        run_experiment(small_experiment(), folder, workers=1)
    with (folder / "replicates.csv").open(newline="", encoding="utf-8") as stream:
        rows = {
            (r["schedule"], r["metric"], r["region"], float(r["time_h"])): r["value"] for r in csv.DictReader(stream)
        }
    return folder, rows
