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
    """Where the gaze rested before a saccade, and its (time, place) from there to landing."""

    rest_px: complex
    samples: list[tuple[float, complex]]


class EventDetector:
    """The online detector. Distances are in pixels; `degree_px` is what one degree covers.

    Places are kept as x + iy: there are too few of them for arrays to pay.
    """

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
        self._noises_px = (0.3 * degree_px, 0.3 * degree_px)
        self.clear()

    @property
    def noise_px(self) -> float:
        """One standard deviation of a sample around where the gaze rests, per axis."""
        return math.hypot(*self._noises_px) / math.sqrt(2.0)

    def clear(self) -> None:
        """Forget where the gaze was (the face is lost); the noise is kept."""
        self._recent: deque[tuple[float, complex]] = deque()
        self._last_px: complex | None = None
        self._candidate: complex | None = None
        self._anchor_px: complex | None = None
        self._flown: _Flight | None = None
        self._anchor_s = 0.0
        self._candidate_s = 0.0

    def dwell_s(self, t_s: float) -> float | None:
        """Return how long the gaze has stayed at one place by `t_s`; goes on through a blink."""
        return None if self._anchor_px is None else max(t_s - self._anchor_s, 0.0)

    def update(self, point_px: NDArray[np.float64], t_s: float) -> Movement:
        """Take the (unsmoothed) gaze (2,) at `t_s`; samples must come in order of time."""
        place_px = complex(*point_px)
        movement = self._judge(place_px, t_s)
        if self._flown is None or movement.moving or movement.outlier:
            return movement
        flown, self._flown = self._flown, None
        if flown.samples[-1][0] < t_s:
            flown = _Flight(flown.rest_px, [*flown.samples, (t_s, place_px)])
        return replace(movement, flight_s=self._flight_s(flown))

    def _judge(self, point_px: complex, t_s: float) -> Movement:
        self._learn_noise(point_px)
        if self._anchor_px is None or not self._recent:
            return self._land([(t_s, point_px)], "fixation")
        while len(self._recent) > 1 and self._recent[0][0] < t_s - self.WINDOW_S:
            self._recent.popleft()
        rested_s, rest_px, velocity_px_s = self._rest()
        expected_px = rest_px + velocity_px_s * (t_s - rested_s)
        away_px = point_px - expected_px
        count = len(self._recent)
        if self._far(away_px, self.FIRST_NOISES * math.sqrt(1.0 + 1.0 / count)):
            before = self._candidate
            if before is not None:
                both_px = (point_px + before) / 2.0 - expected_px
                if _along(before - expected_px, away_px) > 0.0 and self._far(
                    both_px, self.BOTH_NOISES * math.sqrt(0.5 + 1.0 / count)
                ):
                    last, now = (self._candidate_s, before), (t_s, point_px)
                    flown = self._flown or _Flight(expected_px, [self._recent[-1]])
                    self._flown = _Flight(flown.rest_px, [*flown.samples, last, now])
                    if self._far(point_px - before, self.FLIGHT_NOISES * math.sqrt(2.0)):
                        return self._land([now], "saccade", moving=True)
                    return self._land([last, now], "saccade")
            self._candidate, self._candidate_s = point_px, t_s
            dwell_s = max(t_s - self._anchor_s, 0.0)
            return Movement("fixation", dwell_s, None, outlier=True)
        self._candidate = None
        self._recent.append((t_s, point_px))
        _, rest_px, velocity_px_s = self._rest()
        radius_px = max(self.REST_DEG * self.degree_px, self.REST_NOISES * self.noise_px)
        if abs(rest_px - self._anchor_px) > radius_px:
            self._anchor_px, self._anchor_s = rest_px, t_s
        dwell_s = max(t_s - self._anchor_s, 0.0)
        return Movement("pursuit" if velocity_px_s else "fixation", dwell_s, None, outlier=False)

    def _far(self, away_px: complex, noises: float) -> bool:
        """Whether a distance is out of the noise, and large enough to matter."""
        noise_x, noise_y = self._noises_px
        return (
            abs(away_px) > self.STEP_DEG * self.degree_px
            and math.hypot(away_px.real / noise_x, away_px.imag / noise_y) > noises
        )

    def _land(
        self,
        samples: list[tuple[float, complex]],
        kind: Literal["fixation", "saccade"],
        moving: bool = False,
    ) -> Movement:
        """Begin to rest at the place of the samples, the newest of which is the last."""
        self._recent.clear()
        self._recent.extend(samples)
        self._candidate = None
        self._anchor_s = samples[-1][0]
        place_px = self._anchor_px = sum(place for _, place in samples) / len(samples)
        step_px = np.array([place_px.real, place_px.imag])
        return Movement(kind, 0.0, step_px, outlier=False, moving=moving)

    def _flight_s(self, flown: _Flight) -> tuple[float, float]:
        """When a saccade began and ended: how far it had come tells when half of it was over.

        Each sample is taken for the mean over the time until the next.
        """
        way_px = flown.samples[-1][1] - flown.rest_px
        length2 = max(_along(way_px, way_px), 1e-12)
        middle_s = flown.samples[0][0]
        for (start_s, place), (end_s, _) in pairwise(flown.samples):
            covered = _along(place - flown.rest_px, way_px) / length2
            middle_s += (1.0 - min(max(covered, 0.0), 1.0)) * (end_s - start_s)
        half_s = 0.5 * (
            self.SHORTEST_FLIGHT_S + self.FLIGHT_S_PER_DEG * math.sqrt(length2) / self.degree_px
        )
        return middle_s - half_s, middle_s + half_s

    def _learn_noise(self, point_px: complex) -> None:
        """A running median of the step from sample to sample, which drifts hardly touch."""
        last, self._last_px = self._last_px, point_px
        if last is None:
            return
        # Half of all differences, which have sqrt(2) of the noise, are below 0.674 of theirs.
        seen_px = (point_px - last) / (0.674 * math.sqrt(2.0))
        least_px, most_px = 0.02 * self.degree_px, 3.0 * self.degree_px
        x, y = (
            min(max(noise * math.exp(0.08 if abs(seen) > noise else -0.08), least_px), most_px)
            for seen, noise in zip((seen_px.real, seen_px.imag), self._noises_px, strict=True)
        )
        self._noises_px = (x, y)

    def _rest(self) -> tuple[float, complex, complex]:
        """The mean time and place of the window, and the velocity of a straight line through it; 0
        unless it is that of a pursuit: fast enough, out of the noise, and with little movement but
        along the line."""
        count = len(self._recent)
        first_s, first_px = self._recent[0]
        # Sums over the window, of times and ways since its first sample.
        times = squares = moved = 0.0
        ways = products = 0j
        for when, place in self._recent:
            step_s, way = when - first_s, place - first_px
            times += step_s
            squares += step_s * step_s
            ways += way
            products += step_s * way
            moved += way.real * way.real + way.imag * way.imag
        mean_s, mean_px = times / count, ways / count
        rested_s, rest_px = first_s + mean_s, first_px + mean_px
        spread = squares - times * mean_s
        if count < 4 or step_s < 0.6 * self.WINDOW_S or spread <= 0.0:
            return rested_s, rest_px, 0j
        velocity = (products - times * mean_px) / spread
        speed = abs(velocity)
        least_px_s = max(
            self.PURSUIT_DEG_PER_S * self.degree_px, 4.0 * self.noise_px / math.sqrt(spread)
        )
        moved -= _along(ways, mean_px)
        straight = speed**2 * spread >= self.PURSUIT_STRAIGHTNESS * moved
        return rested_s, rest_px, velocity if straight and speed > least_px_s else 0j


def _along(one: complex, other: complex) -> float:
    """The inner product of two ways."""
    return one.real * other.real + one.imag * other.imag
