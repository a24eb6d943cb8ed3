"""Define the plain data that vision hands to others: samples, events, calibration updates."""

from dataclasses import dataclass
from typing import Any, Literal

Event = Literal["fixation", "saccade", "pursuit", "blink", "lost"]
CalibrationState = Literal["collecting", "accepted", "rejected", "fitted", "validated", "cancelled"]
EyesAt = tuple[tuple[float, float], tuple[float, float]]
"""x and y of the viewer's right and left eye, as fractions of a frame's width and height."""


@dataclass(frozen=True, slots=True)
class Screen:
    """The viewer's screen.

    Attributes
    ----------
    width_px, height_px : float
        In CSS pixels at 100 % page zoom.
    diagonal_mm : float or None, default None
        None where unknown.
    """

    width_px: float
    height_px: float
    diagonal_mm: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Head pose in camera space (x right, y down, z away from the camera).

    Attributes
    ----------
    yaw_deg : float
        Positive when the viewer turns toward their own left: the nose moves to the right of the
        unmirrored image.
    pitch_deg : float
        Positive when the nose goes up.
    roll_deg : float
        Positive when the head tilts clockwise as seen in the image.
    distance_mm : float or None
        From the camera to the point between the eyes.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    distance_mm: float | None


@dataclass(frozen=True, slots=True)
class Pupil:
    """Pupil diameter, averaged over the eyes that were measured.

    Attributes
    ----------
    mm : float or None
        The diameter; None where the confidence is too low.
    relative : float or None
        (diameter - baseline) / baseline against a running baseline, both without the reflex to the
        film's light.
    confidence : float
        From 0 to 1.
    """

    mm: float | None
    relative: float | None
    confidence: float


@dataclass(frozen=True, slots=True)
class GazeSample:
    """One camera frame's eye data; whatever is unknown is None, never zero.

    Attributes
    ----------
    t_s : float
        The frame's capture time on the monotonic clock.
    screen_px : tuple of float or None
        Point of gaze, from the top-left corner of the screen.
    confidence : float
        Of the point of gaze, from 0 to 1.
    uncertainty_px : float or None
        One standard deviation of the point of gaze.
    calibrated : bool
        Whether a calibration is in use.
    event : {"fixation", "saccade", "pursuit", "blink", "lost"} or None
    dwell_s : float or None
        How long the gaze has dwelt where it is.
    attentive : bool
        Whether the viewer attends to the screen.
    openness : tuple of float or None
        Of the viewer's left and right eye, from 0, closed, to 1, open.
    blink_rate : float or None
        Blinks per minute.
    pupil : Pupil or None
    head : Head or None
    perclos : float or None, default None
        Share of the last minute in which the eyes were shut.
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
    """The `calibration` message of docs/api.md; everything is ready for JSON.

    Attributes
    ----------
    state : {"collecting", "accepted", "rejected", "fitted", "validated", "cancelled"}
    progress : float
        Of the point being collected, from 0 to 1.
    reason : str or None, default None
        Why a point or a calibration was rejected.
    points : list of dict or None, default None
        Target, mean point of gaze and sample counts of each point.
    quality : dict or None, default None
        Accuracy and precision, with a verdict.
    model : dict or None, default None
        The calibration as plain data.
    """

    state: CalibrationState
    progress: float
    reason: str | None = None
    points: list[dict[str, Any]] | None = None
    quality: dict[str, Any] | None = None
    model: dict[str, Any] | None = None
