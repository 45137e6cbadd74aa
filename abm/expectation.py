"""The expected neuron: the rules of one neuron with every random draw replaced by its probability.

A row of 12 nucleosomes is followed by the probability of each number n_R of repressed ones (a master equation); the
acetylated share of the open ones relaxes to its equilibrium, an allele is followed by its probability of bursting on a
row with each number of acetylated ones, transcripts and proteins take their means. It is the oracle of the stochastic
population, shows how much of a result is due to the time step, and is fast enough to scan parameters.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import LN2, power, relax
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
    bursting,
    creb_target,
    excited,
    glucocorticoid_occupancy,
    hill,
    initiation_rate,
    next_fndc5,
    next_proform,
    next_store,
    next_trkb_surface,
    promoter_access,
    release_rate,
    rise,
    switching,
    trkb_drive,
)
from abm.loops import compiled
from abm.neurons import Pharmacology, PromoterConstants, promoter_constants


class SetPoint(NamedTuple):
    """Mean drives over a resting day: BHB on CREB and on excitability, lactate on NMDA receptors and on FNDC5, irisin,
    erasers, glucocorticoid receptors.
    """

    bhb: float
    excitability: float
    lactate: float
    fndc5: float
    irisin: float
    eraser: float
    glucocorticoid: float


class Expected(NamedTuple):
    """Course of the expected neuron, one value per step.

    creb, fndc5, hdac2, hdac3, release, extracellular_bdnf, trkb, trkb_surface: relative to rest; acetylated, repressed:
    fractions of nucleosomes; transcripts: copies from all promoters, transcripts_I..VI: from each; proform, bdnf:
    dimers.
    """

    creb: npt.NDArray[np.float64]
    fndc5: npt.NDArray[np.float64]
    hdac2: npt.NDArray[np.float64]
    hdac3: npt.NDArray[np.float64]
    acetylated: npt.NDArray[np.float64]
    repressed: npt.NDArray[np.float64]
    transcripts: npt.NDArray[np.float64]
    transcripts_I: npt.NDArray[np.float64]
    transcripts_II: npt.NDArray[np.float64]
    transcripts_IV: npt.NDArray[np.float64]
    transcripts_VI: npt.NDArray[np.float64]
    proform: npt.NDArray[np.float64]
    bdnf: npt.NDArray[np.float64]
    release: npt.NDArray[np.float64]
    extracellular_bdnf: npt.NDArray[np.float64]
    trkb: npt.NDArray[np.float64]
    trkb_surface: npt.NDArray[np.float64]


def set_point(
    e: EpigenomeParameters, x: ExpressionParameters, resting: npt.NDArray[np.float64]
) -> SetPoint:
    """Set point from the concentrations of a resting day, shape (T, 4): BHB, lactate, irisin, free cortisol."""
    bhb, lactate, irisin, cortisol = resting.T
    return SetPoint(
        float(np.mean([hill(c, x.bhb_half, 1) for c in bhb])),
        float(np.mean([hill(c, x.bhb_excitability_half, 1) for c in bhb])),
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
    drugs: npt.NDArray[np.float64] | None = None,
    bdnf_time: float = 0.0,
    brought: npt.NDArray[np.float64] | None = None,
) -> Expected:
    """Course of the expected neuron in steps of dt hours, from its state at rest.

    concentrations: (T, 4) step means of BHB, lactate (mmol/L), irisin, free cortisol (nmol/L); activity: (T,) relative
    to rest; drugs: (T, 20), the fields of `abm.neurons.Pharmacology` in every step, or none. bdnf_time: hours in which
    extracellular BDNF follows release, all neurons releasing alike (`abm.tissue.medium.bdnf_memory`); 0: at once.
    brought: (T,) extracellular BDNF at resting release, relative to rest, where a bath or an infusion brings more.
    """
    size = NUCLEOSOMES_PER_PROMOTER
    ways = np.array([[_combinations(size - n, k) for k in range(size + 1)] for n in range(size + 1)])
    distribution = resting_repressed_distribution(e)
    if drugs is None:
        drugs = np.array([Pharmacology()], dtype=np.float64)
    if brought is None:
        brought = np.ones(len(activity))
    out = np.zeros((len(Expected._fields), len(activity)))
    constants = promoter_constants(x, e, dt)
    _march(
        e, x, constants, rest, concentrations, activity, drugs, brought, bdnf_time, dt, ways, distribution, out
    )
    return Expected(*out)


def _combinations(n: int, k: int) -> float:
    ways = 1.0
    for i in range(k):
        ways *= (n - i) / (i + 1)
    return ways


@compiled
def _exchange(
    p: EpigenomeParameters, probability: npt.NDArray[np.float64], unmodified: float, creb: float, eraser: float,
    dt: float,
) -> None:
    """The master equation of n_R over dt hours, in place; `unmodified` is the U share of open nucleosomes.

    Explicit steps, as many as keep every probability positive: none takes more than half of one away.
    """
    size = probability.size - 1
    opening = opening_rate(p, creb)
    fastest = size * (opening + repression_rate(p, 1.0, eraser) * unmodified)
    steps = int(2.0 * fastest * dt) + 1
    part = dt / steps
    for _ in range(steps):
        carried = 0.0
        for n in range(size):
            up = probability[n] * repression_rate(p, n / size, eraser) * unmodified * (size - n) * part
            down = probability[n + 1] * opening * (n + 1) * part
            probability[n] += carried - up + down
            carried = up - down
        probability[size] += carried


@compiled
def _acetylated_counts(
    probability: npt.NDArray[np.float64], ways: npt.NDArray[np.float64], open_share: float,
    counts: npt.NDArray[np.float64],
) -> None:
    """Probability of each number of acetylated nucleosomes in a row, into counts, (13,).

    Given n repressed ones it is binomial among the 12 - n open ones, each acetylated with probability open_share.
    """
    size = probability.size - 1
    open_share = min(open_share, 1.0 - 1e-12)  # without any eraser it is 1 to the last bit
    counts[:] = 0.0
    for n in range(size + 1):
        weight = probability[n] * (1.0 - open_share) ** (size - n)
        for k in range(size - n + 1):
            counts[k] += weight * ways[n, k]
            weight *= open_share / (1.0 - open_share)


@compiled
def _bursting(
    x: ExpressionParameters, c: PromoterConstants, counts: npt.NDArray[np.float64], start: float, gain: float,
    decay: float, dt: float, active: npt.NDArray[np.float64],
) -> float:
    """Mean number of a promoter's two alleles that burst during a step, over the numbers of acetylated nucleosomes.

    active (13,): probability that an allele bursts on a row with so many; advanced by dt hours.
    """
    number = 0.0
    for k in range(counts.size):
        end = burst_end(x, k / ((counts.size - 1) * c.resting_acetylated), gain)
        on, off = switching(start, end, dt)
        before = active[k]
        active[k] = before * (1.0 - off) + (1.0 - before) * on
        number += counts[k] * bursting(2.0 * (before + active[k]), start, end, on, off, decay, c.lost)
    return number


@compiled
def _march(
    e: EpigenomeParameters, x: ExpressionParameters, c: PromoterConstants, rest: SetPoint,
    concentrations: npt.NDArray[np.float64], activity: npt.NDArray[np.float64], drugs: npt.NDArray[np.float64],
    brought: npt.NDArray[np.float64], bdnf_time: float, dt: float, ways: npt.NDArray[np.float64],
    probability: npt.NDArray[np.float64], out: npt.NDArray[np.float64],
) -> None:
    """The course itself, into `out` (fields of Expected, steps); the rules are those of the stochastic neuron."""
    size = probability.size - 1
    creb = fndc5 = hdac2 = hdac3 = trkb = surface = from_release = 1.0
    open_share = writer_rate(e, 1.0) / (writer_rate(e, 1.0) + e.eraser_rate)
    counts, transcripts = np.zeros(size + 1), np.zeros(4)
    decay = LN2 / x.transcript_half_life
    _acetylated_counts(probability, ways, open_share, counts)
    active = np.empty((4, size + 1))
    for q in range(4):
        for k in range(size + 1):
            end = burst_end(x, k / (size * c.resting_acetylated), c.duration_gain[q])
            active[q, k] = x.burst_start_rate / (x.burst_start_rate + end)
        number = _bursting(x, c, counts, x.burst_start_rate, c.duration_gain[q], decay, dt, active[q])
        transcripts[q] = initiation_rate(x, c.transcript_share[q]) * number / decay
    proform = next_proform(x, 0.0, transcripts.sum(), 1.0, 1e5)
    store = next_store(x, 0.0, proform, 1.0, 1e5)
    resting_release = release_rate(x, store, 1.0)
    for t in range(activity.size):
        bhb, lactate, irisin, cortisol = concentrations[t]
        r = drugs[min(t, drugs.shape[0] - 1)]
        d = Pharmacology(
            r[0], r[1], r[2], r[3], r[4], r[5], r[6], r[7], r[8], r[9], r[10], r[11], r[12], r[13], r[14], r[15], r[16],
            r[17], r[18], r[19],
        )  # fmt: skip
        bhb, lactate = d.mct2 * bhb, d.mct2 * lactate
        fndc5 = next_fndc5(x, fndc5, d.sirt1 * d.pgc1a * hill(lactate, x.fndc5_lactate_half, 3), rest.fndc5, dt)
        firing = excited(
            x, activity[t], rise(d.pka * hill(bhb, x.bhb_excitability_half, 1), rest.excitability)
        )
        target = d.creb * creb_target(
            x, firing, rise(d.pka * hill(bhb, x.bhb_half, 1), rest.bhb),
            rise(d.nmdar * hill(lactate, x.lactate_half, 2), rest.lactate),
            rise(d.integrin * hill(irisin, x.irisin_half, 1), rest.irisin), d.fndc5 * fndc5, trkb,
        )
        creb = relax(creb, target, 1.0 / x.creb_time, dt)
        hdac2 = hdac_abundance(hdac2, e.hdac2_loss, creb, e, dt)
        hdac3 = hdac_abundance(hdac3, e.hdac3_loss, creb, e, dt)
        eraser = eraser_activity(
            e, bhb, d.hdac1, d.hdac2 * hdac2, d.hdac3 * hdac3, d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
        ) / rest.eraser
        on, off = writer_rate(e, creb), e.eraser_rate * eraser
        open_share = relax(open_share, on / (on + off), on + off, dt)
        _exchange(e, probability, 1.0 - open_share, creb, eraser, dt)
        _acetylated_counts(probability, ways, open_share, counts)
        access = promoter_access(x, d.gr * glucocorticoid_occupancy(x, cortisol, d.agonist), rest.glucocorticoid)
        for q in range(4):
            start = burst_start(x, power(creb, c.frequency_exponent[q]), access)
            number = _bursting(x, c, counts, start, c.duration_gain[q], decay, dt, active[q])
            made = d.transcription * initiation_rate(x, c.transcript_share[q]) * number
            transcripts[q] = relax(transcripts[q], made / decay, decay, dt)
        store = next_store(x, store, proform, firing, dt)
        proform = next_proform(x, proform, transcripts.sum(), d.bdnf_synthesis * d.protein_synthesis, dt)
        relative = release_rate(x, store, firing) / resting_release
        from_release = relax(from_release, relative, 1.0 / bdnf_time, dt) if bdnf_time > 0.0 else relative
        outside = max(from_release + (brought[t] - 1.0), 0.0)
        surface = next_trkb_surface(x, surface, outside, dt)
        trkb = trkb_drive(outside, d.trkb * surface)
        repressed = 0.0
        for n in range(size + 1):
            repressed += probability[n] * n / size
        out[0, t], out[1, t], out[2, t], out[3, t] = creb, fndc5, hdac2, hdac3
        out[4, t], out[5, t], out[6, t] = (1.0 - repressed) * open_share, repressed, transcripts.sum()
        out[7, t], out[8, t], out[9, t], out[10, t] = transcripts[0], transcripts[1], transcripts[2], transcripts[3]
        out[11, t], out[12, t], out[13, t], out[14, t] = proform, store, relative, outside
        out[15, t], out[16, t] = trkb, surface
