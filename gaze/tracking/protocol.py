"""What the server asks of the processes that find the eyes, and what they answer: pickled messages,
their length before them.

They stand apart from `gaze.tracking.worker`, so that the server need not load what finds eyes.
"""

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gaze.vision.sample import CalibrationError, CalibrationUpdate, EyesAt, GazeSample, Screen

LENGTH_BYTES = 4


@dataclass(frozen=True, slots=True)
class Begin:
    """The first request: make a tracker; the answer is `Stepped`, or a `CalibrationError`."""

    screen: Screen | None
    calibration: dict[str, Any] | None
    face_landmarker: Path | None


@dataclass(frozen=True, slots=True)
class Track:
    """A frame lies in the memory: (3/2 h, w) I420 or (h, w, 3) RGB; the answer is `Tracked`.

    `clicks` and `lights` are what came since the frame before, see `Tracker`.
    """

    shape: tuple[int, ...]
    t_s: float
    screen: Screen | None
    clicks: list[tuple[tuple[float, float], float]] = field(default_factory=list)
    lights: list[tuple[float, float | None, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """One `calibrate` action; the answer is `Stepped`, or a `CalibrationError`."""

    action: str
    target: tuple[float, float] | None
    t_s: float


@dataclass(frozen=True, slots=True)
class Stepped:
    """What became of the calibration; `model` is the newest one."""

    updates: list[CalibrationUpdate]
    model: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Tracked:
    """What was seen in a frame, and how long that took; `stepped` where it calibrated too."""

    sample: GazeSample
    eyes_at: EyesAt | None
    stepped: Stepped | None
    convert_s: float
    track_s: float


Request = Begin | Track | Step
Answer = Stepped | Tracked | CalibrationError


def packed(message: Request | Answer) -> bytes:
    """A message, its length before it."""
    data = pickle.dumps(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data
