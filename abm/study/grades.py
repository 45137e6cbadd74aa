"""Uncertainty crossed with evidence: how much of a result's variance rests on measured, how much on assumed numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from abm.parameters import GRADES

MEASUREMENTS = 3
LEAST = 0.005  # share of the variance below which a parameter is not named: it would show as 0 %


class SensitivityRow(NamedTuple):
    """A row of sensitivity.csv: one parameter and one contrast, which is the logarithm of a ratio to the reference.

    mu, mu_star, sigma: of the elementary effects, per whole range of the parameter. S1, ST: Sobol's first-order and
    total-order index with half-widths of 95 % bootstrap intervals, NaN where only screened. share: of the variance,
    from what `basis` names, "sobol" or "morris". tissue: what was simulated.
    """

    contrast: str
    metric: str
    parameter: str
    part: str
    grade: str
    source: str
    mu: float
    mu_star: float
    sigma: float
    S1: float
    S1_conf: float
    ST: float
    ST_conf: float
    share: float
    basis: str
    tissue: str


class GradeRow(NamedTuple):
    """A row of sensitivity_grades.csv: share of the variance of a contrast in numbers of one grade, and the part of
    the share that comes from Sobol's indices.
    """

    contrast: str
    metric: str
    grade: str
    share: float
    share_sobol: float
    parameters: int
    tissue: str


def by_contrast(rows: Sequence[SensitivityRow]) -> dict[tuple[str, str], list[SensitivityRow]]:
    """The rows of each contrast and read-out, the largest share first."""
    found: dict[tuple[str, str], list[SensitivityRow]] = {}
    for row in rows:
        found.setdefault((row.contrast, row.metric), []).append(row)
    return {key: sorted(own, key=lambda row: -row.share) for key, own in found.items()}


def grade_rows(rows: Sequence[SensitivityRow]) -> list[GradeRow]:
    """The share of each grade in each contrast; over the four grades they sum to 1 (0 where nothing varies)."""
    crossed = []
    for (contrast, metric), own in by_contrast(rows).items():
        for grade in GRADES:
            graded = [row for row in own if row.grade == grade]
            share = math.fsum(row.share for row in graded)
            sobol = math.fsum(row.share for row in graded if row.basis == "sobol")
            crossed.append(GradeRow(contrast, metric, grade, share, sobol, len(graded), own[0].tissue))
    return crossed


def sentences(rows: Sequence[SensitivityRow]) -> list[str]:
    """For each contrast: where its variance comes from, and which measurements would narrow it most."""
    told = []
    for (contrast, metric), own in by_contrast(rows).items():
        share = {row.grade: 100.0 * row.share for row in grade_rows(own)}
        sobol = 100.0 * math.fsum(row.share for row in own if row.basis == "sobol")
        largest = [row for row in own[:MEASUREMENTS] if row.share >= LEAST]
        if not largest:
            told.append(f"No parameter that was varied changes {contrast} {metric}.")
            continue
        named = ", ".join(f"{row.parameter} ({row.grade}, {100.0 * row.share:.0f} %)" for row in largest)
        count = "measurement" if len(largest) == 1 else f"{_word(len(largest))} measurements"
        told.append(
            f"{share['measured']:.0f} % of the variance of {contrast} {metric} comes from measured numbers, "
            f"{share['derived']:.0f} % from derived, {share['fitted']:.0f} % from fitted and {share['assumed']:.0f} % "
            f"from assumed ones; the {count} that would narrow it most {'is' if len(largest) == 1 else 'are'} {named}. "
            + _basis(sobol)
        )
    return told


def _basis(sobol: float) -> str:
    """What the shares rest on; sobol: per cent shared out by Sobol's indices."""
    if sobol == 0.0:
        return (
            "(Shares by Morris' mean effects alone; Sobol's indices, where there are any, are too uncertain at this "
            "size.)"
        )
    return (
        f"({sobol:.0f} % of the variance is shared out by Sobol's total-order indices, the rest by Morris' mean "
        "effects.)"
    )


def _word(count: int) -> str:
    return {2: "two", 3: "three"}[count]
