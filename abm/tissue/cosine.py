"""Discrete cosine transforms of lines of numbers, `lanes` lines side by side.

Forward (DCT-II of N numbers x, not normalised) and back, its inverse (DCT-III):

    X_k = 2 sum_n x_n cos(pi k (2 n + 1)/(2 N)),     x_n = (X_0/2 + sum_{k>0} X_k cos(pi k (2 n + 1)/(2 N)))/N

For even N with M = N/2 complex numbers z_j = v_2j + i v_(2j+1), where v is x with its even entries first and its odd
entries after them backwards (makhoul1980):

    Z = Fourier transform of z,     E = Z_k + Z*_(M-k),     O = Z_k - Z*_(M-k),     S = i t^4k O
    X_k - i X_(N-k) = t^k (E - S),     X_(M-k) - i X_(M+k) = t^(M-k) (E + S)*,     t = e^(-i pi/(2 N))

The Fourier transform goes through the factors of M one after the other, by Stockham's order (vanloan1992): 8 and 4 in
vectors, any other as a plain sum. Odd N takes the sums above as they stand. Only additions and multiplications in a
fixed order are used, so the bits are the same on every machine.

makhoul1980: J. Makhoul, A fast cosine transform in one and two dimensions, IEEE Trans. Acoust. Speech Signal Process.
28:27, 1980. vanloan1992: C. Van Loan, Computational Frameworks for the Fast Fourier Transform, SIAM, 1992.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from abm.loops import inlined, loop
from abm.sums import Field
from abm.vectors import Index, Numbers, Vector, side_by_side, transposed

Integers = npt.NDArray[np.int64]
Complex = tuple[Vector, Vector]
FAST = (8, 4)  # factors with a rule of their own
SQRT_HALF = 0.7071067811865476
TERMS = 22  # of the series of sine and cosine, enough up to pi/4


class Axis(NamedTuple):
    """What the transform of lines of N numbers needs, see `lines`."""

    enter: Integers  # (2, N) forward and back: the entry in each of the rows that the transform begins with
    leave: Integers  # (2, N) the row, of those that it ends with, in which each entry is
    waves: Field  # (8 N + 1,) cosines, then sines, of pi j/(2 N), j = 0..4N-1; then 1/(2 N)
    factors: Integers  # of N/2


def axis(length: int, precision: npt.DTypeLike) -> Axis:
    """The tables for lines of a length in a precision."""
    place, back = np.arange(length), np.arange(length)
    order = place
    if length % 2 == 0:
        order = np.where(2 * place < length, 2 * place, 2 * (length - 1 - place) + 1)
        back = np.argsort(order) ^ 1  # real and imaginary parts are exchanged
    return Axis(
        np.stack([order, place]),
        np.stack([place, back]),
        np.append(waves(length), 0.5 / length).astype(precision),
        np.array(factors(length // 2), np.int64),
    )


def factors(number: int) -> list[int]:
    """Factors of a number, those with a rule of their own first, then primes."""
    found: list[int] = []
    for factor in (*FAST, *range(2, number + 1)):
        while number > 0 and number % factor == 0:
            if factor == 8 and number % 32 == 16:  # 16 is 4 by 4, not 8 by 2
                break
            found.append(factor)
            number //= factor
    return found


@cache
def waves(length: int) -> npt.NDArray[np.float64]:
    """Cosines, then sines, of pi j/(2 length), j = 0..4 length - 1.

    Summed as series of x <= pi/4, because the last bit of a library's cosine differs between machines.
    """
    quarter, cosines, sines = length, np.empty(4 * length), np.empty(4 * length)
    for j in range(4 * length):
        turns, rest = divmod(j, quarter)
        mirrored = 2 * rest > quarter
        c, s = _near_zero(math.pi * (quarter - rest if mirrored else rest) / (2 * length))
        c, s = (s, c) if mirrored else (c, s)
        cosines[j], sines[j] = ((c, s), (-s, c), (-c, -s), (s, -c))[turns]
    return np.concatenate([cosines, sines])


def _near_zero(x: float) -> tuple[float, float]:
    """Cosine and sine of 0 <= x <= pi/4."""
    terms, term = [1.0], 1.0
    for n in range(1, TERMS):
        term *= x / n
        terms.append(term if n % 4 < 2 else -term)
    return math.fsum(terms[0::2]), math.fsum(terms[1::2])


# --- rules of the Fourier transform, in vectors; complex numbers are rows (real, imaginary) of lanes ------------------


def _turned(value: Complex, cosine: Vector, sine: Vector) -> Complex:
    """value (cosine - i sine)."""
    real, imaginary = value
    return real * cosine + imaginary * sine, imaginary * cosine - real * sine


def _wave(waves: Numbers, size: Index, k: Index) -> Complex:
    return waves.everywhere(k), waves.everywhere(k + size)


def _plus(a: Complex, b: Complex) -> Complex:
    return a[0] + b[0], a[1] + b[1]


def _minus(a: Complex, b: Complex) -> Complex:
    return a[0] - b[0], a[1] - b[1]


def _four(a: Complex, b: Complex, c: Complex, d: Complex) -> list[Complex]:
    """Fourier transform of four numbers."""
    even, odd, plus, minus = _plus(a, c), _minus(a, c), _plus(b, d), (b[1] - d[1], d[0] - b[0])
    return [_plus(even, plus), _plus(odd, minus), _minus(even, plus), _minus(odd, minus)]


def _fourier(values: list[Complex]) -> list[Complex]:
    """Fourier transform of four or eight numbers."""
    if len(values) == 4:
        return _four(*values)
    even, (one, (a, b), (c, d), (e, f)) = _four(*values[0::2]), _four(*values[1::2])
    odd = [one, ((a + b).times(SQRT_HALF), (b - a).times(SQRT_HALF)), (d, -c),
           ((f - e).times(SQRT_HALF), (e + f).times(-SQRT_HALF))]  # fmt: skip
    pairs = list(zip(even, odd, strict=True))
    return [_plus(*pair) for pair in pairs] + [_minus(*pair) for pair in pairs]


def _row(z: Numbers, k: Index) -> tuple[Index, Index]:
    real = k * (2 * z.lanes)
    return real, real + z.lanes


def _read(z: Numbers, k: Index) -> Complex:
    real, imaginary = _row(z, k)
    return z.load(real), z.load(imaginary)


def _write(z: Numbers, k: Index, value: Complex) -> None:
    for place, part in zip(_row(z, k), value, strict=True):
        z.store(place, part)


def _rules(count: int) -> tuple[Any, Any]:
    """For one factor, the rule of a pass and of the last one, whose waves are all 1."""

    @side_by_side
    def between(
        rows: Numbers, read: Index, gap: Index, write: Index, step: Index, waves: Numbers, w: Index, size: Index
    ) -> None:
        for k, value in enumerate(_fourier([_read(rows, read + gap * k) for k in range(count)])):
            _write(rows, write + step * k, _turned(value, *_wave(waves, size, w * k)) if k else value)

    @side_by_side
    def last(rows: Numbers, read: Index, write: Index, step: Index) -> None:
        for k, value in enumerate(_fourier([_read(rows, read + step * k) for k in range(count)])):
            _write(rows, write + step * k, value)

    return between, last


eight, last_eight = _rules(8)
four, last_four = _rules(4)


@side_by_side
def bring(source: Numbers, place: Index, target: Numbers, to: Index) -> None:
    """Copy a vector."""
    target.store(to, source.load(place))


@side_by_side
def turn(rows: Numbers, first: Index, leave: Numbers, k: Index, target: Numbers, to: Index, step: Index) -> None:
    """Write the entries k.. of the lines that `lines` has left in rows, as many as lanes, line after line."""
    found = [rows.load((first + leave.index(k + n)) * rows.lanes) for n in range(rows.lanes)]
    for n, line in enumerate(transposed(found)):
        target.store(to + step * n, line)


# --- between Z and X, see the module ----------------------------------------------------------------------------------


@side_by_side
def ends(rows: Numbers, read: Index, write: Index, waves: Numbers, half: Index) -> None:
    """X_0 and X_M from Z_0; Z and X begin at the complex rows `read` and `write`."""
    (real, imaginary), cosine, first = _read(rows, read), waves.everywhere(half), write * (2 * rows.lanes)
    both = real + imaginary
    rows.store(first, both + both)
    rows.store(first + half * rows.lanes, (cosine + cosine) * (real - imaginary))


@side_by_side
def pair(rows: Numbers, read: Index, write: Index, k: Index, waves: Numbers, half: Index) -> None:
    """X_k, X_(N-k), X_(M-k) and X_(M+k) from Z_k and Z_(M-k); arguments as of `ends`."""
    size, other, first = half * 8, half - k, write * 2
    (a, b), (c, d) = _read(rows, read + k), _read(rows, read + other)
    even, odd, (cosine, sine) = (a + c, b - d), (a - c, b + d), _wave(waves, size, k * 4)
    spun = sine * odd[0] - cosine * odd[1], sine * odd[1] + cosine * odd[0]
    one = _turned(_minus(even, spun), *_wave(waves, size, k))
    real, imaginary = _plus(even, spun)
    two = _turned((real, -imaginary), *_wave(waves, size, other))
    found = {k: one[0], half + other: -one[1], other: two[0], half + k: -two[1]}
    for row, value in found.items():
        rows.store((first + row) * rows.lanes, value)


@side_by_side
def ends_back(rows: Numbers, waves: Numbers, half: Index) -> None:
    """Z_0 from X_0 and X_M; X in the first N rows, Z in the last M complex ones, its parts exchanged, over 2 N."""
    first, cosine, size = half * 0, waves.everywhere(half), waves.everywhere(half * 16)
    one, two = rows.load(first) * size, rows.load(half * rows.lanes) * ((cosine + cosine) * size)
    _write(rows, half, (one - two, one + two))


@side_by_side
def pair_back(rows: Numbers, k: Index, waves: Numbers, half: Index) -> None:
    """Z_k and Z_(M-k) from X_k, X_(N-k), X_(M-k) and X_(M+k); see `ends_back`."""
    size, other, factor = half * 8, half - k, waves.everywhere(half * 16)

    def mode(one: Index, two: Index) -> Complex:  # t^-one (X_one - i X_two)
        cosine, sine = _wave(waves, size, one)
        cosine, sine = cosine * factor, sine * factor
        real, imaginary = rows.load(one * rows.lanes), rows.load(two * rows.lanes)
        return real * cosine + imaginary * sine, real * sine - imaginary * cosine

    (a, b), (c, d), (cosine, sine) = mode(k, half + other), mode(other, half + k), _wave(waves, size, k * 4)
    even, spun = (a + c, b - d), (c - a, -d - b)
    odd = sine * spun[0] + cosine * spun[1], sine * spun[1] - cosine * spun[0]
    real, imaginary = _plus(even, odd)
    _write(rows, half + k, (imaginary, real))
    real, imaginary = _minus(even, odd)
    _write(rows, half + other, (-imaginary, real))


# --- lines ------------------------------------------------------------------------------------------------------------


@inlined
def plain_sum(rows: Field, read: int, part: int, step: int, factor: int, write: int, waves: Field, lanes: int) -> None:
    """A pass of the Fourier transform for any factor: sums over it as they stand; arguments as in `fourier`."""
    size = waves.size // 2
    for p in range(part):
        for q in range(step):
            for k in range(factor):
                real = (write + q + step * (factor * p + k)) * 2 * lanes
                for i in range(real, real + 2 * lanes):
                    rows[i] = 0.0
                for j in range(factor):
                    w, a = 8 * step * k * (p + j * part) % size, (read + q + step * (p + j * part)) * 2 * lanes
                    cosine, sine = waves[w], waves[size + w]
                    for i in range(lanes):
                        rows[real + i] += rows[a + i] * cosine + rows[a + lanes + i] * sine
                        rows[real + lanes + i] += rows[a + lanes + i] * cosine - rows[a + i] * sine


@loop
def fourier(rows: Field, read: int, waves: Field, factors: Integers, lanes: int) -> int:
    """Fourier transform of M of 2 M complex rows from row `read` on, 0 or M; the first of the rows that it is then in.

    Each pass combines, of `part` groups of `step` rows, a factor of them, and writes to the other half of the rows.
    """
    size, step, part = waves.size // 2, 1, waves.size // 16
    write = part - read
    for i in range(factors.size):
        factor = factors[i]
        part //= factor
        if factor == 8 and part == 1:
            for q in range(step):
                last_eight(rows, read + q, write + q, step)
        elif factor == 4 and part == 1:
            for q in range(step):
                last_four(rows, read + q, write + q, step)
        elif factor == 8:
            for p in range(part):
                one, to, w = read + step * p, write + step * 8 * p, 8 * step * p
                for q in range(step):
                    eight(rows, one + q, step * part, to + q, step, waves, w, size)
        elif factor == 4:
            for p in range(part):
                one, to, w = read + step * p, write + step * 4 * p, 8 * step * p
                for q in range(step):
                    four(rows, one + q, step * part, to + q, step, waves, w, size)
        else:
            plain_sum(rows, read, part, step, factor, write, waves, lanes)
        step *= factor
        read, write = write, read
    return read


@loop
def sums_as_they_stand(rows: Field, waves: Field, back: bool, lanes: int) -> None:
    """Lines of odd length; arguments as of `lines`."""
    n, size = waves.size // 8, waves.size // 2
    for k in range(n):
        for i in range((n + k) * lanes, (n + k + 1) * lanes):
            rows[i] = 0.0
        for j in range(n):
            w = (j * (2 * k + 1) if back else k * (2 * j + 1)) % size
            share = waves[w] * (waves[8 * n] if back else waves[0])
            if not back or j > 0:
                share += share
            for i in range(lanes):
                rows[(n + k) * lanes + i] += rows[j * lanes + i] * share


@loop
def lines(rows: Field, waves: Field, factors: Integers, back: bool, lanes: int) -> int:
    """X of lines side by side, or x of such X; the first of the N rows of lanes in which they then are.

    rows: flat, 2 N rows, of which the first N hold the entries in the order of `Axis.enter`. Entry n is then found in
    the row of `Axis.leave` after the first.
    """
    n = waves.size // 8
    half, begin, at = n // 2, 0, n
    if n % 2 == 1:
        sums_as_they_stand(rows, waves, back, lanes)
    else:
        if back:  # real and imaginary parts are exchanged, which makes the transform its inverse
            begin = half
            ends_back(rows, waves, half)
            for k in range(1, half // 2 + 1):
                pair_back(rows, k, waves, half)
        at = fourier(rows, begin, waves, factors, lanes)
        if not back:
            ends(rows, at, half - at, waves, half)
            for k in range(1, half // 2 + 1):
                pair(rows, at, half - at, k, waves, half)
            at = half - at
        at *= 2
    return at
