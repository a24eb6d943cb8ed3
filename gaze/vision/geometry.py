"""The point of gaze without calibration: turn of the eyes, head and distance, met by the screen.

The camera is assumed at the middle of the screen's upper edge, looking along the screen's normal.
"""

import math

import numpy as np
from numpy.typing import NDArray

from gaze.vision.eyes import IRIS_ORBIT_MM
from gaze.vision.pose import Pose
from gaze.vision.sample import Screen

DEFAULT_SCREEN = Screen(1920.0, 1080.0)
ASSUMED_DIAGONAL_MM = 380.0
USUAL_DISTANCE_MM = 600.0

# The mesh's irises follow the true ones by less than their whole way, most of all up and down.
_FOLLOWED = np.array([0.75, 0.5])
# Where the irises of somebody who looks straight into the camera stand (mm, x right, y down):
# above the line between the corners of the eye.
_REST_MM = np.array([0.0, -0.8])
_MAX_SINE = 0.9


def px_per_mm(screen: Screen) -> float:
    """Return the screen's scale; an unknown diagonal is taken as that of a 15-inch laptop."""
    diagonal_mm = screen.diagonal_mm or ASSUMED_DIAGONAL_MM
    return math.hypot(screen.width_px, screen.height_px) / diagonal_mm


def px_per_degree(screen: Screen, distance_mm: float | None = None) -> float:
    """Return how many pixels one degree of gaze covers near the middle of the screen."""
    distance_mm = distance_mm or USUAL_DISTANCE_MM
    return px_per_mm(screen) * distance_mm * math.tan(math.radians(1.0))


def gaze_direction(
    offset_mm: NDArray[np.float64], eye_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the unit vector (3,) along which an eye looks, in camera space.

    `offset_mm` (2,) is how far its iris stands from the resting place, seen along the line from
    the camera to the eye at `eye_mm` (3,); no offset means: into the camera.
    """
    sine = (offset_mm - _REST_MM) / _FOLLOWED / IRIS_ORBIT_MM
    length = float(np.linalg.norm(sine))
    if length > _MAX_SINE:
        sine = sine * (_MAX_SINE / length)
    toward_camera = -eye_mm / np.linalg.norm(eye_mm)
    right = np.cross(np.array([0.0, 1.0, 0.0]), -toward_camera)
    right /= np.linalg.norm(right)
    down = np.cross(-toward_camera, right)
    return np.asarray(
        sine[0] * right + sine[1] * down + math.sqrt(1.0 - float(sine @ sine)) * toward_camera
    )


def screen_point_px(
    eye_mm: NDArray[np.float64], direction: NDArray[np.float64], screen: Screen
) -> NDArray[np.float64] | None:
    """Return where the line of sight meets the screen (2,), None where it never does.

    The camera image is not mirrored, so the viewer's right, where the screen's x grows, is the
    image's left.
    """
    if direction[2] > -0.05:
        return None
    hit_mm = eye_mm + direction * (-eye_mm[2] / direction[2])
    scale = px_per_mm(screen)
    return np.array([screen.width_px / 2.0 - hit_mm[0] * scale, hit_mm[1] * scale])


def estimate_px(
    offsets_mm: NDArray[np.float64], pose: Pose, screen: Screen
) -> NDArray[np.float64] | None:
    """Return the uncalibrated point of gaze (2,) from the iris offsets (2, 2) of both eyes."""
    direction = gaze_direction(offsets_mm.mean(axis=0), pose.eyes_mm)
    return screen_point_px(pose.eyes_mm, direction, screen)
