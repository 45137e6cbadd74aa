"""What a calibration fits: by which method, which parameters, to which published results.

    name: neurons
    method: likelihood_free
    evidence: calibration                # every calibration row of the library; or ids or files of evidence
    metrics: [bdnf_protein, bdnf_mrna]   # only these read-outs, or `parts` of the chain; all where absent
    parameters: [expression.activity_gain, epigenome.opening_rate]
    settings: {population: 200, generations: 8}
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from abm.config.evidence import Evidence, evidence_library, load_evidence
from abm.config.experiment import Name
from abm.config.loading import load_document
from abm.config.messages import validate
from abm.config.part import OneOrMore, Part
from abm.errors import ConfigError, Fault, listed, nearest
from abm.metric_names import METRIC_NAMES
from abm.parameters import SPECIES, ParameterRecord, parameter_parts, parameter_records
from abm.units import convert
from abm.yaml_lines import Document

ChainPart = Literal["body", "blood", "tissue", "epigenome", "expression", "synapses"]
ALL = "calibration"  # stands for every calibration row of the library


class FitSettings(Part):
    """Size of a likelihood-free fit."""

    population: Annotated[int, Field(strict=True, ge=10, le=100_000)] = 200
    """Parameter sets kept in each generation."""
    generations: Annotated[int, Field(strict=True, ge=1, le=100)] = 8
    """How many temperatures the likelihood is taken at, one after the other; the last is 1, the likelihood itself."""


class Calibration(Part):
    """A fit: its method, its rows, its parameters."""

    name: Name
    """Name of the fit."""
    method: Literal["least_squares", "likelihood_free"]
    """least_squares: any part, the posterior near its peak; likelihood_free: neurons, draws over the whole range."""
    evidence: Annotated[tuple[str, ...], OneOrMore, Field(min_length=1)] = (ALL,)
    """`calibration` for every calibration row of the library, or ids of the library or files of evidence."""
    metrics: Annotated[tuple[str, ...], OneOrMore] = ()
    """Read-outs whose rows are used; all where absent."""
    parts: Annotated[tuple[ChainPart, ...], OneOrMore] = ()
    """Parts of the chain whose read-outs' rows are used; all where absent."""
    parameters: Annotated[tuple[str, ...], OneOrMore, Field(min_length=1)]
    """`part.name`; with `.human` or `.mouse` for that record only where they differ between species."""
    centres: dict[str, str | float] = Field(default_factory=dict)
    """Centres of the priors, by parameter, of a least-squares fit. Its values become the most probable ones, and a fit
    that is repeated after its result was written finds the same. Where absent, the prior lies about the value of the
    parameter file, which stays as long as it lies in the interval."""
    settings: FitSettings | None = None
    """Size of a likelihood-free fit."""

    @field_validator("centres", mode="before")
    @classmethod
    def _centres_are_numbers(cls, given: Any) -> Any:
        for name, value in given.items() if isinstance(given, dict) else ():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise Fault("is of the wrong kind", expected="a number, with its unit where it has one", at=(name,))
        return given

    @field_validator("metrics")
    @classmethod
    def _metrics_are_known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        for index, name in enumerate(names):
            if name not in METRIC_NAMES:
                near = nearest(name, METRIC_NAMES)
                raise Fault("unknown read-out", expected="the name of a read-out", suggestion=near, at=(index,))
        return names

    @field_validator("parameters")
    @classmethod
    def _parameters_are_known(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        found: set[str] = set()
        for index, key in enumerate(keys):
            try:
                records = records_of(key)
            except Fault as fault:
                raise Fault(fault.problem, expected=fault.expected, suggestion=fault.suggestion, at=(index,)) from fault
            if found & records.keys():
                raise Fault("the parameter stands twice", expected="each parameter once", at=(index,))
            found |= records.keys()
        return keys

    @model_validator(mode="after")
    def _settings_fit_the_method(self) -> Self:
        if self.method == "least_squares" and self.settings is not None:
            raise Fault("least squares has no settings", expected="no settings", at=("settings",))
        if self.method == "likelihood_free" and self.centres:
            raise Fault("the priors of a likelihood-free fit are flat", expected="no centres", at=("centres",))
        return self

    @model_validator(mode="after")
    def _centres_lie_in_their_ranges(self) -> Self:
        for key, written in self.centres.items():
            if key not in self.records:
                near = nearest(key, self.records)
                raise Fault("is not fitted", expected="one of `parameters`", suggestion=near, at=("centres", key))
            self._centre(key, written)
        return self

    def centre(self, key: str) -> float:
        """Centre of the prior of a parameter in the unit of its record."""
        return self._centre(key, self.centres[key]) if key in self.centres else self.records[key].number

    def _centre(self, key: str, written: str | float) -> float:
        record = self.records[key]
        expected = f"{record.text(record.low)} to {record.text(record.high)}"
        if record.unit == "1" and isinstance(written, str):
            raise Fault("is not a number", expected=expected, at=("centres", key))
        try:
            number = float(written) if record.unit == "1" else convert(str(written), record.unit)
        except Fault as fault:
            raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion, at=("centres", key)) from fault
        if not record.low <= number <= record.high:
            raise Fault("lies outside the range", expected=expected, at=("centres", key))
        return number

    @cached_property
    def records(self) -> dict[str, ParameterRecord]:
        """The records to be fitted, by `part.name` or, where species differ, `part.name.species`."""
        return {name: record for key in self.parameters for name, record in records_of(key).items()}


def records_of(key: str) -> dict[str, ParameterRecord]:
    """The records a parameter key names, one or one per species, by full key. Raises Fault where there are none."""
    part, _, name = key.partition(".")
    if part not in parameter_parts():
        expected = "part.name with a part among " + listed(parameter_parts())
        near = nearest(part, parameter_parts())
        raise Fault(
            f"there are no parameters called '{part}'",
            expected=expected,
            suggestion=f"{near}.{name}" if near and name else near,
        )
    records = parameter_records(part)
    names = [name] if name in records else [f"{name}.{species}" for species in SPECIES]
    if names[0] not in records:
        near = nearest(name, records)
        expected = f"a parameter in configs/parameters/{part}.yaml"
        suggestion = f"{part}.{near}" if near else None
        raise Fault(f"there is no parameter '{name}' of {part}", expected=expected, suggestion=suggestion)
    return {f"{part}.{each}": records[each] for each in names}


def load_calibration(path: str | Path) -> tuple[Calibration, list[Evidence]]:
    """A calibration and its evidence, which holds calibration rows and nothing else.

    Raises ConfigError where the file breaks the rules, there is no such evidence, or evidence is named that is kept
    for validation: what a model is judged by must never have formed it.
    """
    document = load_document(path)
    calibration = validate(Calibration, document)
    return calibration, _evidence(calibration, document, Path(path))


def _evidence(calibration: Calibration, document: Document, path: Path) -> list[Evidence]:
    library = {file.stem: file for file in evidence_library()}
    found: dict[str, Evidence] = {}
    for index, name in enumerate(calibration.evidence):
        if name == ALL:
            every = (load_evidence(file) for file in library.values())
            found |= {evidence.id: evidence for evidence in every if evidence.role == "calibration"}
            continue
        mark = document.mark(("evidence", index))
        file = library.get(name) or _own_file(name, path)
        if file is None:
            options = [ALL, *library]
            raise ConfigError(
                "there is no such evidence",
                file=mark.file,
                line=mark.line,
                key="evidence",
                value=f'"{name}"',
                expected="calibration, an id of configs/evidence, or the path of an evidence file",
                suggestion=nearest(name, options),
            )
        evidence = load_evidence(file)
        kept = library.get(evidence.id)  # a copy of a paper is no other paper
        if evidence.role != "calibration" or (kept and load_evidence(kept).role != "calibration"):
            raise ConfigError(
                "is kept for validation and may not be fitted",
                file=mark.file,
                line=mark.line,
                key="evidence",
                value=f'"{name}"',
                expected="evidence with role: calibration",
            )
        found[evidence.id] = evidence
    return list(found.values())


def _own_file(name: str, path: Path) -> Path | None:
    """A user's own evidence file, found from the working directory or from beside the calibration file."""
    candidates: Sequence[Path] = (Path(name), path.parent / name)
    return next((file for file in candidates if file.is_file()), None)
