"""Finding the eyes in a process of its own: what is asked of it, and that process.

Half of the tracker's time is Python, and beside it in one process every frame of the film waited
10 ms for the interpreter's lock. `gaze.tracking.pool` starts such processes, which run `main`,
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
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.base.allocator import give_back, limit_arenas
from gaze.tracking.protocol import (
    LENGTH_BYTES,
    Answer,
    Begin,
    Request,
    Step,
    Stepped,
    Tracked,
    packed,
)
from gaze.vision.face.finder import TaskFaceFinder
from gaze.vision.sample import CalibrationError
from gaze.vision.tracker import Tracker

NICE = 10
"""The film's frames come first: a point of gaze that comes later is used later, no more."""


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
        _give_way()
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
        return Tracker(begin.screen, begin.calibration, finder, _give_way)
    except CalibrationError:
        if finder is not None:
            finder.close()
        raise


def _give_way() -> None:
    """Let the film's threads have this processor, if they wait for it: they would wait until the
    scheduler's next tick, 4 ms perhaps."""
    if hasattr(os, "sched_yield"):
        os.sched_yield()


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
