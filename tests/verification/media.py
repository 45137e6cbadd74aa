"""Linear systems for the verification of the diffusion solver, built without the tissue's anatomy."""

import math

import numpy as np
import scipy.sparse as sparse

from abm.tissue.medium import cosine_eigenvalues, face_conductance
from abm.tissue.solver import Medium, Progress, advance_implicit, advance_uniform


def medium(shape, voxel=1.0, diffusivity=1.0, storage=1.0, loss=0.0, source=0.0, conductance=1.0):
    """A Medium on a (z, y, x) grid; numbers stand for uniform fields. conductance: alpha/lambda^2."""

    def field(value):
        return np.ascontiguousarray(np.broadcast_to(np.asarray(value, float), shape))

    storage, loss, source = field(storage), field(loss), field(source)
    faces = face_conductance(field(conductance) / voxel**2)
    inside = faces[faces > 0.0]
    return Medium(
        storage,
        loss,
        source,
        faces,
        cosine_eigenvalues(shape),
        float(diffusivity),
        float(storage.mean()),
        float(loss.mean()),
        float(inside.mean()) if inside.size else 0.0,
    )


def implicit(system: Medium, c: np.ndarray, duration: float, tolerance: float = 1e-8) -> tuple[np.ndarray, Progress]:
    """The field after `duration` by the error-controlled solver."""
    after = c.copy()
    progress = advance_implicit(system, duration, duration, tolerance, after, np.empty_like(after))
    return after, progress


def exact(system: Medium, c: np.ndarray, duration: float) -> np.ndarray:
    """The field after `duration` by the exact solver for uniform coefficients."""
    after = c.copy()
    advance_uniform(system, duration, after, np.empty_like(after))
    return after


def rate_matrix(system: Medium) -> sparse.csr_matrix:
    """A of dc/dt = A c + s/phi, assembled face by face: independent of the solver's stencil."""
    shape = system.storage.shape
    number = np.arange(math.prod(shape)).reshape(shape)
    matrix = sparse.lil_matrix((number.size, number.size))
    for axis in range(3):
        for near in np.ndindex(shape):
            far = tuple(k + (a == axis) for a, k in enumerate(near))
            if far[axis] < shape[axis]:
                g = system.diffusivity * system.faces[(axis, *near)]
                for one, other in ((near, far), (far, near)):
                    matrix[number[one], number[one]] -= g
                    matrix[number[one], number[other]] += g
    matrix = matrix.tocsr() - sparse.diags(system.loss.ravel())
    return sparse.diags(1.0 / system.storage.ravel()) @ matrix


def centres(n: int, length: float) -> np.ndarray:
    """Middles of n voxels on (0, length)."""
    return (np.arange(n) + 0.5) * (length / n)
