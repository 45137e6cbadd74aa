"""The blood-brain barrier against its laws and against published exchange of lactate and ketones."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from abm.barrier import (
    Barrier,
    BarrierParameters,
    cross,
    excess_saturation,
    induce,
    rates_per_volume,
)
from abm.observation import ObservationParameters
from abm.parameters import load_parameters
from abm.signals import BDNF, BHB, CORTISOL, IRISIN, LACTATE
from abm.tissue import TissueParameters
from abm.tissue.kernels import bhb_consumption, lactate_consumption

HUMAN = load_parameters(BarrierParameters, "barrier", "human"), load_parameters(TissueParameters, "tissue", "human")
MOUSE = load_parameters(BarrierParameters, "barrier", "mouse"), load_parameters(TissueParameters, "tissue", "mouse")
BRAIN_MASS = 1.4  # kg
BLOOD_FLOW = load_parameters(ObservationParameters, "observation", "human").cerebral_blood_flow  # mL/g/min
REST_BHB, REST_LACTATE = 0.15, 0.89  # mmol/L
RESTING_BLOOD = {"bhb": REST_BHB, "lactate": REST_LACTATE, "irisin": 0.3, "cortisol": 250.0}

positive = st.floats(1e-3, 30.0)


class WellMixed:
    """Brain tissue without space: one concentration of BHB and of lactate, and the induction of MCT1, by SciPy.

    state: brain BHB, brain lactate (extracellular, mmol/L), ketone part, message and exercise part of the induction.
    """

    def __init__(self, species, bhb=REST_BHB, lactate=REST_LACTATE, activity=1.0):
        self.barrier, self.tissue = species
        self.rates, self.activity = rates_per_volume(self.barrier), activity
        self.state = np.array([0.02, 1.5, 0.0, 0.0, 0.0])
        self.run(200.0, bhb, lactate)
        self.state[2:] = 0.0
        self.run(3.0, bhb, lactate)

    def distribution(self):
        """Tissue content over extracellular concentration in typical brain."""
        t = self.tissue
        return t.other_volume_fraction + (t.tissue_water - t.other_volume_fraction) * t.monocarboxylate_cell_ratio

    def crossing(self, state, bhb, lactate):
        carriers = 1.0 + (self.barrier.induction_limit - 1.0) * (state[2] + state[4] - state[2] * state[4])
        return cross(self.rates, bhb, lactate, state[0], state[1], carriers * self.activity)

    def slope(self, state, bhb, lactate):
        b, t = self.barrier, self.tissue
        at = self.crossing(state, bhb, lactate)
        drive = excess_saturation(lactate * self.activity, b.lactate_threshold, b.lactate_drive_half)
        burnt = bhb_consumption(t, state[0]) * state[0], lactate_consumption(t, state[0]) * state[1]
        return [
            (at.bhb_influx - at.bhb_efflux * state[0] - burnt[0]) / self.distribution(),
            (at.lactate_influx - at.lactate_efflux * state[1] - burnt[1] + t.lactate_production) / self.distribution(),
            (excess_saturation(bhb, b.ketone_threshold, b.ketone_half) - state[2]) / b.ketone_time,
            (drive - state[3]) / b.message_time,
            (state[3] - state[4]) / b.carrier_time,
        ]

    def run(self, hours, bhb, lactate, times=None):
        """Follow plasma BHB and lactate, numbers or functions of the hours since the call."""
        at = [value if callable(value) else (lambda _, value=value: value) for value in (bhb, lactate)]
        solution = solve_ivp(
            lambda t, y: self.slope(y, at[0](t), at[1](t)),
            (0.0, hours),
            self.state,
            "LSODA",
            times,
            rtol=1e-7,
            atol=1e-9,
        )
        self.state = solution.y[:, -1]
        self.last = at[0](hours), at[1](hours)
        return solution.y

    def content(self):
        """BHB and lactate per tissue volume, as magnetic resonance sees them, mmol/L."""
        return self.distribution() * self.state[:2]

    def uptake(self):
        """Net uptake of BHB and lactate from the blood, umol/g/min."""
        at = self.crossing(self.state, *self.last)
        net = at.bhb_influx - at.bhb_efflux * self.state[0], at.lactate_influx - at.lactate_efflux * self.state[1]
        return np.array(net) / (60.0 * self.barrier.tissue_density)


def fasting(hours):
    """Plasma BHB of a fast from the evening meal: 0.2 mM after a night, 1.7 after 2 d, 3 after 3 d (pan2000)."""
    return float(np.interp(hours, [0.0, 12.0, 48.0, 72.0], [REST_BHB, 0.2, 1.7, 3.0]))


def human():
    return WellMixed(HUMAN)


def lactate_uptake(arterial):
    brain = human()
    brain.run(1.0, REST_BHB, arterial)
    return brain.uptake()[1]


def fasted(hours):
    brain = human()
    brain.run(hours, fasting, REST_LACTATE)
    return brain


def infused(bhb):
    brain = fasted(12.0)
    brain.run(2.0, bhb, REST_LACTATE)
    return brain


# Source and quantity -> (predicted, published mean, published SD). One parameter set for all of them.
PUBLISHED = {
    "vanhall2009: net cerebral uptake at 0.89 mM, mmol/min": (lambda: BRAIN_MASS * lactate_uptake(0.89), -0.06, 0.01),
    "vanhall2009: at 3.9 mM": (lambda: BRAIN_MASS * lactate_uptake(3.9), 0.16, 0.07),
    "vanhall2009: at 6.9 mM": (lambda: BRAIN_MASS * lactate_uptake(6.9), 0.28, 0.16),
    "ide2000: arterial less venous lactate at maximal exercise (10 mM), mM": (
        lambda: lactate_uptake(10.0) / BLOOD_FLOW,
        0.39,
        0.13,
    ),
    "pan2000: brain lactate at rest, mM": (lambda: human().content()[1], 0.69, 0.17),
    "pan2000: brain lactate after 3 d of fasting, mM": (lambda: fasted(72.0).content()[1], 1.47, 0.22),
    "pan2000: brain BHB after a night, mM": (lambda: fasted(12.0).content()[0], 0.05, 0.05),
    "pan2000: brain BHB after 2 d of fasting, mM": (lambda: fasted(48.0).content()[0], 0.60, 0.26),
    "pan2000: brain BHB after 3 d of fasting, mM": (lambda: fasted(72.0).content()[0], 0.98, 0.16),
    "pan2001: brain BHB in acute infusion to 2.12 mM, mM": (lambda: infused(2.12).content()[0], 0.24, 0.04),
    "pan2002: metabolic rate of BHB in acute infusion to 2.25 mM, umol/g/min": (
        lambda: infused(2.25).uptake()[0],
        0.032,
        0.009,
    ),
}
# What the same parameter set does not meet -> (predicted, published mean, published SD, predicted value, why).
KNOWN_MISSES = {
    "ide2000: arterial less venous lactate at rest, mM": (
        lambda: lactate_uptake(REST_LACTATE) / BLOOD_FLOW,
        0.02,
        0.08,
        -0.066,
        "0.006 mM beyond one SD; vanhall2009 saw a release of 0.06 +/- 0.01 mmol/min, which is -0.075 mM at this flow",
    ),
}


@pytest.mark.parametrize("row", PUBLISHED)
def test_published_exchange(row: str) -> None:
    predicted, mean, spread = PUBLISHED[row]
    assert predicted() == pytest.approx(mean, abs=spread)


@pytest.mark.parametrize("row", KNOWN_MISSES)
def test_known_misses_are_still_as_large_as_stated(row: str) -> None:
    predicted, mean, spread, stated, _ = KNOWN_MISSES[row]
    assert predicted() == pytest.approx(stated, abs=0.002)
    assert abs(stated - mean) > spread


@pytest.mark.parametrize(
    ("plasma", "influx"), [(1, 0.066), (2, 0.113), (4, 0.176), (8, 0.244), (12, 0.281), (16, 0.303)]
)
def test_unidirectional_influx_of_lactate_through_the_carrier(plasma: float, influx: float) -> None:
    """0.40 plasma/(5.1 + plasma) umol/g/min into an empty brain (boumezbeur2010)."""
    k = rates_per_volume(HUMAN[0])._replace(lactate_permeability=0.0)
    found = cross(k, 0.0, plasma, 0.0, 0.0, 1.0).lactate_influx / (60.0 * HUMAN[0].tissue_density)
    assert found == pytest.approx(influx, abs=6e-4)


def test_permeability_to_lactate_lies_between_two_measurements() -> None:
    k = rates_per_volume(HUMAN[0])
    found = cross(k, 0.0, 1.0, 0.0, 0.0, 1.0).lactate_influx / (60.0 * HUMAN[0].tissue_density)
    assert 0.066 <= found <= 0.081


def test_injected_lactate_reaches_the_level_of_blood_in_the_mouse_unless_transport_is_blocked() -> None:
    """Microdialysis of the hippocampus after injection (park2021); the block stands for an inhibitor of MCTs."""
    times = np.linspace(0.0, 1.5, 151)

    def blood(hours):
        return 2.0 + 15.3 * (math.exp(-hours / 0.35) - math.exp(-hours / 0.07))

    level = np.array([blood(t) for t in times])
    open_, blocked = WellMixed(MOUSE, 0.2, 2.0), WellMixed(MOUSE, 0.2, 2.0, activity=0.05)
    rest, rest_blocked = open_.state[1], blocked.state[1]
    found = open_.run(1.5, 0.2, blood, times)[1]
    stopped = blocked.run(1.5, 0.2, blood, times)[1]
    assert rest == pytest.approx(2.0, rel=0.2)
    near_peak = found > 3.0 * rest
    assert (found / level)[near_peak].max() > 0.95
    # Averaged over samples of 30 min, as a probe collects them.
    assert found[:51].mean() == pytest.approx(level[:51].mean(), rel=0.35)
    assert found[51:101].mean() == pytest.approx(level[51:101].mean(), rel=0.35)
    assert stopped.max() - rest_blocked < 0.3 * (found.max() - rest)


def test_brain_lactate_rises_little_in_hard_exercise_in_man() -> None:
    """Brain lactate 0.45 -> 0.79 mM in spectroscopy up to 85 % of maximal heart rate (pratt); tissue below 1.5 mM."""
    brain = human()
    before = brain.content()[1]
    brain.run(0.25, REST_BHB, 6.5)
    after = brain.content()[1]
    assert after - before == pytest.approx(0.34, abs=0.15)
    assert after < 1.5


def test_brain_lactate_is_given_back_when_arterial_lactate_falls() -> None:
    brain = human()
    brain.run(0.3, REST_BHB, 8.0)
    assert brain.uptake()[1] > 0.0
    brain.run(0.02, REST_BHB, 1.2)
    assert brain.uptake()[1] < 0.0


@given(bhb=positive, lactate=positive, carriers=st.floats(0.0, 2.4), inhibition=st.floats(-1.0, 1.0))
def test_nothing_flows_between_equal_sides(bhb: float, lactate: float, carriers: float, inhibition: float) -> None:
    k = rates_per_volume(HUMAN[0])._replace(trans_inhibition=inhibition)
    at = cross(k, bhb, lactate, bhb, lactate, carriers)
    assert at.bhb_influx == pytest.approx(at.bhb_efflux * bhb, rel=1e-12)
    assert at.lactate_influx == pytest.approx(at.lactate_efflux * lactate, rel=1e-12)


@given(plasma=positive, brain=positive, inhibition=st.floats(-1.0, 1.0))
def test_a_single_substrate_flows_downhill(plasma: float, brain: float, inhibition: float) -> None:
    k = rates_per_volume(HUMAN[0])._replace(trans_inhibition=inhibition)
    at = cross(k, 0.0, plasma, 0.0, brain, 1.0)
    net = at.lactate_influx - at.lactate_efflux * brain
    assert net * (plasma - brain) >= -1e-9


@given(plasma=positive, brain=positive)
def test_full_trans_inhibition_is_the_reversible_law(plasma: float, brain: float) -> None:
    k = rates_per_volume(HUMAN[0])._replace(lactate_permeability=0.0)
    at = cross(k, 0.0, plasma, 0.0, brain, 1.0)
    net = at.lactate_influx - at.lactate_efflux * brain
    expected = k.lactate_limit * (plasma - brain) / (k.lactate_half + plasma + brain)
    assert net == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(plasma=positive, brain=positive, other=positive)
def test_without_trans_inhibition_the_sides_are_independent(plasma: float, brain: float, other: float) -> None:
    k = rates_per_volume(HUMAN[0])._replace(trans_inhibition=0.0)
    one, two = cross(k, 0.1, plasma, 0.1, brain, 1.0), cross(k, 0.1, plasma, other, other, 1.0)
    assert one.lactate_influx == pytest.approx(two.lactate_influx, rel=1e-12)


@given(plasma=positive, brain=positive, loaded=st.floats(0.05, 20.0))
def test_one_substrate_crosses_as_the_states_of_its_carrier_say(plasma: float, brain: float, loaded: float) -> None:
    """A carrier of rate 1 when empty and `loaded` when loaded, its states solved as they are in balance."""
    inhibition = (1.0 - loaded) / (1.0 + loaded)
    k = rates_per_volume(HUMAN[0])._replace(trans_inhibition=inhibition, lactate_permeability=0.0)
    at = cross(k, 0.0, plasma, 0.0, brain, 1.0)
    affinity = 2.0 / (1.0 + loaded) / k.lactate_half  # of the site, so that the half of zero-trans influx is that given
    p, b = affinity * plasma, affinity * brain
    # Carriers that face out and in: as many cross either way, and all are one of them.
    out, inside = np.linalg.solve([[1.0 + loaded * p, -(1.0 + loaded * b)], [1.0 + p, 1.0 + b]], [0.0, 1.0])
    carriers = k.lactate_limit * (1.0 + loaded) / loaded  # so that the largest zero-trans influx is that given
    assert at.lactate_influx == pytest.approx(carriers * loaded * p * out, rel=1e-9)
    assert at.lactate_efflux * brain == pytest.approx(carriers * loaded * b * inside, rel=1e-9)


@given(lactate=positive, bhb=st.floats(0.1, 10.0))
def test_ketones_compete_with_lactate(lactate: float, bhb: float) -> None:
    k = rates_per_volume(HUMAN[0])
    alone, together = cross(k, 0.0, lactate, 0.0, 1.0, 1.0), cross(k, bhb, lactate, 0.0, 1.0, 1.0)
    assert together.lactate_influx < alone.lactate_influx


def test_pushing_lactate_out_by_ketones_on_the_other_side() -> None:
    """Counter-transport: with lactate equal on both sides, BHB in the plasma drives it out of the brain."""
    k = rates_per_volume(HUMAN[0])._replace(trans_inhibition=0.0, lactate_permeability=0.0)
    at = cross(k, 5.0, 1.0, 0.0, 1.0, 1.0)
    assert at.lactate_influx - at.lactate_efflux * 1.0 < 0.0


def test_a_block_leaves_the_leak() -> None:
    k = rates_per_volume(HUMAN[0])
    at = cross(k, 2.0, 3.0, 0.1, 1.0, 0.0)
    assert at == pytest.approx(
        (k.bhb_permeability * 2.0, k.bhb_permeability, k.lactate_permeability * 3.0, k.lactate_permeability)
    )


def test_the_compiled_rule_is_the_readable_one() -> None:
    k = rates_per_volume(HUMAN[0])
    assert cross(k, 0.7, 3.0, 0.1, 1.4, 1.3) == cross.py_func(k, 0.7, 3.0, 0.1, 1.4, 1.3)


@given(
    state=st.tuples(*[st.floats(0.0, 1.0)] * 3),
    bhb=st.floats(0.0, 6.0),
    lactate=st.floats(0.0, 20.0),
    duration=st.floats(0.01, 50.0),
    carrier_time=st.sampled_from([2.0, 6.0, 2.0000001]),
)
def test_induction_is_exact(
    state: tuple[float, float, float], bhb: float, lactate: float, duration: float, carrier_time: float
) -> None:
    p = HUMAN[0]._replace(carrier_time=carrier_time)
    found = np.array(state)
    induce(p, found, bhb, lactate, duration)
    targets = (
        excess_saturation(bhb, p.ketone_threshold, p.ketone_half),
        excess_saturation(lactate, p.lactate_threshold, p.lactate_drive_half),
    )

    def slope(_, y):
        return [
            (targets[0] - y[0]) / p.ketone_time,
            (targets[1] - y[1]) / p.message_time,
            (y[1] - y[2]) / p.carrier_time,
        ]

    expected = solve_ivp(slope, (0.0, duration), state, rtol=1e-9, atol=1e-11).y[:, -1]
    assert found == pytest.approx(expected, abs=1e-6)
    assert (found >= 0.0).all()
    assert (found <= 1.0).all()


def blood(**changes: float) -> dict[str, float]:
    return RESTING_BLOOD | changes


def test_the_carrier_rests_at_one_and_is_bounded() -> None:
    barrier = Barrier(HUMAN[0])
    barrier.induce(blood(), 100.0)
    assert barrier.induction == 1.0
    barrier.induce(blood(bhb=6.0, lactate=20.0), 1000.0)
    assert 0.97 * HUMAN[0].induction_limit < barrier.induction <= HUMAN[0].induction_limit


def test_carriers_settle_where_many_days_of_ketones_leave_them_on_the_mean() -> None:
    day = 0.2 + 0.15 * np.sin(np.linspace(0.0, 2.0 * np.pi, 96, endpoint=False))
    settled, lived = Barrier(HUMAN[0]), Barrier(HUMAN[0])
    settled.settle(day)
    course = []
    for _ in range(60):
        for bhb in day:
            lived.induce(blood(bhb=bhb), 0.25)
            course.append(lived.state[0])
    assert settled.state[0] == pytest.approx(np.mean(course[-96:]), rel=1e-3)
    settled.settle(np.full(96, REST_BHB))
    assert settled.induction == 1.0


def test_a_hard_bout_raises_the_carrier_hours_later_and_for_less_than_a_day() -> None:
    """MCT1 in rat hippocampus is raised 5 h after exercise (takimoto2014)."""
    barrier, course = Barrier(MOUSE[0]), []
    for step in range(300):
        barrier.induce(blood(lactate=6.0 if step < 20 else 2.0), 0.1)
        course.append(barrier.induction)
    peak = 0.1 * (int(np.argmax(course)) + 1)
    assert 3.0 < peak < 7.0
    assert max(course) > 1.1
    assert course[-1] < 1.0 + 0.1 * (max(course) - 1.0)


def test_a_block_keeps_lactate_from_inducing_its_carrier() -> None:
    """The rise of MCT1 mRNA after intense exercise is gone under an inhibitor of lactate transport (park2021)."""
    free, blocked = Barrier(MOUSE[0]), Barrier(MOUSE[0])
    free.induce(blood(lactate=8.0), 2.0)
    blocked.induce(blood(lactate=8.0), 2.0, remaining_activity=0.05)
    assert free.induction > blocked.induction == 1.0


def test_mean_exchange_is_the_rate_per_tissue_volume() -> None:
    barrier = Barrier(HUMAN[0])
    voxels, weight = 12, np.array([2.0, 4.0, 6.0])  # of 12 voxels 3 hold vessels; the mean weight over all is 1
    brain = np.repeat([[0.05], [1.4], [0.01], [10.0], [0.02]], 3, axis=1)
    influx, efflux = barrier.exchange(blood(bhb=1.0, lactate=3.0, bdnf_iv=2.0), brain, weight)
    at = cross(barrier.rates, 1.0, 3.0, 0.05, 1.4, 1.0)
    assert influx.sum(axis=1)[[BHB, LACTATE]] / voxels == pytest.approx([at.bhb_influx, at.lactate_influx])
    assert efflux.sum(axis=1)[[BHB, LACTATE]] / voxels == pytest.approx([at.bhb_efflux, at.lactate_efflux])
    k = barrier.rates
    assert influx.sum(axis=1)[BDNF] / voxels == pytest.approx(2.0 * k.bdnf_permeability)
    assert influx.sum(axis=1)[IRISIN] / voxels == pytest.approx(0.3 * k.irisin_permeability)
    assert influx.sum(axis=1)[CORTISOL] / efflux.sum(axis=1)[CORTISOL] == pytest.approx(0.05 * 250.0)


def test_checkpoint() -> None:
    barrier, other = Barrier(HUMAN[0]), Barrier(HUMAN[0])
    barrier.induce(blood(bhb=2.0, lactate=5.0), 3.0)
    other.restore(barrier.checkpoint())
    assert other.induction == barrier.induction


def test_induction_begins_with_the_square_of_the_excess_and_is_half_at_its_half():
    assert excess_saturation(1.0, 1.0, 2.0) == excess_saturation(0.2, 1.0, 2.0) == 0.0
    assert excess_saturation(3.0, 1.0, 2.0) == 0.5
    assert excess_saturation(1.02, 1.0, 2.0) / excess_saturation(1.01, 1.0, 2.0) == pytest.approx(4.0, rel=1e-3)
