"""The numbers of one frame from which a calibrated viewer's point of gaze is computed.

The pixels of the eyes carry more of the gaze than the landmarks do, above all up and down: each
eye is cut out between its corners at `PATCH_PX`, as in WebGazer (Papoutsaki et al. 2016) but
turned with the head, and freed of brightness and contrast. Irises, lids and head pose go along.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.eye_landmarks import EYES, aspect_ratio, iris_offsets_mm
from gaze.vision.face.finder import Landmarks
from gaze.vision.head.pose import Pose
from gaze.vision.kernels.face_crop import Image
from gaze.vision.kernels.jit import compiled
from gaze.vision.regression import eyeball_model

Array = NDArray[np.float64]

PATCH_PX = (10, 6)
"""Width and height of one eye's picture; the width spans the corners of the eye."""

_SHARPER = 4
_CORNERS = np.array([[eye.outer, eye.inner] for eye in EYES])
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114  # of a grey
_USUAL_RATIO = 0.28
_IRISES_LIMIT = 6.0

PIXELS = slice(0, 2 * PATCH_PX[0] * PATCH_PX[1])
IRISES = slice(PIXELS.stop, PIXELS.stop + 6)
HEAD = slice(IRISES.stop, IRISES.stop + 6)
FACED_MM = slice(HEAD.stop, HEAD.stop + 2)
SIGHT = slice(FACED_MM.stop, FACED_MM.stop + eyeball_model.SIZE)
SIZE = SIGHT.stop


@dataclass(frozen=True, slots=True)
class EyeReading:
    """What the landmarks tell of both eyes, (right, left).

    `offsets_mm` (2, 2) are the iris offsets, `ratios` the lids' aspect ratios.
    """

    offsets_mm: Array
    ratios: tuple[float, float]


def read_eyes(landmarks: Landmarks, pose: Pose) -> EyeReading:
    """Measure the irises and lids."""
    right, left = (aspect_ratio(landmarks, eye) for eye in EYES)
    return EyeReading(iris_offsets_mm(landmarks, pose), (right, left))


def gaze_features(
    image: Image,
    landmarks: Landmarks,
    eyes: EyeReading,
    pose: Pose,
    seen: Array,
) -> Array:
    """Return the features (SIZE,) of an RGB frame (h, w, 3).

    `PIXELS`: both eyes' pictures, of zero mean each and together of length 1. `IRISES`: the
    offsets in millimetres and ten times the lids' ratios, from the usual. `HEAD`: yaw, pitch and
    roll in 0.2 rad, place across and up and down in 5 cm, distance from 60 cm in 10 cm.
    `FACED_MM`: where the face's own axis meets the screen, from the camera. `SIGHT`: the row
    `seen` (8,) of `gaze.vision.regression.eyeball_model`.
    """
    head = pose.head
    lids = [(ratio - _USUAL_RATIO) * 10.0 for ratio in eyes.ratios]
    irises = [*eyes.offsets_mm.ravel().tolist(), *lids]
    x_mm, y_mm, z_mm = pose.eyes_mm.tolist()
    told = [
        *(min(max(each, -_IRISES_LIMIT), _IRISES_LIMIT) for each in irises),
        *(math.radians(each) / 0.2 for each in (head.yaw_deg, head.pitch_deg, head.roll_deg)),
        *(x_mm / 50.0, y_mm / 50.0, (z_mm - 600.0) / 100.0),
        *_faced_mm(pose),
    ]
    return np.concatenate([eye_pixels(image, landmarks), told, seen])


def eye_pixels(image: Image, landmarks: Landmarks) -> Array:
    """Return the grey pixels of the right and left eye in an RGB frame, shape (120,).

    Each eye is turned level between its corners and scaled to one width; its pixels have zero
    mean and one variance, and both together length 1. An even surface gives zeros.
    """
    level = np.zeros((2, PATCH_PX[1], PATCH_PX[0]))
    if image.size:
        _cut_level(np.ascontiguousarray(image), np.ascontiguousarray(landmarks.points_px), level)
    return level.ravel()


@compiled("f8(Array(u1, 3, 'C', True), f8, f8)")
def _grey(image: Image, x: float, y: float) -> float:
    """Return the grey level at a place of a picture, beyond its edges that at the edge."""
    height, width, _ = image.shape
    # The constants come first, so that what is no number becomes 0.
    x, y = min(width - 1.0, max(0.0, x)), min(height - 1.0, max(0.0, y))
    left, top = int(x), int(y)
    right, low = x - left, y - top
    grey = 0.0
    for row in range(2):
        for column in range(2):
            pixel = image[min(top + row, height - 1), min(left + column, width - 1)]
            share = (low if row else 1.0 - low) * (right if column else 1.0 - right)
            grey += share * (_RED * pixel[0] + _GREEN * pixel[1] + _BLUE * pixel[2])
    return grey


@compiled("void(Array(u1, 3, 'C', True), f8[:,::1], f8[:,:,::1])")
def _cut_level(image: Image, points: Array, level: Array) -> None:
    """Fill in both eyes' pixels (2, 6, 10), each the mean of finer ones."""
    width, height = PATCH_PX
    size = width * height
    for eye in range(2):
        one, other = points[_CORNERS[eye, 0]], points[_CORNERS[eye, 1]]
        if one[0] > other[0]:
            one, other = other, one
        middle_x, middle_y = (one[0] + other[0]) / 2.0, (one[1] + other[1]) / 2.0
        # A finer pixel's width along the eye.
        step_x = (other[0] - one[0]) / (width * _SHARPER)
        step_y = (other[1] - one[1]) / (width * _SHARPER)
        pixels = level[eye]
        for down in range(height * _SHARPER):
            for across in range(width * _SHARPER):
                right = across - (width * _SHARPER - 1) / 2.0
                low = down - (height * _SHARPER - 1) / 2.0
                pixels[down // _SHARPER, across // _SHARPER] += (
                    _grey(
                        image,
                        middle_x + right * step_x - low * step_y,
                        middle_y + right * step_y + low * step_x,
                    )
                    / _SHARPER**2
                )
        mean = pixels.sum() / size
        squares = 0.0
        for row in range(height):
            for column in range(width):
                pixels[row, column] -= mean
                squares += pixels[row, column] ** 2
        scale = 1.0 / (max(math.sqrt(squares / size), 1.0) * math.sqrt(2.0 * size))
        for row in range(height):
            for column in range(width):
                pixels[row, column] *= scale


def _faced_mm(pose: Pose) -> tuple[float, float]:
    """Return where the face's axis meets the screen's plane; x to the viewer's right, y down.

    Held to a metre around the camera.
    """
    (x_mm, y_mm, z_mm), (back_x, back_y, back_z) = (
        pose.eyes_mm.tolist(),
        pose.rotation[:, 2].tolist(),
    )
    length = z_mm / max(back_z, 0.2)
    faced_x, faced_y = length * back_x - x_mm, y_mm - length * back_y
    return min(max(faced_x, -1000.0), 1000.0), min(max(faced_y, -1000.0), 1000.0)
