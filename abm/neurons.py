"""The neuron: a Mesa agent whose state lives in columns, what acts on it, and its set points."""

from collections import namedtuple
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from abm.columns import Column, ColumnAgent
from abm.epigenome import NUCLEOSOMES_PER_PROMOTER, EpigenomeParameters, eraser_activity
from abm.expression import ExpressionParameters, glucocorticoid_occupancy, hill, saturation
from abm.loops import loop
from abm.metric_names import PROMOTERS
from abm.synapses import SynapseParameters, cortisol_gain

ALLELES = 2


class Neuron(ColumnAgent):
    """A granule cell (DG) or pyramidal cell (CA3, CA1). Columns named rest_* are its set points over a resting day."""

    region = Column(np.int8, doc="0 DG, 1 CA3, 2 CA1")
    voxel = Column(np.uint32, doc="flat index of the tissue voxel that holds the cell body")
    position = Column(shape=(3,), unit="um", doc="position of the cell body")
    rate = Column(unit="Hz", default=1.0, doc="resting firing rate")

    rest_bhb = Column(doc="mean saturating drive of BHB")
    rest_excitability = Column(doc="mean saturating drive of BHB on excitability")
    rest_lactate = Column(doc="mean saturating drive of lactate")
    rest_fndc5 = Column(doc="mean saturating drive of lactate on FNDC5")
    rest_irisin = Column(doc="mean saturating drive of irisin")
    rest_eraser = Column(default=1.0, doc="mean deacetylating activity")
    rest_glucocorticoid = Column(doc="mean occupancy of glucocorticoid receptors")
    rest_potentiation = Column(default=1.0, doc="mean cortisol gain of potentiation")
    rest_bdnf = Column(unit="nmol/L", default=1.0, doc="mean extracellular BDNF")

    activity = Column(default=1.0, doc="firing relative to rest")
    excitation = Column(default=1.0, doc="factor by which BHB raises firing")
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
    unsecreted = Column(doc="mature BDNF dimers released that the tissue has not got yet; negative: got ahead")
    trkb_surface = Column(default=1.0, doc="surface TrkB relative to rest")
    trkb = Column(default=1.0, doc="TrkB signalling relative to rest")

    plasticity_protein = Column(doc="plasticity-related protein")
    mean_protein = Column(doc="plasticity-related protein, mean over the step")
    spine = Column(default=1.0, doc="number of spines and contacts relative to rest")
    scale = Column(default=1.0, doc="synaptic scaling factor")
    threshold = Column(default=1.0, doc="sliding threshold relative to rest")
    potentiation_gain = Column(default=1.0, doc="cortisol, TrkB and NMDA-receptor gain of potentiation, relative")
    depression_gain = Column(default=1.0, doc="p75 and NMDA-receptor gain of depression relative to rest")
    drive = Column(default=1.0, doc="mean synaptic drive relative to unpotentiated synapses")
    early_load = Column(doc="sum of |early change| over its synapses, of which the mean neuron counts a hundred")
    mean_strength = Column(default=1.0, doc="mean weight of its synapses relative to unpotentiated ones")
    potentiated = Column(doc="share of its synapses with early plus late change above 0.2")
    consolidated = Column(doc="share of its synapses with late change above 0.5")


# The same columns as one typed bundle of arrays, which compiled loops take as a single argument.
if TYPE_CHECKING:
    NeuronColumns: TypeAlias = Any
else:
    NeuronColumns = namedtuple("NeuronColumns", list(Neuron.declared_columns()))


# Those of them that `add_set_point` fills, and the voxel it reads.
if TYPE_CHECKING:
    SetPointColumns: TypeAlias = Any
else:
    SetPointColumns = namedtuple(
        "SetPointColumns", ["voxel", *(name for name in Neuron.declared_columns() if name.startswith("rest_"))]
    )


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


class Signals(NamedTuple):
    """Extracellular concentrations of every voxel, flat: bhb, lactate mmol/L; irisin, cortisol, bdnf nmol/L.

    Means over a step, of which little may be left at its end; bdnf, which neurons release and TrkB answers at once, is
    that at the end.
    """

    bhb: npt.NDArray[np.float64]
    lactate: npt.NDArray[np.float64]
    irisin: npt.NDArray[np.float64]
    cortisol: npt.NDArray[np.float64]
    bdnf: npt.NDArray[np.float64]


class Drive(NamedTuple):
    """What the brain of a subject brings to all neurons alike in a step, each 1 at rest.

    waking: to the CREB signal, `abm.expression.waking_drive`; activity: entorhinal and septal input on the mean,
    `abm.wiring.input_activity`; unevenness: how that varies within the step, `abm.wiring.unevenness`.
    """

    waking: float = 1.0
    activity: float = 1.0
    unevenness: float = 1.0


@loop
def add_set_point(
    n: SetPointColumns, signals: Signals, e: EpigenomeParameters, x: ExpressionParameters, s: SynapseParameters,
    weight: float,
) -> None:
    """Add weight x the present local drives to every neuron's set points, in place; weights over a day sum to 1."""
    for i in range(n.voxel.size):
        v = n.voxel[i]
        n.rest_bhb[i] += weight * saturation(signals.bhb[v], x.bhb_half)
        n.rest_excitability[i] += weight * saturation(signals.bhb[v], x.bhb_excitability_half)
        n.rest_lactate[i] += weight * hill(signals.lactate[v], x.lactate_half, x.lactate_exponent)
        n.rest_fndc5[i] += weight * hill(signals.lactate[v], x.fndc5_lactate_half, x.fndc5_lactate_exponent)
        n.rest_irisin[i] += weight * saturation(signals.irisin[v], x.irisin_half)
        n.rest_eraser[i] += weight * eraser_activity(e, signals.bhb[v], 1.0, 1.0, 1.0, 0.0, 0.0, 0.0)
        n.rest_glucocorticoid[i] += weight * glucocorticoid_occupancy(x, signals.cortisol[v], 0.0)
        n.rest_potentiation[i] += weight * cortisol_gain(s, signals.cortisol[v], signals.cortisol[v], 1.0)
        n.rest_bdnf[i] += weight * signals.bdnf[v]
