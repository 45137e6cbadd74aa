"""Lets the rules use Python's own mathematics library.

The project's exponential and logarithm are written out for the same bits everywhere; run without Numba they would be
several times slower than those of the library, which is not what a plain Python model would use. Import the rules
after the call.
"""

import math

import numba

from abm import elementary


def use_math_library() -> None:
    """Replace the elementary functions of the package, if Numba is switched off in this process."""
    if numba.config.DISABLE_JIT:
        elementary.exponential = math.exp
        elementary.logarithm = math.log
        elementary.power = _power


def _power(x: float, exponent: float) -> float:
    """x to the power exponent; 0 to a positive power is 0, as in the package."""
    return x**exponent if x > 0.0 else 0.0
