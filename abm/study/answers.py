"""What finished runs say to a question, and how many replicates it takes to say it.

An answer begins with two replicates; as long as more may change between pass and miss one more is added, up to the
replicates of the protocol. It rests on its own replicates alone, in their order, so that it depends neither on
who finished first nor on which other experiments are asked in the same study.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from abm.metrics import METRICS
from abm.study.contrasts import mean_over_replicates, paired_ratio, ratio_of_means
from abm.study.score import NOTHING, Prediction, undecided
from abm.study.shared_runs import Values
from abm.study.trajectories import Question, Run, SharedPlan
from abm.study.work import Fault

FEWEST = 2  # an interval over replicates needs two
Faults = Mapping[Run, Fault]


class Answer(NamedTuple):
    """What the model says to a question, or why it says nothing."""

    predicted: Prediction
    problem: str = ""


@dataclass
class Answers:
    """The answers to the questions of a plan, as the runs come in; what has been said is not worked out again."""

    plan: SharedPlan
    said: dict[tuple[int, int], Prediction] = field(default_factory=dict)

    def wanted(self, values: Values) -> set[Run]:
        """The runs that all answers together need, by what is known so far."""
        places = range(len(self.plan.questions))
        return {run for place in places for run in self._runs(place, self._enough(place, values))}

    def given(self, values: Values, faults: Faults) -> Iterator[Answer]:
        """The answers, in the order of the questions."""
        for place in range(len(self.plan.questions)):
            number = self._enough(place, values)
            missing = [run for run in self._runs(place, number) if run not in values]
            if missing:
                reasons = (faults[run].error for run in missing if run in faults)
                yield Answer(NOTHING, f"a run failed: {next(reasons, 'it was not done')}")
                continue
            predicted = self._predict(place, number, values)
            undefined = predicted.value != predicted.value
            yield Answer(predicted, "the read-outs have no ratio" if undefined else "")

    def _runs(self, place: int, number: int) -> list[Run]:
        """The runs of the first `number` replicates of a question's arms; one twice that is compared with itself."""
        keys = self.plan.questions[place].trajectories
        return [Run(self.plan.trajectories[key].base, key, replicate) for replicate in range(number) for key in keys]

    def _enough(self, place: int, values: Values) -> int:
        """How many replicates the answer needs, by what is known so far."""
        question = self.plan.questions[place]
        number, most = FEWEST, max(question.evidence.protocol.run.replicates, FEWEST)
        while number < most and all(run in values for run in self._runs(place, number)):
            if not undecided(question.published, self._predict(place, number, values)):
                break
            number += 1
        return number

    def _predict(self, place: int, number: int, values: Values) -> Prediction:
        if (place, number) not in self.said:
            question = self.plan.questions[place]
            runs, arms = self._runs(place, number), len(question.trajectories)
            read = [[values[run][own] for run in runs[arm::arms]] for arm, own in enumerate(question.readings)]
            self.said[place, number] = predict(question, read)
        return self.said[place, number]


def predict(question: Question, arms: Sequence[Sequence[float]]) -> Prediction:
    """Mean and interval over replicates of a value, or of a contrast paired by replicate; arms: values of each."""
    if question.observation.smd is not None:
        return _standardised(question, *arms)
    if len(arms) == 1:
        return Prediction(*mean_over_replicates(arms[0])[1:])
    return arm_ratio(*arms) if METRICS[question.metric].has_zero else NOTHING


def arm_ratio(treated: Sequence[float], control: Sequence[float]) -> Prediction:
    """The paired ratio; where some value is zero, which has no logarithm, the ratio of the means.

    Two arms of nothing but zeros do not differ; of a control of zeros there is no ratio.
    """
    if min(*treated, *control) > 0.0 or not all(value >= 0.0 for value in (*treated, *control)):
        return Prediction(*paired_ratio(treated, control)[:3])
    if not any(treated) and not any(control):
        return Prediction(1.0, 1.0, 1.0)
    return Prediction(*ratio_of_means(np.array(treated), np.array(control)))


def _standardised(question: Question, treated: Sequence[float], control: Sequence[float]) -> Prediction:
    """Hedges g between large groups of virtual subjects, the same in every replicate."""
    from abm.observation import ObservationParameters, effect_size
    from abm.parameters import load_parameters

    if not all(value > 0.0 for value in (*treated, *control)):
        return NOTHING
    subject, seed = question.evidence.protocol.subject, question.evidence.protocol.run.seed
    p = load_parameters(ObservationParameters, "observation", subject.species, subject.overrides)
    pairs = zip(treated, control, strict=True)
    differences = [effect_size(p, question.metric, own, other, seed) for own, other in pairs]
    return Prediction(*mean_over_replicates(differences)[1:])
