"""How numbers are compiled: rules for one neuron or synapse, and loops over arrays of them.

A rule is written into every loop that uses it. A loop promises that none of its array arguments overlap; with that and
with rules free of branches, the compiler works on several neurons at once. Neither option changes what is computed:
nothing is reordered or contracted, so the same bits come out on every processor.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from numba import njit
from numba.core.compiler import Compiler

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class WithoutOverlap(Compiler):
    """Numba's compiler, told that the arrays a function is given lie apart in memory."""

    def define_pipelines(self) -> list[object]:
        """The usual passes."""
        self.state.flags.noalias = True
        return super().define_pipelines()  # type: ignore[no-any-return]


def rule(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a rule for one neuron or synapse; it becomes part of the loops that use it."""
    return njit(cache=True, error_model="numpy", forceinline=True)(function)  # type: ignore[no-any-return]


def loop(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Compile a loop over arrays that do not overlap."""
    return njit(cache=True, error_model="numpy", pipeline_class=WithoutOverlap)(function)  # type: ignore[no-any-return]
