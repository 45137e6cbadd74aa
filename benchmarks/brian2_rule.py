"""The neuron's rule as text for Brian2: its state variables and one step, the 48 nucleosomes spelled out.

The order and the equations are those of `benchmarks.plain_neuron`. Not expressed: firing relative to the regional mean
(drive is 1 here) and binomial draws with a number of trials per neuron, which Brian2 has not; transcripts decay by
Poisson draws of the same mean, at most what is there.
"""

from __future__ import annotations

from typing import Any

from abm.elementary import LN2

PROMOTERS, LENGTH = 4, 12
FLOATS = (
    "rest_bhb", "rest_excitability", "rest_lactate", "rest_fndc5", "rest_irisin", "rest_eraser",
    "rest_glucocorticoid", "rest_potentiation", "rest_bdnf", "activity", "excitation", "creb", "fndc5", "hdac2",
    "hdac3", "eraser", "bdnf_pro", "bdnf_protein", "release_rate", "unsecreted", "trkb_surface", "trkb",
    "plasticity_protein", "mean_protein", "spine", "scale", "threshold", "potentiation_gain", "depression_gain",
    "early_load",
)  # fmt: skip
SIGNALS = ("bhb", "lactate", "irisin", "cortisol", "bdnf")


def variables() -> str:
    """Declarations of all state variables."""
    whole = [f"copies{q}" for q in range(PROMOTERS)]
    whole += [f"allele{q}_{a}" for q in range(PROMOTERS) for a in range(2)]
    whole += [f"nucleosome{q}_{k}" for q in range(PROMOTERS) for k in range(LENGTH)]
    return "\n".join([f"{name} : 1" for name in FLOATS] + [f"{name} : integer" for name in [*whole, "place"]])


SENSE = """
{reads}
excited = bhb / bhb_excitability_half / (1.0 + bhb / bhb_excitability_half)
excitation = 1.0 + bhb_excitability * clip(excited - rest_excitability, 0.0, large)
activity = input(t) * excitation
driven_f = (lactate / fndc5_lactate_half) ** fndc5_lactate_exponent
target_f = 1.0 + fndc5_lactate_gain * clip(driven_f / (1.0 + driven_f) - rest_fndc5, 0.0, large) / (1.0 - rest_fndc5)
fndc5 = target_f + (fndc5 - target_f) * exp(-step / fndc5_time)
raised = clip(bhb / bhb_half / (1.0 + bhb / bhb_half) - rest_bhb, 0.0, large)
driven_l = (lactate / lactate_half) ** lactate_exponent
raised_l = clip(driven_l / (1.0 + driven_l) - rest_lactate, 0.0, large)
raised_i = clip(irisin / irisin_half / (1.0 + irisin / irisin_half) - rest_irisin, 0.0, large)
signal_a = 1.0 + activity_gain * (activity - 1.0) + bhb_gain * raised + lactate_gain * raised_l
signal_b = irisin_gain * raised_i + fndc5_gain * (fndc5 - 1.0) + trkb_feedback * (trkb - 1.0)
target_s = clip(signal_a + signal_b, 0.05, large)
mean_creb = target_s + (creb - target_s) * (1.0 - exp(-step / creb_time)) * creb_time / step
creb = target_s + (creb - target_s) * exp(-step / creb_time)
excess = clip(mean_creb - 1.0, 0.0, large)
target_2 = 1.0 - hdac2_loss * excess / (excess + hdac_half_signal)
hdac2 = target_2 + (hdac2 - target_2) * exp(-step / hdac_time)
target_3 = 1.0 - hdac3_loss * excess / (excess + hdac_half_signal)
hdac3 = target_3 + (hdac3 - target_3) * exp(-step / hdac_time)
mean_creb = clip(mean_creb + waking(t) - 1.0, 0.05, large)
erased_1 = hdac1_share / (1.0 + bhb / bhb_ic50_hdac1)
erased_2 = hdac2_share * hdac2 / (1.0 + bhb / bhb_ic50_hdac2)
erased_3 = hdac3_share * hdac3 / (1.0 + bhb / bhb_ic50_hdac3)
eraser = (erased_1 + erased_2 + erased_3) / rest_eraser
bound = (cortisol / glucocorticoid_half) ** glucocorticoid_exponent
receptor = bound / (1.0 + bound)
written = clip(1.0 + writer_gain * (mean_creb - 1.0), 0.0, large)
writer = eraser_rate * acetylated_fraction / unmodified_fraction * written
off = eraser_rate * eraser
pair = (1.0 - exp(-(writer + off) * step)) / (writer + off)
acetylate = pair * writer
deacetylate = pair * off
opening = opening_rate * mean_creb ** opening_exponent
repression = 1.0 - glucocorticoid_repression * receptor
start_all = burst_start_rate * clip(repression / (1.0 - glucocorticoid_repression * rest_glucocorticoid), 0.0, large)
"""

PROMOTER = """
repressed{q} = ({repressed}) / 12.0
closing{q} = basal_repression * (1.0 + repressor_recruitment * repressed{q} * repressed{q}) * eraser
slow{q} = (1.0 - exp(-(closing{q} + opening) * step)) / (closing{q} + opening)
repress{q} = slow{q} * closing{q}
open{q} = slow{q} * opening
{nucleosomes}
acetylated{q} = ({acetylated}) / 12.0
starting{q} = start_all * mean_creb ** frequency_exponent_{name}
ending{q} = burst_end_rate / clip(1.0 + duration_gain_{name} * (acetylated{q} / resting_acetylated - 1.0), 0.1, large)
change{q} = (1.0 - exp(-(starting{q} + ending{q}) * step)) / (starting{q} + ending{q})
before{q} = allele{q}_0 + allele{q}_1
allele{q}_0 = int(rand() < allele{q}_0 * (1.0 - change{q} * ending{q}) + (1 - allele{q}_0) * change{q} * starting{q})
allele{q}_1 = int(rand() < allele{q}_1 * (1.0 - change{q} * ending{q}) + (1 - allele{q}_1) * change{q} * starting{q})
stay{q} = 1.0 - change{q} * (starting{q} + ending{q})
reach{q} = (starting{q} + ending{q} + decay) * lost * (1.0 + stay{q})
share{q} = clip(sqrt(2.0 * decay * (1.0 - (1.0 - lost) * stay{q}) / reach{q}), 0, 1)
steady{q} = 2.0 * starting{q} / (starting{q} + ending{q})
bursting{q} = share{q} * 0.5 * (before{q} + allele{q}_0 + allele{q}_1) + (1.0 - share{q}) * steady{q}
made{q} = bursting{q} * initiation_{name} * lost / decay
decayed{q} = clip(poisson(copies{q} * lost), 0, copies{q})
copies{q} = int(copies{q} - decayed{q} + 0.5)
new{q} = poisson(made{q})
copies{q} = int(copies{q} + new{q} + 0.5)
"""

# The draw r and the state decide: acetylated below `up`, repressed from `down` on, else unmodified.
NUCLEOSOME = """
r{q}_{k} = rand()
u{q}_{k} = int({m} == 0)
a{q}_{k} = int({m} == 1)
up{q}_{k} = u{q}_{k} * acetylate + a{q}_{k} * (1.0 - deacetylate)
down{q}_{k} = {downs}
{m} = int(r{q}_{k} < up{q}_{k}) - int(r{q}_{k} >= down{q}_{k})
"""
DOWNS = (
    "u{q}_{k} * (1.0 - (1.0 - acetylate) * repress{q}) + a{q}_{k} * (1.0 - deacetylate * repress{q})"
    " + (1 - u{q}_{k} - a{q}_{k}) * open{q}"
)

EXPRESS = """
bursts = unevenness(t) * (activity / excitation) ** release_exponent
released = released_share * bursts * excitation ** steady_release_exponent
loss = ln2 / store_half_life * (1.0 - released_share + released)
target_b = ln2 / proform_half_life * bdnf_pro / loss
store = target_b + (bdnf_protein - target_b) * exp(-loss * step)
left = ln2 / proform_half_life * bdnf_pro * step - (store - bdnf_protein)
unsecreted = unsecreted + clip(released / (1.0 - released_share + released) * left, 0.0, large)
bdnf_protein = store
target_p = pro_at_rest * (copies0 + copies1 + copies2 + copies3) / transcripts_at_rest
bdnf_pro = target_p + (bdnf_pro - target_p) * exp(-ln2 / proform_half_life * step)
release_rate = released * ln2 / store_half_life * bdnf_protein
relative = bdnf / rest_bdnf
occupied = relative / (relative + (1.0 - trkb_resting_occupancy) / trkb_resting_occupancy)
gone = trkb_internalisation * clip(occupied - trkb_resting_occupancy, 0.0, large)
back = 1.0 / trkb_return_time
target_r = back / (back + gone)
trkb_surface = target_r + (trkb_surface - target_r) * exp(-(back + gone) * step)
trkb = 2.0 * (relative * trkb_surface) ** 2 / ((relative * trkb_surface) ** 2 + 1.0)
triggered = clip(early_time * log(clip(early_load, 1e-12, large) / protein_threshold), 0.0, step)
target_q = protein_gain * trkb
made = target_q + (plasticity_protein - target_q) * exp(-triggered / protein_time)
made = made * exp(-(step - triggered) / protein_time)
mean_protein = clip((target_q * triggered - protein_time * (made - plasticity_protein)) / step, 0.0, large)
plasticity_protein = made
target_n = 1.0 + contact_gain * (trkb - 1.0)
spine = target_n + (spine - target_n) * exp(-step / contact_time)
scale = scale * exp((1.0 - input(t) / (1.0 + scaling_gain * (trkb - 1.0))) * step / scaling_time)
target_t = 0.5 + 0.5 * input(t) * input(t)
threshold = target_t + (threshold - target_t) * exp(-step / threshold_time)
rising = clip(log(clip(cortisol, 1e-6, large) / cortisol_optimum), -large, 0.0) / cortisol_width
falling = clip(log(clip(cortisol, 1e-6, large) / cortisol_optimum), 0.0, large) / cortisol_width
too_little = (1.0 - cortisol_floor) * (1.0 - exp(-0.5 * rising * rising))
cortisol_gain = (1.0 - too_little) * (1.0 - (1.0 - cortisol_floor) * (1.0 - exp(-0.5 * falling * falling)))
gain = (1.0 + trkb_gate * (trkb - 1.0)) * cortisol_gain / rest_potentiation
potentiation_gain = clip(gain, 0.0, 1.0 / potentiation)
depression_gain = 2.0 * (activity * bdnf_pro / pro_at_rest) / (1.0 + activity * bdnf_pro / pro_at_rest)
"""


def promoter(q: int, name: str) -> str:
    """The step of one promoter: its nucleosomes, its two alleles and its transcripts."""
    places = [f"nucleosome{q}_{k}" for k in range(LENGTH)]
    parts = [NUCLEOSOME.format(q=q, k=k, m=m, downs=DOWNS.format(q=q, k=k)) for k, m in enumerate(places)]
    return PROMOTER.format(
        q=q,
        name=name,
        repressed=" + ".join(f"int({m} == -1)" for m in places),
        acetylated=" + ".join(f"int({m} == 1)" for m in places),
        nucleosomes="".join(parts),
    )


def rule(names: tuple[str, ...]) -> str:
    """One step of a neuron as Brian2's statements; names: of the promoters."""
    reads = "\n".join(f"{signal} = {signal}_at(t, place)" for signal in SIGNALS)
    promoters = "".join(promoter(q, name) for q, name in enumerate(names))
    text = SENSE.format(reads=reads) + promoters + EXPRESS
    return "\n".join(line for line in text.splitlines() if line.strip())


def constants(world: Any, names: tuple[str, ...]) -> dict[str, float]:
    """Everything the text names: the model's parameters and what follows from them."""
    from abm.epigenome import repression_rate, resting_acetylation

    e, x, s = world.epigenome, world.expression, world.plasticity
    found = {**e._asdict(), **x._asdict(), **s._asdict()}
    found.update(ln2=LN2, large=1e300, step=world.dt, lost=world.promoters.lost)
    found.update(decay=found["ln2"] / x.transcript_half_life, resting_acetylated=resting_acetylation(e))
    found.update(unmodified_fraction=1.0 - e.repressed_fraction - e.acetylated_fraction)
    found.update(pro_at_rest=x.store_at_rest * x.proform_half_life / x.store_half_life)
    found.update(basal_repression=repression_rate(e, 0.0, 1.0))
    for name, rate in zip(names, world.promoters.initiation, strict=True):
        found[f"initiation_{name}"] = rate
    return found
