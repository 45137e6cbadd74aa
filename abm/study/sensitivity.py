"""What a result depends on: screening of every parameter, then variance shares of those that matter, by evidence.

The outputs are the contrasts of an experiment: ln(schedule / reference) of mature BDNF and of synaptic strength at the
end of the run. Every parameter spans the range of its record. Morris' elementary effects screen all of them (Morris
1991); Sobol's indices (Saltelli's design) divide the variance among the strongest. Both come from SALib.
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
from abm.study.crew import Crew, crew_of
from abm.study.estimate import START, estimate
from abm.study.experiment import drive
from abm.study.grades import SensitivityRow, grade_rows
from abm.study.indices import (
    MOST_IMPORTANT,
    Morris,
    Sobol,
    can_share,
    morris_effects,
    morris_places,
    most_important,
    sobol_indices,
    sobol_places,
    variance_shares,
)
from abm.study.parameter_space import ParameterSpace, parameter_space
from abm.study.plan import plan_experiment
from abm.study.points import Point, SensitivityFolder, contrasts_of, outcomes, simulate_points
from abm.study.provenance import code_hash, config_hash, now, provenance
from abm.study.sensitivity_results import Contrast, Sensitivity, read_sensitivity, sensitivity_record, write_tables
from abm.study.store import remove
from abm.study.work import lost_if_not_written

Floats = NDArray[np.float64]

TRAJECTORIES, SAMPLES = 4, 64
NEURONS, SIDE = 200, 400.0  # um
STEP, BURN_IN = 0.5, 48.0  # h
LUCKS = 8  # seeds at the nominal parameters


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
    def screening_points(self) -> int:
        """Points of the screening."""
        return self.trajectories * (len(self.space.factors) + 1) + LUCKS

    @property
    def most_points(self) -> int:
        """Points of screening and indices together, if ten parameters matter."""
        return self.screening_points + self.samples * (min(MOST_IMPORTANT, len(self.space.factors)) + 2)

    def seconds(self, points: int, workers: int) -> float:
        """Estimated wall time of so many points, s."""
        point = estimate(plan_experiment(self.experiment), 1).core_time - START
        return START + points * point / max(workers, 1)


def design_sensitivity(
    experiment: Experiment, names: Sequence[str] = (), trajectories: int = TRAJECTORIES, samples: int = SAMPLES
) -> Design:
    """Lay out a sensitivity study; samples: a power of two. Raises ConfigError where it cannot be done."""
    if len(experiment.schedules) < 2:
        raise ConfigError("there is only the reference schedule", key="schedules", expected="a schedule to compare")
    plan_experiment(experiment)
    morris_places(2, 1, 0)  # tells now, not later, whether SALib is missing
    space = parameter_space(experiment, names)
    if not space.factors:
        raise ConfigError("there is no parameter left to vary", key="subject.overrides")
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
    """Screen, choose, divide the variance, cross it with the grades; results in `out`.

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
        lucks = [Point((), self.seed + extra) for extra in range(LUCKS)]
        luck = self._simulate(lucks)
        if np.isnan(luck[0]).any():
            problem = next(iter(self.problems), "no outcome")
            raise ConfigError(f"the experiment cannot be run at its own parameters: {problem}")
        places = morris_places(len(self.space.factors), self.design.trajectories, self.seed)
        screened = self._simulate([self._point(place) for place in places])
        morris = [morris_effects(places, values) for values in screened.T]
        chosen, covered = most_important([own.mu_star for own in morris])
        rows = self._rows(morris, chosen, self._sobol(chosen))
        name = self.experiment.reference
        about = [
            Contrast(
                f"{schedule} / {name}", metric, float(luck[0, i]), over_ranges(screened[:, i]), _spread(luck[:, i])
            )
            for i, (schedule, metric) in enumerate(self.outputs)
        ]
        strongest = [self.space.factors[i].name for i in chosen]
        return Sensitivity(
            self.folder.path, tissue_text(self.experiment), rows, grade_rows(rows), about, strongest, covered,
            self.points, dict(self.problems.most_common()),
        )  # fmt: skip

    def _sobol(self, chosen: Sequence[int]) -> list[Sobol | None]:
        """Sobol's indices of the chosen factors, the others at their nominal values, per output."""
        if not chosen:
            return [None] * len(self.outputs)
        inner = ParameterSpace(tuple(self.space.factors[i] for i in chosen), self.space.records, self.space.held)
        places = sobol_places(len(chosen), self.design.samples, self.seed)
        values = self._simulate([self._point(place, inner) for place in places])
        return [sobol_indices(len(chosen), own, self.seed) for own in values.T]

    def _point(self, place: Floats, space: ParameterSpace | None = None) -> Point | None:
        """The point at a place; None, and counted, where the parameters contradict each other."""
        try:
            overrides = (space or self.space).overrides(place.tolist())
        except ArithmeticError as error:
            self.problems[str(error)] += 1
            return None
        return Point(tuple(sorted(overrides.items())), self.seed)

    def _simulate(self, points: Sequence[Point | None]) -> Floats:
        own = [point for point in points if point is not None]
        simulate_points(self.folder, self.experiment, own, self.crew, progress=self.progress)
        values, problems = outcomes(self.folder, points, len(self.outputs))
        self.problems += problems
        self.points += len(points)
        return values

    def _rows(
        self, morris: Sequence[Morris], chosen: Sequence[int], sobol: Sequence[Sobol | None]
    ) -> list[SensitivityRow]:
        rows, tissue, place = [], tissue_text(self.experiment), {factor: k for k, factor in enumerate(chosen)}
        for i, (schedule, metric) in enumerate(self.outputs):
            shares, usable = variance_shares(morris[i], chosen, sobol[i]), can_share(sobol[i])
            for j, factor in enumerate(self.space.factors):
                record, indices = factor.record, _indices(sobol[i], place.get(j))
                effects = (float(morris[i].mu[j]), float(morris[i].mu_star[j]), float(morris[i].sigma[j]))
                basis = "sobol" if usable and j in place else "morris"
                rows.append(SensitivityRow(
                    f"{schedule} / {self.experiment.reference}", metric, factor.name, factor.part, record.grade,
                    " ".join(record.source), *effects, *indices,
                    float(shares[j]), basis, tissue,
                ))  # fmt: skip
        return rows


def _indices(sobol: Sobol | None, place: int | None) -> tuple[float, float, float, float]:
    if sobol is None or place is None:
        return (float("nan"),) * 4
    first, first_confidence, total, total_confidence = (float(values[place]) for values in sobol[:4])
    return first, first_confidence, total, total_confidence


def over_ranges(screened: Floats) -> float:
    """Standard deviation that parameters spread evenly over their ranges would bring about, from a screening.

    The four levels of Morris' grid, 0, 1/3, 2/3 and 1 of a range, vary by 5/36, an even spread by 1/12.
    """
    return math.sqrt(3.0 / 5.0) * _spread(screened)


def _spread(values: Floats) -> float:
    """Standard deviation of the finite values; NaN of fewer than two."""
    finite = values[np.isfinite(values)]
    return float(finite.std(ddof=1)) if len(finite) > 1 else float("nan")
