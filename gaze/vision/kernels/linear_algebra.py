"""Small dense linear algebra for other kernels.

`solve_cholesky` replaces numpy.linalg.solve and `rotate` cv2.Rodrigues: for six unknowns a call
from Python costs more than the arithmetic, and compiled code cannot call OpenCV. They are part of
the gains given in `perspective_n_point` and `patch_tracking`.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.jit import compiled


@compiled("void(f8[:,::1], f8[::1])")
def solve_cholesky(normal_matrix: FloatArray, right_hand_side: FloatArray) -> None:
    """Solve normal equations in place, by Cholesky decomposition.

    Parameters
    ----------
    normal_matrix : FloatArray, shape (n, n)
        Symmetric and positive definite; only the lower triangle is read. It becomes the
        decomposition's factor.
    right_hand_side : FloatArray, shape (n,)
        It becomes the solution.
    """
    size = len(right_hand_side)
    for row in range(size):
        for column in range(row + 1):
            rest = normal_matrix[row, column]
            for before in range(column):
                rest -= normal_matrix[row, before] * normal_matrix[column, before]
            if column < row:
                normal_matrix[row, column] = rest / normal_matrix[column, column]
            else:
                normal_matrix[row, row] = math.sqrt(max(rest, 1e-300))
    for row in range(size):
        for before in range(row):
            right_hand_side[row] -= normal_matrix[row, before] * right_hand_side[before]
        right_hand_side[row] /= normal_matrix[row, row]
    for row in range(size - 1, -1, -1):
        for after in range(row + 1, size):
            right_hand_side[row] -= normal_matrix[after, row] * right_hand_side[after]
        right_hand_side[row] /= normal_matrix[row, row]


@compiled("f8(f8[::1], f8[::1])")
def dot(one: FloatArray, other: FloatArray) -> float:
    """Return the scalar product of two vectors.

    Parameters
    ----------
    one, other : FloatArray, shape (3,)

    Returns
    -------
    float
    """
    return float(one[0] * other[0] + one[1] * other[1] + one[2] * other[2])


@compiled("f8[:,::1](f8[:,::1], f8[::1])")
def rotate(rotation: FloatArray, rotation_vector: FloatArray) -> FloatArray:
    """Return a rotation followed by another one (Rodrigues' formula).

    Parameters
    ----------
    rotation : FloatArray, shape (3, 3)
        The rotation matrix that is applied first.
    rotation_vector : FloatArray, shape (3,)
        Axis of the second rotation, in the same outer frame, times its angle in radians.

    Returns
    -------
    FloatArray, shape (3, 3)
    """
    x, y, z = rotation_vector[0], rotation_vector[1], rotation_vector[2]
    angle = math.sqrt(x * x + y * y + z * z)
    # sin(a) / a and (1 - cos(a)) / a**2.
    sine, versine = 1.0, 0.5
    if angle > 0.0:
        sine, versine = math.sin(angle) / angle, 2.0 * (math.sin(angle / 2.0) / angle) ** 2
    cosine = 1.0 - versine * angle * angle
    rotated = np.empty((3, 3))
    for i in range(3):
        a, b, c = rotation[0, i], rotation[1, i], rotation[2, i]
        along = versine * (x * a + y * b + z * c)
        rotated[0, i] = cosine * a + sine * (y * c - z * b) + along * x
        rotated[1, i] = cosine * b + sine * (z * a - x * c) + along * y
        rotated[2, i] = cosine * c + sine * (x * b - y * a) + along * z
    return rotated


@compiled("UniTuple(f8, 3)(f8[:,::1], f8, f8, f8)")
def head_to_camera(
    rotation: FloatArray, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Return a vector in the camera's axes.

    Parameters
    ----------
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    x, y, z : float
        The vector in head axes.

    Returns
    -------
    tuple of float
        x, y and z.
    """
    return (
        rotation[0, 0] * x + rotation[0, 1] * y + rotation[0, 2] * z,
        rotation[1, 0] * x + rotation[1, 1] * y + rotation[1, 2] * z,
        rotation[2, 0] * x + rotation[2, 1] * y + rotation[2, 2] * z,
    )


@compiled("UniTuple(f8, 3)(f8[:,::1], f8, f8, f8)")
def camera_to_head(
    rotation: FloatArray, x: float, y: float, z: float
) -> tuple[float, float, float]:
    """Return a vector in the head's axes: the inverse of `head_to_camera`.

    Parameters
    ----------
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    x, y, z : float
        The vector in camera axes.

    Returns
    -------
    tuple of float
        x, y and z.
    """
    return (
        rotation[0, 0] * x + rotation[1, 0] * y + rotation[2, 0] * z,
        rotation[0, 1] * x + rotation[1, 1] * y + rotation[2, 1] * z,
        rotation[0, 2] * x + rotation[1, 2] * y + rotation[2, 2] * z,
    )
