"""Published experiments as evidence: a protocol, what was seen in it, and whether it may be used to fit anything.

    id: berchtold2010_wheel21
    source: berchtold2010            # key in configs/references.bib
    role: calibration                # or validation: never used to fit anything
    protocol: {...an experiment...}
    observations:
      - {contrast: wheel / sedentary, metric: bdnf_protein, at: 21 d 9 h, ratio: 1.86, interval: [1.49, 2.23]}
      - {contrast: wheel / sedentary, metric: bdnf_protein, at: 49 d 9 h, effect: none}

The shipped library lies in configs/evidence; each of its observations names a line of configs/evidence/published.csv.
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from abm.config import checks
from abm.config.experiment import Experiment, MetricName, Name, Observation
from abm.config.loading import load_model
from abm.config.part import OneOrMore, Part
from abm.errors import Fault, listed, nearest
from abm.metric_names import WITHOUT_RATIO
from abm.parameters import CONFIG_DIRECTORY
from abm.units import Hours, convert, dimension_name

Role = Literal["calibration", "validation"]
Kind = Literal["ratio", "value", "up", "down", "none"]
Written = str | float
Pair = tuple[float, float]

LIBRARY = CONFIG_DIRECTORY / "evidence"
SENTENCES = "misses.yaml"  # beside the library: why known misses miss
LARGEST_SPREAD = 5.0  # coefficient of variation; what is above is a number of per cent without its sign
UNCHANGED = (0.85, 1.15)
_SEEN = ("ratio", "value", "smd", "effect")
# Units of the read-outs that have one, as in abm.metrics, which stands above the configuration and cannot be asked.
UNITS = {
    "plasma_bhb": "mmol/L", "plasma_lactate": "mmol/L", "plasma_glucose": "mmol/L", "plasma_irisin": "nmol/L",
    "plasma_ffa": "mmol/L", "plasma_insulin": "pmol/L", "liver_glycogen": "mmol/kg",
    "plasma_cortisol": "nmol/L", "plasma_bdnf": "ng/mL", "serum_bdnf": "ng/mL", "brain_bdnf_release": "ng/g/min",
    "brain_bhb_uptake": "umol/g/min", "brain_bhb_oxidation": "umol/g/min", "brain_lactate_uptake": "umol/g/min",
    "arteriovenous_lactate": "mmol/L",
    "tissue_bhb": "mmol/L", "tissue_lactate": "mmol/L", "tissue_irisin": "nmol/L", "tissue_cortisol": "nmol/L",
    "tissue_bdnf": "nmol/L", "bdnf_release": "1/h", "vo2max": "mL/kg/min",
}  # fmt: skip


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _quantity(value: Any) -> Any:
    if not (_is_number(value) or isinstance(value, str)) or value != value:
        raise Fault("not a quantity", expected='a quantity such as "0.89 mmol/L", or a number for a read-out without')
    return value


def _number(value: Any) -> Any:
    if not _is_number(value) or not math.isfinite(value):
        raise Fault("not a number", expected="a number such as 1.86")
    return float(value)


def _two(value: Any) -> Any:
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise Fault("not a low and a high end", expected="two entries such as [1.5, 2.2] or [0.2, .inf]")
    return tuple(_quantity(end) for end in value)


def _counts(value: Any) -> Any:
    counts = value if isinstance(value, list | tuple) else [value, value]
    if len(counts) != 2 or not all(isinstance(n, int) and not isinstance(n, bool) and n > 0 for n in counts):
        raise Fault("not a number of animals", expected="a whole number such as 8, or one per arm such as [5, 4]")
    return tuple(value) if isinstance(value, list | tuple) else value


def _probability(value: Any) -> Any:
    if not _is_number(value) or not 0.0 < value <= 1.0:
        raise Fault("not a probability", expected="a number above 0 and up to 1 such as 0.05")
    return float(value)


def _spread(value: Any) -> Any:
    """0.25 or "25 %"; some read-outs vary by more than their mean."""
    number = convert(value, "%") / 100 if isinstance(value, str) else value
    if not _is_number(number) or not 0.0 < number <= LARGEST_SPREAD:
        expected = f'a number above 0 and up to {LARGEST_SPREAD:g} such as 0.25 or "25 %"'
        near = f'"{number:g} %"' if _is_number(number) and LARGEST_SPREAD < number <= 100.0 * LARGEST_SPREAD else None
        raise Fault("not a coefficient of variation", expected=expected, suggestion=near)
    return float(number)


Number = Annotated[float, BeforeValidator(_number)]
Amount = Annotated[Written, BeforeValidator(_quantity)]
Ends = Annotated[tuple[Written, Written], BeforeValidator(_two)]
Counts = Annotated[int | tuple[int, int], BeforeValidator(_counts)]
Probability = Annotated[float, BeforeValidator(_probability)]
Spread = Annotated[float, BeforeValidator(_spread)]


class EvidenceObservation(Part):
    """One thing that was seen of one read-out: a `ratio`, a `value`, a standardised difference `smd` or an `effect`."""

    metric: MetricName
    """Name of a read-out, for all regions; with .DG, .CA3 or .CA1 for one."""
    at: Hours
    """When it was read, since time zero."""
    contrast: str | None = None
    """Two arms, "wheel / sedentary": the second is the one compared with."""
    schedule: str | None = None
    """The arm of a plain value, or of a change since `baseline`."""
    baseline: Hours | None = None
    """Of a ratio or an effect: the earlier or other time of the same arm with which it is compared."""
    ratio: Number | None = None
    """Mean of the arm over that of its reference, or over its own at `baseline`."""
    value: Amount | None = None
    """The number itself, in a unit of the read-out: "0.89 mmol/L"; a plain number for a read-out without unit."""
    smd: Number | None = None
    """Standardised mean difference (Hedges g) of the two arms between subjects."""
    effect: Literal["up", "down", "none"] | None = None
    """Direction, where no more was published: up, down or none."""
    interval: Ends | None = None
    """Published 95 % interval of ratio, value or smd, in the same unit; .inf for an open end."""
    within: Ends | None = None
    """Of no effect: the ratios that count as none, [0.85, 1.15] where absent."""
    n: Counts | None = None
    """Animals, subjects or cultures per arm; [arm, reference] where they differ."""
    p: Probability | None = None
    """As published."""
    paired: bool = False
    """Whether the same subjects were in both arms: crossover, or before and after. `n` counts them once."""
    cv: Spread = 0.25
    """Coefficient of variation between animals, of paired subjects that of their change; 25 % where unknown."""
    row: str | None = None
    """The published result: a line of configs/evidence/published.csv."""

    @model_validator(mode="after")
    def _is_one_thing(self) -> Self:
        given = [key for key in _SEEN if getattr(self, key) is not None]
        if len(given) != 1:
            raise Fault(
                f"both {given[0]} and {given[1]}" if given else "nothing was seen",
                expected="one of " + listed(_SEEN),
                at=(given[1],) if given else (),
            )
        self._check_arms()
        self._check_numbers(given[0])
        return self

    def _check_arms(self) -> None:
        """A value is that of one arm; everything else compares two arms, or one with itself at another time."""
        alone = self.value is not None or self.baseline is not None
        wanted, other = ("schedule", "contrast") if alone else ("contrast", "schedule")
        if self.baseline is not None and (self.value is not None or self.smd is not None):
            expected = "a ratio or an effect with a baseline"
            raise Fault(f"'baseline' does not go with a {self._given}", expected=expected, at=("baseline",))
        if self.baseline is not None and self.baseline == self.at:
            raise Fault("compares a time with itself", expected="a time other than `at`", at=("baseline",))
        if getattr(self, other) is not None:
            what = "baseline" if self.baseline is not None else self._given
            raise Fault(f"'{other}' does not go with a {what}", expected=f"'{wanted}'", at=(other,))
        if getattr(self, wanted) is None:
            expected = "schedule: sedentary" if wanted == "schedule" else "contrast: wheel / sedentary"
            raise Fault("says of no arm", expected=f"'{wanted}' such as {expected}")
        if self.value is None and self.metric.partition(".")[0] in WITHOUT_RATIO:
            expected = "value: with schedule:, for each arm"
            raise Fault("may be zero or negative, so that arms have no ratio", expected=expected, at=("metric",))
        if self.contrast is not None and len(_arms(self.contrast)) != 2:
            raise Fault("not two arms", expected='two arms such as "wheel / sedentary"', at=("contrast",))
        if self.contrast is not None and len(set(_arms(self.contrast))) == 1:
            raise Fault("an arm against itself", expected='two arms such as "wheel / sedentary"', at=("contrast",))

    def _check_numbers(self, given: str) -> None:
        if given == "effect":
            if self.interval is not None:
                raise Fault("an effect has no interval", expected="'within' for no effect", at=("interval",))
        elif self.interval is None and (given == "smd" or self.n is None):
            raise Fault(f"the {given} has no interval", expected="interval: [low, high]" + " or n" * (given != "smd"))
        if given == "value":
            self._check_value(self.number or 0.0)
        if given == "smd":
            self._check_standardised()
        if self.within is not None and self.effect != "none":
            raise Fault("'within' is for no effect", expected="effect: none", at=("within",))
        if given == "ratio" and self.number is not None and self.number <= 0.0:
            raise Fault("must be more than 0", expected="a ratio such as 1.86", at=("ratio",))
        if self.paired and (self.value is not None or isinstance(self.n, tuple)):
            raise Fault("pairs are of two arms and counted once", expected="contrast: and n: 12", at=("paired",))
        if given == "value" and isinstance(self.n, tuple):
            raise Fault("a value is of one arm", expected="one number such as n: 8", at=("n",))
        if given == "value" and self.n == 1:
            raise Fault("one says nothing of how far others lie", expected="two or more", at=("n",))
        if self.n is not None and sum(self.sizes or ()) < 3:
            raise Fault("too few to compare", expected="three in both arms together", at=("n",))
        ends = self.limits
        for key in ("interval", "within"):
            if getattr(self, key) is None or ends is None:
                continue
            low, high, inside = *ends, 1.0 if key == "within" else self.number
            if not low < high or (given != "smd" and low < 0 and given != "value"):
                ratios = ", ratios above 0" if given != "smd" and given != "value" else ""
                raise Fault("not a low and a high end", expected=f"[low, high]{ratios}", at=(key,))
            if inside is None or not low <= inside <= high:
                raise Fault("does not hold what was seen", expected="low <= what was seen <= high", at=(key,))
            if not math.isfinite(high - low) and inside in (low, high):
                raise Fault("open to one side, with what was seen at its end", expected="an end elsewhere", at=(key,))

    def _check_standardised(self) -> None:
        """The spread of a standardised difference is that of the read-out between people, not one of these."""
        for key in ("n", "cv", "paired"):
            if key in self.model_fields_set:
                expected = "an interval; the spread is observation.*_cv of the read-out"
                raise Fault(f"'{key}' does not go with an smd", expected=expected, at=(key,))

    def _check_value(self, value: float) -> None:
        """Amounts are not negative, and what n animals leave open is a share of a number above zero."""
        amount = self.metric.partition(".")[0] not in WITHOUT_RATIO
        if not math.isfinite(value) or (amount and value < 0.0):
            raise Fault("not an amount" if amount else "not a number", expected="0 or more" * amount, at=("value",))
        if value <= 0.0 and self.interval is None:
            raise Fault("n gives no interval around it", expected="interval: [low, high]", at=("value",))

    @property
    def _given(self) -> str:
        return next(key for key in _SEEN if getattr(self, key) is not None)

    @property
    def kind(self) -> Kind:
        """How it is scored: ratio; value (of an arm, or a standardised difference); up, down or none."""
        if self.effect is not None:
            return self.effect
        return "ratio" if self.ratio is not None else "value"

    @property
    def arms(self) -> tuple[str, str | None]:
        """The arm and the one it is compared with; None for a plain value."""
        if self.contrast is None:
            return self.schedule or "", None
        arm, reference = _arms(self.contrast)
        return arm, reference

    @property
    def times(self) -> tuple[float, ...]:
        """When it is read, h: at its time and, of a change, at the baseline."""
        return (self.at,) if self.baseline is None else (self.at, self.baseline)

    @property
    def readings(self) -> tuple[tuple[str, float], ...]:
        """Arms and times (h) that are read: the one that is spoken of, then what it is compared with, if anything."""
        arm, reference = self.arms
        if reference is not None:
            return (arm, self.at), (reference, self.at)
        return tuple((arm, hour) for hour in self.times)

    @property
    def sizes(self) -> tuple[int, int] | None:
        """Animals in the arm and in its reference."""
        return (self.n, self.n) if isinstance(self.n, int) else self.n

    @property
    def number(self) -> float | None:
        """Ratio, standardised difference, or value in the unit of the read-out; None for a direction."""
        if self.value is not None:
            return self._in_unit(self.value, "value")
        return self.ratio if self.ratio is not None else self.smd

    @property
    def limits(self) -> Pair | None:
        """Where the prediction passes: the interval in the unit of the read-out, or of no effect `within`.

        A ratio without interval has that of a t test between animals: ratio exp(+-t(0.975, n1 + n2 - 2) s
        sqrt(1/n1 + 1/n2)) with s^2 = ln(1 + cv^2); a paired ratio and a value without one that of their n animals:
        exp(+-t(0.975, n - 1) s sqrt(1/n)). No effect without `within` is what such a test cannot tell from a ratio of
        1; where n is not published, 0.85 to 1.15. None for up and down.
        """
        if self.effect in ("up", "down"):
            return None
        if self.within is not None or (self.effect == "none" and self.n is None):
            low, high = self.within or UNCHANGED
            return self._plain(low, "within"), self._plain(high, "within")
        if self.interval is not None:
            read = self._in_unit if self.value is not None else self._plain
            return read(self.interval[0], "interval"), read(self.interval[1], "interval")
        number, sizes = (1.0 if self.effect else self.number or 0.0), self.sizes or (2, 2)
        single = self.paired or self.value is not None
        half = uncertain(sizes[0], self.cv) if single else detectable(sizes, self.cv)
        return number * math.exp(-half), number * math.exp(half)

    def _in_unit(self, written: Written, key: str) -> float:
        unit = UNITS.get(self.metric.partition(".")[0], "1")
        if isinstance(written, str) and unit != "1":
            try:
                return convert(written, unit)
            except Fault as fault:
                expected = f"{dimension_name(unit)} in {unit} or what can be turned into it"
                raise Fault(fault.problem, expected=expected, suggestion=fault.suggestion, at=(key,)) from fault
        if unit != "1" and math.isfinite(float(written)):
            expected = f'a quantity such as "{written} {unit}"'
            raise Fault("a bare number where a unit belongs", expected=expected, at=(key,))
        return self._plain(written, key)

    def _plain(self, written: Written, key: str) -> float:
        if not isinstance(written, str):
            return float(written)
        try:
            return convert(written, "1")
        except Fault:
            raise Fault("not a plain number", expected="a number such as 1.5 or 12 %", at=(key,)) from None


def _arms(contrast: str) -> list[str]:
    return [arm for arm in (part.strip() for part in contrast.split("/")) if arm]


def detectable(sizes: tuple[int, int], cv: float) -> float:
    """|ln ratio| that a t test between animals calls significant (p < 0.05): t(0.975, n1 + n2 - 2) s sqrt(1/n1 + 1/n2).

    sizes: animals in the two arms; cv: coefficient of variation between animals, s^2 = ln(1 + cv^2).
    """
    return _half_width(sum(sizes) - 2, 1.0 / sizes[0] + 1.0 / sizes[1], cv)


def uncertain(size: int, cv: float) -> float:
    """Half width of the 95 % interval of ln(mean of n animals): t(0.975, n - 1) s sqrt(1/n), s^2 = ln(1 + cv^2).

    Also |ln ratio| that a paired t test calls significant, cv being that of the change between subjects.
    """
    return _half_width(size - 1, 1.0 / size, cv)


def _half_width(freedom: int, parts: float, cv: float) -> float:
    from scipy.special import stdtrit  # half a second that nothing else of the configuration needs

    return float(stdtrit(freedom, 0.975)) * math.sqrt(math.log1p(cv * cv) * parts)


class Evidence(Part):
    """A published experiment: how it was done, and what was seen."""

    id: Name
    """Name of the experiment, that of its file in the library."""
    source: str
    """Key of the paper in configs/references.bib."""
    role: Role
    """calibration: may be used to fit parameters; validation: never is."""
    protocol: Experiment
    """The experiment, as in a file of its own; what was seen is read in place of what it may observe."""
    observations: Annotated[tuple[EvidenceObservation, ...], OneOrMore, Field(min_length=1)]
    """What was seen."""

    @field_validator("source")
    @classmethod
    def _is_in_the_bibliography(cls, key: str) -> str:
        known = source_keys()
        if key not in known:
            raise Fault("no such source", expected="a key of configs/references.bib", suggestion=nearest(key, known))
        return key

    @model_validator(mode="after")
    def _fits_its_protocol(self) -> Self:
        self.protocol.step_through(hour for observation in self.observations for hour in observation.times)
        arms = self.protocol.schedules
        for index, observation in enumerate(self.observations):
            for arm in observation.arms:
                if arm is not None and arm not in arms:
                    key = "schedule" if observation.schedule is not None else "contrast"
                    expected = "arms among the schedules, " + listed(arms)
                    at = ("observations", index, key)
                    raise Fault(
                        f"there is no schedule '{arm}'", expected=expected, suggestion=nearest(arm, arms), at=at
                    )
        self._check_readings()
        return self

    def _check_readings(self) -> None:
        """As the `observe` of an experiment is checked; a fault there is one of the observation."""
        try:
            checks.check_observations(self.experiment)
        except Fault as fault:
            of_baseline = fault.at[2:] == ("at", 1)
            at = ("observations", fault.at[1], "baseline") if of_baseline else ("observations", *fault.at[1:3])
            at = at if fault.at[0] == "observe" else ("protocol", *fault.at)
            raise Fault(fault.problem, expected=fault.expected, suggestion=fault.suggestion, at=at) from fault

    @property
    def experiment(self) -> Experiment:
        """The protocol, named after the evidence, with the read-outs that were seen."""
        # Checked already: metric and time of each observation are those of an observation of an experiment.
        observe = tuple(
            Observation.model_construct(metric=seen.metric, at=seen.times, every=None) for seen in self.observations
        )
        return self.protocol.model_copy(update={"name": self.id, "observe": observe})


@lru_cache(maxsize=4)
def source_keys(path: Path = CONFIG_DIRECTORY / "references.bib") -> frozenset[str]:
    """Keys of the bibliography."""
    return frozenset(re.findall(r"(?m)^@[a-z]+\{([^,\s]+),", path.read_text(encoding="utf-8")))


def load_evidence(path: str | Path) -> Evidence:
    """The published experiment in a YAML file.

    Raises ConfigError, one message with file, line, key, value, what was expected and the nearest valid spelling.
    """
    return load_model(Evidence, path)


def evidence_library() -> list[Path]:
    """The files of the shipped library, sorted."""
    return sorted(path for path in LIBRARY.glob("*.yaml") if path.name != SENTENCES)
