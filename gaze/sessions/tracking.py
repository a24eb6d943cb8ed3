"""Finding the eyes in a process of its own: what is asked of it, and that process.

Half of the tracker's time is Python, and beside it in one process every frame of the film waited
10 ms for the interpreter's lock. `gaze.sessions.trackers` starts such processes, which run `main`,
and hands over a socket and a piece of shared memory for each session. Over the socket go pickled
messages, one answer to each request; camera frames lie in the memory, which has no name and no
file. A process ends when the server does. Where the system has no such memory to hand over, a
thread of the server serves the session (`begin_here`).
"""

import mmap
import os
import pickle
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.memory import give_back, limit_arenas
from gaze.vision.calibration import CalibrationError, CalibrationUpdate
from gaze.vision.face import TaskFaceFinder
from gaze.vision.sample import GazeSample, Screen
from gaze.vision.tracker import EyesAt, Tracker

LENGTH_BYTES = 4
NICE = 10
"""The film's frames come first: a point of gaze that comes later is used later, no more."""


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


class _Session:
    """One session's tracker, served in a thread of its own until the socket is closed."""

    def __init__(self, requests: socket.socket, memory: mmap.mmap | memoryview) -> None:
        self._requests = requests
        self._memory = memory
        self._tracker: Tracker | None = None

    def run(self) -> None:
        with self._requests, self._memory, self._requests.makefile("rb") as stream:
            while length := stream.read(LENGTH_BYTES):
                request = pickle.loads(stream.read(int.from_bytes(length, "big")))
                try:
                    answer = self._answer(request)
                except CalibrationError as error:
                    answer = error
                try:
                    self._requests.sendall(packed(answer))
                except OSError:  # the session has ended meanwhile
                    break
            if self._tracker is not None:
                self._tracker.close()
        self._tracker = None
        give_back()

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Begin):
            self._tracker = _tracker(request)
            return Stepped([], self._tracker.model)
        tracker = self._tracker
        assert tracker is not None, "a session begins with Begin"
        if isinstance(request, Step):
            updates = tracker.calibrate(request.action, request.target, request.t_s)
            return Stepped(updates, tracker.model)
        if request.screen is not None:
            tracker.screen = request.screen
        for click in request.clicks:
            tracker.click(*click)
        for light in request.lights:
            tracker.see_light(*light)
        began_s = time.perf_counter()
        image = self._image(request.shape)
        converted_s = time.perf_counter()
        sample = tracker.track(image, request.t_s)
        tracked_s = time.perf_counter()
        updates = tracker.take_updates()
        return Tracked(
            sample,
            tracker.eyes_at,
            Stepped(updates, tracker.model) if updates else None,
            converted_s - began_s,
            tracked_s - converted_s,
        )

    def _image(self, shape: tuple[int, ...]) -> NDArray[np.uint8]:
        data = np.frombuffer(self._memory, np.uint8, int(np.prod(shape))).reshape(shape)
        if len(shape) == 2:
            return cast(NDArray[np.uint8], cv2.cvtColor(data, cv2.COLOR_YUV2RGB_I420))
        return data.copy()


def _tracker(begin: Begin) -> Tracker:
    finder = None if begin.face_landmarker is None else TaskFaceFinder(begin.face_landmarker)
    try:
        return Tracker(begin.screen, begin.calibration, finder)
    except CalibrationError:
        if finder is not None:
            finder.close()
        raise


def main() -> None:
    """Serve sessions until the server closes the socket whose descriptor is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends its sessions, and then this
    limit_arenas()
    os.nice(NICE)
    cv2.setNumThreads(1)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        Tracker().close()  # so that the first session finds the models loaded
        while True:
            data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
            if not data:
                os._exit(0)  # trackers that are still at work would hold up a proper end
            requests, memory = descriptors
            _begin(socket.socket(fileno=requests), mmap.mmap(memory, 0))
            os.close(memory)


def begin_here(requests: socket.socket, memory: mmap.mmap) -> None:
    """Serve a session in this process until the other end of the socket is closed."""
    _begin(requests, memoryview(memory))


def _begin(requests: socket.socket, memory: mmap.mmap | memoryview) -> None:
    session = _Session(requests, memory)
    threading.Thread(target=session.run, name="tracker", daemon=True).start()
