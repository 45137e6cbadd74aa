"""Effect sizes as meta-analyses give them: a virtual cohort whose subjects differ, and Hedges g between its groups.

The model predicts what a treatment does to a mean subject. Published standardised differences divide by the spread
between subjects, so that spread is put back here: lognormal baselines, and lognormal responses to the treatment.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.observation.parameters import ObservationParameters, pooled_cv
from abm.streams import generator

LARGE = 100_000  # subjects per group that stand for the expectation
NORMAL_95 = 1.959963984540054


class StandardisedDifference(NamedTuple):
    """Hedges g between two groups and its 95 % interval."""

    g: float
    low: float
    high: float


def standardised_difference(
    treated: float,
    control: float,
    cv: float,
    generator: np.random.Generator,
    response_cv: float = 0.0,
    n: int | tuple[int, int] = LARGE,
) -> StandardisedDifference:
    """Hedges g of a treated against a control group of virtual subjects.

        g = J (mean_t - mean_c) / s,   s^2 = [(n_t - 1) s_t^2 + (n_c - 1) s_c^2] / df,   J = 1 - 3 / (4 df - 1)

    df = n_t + n_c - 2. treated, control: what the model predicts for the mean subject, both above zero and in one
    unit. cv: coefficient of variation of the read-out between subjects; response_cv: of the response to the treatment,
    independent of the baseline. n: subjects per group, or of the treated and of the control group; the default is so
    many that g is the expectation. The interval is g +- 1.96 sqrt((n_t + n_c)/(n_t n_c) + g^2 / (2 (n_t + n_c))).
    Raises ValueError for values not above zero, a negative spread or fewer than two subjects.
    """
    sizes = (n, n) if isinstance(n, int) else n
    if not (treated > 0.0 and control > 0.0 and cv > 0.0 and response_cv >= 0.0 and min(sizes) > 1):
        raise ValueError("a cohort needs values and a spread above zero, and two subjects per group")
    with_treatment = treated * variation(cv, sizes[0], generator) * variation(response_cv, sizes[0], generator)
    without = control * variation(cv, sizes[1], generator)
    total, freedom = sum(sizes), sum(sizes) - 2
    square = (sizes[0] - 1) * with_treatment.var(ddof=1) + (sizes[1] - 1) * without.var(ddof=1)
    g = float((with_treatment.mean() - without.mean()) / math.sqrt(square / freedom)) * small_sample(freedom)
    error = math.sqrt(total / (sizes[0] * sizes[1]) + g * g / (2.0 * total))
    return StandardisedDifference(g, g - NORMAL_95 * error, g + NORMAL_95 * error)


def effect_size(p: ObservationParameters, metric: str, treated: float, control: float, seed: int) -> float:
    """Hedges g expected between large groups of virtual subjects, the same subjects at every call with a seed.

    treated, control: what the model predicts for the mean subject of either group; metric: the read-out, whose spread
    between subjects is that of `pooled_cv`. Raises ValueError for values not above zero.
    """
    subjects = generator(seed, 0, "cohort")
    return standardised_difference(treated, control, pooled_cv(p, metric), subjects, p.response_cv).g


def variation(cv: float, subjects: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """Lognormal factors of mean 1 and the given coefficient of variation, shape (subjects,)."""
    square = math.log1p(cv * cv)
    return np.exp(math.sqrt(square) * generator.standard_normal(subjects) - 0.5 * square)


def small_sample(freedom: int) -> float:
    """Hedges' correction of the bias of a standardised difference in small samples, 1 - 3 / (4 df - 1)."""
    return 1.0 - 3.0 / (4.0 * freedom - 1.0)
