"""Rules written for several numbers side by side, in the compiler's own vectors.

A function marked `side_by_side` is run once, when the loop that calls it is compiled, on stand-ins for its arguments:
a flat array is `Numbers`, a whole number is `Index`. What it does with them becomes the code, its loops and conditions
unrolled. Each lane of a vector is worked on alone and nothing is contracted: the bits are those of one number after the
other, on every processor.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from llvmlite import ir  # type: ignore[import-untyped]
from numba import config, types
from numba.extending import intrinsic

BYTES = 64  # of a vector: the widest registers there are; narrower ones work in parts
WORD = ir.IntType(64)
Same = TypeVar("Same", bound="Number")


class Number:
    """A number, or some side by side, that the code being written will hold."""

    add = subtract = multiply = ""  # the compiler's names of its operations

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder, self.value = builder, value

    def _with(self: Same, operation: str, other: Same | int) -> Same:
        right = other.value if isinstance(other, Number) else self.value.type(other)
        return type(self)(self.builder, getattr(self.builder, operation)(self.value, right))

    def __add__(self: Same, other: Same | int) -> Same:
        return self._with(self.add, other)

    def __sub__(self: Same, other: Same | int) -> Same:
        return self._with(self.subtract, other)

    def __mul__(self: Same, other: Same | int) -> Same:
        return self._with(self.multiply, other)


class Index(Number):
    """A whole number."""

    add, subtract, multiply = "add", "sub", "mul"


class Vector(Number):
    """Real numbers side by side."""

    add, subtract, multiply = "fadd", "fsub", "fmul"

    def __neg__(self) -> Vector:
        return Vector(self.builder, self.builder.fneg(self.value))

    def times(self, constant: float) -> Vector:
        """The product with a number known now."""
        return self * Vector(self.builder, ir.Constant(self.value.type, [constant] * self.value.type.count))

    def woven(self, other: Vector, places: list[int]) -> Vector:
        """The numbers at these places of this vector and the other one after it."""
        mask = ir.Constant(ir.VectorType(ir.IntType(32), len(places)), places)
        return Vector(self.builder, self.builder.shuffle_vector(self.value, other.value, mask))


class Numbers:
    """A flat array; lanes: how many of its numbers are a vector."""

    def __init__(self, target: Any, builder: Any, kind: Any, value: Any) -> None:
        self.builder, self._start = builder, target.make_array(kind)(target, builder, value).data
        number = target.get_value_type(kind.dtype)
        self._size = target.get_abi_sizeof(number)
        self.lanes: int = BYTES // self._size
        self._vector = ir.VectorType(number, self.lanes)

    def _place(self, k: Index) -> Any:
        return self.builder.bitcast(self.builder.gep(self._start, [k.value]), self._vector.as_pointer())

    def load(self, k: Index) -> Vector:
        """The vector that begins at entry k."""
        return Vector(self.builder, self.builder.load(self._place(k), align=self._size))

    def store(self, k: Index, vector: Vector) -> None:
        """Write a vector from entry k on."""
        self.builder.store(vector.value, self._place(k), align=self._size)

    def index(self, k: Index) -> Index:
        """Entry k of an array of whole numbers."""
        return Index(self.builder, self.builder.load(self.builder.gep(self._start, [k.value])))

    def everywhere(self, k: Index) -> Vector:
        """Entry k in all lanes."""
        nothing = ir.Constant(self._vector, ir.Undefined)
        entry = self.builder.load(self.builder.gep(self._start, [k.value]))
        one = Vector(self.builder, self.builder.insert_element(nothing, entry, WORD(0)))
        return one.woven(one, [0] * self.lanes)


def _widest_vectors(context: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        # Past the library's own check, which knows no attribute that has a value.
        set.add(builder.function.attributes, f'"prefer-vector-width"="{8 * BYTES}"')
        return target.get_dummy_value()

    return types.void(), build


if TYPE_CHECKING:

    def widest_vectors() -> None:
        """Ask that the loops of the compiled function that this stands in use the widest registers there are.

        Compilers shun them, for the sake of processors that slowed down with them; a loop full of products gains.
        """

elif config.DISABLE_JIT:  # the loops as plain Python

    def widest_vectors():
        pass

else:
    widest_vectors = intrinsic(_widest_vectors)


def side_by_side(function: Callable[..., None]) -> Callable[..., None]:
    """Make a function of `Numbers` and `Index` one of flat arrays and whole numbers, for compiled code to call."""

    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        given: list[Numbers | Index] = []
        for kind, value in zip(signature.args, arguments, strict=True):
            if isinstance(kind, types.Array):
                given.append(Numbers(target, builder, kind, value))
            else:
                given.append(Index(builder, target.cast(builder, value, kind, types.int64)))
        function(*given)
        return target.get_dummy_value()

    def rule(context: Any, *kinds: Any) -> Any:
        return types.void(*kinds), build

    # The compiler reads the names of the arguments off the signature.
    names: Any = rule
    context = inspect.Parameter("context", inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names.__signature__ = inspect.Signature([context, *inspect.signature(function).parameters.values()])
    names.__name__, names.__doc__ = function.__name__, function.__doc__
    return intrinsic(names)


def transposed(rows: list[Vector]) -> list[Vector]:
    """As many vectors as each has lanes, with rows and lanes exchanged: blocks of 1, 2, 4 ... lanes in turn."""
    size, found, step = len(rows), list(rows), 1
    while step < size:
        upper = [k + size - step if k & step else k for k in range(size)]
        lower = [k + size if k & step else k + step for k in range(size)]
        for k in range(size):
            if not k & step:
                one, other = found[k], found[k + step]
                found[k], found[k + step] = one.woven(other, upper), one.woven(other, lower)
        step *= 2
    return found
