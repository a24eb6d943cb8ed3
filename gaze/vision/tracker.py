"""Turn camera frames into `GazeSample`s: face, head, lids, irises, pupils and gaze put together."""

import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.events.attention import Attention, toward_screen
from gaze.vision.events.blinks import BlinkDetector
from gaze.vision.face.eye_landmarks import LidBaseline
from gaze.vision.face.finder import FaceFinder, Landmarks, MeshFaceFinder
from gaze.vision.face.landmark_indices import EYE_CORNERS, EYES
from gaze.vision.face.occlusion import eyes_occluded
from gaze.vision.head.pose import Pose, head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.head.stabilizer import HeadStabilizer
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.refinement import EyeCrop, Irises, crop_eyes, find_irises
from gaze.vision.point_of_gaze import PointOfGaze
from gaze.vision.regression.calibration import Calibration
from gaze.vision.regression.eyeball_model import eyeball_features
from gaze.vision.regression.features import gaze_features, read_eyes
from gaze.vision.regression.gaze_model import GazeModel
from gaze.vision.sample import CalibrationUpdate, Event, EyesAt, GazeSample, Head, Pupil, Screen
from gaze.vision.screen_geometry import DEFAULT_SCREEN

# The constants were chosen by hand; no benchmark covers them.
HOLD_S = 0.3
"""The point of gaze outlives the face by this much."""
READABLE_OPENNESS = 0.5
"""Irises between lids that are further closed are where the lids, not the gaze, put them, unless
the lids have stayed there, as in a squint or a glance down."""
_MAX_PENDING_CLICKS = 12
_MAX_PENDING_LUMINANCES = 120


class Tracker:
    """Tracks one viewer's eyes. Safe to use from several threads; one call runs at a time.

    Attributes
    ----------
    eyes_at : EyesAt or None
        The viewer's right and left eye in the newest frame.
    """

    def __init__(
        self,
        screen: Screen | None = None,
        calibration: Mapping[str, Any] | None = None,
        finder: FaceFinder | None = None,
        between_steps: Callable[[], object] | None = None,
    ) -> None:
        """Start without a frame.

        Parameters
        ----------
        screen : Screen or None, default None
            The viewer's screen; one of 1920 x 1080 is assumed while it is unknown.
        calibration : Mapping or None, default None
            An earlier `model`.
        finder : FaceFinder or None, default None
            The face backend; by default a `MeshFaceFinder`.
        between_steps : callable or None, default None
            Called every millisecond or two while a frame is tracked.

        Raises
        ------
        CalibrationError
            If the calibration is of another version, or damaged.
        """
        self.eyes_at: EyesAt | None = None
        model = GazeModel.from_json(calibration) if calibration else None
        self._lock = threading.Lock()
        self._known_screen = screen
        self._finder = finder or MeshFaceFinder()
        self._between_steps = between_steps or (lambda: None)
        self._calibration = Calibration(screen or DEFAULT_SCREEN, model)
        self._updates: list[CalibrationUpdate] = []
        self._baselines = (LidBaseline(), LidBaseline())
        self._blinks = BlinkDetector()
        self._gaze = PointOfGaze(screen or DEFAULT_SCREEN, model)
        self._attention = Attention()
        self._pupils = PupilMeter()
        self._stabilizer = HeadStabilizer()
        self._face_s: float | None = None
        self._clicks: deque[tuple[tuple[float, float], float]] = deque(maxlen=_MAX_PENDING_CLICKS)
        self._luminances: deque[tuple[float, float | None, float]] = deque(
            maxlen=_MAX_PENDING_LUMINANCES
        )

    @property
    def screen(self) -> Screen | None:
        """The viewer's screen; None while it is unknown."""
        return self._known_screen

    @screen.setter
    def screen(self, screen: Screen) -> None:
        # Used from the next frame on, so that the caller never waits for a frame to be tracked.
        self._known_screen = screen

    @property
    def model(self) -> dict[str, Any] | None:
        """The calibration as plain data, None without one."""
        model = self._gaze.model
        return None if model is None else model.to_json()

    def calibrate(
        self, action: str, target: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """Do a `calibrate` action of the viewer's page.

        Parameters
        ----------
        action : str
            As of `gaze.vision.regression.calibration`.
        target : tuple of float or None
            In screen pixels.
        t_s : float
            The current time.

        Returns
        -------
        list of CalibrationUpdate

        Raises
        ------
        CalibrationError
            If the action is impossible now; nothing has changed.
        """
        with self._lock:
            self._use_known_screen()
            before = self._calibration.model
            updates = self._calibration.act(action, target, t_s)
            if self._calibration.model is not before:
                self._gaze.model = self._calibration.model
            return updates

    def take_updates(self) -> list[CalibrationUpdate]:
        """Return what `track` has done to the calibration since the last call.

        Returns
        -------
        list of CalibrationUpdate
        """
        with self._lock:
            updates, self._updates = self._updates, []
            return updates

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        """Take a click, at which the viewer surely looked; used from the next frame on.

        Parameters
        ----------
        screen_px : tuple of float
            Where it was.
        t_s : float
            When it was.
        """
        self._clicks.append((screen_px, t_s))

    def add_film_luminance(self, picture: float, gaze: float | None, t_s: float) -> None:
        """Take the luminance of a film frame, for the pupils' light reflex.

        It is used from the next camera frame on.

        Parameters
        ----------
        picture : float
            Mean luminance of the picture, as a share of the screen's white.
        gaze : float or None
            That around the point of gaze, None where it is unknown.
        t_s : float
            When the film frame was composed.
        """
        self._luminances.append((picture, gaze, t_s))

    def track(self, image: Image, t_s: float) -> GazeSample:
        """Track one camera frame.

        Parameters
        ----------
        image : Image, shape (h, w, 3)
            RGB, not mirrored.
        t_s : float
            When it was captured.

        Returns
        -------
        GazeSample
        """
        with self._lock:
            self._use_known_screen()
            while self._clicks:
                self._gaze.click(*self._clicks.popleft())
            while self._luminances:
                self._pupils.reflex.add_frame(*self._luminances.popleft())
            landmarks = self._finder.find(image)
            self._between_steps()
            self.eyes_at = None if landmarks is None else _eyes_at(landmarks)
            pose = None if landmarks is None else head_pose(landmarks)
            if landmarks is None or pose is None or eyes_occluded(image, landmarks):
                self._updates += self._calibration.observe(None, False, t_s)
                return self._track_without_face(t_s)
            return self._track_face(image, landmarks, pose, t_s)

    def close(self) -> None:
        """Release the face model."""
        with self._lock:
            self._finder.close()

    def _use_known_screen(self) -> None:
        screen = self._known_screen
        if screen is not None and screen != self._gaze.screen:
            self._calibration.screen = self._gaze.screen = screen

    def _track_without_face(self, t_s: float) -> GazeSample:
        self._blinks.lose_face()
        if self._face_s is None or t_s - self._face_s > HOLD_S:
            self._gaze.clear()
        attentive = self._attention.update(False, False, False, t_s)
        return self._sample(
            t_s,
            confidence=0.0 if self._gaze.px is None else 0.1,
            event="lost",
            attentive=attentive,
        )

    def _track_face(self, image: Image, landmarks: Landmarks, pose: Pose, t_s: float) -> GazeSample:
        self._face_s = t_s
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
        crop = crop_eyes(image, landmarks)
        irises = None if crop is None else find_irises(crop, landmarks)
        eyeballs = self._eyeballs(landmarks, pose, crop, irises)
        self._between_steps()
        features = gaze_features(image, landmarks, eyes, pose, eyeballs)
        self._updates += self._calibration.observe(
            features if readable else None, not readable, t_s
        )
        event: Event = self._gaze.update(features, eyes, pose, t_s) if readable else "blink"
        uncertainty_px = self._gaze.uncertainty_px(head)
        return self._sample(
            t_s,
            confidence=self._confidence(head, pose, mean_openness) if readable else 0.1,
            event=event,
            attentive=self._is_attentive(head, uncertainty_px, t_s),
            openness=(left, right),
            pupil=self._pupils.measure(irises, (left, right), t_s, pose),
            head=head,
            uncertainty_px=uncertainty_px,
        )

    def _eyeballs(
        self, landmarks: Landmarks, pose: Pose, crop: EyeCrop | None, irises: Irises | None
    ) -> FloatArray:
        centre_px = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0
        if crop is None or irises is None:
            mesh_irises_px = landmarks.points_px[[eye.iris for eye in EYES], :2] - 0.5
            return eyeball_features(mesh_irises_px, centre_px, RigidPose.from_pose(pose))
        stabilized = self._stabilizer.stabilize(crop, landmarks, pose)
        return eyeball_features(irises.centres_px, centre_px, stabilized)

    def _is_attentive(self, head: Head, uncertainty_px: float, t_s: float) -> bool:
        screen = self._gaze.screen
        margin_px = max(0.35 * screen.width_px, 2.0 * uncertainty_px)
        toward = toward_screen(head, _pair(self._gaze.px), screen, margin_px)
        return self._attention.update(True, self._blinks.closed, toward, t_s)

    def _confidence(self, head: Head, pose: Pose, openness: float) -> float:
        """Return the confidence of the gaze.

        It is less without calibration, with narrow lids, a rotated head and irises of a few pixels.
        """
        rotated_deg = math.hypot(head.yaw_deg, head.pitch_deg)
        return (
            (0.5 if self._gaze.model is None else 0.9)
            * _ramp(openness, 0.0, 0.8)
            * (1.0 - 0.7 * _ramp(rotated_deg, 20.0, 50.0))
            * (0.3 + 0.7 * _ramp(pose.iris_px, 4.0, 10.0))
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
        gaze = _pair(self._gaze.px)
        return GazeSample(
            t_s=t_s,
            screen_px=gaze,
            confidence=confidence if gaze is not None else 0.0,
            uncertainty_px=uncertainty_px if gaze is not None else None,
            calibrated=self._gaze.model is not None,
            event=event,
            dwell_s=self._gaze.dwell_s(t_s),
            attentive=attentive,
            openness=openness,
            blink_rate=self._blinks.rate_per_min(t_s),
            pupil=pupil,
            head=head,
            perclos=self._blinks.perclos(t_s),
        )


def _ramp(value: float, low: float, high: float) -> float:
    """Return 0 up to `low`, 1 from `high` on, and linear between."""
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _pair(point_px: FloatArray | None) -> tuple[float, float] | None:
    return None if point_px is None else (float(point_px[0]), float(point_px[1]))


def _eyes_at(landmarks: Landmarks) -> EyesAt:
    """Return the middles between the corners of each eye."""
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = (
        landmarks.points_px[number, :2].tolist() for number in EYE_CORNERS
    )
    across, down = 2.0 * landmarks.width_px, 2.0 * landmarks.height_px
    right = round((x0 + x1) / across, 4), round((y0 + y1) / down, 4)
    return right, (round((x2 + x3) / across, 4), round((y2 + y3) / down, 4))
