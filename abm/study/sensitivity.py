"""What a result depends on: the share of every parameter, and of every grade of evidence, in the variance of a result.

The outputs are the contrasts of an experiment: ln(schedule / reference) of mature BDNF and of synaptic strength at the
end of the run. Every parameter spans the range of its record. All are varied at once, over a Latin hypercube, and the
rank of each output is regressed on them (`abm.study.indices`). Each place has a seed of its own, so that luck is noise
of known size and no effect is that on one tissue alone. Elementary effects (Morris 1991) can be had besides.
"""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from abm.config import Experiment, load_experiment
from abm.config.checks import is_multiple, treatment_times
from abm.errors import ConfigError
from abm.parameters import GRADES
from abm.study.crew import Crew, crew_of
from abm.study.estimate import START, estimate
from abm.study.experiment import drive
from abm.study.grades import LUCK, SensitivityRow, grade_rows
from abm.study.indices import (
    FirstOrder,
    Morris,
    first_order,
    latin_places,
    morris_effects,
    morris_places,
    total_order,
)
from abm.study.parameter_space import ParameterSpace, parameter_space
from abm.study.plan import plan_experiment
from abm.study.points import Point, SensitivityFolder, contrasts_of, outcomes, simulate_points
from abm.study.provenance import code_hash, config_hash, now, provenance
from abm.study.sensitivity_results import Contrast, Sensitivity, read_sensitivity, sensitivity_record, write_tables
from abm.study.store import remove
from abm.study.work import lost_if_not_written

Floats = NDArray[np.float64]

TRAJECTORIES, SAMPLES = 0, 900
NEURONS, SIDE = 200, 400.0  # um
STEP, BURN_IN = 0.5, 48.0  # h
PLACES_PER_FACTOR = 2  # at the least
PAIRS = 48  # places that are simulated again with the numbers of one grade drawn anew
SEEDS = 192  # places that are simulated again with another seed, whose differences are the most skewed


def small_experiment(path: str | Path, overrides: Sequence[str] = (), replicates: int | None = None) -> Experiment:
    """An experiment on a tissue small enough to be run a thousand times.

    At most 200 neurons on 0.4 mm x 0.4 mm, steps of 30 min at least, 2 d of burn-in at most, one replicate, read at its
    end; whatever `overrides` set stays as they set it. Raises ConfigError as for the experiment itself.
    """
    given = [text for text in overrides if not text.startswith("observe")]
    fixed = [*([f"run.replicates={replicates}"] if replicates else []), "observe=[]"]
    whole = load_experiment(path, [*given, *fixed])
    tissue, run = whole.tissue, whole.run
    chosen = ["run.replicates=1"]
    if tissue.neurons > NEURONS:
        chosen.append(f"tissue.neurons={NEURONS}")
    if any(side > SIDE for side in tissue.size) and (SIDE / tissue.voxel) % 1.0 == 0.0:
        sides = ", ".join(f"{min(side, SIDE):g} um" for side in tissue.size)
        chosen.append(f"tissue.size=[{sides}]")
    times = (run.duration, min(run.burn_in, BURN_IN), *treatment_times(whole))
    if run.step < STEP and all(is_multiple(time, STEP) for time in times):
        chosen.append(f"run.step={STEP} h")
    if run.burn_in > BURN_IN:
        chosen.append(f"run.burn_in={BURN_IN} h")
    return load_experiment(path, [*_but(chosen, given), *given, *fixed])


def _but(chosen: Sequence[str], given: Sequence[str]) -> list[str]:
    """What is chosen and not given otherwise."""
    taken = {text.partition("=")[0].strip() for text in given}
    return [text for text in chosen if text.partition("=")[0] not in taken]


def tissue_text(experiment: Experiment) -> str:
    """What is simulated at each point, in words."""
    tissue, run = experiment.tissue, experiment.run
    sides = " x ".join(f"{side / 1000:g}" for side in tissue.size)
    replicates = "1 replicate" if run.replicates == 1 else f"{run.replicates} replicates"
    return (
        f"{tissue.neurons} neurons on {sides} mm, {run.duration / 24:g} d in steps of {60 * run.step:g} min after "
        f"{run.burn_in / 24:g} d of rest, {replicates}"
    )


@dataclass(frozen=True)
class Design:
    """What a sensitivity study will do: the space, and how densely it is looked at."""

    experiment: Experiment
    space: ParameterSpace
    trajectories: int
    samples: int

    @property
    def pairs(self) -> int:
        """Places that are simulated again with one grade drawn anew."""
        return min(PAIRS, self.samples // 2)

    @property
    def seeds(self) -> int:
        """Places that are simulated again with another seed."""
        return min(SEEDS, self.samples // 2)

    @property
    def grades(self) -> list[str]:
        """Of each factor."""
        return [factor.record.grade for factor in self.space.factors]

    @property
    def points(self) -> int:
        """Points in all, that at the nominal parameters among them."""
        again = self.seeds + self.pairs * len(set(self.grades))
        return 1 + self.samples + again + self.trajectories * (len(self.space.factors) + 1)

    def seconds(self, workers: int) -> float:
        """Estimated wall time, s."""
        point = estimate(plan_experiment(self.experiment), 1).core_time - START
        return START + self.points * point / max(workers, 1)


def design_sensitivity(
    experiment: Experiment, names: Sequence[str] = (), trajectories: int = TRAJECTORIES, samples: int = SAMPLES
) -> Design:
    """Lay out a sensitivity study. Raises ConfigError where it cannot be done, as with too few samples for a regression
    on all parameters.
    """
    if len(experiment.schedules) < 2:
        raise ConfigError("there is only the reference schedule", key="schedules", expected="a schedule to compare")
    plan_experiment(experiment)
    latin_places(2, 1, 0)  # tells now, not later, whether SALib is missing
    space = parameter_space(experiment, names)
    if not space.factors:
        raise ConfigError("there is no parameter left to vary", key="subject.overrides")
    least = PLACES_PER_FACTOR * (len(space.factors) + 1)
    if samples < least:
        problem = f"too few for a regression on {len(space.factors)} parameters"
        raise ConfigError(problem, key="--samples", value=str(samples), expected=f"{least} or more")
    return Design(experiment, space, trajectories, samples)


def analyse_sensitivity(
    design: Design,
    out: str | os.PathLike[str] | None = None,
    *,
    workers: int | None = None,
    executor: Executor | None = None,
    resume: bool = False,
    overwrite: bool = False,
    progress: bool = False,
    announce: Callable[[int], None] | None = None,
) -> Sensitivity:
    """Simulate all points, divide the variance among parameters, cross it with the grades; results in `out`.

    out: default results/NAME_sensitivity; the results folder of the experiment will do as well. The other options and
    what is raised: as in `abm.study.attribute.attribute`. ConfigError where the nominal parameters already fail.
    """
    folder = SensitivityFolder(Path(out if out is not None else f"results/{design.experiment.name}_sensitivity"))
    settings = {
        "config_hash": ("configuration", config_hash(design.experiment)),
        "code_hash": ("program", code_hash()),
        "design": ("design", _design_text(design)),
    }
    folder.check_against(settings, resume=resume, overwrite=overwrite)
    if resume and folder.is_complete():
        return read_sensitivity(folder.path)
    for fault in drive(plan_experiment(design.experiment)).faults.values():
        raise ConfigError(f"the experiment cannot be run at its own parameters: {fault.error}")
    width = workers or os.cpu_count() or 1
    if announce:
        announce(width)
    with crew_of(executor, width) as crew:
        folder.open(overwrite=overwrite)
        with lost_if_not_written(folder):
            return _Study(design, folder, crew, progress).carry_out()


def _design_text(design: Design) -> str:
    names = " ".join(factor.name for factor in design.space.factors)
    return f"{design.trajectories} trajectories, {design.samples} samples of {names}"


class _Study:
    """A sensitivity study under way."""

    def __init__(self, design: Design, folder: SensitivityFolder, crew: Crew, progress: bool) -> None:
        self.design, self.folder, self.crew, self.progress = design, folder, crew, progress
        self.experiment, self.space = design.experiment, design.space
        self.seed = design.experiment.run.seed
        self.outputs = contrasts_of(design.experiment)
        self.problems = Counter[str]()
        self.points = 0

    def carry_out(self) -> Sensitivity:
        """Do all of it."""
        record = provenance(self.experiment) | {
            "study": "sensitivity", "design": _design_text(self.design), "tissue": tissue_text(self.experiment)
        }  # fmt: skip
        self.folder.write_manifest(record | {"status": "running"})
        ending: dict[str, object] = {"status": "interrupted"}
        try:
            found = self._find()
            write_tables(found)
            ending = {"status": "complete", **sensitivity_record(found)}
        finally:
            self.folder.write_manifest(record | ending | {"finished": now()})
        remove(self.folder.runs)
        return found

    def _find(self) -> Sensitivity:
        nominal = self._simulate([Point((), self.seed)])
        if np.isnan(nominal).any():
            problem = next(iter(self.problems), "no outcome")
            raise ConfigError(f"the experiment cannot be run at its own parameters: {problem}")
        factors, samples, seeds = len(self.space.factors), self.design.samples, self.design.seeds
        places = latin_places(factors, samples, self.seed)
        steps = morris_places(factors, self.design.trajectories, self.seed)
        mixed = self._mixed(places)
        values = self._simulate([
            *(self._point(place, self.seed + k) for k, place in enumerate(places)),
            *(self._point(place, self.seed + samples + k) for k, place in enumerate(places[:seeds])),
            *(self._point(place, self.seed + k) for own in mixed.values() for k, place in enumerate(own)),
            *(self._point(place, self.seed) for place in steps),
        ])  # fmt: skip
        ends = [samples, *(samples + seeds + k * self.design.pairs for k in range(1 + len(mixed)))]
        drawn, *again, walked = np.split(values, ends)
        rows, grades, about, tissue = [], [], [], tissue_text(self.experiment)
        for i, (schedule, metric) in enumerate(self.outputs):
            contrast, output = f"{schedule} / {self.experiment.reference}", drawn[:, i]
            found = first_order(places, output, self.seed)
            totals = {
                name: total_order(output, own[:, i], self.seed)
                for name, own in zip((LUCK, *mixed), again, strict=True)
            }
            rows += self._rows(contrast, metric, found, morris_effects(steps, walked[:, i]))
            grades += grade_rows(contrast, metric, tissue, self.design.grades, found, totals)
            luck = _spread((output[:seeds] - again[0][:, i]) / math.sqrt(2.0), about=0.0)
            about.append(Contrast(contrast, metric, float(nominal[0, i]), _spread(output), luck))
        problems = dict(self.problems.most_common())
        return Sensitivity(self.folder.path, tissue, rows, grades, about, self.points, problems)

    def _mixed(self, places: Floats) -> dict[str, Floats]:
        """The first places with the numbers of each grade as they are at others."""
        pairs, grades = self.design.pairs, np.array(self.design.grades)
        first, other = places[:pairs], places[pairs : 2 * pairs]
        return {grade: np.where(grades == grade, other, first) for grade in GRADES if grade in grades}

    def _point(self, place: Floats, seed: int) -> Point | None:
        """The point at a place; None, and counted, where the parameters contradict each other."""
        try:
            overrides = self.space.overrides(place.tolist())
        except ArithmeticError as error:
            self.problems[str(error)] += 1
            return None
        return Point(tuple(sorted(overrides.items())), seed)

    def _simulate(self, points: Sequence[Point | None]) -> Floats:
        own = [point for point in points if point is not None]
        simulate_points(self.folder, self.experiment, own, self.crew, progress=self.progress)
        values, problems = outcomes(self.folder, points, len(self.outputs))
        self.problems += problems
        self.points += len(points)
        return values

    def _rows(self, contrast: str, metric: str, found: FirstOrder, morris: Morris) -> list[SensitivityRow]:
        rows, tissue = [], tissue_text(self.experiment)
        measures = (found.share, found.half_width, found.coefficient, found.among_largest)
        shares, halves, coefficients, among = (values.tolist() for values in measures)
        for j, factor in enumerate(self.space.factors):
            record = factor.record
            effects = (float(morris.mu[j]), float(morris.mu_star[j]), float(morris.sigma[j]))
            rows.append(SensitivityRow(
                contrast, metric, factor.name, factor.part, record.grade, " ".join(record.source), *effects,
                coefficients[j], shares[j], halves[j], among[j], tissue,
            ))  # fmt: skip
        return rows


def _spread(values: Floats, about: float | None = None) -> float:
    """Standard deviation of the finite values, about their mean or a given one; NaN of fewer than two."""
    finite = values[np.isfinite(values)]
    if len(finite) < 2:
        return float("nan")
    return float(finite.std(ddof=1)) if about is None else float(np.sqrt(np.square(finite - about).mean()))
