"""One session's tracker in another process: frames by shared memory, requests by a socket."""

import asyncio
import contextlib
import mmap
import os
import pickle
import socket
from collections import deque
from pathlib import Path
from typing import Any, Protocol, cast

import av
import numpy as np

from gaze.tracking import protocol
from gaze.tracking.memory import shared_memory
from gaze.tracking.process import TrackerLostError, TrackingProcess
from gaze.tracking.protocol import Answer, Begin, Failed, Request, Step, Stepped, Track, Tracked
from gaze.vision.sample import CalibrationError, CalibrationUpdate, EyesAt, Screen

REQUEST_LIMIT_S = 10.0
"""For one answer of a process that answers pings: a frame takes 11 ms, the fit of a calibration
less than a second, all under any load that leaves the process a share of the processor."""

_CLICKS_WAITING = 12
_LIGHTS_WAITING = 120
_CALIBRATING = ("collecting", "accepted", "rejected")


class Processes(Protocol):
    """Where a tracker finds the process to run in."""

    def place(self, requests: socket.socket, memory_fd: int) -> TrackingProcess:
        """Hand a session over to a process and return that."""
        ...


class RemoteTracker:
    """One session's `gaze.vision.tracker.Tracker`, in another process.

    For the event loop, but for `put` and `see_light`.

    Parameters
    ----------
    processes : Processes
        Gives the process; another one after that is lost.
    largest_bytes : int
        Size of the largest camera frame.
    screen, calibration, face_landmarker
        See `Trackers.open`.

    Attributes
    ----------
    screen : Screen or None
        The viewer's, None before it is known; taken up with the next frame.
    model : dict or None
        The calibration as plain data, None without one.
    calibrating : bool
        Whether a calibration is under way.
    eyes_at : EyesAt or None
        The viewer's right and left eye in the newest frame, fractions of it.
    """

    def __init__(
        self,
        processes: Processes,
        largest_bytes: int,
        screen: Screen | None,
        calibration: dict[str, Any] | None,
        face_landmarker: Path | None,
    ) -> None:
        self.screen = screen
        self.model = calibration
        self.calibrating = False
        self.eyes_at: EyesAt | None = None
        self._processes = processes
        self._face_landmarker = face_landmarker
        self._process: TrackingProcess | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Answer]] = deque()
        self._lost_reason = "it has no process"
        self._clicks: deque[tuple[tuple[float, float], float]] = deque(maxlen=_CLICKS_WAITING)
        self._lights: deque[tuple[float, float | None, float]] = deque(maxlen=_LIGHTS_WAITING)
        self._memory_fd = shared_memory(largest_bytes)
        self._memory = mmap.mmap(self._memory_fd, largest_bytes)

    @property
    def lost(self) -> bool:
        """Whether there is no tracker now; `begin` makes one."""
        return self._reading is None or self._reading.done()

    @property
    def outgrown(self) -> bool:
        """Whether its process has grown too large, and `begin` should move it to another one."""
        process = self._process
        return process is not None and process.retiring and not self.calibrating

    async def until_lost(self) -> None:
        """Wait until the process has ended.

        Raises
        ------
        TrackerLostError
            It has; says why.
        """
        if self._reading is not None:
            await asyncio.wait({self._reading})
        raise TrackerLostError(self._lost_reason)

    async def begin(self) -> None:
        """Make the tracker, with the newest calibration there is; also where it was lost.

        Raises
        ------
        CalibrationError
            The calibration is of another version, or damaged.
        TrackerLostError
            The process has ended.
        """
        self._leave()
        self.eyes_at = None
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = process = self._processes.place(theirs, self._memory_fd)
            await process.until_ready()
            reader, self._writer = await asyncio.open_connection(sock=ours)
        except BaseException:
            ours.close()
            self._leave()
            raise
        self._reading = asyncio.create_task(self._read(reader), name="tracker answers")
        await self._ask(Begin(self.screen, self.model, self._face_landmarker))

    def put(self, frame: av.VideoFrame) -> tuple[int, ...]:
        """Copy a frame into the shared memory; called in a worker thread.

        Parameters
        ----------
        frame : av.VideoFrame
            A camera frame, at most as large as the pool allows.

        Returns
        -------
        tuple of int
            Its shape in the memory: (3/2 h, w) as I420, or (h, w, 3) as RGB.
        """
        if frame.format.name != "yuv420p" or frame.width % 2 or frame.height % 2:
            pixels = frame.to_ndarray(format="rgb24")
            np.frombuffer(self._memory, np.uint8, pixels.size).reshape(pixels.shape)[:] = pixels
            return tuple(pixels.shape)
        offset = 0
        for plane in frame.planes:
            rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
            laid = np.frombuffer(self._memory, np.uint8, plane.width * plane.height, offset)
            shape = plane.height, plane.width
            laid.reshape(shape)[:] = rows[: plane.height, : plane.width]
            offset += laid.size
        return frame.height * 3 // 2, frame.width

    async def track(self, shape: tuple[int, ...], t_s: float) -> Tracked:
        """Track the frame that was put; see `Tracker.track`.

        Parameters
        ----------
        shape : tuple of int
            As `put` returned it.
        t_s : float
            When the frame was captured, monotonic.

        Returns
        -------
        Tracked
            The gaze sample, and how long it took.

        Raises
        ------
        TrackerLostError
            The process has ended, or did not answer and was ended.
        """
        clicks = [self._clicks.popleft() for _ in range(len(self._clicks))]
        lights = [self._lights.popleft() for _ in range(len(self._lights))]
        tracked = cast(Tracked, await self._ask(Track(shape, t_s, self.screen, clicks, lights)))
        self.eyes_at = tracked.eyes_at
        return tracked

    async def calibrate(
        self, action: str, target: tuple[float, float] | None, t_s: float
    ) -> list[CalibrationUpdate]:
        """Do one calibration step; see `Tracker.calibrate`.

        Parameters
        ----------
        action : str
            As in the message `calibrate`.
        target : tuple of float or None
            (x, y) on the screen in CSS pixels.
        t_s : float
            When the command came, monotonic.

        Returns
        -------
        list of CalibrationUpdate
            What came of it.

        Raises
        ------
        CalibrationError
            The action is impossible now; nothing has changed.
        """
        try:
            stepped = cast(Stepped, await self._ask(Step(action, target, t_s)))
        except TrackerLostError:
            raise CalibrationError("the tracker is being started again; try again") from None
        if action == "follow":  # a moving dot's first place is answered without an update
            self.calibrating = True
        return stepped.updates

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        """Note where the viewer surely looked; see `Tracker.click`.

        Parameters
        ----------
        screen_px : tuple of float
            (x, y) in CSS pixels.
        t_s : float
            When, monotonic.
        """
        self._clicks.append((screen_px, t_s))

    def see_light(self, picture: float, gaze: float | None, t_s: float) -> None:
        """Note the light that a film frame sends to the eyes; called in any thread.

        Parameters
        ----------
        picture, gaze : float
            Mean luminance of the picture, and around the point of gaze, as in
            `Tracker.add_film_luminance`.
        t_s : float
            When the frame was composed, monotonic.
        """
        self._lights.append((picture, gaze, t_s))

    def close(self) -> None:
        """End the tracker and free the memory."""
        self._leave()
        with contextlib.suppress(BufferError):  # `put` is still at work; it goes with this object
            self._memory.close()
        if self._memory_fd >= 0:
            os.close(self._memory_fd)
            self._memory_fd = -1

    async def _ask(self, request: Request) -> Answer:
        writer, process = self._writer, self._process
        if writer is None or process is None or self.lost:
            raise TrackerLostError(self._lost_reason)
        asked: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._asked.append(asked)
        writer.write(protocol.packed(request))
        try:
            async with asyncio.timeout(REQUEST_LIMIT_S):
                return await asked
        except TimeoutError:
            process.kill()  # a thread of it cannot be ended alone
            raise TrackerLostError(f"process {process.pid} did not answer") from None

    async def _read(self, reader: asyncio.StreamReader) -> None:
        """Give each answer to the oldest request, until the process ends."""
        self._lost_reason = "its process has ended"
        try:
            while True:
                length = await reader.readexactly(protocol.LENGTH_BYTES)
                answer = pickle.loads(await reader.readexactly(int.from_bytes(length, "big")))  # noqa: S301 - from a process of our own
                self._note(answer)
                asked = self._asked.popleft()
                if isinstance(answer, Failed):
                    self._lost_reason = answer.reason
                    self._asked.appendleft(asked)
                    return
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
                asked.set_exception(TrackerLostError(self._lost_reason))
        self._asked.clear()

    def _note(self, answer: Answer) -> None:
        stepped = answer.stepped if isinstance(answer, Tracked) else answer
        if isinstance(stepped, Stepped):
            self.model = stepped.model
            for update in stepped.updates:
                self.calibrating = update.state in _CALIBRATING

    def _leave(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        self._give_up()
        if self._process is not None:
            self._process.leave()
            self._process = None
