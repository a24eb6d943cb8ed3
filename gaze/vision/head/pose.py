"""Where the head is and how it is turned, from landmarks and a face of average size.

The rotation comes from a perspective-n-point fit of those landmarks that hardly move with the
expression; the distance comes from the iris, whose visible diameter is 11.7 +- 0.5 mm in nearly
everybody (Hashemi et al. 2012, "White-to-white corneal diameter distribution").
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.finder import Landmarks
from gaze.vision.kernels.jit import compiled, dot, solve, turned
from gaze.vision.sample import Head

Array = NDArray[np.float64]

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
_CORNERS = np.array([33, 133, 362, 263])
_EYES_MM = RIGID_MM[[list(_CANONICAL_CM).index(number) for number in _CORNERS]].mean(axis=0)
# What tells, of where landmarks are seen, which way each of the head's axes points there.
_AXES = np.ascontiguousarray(np.linalg.pinv(RIGID_MM - RIGID_MM.mean(axis=0)))
# Four or five steps are usual. A landmark's noise is far more than the last.
_MOST_STEPS, _SETTLED = 20, 1e-8


@dataclass(frozen=True, slots=True)
class Pose:
    """The head in camera space: millimetres, x right, y down, z away from the camera.

    `rotation` (3, 3) turns head axes into camera axes and is the identity for a head that faces
    along the camera's axis. `eyes_mm` (3,) is the point midway between the eyes. `iris_px` is the
    mean diameter of the irises and `focal_px` the assumed focal length. `fitted_mm` (3,) is the
    same point by the fit of an average face: its distance does not hang on the irises. `head` is
    the same in the angles and signs of `Head`.
    """

    rotation: Array
    eyes_mm: Array
    iris_px: float
    focal_px: float
    fitted_mm: Array
    head: Head


def focal_length_px(width_px: int) -> float:
    """Return the focal length of a camera with the assumed horizontal field of view."""
    return width_px / 2.0 / math.tan(math.radians(ASSUMED_HORIZONTAL_FOV_DEG) / 2.0)


def iris_diameters_px(landmarks: Landmarks) -> tuple[float, float]:
    """Return the diameters of the (right, left) iris: mean of the two axes of its four points."""
    a, b, c, d, e, f, g, h = landmarks.points_px.take(_IRISES, axis=0)[:, :2].tolist()
    right = (math.dist(a, c) + math.dist(b, d)) / 2.0
    return right, (math.dist(e, g) + math.dist(f, h)) / 2.0


@compiled("Tuple((f8[:,::1], f8[::1]))(f8[:,::1], f8[:,::1], f8[:,::1])")
def _from_afar(points_mm: Array, axes: Array, seen: Array) -> tuple[Array, Array]:
    """About what `_fit` returns: as if all points were equally far (DeMenthon and Davis 1995)."""
    right, down = np.zeros(3), np.zeros(3)
    middle, middle_mm = np.zeros(2), np.zeros(3)
    for n in range(len(seen)):
        middle += seen[n] / len(seen)
        middle_mm += points_mm[n] / len(seen)
        right += axes[:, n] * seen[n, 0]
        down += axes[:, n] * seen[n, 1]
    long, tall = math.sqrt(dot(right, right)), math.sqrt(dot(down, down))
    # Neither is to turn more than the other to be at right angles.
    both, apart = right / long + down / tall, right / long - down / tall
    both /= math.sqrt(2.0 * dot(both, both))
    apart /= math.sqrt(2.0 * dot(apart, apart))
    rotation, shift = np.empty((3, 3)), np.empty(3)
    rotation[0], rotation[1] = both + apart, both - apart
    for i in range(3):
        j, k = (i + 1) % 3, (i + 2) % 3
        rotation[2, i] = rotation[0, j] * rotation[1, k] - rotation[0, k] * rotation[1, j]
    far_mm = 2.0 / (long + tall)
    shift[0] = middle[0] * far_mm - dot(rotation[0], middle_mm)
    shift[1] = middle[1] * far_mm - dot(rotation[1], middle_mm)
    shift[2] = far_mm - dot(rotation[2], middle_mm)
    return rotation, shift


@compiled("f8[::1](f8[:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _step(points_mm: Array, seen: Array, rotation: Array, shift: Array) -> Array:
    """The turn and shift (6,) that bring points nearer to where they are seen (Gauss-Newton)."""
    squares, way = np.zeros((6, 6)), np.zeros(6)
    slopes = np.zeros((2, 6))
    for n in range(len(seen)):
        a, b = dot(rotation[0], points_mm[n]), dot(rotation[1], points_mm[n])
        c = dot(rotation[2], points_mm[n])
        near = 1.0 / (c + shift[2])
        x, y = near * (a + shift[0]), near * (b + shift[1])
        slopes[0, 0], slopes[0, 1], slopes[0, 2] = -b * near * x, near * (c + a * x), -b * near
        slopes[1, 0], slopes[1, 1], slopes[1, 2] = -near * (c + b * y), a * near * y, a * near
        slopes[0, 3], slopes[0, 5] = near, -near * x
        slopes[1, 4], slopes[1, 5] = near, -near * y
        for i in range(6):
            across, down = slopes[0, i], slopes[1, i]
            way[i] += across * (seen[n, 0] - x) + down * (seen[n, 1] - y)
            for j in range(i + 1):
                squares[i, j] += across * slopes[0, j] + down * slopes[1, j]
    solve(squares, way)
    return way


@compiled("Tuple((f8[:,::1], f8[::1]))(f8[:,::1], f8[:,::1], f8[:,::1])")
def _fit(points_mm: Array, axes: Array, seen: Array) -> tuple[Array, Array]:
    """The rotation (3, 3) and shift in millimetres (3,) by which points (n, 3) come nearest to
    where they are `seen` (n, 2), in focal lengths from the middle; no numbers where none do."""
    rotation, shift = _from_afar(points_mm, axes, seen)
    for _ in range(_MOST_STEPS):
        way = _step(points_mm, seen, rotation, shift)
        rotation, shift = turned(rotation, way[:3]), shift + way[3:]
        if dot(way[:3], way[:3]) + dot(way[3:], way[3:]) / shift[2] ** 2 < _SETTLED**2:
            break
    return rotation, shift


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

    seen = (points.take(RIGID, axis=0)[:, :2] - np.array([middle_x, middle_y])) / focal_px
    rotation, shift = _fit(RIGID_MM, _AXES, seen)
    (across_x, _, back_x), (across_y, _, back_y), (_, _, back_z) = rotation.tolist()
    # Neither where they are no numbers, as for a face that is all in one place.
    if not (back_z > 0.0 and shift[2] > 0.0):
        return None
    head = Head(
        yaw_deg=math.degrees(math.atan2(-back_x, back_z)),
        pitch_deg=math.degrees(math.asin(min(max(back_y, -1.0), 1.0))),
        roll_deg=math.degrees(math.atan2(across_y, across_x)),
        distance_mm=math.hypot(*eyes) * distance_mm,
    )
    fitted_mm = rotation @ _EYES_MM + shift
    return Pose(rotation, np.array(eyes) * distance_mm, iris_px, focal_px, fitted_mm, head)
