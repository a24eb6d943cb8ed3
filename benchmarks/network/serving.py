"""The servers of the network benchmark, in a network namespace of their own."""

import asyncio
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import aiohttp

from simulation.network.emulator import Ends
from simulation.server_process import ROOT

PORT = 8080


@contextlib.asynccontextmanager
async def _running(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
    quiet = subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=quiet, stderr=quiet)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def serving(ends: Ends, column: str, media: Path) -> AsyncIterator[None]:
    """Run a server in the first namespace, reached from the second on `localhost`.

    Parameters
    ----------
    ends : Ends
        The two namespaces.
    column : {"ours", "stock"}
        Which server.
    media : Path
        A film in the folder that it serves.
    """
    commands = {
        "ours": ["server.py", "--port", "0", "--http-port", str(PORT), "--log-level", "error"],
        "stock": ["-m", "benchmarks.stock", "--port", str(PORT)],
    }
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "http")
        relay = (python, "-m", "benchmarks.network.relay", "--socket", socket)
        server = ends.within(0, python, *commands[column], "--media", str(media.parent))
        near = ends.within(0, *relay, "--server", str(PORT))
        far = ends.within(1, *relay, "--listen", str(PORT))
        async with _running(server), _running(near), _running(far):
            await _until_alive(socket)
            yield


async def _until_alive(socket: str) -> None:
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError):
                connector = aiohttp.UnixConnector(socket)
                async with (
                    aiohttp.ClientSession(connector=connector) as session,
                    session.get("http://localhost/healthz") as response,
                ):
                    if response.status == 200:
                        return
            await asyncio.sleep(0.2)
