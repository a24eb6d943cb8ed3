"""What one session costs, by part, and how many fit on a core: `python -m benchmarks.capacity`.

Unit of the first table: CPU seconds per second of session (1 = a whole core), read from /proc.
Peers: stock aiortc, and the bare cost of the same work. A viewer (benchmarks/viewer.py) sends a
camera (640x480) and a film (1280x720), both 30 a second and VP8; the server tracks, blurs and
returns the film, encoded at a fixed 2.5 Mbit/s and a fixed speed (by default it encodes faster when
time is short, which might happen in one of the columns only).

The bare cost is measured in the same run in this process, the calls of one frame after another,
then those of the next (each by itself, over and over, would find its data in caches that a
session's next call has emptied), each in one thread where that can be set: PyAV decoding camera and
film, the blur where the same camera's viewer looks, the encoder (with its packetizing). FaceMesh
runs right after, in an environment of its own (benchmarks/facemesh.py); without that there is no
bare session. Added is stock aiortc's packet path for the same packets: benchmarks/packets.py, a
server that moves the packets of this session and touches no pixel, in a process of its own.
`packets` is the same with our stack. `our_mesh` is this product's replacement of FaceMesh, and
`tracker` the whole tracker with it: shown, but not among the terms. What a session costs over the
sum of the terms is `over_bare`; goal: <= 1.25.

Of our server's own CPU time, `event_loop` is the main thread (packets, messages, dispatch),
`threads` all the others (the film's pixels, decoding), and `tracking_process` the eyes' processes.
The `wall_` rows are the seconds per second that our server itself reports for its stages, waiting
for a core included: they show where time goes, not what it costs.

Sessions on one core: the server is held on one core, and sessions are added one at a time while
every film comes back at >= 25 frames a second.
"""

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from fractions import Fraction

import av
import cv2
import numpy as np

from benchmarks import facemesh, material
from benchmarks.latency import EFFECTS, WARM_UP_S, hold
from benchmarks.packets import FILM
from benchmarks.report import Figures, Goal, Report, arguments, machine, publish
from benchmarks.stock import (
    SCREEN,
    WHY_NO_FASTRTC,
    cpu_s,
    running_module,
    running_ours,
    running_stock,
)
from benchmarks.viewer import Viewer
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.rtc.codecs.encoder import Pace, VideoEncoder
from gaze.sessions.gaze_state import gaze_state
from gaze.sessions.layout import Layout
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.tracker import Tracker
from simulation.server_process import ServerProcess

RATE_FPS = material.RATE_FPS
FITS_FPS = 25.0
WARM_UP_FRAMES = 5
PACE: Pace = "balanced"
FIXED = (
    *("--film-start-bitrate-bps", str(FILM[2])),
    *("--film-max-bitrate-bps", str(FILM[2])),
    *("--encoder-pace", PACE),
)
TERMS = ("decode_camera", "face_mesh", "decode_film", "blur", "encode", "packets")
FILLED = Layout((1920.0, 1080.0), (0.0, 0.0, 1920.0, 1080.0), (0.0, 0.0, 1920.0, 1080.0), True)
"""The screen of `benchmarks/viewer.py`."""
GOALS = {"over_bare": Goal(most=1.25), "packets_over_stock": Goal(most=1)}
Start = AbstractContextManager[ServerProcess]


def ours() -> Start:
    """Run our server with the film's bitrate and the encoder's speed fixed."""
    return running_ours(*FIXED)


async def cost(start: Start, seconds: float) -> Figures:
    """Measure the CPU seconds per second of one session.

    Parameters
    ----------
    start : context manager
        Runs the server.
    seconds : float
        How long, after the warm-up.

    Returns
    -------
    dict of str to float
        By row of the table.
    """
    with start as server:
        viewer = Viewer(
            server.url, film=material.film(*FILM), camera=material.camera(), effects=EFFECTS
        )
        await viewer.open()
        await asyncio.sleep(WARM_UP_S)
        process, *others = [f"/proc/{pid}" for pid in server.pids]
        main_thread = f"{process}/task/{server.process.pid}"
        before = await _counts(server, viewer)
        began_s, all_s, main_s = time.monotonic(), cpu_s(process), cpu_s(main_thread)
        others_s = sum(map(cpu_s, others))
        await asyncio.sleep(seconds)
        took_s = time.monotonic() - began_s
        total, loop = (cpu_s(process) - all_s) / took_s, (cpu_s(main_thread) - main_s) / took_s
        tracking = (sum(map(cpu_s, others)) - others_s) / took_s
        after = await _counts(server, viewer)
        frames = len(viewer.round_trips_s(began_s)[0])
        await viewer.close()
    figures = {"session": total + tracking, "event_loop": loop, "threads": total - loop}
    figures["tracking_process"] = tracking
    figures["returned_fps"] = frames / took_s
    return figures | {name: (after[name] - before[name]) / took_s for name in after}


async def _counts(server: ServerProcess, viewer: Viewer) -> Figures:
    """Return the seconds that our server's stages have taken so far; nothing for other servers."""
    reported = await viewer.figures()
    film = reported.get("transport", {}).get("out", {}).get("film")
    if film is None:
        return {}
    figures = await asyncio.to_thread(server.figures)
    stages = {
        f"wall_{stage}": figures.get(f'gaze_stage_seconds_sum{{stage="{stage}"}}', 0.0)
        for stage in ("camera_convert", "track", "effects")
    }
    return {**stages, "wall_encode": film["encoding_s"]}


def bare(seconds: float) -> Figures:
    """Measure the bare cost without packets, and this product's replacement of FaceMesh.

    Parameters
    ----------
    seconds : float
        Of film.

    Returns
    -------
    dict of str to float
        By row of the table.
    """
    cv2.setNumThreads(1)
    count = max(30, min(round(seconds * RATE_FPS), material.LOOP_S * RATE_FPS))
    camera, film = material.camera()[:count], material.film(*FILM)[:count]
    camera_decoder, film_decoder = _decoder(), _decoder()
    images = [
        np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
        for packet in camera
        for frame in _decoded(camera_decoder, packet)
    ]
    tracker, ours = Tracker(SCREEN, None), MeshFaceFinder()
    seen: list[GazeState] = []

    def track(index: int) -> None:
        sample = tracker.track(images[index], index / RATE_FPS)
        shown = None if sample.screen_px is None else FILLED.to_shown(sample.screen_px)
        seen.append(gaze_state(sample, shown, FILLED))

    chain, encoder = Chain(EFFECTS), VideoEncoder("VP8", FILM[2], FILM[2], pace=PACE)
    frames: dict[str, av.VideoFrame] = {}

    def decode_film(index: int) -> None:
        (frames["film"],) = _decoded(film_decoder, film[index])

    def blur(index: int) -> None:
        now_s = time.monotonic()
        gaze = dataclasses.replace(seen[index], t_s=now_s)
        chain.update(gaze, now_s)
        frames["drawn"] = chain.apply(frames["film"], gaze, now_s)

    def encode(index: int) -> None:
        frames["drawn"].pts, frames["drawn"].time_base = index, Fraction(1, RATE_FPS)
        encoder.encode(frames["drawn"])

    beside: dict[str, Callable[[int], object]] = {
        "our_mesh": lambda index: ours.find(images[index]),
        "tracker": track,
    }
    terms: dict[str, Callable[[int], object]] = {
        "decode_camera": lambda index: _decoded(camera_decoder, camera[index]),
        "decode_film": decode_film,
        "blur": blur,
        "encode": encode,
    }
    figures = _per_second(beside, count) | _per_second(terms, count)
    tracker.close()
    ours.close()
    peer = facemesh.run_facemesh(np.stack(images), video=True)
    if peer is not None:
        figures["face_mesh"] = float(np.mean(peer.cost_s[WARM_UP_FRAMES:])) * RATE_FPS
    return figures


def _decoder() -> av.VideoCodecContext:
    decoder: av.VideoCodecContext = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    return decoder


def _decoded(decoder: av.VideoCodecContext, packet: bytes) -> list[av.VideoFrame]:
    return decoder.decode(av.Packet(packet))


def _per_second(calls: Mapping[str, Callable[[int], object]], count: int) -> Figures:
    """Return the CPU seconds, of all threads, that each call takes for 30 frames in turn."""
    spent_s = dict.fromkeys(calls, 0.0)
    for index in range(count):
        for name, call in calls.items():
            began_s = time.process_time()
            call(index)
            if index >= WARM_UP_FRAMES:
                spent_s[name] += time.process_time() - began_s
    return {name: spent / (count - WARM_UP_FRAMES) * RATE_FPS for name, spent in spent_s.items()}


async def fits(start: Start, sessions: int, seconds: float) -> float:
    """Return the lowest frame rate among sessions with a server on one core.

    Parameters
    ----------
    start : context manager
        Runs the server.
    sessions : int
        How many.
    seconds : float
        How long, after the warm-up.
    """
    with start as server:
        hold(server.pids, 0)
        film, camera = material.film(*FILM), material.camera()
        viewers = [
            Viewer(server.url, film=film, camera=camera, effects=EFFECTS) for _ in range(sessions)
        ]
        try:
            for viewer in viewers:
                await viewer.open()
            await asyncio.sleep(WARM_UP_S)
            since_s = time.monotonic()
            await asyncio.sleep(seconds)
            return min(len(viewer.round_trips_s(since_s)[0]) for viewer in viewers) / seconds
        finally:
            await asyncio.gather(*(viewer.close() for viewer in viewers))


def sessions_on_a_core(start: Callable[[], Start], seconds: float, most: int) -> Figures:
    """Count the sessions that fit on one core.

    Parameters
    ----------
    start : callable
        Returns a context manager that runs the server.
    seconds : float
        Of each number of sessions.
    most : int
        Where to stop.

    Returns
    -------
    dict of str to float
        The number, and the frame rate with one more.
    """
    rate_fps = 0.0
    for sessions in range(1, most + 1):
        rate_fps = asyncio.run(fits(start(), sessions, seconds))
        if rate_fps < FITS_FPS:
            return {"sessions_on_a_core": sessions - 1, "fps_with_one_more": rate_fps}
    return {"sessions_on_a_core": most, "fps_with_one_more": rate_fps}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "capacity", seconds=20, runs=3)
    most_help = "sessions on one core, default 8; 0 skips that part"
    parser.add_argument("--most", type=int, default=8, help=most_help)
    flags = parser.parse_args(argv)
    title = f"CPU seconds per second of a 720p30 session, {flags.seconds:g} s, {machine()}"
    goals, notes = dict(GOALS), [WHY_NO_FASTRTC]
    if not facemesh.PYTHON.exists():
        del goals["over_bare"]
        notes.append(facemesh.MISSING)
    report = Report(title, goals, notes=notes)
    for _ in range(flags.runs):
        columns = {"bare": bare(flags.seconds)}
        columns["ours"] = asyncio.run(cost(ours(), flags.seconds))
        columns["stock"] = asyncio.run(cost(running_stock(), flags.seconds))
        for stack in ("ours", "stock"):
            server = running_module("packets", "--stack", stack)
            columns[stack]["packets"] = asyncio.run(cost(server, flags.seconds))["session"]
        columns["bare"]["packets"] = columns["stock"]["packets"]
        if "face_mesh" in columns["bare"]:
            columns["bare"]["session"] = sum(columns["bare"][term] for term in TERMS)
            for stack in ("ours", "stock"):
                session = columns[stack]["session"]
                columns[stack]["over_bare"] = session / columns["bare"]["session"]
        packets = columns["ours"]["packets"]
        columns["ours"]["packets_over_stock"] = packets / columns["stock"]["packets"]
        for column, figures in columns.items():
            report.add(column, figures)
        if flags.most:
            for column, start in (("ours", ours), ("stock", running_stock)):
                report.add(column, sessions_on_a_core(start, flags.seconds, flags.most))
    publish([report], flags.json)


if __name__ == "__main__":
    main()
