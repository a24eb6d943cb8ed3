"""Face landmarks of a head of average size whose pose, irises and lids are known exactly."""

import math

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYES, LANDMARKS
from gaze.vision.head.pose import (
    IRIS_DIAMETER_MM,
    RIGID,
    RIGID_MM,
    focal_length_px,
)

Array = NDArray[np.float64]

WIDTH, HEIGHT = 640, 480


def rotation(yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> Array:
    """Return the rotation from head axes to camera axes, with the signs of `Head`.

    Parameters
    ----------
    yaw_deg, pitch_deg, roll_deg : float, default 0
        Applied in this order.

    Returns
    -------
    ndarray, shape (3, 3)
        Roll @ pitch @ yaw.
    """
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    about_y = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    return np.asarray(about_z @ about_x @ about_y)


def make_landmarks(
    head_rotation: Array | None = None,
    eyes_mm: tuple[float, float, float] = (0.0, 0.0, 600.0),
    iris_mm: tuple[float, float] = (0.0, 0.0),
    ratio: float = 0.3,
) -> Landmarks:
    """Project the average head into a 640x480 camera.

    Parameters
    ----------
    head_rotation : ndarray, shape (3, 3), optional
        From head axes to camera axes; by default the head faces the camera.
    eyes_mm : tuple of float, default (0, 0, 600)
        The point midway between the eyes, in camera space.
    iris_mm : tuple of float, default (0, 0)
        Offset of both irises from the middle of their eyes, as the camera sees it.
    ratio : float, default 0.3
        Eye aspect ratio: the lids' distance over the eye's width.

    Returns
    -------
    Landmarks
        All points that `gaze.vision` reads; the others are zero.
    """
    to_camera = np.eye(3) if head_rotation is None else head_rotation
    focal_px = focal_length_px(WIDTH)
    corners = [list(RIGID).index(number) for number in (33, 133, 362, 263)]
    points_mm = (RIGID_MM - RIGID_MM[corners].mean(axis=0)) @ to_camera.T + np.array(eyes_mm)
    points = np.zeros((LANDMARKS, 3))
    scale = focal_px / eyes_mm[2]
    points[RIGID, :2] = points_mm[:, :2] / points_mm[:, 2:] * focal_px + (WIDTH / 2, HEIGHT / 2)
    points[RIGID, 2] = (points_mm[:, 2] - eyes_mm[2]) * scale
    radius_px = IRIS_DIAMETER_MM / 2 * scale
    for eye in EYES:
        outer, inner = points[eye.outer], points[eye.inner]
        middle = (outer + inner) / 2
        points[eye.iris, :2] = middle[:2] + np.array(iris_mm) * scale
        for number, direction in zip(
            eye.iris_contour, ((1, 0), (0, -1), (-1, 0), (0, 1)), strict=True
        ):
            points[number, :2] = points[eye.iris, :2] + np.array(direction) * radius_px
        half = np.linalg.norm(outer - inner) * ratio / 2
        for upper, lower in eye.lid_pairs:
            points[upper] = middle - np.array([0.0, half, 0.0])
            points[lower] = middle + np.array([0.0, half, 0.0])
    return Landmarks(points, WIDTH, HEIGHT)
