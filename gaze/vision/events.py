"""Tells fixations, saccades and pursuits apart while they happen, and how long the gaze rests.

At 30 frames a second a saccade is over within one frame, so it shows as a step between two
places: two samples in a row far from where the gaze was and close to each other. A lone sample
far away is an outlier. The thresholds grow with the noise of the samples, in the manner of
Engbert and Kliegl 2003; a steady drift above the noise is a pursuit.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Movement:
    """What one sample of gaze meant.

    `step_px` is the place (2,) where the gaze has just landed, None without a step. An `outlier`
    is far from where the gaze rests and not (yet) confirmed by a second sample.
    """

    kind: Literal["fixation", "saccade", "pursuit"]
    dwell_s: float
    step_px: NDArray[np.float64] | None
    outlier: bool


class Movements:
    """The online detector. Distances are in pixels; `degree_px` is what one degree covers."""

    STEP_DEG = 2.0
    STEP_NOISES = 5.0
    REST_DEG = 2.5
    REST_NOISES = 4.0
    PURSUIT_DEG_PER_S = 5.0
    PURSUIT_STRAIGHTNESS = 0.85
    WINDOW_S = 0.4

    def __init__(self, degree_px: float) -> None:
        self.degree_px = degree_px
        self._noise_px = 0.3 * degree_px
        self.clear()

    @property
    def noise_px(self) -> float:
        """One standard deviation of a sample around where the gaze rests, per axis."""
        return self._noise_px

    def clear(self) -> None:
        """Forget where the gaze was (the face is lost); the noise is kept."""
        self._recent: deque[tuple[float, float, float]] = deque()
        self._candidate: NDArray[np.float64] | None = None
        self._anchor_px: NDArray[np.float64] | None = None
        self._anchor_s = 0.0

    def dwell_s(self, t_s: float) -> float | None:
        """Return how long the gaze has stayed at one place by `t_s`; goes on through a blink."""
        return None if self._anchor_px is None else max(t_s - self._anchor_s, 0.0)

    def update(self, point_px: NDArray[np.float64], t_s: float) -> Movement:
        """Take the (unsmoothed) gaze (2,) at `t_s`; samples must come in order of time."""
        point_px = np.asarray(point_px, dtype=np.float64)
        if self._anchor_px is None or not self._recent:
            return self._land(point_px, t_s, "fixation")
        rest_px = self._rest_px(t_s)
        threshold_px = max(self.STEP_DEG * self.degree_px, self.STEP_NOISES * self._noise_px)
        velocity_px_s = self._velocity_px_s()
        expected_px = rest_px
        if velocity_px_s.any():
            expected_px = rest_px + velocity_px_s * (
                t_s - float(np.mean([when for when, _, _ in self._recent]))
            )
        if float(np.linalg.norm(point_px - expected_px)) > threshold_px:
            if (
                self._candidate is not None
                and float(np.linalg.norm(point_px - self._candidate)) < 1.5 * threshold_px
            ):
                return self._land((point_px + self._candidate) / 2.0, t_s, "saccade")
            self._candidate = point_px
            dwell_s = max(t_s - self._anchor_s, 0.0)
            return Movement("fixation", dwell_s, None, outlier=True)
        self._candidate = None
        self._learn_noise(point_px)
        self._recent.append((t_s, float(point_px[0]), float(point_px[1])))
        pursuit = bool(self._velocity_px_s().any())
        radius_px = max(self.REST_DEG * self.degree_px, self.REST_NOISES * self._noise_px)
        rest_px = self._rest_px(t_s)
        if float(np.linalg.norm(rest_px - self._anchor_px)) > radius_px:
            self._anchor_px, self._anchor_s = rest_px, t_s
        dwell_s = max(t_s - self._anchor_s, 0.0)
        return Movement("pursuit" if pursuit else "fixation", dwell_s, None, outlier=False)

    def _land(
        self, point_px: NDArray[np.float64], t_s: float, kind: Literal["fixation", "saccade"]
    ) -> Movement:
        self._recent.clear()
        self._recent.append((t_s, float(point_px[0]), float(point_px[1])))
        self._candidate = None
        self._anchor_px, self._anchor_s = point_px, t_s
        return Movement(kind, 0.0, point_px, outlier=False)

    def _rest_px(self, t_s: float) -> NDArray[np.float64]:
        """Where the gaze was over the last window: the mean of what was seen there."""
        while len(self._recent) > 1 and self._recent[0][0] < t_s - self.WINDOW_S:
            self._recent.popleft()
        return np.asarray(np.mean([(x, y) for _, x, y in self._recent], axis=0))

    def _learn_noise(self, point_px: NDArray[np.float64]) -> None:
        """A running median of the step from sample to sample, which drifts hardly touch."""
        last = np.array(self._recent[-1][1:])
        # The median of a Rayleigh variable is 1.177 sigma, and a difference has sqrt(2) of it.
        seen_px = float(np.linalg.norm(point_px - last)) / (1.177 * math.sqrt(2.0))
        self._noise_px *= math.exp(0.08 if seen_px > self._noise_px else -0.08)
        limits = (0.02 * self.degree_px, 3.0 * self.degree_px)
        self._noise_px = min(max(self._noise_px, limits[0]), limits[1])

    def _velocity_px_s(self) -> NDArray[np.float64]:
        """Velocity (2,) of a straight line through the window; 0 unless it is that of a pursuit:
        fast enough, out of the noise, and with little movement but along the line."""
        still = np.zeros(2)
        if len(self._recent) < 4:
            return still
        track = np.array(self._recent)
        times_s = track[:, 0] - track[:, 0].mean()
        spread = float(times_s @ times_s)
        if track[-1, 0] - track[0, 0] < 0.6 * self.WINDOW_S or spread <= 0.0:
            return still
        places = track[:, 1:] - track[:, 1:].mean(axis=0)
        slope = np.asarray(times_s @ places / spread)
        along = float(slope @ slope) * spread
        if along < self.PURSUIT_STRAIGHTNESS * float(np.sum(places**2)):
            return still
        least_px_s = max(
            self.PURSUIT_DEG_PER_S * self.degree_px, 4.0 * self._noise_px / math.sqrt(spread)
        )
        return slope if float(np.linalg.norm(slope)) > least_px_s else still
