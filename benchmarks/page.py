"""What watching costs the viewer's browser: `python -m benchmarks.page`.

Chromium watches the demo film with a made face before its camera. From Chromium's trace: the share
of a core that the page's main thread is busy, with the plots off and on: wall time in tasks, and
processor time in them. With `--watch-s` the page goes on watching, and its heap, DOM
nodes and event listeners are counted every ten seconds after a garbage collection; what they
grow by is given per hour.
"""

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import Goal, Report, arguments, machine, publish, slope
from simulation.browser.page import ChromiumPage, chromium
from simulation.browser.visitor import Visitor
from simulation.server_process import ROOT, running_server
from simulation.viewers import write_camera

SETTLE_S = 5.0
COUNT_INTERVAL_S = 10.0
COUNTED = {"JSHeapUsedSize": "heap_bytes", "Nodes": "nodes", "JSEventListeners": "listeners"}
TASK = "ThreadControllerImpl::RunTask"
LOOKS = [(3.0, {"iris": (6.0, 0.0)}), (3.0, {"iris": (-6.0, 0.0)}), (3.0, {"iris": (0.0, 0.0)})]


def main_thread_shares(events: Sequence[Mapping[str, Any]], duration_s: float) -> dict[str, float]:
    """Busy shares of the busiest renderer's main thread, 1 being a whole core.

    `wall` is the time spent in tasks, `cpu` the processor time of the same (trace events of phase
    X, microseconds).
    """
    mains = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    shares = [{"wall": 0.0, "cpu": 0.0}]
    for thread in mains:
        tasks = [
            event
            for event in events
            if event["name"] == TASK
            and event["ph"] == "X"
            and (event["pid"], event["tid"]) == thread
        ]
        wall_s = sum(event.get("dur", 0) for event in tasks) / 1e6
        cpu_s = sum(event.get("tdur", 0) for event in tasks) / 1e6
        shares.append({"wall": wall_s / duration_s, "cpu": cpu_s / duration_s})
    return max(shares, key=lambda share: share["wall"])


async def count(page: ChromiumPage, watch_s: float) -> dict[str, float]:
    """Growth per hour, by the slope through all counts after the first minute."""
    counts: dict[str, list[tuple[float, float]]] = {}
    began_s = time.monotonic()
    while (elapsed_s := time.monotonic() - began_s) < watch_s:
        metrics = await page.metrics()
        for name, key in COUNTED.items():
            counts.setdefault(key, []).append((elapsed_s, metrics[name]))
        await asyncio.sleep(COUNT_INTERVAL_S)
    figures = {}
    for key, points in counts.items():
        later = points[6:] or points
        figures[f"{key}_per_hour"] = 3600 * slope([t for t, _ in later], [n for _, n in later])
        figures[f"{key}_end"] = points[-1][1]
    return figures


async def measure(report: Report, camera: Path, seconds: float, watch_s: float) -> None:
    """Watch, first with the plots off and then with them on."""
    with running_server("--media", str(ROOT / "media")) as server:
        async with chromium(camera) as page:
            visitor = Visitor(page, server.url)
            await visitor.visit(media="demo", preset="focus")
            await visitor.start()
            await visitor.hears("gaze")
            await page.call("() => { window.heard = { push() {} }; }")  # or it would be counted
            for column in ("plots off", "plots on"):
                await asyncio.sleep(SETTLE_S)
                shares = main_thread_shares(await page.trace(seconds), seconds)
                report.add(column, {f"main_thread_{name}": s for name, s in shares.items()})
                if column == "plots off" and watch_s > 0:
                    report.add(column, await count(page, watch_s))
                await page.click("eyes-toggle")


def main() -> None:
    parser = arguments(__doc__ or "", "page", seconds=10.0, runs=1)
    parser.add_argument("--watch-s", type=float, default=0.0, help="count heap and nodes so long")
    given = parser.parse_args()
    goals = {"main_thread_wall": Goal(most=0.15), "main_thread_cpu": Goal(most=0.15)}
    report = Report(f"The page in Chromium, shares of a core ({machine()})", goals, "plots off")
    report.prefix = "page."
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "camera.mjpeg"
        write_camera(camera, LOOKS)
        for _ in range(given.runs):
            asyncio.run(measure(report, camera, given.seconds, given.watch_s))
    publish([report], given.json)


if __name__ == "__main__":
    main()
