"""Chromatin of the Bdnf promoters: erasers inhibited by beta-hydroxybutyrate, and a row of nucleosomes per promoter.

Each nucleosome is repressed (R), unmodified (U) or acetylated (A), in a chain R - U - A:

    U -> A   k_e w(S)                     writers (CREB with CBP)
    A -> U   k_e h                        erasers (HDAC1, 2, 3)
    U -> R   r1 (1 + b (n_R/N)^2) h       repressors, recruited by repressed nucleosomes of the same promoter
    R -> U   r2 S^k                       opening, driven by the CREB signal

h is the eraser activity relative to rest, S the CREB signal relative to rest. Recruitment over the whole row by more
than one modified nucleosome is what lets a memory emerge (Dodd 2007, dodd2007). Everything here is local to a neuron.
"""

import math
from collections.abc import Callable
from functools import cache
from typing import Annotated, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import exponential, power, relax
from abm.loops import rule
from abm.metric_names import PROMOTERS
from abm.parameters import Unit

NUCLEOSOMES_PER_PROMOTER = 12  # about 2.4 kb around a promoter
REPRESSED, UNMODIFIED, ACETYLATED = -1, 0, 1


class EpigenomeParameters(NamedTuple):
    """Rates of chromatin at rest and how signals change them; sources in configs/parameters/epigenome.yaml."""

    eraser_rate: Annotated[float, Unit("1/h")]
    acetylated_fraction: Annotated[float, Unit("1")]
    repressed_fraction: Annotated[float, Unit("1")]
    writer_gain: Annotated[float, Unit("1")]
    opening_rate: Annotated[float, Unit("1/h")]
    opening_exponent: Annotated[float, Unit("1")]
    repressor_recruitment: Annotated[float, Unit("1")]
    bhb_ic50_hdac1: Annotated[float, Unit("mmol/L")]
    bhb_ic50_hdac2: Annotated[float, Unit("mmol/L")]
    bhb_ic50_hdac3: Annotated[float, Unit("mmol/L")]
    hdac1_share: Annotated[float, Unit("1")]
    hdac2_share: Annotated[float, Unit("1")]
    hdac3_share: Annotated[float, Unit("1")]
    hdac2_loss: Annotated[float, Unit("1")]
    hdac3_loss: Annotated[float, Unit("1")]
    hdac_half_signal: Annotated[float, Unit("1")]
    hdac_time: Annotated[float, Unit("h")]


@rule
def free_enzyme(bhb: float, ic50: float, drug: float) -> float:
    """Fraction of one HDAC that no inhibitor occupies: 1 / (1 + [BHB]/IC50 + D).

    bhb: local concentration, mmol/L; ic50: mmol/L (Shimazu 2013, shimazu2013); drug: another competitive
    inhibitor in multiples of its own IC50.
    """
    return 1.0 / (1.0 + bhb / ic50 + drug)


@rule
def eraser_activity(
    p: EpigenomeParameters,
    bhb: float,
    hdac1: float,
    hdac2: float,
    hdac3: float,
    drug1: float,
    drug2: float,
    drug3: float,
) -> float:
    """Deacetylating activity: sum over HDAC1-3 of share x abundance x free enzyme, 1 without any inhibitor.

    bhb: mmol/L; hdac1-3: abundance relative to rest; drug1-3: inhibitors of HDAC1-3 in multiples of their IC50.
    """
    return (
        p.hdac1_share * hdac1 * free_enzyme(bhb, p.bhb_ic50_hdac1, drug1)
        + p.hdac2_share * hdac2 * free_enzyme(bhb, p.bhb_ic50_hdac2, drug2)
        + p.hdac3_share * hdac3 * free_enzyme(bhb, p.bhb_ic50_hdac3, drug3)
    )


@rule
def hdac_abundance(abundance: float, loss: float, creb: float, p: EpigenomeParameters, dt: float) -> float:
    """HDAC2 or HDAC3 after dt hours: X' = (1 - loss s/(s + s_half) - X) / tau with s = max(S - 1, 0).

    Sustained CREB signalling lowers the amount of the enzyme over days (direction: Sleiman 2016, sleiman2016).
    """
    excess = max(creb - 1.0, 0.0)
    target = 1.0 - loss * excess / (excess + p.hdac_half_signal)
    return relax(abundance, target, 1.0 / p.hdac_time, dt)


@rule
def writer_rate(p: EpigenomeParameters, creb: float) -> float:
    """Acetylation of an unmodified nucleosome, 1/h: k_e w0 (1 + g_w (S - 1)), never below zero.

    w0 = A0 / (1 - R0 - A0), so that at rest (S = 1, h = 1) acetylation and deacetylation balance.
    """
    unmodified = 1.0 - p.repressed_fraction - p.acetylated_fraction
    rest = p.eraser_rate * p.acetylated_fraction / unmodified
    return rest * max(1.0 + p.writer_gain * (creb - 1.0), 0.0)


@rule
def repression_rate(p: EpigenomeParameters, repressed: float, eraser: float) -> float:
    """Repression of an unmodified nucleosome, 1/h: r1 (1 + b R^2) h, with R the repressed fraction of the row.

    r1 makes R0 stationary at rest: r1 (1 + b R0^2) (1 - R0 - A0) = r2 R0.
    """
    unmodified = 1.0 - p.repressed_fraction - p.acetylated_fraction
    recruited = 1.0 + p.repressor_recruitment * p.repressed_fraction * p.repressed_fraction
    basal = p.opening_rate * p.repressed_fraction / (recruited * unmodified)
    return basal * (1.0 + p.repressor_recruitment * repressed * repressed) * eraser


@rule
def opening_rate(p: EpigenomeParameters, creb: float) -> float:
    """Return of a repressed nucleosome to the unmodified state, 1/h: r2 S^k."""
    return p.opening_rate * power(creb, p.opening_exponent)


class ChromatinStep(NamedTuple):
    """What one neuron's signals make of the chain R - U - A within a step; the same for its four promoters.

    acetylated, deacetylated: probabilities of leaving U for A and A for U within the step, by the exact solution of
    that pair; opening: R -> U, 1/h.
    """

    acetylated: float
    deacetylated: float
    opening: float


@rule
def chromatin_step(p: EpigenomeParameters, creb: float, eraser: float, dt: float) -> ChromatinStep:
    """The chain in a neuron with the given CREB signal and eraser activity, both relative to rest, over dt hours."""
    on, off = writer_rate(p, creb), p.eraser_rate * eraser
    mixed = (1.0 - exponential(-(on + off) * dt)) / max(on + off, 1e-300)
    return ChromatinStep(mixed * on, mixed * off, opening_rate(p, creb))


@rule
def slow_pair(
    p: EpigenomeParameters, opening: float, repressed: float, eraser: float, dt: float
) -> tuple[float, float]:
    """Probabilities of U -> R and of R -> U within a step, by the exact solution of that pair.

    repressed: fraction of the row at the start of the step; opening: see `ChromatinStep`.
    """
    closing = repression_rate(p, repressed, eraser)
    mixed = (1.0 - exponential(-(closing + opening) * dt)) / max(closing + opening, 1e-300)
    return mixed * closing, mixed * opening


class RowThresholds(NamedTuple):
    """Where a uniform draw leads the nucleosomes of one row within a step, by the state each is in.

    Below `raise_*` it ends acetylated, from `lower_*` on repressed, else unmodified. A repressed one is never
    acetylated within one step; below `raise_repressed` it opens.
    """

    raise_unmodified: float
    lower_unmodified: float
    raise_acetylated: float
    lower_acetylated: float
    raise_repressed: float


@rule
def row_thresholds(
    p: EpigenomeParameters, acetylated: float, deacetylated: float, opening: float, repressed: float, eraser: float,
    dt: float,
) -> RowThresholds:
    """Thresholds of a row of which the fraction `repressed` is repressed; the other arguments as in `ChromatinStep`.

    The fast pair U - A moves first, then the slow pair R - U, each by its exact two-state solution, so the resting
    distribution is kept without step error.
    """
    repress, open_up = slow_pair(p, opening, repressed, eraser, dt)
    return RowThresholds(
        acetylated, 1.0 - (1.0 - acetylated) * repress, 1.0 - deacetylated, 1.0 - deacetylated * repress, open_up
    )


@rule
def next_nucleosome(state: float | np.int32, t: RowThresholds, draw: float) -> np.int8:
    """State of a nucleosome (-1 R, 0 U, 1 A) after a step, given the thresholds of its row and a uniform draw.

    Draw and thresholds may both be whole numbers of a grid. A larger draw never means a more open state, so two runs
    with the same luck stay as alike as they can.
    """
    raise_below = t.raise_unmodified if state == 0 else t.raise_acetylated
    lower_from = t.lower_unmodified if state == 0 else (t.lower_acetylated if state > 0 else t.raise_repressed)
    return np.int8((draw < raise_below) & (state >= 0)) - np.int8(draw >= lower_from)


def mean_field(
    p: EpigenomeParameters, acetylated: float, repressed: float, creb: float, eraser: float
) -> tuple[float, float]:
    """Rates of change (dA/dt, dR/dt), 1/h, of the fractions in an infinitely long row; the oracle of the tests."""
    unmodified = 1.0 - acetylated - repressed
    return (
        writer_rate(p, creb) * unmodified - p.eraser_rate * eraser * acetylated,
        repression_rate(p, repressed, eraser) * unmodified - opening_rate(p, creb) * repressed,
    )


def resting_repressed_distribution(p: EpigenomeParameters) -> npt.NDArray[np.float64]:
    """Stationary probability of n_R = 0..12 repressed nucleosomes in one row at rest, shape (13,).

    The chain R - U - A of a row is in detailed balance: its law is that of a birth and death chain with births
    r1 (1 + b (n_R/N)^2) (N - n_R) / (1 + w0) and deaths r2 n_R, the product of their ratios, times the binomial law of
    n_A among the N - n_R that are open.
    """
    size = NUCLEOSOMES_PER_PROMOTER
    unmodified_share = p.eraser_rate / (p.eraser_rate + writer_rate(p, 1.0))
    weights: npt.NDArray[np.float64] = np.ones(size + 1)
    for n in range(size):
        birth = repression_rate(p, n / size, 1.0) * unmodified_share * (size - n)
        weights[n + 1] = weights[n] * birth / (opening_rate(p, 1.0) * (n + 1))
    return np.asarray(weights / math.fsum(weights.tolist()))


def at_rest(p: EpigenomeParameters, of: Callable[[float], float]) -> float:
    """Mean over resting rows of a function of the share of the row that is repressed."""
    # Not by a library's product, whose bits hang on the processor.
    law = enumerate(resting_repressed_distribution(p).tolist())
    return math.fsum(of(n / NUCLEOSOMES_PER_PROMOTER) * probability for n, probability in law)


@cache
def resting_repressed_share(p: EpigenomeParameters) -> float:
    """Mean share of a resting promoter's nucleosomes that are repressed."""
    return at_rest(p, lambda repressed: repressed)


def resting_acetylation(p: EpigenomeParameters) -> float:
    """Mean acetylated fraction of a resting row of 12; a little above that of an infinitely long row."""
    open_share = 1.0 - resting_repressed_share(p)
    return open_share * writer_rate(p, 1.0) / (p.eraser_rate + writer_rate(p, 1.0))


def resting_rows(
    p: EpigenomeParameters, neurons: int, draw: np.random.Generator
) -> npt.NDArray[np.int8]:
    """Nucleosomes of a resting population, shape (neurons, 4, 12), drawn from the stationary law."""
    size = NUCLEOSOMES_PER_PROMOTER
    cumulative = np.cumsum(resting_repressed_distribution(p))
    shape = (neurons, len(PROMOTERS))
    repressed = np.searchsorted(cumulative[:-1], draw.random(shape))
    order = np.argsort(draw.random((*shape, size)), axis=-1)
    acetylated_share = writer_rate(p, 1.0) / (p.eraser_rate + writer_rate(p, 1.0))
    open_state = np.where(draw.random((*shape, size)) < acetylated_share, ACETYLATED, UNMODIFIED)
    return np.where(order < repressed[..., None], REPRESSED, open_state).astype(np.int8)


def share_in_state(nucleosomes: npt.NDArray[np.int8], state: int) -> npt.NDArray[np.float64]:
    """Share of each neuron's nucleosomes, shape (N, promoters, places), that are in a state, shape (N,)."""
    # Counted in single bytes, which can hold a neuron's 48 and of which many are added at once.
    counts = np.add.reduce(nucleosomes == state, axis=(1, 2), dtype=np.int8)
    return np.asarray(counts / (nucleosomes.shape[1] * nucleosomes.shape[2]), np.float64)
