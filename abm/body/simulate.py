"""Plasma of a subject over a timeline, beginning in the periodic state of its resting days."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from abm.body.adaptation import oxygen_demand, relative_maximal_uptake, reserve_in_use, resting_uptake
from abm.body.haemoconcentration import (
    ON_FOOT,
    ExerciseCourse,
    HaemoconcentrationParameters,
    haemoconcentration,
    mean_over_lives,
)
from abm.body.hypervolaemia import HypervolaemiaParameters
from abm.body.plasma import Plasma, rounded
from abm.body.protocol import TIME_DIGITS, build_protocol
from abm.body.rates import (
    BDNF,
    BHB,
    CORTISOL,
    DEMAND,
    DEOXYGLUCOSE,
    DEXAMETHASONE,
    FFA,
    FITNESS,
    GLUCOSE,
    GLYCOGEN,
    INSULIN,
    IRISIN,
    LACTATE,
    LOAD,
    STATES,
    BodyParameters,
    Vector,
)
from abm.body.solve import Protocol, integrate
from abm.body.subject import body_parameters, initial_fitness
from abm.body.wakefulness import share_awake_in_exercise, wakefulness_parameters
from abm.clock import DAY
from abm.parameters import load_parameters
from abm.schedule import Timeline, resting_timeline

if TYPE_CHECKING:
    from abm.config import Subject

TOLERANCE = 5e-9
# Size below which a state counts as small in the error control, in the unit of the state; 0.001 for what is not named.
SMALL = {INSULIN: 0.05, CORTISOL: 0.1, IRISIN: 3e-4, BHB: 1e-4, FFA: 1e-3, BDNF: 1e-3}
PERIODIC = 1e-7  # largest relative change over a day that still counts as periodic; step control alone leaves some 1e-8
MOST_DAYS = 400
VOLUNTARY = "wheel"  # the kind of exercise that an animal does when it is awake; any other wakes who sleeps


@dataclass(frozen=True)
class Trajectory:
    """The body along a protocol: `points` (n + 1, states) at `times` (n + 1, h), after the boluses given at each, and
    exact `means` (n, states) in between; `ends` (n, states) as a sample finds it that is drawn at the end of an
    interval, before the boluses given then. Columns as in STATES; depots of absorbed doses follow them.
    """

    protocol: Protocol
    points: NDArray[np.float64]
    means: NDArray[np.float64]
    ends: NDArray[np.float64]
    steps: int

    def at(self, times: Vector, state: int) -> Vector:
        """A state at times that are breakpoints of the protocol (its edges are)."""
        values: Vector = self.points[np.searchsorted(self.protocol.times, np.round(times, 9)), state]
        return values

    def step_ends(self, edges: Vector, values: Vector) -> Vector:
        """Values at the ends of the steps between edges of values (n,) at the ends of the protocol's intervals."""
        chosen: Vector = values[np.searchsorted(self.protocol.times, np.round(edges[1:], 9)) - 1]
        return chosen

    def step_means(self, edges: Vector, values: Vector) -> Vector:
        """Means over the steps between edges of values (n,) that hold over the protocol's intervals."""
        width = np.diff(self.protocol.times)
        first = np.searchsorted(self.protocol.times, np.round(edges[:-1], 9))
        total: Vector = np.add.reduceat(values * width, first) / np.add.reduceat(width, first)
        return total


def solve_body(
    p: BodyParameters,
    timeline: Timeline,
    edges: Vector,
    start: Vector,
    adapting: bool = True,
    tolerance: float = TOLERANCE,
) -> Trajectory:
    """Solve the body's equations from the state `start` (one value per name in STATES) over the edges (h).

    adapting: whether training changes fitness. tolerance: largest error of a step, relative.
    Raises ArithmeticError where the equations cannot be solved, as with parameters far outside their range.
    """
    protocol = build_protocol(p, timeline, edges, adapting)
    size = len(STATES) + len(protocol.depot_absorption)
    state, scale = np.zeros(size), np.full(size, 1e-3)
    state[: len(STATES)] = start
    for index, value in SMALL.items():
        scale[index] = value
    intervals = len(protocol.inputs)
    points, means, ends = np.empty((intervals + 1, size)), np.empty((intervals, size)), np.empty((intervals, size))
    steps = integrate(p, protocol, state, scale, tolerance, means, points, ends)
    if steps < 0 or not np.isfinite(points[-1]).all():
        raise ArithmeticError("the body's equations could not be solved with these parameters")
    return Trajectory(protocol, points, means, ends, steps)


def simulate_body(subject: Subject, timeline: Timeline, edges: NDArray[np.float64]) -> Plasma:
    """Plasma of a subject over a timeline, as means over the steps between `edges` (T + 1, h, increasing, from 0).

    At the first edge, or at the midnight at which a fast before the first session begins, the body is in the periodic
    state of its resting days (usual meals, no exercise). A pure function of its arguments, rounded to 7 significant
    digits. Raises ParameterError, ValueError for what the body does not know, ArithmeticError where no solution is
    found.
    """
    edges = np.asarray(edges, np.float64)
    return exercised_body(subject, timeline, edges)[0]


def exercised_body(
    subject: Subject, timeline: Timeline, edges: Vector, tolerance: float = TOLERANCE
) -> tuple[Plasma, ExerciseCourse]:
    """Plasma as of `simulate_body`, and the exercise that blood follows by rules of its own (`haemoconcentration`).

    tolerance: largest error of a step, relative.
    """
    trajectory = _solved(subject, timeline, edges, tolerance)
    course = _course(body_parameters(subject), trajectory, timeline)
    return _plasma(subject, timeline, trajectory, course, edges), course


def _solved(subject: Subject, timeline: Timeline, edges: Vector, tolerance: float = TOLERANCE) -> Trajectory:
    """The body over the edges, from its resting state at the first of them or when a fast before it begins."""
    times = edges if timeline.begin >= edges[0] else np.concatenate([[timeline.begin], edges])
    return solve_body(body_parameters(subject), timeline, times, resting_state(subject), tolerance=tolerance)


def resting_day(subject: Subject, step: float) -> Plasma:
    """Plasma over one periodic resting day (24 h from midnight) in steps of `step` h, which must divide the day."""
    count = round(DAY / step)
    if not np.isclose(count * step, DAY):
        raise ValueError(f"a step of {step} h does not divide a day")
    edges = DAY + np.arange(count + 1) * DAY / count
    timeline = resting_timeline(subject, 2 * DAY)
    p = body_parameters(subject)
    trajectory = solve_body(p, timeline, edges, resting_state(subject), adapting=False)
    plasma = _plasma(subject, timeline, trajectory, _course(p, trajectory, timeline), edges)
    return replace(plasma, edges=edges - DAY)


def resting_state(subject: Subject) -> Vector:
    """State at midnight (one value per name in STATES) that a resting day brings back to itself, fitness held."""
    p = body_parameters(subject)
    # Two days, of which the second counts, so that a meal that runs past midnight is eaten to its end.
    fitness = initial_fitness(p.adaptation, subject.training)
    return _periodic_state(p, fitness, resting_timeline(subject, 2 * DAY)).copy()


@lru_cache(maxsize=64)
def _periodic_state(p: BodyParameters, fitness: float, timeline: Timeline) -> Vector:
    edges = np.array([DAY, 2 * DAY])
    state = _first_guess(p, fitness)
    for _ in range(MOST_DAYS):
        after = solve_body(p, timeline, edges, state, adapting=False).points[-1, : len(STATES)]
        change = np.max(np.abs(after - state) / (np.abs(after) + 1e-3))
        state = after
        if change < PERIODIC:
            return state
    raise ArithmeticError("the resting day of this body does not become periodic")


def _first_guess(p: BodyParameters, fitness: float) -> Vector:
    state = np.zeros(len(STATES))
    state[LACTATE], state[GLYCOGEN] = p.lactate.lactate_at_rest, 0.5 * p.fuels.glycogen_capacity
    state[GLUCOSE], state[INSULIN], state[FFA] = p.fuels.glucose_basal, p.fuels.insulin_basal, p.fuels.ffa_basal
    state[BHB], state[IRISIN] = 0.1, p.irisin.irisin_at_rest
    state[CORTISOL], state[FITNESS] = p.cortisol.cortisol_nadir, fitness
    return state


def _course(p: BodyParameters, trajectory: Trajectory, timeline: Timeline) -> ExerciseCourse:
    """What is asked for over the intervals of a protocol, at the fitness of each, and whether on foot.

    The intensity is exactly 0 at rest, which most intervals are.
    """
    protocol = trajectory.protocol
    on_foot = np.zeros(len(protocol.inputs), np.bool_)
    for bout in timeline.bouts:
        if bout.kind in ON_FOOT:
            first, last = np.searchsorted(protocol.times, np.round([bout.start, bout.end], TIME_DIGITS))
            on_foot[first:last] = True
    return ExerciseCourse(protocol.times, _intensity(p, trajectory), on_foot)


def _awake(subject: Subject, timeline: Timeline, times: Vector) -> Vector:
    """Share of each interval between `times` (n + 1, h), which sessions begin and end at, that a subject is awake."""
    exercising = np.zeros(len(times) - 1, np.bool_)
    asked_for = replace(timeline, bouts=tuple(bout for bout in timeline.bouts if bout.kind != VOLUNTARY))
    for session in asked_for.sessions:
        first, last = np.searchsorted(times, np.round(session, TIME_DIGITS))
        exercising[first:last] = True
    return share_awake_in_exercise(wakefulness_parameters(subject), times, exercising)


def _intensity(p: BodyParameters, trajectory: Trajectory) -> Vector:
    """Share of the oxygen-uptake reserve asked for over the intervals of a protocol (n,), at the fitness of each."""
    inputs, fitness, own = trajectory.protocol.inputs, trajectory.means[:, FITNESS], p.maximal_uptake
    asked = np.zeros(len(inputs))
    for i in np.flatnonzero(inputs[:, DEMAND] + inputs[:, LOAD] > 0.0):
        demand = oxygen_demand(own, inputs[i, DEMAND], inputs[i, LOAD], fitness[i])
        asked[i] = reserve_in_use(own, demand - resting_uptake(own, fitness[i]), fitness[i])
    return asked


def _plasma(
    subject: Subject, timeline: Timeline, trajectory: Trajectory, course: ExerciseCourse, edges: Vector
) -> Plasma:
    def mean(state: int) -> Vector:
        return rounded(trajectory.step_means(edges, trajectory.means[:, state]))

    def end(state: int) -> Vector:
        return rounded(trajectory.step_ends(edges, trajectory.ends[:, state]))

    p = body_parameters(subject)
    shift = load_parameters(HaemoconcentrationParameters, "body_haemoconcentration", subject.species, subject.overrides)
    gain = load_parameters(HypervolaemiaParameters, "body_hypervolaemia", subject.species, subject.overrides)
    agonist = trajectory.step_means(edges, trajectory.means[:, DEXAMETHASONE])
    at_start = trajectory.points[0, FITNESS]
    fitness, own = trajectory.step_ends(edges, trajectory.ends[:, FITNESS]), p.maximal_uptake
    sample = haemoconcentration(shift, gain, course)
    moved = np.minimum(course.intensity, 1.0)
    return Plasma(
        edges=edges,
        before=None,
        bhb=mean(BHB),
        lactate=mean(LACTATE),
        glucose=mean(GLUCOSE),
        ffa=mean(FFA),
        irisin=mean(IRISIN),
        cortisol=mean(CORTISOL),
        insulin=mean(INSULIN),
        glycogen=mean(GLYCOGEN),
        sampled_bhb=end(BHB),
        sampled_lactate=end(LACTATE),
        sampled_glucose=end(GLUCOSE),
        sampled_ffa=end(FFA),
        sampled_irisin=end(IRISIN),
        sampled_cortisol=end(CORTISOL),
        sampled_insulin=end(INSULIN),
        sampled_glycogen=end(GLYCOGEN),
        sampled_bdnf=end(BDNF),
        fitness=rounded(fitness),
        vo2max=rounded(own.unit * relative_maximal_uptake(own, value) for value in fitness),
        movement=rounded(trajectory.step_means(edges, moved)),
        movement_squared=rounded(trajectory.step_means(edges, moved * moved)),
        movement_cubed=rounded(trajectory.step_means(edges, moved * moved * moved)),
        wakefulness=rounded(trajectory.step_means(edges, _awake(subject, timeline, trajectory.protocol.times))),
        dexamethasone=rounded(agonist * p.doses.dexamethasone_brain_share / p.doses.dexamethasone_half_effect),
        two_deoxyglucose=mean(DEOXYGLUCOSE),
        bdnf_iv=mean(BDNF),
        adaptation=rounded(trajectory.at(edges[1:], FITNESS) - at_start),
        platelet_adaptation=rounded(
            mean_over_lives(shift, course.times, trajectory.means[:, FITNESS] - at_start, edges[1:])
        ),
        **{name: rounded(trajectory.step_ends(edges, values)) for name, values in sample._asdict().items()},
    )
