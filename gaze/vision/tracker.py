"""Camera frame in, `GazeSample` out: face, head, lids, irises, pupils and gaze put together."""

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaze.vision.events.attention import Attention, toward_screen
from gaze.vision.events.blinks import Blinks
from gaze.vision.events.detector import EventDetector
from gaze.vision.face.eye_landmarks import EYES, LidBaseline
from gaze.vision.face.finder import FaceFinder, Landmarks, MeshFaceFinder
from gaze.vision.face.occlusion import eyes_hidden
from gaze.vision.filters import OneEuro
from gaze.vision.head.pose import Pose, head_pose
from gaze.vision.head.stabilizer import HeadStabilizer, Placed
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.refinement import Crop, Irises, cut_eyes, find_irises
from gaze.vision.kernels.face_crop import Image
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.calibration import Calibration, GazeModel
from gaze.vision.regression.drift import Drift
from gaze.vision.regression.features import HEAD, SIGHT, EyeReading, gaze_features, read_eyes
from gaze.vision.sample import CalibrationUpdate, Event, EyesAt, GazeSample, Head, Pupil, Screen
from gaze.vision.screen_geometry import (
    DEFAULT_SCREEN,
    USUAL_LEVEL_DEG,
    downward_deg,
    estimate_px,
    px_per_degree,
)

# The mesh's corners of the viewer's right and left eye.
_CORNERS = (33, 133, 362, 263)
# The point of gaze outlives the face by this much.
HOLD_S = 0.3
# Irises between lids that are further closed stand where the lids, not the gaze, put them, unless
# the lids have stayed there, as in a squint or a glance down.
READABLE_OPENNESS = 0.5
UNCALIBRATED_ERROR_DEG = 6.0

_MIN_CUTOFF_HZ = 1.0
_BETA_PER_DEG = 0.15
_LEVEL_STEP_S = 0.1
_CLICK_WINDOW_S = 0.4
_CLICKS_WAITING = 12
_LIGHTS = 120
# A click this far from the gaze, in screens, was made without looking.
_WILDEST_MISS = 0.7


class Tracker:
    """Follows one viewer's eyes. Safe to use from several threads; one call runs at a time."""

    def __init__(
        self,
        screen: Screen | None = None,
        calibration: Mapping[str, Any] | None = None,
        finder: FaceFinder | None = None,
        between_steps: Callable[[], object] | None = None,
    ) -> None:
        """Start without knowing anything; `calibration` is an earlier `model`. `between_steps` is
        called every millisecond or two while a frame is tracked.

        Raises:
            CalibrationError: the model is of another version, or damaged.
        """
        self.eyes_at: EyesAt | None = None
        """The viewer's right and left eye in the newest frame, fractions of it."""
        self._model = GazeModel.from_json(calibration) if calibration else None
        self._lock = threading.Lock()
        self._known_screen = screen
        self._screen = screen or DEFAULT_SCREEN
        self._finder = finder or MeshFaceFinder()
        self._between_steps = between_steps or (lambda: None)
        self._calibration = Calibration(self._screen, self._model)
        self._updates: list[CalibrationUpdate] = []
        self._baselines = (LidBaseline(), LidBaseline())
        self._blinks = Blinks()
        self._movements = EventDetector(px_per_degree(self._screen))
        self._filter = OneEuro(_MIN_CUTOFF_HZ, 0.0)
        self._attention = Attention()
        self._pupils = PupilMeter()
        self._anchor = HeadStabilizer()
        self._level = eyeball_model.SightLevel()
        self._level_s = -math.inf
        self._gaze_px: NDArray[np.float64] | None = None
        self._seen_s: float | None = None
        self._raw: deque[tuple[float, NDArray[np.float64], NDArray[np.float64]]] = deque(maxlen=60)
        self._new_clicks: deque[tuple[tuple[float, float], float]] = deque(maxlen=_CLICKS_WAITING)
        self._new_lights: deque[tuple[float, float | None, float]] = deque(maxlen=_LIGHTS)
        self._drift = Drift(None if self._model is None else self._model.shift)
        self._tune()

    @property
    def screen(self) -> Screen | None:
        """The viewer's screen; None (and one of 1920 x 1080 assumed) before it is known."""
        return self._known_screen

    @screen.setter
    def screen(self, screen: Screen) -> None:
        # Taken up with the next frame, so that the caller never waits for one to be tracked.
        self._known_screen = screen

    @property
    def model(self) -> dict[str, Any] | None:
        """The calibration as plain data, None without one."""
        model = self._model
        return None if model is None else model.to_json()

    def calibrate(
        self, action: str, target: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """Do one `calibrate` action of the page's at `t_s`; `target` is in screen pixels.

        Raises:
            CalibrationError: the action is impossible now; nothing has changed.
        """
        with self._lock:
            self._take_up_screen()
            before = self._calibration.model
            updates = self._calibration.act(action, target, t_s)
            if self._calibration.model is not before:
                self._model = self._calibration.model
                self._drift = Drift()
                self._raw.clear()
                self._forget_gaze()
            return updates

    def take_updates(self) -> list[CalibrationUpdate]:
        """Return what `track` has done to the calibration since this was last asked."""
        with self._lock:
            updates, self._updates = self._updates, []
            return updates

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        """The viewer surely looked at `screen_px` at `t_s`: see `Drift`.

        What was missed is taken up with the next frame.
        """
        self._new_clicks.append((screen_px, t_s))

    def see_light(self, picture: float, gaze: float | None, t_s: float) -> None:
        """A film frame composed at `t_s` goes to the viewer: `picture` is its mean luminance and
        `gaze` that around the point of gaze, as shares of the screen's white.

        It is taken up with the next camera frame, for the pupils' reflex to it.
        """
        self._new_lights.append((picture, gaze, t_s))

    def track(self, image: Image, t_s: float) -> GazeSample:
        """Take one camera frame, RGB (h, w, 3) uint8, not mirrored, captured at `t_s`."""
        with self._lock:
            self._take_up_screen()
            while self._new_clicks:
                self._take_up_click(*self._new_clicks.popleft())
            while self._new_lights:
                self._pupils.reflex.see(*self._new_lights.popleft())
            landmarks = self._finder.find(image)
            self._between_steps()
            self.eyes_at = None if landmarks is None else _eyes_at(landmarks)
            pose = None if landmarks is None else head_pose(landmarks)
            if landmarks is None or pose is None or eyes_hidden(image, landmarks):
                self._updates += self._calibration.observe(None, False, t_s)
                return self._without_face(t_s)
            return self._with_face(image, landmarks, pose, t_s)

    def close(self) -> None:
        """Release the face model."""
        with self._lock:
            self._finder.close()

    def _take_up_screen(self) -> None:
        screen = self._known_screen
        if screen is None or screen == self._screen:
            return
        self._screen = self._calibration.screen = screen
        self._forget_gaze()
        self._raw.clear()
        self._tune()

    def _take_up_click(self, screen_px: tuple[float, float], t_s: float) -> None:
        recent = [
            (gaze, head) for when, gaze, head in self._raw if t_s - _CLICK_WINDOW_S <= when <= t_s
        ]
        if len(recent) < 3:
            return
        size_px = np.array([self._screen.width_px, self._screen.height_px])
        gaze, head = (np.median(each, axis=0) for each in zip(*recent, strict=True))
        miss = (np.array(screen_px) - gaze) / size_px
        if not np.isfinite(miss).all() or float(np.abs(miss).max()) > _WILDEST_MISS:
            return
        self._drift.learn(miss, head, t_s)
        if self._model is not None:
            self._model.shift = self._drift.shift(head, t_s)

    def _tune(self) -> None:
        degree_px = px_per_degree(self._screen)
        self._movements.degree_px = degree_px
        self._filter = OneEuro(_MIN_CUTOFF_HZ, _BETA_PER_DEG / degree_px)

    def _forget_gaze(self) -> None:
        self._gaze_px = None
        self._movements.clear()
        self._filter.clear()

    def _without_face(self, t_s: float) -> GazeSample:
        self._blinks.forget()
        lost = self._seen_s is None or t_s - self._seen_s > HOLD_S
        if lost:
            self._forget_gaze()
        attentive = self._attention.update(False, False, False, t_s)
        return self._sample(
            t_s,
            confidence=0.0 if self._gaze_px is None else 0.1,
            event="lost",
            attentive=attentive,
        )

    def _with_face(self, image: Image, landmarks: Landmarks, pose: Pose, t_s: float) -> GazeSample:
        self._seen_s = t_s
        eyes = read_eyes(landmarks, pose)
        right, left = (
            baseline.openness(ratio, t_s)
            for baseline, ratio in zip(self._baselines, eyes.ratios, strict=True)
        )
        mean_openness = (right + left) / 2.0
        self._blinks.update(sum(eyes.ratios) / 2.0, mean_openness, t_s)
        readable = mean_openness >= READABLE_OPENNESS or not self._blinks.unsettled

        head = pose.head
        self._calibration.distance_mm = head.distance_mm
        crop = cut_eyes(image, landmarks)
        irises = None if crop is None else find_irises(crop, landmarks)
        seen = self._line_of_sight(landmarks, pose, crop, irises)
        self._between_steps()
        features = gaze_features(image, landmarks, eyes, pose, seen)
        self._updates += self._calibration.observe(
            features if readable else None, not readable, t_s
        )
        event: Event | None = "blink"
        if readable:
            if self._model is None:
                self._learn_level(seen, eyes, pose, t_s)
            event = self._look(features, head, t_s)
        gaze = _pair(self._gaze_px)
        uncertainty_px = self._uncertainty_px(head)
        attentive = self._attention.update(
            True,
            self._blinks.closed,
            toward_screen(
                head,
                gaze,
                self._screen,
                max(0.35 * self._screen.width_px, 2.0 * uncertainty_px),
            ),
            t_s,
        )
        return self._sample(
            t_s,
            confidence=self._confidence(head, pose, mean_openness) if readable else 0.1,
            event=event,
            attentive=attentive,
            openness=(left, right),
            pupil=self._pupils.measure(irises, (left, right), t_s, pose),
            head=head,
            uncertainty_px=uncertainty_px,
        )

    def _line_of_sight(
        self, landmarks: Landmarks, pose: Pose, crop: Crop | None, irises: Irises | None
    ) -> NDArray[np.float64]:
        middle_px = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0
        if crop is None or irises is None:
            meshed = landmarks.points_px[[eye.iris for eye in EYES], :2] - 0.5
            return eyeball_model.row_of(meshed, middle_px, Placed.of(pose))
        placed = self._anchor.place(crop, landmarks, pose)
        return eyeball_model.row_of(irises.centres_px, middle_px, placed)

    def _learn_level(
        self, seen: NDArray[np.float64], eyes: EyeReading, pose: Pose, t_s: float
    ) -> None:
        if not self._level.started:
            down_deg = downward_deg(eyes.offsets_mm, eyes.ratios) - USUAL_LEVEL_DEG
            estimated = estimate_px(eyes.offsets_mm, down_deg, pose, self._screen)
            if estimated is not None:
                size_px = np.array([self._screen.width_px, self._screen.height_px])
                place = np.clip(estimated, -size_px, 2.0 * size_px) / self._screen.width_px
                self._level.start(seen, place, self._screen)
        # What it learns changes within seconds.
        if t_s - self._level_s >= _LEVEL_STEP_S:
            self._level.update(seen, self._screen, t_s)
            self._level_s = t_s

    def _look(self, features: NDArray[np.float64], head: Head, t_s: float) -> Event:
        """Bring the point of gaze up to date and say what it did."""
        size_px = np.array([self._screen.width_px, self._screen.height_px])
        if self._model is not None:
            plain_px = self._model.predict_px(features[None], self._screen)[0]
        else:
            usual = eyeball_model.usual_corrections(self._level.angles)
            plain_px = eyeball_model.places(features[None, SIGHT], usual, self._screen)[0]
            plain_px = plain_px * self._screen.width_px
        self._raw.append((t_s, plain_px, features[HEAD]))
        shift_px = self._drift.shift(features[HEAD], t_s) * size_px
        raw_px = np.minimum(np.maximum(plain_px + shift_px, -size_px), 2.0 * size_px)
        self._movements.degree_px = px_per_degree(self._screen, head.distance_mm)
        movement = self._movements.update(raw_px, t_s)
        if movement.step_px is not None:
            self._gaze_px = self._filter.reset(movement.step_px, t_s)
        elif not movement.outlier:
            self._gaze_px = self._filter.update(raw_px, t_s)
        return movement.kind

    def _uncertainty_px(self, head: Head) -> float:
        noise_px = self._movements.noise_px
        if self._model is None:
            bias_px = UNCALIBRATED_ERROR_DEG * px_per_degree(self._screen, head.distance_mm)
        else:
            bias_px = self._model.accuracy * self._screen.width_px
        return math.hypot(bias_px, noise_px)

    def _confidence(self, head: Head, pose: Pose, openness: float) -> float:
        """How far the gaze can be trusted: less without calibration, with narrow lids, a turned
        head and an iris of a few pixels."""
        turned_deg = math.hypot(head.yaw_deg, head.pitch_deg)
        return (
            (0.5 if self._model is None else 0.9)
            * _between(openness, 0.0, 0.8)
            * (1.0 - 0.7 * _between(turned_deg, 20.0, 50.0))
            * (0.3 + 0.7 * _between(pose.iris_px, 4.0, 10.0))
        )

    def _sample(
        self,
        t_s: float,
        *,
        confidence: float,
        event: Event | None,
        attentive: bool,
        openness: tuple[float, float] | None = None,
        pupil: Pupil | None = None,
        head: Head | None = None,
        uncertainty_px: float | None = None,
    ) -> GazeSample:
        gaze = _pair(self._gaze_px)
        return GazeSample(
            t_s=t_s,
            screen_px=gaze,
            confidence=confidence if gaze is not None else 0.0,
            uncertainty_px=uncertainty_px if gaze is not None else None,
            calibrated=self._model is not None,
            event=event,
            dwell_s=self._movements.dwell_s(t_s) if gaze is not None else None,
            attentive=attentive,
            openness=openness,
            blink_rate=self._blinks.rate_per_min(t_s),
            pupil=pupil,
            head=head,
            perclos=self._blinks.perclos(t_s),
        )


def _between(value: float, low: float, high: float) -> float:
    """From 0 at `low` to 1 at `high`."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _pair(point_px: NDArray[np.float64] | None) -> tuple[float, float] | None:
    return None if point_px is None else (float(point_px[0]), float(point_px[1]))


def _eyes_at(landmarks: Landmarks) -> EyesAt:
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        landmarks.points_px[number, :2].tolist() for number in _CORNERS
    )
    across, down = 2.0 * landmarks.width_px, 2.0 * landmarks.height_px
    right = round((x0 + x1) / across, 4), round((y0 + y1) / down, 4)
    return right, (round((x2 + x3) / across, 4), round((y2 + y3) / down, 4))
