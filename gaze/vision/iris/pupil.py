"""Measure the pupil diameter in the camera's visible light.

The iris, 11.7 mm wide in nearly everybody, gives the scale, and the face, which is metric too,
tells whether this one is wider. Dark irises, small irises, lids and blur make the pupil's edge
faint: the confidence is the probability that the diameter is within half a millimetre, as far as
rendered viewers can tell.
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

MIN_MM_CONFIDENCE = 0.2
"""Below this confidence a diameter is reported as a relative change only, not in millimetres.
Chosen on seeds 0 to 11 of `benchmarks.rendered`."""
# Logistic regression on rendered viewers, seeds 0 to 11: `benchmarks.pupil_confidence`.
CONFIDENCE_WEIGHTS = (-0.74, 1.41, -0.68, 1.72, -3.6)
# What rendered viewers do not cover: shadows as strong as an edge, pixels as noisy as it is high
# (of which larger irises average more), and irises smaller than theirs. The confidence is 0 at the
# first value and unchanged at the second; chosen by the range of these viewers.
_CLEAR_PER_PX, _RADIUS_PX = (0.16, 0.22), (4.7, 4.9)
_OPENNESS = (0.4, 0.8)


@dataclass(frozen=True, slots=True)
class PupilEvidence:
    """What the confidence depends on.

    Attributes
    ----------
    fit : PupilFit
        The mean pupils of the last frames.
    radius_px : float
        Of the irises.
    iris_mm : float, default 11.7
        Diameter of the irises.
    """

    fit: PupilFit
    radius_px: float
    iris_mm: float = IRIS_DIAMETER_MM

    @property
    def mm(self) -> float:
        """Diameter of the pupils."""
        return self.fit.ratio * self.iris_mm

    @property
    def predictors(self) -> tuple[float, float, float, float, float]:
        """What `CONFIDENCE_WEIGHTS` are multiplied with."""
        return (
            1.0,
            math.log(self.fit.explained + 1.0),
            math.log(self.fit.residual + 4.0),
            math.log(self.radius_px),
            math.log(self.mm),
        )

    @property
    def confidence(self) -> float:
        """Probability that the diameter is off by half a millimetre at most."""
        log_odds = sum(
            weight * predictor
            for weight, predictor in zip(CONFIDENCE_WEIGHTS, self.predictors, strict=True)
        )
        clear = self.fit.explained / max(self.fit.residual, 1.0)
        return (
            _ramp(clear / self.radius_px, *_CLEAR_PER_PX)
            * _ramp(self.radius_px, *_RADIUS_PX)
            / (1.0 + math.exp(-log_odds))
        )


class IrisDiameter:
    """Estimates the diameter of a viewer's irises from that of the population and from the face.

    Visible irises measure 11.7 +- 0.42 to 0.5 mm (Rüfer et al. 2005; Hashemi et al. 2012), 4 %.
    Faces differ by 4 to 5 %: the eyes are 63.4 +- 3.8 mm apart (Dodgson 2004), and faces as broad
    and as high as 4 and 5 % of deviation within either sex (Gordon et al. 2014, ANSUR II).
    """

    # By these deviations; 0.5 instead gave 0.935 instead of 0.93 on seeds 0 to 11 of
    # `benchmarks.rendered` (area under the curve of the confidence).
    _FACE_WEIGHT = 0.4
    # Chosen by hand: 30 s, and more than people differ by; no benchmark covers them.
    _MAX_FRAMES = 900
    _MAX_DEVIATION = 0.2

    def __init__(self) -> None:
        self._frames = 0
        self._log_ratio = 0.0

    @property
    def mm(self) -> float:
        """The diameter, by the frames so far."""
        return IRIS_DIAMETER_MM * math.exp(self._FACE_WEIGHT * self._log_ratio)

    def update(self, radius_px: float, pose: Pose) -> None:
        """Learn from a frame.

        Parameters
        ----------
        radius_px : float
            Of the irises.
        pose : Pose
            Of the head: its `pnp_eyes_mm` has the distance of a face of average size.
        """
        diameter_mm = 2.0 * radius_px * float(pose.pnp_eyes_mm[2]) / pose.focal_px
        log_ratio = math.log(max(diameter_mm, 1.0) / IRIS_DIAMETER_MM)
        self._frames = min(self._frames + 1, self._MAX_FRAMES)
        clamped = min(max(log_ratio, -self._MAX_DEVIATION), self._MAX_DEVIATION)
        self._log_ratio += (clamped - self._log_ratio) / self._frames


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high` on, and linear between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


class PupilMeter:
    """Tracks the pupil diameter over time.

    Profiles are averaged against noise; diameters are cleaned, the reflex to the film's light is
    removed, and a running median is the baseline.

    Attributes
    ----------
    reflex : LightReflex
    iris : IrisDiameter
    evidence : PupilEvidence or None
        Of the newest frame; None where no pupil was visible.
    """

    # Chosen by hand; no benchmark covers the baseline.
    BASELINE_S = 60.0
    _FIRST_BASELINE_S = 1.0
    _BASELINE_STEP_S = 0.1
    # Chosen on seeds 0 to 11 of `benchmarks.rendered` (docs/accuracy.md, "Rendered viewers").
    _AVERAGED_S = 0.48
    # Chosen by hand: lids cover the pupil.
    _CLOSED = 0.3

    def __init__(self) -> None:
        self.reflex = LightReflex()
        self.iris = IrisDiameter()
        self._cleaner = PupilCleaner()
        self._recent: deque[tuple[float, PupilFit]] = deque()
        self.evidence: PupilEvidence | None = None
        self._baseline: deque[tuple[float, float]] = deque()
        self._baseline_mm = 0.0
        self._confidence = 0.0

    def measure(
        self,
        irises: Irises | None,
        openness: tuple[float, float],
        t_s: float,
        pose: Pose | None = None,
    ) -> Pupil | None:
        """Measure the pupils of a frame.

        Parameters
        ----------
        irises : Irises or None
            None where they were not found.
        openness : tuple of float
            Of the left and the right eye, from 0 to 1.
        t_s : float
            When the frame was captured.
        pose : Pose or None, default None
            Of the head; with it, the diameter of the irises is learned.

        Returns
        -------
        Pupil or None
            None while the diameter is unknown.
        """
        self.evidence = None
        while self._recent and self._recent[0][0] < t_s - self._AVERAGED_S:
            self._recent.popleft()
        if min(openness) < self._CLOSED:
            self._recent.clear()
        elif irises is not None and irises.pupils is not None:
            if pose is not None:
                self.iris.update(irises.radius_px, pose)
            self._recent.append((t_s, irises.pupils))
            profile = np.mean([fit.profile for _, fit in self._recent], axis=0)
            fit = PupilFit(profile, irises.radius_px)
            self.evidence = PupilEvidence(fit, irises.radius_px, self.iris.mm)
        if self.evidence is None:
            mm = self._cleaner.update(None, t_s)
            self._confidence *= 0.5
        else:
            mm = self._cleaner.update(self.evidence.mm, t_s)
            self._confidence = self.evidence.confidence * _ramp(min(openness), *_OPENNESS)
        return None if mm is None else self._report(mm, t_s)

    def _report(self, mm: float, t_s: float) -> Pupil:
        without_light = self.reflex.remove(mm, t_s)
        if not self._baseline or t_s - self._baseline[-1][0] >= self._BASELINE_STEP_S:
            self._baseline.append((t_s, without_light))
            while self._baseline[0][0] < t_s - self.BASELINE_S:
                self._baseline.popleft()
            self._baseline_mm = float(median([size for _, size in self._baseline]))
        relative = None
        if t_s - self._baseline[0][0] >= self._FIRST_BASELINE_S:
            relative = (without_light - self._baseline_mm) / self._baseline_mm
        confidence = self._confidence
        return Pupil(mm if confidence >= MIN_MM_CONFIDENCE else None, relative, confidence)
