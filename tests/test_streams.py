"""Counter-based random streams: known answers, independence, and statistics."""

import os
import subprocess
import sys

import numpy as np
import pytest
from numba import njit
from scipy import stats

from abm.streams import (
    GRID_BITS,
    StreamKey,
    fill_uniforms,
    fill_whole,
    generator,
    on_grid,
    philox,
    stream_key,
    uniforms,
)


@pytest.mark.parametrize(
    ("key", "counter", "words"),
    [
        # Known answers published with Random123 (Salmon 2011) for philox4x32-10.
        ((0, 0), (0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
        (
            (0xFFFFFFFF, 0xFFFFFFFF),
            (0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF),
            (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD),
        ),
        (
            (0xA4093822, 0x299F31D0),
            (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
            (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
        ),
    ],
)
def test_philox_gives_the_published_words(key, counter, words):
    made = philox(StreamKey(np.uint64(key[0]), np.uint64(key[1])), *counter)
    assert tuple(int(word) for word in made) == words


def test_draws_depend_on_every_part_of_their_address():
    key, other = stream_key(1, 0), stream_key(1, 1)
    addresses = [(5, 7, 1, 0), (6, 7, 1, 0), (5, 8, 1, 0), (5, 7, 2, 0), (5, 7, 1, 1)]
    drawn = [uniforms(key, *address) for address in addresses] + [uniforms(other, *addresses[0])]
    assert len({value for four in drawn for value in four}) == 24
    assert uniforms(key, *addresses[0]) == drawn[0]


@njit
def fill(key, first, last, step, purpose, block, draws):
    """`fill_uniforms`, which is for compiled code only."""
    fill_uniforms(key, first, last, step, purpose, block, draws)


def test_draws_made_together_are_the_same_numbers():
    key, together = stream_key(6, 1), np.full((4, 40), -1.0)
    fill(key, 1000, 1037, 12, 2, 3, together)
    assert [tuple(column) for column in together.T[:37]] == [uniforms(key, 1000 + i, 12, 2, 3) for i in range(37)]
    assert np.all(together[:, 37:] == -1.0)


@njit
def fill_grid(key, first, last, step, purpose, block, draws):
    """`fill_whole`, which is for compiled code only."""
    fill_whole(key, first, last, step, purpose, block, draws)


def test_whole_draws_are_the_leading_bits_of_the_same_words():
    key, whole = stream_key(6, 1), np.full((4, 40), -1, np.int32)
    fill_grid(key, 1000, 1037, 12, 2, 3, whole)
    words = [philox(key, 1000 + i, 12, 2, 3) for i in range(37)]
    assert [tuple(column) for column in whole.T[:37]] == [tuple(int(word) >> 2 for word in four) for four in words]
    assert np.all(whole[:, 37:] == -1)


@pytest.mark.parametrize("probability", [0.0, 1e-9, 0.25, 1.0 / 3.0, 0.999, 1.0])
def test_a_probability_on_the_grid_is_the_share_of_draws_below_it(probability):
    below = int(on_grid(probability))  # of the whole numbers from 0 to 2^30 - 1
    assert below / 2**GRID_BITS == pytest.approx(probability, abs=0.5 / 2**GRID_BITS)
    assert (below == 0) == (probability == 0.0)
    assert (below == 2**GRID_BITS) == (probability == 1.0)


def test_uniforms_are_uniform_and_never_on_the_border():
    key = stream_key(3, 2)
    drawn = np.array([uniforms(key, index, 11, 1, 0) for index in range(5000)]).ravel()
    assert drawn.min() > 0.0
    assert drawn.max() < 1.0
    assert stats.kstest(drawn, stats.uniform.cdf).pvalue > 1e-3


def test_generators_repeat_and_differ_by_replicate_and_purpose():
    first = generator(1, 0, "wiring").random(4)
    assert np.array_equal(first, generator(1, 0, "wiring").random(4))
    assert not np.array_equal(first, generator(1, 1, "wiring").random(4))
    assert not np.array_equal(first, generator(1, 0, "capillaries").random(4))


def test_uncompiled_loop_over_draws_gives_the_same_bits():
    code = (
        "import numpy as np; from abm.streams import fill_uniforms, stream_key; draws = np.empty((4, 3));"
        "fill_uniforms(stream_key(1, 0), 5, 8, 2, 1, 7, draws); print(draws.T.tolist())"
    )
    plain = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert plain.strip() == str([list(uniforms(stream_key(1, 0), i, 2, 1, 7)) for i in (5, 6, 7)])
