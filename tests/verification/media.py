"""Linear systems for the verification of the diffusion solver, built without the tissue's anatomy."""

import math

import numpy as np
import scipy.sparse as sparse

from abm.tissue.medium import cosine_eigenvalues, face_conductance, mean_conductance
from abm.tissue.solver import Medium, Progress, advance_implicit, working_space
from abm.tissue.transform import cosines, on_modes
from abm.tissue.uniform import UniformField


def medium(shape, voxel=1.0, diffusivity=1.0, storage=1.0, loss=0.0, source=0.0, conductance=1.0):
    """A Medium on a (z, y, x) grid; numbers stand for uniform fields. conductance: alpha/lambda^2."""

    def field(value):
        return np.broadcast_to(np.asarray(value, float), shape).copy()  # read-only, it would be compiled anew

    storage, loss, source = field(storage).ravel(), field(loss).ravel(), field(source).ravel()
    faces = face_conductance(field(conductance) / voxel**2)
    return Medium(
        shape,
        storage,
        loss,
        source,
        faces.reshape(3, -1),
        cosine_eigenvalues(on_modes(shape)),
        float(diffusivity),
        float(storage.mean()),
        float(loss.mean()),
        float(source.mean()),
        float(loss.max()),
        mean_conductance(faces),
        cosines(shape, np.float64),
    )


def advance(system: Medium, c: np.ndarray, duration: float, tolerance: float, step: float = math.inf):
    """Advance the field c (z, y, x) in place by the error-controlled solver; its time integral and the progress."""
    flat, integral = c.reshape(-1), np.empty(c.size)
    progress = advance_implicit(
        system, duration, min(step, duration), tolerance, flat, integral, working_space(system.shape)
    )
    c[:] = flat.reshape(c.shape)
    return integral.reshape(c.shape), progress


def implicit(system: Medium, c: np.ndarray, duration: float, tolerance: float = 1e-8) -> tuple[np.ndarray, Progress]:
    """The field after `duration` by the error-controlled solver."""
    after = c.copy()
    return after, advance(system, after, duration, tolerance)[1]


def exact(system: Medium, c: np.ndarray, duration: float) -> np.ndarray:
    """The field after `duration` by the exact solver for uniform coefficients."""
    storage = system.mean_storage
    spread = system.diffusivity * system.mean_face / storage
    field = UniformField(c, 1.0, spread, system.mean_loss / storage, system.source.reshape(c.shape) / storage)
    field.advance(duration)
    return field.read()


def rate_matrix(system: Medium) -> sparse.csr_matrix:
    """A of dc/dt = A c + s/phi, assembled face by face: independent of the solver's stencil."""
    shape = system.shape
    faces = system.faces.reshape(3, *shape)
    number = np.arange(math.prod(shape)).reshape(shape)
    matrix = sparse.lil_matrix((number.size, number.size))
    for axis in range(3):
        for near in np.ndindex(shape):
            far = tuple(k + (a == axis) for a, k in enumerate(near))
            if far[axis] < shape[axis]:
                g = system.diffusivity * faces[(axis, *near)]
                for one, other in ((near, far), (far, near)):
                    matrix[number[one], number[one]] -= g
                    matrix[number[one], number[other]] += g
    matrix = matrix.tocsr() - sparse.diags(system.loss)
    return sparse.diags(1.0 / system.storage) @ matrix


def centres(n: int, length: float) -> np.ndarray:
    """Middles of n voxels on (0, length)."""
    return (np.arange(n) + 0.5) * (length / n)
