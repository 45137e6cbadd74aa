"""The solver's passes over the voxels: each reads and writes a few flat fields once, chunk by chunk.

Every pass ends with the arguments `first, last`, the range of chunks it works on, so that a large field can be shared
out among threads. Sums are kept by chunk and added up afterwards: the same bits whoever did which chunk. What a pass
reckons with has the precision of the field it writes, numbers included: double or single.
"""

from abm.loops import loop
from abm.sums import Field, inner, smallest
from abm.tissue.transform import Shape

CHUNK = 4096  # voxels whose fields stay in the nearest caches during a pass


@loop
def balance(
    shape: Shape,
    faces: Field,
    storage: Field,
    loss: Field,
    diffusivity: float,
    gain: float,
    given: Field,
    pace: float,
    stored: Field,
    c: Field,
    out: Field,
    first: int,
    last: int,
) -> None:
    """out = gain given - pace phi stored - k c + D div(g grad c), what the balance of every voxel leaves over.

    The divergence sums, over a voxel's faces, g times the difference to the neighbour. The faces at the far walls are
    0, so that rows and sheets need no ends of their own.
    """
    number = out.dtype.type
    factor, ratio, scale = number(gain), number(pace), number(diffusivity)
    row, sheet = shape[2], shape[1] * shape[2]
    rim = row if shape[0] == 1 else sheet  # between the rims every voxel has all its neighbours
    for chunk in range(first, last):
        begin, end = chunk * CHUNK, min((chunk + 1) * CHUNK, c.size)
        a, b = max(begin, rim), min(end, c.size - rim)
        if a >= b:
            a = b = end
        for part in range(2):
            for i in range(begin if part == 0 else b, a if part == 0 else end):
                flow, stride = scale - scale, 1
                for axis in range(2, -1, -1):
                    if i + stride < c.size:
                        flow += faces[axis, i] * (c[i + stride] - c[i])
                    if i >= stride:
                        flow += faces[axis, i - stride] * (c[i - stride] - c[i])
                    stride = row if axis == 2 else sheet
                out[i] = flow
        # Slices of one length, because offsets in an index block vectorisation.
        x, y, inside, middle = faces[2], faces[1], out[a:b], c[a:b]
        right, left, above, below = c[a + 1 : b + 1], c[a - 1 : b - 1], c[a + row : b + row], c[a - row : b - row]
        to_right, to_left, to_above, to_below = x[a:b], x[a - 1 : b - 1], y[a:b], y[a - row : b - row]
        for i in range(inside.size):
            here = middle[i]
            along = to_right[i] * (right[i] - here) + to_left[i] * (left[i] - here)
            inside[i] = along + (to_above[i] * (above[i] - here) + to_below[i] * (below[i] - here))
        if shape[0] > 1:
            behind, front, z = c[a + sheet : b + sheet], c[a - sheet : b - sheet], faces[0]
            to_behind, to_front = z[a:b], z[a - sheet : b - sheet]
            for i in range(inside.size):
                inside[i] += to_behind[i] * (behind[i] - middle[i]) + to_front[i] * (front[i] - middle[i])
        net, here, supply, held = out[begin:end], c[begin:end], given[begin:end], stored[begin:end]
        phi, k = storage[begin:end], loss[begin:end]
        for i in range(net.size):
            net[i] = factor * supply[i] - ratio * phi[i] * held[i] - k[i] * here[i] + scale * net[i]


@loop
def blend(target: Field, keep: float, share: float, source: Field, first: int, last: int) -> None:
    """target = keep target + share source; what is not kept may be anything."""
    a, b = first * CHUNK, min(last * CHUNK, target.size)
    number, to, values = target.dtype.type, target[a:b], source[a:b]
    kept, added = number(keep), number(share)
    if keep == 0.0:
        for i in range(to.size):
            to[i] = added * number(values[i])
    else:
        for i in range(to.size):
            to[i] = kept * to[i] + added * number(values[i])


@loop
def follow(target: Field, span: float, start: Field, scale: float, change: Field, first: int, last: int) -> None:
    """target = span start + scale change; target and start are double, whatever the change is."""
    a, b = first * CHUNK, min(last * CHUNK, target.size)
    to, before, by = target[a:b], start[a:b], change[a:b]
    for i in range(to.size):
        to[i] = span * before[i] + scale * by[i]


@loop
def even_out(rate: Field, storage: Field, mean: float, out: Field, first: int, last: int) -> None:
    """out = rate mean/storage: the forcing that lets a medium of mean storage change as fast at first."""
    a, b = first * CHUNK, min(last * CHUNK, rate.size)
    values, phi, even, level = rate[a:b], storage[a:b], out[a:b], out.dtype.type(mean)
    for i in range(even.size):
        even[i] = values[i] * (level / phi[i])


@loop
def product(one: Field, other: Field, sums: Field, first: int, last: int) -> None:
    """Sums of the product of two fields."""
    for chunk in range(first, last):
        a, b = chunk * CHUNK, min((chunk + 1) * CHUNK, one.size)
        sums[chunk] = inner(one[a:b], other[a:b])


@loop
def lift(field: Field, least: Field, first: int, last: int) -> None:
    """Keep the smallest value of every chunk, then raise negative values to 0."""
    for chunk in range(first, last):
        values = field[chunk * CHUNK : min((chunk + 1) * CHUNK, field.size)]
        least[chunk] = smallest(values)
        if least[chunk] < 0.0:
            for i in range(values.size):
                values[i] = max(values[i], 0.0)
