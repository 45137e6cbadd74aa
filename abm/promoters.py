"""A promoter as probabilities: its row of nucleosomes and its alleles in every configuration, and what rest is then.

The Markov chain of the population's own steps (`abm.population`) for one promoter under given signals, which all four
share. Nucleosomes take an hour or two to turn over and bursts minutes, so that neither is held while the other moves.
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import LN2, exponential, power, solved
from abm.epigenome import (
    NUCLEOSOMES_PER_PROMOTER,
    EpigenomeParameters,
    chromatin_step,
    resting_acetylation,
    slow_pair,
)
from abm.expression import ExpressionParameters, burst_end, burst_start, bursting, survival, switching
from abm.loops import loop
from abm.metric_names import PROMOTERS

Floats = npt.NDArray[np.float64]

COUNTS = NUCLEOSOMES_PER_PROMOTER + 1  # that nucleosomes in one state can be
LINE = 16  # numbers side by side for each of them: whole vectors, of which the last entries are 0


class PromoterConstants(NamedTuple):
    """Per-promoter constants in the order I, II, IV, VI, each of shape (4,), and what belongs to none of them.

    transcripts m: mean number at rest; initiation k: 1/h, by a bursting allele, k = m gamma / b with gamma = ln 2 /
    half-life and b alleles that burst at rest on the mean; resting_acetylated: fraction; lost: probability that a
    transcript decays within a step; survival: see `abm.expression.survival`.
    """

    frequency_exponent: Floats
    duration_gain: Floats
    transcripts: Floats
    initiation: Floats
    resting_acetylated: float
    lost: float
    survival: Floats


def promoter_constants(
    p: ExpressionParameters, e: EpigenomeParameters, dt: float, waking: Iterable[float] = (1.0,)
) -> PromoterConstants:
    """The promoters' constants as arrays for the compiled loop, for steps of dt hours.

    Initiation is such that steps of this length keep up each promoter's share of `transcripts_at_rest` on the mean over
    a resting day. waking: CREB signal in each hour of that day, 1 on the mean.
    """
    c, bursts = _uninitiated(p, e, dt), _bursts_of_a_day(p, e, dt, tuple(waking))
    with np.errstate(divide="ignore", invalid="ignore"):  # where promoters never burst
        return c._replace(initiation=c.transcripts * (LN2 / p.transcript_half_life) / bursts)


@lru_cache(maxsize=64)
def _bursts_of_a_day(p: ExpressionParameters, e: EpigenomeParameters, dt: float, waking: tuple[float, ...]) -> Floats:
    """Each promoter's mean number of bursting alleles over a resting day, (4,): the second one after constant rest."""
    state, bursts = resting_state(p, e, dt)
    if all(level == 1.0 for level in waking):
        return bursts
    c, w, state, steps = _uninitiated(p, e, dt), room(), state.copy(), round(len(waking) / dt)
    found = np.zeros((2, steps, 4))
    for day, step in np.ndindex(2, steps):
        first, last = step * len(waking) // steps, -(-(step + 1) * len(waking) // steps)
        level = math.fsum(waking[first:last]) / (last - first)
        move_nucleosomes(e, level, 1.0, dt, w.rows, state)
        for q, exponent in enumerate(c.frequency_exponent.tolist()):
            start = burst_start(p, power(level, exponent), 1.0)
            found[day, step, q] = switch_alleles(p, c, state[0], start, q, dt, w.alleles, state[q + 1])
    return np.array([math.fsum(column) / steps for column in found[1].T])


def _uninitiated(p: ExpressionParameters, e: EpigenomeParameters, dt: float) -> PromoterConstants:
    """The constants without the rate of initiation."""
    named = p._asdict()
    kinds = ("frequency_exponent", "duration_gain", "transcript_share")
    frequency, duration, share = (np.array([named[f"{kind}_{promoter}"] for promoter in PROMOTERS]) for kind in kinds)
    lost = 1.0 - exponential(-LN2 * dt / p.transcript_half_life)
    means = share * p.transcripts_at_rest
    return PromoterConstants(frequency, duration, means, np.zeros(4), resting_acetylation(e), lost, survival(lost))


@lru_cache(maxsize=64)
def resting_state(p: ExpressionParameters, e: EpigenomeParameters, dt: float) -> tuple[Floats, Floats]:
    """What steps of dt hours keep up at rest: probabilities (5, 13, 16), each promoter's mean bursting alleles (4,).

    The first are those of n_R and n_A, the others that an allele of promoter I, II, IV or VI bursts then:
    pi = pi M and b = (b M) (1 - on - off) + pi on, with M what a step makes of the configurations.
    """
    c, w, places = _uninitiated(p, e, dt), room(), [(n, k) for n in range(COUNTS) for k in range(COUNTS - n)]
    repressed, acetylated = np.array(places).T
    mass = np.zeros((len(places), COUNTS, LINE))
    mass[np.arange(len(places)), repressed, acetylated] = 1.0
    move_nucleosomes(e, 1.0, 1.0, dt, w.rows, mass)
    moves = mass[:, repressed, acetylated]
    law, stay = np.ones(len(places)), np.eye(len(places))
    law[:-1] = solved((stay - moves.T)[:-1, :-1], moves[-1, :-1])
    law /= math.fsum(law.tolist())
    state, bursts = np.zeros((5, COUNTS, LINE)), np.zeros(4)
    state[0, repressed, acetylated] = law
    relative = np.arange(COUNTS) / (NUCLEOSOMES_PER_PROMOTER * c.resting_acetylated)
    for q, gain in enumerate(c.duration_gain.tolist()):
        rates = [switching(p.burst_start_rate, burst_end(p, value, gain), dt) for value in relative.tolist()]
        on, off = np.array(rates)[acetylated].T
        bursting_then = solved(stay - (1.0 - on - off)[:, None] * moves.T, law * on)
        # Sums by rows, whose order is fixed; a product of matrices is a library's.
        state[q + 1, repressed, acetylated] = (bursting_then[:, None] * moves).sum(axis=0)
        bursts[q] = switch_alleles(p, c, state[0], p.burst_start_rate, q, dt, w.alleles, state[q + 1])
    return state, bursts


class RowRoom(NamedTuple):
    """Room for what `move_nucleosomes` needs.

    turned (13, 13, 16): how many of the first number of acetylated and the second of unmodified nucleosomes are
    acetylated after a step, and with what probability; closing, opening (13,): of `slow_pair`, by n_R; up, down
    (14, 16): probability that n_R comes from one less, or goes to one less, in part of a step, by n_R and n_A, and stay
    (13, 16) that it does neither; before (15, 16): probability of n_R and n_A, between lines of 0.
    """

    turned: Floats
    closing: Floats
    opening: Floats
    up: Floats
    down: Floats
    stay: Floats
    before: Floats


class AlleleRoom(NamedTuple):
    """Room for what `switch_alleles` needs, by n_A, (16,) each.

    on, off: of `switching`; none: bursting alleles of `bursting` without ends, each: what an end adds; there, ends:
    probability of n_A, and mean number of ends there.
    """

    on: Floats
    off: Floats
    none: Floats
    each: Floats
    there: Floats
    ends: Floats


class Room(NamedTuple):
    """Room to move probability in."""

    rows: RowRoom
    alleles: AlleleRoom


def room() -> Room:
    """Room to move probability in."""
    turned, rates = np.zeros((COUNTS, COUNTS, LINE)), (np.zeros(COUNTS), np.zeros(COUNTS))
    rows = RowRoom(turned, *rates, *(np.zeros((COUNTS + more, LINE)) for more in (1, 1, 0, 2)))
    return Room(rows, AlleleRoom(*(np.zeros(LINE) for _ in AlleleRoom._fields)))


@loop
def turn_over(leave: float, join: float, found: Floats) -> None:
    """Fill `RowRoom.turned`: an acetylated nucleosome loses its mark with probability `leave`, others `join` it."""
    found[0, 0, :] = 0.0
    found[0, 0, 0] = 1.0
    for marked in range(COUNTS):
        if marked > 0:
            found[marked, 0, 0] = leave * found[marked - 1, 0, 0]
            for k in range(1, LINE):
                found[marked, 0, k] = leave * found[marked - 1, 0, k] + (1.0 - leave) * found[marked - 1, 0, k - 1]
        for unmarked in range(1, COUNTS - marked):
            found[marked, unmarked, 0] = (1.0 - join) * found[marked, unmarked - 1, 0]
            for k in range(1, LINE):
                stayed, joined = found[marked, unmarked - 1, k], found[marked, unmarked - 1, k - 1]
                found[marked, unmarked, k] = (1.0 - join) * stayed + join * joined


@loop
def move_nucleosomes(p: EpigenomeParameters, creb: float, eraser: float, dt: float, w: RowRoom, mass: Floats) -> None:
    """Move probability between configurations by dt hours, mass (several, 13, 16) by n_R and n_A, in place.

    As in the population the fast pair U - A moves first, then the slow pair R - U of the row that it left. Of the slow
    pair one nucleosome at a time moves, in parts of a step so short that none loses more than half of its probability.
    """
    size = COUNTS - 1
    step = chromatin_step(p, creb, eraser, dt)
    turn_over(step.deacetylated, step.acetylated, w.turned)
    fastest = 0.0
    for n in range(COUNTS):
        w.closing[n], w.opening[n] = slow_pair(p, step.opening, n / size, eraser, dt)
        fastest = max(fastest, w.closing[n] * (size - n) + w.opening[n] * n)
    parts = int(2.0 * fastest) + 1
    share = 1.0 / parts
    line = w.before.shape[1]  # read, not given: the compiler then works on several numbers of a line at once
    for n in range(COUNTS):
        down = w.opening[n] * n
        for k in range(line):
            up = w.closing[n] * max(size - n - k, 0)
            w.stay[n, k], w.up[n + 1, k], w.down[n, k] = 1.0 - share * (up + down), share * up, share * down
    for i in range(mass.shape[0]):
        for n in range(COUNTS):
            for k in range(line):
                w.before[n + 1, k] = 0.0
        for acetylated in range(COUNTS):
            for n in range(COUNTS - acetylated):
                for k in range(line):
                    w.before[n + 1, k] += mass[i, n, acetylated] * w.turned[acetylated, size - n - acetylated, k]
        for part in range(parts):
            if part > 0:
                for n in range(COUNTS):
                    for k in range(line):
                        w.before[n + 1, k] = mass[i, n, k]
            for n in range(COUNTS):
                for k in range(line):
                    stayed, opened = w.stay[n, k] * w.before[n + 1, k], w.down[n + 1, k] * w.before[n + 2, k]
                    mass[i, n, k] = stayed + w.up[n, k] * w.before[n, k] + opened


@loop
def switch_alleles(
    p: ExpressionParameters, c: PromoterConstants, row: Floats, start: float, promoter: int, dt: float, w: AlleleRoom,
    active: Floats,
) -> float:
    """Mean number of a promoter's two alleles that burst during a step, as their rows are now.

    row (13, 16): probability of each n_R and n_A; active (13, 16): that an allele bursts on it, advanced by dt hours.
    """
    number, decay, line = 0.0, LN2 / p.transcript_half_life, w.on.size
    for k in range(line):
        end = burst_end(p, k / ((COUNTS - 1) * c.resting_acetylated), c.duration_gain[promoter])
        w.on[k], w.off[k] = switching(start, end, dt)
        # `bursting` is a straight line in the number of ends.
        w.none[k] = bursting(0.0, start, end, w.on[k], w.off[k], decay, c.lost)
        w.each[k] = bursting(1.0, start, end, w.on[k], w.off[k], decay, c.lost) - w.none[k]
        w.there[k] = w.ends[k] = 0.0
    for n in range(COUNTS):
        for k in range(line):
            before = active[n, k]
            active[n, k] = before * (1.0 - w.off[k]) + (row[n, k] - before) * w.on[k]
            w.there[k] += row[n, k]
            w.ends[k] += 2.0 * (before + active[n, k])
    for k in range(COUNTS):
        number += w.there[k] * w.none[k] + w.ends[k] * w.each[k]
    return number
