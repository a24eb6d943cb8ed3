"""A first estimate of pupil diameter from the camera's visible light.

The iris, 11.7 mm wide in nearly everybody, gives the scale; the pupil is the dark disc in its
middle, and its edge is where the median brightness over rings around its centre rises most.
Dark irises, small irises, lids and blur make that edge faint, and the confidence says so.
"""

from collections import deque
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.eyes import EYES, LEFT_EYE, RIGHT_EYE, EyeIndices
from gaze.vision.face import Image, Landmarks
from gaze.vision.pose import IRIS_DIAMETER_MM, iris_diameters_px
from gaze.vision.sample import Pupil

SMALLEST_MM, LARGEST_MM = 1.5, 9.0

_RINGS = 48
_ANGLES = 72
# Rings reach this far, in iris radii; beyond lies the dark rim of the iris.
_REACH = 0.86
_FIRST_EDGE, _LAST_EDGE = 0.14, 0.74


@dataclass(frozen=True, slots=True)
class Disc:
    """A pupil in one eye: `ratio` of its diameter to the iris's, and how surely it was seen."""

    ratio: float
    confidence: float


def measure_disc(
    grey: NDArray[np.float32], centre_px: tuple[float, float], iris_radius_px: float
) -> Disc | None:
    """Find the pupil in a grey picture of one eye (h, w), None where no edge can be made out.

    `centre_px` and `iris_radius_px` are the iris's, as well as they are known.
    """
    height, width = grey.shape
    x0, y0 = centre_px
    reach = _REACH * iris_radius_px
    if iris_radius_px < 3 or not (reach < x0 < width - reach and reach < y0 < height - reach):
        return None
    centre = _dark_centre(grey, np.array([x0, y0]), iris_radius_px)
    rings = cv2.warpPolar(
        grey, (_RINGS, _ANGLES), (centre[0], centre[1]), reach, cv2.WARP_POLAR_LINEAR
    )
    # Only 45 degrees to either side count: above and below are lids, lashes and their shadow.
    angles_deg = (np.arange(_ANGLES) + 0.5) * 360.0 / _ANGLES
    halves = _halves(angles_deg)
    sides = rings[halves[0] | halves[1]]
    profile = np.median(sides, axis=0)
    profile = np.convolve(np.pad(profile, 2, mode="edge"), [0.1, 0.2, 0.4, 0.2, 0.1], "valid")
    radii = (np.arange(_RINGS) + 0.5) / _RINGS * _REACH
    slope = np.gradient(profile)
    possible = np.flatnonzero((radii >= _FIRST_EDGE) & (radii <= _LAST_EDGE))
    best = int(possible[np.argmax(slope[possible])])
    if slope[best] <= 0.0 or best in (possible[0], possible[-1]):
        return None
    before, top, after = slope[best - 1 : best + 2]
    bend = before - 2.0 * top + after
    part = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    ratio = float(radii[best] + part * (radii[1] - radii[0]))

    inside = sides[:, radii < ratio - 0.08]
    outside = sides[:, (radii > ratio + 0.08) & (radii < ratio + 0.35)]
    if inside.size == 0 or outside.size == 0:
        return None
    rise = float(np.median(outside) - np.median(inside))
    unevenness = float(np.median(np.abs(outside - np.median(outside)))) * 1.48 + 2.0
    # Both sides must show the same edge.
    right, left = (np.median(rings[half], axis=0) for half in halves)
    window = slice(max(best - 3, 0), best + 4)
    steep = min(_rise_over(right[window]), _rise_over(left[window])) / max(rise, 1.0)
    confidence = (
        _ramp(rise, 8.0, 35.0)
        * _ramp(rise / unevenness, 1.5, 5.0)
        * _ramp(steep, 0.2, 0.5)
        * _ramp(2.0 * iris_radius_px, 9.0, 24.0)
    )
    return Disc(ratio, confidence)


def _halves(angles_deg: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    return np.abs((angles_deg + 180.0) % 360.0 - 180.0) < 45.0, np.abs(angles_deg - 180.0) < 45.0


def _rise_over(profile: NDArray[np.float64]) -> float:
    return float(profile[-1] - profile[0])


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _dark_centre(
    grey: NDArray[np.float32], start: NDArray[np.float64], iris_radius_px: float
) -> NDArray[np.float64]:
    """Move from the iris's centre to that of the darkest part of its middle."""
    centre = start.copy()
    x = np.arange(grey.shape[1]) - start[0]
    y = np.arange(grey.shape[0])[:, None] - start[1]
    reach_px = 0.9 * iris_radius_px
    rows, columns = np.nonzero(x * x + y * y < reach_px * reach_px)
    middles = grey[rows, columns]
    for _ in range(3):
        away_px = (columns - centre[0]) ** 2 + (rows - centre[1]) ** 2
        near = away_px < (0.55 * iris_radius_px) ** 2
        values = middles[near]
        if values.size < 8:
            return start
        ranked = np.sort(values)
        low, middle = ranked[[int(0.05 * (values.size - 1)), int(0.6 * (values.size - 1))]]
        weight = np.clip(middle - values, 0.0, None) if middle > low else np.zeros(values.shape)
        total = float(weight.sum())
        if total <= 0.0:
            return start
        moved = np.array([float(weight @ columns[near]), float(weight @ rows[near])]) / total
        away = moved - start
        length = float(np.linalg.norm(away))
        limit = 0.3 * iris_radius_px
        centre = start + away * min(1.0, limit / length) if length > 0.0 else start
    return centre


class PupilMeter:
    """Follows pupil diameter over time: a short median against outliers, a long one as baseline."""

    BASELINE_S = 60.0
    _FIRST_BASELINE_S = 1.0
    _BASELINE_STEP_S = 0.1
    _SMOOTH_S = 0.25
    _USABLE = 0.1
    _IRIS_S = 10.0

    def __init__(self) -> None:
        self._irises: deque[tuple[float, float]] = deque()
        self._recent: deque[tuple[float, float, float]] = deque()
        self._baseline: deque[tuple[float, float]] = deque()

    def measure(
        self, image: Image, landmarks: Landmarks, openness: tuple[float, float], t_s: float
    ) -> Pupil | None:
        """Measure both eyes of a frame; `openness` is (left, right). None where nothing is seen."""
        discs = []
        radius_px = self._iris_radius_px(landmarks, min(openness), t_s)
        for eye, opened in zip(EYES, (openness[1], openness[0]), strict=True):
            disc = _eye_disc(image, landmarks, eye, radius_px)
            if disc is not None:
                discs.append(Disc(disc.ratio, disc.confidence * _ramp(opened, 0.4, 0.8)))
        discs = [disc for disc in discs if disc.confidence > self._USABLE]
        if discs:
            weights = np.array([disc.confidence for disc in discs])
            mm = float(weights @ [disc.ratio for disc in discs] / weights.sum()) * IRIS_DIAMETER_MM
            confidence = float(weights.max())
            if len(discs) == 2:
                apart = abs(discs[0].ratio - discs[1].ratio) * IRIS_DIAMETER_MM
                confidence *= 1.0 - 0.7 * _ramp(apart, 0.5, 2.0)
            if SMALLEST_MM <= mm <= LARGEST_MM:
                self._recent.append((t_s, mm, confidence))
        return self._report(t_s)

    def _iris_radius_px(self, landmarks: Landmarks, openness: float, t_s: float) -> float:
        """The iris's radius, steadied: its share of the face's width is the same for years, but
        the mesh draws it smaller when the pupil is large."""
        points = landmarks.points_px
        face_px = float(np.linalg.norm(points[RIGHT_EYE.outer] - points[LEFT_EYE.outer]))
        share = sum(iris_diameters_px(landmarks)) / 4.0 / max(face_px, 1e-6)
        if openness > 0.6 or not self._irises:
            self._irises.append((t_s, share))
        while len(self._irises) > 1 and self._irises[0][0] < t_s - self._IRIS_S:
            self._irises.popleft()
        return float(np.median([each for _, each in self._irises])) * face_px

    def _report(self, t_s: float) -> Pupil | None:
        while self._recent and self._recent[0][0] < t_s - self._SMOOTH_S:
            self._recent.popleft()
        if not self._recent:
            return None
        mm = float(np.median([size for _, size, _ in self._recent]))
        confidence = float(np.median([sure for _, _, sure in self._recent]))
        if not self._baseline or t_s - self._baseline[-1][0] >= self._BASELINE_STEP_S:
            self._baseline.append((t_s, mm))
        while self._baseline[0][0] < t_s - self.BASELINE_S:
            self._baseline.popleft()
        relative = None
        if t_s - self._baseline[0][0] >= self._FIRST_BASELINE_S:
            usual = float(np.median([size for _, size in self._baseline]))
            relative = (mm - usual) / usual
        return Pupil(mm, relative, confidence)


def _eye_disc(image: Image, landmarks: Landmarks, eye: EyeIndices, radius_px: float) -> Disc | None:
    centre = landmarks.points_px[eye.iris, :2]
    side = int(np.ceil(1.3 * radius_px)) + 2
    left, top = np.maximum(np.round(centre).astype(int) - side, 0)
    right, bottom = np.round(centre).astype(int) + side + 1
    crop = image[top : max(bottom, 0), left : max(right, 0)]
    if crop.size == 0:
        return None
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return measure_disc(grey, (centre[0] - left, centre[1] - top), radius_px)
