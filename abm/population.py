"""The loop over all neurons: each step senses, transcribes, expresses and adapts, tile by tile.

A tile's numbers stay in the processor's cache from one rule to the next, and every inner loop runs along neurons, over
columns that lie side by side, so that the compiler works on several neurons at once. The rules themselves stand in
`abm.epigenome`, `abm.expression` and `abm.synapses`, each for one neuron.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import LN2, exponential, logarithm, mean_relaxed, relax
from abm.epigenome import (
    ACETYLATED,
    REPRESSED,
    EpigenomeParameters,
    RowThresholds,
    chromatin_step,
    eraser_activity,
    hdac_abundance,
    next_nucleosome,
    row_thresholds,
)
from abm.expression import (
    MANY,
    ExpressionParameters,
    awake_creb,
    binomial,
    burst_end,
    burst_start,
    bursting,
    calcium_drive,
    creb_target,
    excitation,
    few_of_binomial,
    few_of_poisson,
    glucocorticoid_equivalent,
    glucocorticoid_occupancy,
    hill,
    next_fndc5,
    next_proform,
    next_promoter,
    next_store,
    next_trkb_surface,
    p75_drive,
    poisson,
    promoter_access,
    relative_firing,
    release_gain,
    release_rate,
    released,
    rise,
    saturation,
    switching,
    trkb_drive,
)
from abm.loops import loop
from abm.neurons import Drive, NeuronColumns, Pharmacology, Signals
from abm.promoters import PromoterConstants
from abm.streams import NUCLEOSOMES, TRANSCRIPTION, StreamKey, fill_uniforms, fill_whole, on_grid
from abm.synapses import (
    SynapseParameters,
    cortisol_gain,
    mean_protein,
    next_contacts,
    next_protein,
    next_scale,
    next_threshold,
    triggered_time,
    trkb_gain,
)
from abm.vectors import widest_vectors

TILE = 1024  # neurons that are taken through all rules together
Floats = npt.NDArray[np.float64]
Wholes = npt.NDArray[np.int32]
# Unsigned, because a signed index could be negative and count from the end, which each access would check.
Index = np.uint64


class Scratch(NamedTuple):
    """What a step of the promoters needs of a tile of neurons, each of shape (TILE,); draws (4, TILE).

    creb: signal, mean over the step; glucocorticoid: see `glucocorticoid_equivalent`, nmol/L; made and none: mean
    transcripts that are made, and the probability of none;
    gained and lost: transcripts; marked: nucleosomes of the row that are repressed, later those that are acetylated;
    raise_*, lower_*: the thresholds of a row, `on_grid`, as are the draws (4, TILE) that nucleosomes are moved by,
    `whole`.
    """

    acetylated: Floats
    deacetylated: Floats
    opening: Floats
    creb: Floats
    log_creb: Floats
    access: Floats
    glucocorticoid: Floats
    gained: Floats
    lost: Floats
    made: Floats
    none: Floats
    draws: Floats
    raise_unmodified: Wholes
    lower_unmodified: Wholes
    raise_acetylated: Wholes
    lower_acetylated: Wholes
    raise_repressed: Wholes
    whole: Wholes
    marked: npt.NDArray[np.int8]


@loop
def sense(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    given: Drive, mean_drive: Floats, dt: float, first: Index, last: Index, w: Scratch,
) -> None:
    """Signals in the neurons first..last-1: firing, FNDC5, the CREB signal, HDAC2 and HDAC3, the erasers' activity.

    What CREB drives within the step follows its mean; at its end it would lead after every change.
    """
    widest_vectors()
    for i in range(first, last):
        v, activity = n.voxel[i], relative_firing(n.drive[i], mean_drive[n.region[i]], given.activity)
        bhb, lactate = d.mct2 * signals.bhb[v], d.mct2 * signals.lactate[v]
        through_sirt1 = d.sirt1 * d.pgc1a * hill(lactate, x.fndc5_lactate_half, x.fndc5_lactate_exponent)
        n.fndc5[i] = next_fndc5(x, n.fndc5[i], through_sirt1, n.rest_fndc5[i], dt)
        excitability = rise(d.pka * saturation(bhb, x.bhb_excitability_half), n.rest_excitability[i])
        n.excitation[i] = excitation(x, excitability)
        n.activity[i] = activity * n.excitation[i]
        target = creb_target(
            x,
            calcium_drive(n.activity[i], d.nmdar),
            rise(d.pka * saturation(bhb, x.bhb_half), n.rest_bhb[i]),
            rise(d.nmdar * hill(lactate, x.lactate_half, x.lactate_exponent), n.rest_lactate[i]),
            rise(d.integrin * saturation(signals.irisin[v], x.irisin_half), n.rest_irisin[i]),
            d.fndc5 * n.fndc5[i],
            n.trkb[i],
            d.creb,
        )
        creb = mean_relaxed(n.creb[i], target, 1.0 / x.creb_time, dt)
        w.creb[i - first] = awake_creb(creb, given.waking, d.creb)
        n.creb[i] = relax(n.creb[i], target, 1.0 / x.creb_time, dt)
        n.hdac2[i] = hdac_abundance(n.hdac2[i], e.hdac2_loss, creb, e, dt)
        n.hdac3[i] = hdac_abundance(n.hdac3[i], e.hdac3_loss, creb, e, dt)
        active = eraser_activity(
            e, bhb, d.hdac1, d.hdac2 * n.hdac2[i], d.hdac3 * n.hdac3[i], d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
        )
        n.eraser[i] = active / n.rest_eraser[i]


@loop
def signals_at_promoters(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters, dt: float,
    first: Index, last: Index, w: Scratch,
) -> None:
    """What is the same for a neuron's four promoters in a step, and what its glucocorticoid receptors meet."""
    widest_vectors()
    for i in range(first, last):
        creb = w.creb[i - first]
        step = chromatin_step(e, creb, n.eraser[i], dt)
        w.acetylated[i - first], w.deacetylated[i - first] = step.acetylated, step.deacetylated
        w.opening[i - first] = step.opening
        w.log_creb[i - first] = logarithm(creb)
        cortisol = signals.cortisol[n.voxel[i]]
        w.glucocorticoid[i - first] = glucocorticoid_equivalent(x, cortisol, d.agonist)
        receptors = d.gr * glucocorticoid_occupancy(x, cortisol, d.agonist)
        w.access[i - first] = promoter_access(x, receptors, n.rest_glucocorticoid[i])


@loop
def count_state(
    nucleosomes: npt.NDArray[np.int8], promoter: int, state: int, first: Index, last: Index,
    count: npt.NDArray[np.int8],
) -> None:
    """Count the nucleosomes of one promoter that are in a state, for the neurons first..last-1, in single bytes."""
    widest_vectors()
    for i in range(first, last):
        count[i - first] = 0
    for place in range(nucleosomes.shape[2]):
        for i in range(first, last):
            count[i - first] += np.int8(nucleosomes[i, promoter, place] == state)


@loop
def move_nucleosomes(
    n: NeuronColumns, e: EpigenomeParameters, dt: float, first: Index, last: Index, promoter: int, key: StreamKey,
    step: int, w: Scratch,
) -> None:
    """Move the rows of nucleosomes of one promoter by dt hours; `w.marked` holds the acetylated ones then.

    The fast pair U - A moves first, then the slow pair R - U, each by its exact two-state solution, so the resting
    distribution is kept without step error. Nucleosome 4 b + k of promoter q uses draw k of block q + 4 b.
    """
    widest_vectors()
    size = n.nucleosomes.shape[2]
    count_state(n.nucleosomes, promoter, REPRESSED, first, last, w.marked)
    for i in range(first, last):
        j = i - first
        t = row_thresholds(
            e, w.acetylated[j], w.deacetylated[j], w.opening[j], w.marked[j] / size, n.eraser[i], dt
        )
        w.raise_unmodified[j], w.lower_unmodified[j] = on_grid(t.raise_unmodified), on_grid(t.lower_unmodified)
        w.raise_acetylated[j], w.lower_acetylated[j] = on_grid(t.raise_acetylated), on_grid(t.lower_acetylated)
        w.raise_repressed[j] = on_grid(t.raise_repressed)
    for block in range(size // 4):
        fill_whole(key, first, last, step, NUCLEOSOMES, promoter + 4 * block, w.whole)
        for position in range(4):
            place = 4 * block + position
            for i in range(first, last):
                j = i - first
                thresholds = RowThresholds(
                    w.raise_unmodified[j], w.lower_unmodified[j], w.raise_acetylated[j], w.lower_acetylated[j],
                    w.raise_repressed[j],
                )  # fmt: skip
                n.nucleosomes[i, promoter, place] = next_nucleosome(
                    np.int32(n.nucleosomes[i, promoter, place]), thresholds, w.whole[position, j]
                )
    count_state(n.nucleosomes, promoter, ACETYLATED, first, last, w.marked)


@loop
def transcribe(
    n: NeuronColumns, d: Pharmacology, x: ExpressionParameters, c: PromoterConstants, dt: float,
    first: Index, last: Index, promoter: int, key: StreamKey, step: int, w: Scratch,
) -> None:
    """Bursts and transcripts of one promoter over dt hours; `w.marked`: its acetylated nucleosomes.

    Few transcripts are made or lost in a step, and few are drawn for several neurons at once; the rest one by one.
    """
    widest_vectors()
    # Of what is made in a step part decays in it: rate (1 - e^(-gamma dt)) / gamma is left at its end.
    decay = LN2 / x.transcript_half_life
    left = d.transcription * c.initiation[promoter] * c.lost / decay
    relative = 1.0 / (n.nucleosomes.shape[2] * c.resting_acetylated)
    exponent, gain = c.frequency_exponent[promoter], c.duration_gain[promoter]
    fill_uniforms(key, first, last, step, TRANSCRIPTION, promoter, w.draws)
    for i in range(first, last):
        j = i - first
        frequency = exponential(exponent * w.log_creb[j])  # S^n
        start, end = burst_start(x, frequency, w.access[j]), burst_end(x, w.marked[j] * relative, gain)
        on, off = switching(start, end, dt)
        one, two = np.float64(n.promoter_on[i, promoter, 0]), np.float64(n.promoter_on[i, promoter, 1])
        first_allele = next_promoter(one, on, off, w.draws[0, j])
        second_allele = next_promoter(two, on, off, w.draws[1, j])
        n.promoter_on[i, promoter, 0], n.promoter_on[i, promoter, 1] = first_allele, second_allele
        ends = one + two + np.float64(first_allele) + np.float64(second_allele)
        w.made[j] = left * bursting(ends, start, end, on, off, decay, c.lost)
        w.none[j] = exponential(-w.made[j])
    for i in range(first, last):
        j = i - first
        held = Index(min(n.transcripts[i, promoter], c.survival.size - 1))
        w.gained[j] = few_of_poisson(w.made[j], w.none[j], w.draws[2, j])
        w.lost[j] = few_of_binomial(np.float64(held), c.lost, c.survival[held], w.draws[3, j])
    for i in range(first, last):
        j, copies = i - first, min(n.transcripts[i, promoter], c.survival.size - 1)
        if w.gained[j] == MANY:
            w.gained[j] = poisson(w.made[j], w.none[j], w.draws[2, j])
        if w.lost[j] == MANY:
            w.lost[j] = binomial(copies, c.lost, c.survival[copies], w.draws[3, j])
        n.transcripts[i, promoter] = copies + np.int32(w.gained[j]) - np.int32(w.lost[j])


@loop
def express(
    n: NeuronColumns, signals: Signals, d: Pharmacology, x: ExpressionParameters, unevenness: float, dt: float,
    first: Index, last: Index,
) -> None:
    """proBDNF, the store of mature BDNF, its release, and TrkB of the neurons first..last-1 over dt hours."""
    widest_vectors()
    for i in range(first, last):
        copies = np.float64(n.transcripts[i, 0] + n.transcripts[i, 1] + n.transcripts[i, 2] + n.transcripts[i, 3])
        gain = release_gain(x, n.activity[i], n.excitation[i], unevenness)
        before, proform = n.bdnf_protein[i], n.bdnf_pro[i]
        after = next_store(x, before, proform, gain, dt)
        n.bdnf_protein[i] = after
        n.unsecreted[i] += released(x, before, after, proform, gain, dt)
        n.bdnf_pro[i] = next_proform(x, proform, copies, d.bdnf_synthesis * d.protein_synthesis, dt)
        n.release_rate[i] = release_rate(x, n.bdnf_protein[i], gain)
        relative = signals.bdnf[n.voxel[i]] / n.rest_bdnf[i]
        n.trkb_surface[i] = next_trkb_surface(x, n.trkb_surface[i], relative, dt)
        n.trkb[i] = trkb_drive(relative, d.trkb * n.trkb_surface[i])


@loop
def adapt(
    n: NeuronColumns, signals: Signals, d: Pharmacology, x: ExpressionParameters, s: SynapseParameters,
    input_activity: float, dt: float, first: Index, last: Index, w: Scratch,
) -> None:
    """Plasticity protein, contacts, scaling, threshold and plasticity gains of the neurons first..last-1."""
    widest_vectors()
    for i in range(first, last):
        before, triggered = n.plasticity_protein[i], triggered_time(s, n.early_load[i], dt)
        after = next_protein(s, before, triggered, n.trkb[i], d.protein_synthesis, dt)
        n.mean_protein[i] = mean_protein(s, before, after, triggered, n.trkb[i], d.protein_synthesis, dt)
        n.plasticity_protein[i] = after
        drive = input_activity * n.drive[i]
        n.spine[i] = next_contacts(s, n.spine[i], n.trkb[i], dt)
        n.scale[i] = next_scale(s, n.scale[i], drive, n.trkb[i], dt)
        n.threshold[i] = next_threshold(s, n.threshold[i], drive, dt)
        by_steroid = cortisol_gain(s, signals.cortisol[n.voxel[i]], w.glucocorticoid[i - first], d.gr)
        gain = trkb_gain(s, n.trkb[i]) * by_steroid / n.rest_potentiation[i]
        n.potentiation_gain[i] = min(d.nmdar * gain, 1.0 / s.potentiation)
        n.depression_gain[i] = d.nmdar * p75_drive(x, n.bdnf_pro[i], n.activity[i])


@loop
def advance_tile(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    s: SynapseParameters, c: PromoterConstants, given: Drive, mean_drive: Floats, dt: float, key: StreamKey,
    step: int, first: Index, last: Index, w: Scratch,
) -> None:
    """Advance the neurons first..last-1, at most as many as w has room for: sense, transcribe, express, adapt."""
    sense(n, signals, d, e, x, given, mean_drive, dt, first, last, w)
    signals_at_promoters(n, signals, d, e, x, dt, first, last, w)
    for promoter in range(4):
        move_nucleosomes(n, e, dt, first, last, promoter, key, step, w)
        transcribe(n, d, x, c, dt, first, last, promoter, key, step, w)
    express(n, signals, d, x, given.unevenness, dt, first, last)
    adapt(n, signals, d, x, s, given.activity, dt, first, last, w)


@loop
def advance_neurons(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    s: SynapseParameters, c: PromoterConstants, given: Drive, mean_drive: Floats, dt: float, key: StreamKey,
    step: int, begin: int, end: int,
) -> None:
    """Advance the neurons begin..end-1 by dt hours, in place, tile by tile.

    signals: means over the step; given: what drives all of them alike; mean_drive: synaptic drive of each region's
    neurons, (3,), at its start.
    """
    rows, wholes = np.empty((11, TILE)), np.empty((5, TILE), np.int32)
    w = Scratch(
        rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7], rows[8], rows[9], rows[10],
        np.empty((4, TILE)),
        wholes[0], wholes[1], wholes[2], wholes[3], wholes[4], np.empty((4, TILE), np.int32), np.empty(TILE, np.int8),
    )  # fmt: skip
    for start in range(begin, end, TILE):
        first, last = Index(start), Index(min(start + TILE, end))
        advance_tile(n, signals, d, e, x, s, c, given, mean_drive, dt, key, step, first, last, w)


@loop
def mean_drive(region: npt.NDArray[np.int8], drive: Floats) -> Floats:
    """Mean synaptic drive of the neurons of DG, CA3 and CA1, (3,); 0 where there are none."""
    total, cells = np.zeros(3), np.zeros(3)
    for i in range(region.size):
        total[region[i]] += drive[i]
        cells[region[i]] += 1.0
    for k in range(3):
        total[k] /= max(cells[k], 1.0)
    return total
