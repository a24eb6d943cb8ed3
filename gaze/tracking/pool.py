"""The trackers of all sessions, in a few processes (`gaze.tracking.worker`).

A process that ends, stops answering or grows too large is replaced; its sessions notice by their
sockets and begin again in another one.
"""

import socket
from functools import partial
from pathlib import Path
from typing import Any

from gaze.base.metrics import Metrics
from gaze.base.supervisor import Supervisor
from gaze.tracking.process import TrackerLostError, TrackingProcess
from gaze.tracking.remote_tracker import RemoteTracker
from gaze.vision.sample import Screen

__all__ = ["RemoteTracker", "TrackerLostError", "Trackers"]

SESSIONS_EACH = 2
"""So many in every process before another one is started."""


class Trackers:
    """Starts trackers, and the processes that they run in, as sessions come.

    Parameters
    ----------
    most_processes : int
        How many processes there may be.
    largest_px : tuple of int
        Width and height of the largest camera frame.
    metrics : Metrics, optional
        Counts the processes that were lost.
    """

    def __init__(
        self, most_processes: int, largest_px: tuple[int, int], metrics: Metrics | None = None
    ) -> None:
        self._most = most_processes
        self._largest_bytes = 3 * largest_px[0] * largest_px[1]
        self._processes: list[TrackingProcess] = []
        self._supervisor = Supervisor(metrics or Metrics())

    def begin(self) -> None:
        """Start the first process, so that the first session finds it ready."""
        self._least_busy()

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [process.pid for process in self._processes if process.running]

    @property
    def sessions(self) -> int:
        """How many trackers there are in all processes."""
        return sum(process.sessions for process in self._processes)

    async def open(
        self,
        screen: Screen | None,
        calibration: dict[str, Any] | None,
        face_landmarker: Path | None,
    ) -> RemoteTracker:
        """Start a tracker, to be closed.

        Parameters
        ----------
        screen : Screen or None
            The viewer's, if known.
        calibration : dict or None
            The `model` of an earlier calibration.
        face_landmarker : Path or None
            The operator's model to find faces with; None is the built-in one.

        Returns
        -------
        RemoteTracker
            It has its process already.

        Raises
        ------
        CalibrationError
            The calibration is of another version, or damaged.
        TrackerLostError
            Its process has ended.
        """
        tracker = RemoteTracker(self, self._largest_bytes, screen, calibration, face_landmarker)
        try:
            await tracker.begin()
        except BaseException:
            tracker.close()
            raise
        return tracker

    def place(self, requests: socket.socket, memory_fd: int) -> TrackingProcess:
        """Hand a session over to the process with the fewest, started if need be.

        Parameters
        ----------
        requests, memory_fd
            See `TrackingProcess.take`.

        Returns
        -------
        TrackingProcess
            It may still be loading its models; to be left by `TrackingProcess.leave`.

        Raises
        ------
        TrackerLostError
            The pool was closed, or processes end as soon as they are started.
        """
        # One more than there can be: each that turns out to have ended is passed over.
        for _ in range(self._most + 1):
            process = self._least_busy()
            if process.take(requests, memory_fd):
                return process
        raise TrackerLostError("tracking processes end as soon as they are started")

    def _least_busy(self) -> TrackingProcess:
        if self._supervisor.closing:
            raise TrackerLostError("the server is shutting down")
        usable = [one for one in self._processes if one.running and not one.retiring]
        best = min(usable, key=lambda process: process.sessions, default=None)
        if best is None or (best.sessions >= SESSIONS_EACH and len(usable) < self._most):
            best = TrackingProcess()
            self._processes.append(best)
            self._supervisor.start("tracking process", partial(self._watch, best))
        return best

    async def _watch(self, process: TrackingProcess) -> None:
        try:
            await process.watch()
        finally:
            self._processes.remove(process)

    async def close(self) -> None:
        """Kill all processes, which keep nothing, and wait for their end; never raises."""
        for process in self._processes:
            process.kill()
        await self._supervisor.close()
