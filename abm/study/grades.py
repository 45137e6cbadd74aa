"""Uncertainty crossed with evidence: how much of a result's variance rests on measured, how much on assumed numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.parameters import GRADES
from abm.study.contrasts import NAN
from abm.study.indices import MEASUREMENTS, WITHIN, FirstOrder, TotalOrder

Floats = NDArray[np.float64]

TOGETHER, LUCK = "together", "luck"
SHARED = (*GRADES, TOGETHER, LUCK)
LEAST = 0.005  # share of the variance below which a parameter is not named: it would show as 0 %
SURE, POSSIBLE = 0.9, 0.1  # how often among the three in resamples: named as one of them, named as one that may be


class SensitivityRow(NamedTuple):
    """A row of sensitivity.csv: one parameter and one contrast, which is the logarithm of a ratio to the reference.

    mu, mu_star, sigma: of Morris' elementary effects, per whole range of the parameter; NaN without trajectories.
    srrc: standardised rank regression coefficient. share: of the variance of the contrast's rank, the first-order index
    (S1), and share_conf the half-width of its 95 % interval. among_three: how often the parameter is among the three
    with the largest shares, over resamples. tissue: what was simulated.
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
    srrc: float
    share: float
    share_conf: float
    among_three: float
    tissue: str


class GradeRow(NamedTuple):
    """A row of sensitivity_grades.csv: share of the variance of a contrast's rank in numbers of one grade, each by
    itself, in numbers that act together or along curves ("together"), or in luck, with its 95 % interval.

    low, high: of that interval. parameters: how many are of the grade. total: total-order index of all of the grade,
    its share with all that it does together with others, with its 95 % interval; of luck the same as its share.
    """

    contrast: str
    metric: str
    grade: str
    share: float
    low: float
    high: float
    parameters: int
    total: float
    total_low: float
    total_high: float
    tissue: str


def by_contrast(rows: Sequence[SensitivityRow]) -> dict[tuple[str, str], list[SensitivityRow]]:
    """The rows of each contrast and read-out, the largest share first."""
    found: dict[tuple[str, str], list[SensitivityRow]] = {}
    for row in rows:
        found.setdefault((row.contrast, row.metric), []).append(row)
    return {key: sorted(own, key=lambda row: -row.share) for key, own in found.items()}


def grade_rows(
    contrast: str, metric: str, tissue: str, grades: Sequence[str], found: FirstOrder, totals: Mapping[str, TotalOrder]
) -> list[GradeRow]:
    """Shares of each grade, of what acts together and of luck in one contrast; they sum to 1 (0 where nothing varies).

    grades: of the factors of `found`, in their order; totals: of luck and of each grade that there is.
    """
    luck, nothing = totals[LUCK], (NAN, NAN, NAN)
    whole = 1.0 if found.coefficient.any() else 0.0
    left, left_resampled = whole - luck.share, whole - luck.resampled
    rows = []
    for grade in GRADES:
        own = np.array([other == grade for other in grades])
        share, resampled = float(found.share[own].sum()), found.resampled[:, own].sum(axis=1)
        left, left_resampled = left - share, left_resampled - resampled
        total = _interval(totals[grade].share, totals[grade].resampled) if grade in totals else (0.0, 0.0, 0.0)
        rows.append((grade, int(own.sum()), _interval(share, resampled), total))
    together, by_luck = _interval(left, left_resampled), _interval(luck.share, luck.resampled)
    rows += [(TOGETHER, 0, together, nothing), (LUCK, 0, by_luck, by_luck)]
    return [
        GradeRow(contrast, metric, grade, *share, parameters, *total, tissue)
        for grade, parameters, share, total in rows
    ]


def _interval(centre: float, resampled: Floats) -> tuple[float, float, float]:
    """A share with the ends of its 95 % interval."""
    low, high = np.quantile(resampled, WITHIN).tolist()
    return centre, low, high


def percent(share: float, low: float, high: float) -> str:
    """Such as "25 % [20, 31]"; a share is never told as less than nothing or more than all."""
    if math.isnan(share):
        return "unknown"
    centre, *ends = (f"{100.0 * min(max(value, 0.0), 1.0):.0f}" for value in (share, low, high))
    return f"{centre} % [{', '.join(ends)}]"


def percent_of(row: SensitivityRow) -> str:
    """The share of a parameter with its interval."""
    return percent(row.share, row.share - row.share_conf, row.share + row.share_conf)


def sentences(rows: Sequence[SensitivityRow], grades: Sequence[GradeRow]) -> list[str]:
    """For each contrast: where its variance comes from, and which measurements would narrow it most."""
    told = []
    for (contrast, metric), own in by_contrast(rows).items():
        shares = {row.grade: row for row in grades if (row.contrast, row.metric) == (contrast, metric)}
        share = {grade: percent(row.share, row.low, row.high) for grade, row in shares.items()}
        if all(math.isnan(row.share) for row in own):
            told.append(f"Too few points have an outcome of {contrast} {metric} to share its variance out.")
        elif not any(row.share >= LEAST for row in own):
            told.append(f"No parameter that was varied changes {contrast} {metric} by itself.")
        else:
            told.append(
                f"{share['measured']} of the variance of {contrast} {metric} comes from measured numbers, "
                f"{share['derived']} from derived, {share['fitted']} from fitted and {share['assumed']} from assumed "
                f"ones, each by itself; {share[TOGETHER]} from numbers acting together and {share[LUCK]} from luck. "
                f"{_totals(shares)} {_measurements(own)}"
            )
    return told


def _totals(shares: Mapping[str, GradeRow]) -> str:
    """How much of the variance numbers of each grade have to do with."""
    own = [shares[grade] for grade in GRADES if shares[grade].parameters]
    if any(row.total < row.share for row in own):
        return "What they do together with others takes more places where they are drawn anew."
    named = ", ".join(f"{row.grade} {percent(row.total, row.total_low, row.total_high)}" for row in own)
    return f"With all that they do together with others: {named}."


def _measurements(rows: Sequence[SensitivityRow]) -> str:
    """Which measurements would narrow a contrast most, as far as that is sure; rows: the largest share first."""
    known = [row for row in rows if row.share - row.share_conf >= LEAST]
    sure = [row for row in known if row.among_three >= SURE]
    possible = [row for row in known if POSSIBLE <= row.among_three < SURE]
    most = max((row.share + row.share_conf for row in rows if row not in (*sure, *possible)), default=0.0)
    rest = f"no other brings more than {100.0 * most:.0f} %"
    candidates = ", ".join(
        f"{row.parameter} ({row.grade}, {percent_of(row)}, in {100.0 * row.among_three:.0f} % of resamples)"
        for row in possible
    )
    if not sure:
        return f"Which measurement would narrow it most is not sure: {candidates or 'none stands out'}; {rest}."
    named = ", ".join(f"{row.parameter} ({row.grade}, {percent_of(row)})" for row in sure)
    text = f"The {_count(len(sure))} that would narrow it most {'is' if len(sure) == 1 else 'are'} {named}"
    text += f"; among the three may also be {candidates}" if candidates else ""
    return f"{text}." if len(sure) == MEASUREMENTS else f"{text}; {rest}."


def _count(measurements: int) -> str:
    return {1: "measurement", 2: "two measurements", 3: "three measurements"}[measurements]
