"""An estimate of pupil diameter from the camera's visible light.

The iris, 11.7 mm wide in nearly everybody, gives the scale; the pupil is the dark disc in its
middle, and its edge is where the median brightness over rings around its centre rises most.
Dark irises, small irises, lids and blur make that edge faint, and the confidence says so.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.cleaning import PupilCleaner
from gaze.vision.eyes import LEFT_EYE, RIGHT_EYE
from gaze.vision.face import Landmarks
from gaze.vision.iris import Crop, Grey, Irises, dark_centre
from gaze.vision.median import median
from gaze.vision.pose import IRIS_DIAMETER_MM
from gaze.vision.reflex import LightReflex
from gaze.vision.sample import Pupil

_RINGS = 48
_ANGLES = 48
# Rings reach this far, in iris radii; beyond lies the dark rim of the iris.
_REACH = 0.86
_FIRST_EDGE, _LAST_EDGE = 0.14, 0.74
RELATIVE_ONLY = 0.2
"""Below this confidence a width is told as a change only, not in millimetres."""
_RADII = (np.arange(_RINGS) + 0.5) / _RINGS * _REACH
_POSSIBLE = np.flatnonzero((_RADII >= _FIRST_EDGE) & (_RADII <= _LAST_EDGE))
# Only 45 degrees to either side count: above and below are lids, lashes and their shadow.
_ANGLES_DEG = (np.arange(_ANGLES) + 0.5) * 360.0 / _ANGLES
_HALVES = (
    np.flatnonzero(np.abs((_ANGLES_DEG + 180.0) % 360.0 - 180.0) < 45.0),
    np.flatnonzero(np.abs(_ANGLES_DEG - 180.0) < 45.0),
)
_SIDES = np.concatenate(_HALVES)
_PADDED = np.clip(np.arange(-2, _RINGS + 2), 0, _RINGS - 1)


@dataclass(frozen=True, slots=True)
class Disc:
    """A pupil in one eye: `ratio` of its diameter to the iris's, and how surely it was seen."""

    ratio: float
    confidence: float


def measure_disc(grey: Grey, centre_px: NDArray[np.float64], iris_radius_px: float) -> Disc | None:
    """Find the pupil in a grey picture of one eye (h, w), None where no edge can be made out.

    `centre_px` and `iris_radius_px` are the iris's, as well as they are known.
    """
    height, width = grey.shape
    x0, y0 = (float(value) for value in centre_px)
    reach = _REACH * iris_radius_px
    if iris_radius_px < 3 or not (reach < x0 < width - reach and reach < y0 < height - reach):
        return None
    centre = dark_centre(grey, np.array([x0, y0]), iris_radius_px)
    left, top = np.maximum(centre - reach - 2.0, 0.0).astype(int)
    right, bottom = (centre + reach + 4.0).astype(int)
    rings = cv2.warpPolar(
        grey[top:bottom, left:right].astype(np.float32),
        (_RINGS, _ANGLES),
        (centre[0] - left, centre[1] - top),
        reach,
        cv2.WARP_POLAR_LINEAR,
    )
    sides = rings[_SIDES]
    profile = median(sides)
    profile = np.convolve(profile[_PADDED], [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
    slope = np.gradient(profile)
    best = int(_POSSIBLE[np.argmax(slope[_POSSIBLE])])
    if slope[best] <= 0.0 or best in (_POSSIBLE[0], _POSSIBLE[-1]):
        return None
    before, steepest, after = slope[best - 1 : best + 2].tolist()
    bend = before - 2.0 * steepest + after
    part = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    ratio = float(_RADII[best] + part * (_RADII[1] - _RADII[0]))

    last_inside, first_outside, last_outside = np.searchsorted(
        _RADII, (ratio - 0.08, ratio + 0.08, ratio + 0.35)
    )
    inside = sides[:, :last_inside].ravel()
    outside = sides[:, first_outside:last_outside].ravel()
    if inside.size == 0 or outside.size == 0:
        return None
    beyond = float(median(outside))
    rise = beyond - float(median(inside))
    unevenness = float(median(np.abs(outside - beyond))) * 1.48 + 2.0
    # Both sides must show the same edge.
    ends = rings[:, [max(best - 3, 0), min(best + 3, _RINGS - 1)]]
    steep = min(_rise_over(median(ends[half])) for half in _HALVES) / max(rise, 1.0)
    confidence = (
        _ramp(rise, 8.0, 35.0)
        * _ramp(rise / unevenness, 1.5, 5.0)
        * _ramp(steep, 0.2, 0.5)
        * _ramp(2.0 * iris_radius_px, 9.0, 24.0)
    )
    return Disc(ratio, confidence)


def _rise_over(profile: NDArray[np.float64]) -> float:
    return float(profile[-1] - profile[0])


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


class PupilMeter:
    """Follows pupil diameter over time: cleaned, with a short median against noise, the reflex to
    the film's light taken out, and a long median as baseline."""

    BASELINE_S = 60.0
    _FIRST_BASELINE_S = 1.0
    _BASELINE_STEP_S = 0.1
    _SMOOTH_S = 0.25
    _USABLE = 0.1
    _IRIS_S = 10.0
    _CLOSED = 0.3

    def __init__(self) -> None:
        self.reflex = LightReflex()
        self._cleaner = PupilCleaner()
        self._irises: deque[tuple[float, float]] = deque()
        self._recent: deque[tuple[float, float, float]] = deque()
        self._baseline: deque[tuple[float, float]] = deque()
        self._usual_mm = 0.0
        self._confidence = 0.0
        self._turn = 0
        self._discs: list[Disc | None] = [None, None]

    def measure(
        self,
        crop: Crop | None,
        irises: Irises | None,
        landmarks: Landmarks,
        openness: tuple[float, float],
        t_s: float,
    ) -> Pupil | None:
        """Measure both eyes of a frame; `openness` is (left, right). None where nothing is seen."""
        seen = None
        if min(openness) < self._CLOSED:
            self._discs = [None, None]
        elif crop is not None and irises is not None:
            radius_px = self._iris_radius_px(landmarks, irises, min(openness), t_s)
            # One eye a frame, in turn: pupils are slow, and of one size.
            self._turn = 1 - self._turn
            centre, opened = irises.centres_px[self._turn], openness[1 - self._turn]
            disc = measure_disc(crop.grey, centre - crop.origin, radius_px)
            if disc is not None:
                disc = Disc(disc.ratio, disc.confidence * _ramp(opened, 0.4, 0.8))
            self._discs[self._turn] = disc
            usable = [d for d in self._discs if d is not None and d.confidence > self._USABLE]
            seen = self._together(usable)
        mm = self._cleaner.update(None if seen is None else seen[0], t_s)
        self._confidence = 0.5 * self._confidence if seen is None else seen[1]
        if mm is None:
            self._recent.clear()
            return None
        self._recent.append((t_s, mm, self._confidence))
        return self._report(t_s)

    def _together(self, discs: list[Disc]) -> tuple[float, float] | None:
        """The diameter in mm that both eyes' discs make, and its confidence."""
        if not discs:
            return None
        weights = np.array([disc.confidence for disc in discs])
        mm = float(weights @ [disc.ratio for disc in discs] / weights.sum()) * IRIS_DIAMETER_MM
        confidence = float(weights.max())
        if len(discs) == 2:
            apart = abs(discs[0].ratio - discs[1].ratio) * IRIS_DIAMETER_MM
            confidence *= 1.0 - 0.7 * _ramp(apart, 0.5, 2.0)
        return mm, confidence

    def _iris_radius_px(
        self, landmarks: Landmarks, irises: Irises, openness: float, t_s: float
    ) -> float:
        """The irises' radius, steadied: its share of the face's width is the same for years."""
        points = landmarks.points_px
        face_px = float(np.linalg.norm(points[RIGHT_EYE.outer] - points[LEFT_EYE.outer]))
        share = irises.radius_px / max(face_px, 1e-6)
        if openness > 0.6 or not self._irises:
            self._irises.append((t_s, share))
        while len(self._irises) > 1 and self._irises[0][0] < t_s - self._IRIS_S:
            self._irises.popleft()
        return float(median([each for _, each in self._irises])) * face_px

    def _report(self, t_s: float) -> Pupil:
        while self._recent[0][0] < t_s - self._SMOOTH_S:
            self._recent.popleft()
        mm = float(median([size for _, size, _ in self._recent]))
        confidence = float(median([sure for _, _, sure in self._recent]))
        without_light = self.reflex.without(mm, t_s)
        if not self._baseline or t_s - self._baseline[-1][0] >= self._BASELINE_STEP_S:
            self._baseline.append((t_s, without_light))
            while self._baseline[0][0] < t_s - self.BASELINE_S:
                self._baseline.popleft()
            self._usual_mm = float(median([size for _, size in self._baseline]))
        relative = None
        if t_s - self._baseline[0][0] >= self._FIRST_BASELINE_S:
            relative = (without_light - self._usual_mm) / self._usual_mm
        return Pupil(mm if confidence >= RELATIVE_ONLY else None, relative, confidence)
