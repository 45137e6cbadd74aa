"""The expected neuron: the rules of one neuron with every random draw replaced by its probability.

A row of 12 nucleosomes is followed by the probability of each configuration, numbers (n_R, n_A) of repressed and of
acetylated ones, an allele by its probability of bursting on each; transcripts and proteins take their means. Within
the promoters these are the means of the stochastic population's own steps, where all neurons meet the same signals. It
is the oracle of the population, shows how much of a result is due to the time step, and is fast enough to scan
parameters.
"""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import LN2, mean_relaxed, power, relax
from abm.epigenome import (
    EpigenomeParameters,
    eraser_activity,
    hdac_abundance,
)
from abm.expression import (
    ExpressionParameters,
    awake_creb,
    burst_start,
    calcium_drive,
    creb_target,
    excitation,
    glucocorticoid_occupancy,
    hill,
    next_fndc5,
    next_proform,
    next_store,
    next_trkb_surface,
    promoter_access,
    release_gain,
    release_rate,
    rise,
    saturation,
    trkb_drive,
)
from abm.loops import compiled
from abm.neurons import Pharmacology
from abm.promoters import (
    COUNTS,
    PromoterConstants,
    Room,
    move_nucleosomes,
    promoter_constants,
    resting_state,
    room,
    switch_alleles,
)

NO_MEMORY = np.zeros(0)


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
        float(np.mean([saturation(c, x.bhb_half) for c in bhb])),
        float(np.mean([saturation(c, x.bhb_excitability_half) for c in bhb])),
        float(np.mean([hill(c, x.lactate_half, x.lactate_exponent) for c in lactate])),
        float(np.mean([hill(c, x.fndc5_lactate_half, x.fndc5_lactate_exponent) for c in lactate])),
        float(np.mean([saturation(c, x.irisin_half) for c in irisin])),
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
    following: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] = (NO_MEMORY, NO_MEMORY),
    brought: npt.NDArray[np.float64] | None = None,
    uneven: npt.NDArray[np.float64] | None = None,
    waking: npt.NDArray[np.float64] | None = None,
    waking_at_rest: Iterable[float] = (1.0,),
) -> Expected:
    """Course of the expected neuron in steps of dt hours, from its state at rest.

    concentrations: (T, 4) step means of BHB, lactate (mmol/L), irisin, free cortisol (nmol/L); activity: (T,) relative
    to rest; drugs: (T, 20), the fields of `abm.neurons.Pharmacology` in every step, or none. following: times (h) and
    weights with which extracellular BDNF follows a release that is everywhere alike
    (`abm.study.bdnf_response.BdnfResponse`); none: at once. brought: (T,) extracellular BDNF at resting release,
    relative to rest, where a bath or an infusion brings more.
    uneven: (T,) how activity varies within steps, `abm.wiring.unevenness`; none: it does not. waking: (T,)
    `abm.expression.waking_drive`; none: as on the mean of a resting day; waking_at_rest: over the hours of that day.
    """
    if drugs is None:
        drugs = np.array([Pharmacology()], dtype=np.float64)
    if brought is None:
        brought = np.ones(len(activity))
    if uneven is None:
        uneven = np.ones(len(activity))
    if waking is None:
        waking = np.ones(len(activity))
    out = np.zeros((len(Expected._fields), len(activity)))
    c, state = promoter_constants(x, e, dt, waking_at_rest), resting_state(x, e, dt)[0]
    _march(
        e, x, c, rest, room(), concentrations, waking, activity, uneven, drugs, brought, *following, dt, state.copy(),
        out,
    )  # fmt: skip
    return Expected(*out)


@compiled
def _march(
    e: EpigenomeParameters, x: ExpressionParameters, c: PromoterConstants, rest: SetPoint, w: Room,
    concentrations: npt.NDArray[np.float64], waking: npt.NDArray[np.float64], activity: npt.NDArray[np.float64],
    uneven: npt.NDArray[np.float64], drugs: npt.NDArray[np.float64], brought: npt.NDArray[np.float64],
    times: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], dt: float, state: npt.NDArray[np.float64],
    out: npt.NDArray[np.float64],
) -> None:
    """The course itself, into `out` (fields of Expected, steps); the rules are those of the stochastic neuron.

    state (5, 13, 16) by n_R and n_A: probability of each configuration, and that an allele of each promoter bursts on
    it.
    """
    creb = fndc5 = hdac2 = hdac3 = trkb = surface = 1.0
    parts = np.ones(times.size)  # of extracellular BDNF
    decay = LN2 / x.transcript_half_life
    transcripts = c.transcripts.copy()
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
        through_sirt1 = d.sirt1 * d.pgc1a * hill(lactate, x.fndc5_lactate_half, x.fndc5_lactate_exponent)
        fndc5 = next_fndc5(x, fndc5, through_sirt1, rest.fndc5, dt)
        excited = excitation(x, rise(d.pka * saturation(bhb, x.bhb_excitability_half), rest.excitability))
        firing = activity[t] * excited
        target = creb_target(
            x, calcium_drive(firing, d.nmdar), rise(d.pka * saturation(bhb, x.bhb_half), rest.bhb),
            rise(d.nmdar * hill(lactate, x.lactate_half, x.lactate_exponent), rest.lactate),
            rise(d.integrin * saturation(irisin, x.irisin_half), rest.irisin), d.fndc5 * fndc5, trkb, d.creb,
        )
        mean_creb = mean_relaxed(creb, target, 1.0 / x.creb_time, dt)
        creb = relax(creb, target, 1.0 / x.creb_time, dt)
        hdac2 = hdac_abundance(hdac2, e.hdac2_loss, mean_creb, e, dt)
        hdac3 = hdac_abundance(hdac3, e.hdac3_loss, mean_creb, e, dt)
        eraser = eraser_activity(
            e, bhb, d.hdac1, d.hdac2 * hdac2, d.hdac3 * hdac3, d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
        ) / rest.eraser
        driving = awake_creb(mean_creb, waking[t], d.creb)
        move_nucleosomes(e, driving, eraser, dt, w.rows, state)
        access = promoter_access(x, d.gr * glucocorticoid_occupancy(x, cortisol, d.agonist), rest.glucocorticoid)
        for q in range(4):
            start = burst_start(x, power(driving, c.frequency_exponent[q]), access)
            number = switch_alleles(x, c, state[0], start, q, dt, w.alleles, state[q + 1])
            made = d.transcription * c.initiation[q] * number
            transcripts[q] = relax(transcripts[q], made / decay, decay, dt)
        gain = release_gain(x, firing, excited, uneven[t])
        store = next_store(x, store, proform, gain, dt)
        proform = next_proform(x, proform, transcripts.sum(), d.bdnf_synthesis * d.protein_synthesis, dt)
        relative = release_rate(x, store, gain) / resting_release
        from_release = 0.0 if times.size > 0 else relative
        for j in range(times.size):
            parts[j] = relax(parts[j], relative, 1.0 / times[j], dt)
            from_release += weights[j] * parts[j]
        outside = max(from_release + (brought[t] - 1.0), 0.0)
        surface = next_trkb_surface(x, surface, outside, dt)
        trkb = trkb_drive(outside, d.trkb * surface)
        repressed = acetylated = 0.0
        for n in range(COUNTS):
            for k in range(COUNTS - n):
                repressed += state[0, n, k] * n / (COUNTS - 1)
                acetylated += state[0, n, k] * k / (COUNTS - 1)
        out[0, t], out[1, t], out[2, t], out[3, t] = creb, fndc5, hdac2, hdac3
        out[4, t], out[5, t], out[6, t] = acetylated, repressed, transcripts.sum()
        out[7, t], out[8, t], out[9, t], out[10, t] = transcripts[0], transcripts[1], transcripts[2], transcripts[3]
        out[11, t], out[12, t], out[13, t], out[14, t] = proform, store, relative, outside
        out[15, t], out[16, t] = trkb, surface
