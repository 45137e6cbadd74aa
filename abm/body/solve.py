"""Adaptive solution of the body's equations: Dormand-Prince 5(4) with exact restarts and time means.

The step size follows the embedded error estimate; it is cut at every edge and at every change of exercise, meals and
doses, so that no step crosses a discontinuity. The whole loop is compiled and uses only IEEE additions, products,
quotients and square roots besides `abm.elementary`: the same plasma on every machine. (SciPy's explicit solvers go
through BLAS and are some hundred times slower here; they are the oracle of the tests.)
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.body.rates import MUSCLE_LACTATE, UPTAKE, BodyParameters, Vector, body_rates
from abm.elementary import power
from abm.loops import compiled, inlined


class Protocol(NamedTuple):
    """What happens to the body, cut into intervals over which nothing changes abruptly.

    times: (n + 1,) h. inputs: (n, FIRST_INFUSION + number of states). jump_*: boluses at the start of an interval,
    sorted by interval. depot_*: absorption rate 1/h, state that receives and mmol/kg -> unit of that state, one per
    depot.
    """

    times: Vector
    inputs: NDArray[np.float64]
    jump_interval: NDArray[np.int64]
    jump_state: NDArray[np.int64]
    jump_amount: Vector
    depot_absorption: Vector
    depot_target: NDArray[np.int64]
    depot_scale: Vector


# Dormand and Prince 1980: nodes, stages, fifth-order weights (the last row of stages), difference to fourth order.
NODES = np.array([0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0])
STAGES = np.array(
    [
        [0, 0, 0, 0, 0, 0],
        [1 / 5, 0, 0, 0, 0, 0],
        [3 / 40, 9 / 40, 0, 0, 0, 0],
        [44 / 45, -56 / 15, 32 / 9, 0, 0, 0],
        [19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729, 0, 0],
        [9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656, 0],
        [35 / 384, 0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84],
    ]
)
ERROR = np.array([71 / 57600, 0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40])
# Continuous extension of fourth order (Shampine 1986): weight of a stage at fraction x of the step, sum_j P_j x^(j+1);
# its integral over the step, sum_j P_j / (j + 2).
EXTENSION = (
    (1, -8048581381 / 2820520608, 8663915743 / 2820520608, -12715105075 / 11282082432),
    (0, 0, 0, 0),
    (0, 131558114200 / 32700410799, -68118460800 / 10900136933, 87487479700 / 32700410799),
    (0, -1754552775 / 470086768, 14199869525 / 1410260304, -10690763975 / 1880347072),
    (0, 127303824393 / 49829197408, -318862633887 / 49829197408, 701980252875 / 199316789632),
    (0, -282668133 / 205662961, 2019193451 / 616988883, -1453857185 / 822651844),
    (0, 40617522 / 29380423, -110615467 / 29380423, 69997945 / 29380423),
)
INTEGRAL = np.array([a / 2 + b / 3 + c / 4 + d / 5 for a, b, c, d in EXTENSION])
SAFETY, SHRINK, GROW = 0.9, 0.2, 5.0
SMALLEST_STEP = 1e-9
MOST_STEPS = 10_000  # an hour, of which a body takes some forty; where it takes more than this, nobody waits for it


@inlined
def try_step(
    p: BodyParameters,
    protocol: Protocol,
    interval: int,
    time: float,
    step: float,
    stages: NDArray[np.float64],
    state: Vector,
    trial: Vector,
) -> None:
    """Stages of one Dormand-Prince step from `state`; the solution at its end is left in `trial`.

    stages: (7, number of states), the first row holding the rates at `time`; the last holds those at the end.
    """
    for i in range(1, 7):
        for j in range(len(state)):
            total = 0.0
            for k in range(i):
                total += STAGES[i, k] * stages[k, j]
            trial[j] = state[j] + step * total
        body_rates(
            p,
            time + NODES[i] * step,
            trial,
            protocol.inputs[interval],
            protocol.depot_absorption,
            protocol.depot_target,
            protocol.depot_scale,
            stages[i],
        )


@inlined
def step_error(
    step: float, stages: NDArray[np.float64], state: Vector, trial: Vector, scale: Vector, tolerance: float
) -> float:
    """Largest error estimate of a step in units of tolerance x (|state| + scale)."""
    worst = 0.0
    for j in range(len(state)):
        difference = 0.0
        for k in range(7):
            difference += ERROR[k] * stages[k, j]
        size = max(abs(state[j]), abs(trial[j])) + scale[j]
        worst = max(worst, abs(step * difference) / (tolerance * size))
    return worst


@inlined
def unspent(value: float, error: float) -> float:
    """A state that decays within minutes, or 0 where no more of it is left than the error of a step.

    An explicit step longer than about three of its time constants would raise what is left, however little that is;
    exactly 0 it bounds no step.
    """
    return 0.0 if abs(value) < error else value


@compiled
def integrate(
    p: BodyParameters,
    protocol: Protocol,
    start: Vector,
    scale: Vector,
    tolerance: float,
    means: NDArray[np.float64],
    points: NDArray[np.float64],
    ends: NDArray[np.float64],
) -> int:
    """Solve over all intervals of a protocol; returns the number of steps taken, negative if steps grew too short.

    start: state at the first time. scale: size below which a state counts as small, in its unit. Written: `means`
    (n, states), exact time means over each interval to the accuracy of the solution, `points` (n + 1, states), the
    state at each time after the boluses given there, and `ends` (n, states), that at the end of each interval before
    them.
    """
    size = len(start)
    state, trial, total = start.copy(), np.empty(size), np.empty(size)
    stages = np.empty((7, size))
    step, taken, jump = 0.01, 0, 0
    for interval in range(len(protocol.inputs)):
        while jump < len(protocol.jump_interval) and protocol.jump_interval[jump] == interval:
            state[protocol.jump_state[jump]] += protocol.jump_amount[jump]
            jump += 1
        state[UPTAKE] = unspent(state[UPTAKE], tolerance * scale[UPTAKE])
        state[MUSCLE_LACTATE] = unspent(state[MUSCLE_LACTATE], tolerance * scale[MUSCLE_LACTATE])
        for j in range(size):  # as a slice it would take seconds to compile
            points[interval, j], total[j] = state[j], 0.0
        begin, end = protocol.times[interval], protocol.times[interval + 1]
        time = begin
        body_rates(
            p,
            time,
            state,
            protocol.inputs[interval],
            protocol.depot_absorption,
            protocol.depot_target,
            protocol.depot_scale,
            stages[0],
        )
        while time < end:
            last = time + step >= end - SMALLEST_STEP
            trial_step = end - time if last else step
            try_step(p, protocol, interval, time, trial_step, stages, state, trial)
            error = step_error(trial_step, stages, state, trial, scale, tolerance)
            factor = GROW if error <= 0.0 else min(GROW, max(SHRINK, SAFETY * power(error, -0.2)))
            if error <= 1.0:
                for j in range(size):
                    weighted = 0.0
                    for k in range(7):
                        weighted += INTEGRAL[k] * stages[k, j]
                    total[j] += trial_step * (state[j] + trial_step * weighted)
                    state[j] = trial[j]
                    stages[0, j] = stages[6, j]
                time = end if last else time + trial_step
                taken += 1
                if taken > MOST_STEPS * (1.0 + time - protocol.times[0]):
                    return -taken
                # A step cut short by the interval says nothing against the longer one.
                step = max(step, trial_step * factor) if last else trial_step * factor
            else:
                step = trial_step * factor
                if not step > SMALLEST_STEP:
                    return -taken - 1
        for j in range(size):
            means[interval, j], ends[interval, j] = total[j] / (end - begin), state[j]
    for j in range(size):
        points[len(protocol.inputs), j] = state[j]
    return taken
