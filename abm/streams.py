"""Counter-based random streams: a draw is a pure function of who draws, what for, and when.

Every number is Philox4x32-10 (Salmon 2011) of the counter (index, step, purpose, block) under a key made from
(seed, replicate). Nothing is stored, so draws do not depend on the number of workers, on observers or on a
checkpoint, and two schedules of one replicate meet the same luck (common random numbers).
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from abm.elementary import double_of_bits
from abm.loops import inlined, loop, rule
from abm.vectors import widest_vectors

ROUND_FIRST = np.uint64(0xD2511F53)
ROUND_SECOND = np.uint64(0xCD9E8D57)
WEYL_FIRST = np.uint64(0x9E3779B9)
WEYL_SECOND = np.uint64(0xBB67AE85)
LOW_WORD = np.uint64(0xFFFFFFFF)
HALF = np.uint64(32)
WORD_TO_UNIT = 2.0**-32
GRID_BITS = 30  # of a draw as a whole number
SPARE_BITS = np.uint64(32 - GRID_BITS)
TWO_TO_52, BITS_OF_TWO_TO_52 = 2.0**52, 0x433 << 52

# Purposes of the draws; a new purpose takes the next free number.
NUCLEOSOMES = 1
TRANSCRIPTION = 2
EVENTS = 4
WIRING = 5


class StreamKey(NamedTuple):
    """Philox key of one replicate: two 32-bit words, held in 64 bits."""

    first: np.uint64
    second: np.uint64


def _words(*parts: int | str) -> list[int]:
    text = "/".join(str(part) for part in parts).encode()
    digest = hashlib.sha256(text).digest()
    return [int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4)]


def stream_key(seed: int, replicate: int) -> StreamKey:
    """Key of the draws of one replicate; different (seed, replicate) give unrelated streams."""
    first, second = _words("replicate", seed, replicate)[:2]
    return StreamKey(np.uint64(first), np.uint64(second))


def generator(seed: int, replicate: int, purpose: str) -> np.random.Generator:
    """NumPy generator for draws made once, while a replicate is set up (positions, capillaries, wiring)."""
    words = np.array(_words(purpose, seed, replicate), dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=words[:2] | (words[2:4] << HALF)))


@contextmanager
def global_stream(*purpose: int | str) -> Iterator[None]:
    """Set NumPy's global generator for a while, then put it back: for libraries that draw from nothing else."""
    before = np.random.get_state()  # noqa: NPY002
    np.random.seed(_words(*purpose)[0])  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


Words = tuple[np.uint64, np.uint64, np.uint64, np.uint64]


@inlined
def words(key: StreamKey, index: int | np.uint64, step: int, purpose: int, block: int) -> Words:
    """Four 32-bit random words of Philox4x32-10 for the counter (index, step, purpose, block), held in 64 bits.

    Written into its callers, because only so does the compiler work on several counters at once; masks tell it that
    every word has 32 bits.
    """
    a, b = np.uint64(index) & LOW_WORD, np.uint64(step) & LOW_WORD
    c, d = np.uint64(purpose) & LOW_WORD, np.uint64(block) & LOW_WORD
    k, m = key.first & LOW_WORD, key.second & LOW_WORD
    for _ in range(10):
        left = ROUND_FIRST * a
        right = ROUND_SECOND * c
        a = (right >> HALF) ^ b ^ k
        b = right & LOW_WORD
        c = (left >> HALF) ^ d ^ m
        d = left & LOW_WORD
        k = (k + WEYL_FIRST) & LOW_WORD
        m = (m + WEYL_SECOND) & LOW_WORD
    return a, b, c, d


@loop
def philox(key: StreamKey, index: int, step: int, purpose: int, block: int) -> Words:
    """`words` for one counter, to be called from anywhere."""
    return words(key, index, step, purpose, block)


@rule
def unit(word: np.uint64) -> float:
    """A 32-bit random word as a number of the open interval (0, 1): (word + 1/2) 2^-32.

    Put below the leading bit of 2^52 the word is a double less that number, which is faster than a conversion.
    """
    number = double_of_bits(np.int64(word) | BITS_OF_TWO_TO_52) - TWO_TO_52
    return (number + 0.5) * WORD_TO_UNIT


@loop
def uniforms(key: StreamKey, index: int, step: int, purpose: int, block: int) -> tuple[float, float, float, float]:
    """Four independent draws from the open interval (0, 1), each on a grid of 2^-32."""
    a, b, c, d = philox(key, index, step, purpose, block)
    return unit(a), unit(b), unit(c), unit(d)


@rule
def on_grid(probability: float) -> np.int32:
    """How many of the 2^30 equally likely whole draws lie below a probability, to the nearest."""
    return np.int32(probability * float(1 << GRID_BITS) + 0.5)


@loop
def fill_uniforms(
    key: StreamKey, first: int | np.uint64, last: int | np.uint64, step: int, purpose: int, block: int,
    draws: npt.NDArray[np.float64],
) -> None:  # fmt: skip
    """`uniforms` for the indices first..last-1 into the first columns of draws, (4, n): the same numbers, faster."""
    widest_vectors()
    start = np.uint64(first)
    for i in range(np.uint64(last) - start):
        a, b, c, d = words(key, start + i, step, purpose, block)
        draws[0, i], draws[1, i], draws[2, i], draws[3, i] = unit(a), unit(b), unit(c), unit(d)


@loop
def fill_whole(
    key: StreamKey, first: int | np.uint64, last: int | np.uint64, step: int, purpose: int, block: int,
    draws: npt.NDArray[np.int32],
) -> None:  # fmt: skip
    """The leading 30 bits of the same words as whole numbers, to be compared with `on_grid`: twice as many at once."""
    widest_vectors()
    start = np.uint64(first)
    for i in range(np.uint64(last) - start):
        a, b, c, d = words(key, start + i, step, purpose, block)
        draws[0, i], draws[1, i] = np.int32(a >> SPARE_BITS), np.int32(b >> SPARE_BITS)
        draws[2, i], draws[3, i] = np.int32(c >> SPARE_BITS), np.int32(d >> SPARE_BITS)
