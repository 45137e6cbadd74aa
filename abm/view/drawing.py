"""The processes that draw a report's figures: several figures at once, while the caller does something else."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from abm.study.work import prepare_worker

Figures = dict[str, Future[Path]]
DPI = 150
WIDTH = min(os.cpu_count() or 1, 8)  # figures at once; there are hardly more


@contextmanager
def drawers() -> Iterator[Executor]:
    """Processes that wait for something to draw; they start when first asked.

    They import the calling script, as those of `run_experiment` do.
    """
    pool = ProcessPoolExecutor(WIDTH, multiprocessing.get_context("spawn"), prepare_worker)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def summon(pool: Executor) -> None:
    """Have the processes start and read their libraries, which takes seconds, ahead of the first figure."""
    for _ in range(WIDTH):
        pool.submit(figures)


def draw(pool: Executor, folder: Path) -> Figures:
    """Have every figure of a results folder drawn into its figures/ as PNG; what will be the paths, by name.

    There are none where no run has finished, and no contrasts of a single schedule.
    """
    (folder / "figures").mkdir(exist_ok=True)
    return {name: pool.submit(draw_one, folder, name, DPI) for name in pool.submit(figures, folder).result()}


def figures(folder: Path | None = None) -> list[str]:
    """Names of the figures that a results folder allows, or of all, read where they are drawn and nowhere else."""
    import zarr  # noqa: F401  the figures open the results

    from abm.study.results import open_results
    from abm.view.figures import FIGURES

    if folder is None:
        return list(FIGURES)
    results = open_results(folder)
    finished, alone = bool(results.states.finished.any()), len(results.schedules) == 1
    return [name for name in FIGURES if finished and not (alone and name in ("contrasts", "signal_dose"))]


def draw_one(folder: Path, name: str, dpi: int) -> Path:
    """Draw one figure; its path."""
    from abm.view.figures import write_figure

    gc.disable()  # a figure is a hundred thousand objects, looked through again and again; the process soon ends
    return write_figure(folder, name, dpi)
