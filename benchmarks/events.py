"""How well fixations and saccades are told apart at a webcam's rate and noise.

`python -m benchmarks.events DATA`: DATA holds recordings `*.npy` at 1000 Hz with the fields t (s),
x, y (degrees), status (seen) and evt (an expert's label: 1 fixation, 2 saccade, 5 blink, 0
undefined, and others). They are brought to 30 Hz (the mean over a frame, the label of most of
its samples) and noise of 1.1 degrees is added, with ten fixed seeds. Beside ours stand the I-VT and
I-DT of pymovements (Salvucci and Goldberg 2000). For each row they are given the parameters
that do best in that row on these very recordings; ours is given none.
"""

import argparse
import json
import warnings
from bisect import bisect_right
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pymovements.events import EventDataFrame, idt, ivt
from pymovements.gaze.transforms_numpy import pos2vel

from gaze.vision.events.detector import EventDetector

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

RATE_HZ = 30
NOISE_DEG = 1.1
SEEDS = range(10)
UNKNOWN, FIXATION, SACCADE, SETTLING = 0, 1, 2, 3
SETTLING_S = 0.02
"""How long an eye swings after a saccade (Nyström and Holmqvist 2010)."""
KINDS = {"fixation": FIXATION, "saccade": SACCADE}
VELOCITY_GRID = tuple(product(range(20, 301, 10), (0, 1, 3), ("preceding", "neighbors", "smooth")))
DISPERSION_GRID = tuple(product(np.arange(1.0, 14.1, 0.5), (2, 3)))


def at_camera_rate(recording: NDArray[np.void]) -> tuple[Array, Labels]:
    """Return points (k, 2), nan where mostly unseen, and labels (k,) of 30 Hz frames."""
    numbers = ((recording["t"] - recording["t"][0]) * RATE_HZ).astype(int)
    points, labels = [], []
    for number in range(numbers[-1]):
        frame = recording[np.searchsorted(numbers, number) : np.searchsorted(numbers, number + 1)]
        seen = frame[frame["status"] & (frame["evt"] != 5)]
        enough = 2 * len(seen) > len(frame)
        points.append([seen["x"].mean(), seen["y"].mean()] if enough else [np.nan, np.nan])
        labels.append(int(np.bincount(frame["evt"]).argmax()) if enough else UNKNOWN)
    return np.array(points), np.array(labels)


def ours(points: Array) -> Labels:
    """Return what the tracker's detector says.

    A frame is a saccade where one took most of it, or most of what it took of any, and none of
    both where the eye settled after it. A step is known by the second sample away from the old
    place, so all this is said one or two frames later.
    """
    movements = EventDetector(1.0)
    labels = np.full(len(points), FIXATION)
    for number, point in enumerate(points):
        if np.isnan(point).any():
            movements.clear()
            continue
        flight_s = movements.update(point, number / RATE_HZ).flight_s
        if flight_s is None:
            continue
        began, ended = (t_s * RATE_HZ for t_s in flight_s)
        frames = np.arange(max(number - 4, 0), number + 1)
        flown = np.minimum(ended, frames + 1) - np.maximum(began, frames)
        labels[frames[(flown >= 0.5) | (flown == flown.max())]] = SACCADE
        settled = np.minimum(ended + SETTLING_S * RATE_HZ, frames + 1) - np.maximum(began, frames)
        settling = frames[(settled >= 0.5) & (labels[frames] == FIXATION)]
        labels[settling] = SETTLING
    return labels


def velocity_threshold(points: Array, deg_s: float, shortest: int, speed: str) -> Labels:
    """pymovements' I-VT: a fixation is a stretch of frames below the threshold.

    It spans at least `shortest` steps from frame to frame; `speed` is the way of differentiating.
    """
    with np.errstate(invalid="ignore"):
        velocities = pos2vel(points, sampling_rate=RATE_HZ, method=speed)
    return _labels(len(points), ivt(velocities, None, shortest, deg_s), 1)


def dispersion_threshold(points: Array, deg: float, shortest: int) -> Labels:
    """pymovements' I-DT: a fixation is a stretch that stays within the threshold, of at least
    `shortest` frames."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # stretches of nan
        fixations = idt(points, None, shortest, deg)
    # Its offset is the first frame that is too far away.
    return _labels(len(points), fixations, 0)


def _labels(count: int, fixations: EventDataFrame, past: int) -> Labels:
    labels = np.full(count, SACCADE)
    for first, last in fixations.frame.select("onset", "offset").iter_rows():
        labels[first : count if last == count - 1 else last + past] = FIXATION
    return labels


def kappa(truth: Labels, said: Labels, kind: int) -> float:
    """Return Cohen's kappa of one kind against all others."""
    one, other = truth == kind, said == kind
    agreed = np.mean(one == other)
    chance = one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean())
    return float((agreed - chance) / (1.0 - chance)) if chance < 1.0 else 0.0


def stretches(labels: Labels, kind: int) -> list[tuple[int, int]]:
    """Return the (first, past the last) frames of each event of a kind."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels == kind, [0]]).astype(int)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def event_f1(truth: Labels, said: Labels, kind: int) -> float:
    """Return F1 of events, matched one to one where they overlap, the longest overlap first."""
    real, found = stretches(truth, kind), stretches(said, kind)
    ends = [last for _, last in found]
    pairs = []
    for i, (first, last) in enumerate(real):
        for j in range(bisect_right(ends, first), len(found)):
            overlap = min(last, found[j][1]) - max(first, found[j][0])
            if overlap <= 0:
                break
            pairs.append((overlap, i, j))
    used_real: set[int] = set()
    used_found: set[int] = set()
    for _, i, j in sorted(pairs, reverse=True):
        if i not in used_real and j not in used_found:
            used_real.add(i)
            used_found.add(j)
    return 2.0 * len(used_real) / max(len(real) + len(found), 1)


def scores(recordings: list[tuple[Array, Labels]], detect: Callable[[Array], Labels]) -> Array:
    """Return for each seed kappa of fixation and saccade and F1 of the same, shape (seeds, 4)."""
    rows = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        each = []
        for points, truth in recordings:
            said = detect(points + random.normal(0.0, NOISE_DEG, points.shape))
            known = truth != UNKNOWN
            each.append(
                [kappa(truth[known], said[known], kind) for kind in KINDS.values()]
                + [event_f1(truth, np.where(known, said, 0), kind) for kind in KINDS.values()]
            )
        rows.append(np.mean(each, axis=0))
    return np.array(rows)


def main() -> None:
    """Measure, print the table and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the recordings")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    recordings = [at_camera_rate(np.load(path)) for path in sorted(arguments.data.glob("*.npy"))]
    figures: dict[str, float] = {}
    mine = scores(recordings, ours)
    rows = [f"kappa_{kind}" for kind in KINDS] + [f"f1_{kind}" for kind in KINDS]
    others = {
        "ivt": [
            scores(recordings, lambda points, g=given: velocity_threshold(points, *g))
            for given in VELOCITY_GRID
        ],
        "idt": [
            scores(recordings, lambda points, g=given: dispersion_threshold(points, *g))
            for given in DISPERSION_GRID
        ],
    }
    print(f"{'':16}{'ours':>8}{'I-VT':>8}{'I-DT':>8}   ours less the better, 95 % over seeds")
    for number, row in enumerate(rows):
        best = {
            name: max((run[:, number] for run in runs), key=lambda values: float(values.mean()))
            for name, runs in others.items()
        }
        rival = max(best.values(), key=lambda values: float(values.mean()))
        apart = mine[:, number] - rival
        half = 2.26 * apart.std(ddof=1) / np.sqrt(len(apart))
        figures[f"{row}_ours"] = float(mine[:, number].mean())
        figures |= {f"{row}_{name}": float(values.mean()) for name, values in best.items()}
        figures[f"{row}_difference"] = float(apart.mean())
        figures[f"{row}_difference_half_interval"] = float(half)
        print(
            f"{row:16}{figures[f'{row}_ours']:8.3f}{figures[f'{row}_ivt']:8.3f}"
            f"{figures[f'{row}_idt']:8.3f}   {apart.mean():+.3f} +- {half:.3f}"
        )
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
