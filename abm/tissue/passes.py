"""The solver's passes over the voxels: each reads and writes a few flat fields once, chunk by chunk.

Every pass ends with the arguments `first, last`, the range of chunks it works on, so that a large field can be shared
out among threads. Its sums are kept by chunk, one row of `sums` each, and added by `collect` in the order of the
chunks: the same bits whoever did which chunk.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from numba import njit

from abm.tissue.arrays import Field, inner, smallest, total

if TYPE_CHECKING:
    from abm.tissue.solver import Medium
    from abm.tissue.transform import Shape

CHUNK = 4096  # voxels whose fields stay in the nearest caches during a pass
SUMS = 3  # columns of `sums`


@njit(cache=True, error_model="numpy", nogil=True)
def chunks_of(voxels: int) -> int:
    """Number of chunks of a field."""
    return (voxels - 1) // CHUNK + 1


@njit(cache=True, error_model="numpy", nogil=True)
def collect(sums: Field, chunks: int, column: int) -> float:
    """Sum over all chunks, first to last."""
    found = 0.0
    for chunk in range(chunks):
        found += sums[chunk, column]
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def least_of(sums: Field, chunks: int) -> float:
    """The smallest of the first column, over all chunks."""
    found = math.inf
    for chunk in range(chunks):
        found = min(found, sums[chunk, 0])
    return found


@njit(cache=True, error_model="numpy", nogil=True)
def _rim_divergence(c: Field, faces: Field, row: int, sheet: int, begin: int, end: int, out: Field) -> None:
    """As `divergence` where a neighbour may be missing."""
    for i in range(begin, end):
        flow, stride = 0.0, 1
        for axis in range(3):
            if i + stride < c.size:
                flow += faces[2 - axis, i] * (c[i + stride] - c[i])
            if i >= stride:
                flow += faces[2 - axis, i - stride] * (c[i - stride] - c[i])
            stride = row if axis == 0 else sheet
        out[i] = flow


@njit(cache=True, error_model="numpy", nogil=True)
def divergence(c: Field, faces: Field, shape: Shape, begin: int, end: int, out: Field) -> None:
    """out = div(g grad c) for voxels begin to end: over each voxel's faces, g times the difference to the neighbour.

    The faces at the far walls are 0, so that rows and sheets need no ends of their own.
    """
    row, sheet = shape[2], shape[1] * shape[2]
    rim = row if shape[0] == 1 else sheet  # all neighbours of the voxels between the rims exist
    a, b = max(begin, rim), min(end, c.size - rim)
    if a >= b:
        a = b = end
    _rim_divergence(c, faces, row, sheet, begin, a, out)
    _rim_divergence(c, faces, row, sheet, b, end, out)
    if a == end:
        return
    # Slices of one length, because offsets in an index block vectorisation.
    flow, middle = out[a:b], c[a:b]
    right, left, above, below = c[a + 1 : b + 1], c[a - 1 : b - 1], c[a + row : b + row], c[a - row : b - row]
    x, y = faces[2], faces[1]
    to_right, to_left, to_above, to_below = x[a:b], x[a - 1 : b - 1], y[a:b], y[a - row : b - row]
    for i in range(flow.size):
        here = middle[i]
        along = to_right[i] * (right[i] - here) + to_left[i] * (left[i] - here)
        flow[i] = along + (to_above[i] * (above[i] - here) + to_below[i] * (below[i] - here))
    if shape[0] > 1:
        behind, front, z = c[a + sheet : b + sheet], c[a - sheet : b - sheet], faces[0]
        to_behind, to_front = z[a:b], z[a - sheet : b - sheet]
        for i in range(flow.size):
            flow[i] += to_behind[i] * (behind[i] - middle[i]) + to_front[i] * (front[i] - middle[i])


@njit(cache=True, error_model="numpy", nogil=True)
def find_rate(medium: Medium, c: Field, rate: Field, forcing: Field, sums: Field, first: int, last: int) -> None:
    """rate = s - k c + D div(g grad c); forcing = rate mean(phi)/phi; sums of c c, s and phi c."""
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)
        divergence(c, medium.faces, medium.shape, a, b, rate)
        here, flow, even = c[a:b], rate[a:b], forcing[a:b]
        phi, k, s = medium.storage[a:b], medium.loss[a:b], medium.source[a:b]
        for i in range(here.size):
            gain = s[i] - k[i] * here[i] + medium.diffusivity * flow[i]
            flow[i] = gain
            even[i] = gain * (medium.mean_storage / phi[i])
        sums[chunk, 0], sums[chunk, 1], sums[chunk, 2] = inner(here, here), total(s), inner(phi, here)


@njit(cache=True, error_model="numpy", nogil=True)
def find_defect(
    medium: Medium,
    h: float,
    rate: Field,
    change: Field,
    extra: Field,
    defect: Field,
    sums: Field,
    first: int,
    last: int,
) -> None:
    """defect = h rate - phi change - k extra + D div(g grad extra), what the balance over a step is off; its square."""
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, rate.size)
        divergence(extra, medium.faces, medium.shape, a, b, defect)
        flow, gain, new, more = defect[a:b], rate[a:b], change[a:b], extra[a:b]
        phi, k = medium.storage[a:b], medium.loss[a:b]
        for i in range(flow.size):
            flow[i] = h * gain[i] - phi[i] * new[i] - k[i] * more[i] + medium.diffusivity * flow[i]
        sums[chunk, 0] = inner(flow, flow)


@njit(cache=True, error_model="numpy", nogil=True)
def turn(search: Field, fresh: Field, share: float, first: int, last: int) -> None:
    """search = fresh + share search, the next direction of conjugate gradients."""
    a, b = first * CHUNK, min(last * CHUNK, search.size)
    old, new = search[a:b], fresh[a:b]
    for i in range(old.size):
        old[i] = new[i] + share * old[i]


@njit(cache=True, error_model="numpy", nogil=True)
def probe(medium: Medium, pace: float, search: Field, image: Field, sums: Field, first: int, last: int) -> None:
    """image = (pace phi + k) search - D div(g grad search); sum of search image."""
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, search.size)
        divergence(search, medium.faces, medium.shape, a, b, image)
        here, flow, phi, k = search[a:b], image[a:b], medium.storage[a:b], medium.loss[a:b]
        for i in range(here.size):
            flow[i] = (pace * phi[i] + k[i]) * here[i] - medium.diffusivity * flow[i]
        sums[chunk, 0] = inner(here, flow)


@njit(cache=True, error_model="numpy", nogil=True)
def improve(
    length: float,
    pace: float,
    search: Field,
    image: Field,
    change: Field,
    extra: Field,
    defect: Field,
    first: int,
    last: int,
) -> None:
    """Add length search to extra and pace times that to change; the defect loses length image."""
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, search.size)
        along, seen, new, more, left = search[a:b], image[a:b], change[a:b], extra[a:b], defect[a:b]
        for i in range(along.size):
            more[i] += length * along[i]
            new[i] += length * pace * along[i]
        for i in range(along.size):
            left[i] -= length * seen[i]


@njit(cache=True, error_model="numpy", nogil=True)
def conclude(
    medium: Medium, h: float, c: Field, change: Field, extra: Field, sums: Field, first: int, last: int
) -> None:
    """change becomes the new field, extra its time integral; the smallest value, and sums of phi new and k integral.

    Negative values become 0.
    """
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)
        here, new, part = c[a:b], change[a:b], extra[a:b]
        for i in range(here.size):
            new[i] += here[i]
            part[i] += h * here[i]
        least = smallest(new)
        if least < 0.0:
            for i in range(here.size):
                new[i] = max(new[i], 0.0)
        sums[chunk, 0] = least
        sums[chunk, 1] = inner(medium.storage[a:b], new)
        sums[chunk, 2] = inner(medium.loss[a:b], part)


@njit(cache=True, error_model="numpy", nogil=True)
def accept(scale: float, new: Field, part: Field, c: Field, integral: Field, first: int, last: int) -> None:
    """c = scale new; integral += part."""
    a, b = first * CHUNK, min(last * CHUNK, c.size)
    after, sums, found, more = c[a:b], integral[a:b], new[a:b], part[a:b]
    for i in range(after.size):
        after[i] = scale * found[i]
    for i in range(after.size):
        sums[i] += more[i]
