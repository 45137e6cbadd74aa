"""Posterior draws of fitted parameters, kept beside their values: configs/parameters/posterior/<calibration>.csv.

Each line is one draw, all draws weigh the same, and each column is a parameter in the unit its record is written in;
numbers that were fitted together are drawn together. Lines above the header begin with "#": the command that made the
fit, and the value that the record of each column had when the draws were written, so that draws that no longer belong
to the parameter files are found out.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.errors import ConfigError
from abm.parameters import CONFIG_DIRECTORY, ParameterRecord, parameter_parts, parameter_records
from abm.streams import generator
from abm.study.store import write_text

if TYPE_CHECKING:
    from abm.study.fit import Fit

Floats = NDArray[np.float64]

KEPT = 200  # draws
DIGITS = 6  # significant, of a draw
SAME = 1e-9  # relative difference up to which two numbers are one
COMMAND, VALUES = "command: ", "values: "
EXPECTED = "the file as `calibrate --write` leaves it"


class Posterior(NamedTuple):
    """Draws of the parameters of one calibration.

    name: of the calibration; keys: `part.name`, with `.species` where these differ; units, values: of their records
    when the draws were written; draws: (draws, parameters), equally weighted, in these units; command: of the fit.
    """

    name: str
    command: str
    keys: tuple[str, ...]
    units: tuple[str, ...]
    values: tuple[float, ...]
    draws: Floats
    file: str = ""

    @property
    def parts(self) -> set[str]:
        """The parts that its parameters belong to."""
        return {key.partition(".")[0] for key in self.keys}

    def overrides(self, draw: int) -> dict[str, float]:
        """One draw as `part.name` -> number in the unit of the record."""
        return dict(zip(self.keys, self.draws[draw].tolist(), strict=True))

    def stale(self) -> str:
        """Why the draws no longer belong to the parameter files, with the command that mends it; empty if they do."""
        for place, key in enumerate(self.keys):
            record = _record(key)
            if record is None:
                return self._no_longer(f"there is no parameter {key} any more")
            value, unit = self.values[place], self.units[place]
            if record.unit != unit:
                return self._no_longer(f"{key} is in {unit} there and in {record.unit} in the parameter files")
            if not math.isclose(record.number, value, rel_tol=SAME):
                return self._no_longer(f"{key} is {value:g} there and {record.number:g} in the parameter files")
            # A draw has fewer digits than the end of its range may have.
            drawn = self.draws[:, place]
            slack = 10.0 ** (1 - DIGITS) * max(abs(record.low), abs(record.high))
            if drawn.min() < record.low - slack or drawn.max() > record.high + slack:
                return self._no_longer(f"draws of {key} lie outside its range")
        return ""

    def _no_longer(self, reason: str) -> str:
        return f"{Path(self.file).name or self.name} is stale, as {reason}: run `{self.command} --write` again"


def posterior_of(fit: Fit, command: str) -> Posterior:
    """The draws of a fit that are kept, evenly from all of them, with the values of the records as they stand now."""
    keys = tuple(found.prior.key for found in fit.parameters)
    units = tuple(found.prior.unit for found in fit.parameters)
    # A likelihood-free fit gives its draws in the order of their distances. They are kept in an order of their own,
    # since draws of several fits are put together by their places.
    places = generator(0, 0, f"order {fit.calibration.name}").permutation(np.arange(KEPT) * len(fit.draws) // KEPT)
    records = [_record(key) for key in keys]
    values = tuple(record.number for record in records if record is not None)
    return Posterior(fit.calibration.name, command, keys, units, values, np.asarray(fit.draws)[places])


def posterior_folder() -> Path:
    """Where posteriors are kept."""
    return CONFIG_DIRECTORY / "parameters" / "posterior"


def write_posterior(posterior: Posterior, folder: Path | None = None) -> Path:
    """Write a posterior as <its name>.csv into a folder (default: that of the parameter files); returns its path."""
    folder = folder or posterior_folder()
    folder.mkdir(parents=True, exist_ok=True)
    columns = zip(posterior.keys, posterior.units, strict=True)
    lines = [
        f"# {len(posterior.draws)} equally weighted draws from the posterior of a fit, in the units of the records",
        f"# {COMMAND}{posterior.command}",
        f"# {VALUES}{','.join(f'{value!r}' for value in posterior.values)}",
        ",".join(key if unit == "1" else f"{key} ({unit})" for key, unit in columns),
        *(",".join(f"{value:.{DIGITS}g}" for value in draw) for draw in posterior.draws),
    ]
    path = folder / f"{posterior.name}.csv"
    write_text(path, "\n".join(lines) + "\n")
    return path


def check_alone(name: str, keys: Iterable[str], folder: Path | None = None) -> None:
    """Raises ConfigError where the posterior of another fit than `name` holds one of the parameters."""
    for posterior in load_posteriors(folder):
        shared = sorted(set(keys) & set(posterior.keys))
        if posterior.name != name and shared:
            problem = f"the fit '{posterior.name}' has it already, in {posterior.file}"
            expected = f"name: {posterior.name}, which replaces that"
            raise ConfigError(problem, key="parameters", value=shared[0], expected=expected)


def load_posteriors(folder: Path | None = None) -> list[Posterior]:
    """Every posterior of a folder (default: that of the parameter files), by name; none where there is no folder.

    Raises ConfigError where a file is not as `calibrate --write` leaves it, or two of them hold one parameter.
    """
    found = [load_posterior(path) for path in sorted((folder or posterior_folder()).glob("*.csv"))]
    owners: dict[str, Posterior] = {}
    for posterior in found:
        for key in posterior.keys:
            if key in owners:
                problem = f"also stands in {Path(owners[key].file).name}"
                raise ConfigError(problem, file=posterior.file, key=key, expected="each parameter in one posterior")
            owners[key] = posterior
    return found


def load_posterior(path: Path) -> Posterior:
    """The posterior in a file. Raises ConfigError, with the line, where it is not as `calibrate --write` leaves it."""
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line.removeprefix("#").strip() for line in lines if line.startswith("#")]
    table = [(number, line) for number, line in enumerate(lines, start=1) if line and not line.startswith("#")]
    command, values = (_noted(notes, label, path) for label in (COMMAND, VALUES))
    if len(table) < 2:
        raise ConfigError("holds no draws", file=str(path), expected=EXPECTED)
    heads = [_head(cell) for cell in next(csv.reader([table[0][1]]))]
    rows = [_numbers(line, len(heads), path, number) for number, line in table[1:]]
    written = _numbers(values, len(heads), path, None)
    keys, units = (tuple(parts) for parts in zip(*heads, strict=True))
    if len(set(keys)) < len(keys):
        raise ConfigError("a parameter stands twice", file=str(path), line=table[0][0], expected=EXPECTED)
    return Posterior(path.stem, command, keys, units, tuple(written), np.array(rows), str(path))


def _noted(notes: Sequence[str], label: str, path: Path) -> str:
    for line in notes:
        if line.startswith(label):
            return line.removeprefix(label)
    raise ConfigError(f"has no line '# {label.strip()}'", file=str(path), expected=EXPECTED)


def _head(cell: str) -> tuple[str, str]:
    """Key and unit of a column: "a.b (mmol/L)" or "a.b"."""
    found = re.fullmatch(r"(\S+)(?: \((.+)\))?", cell)
    return (found[1], found[2] or "1") if found else (cell, "1")


def _numbers(line: str, count: int, path: Path, number: int | None) -> list[float]:
    """The numbers of a line; ConfigError where they are not `count` finite ones."""
    try:
        found = [float(cell) for cell in line.split(",")]
    except ValueError:
        found = []
    if len(found) != count or not all(map(math.isfinite, found)):
        raise ConfigError("not a number for each parameter", file=str(path), line=number, expected=f"{count} numbers")
    return found


def _record(key: str) -> ParameterRecord | None:
    part, _, name = key.partition(".")
    return parameter_records(part).get(name) if part in parameter_parts() else None
