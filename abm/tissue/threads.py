"""Large fields on several threads: the same passes, each shared out by chunks, so that the bits stay the same.

The solver's own text runs, in the interpreter, with its passes replaced by ones that hand ranges of chunks to threads.
Nothing is compiled a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from types import FunctionType
from typing import Any

from abm.loops import spread, threads
from abm.tissue import kernels, solver, transform
from abm.tissue.modes import precondition, predict
from abm.tissue.passes import balance, blend, even_out, follow, lift, product

LARGE = 100_000  # voxels from which sharing out is worth its overhead
PASSES: tuple[Any, ...] = (balance, blend, even_out, follow, lift, product, predict, precondition)
STEERING: tuple[Any, ...] = (
    solver.lay_out,
    solver.pace_of,
    solver.start,
    solver.prepare,
    solver.substep,
    solver.conclude,
    solver.advance_implicit,
)


def threads_for(voxels: int) -> int:
    """Threads that a field of this many voxels is worth."""
    return threads() if voxels >= LARGE else 1


def shared(kernel: Callable[..., None], workers: int) -> Callable[..., None]:
    """A pass whose last two arguments, the range 0..n of chunks, are shared out among threads."""
    if workers == 1:
        return kernel

    def run(*arguments: Any) -> None:
        *others, _, chunks = arguments
        spread(partial(kernel, *others), chunks, -(-chunks // workers), workers)

    return run


@cache
def transform_on(workers: int) -> Callable[..., None]:
    """`abm.tissue.transform.transform` on this many threads."""
    passes: tuple[Any, ...] = (transform.along, transform.planes)
    names = vars(transform) | {each.__name__: shared(each, workers) for each in passes}
    texts: tuple[Any, ...] = (transform.blocks, transform.transform)
    for function in texts:
        names[function.__name__] = FunctionType(function.py_func.__code__, names)
    return names["transform"]  # type: ignore[no-any-return]


@cache
def implicit_on(workers: int) -> Callable[..., solver.Progress]:
    """`abm.tissue.solver.advance_implicit` on this many threads."""
    if workers == 1:
        return solver.advance_implicit
    names = vars(solver) | {kernel.__name__: shared(kernel, workers) for kernel in PASSES}
    names["transform"] = transform_on(workers)
    for function in STEERING:
        names[function.__name__] = FunctionType(function.py_func.__code__, names)
    return names["advance_implicit"]  # type: ignore[no-any-return]


@cache
def advance_on(workers: int) -> Callable[..., None]:
    """`abm.tissue.kernels.advance_signals` on this many threads."""
    if workers == 1:
        return kernels.advance_signals
    names = vars(kernels) | {"advance_implicit": implicit_on(workers)}
    signals: Any = kernels.advance_signals
    return FunctionType(signals.py_func.__code__, names)
