"""What the eyes said at one moment: the plain data that vision hands to the rest of the house."""

from dataclasses import dataclass
from typing import Any, Literal

Event = Literal["fixation", "saccade", "pursuit", "blink", "lost"]
CalibrationState = Literal["collecting", "accepted", "rejected", "fitted", "validated", "cancelled"]
EyesAt = tuple[tuple[float, float], tuple[float, float]]
"""The viewer's right and left eye, fractions of a frame."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The viewer's screen in CSS pixels at 100 % page zoom; `diagonal_mm` is None where unknown."""

    width_px: float
    height_px: float
    diagonal_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Head pose in camera space (x right, y down, z away from the camera).

    Yaw is positive when the viewer turns toward their own left (the nose moves to the right of
    the unmirrored image), pitch is positive when the nose goes up, roll is positive when the head
    tilts clockwise as seen in the image.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    distance_mm: float | None


@dataclass(frozen=True, slots=True)
class Pupil:
    """Pupil diameter, averaged over the eyes that were measured.

    `relative` is (diameter - baseline) / baseline against a running baseline, both with the reflex
    to the film's light taken out.
    """

    mm: float | None
    relative: float | None
    confidence: float


@dataclass(frozen=True, slots=True)
class GazeSample:
    """One camera frame's worth of eye data; whatever is unknown is None, never zero.

    `t_s` is the frame's capture time on the monotonic clock. `screen_px` has its origin at the
    top-left of the screen. `uncertainty_px` is one standard deviation of the point of gaze.
    `openness` is (left, right) of the viewer, 0 closed to 1 open. `blink_rate` is per minute;
    `perclos` is the share of the last minute in which the eyes were shut.
    """

    t_s: float
    screen_px: tuple[float, float] | None
    confidence: float
    uncertainty_px: float | None
    calibrated: bool
    event: Event | None
    dwell_s: float | None
    attentive: bool
    openness: tuple[float, float] | None
    blink_rate: float | None
    pupil: Pupil | None
    head: Head | None
    perclos: float | None = None


class CalibrationError(ValueError):
    """An action that is impossible now, or a model that this version cannot use."""


@dataclass(frozen=True, slots=True)
class CalibrationUpdate:
    """What docs/api.md's `calibration` message carries; everything is ready for JSON."""

    state: CalibrationState
    progress: float
    reason: str | None = None
    points: list[dict[str, Any]] | None = None
    quality: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
