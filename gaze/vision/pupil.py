"""Pupil diameter from the camera's visible light.

The iris, 11.7 mm wide in nearly everybody, gives the scale; the pupil's edge was found together
with the iris's. Dark irises, small irises, lids and blur make it faint: the confidence is the
probability that the width is within half a millimetre, as far as made viewers can tell.
"""

import math
from collections import deque
from dataclasses import dataclass

from gaze.vision.cleaning import PupilCleaner
from gaze.vision.iris import Disc, Irises
from gaze.vision.median import median
from gaze.vision.pose import IRIS_DIAMETER_MM
from gaze.vision.reflex import LightReflex
from gaze.vision.sample import Pupil

RELATIVE_ONLY = 0.2
"""Below this confidence a width is told as a change only, not in millimetres."""
# Logistic regression, fitted to made viewers: `python -m benchmarks.pupil_confidence`.
WEIGHTS = (-2.76, 0.99, 1.84, 0.72)
# What made viewers do not show: shadows that make edges as faint, noise that makes them alike, and
# irises smaller than theirs. Nothing is claimed at the first value, and all at the second.
_RISE, _IN_STEP, _RADIUS_PX = (4.5, 5.5), (0.53, 0.6), (4.7, 4.9)
_OPENNESS = (0.4, 0.8)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the pupils' edge was seen: the disc of the last frames, and the iris's radius."""

    disc: Disc
    radius_px: float

    @property
    def terms(self) -> tuple[float, float, float, float]:
        """What `WEIGHTS` weigh."""
        disc = self.disc
        return 1.0, math.log(max(disc.rise, 1.0)), disc.kept, math.log(self.radius_px)

    @property
    def confidence(self) -> float:
        """The probability that the width is off by half a millimetre at most."""
        sure = sum(weight * term for weight, term in zip(WEIGHTS, self.terms, strict=True))
        return (
            _ramp(self.disc.rise, *_RISE)
            * _ramp(self.disc.in_step, *_IN_STEP)
            * _ramp(self.radius_px, *_RADIUS_PX)
            / (1.0 + math.exp(-sure))
        )


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


class PupilMeter:
    """Follows pupil diameter over time: a short mean against noise, cleaned, the reflex to the
    film's light taken out, and a long median as baseline."""

    BASELINE_S = 60.0
    _FIRST_BASELINE_S = 1.0
    _BASELINE_STEP_S = 0.1
    _SMOOTH_S = 0.4
    _CLOSED = 0.3

    def __init__(self) -> None:
        self.reflex = LightReflex()
        self._cleaner = PupilCleaner()
        self._recent: deque[tuple[float, Disc]] = deque()
        self.evidence: Evidence | None = None
        """Of the newest frame; None where nothing was seen."""
        self._baseline: deque[tuple[float, float]] = deque()
        self._usual_mm = 0.0
        self._confidence = 0.0

    def measure(
        self, irises: Irises | None, openness: tuple[float, float], t_s: float
    ) -> Pupil | None:
        """Take both eyes of a frame; `openness` is (left, right). None where nothing is seen."""
        self.evidence = None
        while self._recent and self._recent[0][0] < t_s - self._SMOOTH_S:
            self._recent.popleft()
        if min(openness) < self._CLOSED:
            self._recent.clear()
        elif irises is not None and irises.disc is not None:
            self._recent.append((t_s, irises.disc))
            self.evidence = Evidence(self._together(), irises.radius_px)
        if self.evidence is None:
            mm = self._cleaner.update(None, t_s)
            self._confidence *= 0.5
        else:
            mm = self._cleaner.update(self.evidence.disc.ratio * IRIS_DIAMETER_MM, t_s)
            self._confidence = self.evidence.confidence * _ramp(min(openness), *_OPENNESS)
        return None if mm is None else self._report(mm, t_s)

    def _together(self) -> Disc:
        """The mean of the last frames; of the ratio, one in which clearer ones count more."""
        ratio = rise = in_step = kept = 0.0
        weights = 0.0
        for _, disc in self._recent:
            weight = disc.rise * disc.kept + 1e-9
            weights += weight
            ratio += weight * disc.ratio
            rise += disc.rise
            in_step += disc.in_step
            kept += disc.kept
        count = len(self._recent)
        return Disc(ratio / weights, rise / count, in_step / count, kept / count)

    def _report(self, mm: float, t_s: float) -> Pupil:
        without_light = self.reflex.without(mm, t_s)
        if not self._baseline or t_s - self._baseline[-1][0] >= self._BASELINE_STEP_S:
            self._baseline.append((t_s, without_light))
            while self._baseline[0][0] < t_s - self.BASELINE_S:
                self._baseline.popleft()
            self._usual_mm = float(median([size for _, size in self._baseline]))
        relative = None
        if t_s - self._baseline[0][0] >= self._FIRST_BASELINE_S:
            relative = (without_light - self._usual_mm) / self._usual_mm
        sure = self._confidence
        return Pupil(mm if sure >= RELATIVE_ONLY else None, relative, sure)
