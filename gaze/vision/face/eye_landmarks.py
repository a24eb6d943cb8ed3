"""Measure lids and irises by landmarks: how far eyes are open, and where the irises are in them.

Eye openness follows the eye aspect ratio (Soukupova and Cech 2016, "Real-time eye blink detection
using facial landmarks"), normalised by the same viewer's open eyes.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYES, EyeIndices
from gaze.vision.head.pose import IRIS_DIAMETER_MM, Pose

_IRISES_AND_CORNERS = np.array([[eye.iris, eye.outer, eye.inner] for eye in EYES])
_FROM_MIDDLE = np.array([1.0, -0.5, -0.5])


def aspect_ratio(landmarks: Landmarks, eye: EyeIndices) -> float:
    """Return the mean distance of the lids over the width of the eye.

    Parameters
    ----------
    landmarks : Landmarks
    eye : EyeIndices
        Which eye.

    Returns
    -------
    float
        About 0.3 when the eye is open.

    References
    ----------
    Soukupova and Cech (2016). Real-time eye blink detection using facial landmarks.
    """
    points = landmarks.points_px
    gaps = [
        math.dist(points[upper, :2].tolist(), points[lower, :2].tolist())
        for upper, lower in eye.lid_pairs
    ]
    width_px = math.dist(points[eye.outer].tolist(), points[eye.inner].tolist())
    return sum(gaps) / len(gaps) / max(width_px, 1e-6)


def iris_offsets_mm(landmarks: Landmarks, pose: Pose) -> FloatArray:
    """Return how far each iris is from the middle between the corners of its eye.

    Parameters
    ----------
    landmarks : Landmarks
    pose : Pose
        Its irises give the scale.

    Returns
    -------
    FloatArray, shape (2, 2)
        Right and left eye; x to the image's right and y down, in millimetres across the camera's
        axis.
    """
    points = landmarks.points_px.take(_IRISES_AND_CORNERS, axis=0)[:, :, :2]
    return np.asarray(_FROM_MIDDLE @ points * (IRIS_DIAMETER_MM / pose.iris_px))


class LidBaseline:
    """Turns eye aspect ratios into openness by learning that of this viewer's open eyes."""

    # Chosen by hand on made viewers; `benchmarks.blinks` runs them as part of the blink detector.
    _INITIAL_RATIO = 0.27
    _LIMITS = (0.15, 0.50)
    _RISE_S = 0.7
    _FALL_S = 25.0
    _CLOSED_SHARE = 0.3
    _OPEN_SHARE = 0.9
    # Eyes that are further closed do not change the baseline.
    _LEARNED_SHARE = 0.6
    _MAX_STEP_S = 0.2

    def __init__(self) -> None:
        self._open_ratio = self._INITIAL_RATIO
        self._t_s: float | None = None

    def openness(self, ratio: float, t_s: float) -> float:
        """Return how far an eye is open, and learn from it.

        Parameters
        ----------
        ratio : float
            Eye aspect ratio.
        t_s : float
            When it was seen.

        Returns
        -------
        float
            From 0, closed, to 1, as far open as usual.
        """
        step_s = 0.0 if self._t_s is None else min(max(t_s - self._t_s, 0.0), self._MAX_STEP_S)
        self._t_s = t_s
        rising = ratio > self._open_ratio
        if rising or ratio > self._LEARNED_SHARE * self._open_ratio:
            share = 1.0 - math.exp(-step_s / (self._RISE_S if rising else self._FALL_S))
            self._open_ratio += share * (ratio - self._open_ratio)
            self._open_ratio = min(max(self._open_ratio, self._LIMITS[0]), self._LIMITS[1])
        closed = self._CLOSED_SHARE * self._open_ratio
        opened = self._OPEN_SHARE * self._open_ratio
        return min(max((ratio - closed) / (opened - closed), 0.0), 1.0)
