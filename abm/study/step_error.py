"""How much of a result is due to the time step: the expected neuron under the run's own tissue, in half steps.

The steps are of first order or better, so that the error itself is at most about twice the difference between whole
and half steps; of extracellular BDNF and TrkB two and a half times, since steps are longer than the minutes in which
BDNF leaves a cell layer.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.config import Experiment
from abm.study.results import Results


class StepError(NamedTuple):
    """Largest relative difference over a schedule between the run's step and half of it, per read-out."""

    schedule: str
    creb: float
    transcripts: float
    bdnf: float
    extracellular_bdnf: float
    trkb: float


def step_errors(results: Results, experiment: Experiment) -> list[StepError]:
    """The step error of every schedule that has run.

    The tissue's signals at the neurons, mean over neurons and replicates, and the input activity drive the expected
    neuron (`abm.expectation`) twice: once in the run's steps and once in steps half as long, between whose values the
    signals are interpolated. Both see the same resting day, the first of the reference schedule, and neither a block or
    BDNF from a bath: the error is that of the untreated neuron in the tissue of the schedule.
    """
    # Compiled code is loaded only where a report is made.
    from abm.epigenome import EpigenomeParameters
    from abm.expectation import expected_neuron, set_point
    from abm.expression import ExpressionParameters, waking_drive
    from abm.forcing import resting_wakefulness
    from abm.parameters import load_parameters
    from abm.study.bdnf_response import bdnf_response
    from abm.wiring import NetworkParameters, input_activity, unevenness_of_steps

    subject = experiment.subject
    e = load_parameters(EpigenomeParameters, "epigenome", subject.species, subject.overrides)
    x = load_parameters(ExpressionParameters, "expression", subject.species, subject.overrides)
    network = load_parameters(NetworkParameters, "network", subject.species, subject.overrides)
    response = bdnf_response(experiment)
    following = response.times, response.weights
    step = experiment.run.step
    resting, found = resting_wakefulness(experiment), []
    waking_at_rest = waking_drive(x, resting, resting)
    day = _means(_signals(results, results.reference)[: max(round(24.0 / step), 1) + 1])
    for schedule in results.schedules:
        signals = _signals(results, schedule)
        if np.isnan(signals).any():
            continue
        movement = _movement(results, schedule)
        activity = np.array([input_activity(network, moved) for moved in movement[0]])
        uneven = unevenness_of_steps(network.movement_gain, x.release_exponent, movement)
        waking = waking_drive(x, _awake(results, schedule), resting)
        rest = set_point(e, x, day)
        coarse = expected_neuron(
            e, x, _means(signals), activity, rest, step, following=following, uneven=uneven, waking=waking,
            waking_at_rest=waking_at_rest,
        )  # fmt: skip
        halves = [np.repeat(values, 2) for values in (activity, uneven, waking)]
        fine = expected_neuron(
            e, x, _means(_halved(signals)), halves[0], rest, step / 2.0, following=following, uneven=halves[1],
            waking=halves[2], waking_at_rest=waking_at_rest,
        )  # fmt: skip
        worst = {
            name: float(np.max(np.abs(getattr(coarse, name) / getattr(fine, name)[1::2] - 1.0)))
            for name in StepError._fields[1:]
        }
        found.append(StepError(schedule, **worst))
    return found


def _signals(results: Results, schedule: str) -> npt.NDArray[np.float64]:
    """Signals at the ends of the steps, mean over replicates and neurons; (T + 1, 4)."""
    names = ("bhb", "lactate", "irisin", "cortisol")
    traces = results.traces.sel(schedule=schedule, region="all")
    columns = [traces[f"tissue_{name}"].mean("replicate").values for name in names]
    return np.ascontiguousarray(np.stack(columns, axis=1))


def _movement(results: Results, schedule: str) -> npt.NDArray[np.float64]:
    """Means of movement, its square and its cube in each step, (3, T); slices and cultures do not move."""
    if "plasma_movement" not in results.traces:
        return np.zeros((3, results.traces.sizes["step_time"] - 1))
    names = ("movement", "movement_squared", "movement_cubed")
    return np.array([results.traces[f"plasma_{name}"].sel(schedule=schedule).values for name in names])


def _awake(results: Results, schedule: str) -> npt.NDArray[np.float64]:
    """Share of each step that the subject is awake, (T,); nothing of slices and cultures."""
    if "plasma_wakefulness" not in results.traces:
        return np.zeros(results.traces.sizes["step_time"] - 1)
    awake: npt.NDArray[np.float64] = results.traces["plasma_wakefulness"].sel(schedule=schedule).values
    return awake


def _halved(signals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Signals at the ends of steps half as long: the given ones, and the values between."""
    between = (signals[:-1] + signals[1:]) / 2.0
    return np.insert(signals, range(1, len(signals)), between, axis=0)


def _means(signals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Signals on the mean over each step, of those at their ends, on straight lines."""
    return (signals[:-1] + signals[1:]) / 2.0
