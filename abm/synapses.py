"""Plasticity of one synapse and of the neuron that owns it: tag and capture gated by TrkB, turnover, scaling.

A synapse has an early change e (induced by an event, decays in hours) and a late change z (captured proteins, forgotten
by turnover over weeks). Its weight relative to an unpotentiated one is n s (1 + e + z) v: n number of contacts and s
synaptic scaling of the receiving neuron, v release probability of the sending one. Between events every equation is
linear and is advanced by its exact exponential. After Luboeinski & Tetzlaff 2021 (luboeinski2021), event-averaged.
"""

from typing import Annotated, NamedTuple

from abm.elementary import exponential, logarithm, relax
from abm.loops import rule
from abm.parameters import Unit

NEGLIGIBLE = 1e-12  # early change that is taken for none


class SynapseParameters(NamedTuple):
    """Constants of plasticity; sources in configs/parameters/synapses.yaml."""

    early_time: Annotated[float, Unit("h")]
    potentiation: Annotated[float, Unit("1")]
    depression: Annotated[float, Unit("1")]
    trkb_gate: Annotated[float, Unit("1")]
    tag_threshold: Annotated[float, Unit("1")]
    late_floor: Annotated[float, Unit("1")]
    late_time: Annotated[float, Unit("h")]
    capture_time: Annotated[float, Unit("h")]
    protein_threshold: Annotated[float, Unit("1")]
    protein_gain: Annotated[float, Unit("1")]
    protein_time: Annotated[float, Unit("h")]
    active_threshold: Annotated[float, Unit("1")]
    presynaptic_gain: Annotated[float, Unit("1")]
    contact_gain: Annotated[float, Unit("1")]
    contact_time: Annotated[float, Unit("h")]
    scaling_gain: Annotated[float, Unit("1")]
    scaling_time: Annotated[float, Unit("h")]
    threshold_time: Annotated[float, Unit("h")]
    cortisol_optimum: Annotated[float, Unit("nmol/L")]
    cortisol_width: Annotated[float, Unit("1")]
    cortisol_floor: Annotated[float, Unit("1")]


@rule
def cortisol_gain(p: SynapseParameters, cortisol: float) -> float:
    """Gain of potentiation by free cortisol, nmol/L: an inverted U, G = f + (1 - f) exp(-ln(C/C_opt)^2 / (2 w^2)).

    Optimum inside the bin where primed-burst potentiation peaks (Diamond 1992, diamond1992); width and floor assumed.
    """
    distance = logarithm(max(cortisol, 1e-6) / p.cortisol_optimum) / p.cortisol_width
    return p.cortisol_floor + (1.0 - p.cortisol_floor) * exponential(-0.5 * distance * distance)


@rule
def trkb_gain(p: SynapseParameters, trkb: float) -> float:
    """Gain of potentiation by TrkB signalling k relative to rest: 1 + g (k - 1).

    Potentiation is smaller where BDNF is halved or missing and comes back when it is added (Korte 1995, korte1995;
    Patterson 1996, patterson1996); g is the share of potentiation that needs TrkB.
    """
    return 1.0 + p.trkb_gate * (trkb - 1.0)


@rule
def potentiated(p: SynapseParameters, early: float, drive: float, threshold: float, gain: float) -> float:
    """Early change after an event in which both cells fired: e + a_P G y / (y + th) (1 - e).

    drive y: relative drive of the receiving neuron; threshold th: its sliding threshold; gain G: cortisol, TrkB and
    NMDA receptors.
    """
    return early + p.potentiation * gain * drive / (drive + threshold) * (1.0 - early)


@rule
def depressed(p: SynapseParameters, early: float, gain: float) -> float:
    """Early change after an event in which only the sending cell fired: e + a_D G (-1/2 - e).

    gain G: p75 signalling of the receiving neuron and NMDA receptors; a_D G stays below 1.
    """
    return early + min(p.depression * gain, 1.0) * (-0.5 - early)


@rule
def next_early(early: float, decay: float) -> float:
    """Early change between events: e' = -e / tau, with decay = exp(-dt / tau); 0 once it is negligible.

    Else it would end among the smallest numbers of single precision, with which processors are slow.
    """
    left = early * decay
    return left if abs(left) > NEGLIGIBLE else 0.0


@rule
def late_turnover(p: SynapseParameters, trkb: float) -> float:
    """Loss of the late change, 1/h: (3/2 - min(k, 2)/2) / tau; spines live 1-2 weeks (Attardo 2015, attardo2015)."""
    return (1.5 - 0.5 * min(trkb, 2.0)) / p.late_time


class LateStep(NamedTuple):
    """One step of the late change of a neuron's synapses: y -> target + (y - target) keep, by tag."""

    keep_untagged: float
    keep_tagged: float
    potentiated_target: float
    depressed_target: float


@rule
def late_step(p: SynapseParameters, protein: float, trkb: float, dt: float) -> LateStep:
    """Exact solution over dt hours of z' = (p / tau_c) (z_tag - z) [tagged] - turnover z, tags and protein held.

    z_tag: 1 for a potentiated and the floor for a depressed synapse; protein p: plasticity-related protein of the
    neuron; trkb: its TrkB signalling relative to rest. The same for all synapses of a neuron, so found once.
    """
    turnover, capture = late_turnover(p, trkb), protein / p.capture_time
    share = capture / (capture + turnover)
    return LateStep(
        exponential(-turnover * dt), exponential(-(capture + turnover) * dt), share, share * p.late_floor
    )


@rule
def next_late(p: SynapseParameters, late: float, early: float, step: LateStep) -> float:
    """Late change of one synapse after a step: captured if tagged (|e| > tag threshold), forgotten in any case."""
    tagged = abs(early) > p.tag_threshold
    target = (step.potentiated_target if early > 0.0 else step.depressed_target) if tagged else 0.0
    return target + (late - target) * (step.keep_tagged if tagged else step.keep_untagged)


@rule
def next_protein(
    p: SynapseParameters, protein: float, early_load: float, trkb: float, synthesis: float, dt: float
) -> float:
    """Plasticity-related protein of one neuron after dt hours: p' = (g H(load > th) k - p) / tau.

    early_load: sum of |e| over its synapses, in units of one fully potentiated synapse; trkb k: TrkB signalling
    relative to rest; synthesis: what a blocker leaves of protein synthesis, 0 to 1.
    """
    made = p.protein_gain * trkb * synthesis if early_load > p.protein_threshold else 0.0
    return relax(protein, made, 1.0 / p.protein_time, dt)


@rule
def release_probability(p: SynapseParameters, trkb: float) -> float:
    """Presynaptic release probability relative to rest, 1 + g (k - 1), k of the sending cell (Li 1998, li1998)."""
    return 1.0 + p.presynaptic_gain * (trkb - 1.0)


@rule
def next_contacts(p: SynapseParameters, contacts: float, trkb: float, dt: float) -> float:
    """Spine and contact number relative to rest after dt hours: n' = (1 + g (k - 1) - n) / tau."""
    return relax(contacts, 1.0 + p.contact_gain * (trkb - 1.0), 1.0 / p.contact_time, dt)


@rule
def next_scale(p: SynapseParameters, scale: float, drive: float, trkb: float, dt: float) -> float:
    """Synaptic scaling of one neuron after dt hours: s' = s (1 - drive / (1 + g (k - 1))) / tau.

    drive: mean synaptic drive relative to unpotentiated synapses at rest (Rutherford 1998, rutherford1998).
    """
    excess = 1.0 - drive / (1.0 + p.scaling_gain * (trkb - 1.0))
    return scale * exponential(excess * dt / p.scaling_time)


@rule
def next_threshold(p: SynapseParameters, threshold: float, drive: float, dt: float) -> float:
    """Sliding threshold of one neuron after dt hours: th' = ((1 + drive^2) / 2 - th) / tau."""
    return relax(threshold, 0.5 + 0.5 * drive * drive, 1.0 / p.threshold_time, dt)
