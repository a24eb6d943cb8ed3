"""Figures of one watching, from the frames that arrived."""

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.material import RATE_FPS
from benchmarks.report import Figures, percentiles
from benchmarks.viewer import Returned
from simulation.network.emulator import Conditions

SETTLE_S = 5.0  # for the connection to settle; not judged
FREEZE_S = 0.5  # gap that counts as a freeze
CALM_S = 0.3  # delay that the goals call settled
RTP_HZ = 90_000
RESTART_S = 30.0  # jump of the lateness that only a new stream's timestamps make


def judge(
    frames: Sequence[Returned], phases: Sequence[tuple[float, Conditions]], end_s: float, width: int
) -> Figures:
    """Compute the figures of one watching.

    Parameters
    ----------
    frames : sequence of Returned
        In the order of their arrival.
    phases : sequence of (float, Conditions)
        From which time on each condition held, on the clock of the arrivals.
    end_s : float
        When the watching ended.
    width : int
        Width of the film at full size, px.

    Returns
    -------
    dict of str to float
        `freezes`, `fps`, `delay_ms_p50` and so on; infinity for what never happened.
    """
    new = [frame for frame in frames if frame.number is not None]
    new = new[:1] + [b for a, b in itertools.pairwise(new) if b.number != a.number]
    since_s = phases[0][0] + SETTLE_S
    seen = [frame for frame in new if frame.arrived_s >= since_s]
    if not seen:
        return {"freezes": math.inf, "fps": 0.0}
    late = np.array([f.arrived_s for f in seen]) - _due_s(seen)
    # A page that reconnected has a new stream, whose timestamps have another origin.
    restarts = np.flatnonzero(np.abs(np.diff(late)) > RESTART_S) + 1
    late = np.concatenate([part - part.min() for part in np.split(late, restarts)])
    late += min(conditions.delay_s for _, conditions in phases)
    times = [since_s, *(frame.arrived_s for frame in seen), end_s]
    gaps = np.diff(times)
    figures = {
        "reconnections": float(len(restarts)),
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


def _due_s(frames: Sequence[Returned]) -> NDArray[np.float64]:
    """Return when each frame was due, from an unknown origin: by RTP timestamps if all have one."""
    first = frames[0].rtp
    if first is None or any(frame.rtp is None for frame in frames):
        return np.array([frame.number or 0 for frame in frames]) / RATE_FPS
    ticks = np.array([frame.rtp for frame in frames], np.int64) - first
    return np.asarray(((ticks + 2**31) % 2**32 - 2**31) / RTP_HZ)


def _calm_after_s(late: Sequence[tuple[float, float]], since_s: float, until_s: float) -> float:
    """Return for how long after `since_s` frames were more than `CALM_S` late, or did not come."""
    last_s = since_s
    times = [since_s, *(t_s for t_s, _ in late), until_s]
    for (before_s, now_s), lateness_s in zip(
        itertools.pairwise(times), [*(lateness_s for _, lateness_s in late), 0.0], strict=True
    ):
        if lateness_s > CALM_S or now_s - before_s > FREEZE_S:
            last_s = now_s
    never = last_s == until_s or bool(late and last_s == late[-1][0])
    return math.inf if never else last_s - since_s
