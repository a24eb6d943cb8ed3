"""The server as its users start it: its command line, in a process of its own."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 60.0
REQUEST_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server.

    Attributes
    ----------
    url : str
        Its address.
    process : subprocess.Popen
        Its main process.
    """

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> list[int]:
        """Process ids of the server and of the processes that it started."""
        pid = self.process.pid
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, started)]

    def figures(self) -> dict[str, float]:
        """Return the samples of `/metrics`, by name with labels."""
        lines = self._get("/metrics").decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}

    def wait_until_alive(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait until the server answers `/healthz` with 200.

        Parameters
        ----------
        timeout_s : float, default 60
            How long at most.

        Raises
        ------
        OSError
            If it ends, or does not answer in time.
        """
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                self._get("/healthz")
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline_s:
                    raise
                time.sleep(0.1)
            else:
                return

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(
            urlsplit(self.url).netloc, timeout=REQUEST_TIMEOUT_S
        )
        with contextlib.closing(connection):
            connection.request("GET", path)
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise OSError(f"{self.url}{path} answers {answer.status}, not 200")
            return answer.read()


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running_server(
    *flags: str,
    port: int | None = None,
    log: Path | None = None,
    command: Sequence[str | Path] = (sys.executable, "server.py"),
    folder: Path = ROOT,
) -> Iterator[ServerProcess]:
    """Start a server on plain HTTP and end it with SIGTERM.

    Parameters
    ----------
    *flags : str
        Further flags.
    port : int, optional
        By default a free one.
    log : Path, optional
        File that gets what the server prints; by default this process's output does.
    command : sequence of str or Path, optional
        What starts it; by default `server.py` of this repository.
    folder : Path, default ROOT
        The working directory.

    Yields
    ------
    ServerProcess
        Answering requests.

    Raises
    ------
    OSError
        If it does not answer within a minute.
    """
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GAZE_")}
    with contextlib.nullcontext() if log is None else log.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603 - the caller's command
            [*command, "--port", "0", "--http-port", str(port), *flags],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=file,
        )
    server = ServerProcess(f"http://localhost:{port}", process)
    try:
        server.wait_until_alive()
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)
