"""What reaches the tissue from outside: blood by step, clamps, blocks, injections, baths."""

from dataclasses import replace

import numpy as np
import pytest

from abm import forcing
from abm.body import PLASMA_COLUMNS, Plasma
from abm.clock import Clock
from abm.epigenome import EpigenomeParameters, eraser_activity
from abm.forcing import ForcingParameters
from abm.neurons import Pharmacology
from abm.parameters import load_parameters
from abm.schedule import Block, Dose, Timeline
from abm.study.clamping import tissue_input

P = load_parameters(ForcingParameters, "forcing", "mouse")


def plasma(steps, level):
    edges = np.arange(steps + 1.0)
    return Plasma(edges, before=None, **{name: level + np.arange(steps) for name in PLASMA_COLUMNS})


def test_blood_is_the_mean_of_its_step_and_holds_at_the_end():
    course = plasma(3, 10.0)
    assert [forcing.blood_at(course, step)["bhb"] for step in (0, 2, 7)] == [10.0, 12.0, 12.0]


def test_a_clamped_signal_repeats_the_resting_day_and_leaves_the_others():
    clamped = forcing.clamp_to_rest(plasma(5, 10.0), plasma(2, 0.0), ["lactate", "input_activity", "cortisol"])
    assert clamped.lactate.tolist() == clamped.sampled_lactate.tolist() == [0, 1, 0, 1, 0]
    # Whatever sits on its receptor is cortisol's.
    assert clamped.cortisol.tolist() == clamped.dexamethasone.tolist() == [0, 1, 0, 1, 0]
    assert clamped.movement.tolist() == [0, 1, 0, 1, 0]
    assert clamped.bhb.tolist() == [10, 11, 12, 13, 14]


def test_hours_before_time_zero_are_parted_clamped_and_joined_again():
    whole = replace(plasma(6, 10.0), edges=np.arange(-4.0, 3.0))
    parted = whole.from_time_zero()
    assert parted.edges.tolist() == whole.edges[4:].tolist()
    assert (parted.steps_before, whole.steps_before) == (4, 0)
    assert parted.lived("bhb").tolist() == whole.bhb.tolist()
    clamped = forcing.clamp_to_rest(parted, plasma(2, 0.0), ["lactate"])
    assert clamped.lived("lactate").tolist() == [0, 1, 0, 1, 0, 1]
    assert clamped.lived("bhb").tolist() == whole.bhb.tolist()
    # What a fast has done before time zero is part of what the tissue meets.
    line = Timeline("t", 2.0)
    assert tissue_input(replace(parted, before=plasma(4, 11.0)), line) != tissue_input(parted, line)


@pytest.mark.parametrize("name", ["bhb", "movement", "dexamethasone", "wakefulness", "sampled_bdnf"])
def test_what_the_tissue_meets_or_a_sample_holds_is_part_of_its_input(name):
    course, line = plasma(3, 10.0), Timeline("t", 3.0)
    assert tissue_input(replace(course), line) == tissue_input(course, line)
    assert tissue_input(replace(course, **{name: getattr(course, name) + 1.0}), line) != tissue_input(course, line)


def test_blocks_leave_what_they_should():
    timeline = Timeline("t", 10.0, blocks=(Block("class_I_HDAC", 0.9, 0.0, 5.0), Block("NMDAR", 0.25, 0.0, 10.0)))
    drugs = forcing.pharmacology(timeline, 1.0, 0.5)
    # An inhibitor that leaves one tenth is at nine times its IC50.
    assert drugs.drug_hdac1 == drugs.drug_hdac2 == drugs.drug_hdac3 == pytest.approx(9.0)
    assert drugs.nmdar == 0.75
    assert drugs.agonist == 0.5
    later = forcing.pharmacology(timeline, 6.0, 0.0)
    assert (later.drug_hdac1, later.nmdar) == (0.0, 0.75)
    # For other types than these every loop over neurons would be compiled anew.
    assert {type(value) for value in (*drugs, *later)} == {float}


def test_a_loss_takes_enzyme_away_and_a_drug_holds_it():
    """Half of the enzyme lost is half of what BHB leaves free; a drug competes with BHB for it."""
    lost, held = (
        forcing.pharmacology(Timeline("t", 1.0, blocks=(Block("HDAC3", 0.5, 0.0, 1.0, loss),)), 0.0, 0.0)
        for loss in (True, False)
    )
    assert (lost.hdac3, lost.drug_hdac3) == (0.5, 0.0)
    assert (held.hdac3, held.drug_hdac3) == (1.0, 1.0)
    e = load_parameters(EpigenomeParameters, "epigenome")
    of_hdac3 = [
        eraser_activity(e, 5.0, 0.0, 0.0, d.hdac3, d.drug_hdac1, d.drug_hdac2, d.drug_hdac3)
        for d in (lost, held, Pharmacology())
    ]
    assert of_hdac3[0] == pytest.approx(0.5 * of_hdac3[2])
    assert of_hdac3[1] == pytest.approx(of_hdac3[2] * (1.0 + 5.0 / e.bhb_ic50_hdac3) / (2.0 + 5.0 / e.bhb_ic50_hdac3))


@pytest.mark.parametrize("minutes", range(0, 120, 5))
def test_what_lasts_a_step_is_met_in_that_step_and_in_no_other(minutes):
    """Twenty minutes are a third of an hour, which no clock holds exactly."""
    start, step = minutes / 60.0, 5.0 / 60.0
    timeline = Timeline(
        "t", 9.0, doses=(Dose("bdnf", "bath", 4.0, start, step),), blocks=(Block("TrkB", 1.0, start, start + step),)
    )
    clocks = [Clock(step, 0.0, taken) for taken in range(40)]
    bathed = [clock.taken for clock in clocks if not np.isnan(forcing.bath(P, timeline, clock.hour)[4])]
    blocked = [clock.taken for clock in clocks if timeline.remaining_activity("TrkB", clock.hour) == 0.0]
    assert bathed == blocked == [minutes // 5]


def test_every_target_that_neurons_have_can_be_blocked():
    for target, name in forcing.BLOCK_TARGETS.items():
        timeline = Timeline("t", 1.0, blocks=(Block(target, 1.0, 0.0, 1.0),))
        assert getattr(forcing.pharmacology(timeline, 0.5, 0.0), name) == 0.0


def test_an_icv_dose_spreads_over_the_brain_and_is_given_once():
    timeline = Timeline("t", 5.0, doses=(Dose("bhb", "icv", 10.0, 1.0, 0.0),))
    given = [forcing.injections(P, timeline, start, start + 0.5) for start in (0.0, 0.5, 1.0, 1.5)]
    total = sum(amount for step in given for _, amount in step)
    # 10 nmol in 0.45 mL is 0.022 mmol/L.
    assert total == pytest.approx(10.0 / 0.45 * 1e-3)
    slow = Timeline("t", 5.0, doses=(Dose("irisin", "icv", 4.0, 0.3, 1.0),))
    parts = [amount for k in range(8) for _, amount in forcing.injections(P, slow, 0.25 * k, 0.25 * k + 0.25)]
    assert sum(parts) == pytest.approx(4.0 / 0.45 * 1e3)


@pytest.mark.slow
@pytest.mark.parametrize("minutes", [1, 2, 5, 6, 15, 20, 30, 60])
def test_a_bolus_is_given_once_at_any_minute(minutes):
    """The hours of the clock are rounded, where 20 min are a third of an hour."""
    step = minutes / 60.0
    hours = [Clock(step, 0.0, taken).hour for taken in range(24 * 60 // minutes)]
    for minute in range(0, 24 * 60, minutes):
        timeline = Timeline("t", 25.0, doses=(Dose("bhb", "icv", 1.0, minute / 60.0, 0.0),))
        given = [amount for hour in hours for _, amount in forcing.injections(P, timeline, hour, hour + step)]
        assert given == [pytest.approx(1.0 / 0.45 * 1e-3)]


def test_a_bath_holds_its_dose_for_its_time():
    lactate, agonist = Dose("lactate", "bath", 10.0, 2.0, 1.0), Dose("dexamethasone", "bath", 50.0, 2.0, 1.0)
    timeline = Timeline("t", 9.0, doses=(lactate, agonist))
    assert forcing.bath(P, timeline, 2.5)[1] == 10.0
    assert forcing.bath(P, timeline, 3.0)[1] == P.bath_lactate
    assert np.isnan(forcing.bath(P, timeline, 2.5)[4])
    assert forcing.bath_agonist(P, timeline, 2.5) == pytest.approx(50.0 / P.bath_dexamethasone_half)
    assert forcing.bath_agonist(P, timeline, 3.5) == 0.0
