"""What the parameters leave open: predictive intervals of an experiment's contrasts over the posterior of the fits.

The interval over replicates says how far luck moves a ratio at the committed parameters. This one says how far the
ratio moves over parameters that fit the evidence about as well: for each of the draws theta_k of the posterior

    ratio_k = x(schedule, theta_k) / x(reference, theta_k),    interval = 2.5 and 97.5 % quantiles of ratio_k,

with x from the expected neuron (`surrogate`) in a well-mixed piece of tissue behind a body and barrier of their own
draw, and for samples of blood from that body and from what the neuron releases and stores (`drawn_blood`). A body takes
as long as dozens of neurons, so that several draws of the neurons and of how blood is sampled share one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from abm.config import Experiment
from abm.metrics import METRICS
from abm.study.contrasts import NAN
from abm.study.plan import Plan, Reading
from abm.study.posterior import Posterior
from abm.study.priors import BODIES, NEURAL_PARTS
from abm.study.progress import refresh_interval
from abm.study.results import PredictiveRow, SummaryRow

if TYPE_CHECKING:
    from abm.config import Subject
    from abm.study.drawn_blood import Exercised
    from abm.study.surrogate import Course

Floats = NDArray[np.float64]

QUANTILES = (0.025, 0.5, 0.975)
ROUNDING = 1e-6  # of a ratio: plasma is kept to seven digits


@dataclass(frozen=True)
class Prediction:
    """Read-outs of the expected neuron over draws of the parameters.

    schedules: the reference among them; readings: of the plan, at the end of a step, one region each. fitted:
    (schedules, readings), with the committed parameters; drawn: (draws, schedules, readings). posteriors: names of
    those drawn from. bodies: how many there were; draw k is behind body k modulo bodies. left_out: why nothing was
    predicted; empty where something was.
    """

    schedules: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()
    fitted: Floats | None = None
    drawn: Floats | None = None
    posteriors: tuple[str, ...] = ()
    bodies: int = 1
    left_out: str = ""

    def account(self) -> dict[str, object]:
        """What goes into the manifest."""
        draws = 0 if self.drawn is None else len(self.drawn)
        return {"posteriors": list(self.posteriors), "draws": draws, "left_out": self.left_out}


def predict(
    plan: Plan,
    schedules: Sequence[str],
    posteriors: Sequence[Posterior],
    *,
    executor: Executor | None = None,
    progress: bool = False,
) -> Prediction:
    """Read-outs of a planned experiment over the posterior of the neurons and, of blood, over those of body and sample.

    schedules: those whose body could be solved; executor: who does it, one body at a time; none: this process. Nothing
    is predicted, and the prediction says why, where there is no posterior of neurons or it no longer belongs to the
    parameter files, the experiment overrides what was fitted or what the fit rests on, has a tissue with open sides, or
    observes nothing that the expected neuron has.
    """
    neural = [posterior for posterior in posteriors if posterior.parts <= NEURAL_PARTS]
    reason = _reason(plan.experiment, schedules, neural)
    if reason:
        return Prediction(left_out=f"No predictive intervals: {reason}.")
    # Compiled code is loaded only where something is predicted.
    from abm.study.drawn_blood import BODY_READ_OUTS, SAMPLE_PARTS, SAMPLE_READ_OUTS, is_upstream
    from abm.study.surrogate import READ_OUTS

    experiment = plan.experiment
    sampled = _apart_from_neurons(experiment, posteriors, SAMPLE_PARTS.__contains__)
    upstream = _apart_from_neurons(experiment, posteriors, is_upstream)
    of_blood = (*(SAMPLE_READ_OUTS if sampled else ()), *(BODY_READ_OUTS if upstream else ()))
    readings = tuple(_readings(plan, (*READ_OUTS, *of_blood)))
    if not readings:
        reason = "nothing the expected neuron has is observed after time zero"
        return Prediction(left_out=f"No predictive intervals: {reason}.")
    try:
        reader = _Reader(plan, readings, schedules, experiment.subject)
        fitted = reader.read({})
    except ArithmeticError as error:
        return Prediction(left_out=f"No predictive intervals: {error}.")
    used, own = [*neural, *sampled, *upstream], set(experiment.subject.overrides)
    count = min(len(posterior.draws) for posterior in used)
    drawn, bodies = np.full((count, *fitted.shape), np.nan), min(BODIES, count) if upstream else 1
    work = [
        _Work(
            plan,
            readings,
            tuple(schedules),
            _numbers(upstream, body, own),
            [_numbers([*neural, *sampled], draw, own) for draw in range(body, count, bodies)],
        )
        for body in range(bodies)
    ]
    done = _carried_out(work, executor)
    interval = refresh_interval()
    shown = tqdm(
        done, desc="draws of the parameters", total=bodies, mininterval=interval, maxinterval=interval,
        disable=not progress,
    )  # fmt: skip
    for body, found in enumerate(shown):
        drawn[body::bodies] = found
    return Prediction(tuple(schedules), readings, fitted, drawn, tuple(posterior.name for posterior in used), bodies)


class _Work(NamedTuple):
    """Draws of neurons and samples that share the body of one draw."""

    plan: Plan
    readings: tuple[Reading, ...]
    schedules: tuple[str, ...]
    body: dict[str, float]
    draws: list[dict[str, float]]


def _carried_out(work: Sequence[_Work], executor: Executor | None) -> Iterator[Floats]:
    """What comes of each, in order; by this process where there is no executor, or its workers died."""
    if executor is None:
        yield from map(_behind, work)
        return
    try:
        outcomes: list[Future[Floats] | None] = [executor.submit(_behind, one) for one in work]
    except BrokenExecutor:
        outcomes = [None] * len(work)
    for one, outcome in zip(work, outcomes, strict=True):
        try:
            yield outcome.result() if outcome else _behind(one)
        except BrokenExecutor:
            yield _behind(one)


def _behind(work: _Work) -> Floats:
    """Readings of draws behind one body, (draws, schedules, readings); no numbers where it has no solution."""
    from abm.study.drawn_blood import is_upstream, with_drawn

    subject = with_drawn(work.plan.experiment.subject, work.body, is_upstream)
    try:
        reader = _Reader(work.plan, work.readings, work.schedules, subject)
    except ArithmeticError:
        return np.full((len(work.draws), len(work.schedules), len(work.readings)), np.nan)
    return np.array([reader.read(numbers) for numbers in work.draws])


def _numbers(posteriors: Sequence[Posterior], draw: int, own: set[str]) -> dict[str, float]:
    """One draw of several posteriors, without the numbers that the experiment sets itself."""
    drawn = {key: value for posterior in posteriors for key, value in posterior.overrides(draw).items()}
    return {key: value for key, value in drawn.items() if ".".join(key.split(".")[:2]) not in own}


def _apart_from_neurons(
    experiment: Experiment, posteriors: Sequence[Posterior], of: Callable[[str], bool]
) -> list[Posterior]:
    """The posteriors of some parts, where they belong to the parameter files and there is a body."""
    found = [posterior for posterior in posteriors if all(map(of, posterior.parts))]
    usable = experiment.preparation == "in_vivo" and not any(one.stale() for one in found)
    return found if usable else []


def _readings(plan: Plan, known: Iterable[str]) -> list[Reading]:
    """What is predicted: after time zero, in the whole tissue, of whose regions the expected neuron knows nothing."""
    names = set(known)
    return [
        reading
        for reading in plan.readings
        if reading.step > 0
        and reading.metric in names
        and reading.region == "all"
    ]


def _reason(experiment: Experiment, schedules: Sequence[str], neural: Sequence[Posterior]) -> str:
    """Why nothing can be predicted; empty where it can."""
    changed = [key for key in experiment.subject.overrides if key.partition(".")[0] in NEURAL_PARTS]
    reasons = [
        (not neural, "there is no posterior of neurons in configs/parameters/posterior"),
        *((bool(stale), stale) for stale in (posterior.stale() for posterior in neural)),
        (bool(changed), f"the experiment changes {', '.join(changed)}, on which the fit of the neurons rests"),
        (
            "washout" in dict(experiment.tissue.boundaries).values(),
            "the tissue is open at its sides, which the piece of it around the expected neuron is not",
        ),
        (experiment.reference not in schedules, f"there is no blood of the reference, {experiment.reference}"),
    ]
    return next((reason for true, reason in reasons if true), "")


class _Reader:
    """Reads an experiment's read-outs behind one body, with changed parameters of neurons and of samples of blood.

    arms: key of the exposed neuron's arm by schedule; bodies: what each schedule asks of the body, where blood is read.
    Raises ArithmeticError where the body has no solution.
    """

    def __init__(self, plan: Plan, readings: Sequence[Reading], schedules: Sequence[str], subject: Subject) -> None:
        from abm.study.drawn_blood import BODY_READ_OUTS, SAMPLE_READ_OUTS, exercised
        from abm.study.surrogate import ExposedNeuron

        self.plan, self.readings, self.exposed = plan, readings, ExposedNeuron()
        of_blood = {*BODY_READ_OUTS, *SAMPLE_READ_OUTS}
        hours = [plan.hour(reading.step) for reading in readings if reading.metric in of_blood]
        experiment = plan.experiment.model_copy(update={"subject": subject})
        self.arms: dict[str, str] = {}
        self.bodies: dict[str, Exercised] = {}
        for name in schedules:
            plasma = None
            if hours:
                plasma, self.bodies[name] = exercised(experiment, plan.timelines[name], hours)
            self.arms[name] = self.exposed.expose(experiment, name, plasma)

    def read(self, overrides: Mapping[str, float]) -> Floats:
        """The readings of every schedule, (schedules, readings); NaN where there is no number."""
        neural = {key: value for key, value in overrides.items() if key.partition(".")[0] in NEURAL_PARTS}
        courses = self.exposed.courses(neural)
        with np.errstate(all="ignore"):
            found = [self._row(courses[key], self.bodies.get(name), overrides) for name, key in self.arms.items()]
        return np.array(found, np.float64)

    def _row(self, course: Course, body: Exercised | None, overrides: Mapping[str, float]) -> list[float]:
        from abm.study.drawn_blood import samples
        from abm.study.surrogate import READ_OUTS

        found, sample = [], samples(self.plan.experiment.subject, body, overrides) if body else None
        store_at_rest = course[2].expression.store_at_rest
        for reading in self.readings:
            hour = self.plan.hour(reading.step)
            if reading.metric in READ_OUTS:
                found.append(READ_OUTS[reading.metric](*course, hour))
                continue
            release = READ_OUTS["brain_bdnf_release"](*course, hour)
            store = READ_OUTS["bdnf_protein"](*course, hour) / store_at_rest
            found.append(sample.read(reading.metric, hour, release, store) if sample else NAN)
        return found


def predictive_rows(plan: Plan, prediction: Prediction, summary: Sequence[SummaryRow]) -> list[PredictiveRow]:
    """Rows of predictive.csv: every schedule and reading, beside the ratio that the simulated population has."""
    if prediction.fitted is None or prediction.drawn is None:
        return []
    from abm.study.drawn_blood import BODY_READ_OUTS
    from abm.study.surrogate import ONLY_RATIOS

    place = prediction.schedules.index(plan.experiment.reference)
    with np.errstate(all="ignore"):
        fitted = prediction.fitted / prediction.fitted[place]
        ratios = prediction.drawn / prediction.drawn[:, place : place + 1]
    simulated = {(row.schedule, row.metric, row.region, row.time_h): row.ratio for row in summary}
    rows = []
    for i, schedule in enumerate(prediction.schedules):
        for j, reading in enumerate(prediction.readings):
            hour, metric = plan.hour(reading.step), METRICS[reading.metric]
            run = simulated.get((schedule, reading.metric, reading.region, hour), NAN)
            own = _finite(ratios[:, i, j])
            level = np.empty(0) if reading.metric in ONLY_RATIOS else _finite(prediction.drawn[:, i, j])
            told = own.size and np.isfinite(run) and max(np.ptp(own), abs(run - own[0])) > ROUNDING
            below = float(np.mean(own < run)) if told else NAN
            alike = prediction.bodies if reading.metric in BODY_READ_OUTS else len(ratios)
            draws = _finite(ratios[:alike, i, j]).size  # what only the body moves is the same in all draws behind it
            about = (schedule, reading.metric, reading.region, hour, metric.unit, draws, _quantiles(level)[1])
            low, middle, high = _quantiles(own)
            own_fit = float(fitted[i, j]) if np.isfinite(fitted[i, j]) else NAN
            rows.append(PredictiveRow(*about, own_fit, middle, low, high, run, below))
    return rows


def _quantiles(values: Floats) -> tuple[float, float, float]:
    """2.5, 50 and 97.5 %; NaN of nothing."""
    if not values.size:
        return NAN, NAN, NAN
    low, middle, high = np.quantile(values, QUANTILES)
    return float(low), float(middle), float(high)


def _finite(values: Floats) -> Floats:
    """Those that are numbers."""
    kept: Floats = values[np.isfinite(values)]
    return kept
