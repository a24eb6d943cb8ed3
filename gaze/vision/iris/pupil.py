"""Pupil diameter from the camera's visible light.

The iris, 11.7 mm wide in nearly everybody, gives the scale, and the face, which is metric too,
tells whether this one is wider. Dark irises, small irises, lids and blur make the pupil's edge
faint: the confidence is the probability that the width is within half a millimetre, as far as made
viewers can tell.
"""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from gaze.vision.head.pose import IRIS_DIAMETER_MM, Pose
from gaze.vision.iris.light_reflex import LightReflex
from gaze.vision.iris.pupil_cleaning import PupilCleaner
from gaze.vision.iris.pupil_fit import PupilFit
from gaze.vision.iris.refinement import Irises
from gaze.vision.median import median
from gaze.vision.sample import Pupil

RELATIVE_ONLY = 0.2
"""Below this confidence a width is told as a change only, not in millimetres."""
# Logistic regression, fitted to made viewers: `python -m benchmarks.pupil_confidence`.
WEIGHTS = (-0.74, 1.41, -0.68, 1.72, -3.6)
# What made viewers do not show: shadows as strong as an edge, pixels as noisy as it is high (of
# which larger irises average more), and irises smaller than theirs. Nothing is claimed at the first
# value, and all at the second.
_CLEAR_A_PX, _RADIUS_PX = (0.16, 0.22), (4.7, 4.9)
_OPENNESS = (0.4, 0.8)


@dataclass(frozen=True, slots=True)
class Evidence:
    """How well the pupils were seen: the disc of the last frames, the irises' radius in the
    picture and their diameter."""

    disc: PupilFit
    radius_px: float
    iris_mm: float = IRIS_DIAMETER_MM

    @property
    def mm(self) -> float:
        """The pupils' diameter."""
        return self.disc.ratio * self.iris_mm

    @property
    def terms(self) -> tuple[float, float, float, float, float]:
        """What `WEIGHTS` weigh."""
        disc = self.disc
        return (
            1.0,
            math.log(disc.explained + 1.0),
            math.log(disc.rest + 4.0),
            math.log(self.radius_px),
            math.log(self.mm),
        )

    @property
    def confidence(self) -> float:
        """The probability that the width is off by half a millimetre at most."""
        sure = sum(weight * term for weight, term in zip(WEIGHTS, self.terms, strict=True))
        clear = self.disc.explained / max(self.disc.rest, 1.0)
        return (
            _ramp(clear / self.radius_px, *_CLEAR_A_PX)
            * _ramp(self.radius_px, *_RADIUS_PX)
            / (1.0 + math.exp(-sure))
        )


class IrisSize:
    """How wide a viewer's irises are: what people's are, and what the face tells, by the spread of
    each between people.

    Visible irises measure 11.7 +- 0.42 to 0.5 mm (Rüfer et al. 2005; Hashemi et al. 2012), 4 %.
    Faces differ by 4 to 5 %: the eyes are 63.4 +- 3.8 mm apart (Dodgson 2004), and faces as broad
    and as high as 4 and 5 % of spread within either sex (Gordon et al. 2014, ANSUR II).
    """

    _FACE_COUNTS = 0.4
    _LONGEST = 900
    _MOST = 0.2

    def __init__(self) -> None:
        self._frames = 0
        self._by_face = 0.0

    @property
    def mm(self) -> float:
        """The diameter, from the frames seen so far."""
        return IRIS_DIAMETER_MM * math.exp(self._FACE_COUNTS * self._by_face)

    def see(self, radius_px: float, pose: Pose) -> None:
        """Take the irises' radius in a frame, and where a face of average size would be in it."""
        wide_mm = 2.0 * radius_px * float(pose.fitted_mm[2]) / pose.focal_px
        wider = math.log(max(wide_mm, 1.0) / IRIS_DIAMETER_MM)
        self._frames = min(self._frames + 1, self._LONGEST)
        self._by_face += (min(max(wider, -self._MOST), self._MOST) - self._by_face) / self._frames


def _ramp(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)


class PupilMeter:
    """Follows pupil diameter over time: a short mean against noise, cleaned, the reflex to the
    film's light taken out, and a long median as baseline."""

    BASELINE_S = 60.0
    _FIRST_BASELINE_S = 1.0
    _BASELINE_STEP_S = 0.1
    _SMOOTH_S = 0.48
    _CLOSED = 0.3

    def __init__(self) -> None:
        self.reflex = LightReflex()
        self.iris = IrisSize()
        self._cleaner = PupilCleaner()
        self._recent: deque[tuple[float, PupilFit]] = deque()
        self.evidence: Evidence | None = None
        """Of the newest frame; None where nothing was seen."""
        self._baseline: deque[tuple[float, float]] = deque()
        self._usual_mm = 0.0
        self._confidence = 0.0

    def measure(
        self,
        irises: Irises | None,
        openness: tuple[float, float],
        t_s: float,
        pose: Pose | None = None,
    ) -> Pupil | None:
        """Take both eyes of a frame; `openness` is (left, right). None where nothing is seen.

        With the head's `pose` it learns how wide the irises are.
        """
        self.evidence = None
        while self._recent and self._recent[0][0] < t_s - self._SMOOTH_S:
            self._recent.popleft()
        if min(openness) < self._CLOSED:
            self._recent.clear()
        elif irises is not None and irises.disc is not None:
            if pose is not None:
                self.iris.see(irises.radius_px, pose)
            self._recent.append((t_s, irises.disc))
            rises = np.mean([disc.rises for _, disc in self._recent], axis=0)
            disc = PupilFit(rises, irises.radius_px)
            self.evidence = Evidence(disc, irises.radius_px, self.iris.mm)
        if self.evidence is None:
            mm = self._cleaner.update(None, t_s)
            self._confidence *= 0.5
        else:
            mm = self._cleaner.update(self.evidence.mm, t_s)
            self._confidence = self.evidence.confidence * _ramp(min(openness), *_OPENNESS)
        return None if mm is None else self._report(mm, t_s)

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
