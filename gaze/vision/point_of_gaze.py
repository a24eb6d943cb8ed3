"""Follow the point of gaze from frame to frame: regression, drift correction, events, smoothing."""

import math
from collections import deque

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.events.detector import EventDetector
from gaze.vision.filters import OneEuro
from gaze.vision.head.pose import Pose
from gaze.vision.regression.drift import DriftCorrection
from gaze.vision.regression.eyeball_model import AngleOffset, average_corrections, points_of_gaze
from gaze.vision.regression.features import EYEBALLS, HEAD, EyeReading
from gaze.vision.regression.gaze_model import GazeModel
from gaze.vision.sample import Event, Head, Screen
from gaze.vision.screen_geometry import (
    AVERAGE_DOWNWARD_DEG,
    downward_deg,
    estimate_px,
    px_per_degree,
)

UNCALIBRATED_ERROR_DEG = 6.0
"""Mean error without calibration, by `benchmarks.rendered`."""

# The constants from here on were chosen by hand; no benchmark covers them. Of the One Euro filter:
_MIN_CUTOFF_HZ = 1.0
_BETA_PER_DEG = 0.15
# What the offsets of the angles learn changes within seconds.
_OFFSET_STEP_S = 0.1
_CLICK_WINDOW_S = 0.4
_MIN_CLICK_SAMPLES = 3
_KEPT_SAMPLES = 60
# A click this far from the gaze, in screens, was made without looking.
_MAX_CLICK_ERROR = 0.7


class PointOfGaze:
    """Follows one viewer's point of gaze.

    Attributes
    ----------
    px : FloatArray, shape (2,), or None
        The smoothed point of gaze; None while it is unknown.
    """

    def __init__(self, screen: Screen, model: GazeModel | None = None) -> None:
        """Start without a sample.

        Parameters
        ----------
        screen : Screen
        model : GazeModel or None, default None
            An earlier calibration.
        """
        self.px: FloatArray | None = None
        self._screen = screen
        self._model = model
        self._drift = DriftCorrection(None if model is None else model.shift)
        self._offset = AngleOffset()
        self._offset_s = -math.inf
        # Time, point of gaze before the drift correction, and head.
        self._samples: deque[tuple[float, FloatArray, FloatArray]] = deque(maxlen=_KEPT_SAMPLES)
        self._detector = EventDetector(px_per_degree(screen))
        self._filter = OneEuro(_MIN_CUTOFF_HZ, 0.0)
        self._tune()

    @property
    def model(self) -> GazeModel | None:
        """The calibration in use."""
        return self._model

    @model.setter
    def model(self, model: GazeModel | None) -> None:
        self._model = model
        self._drift = DriftCorrection()
        self._samples.clear()
        self.clear()

    @property
    def screen(self) -> Screen:
        """The viewer's screen."""
        return self._screen

    @screen.setter
    def screen(self, screen: Screen) -> None:
        self._screen = screen
        self._samples.clear()
        self.clear()
        self._tune()

    def clear(self) -> None:
        """Forget where the gaze was, as when the face is lost."""
        self.px = None
        self._detector.clear()
        self._filter.clear()

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        """Take a click, at which the viewer surely looked.

        Parameters
        ----------
        screen_px : tuple of float
            Where it was.
        t_s : float
            When it was.
        """
        recent = [
            (gaze, head)
            for when_s, gaze, head in self._samples
            if t_s - _CLICK_WINDOW_S <= when_s <= t_s
        ]
        if len(recent) < _MIN_CLICK_SAMPLES:
            return
        gaze, head = (np.median(each, axis=0) for each in zip(*recent, strict=True))
        error = (np.array(screen_px) - gaze) / self._size_px
        if not np.isfinite(error).all() or float(np.abs(error).max()) > _MAX_CLICK_ERROR:
            return
        self._drift.add_click(error, head, t_s)
        if self._model is not None:
            self._model.shift = self._drift.correction(head, t_s)

    def update(self, features: FloatArray, eyes: EyeReading, pose: Pose, t_s: float) -> Event:
        """Take one frame in which the eyes are open.

        Parameters
        ----------
        features : FloatArray, shape (SIZE,)
        eyes : EyeReading
        pose : Pose
            Of the head.
        t_s : float
            When the frame was captured.

        Returns
        -------
        {"fixation", "saccade", "pursuit"}
        """
        if self._model is not None:
            predicted_px = self._model.predict_px(features[None], self._screen)[0]
        else:
            eyeballs = features[EYEBALLS]
            self._learn_offset(eyeballs, eyes, pose, t_s)
            corrections = average_corrections(self._offset.radians)
            gaze = points_of_gaze(eyeballs[None], corrections, self._screen)[0]
            predicted_px = gaze * self._screen.width_px
        head = features[HEAD]
        self._samples.append((t_s, predicted_px, head))
        size_px = self._size_px
        corrected_px = predicted_px + self._drift.correction(head, t_s) * size_px
        corrected_px = np.minimum(np.maximum(corrected_px, -size_px), 2.0 * size_px)
        self._detector.degree_px = px_per_degree(self._screen, pose.head.distance_mm)
        movement = self._detector.update(corrected_px, t_s)
        if movement.landing_px is not None:
            self.px = self._filter.reset(movement.landing_px, t_s)
        elif not movement.outlier:
            self.px = self._filter.update(corrected_px, t_s)
        return movement.kind

    def dwell_s(self, t_s: float) -> float | None:
        """Return how long the gaze has dwelt where it is.

        Parameters
        ----------
        t_s : float
            The current time.

        Returns
        -------
        float or None
            None while the gaze is unknown.
        """
        return None if self.px is None else self._detector.dwell_s(t_s)

    def uncertainty_px(self, head: Head) -> float:
        """Return one standard deviation of the point of gaze.

        Parameters
        ----------
        head : Head

        Returns
        -------
        float
        """
        if self._model is None:
            bias_px = UNCALIBRATED_ERROR_DEG * px_per_degree(self._screen, head.distance_mm)
        else:
            bias_px = self._model.accuracy * self._screen.width_px
        return math.hypot(bias_px, self._detector.noise_px)

    @property
    def _size_px(self) -> FloatArray:
        return np.array([self._screen.width_px, self._screen.height_px])

    def _tune(self) -> None:
        degree_px = px_per_degree(self._screen)
        self._detector.degree_px = degree_px
        self._filter = OneEuro(_MIN_CUTOFF_HZ, _BETA_PER_DEG / degree_px)

    def _learn_offset(self, eyeballs: FloatArray, eyes: EyeReading, pose: Pose, t_s: float) -> None:
        if not self._offset.started:
            down_deg = downward_deg(eyes.offsets_mm, eyes.ratios) - AVERAGE_DOWNWARD_DEG
            estimated_px = estimate_px(eyes.offsets_mm, down_deg, pose, self._screen)
            if estimated_px is not None:
                size_px = self._size_px
                gaze = np.clip(estimated_px, -size_px, 2.0 * size_px) / self._screen.width_px
                self._offset.initialise(eyeballs, gaze, self._screen)
        if t_s - self._offset_s >= _OFFSET_STEP_S:
            self._offset.update(eyeballs, self._screen, t_s)
            self._offset_s = t_s
