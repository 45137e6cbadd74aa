"""The expected neuron: the rules of one neuron with every random draw replaced by its probability.

A row of 12 nucleosomes is followed by the probability of each number n_R of repressed ones (a master equation); U and A
are in equilibrium given n_R, and alleles, transcripts and proteins take their means. It is the oracle of the stochastic
population, shows how much of a result is due to the time step, and is fast enough to scan parameters.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from abm.elementary import relax
from abm.epigenome import (
    NUCLEOSOMES_PER_PROMOTER,
    EpigenomeParameters,
    eraser_activity,
    hdac_abundance,
    opening_rate,
    repression_rate,
    resting_repressed_distribution,
    writer_rate,
)
from abm.expression import (
    ExpressionParameters,
    burst_end,
    burst_start,
    creb_target,
    glucocorticoid_occupancy,
    hill,
    initiation_rate,
    next_fndc5,
    next_proform,
    next_store,
    next_trkb_surface,
    release_rate,
    rise,
    trkb_drive,
)
from abm.neurons import PromoterConstants, promoter_constants

LN2 = 0.6931471805599453


class SetPoint(NamedTuple):
    """Mean drives over a resting day: BHB, lactate, lactate on FNDC5, irisin, erasers, glucocorticoid receptors."""

    bhb: float
    lactate: float
    fndc5: float
    irisin: float
    eraser: float
    glucocorticoid: float


class Expected(NamedTuple):
    """Course of the expected neuron, one value per step: CREB, acetylated and repressed fraction, transcripts of
    promoter I and of all, mature BDNF dimers, TrkB drive."""

    creb: npt.NDArray[np.float64]
    acetylated: npt.NDArray[np.float64]
    repressed: npt.NDArray[np.float64]
    transcripts_I: npt.NDArray[np.float64]
    transcripts: npt.NDArray[np.float64]
    bdnf: npt.NDArray[np.float64]
    trkb: npt.NDArray[np.float64]


def set_point(
    e: EpigenomeParameters, x: ExpressionParameters, resting: npt.NDArray[np.float64]
) -> SetPoint:
    """Set point from the concentrations of a resting day, shape (T, 4): BHB, lactate, irisin, free cortisol."""
    bhb, lactate, irisin, cortisol = resting.T
    return SetPoint(
        float(np.mean([hill(c, x.bhb_half, 1) for c in bhb])),
        float(np.mean([hill(c, x.lactate_half, 2) for c in lactate])),
        float(np.mean([hill(c, x.fndc5_lactate_half, 3) for c in lactate])),
        float(np.mean([hill(c, x.irisin_half, 1) for c in irisin])),
        float(np.mean([eraser_activity(e, c, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0) for c in bhb])),
        float(np.mean([glucocorticoid_occupancy(x, c, 0.0) for c in cortisol])),
    )


def expected_neuron(
    e: EpigenomeParameters,
    x: ExpressionParameters,
    concentrations: npt.NDArray[np.float64],
    activity: npt.NDArray[np.float64],
    rest: SetPoint,
    dt: float,
) -> Expected:
    """Course of the expected neuron in steps of dt hours, from its state at rest.

    concentrations: (T, 4) step means of BHB, lactate (mmol/L), irisin, free cortisol (nmol/L); activity: (T,) relative
    to rest. Extracellular BDNF is taken in proportion to release.
    """
    size = NUCLEOSOMES_PER_PROMOTER
    ways = np.array([[_combinations(size - n, k) for k in range(size + 1)] for n in range(size + 1)])
    distribution = resting_repressed_distribution(e)
    out = np.zeros((len(Expected._fields), len(activity)))
    _march(e, x, promoter_constants(x, e), rest, concentrations, activity, dt, ways, distribution, out)
    return Expected(*out)


def _combinations(n: int, k: int) -> float:
    ways = 1.0
    for i in range(k):
        ways *= (n - i) / (i + 1)
    return ways


@njit(cache=True, error_model="numpy")
def _exchange(
    p: EpigenomeParameters, probability: npt.NDArray[np.float64], unmodified: float, creb: float, eraser: float,
    dt: float,
) -> None:
    """One explicit step of the master equation of n_R, in place; `unmodified` is the U share of open nucleosomes."""
    size = probability.size - 1
    opening = opening_rate(p, creb)
    carried = 0.0
    for n in range(size):
        up = probability[n] * repression_rate(p, n / size, eraser) * unmodified * (size - n) * dt
        down = probability[n + 1] * opening * (n + 1) * dt
        probability[n] += carried - up + down
        carried = up - down
    probability[size] += carried


@njit(cache=True, error_model="numpy")
def _bursting(
    x: ExpressionParameters, probability: npt.NDArray[np.float64], ways: npt.NDArray[np.float64], acetylated: float,
    start: float, resting_acetylated: float, gain: float,
) -> float:
    """Mean share of time that an allele bursts, over n_R and over binomial numbers of acetylated open nucleosomes."""
    size = probability.size - 1
    share = 0.0
    for n in range(size + 1):
        for k in range(size - n + 1):
            weight = probability[n] * ways[n, k] * acetylated**k * (1.0 - acetylated) ** (size - n - k)
            share += weight * start / (start + burst_end(x, k / size, resting_acetylated, gain))
    return share


@njit(cache=True, error_model="numpy")
def _march(
    e: EpigenomeParameters, x: ExpressionParameters, c: PromoterConstants, rest: SetPoint,
    concentrations: npt.NDArray[np.float64], activity: npt.NDArray[np.float64], dt: float,
    ways: npt.NDArray[np.float64], probability: npt.NDArray[np.float64], out: npt.NDArray[np.float64],
) -> None:
    """The course itself, into `out` (fields of Expected, steps); the rules are those of the stochastic neuron."""
    size = probability.size - 1
    creb = fndc5 = hdac2 = hdac3 = trkb = surface = 1.0
    open_share = writer_rate(e, 1.0) / (writer_rate(e, 1.0) + e.eraser_rate)
    transcripts = np.zeros(4)
    decay = LN2 / x.transcript_half_life
    for q in range(4):
        start, gain = x.burst_start_rate, c.duration_gain[q]
        active = _bursting(x, probability, ways, open_share, start, c.resting_acetylated, gain)
        transcripts[q] = 2.0 * initiation_rate(x, c.transcript_share[q]) * active / decay
    proform = next_proform(x, 0.0, transcripts.sum(), 1.0, 1e5)
    store = next_store(x, 0.0, proform, 1.0, 1e5)
    resting_release = release_rate(x, store, 1.0)
    for t in range(activity.size):
        bhb, lactate, irisin, cortisol = concentrations[t]
        fndc5 = next_fndc5(x, fndc5, hill(lactate, x.fndc5_lactate_half, 3), rest.fndc5, dt)
        target = creb_target(
            x, activity[t], rise(hill(bhb, x.bhb_half, 1), rest.bhb),
            rise(hill(lactate, x.lactate_half, 2), rest.lactate), rise(hill(irisin, x.irisin_half, 1), rest.irisin),
            fndc5, trkb,
        )
        creb = relax(creb, target, 1.0 / x.creb_time, dt)
        hdac2 = hdac_abundance(hdac2, e.hdac2_loss, creb, e, dt)
        hdac3 = hdac_abundance(hdac3, e.hdac3_loss, creb, e, dt)
        eraser = eraser_activity(e, bhb, 1.0, hdac2, hdac3, 0.0, 0.0, 0.0) / rest.eraser
        on, off = writer_rate(e, creb), e.eraser_rate * eraser
        open_share = relax(open_share, on / (on + off), on + off, dt)
        _exchange(e, probability, 1.0 - open_share, creb, eraser, dt)
        receptor = glucocorticoid_occupancy(x, cortisol, 0.0)
        for q in range(4):
            start = burst_start(x, creb, c.frequency_exponent[q], receptor, rest.glucocorticoid)
            active = _bursting(x, probability, ways, open_share, start, c.resting_acetylated, c.duration_gain[q])
            made = 2.0 * initiation_rate(x, c.transcript_share[q]) * active
            transcripts[q] = relax(transcripts[q], made / decay, decay, dt)
        store = next_store(x, store, proform, activity[t], dt)
        proform = next_proform(x, proform, transcripts.sum(), 1.0, dt)
        relative = release_rate(x, store, activity[t]) / resting_release
        surface = next_trkb_surface(x, surface, relative, dt)
        trkb = trkb_drive(relative, surface)
        repressed = 0.0
        for n in range(size + 1):
            repressed += probability[n] * n / size
        out[0, t], out[1, t], out[2, t] = creb, (1.0 - repressed) * open_share, repressed
        out[3, t], out[4, t], out[5, t], out[6, t] = transcripts[0], transcripts.sum(), store, trkb
