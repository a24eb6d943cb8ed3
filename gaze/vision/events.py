"""Tells fixations, saccades and pursuits apart while they happen, and how long the gaze rests.

At 30 frames a second a saccade is over within one frame, so it shows as a step between two
places: two samples in a row that are far from where the gaze was, on one side of it. A lone sample
far away is an outlier. The thresholds grow with the noise of the samples, in the manner of
Engbert and Kliegl 2003, for each axis apart, and with the noise of the place that they are
compared with; a steady drift above the noise is a pursuit.
"""

import math
from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Movement:
    """What one sample of gaze meant.

    `step_px` is the place (2,) where the gaze has just landed, None without a step. An `outlier`
    is far from where the gaze rests and not (yet) confirmed by a second sample. `moving` tells
    that a saccade was not over when this sample was taken; otherwise it fell in the one before.
    `flight_s` is when the saccade that was found last began and ended, told once, when it is over.
    """

    kind: Literal["fixation", "saccade", "pursuit"]
    dwell_s: float
    step_px: NDArray[np.float64] | None
    outlier: bool
    moving: bool = False
    flight_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Flight:
    """Where the gaze rested before a saccade, and its (time, place (2,)) from there to landing."""

    rest_px: NDArray[np.float64]
    samples: list[tuple[float, NDArray[np.float64]]]


class Movements:
    """The online detector. Distances are in pixels; `degree_px` is what one degree covers."""

    STEP_DEG = 2.0
    FIRST_NOISES = 2.5
    BOTH_NOISES = 4.0
    FLIGHT_NOISES = 3.0
    REST_DEG = 2.5
    REST_NOISES = 4.0
    PURSUIT_DEG_PER_S = 5.0
    PURSUIT_STRAIGHTNESS = 0.85
    WINDOW_S = 0.4
    # The main sequence: a saccade lasts 21 ms and 2.2 ms more a degree (Carpenter 1988).
    SHORTEST_FLIGHT_S = 0.021
    FLIGHT_S_PER_DEG = 0.0022

    def __init__(self, degree_px: float) -> None:
        self.degree_px = degree_px
        self._noises_px = np.full(2, 0.3 * degree_px)
        self.clear()

    @property
    def noise_px(self) -> float:
        """One standard deviation of a sample around where the gaze rests, per axis."""
        return math.hypot(*self._noises_px.tolist()) / math.sqrt(2.0)

    def clear(self) -> None:
        """Forget where the gaze was (the face is lost); the noise is kept."""
        self._recent: deque[tuple[float, float, float]] = deque()
        self._last_px: NDArray[np.float64] | None = None
        self._candidate: NDArray[np.float64] | None = None
        self._anchor_px: NDArray[np.float64] | None = None
        self._flown: _Flight | None = None
        self._anchor_s = 0.0
        self._candidate_s = 0.0

    def dwell_s(self, t_s: float) -> float | None:
        """Return how long the gaze has stayed at one place by `t_s`; goes on through a blink."""
        return None if self._anchor_px is None else max(t_s - self._anchor_s, 0.0)

    def update(self, point_px: NDArray[np.float64], t_s: float) -> Movement:
        """Take the (unsmoothed) gaze (2,) at `t_s`; samples must come in order of time."""
        point_px = np.asarray(point_px, dtype=np.float64)
        movement = self._judge(point_px, t_s)
        if self._flown is None or movement.moving or movement.outlier:
            return movement
        flown, self._flown = self._flown, None
        if flown.samples[-1][0] < t_s:
            flown = _Flight(flown.rest_px, [*flown.samples, (t_s, point_px)])
        return replace(movement, flight_s=self._flight_s(flown))

    def _judge(self, point_px: NDArray[np.float64], t_s: float) -> Movement:
        self._learn_noise(point_px)
        if self._anchor_px is None or not self._recent:
            return self._land([(t_s, point_px)], "fixation")
        expected_px = self._rest_px(t_s)
        velocity_px_s = self._velocity_px_s()
        if velocity_px_s.any():
            expected_px = expected_px + velocity_px_s * (
                t_s - sum(when for when, _, _ in self._recent) / len(self._recent)
            )
        away_px = point_px - expected_px
        count = len(self._recent)
        if self._far(away_px, self.FIRST_NOISES * math.sqrt(1.0 + 1.0 / count)):
            before = self._candidate
            if before is not None:
                both_px = (point_px + before) / 2.0 - expected_px
                if float(away_px @ (before - expected_px)) > 0.0 and self._far(
                    both_px, self.BOTH_NOISES * math.sqrt(0.5 + 1.0 / count)
                ):
                    rested_s, *rested_px = self._recent[-1]
                    last, now = (self._candidate_s, before), (t_s, point_px)
                    flown = self._flown or _Flight(expected_px, [(rested_s, np.array(rested_px))])
                    self._flown = _Flight(flown.rest_px, [*flown.samples, last, now])
                    if self._far(point_px - before, self.FLIGHT_NOISES * math.sqrt(2.0)):
                        return self._land([now], "saccade", moving=True)
                    return self._land([last, now], "saccade")
            self._candidate, self._candidate_s = point_px, t_s
            dwell_s = max(t_s - self._anchor_s, 0.0)
            return Movement("fixation", dwell_s, None, outlier=True)
        self._candidate = None
        self._recent.append((t_s, float(point_px[0]), float(point_px[1])))
        pursuit = bool(self._velocity_px_s().any())
        radius_px = max(self.REST_DEG * self.degree_px, self.REST_NOISES * self.noise_px)
        rest_px = self._rest_px(t_s)
        if float(np.linalg.norm(rest_px - self._anchor_px)) > radius_px:
            self._anchor_px, self._anchor_s = rest_px, t_s
        dwell_s = max(t_s - self._anchor_s, 0.0)
        return Movement("pursuit" if pursuit else "fixation", dwell_s, None, outlier=False)

    def _far(self, away_px: NDArray[np.float64], noises: float) -> bool:
        """Whether a distance is out of the noise, and large enough to matter."""
        (x, y), (noise_x, noise_y) = away_px.tolist(), self._noises_px.tolist()
        return (
            math.hypot(x, y) > self.STEP_DEG * self.degree_px
            and math.hypot(x / noise_x, y / noise_y) > noises
        )

    def _land(
        self,
        samples: list[tuple[float, NDArray[np.float64]]],
        kind: Literal["fixation", "saccade"],
        moving: bool = False,
    ) -> Movement:
        """Begin to rest at the place of the samples, the newest of which is the last."""
        self._recent.clear()
        self._recent.extend((when, float(x), float(y)) for when, (x, y) in samples)
        self._candidate = None
        self._anchor_s = samples[-1][0]
        self._anchor_px = np.asarray(np.mean([place for _, place in samples], axis=0))
        return Movement(kind, 0.0, self._anchor_px, outlier=False, moving=moving)

    def _flight_s(self, flown: _Flight) -> tuple[float, float]:
        """When a saccade began and ended: how far it had come tells when half of it was over.

        Each sample is taken for the mean over the time until the next.
        """
        way_px = flown.samples[-1][1] - flown.rest_px
        length2 = max(float(way_px @ way_px), 1e-12)
        middle_s = flown.samples[0][0]
        for (start_s, place), (end_s, _) in pairwise(flown.samples):
            covered = float((place - flown.rest_px) @ way_px) / length2
            middle_s += (1.0 - min(max(covered, 0.0), 1.0)) * (end_s - start_s)
        half_s = 0.5 * (
            self.SHORTEST_FLIGHT_S + self.FLIGHT_S_PER_DEG * math.sqrt(length2) / self.degree_px
        )
        return middle_s - half_s, middle_s + half_s

    def _rest_px(self, t_s: float) -> NDArray[np.float64]:
        """Where the gaze was over the last window: the mean of what was seen there."""
        while len(self._recent) > 1 and self._recent[0][0] < t_s - self.WINDOW_S:
            self._recent.popleft()
        _, x, y = (sum(each) / len(self._recent) for each in zip(*self._recent, strict=True))
        return np.array([x, y])

    def _learn_noise(self, point_px: NDArray[np.float64]) -> None:
        """A running median of the step from sample to sample, which drifts hardly touch."""
        last, self._last_px = self._last_px, point_px
        if last is None:
            return
        # Half of all differences, which have sqrt(2) of the noise, are below 0.674 of theirs.
        seen_px = np.abs(point_px - last) / (0.674 * math.sqrt(2.0))
        self._noises_px *= np.exp(np.where(seen_px > self._noises_px, 0.08, -0.08))
        limits = (0.02 * self.degree_px, 3.0 * self.degree_px)
        self._noises_px = self._noises_px.clip(*limits)

    def _velocity_px_s(self) -> NDArray[np.float64]:
        """Velocity (2,) of a straight line through the window; 0 unless it is that of a pursuit:
        fast enough, out of the noise, and with little movement but along the line."""
        still = np.zeros(2)
        count = len(self._recent)
        if count < 4 or self._recent[-1][0] - self._recent[0][0] < 0.6 * self.WINDOW_S:
            return still
        # Plain numbers: there are too few of them for arrays to pay.
        mean_s, mean_x, mean_y = (sum(each) / count for each in zip(*self._recent, strict=True))
        track = [(when - mean_s, x - mean_x, y - mean_y) for when, x, y in self._recent]
        spread = sum(when * when for when, _, _ in track)
        if spread <= 0.0:
            return still
        slope_x = sum(when * x for when, x, _ in track) / spread
        slope_y = sum(when * y for when, _, y in track) / spread
        speed = math.hypot(slope_x, slope_y)
        moved = sum(x * x + y * y for _, x, y in track)
        if speed**2 * spread < self.PURSUIT_STRAIGHTNESS * moved:
            return still
        least_px_s = max(
            self.PURSUIT_DEG_PER_S * self.degree_px, 4.0 * self.noise_px / math.sqrt(spread)
        )
        return np.array([slope_x, slope_y]) if speed > least_px_s else still
