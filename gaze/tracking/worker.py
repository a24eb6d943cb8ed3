"""A tracking process: `main`, and a thread for each session that it serves.

Half of the tracker's time is Python, and beside it in one process every frame of the film waited
10 ms for the interpreter's lock. `gaze.tracking.pool` starts such processes and hands over a
socket and a piece of shared memory for each session. Over the socket go pickled messages, one
answer to each request (`gaze.tracking.protocol`); camera frames lie in the memory. A process ends
when the server does.
"""

import logging
import mmap
import os
import pickle
import resource
import signal
import socket
import sys
import threading
import time
from pathlib import Path
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.base.allocator import give_back, limit_arenas
from gaze.tracking.protocol import (
    HELLO,
    LENGTH_BYTES,
    STATUS_BYTES,
    Answer,
    Begin,
    Failed,
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


log = logging.getLogger(__name__)


class _Session:
    """One session's tracker, served in a thread of its own until the socket is closed."""

    def __init__(self, requests: socket.socket, memory: mmap.mmap) -> None:
        self._requests = requests
        self._memory = memory
        self._tracker: Tracker | None = None

    def run(self) -> None:
        _be_nice()
        with self._requests, self._memory:
            try:
                self._serve()
            except OSError:  # the session, or the server, has ended meanwhile
                pass
            finally:
                if self._tracker is not None:
                    self._tracker.close()
        self._tracker = None
        give_back()

    def _serve(self) -> None:
        with self._requests.makefile("rb") as stream:
            while length := stream.read(LENGTH_BYTES):
                request = pickle.loads(stream.read(int.from_bytes(length, "big")))  # noqa: S301 - from a process of our own
                try:
                    answer = self._answer(request)
                except CalibrationError as error:
                    answer = error
                except Exception as error:
                    log.exception("the tracker failed")
                    answer = Failed(f"the tracker failed: {type(error).__name__}: {error}")
                self._requests.sendall(packed(answer))
                if isinstance(answer, Failed):
                    return

    def _answer(self, request: Request) -> Answer:
        if isinstance(request, Begin):
            self._tracker = _tracker(request)
            return Stepped([], self._tracker.model)
        tracker = self._tracker
        assert tracker is not None, "a session begins with Begin"  # noqa: S101 - an invariant, which also narrows the type
        if isinstance(request, Step):
            updates = tracker.calibrate(request.action, request.target, request.t_s)
            return Stepped(updates, tracker.model)
        if request.screen is not None:
            tracker.screen = request.screen
        for click in request.clicks:
            tracker.click(*click)
        for light in request.lights:
            tracker.add_film_luminance(*light)
        began_s = time.perf_counter()
        image = self._image(request.shape)
        converted_s = time.perf_counter()
        _yield_processor()
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
        return Tracker(begin.screen, begin.calibration, finder, _yield_processor)
    except CalibrationError:
        if finder is not None:
            finder.close()
        raise


def _yield_processor() -> None:
    """Let the film's threads have this processor if they wait for it.

    They would wait until the scheduler's next tick, 4 ms perhaps.
    """
    if hasattr(os, "sched_yield"):
        os.sched_yield()


def _be_nice() -> None:
    """Let the film's frames go first.

    On Linux this holds for the calling thread and those it starts, so that the main thread answers
    pings under any load; elsewhere for the process.
    """
    os.setpriority(os.PRIO_PROCESS, 0, NICE)


def _status() -> bytes:
    """Say how many bytes of memory are resident; where the system does not tell, at the peak."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        resident_bytes = pages * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        resident_bytes = peak if sys.platform == "darwin" else peak * 1024
    return resident_bytes.to_bytes(STATUS_BYTES, "big")


def main() -> None:
    """Serve sessions until the server closes the socket whose descriptor is the first argument."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # the server ends its sessions, and then this
    limit_arenas()
    cv2.setNumThreads(1)
    with socket.socket(fileno=int(sys.argv[1])) as control:
        try:
            Tracker().close()  # so that the first session finds the models loaded
            control.sendall(_status())
            while True:
                data, descriptors, _, _ = socket.recv_fds(control, 1, 2)
                if not data:
                    break
                if data == HELLO:
                    requests, memory = descriptors
                    _begin(socket.socket(fileno=requests), mmap.mmap(memory, 0))
                    os.close(memory)
                else:
                    control.sendall(_status())
        except OSError:  # the server was killed
            pass
        os._exit(0)  # trackers that are still at work would hold up a proper end


def _begin(requests: socket.socket, memory: mmap.mmap) -> None:
    session = _Session(requests, memory)
    threading.Thread(target=session.run, name="tracker", daemon=True).start()
