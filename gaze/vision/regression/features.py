"""Compute the features of one frame from which a calibrated viewer's point of gaze is regressed.

The pixels of the eyes carry more of the gaze than the landmarks do, most of all vertically: a patch
of `PATCH_PX` is cut between the corners of each eye, as in WebGazer (Papoutsaki et al. 2016,
"WebGazer: scalable webcam eye tracking using user interactions") but rotated with the head, and
normalised in brightness and contrast. Irises, lids and head pose are added.
"""

import math
from dataclasses import dataclass

import numpy as np

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.face.eye_landmarks import aspect_ratio, iris_offsets_mm
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.head.pose import Pose
from gaze.vision.kernels.eye_patches import cut_eye_patches
from gaze.vision.regression import eyeball_model

PATCH_PX = (10, 6)
"""Width and height of one eye's patch; the width spans the corners of the eye. Larger ones gained
nothing in `benchmarks.gaze` (docs/accuracy.md, "What was tried")."""

_CORNERS = np.array([[eye.outer, eye.inner] for eye in EYES])
# Scales of the features, chosen by hand; the kernel variances were found with these.
_AVERAGE_RATIO = 0.28
_MAX_IRIS_FEATURE = 6.0
_MAX_FACE_NORMAL_MM = 1000.0

PIXELS = slice(0, 2 * PATCH_PX[0] * PATCH_PX[1])
IRISES = slice(PIXELS.stop, PIXELS.stop + 6)
HEAD = slice(IRISES.stop, IRISES.stop + 6)
FACE_NORMAL_MM = slice(HEAD.stop, HEAD.stop + 2)
EYEBALLS = slice(FACE_NORMAL_MM.stop, FACE_NORMAL_MM.stop + eyeball_model.SIZE)
SIZE = EYEBALLS.stop


@dataclass(frozen=True, slots=True)
class EyeReading:
    """What the landmarks tell of both eyes, (right, left).

    Attributes
    ----------
    offsets_mm : FloatArray, shape (2, 2)
        Of the irises from the middles of their eyes.
    ratios : tuple of float
        Eye aspect ratios.
    """

    offsets_mm: FloatArray
    ratios: tuple[float, float]


def read_eyes(landmarks: Landmarks, pose: Pose) -> EyeReading:
    """Measure irises and lids by the landmarks.

    Parameters
    ----------
    landmarks : Landmarks
    pose : Pose
        Of the head.

    Returns
    -------
    EyeReading
    """
    right, left = (aspect_ratio(landmarks, eye) for eye in EYES)
    return EyeReading(iris_offsets_mm(landmarks, pose), (right, left))


def gaze_features(
    image: Image,
    landmarks: Landmarks,
    eyes: EyeReading,
    pose: Pose,
    eyeballs: FloatArray,
) -> FloatArray:
    """Return the features of a frame.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
        The frame, RGB.
    landmarks : Landmarks
    eyes : EyeReading
    pose : Pose
    eyeballs : FloatArray, shape (8,)
        As of `gaze.vision.regression.eyeball_model.eyeball_features`.

    Returns
    -------
    FloatArray, shape (SIZE,)
        `PIXELS`: patches of both eyes, of zero mean each and together of length 1. `IRISES`: the
        offsets in millimetres, and ten times the lids' ratios less the average. `HEAD`: yaw, pitch
        and roll in 0.2 rad, position across and down in 5 cm, distance less 60 cm in 10 cm.
        `FACE_NORMAL_MM`: where the face's normal meets the screen's plane, from the camera.
        `EYEBALLS`: those of the eyeball model.
    """
    head = pose.head
    lids = [(ratio - _AVERAGE_RATIO) * 10.0 for ratio in eyes.ratios]
    irises = [*eyes.offsets_mm.ravel().tolist(), *lids]
    x_mm, y_mm, z_mm = pose.eyes_mm.tolist()
    irises_and_head = [
        *(min(max(each, -_MAX_IRIS_FEATURE), _MAX_IRIS_FEATURE) for each in irises),
        *(math.radians(each) / 0.2 for each in (head.yaw_deg, head.pitch_deg, head.roll_deg)),
        *(x_mm / 50.0, y_mm / 50.0, (z_mm - 600.0) / 100.0),
        *_face_normal_mm(pose),
    ]
    return np.concatenate([eye_pixels(image, landmarks), irises_and_head, eyeballs])


def eye_pixels(image: Image, landmarks: Landmarks) -> FloatArray:
    """Return the normalised grey pixels of both eyes.

    Each eye is rotated level between its corners and scaled to one width; its pixels have zero mean
    and one variance, and both together length 1. A uniform surface gives zeros.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
        The frame, RGB.
    landmarks : Landmarks

    Returns
    -------
    FloatArray, shape (120,)
        Right eye, then left, row by row.
    """
    patches = np.zeros((2, PATCH_PX[1], PATCH_PX[0]))
    if image.size:
        cut_eye_patches(
            np.ascontiguousarray(image),
            np.ascontiguousarray(landmarks.points_px),
            _CORNERS,
            patches,
        )
    return patches.ravel()


def _face_normal_mm(pose: Pose) -> tuple[float, float]:
    """Return where the face's normal meets the screen's plane; x to the viewer's right, y down.

    Limited to a metre around the camera.
    """
    (x_mm, y_mm, z_mm), (back_x, back_y, back_z) = (
        pose.eyes_mm.tolist(),
        pose.rotation[:, 2].tolist(),
    )
    length = z_mm / max(back_z, 0.2)
    x, y = length * back_x - x_mm, y_mm - length * back_y
    limit = _MAX_FACE_NORMAL_MM
    return min(max(x, -limit), limit), min(max(y, -limit), limit)
