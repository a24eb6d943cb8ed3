"""The command of the network benchmark."""

import argparse
import asyncio
import contextlib
import sys
import time
from collections.abc import Sequence

from benchmarks.material import film_file
from benchmarks.network import __doc__ as description
from benchmarks.network.judge import SETTLE_S, judge
from benchmarks.network.scenarios import SCENARIOS
from benchmarks.network.serving import serving
from benchmarks.network.watching import (
    Watcher,
    watching_another,
    watching_chromium,
    watching_own,
    watching_python,
)
from benchmarks.report import Figures, Report, arguments, machine, publish
from benchmarks.stock import WHY_NO_FASTRTC
from simulation.network.emulator import joined, unavailable

COLUMNS = {
    "python": ("ours", "stock"),
    "chromium": ("ours", "stock"),
    "sent": ("ours", "chromium"),
}


async def measure(who: str, column: str, name: str, flags: argparse.Namespace) -> Figures:
    """Watch a film once.

    Parameters
    ----------
    who : {"python", "chromium", "sent"}
        Who watches.
    column : str
        Who serves, one of `COLUMNS[who]`.
    name : str
        The scenario.
    flags : argparse.Namespace
        `seconds` of each phase and the film's `size`.

    Returns
    -------
    dict of str to float
        The figures of `judge`.
    """
    width, height = map(int, flags.size.split("x"))
    phases = SCENARIOS[name].phases
    film_s = SETTLE_S + len(phases) * flags.seconds + 15
    watching: contextlib.AbstractAsyncContextManager[Watcher]
    async with joined(phases[0]) as ends, contextlib.AsyncExitStack() as stack:
        if who == "sent":
            film = film_file(width, height, film_s)
            if column == "ours":
                await stack.enter_async_context(serving(ends, column, film))
                watching = watching_own(ends, film)
            else:
                watching = watching_another(ends, film)
        else:
            film = film_file(width, height, film_s, ".mp4")
            await stack.enter_async_context(serving(ends, column, film))
            watching = (
                watching_python(ends, film)
                if who == "python"
                else watching_chromium(ends, film, column)
            )
        watcher: Watcher = await stack.enter_async_context(watching)
        began = []
        for index, conditions in enumerate(phases):
            ends.change(conditions)
            began.append((time.monotonic(), conditions))
            await asyncio.sleep(flags.seconds + (SETTLE_S if index == 0 else 0.0))
        end_s = time.monotonic()
        frames = await watcher.frames()
    return judge(frames, began, end_s, width)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(description, "network", seconds=20, runs=3)
    scenarios, who_watches, columns = ",".join(SCENARIOS), ",".join(COLUMNS), "ours,stock,chromium"
    parser.add_argument("--scenarios", default=scenarios, help=f"default {scenarios}")
    parser.add_argument("--who", default=who_watches, help=f"who watches, default {who_watches}")
    parser.add_argument("--columns", default=columns, help=f"who serves, default {columns}")
    parser.add_argument("--size", default="1280x720", help="of the film, default 1280x720")
    flags = parser.parse_args(argv)
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
