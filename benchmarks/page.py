"""What watching costs the viewer's browser: `python -m benchmarks.page`.

Unit: share of a core for which the page's main thread is busy, from Chromium's trace, as wall time
in tasks and as CPU time in them; columns: with the page's plots off and on. No peer; the goals are
judged with the plots off. Chromium watches the demo film with a simulated face as its camera. With
`--watch-s` the page goes on watching, and its heap bytes, DOM nodes and event listeners are counted
every ten seconds after a garbage collection; their growth is given per hour.
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
from simulation.viewers.painted import write_camera

SETTLE_S = 5.0
COUNT_INTERVAL_S = 10.0
COUNTED = {"JSHeapUsedSize": "heap_bytes", "Nodes": "nodes", "JSEventListeners": "listeners"}
TASK = "ThreadControllerImpl::RunTask"
SCENES = [(3.0, {"iris": (6.0, 0.0)}), (3.0, {"iris": (-6.0, 0.0)}), (3.0, {"iris": (0.0, 0.0)})]


def main_thread_shares(events: Sequence[Mapping[str, Any]], duration_s: float) -> dict[str, float]:
    """Return the busy shares of the busiest renderer's main thread, 1 being a whole core.

    Parameters
    ----------
    events : sequence of mapping
        Chromium's trace; tasks are events of phase X, in µs.
    duration_s : float
        Of the trace.

    Returns
    -------
    dict of str to float
        `wall`: time in tasks; `cpu`: CPU time of these.
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
    """Count heap, nodes and listeners while the page watches.

    Parameters
    ----------
    page : ChromiumPage
        Watching.
    watch_s : float
        How long.

    Returns
    -------
    dict of str to float
        Growth per hour, by the slope through all counts after the first minute, and the last count.
    """
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
    """Watch, first with the plots off and then with them on.

    Parameters
    ----------
    report : Report
        Gets the figures.
    camera : Path
        The camera's file.
    seconds : float
        Of each trace.
    watch_s : float
        Of counting, 0 for none.
    """
    with running_server("--media", str(ROOT / "media")) as server:
        async with chromium(camera) as page:
            visitor = Visitor(page, server.url)
            await visitor.visit(media="demo", preset="focus")
            await visitor.start()
            await visitor.hears("gaze")
            # The visitor's own record of messages would count as a leak.
            await page.call("() => { window.heard = { push() {} }; }")
            for column in ("plots off", "plots on"):
                await asyncio.sleep(SETTLE_S)
                shares = main_thread_shares(await page.trace(seconds), seconds)
                report.add(column, {f"main_thread_{name}": s for name, s in shares.items()})
                if column == "plots off" and watch_s > 0:
                    report.add(column, await count(page, watch_s))
                await page.click("eyes-toggle")


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "page", seconds=10.0, runs=1)
    watch_help = "seconds to count heap and nodes for afterwards, default 0"
    parser.add_argument("--watch-s", type=float, default=0.0, help=watch_help)
    given = parser.parse_args(argv)
    goals = {"main_thread_wall": Goal(most=0.15), "main_thread_cpu": Goal(most=0.15)}
    report = Report(f"The page in Chromium, shares of a core ({machine()})", goals, "plots off")
    report.prefix = "page."
    with tempfile.TemporaryDirectory() as folder:
        camera = Path(folder) / "camera.mjpeg"
        write_camera(camera, SCENES)
        for _ in range(given.runs):
            asyncio.run(measure(report, camera, given.seconds, given.watch_s))
    publish([report], given.json)


if __name__ == "__main__":
    main()
