"""Who does the work: processes of this machine, or any other executor of concurrent.futures."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import import_module
from typing import Protocol

from abm.study.store import ResultsError
from abm.study.work import Lost, load, prepare_worker

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
PATIENCE = 5.0  # s that workers get to end by themselves


class Crew(Protocol):
    """An executor, how many tasks it takes at once, and what to do when it breaks or must stop."""

    executor: Executor
    width: int

    def renew(self) -> None:
        """Replace an executor whose worker died; raises Lost where no worker can start."""

    def dismiss(self) -> None:
        """Stop now: tasks have been told to give up, and those that do not are ended."""


class Processes:
    """Worker processes of this machine, started afresh ("spawn": the same on every system)."""

    def __init__(self, workers: int) -> None:
        self.width = workers
        self.strangers = set(multiprocessing.active_children())
        self.loading: list[Future[None]] = []
        self.executor: Executor = self._pool()

    def _pool(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(self.width, mp_context=context, initializer=prepare_worker)
        self.loading += [pool.submit(load, order) for order in range(self.width)]
        return pool

    def renew(self) -> None:
        """Start a new pool in place of a broken one; Lost where two have ended before one worker could begin."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        if len(self.loading) > self.width and not any(map(_succeeded, self.loading)):
            raise Lost(
                "the worker processes end before they begin: out of memory, or they import a script that calls this "
                'anywhere but under if __name__ == "__main__":'
            )
        self.executor = self._pool()

    def dismiss(self) -> None:
        """Give the workers a few seconds to give up their tasks, then end them."""
        self.executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + PATIENCE
        while (own := set(multiprocessing.active_children()) - self.strangers) and time.monotonic() < deadline:
            time.sleep(0.05)
        for process in own:
            process.terminate()


def _succeeded(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


class Borrowed:
    """An executor that belongs to the caller."""

    def __init__(self, executor: Executor, width: int) -> None:
        self.executor, self.width = executor, width

    def renew(self) -> None:
        """The caller's executor cannot be replaced: the fault it reported is final."""

    def dismiss(self) -> None:
        """Nothing to end: the tasks have been told to give up."""


def crew_of(executor: Executor | None, width: int) -> AbstractContextManager[Crew]:
    """The caller's executor, which takes `width` tasks at once, or else so many processes of this machine."""
    return local_processes(width) if executor is None else nullcontext(Borrowed(executor, width))


@contextmanager
def local_processes(workers: int) -> Iterator[Crew]:
    """A crew of `workers` processes; processors that they leave free become threads of the loops over neurons."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))  # inherited by the workers before they load NumPy
    os.environ["NUMBA_NUM_THREADS"] = str(max((os.cpu_count() or 1) // workers, 1))
    crew = Processes(workers)
    try:
        yield crew
    finally:
        crew.executor.shutdown(wait=False, cancel_futures=True)
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def cluster(address: str) -> Iterator[Crew]:
    """A crew of the Dask workers behind the scheduler at `address`; they must see the results folder.

    Raises ResultsError where Dask is not installed or the scheduler does not answer.
    """
    try:
        distributed = import_module("distributed")
    except ImportError:
        raise ResultsError("--scheduler needs dask.distributed: install the extra 'cluster'") from None
    try:
        client = distributed.Client(address, timeout=10)
    except (OSError, ValueError) as error:
        raise ResultsError(f"no Dask scheduler answers at {address}: {error}") from None
    with client:
        threads = sum(client.nthreads().values())
        if not threads:
            raise ResultsError(f"the Dask scheduler at {address} has no workers")
        yield Borrowed(client.get_executor(), threads)
