"""Tells whether something hides both eyes: the mesh goes on drawing a face on a hand."""

import cv2
import numpy as np

from gaze.vision.eyes import EYES, EyeIndices
from gaze.vision.face import Image, Landmarks

LEAST_CONTRAST = 5.0
"""Grey levels, as a standard deviation over an eye. Real eyes, open or closed, had 9 and more."""


def eyes_hidden(image: Image, landmarks: Landmarks) -> bool:
    """Return whether neither eye of an RGB frame (h, w, 3) has the contrast of an eye."""
    return max(_contrast(image, landmarks, eye) for eye in EYES) < LEAST_CONTRAST


def _contrast(image: Image, landmarks: Landmarks, eye: EyeIndices) -> float:
    """Return the standard deviation over the box between the corners, a third as high as wide.

    It is taken coarsely, so that the camera's noise does not count.
    """
    first, second = landmarks.points_px[[eye.outer, eye.inner], :2]
    half = np.abs(second - first).max() / 2.0 * np.array([1.0, 0.5])
    low, high = (first + second) / 2.0 - half, (first + second) / 2.0 + half
    limits = (image.shape[1], image.shape[0])
    left, top = np.clip(low, 0, limits).astype(int)
    right, bottom = np.clip(np.ceil(high), 0, limits).astype(int)
    if right - left < 2 or bottom - top < 2:
        return 0.0
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    return float(cv2.resize(grey, (10, 5), interpolation=cv2.INTER_AREA).std())
