"""Send-side bandwidth estimation over scripted links, in virtual time.

A film is sent by the product's own estimator and pacer over a simulated link with a capacity that
changes, random loss, jitter and a finite queue (`simulation.network.scripted`). No socket and no
clock is involved, so the figures depend on the seeds alone. The floor is the link itself: `rate` is
the estimate over its capacity, `delay` the queueing delay on top of the link's own.
"""

import statistics
from collections.abc import Sequence

import numpy as np

from benchmarks.report import Figures, Goal, Report, arguments, publish
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from simulation.network.scripted import Journal, Link, run

LIMITS = BitrateConstraints(start_bps=2.5e6, min_bps=150e3, max_bps=12e6)
SETTLE_S = 10.0
STEADY = {
    "1 Mbit/s": Link([(0, 1e6)]),
    "5 Mbit/s": Link([(0, 5e6)]),
    "5 Mbit/s, jitter 30 ms": Link([(0, 5e6)], delay_s=0.05, jitter_s=0.03),
    "5 Mbit/s, 5 % loss": Link([(0, 5e6)], loss=0.05),
    "5 Mbit/s, 10 % loss": Link([(0, 5e6)], loss=0.10),
}
NARROW_BPS, WIDE_BPS = 0.7e6, 5e6
DOWN_S, UP_S, END_S = 20.0, 45.0, 70.0
STEP = Link([(0, WIDE_BPS), (DOWN_S, NARROW_BPS), (UP_S, WIDE_BPS)])
GOALS = {
    "5 Mbit/s: rate": Goal(least=0.75, most=1.05),
    "5 Mbit/s: delay p95, ms": Goal(most=100),
    "step down: delay back under 300 ms after, s": Goal(most=2.5),
    "step up: 80 % of the capacity after, s": Goal(most=15),
}


def steady(name: str, link: Link, seconds: float, seed: int) -> Figures:
    """Return rate and delay on a link whose capacity stays.

    Parameters
    ----------
    name : str
        Of the link, for the rows.
    link : Link
        The link.
    seconds : float
        Simulated duration; the first `SETTLE_S` are not judged.
    seed : int
        Of loss, jitter and frame sizes.
    """
    journal = run(link, seconds, LIMITS, seed=seed)
    estimates = journal.between(journal.estimate_bps, SETTLE_S, seconds)
    delays = journal.between(journal.delay_s, SETTLE_S, seconds)
    return {
        f"{name}: rate": statistics.mean(estimates) / link.capacity_at(0.0),
        f"{name}: delay p95, ms": 1e3 * (float(np.percentile(delays, 95)) - link.delay_s),
    }


def step(seed: int) -> Figures:
    """Return how soon a step from 5 to 0.7 Mbit/s and back is followed.

    Parameters
    ----------
    seed : int
        Of frame sizes.
    """
    journal = run(STEP, END_S, LIMITS, seed=seed)
    late = [t for t, delay in zip(journal.t_s, journal.delay_s, strict=True) if _is_late(t, delay)]
    return {
        "step down: delay back under 300 ms after, s": max(late, default=DOWN_S) - DOWN_S,
        "step up: 80 % of the capacity after, s": _recovered_s(journal) - UP_S,
    }


def _is_late(t_s: float, delay_s: float) -> bool:
    return DOWN_S <= t_s < UP_S and delay_s > 0.3


def _recovered_s(journal: Journal) -> float:
    return next(
        (
            t
            for t, rate in zip(journal.t_s, journal.estimate_bps, strict=True)
            if t > UP_S and rate > 0.8 * WIDE_BPS
        ),
        END_S,
    )


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every link, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "congestion")
    parser.add_argument(
        "--seconds", type=float, default=40.0, help="simulated, of each steady link"
    )
    parser.add_argument("--seeds", type=int, default=3, help="of which the median is shown")
    options = parser.parse_args(argv)
    report = Report("Send-side bandwidth estimation over scripted links, in virtual time", GOALS)
    for seed in range(1, options.seeds + 1):
        for name, link in STEADY.items():
            report.add("ours", steady(name, link, options.seconds, seed))
        report.add("ours", step(seed))
    publish([report], options.json)


if __name__ == "__main__":
    main()
