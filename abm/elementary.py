"""Exponential and power functions that give the same bits on every machine.

The exponential of a system's mathematics library may differ in the last bit between processors.
These use additions and multiplications in a fixed order only, which IEEE 754 rounds alike everywhere.
"""

import math

import numpy as np
from numba import njit

LOG2_E = 1.4426950408889634
LN2_HIGH = 6.93147180369123816490e-01  # ln 2 split in two, so that n * LN2_HIGH is exact for |n| < 2^20
LN2_LOW = 1.90821492927058770002e-10
SQRT_HALF = 0.7071067811865476
C2, C3, C4, C5, C6, C7 = (1.0 / math.factorial(k) for k in range(2, 8))
C8, C9, C10, C11, C12, C13 = (1.0 / math.factorial(k) for k in range(8, 14))
L3, L5, L7, L9, L11, L13, L15, L17, L19, L21 = (1.0 / k for k in range(3, 22, 2))
POWERS_OF_TWO = np.ldexp(1.0, np.arange(-1022, 1024))


@njit(cache=True, error_model="numpy")
def exponential(x: float) -> float:
    """e to the power x, to 2 units in the last place, for any finite x.

    x = n ln 2 + r with |r| <= ln(2)/2; e^r by its Taylor series to r^13 (remainder below 2e-17), even and odd terms
    apart because two short chains of products run faster than one long one; then times 2^n.
    """
    if x > 709.0:
        return math.inf
    if x < -708.0:
        return 0.0
    n = math.floor(x * LOG2_E + 0.5)
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    q = r * r
    even = 1.0 + q * (C2 + q * (C4 + q * (C6 + q * (C8 + q * (C10 + q * C12)))))
    odd = 1.0 + q * (C3 + q * (C5 + q * (C7 + q * (C9 + q * (C11 + q * C13)))))
    scale: float = POWERS_OF_TWO[int(n) + 1022]
    return (even + r * odd) * scale


@njit(cache=True, error_model="numpy")
def logarithm(x: float) -> float:
    """Natural logarithm of x > 0, to 2 units in the last place.

    x = m 2^n with m in [sqrt(1/2), sqrt 2); ln m = 2 artanh(s), s = (m - 1)/(m + 1), by its series to s^21.
    """
    m, n = math.frexp(x)
    if m < SQRT_HALF:
        m *= 2.0
        n -= 1
    s = (m - 1.0) / (m + 1.0)
    q = s * s
    w = q * q
    even = 1.0 + w * (L5 + w * (L9 + w * (L13 + w * (L17 + w * L21))))
    odd = L3 + w * (L7 + w * (L11 + w * (L15 + w * L19)))
    return n * LN2_HIGH + (n * LN2_LOW + 2.0 * s * (even + q * odd))


@njit(cache=True, error_model="numpy")
def power(x: float, exponent: float) -> float:
    """x to the power exponent, for x >= 0; 0 to a positive power is 0."""
    if x <= 0.0:
        return 0.0
    return exponential(exponent * logarithm(x))


@njit(cache=True, error_model="numpy")
def relax(value: float, target: float, rate: float, duration: float) -> float:
    """Exact solution of y' = rate (target - y) after `duration`: target + (y - target) e^(-rate duration)."""
    return target + (value - target) * exponential(-rate * duration)
