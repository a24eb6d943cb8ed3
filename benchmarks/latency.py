"""How long the film is away: from a viewer to the server, through tracker and blur, and back.

Every frame of the film carries its number as a strip of cells (benchmarks/strip.py); the viewer
(benchmarks/viewer.py, the same process for every server) notes when it sent each number and when
the frame with that number had come back. What it sends is encoded beforehand and what comes back
is timed before it is decoded, so the figures hold the network on both ways, and all that the server
does: putting together, decoding, waiting, drawing, encoding, sending. The viewer's camera is sent
too (640x480, 30 a second) and tracked; the blur follows it. Repeated frames are not counted.
Our server returns the film at the bitrate at which it came (`--returned-mbps` for another; the
viewer tells it of losses only, from which it would rise to its highest in the course of the run),
stock at its own, half a megabit per second; `returned_mbps` is what came back.

Columns: ours; stock aiortc (benchmarks/stock.py); floor: decoding, blur and encoding (ours) of the
same frames, one after another in this process, without any network. `stage` rows are what our
server says of its own stages.

Overload (`--overload`, the last table): the server is held on one core; as many sessions are opened
as offer about twice the frames that it then returns (`offered_over_handled`), and p95 is taken over
all frames of all of them, and its slope (a least-squares line through the p95 of each second).

Goals, 720p: p50 <= 25 ms, p95 <= 45 ms, and 0.4 of stock's. Overload: p95 < 250 ms, not growing.
"""

import argparse
import asyncio
import os
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np

from benchmarks import material
from benchmarks.report import (
    Figures,
    Goal,
    Report,
    arguments,
    machine,
    percentiles,
    publish,
    slope,
)
from benchmarks.stock import SERVERS, WHY_NO_FASTRTC
from benchmarks.viewer import Viewer
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.rtc.codecs.encoder import VideoEncoder

SIZES = {
    "360p": (640, 360, 1_000_000),
    "720p": (1280, 720, 2_500_000),
    "1080p": (1920, 1080, 4_000_000),
}
WARM_UP_S = 3.0
EFFECTS: list[dict[str, Any]] = [{"name": "blur"}]
GOALS = {"trip_p50": Goal(most=25), "trip_p95": Goal(most=45)}
OVERLOAD_GOALS = {"trip_p95": Goal(most=250), "p95_slope_ms_per_s": Goal(most=1)}


async def watch(
    column: str,
    size: str,
    seconds: float,
    sessions: int,
    core: int | None,
    flags: argparse.Namespace,
) -> Figures:
    """Round trips in milliseconds, and our server's own stages."""
    film, camera = material.film(*SIZES[size], flags.key_every), material.camera()
    bitrate_bps = str(round(1e6 * flags.returned_mbps) if flags.returned_mbps else SIZES[size][2])
    fixed = ("--film-start-bitrate-bps", bitrate_bps, "--film-max-bitrate-bps", bitrate_bps)
    with SERVERS[column](*(fixed if column == "ours" else ())) as server:
        if core is not None:
            hold(server.pids, core)
        viewers = [
            Viewer(server.url, film=film, camera=camera, effects=EFFECTS) for _ in range(sessions)
        ]
        try:
            for viewer in viewers:
                await viewer.open()
            await asyncio.sleep(WARM_UP_S)
            since_s = time.monotonic()
            await asyncio.sleep(seconds)
            said = await viewers[0].figures()
            trips = [viewer.round_trips_s(since_s) for viewer in viewers]
        finally:
            await asyncio.gather(*(viewer.close() for viewer in viewers))
    arrivals = [t for one, _ in trips for t in one]
    away_ms = [1000 * trip for _, one in trips for trip in one]
    figures = percentiles("trip", away_ms)
    figures["fps"] = len(arrivals) / seconds / sessions
    returned = [one.encoded_bytes for viewer in viewers for one in viewer.returned_since(since_s)]
    figures["returned_mbps"] = 8e-6 * sum(returned) / seconds / sessions
    figures["longest_gap_ms"] = max(
        (1000 * (b - a) for one, _ in trips for a, b in pairwise([since_s, *one])),
        default=float("inf"),
    )
    for stage, times in said.get("latency_ms", {}).items():
        figures |= {f"stage_{stage}_{p}": value for p, value in times.items()}
    film_out = said.get("transport", {}).get("out", {}).get("film", {})
    if film_out.get("frames"):
        figures["stage_encode_mean"] = 1000 * film_out["encoding_s"] / film_out["frames"]
    if sessions > 1:
        offered = material.RATE_FPS * seconds * sessions
        figures["offered_over_handled"] = offered / max(1, len(arrivals))
        figures["p95_slope_ms_per_s"] = _p95_slope(arrivals, away_ms)
    return figures


def _p95_slope(arrivals_s: Sequence[float], away_ms: Sequence[float]) -> float:
    """How fast the p95 of each second grows."""
    t, away = np.array(arrivals_s), np.array(away_ms)
    if not t.size:
        return float("nan")
    second = (t - t.min()).astype(int)
    each = [(s, float(np.percentile(away[second == s], 95))) for s in np.unique(second)]
    return slope([s for s, _ in each], [p95 for _, p95 in each])


def hold(pids: Sequence[int], core: int) -> None:
    """Let processes and all their threads run on one core."""
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {core})


def floor(size: str, seconds: float, key_every: int) -> Figures:
    """Decoding, drawing and encoding of one frame after another."""
    width, height, bitrate_bps = SIZES[size]
    decoder = av.CodecContext.create("vp8", "r")
    chain, encoder = Chain(EFFECTS), VideoEncoder("VP8", bitrate_bps, bitrate_bps)
    took_ms = []
    film = material.film(width, height, bitrate_bps, key_every)
    for packet in film[: round(seconds * material.RATE_FPS)]:
        began_s = time.perf_counter()
        for frame in decoder.decode(av.Packet(packet)):
            now_s = time.monotonic()
            gaze = GazeState(t_s=now_s, shown=(0.5, 0.5))
            chain.update(gaze, now_s)
            drawn = chain.apply(frame, gaze, now_s)
            drawn.pts, drawn.time_base = len(took_ms) * 3000, Fraction(1, 90_000)
            encoder.encode(drawn)
        took_ms.append(1000 * (time.perf_counter() - began_s))
    return percentiles("trip", took_ms[10:])


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, show, and write the figures."""
    assert __doc__ is not None
    parser = arguments(__doc__, "latency", seconds=20)
    parser.add_argument("--sizes", default=",".join(SIZES), help="which, by comma")
    parser.add_argument("--columns", default="ours,stock", help="which, by comma")
    parser.add_argument("--overload", type=int, default=3, help="sessions at a time; 0 for none")
    parser.add_argument("--overload-seconds", type=float, default=60.0)
    parser.add_argument(
        "--key-every",
        type=int,
        default=material.KEY_EVERY,
        help="frames from one key frame of the sent film to the next; browsers make none unasked",
    )
    parser.add_argument(
        "--returned-mbps", type=float, help="bitrate of our returned film; as it came unless given"
    )
    flags = parser.parse_args(argv)
    columns = flags.columns.split(",")
    reports = []
    for size in filter(None, flags.sizes.split(",")):
        title = f"Round trip of the film at {size}, ms, {flags.seconds:g} s, {machine()}"
        report = Report(title, GOALS if size == "720p" else {}, prefix=f"{size}.")
        for _ in range(flags.runs):
            for column in columns:
                watched = watch(column, size, flags.seconds, 1, None, flags)
                report.add(column, asyncio.run(watched))
            report.add("floor", floor(size, flags.seconds, flags.key_every))
        if "stock" in columns:
            for row in ("trip_p50", "trip_p95"):
                ratio = report.ratio(row, "ours", "stock")
                report.notes.append(f"{row}: ours over stock {ratio:.2f} (goal <= 0.4)")
                report.ratios[f"{row}_over_stock"] = ratio
        reports.append(report)
    if flags.overload:
        title = (
            f"Overload: server on one core, {flags.overload} sessions at 720p, "
            f"{flags.overload_seconds:g} s"
        )
        report = Report(title, OVERLOAD_GOALS, prefix="overload.")
        for _ in range(flags.runs):
            for column in columns:
                seconds = flags.overload_seconds
                watched = watch(column, "720p", seconds, flags.overload, 0, flags)
                report.add(column, asyncio.run(watched))
        reports.append(report)
    reports[-1].notes.append(WHY_NO_FASTRTC)
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
