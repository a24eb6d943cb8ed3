"""Calibrate a viewer's gaze regression, point by point.

States, and what each action of the viewer's page does in them:

    idle        start -> open; with a model in use also point, follow -> collecting, which extends
                that model: one point is enough, and its earlier points are kept
    open        point, follow -> collecting; validate -> collecting; finish -> fitted (at least 5
                points were accepted; otherwise `rejected`, and it stays open)
    collecting  `accepted` or `rejected` -> open or fitted; skip drops the point; repeat starts it
                again; point, validate and follow start another one
    fitted      validate -> collecting, then `validated` with the quality of all validation
                points so far; point -> collecting, and a later finish fits again; finish -> idle

    start starts again from any state; cancel goes back to idle, and a model that was fitted stays;
    points validated before the first finish are measured by it; repeat takes the last point again
    also after it was accepted or rejected. Any other action in a state is a `CalibrationError`.

A point is collected from steady samples with open eyes. The first 500 ms, in which the eyes move to
the target, are ignored; outliers are discarded. Every call brings the time. `progress` is that of
the point being collected.
"""

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gaze.vision.arrays import FloatArray
from gaze.vision.regression.calibration_quality import point_reports, quality
from gaze.vision.regression.features import SIZE
from gaze.vision.regression.gaze_model import MAX_POINTS, MIN_POINTS, GazeModel, TrainingSet
from gaze.vision.regression.point_collection import (
    COLLECT_S,
    GIVE_UP_S,
    MIN_SAMPLES,
    SETTLE_S,
    CalibrationPoint,
    PointCollection,
    inliers,
)
from gaze.vision.sample import CalibrationError, CalibrationUpdate, Screen


class Calibration:
    """The state machine of the module's documentation.

    Attributes
    ----------
    screen : Screen
    model : GazeModel or None
        The newest fitted one.
    distance_mm : float or None
        From the eyes to the screen, for accuracies in degrees.
    """

    def __init__(self, screen: Screen, model: GazeModel | None = None) -> None:
        """Start idle.

        Parameters
        ----------
        screen : Screen
        model : GazeModel or None, default None
            An earlier one.
        """
        self.screen = screen
        self.model = model
        self.distance_mm: float | None = None
        self._state: Literal["idle", "open", "fitted"] = "idle"
        self._collection: PointCollection | None = None
        self._last: tuple[tuple[float, float], bool] | None = None
        self._points: list[CalibrationPoint] = []
        self._validation_points: list[CalibrationPoint] = []
        self._extended: TrainingSet | None = None

    @property
    def active(self) -> bool:
        """Whether a calibration is in progress."""
        return self._state != "idle"

    def act(
        self, action: str, target_px: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """Do what the viewer's page asks for.

        Parameters
        ----------
        action : str
            One of those in the module's documentation.
        target_px : tuple of float or None
            The target, for point, follow and validate.
        t_s : float
            The current time.

        Returns
        -------
        list of CalibrationUpdate

        Raises
        ------
        CalibrationError
            If the action is unknown, lacks its target, or is impossible now.
        """
        if action == "start":
            return self._start()
        if action not in ("point", "follow", "validate", "skip", "repeat", "finish", "cancel"):
            raise CalibrationError(
                f"action: {action!r} is none of start, point, follow, skip, repeat, validate,"
                " finish, cancel"
            )
        extends = action in ("point", "follow") and self.model is not None
        if self._state == "idle" and not extends:
            raise CalibrationError(f"action: {action!r} needs a calibration; send 'start' first")
        if action in ("point", "follow", "validate"):
            if target_px is None or not all(math.isfinite(value) for value in target_px):
                raise CalibrationError(f"target: {action!r} needs [x, y] in screen pixels")
            if self._state == "idle" and self.model is not None:
                self._start()
                self._extended = self.model.training_set
            if action == "follow":
                return self._follow(target_px, t_s)
            return self._collect(target_px, action == "validate", t_s)
        if action == "skip":
            return self._skip()
        if action == "repeat":
            return self._repeat(t_s)
        if action == "cancel":
            return self._cancel()
        return self._finish()

    def observe(
        self, features: FloatArray | None, eyes_closed: bool, t_s: float
    ) -> list[CalibrationUpdate]:
        """Take one frame.

        Parameters
        ----------
        features : FloatArray, shape (SIZE,), or None
            None where no face or iris was seen.
        eyes_closed : bool
        t_s : float
            When the frame was captured.

        Returns
        -------
        list of CalibrationUpdate
        """
        collection = self._collection
        if collection is None or t_s < collection.started_s + SETTLE_S:
            return []
        if features is None or eyes_closed:
            if features is None and not eyes_closed:
                collection.face_lost += 1
            else:
                collection.eyes_closed += 1
            if t_s - collection.last_used_s < GIVE_UP_S:
                return []
            if collection.face_lost >= collection.eyes_closed:
                return self._reject("no face was seen; sit in front of the camera")
            return self._reject("the eyes were closed; keep them open and look at the dot")
        collection.add(features, t_s)
        if collection.pursuit:
            return []
        duration_s = collection.duration_s(t_s)
        if duration_s >= COLLECT_S - 1e-6 and collection.count >= MIN_SAMPLES:
            return self._complete(collection)
        if t_s - collection.started_s > SETTLE_S + 2 * GIVE_UP_S:
            return self._reject("too few frames arrived; the camera is too slow")
        progress = min(duration_s / COLLECT_S, collection.count / MIN_SAMPLES, 0.99)
        return [CalibrationUpdate("collecting", progress)]

    def _start(self) -> list[CalibrationUpdate]:
        self._state, self._collection, self._last = "open", None, None
        self._points, self._validation_points, self._extended = [], [], None
        return [CalibrationUpdate("collecting", 0.0)]

    def _collect(
        self, target_px: tuple[float, float], validation: bool, t_s: float
    ) -> list[CalibrationUpdate]:
        updates = self._end_pursuit()
        self._last = (target_px, validation)
        self._collection = PointCollection.start(target_px, validation, False, t_s)
        return [*updates, CalibrationUpdate("collecting", 0.0)]

    def _follow(self, target_px: tuple[float, float], t_s: float) -> list[CalibrationUpdate]:
        collection = self._collection
        if collection is None or not collection.pursuit:
            self._last = None
            collection = PointCollection.start(target_px, False, True, t_s)
            self._collection = collection
        collection.path.append((t_s, *target_px))
        return []

    def _end_pursuit(self) -> list[CalibrationUpdate]:
        """Turn the path of a moving target into points."""
        collection = self._collection
        if collection is None or not collection.pursuit:
            return []
        self._collection = None
        points = collection.pursuit_points(self.screen.width_px)
        if not points:
            return [CalibrationUpdate("rejected", 0.0, "too little of the moving dot was followed")]
        self._points += points
        self._state = "open"
        return [CalibrationUpdate("accepted", 1.0)]

    def _skip(self) -> list[CalibrationUpdate]:
        if self._collection is None:
            raise CalibrationError("action: there is no point to skip")
        return self._reject("skipped")

    def _repeat(self, t_s: float) -> list[CalibrationUpdate]:
        if self._last is None:
            raise CalibrationError("action: there is no point to repeat")
        target_px, validation = self._last
        points = self._validation_points if validation else self._points
        if self._collection is None and points and points[-1].target_px == target_px:
            points.pop()
        return self._collect(target_px, validation, t_s)

    def _cancel(self) -> list[CalibrationUpdate]:
        self._state, self._collection = "idle", None
        return [CalibrationUpdate("cancelled", 0.0)]

    def _reject(self, reason: str) -> list[CalibrationUpdate]:
        self._collection = None
        return [CalibrationUpdate("rejected", 0.0, reason)]

    def _complete(self, collection: PointCollection) -> list[CalibrationUpdate]:
        kept = inliers(collection.all_features)
        if int(kept.sum()) < max(MIN_SAMPLES // 2, collection.count // 2):
            return self._reject("the gaze did not rest; keep looking at the dot")
        self._collection = None
        point = collection.point(kept, self.screen.width_px)
        if not collection.validation:
            self._points.append(point)
            self._state = "open"
            return [CalibrationUpdate("accepted", 1.0)]
        self._validation_points.append(point)
        if self._state != "fitted" or self.model is None:
            return [CalibrationUpdate("accepted", 1.0)]
        return [CalibrationUpdate("accepted", 1.0), self._validated(self.model)]

    def _finish(self) -> list[CalibrationUpdate]:
        updates = self._end_pursuit()
        if self._collection is not None:
            raise CalibrationError("action: a point is being collected; skip it or wait")
        if self._state == "fitted":
            self._state = "idle"
            if self._validation_points and self.model is not None:
                return [self._validated(self.model)]
            return [self._fit()]
        needed = MIN_POINTS if self._extended is None else 1
        if len(self._points) < needed:
            reason = f"{len(self._points)} points were collected; at least {needed} are needed"
            return [*updates, CalibrationUpdate("rejected", 0.0, reason)]
        updates.append(self._fit())
        self._state = "fitted"
        if self._validation_points and self.model is not None:
            updates.append(self._validated(self.model))
        return updates

    def _fit(self) -> CalibrationUpdate:
        if len(self._points) > MAX_POINTS:
            self._points = [self._points[number] for number in _evenly(len(self._points))]
        training_set = self._training_set(self._points)
        session = int(training_set.sessions[-1])
        gaze_px = []
        for number, point in enumerate(self._points):
            others = self._points[:number] + self._points[number + 1 :]
            regression = self._training_set(others).fit()
            gaze = regression.predict(point.features, self.screen, session)
            gaze_px.append(gaze * self.screen.width_px)
        measured = quality(
            self._points,
            gaze_px,
            self.screen,
            self.distance_mm,
            "estimated by leaving out each point in turn; not validated",
        )
        accuracy = measured["accuracy_px"] / self.screen.width_px
        self.model = GazeModel(training_set, session, accuracy)
        return CalibrationUpdate(
            "fitted",
            1.0,
            None,
            point_reports(self._points, gaze_px),
            measured,
            self.model.to_json(),
        )

    def _training_set(self, points: list[CalibrationPoint]) -> TrainingSet:
        """Return the means of points, after those of the model that is extended."""
        features = np.array([point.features.mean(axis=0) for point in points]).round(4)
        targets = np.array([point.targets.mean(axis=0) for point in points]).round(6)
        features, targets = features.reshape(-1, SIZE), targets.reshape(-1, 2)
        earlier = self._extended
        if earlier is None:
            return TrainingSet(features, targets, np.zeros(len(points), dtype=np.intp), self.screen)
        kept = _evenly(len(earlier.features), MAX_POINTS - len(points))
        return TrainingSet(
            np.vstack([earlier.features[kept], features]),
            np.vstack([earlier.targets[kept], targets]),
            np.append(earlier.sessions[kept], np.full(len(points), earlier.next_session)),
            self.screen,
        )

    def _validated(self, model: GazeModel) -> CalibrationUpdate:
        points = self._validation_points
        gaze_px = [model.predict_px(point.features, self.screen) for point in points]
        measured = quality(
            points,
            gaze_px,
            self.screen,
            self.distance_mm,
            f"measured at {len(points)} validation points",
        )
        model.accuracy = measured["accuracy_px"] / self.screen.width_px
        return CalibrationUpdate(
            "validated",
            1.0,
            None,
            point_reports(points, gaze_px),
            measured,
            model.to_json(),
        )


def _evenly(count: int, most: int = MAX_POINTS) -> NDArray[np.intp]:
    """Return at most `most` of the numbers from 0 to `count`, evenly spaced."""
    return np.linspace(0, count - 1, min(count, max(most, 0))).round().astype(np.intp)
