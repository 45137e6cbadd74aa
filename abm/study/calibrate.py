"""Fits parameters to published experiments, by the rows kept for calibration and nothing else.

Least squares with priors (`least_squares`) find the most probable parameters: of body and barrier by their own solution
and of the stochastic neurons by a surrogate, the expected neuron (`surrogate`). A likelihood-free method
(`likelihood_free`) does for neurons without the residuals' being normal. Either gives a posterior, not only a point:
posterior.csv holds 500 draws, fit.json what was used and found; what is written into the parameter files has 200 draws
beside it (`posterior`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from abm.config import Evidence, EvidenceObservation
from abm.config.calibration import Calibration, FitSettings, load_calibration
from abm.errors import ConfigError
from abm.metric_names import split_metric
from abm.metrics import METRICS
from abm.study.body_rows import BodyRows, is_predicted
from abm.study.fit import Fit, FitFolder, FittedParameter, FittedRow, write_fit
from abm.study.fitted_records import write_fitted
from abm.study.least_squares import Mapped, fit_least_squares
from abm.study.likelihood_free import Population, fit_likelihood_free
from abm.study.posterior import check_alone, posterior_of, write_posterior
from abm.study.priors import NEURAL_PARTS, Prior, priors_of
from abm.study.residuals import distance, residual
from abm.study.score import published_of
from abm.study.surrogate import Surrogate
from abm.study.trajectories import observation_text
from abm.study.work import prepare_worker

Floats = NDArray[np.float64]
Row = tuple[Evidence, EvidenceObservation]

UNIDENTIFIED = 0.9  # posterior over prior standard deviation from which the rows are said to say nothing


class _Found(NamedTuple):
    """What a method found: values with intervals, whether each was identified, draws and its own remarks."""

    point: Floats
    low: Floats
    high: Floats
    identified: list[bool]
    draws: Floats
    notes: dict[str, Any]


def calibrate(
    path: str | Path,
    out: str | Path,
    *,
    seed: int = 1,
    workers: int = 1,
    write: bool = False,
    overwrite: bool = False,
    command: str = "",
    progress: bool = False,
) -> Fit:
    """Carry out the calibration in a file, leave posterior.csv and fit.json in the folder `out`, and return the fit.

    write: also put value, interval, grade and `command` into the parameter files, and draws into their folder
    `posterior`. overwrite: replace an earlier fit in `out`. Raises ConfigError where the file breaks the rules, names
    evidence that is kept for validation or, with `write`, a parameter that another posterior holds, and ResultsError
    where `out` cannot be used, before anything is fitted.
    """
    calibration, evidence = load_calibration(path)
    folder = FitFolder(out)
    folder.check_against({}, resume=False, overwrite=overwrite)
    if write:
        check_alone(calibration.name, calibration.records)
    folder.open(overwrite=False)
    try:
        fit = fit_calibration(calibration, evidence, seed=seed, workers=workers, progress=progress)
        write_fit(fit, folder.path)
    finally:
        folder.clear_up()
    if write:
        write_fitted(fit.numbers(), command)
        write_posterior(posterior_of(fit, command))
    return fit


def fit_calibration(
    calibration: Calibration, evidence: Sequence[Evidence], *, seed: int, workers: int = 1, progress: bool = False
) -> Fit:
    """The fit of a calibration to evidence.

    Raises ConfigError for evidence of another role than calibration, and for parameters that the method cannot fit.
    """
    rows = _rows(calibration, evidence)
    priors = [prior._replace(centre=calibration.centre(prior.key)) for prior in priors_of(calibration.records)]
    if calibration.method == "likelihood_free":
        return _fit_likelihood_free(calibration, rows, priors, seed, workers, progress)
    return _fit_least_squares(calibration, rows, priors, seed, workers)


def _rows(calibration: Calibration, evidence: Sequence[Evidence]) -> list[Row]:
    """The rows to be fitted. What is kept for validation does not pass, whoever asks."""
    for item in evidence:
        if item.role != "calibration":
            raise ConfigError("is kept for validation and may not be fitted", key="evidence", value=item.id)
    metrics, parts = calibration.metrics, calibration.parts
    return [
        (item, seen)
        for item in evidence
        for seen in item.observations
        for metric in [METRICS[split_metric(seen.metric)[0]]]
        if (not metrics or metric.name in metrics) and (not parts or metric.part in parts)
    ]


@dataclass(frozen=True)
class _BodyResiduals:
    """Residuals of blood and barrier rows as a function of the parameters."""

    rows: BodyRows
    priors: tuple[Prior, ...]

    def predict(self, numbers: Floats) -> Floats:
        return self.rows.predict(self.priors, numbers)

    def __call__(self, numbers: Floats) -> Floats:
        predicted = self.predict(numbers)
        seen = [published_of(observation) for _, observation in self.rows.rows]
        return np.array([residual(row, float(value)) for row, value in zip(seen, predicted, strict=True)])


@dataclass(frozen=True)
class _NeuronResiduals:
    """Residuals of the rows that the expected neuron predicts, as a function of the parameters."""

    surrogate: Surrogate
    places: tuple[int, ...]
    priors: tuple[Prior, ...]

    def predict(self, numbers: Floats) -> Floats:
        overrides = {prior.key: float(value) for prior, value in zip(self.priors, numbers, strict=True)}
        return self.surrogate.predict(overrides)[list(self.places)]

    def __call__(self, numbers: Floats) -> Floats:
        seen = [published_of(self.surrogate.observations[place][1]) for place in self.places]
        return np.array([residual(row, float(value)) for row, value in zip(seen, self.predict(numbers), strict=True)])


def _fit_least_squares(calibration: Calibration, rows: list[Row], priors: list[Prior], seed: int, workers: int) -> Fit:
    """Most probable parameters; of the body by its own solution, of neurons by the expected neuron as surrogate."""
    start = np.array([prior.value for prior in priors])
    residuals: _BodyResiduals | _NeuronResiduals
    if _are_neural(priors):
        surrogate = Surrogate(list({item.id: item for item, _ in rows}.values()))
        places = _places(surrogate, rows, surrogate.predict({}))
        used = [surrogate.observations[place] for place in places]
        residuals = _NeuronResiduals(surrogate, places, tuple(priors))
    else:
        used = [row for row in rows if is_predicted(row[1])]
        residuals = _BodyResiduals(BodyRows(used), tuple(priors))
    _check_some(priors, used)
    with _mapped(workers) as mapped:
        laplace = fit_least_squares(residuals, priors, seed=seed, mapped=mapped)
    identified = [bool(value < UNIDENTIFIED) for value in laplace.shrinkage]
    notes = {
        "cost_most_probable": laplace.cost_after,
        "parameters_determined": laplace.determined,
        "errors_widened_by": laplace.widened,
        "posterior_over_prior_deviation": _by_key(priors, laplace.shrinkage),
    }
    found = _Found(laplace.point, laplace.low, laplace.high, identified, laplace.draws, notes)
    parameters = _parameters(priors, found, keep={prior.key for prior in priors} - calibration.centres.keys())
    end = np.array([item.value for item in parameters])
    found_rows = _fitted_rows(used, residuals.predict(start), residuals.predict(end))
    before, after = sum(row.residual_before**2 for row in found_rows), sum(row.residual_after**2 for row in found_rows)
    left = _left_out(rows, used)
    return Fit(calibration, seed, found_rows, left, parameters, found.draws, before, after, notes)


def _are_neural(priors: Sequence[Prior]) -> bool:
    """Whether the parameters are those of neurons. Raises ConfigError where some are and some are not."""
    parts = {prior.key.partition(".")[0] for prior in priors}
    if parts & NEURAL_PARTS and parts - NEURAL_PARTS:
        raise ConfigError(
            "parameters of neurons and of the body in one fit", key="parameters", expected="a fit for each of them"
        )
    if parts & NEURAL_PARTS:
        _check_species(priors)
    return bool(parts & NEURAL_PARTS)


def _check_species(priors: Sequence[Prior]) -> None:
    for prior in priors:
        if prior.key.count(".") > 1:
            raise ConfigError("differs between species", key=prior.key, expected="a parameter of all neurons")


@dataclass(frozen=True)
class _NeuronDistance:
    """Root mean square residual of the rows that the expected neuron predicts."""

    surrogate: Surrogate
    places: tuple[int, ...]

    def __call__(self, numbers: dict[str, float]) -> float:
        predicted = self.surrogate.predict(numbers)[list(self.places)]
        return distance([published_of(self.surrogate.observations[place][1]) for place in self.places], predicted)


def _fit_likelihood_free(
    calibration: Calibration, rows: list[Row], priors: list[Prior], seed: int, workers: int, progress: bool
) -> Fit:
    if not _are_neural(priors):
        raise ConfigError(
            "a likelihood-free fit is of neurons only", key="parameters", expected="method: least_squares for the body"
        )
    surrogate = Surrogate(list({item.id: item for item, _ in rows}.values()))
    before = surrogate.predict({})
    places = _places(surrogate, rows, before)
    used = [surrogate.observations[place] for place in places]
    _check_some(priors, used)
    settings = calibration.settings or FitSettings()
    population = fit_likelihood_free(
        _NeuronDistance(surrogate, places),
        priors,
        rows=len(used),
        population=settings.population,
        generations=settings.generations,
        seed=seed,
        workers=workers,
        progress=progress,
    )
    found, point = _summed_up(population, priors), population.point
    after = surrogate.predict({prior.key: float(value) for prior, value in zip(priors, point, strict=True)})
    found_rows = _fitted_rows(used, before[list(places)], after[list(places)])
    seen = [published_of(observation) for _, observation in used]
    first, last = distance(seen, before[list(places)]), distance(seen, after[list(places)])
    parameters, left = _parameters(priors, found, keep=set()), _left_out(rows, used)
    return Fit(calibration, seed, found_rows, left, parameters, found.draws, first, last, found.notes)


def _places(surrogate: Surrogate, rows: Sequence[Row], predicted: Floats) -> tuple[int, ...]:
    """Where, among the observations of the surrogate, the rows stand that it can predict."""
    wanted = {(item.id, seen) for item, seen in rows}
    return tuple(
        place
        for place, (item, seen) in enumerate(surrogate.observations)
        if (item.id, seen) in wanted and np.isfinite(predicted[place])
    )


def _summed_up(population: Population, priors: Sequence[Prior]) -> _Found:
    """The best set with the 95 % intervals of the draws, widened where they leave it out: it is not their middle."""
    point = population.point
    low, high = np.quantile(population.draws, [0.025, 0.975], axis=0)
    low, high = np.minimum(low, point), np.maximum(high, point)
    shares = [prior.share(float(a), float(b)) for prior, a, b in zip(priors, low, high, strict=True)]
    identified = [share < UNIDENTIFIED * 0.95 for share in shares]
    notes = {"temperatures": population.temperatures, "evaluations": population.evaluations}
    return _Found(point, low, high, identified, population.draws, notes)


def _parameters(priors: Sequence[Prior], found: _Found, *, keep: Set[str]) -> list[FittedParameter]:
    """keep: keys whose value stays where it lies in the interval: without a centre of its own the prior lies about the
    value, which was set by hand with others that rest on it. All else becomes most probable.
    """
    parameters = []
    for index, prior in enumerate(priors):
        low, high = float(found.low[index]), float(found.high[index])
        kept = prior.key in keep and low <= prior.value <= high
        most_probable = float(found.point[index])
        value = prior.value if kept else most_probable
        parameters.append(FittedParameter(prior, value, low, high, found.identified[index], kept, most_probable))
    return parameters


def _fitted_rows(rows: Sequence[Row], before: Floats, after: Floats) -> list[FittedRow]:
    found = []
    for (item, observation), first, last in zip(rows, before, after, strict=True):
        seen = published_of(observation)
        values = float(first), float(last)
        residuals = (residual(seen, value) for value in values)
        found.append(FittedRow(item.id, observation_text(observation), *values, *residuals))
    return found


def _left_out(rows: Sequence[Row], used: Sequence[Row]) -> list[str]:
    taken = {(item.id, seen) for item, seen in used}
    return [f"{item.id}: {observation_text(seen)}" for item, seen in rows if (item.id, seen) not in taken]


def _check_some(priors: Sequence[Prior], used: Sequence[Row]) -> None:
    if not used:
        blood = "read-outs of blood and liver, vo2max, tissue_bhb or tissue_lactate"
        expected = "read-outs of neurons" if _are_neural(priors) else blood
        raise ConfigError("none of the rows can be predicted", key="evidence", expected=expected)


@contextmanager
def _mapped(workers: int) -> Iterator[Mapped]:
    if workers == 1:
        yield map
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), prepare_worker) as pool:
        yield pool.map


def _by_key(priors: Sequence[Prior], values: Floats) -> dict[str, float]:
    return {prior.key: _rounded(float(value)) for prior, value in zip(priors, values, strict=True)}


def _rounded(value: float) -> float:
    return float(f"{value:.4g}")
