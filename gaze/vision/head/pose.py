"""Estimate the head's pose and distance from landmarks and a face of average size.

The rotation comes from a perspective-n-point fit of those landmarks that hardly move with facial
expression; the distance comes from the iris, whose visible diameter is 11.7 +- 0.5 mm in nearly
everybody (Hashemi et al. 2012, "White-to-white corneal diameter distribution").
"""

import math
from dataclasses import dataclass

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYE_CORNERS, LEFT_EYE, RIGHT_EYE
from gaze.vision.kernels.perspective_n_point import fit_pose
from gaze.vision.sample import Head

IRIS_DIAMETER_MM = 11.7
"""Mean of Hashemi et al. (2012)."""
# Chosen by hand, usual for webcams; no benchmark covers other cameras.
ASSUMED_HORIZONTAL_FOV_DEG = 60.0

_IRISES = np.array(RIGHT_EYE.iris_contour + LEFT_EYE.iris_contour)

# Landmark: x to the image's right, y up, z toward the camera, in cm. Vertices of MediaPipe's
# canonical face model (Apache-2.0): forehead, temples, nose ridge, eye corners, cheek bones.
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
"""The landmarks that the pose is fitted to."""
RIGID_MM = np.array(list(_CANONICAL_CM.values())) * (10.0, -10.0, -10.0)
"""Where they are in an average head that faces the camera: x right, y down, z away."""
_EYE_CORNERS = np.array(EYE_CORNERS)
_EYES_MM = RIGID_MM[[list(_CANONICAL_CM).index(number) for number in EYE_CORNERS]].mean(axis=0)
_PSEUDOINVERSE = np.ascontiguousarray(np.linalg.pinv(RIGID_MM - RIGID_MM.mean(axis=0)))


@dataclass(frozen=True, slots=True)
class Pose:
    """The head in camera space: millimetres, x right, y down, z away from the camera.

    Attributes
    ----------
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes; the identity for a head that faces along the camera's axis.
    eyes_mm : FloatArray, shape (3,)
        The point midway between the eyes, its distance by the irises.
    iris_px : float
        Mean diameter of the irises.
    focal_px : float
        Assumed focal length.
    pnp_eyes_mm : FloatArray, shape (3,)
        The same point by the fit of an average face, independent of the irises.
    head : Head
        The pose as angles and distance.
    """

    rotation: FloatArray
    eyes_mm: FloatArray
    iris_px: float
    focal_px: float
    pnp_eyes_mm: FloatArray
    head: Head


def focal_length_px(width_px: int) -> float:
    """Return the focal length of a camera with the assumed horizontal field of view.

    Parameters
    ----------
    width_px : int
        Width of its frames.

    Returns
    -------
    float
        In pixels.
    """
    return width_px / 2.0 / math.tan(math.radians(ASSUMED_HORIZONTAL_FOV_DEG) / 2.0)


def iris_diameters_px(landmarks: Landmarks) -> tuple[float, float]:
    """Return the diameters of the irises: means of the two axes of their four points.

    Parameters
    ----------
    landmarks : Landmarks

    Returns
    -------
    tuple of float
        Right and left.
    """
    a, b, c, d, e, f, g, h = landmarks.points_px.take(_IRISES, axis=0)[:, :2].tolist()
    right = (math.dist(a, c) + math.dist(b, d)) / 2.0
    return right, (math.dist(e, g) + math.dist(f, h)) / 2.0


def head_pose(landmarks: Landmarks) -> Pose | None:
    """Estimate the head's pose.

    Parameters
    ----------
    landmarks : Landmarks

    Returns
    -------
    Pose or None
        None where the landmarks make no head in front of the camera.
    """
    focal_px = focal_length_px(landmarks.width_px)
    iris_px = sum(iris_diameters_px(landmarks)) / 2.0
    if iris_px < 1.0:
        return None
    points = landmarks.points_px
    centre_x, centre_y = landmarks.width_px / 2.0, landmarks.height_px / 2.0
    across, down, _ = zip(*points.take(_EYE_CORNERS, axis=0).tolist(), strict=True)
    distance_mm = focal_px * IRIS_DIAMETER_MM / iris_px
    eyes = (sum(across) / 4.0 - centre_x) / focal_px, (sum(down) / 4.0 - centre_y) / focal_px, 1.0

    observed = (points.take(RIGID, axis=0)[:, :2] - np.array([centre_x, centre_y])) / focal_px
    rotation, translation = fit_pose(RIGID_MM, _PSEUDOINVERSE, observed)
    (across_x, _, back_x), (across_y, _, back_y), (_, _, back_z) = rotation.tolist()
    # Both comparisons are false for NaN, as for a face whose landmarks are all at one point.
    if not (back_z > 0.0 and translation[2] > 0.0):
        return None
    head = Head(
        yaw_deg=math.degrees(math.atan2(-back_x, back_z)),
        pitch_deg=math.degrees(math.asin(min(max(back_y, -1.0), 1.0))),
        roll_deg=math.degrees(math.atan2(across_y, across_x)),
        distance_mm=math.hypot(*eyes) * distance_mm,
    )
    pnp_eyes_mm = rotation @ _EYES_MM + translation
    return Pose(rotation, np.array(eyes) * distance_mm, iris_px, focal_px, pnp_eyes_mm, head)
