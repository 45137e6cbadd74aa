"""Small laboratory for the tests of the body: protocols written out, samples read off the solution."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from abm.body import STATES, Trajectory, body_parameters, resting_state, solve_body
from abm.body.adaptation import work_done
from abm.body.fuels import FuelFluxes, fuel_fluxes
from abm.config import Subject
from abm.schedule import Block, Bout, Dose, Meal, Timeline, resting_timeline

MINUTE = 1.0 / 60.0
SAMPLING = MINUTE / 2
INDEX = {name: index for index, name in enumerate(STATES)}


def person(
    training: str = "untrained", condition: str = "healthy", species: str = "human", **overrides: str | float
) -> Subject:
    return Subject.model_validate(
        {"species": species, "training": training, "condition": condition, "overrides": overrides}
    )


@cache
def _rest(key: tuple[str, str, str]) -> NDArray[np.float64]:
    return resting_state(person(*key))


class Samples:
    """Blood samples of one experiment, every half minute from midnight of its first day."""

    def __init__(self, subject: Subject, trajectory: Trajectory, times: NDArray[np.float64]) -> None:
        self.subject, self.trajectory, self.times = subject, trajectory, times

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        return self.trajectory.at(self.times, INDEX[name])

    def at(self, name: str, time: float) -> float:
        return float(self.trajectory.at(np.array([self.times[round(time / SAMPLING)]]), INDEX[name])[0])

    def between(self, name: str, start: float, end: float) -> NDArray[np.float64]:
        return self[name][(self.times >= start - 1e-9) & (self.times <= end + 1e-9)]

    def peak(self, name: str, start: float = 0.0, end: float = 1e9) -> float:
        return float(self.between(name, start, end).max())

    def rise(self, name: str, start: float) -> float:
        """Highest value within two hours less that at `start`."""
        return self.peak(name, start, start + 2.0) - self.at(name, start)

    def time_of_peak(self, name: str, start: float = 0.0, end: float = 1e9) -> float:
        return float(start + SAMPLING * np.argmax(self.between(name, start, end)))

    def time_to_halve(self, name: str, start: float) -> float:
        """Time from the peak after `start` until half of it is left, h."""
        peak = round(self.time_of_peak(name, start) / SAMPLING)
        below = self[name][peak:] < self[name][peak] / 2
        return SAMPLING * float(np.argmax(below))

    def fluxes(self, time: float) -> FuelFluxes:
        """Fluxes of glucose, mmol/kg/h."""
        p = body_parameters(self.subject)
        state = {name: self.at(name, time) for name in STATES}
        work = work_done(p.maximal_uptake, state["oxygen_uptake"], state["fitness"])
        levels = (state[name] for name in ("gut_carbohydrate", "glycogen", "glucose", "insulin", "sympathetic"))
        return fuel_fluxes(p.fuels, *levels, work)

    def liver_output(self, time: float) -> float:
        """Hepatic glucose output, umol/kg/min."""
        flux = self.fluxes(time)
        return (flux.glycogenolysis + flux.gluconeogenesis) / 0.06


def experiment(
    subject: Subject,
    duration: float,
    bouts: Sequence[Bout] = (),
    fast_from: float = 1e9,
    fast_until: float = 1e9,
    meals: Sequence[Meal] = (),
    doses: Sequence[Dose] = (),
    blocks: Sequence[Block] = (),
) -> Samples:
    """Run a protocol from midnight of a resting day: the usual meals outside the fast, and `meals` besides."""
    usual = resting_timeline(subject, duration)
    eaten = [meal for meal in usual.meals if not fast_from <= meal.start < fast_until]
    timeline = Timeline(
        "experiment", duration, tuple(sorted(bouts)), tuple(sorted([*eaten, *meals])), tuple(doses), tuple(blocks)
    )
    times = np.round(np.arange(round(duration / SAMPLING) + 1) * SAMPLING, 9)
    start = (
        _rest((subject.training, subject.condition, subject.species))
        if not subject.overrides
        else resting_state(subject)
    )
    return Samples(subject, solve_body(body_parameters(subject), timeline, times, start), times)


def bout(start: float, minutes: float, intensity: float) -> Bout:
    return Bout(start, start + minutes * MINUTE, intensity, "cycling")


def intervals(start: float, repeats: int, work: tuple[float, float], rest: tuple[float, float]) -> list[Bout]:
    """Work and rest in turn, each (minutes, intensity), beginning with work; rest at 0 is passive."""
    found, time = [], start
    for _ in range(repeats):
        for minutes, intensity in (work, rest):
            if intensity > 0:
                found.append(bout(time, minutes, intensity))
            time += minutes * MINUTE
    return found


def ester(milligram: float, at: float) -> Dose:
    """Ketone ester by mouth, mg per kg."""
    return Dose("ketone_ester", "oral", milligram / 176.21, at, 0.0)
