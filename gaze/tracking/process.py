"""One tracking process as the server sees it: started, pinged, bounded in memory, replaced."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import gaze
from gaze.tracking.protocol import HELLO, PING, STATUS_BYTES

START_LIMIT_S = 180.0
"""Until it has loaded its models: 2 s, but a minute where Numba compiles for the first time."""
PING_INTERVAL_S = 0.25
PONG_LIMIT_S = 0.5
MISSED_PONGS = {"stopped": 1, "sleeping": 3, "busy": 20}
"""So many in a row, by what its threads do meanwhile, and the process is replaced. Measured: with
20 runnable threads on two cores, one that was well and loaded a model missed five."""
MEMORY_LIMIT_BYTES = 1 << 30
"""Above this no new session comes and those there are leave between two frames. Measured, a process
begins with 240 MB and each session adds about 15 MB."""
MEMORY_KILL_BYTES = 2 << 30
"""Above this it is killed at once."""
END_LIMIT_S = 1.0

_COMMAND = "from gaze.tracking.worker import main; main()"
_ROOT = Path(gaze.__file__).resolve().parent.parent


class TrackerLostError(ConnectionError):
    """The process with the tracker has ended, or had to be ended."""


class TrackingProcess:
    """A running `gaze.tracking.worker`.

    Attributes
    ----------
    sessions : int
        How many sessions it has.
    retiring : bool
        Whether it takes no further session and those it has should leave it, since it has grown.
    lost : bool
        Whether it has ended, or is about to.
    """

    def __init__(self) -> None:
        self.sessions = 0
        self.retiring = False
        self.lost = False
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - this Python
                [sys.executable, "-c", _COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": str(_ROOT)},
                stdin=subprocess.DEVNULL,
            )
        self._control = ours
        self._received = bytearray()
        self._ready = asyncio.Event()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it can serve a session."""
        return not self.lost and self._process.poll() is None

    def take(self, requests: socket.socket, memory_fd: int) -> bool:
        """Hand a session over to it, until `leave`.

        Parameters
        ----------
        requests : socket.socket
            The worker's end of the session's socket.
        memory_fd : int
            Descriptor of the memory that holds its camera frames.

        Returns
        -------
        bool
            Whether it still takes one.
        """
        try:
            socket.send_fds(self._control, [HELLO], [requests.fileno(), memory_fd])
        except OSError:
            self.kill()
            return False
        self.sessions += 1
        return True

    def leave(self) -> None:
        """Take note that a session has left."""
        self.sessions -= 1

    async def until_ready(self) -> None:
        """Wait until its models are loaded.

        Raises
        ------
        TrackerLostError
            It ended first.
        """
        await self._ready.wait()
        if self.lost:
            raise TrackerLostError("its process ended while it started")

    async def watch(self) -> None:
        """Ping it until it ends; it is gone when this returns, raises or is cancelled.

        Raises
        ------
        TrackerLostError
            It ended by itself, stopped answering or has grown too large.
        """
        try:
            async with asyncio.timeout(START_LIMIT_S):
                await self._status()
            self._ready.set()
            while not (self.retiring and self.sessions == 0):
                await asyncio.sleep(PING_INTERVAL_S)
                await self._ping()
        except TimeoutError:
            raise TrackerLostError(f"process {self.pid} does not answer") from None
        except OSError as error:
            raise TrackerLostError(f"process {self.pid} has ended ({error})") from None
        finally:
            self.kill()
            self._control.close()
            await self._reap()

    async def _ping(self) -> None:
        await asyncio.get_running_loop().sock_sendall(self._control, PING)
        missed = 0
        while True:
            try:
                async with asyncio.timeout(PONG_LIMIT_S):
                    resident_bytes = await self._status()
                break
            except TimeoutError:
                missed += 1
                if missed >= MISSED_PONGS[self._activity()]:
                    raise
        if resident_bytes > MEMORY_KILL_BYTES:
            raise OSError(f"it uses {resident_bytes >> 20} MB of memory")
        self.retiring = self.retiring or resident_bytes > MEMORY_LIMIT_BYTES

    def _activity(self) -> str:
        """Tell what its threads do: `busy` also where the system does not say."""
        try:
            threads = Path(f"/proc/{self.pid}/task").glob("*/stat")
            states = {stat.read_text().rpartition(")")[2].split()[0] for stat in threads}
        except OSError:  # no such system, or a thread has just ended
            return "busy"
        if states & {"T", "t"}:
            return "stopped"
        return "sleeping" if states <= {"S", "I"} and states else "busy"

    async def _status(self) -> int:
        """Receive how many bytes of memory are resident in it."""
        loop = asyncio.get_running_loop()
        while len(self._received) < STATUS_BYTES:
            data = await loop.sock_recv(self._control, 4096)
            if not data:
                raise ConnectionResetError(f"exit status {self._process.poll()}")
            self._received += data
        status = self._received[:STATUS_BYTES]
        del self._received[:STATUS_BYTES]
        return int.from_bytes(status, "big")

    def kill(self) -> None:
        """End it at once, also while it is stopped; does not wait for that."""
        self.lost = True
        self._ready.set()
        if self._process.poll() is None:
            self._process.kill()

    async def _reap(self) -> None:
        loop = asyncio.get_running_loop()
        end_s = loop.time() + END_LIMIT_S
        while self._process.poll() is None and loop.time() < end_s:  # noqa: ASYNC110 - a process
            await asyncio.sleep(0.01)
