"""What we are measured against: unmodified aiortc, our tracker and effects put in as is obvious.

A small server of its own (`python -m benchmarks.stock --port N [--media FOLDER]`) that answers
`POST /api/sessions` as ours does: the camera's frames go to the tracker one after another, the film
track's `recv` awaits the browser's film (or aiortc's MediaPlayer), lets a worker thread draw the
effects, and returns the frame. Nothing of gaze.rtc, gaze.media or gaze.sessions runs here. It is
fair where it can be: pixels are touched in worker threads, film frames stay yuv420p, the film's
sender is chosen by mid, and no STUN server is asked.

fastrtc has no column. It is built on aiortc (the same packets, encoders and estimates), but hands
all video tracks of a connection to one handler of one kind, which gets BGR arrays: a camera that
is only watched beside a film that is returned is not among its modalities. It would be a server
of another job; what it costs at least is stock aiortc's column.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import av
from aiohttp import web
from aiortc import (
    MediaStreamTrack,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.contrib.media import MediaPlayer
from aiortc.mediastreams import MediaStreamError

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.vision.sample import Screen
from gaze.vision.tracker import Tracker
from simulation.server_process import ServerProcess, free_port, running_server

ROOT = Path(__file__).resolve().parent.parent
SCREEN = Screen(1920.0, 1080.0)
WHY_NO_FASTRTC = (
    "fastrtc: no column; it hands all video of a connection to one handler as BGR arrays and so "
    "cannot watch a camera beside a film (benchmarks/stock.py says more). Its packets are stock "
    "aiortc's."
)


class _Film(MediaStreamTrack):
    """The film with its effects."""

    kind = "video"

    def __init__(self, source: MediaStreamTrack, viewer: "_Viewer") -> None:
        super().__init__()
        self._source = source
        self._viewer = viewer

    async def recv(self) -> av.VideoFrame:
        frame = await self._source.recv()
        loop = asyncio.get_running_loop()
        drawn = await loop.run_in_executor(None, self._viewer.draw, frame)
        drawn.pts, drawn.time_base = frame.pts, frame.time_base
        return drawn


class _Viewer:
    """One connection's eyes and effects."""

    def __init__(self, effects: list[dict[str, Any]]) -> None:
        self.connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self._chain = Chain(effects)
        self._gaze: GazeState | None = None

    def draw(self, frame: av.VideoFrame) -> av.VideoFrame:
        now_s = time.monotonic()
        if frame.format.name != "yuv420p":
            frame = frame.reformat(format="yuv420p")
        self._chain.update(self._gaze, now_s)
        return self._chain.apply(frame, self._gaze, now_s)

    async def watch(self, camera: MediaStreamTrack) -> None:
        loop = asyncio.get_running_loop()
        tracker = await loop.run_in_executor(None, Tracker, SCREEN, None)
        try:
            while True:
                frame = await camera.recv()
                await loop.run_in_executor(None, self._track, tracker, frame)
        except MediaStreamError:
            pass
        finally:
            await loop.run_in_executor(None, tracker.close)

    def _track(self, tracker: Tracker, frame: av.VideoFrame) -> None:
        sample = tracker.track(frame.to_ndarray(format="rgb24"), time.monotonic())
        if (point := sample.screen_px) is not None:
            shown = (point[0] / SCREEN.width_px, point[1] / SCREEN.height_px)
            self._gaze = GazeState(t_s=sample.t_s, shown=shown, attentive=sample.attentive)


async def _open(request: web.Request) -> web.Response:
    body = await request.json()
    viewer = _Viewer(body.get("effects", []))
    connection = viewer.connection
    viewers: dict[int, _Viewer] = request.app["viewers"]
    number = len(viewers)
    viewers[number] = viewer
    tasks: set[asyncio.Task[None]] = request.app["tasks"]
    await connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "offer"))
    roles = {mid: role for role, mid in body["tracks"].items()}
    for transceiver in connection.getTransceivers():
        role = roles.get(transceiver.mid)
        if role == "camera":
            task = asyncio.create_task(viewer.watch(transceiver.receiver.track))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
        elif role == "film":
            media = body.get("media")
            source = (
                transceiver.receiver.track
                if media is None
                else MediaPlayer(str(_media(request.app["media"], media))).video
            )
            transceiver.sender.replaceTrack(_Film(source, viewer))
            transceiver.direction = "sendonly" if media else "sendrecv"
        elif role == "audio" and body.get("media") is None:
            transceiver.sender.replaceTrack(transceiver.receiver.track)
            transceiver.direction = "sendrecv"
    await connection.setLocalDescription(await connection.createAnswer())
    description = connection.localDescription
    answer = {"id": str(number), "token": "", "sdp": description.sdp, "type": description.type}
    return web.json_response(answer, status=201, headers={"ETag": '""'})


def _media(folder: Path, name: str) -> Path:
    return next(path for path in folder.iterdir() if path.stem == name)


async def _close(request: web.Request) -> web.Response:
    viewer: _Viewer = request.app["viewers"][int(request.match_info["id"])]
    await viewer.connection.close()
    return web.Response(status=204)


async def _page(_: web.Request) -> web.Response:
    return web.Response(text="<!doctype html><title>stock</title>", content_type="text/html")


async def _alive(_: web.Request) -> web.Response:
    return web.Response(text="ok")


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stock")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--host", default="localhost")
    parser.add_argument("--media", type=Path)
    flags = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR)
    app = web.Application()
    app["viewers"], app["tasks"], app["media"] = {}, set(), flags.media
    app.add_routes(
        [
            web.get("/", _page),
            web.get("/healthz", _alive),
            web.post("/api/sessions", _open),
            web.delete("/api/sessions/{id}", _close),
        ]
    )
    web.run_app(app, host=flags.host, port=flags.port, print=None, access_log=None)


@contextlib.contextmanager
def running_module(module: str, *flags: str) -> Iterator[ServerProcess]:
    """Start a server that is a module of the benchmarks in a process of its own, and end it."""
    port = free_port()
    command = [sys.executable, "-m", f"benchmarks.{module}", "--port", str(port), *flags]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL)
    server = ServerProcess(f"http://localhost:{port}", process)
    try:
        wait_until_alive(server)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def running_stock(*flags: str) -> contextlib.AbstractContextManager[ServerProcess]:
    """The stock server."""
    return running_module("stock", *flags)


def wait_until_alive(server: ServerProcess, timeout_s: float = 60.0) -> None:
    """Wait until a server answers.

    Raises:
        urllib.error.URLError: it does not within the time.
    """
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            with urllib.request.urlopen(f"{server.url}/healthz", timeout=5):
                return
        except urllib.error.URLError:
            if server.process.poll() is not None or time.monotonic() > deadline_s:
                raise
            time.sleep(0.1)


@contextlib.contextmanager
def running_ours(*flags: str) -> Iterator[ServerProcess]:
    """Start our server with its defaults, apart from limits that a benchmark would run into."""
    limits = ("--sessions-per-minute", "1000", "--max-sessions", "64", "--log-level", "error")
    with running_server(*limits, *flags) as server:
        yield server


SERVERS = {"ours": running_ours, "stock": running_stock}


def cpu_s(process: str) -> float:
    """CPU seconds that a process (`/proc/PID`), or one of its threads, has used."""
    fields = Path(f"{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
