"""The compiled loops against the rules they are made of, in pieces, in threads, and on other processors."""

import gc
import os
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from abm.elementary import LN2, exponential, mean_relaxed, power, relax
from abm.epigenome import (
    EpigenomeParameters,
    chromatin_step,
    eraser_activity,
    hdac_abundance,
    next_nucleosome,
    row_thresholds,
)
from abm.expression import (
    ExpressionParameters,
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
from abm.loops import loop, rule, spread
from abm.neurons import Drive, Neuron, NeuronColumns, Pharmacology, Signals, add_set_point
from abm.parameters import load_parameters
from abm.population import TILE, advance_neurons, mean_drive
from abm.promoters import promoter_constants
from abm.streams import NUCLEOSOMES, TRANSCRIPTION, generator, stream_key, uniforms
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

E = load_parameters(EpigenomeParameters, "epigenome")
X = load_parameters(ExpressionParameters, "expression")
S = load_parameters(SynapseParameters, "synapses")
DT, KEY, STEP, VOXELS, GIVEN = 0.25, stream_key(3, 1), 17, 9, Drive(waking=1.4, activity=1.2, unevenness=1.3)
DRUGS = Pharmacology(
    hdac1=0.95, hdac2=0.85, hdac3=0.75, mct2=0.8, sirt1=0.9, pgc1a=0.7, fndc5=0.6, integrin=0.65, pka=0.55, creb=0.97,
    nmdar=0.7, gr=0.9, trkb=0.85, bdnf_synthesis=0.8, transcription=0.9, protein_synthesis=0.75, drug_hdac1=0.2,
    drug_hdac2=0.3, drug_hdac3=0.4, agonist=0.1,
)  # fmt: skip
LOOKED_AT = (0, 1, 100, TILE - 1, TILE, TILE + 70)


@pytest.fixture
def population():
    return random_population()


def random_population():
    """Neurons in random states, not a whole number of tiles, and the signals around them."""
    neurons, draw = TILE + 71, generator(2, 0, "loops")
    columns = {
        name: np.full((neurons, *column.shape), column.default, column.dtype, "F")
        for name, column in Neuron.declared_columns().items()
    }
    for name, column in columns.items():
        if column.dtype == np.float64 and column.ndim == 1 and not name.startswith("rest_"):
            column[:] = draw.uniform(0.3, 2.0, neurons)
        elif name.startswith("rest_"):
            column[:] = 0.0
    n = NeuronColumns(**columns)
    n.region[:], n.voxel[:] = draw.integers(0, 3, neurons), draw.integers(0, VOXELS, neurons)
    n.nucleosomes[:] = draw.integers(-1, 2, n.nucleosomes.shape)
    n.promoter_on[:] = draw.integers(0, 2, n.promoter_on.shape)
    n.transcripts[:] = draw.poisson(3.0, n.transcripts.shape)
    around = Signals(*(draw.uniform(0.1 * high, high, VOXELS) for high in (3.0, 8.0, 1.0, 60.0, 0.02)))
    add_set_point(n, around, E, X, S, 0.7)
    return n, around


def advance(n, around, first=0, last=None):
    last = n.region.size if last is None else last
    constants, mean = promoter_constants(X, E, DT), mean_drive(n.region, n.drive)
    advance_neurons(n, around, DRUGS, E, X, S, constants, GIVEN, mean, DT, KEY, STEP, first, last)


def copied(n):
    return NeuronColumns(*(column.copy(order="F") for column in n))


def one_neuron(n, around, i, mean):
    """What neuron i is after the step, by the rules: column and value of all that changes."""
    felt = sensed(n, around, i, mean)
    written = promoters(n, around, i, felt)
    return felt | written | protein_and_synapses(n, around, i, felt, written["transcripts"])


def sensed(n, around, i, mean):
    d, v = DRUGS, int(n.voxel[i])
    bhb, lactate = d.mct2 * around.bhb[v], d.mct2 * around.lactate[v]
    through_sirt1 = d.sirt1 * d.pgc1a * hill(lactate, X.fndc5_lactate_half, X.fndc5_lactate_exponent)
    fndc5 = next_fndc5(X, n.fndc5[i], through_sirt1, n.rest_fndc5[i], DT)
    excitability = rise(d.pka * saturation(bhb, X.bhb_excitability_half), n.rest_excitability[i])
    raised = excitation(X, excitability)
    activity = relative_firing(n.drive[i], mean[n.region[i]], GIVEN.activity) * raised
    target = creb_target(
        X, calcium_drive(activity, d.nmdar), rise(d.pka * saturation(bhb, X.bhb_half), n.rest_bhb[i]),
        rise(d.nmdar * hill(lactate, X.lactate_half, X.lactate_exponent), n.rest_lactate[i]),
        rise(d.integrin * saturation(around.irisin[v], X.irisin_half), n.rest_irisin[i]), d.fndc5 * fndc5, n.trkb[i],
        d.creb,
    )  # fmt: skip
    creb = relax(n.creb[i], target, 1.0 / X.creb_time, DT)
    mean_creb = mean_relaxed(n.creb[i], target, 1.0 / X.creb_time, DT)
    hdac2 = hdac_abundance(n.hdac2[i], E.hdac2_loss, mean_creb, E, DT)
    hdac3 = hdac_abundance(n.hdac3[i], E.hdac3_loss, mean_creb, E, DT)
    active = eraser_activity(
        E, bhb, d.hdac1, d.hdac2 * hdac2, d.hdac3 * hdac3, d.drug_hdac1, d.drug_hdac2, d.drug_hdac3
    )
    return {
        "fndc5": fndc5, "activity": activity, "excitation": raised, "creb": creb,
        "mean_creb": awake_creb(mean_creb, GIVEN.waking, d.creb),
        "hdac2": hdac2, "hdac3": hdac3, "eraser": active / n.rest_eraser[i],
    }  # fmt: skip


def promoters(n, around, i, felt):
    d, c, creb, eraser = DRUGS, promoter_constants(X, E, DT), felt["mean_creb"], felt["eraser"]
    chain = chromatin_step(E, creb, eraser, DT)
    receptors = d.gr * glucocorticoid_occupancy(X, around.cortisol[n.voxel[i]], d.agonist)
    access = promoter_access(X, receptors, n.rest_glucocorticoid[i])
    rows, alleles, copies = n.nucleosomes[i].copy(), n.promoter_on[i].copy(), n.transcripts[i].copy()
    for q in range(4):
        thresholds = row_thresholds(E, *chain, (rows[q] == -1).mean(), eraser, DT)
        for place in range(12):
            draw = uniforms(KEY, i, STEP, NUCLEOSOMES, q + 4 * (place // 4))[place % 4]
            rows[q, place] = next_nucleosome(float(rows[q, place]), thresholds, draw)
        start = burst_start(X, power(creb, c.frequency_exponent[q]), access)
        end = burst_end(X, (rows[q] == 1).sum() * (1.0 / (12 * c.resting_acetylated)), c.duration_gain[q])
        on, off = switching(start, end, DT)
        first, second, third, fourth = uniforms(KEY, i, STEP, TRANSCRIPTION, q)
        before = int(alleles[q].sum())
        one, two = float(alleles[q, 0]), float(alleles[q, 1])
        alleles[q] = next_promoter(one, on, off, first), next_promoter(two, on, off, second)
        ends, decay = float(before + int(alleles[q].sum())), LN2 / X.transcript_half_life
        left = d.transcription * c.initiation[q] * c.lost / decay
        made = left * bursting(ends, start, end, on, off, decay, c.lost)
        gone = binomial(int(copies[q]), c.lost, c.survival[copies[q]], fourth)
        copies[q] += poisson(made, exponential(-made), third) - gone
    return {"nucleosomes": rows, "promoter_on": alleles, "transcripts": copies}


def protein_and_synapses(n, around, i, felt, copies):
    """BDNF is matured from the proform of before the step, and TrkB reads the BDNF around the cell as it was then."""
    d, v, activity = DRUGS, int(n.voxel[i]), felt["activity"]
    more = release_gain(X, activity, felt["excitation"], GIVEN.unevenness)
    store = next_store(X, n.bdnf_protein[i], n.bdnf_pro[i], more, DT)
    proform = next_proform(X, n.bdnf_pro[i], float(copies.sum()), d.bdnf_synthesis * d.protein_synthesis, DT)
    bdnf = around.bdnf[v] / n.rest_bdnf[i]
    gone = released(X, n.bdnf_protein[i], store, n.bdnf_pro[i], more, DT)
    surface = next_trkb_surface(X, n.trkb_surface[i], bdnf, DT)
    trkb = trkb_drive(bdnf, d.trkb * surface)
    protein, triggered = n.plasticity_protein[i], triggered_time(S, n.early_load[i], DT)
    after = next_protein(S, protein, triggered, trkb, d.protein_synthesis, DT)
    drive = GIVEN.activity * n.drive[i]
    equivalent = glucocorticoid_equivalent(X, around.cortisol[v], d.agonist)
    by_steroid = cortisol_gain(S, around.cortisol[v], equivalent, d.gr)
    gain = d.nmdar * (trkb_gain(S, trkb) * by_steroid / n.rest_potentiation[i])
    return {
        "bdnf_protein": store, "bdnf_pro": proform, "release_rate": release_rate(X, store, more),
        "unsecreted": n.unsecreted[i] + gone, "trkb_surface": surface, "trkb": trkb, "plasticity_protein": after,
        "mean_protein": mean_protein(S, protein, after, triggered, trkb, d.protein_synthesis, DT),
        "spine": next_contacts(S, n.spine[i], trkb, DT), "scale": next_scale(S, n.scale[i], drive, trkb, DT),
        "threshold": next_threshold(S, n.threshold[i], drive, DT),
        "potentiation_gain": min(gain, 1.0 / S.potentiation),
        "depression_gain": d.nmdar * p75_drive(X, proform, activity),
    }  # fmt: skip


def test_the_loop_does_to_each_neuron_what_the_rules_say(population):
    """Every column: those of `one_neuron` become what the rules say, the others stay."""
    n, around = population
    before, mean = copied(n), mean_drive(n.region, n.drive)
    advance(n, around)
    for i in LOOKED_AT:
        after = one_neuron(before, around, i, mean)
        for name in n._fields:
            expected = after.get(name, getattr(before, name)[i])
            assert np.array_equal(getattr(n, name)[i], expected), (i, name)


def by_the_rules():
    """All that the rules say of the neurons looked at, to the last bit, as text."""
    n, around = random_population()
    mean = mean_drive(n.region, n.drive)
    after = [one_neuron(n, around, i, mean) for i in LOOKED_AT]
    return repr([(name, np.asarray(value).tolist()) for neuron in after for name, value in neuron.items()])


def test_uncompiled_rules_give_the_same_bits():
    """Every rule of a neuron can be read and run as plain Python: NUMBA_DISABLE_JIT=1."""
    plain = subprocess.run(
        [sys.executable, "-c", "import test_loops; print(test_loops.by_the_rules())"], cwd=Path(__file__).parent,
        env={**os.environ, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert plain.strip() == by_the_rules()


def test_pieces_give_the_same_bits_as_the_whole(population):
    n, around = population
    whole, pieces = copied(n), copied(n)
    advance(whole, around)
    constants, mean = promoter_constants(X, E, DT), mean_drive(n.region, n.drive)
    for first, last in ((200, n.region.size), (0, 200)):
        advance_neurons(pieces, around, DRUGS, E, X, S, constants, GIVEN, mean, DT, KEY, STEP, first, last)
    assert all(np.array_equal(a, b) for a, b in zip(whole, pieces, strict=True))


@pytest.mark.parametrize("workers", [1, 2])
def test_work_is_spread_over_everything_once(workers):
    done = np.zeros(73, int)

    def work(first, last):
        done[first:last] += 1

    spread(work, 73, 10, workers)
    assert np.all(done == 1)


def test_the_fault_of_another_thread_comes_after_all_pieces_are_done():
    caller, helped, done = threading.get_ident(), threading.Event(), []

    def work(first, last):
        if threading.get_ident() == caller:
            assert helped.wait(10.0)
            done.append(first)
        elif not helped.is_set():
            helped.set()
            raise ValueError("in another thread")

    with pytest.raises(ValueError, match="in another thread"):
        spread(work, 20, 10, 2)
    assert len(done) == 1
    spread(lambda first, last: done.append(first), 20, 10, 2)  # the thread that failed still works
    assert sorted(done[1:]) == [0, 10]


def test_a_fault_in_a_thread_reaches_the_caller():
    def work(first, last):
        if first == 20:
            raise ValueError("piece at 20")

    with pytest.raises(ValueError, match="piece at 20"):
        spread(work, 73, 10, 2)


@njit
def count(values):
    return values.size


@njit
def count_wrongly(values):
    return values.number_of_entries


def test_garbage_is_collected_again_after_compiling():
    assert gc.isenabled()
    assert count(np.zeros(3)) == 3
    assert gc.isenabled()
    with pytest.raises(TypingError):
        count_wrongly(np.zeros(3))
    assert gc.isenabled()


@rule
def loud(x):
    if x < 0.0:
        raise ValueError("negative", x)
    print("met", x)
    return 2.0 * x


@loop
def call_loud(x):
    return loud(x)


def test_a_rule_can_print_and_raise_within_its_callers(capsys):
    assert call_loud(1.5) == loud(1.5) == 3.0
    assert capsys.readouterr().out == "met 1.5\n" * 2
    with pytest.raises(ValueError, match="negative"):
        call_loud(-1.0)


@pytest.mark.slow
def test_a_plain_processor_gives_the_same_bits(tmp_path):
    """The recorded state of `test_reproducibility`, computed by machine code of the oldest processors of 64 bits."""
    test = Path(__file__).with_name("test_reproducibility.py")
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "NUMBA_CACHE_DIR": str(tmp_path)}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    done = subprocess.run(command, env={**os.environ, **plain}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_kernel_goes_to_another_process_by_its_name():
    again = "import pickle, sys; print(pickle.loads(bytes.fromhex(sys.argv[1]))(0.5).hex())"
    answer = subprocess.run(
        [sys.executable, "-c", again, pickle.dumps(exponential).hex()], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == float(exponential(0.5)).hex()
