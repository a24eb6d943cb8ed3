"""Tells whether something hides both eyes: the mesh goes on drawing a face on a hand."""

import math

import cv2

from gaze.vision.face.eye_landmarks import EYES, EyeIndices
from gaze.vision.face.finder import Landmarks
from gaze.vision.kernels.face_crop import Image

LEAST_CONTRAST = 5.0
"""Grey levels, as a standard deviation over an eye. Real eyes, open or closed, had 9 and more."""


def eyes_hidden(image: Image, landmarks: Landmarks) -> bool:
    """Return whether neither eye of an RGB frame (h, w, 3) has the contrast of an eye."""
    return all(_contrast(image, landmarks, eye) < LEAST_CONTRAST for eye in EYES)


def _contrast(image: Image, landmarks: Landmarks, eye: EyeIndices) -> float:
    """Return the standard deviation over the box between the corners, a third as high as wide.

    It is taken coarsely, so that the camera's noise does not count.
    """
    (x0, y0, _), (x1, y1, _) = (
        landmarks.points_px[number].tolist() for number in (eye.outer, eye.inner)
    )
    half = max(abs(x1 - x0), abs(y1 - y0)) / 2.0
    (left, right), (top, bottom) = (
        (min(max(int(middle - reach), 0), size), min(max(math.ceil(middle + reach), 0), size))
        for middle, reach, size in (
            ((x0 + x1) / 2.0, half, image.shape[1]),
            ((y0 + y1) / 2.0, half / 2.0, image.shape[0]),
        )
    )
    if right - left < 2 or bottom - top < 2:
        return 0.0
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    coarse = cv2.resize(grey, (10, 5), interpolation=cv2.INTER_AREA)
    return float(cv2.meanStdDev(coarse)[1][0, 0])
