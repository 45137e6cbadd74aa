"""How numbers are compiled: rules for one neuron or synapse, and loops over arrays of them.

A rule is written into every loop that uses it. A loop promises that none of its array arguments overlap; with that and
with rules free of branches, the compiler works on several neurons at once. Neither option changes what is computed:
nothing is reordered or contracted, so the same bits come out on every processor.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, ParamSpec, TypeVar

from numba import get_num_threads, njit
from numba.core.compiler import Compiler

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
PIECE = 8192  # neurons; a thread works on them for some milliseconds


class WithoutOverlap(Compiler):
    """Numba's compiler, told that the arrays a function is given lie apart in memory."""

    def define_pipelines(self) -> list[object]:
        """The usual passes."""
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-any-return, no-untyped-call]


def rule(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a rule for one neuron or synapse; it becomes part of the loops that use it."""
    return _compile(function, forceinline=True)


def loop(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a loop over arrays that do not overlap, to be called from compiled code only."""
    # A way in from Python would take longer to compile than the loop itself.
    return _compile(function, pipeline_class=WithoutOverlap, no_cpython_wrapper=True)


def entry(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a loop over arrays that do not overlap, to be called from Python; other threads run meanwhile."""
    return _compile(function, pipeline_class=WithoutOverlap, nogil=True)


def _compile(function: Callable[Arguments, Result], **options: Any) -> Callable[Arguments, Result]:
    compiler: Any = njit  # its published types do not know all its options
    return compiler(cache=True, error_model="numpy", no_cfunc_wrapper=True, **options)(function)  # type: ignore[no-any-return]


def spread(work: Callable[[int, int], None], size: int) -> None:
    """Do `work(first, last)` for all of 0..size-1: in one piece if small, else in pieces shared out to threads.

    Pieces do not depend on the number of threads (NUMBA_NUM_THREADS), and each writes its own entries only.
    """
    threads = get_num_threads()
    if threads == 1 or size < 2 * PIECE:
        work(0, size)
        return
    firsts = range(0, size, PIECE)
    list(_threads(threads).map(work, firsts, (min(first + PIECE, size) for first in firsts)))


@lru_cache(maxsize=1)
def _threads(number: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(number)
