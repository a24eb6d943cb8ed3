"""Learns one viewer's map from eye features to the screen, point by point.

States, and what each action of the viewer's page does in them:

    idle        start -> open; with a model in use also point, follow -> collecting, which takes
                that model up again: one point is enough, and what it learned stays learned
    open        point, follow -> collecting; validate -> collecting; finish -> fitted (at least 5
                points were accepted; otherwise `rejected`, and it stays open)
    collecting  `accepted` or `rejected` -> open or fitted; skip drops the point; repeat begins it
                anew; point, validate and follow begin another one
    fitted      validate -> collecting, then `validated` with the quality of all validation
                points so far; point -> collecting, and a later finish fits anew; finish -> idle

    start begins anew from anywhere; cancel goes back to idle, and a model that was fitted stays;
    points validated before the first finish are measured by it; repeat takes up the
    last point again also after it was accepted or rejected. Any other action in a state is a
    `CalibrationError`.

A point is collected from steady samples with open eyes. The first 500 ms belong to the eyes' way
to the point and are passed over; samples far from the others' median are discarded. Time comes
in with every call. `progress` is that of the point being collected.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gaze.vision.regression import gaussian_process
from gaze.vision.regression.features import SIZE
from gaze.vision.sample import CalibrationError, CalibrationUpdate, Screen
from gaze.vision.screen_geometry import px_per_degree

PASS_OVER_S = 0.5
COLLECT_S = 1.0
GIVE_UP_S = 3.0
FEWEST_SAMPLES = 8
FEWEST_POINTS = 5
PURSUIT_LAG_S = 0.1
MOST_LEARNED = 40
MODEL_VERSION = 5
GOOD_DEG, USABLE_DEG = 2.5, 5.0


@dataclass(frozen=True, slots=True)
class Point:
    """The samples kept at one target: features (k, n), places (k, 2) in screen widths."""

    target_px: tuple[float, float]
    features: NDArray[np.float64]
    places: NDArray[np.float64]
    discarded: int


@dataclass(frozen=True, slots=True)
class Learned:
    """What a model is fitted to: features (k, SIZE), places (k, 2) in screen widths, the session
    (k,) that each row is from, and the screen."""

    features: NDArray[np.float64]
    places: NDArray[np.float64]
    sessions: NDArray[np.intp]
    screen: Screen

    @property
    def next_session(self) -> int:
        """The number of a session that none of the rows is from."""
        return int(self.sessions.max()) + 1

    def fit(self) -> gaussian_process.GazeMap:
        """Return the map learned from these rows."""
        return gaussian_process.fit(self.features, self.places, self.screen, self.sessions)


class GazeModel:
    """A fitted map from features to screen pixels, and its way to and from JSON."""

    def __init__(self, learned: Learned, session: int, accuracy: float) -> None:
        self.learned = learned
        self._map = learned.fit()
        self._session = session
        self.accuracy = accuracy
        """Expected miss as a fraction of the screen's width."""
        self.shift = np.zeros(2)
        """Correction learned from clicks, in fractions of the screen."""

    def predict_px(self, features: NDArray[np.float64], screen: Screen) -> NDArray[np.float64]:
        """Return points of gaze (k, 2) for features (k, n), without `shift`."""
        return self._map.predict(features, screen, self._session) * screen.width_px

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` takes again; about 1.2 kB a point."""
        screen = self.learned.screen
        return {
            "version": MODEL_VERSION,
            "accuracy": self.accuracy,
            "shift": self.shift.tolist(),
            "features": self.learned.features.tolist(),
            "places": self.learned.places.tolist(),
            "sessions": self.learned.sessions.tolist(),
            "screen": [screen.width_px, screen.height_px],
            "diagonal_mm": screen.diagonal_mm,
        }

    @classmethod
    def from_json(cls, model: Mapping[str, Any]) -> "GazeModel":
        """Take what `to_json` gave, for a session that is none of those learned.

        Raises:
            CalibrationError: the model is of another version, or damaged.
        """
        if not isinstance(model, Mapping):
            raise CalibrationError("calibration: a model is a JSON object")
        if model.get("version") != MODEL_VERSION:
            raise CalibrationError(
                f"calibration.version: is {model.get('version')!r}, this server takes"
                f" {MODEL_VERSION}; calibrate again"
            )
        rows = model.get("features")
        if not isinstance(rows, list) or not FEWEST_POINTS <= len(rows) <= MOST_LEARNED:
            raise CalibrationError(
                f"calibration.features: must be a list of {FEWEST_POINTS} to {MOST_LEARNED} points"
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
        learned = Learned(
            _numbers(model, "features", (len(rows), SIZE)),
            _numbers(model, "places", (len(rows), 2)),
            sessions.astype(np.intp),
            Screen(float(width_px), float(height_px), diagonal_mm),
        )
        accuracy = float(_numbers(model, "accuracy", ()))
        if not 0.0 <= accuracy <= 10.0:
            raise CalibrationError("calibration.accuracy: must be from 0 to 10")
        fitted = cls(learned, learned.next_session, accuracy)
        fitted.shift = np.clip(_numbers(model, "shift", (2,)), -1.0, 1.0)
        return fitted


def _numbers(model: Mapping[str, Any], name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    try:
        numbers = np.asarray(model[name], dtype=np.float64)
    except (KeyError, TypeError, ValueError):
        raise CalibrationError(f"calibration.{name}: must be numbers") from None
    if numbers.shape != shape or not (np.abs(numbers) < 1e6).all():
        raise CalibrationError(f"calibration.{name}: must be finite numbers of shape {shape}")
    return numbers


def keep_steady(features: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which rows (k,) of features (k, n) lie close to the others.

    The distance from the median, in robust standard deviations of each feature, averaged over
    the features, may be 2.5 at most.
    """
    away = np.abs(features - np.median(features, axis=0))
    spread = 1.4826 * np.median(away, axis=0)
    spread = np.where(spread > 1e-9, spread, np.inf)
    return np.asarray((away / spread).mean(axis=1) <= 2.5)


@dataclass(slots=True)
class _Collecting:
    """The point that is being collected."""

    target_px: tuple[float, float]
    validation: bool
    follow: bool
    started_s: float
    last_used_s: float
    features: list[NDArray[np.float64]] = field(default_factory=list)
    targets_px: list[tuple[float, float]] = field(default_factory=list)
    times_s: list[float] = field(default_factory=list)
    path: list[tuple[float, float, float]] = field(default_factory=list)
    closed: int = 0
    unseen: int = 0


class Calibration:
    """The state machine; see the module's text. `model` is the newest fitted one, if any."""

    def __init__(self, screen: Screen, model: GazeModel | None = None) -> None:
        self.screen = screen
        self.model = model
        self.distance_mm: float | None = None
        self._state: Literal["idle", "open", "fitted"] = "idle"
        self._now: _Collecting | None = None
        self._last: tuple[tuple[float, float], bool] | None = None
        self._points: list[Point] = []
        self._checks: list[Point] = []
        self._kept: Learned | None = None

    @property
    def active(self) -> bool:
        """Whether a calibration is under way."""
        return self._state != "idle"

    def act(
        self, action: str, target_px: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """Do what the viewer's page asks for.

        Raises:
            CalibrationError: the action is unknown, lacks its target, or is impossible now.
        """
        if action == "start":
            return self._start()
        if action not in ("point", "follow", "validate", "skip", "repeat", "finish", "cancel"):
            raise CalibrationError(
                f"action: {action!r} is none of start, point, follow, skip, repeat, validate,"
                " finish, cancel"
            )
        again = action in ("point", "follow") and self.model is not None
        if self._state == "idle" and not again:
            raise CalibrationError(f"action: {action!r} needs a calibration; send 'start' first")
        if action in ("point", "follow", "validate"):
            if target_px is None or not all(math.isfinite(value) for value in target_px):
                raise CalibrationError(f"target: {action!r} needs [x, y] in screen pixels")
            if self._state == "idle" and self.model is not None:
                self._start()
                self._kept = self.model.learned
            if action == "follow":
                return self._follow(target_px, t_s)
            return self._begin(target_px, action == "validate", t_s)
        if action == "skip":
            return self._skip()
        if action == "repeat":
            return self._repeat(t_s)
        if action == "cancel":
            return self._cancel()
        return self._finish()

    def observe(
        self, features: NDArray[np.float64] | None, eyes_closed: bool, t_s: float
    ) -> list[CalibrationUpdate]:
        """Take one frame's features (n,), None where no face or iris was seen."""
        now = self._now
        if now is None or t_s < now.started_s + PASS_OVER_S:
            return []
        if features is None or eyes_closed:
            if features is None and not eyes_closed:
                now.unseen += 1
            else:
                now.closed += 1
            if t_s - now.last_used_s < GIVE_UP_S:
                return []
            if now.unseen >= now.closed:
                return self._reject("no face was seen; sit in front of the camera")
            return self._reject("the eyes were closed; keep them open and look at the dot")
        target_px = now.target_px if not now.follow else _place_at(now.path, t_s - PURSUIT_LAG_S)
        now.features.append(features)
        now.targets_px.append(target_px)
        now.times_s.append(t_s)
        now.last_used_s = t_s
        collected_s = t_s - max(now.times_s[0], now.started_s + PASS_OVER_S)
        if now.follow:
            return []
        if collected_s >= COLLECT_S - 1e-6 and len(now.features) >= FEWEST_SAMPLES:
            return self._complete()
        if t_s - now.started_s > PASS_OVER_S + 2 * GIVE_UP_S:
            return self._reject("too few frames arrived; the camera is too slow")
        progress = min(collected_s / COLLECT_S, len(now.features) / FEWEST_SAMPLES, 0.99)
        return [CalibrationUpdate("collecting", progress)]

    def _start(self) -> list[CalibrationUpdate]:
        self._state, self._now, self._last = "open", None, None
        self._points, self._checks, self._kept = [], [], None
        return [CalibrationUpdate("collecting", 0.0)]

    def _begin(
        self, target_px: tuple[float, float], validation: bool, t_s: float
    ) -> list[CalibrationUpdate]:
        updates = self._end_follow()
        self._last = (target_px, validation)
        self._now = _Collecting(target_px, validation, False, t_s, t_s + PASS_OVER_S)
        return [*updates, CalibrationUpdate("collecting", 0.0)]

    def _follow(self, target_px: tuple[float, float], t_s: float) -> list[CalibrationUpdate]:
        now = self._now
        if now is None or not now.follow:
            self._last = None
            now = self._now = _Collecting(target_px, False, True, t_s, t_s + PASS_OVER_S)
        now.path.append((t_s, *target_px))
        return []

    def _end_follow(self) -> list[CalibrationUpdate]:
        """Turn a followed path into points: half a second of it each."""
        now = self._now
        if now is None or not now.follow:
            return []
        self._now = None
        piece = ((np.array(now.times_s) - now.started_s) // 0.5).astype(int)
        before = len(self._points)
        for number in np.unique(piece):
            rows = np.flatnonzero(piece == number)
            if len(rows) >= FEWEST_SAMPLES // 2:
                targets = np.array(now.targets_px)[rows]
                middle = targets.mean(axis=0)
                self._points.append(
                    Point(
                        (float(middle[0]), float(middle[1])),
                        np.array(now.features)[rows],
                        targets / self.screen.width_px,
                        0,
                    )
                )
        if len(self._points) == before:
            return [CalibrationUpdate("rejected", 0.0, "too little of the moving dot was followed")]
        self._state = "open"
        return [CalibrationUpdate("accepted", 1.0)]

    def _skip(self) -> list[CalibrationUpdate]:
        if self._now is None:
            raise CalibrationError("action: there is no point to skip")
        return self._reject("skipped")

    def _repeat(self, t_s: float) -> list[CalibrationUpdate]:
        if self._last is None:
            raise CalibrationError("action: there is no point to repeat")
        target_px, validation = self._last
        kept = self._checks if validation else self._points
        if self._now is None and kept and kept[-1].target_px == target_px:
            kept.pop()
        return self._begin(target_px, validation, t_s)

    def _cancel(self) -> list[CalibrationUpdate]:
        self._state, self._now = "idle", None
        return [CalibrationUpdate("cancelled", 0.0)]

    def _reject(self, reason: str) -> list[CalibrationUpdate]:
        self._now = None
        return [CalibrationUpdate("rejected", 0.0, reason)]

    def _complete(self) -> list[CalibrationUpdate]:
        now = self._now
        assert now is not None
        rows = np.array(now.features)
        steady = keep_steady(rows)
        if int(steady.sum()) < max(FEWEST_SAMPLES // 2, len(rows) // 2):
            return self._reject("the gaze did not rest; keep looking at the dot")
        self._now = None
        point = Point(
            now.target_px,
            rows[steady],
            np.array(now.targets_px)[steady] / self.screen.width_px,
            int((~steady).sum()),
        )
        if not now.validation:
            self._points.append(point)
            self._state = "open"
            return [CalibrationUpdate("accepted", 1.0)]
        self._checks.append(point)
        if self._state != "fitted":
            return [CalibrationUpdate("accepted", 1.0)]
        return [CalibrationUpdate("accepted", 1.0), self._validated()]

    def _finish(self) -> list[CalibrationUpdate]:
        updates = self._end_follow()
        if self._now is not None:
            raise CalibrationError("action: a point is being collected; skip it or wait")
        if self._state == "fitted":
            self._state = "idle"
            return [self._validated() if self._checks else self._fit()]
        needed = FEWEST_POINTS if self._kept is None else 1
        if len(self._points) < needed:
            reason = f"{len(self._points)} points were collected; at least {needed} are needed"
            return [*updates, CalibrationUpdate("rejected", 0.0, reason)]
        updates.append(self._fit())
        self._state = "fitted"
        if self._checks:
            updates.append(self._validated())
        return updates

    def _fit(self) -> CalibrationUpdate:
        if len(self._points) > MOST_LEARNED:
            self._points = [self._points[number] for number in _spread(len(self._points))]
        learned = self._learned(self._points)
        session = int(learned.sessions[-1])
        gazes = []
        for number, point in enumerate(self._points):
            others = self._points[:number] + self._points[number + 1 :]
            found = self._learned(others).fit().predict(point.features, self.screen, session)
            gazes.append(found * self.screen.width_px)
        quality = self._quality(
            self._points, gazes, "estimated by leaving out each point in turn; not validated"
        )
        self.model = GazeModel(learned, session, quality["accuracy_px"] / self.screen.width_px)
        return CalibrationUpdate(
            "fitted", 1.0, None, _reports(self._points, gazes), quality, self.model.to_json()
        )

    def _learned(self, points: list[Point]) -> Learned:
        """The means of the points, after what an earlier calibration learned."""
        features = np.array([point.features.mean(axis=0) for point in points]).round(4)
        places = np.array([point.places.mean(axis=0) for point in points]).round(6)
        features, places = features.reshape(-1, SIZE), places.reshape(-1, 2)
        kept = self._kept
        if kept is None:
            return Learned(features, places, np.zeros(len(points), dtype=np.intp), self.screen)
        old = _spread(len(kept.features), MOST_LEARNED - len(points))
        return Learned(
            np.vstack([kept.features[old], features]),
            np.vstack([kept.places[old], places]),
            np.append(kept.sessions[old], np.full(len(points), kept.next_session)),
            self.screen,
        )

    def _validated(self) -> CalibrationUpdate:
        assert self.model is not None
        gazes = [self.model.predict_px(point.features, self.screen) for point in self._checks]
        quality = self._quality(
            self._checks, gazes, f"measured at {len(self._checks)} validation points"
        )
        self.model.accuracy = quality["accuracy_px"] / self.screen.width_px
        return CalibrationUpdate(
            "validated", 1.0, None, _reports(self._checks, gazes), quality, self.model.to_json()
        )

    def _quality(
        self, points: list[Point], gazes: list[NDArray[np.float64]], how: str
    ) -> dict[str, Any]:
        """Accuracy: mean offset of a point's gaze; precision: RMS from sample to sample."""
        misses = [
            float(np.linalg.norm(gaze.mean(axis=0) - point.target_px))
            for point, gaze in zip(points, gazes, strict=True)
        ]
        steps = np.concatenate([np.diff(gaze, axis=0) for gaze in gazes])
        accuracy_px = float(np.mean(misses))
        precision_px = float(np.sqrt(np.mean(np.sum(steps**2, axis=1)))) if len(steps) else 0.0
        accuracy_deg = accuracy_px / px_per_degree(self.screen, self.distance_mm)
        verdict = (
            "good"
            if accuracy_deg <= GOOD_DEG
            else "usable"
            if accuracy_deg <= USABLE_DEG
            else "retry"
        )
        return {
            "accuracy_px": round(accuracy_px, 1),
            "accuracy_deg": round(accuracy_deg, 2),
            "precision_px": round(precision_px, 1),
            "verdict": verdict,
            "reason": how,
        }


def _spread(count: int, most: int = MOST_LEARNED) -> NDArray[np.intp]:
    """Return at most `most` of the numbers from 0 to `count`, spread evenly."""
    return np.linspace(0, count - 1, min(count, max(most, 0))).round().astype(np.intp)


def _place_at(path: list[tuple[float, float, float]], t_s: float) -> tuple[float, float]:
    """Return where the moving dot was at `t_s`; never later than the newest report of it."""
    times, x, y = np.array(path).T
    return float(np.interp(t_s, times, x)), float(np.interp(t_s, times, y))


def _reports(points: list[Point], gazes: list[NDArray[np.float64]]) -> list[dict[str, Any]]:
    return [
        {
            "target": [round(value, 1) for value in point.target_px],
            "gaze": [round(float(value), 1) for value in gaze.mean(axis=0)],
            "used": len(point.features),
            "discarded": point.discarded,
        }
        for point, gaze in zip(points, gazes, strict=True)
    ]
