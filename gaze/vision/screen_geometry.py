"""Estimate the point of gaze without calibration: a gaze ray from eyes and head meets the screen.

The camera is assumed at the middle of the screen's upper edge, looking along the screen's normal.

Horizontally, the irises tell how far the eyes are rotated in the head. Vertically they hardly do in
a webcam's picture, but the upper lid follows the gaze and tells more. How high the lids of this
viewer are is unknown: average ones are assumed. `gaze.vision.regression.eyeball_model` starts from
this estimate.
"""

import math
from typing import TYPE_CHECKING

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.sample import Screen

if TYPE_CHECKING:  # the server's own process uses the screen's geometry without the compiler
    from gaze.vision.head.pose import Pose

# Chosen by hand: a 15-inch laptop, and the usual distance to it.
DEFAULT_SCREEN = Screen(1920.0, 1080.0)
ASSUMED_DIAGONAL_MM = 380.0
ASSUMED_DISTANCE_MM = 600.0

# Average eyes, chosen by hand: the iris rotates around the eyeball's centre at this radius, and is
# this far in front of the line between the corners of the eye.
_ROTATION_RADIUS_MM = 10.5
_PROTRUSION_MM = 4.5
# The constants from here on were chosen on real photos (`benchmarks.gaze`, "uncalibrated"). The
# mesh's irises move by this share of their true displacement.
_MESH_GAIN = 0.6
# Degrees of downward gaze per millimetre of iris and per unit of the lids' aspect ratio.
_DOWN_DEG_PER_MM = 6.0
_DOWN_DEG_PER_RATIO = -215.0
AVERAGE_DOWNWARD_DEG = -69.5
"""`downward_deg` of average eyes that look at the middle of the screen."""
_MAX_SINE = 0.9


def px_per_mm(screen: Screen) -> float:
    """Return the screen's scale.

    Parameters
    ----------
    screen : Screen
        An unknown diagonal is assumed to be that of a 15-inch laptop.

    Returns
    -------
    float
    """
    diagonal_mm = screen.diagonal_mm or ASSUMED_DIAGONAL_MM
    return math.hypot(screen.width_px, screen.height_px) / diagonal_mm


def px_per_degree(screen: Screen, distance_mm: float | None = None) -> float:
    """Return how many pixels one degree of gaze covers near the middle of the screen.

    Parameters
    ----------
    screen : Screen
    distance_mm : float or None, default None
        From the eyes to the screen; 600 mm where unknown.

    Returns
    -------
    float
    """
    distance_mm = distance_mm or ASSUMED_DISTANCE_MM
    return px_per_mm(screen) * distance_mm * math.tan(math.radians(1.0))


def downward_deg(offsets_mm: FloatArray, ratios: tuple[float, float]) -> float:
    """Return how far down the eyes look, relative to a zero that differs between viewers.

    Parameters
    ----------
    offsets_mm : FloatArray, shape (2, 2)
        Of the irises from the middles of their eyes.
    ratios : tuple of float
        Eye aspect ratios.

    Returns
    -------
    float
        In degrees; `AVERAGE_DOWNWARD_DEG` for average eyes that look at the screen's middle.
    """
    iris_deg = _DOWN_DEG_PER_MM * float(offsets_mm[:, 1].mean())
    return iris_deg + _DOWN_DEG_PER_RATIO * (ratios[0] + ratios[1]) / 2.0


def gaze_direction(
    offsets_mm: FloatArray, down_deg: float, pose: "Pose", screen: Screen
) -> FloatArray:
    """Return the direction of the gaze ray.

    Parameters
    ----------
    offsets_mm : FloatArray, shape (2, 2)
        Of the irises from the middles of their eyes.
    down_deg : float
        How far below the middle of the screen the eyes look.
    pose : Pose
        Of the head. Horizontally its rotation is added: the eyes rotate in the head, and the mesh
        shows only a share of that.
    screen : Screen

    Returns
    -------
    FloatArray, shape (3,)
        Unit vector in camera space.
    """
    toward_camera = -pose.eyes_mm / np.linalg.norm(pose.eyes_mm)
    right = np.cross((0.0, 1.0, 0.0), -toward_camera)
    right /= np.linalg.norm(right)
    down = np.cross(-toward_camera, right)

    head_sine = float(-pose.rotation[:, 2] @ right)
    offset_mm = float(offsets_mm[:, 0].mean())
    eye_sine = (offset_mm - _PROTRUSION_MM * head_sine) / (_MESH_GAIN * _ROTATION_RADIUS_MM)

    middle_mm = np.array([0.0, screen.height_px / 2.0 / px_per_mm(screen), 0.0]) - pose.eyes_mm
    middle = float(middle_mm @ down / np.linalg.norm(middle_mm))
    angle = math.asin(min(max(middle, -1.0), 1.0)) + math.radians(down_deg)
    sines = np.array([head_sine + eye_sine, math.sin(min(max(angle, -1.1), 1.1))])
    length = float(np.linalg.norm(sines))
    if length > _MAX_SINE:
        sines = sines * (_MAX_SINE / length)
    forward = math.sqrt(1.0 - float(sines @ sines))
    return np.asarray(sines[0] * right + sines[1] * down + forward * toward_camera)


def screen_point_px(eye_mm: FloatArray, direction: FloatArray, screen: Screen) -> FloatArray | None:
    """Return where a gaze ray meets the screen.

    Parameters
    ----------
    eye_mm : FloatArray, shape (3,)
        The ray's origin in camera space.
    direction : FloatArray, shape (3,)
        Its direction.
    screen : Screen

    Returns
    -------
    FloatArray, shape (2,), or None
        None where it never meets the screen.

    Notes
    -----
    The camera image is not mirrored, so the viewer's right, where the screen's x grows, is the
    image's left.
    """
    if direction[2] > -0.05:
        return None
    hit_mm = eye_mm + direction * (-eye_mm[2] / direction[2])
    scale = px_per_mm(screen)
    return np.array([screen.width_px / 2.0 - hit_mm[0] * scale, hit_mm[1] * scale])


def estimate_px(
    offsets_mm: FloatArray, down_deg: float, pose: "Pose", screen: Screen
) -> FloatArray | None:
    """Return the uncalibrated point of gaze.

    Parameters
    ----------
    offsets_mm, down_deg, pose, screen
        As of `gaze_direction`.

    Returns
    -------
    FloatArray, shape (2,), or None
        None where the gaze ray never meets the screen.
    """
    direction = gaze_direction(offsets_mm, down_deg, pose, screen)
    return screen_point_px(pose.eyes_mm, direction, screen)
