"""Where the head is and how it is turned, from landmarks and a face of average size.

The rotation comes from a perspective-n-point fit of those landmarks that hardly move with the
expression; the distance comes from the iris, whose visible diameter is 11.7 +- 0.5 mm in nearly
everybody (Hashemi et al. 2012, "White-to-white corneal diameter distribution").
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.face import Landmarks
from gaze.vision.sample import Head

IRIS_DIAMETER_MM = 11.7
ASSUMED_HORIZONTAL_FOV_DEG = 60.0

RIGHT_IRIS = (469, 470, 471, 472)
LEFT_IRIS = (474, 475, 476, 477)
_IRISES = np.array(RIGHT_IRIS + LEFT_IRIS)

# Landmark: x to the image's right, y up, z toward the camera, in cm. Vertices of MediaPipe's
# canonical face model (Apache-2.0); forehead, temples, nose ridge, eye corners, cheek bones.
_CANONICAL_CM = {
    10: (0.0, 8.261778, 4.481535),
    67: (-3.523964, 8.005976, 3.729163),
    297: (3.523964, 8.005976, 3.729163),
    103: (-5.133204, 7.485602, 2.660442),
    332: (5.133204, 7.485602, 2.660442),
    54: (-6.279331, 6.615427, 1.425850),
    284: (6.279331, 6.615427, 1.425850),
    21: (-7.087960, 5.434801, 0.099620),
    251: (7.087960, 5.434801, 0.099620),
    127: (-7.743095, 2.364999, -2.005167),
    356: (7.743095, 2.364999, -2.005167),
    9: (0.0, 4.885979, 5.385258),
    8: (0.0, 4.019042, 5.284764),
    168: (0.0, 3.271027, 5.236015),
    6: (0.0, 2.473255, 5.788627),
    197: (0.0, 1.728369, 6.316750),
    195: (0.0, 1.059413, 6.774605),
    4: (0.0, -0.463170, 7.586580),
    33: (-4.445859, 2.663991, 3.173422),
    263: (4.445859, 2.663991, 3.173422),
    133: (-1.856432, 2.585245, 3.757904),
    362: (1.856432, 2.585245, 3.757904),
    116: (-6.465170, 0.937119, 1.689873),
    345: (6.465170, 0.937119, 1.689873),
}
RIGID = np.array(list(_CANONICAL_CM))
"""The landmarks that the pose is fitted to, and where they are in an average head that faces the
camera: x right, y down, z away, in millimetres."""
RIGID_MM = np.array(list(_CANONICAL_CM.values())) * (10.0, -10.0, -10.0)
_STRAIGHT = np.empty(0)  # a lens without distortion
_CORNERS = np.array([33, 133, 362, 263])
_EYES_MM = RIGID_MM[[list(_CANONICAL_CM).index(number) for number in _CORNERS]].mean(axis=0)
# Three steps, from a place where the error is nearly least already: far below a landmark's noise.
_REFINED = (cv2.TERM_CRITERIA_COUNT, 3, 0.0)


@dataclass(frozen=True, slots=True)
class Pose:
    """The head in camera space: millimetres, x right, y down, z away from the camera.

    `rotation` (3, 3) turns head axes into camera axes and is the identity for a head that faces
    along the camera's axis. `eyes_mm` (3,) is the point midway between the eyes. `iris_px` is the
    mean diameter of the irises and `focal_px` the assumed focal length. `fitted_mm` (3,) is the
    same point by the fit of an average face: its distance does not hang on the irises. `head` is
    the same in the angles and signs of `Head`.
    """

    rotation: NDArray[np.float64]
    eyes_mm: NDArray[np.float64]
    iris_px: float
    focal_px: float
    fitted_mm: NDArray[np.float64]
    head: Head


def focal_length_px(width_px: int) -> float:
    """Return the focal length of a camera with the assumed horizontal field of view."""
    return width_px / 2.0 / math.tan(math.radians(ASSUMED_HORIZONTAL_FOV_DEG) / 2.0)


def iris_diameters_px(landmarks: Landmarks) -> tuple[float, float]:
    """Return the diameters of the (right, left) iris: mean of the two axes of its four points."""
    a, b, c, d, e, f, g, h = landmarks.points_px.take(_IRISES, axis=0)[:, :2].tolist()
    right = (math.dist(a, c) + math.dist(b, d)) / 2.0
    return right, (math.dist(e, g) + math.dist(f, h)) / 2.0


def head_pose(landmarks: Landmarks) -> Pose | None:
    """Fit the head's pose; None where the landmarks make no head in front of the camera."""
    focal_px = focal_length_px(landmarks.width_px)
    iris_px = sum(iris_diameters_px(landmarks)) / 2.0
    if iris_px < 1.0:
        return None
    points = landmarks.points_px
    middle_x, middle_y = landmarks.width_px / 2.0, landmarks.height_px / 2.0
    across, down, _ = zip(*points.take(_CORNERS, axis=0).tolist(), strict=True)
    distance_mm = focal_px * IRIS_DIAMETER_MM / iris_px
    eyes = (sum(across) / 4.0 - middle_x) / focal_px, (sum(down) / 4.0 - middle_y) / focal_px, 1.0

    camera = np.array([[focal_px, 0.0, middle_x], [0.0, focal_px, middle_y], [0.0, 0.0, 1.0]])
    seen = points.take(RIGID, axis=0)[:, :2].copy()
    try:
        _, turn, shift = cv2.solvePnP(RIGID_MM, seen, camera, _STRAIGHT, flags=cv2.SOLVEPNP_SQPNP)
        turn, shift = cv2.solvePnPRefineLM(RIGID_MM, seen, camera, _STRAIGHT, turn, shift, _REFINED)
    except cv2.error:  # all in one place, or without a solution
        return None
    rotation = np.asarray(cv2.Rodrigues(turn)[0], dtype=np.float64)
    (across_x, _, back_x), (across_y, _, back_y), (_, _, back_z) = rotation.tolist()
    # Neither where they are no numbers.
    if not (back_z > 0.0 and shift[2, 0] > 0.0):
        return None
    head = Head(
        yaw_deg=math.degrees(math.atan2(-back_x, back_z)),
        pitch_deg=math.degrees(math.asin(min(max(back_y, -1.0), 1.0))),
        roll_deg=math.degrees(math.atan2(across_y, across_x)),
        distance_mm=math.hypot(*eyes) * distance_mm,
    )
    fitted_mm = rotation @ _EYES_MM + shift[:, 0]
    return Pose(rotation, np.array(eyes) * distance_mm, iris_px, focal_px, fitted_mm, head)
