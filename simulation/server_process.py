"""The server as its users run it: a process of its own, with its command line."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    """A running server: where it is, and its process."""

    url: str
    process: subprocess.Popen[bytes]

    @property
    def pids(self) -> list[int]:
        """Its process, and those it has started."""
        pid = self.process.pid
        started = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, started)]

    def figures(self) -> dict[str, float]:
        """Return what `/metrics` says, name with labels → value."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {name: float(value) for name, value in pairs}


def free_port() -> int:
    """Return a TCP port of loopback that was free a moment ago."""
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
    """Start a server on plain HTTP and end it with SIGTERM; what it prints goes to `log`.

    Parameters
    ----------
    *flags : str
        Further flags.
    port : int, optional
        The port; by default a free one.
    log : Path, optional
        Where its output goes; by default to this process's.
    command : sequence of str or Path
        What starts it; by default `server.py` of this clone.
    folder : Path
        The working directory; by default this clone.

    Yields
    ------
    ServerProcess
        The server, which answers.
    """
    port = port or free_port()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GAZE_")}
    with contextlib.nullcontext() if log is None else log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--port", "0", "--http-port", str(port), *flags],
            cwd=folder,
            env=environment,
            stdout=file,
            stderr=file,
        )
    server = ServerProcess(f"http://localhost:{port}", process)
    try:
        _wait_until_alive(server)
        yield server
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_alive(server: ServerProcess) -> None:
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}/healthz"):
                return
        except urllib.error.URLError:
            if server.process.poll() is not None or time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)
