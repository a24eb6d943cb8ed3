"""The viewers of the network benchmark: an aiortc client, or pages in Chromium."""

import asyncio
import contextlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Protocol

from benchmarks import strip
from benchmarks.network.page_scripts import (
    ACCEPT,
    ANSWER,
    HOST,
    HOST_STOCK,
    OFFER,
    PLAY,
    SEND,
    SHOW,
)
from benchmarks.network.serving import PORT
from benchmarks.network.viewer_process import EFFECTS
from benchmarks.uplink import INPUT
from benchmarks.viewer import Returned
from simulation.browser.page import CHROMIUM, Page, chromium
from simulation.network.emulator import Ends
from simulation.server_process import ROOT


class Watcher(Protocol):
    """Something that watches a film."""

    async def frames(self) -> list[Returned]:
        """Return the frames that arrived so far."""
        ...


class _PythonWatcher:
    """The aiortc client, in a process of its own at the far end."""

    def __init__(self, stdin: asyncio.StreamWriter, stdout: asyncio.StreamReader) -> None:
        self._stdin, self._stdout = stdin, stdout

    async def frames(self) -> list[Returned]:
        self._stdin.write_eof()
        return [Returned(*row) for row in json.loads(await self._stdout.read())]


@contextlib.asynccontextmanager
async def watching_python(ends: Ends, media: Path) -> AsyncIterator[_PythonWatcher]:
    """Watch a hosted film with the aiortc client.

    Parameters
    ----------
    ends : Ends
        The two namespaces.
    media : Path
        The film.

    Yields
    ------
    Watcher
        Watching.

    Raises
    ------
    RuntimeError
        If no session could be opened.
    """
    module = "benchmarks.network.viewer_process"
    command = ends.within(1, sys.executable, "-m", module, media.stem)
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("the client's process has no pipes")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if line != b"open\n":
            raise RuntimeError("the client could not open a session")
        yield _PythonWatcher(process.stdin, process.stdout)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


class _PageWatcher:
    """A page that reads the frame numbers of the film that it shows."""

    def __init__(self, page: Page, offset_s: float, by_rtp: bool) -> None:
        self._page = page
        self._offset_s = offset_s
        self._by_rtp = by_rtp

    async def frames(self) -> list[Returned]:
        rows = await self._page.call("() => window.benchmarkFrames")
        return [
            Returned(
                strip.decode(int(bits, 2)),
                t_s + self._offset_s,
                width,
                height,
                rtp=rtp if self._by_rtp else None,
            )
            for bits, t_s, width, height, rtp in rows
        ]


async def _watcher(page: Page, *, by_rtp: bool = True) -> _PageWatcher:
    before_s = time.monotonic()
    now_ms = await page.call("() => performance.now()")
    return _PageWatcher(page, (before_s + time.monotonic()) / 2 - now_ms / 1000, by_rtp)


@contextlib.asynccontextmanager
async def _browser(ends: Ends, end: int) -> AsyncIterator[Page]:
    """Run Chromium in one of the namespaces."""
    real = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / CHROMIUM[0]
        command = " ".join(ends.within(end, real))
        # Pages without camera permission hide their addresses behind mDNS names by default.
        script.write_text(
            f'#!/bin/sh\nexec {command} "$@" --disable-features=WebRtcHideLocalIpsWithMdns\n'
        )
        script.chmod(script.stat().st_mode | stat.S_IXUSR)
        path = os.environ["PATH"]
        os.environ["PATH"] = f"{folder}:{path}"
        try:
            browser = chromium()
            page = await browser.__aenter__()
        finally:
            os.environ["PATH"] = path
        try:
            yield page
        finally:
            await browser.__aexit__(None, None, None)


@contextlib.asynccontextmanager
async def watching_chromium(ends: Ends, media: Path, column: str) -> AsyncIterator[_PageWatcher]:
    """Watch a hosted film in Chromium.

    Parameters
    ----------
    ends : Ends
        The two namespaces.
    media : Path
        The film.
    column : {"ours", "stock"}
        Which server: ours is reached through its SDK.

    Yields
    ------
    Watcher
        Watching.
    """
    async with _browser(ends, 1) as page:
        await page.goto(f"http://localhost:{PORT}/")
        await page.call(SHOW)
        await page.call(HOST if column == "ours" else HOST_STOCK, media.stem, EFFECTS)
        yield await _watcher(page)


@contextlib.asynccontextmanager
async def watching_own(ends: Ends, film: Path) -> AsyncIterator[_PageWatcher]:
    """Send a film from Chromium to our server, and watch what it returns.

    Parameters
    ----------
    ends : Ends
        The two namespaces.
    film : Path
        The film.

    Yields
    ------
    Watcher
        Watching.
    """
    async with _browser(ends, 1) as page:
        await page.goto(f"http://localhost:{PORT}/")
        await page.call(INPUT)
        await page.upload("benchmark-file", film)
        await page.call(SHOW)
        await page.call(PLAY)
        await page.call(SEND, EFFECTS)
        yield await _watcher(page, by_rtp=False)


@contextlib.asynccontextmanager
async def watching_another(ends: Ends, film: Path) -> AsyncIterator[_PageWatcher]:
    """Send a film from one Chromium to another.

    Parameters
    ----------
    ends : Ends
        The two namespaces.
    film : Path
        The film.

    Yields
    ------
    Watcher
        Watching, at the receiver.
    """
    async with _browser(ends, 0) as sender, _browser(ends, 1) as receiver:
        await sender.goto("about:blank")
        await sender.call(INPUT)
        await sender.upload("benchmark-file", film)
        await receiver.goto("about:blank")
        await receiver.call(SHOW)
        await sender.call(PLAY)
        answer = await receiver.call(ANSWER, await sender.call(OFFER))
        await sender.call(ACCEPT, answer)
        yield await _watcher(receiver)
