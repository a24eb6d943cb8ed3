"""Fit a rigid pose to points seen by a camera (perspective-n-point), by least squares.

This replaces cv2.solvePnP with cv2.solvePnPRefineLM: the same optimum in a tenth of the time, and
the head's pose took 0.11 ms a frame instead of 0.27 (docs/accuracy.md, "Cost of a frame"). It
starts from a scaled orthographic pose (DeMenthon and Davis 1995, "Model-based object pose in 25
lines of code") and refines it by Gauss-Newton steps.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.linear_algebra import dot, rotate, solve_cholesky

# Four or five steps are usual. Chosen by hand: the noise of a landmark is far more than the last
# step; no benchmark covers them.
_MAX_STEPS, _CONVERGED = 20, 1e-8


@compiled("Tuple((f8[:,::1], f8[::1]))(f8[:,::1], f8[:,::1], f8[:,::1])")
def _orthographic_pose(
    points_mm: FloatArray, pseudoinverse: FloatArray, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return about what `fit_pose` returns: as if all points had the same depth."""
    right, down = np.zeros(3), np.zeros(3)
    centroid, centroid_mm = np.zeros(2), np.zeros(3)
    for n in range(len(observed)):
        centroid += observed[n] / len(observed)
        centroid_mm += points_mm[n] / len(observed)
        right += pseudoinverse[:, n] * observed[n, 0]
        down += pseudoinverse[:, n] * observed[n, 1]
    scale_x, scale_y = math.sqrt(dot(right, right)), math.sqrt(dot(down, down))
    # Both are rotated by the same angle to become perpendicular.
    sum_, difference = right / scale_x + down / scale_y, right / scale_x - down / scale_y
    sum_ /= math.sqrt(2.0 * dot(sum_, sum_))
    difference /= math.sqrt(2.0 * dot(difference, difference))
    rotation, translation = np.empty((3, 3)), np.empty(3)
    rotation[0], rotation[1] = sum_ + difference, sum_ - difference
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        rotation[2, i] = rotation[0, j] * rotation[1, k] - rotation[0, k] * rotation[1, j]
    depth_mm = 2.0 / (scale_x + scale_y)
    translation[0] = centroid[0] * depth_mm - dot(rotation[0], centroid_mm)
    translation[1] = centroid[1] * depth_mm - dot(rotation[1], centroid_mm)
    translation[2] = depth_mm - dot(rotation[2], centroid_mm)
    return rotation, translation


@compiled("f8[::1](f8[:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _gauss_newton_delta(
    points_mm: FloatArray, observed: FloatArray, rotation: FloatArray, translation: FloatArray
) -> FloatArray:
    """Return the rotation vector and translation (6,) of one Gauss-Newton step."""
    normal_matrix, right_hand_side = np.zeros((6, 6)), np.zeros(6)
    jacobian = np.zeros((2, 6))
    for n in range(len(observed)):
        a, b = dot(rotation[0], points_mm[n]), dot(rotation[1], points_mm[n])
        c = dot(rotation[2], points_mm[n])
        near = 1.0 / (c + translation[2])
        x, y = near * (a + translation[0]), near * (b + translation[1])
        jacobian[0, 0], jacobian[0, 1] = -b * near * x, near * (c + a * x)
        jacobian[0, 2] = -b * near
        jacobian[1, 0], jacobian[1, 1] = -near * (c + b * y), a * near * y
        jacobian[1, 2] = a * near
        jacobian[0, 3], jacobian[0, 5] = near, -near * x
        jacobian[1, 4], jacobian[1, 5] = near, -near * y
        for i in range(6):
            across, down = jacobian[0, i], jacobian[1, i]
            right_hand_side[i] += across * (observed[n, 0] - x) + down * (observed[n, 1] - y)
            for j in range(i + 1):
                normal_matrix[i, j] += across * jacobian[0, j] + down * jacobian[1, j]
    solve_cholesky(normal_matrix, right_hand_side)
    return right_hand_side


@compiled("Tuple((f8[:,::1], f8[::1]))(f8[:,::1], f8[:,::1], f8[:,::1])")
def fit_pose(
    points_mm: FloatArray, pseudoinverse: FloatArray, observed: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the pose with the least squared reprojection error.

    Parameters
    ----------
    points_mm : FloatArray, shape (n, 3)
        The points in the object's own axes.
    pseudoinverse : FloatArray, shape (3, n)
        Of the points less their centroid.
    observed : FloatArray, shape (n, 2)
        Where they are seen, in focal lengths from the picture's centre.

    Returns
    -------
    rotation : FloatArray, shape (3, 3)
        From the object's axes to the camera's.
    translation : FloatArray, shape (3,)
        In millimetres. Both are NaN where no pose fits.
    """
    rotation, translation = _orthographic_pose(points_mm, pseudoinverse, observed)
    for _ in range(_MAX_STEPS):
        delta = _gauss_newton_delta(points_mm, observed, rotation, translation)
        rotation, translation = rotate(rotation, delta[:3]), translation + delta[3:]
        if (
            dot(delta[:3], delta[:3]) + dot(delta[3:], delta[3:]) / translation[2] ** 2
            < _CONVERGED**2
        ):
            break
    return rotation, translation
