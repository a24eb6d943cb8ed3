"""What the lids and irises do: how far open the eyes are, and how far each iris has turned.

Openness follows the eye aspect ratio (Soukupova and Cech 2016, "Real-time eye blink detection
using facial landmarks"), normalised by the same viewer's open eyes.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.finder import Landmarks
from gaze.vision.head.pose import IRIS_DIAMETER_MM, Pose


@dataclass(frozen=True, slots=True)
class EyeIndices:
    """The landmarks of one eye; `lids` are pairs of upper and lower lid, one above the other."""

    outer: int
    inner: int
    iris: int
    lids: tuple[tuple[int, int], ...]


RIGHT_EYE = EyeIndices(33, 133, 468, ((160, 144), (159, 145), (158, 153)))
LEFT_EYE = EyeIndices(263, 362, 473, ((387, 373), (386, 374), (385, 380)))
EYES = (RIGHT_EYE, LEFT_EYE)
_IRISES_IN_EYES = np.array([[eye.iris, eye.outer, eye.inner] for eye in EYES])
_FROM_MIDDLE = np.array([1.0, -0.5, -0.5])


def aspect_ratio(landmarks: Landmarks, eye: EyeIndices) -> float:
    """Return the opening of the lids over the width of the eye; about 0.3 when open."""
    points = landmarks.points_px
    gaps = [math.dist(points[up, :2].tolist(), points[low, :2].tolist()) for up, low in eye.lids]
    width_px = math.dist(points[eye.outer].tolist(), points[eye.inner].tolist())
    return sum(gaps) / len(gaps) / max(width_px, 1e-6)


def iris_offsets_mm(landmarks: Landmarks, pose: Pose) -> NDArray[np.float64]:
    """Return how far each iris stands from the middle between the corners of its eye.

    Shape (2, 2): right and left eye; x to the image's right and y down, in millimetres as seen
    from the camera.
    """
    points = landmarks.points_px.take(_IRISES_IN_EYES, axis=0)[:, :, :2]
    return np.asarray(_FROM_MIDDLE @ points * (IRIS_DIAMETER_MM / pose.iris_px))


class LidBaseline:
    """Turns aspect ratios into openness 0..1 by learning how wide this viewer's open eye is."""

    _START = 0.27
    _LIMITS = (0.15, 0.50)
    _RISE_S = 0.7
    _FALL_S = 25.0
    _CLOSED_SHARE = 0.3
    _OPEN_SHARE = 0.9

    def __init__(self) -> None:
        self._open = self._START
        self._t_s: float | None = None

    def openness(self, ratio: float, t_s: float) -> float:
        """Return 0 (closed) to 1 (as open as usual) for an aspect ratio seen at `t_s`."""
        step_s = 0.0 if self._t_s is None else min(max(t_s - self._t_s, 0.0), 0.2)
        self._t_s = t_s
        rising = ratio > self._open
        # Half-closed eyes say nothing about how wide they open.
        if rising or ratio > 0.6 * self._open:
            share = 1.0 - math.exp(-step_s / (self._RISE_S if rising else self._FALL_S))
            self._open += share * (ratio - self._open)
            self._open = min(max(self._open, self._LIMITS[0]), self._LIMITS[1])
        closed, opened = self._CLOSED_SHARE * self._open, self._OPEN_SHARE * self._open
        return min(max((ratio - closed) / (opened - closed), 0.0), 1.0)
