"""Detect that both eyes are occluded: the face mesh goes on placing a face on a hand."""

import math

import cv2

from gaze.vision.arrays import Image
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYES, EyeIndices

MIN_CONTRAST = 5.0
"""Standard deviation over an eye, in grey levels. The eyes of 80 real photos, open or closed, had 9
and more, those on a palm less than a quarter of the faintest (docs/accuracy.md, "What the tracker
says when it cannot know")."""


def eyes_occluded(image: Image, landmarks: Landmarks) -> bool:
    """Return whether neither eye has the contrast of an eye.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
        The frame, RGB.
    landmarks : Landmarks
        Of the face in it.

    Returns
    -------
    bool
    """
    return all(_contrast(image, landmarks, eye) < MIN_CONTRAST for eye in EYES)


def _contrast(image: Image, landmarks: Landmarks, eye: EyeIndices) -> float:
    """Return the standard deviation over the box between the corners, half as high as wide.

    The box is reduced to 10 by 5 pixels, so that the camera's noise does not count.
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
