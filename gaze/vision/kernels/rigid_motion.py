"""Move rigid heads, and project their points into the picture.

This replaces cv2.projectPoints (and its Jacobian) and cv2.Rodrigues for a few dozen points, where
calls from Python cost more than the arithmetic; the gain is part of that of `patch_tracking`.

A change of a pose is a vector (6,): a rotation vector in radians and a translation in millimetres.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.linear_algebra import dot


@compiled("f8[::1](f8[:,::1], f8[::1])")
def change_to_camera(rotation: FloatArray, change: FloatArray) -> FloatArray:
    """Return a change of pose, given in the head's axes, in the camera's axes.

    Parameters
    ----------
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    change : FloatArray, shape (6,)
        In head axes.

    Returns
    -------
    FloatArray, shape (6,)
    """
    in_camera = np.empty(6)
    for i in range(3):
        in_camera[i] = dot(rotation[i], change[:3])
        in_camera[3 + i] = dot(rotation[i], change[3:])
    return in_camera


@compiled("f8[::1](f8[:,::1], f8[::1], f8[:,::1], f8[::1])")
def change_between(
    rotation: FloatArray, eyes_mm: FloatArray, to_rotation: FloatArray, to_eyes_mm: FloatArray
) -> FloatArray:
    """Return the change from one pose to another, in the head's axes at the first.

    Parameters
    ----------
    rotation, to_rotation : FloatArray, shape (3, 3)
        From head axes to camera axes; less than half a turn apart.
    eyes_mm, to_eyes_mm : FloatArray, shape (3,)
        The point between the eyes in camera space.

    Returns
    -------
    FloatArray, shape (6,)
    """
    change, between = np.zeros(6), np.zeros((3, 3))
    for k in range(3):
        for i in range(3):
            change[3 + i] += rotation[k, i] * (to_eyes_mm[k] - eyes_mm[k])
            for j in range(3):
                between[i, j] += rotation[k, i] * to_rotation[k, j]
    change[0] = between[2, 1] - between[1, 2]
    change[1] = between[0, 2] - between[2, 0]
    change[2] = between[1, 0] - between[0, 1]
    sine = math.sqrt(dot(change[:3], change[:3]))
    angle = math.atan2(sine, between[0, 0] + between[1, 1] + between[2, 2] - 1.0)
    change[:3] *= angle / sine if sine > 0.0 else 0.5
    return change


@compiled("f8(f8[:,::1], f8[:,::1])")
def angle_between_deg(one: FloatArray, other: FloatArray) -> float:
    """Return the angle between two rotations.

    Parameters
    ----------
    one, other : FloatArray, shape (3, 3)

    Returns
    -------
    float
        In degrees.
    """
    trace = dot(one[0], other[0]) + dot(one[1], other[1]) + dot(one[2], other[2])
    return math.degrees(math.acos(min(max((trace - 1.0) / 2.0, -1.0), 1.0)))


@compiled("f8[:,::1](f8[:,::1], f8[:,::1], f8[::1], f8)")
def project(
    points_mm: FloatArray, rotation: FloatArray, eyes_mm: FloatArray, focal_px: float
) -> FloatArray:
    """Return where points of a head are seen.

    Parameters
    ----------
    points_mm : FloatArray, shape (n, 3)
        In head axes, from the point between the eyes.
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    eyes_mm : FloatArray, shape (3,)
        The point between the eyes in camera space.
    focal_px : float
        Focal length.

    Returns
    -------
    FloatArray, shape (n, 2)
        In pixels from the picture's centre.
    """
    projected = np.empty((len(points_mm), 2))
    for n in range(len(projected)):
        scale = focal_px / (dot(rotation[2], points_mm[n]) + eyes_mm[2])
        projected[n, 0] = scale * (dot(rotation[0], points_mm[n]) + eyes_mm[0])
        projected[n, 1] = scale * (dot(rotation[1], points_mm[n]) + eyes_mm[1])
    return projected


@compiled(
    "Tuple((f8[:,::1], f8[:,:,::1], f8[:,::1]))(f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)"
)
def project_with_jacobians(
    points_mm: FloatArray,
    rays: FloatArray,
    rotation: FloatArray,
    eyes_mm: FloatArray,
    focal_px: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return where points of a head are seen, and the derivatives of that.

    Parameters
    ----------
    points_mm, rotation, eyes_mm, focal_px
        As of `project`.
    rays : FloatArray, shape (n, 3)
        The directions in head axes along which the points' depths are uncertain.

    Returns
    -------
    projected : FloatArray, shape (n, 2)
        In pixels from the picture's centre.
    pose_jacobian : FloatArray, shape (n, 2, 6)
        By the change of the head's pose in camera axes.
    depth_jacobian : FloatArray, shape (n, 2)
        By the points' depths along their rays.
    """
    projected = project(points_mm, rotation, eyes_mm, focal_px)
    pose_jacobian, depth_jacobian = np.zeros((len(projected), 2, 6)), np.empty((len(projected), 2))
    for n in range(len(projected)):
        a, b = dot(rotation[0], points_mm[n]), dot(rotation[1], points_mm[n])
        c = dot(rotation[2], points_mm[n])
        z = c + eyes_mm[2]
        scale = focal_px / z
        for i in range(2):
            by_z = -projected[n, i] / z
            pose_jacobian[n, i, 0], pose_jacobian[n, i, 1] = b * by_z, -a * by_z
            pose_jacobian[n, i, 3 + i], pose_jacobian[n, i, 5] = scale, by_z
            depth_jacobian[n, i] = scale * dot(rotation[i], rays[n])
            depth_jacobian[n, i] += by_z * dot(rotation[2], rays[n])
        pose_jacobian[n, 0, 1] += c * scale
        pose_jacobian[n, 0, 2] = -b * scale
        pose_jacobian[n, 1, 0] -= c * scale
        pose_jacobian[n, 1, 2] = a * scale
    return projected, pose_jacobian, depth_jacobian
