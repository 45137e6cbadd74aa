"""Exponential and power functions, and linear systems, that give the same bits on every machine.

The exponential of a system's mathematics library may differ in the last bit between processors.
These use additions and multiplications in a fixed order only, which IEEE 754 rounds alike everywhere. They hold no
table and no branch, so that a loop over them is compiled to work on several numbers at once.
"""

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from llvmlite import ir  # type: ignore[import-untyped]
from numba import config, types
from numba.extending import intrinsic

from abm.loops import rule

LN2 = 0.6931471805599453  # of a half-life: rate = LN2 / half-life
LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # ln 2 split in two, so that n * LN2_HIGH is exact for |n| < 2^20
LN2_LOW = 1.90821492927058770002e-10
SQRT_HALF = 0.7071067811865476
C2, C3, C4, C5, C6, C7 = (1.0 / math.factorial(k) for k in range(2, 8))
C8, C9, C10, C11, C12, C13 = (1.0 / math.factorial(k) for k in range(8, 14))
L3, L5, L7, L9, L11, L13, L15, L17, L19, L21 = (1.0 / k for k in range(3, 22, 2))
LARGEST, SMALLEST = 709.0, -708.0  # arguments beyond which the exponential is infinite or 0
SMALLEST_NORMAL = 2.0**-1022
MANTISSA, ONE_HALF = (1 << 52) - 1, 1022 << 52  # bits of a double: its fraction, and 0.5


@intrinsic
def _double_of_bits(context: Any, bits: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), build


@intrinsic
def _bits_of_double(context: Any, number: Any) -> Any:
    def build(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), build


if TYPE_CHECKING:

    def double_of_bits(bits: int | np.int64) -> float:
        """The double whose 64 bits are those of an integer."""

    def bits_of_double(number: float) -> int:
        """The 64 bits of a double as an integer."""

elif config.DISABLE_JIT:  # the rules as plain Python functions

    def double_of_bits(bits):
        return struct.unpack("d", struct.pack("q", bits))[0]

    def bits_of_double(number):
        return struct.unpack("q", struct.pack("d", number))[0]

else:
    double_of_bits, bits_of_double = _double_of_bits, _bits_of_double


@rule
def exponential(x: float) -> float:
    """e to the power x, to 2 units in the last place, for any finite x.

    x = n ln 2 + r with |r| <= ln(2)/2; e^r by its Taylor series to r^13 (remainder below 2e-17), even and odd terms
    apart because two short chains of products run faster than one long one; then times 2^n.
    """
    within = min(max(x, SMALLEST), LARGEST)
    n = math.floor(within * LOG2_E + 0.5)
    r = (within - n * LN2_HIGH) - n * LN2_LOW
    q = r * r
    even = 1.0 + q * (C2 + q * (C4 + q * (C6 + q * (C8 + q * (C10 + q * C12)))))
    odd = 1.0 + q * (C3 + q * (C5 + q * (C7 + q * (C9 + q * (C11 + q * C13)))))
    # Through 32 bits, because few processors turn several doubles into integers of 64 bits at once.
    power_of_two = double_of_bits((np.int64(np.int32(n)) + 1023) << 52)
    value = (even + r * odd) * power_of_two
    return math.inf if x > LARGEST else (0.0 if x < SMALLEST else value)


@rule
def logarithm(x: float) -> float:
    """Natural logarithm of x > 0, to 2 units in the last place.

    x = m 2^n with m in [sqrt(1/2), sqrt 2); ln m = 2 artanh(s), s = (m - 1)/(m + 1), by its series to s^21.
    """
    bits = bits_of_double(max(x, SMALLEST_NORMAL))
    fraction = double_of_bits((bits & MANTISSA) | ONE_HALF)  # x = fraction 2^exponent, 1/2 <= fraction < 1
    exponent = np.float64(np.int32((bits >> 52) - 1022))
    small = fraction < SQRT_HALF
    m = 2.0 * fraction if small else fraction
    n = exponent - 1.0 if small else exponent
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    w = q * q
    even = 1.0 + w * (L5 + w * (L9 + w * (L13 + w * (L17 + w * L21))))
    odd = L3 + w * (L7 + w * (L11 + w * (L15 + w * L19)))
    return n * LN2_HIGH + (n * LN2_LOW + 2.0 * s * (even + q * odd))


@rule
def power(x: float, exponent: float) -> float:
    """x to the power exponent, for x >= 0; 0 to a positive power is 0."""
    value = exponential(exponent * logarithm(x))
    return value if x > 0.0 else 0.0


@rule
def relax(value: float, target: float, rate: float, duration: float) -> float:
    """Exact solution of y' = rate (target - y) after `duration`: target + (y - target) e^(-rate duration)."""
    return target + (value - target) * exponential(-rate * duration)


@rule
def mean_relaxed(value: float, target: float, rate: float, duration: float) -> float:
    """Mean of `relax` over the duration, not 0: target + (y - target) (1 - e^-x)/x, x = rate duration."""
    x = rate * duration
    return target + (value - target) * ((1.0 - exponential(-x)) / x)


def solved(matrix: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The solution x of matrix x = right, (n, n) and (n,), with the same bits on every processor.

    For matrices like those of Markov chains (no positive entry off the diagonal, an inverse without a negative one),
    whose elimination needs no pivots.
    """
    left, x = matrix.copy(), right.copy()
    for i in range(len(x)):
        factors = left[i + 1 :, i] / left[i, i]
        left[i + 1 :, i:] -= factors[:, None] * left[i, i:]
        x[i + 1 :] -= factors * x[i]
    for i in reversed(range(len(x))):
        x[i] /= left[i, i]
        x[:i] -= left[:i, i] * x[i]
    return x
