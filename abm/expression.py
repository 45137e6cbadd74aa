"""Bdnf expression in one neuron: CREB signal, bursting promoters, proBDNF, the store of mature BDNF, TrkB.

Signals act relative to the neuron's own set point, the mean it meets over a resting day (column names `rest_*`).
Time in hours; metabolites in mmol/L and hormones and proteins in nmol/L of extracellular space.
"""

import math
from collections.abc import Iterable
from typing import Annotated, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from abm.elementary import LN2, exponential, power, relax
from abm.loops import rule
from abm.parameters import Unit

Share = TypeVar("Share", float, npt.NDArray[np.float64])
LEAST_CREB = 0.05  # promoters without CREB are not silent (assumed)
MANY = 3.0  # what `few_of_poisson` and `few_of_binomial` say of this and of more
MOST_TRANSCRIPTS = 4095  # per promoter and neuron; a hundred times what the strongest drive makes


class ExpressionParameters(NamedTuple):
    """Constants of signalling, transcription, translation and TrkB; sources in configs/parameters/expression.yaml."""

    creb_time: Annotated[float, Unit("h")]
    activity_gain: Annotated[float, Unit("1")]
    bhb_gain: Annotated[float, Unit("1")]
    bhb_half: Annotated[float, Unit("mmol/L")]
    bhb_excitability: Annotated[float, Unit("1")]
    bhb_excitability_half: Annotated[float, Unit("mmol/L")]
    lactate_gain: Annotated[float, Unit("1")]
    lactate_half: Annotated[float, Unit("mmol/L")]
    lactate_exponent: Annotated[float, Unit("1")]
    irisin_gain: Annotated[float, Unit("1")]
    irisin_half: Annotated[float, Unit("nmol/L")]
    fndc5_gain: Annotated[float, Unit("1")]
    fndc5_time: Annotated[float, Unit("h")]
    fndc5_lactate_gain: Annotated[float, Unit("1")]
    fndc5_lactate_half: Annotated[float, Unit("mmol/L")]
    fndc5_lactate_exponent: Annotated[float, Unit("1")]
    trkb_feedback: Annotated[float, Unit("1")]
    creb_asleep: Annotated[float, Unit("1")]
    glucocorticoid_half: Annotated[float, Unit("nmol/L")]
    glucocorticoid_exponent: Annotated[float, Unit("1")]
    glucocorticoid_repression: Annotated[float, Unit("1")]
    burst_start_rate: Annotated[float, Unit("1/h")]
    burst_end_rate: Annotated[float, Unit("1/h")]
    frequency_exponent_I: Annotated[float, Unit("1")]
    frequency_exponent_II: Annotated[float, Unit("1")]
    frequency_exponent_IV: Annotated[float, Unit("1")]
    frequency_exponent_VI: Annotated[float, Unit("1")]
    duration_gain_I: Annotated[float, Unit("1")]
    duration_gain_II: Annotated[float, Unit("1")]
    duration_gain_IV: Annotated[float, Unit("1")]
    duration_gain_VI: Annotated[float, Unit("1")]
    transcript_share_I: Annotated[float, Unit("1")]
    transcript_share_II: Annotated[float, Unit("1")]
    transcript_share_IV: Annotated[float, Unit("1")]
    transcript_share_VI: Annotated[float, Unit("1")]
    transcripts_at_rest: Annotated[float, Unit("1")]
    transcript_half_life: Annotated[float, Unit("h")]
    proform_half_life: Annotated[float, Unit("h")]
    store_half_life: Annotated[float, Unit("h")]
    store_at_rest: Annotated[float, Unit("1")]
    released_share: Annotated[float, Unit("1")]
    release_exponent: Annotated[float, Unit("1")]
    steady_release_exponent: Annotated[float, Unit("1")]
    trkb_internalisation: Annotated[float, Unit("1/h")]
    trkb_return_time: Annotated[float, Unit("h")]
    trkb_resting_occupancy: Annotated[float, Unit("1")]


@rule
def saturation(concentration: float, half: float) -> float:
    """Saturating drive c / (c + K), 0 to 1."""
    ratio = concentration / half
    return ratio / (1.0 + ratio)


@rule
def hill(concentration: float, half: float, exponent: float) -> float:
    """Saturating drive c^n / (c^n + K^n), 0 to 1."""
    drive = power(concentration / half, exponent)
    return drive / (1.0 + drive)


@rule
def rise(drive: float, rest: float) -> float:
    """What a metabolic or muscle signal adds: its saturating drive above the neuron's set point, never below zero.

    Neurons are taken to be adapted to their resting supply, so that a blocked carrier takes away what a richer supply
    would add and no more (assumed).
    """
    return max(drive - rest, 0.0)


@rule
def relative_firing(drive: float, mean_drive: float, input_activity: float) -> float:
    """Firing relative to rest: a = E d / (mean d of the neuron's region).

    E: entorhinal input relative to rest; d: synaptic drive. Feedback inhibition follows the regional mean, so stronger
    synapses everywhere change who fires, not how much the region fires.
    """
    return input_activity * drive / mean_drive


@rule
def excitation(p: ExpressionParameters, bhb: float) -> float:
    """Factor by which BHB raises firing: 1 + g b, b the rise of its saturating drive above the set point.

    2 mmol/L raise the excitability of CA1 neurons in slices (frontpharmacol2025, direction only). This drive is
    taken to be half saturated there, far above the CREB arm's (assumed).
    """
    return 1.0 + p.bhb_excitability * bhb


@rule
def glucocorticoid_occupancy(p: ExpressionParameters, cortisol: float, agonist: float) -> float:
    """Share of glucocorticoid receptors occupied: u / (1 + u), u = (C / K)^n + agonist (Reul 1987, reul1987).

    cortisol C: free cortisol or corticosterone, nmol/L; agonist: a synthetic one in multiples of its half-saturating
    concentration.
    """
    bound = power(cortisol / p.glucocorticoid_half, p.glucocorticoid_exponent) + agonist
    return bound / (1.0 + bound)


@rule
def glucocorticoid_equivalent(p: ExpressionParameters, cortisol: float, agonist: float) -> float:
    """Free cortisol, nmol/L, that alone would occupy as many glucocorticoid receptors: K ((C / K)^n + agonist)^(1/n).

    Arguments as of `glucocorticoid_occupancy`.
    """
    bound = power(cortisol / p.glucocorticoid_half, p.glucocorticoid_exponent) + agonist
    return p.glucocorticoid_half * power(bound, 1.0 / p.glucocorticoid_exponent)


@rule
def next_fndc5(p: ExpressionParameters, fndc5: float, lactate_drive: float, rest: float, dt: float) -> float:
    """FNDC5 of the neuron, relative to rest, after dt hours.

    F' = (1 + g [d - d_rest] / (1 - d_rest) - F) / tau, [.] at least 0: lactate through SIRT1 and PGC-1a, with the delay
    of hours seen between a bout and PGC-1a mRNA in the mouse hippocampus (Park 2021, park2021). d: Hill drive of
    lactate, 0 to 1.
    """
    target = 1.0 + p.fndc5_lactate_gain * rise(lactate_drive, rest) / (1.0 - rest)
    return relax(fndc5, target, 1.0 / p.fndc5_time, dt)


def waking_drive(p: ExpressionParameters, awake: Share, resting: Iterable[float]) -> Share:
    """What waking brings to the CREB signal, relative to the mean of a resting day.

    w = (q + (1 - q) awake) / (q + (1 - q) mean), of shares of time awake; q: the signal asleep over that awake;
    resting: shares of the hours of a resting day, whose mean it is. Phosphorylated CREB and Bdnf are high in waking and
    low in sleep, by the noradrenaline of waking (Cirelli & Tononi 2000, cirelli2000); without it the
    electroencephalogram is unchanged (Cirelli 1996, cirelli1996), so that this is no part of firing, nor of what firing
    releases. 1 where there is no body to sleep, as in a slice.
    """
    hours, asleep = list(resting), p.creb_asleep
    return (asleep + (1.0 - asleep) * awake) / (asleep + (1.0 - asleep) * math.fsum(hours) / len(hours))


@rule
def calcium_drive(activity: float, nmdar: float) -> float:
    """What firing brings to CREB by way of calcium, relative to rest: a - (1 - c), c what a blocker leaves.

    NMDA receptors hold Bdnf transcripts at their level of rest, other glutamate receptors bring what is above it
    (Thoenen 1991, thoenen1991). That at rest all of it comes through them is assumed. Weeks of antagonists did not
    lower BDNF in slice cultures (PMC4039624).
    """
    return activity - (1.0 - nmdar)


@rule
def creb_target(
    p: ExpressionParameters, activity: float, bhb: float, lactate: float, irisin: float, fndc5: float, trkb: float,
    left: float,
) -> float:
    """CREB signal, relative to rest, that constant inputs would settle to.

    S = c (1 + s_A (a - 1) + s_B b + s_L l + s_I i + s_F (F - 1) + s_T (k - 1)), never below 0.05, c what a blocker
    leaves of CREB: promoters without it are not silent (assumed).
    a the drive of firing (`calcium_drive`), FNDC5 F and TrkB drive k relative to rest; b, l, i: rises of the saturating
    drives of BHB (through PKA), lactate (through NMDA receptors) and irisin (through integrin aV) above their set
    points.
    """
    signal = 1.0 + p.activity_gain * (activity - 1.0) + p.bhb_gain * bhb + p.lactate_gain * lactate
    signal += p.irisin_gain * irisin + p.fndc5_gain * (fndc5 - 1.0) + p.trkb_feedback * (trkb - 1.0)
    return max(left * signal, LEAST_CREB)


@rule
def awake_creb(creb: float, waking: float, left: float) -> float:
    """CREB signal with what waking brings: S + c (w - 1), w of `waking_drive`, c what a blocker leaves of CREB.

    Promoters and histones meet it, at once and beside the signals. The loss of deacetylases is what signals above rest
    do over days (assumed): sleep and waking by turns leave it at rest.
    """
    return max(creb + left * (waking - 1.0), LEAST_CREB)


@rule
def promoter_access(p: ExpressionParameters, glucocorticoid: float, rest_glucocorticoid: float) -> float:
    """What receptors tethered at the promoters leave of transcription, relative to rest: (1 - g GR) / (1 - g GR_rest).

    GR: share of glucocorticoid receptors that are occupied (Chen 2017, chen2017).
    """
    left = (1.0 - p.glucocorticoid_repression * glucocorticoid) / (
        1.0 - p.glucocorticoid_repression * rest_glucocorticoid
    )
    return max(left, 0.0)


@rule
def burst_start(p: ExpressionParameters, frequency: float, access: float) -> float:
    """Rate at which a silent promoter starts a burst, 1/h: k_on S^n access.

    frequency: S^n, S the CREB signal relative to rest, n the promoter's exponent; depolarisation raises burst frequency
    (Chen 2019, chen2019). access: see `promoter_access`.
    """
    return p.burst_start_rate * frequency * access


@rule
def burst_end(p: ExpressionParameters, acetylation: float, gain: float) -> float:
    """Rate at which a burst ends, 1/h: k_off / (1 + g (A - 1)): acetylation prolongs bursts (Chen 2019, chen2019).

    acetylation A: acetylated fraction of the promoter's nucleosomes relative to its resting mean. The denominator is
    kept above 0.1, where g > 1 and an emptied promoter would turn it negative.
    """
    return p.burst_end_rate / max(1.0 + gain * (acetylation - 1.0), 0.1)


@rule
def switching(start: float, end: float, dt: float) -> tuple[float, float]:
    """Probabilities that a silent allele bursts, and a bursting one is silent, dt hours later: the exact two states."""
    mixed = (1.0 - exponential(-(start + end) * dt)) / (start + end)
    return mixed * start, mixed * end


@rule
def bursting(ends: float, start: float, end: float, on: float, off: float, decay: float, lost: float) -> float:
    """Mean number of a promoter's two alleles that burst during a step: t k/2 + (1 - t) 2 p.

    ends k: alleles that burst before the step and those that burst after it, 0 to 4; start, end: rates of switching,
    1/h, and on, off: their probabilities, of `switching`; decay g: rate at which transcripts decay, 1/h, and lost: the
    share 1 - q of them that a step loses; p = on/(on + off), x = 1 - on - off.

    Ends alone (t = 1) would have an allele that bursts at both burst all the time between, however often it switches:
    transcripts would differ too much between neurons, by 1.7 times in steps of 30 min. The mean is right for every t,
    and with t^2 = 2 g (1 - q x) / ((start + end + g) (1 - q) (1 + x)) so is the variance that a telegraph promoter
    gives the transcripts, by its moment equations: mean (1 + k_m end/((start + end) (start + end + g))). No number of
    ends takes back transcripts: t is at most 1, which it would only pass where transcripts decay faster than promoters
    switch.
    """
    stay = 1.0 - on - off
    ratio = 2.0 * decay * (1.0 - (1.0 - lost) * stay) / ((start + end + decay) * lost * (1.0 + stay))
    share = min(math.sqrt(ratio), 1.0)
    return share * (0.5 * ends) + (1.0 - share) * (2.0 * on / (on + off))


@rule
def next_promoter(active: float, switched_on: float, switched_off: float, draw: float) -> np.int8:
    """Telegraph promoter of one allele after a step; 1 bursting, 0 silent. A small draw means bursting."""
    return np.int8(draw < (1.0 - switched_off if active > 0.0 else switched_on))


@rule
def poisson(mean: float, none: float, draw: float) -> int:
    """Poisson variate of a small mean by inversion of one uniform draw; none: e^-mean, the probability of 0."""
    term = total = none
    count = 0
    while draw > total and count < 1000:
        count += 1
        term *= mean / count
        total += term
    return count


@rule
def binomial(trials: int, probability: float, none: float, draw: float) -> int:
    """Binomial variate by inversion of one uniform draw, for few trials and a probability below one half.

    none: probability of 0, (1 - probability)^trials.
    """
    odds = probability / (1.0 - probability)
    term = total = none
    count = 0
    while draw > total and count < trials:
        count += 1
        term *= odds * (trials - count + 1) / count
        total += term
    return count


@rule
def few_of_poisson(mean: float, none: float, draw: float) -> float:
    """`poisson` up to 2, by the same terms but without a branch, so that several are drawn at once; else MANY."""
    first = none * mean
    one = none + first
    two = one + first * (mean / 2.0)
    return np.float64(draw > none) + np.float64(draw > one) + np.float64(draw > two)


@rule
def few_of_binomial(trials: float, probability: float, none: float, draw: float) -> float:
    """`binomial` up to 2, by the same terms but without a branch; else MANY."""
    odds = probability / (1.0 - probability)
    first = none * (odds * trials)
    one = none + first
    two = one + first * (odds * (trials - 1.0) / 2.0)
    return np.float64(draw > none) + np.float64(draw > one) + np.float64(draw > two)


def survival(lost: float) -> npt.NDArray[np.float64]:
    """Probability (1 - lost)^m that none of m transcripts decays in a step; m = 0, 1, ... MOST_TRANSCRIPTS."""
    return np.cumprod(np.concatenate([[1.0], np.full(MOST_TRANSCRIPTS, 1.0 - lost)]))


@rule
def next_proform(p: ExpressionParameters, proform: float, transcripts: float, synthesis: float, dt: float) -> float:
    """proBDNF dimers in the neuron after dt hours: P' = k m - (ln 2 / half-life) P.

    transcripts m: copies of all promoters together; k makes `store_at_rest` stationary at transcripts_at_rest;
    synthesis: what a blocker leaves of translation, 0 to 1.
    """
    rate = LN2 / p.proform_half_life
    at_rest = p.store_at_rest * p.proform_half_life / p.store_half_life
    return relax(proform, synthesis * at_rest * transcripts / p.transcripts_at_rest, rate, dt)


@rule
def release_gain(p: ExpressionParameters, activity: float, excitation: float, unevenness: float) -> float:
    """Release per stored BDNF relative to rest: u (a / e)^n e^m, of firing a, raised by BHB by the factor e.

    n > 1, because bursts release far more than the same number of single spikes (Balkowiec & Katz 2000,
    balkowiec2000): what comes in from other neurons comes in bursts. BHB makes a neuron more excitable all the time;
    steady depolarisation released little there, so that this part of firing has a smaller power m. a is the mean over
    a step; u what the step's ups and downs add, mean of the power over power of the mean (`abm.wiring.unevenness`).
    """
    bursts = unevenness * power(activity / excitation, p.release_exponent)
    return bursts * power(excitation, p.steady_release_exponent)


@rule
def next_store(p: ExpressionParameters, store: float, proform: float, gain: float, dt: float) -> float:
    """Mature BDNF dimers in the vesicle store after dt hours.

    B' = (ln 2 / t_pro) P - (ln 2 / t_store) (1 - f + f r) B: maturation inside the cell, degradation, and release of
    the share f, which rises by the gain r of `release_gain`. Mature : pro is about 10 : 1 at rest (Dieni 2012,
    dieni2012).
    """
    released = p.released_share * gain
    loss = LN2 / p.store_half_life * (1.0 - p.released_share + released)
    return relax(store, LN2 / p.proform_half_life * proform / loss, loss, dt)


@rule
def released(
    p: ExpressionParameters, before: float, after: float, proform: float, gain: float, dt: float
) -> float:
    """Mature BDNF dimers that a store releases within a step of dt hours, from the balance of `next_store`.

    Of what leaves it, (ln 2 / t_pro) P dt - (B_after - B_before), the share f r / (1 - f + f r) goes outside.
    """
    outside = p.released_share * gain
    left = LN2 / p.proform_half_life * proform * dt - (after - before)
    return max(outside / (1.0 - p.released_share + outside) * left, 0.0)


@rule
def release_rate(p: ExpressionParameters, store: float, gain: float) -> float:
    """Mature BDNF dimers that the neuron releases per hour: f r (ln 2 / t_store) B, r the gain of `release_gain`."""
    return p.released_share * gain * LN2 / p.store_half_life * store


@rule
def next_trkb_surface(p: ExpressionParameters, surface: float, relative_bdnf: float, dt: float) -> float:
    """TrkB at the surface, relative to rest, after dt hours: R' = (1 - R) / tau - k [occ - occ_rest] R.

    [.] at least 0: too little BDNF brings no more TrkB to the surface (assumed). occ = b / (b + K) with K set by the
    resting occupancy, b the local BDNF relative to rest. Saturating BDNF halves surface TrkB in 2.5 h, as in cortical
    neurons, where it took 2-3 h (Proenca 2016, proenca2016).
    """
    half = (1.0 - p.trkb_resting_occupancy) / p.trkb_resting_occupancy
    occupied = relative_bdnf / (relative_bdnf + half)
    lost = p.trkb_internalisation * max(occupied - p.trkb_resting_occupancy, 0.0)
    back = 1.0 / p.trkb_return_time
    return relax(surface, back / (back + lost), back + lost, dt)


@rule
def trkb_drive(relative_bdnf: float, surface: float) -> float:
    """TrkB signalling relative to rest: k = 2 (b R)^2 / ((b R)^2 + 1), 1 at rest, at most 2 (operating range)."""
    bound = relative_bdnf * surface
    return 2.0 * bound * bound / (bound * bound + 1.0)


@rule
def p75_drive(p: ExpressionParameters, proform: float, activity: float) -> float:
    """p75 signalling by the proBDNF that the neuron itself secretes, relative to rest: 2 x / (1 + x), x = a P / P_rest.

    proBDNF acts within micrometres of its release, so it needs no field; p75 is half occupied at rest (assumed).
    """
    x = activity * proform / (p.store_at_rest * p.proform_half_life / p.store_half_life)
    return 2.0 * x / (1.0 + x)
