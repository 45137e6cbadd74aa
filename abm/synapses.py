"""Plasticity of one synapse and of the neuron that owns it: tag and capture gated by TrkB, turnover, scaling.

A synapse has an early change e (induced by an event, decays in hours) and a late change z (captured proteins, forgotten
by turnover over weeks). Its weight relative to an unpotentiated one is n s (1 + e + z) v: n number of contacts and s
synaptic scaling of the receiving neuron, v release probability of the sending one. Between events every equation is
linear and is advanced by its exact exponential; what an early change does while it decays, it does for as long as it is
large enough. After Luboeinski & Tetzlaff 2021 (luboeinski2021), event-averaged.

The rules of one synapse hold in the precision of what they are given.
"""

from typing import Annotated, NamedTuple

from abm.elementary import exponential, logarithm, relax
from abm.loops import rule
from abm.parameters import Unit

NEGLIGIBLE = 2.0**-40  # early change that is taken for none


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
    presynaptic_loss: Annotated[float, Unit("1")]
    contact_gain: Annotated[float, Unit("1")]
    contact_time: Annotated[float, Unit("h")]
    scaling_gain: Annotated[float, Unit("1")]
    scaling_time: Annotated[float, Unit("h")]
    threshold_time: Annotated[float, Unit("h")]
    cortisol_optimum: Annotated[float, Unit("nmol/L")]
    cortisol_width: Annotated[float, Unit("1")]
    cortisol_floor: Annotated[float, Unit("1")]


@rule
def cortisol_gain(p: SynapseParameters, cortisol: float, equivalent: float, receptors: float) -> float:
    """Gain of potentiation by free cortisol C, nmol/L: an inverted U, G = (1 - g(C)) (1 - r g(C')).

    g(c) = (1 - f) (1 - exp(-ln(c/C_opt)^2 / (2 w^2))), in the first factor only of C below the optimum, in the second
    only of C' above it: hormone raises potentiation by mineralocorticoid receptors and lowers it by glucocorticoid
    receptors (Pavlides 1996, pavlides1996). equivalent C': hormone that would occupy as many of these as hormone and
    agonists do, `abm.expression.glucocorticoid_equivalent`; receptors r: share of them that is left.
    Optimum inside the bin where primed-burst potentiation peaks (Diamond 1992, diamond1992); width and floor assumed.
    """
    rising = min(logarithm(max(cortisol, 1e-6) / p.cortisol_optimum), 0.0) / p.cortisol_width
    falling = max(logarithm(max(equivalent, 1e-6) / p.cortisol_optimum), 0.0) / p.cortisol_width
    span = 1.0 - p.cortisol_floor
    too_little = span * (1.0 - exponential(-0.5 * rising * rising))
    too_much = span * (1.0 - exponential(-0.5 * falling * falling))
    return (1.0 - too_little) * (1.0 - receptors * too_much)


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


class EarlyStep(NamedTuple):
    """One step of the early changes e of all synapses: e -> e left, and what they do meanwhile.

    mean: mean over the step relative to its start. tag_threshold: |e| from which a synapse is tagged; tag_rise: 1 /
    (how far |e| must lie above it at first for the tag to stand for the whole step). none and whole: 0 and 1 in the
    same precision, so that the rules of a synapse need no other.
    """

    left: float
    mean: float
    tag_threshold: float
    tag_rise: float
    none: float = 0.0
    whole: float = 1.0


@rule
def early_step(p: SynapseParameters, dt: float) -> EarlyStep:
    """Exact solution over dt hours of e' = -e / tau."""
    left = exponential(-dt / p.early_time)
    mean, rise = (1.0 - left) * p.early_time / dt, left / (p.tag_threshold * (1.0 - left))
    return EarlyStep(left, mean, p.tag_threshold, rise)


@rule
def next_early(early: float, step: EarlyStep) -> float:
    """Early change after a step; 0 once it is negligible.

    Else it would end among the smallest numbers of single precision, with which processors are slow.
    """
    after = early * step.left
    return after if abs(after) > NEGLIGIBLE else step.none


@rule
def tagged_share(early: float, step: EarlyStep) -> float:
    """Share of a step for which the tag of a synapse stands, |e| > threshold; e decays from `early`.

    The exact tau ln(|e| / threshold) / dt, made linear between its ends 0 and 1.
    """
    return min(max((abs(early) - step.tag_threshold) * step.tag_rise, step.none), step.whole)


@rule
def late_turnover(p: SynapseParameters, trkb: float) -> float:
    """Loss of the late change, 1/h: (3/2 - min(k, 2)/2) / tau; spines live 1-2 weeks (Attardo 2015, attardo2015)."""
    return (1.5 - 0.5 * min(trkb, 2.0)) / p.late_time


class LateStep(NamedTuple):
    """One step of the late change z of a neuron's synapses.

    forgotten: share that is lost without a tag; captured: share of the way to its target that z goes with one.
    """

    forgotten: float
    captured: float
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
        1.0 - exponential(-turnover * dt), 1.0 - exponential(-(capture + turnover) * dt), share, share * p.late_floor
    )


@rule
def next_late(late: float, early: float, tagged: float, step: LateStep) -> float:
    """Late change of one synapse after a step: captured while it is tagged, forgotten in any case.

    early: early change at the start of the step; tagged: share of the step for which the tag stands.
    """
    target = step.potentiated_target if early > 0.0 else step.depressed_target
    without = late - late * step.forgotten
    return without + (late + (target - late) * step.captured - without) * tagged


@rule
def triggered_time(p: SynapseParameters, early_load: float, dt: float) -> float:
    """For how many of the next dt hours the early changes suffice to trigger protein: tau ln(load / threshold).

    early_load: sum of |e| over the neuron's synapses now, in units of one fully potentiated synapse of the hundred that
    the mean neuron counts (`abm.wiring.COUNTED`).
    """
    return min(max(p.early_time * logarithm(max(early_load, NEGLIGIBLE) / p.protein_threshold), 0.0), dt)


@rule
def next_protein(
    p: SynapseParameters, protein: float, triggered: float, trkb: float, synthesis: float, dt: float
) -> float:
    """Plasticity-related protein of one neuron after dt hours: p' = (g k [triggered] - p) / tau.

    triggered: first hours of the step in which it is made; trkb k: TrkB signalling relative to rest; synthesis: what a
    blocker leaves of protein synthesis, 0 to 1.
    """
    made = relax(protein, p.protein_gain * trkb * synthesis, 1.0 / p.protein_time, triggered)
    return relax(made, 0.0, 1.0 / p.protein_time, dt - triggered)


@rule
def mean_protein(
    p: SynapseParameters, before: float, after: float, triggered: float, trkb: float, synthesis: float, dt: float
) -> float:
    """Mean plasticity-related protein over a step of dt hours, from its balance; arguments as in `next_protein`."""
    made = p.protein_gain * trkb * synthesis * triggered
    return max((made - p.protein_time * (after - before)) / dt, 0.0)


@rule
def release_probability(p: SynapseParameters, trkb: float) -> float:
    """Presynaptic release probability relative to rest, 1 + g (k - 1), k TrkB signalling of the sending cell.

    What BDNF adds needs presynaptic TrkB (Li 1998, li1998): g above rest. Below it g is the share that is lost without
    any TrkB, as release itself goes on (Patterson 1996, patterson1996).
    """
    gain = p.presynaptic_gain if trkb > 1.0 else p.presynaptic_loss
    return 1.0 + gain * (trkb - 1.0)


@rule
def next_contacts(p: SynapseParameters, contacts: float, trkb: float, dt: float) -> float:
    """Spine and contact number relative to rest after dt hours: n' = (1 + g (k - 1) - n) / tau."""
    return relax(contacts, 1.0 + p.contact_gain * (trkb - 1.0), 1.0 / p.contact_time, dt)


@rule
def next_scale(p: SynapseParameters, scale: float, drive: float, trkb: float, dt: float) -> float:
    """Synaptic scaling of one neuron after dt hours: s' = s (1 - drive / (1 + g (k - 1))) / tau.

    drive: mean synaptic drive relative to unpotentiated synapses at rest. Whether TrkB k raises or lowers the set point
    is open: it lowers that of cortical pyramidal cells (Rutherford 1998, rutherford1998).
    """
    excess = 1.0 - drive / (1.0 + p.scaling_gain * (trkb - 1.0))
    return scale * exponential(excess * dt / p.scaling_time)


@rule
def next_threshold(p: SynapseParameters, threshold: float, drive: float, dt: float) -> float:
    """Sliding threshold of one neuron after dt hours: th' = ((1 + drive^2) / 2 - th) / tau."""
    return relax(threshold, 0.5 + 0.5 * drive * drive, 1.0 / p.threshold_time, dt)
