"""The tables of a study: every value of every replicate, and its summary per schedule with paired contrasts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from abm.metrics import METRICS
from abm.study.contrasts import NO_CONTRAST, mean_over_replicates, paired_ratio
from abm.study.plan import Plan, Run
from abm.study.results import SummaryRow

REPLICATE_COLUMNS = ("schedule", "replicate", "seed", "metric", "region", "time_h", "value", "unit")
SUMMARY_COLUMNS = SummaryRow._fields
FAILURE_COLUMNS = ("schedule", "replicate", "seed", "stage", "error", "traceback")

Values = Mapping[Run, Sequence[float]]


def replicate_rows(plan: Plan, values: Values) -> Iterator[tuple[object, ...]]:
    """Rows of replicates.csv: one per run and reading; a run that failed keeps its rows, with NaN for the value."""
    seed = plan.experiment.run.seed
    missing = [float("nan")] * len(plan.readings)
    for run in plan.runs:
        for reading, value in zip(plan.readings, values.get(run, missing), strict=True):
            unit = METRICS[reading.metric].unit
            hour = plan.hour(reading.step)
            yield (run.schedule, run.replicate, seed, reading.metric, reading.region, hour, float(value), unit)


def summary_rows(plan: Plan, values: Values) -> Iterator[SummaryRow]:
    """Rows of summary.csv: mean over replicates, and ratio to the reference schedule paired by replicate."""
    missing = [float("nan")] * len(plan.readings)
    reference = plan.experiment.reference
    for schedule in plan.timelines:
        for place, reading in enumerate(plan.readings):
            own = _over_replicates(plan, values, schedule, place, missing)
            metric, contrast = METRICS[reading.metric], NO_CONTRAST
            if schedule != reference and metric.has_zero:
                contrast = paired_ratio(own, _over_replicates(plan, values, reference, place, missing))
            hour = plan.hour(reading.step)
            yield SummaryRow(
                schedule, metric.name, reading.region, hour, metric.unit, *mean_over_replicates(own), *contrast
            )


def _over_replicates(plan: Plan, values: Values, schedule: str, place: int, missing: Sequence[float]) -> list[float]:
    replicates = range(plan.experiment.run.replicates)
    return [float(values.get(Run(schedule, replicate), missing)[place]) for replicate in replicates]
