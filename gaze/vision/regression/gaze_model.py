"""Hold a viewer's fitted gaze regression, and store it as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaze.vision.arrays import FloatArray
from gaze.vision.regression import gaussian_process
from gaze.vision.regression.features import SIZE
from gaze.vision.sample import CalibrationError, Screen

# Chosen by hand: as many as make a usable regression, and as keep a stored model below 50 kB.
MIN_POINTS = 5
MAX_POINTS = 40
MODEL_VERSION = 5


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """The calibration points that a model is fitted to.

    Attributes
    ----------
    features : FloatArray, shape (k, SIZE)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    sessions : NDArray[np.intp], shape (k,)
        Which session each point is from.
    screen : Screen
    """

    features: FloatArray
    targets: FloatArray
    sessions: NDArray[np.intp]
    screen: Screen

    @property
    def next_session(self) -> int:
        """The number of a session that none of the points is from."""
        return int(self.sessions.max()) + 1

    def fit(self) -> gaussian_process.GazeRegression:
        """Return the regression fitted to these points.

        Returns
        -------
        GazeRegression
        """
        return gaussian_process.fit(self.features, self.targets, self.screen, self.sessions)


class GazeModel:
    """A fitted regression from features to screen pixels.

    Attributes
    ----------
    training_set : TrainingSet
    accuracy : float
        Expected mean offset, as a fraction of the screen's width.
    shift : FloatArray, shape (2,)
        Drift correction learned from clicks, in fractions of the screen.
    """

    def __init__(self, training_set: TrainingSet, session: int, accuracy: float) -> None:
        """Fit a model.

        Parameters
        ----------
        training_set : TrainingSet
        session : int
            The session in which it is used.
        accuracy : float
            Expected mean offset, as a fraction of the screen's width.
        """
        self.training_set = training_set
        self._regression = training_set.fit()
        self._session = session
        self.accuracy = accuracy
        self.shift = np.zeros(2)

    def predict_px(self, features: FloatArray, screen: Screen) -> FloatArray:
        """Return points of gaze, without `shift`.

        Parameters
        ----------
        features : FloatArray, shape (k, SIZE)
        screen : Screen

        Returns
        -------
        FloatArray, shape (k, 2)
        """
        return self._regression.predict(features, screen, self._session) * screen.width_px

    def to_json(self) -> dict[str, Any]:
        """Return the model as plain data, about 1.2 kB a point.

        Returns
        -------
        dict
            What `from_json` takes.
        """
        screen = self.training_set.screen
        return {
            "version": MODEL_VERSION,
            "accuracy": self.accuracy,
            "shift": self.shift.tolist(),
            "features": self.training_set.features.tolist(),
            "places": self.training_set.targets.tolist(),
            "sessions": self.training_set.sessions.tolist(),
            "screen": [screen.width_px, screen.height_px],
            "diagonal_mm": screen.diagonal_mm,
        }

    @classmethod
    def from_json(cls, model: Mapping[str, Any]) -> "GazeModel":
        """Restore a model, for use in a new session.

        Parameters
        ----------
        model : Mapping
            What `to_json` returned.

        Returns
        -------
        GazeModel

        Raises
        ------
        CalibrationError
            If the model is of another version, or damaged.
        """
        if not isinstance(model, Mapping):
            raise CalibrationError("calibration: a model is a JSON object")
        if model.get("version") != MODEL_VERSION:
            raise CalibrationError(
                f"calibration.version: is {model.get('version')!r}, this server takes"
                f" {MODEL_VERSION}; calibrate again"
            )
        rows = model.get("features")
        if not isinstance(rows, list) or not MIN_POINTS <= len(rows) <= MAX_POINTS:
            raise CalibrationError(
                f"calibration.features: must be a list of {MIN_POINTS} to {MAX_POINTS} points"
            )
        sessions = _numbers(model, "sessions", (len(rows),))
        if ((sessions < 0) | (sessions > 1e5) | (sessions % 1 != 0)).any():
            raise CalibrationError("calibration.sessions: must be whole numbers from 0")
        width_px, height_px = _numbers(model, "screen", (2,))
        diagonal_mm = model.get("diagonal_mm")
        if diagonal_mm is not None:
            diagonal_mm = float(_numbers(model, "diagonal_mm", ()))
        if min(width_px, height_px, diagonal_mm or 1.0) < 1.0:
            raise CalibrationError("calibration.screen: must be larger than nothing")
        training_set = TrainingSet(
            _numbers(model, "features", (len(rows), SIZE)),
            _numbers(model, "places", (len(rows), 2)),
            sessions.astype(np.intp),
            Screen(float(width_px), float(height_px), diagonal_mm),
        )
        accuracy = float(_numbers(model, "accuracy", ()))
        if not 0.0 <= accuracy <= 10.0:
            raise CalibrationError("calibration.accuracy: must be from 0 to 10")
        fitted = cls(training_set, training_set.next_session, accuracy)
        fitted.shift = np.clip(_numbers(model, "shift", (2,)), -1.0, 1.0)
        return fitted


def _numbers(model: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> FloatArray:
    try:
        numbers = np.asarray(model[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise CalibrationError(f"calibration.{name}: must be numbers") from None
    if numbers.shape != shape or not (np.abs(numbers) < 1e6).all():
        raise CalibrationError(f"calibration.{name}: must be finite numbers of shape {shape}")
    return numbers
