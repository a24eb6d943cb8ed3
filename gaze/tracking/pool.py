"""The trackers of all sessions, each in one of a few processes (`gaze.tracking.worker`).

That takes memory without a name that is handed over by its descriptor, which Linux has. Elsewhere
all trackers are threads of the server, and frames of the film may wait for them.
"""

import asyncio
import contextlib
import logging
import mmap
import os
import pickle
import socket
import subprocess
import sys
from collections import deque
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

import gaze
from gaze.tracking import protocol
from gaze.tracking.protocol import Answer, Begin, Request, Step, Stepped, Track, Tracked
from gaze.vision.sample import CalibrationError, CalibrationUpdate, EyesAt, Screen

SESSIONS_EACH = 2
"""So many in every process before another one is started."""
END_TIMEOUT_S = 5.0

_CLICKS_WAITING = 12
_LIGHTS_WAITING = 120
_COMMAND = "from gaze.tracking.worker import main; main()"
_ROOT = Path(gaze.__file__).resolve().parent.parent

log = logging.getLogger(__name__)


class TrackerLostError(ConnectionError):
    """The process with the tracker has ended."""


class RemoteTracker:
    """One session's `gaze.vision.tracker.Tracker`, in another process. For the event loop, but for
    `see_light`.

    Attributes:
        screen: the viewer's, None before it is known; taken up with the next frame.
        model: the calibration as plain data, None without one.
        eyes_at: the viewer's right and left eye in the newest frame, fractions of it.
    """

    def __init__(
        self,
        trackers: "Trackers",
        largest_bytes: int,
        screen: Screen | None,
        calibration: dict[str, Any] | None,
        face_landmarker: Path | None,
    ) -> None:
        self.screen = screen
        self.model = calibration
        self.eyes_at: EyesAt | None = None
        self._trackers = trackers
        self._face_landmarker = face_landmarker
        self._process: _Process | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Answer]] = deque()
        self._memory_fd = -1
        if trackers.apart:
            self._memory_fd = os.memfd_create("camera frame")
            os.ftruncate(self._memory_fd, largest_bytes)
        self._memory = mmap.mmap(self._memory_fd, largest_bytes)
        self._clicks: deque[tuple[tuple[float, float], float]] = deque(maxlen=_CLICKS_WAITING)
        self._lights: deque[tuple[float, float | None, float]] = deque(maxlen=_LIGHTS_WAITING)

    async def begin(self) -> None:
        """Make the tracker, with the newest calibration there is; also where its process was lost.

        Raises:
            CalibrationError: the calibration is of another version, or damaged.
            TrackerLostError: the process has ended.
        """
        self._leave()
        ours, theirs = socket.socketpair()
        if self._trackers.apart:
            with theirs:
                while not (process := self._trackers.least_busy()).take(theirs, self._memory_fd):
                    pass
            self._process = process
        else:
            # Not before it is needed: the server does not find eyes itself elsewhere.
            from gaze.tracking import worker

            worker.begin_here(theirs, self._memory)
        reader, self._writer = await asyncio.open_connection(sock=ours)
        self._reading = asyncio.create_task(self._read(reader))
        await self._ask(Begin(self.screen, self.model, self._face_landmarker))

    def put(self, frame: av.VideoFrame) -> tuple[int, ...]:
        """Lay a frame into the shared memory and return its shape; called in a worker thread."""
        if frame.format.name != "yuv420p" or frame.width % 2 or frame.height % 2:
            pixels = frame.to_ndarray(format="rgb24")
            np.frombuffer(self._memory, np.uint8, pixels.size).reshape(pixels.shape)[:] = pixels
            return pixels.shape
        offset = 0
        for plane in frame.planes:
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            laid = np.frombuffer(self._memory, np.uint8, plane.width * plane.height, offset)
            shape = plane.height, plane.width
            laid.reshape(shape)[:] = rows[: plane.height, : plane.width]
            offset += laid.size
        return frame.height * 3 // 2, frame.width

    async def track(self, shape: tuple[int, ...], t_s: float) -> Tracked:
        """See `Tracker.track`, of the frame that was put.

        Raises:
            TrackerLostError: the process has ended.
        """
        clicks = [self._clicks.popleft() for _ in range(len(self._clicks))]
        lights = [self._lights.popleft() for _ in range(len(self._lights))]
        tracked = cast(Tracked, await self._ask(Track(shape, t_s, self.screen, clicks, lights)))
        self.eyes_at = tracked.eyes_at
        return tracked

    async def calibrate(
        self, action: str, target: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """See `Tracker.calibrate`.

        Raises:
            CalibrationError: the action is impossible now; nothing has changed.
        """
        try:
            return cast(Stepped, await self._ask(Step(action, target, t_s))).updates
        except TrackerLostError:
            raise CalibrationError("the tracker is being started again; try again") from None

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        """See `Tracker.click`."""
        self._clicks.append((screen_px, t_s))

    def see_light(self, picture: float, gaze: float | None, t_s: float) -> None:
        """See `Tracker.see_light`; called in any thread."""
        self._lights.append((picture, gaze, t_s))

    def close(self) -> None:
        """End the tracker and free the memory."""
        self._leave()
        with contextlib.suppress(BufferError):  # `put` is still at work; it goes with this object
            self._memory.close()
        if self._memory_fd >= 0:
            os.close(self._memory_fd)

    async def _ask(self, request: Request) -> Answer:
        if self._writer is None or self._reading is None or self._reading.done():
            raise TrackerLostError
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        self._writer.write(protocol.packed(request))
        return await asked

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Give each answer to the oldest request, until the process ends."""
        try:
            while True:
                length = await reader.readexactly(protocol.LENGTH_BYTES)
                answer = pickle.loads(await reader.readexactly(int.from_bytes(length, "big")))
                self._note(answer)
                asked = self._asked.popleft()
                if asked.cancelled():
                    continue
                if isinstance(answer, CalibrationError):
                    asked.set_exception(answer)
                else:
                    asked.set_result(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._give_up()

    def _give_up(self) -> None:
        for asked in self._asked:
            if not asked.done():
                asked.set_exception(TrackerLostError())
        self._asked.clear()

    def _note(self, answer: Answer) -> None:
        stepped = answer.stepped if isinstance(answer, Tracked) else answer
        if isinstance(stepped, Stepped):
            self.model = stepped.model

    def _leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._give_up()
        if self._process is not None:
            self._process.sessions -= 1
            self._process = None


class _Process:
    """A running `gaze.tracking.worker`, and how many sessions it has."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.DEVNULL,
            )
        self._control = ours
        self._lost = False
        self.sessions = 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return not self._lost and self._process.poll() is None

    def take(self, requests: socket.socket, memory_fd: int) -> bool:
        """Hand a session over to it; returns whether it still takes one."""
        try:
            socket.send_fds(self._control, [b"+"], [requests.fileno(), memory_fd])
        except OSError:
            self._lost = True
            return False
        self.sessions += 1
        return True

    def close(self) -> None:
        """Let it end, and wait for that; not on the event loop."""
        self._control.close()
        try:
            self._process.wait(END_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once."""
        self._control.close()
        self._process.kill()
        self._process.wait()


class Trackers:
    """Starts trackers, and the processes that they run in, as sessions come."""

    def __init__(self, most_processes: int, largest_px: tuple[int, int]) -> None:
        """Use so many processes at most, for camera frames of at most this width and height."""
        self._most = most_processes
        self._largest_bytes = 3 * largest_px[0] * largest_px[1]
        self._processes: list[_Process] = []
        self.apart = hasattr(os, "memfd_create")
        """Whether trackers run in processes of their own."""
        if not self.apart:
            log.warning("eyes are found in the server's own process here, which may delay films")

    def begin(self) -> None:
        """Start the first process, so that the first session finds it ready."""
        if self.apart:
            self.least_busy()

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [process.pid for process in self._processes if process.running]

    async def open(
        self,
        screen: Screen | None,
        calibration: dict[str, Any] | None,
        face_landmarker: Path | None,
    ) -> RemoteTracker:
        """A tracker; to be closed.

        Raises:
            CalibrationError: the calibration is of another version, or damaged.
            TrackerLostError: its process has ended.
        """
        tracker = RemoteTracker(self, self._largest_bytes, screen, calibration, face_landmarker)
        try:
            await tracker.begin()
        except BaseException:
            tracker.close()
            raise
        return tracker

    def least_busy(self) -> _Process:
        """The process that the next session should have."""
        for process in [process for process in self._processes if not process.running]:
            log.warning("a tracking process has ended; its sessions go on in another")
            self._processes.remove(process)
            process.kill()
        best = min(self._processes, key=lambda process: process.sessions, default=None)
        if best is None or (best.sessions >= SESSIONS_EACH and len(self._processes) < self._most):
            best = _Process()
            self._processes.append(best)
        return best

    def close(self) -> None:
        """End all processes and wait for that; not on the event loop."""
        for process in self._processes:
            process.close()
        self._processes.clear()
