"""The neuron: a Mesa agent whose state lives in columns, the rule of one neuron, and the loop over all of them."""

from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from numba import njit

from abm.columns import Column, ColumnAgent
from abm.elementary import relax
from abm.epigenome import (
    NUCLEOSOMES_PER_PROMOTER,
    PROMOTERS,
    EpigenomeParameters,
    advance_nucleosomes,
    draw_nucleosomes,
    eraser_activity,
    hdac_abundance,
    nucleosome_rates,
    resting_acetylation,
)
from abm.expression import (
    ExpressionParameters,
    binomial,
    burst_end,
    burst_start,
    creb_target,
    excited,
    glucocorticoid_occupancy,
    hill,
    initiation_rate,
    next_fndc5,
    next_proform,
    next_promoter,
    next_store,
    next_trkb_surface,
    p75_drive,
    poisson,
    release_rate,
    rise,
    switching,
    trkb_drive,
)
from abm.streams import TRANSCRIPTION, StreamKey, fill_uniforms
from abm.synapses import (
    SynapseParameters,
    cortisol_gain,
    next_contacts,
    next_protein,
    next_scale,
    next_threshold,
    trkb_gain,
)

ALLELES = 2
TILE = 256  # neurons whose draws are made together; their buffers stay in the processor's cache


class Neuron(ColumnAgent):
    """A granule cell (DG) or pyramidal cell (CA3, CA1). Columns named rest_* are its set points over a resting day."""

    region = Column(np.int8, doc="0 DG, 1 CA3, 2 CA1")
    voxel = Column(np.uint32, doc="flat index of the tissue voxel that holds the cell body")
    position = Column(shape=(3,), unit="um", doc="position of the cell body")
    rate = Column(unit="Hz", default=1.0, doc="resting firing rate")

    rest_bhb = Column(doc="mean saturating drive of BHB")
    rest_lactate = Column(doc="mean saturating drive of lactate")
    rest_fndc5 = Column(doc="mean saturating drive of lactate on FNDC5")
    rest_irisin = Column(doc="mean saturating drive of irisin")
    rest_eraser = Column(default=1.0, doc="mean deacetylating activity")
    rest_glucocorticoid = Column(doc="mean occupancy of glucocorticoid receptors")
    rest_potentiation = Column(default=1.0, doc="mean cortisol gain of potentiation")
    rest_bdnf = Column(unit="nmol/L", default=1.0, doc="mean extracellular BDNF")

    activity = Column(default=1.0, doc="firing relative to rest")
    creb = Column(default=1.0, doc="CREB signal relative to rest")
    fndc5 = Column(default=1.0, doc="FNDC5 relative to rest")
    hdac2 = Column(default=1.0, doc="HDAC2 abundance relative to rest")
    hdac3 = Column(default=1.0, doc="HDAC3 abundance relative to rest")
    eraser = Column(default=1.0, doc="deacetylating activity relative to rest")
    nucleosomes = Column(np.int8, shape=(len(PROMOTERS), NUCLEOSOMES_PER_PROMOTER), doc="-1 repressed, 0, 1 acetylated")
    promoter_on = Column(np.int8, shape=(len(PROMOTERS), ALLELES), doc="1 while the allele bursts")
    transcripts = Column(np.int32, shape=(len(PROMOTERS),), doc="Bdnf mRNA copies per promoter")
    bdnf_pro = Column(doc="proBDNF dimers")
    bdnf_protein = Column(doc="mature BDNF dimers in the vesicle store")
    release_rate = Column(unit="1/h", doc="mature BDNF dimers released per hour")
    trkb_surface = Column(default=1.0, doc="surface TrkB relative to rest")
    trkb = Column(default=1.0, doc="TrkB signalling relative to rest")

    plasticity_protein = Column(doc="plasticity-related protein")
    spine = Column(default=1.0, doc="number of spines and contacts relative to rest")
    scale = Column(default=1.0, doc="synaptic scaling factor")
    threshold = Column(default=1.0, doc="sliding threshold relative to rest")
    potentiation_gain = Column(default=1.0, doc="cortisol, TrkB and NMDA-receptor gain of potentiation, relative")
    depression_gain = Column(default=1.0, doc="p75 and NMDA-receptor gain of depression relative to rest")
    drive = Column(default=1.0, doc="mean synaptic drive relative to unpotentiated synapses")
    early_load = Column(doc="sum of |early change| over its synapses")
    mean_strength = Column(default=1.0, doc="mean weight of its synapses relative to unpotentiated ones")
    potentiated = Column(doc="share of its synapses with early plus late change above 0.2")
    consolidated = Column(doc="share of its synapses with late change above 0.5")


# The same columns as one typed bundle of arrays, which compiled loops take as a single argument.
if TYPE_CHECKING:
    NeuronColumns: TypeAlias = Any
else:
    NeuronColumns = namedtuple("NeuronColumns", list(Neuron.declared_columns()))


class Pharmacology(NamedTuple):
    """What drugs and genetics leave of each mechanism in the tissue, 1 untouched to 0 absent.

    drug_hdac1-3: competitive HDAC inhibitors in multiples of their IC50; agonist: glucocorticoid-receptor agonist in
    multiples of its half-saturating concentration, added to cortisol.
    """

    hdac1: float = 1.0
    hdac2: float = 1.0
    hdac3: float = 1.0
    mct2: float = 1.0
    sirt1: float = 1.0
    pgc1a: float = 1.0
    fndc5: float = 1.0
    integrin: float = 1.0
    pka: float = 1.0
    creb: float = 1.0
    nmdar: float = 1.0
    gr: float = 1.0
    trkb: float = 1.0
    bdnf_synthesis: float = 1.0
    transcription: float = 1.0
    protein_synthesis: float = 1.0
    drug_hdac1: float = 0.0
    drug_hdac2: float = 0.0
    drug_hdac3: float = 0.0
    agonist: float = 0.0


class PromoterConstants(NamedTuple):
    """Per-promoter constants in the order I, II, IV, VI, each of shape (4,), and the resting acetylated fraction."""

    frequency_exponent: npt.NDArray[np.float64]
    duration_gain: npt.NDArray[np.float64]
    transcript_share: npt.NDArray[np.float64]
    resting_acetylated: float


def promoter_constants(p: ExpressionParameters, e: EpigenomeParameters) -> PromoterConstants:
    """The promoters' constants as arrays for the compiled loop."""
    named = p._asdict()
    kinds = ("frequency_exponent", "duration_gain", "transcript_share")
    frequency, duration, share = (np.array([named[f"{kind}_{promoter}"] for promoter in PROMOTERS]) for kind in kinds)
    return PromoterConstants(frequency, duration, share, resting_acetylation(e))


class Signals(NamedTuple):
    """Extracellular concentrations of every voxel, flat: bhb, lactate mmol/L; irisin, cortisol, bdnf nmol/L."""

    bhb: npt.NDArray[np.float64]
    lactate: npt.NDArray[np.float64]
    irisin: npt.NDArray[np.float64]
    cortisol: npt.NDArray[np.float64]
    bdnf: npt.NDArray[np.float64]


@njit(cache=True, error_model="numpy")
def add_set_point(
    n: NeuronColumns, signals: Signals, e: EpigenomeParameters, x: ExpressionParameters, s: SynapseParameters,
    weight: float,
) -> None:
    """Add weight x the present local drives to every neuron's set points, in place; weights over a day sum to 1."""
    for i in range(n.voxel.size):
        v = n.voxel[i]
        n.rest_bhb[i] += weight * hill(signals.bhb[v], x.bhb_half, 1)
        n.rest_lactate[i] += weight * hill(signals.lactate[v], x.lactate_half, 2)
        n.rest_fndc5[i] += weight * hill(signals.lactate[v], x.fndc5_lactate_half, 3)
        n.rest_irisin[i] += weight * hill(signals.irisin[v], x.irisin_half, 1)
        n.rest_eraser[i] += weight * eraser_activity(e, signals.bhb[v], 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
        n.rest_glucocorticoid[i] += weight * glucocorticoid_occupancy(x, signals.cortisol[v], 0.0)
        n.rest_potentiation[i] += weight * cortisol_gain(s, signals.cortisol[v])
        n.rest_bdnf[i] += weight * signals.bdnf[v]


@njit(cache=True, error_model="numpy")
def sense(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    dt: float,
) -> None:
    """Signals in every neuron: FNDC5, the CREB signal, HDAC2 and HDAC3, and the activity of the erasers."""
    for i in range(n.voxel.size):
        v = n.voxel[i]
        bhb, lactate = d.mct2 * signals.bhb[v], d.mct2 * signals.lactate[v]
        through_sirt1 = d.sirt1 * d.pgc1a * hill(lactate, x.fndc5_lactate_half, 3)
        n.fndc5[i] = next_fndc5(x, n.fndc5[i], through_sirt1, n.rest_fndc5[i], dt)
        raised = rise(d.pka * hill(bhb, x.bhb_half, 1), n.rest_bhb[i])
        n.activity[i] = excited(x, n.activity[i], raised)
        target = d.creb * creb_target(
            x,
            n.activity[i],
            raised,
            rise(d.nmdar * hill(lactate, x.lactate_half, 2), n.rest_lactate[i]),
            rise(d.integrin * hill(signals.irisin[v], x.irisin_half, 1), n.rest_irisin[i]),
            d.fndc5 * n.fndc5[i],
            n.trkb[i],
        )
        n.creb[i] = relax(n.creb[i], target, 1.0 / x.creb_time, dt)
        n.hdac2[i] = hdac_abundance(n.hdac2[i], e.hdac2_loss, n.creb[i], e, dt)
        n.hdac3[i] = hdac_abundance(n.hdac3[i], e.hdac3_loss, n.creb[i], e, dt)
        active = eraser_activity(
            e, bhb, d.hdac1, d.hdac2 * n.hdac2[i], d.hdac3 * n.hdac3[i], d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
        )
        n.eraser[i] = active / n.rest_eraser[i]


@njit(cache=True, error_model="numpy")
def transcribe(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    c: PromoterConstants, dt: float, lost: float, key: StreamKey, step: int,
) -> None:
    """Nucleosomes, bursts and transcripts of the four Bdnf promoters of every neuron over dt hours."""
    nucleosomes, bursts = np.empty((12, 4, TILE)), np.empty((4, 4, TILE))
    decay = 0.6931471805599453 / x.transcript_half_life
    for first in range(0, n.voxel.size, TILE):
        draw_nucleosomes(key, first, step, nucleosomes)
        for q in range(4):
            fill_uniforms(key, first, step, TRANSCRIPTION, q, bursts[q])
        for i in range(first, min(first + TILE, n.voxel.size)):
            receptor = d.gr * glucocorticoid_occupancy(x, signals.cortisol[n.voxel[i]], d.agonist)
            rates = nucleosome_rates(e, n.creb[i], n.eraser[i], dt)
            for q in range(4):
                acetylated = advance_nucleosomes(n.nucleosomes[i, q], e, rates, dt, nucleosomes, q, i - first)
                start = burst_start(x, n.creb[i], c.frequency_exponent[q], receptor, n.rest_glucocorticoid[i])
                end = burst_end(x, acetylated, c.resting_acetylated, c.duration_gain[q])
                on, off = switching(start, end, dt)
                before = n.promoter_on[i, q, 0] + n.promoter_on[i, q, 1]
                n.promoter_on[i, q, 0] = next_promoter(n.promoter_on[i, q, 0], on, off, bursts[q, 0, i - first])
                n.promoter_on[i, q, 1] = next_promoter(n.promoter_on[i, q, 1], on, off, bursts[q, 1, i - first])
                # Alleles that burst at one end of the step only are taken to have burst for half of it.
                bursting = 0.5 * (before + n.promoter_on[i, q, 0] + n.promoter_on[i, q, 1])
                # Of what is made in a step part decays in it: rate (1 - e^(-gamma dt)) / gamma is left at its end.
                made = d.transcription * bursting * initiation_rate(x, c.transcript_share[q]) * lost / decay
                decayed = binomial(n.transcripts[i, q], lost, bursts[q, 3, i - first])
                n.transcripts[i, q] += poisson(made, bursts[q, 2, i - first]) - decayed


@njit(cache=True, error_model="numpy")
def express(
    n: NeuronColumns, signals: Signals, d: Pharmacology, x: ExpressionParameters, dt: float
) -> None:
    """proBDNF, the store of mature BDNF, its release, and TrkB of every neuron over dt hours."""
    for i in range(n.voxel.size):
        copies = 0.0
        for q in range(4):
            copies += n.transcripts[i, q]
        n.bdnf_protein[i] = next_store(x, n.bdnf_protein[i], n.bdnf_pro[i], n.activity[i], dt)
        n.bdnf_pro[i] = next_proform(x, n.bdnf_pro[i], copies, d.bdnf_synthesis * d.protein_synthesis, dt)
        n.release_rate[i] = release_rate(x, n.bdnf_protein[i], n.activity[i])
        relative = signals.bdnf[n.voxel[i]] / n.rest_bdnf[i]
        n.trkb_surface[i] = next_trkb_surface(x, n.trkb_surface[i], relative, dt)
        n.trkb[i] = trkb_drive(relative, d.trkb * n.trkb_surface[i])


@njit(cache=True, error_model="numpy")
def adapt(
    n: NeuronColumns, signals: Signals, d: Pharmacology, x: ExpressionParameters, s: SynapseParameters,
    input_activity: float, dt: float,
) -> None:
    """Plasticity protein, contacts, scaling, threshold and plasticity gains of every neuron over dt hours."""
    for i in range(n.voxel.size):
        n.plasticity_protein[i] = next_protein(
            s, n.plasticity_protein[i], n.early_load[i], n.trkb[i], d.protein_synthesis, dt
        )
        drive = input_activity * n.drive[i]
        n.spine[i] = next_contacts(s, n.spine[i], n.trkb[i], dt)
        n.scale[i] = next_scale(s, n.scale[i], drive, n.trkb[i], dt)
        n.threshold[i] = next_threshold(s, n.threshold[i], drive, dt)
        gain = trkb_gain(s, n.trkb[i]) * cortisol_gain(s, signals.cortisol[n.voxel[i]]) / n.rest_potentiation[i]
        n.potentiation_gain[i] = min(d.nmdar * gain, 1.0 / s.potentiation)
        n.depression_gain[i] = d.nmdar * p75_drive(x, n.bdnf_pro[i], n.activity[i])


@njit(cache=True, error_model="numpy")
def relative_firing(n: NeuronColumns, input_activity: float) -> None:
    """Firing of every neuron relative to rest, in place: a = E d / (mean d of its region).

    E: entorhinal input relative to rest; d: synaptic drive. Feedback inhibition follows the regional mean, so stronger
    synapses everywhere change who fires, not how much the region fires.
    """
    total, cells = np.zeros(3), np.zeros(3)
    for i in range(n.region.size):
        total[n.region[i]] += n.drive[i]
        cells[n.region[i]] += 1.0
    for i in range(n.region.size):
        region = n.region[i]
        n.activity[i] = input_activity * n.drive[i] * cells[region] / total[region]


@njit(cache=True, error_model="numpy")
def advance_neurons(
    n: NeuronColumns, signals: Signals, d: Pharmacology, e: EpigenomeParameters, x: ExpressionParameters,
    s: SynapseParameters, c: PromoterConstants, input_activity: float, dt: float, lost: float, key: StreamKey,
    step: int,
) -> None:
    """Advance every neuron by dt hours, in place: sense, transcribe, express, adapt.

    lost: probability that a transcript decays within the step. All inputs are those at the start of the step.
    """
    relative_firing(n, input_activity)
    sense(n, signals, d, e, x, dt)
    transcribe(n, signals, d, e, x, c, dt, lost, key, step)
    express(n, signals, d, x, dt)
    adapt(n, signals, d, x, s, input_activity, dt)
