"""The solver's passes over cosine modes, where the medium with all coefficients replaced by their means is diagonal.

Mode m of it decays at the rate L = (mean k + D mean(g) mu)/mean(phi). Of the forcing psi (a constant rate of change of
amount since the start of a step of length h) follow exactly

    change  = psi/mean(phi) h phi1(h L),       phi1(x) = (1 - e^-x)/x
    extra   = psi/mean(phi) h^2 phi2(h L),     phi2(x) = (1 - phi1(x))/x

change: of the concentration; extra: time integral of the concentration in excess of that at the start.
"""

import numpy as np

from abm.elementary import exponential
from abm.loops import loop
from abm.sums import Field, inner
from abm.tissue.transform import Shape

SERIES, TERMS = 0.1, 11  # below it the differences of exponentials are summed as series, to rounding
NOTHING = 1e-17  # what is left of a mode below which 1 less it is 1
SLOW = 3.0  # see `precondition`
ROWS = 64  # rows of modes in a chunk


@loop
def averages(x: float) -> tuple[float, float]:
    """phi1(x) and phi2(x) of the module's text, x >= 0; for small x by the nested series 1/2 - x/3! + x^2/4! ..."""
    if x >= SERIES:
        first = (1.0 - exponential(-x)) / x
        return first, (1.0 - first) / x
    found = 1.0
    for n in range(TERMS, 2, -1):
        found = 1.0 - found * x / n
    return 1.0 - 0.5 * x * found, 0.5 * found


@loop
def predict(
    shape: Shape,
    eigenvalues: Field,
    slowest: float,
    spread: float,
    share: float,
    h: float,
    forcing: Field,
    change: Field,
    extra: Field,
    first: int,
    last: int,
) -> None:
    """change and extra of the module's text from forcing, all three on cosine modes.

    Rates are slowest + spread mu (1/h), mu the sum of an eigenvalue of each axis; share: 1/mean(phi).
    """
    depth, rows, columns = shape
    number = forcing.dtype.type
    decays = np.empty(eigenvalues.size)  # a mode's decay is the product of those of its three eigenvalues
    along, decay = np.empty(columns, forcing.dtype), np.empty(columns, forcing.dtype)
    for i in range(decays.size):
        # Products of less would be too small for the processor to be fast.
        left = exponential(-h * spread * eigenvalues[i])
        decays[i] = left if left > NOTHING else 0.0
    for i in range(columns):
        along[i], decay[i] = spread * eigenvalues[depth + rows + i], decays[depth + rows + i]
    part, step, one, half = number(share), number(h), number(1.0), number(0.5)
    start, small = exponential(-h * slowest), number(SERIES)
    for row in range(first * ROWS, min(last * ROWS, depth * rows)):
        z, y, a = row // rows, depth + row % rows, row * columns
        base, left = slowest + spread * (eigenvalues[z] + eigenvalues[y]), start * decays[z] * decays[y]
        psi, new, more = forcing[a : a + columns], change[a : a + columns], extra[a : a + columns]
        least, kept = number(base), number(left if left > NOTHING else 0.0)
        if h * base < SERIES:
            for i in range(columns):
                rate = least + along[i]
                x = step * rate
                risen = (one - kept * decay[i]) / rate
                grown = (step - risen) / rate
                # Both ways, so that several modes are reckoned at once.
                series = one
                for n in range(TERMS, 2, -1):
                    series = one - series * (x * (one / number(n)))
                series *= half
                risen = step * (one - x * series) if x < small else risen
                grown = step * step * series if x < small else grown
                new[i], more[i] = part * psi[i] * risen, part * psi[i] * grown
            continue
        for i in range(columns):
            rate = least + along[i]
            risen = (one - kept * decay[i]) / rate
            new[i], more[i] = part * psi[i] * risen, part * psi[i] * ((step - risen) / rate)


@loop
def precondition(
    shape: Shape,
    eigenvalues: Field,
    level: float,
    loss: float,
    spread: float,
    span: float,
    unsure: float,
    defect: Field,
    sums: Field,
    first: int,
    last: int,
) -> None:
    """Divide a defect on cosine modes by level + spread mu, the mean medium's part, which gives the correction.

    Sums by Parseval's theorem: (0) defect times correction; (1) the square of the correction; (2) the square of the
    part of it that is in doubt. A correction hangs on how the defect grows during the step, which is not known. Taking
    it as steady or as growing changes slow modes (x = span (loss + spread mu) small) by x/6; measured on layered media,
    the error is x/3 of them, and the share `unsure` of fast ones.
    """
    depth, rows, columns = shape
    number = defect.dtype.type
    along, doubt = np.empty(columns, defect.dtype), np.empty(columns, defect.dtype)
    for i in range(columns):
        along[i] = spread * eigenvalues[depth + rows + i]
    length, slow, fast = number(span), number(SLOW), number(1.0 / unsure)
    for chunk in range(first, last):
        products = squares = doubts = 0.0
        for row in range(chunk * ROWS, min((chunk + 1) * ROWS, depth * rows)):
            z, y, a = row // rows, row % rows, row * columns
            base, values = spread * (eigenvalues[z] + eigenvalues[depth + y]), defect[a : a + columns]
            held, lost = number(level + base), number(loss + base)
            for i in range(columns):
                doubt[i] = values[i] / (held + along[i])
            # The mean of an axis counts half of what its other modes do.
            weight = 0.5 / columns * (0.25 if y == 0 else 0.5) / rows
            if depth > 1:
                weight *= (0.25 if z == 0 else 0.5) / depth
            products += weight * (inner(values, doubt) - 0.5 * values[0] * doubt[0])
            for i in range(columns):
                values[i] = doubt[i]
                x = length * (lost + along[i])
                doubt[i] *= x / (slow + fast * x)
            squares += weight * (inner(values, values) - 0.5 * values[0] * values[0])
            doubts += weight * (inner(doubt, doubt) - 0.5 * doubt[0] * doubt[0])
        sums[0, chunk], sums[1, chunk], sums[2, chunk] = products, squares, doubts
