"""How numbers are compiled, and how loops are shared out among threads: the one place for both.

A rule is written into every loop that uses it. A loop promises that none of its array arguments overlap; with that and
with rules free of branches, the compiler works on several entries at once. Neither option changes what is computed:
nothing is reordered or contracted, so the same bits come out on every processor.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from functools import cache, cached_property
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from numba import config, get_num_threads, types
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.event import Event, Listener, register
from numba.core.registry import CPUDispatcher

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Task = tuple[Callable[[], None], SimpleQueue[BaseException | None]]
PIECE = 8192  # neurons; a thread works on them for some milliseconds


class WithoutOverlap(Compiler):
    """Numba's compiler, told that the arrays a function is given lie apart in memory."""

    def define_pipelines(self) -> list[object]:
        """The usual passes."""
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-any-return, no-untyped-call]


class Part(JITCodeLibrary):
    """A function as part of its callers: optimised and made machine code with them, never by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Nowhere: there is no machine code."""
        return 0

    @property
    def codegen(self) -> Part:
        """What is asked to tell the machine code where its function's globals are."""
        return self

    def set_env(self, name: str, globals_of: object) -> None:
        """The whole is told, see `Kernel`."""


class AsPart(Compiler):
    """Numba's compiler, for a function as part of its callers."""

    def define_pipelines(self) -> list[object]:
        """The usual passes."""
        part: Any = Part  # its published types do not know its arguments
        self.state["library"] = part(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()  # type: ignore[no-any-return, no-untyped-call]


class PartWithoutOverlap(AsPart, WithoutOverlap):
    """Both."""


class Kernel(CPUDispatcher):
    """A function that is compiled as a whole where Python calls it, and as a part where compiled code does.

    Of a part there is no way in from Python, which takes longer to compile than most functions; and what becomes
    machine code is optimised once, not again for every caller's caller.
    """

    def __init__(self, function: Callable[..., Any], compiler: type[Compiler], **options: Any) -> None:
        super().__init__(function, targetoptions=options, pipeline_class=compiler)
        self.compiler = compiler
        self.enable_caching()

    @cached_property
    def part(self) -> CPUDispatcher:
        """The same function as a part."""
        compiler = PartWithoutOverlap if self.compiler is WithoutOverlap else AsPart
        options = {**self.targetoptions, "no_cpython_wrapper": True}
        return CPUDispatcher(self.py_func, targetoptions=options, pipeline_class=compiler)

    def __reduce__(self) -> str:  # type: ignore[override]
        """To another process goes its name."""
        return self.py_func.__qualname__

    @property
    def _numba_type_(self) -> Any:
        """What compiled code calls."""
        return types.Dispatcher(self.part)

    def add_overload(self, found: Any) -> None:
        """Take up what has been compiled or loaded, and tell it where the globals of its parts are."""
        for globals_of in found._find_referenced_environments():
            found.target_context.codegen().set_env(globals_of.env_name, globals_of)
        super().add_overload(found)


class Uncollected(Listener):
    """Holds Python's search for circles of objects while something is compiled; it took a fifth of that time."""

    def __init__(self) -> None:
        self.depth, self.before = 0, False

    def on_start(self, event: Event) -> None:
        """Compiling begins, perhaps within the compiling of a caller."""
        if self.depth == 0:
            self.before = gc.isenabled()
            gc.disable()
        self.depth += 1

    def on_end(self, event: Event) -> None:
        """Compiling ends."""
        self.depth -= 1
        if self.depth == 0 and self.before:
            gc.enable()


register("numba:compile", Uncollected())  # type: ignore[no-untyped-call]


def rule(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a rule for one neuron, synapse, voxel or body; it becomes part of the loops that use it."""
    return _compile(function, forceinline=True)


def inlined(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Write a function that is used once into its caller before that is compiled: faster than compiling both."""
    return _compile(function, nogil=True, inline="always")


def loop(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a loop over arrays that do not overlap; where Python calls it other threads run meanwhile.

    The same array may be given twice where it is only read.
    """
    return _compile(function, WithoutOverlap, nogil=True)


def compiled(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile anything else, to be called from anywhere; arrays may overlap, and other threads run meanwhile."""
    return _compile(function, nogil=True)


def _compile(
    function: Callable[Arguments, Result], compiler: type[Compiler] = Compiler, **options: Any
) -> Callable[Arguments, Result]:
    settings: Any = config  # which has no types
    if settings.DISABLE_JIT:
        return function
    return Kernel(function, compiler, nopython=True, error_model="numpy", no_cfunc_wrapper=True, **options)


def threads() -> int:
    """Threads that loops may use (NUMBA_NUM_THREADS)."""
    return get_num_threads()


def spread(work: Callable[[int, int], None], size: int, piece: int = PIECE, workers: int = 0) -> None:
    """Do `work(first, last)` for all of 0..size-1, piece by piece, on `workers` threads (0: all that loops may use).

    What is computed for an entry must not hang on the piece it is in, and a piece writes its own entries only: then the
    bits are the same for any number of threads.
    """
    if size <= piece or (workers := workers or threads()) == 1:
        work(0, size)
        return
    firsts, done, helpers = iter(range(0, size, piece)), SimpleQueue[BaseException | None](), workers - 1

    def share() -> None:
        for first in firsts:
            work(first, min(first + piece, size))

    for _ in range(helpers):
        _tasks(helpers).put((share, done))
    try:
        share()
    finally:
        errors = [done.get() for _ in range(helpers)]
    for error in errors:
        if error is not None:
            raise error


@cache
def _tasks(helpers: int) -> SimpleQueue[Task]:
    """Where so many threads wait for work; they are woken in a third of the time that an executor takes."""
    tasks = SimpleQueue[Task]()
    for _ in range(helpers):
        Thread(target=_help, args=(tasks,), name="loops", daemon=True).start()
    return tasks


def _help(tasks: SimpleQueue[Task]) -> None:
    while True:
        share, done = tasks.get()
        error = None
        try:
            share()
        except BaseException as caught:
            error = caught
        done.put(error)
