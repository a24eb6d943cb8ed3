"""What the server asks of a tracking process, and what it answers.

On a session's socket: pickled messages, each after its length. On the process's control socket, a
byte at a time: `HELLO` with the descriptors of a new session's socket and memory, and `PING`. The
process sends its resident memory in bytes once it is ready and after each `PING`.

This stands apart from `gaze.tracking.worker`, so that the server need not load the tracker.
"""

import pickle
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gaze.vision.sample import CalibrationError, CalibrationUpdate, EyesAt, GazeSample, Screen

LENGTH_BYTES = 4
STATUS_BYTES = 8
HELLO = b"+"
PING = b"?"


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
    """The outcome of a calibration step; `model` is the newest one."""

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


@dataclass(frozen=True, slots=True)
class Failed:
    """The tracker raised; the session's thread has ended with it."""

    reason: str


Request = Begin | Track | Step
Answer = Stepped | Tracked | CalibrationError | Failed


def packed(message: Request | Answer) -> bytes:
    """Pickle a message, its length before it.

    Parameters
    ----------
    message : Request or Answer
        What is sent on a session's socket.

    Returns
    -------
    bytes
        `LENGTH_BYTES` of length, big-endian, and the pickled message.
    """
    data = pickle.dumps(message)
    return len(data).to_bytes(LENGTH_BYTES, "big") + data
