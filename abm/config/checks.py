"""What must fit together in an experiment beyond each value by itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

from abm.clock import DAY
from abm.config.intensity import KINDS_OF_SPECIES, Capacity, Intensity, capacity
from abm.errors import Fault, Key, listed, nearest
from abm.metric_names import BLOOD_METRIC_NAMES, OF_ANIMALS
from abm.parameters import parameter_records
from abm.units import clock_text, quantity_text

if TYPE_CHECKING:
    from abm.config.experiment import Experiment
    from abm.config.part import Repeating
    from abm.config.schedules import Schedule
    from abm.config.sessions import Session

STEPS = tuple(minutes / 60.0 for minutes in (6, 5, 4, 3, 2, 1))  # h, of which the first that fits is taken
OF_THE_BODY = ("MCT1", "ketogenesis")  # mechanisms between body and tissue, which a slice or a culture has not
CELLS = ("granule_cells", "ca3_cells", "ca1_cells")  # of DG, CA3 and CA1
FRACTIONS = ("acetylated_fraction", "repressed_fraction")  # of nucleosomes
MOST_INTENSE = 2.0  # of VO2max; all-out sprints of seconds stay below
AT_VO2MAX, BEYOND_VO2MAX = 7 / 60, 28 / 3600  # h that VO2max is held; h times what is beyond it, of VO2max
ENDURANCE = 0.0407  # of VO2max lost for each e-fold of time
PATIENCE = 4.0  # times as long as published is let pass (a choice)
FITTER = 1.25  # times the VO2max that a subject's training stands for may have been meant by a load (a choice)
_ROUNDING = 1e-9


def is_multiple(value: float, step: float) -> bool:
    """Whether `value` is a whole number of steps, but for rounding."""
    count = value / step
    return value == 0.0 or (math.isfinite(count) and round(count) >= 1 and abs(count - round(count)) < 1e-7)


def fitting_step(times: Iterable[float]) -> float:
    """The longest of the usual steps of which all times are whole numbers; the usual one where there is none."""
    return next((step for step in STEPS if all(is_multiple(time, step) for time in times)), STEPS[0])


def treatments(schedule: Schedule, duration: float) -> list[tuple[tuple[Key, ...], float]]:
    """Keys and times (h) of what is in force or not for whole steps: baths and blocks, their starts and lengths."""
    baths = [(index, dose) for index, dose in enumerate(schedule.doses) if dose.route == "bath"]
    found: list[tuple[tuple[Key, ...], float | None]] = [
        *((("doses", index, "at"), start) for index, dose in baths for start in dose.occurrences(duration)),
        *((("doses", index, "duration"), dose.duration) for index, dose in baths),
        *(((key, index, "start"), block.start) for key, index, block in schedule.all_blocks()),
        *(((key, index, "duration"), block.duration) for key, index, block in schedule.all_blocks()),
    ]
    return [(key, time) for key, time in found if time is not None]


def treatment_times(experiment: Experiment) -> list[float]:
    """All times of `treatments`, of every schedule."""
    duration = experiment.run.duration
    return [time for schedule in experiment.schedules.values() for _, time in treatments(schedule, duration)]


def check_experiment(experiment: Experiment) -> None:
    """Fault where parts of an experiment contradict each other."""
    if experiment.reference not in experiment.schedules:
        expected = "one of the schedules, " + listed(experiment.schedules)
        near = nearest(experiment.reference, experiment.schedules)
        raise Fault("there is no such schedule", expected=expected, suggestion=near, at=("reference",))
    subject = experiment.subject
    try:
        capacity_of_subject = capacity(subject.species, subject.training, subject.condition, subject.overrides)
        capacity(subject.species, "trained", "healthy", subject.overrides)  # which the body measures by
    except Fault as fault:
        raise Fault(fault.problem, expected=fault.expected, at=("subject", "overrides")) from fault
    for name, schedule in experiment.schedules.items():
        at = ("schedules", name)
        _check_preparation(experiment.preparation, schedule, at)
        _check_sessions(schedule, experiment.run.duration, subject.species, capacity_of_subject, at)
        _check_times(schedule, experiment.run.duration, at)
        _check_baths(schedule, experiment.run.duration, at)
        for key, time in treatments(schedule, experiment.run.duration):
            _check_steps(time, experiment.run.step, (*at, *key))
    check_observations(experiment)


def _check_preparation(preparation: str, schedule: Schedule, at: tuple[str, ...]) -> None:
    if preparation == "in_vivo":
        for index, dose in enumerate(schedule.doses):
            if dose.route == "bath":
                place: tuple[Key, ...] = (*at, "doses", index, "route")
                raise Fault("there is no bath in vivo", expected="preparation: slice or culture", at=place)
        return
    for key in ("sessions", "meals"):
        if getattr(schedule, key):
            expected = "doses into the bath, blocks and knock-outs"
            raise Fault(f"a {preparation} has no {key}", expected=expected, at=(*at, key))
    for key, index, block in schedule.all_blocks():
        if block.target in OF_THE_BODY:
            expected = "a mechanism of neurons, such as MCT2 or HDAC3"
            raise Fault(f"a {preparation} has no {block.target}", expected=expected, at=(*at, key, index, "target"))
    for index, dose in enumerate(schedule.doses):
        if dose.route != "bath":
            raise Fault(f"a {preparation} has no body", expected="route: bath", at=(*at, "doses", index, "route"))


def _check_sessions(
    schedule: Schedule, duration: float, species: str, of_subject: Capacity, at: tuple[str, ...]
) -> None:
    spans: list[tuple[float, float, int]] = []
    for index, session in enumerate(schedule.sessions):
        here: tuple[Key, ...] = (*at, "sessions", index)
        kinds = KINDS_OF_SPECIES[species]
        if session.kind not in kinds:
            raise Fault(f"a {species} does no {session.kind}", expected=listed(kinds), at=(*here, "kind"))
        starts = _occurrences(session, duration, (*here, "start"))
        spans += [(start, start + session.length(session.week(start)), index) for start in starts]
        for week in sorted({0, session.week(starts[-1])}):
            _check_intensity(session, week, of_subject, here)
    spans.sort()
    for (start, end, first), (later, _, second) in pairwise(spans):
        if later < end - _ROUNDING:
            until = _clock(end) if start // DAY == end // DAY else f"day {int(end // DAY)}, {_clock(end)}"
            problem = f"overlaps the session of day {int(start // DAY)} from {_clock(start)} to {until}"
            place: tuple[Key, ...] = (*at, "sessions", max(first, second), "start")
            raise Fault(problem, expected="sessions one after the other", at=place)


def _check_intensity(session: Session, week: int, of_subject: Capacity, at: tuple[Key, ...]) -> None:
    named: list[tuple[tuple[str, ...], float, Intensity]]
    if session.kind == "wheel":
        running, intensity = wheel_running(session, week, of_subject)
        bout = running if running == session.length(week) else min(running, of_subject.parameters.wheel_bout)
        named = [(("distance",) if session.distance else ("intensity",), bout, intensity)]
    else:
        efforts = session.named_efforts(week)
        named = [(key, effort.duration, effort.intensity) for key, effort in efforts if effort.intensity is not None]
    for key, duration, intensity in named:
        fraction, rest = of_subject.fraction(intensity, session.kind, session.grade or 0.0), of_subject.resting_fraction
        problem = f"{100 * fraction:.3g} %VO2max"
        if intensity.unit != "%VO2max":
            problem = f"{intensity.value:.4g} {intensity.unit} is {problem} of this subject"
        grown = week and session.progression and key not in (("warm_up",), ("cool_down",))
        place = (*at, "progression") if grown else (*at, *key)
        if fraction > MOST_INTENSE:
            expected = f"at most {100 * MOST_INTENSE:.0f} %VO2max"
            raise Fault(f"{problem}, beyond the model", expected=expected, at=place)
        if 0.0 < fraction < rest:
            raise Fault(f"{problem}, less than rest", expected=f"at least {100 * rest:.3g} %VO2max", at=place)
        if duration > (most := longest_effort(fraction / FITTER if intensity.fixed else fraction)):
            problem += f" for {_when(duration)}, several times longer than trained people keep it up"
            raise Fault(problem, expected=f"at most {_about(most)}", at=place)


def longest_effort(fraction: float) -> float:
    """Hours that no subject goes on at a fraction of VO2max without a rest: four times what is published, to be safe.

    Runners last 7 min at VO2max (peronnet1987) and 131 and 72 s at 1.2 and 1.4 times its speed (billat2000), some 28 s
    over what is beyond VO2max; the fraction held falls by 4.07 % for each unit of the logarithm of time in the most
    enduring of 18 (peronnet1987).
    """
    if fraction > 1.0:
        return PATIENCE * min(AT_VO2MAX, BEYOND_VO2MAX / (fraction - 1.0))
    return PATIENCE * AT_VO2MAX * math.exp((1.0 - fraction) / ENDURANCE)


def wheel_running(session: Session, week: int, of_subject: Capacity) -> tuple[float, Intensity]:
    """Time spent running (h) in a session in the wheel, and the intensity of it."""
    fraction = session.running_fraction or of_subject.parameters.wheel_running_fraction
    if not 0.0 < fraction <= 1.0:
        problem = "schedule.wheel_running_fraction is no share of the time in the wheel"
        raise Fault(problem, expected="more than 0 and up to 1")
    running = session.length(week) * fraction
    ((_, effort),) = session.named_efforts(week)
    return running, effort.intensity or Intensity(session.kilometres(week) * 1000 / (running * 60), "m/min")


def _check_baths(schedule: Schedule, duration: float, at: tuple[str, ...]) -> None:
    """Fault where the bath would have to hold two concentrations of one substance at once."""
    spans = sorted(
        (dose.what, start, start + (dose.duration or duration), index)
        for index, dose in enumerate(schedule.doses)
        if dose.route == "bath"
        for start in dose.occurrences(duration)
    )
    for (what, _, end, first), (other, later, _, second) in pairwise(spans):
        if what == other and later < end - _ROUNDING:
            place: tuple[Key, ...] = (*at, "doses", max(first, second), "at")
            problem = f"{what} is in the bath already, until {_when(min(end, duration))}"
            raise Fault(problem, expected="baths of one substance one after the other, with durations", at=place)


def _check_times(schedule: Schedule, duration: float, at: tuple[str, ...]) -> None:
    for index, dose in enumerate(schedule.doses):
        _occurrences(dose, duration, (*at, "doses", index, "at"))
    for index, meal in enumerate(schedule.meals):
        here: tuple[Key, ...] = (*at, "meals", index)
        if meal.at is not None:
            _occurrences(meal, duration, (*here, "at"))
        if meal.fast is not None and meal.fast.start is not None:
            _occurrences(meal.fast, duration, (*here, "fast", "start"))
        needs_sessions = meal.during is not None or (meal.fast is not None and meal.fast.before_sessions is not None)
        if needs_sessions and not schedule.sessions:
            place = (*here, "during") if meal.during else (*here, "fast", "before_sessions")
            raise Fault("the schedule has no sessions", expected="sessions beside it", at=place)
    for key, index, block in schedule.all_blocks():
        if block.start >= duration:
            problem = f"starts at {_when(block.start)}, after the end of the run"
            raise Fault(problem, expected=f"a time before {_when(duration)}", at=(*at, key, index, "start"))


# What may keep something from ever happening, what then is wrong, and what would let it.
_HINDRANCES = {
    "last_day": ("nothing has started by then", "a later time"),
    "days": ("no such day comes before the end of the run", "a day that does"),
    "first_day": ("nothing starts after that before the end of the run", "an earlier time"),
}


def _occurrences(entry: Repeating, duration: float, at: tuple[Key, ...]) -> list[float]:
    """When something happens within the run; Fault where that is never, at the key without which it would."""
    times = entry.occurrences(duration)
    if times:
        return times
    for key, (problem, expected) in _HINDRANCES.items():
        if getattr(entry, key) is not None and entry.model_copy(update={key: None}).occurrences(duration):
            raise Fault(problem, expected=expected, at=(*at[:-1], key))
    raise Fault("never happens before the end of the run", expected=f"a time before {_when(duration)}", at=at)


def check_chromatin(overrides: Mapping[str, str | float], species: str) -> None:
    """Fault where the fractions of nucleosomes, one of them overridden, leave no unmodified ones between them."""
    records = {name: parameter_records("epigenome", species)[name] for name in FRACTIONS}
    numbers = [record.read(overrides.get(f"epigenome.{name}", record.value)) for name, record in records.items()]
    changed = [name for name in FRACTIONS if f"epigenome.{name}" in overrides]
    if changed and not (min(numbers) > 0.0 and sum(numbers) < 1.0):
        expected = f"{' and '.join(FRACTIONS)} above 0 and less than 1 together"
        raise Fault("leaves no unmodified nucleosome", expected=expected, at=("overrides", "epigenome", changed[0]))


def check_cells(overrides: Mapping[str, str | float], species: str) -> None:
    """Fault where no region has cells of which the neurons could be some."""
    records = {name: parameter_records("network", species)[name] for name in CELLS}
    if not any(record.read(overrides.get(f"network.{name}", record.value)) for name, record in records.items()):
        at = ("overrides", "network", CELLS[0])
        raise Fault("no region has a cell", expected=f"{' or '.join(CELLS)} above 0", at=at)


def check_observations(experiment: Experiment) -> None:
    """Fault where a read-out cannot be taken, or not when it is asked for."""
    run = experiment.run
    for index, observation in enumerate(experiment.observe):
        at = ("observe", index)
        metric = observation.metric.partition(".")[0]
        if experiment.preparation != "in_vivo" and metric in OF_ANIMALS:
            lacks = "has no blood" if metric in BLOOD_METRIC_NAMES else "explores nothing"
            problem = f"a {experiment.preparation} {lacks}"
            raise Fault(problem, expected="a read-out of the tissue", at=(*at, "metric"))
        named = [(("at", place), time) for place, time in enumerate(observation.at or ())]
        for key, time in [*named, *([(("every",), observation.every)] if observation.every else [])]:
            if time > run.duration + _ROUNDING:
                expected = f"a time up to run.duration, {_when(run.duration)}"
                raise Fault(f"{_when(time)} is after the end of the run", expected=expected, at=(*at, *key))
            _check_steps(time, run.step, (*at, *key))
    for length in ("duration", "burn_in"):
        if not is_multiple(getattr(run, length), run.step):
            expected = f"a multiple of run.step, {_when(run.step)}"
            raise Fault("not a whole number of steps", expected=expected, at=("run", length))


def _check_steps(time: float, step: float, at: tuple[Key, ...]) -> None:
    if not is_multiple(time, step):
        expected = f"a multiple of run.step, {_when(step)}"
        raise Fault(f"{_when(time)} is not a whole number of steps", expected=expected, at=at)


def _when(hours: float) -> str:
    return quantity_text(hours, "h")


def _about(hours: float) -> str:
    """A length of time to two digits."""
    units = {"d": DAY, "h": 1.0, "min": 1 / 60, "s": 1 / 3600}
    unit, size = next(((unit, size) for unit, size in units.items() if hours >= 2 * size), ("s", units["s"]))
    return f"{float(f'{hours / size:.2g}'):g} {unit}"


def _clock(hours: float) -> str:
    return clock_text(hours % 24)
