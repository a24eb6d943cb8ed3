"""The film over bad networks: freezes, delay, rate, size, and how soon it adapts and recovers.

Server and viewer live in two network namespaces that this benchmark makes and removes, joined by a
seeded link emulator (simulation/network_link.py); signalling goes past the link
(benchmarks/relay.py).
Needs root. Conditions hold in both directions. Who watches:

- `python`: an aiortc client (benchmarks/viewer.py) watches a film that the server hosts, and gives
  feedback as browsers do (transport-wide where the server numbers its packets, otherwise REMB).
  It plays nothing: a frame is there when its last packet is. Columns ours and stock.
- `chromium`: the same film in a real Chromium. Columns ours and stock.
- `sent`: Chromium sends its own film; `ours` is that film returned by the server, having crossed
  the link twice, blur and all; `chromium` is Chromium to Chromium, having crossed it once.

A frame's RTP timestamp says when it was due to be sent. Delay is how late a frame is compared with
the least late one of the run, plus what the link takes at the least: so it holds queues,
retransmissions and waiting, not the constant part of decoding and encoding; `reconnections` counts
streams that began anew, because the page took its connection for lost. (A film that went
there and back has the server's timestamps; there the frames' numbers, at 30 a second, tell.)
Freezes are gaps of over 500 ms between two frames of different numbers.
The first 5 s (in a step: of each watching) are for the connection to settle and are not judged.

Goals, hosted: 5 % loss: no freeze; after the step down: delay under 300 ms for good within 5 s;
after the step up: full size within 15 s; at 1 Mbit/s: >= 20 fps.
"""

import argparse
import asyncio
import contextlib
import itertools
import json
import math
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from benchmarks import strip
from benchmarks.material import RATE_FPS, film_file
from benchmarks.report import Figures, Goal, Report, arguments, machine, percentiles, publish
from benchmarks.stock import ROOT, WHY_NO_FASTRTC
from benchmarks.uplink import INPUT
from benchmarks.viewer import Returned, Viewer
from simulation.browser.page import CHROMIUM, Page, chromium
from simulation.network_link import Conditions, Ends, joined, unavailable

SETTLE_S = 5.0
FREEZE_S = 0.5
CALM_S = 0.3
PORT = 8080
RTP_HZ = 90_000
ANEW_S = 30.0
EFFECTS = [{"name": "blur"}]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Conditions one after another, each for the flag's seconds."""

    phases: tuple[Conditions, ...]
    goals: dict[str, Goal]


def _near(**more: Any) -> Conditions:
    return Conditions(delay_s=0.02, **more)


SCENARIOS = {
    "clean": Scenario((_near(),), {}),
    "loss_1": Scenario((_near(loss=0.01),), {}),
    "loss_5": Scenario((_near(loss=0.05),), {"freezes": Goal(most=0)}),
    "loss_10": Scenario((_near(loss=0.1),), {}),
    "delay_50": Scenario((Conditions(delay_s=0.05, jitter_s=0.01),), {}),
    "delay_150": Scenario((Conditions(delay_s=0.15, jitter_s=0.03),), {}),
    "1_mbps": Scenario((_near(rate_bps=1e6),), {"fps": Goal(least=20)}),
    "step": Scenario(
        (_near(rate_bps=5e6), _near(rate_bps=0.7e6), _near(rate_bps=5e6)),
        {"calm_after_down_s": Goal(most=5), "full_size_after_up_s": Goal(most=15)},
    ),
}


def judge(
    frames: Sequence[Returned], phases: Sequence[tuple[float, Conditions]], end_s: float, width: int
) -> Figures:
    """What the frames of one watching say.

    Args:
        frames: in the order in which they came, times as in `phases`.
        phases: from when each condition held.
        end_s: when the watching ended.
        width: of the film at full size.
    """
    new = [frame for frame in frames if frame.number is not None]
    new = new[:1] + [b for a, b in itertools.pairwise(new) if b.number != a.number]
    since_s = phases[0][0] + SETTLE_S
    seen = [frame for frame in new if frame.arrived_s >= since_s]
    if not seen:
        return {"freezes": math.inf, "fps": 0.0}
    late = np.array([f.arrived_s for f in seen]) - _due_s(seen)
    # A page that lost its connection and came back has a new stream, whose timestamps began anew.
    anew = np.flatnonzero(np.abs(np.diff(late)) > ANEW_S) + 1
    late = np.concatenate([part - part.min() for part in np.split(late, anew)])
    late += min(conditions.delay_s for _, conditions in phases)
    times = [since_s, *(frame.arrived_s for frame in seen), end_s]
    gaps = np.diff(times)
    figures = {
        "reconnections": float(len(anew)),
        "freezes": float((gaps > FREEZE_S).sum()),
        "longest_gap_ms": 1000 * float(gaps.max()),
        "fps": len(seen) / (end_s - since_s),
        "width": float(np.mean([frame.width for frame in seen])),
        **percentiles("delay_ms", 1000 * late),
    }
    if any(frame.encoded_bytes for frame in seen):
        figures["mbps"] = sum(f.encoded_bytes for f in seen) * 8e-6 / (end_s - since_s)
    if len(phases) == 3:
        (_, _), (down_s, _), (up_s, _) = phases
        narrow = [
            (f.arrived_s, lateness)
            for f, lateness in zip(seen, late, strict=True)
            if down_s <= f.arrived_s < up_s
        ]
        figures |= {
            "calm_after_down_s": _calm_after_s(narrow, down_s, up_s),
            "full_size_after_up_s": next(
                (f.arrived_s - up_s for f in seen if f.arrived_s >= up_s and f.width >= width),
                math.inf,
            ),
            "fps_while_narrow": len(narrow) / (up_s - down_s),
        }
    return figures


def _due_s(frames: Sequence[Returned]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """When each frame was due, from an unknown moment on, by RTP timestamps where there are any."""
    first = frames[0].rtp
    if first is None or any(frame.rtp is None for frame in frames):
        return np.array([frame.number or 0 for frame in frames]) / RATE_FPS
    ticks = np.array([frame.rtp for frame in frames], np.int64) - first
    return ((ticks + 2**31) % 2**32 - 2**31) / RTP_HZ


def _calm_after_s(late: Sequence[tuple[float, float]], since_s: float, until_s: float) -> float:
    """How long after `since_s` frames went on to be over `CALM_S` late, or not to come at all."""
    last_s = since_s
    times = [since_s, *(t_s for t_s, _ in late), until_s]
    for (before_s, now_s), lateness_s in zip(
        itertools.pairwise(times), [*(lateness_s for _, lateness_s in late), 0.0], strict=True
    ):
        if lateness_s > CALM_S or now_s - before_s > FREEZE_S:
            last_s = now_s
    never = last_s == until_s or bool(late and last_s == late[-1][0])
    return math.inf if never else last_s - since_s


# --- who serves


@contextlib.asynccontextmanager
async def _process(command: Sequence[str]) -> AsyncIterator[asyncio.subprocess.Process]:
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
async def _serving(ends: Ends, column: str, media: Path) -> AsyncIterator[None]:
    """A server at one end, found at the other on localhost."""
    commands = {
        "ours": ["server.py", "--port", "0", "--http-port", str(PORT), "--log-level", "error"],
        "stock": ["-m", "benchmarks.stock", "--port", str(PORT)],
    }
    python = sys.executable
    with tempfile.TemporaryDirectory() as folder:
        socket = str(Path(folder) / "http")
        relay = (python, "-m", "benchmarks.relay", "--socket", socket)
        server = ends.within(0, python, *commands[column], "--media", str(media.parent))
        near = ends.within(0, *relay, "--server", str(PORT))
        far = ends.within(1, *relay, "--listen", str(PORT))
        async with _process(server), _process(near), _process(far):
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


# --- who watches


class _PythonWatcher:
    """The aiortc client, in a process of its own at the far end."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def frames(self) -> list[Returned]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write_eof()
        text = await self._process.stdout.read()
        return [Returned(*row) for row in json.loads(text)]


@contextlib.asynccontextmanager
async def _watching_python(ends: Ends, media: Path) -> AsyncIterator[_PythonWatcher]:
    command = ends.within(1, sys.executable, "-m", "benchmarks.network", "--watch", media.stem)
    pipe = subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        if line != b"open\n":
            raise RuntimeError("the client could not open a session")
        yield _PythonWatcher(process)
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


async def _watch_here(media: str) -> None:
    """The aiortc client's own process: watch until stdin ends, then tell what came."""
    viewer = Viewer(f"http://localhost:{PORT}", media=media, effects=EFFECTS, feedback=True)
    await viewer.open()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    rows = [list(asdict(frame).values()) for frame in viewer.returned]
    print(json.dumps(rows), flush=True)
    await viewer.close()


SHOW = """async () => {
  window.benchmarkFrames = [];
  const video = document.createElement('video');
  Object.assign(video, { muted: true, autoplay: true, playsInline: true });
  video.style.cssText = 'position:fixed;top:0;left:0;width:320px;z-index:99';
  document.body.append(video);
  const canvas = new OffscreenCanvas(CELLS, 1);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.imageSmoothingEnabled = false; // one pixel of each cell
  const look = (now, { width, height, rtpTimestamp }) => {
    context.drawImage(video, 0, height * 0.03, width, height * 0.025, 0, 0, CELLS, 1);
    const pixels = context.getImageData(0, 0, CELLS, 1).data;
    const bits = Array.from({ length: CELLS }, (_, i) => (pixels[4 * i] > 128 ? '1' : '0'));
    window.benchmarkFrames.push([bits.join(''), now / 1000, width, height, rtpTimestamp]);
    video.requestVideoFrameCallback(look);
  };
  video.requestVideoFrameCallback(look);
  window.benchmarkVideo = video;
}""".replace("CELLS", str(strip.CELLS))

HOST = """async (media, effects) => {
  const { GazeClient } = await import('/client/gaze-client.js');
  const client = new GazeClient({ storage: null });
  await client.open({ media, effects, gaze: 'pointer' });
  window.benchmarkVideo.srcObject = client.stream;
}"""

HOST_STOCK = """async (media, effects) => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  const film = connection.addTransceiver('video', { direction: 'recvonly' });
  if ('jitterBufferTarget' in film.receiver) film.receiver.jitterBufferTarget = 0;
  window.benchmarkVideo.srcObject = new MediaStream([film.receiver.track]);
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  const { sdp, type } = connection.localDescription;
  const body = JSON.stringify({ sdp, type, tracks: { film: film.mid }, media, effects });
  const response = await fetch('/api/sessions', { method: 'POST', body });
  const answer = await response.json();
  await connection.setRemoteDescription({ sdp: answer.sdp, type: 'answer' });
  window.benchmarkConnection = connection;
}"""

PLAY = """async () => {
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true });
  video.src = URL.createObjectURL(document.getElementById('benchmark-file').files[0]);
  video.style.cssText = 'position:fixed;top:200px;left:0;width:320px';
  document.body.append(video);
  await video.play();
  window.benchmarkFilm = video.captureStream().getVideoTracks()[0];
}"""

SEND = """async (effects) => {
  const { GazeClient } = await import('/client/gaze-client.js');
  const client = new GazeClient({ storage: null });
  await client.open({ film: window.benchmarkFilm, effects, gaze: 'pointer' });
  window.benchmarkVideo.srcObject = client.stream;
}"""

OFFER = """async () => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  connection.addTransceiver(window.benchmarkFilm, { direction: 'sendonly' });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  window.benchmarkConnection = connection;
  return connection.localDescription.sdp;
}"""

ANSWER = """async (sdp) => {
  const connection = new RTCPeerConnection({ iceServers: [] });
  connection.ontrack = ({ track, receiver }) => {
    if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
    window.benchmarkVideo.srcObject = new MediaStream([track]);
  };
  await connection.setRemoteDescription({ type: 'offer', sdp });
  await connection.setLocalDescription();
  while (connection.iceGatheringState !== 'complete')
    await new Promise((done) => setTimeout(done, 20));
  window.benchmarkConnection = connection;
  return connection.localDescription.sdp;
}"""

ACCEPT = "(sdp) => window.benchmarkConnection.setRemoteDescription({ type: 'answer', sdp })"


class _PageWatcher:
    """A page that reads the strips of the film that it shows."""

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
    """Chromium at one end of the link."""
    real = next(filter(None, map(shutil.which, CHROMIUM)))
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / CHROMIUM[0]
        command = " ".join(ends.within(end, real))
        # Two pages that show nothing to each other but their films need their addresses.
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
async def _watching_chromium(ends: Ends, media: Path, column: str) -> AsyncIterator[_PageWatcher]:
    async with _browser(ends, 1) as page:
        await page.goto(f"http://localhost:{PORT}/")
        await page.call(SHOW)
        await page.call(HOST if column == "ours" else HOST_STOCK, media.stem, EFFECTS)
        yield await _watcher(page)


@contextlib.asynccontextmanager
async def _watching_own(ends: Ends, film: Path) -> AsyncIterator[_PageWatcher]:
    async with _browser(ends, 1) as page:
        await page.goto(f"http://localhost:{PORT}/")
        await page.call(INPUT)
        await page.upload("benchmark-file", film)
        await page.call(SHOW)
        await page.call(PLAY)
        await page.call(SEND, EFFECTS)
        yield await _watcher(page, by_rtp=False)


@contextlib.asynccontextmanager
async def _watching_another(ends: Ends, film: Path) -> AsyncIterator[_PageWatcher]:
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


# --- one measurement


async def measure(who: str, column: str, name: str, flags: argparse.Namespace) -> Figures:
    """One watching under one scenario."""
    width, height = map(int, flags.size.split("x"))
    phases = SCENARIOS[name].phases
    film_s = SETTLE_S + len(phases) * flags.seconds + 15
    async with joined(phases[0]) as ends, contextlib.AsyncExitStack() as stack:
        if who == "sent":
            film = film_file(width, height, film_s)
            if column == "ours":
                await stack.enter_async_context(_serving(ends, column, film))
                watching: Any = _watching_own(ends, film)
            else:
                watching = _watching_another(ends, film)
        else:
            film = film_file(width, height, film_s, ".mp4")
            await stack.enter_async_context(_serving(ends, column, film))
            watching = (
                _watching_python(ends, film)
                if who == "python"
                else _watching_chromium(ends, film, column)
            )
        watcher = await stack.enter_async_context(watching)
        began = []
        for index, conditions in enumerate(phases):
            ends.change(conditions)
            began.append((time.monotonic(), conditions))
            await asyncio.sleep(flags.seconds + (SETTLE_S if index == 0 else 0.0))
        end_s = time.monotonic()
        frames = await watcher.frames()
    return judge(frames, began, end_s, width)


COLUMNS = {
    "python": ("ours", "stock"),
    "chromium": ("ours", "stock"),
    "sent": ("ours", "chromium"),
}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show, and write the figures."""
    assert __doc__ is not None
    parser = arguments(__doc__, "network", seconds=20)
    parser.add_argument("--scenarios", default=",".join(SCENARIOS), help="which, by comma")
    parser.add_argument("--who", default=",".join(COLUMNS), help="who watches, by comma")
    parser.add_argument("--columns", default="ours,stock,chromium", help="which, by comma")
    parser.add_argument("--size", default="1280x720", help="of the film")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    flags = parser.parse_args(argv)
    if flags.watch is not None:
        asyncio.run(_watch_here(flags.watch))
        return
    if reason := unavailable():
        sys.exit(f"benchmarks.network: {reason}; nothing was measured")
    reports = []
    for who in flags.who.split(","):
        for name in flags.scenarios.split(","):
            title = f"{who}, {name}: {flags.size}, {flags.seconds:g} s a phase, {machine()}"
            goals = {} if who == "sent" else SCENARIOS[name].goals
            report = Report(title, goals, prefix=f"{who}.{name}.")
            for _ in range(flags.runs):
                for column in COLUMNS[who]:
                    if column in flags.columns.split(","):
                        report.add(column, asyncio.run(measure(who, column, name, flags)))
            reports.append(report)
            print(report.table() + "\n", file=sys.stderr, flush=True)
    reports[-1].notes.append(WHY_NO_FASTRTC)
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
