"""Whether a prediction agrees with what was published, and by how much it misses.

    ratio, value   the predicted mean lies in the published 95 % interval
                   z = (predicted - observed) / SE,  SE = (high - low) / (2 x 1.96); of ratios on the logarithmic scale
    up, down       a study of the published size would have seen it: with n1 and n2 animals that differ by cv,
                   t = ln(ratio) / (s sqrt(1/n1 + 1/n2)),  s = sqrt(ln(1 + cv^2)),  df = n1 + n2 - 2,
                   has the right sign and p < 0.05; n subjects in both arms (paired), whose changes differ by cv:
                   t = ln(ratio) / (s sqrt(1/n)), df = n - 1; where n is not published, the predicted interval
                   excludes 1 and the effect is more than the error of the steps
    none           the predicted interval lies inside `within`
                   z = ln(ratio) / ((ln high - ln low) / (2 x 1.96))
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from abm.config import EvidenceObservation

Kind = Literal["ratio", "value", "up", "down", "none"]
NORMAL = 1.96
NAN = math.nan
# What halving the step changes in stored BDNF at most (tests/test_expectation.py); less is no effect.
STEP_ERROR = 0.005


class Prediction(NamedTuple):
    """What the model says: mean and 95 % interval over replicates; NaN where nothing can be said."""

    value: float
    low: float
    high: float


class Score(NamedTuple):
    """How far a prediction lies from what was seen, in standard errors (t for a direction), and whether it passes."""

    z: float
    passed: bool


NOTHING = Prediction(NAN, NAN, NAN)


@dataclass(frozen=True)
class Published:
    """What was seen.

    kind: ratio, value, up, down or none. observed: the ratio or value (NaN of a direction). low, high: its 95 %
    interval, or the limits within which an absent effect must lie; NaN of a direction. groups: animals per arm, None
    where not published. cv: between-animal coefficient of variation, of paired animals that of their change.
    standardised: whether the value is a difference in standard deviations. paired: whether both arms are the same
    animals.
    """

    kind: Kind
    observed: float = NAN
    low: float = NAN
    high: float = NAN
    groups: tuple[int, int] | None = None
    cv: float = 0.25
    standardised: bool = False
    paired: bool = False

    @property
    def directed(self) -> bool:
        """Whether only the direction of an effect was published."""
        return self.kind in ("up", "down")

    @property
    def smallest_effect(self) -> float:
        """Logarithm of the smallest ratio that a study of this size finds at p < 0.05; 0 where n is not published."""
        if self.groups is None or sum(self.groups) <= 2:
            return 0.0
        from abm.config.evidence import detectable, uncertain

        return uncertain(self.groups[0], self.cv) if self.paired else detectable(self.groups, self.cv)

    @property
    def freedom(self) -> int:
        """Degrees of freedom of its t test; 0 where n is not published."""
        return 0 if self.groups is None else self.groups[0] - 1 if self.paired else sum(self.groups) - 2

    def t(self, ratio: float) -> float:
        """Student's t of a ratio in a study of this size; NaN where n is not published."""
        if self.groups is None or sum(self.groups) <= 2:
            return NAN
        return _log(ratio) / self._error(self.groups)

    def _error(self, groups: tuple[int, int]) -> float:
        """Standard error of the logarithm of a ratio of two group means, or of the mean change of pairs."""
        animals = 1.0 / groups[0] + (0.0 if self.paired else 1.0 / groups[1])
        return math.sqrt(math.log1p(self.cv**2) * animals)


def published_of(observation: EvidenceObservation) -> Published:
    """What an evidence file says was seen, as numbers in the unit of the read-out."""
    low, high = observation.limits or (NAN, NAN)
    number = NAN if observation.number is None else observation.number
    standardised = observation.smd is not None
    sizes, cv, paired = observation.sizes, observation.cv, observation.paired
    return Published(observation.kind, number, low, high, sizes, cv, standardised, paired)


def score(published: Published, predicted: Prediction) -> Score:
    """z and pass or miss; what could not be predicted is a miss."""
    if math.isnan(predicted.value):
        return Score(NAN, False)
    if published.directed:
        return Score(published.t(predicted.value), _shows_direction(published, predicted))
    if published.kind == "none":
        inside = published.low <= predicted.low and predicted.high <= published.high
        return Score(standard_errors(_log(predicted.value), 0.0, _log(published.low), _log(published.high)), inside)
    return Score(_distance(published, predicted.value), published.low <= predicted.value <= published.high)


def undecided(published: Published, predicted: Prediction) -> bool:
    """Whether more replicates may change between pass and miss.

    So they may where the predicted interval holds a limit between the two, where it is not known, and for a direction
    without a published n, whose only limit is chance: of intervals looked at after every replicate, one is bound to
    exclude 1 at last.
    """
    if published.directed and published.smallest_effect == 0.0:
        return True
    if any(map(math.isnan, predicted)):
        return True
    return any(predicted.low <= limit <= predicted.high for limit in _limits(published))


def _limits(published: Published) -> list[float]:
    if not published.directed:
        return [published.low, published.high]
    sign = 1.0 if published.kind == "up" else -1.0
    return [math.exp(sign * published.smallest_effect)]


def _shows_direction(published: Published, predicted: Prediction) -> bool:
    if published.smallest_effect == 0.0:
        return goes(published.kind, predicted)
    effect = _log(predicted.value)
    return (effect if published.kind == "up" else -effect) > published.smallest_effect


def goes(kind: str, predicted: Prediction) -> bool:
    """Whether a ratio goes up or down, as `kind` says: its interval excludes 1, and it moves more than STEP_ERROR."""
    if kind == "up":
        return predicted.low > 1.0 and predicted.value > 1.0 + STEP_ERROR
    return kind == "down" and predicted.high < 1.0 and predicted.value < 1.0 / (1.0 + STEP_ERROR)


def _distance(published: Published, value: float) -> float:
    numbers = (value, published.observed, published.low, published.high)
    return standard_errors(*map(_log, numbers)) if published.kind == "ratio" else standard_errors(*numbers)


def standard_errors(predicted: float, observed: float, low: float, high: float) -> float:
    """Distance in standard errors, from the one end of the interval that is finite where the other is not."""
    ends = [end for end in (low, high) if math.isfinite(end)]
    if not ends:
        return NAN
    error = (high - low) / (2.0 * NORMAL) if len(ends) == 2 else abs(ends[0] - observed) / NORMAL
    return (predicted - observed) / error if error > 0.0 else NAN


def _log(value: float) -> float:
    if value > 0.0:
        return math.log(value)
    return -math.inf if value == 0.0 else NAN


def shortfall(published: Published, predicted: Prediction) -> str:
    """A miss in words with its size; nothing for a pass.

    "predicted 1.10, published 3 to 5: too small by x2.7"
    """
    if score(published, predicted).passed:
        return ""
    if math.isnan(predicted.value):
        return "no prediction"
    said = f"predicted {predicted.value:.3g}"
    if published.directed:
        return f"{said}: {_missed_direction(published, predicted)}"
    if published.kind == "none":
        said += f" [{predicted.low:.3g}, {predicted.high:.3g}]"
    low, high = published.low, published.high
    below = predicted.low if published.kind == "none" else predicted.value
    above = predicted.high if published.kind == "none" else predicted.value
    if below < low:
        size = f"too small by {_gap(below, low)}"
    elif above > high:
        size = f"too large by {_gap(above, high)}"
    else:  # an absent effect without an interval to show it
        size = "its interval is not known"
    return f"{said}, published {_span(low, high)}: {size}"


def faintness(published: Published, predicted: Prediction) -> str:
    """What a direction that passes for want of a published n would need; nothing for effects that ten animals show."""
    if not published.directed or published.groups or not score(published, predicted).passed:
        return ""
    ten = replace(published, groups=(10, 10))
    return "" if score(ten, predicted).passed else "n is not published; 10 and 10 would not find so small an effect"


def _missed_direction(published: Published, predicted: Prediction) -> str:
    word, limit = published.kind, published.smallest_effect
    effect = predicted.value - 1.0 if word == "up" else 1.0 - predicted.value
    if abs(effect) <= STEP_ERROR and (limit == 0.0 or effect <= 0.0):
        return f"published {word}; no change beyond the error of the steps, {STEP_ERROR:.1%}"
    if effect <= 0.0:
        return f"published {word}; wrong direction"
    if limit == 0.0:
        return f"{word}, but its interval [{predicted.low:.3g}, {predicted.high:.3g}] holds 1"
    beyond = math.exp(math.copysign(limit, predicted.value - 1.0))
    first, second = published.groups or (0, 0)
    study = f"{first} before and after" if published.paired else f"{first} and {second}"
    return f"{word}, but a study of {study} sees only effects beyond {beyond:.3g}"


def _gap(value: float, limit: float) -> str:
    if value > 0.0 and limit > 0.0:
        ratio = max(value / limit, limit / value)
        return f"x{ratio:.2g}" if ratio >= 1.1 else f"x{ratio:.3g}"
    return f"{abs(value - limit):.2g}"


def _span(low: float, high: float) -> str:
    if math.isinf(high):
        return f"{low:.3g} or more"
    return f"{high:.3g} or less" if math.isinf(low) else f"{low:.3g} to {high:.3g}"
