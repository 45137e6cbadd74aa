"""The processes that draw a report's figures: several figures at once, while the caller does something else."""

from __future__ import annotations

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
        pool.submit(names_of_figures)


def draw(pool: Executor, folder: Path) -> Figures:
    """Have every figure of a results folder drawn into its figures/ as PNG; what will be the paths, by name."""
    (folder / "figures").mkdir(exist_ok=True)
    return {name: pool.submit(draw_one, folder, name, DPI) for name in pool.submit(names_of_figures).result()}


def names_of_figures() -> list[str]:
    """Of the module that holds them, which only the processes that draw need to read."""
    import zarr  # noqa: F401  the figures open the results

    from abm.view.figures import FIGURES

    return list(FIGURES)


def draw_one(folder: Path, name: str, dpi: int) -> Path:
    """Draw one figure; its path."""
    from abm.view.figures import write_figure

    return write_figure(folder, name, dpi)
