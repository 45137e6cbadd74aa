"""One neuron as a plain Python object, with the rules of the model: what Mesa's and AgentPy's agents are made of.

Everything that a neuron of the model does in a step stands here once more, one attribute per state variable, calling
the model's own functions of one neuron; draws come from Python's `random`. Fields, input and the initial state are
those that the model had (`benchmarks.recording`), so that all peers live the same day.
"""

from __future__ import annotations

import random
from typing import Any

from benchmarks.plain_elementary import use_math_library

use_math_library()

from abm.elementary import LN2, exponential, mean_relaxed, power, relax  # noqa: E402
from abm.epigenome import (  # noqa: E402
    chromatin_step,
    eraser_activity,
    hdac_abundance,
    next_nucleosome,
    row_thresholds,
)
from abm.expression import (  # noqa: E402
    awake_creb,
    binomial,
    burst_end,
    burst_start,
    bursting,
    calcium_drive,
    creb_target,
    excitation,
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
from abm.synapses import (  # noqa: E402
    cortisol_gain,
    mean_protein,
    next_contacts,
    next_protein,
    next_scale,
    next_threshold,
    triggered_time,
    trkb_gain,
)


class PlainNeuron:
    """The body of an agent. world: what it meets, a `benchmarks.plain_world.World`."""

    def settle(self, world: Any, state: dict[str, Any]) -> None:
        """Take the initial state: one plain number, or list of numbers, per state variable."""
        self.world = world
        for name, value in state.items():
            setattr(self, name, value)

    def live(self) -> None:
        """One step: sense, transcribe, express, adapt."""
        world, place = self.world, self.place
        bhb, lactate, irisin, cortisol, bdnf = (field[place] for field in world.fields)
        self.activity = relative_firing(self.drive, world.mean_drive[self.region], world.input_activity)
        self._sense(world, bhb, lactate, irisin)
        self._transcribe(world, cortisol)
        self._express(world, bdnf)
        self._adapt(world, cortisol)

    def _sense(self, world: Any, bhb: float, lactate: float, irisin: float) -> None:
        d, e, x, dt = world.drugs, world.epigenome, world.expression, world.dt
        bhb, lactate = d.mct2 * bhb, d.mct2 * lactate
        through_sirt1 = d.sirt1 * d.pgc1a * hill(lactate, x.fndc5_lactate_half, x.fndc5_lactate_exponent)
        self.fndc5 = next_fndc5(x, self.fndc5, through_sirt1, self.rest_fndc5, dt)
        excitability = rise(d.pka * saturation(bhb, x.bhb_excitability_half), self.rest_excitability)
        self.excitation = excitation(x, excitability)
        self.activity *= self.excitation
        target = creb_target(
            x,
            calcium_drive(self.activity, d.nmdar),
            rise(d.pka * saturation(bhb, x.bhb_half), self.rest_bhb),
            rise(d.nmdar * hill(lactate, x.lactate_half, x.lactate_exponent), self.rest_lactate),
            rise(d.integrin * saturation(irisin, x.irisin_half), self.rest_irisin),
            d.fndc5 * self.fndc5,
            self.trkb,
            d.creb,
        )
        self.mean_creb = mean_relaxed(self.creb, target, 1.0 / x.creb_time, dt)
        self.creb = relax(self.creb, target, 1.0 / x.creb_time, dt)
        self.hdac2 = hdac_abundance(self.hdac2, e.hdac2_loss, self.mean_creb, e, dt)
        self.hdac3 = hdac_abundance(self.hdac3, e.hdac3_loss, self.mean_creb, e, dt)
        self.mean_creb = awake_creb(self.mean_creb, world.waking, d.creb)
        active = eraser_activity(
            e, bhb, d.hdac1, d.hdac2 * self.hdac2, d.hdac3 * self.hdac3, d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
        )
        self.eraser = active / self.rest_eraser

    def _transcribe(self, world: Any, cortisol: float) -> None:
        d, e, x, c, dt = world.drugs, world.epigenome, world.expression, world.promoters, world.dt
        receptors = d.gr * glucocorticoid_occupancy(x, cortisol, d.agonist)
        access = promoter_access(x, receptors, self.rest_glucocorticoid)
        chain = chromatin_step(e, self.mean_creb, self.eraser, dt)
        for q, row in enumerate(self.nucleosomes):
            acetylated = turn_over(row, e, chain, self.eraser, dt)
            frequency = power(self.mean_creb, c.frequency_exponent[q])
            start = burst_start(x, frequency, access)
            end = burst_end(x, acetylated / c.resting_acetylated, c.duration_gain[q])
            on, off = switching(start, end, dt)
            alleles = self.promoter_on[q]
            before = alleles[0] + alleles[1]
            alleles[0] = int(next_promoter(alleles[0], on, off, random.random()))
            alleles[1] = int(next_promoter(alleles[1], on, off, random.random()))
            ends, decay = before + alleles[0] + alleles[1], LN2 / x.transcript_half_life
            lost, copies = c.lost, self.transcripts[q]
            made = d.transcription * c.initiation[q] * lost / decay * bursting(ends, start, end, on, off, decay, lost)
            decayed = binomial(copies, lost, c.survival[copies], random.random())
            self.transcripts[q] += poisson(made, exponential(-made), random.random()) - decayed

    def _express(self, world: Any, bdnf: float) -> None:
        d, x, dt = world.drugs, world.expression, world.dt
        copies = sum(self.transcripts)
        gain = release_gain(x, self.activity, self.excitation, world.unevenness)
        before, proform = self.bdnf_protein, self.bdnf_pro
        self.bdnf_protein = next_store(x, before, proform, gain, dt)
        self.unsecreted += released(x, before, self.bdnf_protein, proform, gain, dt)
        self.bdnf_pro = next_proform(x, proform, copies, d.bdnf_synthesis * d.protein_synthesis, dt)
        self.release_rate = release_rate(x, self.bdnf_protein, gain)
        relative = bdnf / self.rest_bdnf
        self.trkb_surface = next_trkb_surface(x, self.trkb_surface, relative, dt)
        self.trkb = trkb_drive(relative, d.trkb * self.trkb_surface)

    def _adapt(self, world: Any, cortisol: float) -> None:
        d, x, s, dt = world.drugs, world.expression, world.plasticity, world.dt
        before, triggered = self.plasticity_protein, triggered_time(s, self.early_load, dt)
        after = next_protein(s, before, triggered, self.trkb, d.protein_synthesis, dt)
        self.mean_protein = mean_protein(s, before, after, triggered, self.trkb, d.protein_synthesis, dt)
        self.plasticity_protein = after
        drive = world.input_activity * self.drive
        self.spine = next_contacts(s, self.spine, self.trkb, dt)
        self.scale = next_scale(s, self.scale, drive, self.trkb, dt)
        self.threshold = next_threshold(s, self.threshold, drive, dt)
        equivalent = glucocorticoid_equivalent(x, cortisol, d.agonist)
        by_steroid = cortisol_gain(s, cortisol, equivalent, d.gr)
        gain = trkb_gain(s, self.trkb) * by_steroid / self.rest_potentiation
        self.potentiation_gain = min(d.nmdar * gain, 1.0 / s.potentiation)
        self.depression_gain = d.nmdar * p75_drive(x, self.bdnf_pro, self.activity)


def turn_over(row: list[int], e: Any, chain: Any, eraser: float, dt: float) -> float:
    """Move one promoter's nucleosomes by dt hours, in place; returns the acetylated fraction."""
    repressed = row.count(-1) / len(row)
    thresholds = row_thresholds(e, chain.acetylated, chain.deacetylated, chain.opening, repressed, eraser, dt)
    for k, state in enumerate(row):
        row[k] = int(next_nucleosome(state, thresholds, random.random()))
    return row.count(1) / len(row)
