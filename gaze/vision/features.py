"""The numbers of one frame from which a calibrated viewer's point of gaze is computed.

The pixels of the eyes carry more of the gaze than the landmarks do, above all up and down: each
eye is cut out between its corners at `PATCH_PX`, as in WebGazer (Papoutsaki et al. 2016) but
turned with the head, and freed of brightness and contrast. Irises, lids and head pose go along.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision import sight
from gaze.vision.eyes import EYES, aspect_ratio, iris_offsets_mm
from gaze.vision.face import Landmarks
from gaze.vision.pose import Pose
from gaze.vision.square import Image

PATCH_PX = (10, 6)
"""Width and height of one eye's picture; the width spans the corners of the eye."""

_SHARPER = 4
_FINE_PX = (PATCH_PX[0] * _SHARPER, PATCH_PX[1] * _SHARPER)
_DOWN, _ACROSS = np.mgrid[: _FINE_PX[1], : _FINE_PX[0]]
# Of the pixels of an eye's picture, drawn finer: 1, and how far from its middle they are.
_PLACES = np.stack(
    [
        np.ones(_DOWN.size),
        _ACROSS.ravel() - (_FINE_PX[0] - 1) / 2.0,
        _DOWN.ravel() - (_FINE_PX[1] - 1) / 2.0,
    ]
).astype(np.float32)
_USUAL_RATIO = 0.28
_IRISES_LIMIT = 6.0

PIXELS = slice(0, 2 * PATCH_PX[0] * PATCH_PX[1])
IRISES = slice(PIXELS.stop, PIXELS.stop + 6)
HEAD = slice(IRISES.stop, IRISES.stop + 6)
FACED_MM = slice(HEAD.stop, HEAD.stop + 2)
SIGHT = slice(FACED_MM.stop, FACED_MM.stop + sight.SIZE)
SIZE = SIGHT.stop
_EVEN = np.full(PIXELS.stop // 2, 2.0 / PIXELS.stop)


@dataclass(frozen=True, slots=True)
class EyeReading:
    """What the landmarks tell of both eyes, (right, left).

    `offsets_mm` (2, 2) are the iris offsets, `ratios` the lids' aspect ratios.
    """

    offsets_mm: NDArray[np.float64]
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
    seen: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the features (SIZE,) of an RGB frame (h, w, 3).

    `PIXELS`: both eyes' pictures, of zero mean each and together of length 1. `IRISES`: the
    offsets in millimetres and ten times the lids' ratios, from the usual. `HEAD`: yaw, pitch and
    roll in 0.2 rad, place across and up and down in 5 cm, distance from 60 cm in 10 cm.
    `FACED_MM`: where the face's own axis meets the screen, from the camera. `SIGHT`: the row
    `seen` (8,) of `gaze.vision.sight`.
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


def eye_pixels(image: Image, landmarks: Landmarks) -> NDArray[np.float64]:
    """Return the grey pixels of the right and left eye in an RGB frame, shape (120,).

    Each eye is turned level between its corners and scaled to one width; its pixels have zero
    mean and one variance, and both together length 1. An even surface gives zeros.
    """
    width, height = PATCH_PX
    from_x, from_y = [], []
    for eye in EYES:
        (x0, y0, _), (x1, y1, _) = (
            landmarks.points_px[number].tolist() for number in (eye.outer, eye.inner)
        )
        if x0 > x1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        along_x, along_y = (x1 - x0) / _FINE_PX[0], (y1 - y0) / _FINE_PX[0]
        from_x.append(((x0 + x1) / 2.0, along_x, -along_y))
        from_y.append(((y0 + y1) / 2.0, along_y, along_x))
    # One above the other.
    x, y = np.array([from_x, from_y], np.float32) @ _PLACES
    shape = 2 * _FINE_PX[1], _FINE_PX[0]
    cut = cv2.remap(
        image,
        x.reshape(shape),
        y.reshape(shape),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    grey = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY).astype(np.float32)
    small = cv2.resize(grey, (width, 2 * height), interpolation=cv2.INTER_AREA)
    level = small.reshape(2, -1).astype(np.float64)
    level -= (level @ _EVEN)[:, None]
    spread = np.sqrt((level * level) @ _EVEN)
    level /= np.maximum(spread, 1.0)[:, None] * math.sqrt(PIXELS.stop)
    return level.ravel()


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
