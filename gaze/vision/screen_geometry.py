"""The point of gaze without calibration: turn of head and eyes, and distance, met by the screen.

The camera is assumed at the middle of the screen's upper edge, looking along the screen's normal.

Sideways, the irises tell how far the eyes turn in the head. Up and down they hardly do in a
webcam's picture, but the upper lid goes along with the gaze and says more. How high the lids of
this viewer stand is not known beforehand: average ones are assumed.
`gaze.vision.regression.eyeball_model` begins with this estimate and goes on from there.
"""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gaze.vision.sample import Screen

if TYPE_CHECKING:  # the server reckons with screens, and finds no poses
    from gaze.vision.head.pose import Pose

DEFAULT_SCREEN = Screen(1920.0, 1080.0)
ASSUMED_DIAGONAL_MM = 380.0
USUAL_DISTANCE_MM = 600.0

# The iris turns around the eyeball's centre at this radius, and stands this far in front of the
# line between the corners of the eye.
_ORBIT_MM = 10.5
_PROTRUSION_MM = 4.5
# The mesh lets the irises follow this share of their true way in the head.
_FOLLOWED = 0.6
# Degrees of downward gaze per millimetre of iris and per unit of the lids' aspect ratio.
_DOWN_PER_MM = 6.0
_DOWN_PER_RATIO = -215.0
USUAL_LEVEL_DEG = -69.5
"""What these make of average eyes that look at the middle of the screen."""
_MAX_SINE = 0.9


def px_per_mm(screen: Screen) -> float:
    """Return the screen's scale; an unknown diagonal is taken as that of a 15-inch laptop."""
    diagonal_mm = screen.diagonal_mm or ASSUMED_DIAGONAL_MM
    return math.hypot(screen.width_px, screen.height_px) / diagonal_mm


def px_per_degree(screen: Screen, distance_mm: float | None = None) -> float:
    """Return how many pixels one degree of gaze covers near the middle of the screen."""
    distance_mm = distance_mm or USUAL_DISTANCE_MM
    return px_per_mm(screen) * distance_mm * math.tan(math.radians(1.0))


def downward_deg(offsets_mm: NDArray[np.float64], ratios: tuple[float, float]) -> float:
    """Return how far down the eyes look, from a level that differs between viewers.

    `offsets_mm` (2, 2) are the irises' offsets and `ratios` the lids' aspect ratios.
    """
    iris_deg = _DOWN_PER_MM * float(offsets_mm[:, 1].mean())
    return iris_deg + _DOWN_PER_RATIO * (ratios[0] + ratios[1]) / 2.0


def gaze_direction(
    offsets_mm: NDArray[np.float64], down_deg: float, pose: "Pose", screen: Screen
) -> NDArray[np.float64]:
    """Return the unit vector (3,) along which the viewer looks, in camera space.

    `down_deg` is how far below the middle of the screen. Sideways, the head's own turn counts
    too: the eyes turn in the head, and the mesh shows only a share of that.
    """
    toward_camera = -pose.eyes_mm / np.linalg.norm(pose.eyes_mm)
    right = np.cross((0.0, 1.0, 0.0), -toward_camera)
    right /= np.linalg.norm(right)
    down = np.cross(-toward_camera, right)

    turned = float(-pose.rotation[:, 2] @ right)
    offset_mm = float(offsets_mm[:, 0].mean())
    across = turned + (offset_mm - _PROTRUSION_MM * turned) / (_FOLLOWED * _ORBIT_MM)

    middle_mm = np.array([0.0, screen.height_px / 2.0 / px_per_mm(screen), 0.0]) - pose.eyes_mm
    middle = float(middle_mm @ down / np.linalg.norm(middle_mm))
    angle = math.asin(min(max(middle, -1.0), 1.0)) + math.radians(down_deg)
    sine = np.array([across, math.sin(min(max(angle, -1.1), 1.1))])
    length = float(np.linalg.norm(sine))
    if length > _MAX_SINE:
        sine = sine * (_MAX_SINE / length)
    forward = math.sqrt(1.0 - float(sine @ sine))
    return np.asarray(sine[0] * right + sine[1] * down + forward * toward_camera)


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
    offsets_mm: NDArray[np.float64], down_deg: float, pose: "Pose", screen: Screen
) -> NDArray[np.float64] | None:
    """Return the uncalibrated point of gaze (2,); arguments as of `gaze_direction`."""
    direction = gaze_direction(offsets_mm, down_deg, pose, screen)
    return screen_point_px(pose.eyes_mm, direction, screen)
