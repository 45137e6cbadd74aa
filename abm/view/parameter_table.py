"""The numbers of an experiment as rows of a table, for the report and the description of the model."""

from __future__ import annotations

from collections import Counter

from abm.config import Experiment
from abm.parameters import GRADES, ParameterRecord, parameter_parts, parameter_records
from abm.study.parameter_space import absent_parts

HEAD = ("parameter", "value", "range", "grade", "from", "sources", "note")


def parameter_rows(experiment: Experiment) -> dict[str, list[tuple[str, ...]]]:
    """Rows under HEAD by part; what the experiment changes is said, with the usual value."""
    overrides = experiment.subject.overrides
    return {
        part: [_row(name, record, overrides.get(f"{part}.{name}")) for name, record in records.items()]
        for part, records in experiment_records(experiment).items()
    }


def experiment_records(experiment: Experiment) -> dict[str, dict[str, ParameterRecord]]:
    """The records of the subject's species by part and name; without those of the body where there is none."""
    absent = absent_parts(experiment)
    parts = [part for part in parameter_parts() if part not in absent]
    return {part: parameter_records(part, experiment.subject.species) for part in parts}


def grades_text(experiment: Experiment) -> str:
    """How many numbers there are of each grade, and what the table means."""
    grades = Counter(record.grade for part in experiment_records(experiment).values() for record in part.values())
    counts = ", ".join(f"{grades[grade]} {grade}" for grade in GRADES)
    return (
        f"{grades.total()} numbers for {experiment.subject.species}: {counts}. Assumed: a choice without a direct "
        "measurement. In brackets the 95 % interval of a fit."
    )


def _row(name: str, record: ParameterRecord, override: object) -> tuple[str, ...]:
    limits = f"{record.low:g} to {record.high:g}" + ("" if record.unit == "1" else f" {record.unit}")
    value = str(record.value) if override is None else f"{override} (in place of {record.value})"
    if record.interval is not None and override is None:
        value += f" [{record.interval[0]:g}, {record.interval[1]:g}]"
    return (name, value, limits, record.grade, record.species or "", ", ".join(record.source), record.note)
