"""Workload W1: five substrates spread from point sources for a minute, in a uniform or a layered block.

n^3 voxels of 20 um, no flux through the walls, nothing there at first; per substrate

    dc/dt = div(D grad c) - loss c + rate(x) f(t)

D and loss as below; (n/8)^3 source voxels; f(t) holds for 10 s each and the field is read after every 10 s. In the
layered block D is halved in every second of eight sheets of equal thickness.

    python benchmarks/diffusion_ours.py 32 64 128

prints the time, and the error against a solution that is exact in time: by cosine modes for the uniform block, by
`scipy.sparse.linalg.expm_multiply` for the layered block of 32^3 voxels.
"""

import sys
import time

import numpy as np
import numpy.typing as npt
import scipy.fft
import scipy.sparse as sparse
from scipy.sparse.linalg import expm_multiply

from abm.tissue.medium import cosine_eigenvalues, face_conductance, mean_conductance
from abm.tissue.solver import Medium, working_space
from abm.tissue.threads import implicit_on, threads_for
from abm.tissue.uniform import UniformField

VOXEL, WINDOW = 20.0, 10.0  # um, s
DIFFUSIVITY = (1000.0, 1000.0, 100.0, 500.0, 50.0)  # um^2/s
LOSS = (1e-2, 2e-2, 1e-3, 2e-3, 1e-3)  # 1/s
RATE = (10.0, 20.0, 1.0, 1.0, 0.5)  # umol/L/s in a source voxel
STRENGTH = (1.0, 0.25, 1.0, 0.0, 0.5, 1.0)
SHEETS, CONTRAST = 8, 2.0
TOLERANCE = 6e-3  # of the layered block, relative local error

Field = npt.NDArray[np.floating]


def sources(n: int) -> npt.NDArray[np.float64]:
    """1 in the source voxels, 0 elsewhere."""
    field = np.zeros(n**3)
    field[np.sort(np.random.Generator(np.random.Philox(2026)).choice(n**3, (n // 8) ** 3, replace=False))] = 1.0
    return field.reshape(n, n, n)


def conductance(n: int, layered: bool) -> npt.NDArray[np.float64]:
    """D relative to its largest, over the squared edge of a voxel."""
    sheet = np.arange(n) * SHEETS // n % 2
    along = np.where(sheet == 1, 1.0 / CONTRAST, 1.0) if layered else np.ones(n)
    return np.broadcast_to(along[:, None, None] / VOXEL**2, (n, n, n))


def solve(n: int, layered: bool, dtype: type = np.float64) -> tuple[Field, float]:
    """Final fields (5, n, n, n) and seconds taken, compilation and drawing left out; dtype: of the uniform block."""
    march = _march_layered if layered else _march_uniform
    march(8, sources(8), dtype)
    if threads_for(n**3) > 1:  # passes are called from the interpreter then
        march(48, sources(48), dtype)
    pattern = sources(n)
    begin = time.perf_counter()
    fields = march(n, pattern, dtype)
    return fields, time.perf_counter() - begin


def _march_uniform(n: int, pattern: Field, dtype: type) -> Field:
    fields = np.empty((5, n, n, n), dtype)
    zero = np.zeros((n, n, n), dtype)
    for row, (diffusivity, loss, rate) in enumerate(zip(DIFFUSIVITY, LOSS, RATE, strict=True)):
        substrate = UniformField(zero, VOXEL, diffusivity, loss, rate * pattern)
        for strength in STRENGTH:
            substrate.advance(WINDOW, strength)
            substrate.read(fields[row])
    return fields


def _march_layered(n: int, pattern: Field, _: type) -> Field:
    shape, workers = (n, n, n), threads_for(n**3)
    fields, integral, work = np.zeros((5, n**3)), np.empty(n**3), working_space(shape)
    faces, storage = face_conductance(conductance(n, True)), np.ones(n**3)
    mean_face, advance = mean_conductance(faces), implicit_on(workers)
    for row, (diffusivity, loss, rate) in enumerate(zip(DIFFUSIVITY, LOSS, RATE, strict=True)):
        step, losses = WINDOW, np.full(n**3, loss)
        for strength in STRENGTH:
            source = rate * strength * pattern.reshape(-1)
            medium = Medium(
                shape, storage, losses, source, faces.reshape(3, -1), cosine_eigenvalues(shape), diffusivity,
                1.0, loss, float(source.mean()), loss, mean_face, workers,
            )  # fmt: skip
            step = advance(medium, WINDOW, step, TOLERANCE, fields[row], integral, work).step
    return fields.reshape(5, n, n, n)


def exact_uniform(n: int) -> npt.NDArray[np.float64]:
    """The uniform block exactly in time, by cosine modes."""
    along = (2.0 - 2.0 * np.cos(np.pi * np.arange(n) / n)) / VOXEL**2
    eigenvalue = along[:, None, None] + along[:, None] + along
    modes = scipy.fft.dctn(sources(n))
    fields = np.empty((5, n, n, n))
    for row, (diffusivity, loss, rate) in enumerate(zip(DIFFUSIVITY, LOSS, RATE, strict=True)):
        speed, state = loss + diffusivity * eigenvalue, np.zeros((n, n, n))
        for strength in STRENGTH:
            once = -np.expm1(-speed * WINDOW) / speed
            state = state * np.exp(-speed * WINDOW) + rate * strength * modes * once
        fields[row] = scipy.fft.idctn(state)
    return fields


def exact_layered(n: int) -> npt.NDArray[np.float64]:
    """The layered block exactly in time: exponentials of the matrix, with the source as one more unknown."""
    faces, number = face_conductance(conductance(n, True)), np.arange(n**3).reshape(n, n, n)
    fields = np.empty((5, n**3))
    for row, (diffusivity, loss, rate) in enumerate(zip(DIFFUSIVITY, LOSS, RATE, strict=True)):
        spread = sparse.csr_matrix((n**3, n**3))
        for axis in range(3):
            near = np.moveaxis(number, axis, 0)[:-1].ravel()
            far = np.moveaxis(number, axis, 0)[1:].ravel()
            g = diffusivity * np.moveaxis(faces[axis], axis, 0)[:-1].ravel()
            pairs = np.r_[near, far, near, far], np.r_[far, near, near, far]
            spread += sparse.csr_matrix((np.r_[g, g, -g, -g], pairs), shape=spread.shape)
        c = np.zeros(n**3)
        for strength in STRENGTH:
            column = sparse.csr_matrix(rate * strength * sources(n).reshape(-1, 1))
            whole = sparse.bmat([[spread - loss * sparse.identity(n**3), column], [None, sparse.csr_matrix((1, 1))]])
            c = expm_multiply(whole.tocsr() * WINDOW, np.r_[c, 1.0])[:-1]
        fields[row] = c
    return fields.reshape(5, n, n, n)


def error(found: Field, exact: Field) -> float:
    """Largest relative root mean square error of the substrates."""
    apart = np.sqrt(((found - exact) ** 2).sum(axis=(1, 2, 3)) / (exact**2).sum(axis=(1, 2, 3)))
    return float(apart.max())


def main(sizes: list[int]) -> None:
    """Print times and errors for each n."""
    print("   n  block          seconds  relative error")
    for n in sizes:
        exact = exact_uniform(n)
        for dtype in (np.float64, np.float32):
            found, seconds = solve(n, False, dtype)
            print(f"{n:4d}  uniform {np.dtype(dtype).name}  {seconds:6.3f}  {error(found, exact):.1e}")
        found, seconds = solve(n, True)
        told = f"{error(found, exact_layered(n)):.1e}" if n <= 32 else ""
        print(f"{n:4d}  layered          {seconds:6.3f}  {told}", flush=True)


if __name__ == "__main__":
    main([int(n) for n in sys.argv[1:]] or [32, 64])
