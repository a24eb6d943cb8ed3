"""Detect fixations, saccades and smooth pursuit online, and how long the gaze dwells.

At 30 frames a second a saccade is over within one frame, so it shows as a step between two points:
two samples in a row that are far from the fixation, on one side of it. A single distant sample is
an outlier. The thresholds grow with the noise of the samples (after Engbert and Kliegl 2003,
"Microsaccades uncover the orientation of covert attention"), for each axis separately, and with the
uncertainty of the fixation that they are compared with; a steady drift above the noise is a
pursuit.
"""

import math
from collections import deque
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import numpy as np

from gaze.vision.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class EyeMovement:
    """The classification of one sample.

    Attributes
    ----------
    kind : {"fixation", "saccade", "pursuit"}
    dwell_s : float
        How long the gaze has dwelt where it is.
    landing_px : FloatArray, shape (2,), or None
        Where a saccade has just landed; None without one.
    outlier : bool
        Whether the sample is far from the fixation and not (yet) confirmed by a second one.
    in_flight : bool, default False
        Whether the saccade was not over when this sample was taken; otherwise it ended in the one
        before.
    saccade_s : tuple of float or None, default None
        Onset and offset of the last saccade, given once, when it is over.
    """

    kind: Literal["fixation", "saccade", "pursuit"]
    dwell_s: float
    landing_px: FloatArray | None
    outlier: bool
    in_flight: bool = False
    saccade_s: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class _Saccade:
    """The fixation before a saccade, and the (time, point) of its samples until landing."""

    fixation_px: complex
    samples: list[tuple[float, complex]]


class EventDetector:
    """The online detector.

    Points are kept as x + iy: there are too few of them for arrays to pay.

    Attributes
    ----------
    degree_px : float
        How many pixels one degree of gaze covers.
    """

    # The thresholds in standard deviations were chosen among nine pairs on three seeds of
    # `benchmarks.events`; those in degrees and shares by hand.
    STEP_DEG = 2.0
    FIRST_DEVIATIONS = 2.5
    BOTH_DEVIATIONS = 4.0
    FLIGHT_DEVIATIONS = 3.0
    FIXATION_DEG = 2.5
    FIXATION_DEVIATIONS = 4.0
    PURSUIT_DEG_PER_S = 5.0
    PURSUIT_STRAIGHTNESS = 0.85
    WINDOW_S = 0.4
    # The main sequence: a saccade lasts 21 ms and 2.2 ms more a degree (Carpenter 1988, "Movements
    # of the Eyes").
    SHORTEST_SACCADE_S = 0.021
    SACCADE_S_PER_DEG = 0.0022

    def __init__(self, degree_px: float) -> None:
        """Start without a sample.

        Parameters
        ----------
        degree_px : float
            How many pixels one degree of gaze covers.
        """
        self.degree_px = degree_px
        # Chosen by hand: a webcam's noise after calibration.
        self._noises_px = (0.3 * degree_px, 0.3 * degree_px)
        self.clear()

    @property
    def noise_px(self) -> float:
        """Standard deviation of a sample around the fixation, per axis."""
        return math.hypot(*self._noises_px) / math.sqrt(2.0)

    def clear(self) -> None:
        """Forget where the gaze was, as when the face is lost; the noise is kept."""
        self._recent: deque[tuple[float, complex]] = deque()
        self._last_px: complex | None = None
        self._candidate: complex | None = None
        self._fixation_px: complex | None = None
        self._saccade: _Saccade | None = None
        self._fixation_start_s = 0.0
        self._candidate_s = 0.0

    def dwell_s(self, t_s: float) -> float | None:
        """Return how long the gaze has dwelt where it is; a blink does not end it.

        Parameters
        ----------
        t_s : float
            The current time.

        Returns
        -------
        float or None
            None while the gaze is unknown.
        """
        return None if self._fixation_px is None else max(t_s - self._fixation_start_s, 0.0)

    def update(self, point_px: FloatArray, t_s: float) -> EyeMovement:
        """Classify one sample.

        Parameters
        ----------
        point_px : FloatArray, shape (2,)
            Point of gaze, not smoothed.
        t_s : float
            Its time; samples must come in order.

        Returns
        -------
        EyeMovement
        """
        point = complex(*point_px)
        movement = self._classify(point, t_s)
        if self._saccade is None or movement.in_flight or movement.outlier:
            return movement
        saccade, self._saccade = self._saccade, None
        if saccade.samples[-1][0] < t_s:
            saccade = _Saccade(saccade.fixation_px, [*saccade.samples, (t_s, point)])
        return replace(movement, saccade_s=self._onset_and_offset_s(saccade))

    def _classify(self, point_px: complex, t_s: float) -> EyeMovement:
        self._learn_noise(point_px)
        if self._fixation_px is None or not self._recent:
            return self._land([(t_s, point_px)], "fixation")
        while len(self._recent) > 1 and self._recent[0][0] < t_s - self.WINDOW_S:
            self._recent.popleft()
        mean_s, mean_px, velocity_px_s = self._regression()
        expected_px = mean_px + velocity_px_s * (t_s - mean_s)
        offset_px = point_px - expected_px
        count = len(self._recent)
        if self._is_far(offset_px, self.FIRST_DEVIATIONS * math.sqrt(1.0 + 1.0 / count)):
            before = self._candidate
            if before is not None:
                both_px = (point_px + before) / 2.0 - expected_px
                if _dot(before - expected_px, offset_px) > 0.0 and self._is_far(
                    both_px, self.BOTH_DEVIATIONS * math.sqrt(0.5 + 1.0 / count)
                ):
                    last, now = (self._candidate_s, before), (t_s, point_px)
                    saccade = self._saccade or _Saccade(expected_px, [self._recent[-1]])
                    self._saccade = _Saccade(saccade.fixation_px, [*saccade.samples, last, now])
                    if self._is_far(point_px - before, self.FLIGHT_DEVIATIONS * math.sqrt(2.0)):
                        return self._land([now], "saccade", in_flight=True)
                    return self._land([last, now], "saccade")
            self._candidate, self._candidate_s = point_px, t_s
            dwell_s = max(t_s - self._fixation_start_s, 0.0)
            return EyeMovement("fixation", dwell_s, None, outlier=True)
        self._candidate = None
        self._recent.append((t_s, point_px))
        _, mean_px, velocity_px_s = self._regression()
        radius_px = max(
            self.FIXATION_DEG * self.degree_px, self.FIXATION_DEVIATIONS * self.noise_px
        )
        if abs(mean_px - self._fixation_px) > radius_px:
            self._fixation_px, self._fixation_start_s = mean_px, t_s
        dwell_s = max(t_s - self._fixation_start_s, 0.0)
        kind: Literal["pursuit", "fixation"] = "pursuit" if velocity_px_s else "fixation"
        return EyeMovement(kind, dwell_s, None, outlier=False)

    def _is_far(self, offset_px: complex, deviations: float) -> bool:
        """Return whether an offset exceeds the noise, and is large enough to matter."""
        noise_x, noise_y = self._noises_px
        return (
            abs(offset_px) > self.STEP_DEG * self.degree_px
            and math.hypot(offset_px.real / noise_x, offset_px.imag / noise_y) > deviations
        )

    def _land(
        self,
        samples: list[tuple[float, complex]],
        kind: Literal["fixation", "saccade"],
        in_flight: bool = False,
    ) -> EyeMovement:
        """Start a fixation at the mean of the samples, the newest of which is the last."""
        self._recent.clear()
        self._recent.extend(samples)
        self._candidate = None
        self._fixation_start_s = samples[-1][0]
        mean_px = self._fixation_px = sum(point for _, point in samples) / len(samples)
        landing_px = np.array([mean_px.real, mean_px.imag])
        return EyeMovement(kind, 0.0, landing_px, outlier=False, in_flight=in_flight)

    def _onset_and_offset_s(self, saccade: _Saccade) -> tuple[float, float]:
        """Return when a saccade began and ended.

        The share of its amplitude that each sample has covered tells when half of it was over, the
        main sequence how long it took. Each sample is taken for the mean over the time until the
        next.
        """
        amplitude_px = saccade.samples[-1][1] - saccade.fixation_px
        squared = max(_dot(amplitude_px, amplitude_px), 1e-12)
        middle_s = saccade.samples[0][0]
        for (start_s, point), (end_s, _) in pairwise(saccade.samples):
            covered = _dot(point - saccade.fixation_px, amplitude_px) / squared
            middle_s += (1.0 - min(max(covered, 0.0), 1.0)) * (end_s - start_s)
        half_s = 0.5 * (
            self.SHORTEST_SACCADE_S + self.SACCADE_S_PER_DEG * math.sqrt(squared) / self.degree_px
        )
        return middle_s - half_s, middle_s + half_s

    def _learn_noise(self, point_px: complex) -> None:
        """Update the noise by a running median of the differences from sample to sample.

        Drifts hardly change these.
        """
        last, self._last_px = self._last_px, point_px
        if last is None:
            return
        # Half of all differences, which have sqrt(2) of the noise, are below 0.674 of theirs.
        noise_px = (point_px - last) / (0.674 * math.sqrt(2.0))
        least_px, most_px = 0.02 * self.degree_px, 3.0 * self.degree_px
        x, y = (
            min(max(noise * math.exp(0.08 if abs(one) > noise else -0.08), least_px), most_px)
            for one, noise in zip((noise_px.real, noise_px.imag), self._noises_px, strict=True)
        )
        self._noises_px = (x, y)

    def _regression(self) -> tuple[float, complex, complex]:
        """Return the mean time and point of the window, and the velocity by linear regression.

        The velocity is 0 unless it is that of a pursuit: fast enough, above the noise, and with
        little movement but along the line.
        """
        count = len(self._recent)
        first_s, first_px = self._recent[0]
        # Sums over the window, of times and displacements since its first sample.
        times = squared_times = squared_steps = 0.0
        steps = products = 0j
        for when_s, point in self._recent:
            time_s, step = when_s - first_s, point - first_px
            times += time_s
            squared_times += time_s * time_s
            steps += step
            products += time_s * step
            squared_steps += step.real * step.real + step.imag * step.imag
        mean_time_s, mean_step = times / count, steps / count
        mean_s, mean_px = first_s + mean_time_s, first_px + mean_step
        spread = squared_times - times * mean_time_s
        if count < 4 or time_s < 0.6 * self.WINDOW_S or spread <= 0.0:
            return mean_s, mean_px, 0j
        velocity = (products - times * mean_step) / spread
        speed = abs(velocity)
        least_px_s = max(
            self.PURSUIT_DEG_PER_S * self.degree_px, 4.0 * self.noise_px / math.sqrt(spread)
        )
        squared_steps -= _dot(steps, mean_step)
        straight = speed**2 * spread >= self.PURSUIT_STRAIGHTNESS * squared_steps
        return mean_s, mean_px, velocity if straight and speed > least_px_s else 0j


def _dot(one: complex, other: complex) -> float:
    """Return the scalar product of two vectors."""
    return one.real * other.real + one.imag * other.imag
