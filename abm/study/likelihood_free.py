"""Fit by simulation: parameter sets drawn in generations and accepted by chance, by pyABC's ABC-SMC.

A first generation of parameter sets is drawn from the priors, each later one around the sets kept before. A set is kept
with a probability that follows the likelihood of what was published, ln L = -(sum of squared residuals) / 2, to the
power 1/T; the temperature T falls to 1 in the last generation, so that its sets are draws of the posterior (Schälte and
Hasenauer 2020). A distance that only has to be small would narrow with every generation instead. Every task, which
draws until one set is accepted, has its own random stream, so that the result does not depend on the number of workers.
"""

from __future__ import annotations

import importlib.util
import logging
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from abm.errors import ConfigError
from abm.streams import generator, global_stream
from abm.study.priors import Prior, from_scale, to_scale
from abm.study.work import prepare_worker

Distance = Callable[[dict[str, float]], float]
DRAWS = 500  # equally weighted draws from the posterior
_PLACE = "p{}"  # pyABC's name of a parameter; ours hold points

_distance: Distance | None = None


class Population(NamedTuple):
    """The posterior of a likelihood-free fit.

    draws: (500, parameters), equally weighted, in the units of the priors. point: (parameters,), the accepted set with
    the smallest distance, one that was simulated, so that its numbers belong together. distance: of the point.
    temperatures: of the generations. evaluations: how many sets were tried.
    """

    draws: NDArray[np.float64]
    point: NDArray[np.float64]
    distance: float
    temperatures: list[float]
    evaluations: int


def fit_likelihood_free(
    distance: Distance,
    priors: Sequence[Prior],
    *,
    rows: int,
    population: int,
    generations: int,
    seed: int,
    workers: int = 1,
    progress: bool = False,
) -> Population:
    """Posterior of the parameters given a distance between prediction and what was published.

    distance: root mean square residual of the prediction for {key: number}, in standard errors, over so many rows; must
    be picklable where workers > 1. The prior is uniform over each range, on the logarithmic scale for wide ranges above
    zero. Raises ConfigError where pyABC is not installed.
    """
    if importlib.util.find_spec("pyabc") is None:
        raise ConfigError("a likelihood-free fit needs pyABC", expected='it installed: pip install -e ".[fit]"')
    with tempfile.TemporaryDirectory() as folder, _tasks(distance, workers) as tasks:
        total = population * (generations + 1)
        bar = tqdm(total=total, desc="sets of parameters", mininterval=1.0, disable=not progress)
        with global_stream("likelihood free", seed), _quiet(), bar:
            history, evaluations = _run(Path(folder), priors, rows, population, generations, seed, tasks, bar)
        return _summed_up(history, priors, rows, seed, evaluations)


def _run(
    folder: Path, priors: Sequence[Prior], rows: int, population: int, generations: int, seed: int, tasks: Any, bar: Any
) -> tuple[Any, int]:
    import pyabc
    from pyabc.distance import SCALE_LOG, FunctionKernel

    drawn = {}
    for index, prior in enumerate(priors):
        low, high = (to_scale(end, prior.is_magnitude) for end in (prior.low, prior.high))
        drawn[_PLACE.format(index)] = pyabc.RV("uniform", low, high - low)
    sampler = _sampler(tasks, seed, bar)
    likelihood = FunctionKernel(partial(_log_likelihood, rows), ret_scale=SCALE_LOG, pdf_max=0.0)
    inference = pyabc.ABCSMC(
        partial(_simulate, tuple(priors)), pyabc.Distribution(drawn), likelihood, population,
        eps=pyabc.Temperature(), acceptor=pyabc.StochasticAcceptor(), sampler=sampler,
    )  # fmt: skip
    inference.new(f"sqlite:///{folder / 'fit.db'}", {"distance": 0.0})
    history = inference.run(max_nr_populations=generations)
    return history, sampler.evaluations


def _simulate(priors: Sequence[Prior], parameters: Any) -> dict[str, float]:
    """What pyABC takes for a model: the distance itself stands for the data."""
    assert _distance is not None
    return {"distance": float(_distance(_numbers(priors, parameters)))}


def _log_likelihood(rows: int, x: dict[str, float], **_: Any) -> float:
    return -0.5 * rows * x["distance"] ** 2  # pyABC calls what was simulated x


def _numbers(priors: Sequence[Prior], parameters: Any) -> dict[str, float]:
    return {
        prior.key: from_scale(float(parameters[_PLACE.format(index)]), prior.is_magnitude)
        for index, prior in enumerate(priors)
    }


def _sampler(tasks: Any, seed: int, bar: Any) -> Any:
    """A pyABC sampler whose tasks have streams of their own; pyABC's parallel ones are seeded from the system."""
    from pyabc.sampler import Sampler

    class OwnStreams(Sampler):  # type: ignore[misc]
        rounds = evaluations = 0

        def sample_until_n_accepted(self, n: int, simulate_one: Any, t: int, **_: Any) -> Any:
            self.rounds += 1
            task = partial(_until_accepted, simulate_one, self.sample_factory, seed, self.rounds)
            sample, self.nr_evaluations_ = self._create_empty_sample(), 0
            for part, evaluations in tasks(task, range(n)):
                sample += part
                self.nr_evaluations_ += evaluations
                bar.update(1)
            self.evaluations += self.nr_evaluations_
            return sample

    return OwnStreams()


def _until_accepted(simulate_one: Any, sample_factory: Any, seed: int, round_: int, task: int) -> tuple[Any, int]:
    """One accepted parameter set and how many were tried for it."""
    sample, evaluations = sample_factory(), 0
    with global_stream("likelihood free", seed, round_, task):
        while True:
            particle = simulate_one()
            evaluations += 1
            sample.append(particle)
            if particle.accepted:
                return sample, evaluations


@contextmanager
def _tasks(distance: Distance, workers: int) -> Iterator[Any]:
    """A `map`, in this process or over worker processes, each of which is given the distance once."""
    if workers == 1:
        _prepare(distance)
        try:
            yield map
        finally:
            _prepare(None)
        return
    with ProcessPoolExecutor(workers, get_context("spawn"), _prepare_worker, (distance,)) as pool:
        yield pool.map


def _prepare(distance: Distance | None) -> None:
    global _distance
    _distance = distance


def _prepare_worker(distance: Distance) -> None:
    prepare_worker()
    _prepare(distance)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep pyABC's own messages from the terminal."""
    import pyabc  # noqa: F401  (sets the levels of its logs)

    logs = [logging.getLogger(name) for name in ("ABC", "ABC.History")]
    before = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.WARNING)
    try:
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _summed_up(history: Any, priors: Sequence[Prior], rows: int, seed: int, evaluations: int) -> Population:
    particles = history.get_population().particles
    sets = np.array([list(_numbers(priors, particle.parameter).values()) for particle in particles])
    weights = np.array([particle.weight for particle in particles])
    distances = np.sqrt([-2.0 * particle.distance / rows for particle in particles])  # of ln L
    # In an order that does not depend on that in which the database returns them.
    order = np.lexsort([*sets.T[::-1], distances])
    sets, weights, distances = sets[order], weights[order], distances[order]
    temperatures = [float(value) for value in history.get_all_populations().epsilon.iloc[1:]]
    draws = sets[_resampled(weights / weights.sum(), generator(seed, 0, "posterior"))]
    return Population(draws, sets[0], float(distances[0]), temperatures, evaluations)


def _resampled(weights: NDArray[np.float64], random: np.random.Generator) -> NDArray[np.intp]:
    """Places of equally weighted draws: systematic resampling, which adds the least noise."""
    positions = (np.arange(DRAWS) + random.random()) / DRAWS
    return np.minimum(np.searchsorted(np.cumsum(weights), positions), len(weights) - 1)
