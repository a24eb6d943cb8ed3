"""How well fixations and saccades are detected at a webcam's rate and noise.

`python -m benchmarks.events DATA`. Unit: Cohen's kappa for each frame, and F1 for each event, the
mean over ten noise seeds. Peers: I-VT and I-DT (Salvucci and Goldberg 2000) of pymovements, which
for each row are given the parameters that do best in that row on these very recordings; ours is
given none.

DATA holds recordings `*.npy` at 1000 Hz with the fields t (s), x, y (degrees), status (seen) and
evt (an expert's label: 1 fixation, 2 saccade, 5 blink, 0 undefined, and others). They are
downsampled to 30 Hz (the mean over a frame, the label of most of its samples), and noise with a
standard deviation of 1.1 degrees is added.
"""

import warnings
from bisect import bisect_right
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pymovements.events import idt, ivt  # type: ignore[import-untyped]

from benchmarks.report import arguments, write_figures
from gaze.vision.events.detector import EventDetector

Array = NDArray[np.float64]
Labels = NDArray[np.int64]

RATE_HZ = 30
NOISE_DEG = 1.1
SEEDS = range(10)
T_95 = 2.26  # 97.5 % quantile of Student's t with len(SEEDS) - 1 = 9 degrees of freedom
UNKNOWN, FIXATION, SACCADE, GLISSADE = 0, 1, 2, 3
GLISSADE_S = 0.02  # duration of a post-saccadic oscillation (Nyström and Holmqvist 2010)
KINDS = {"fixation": FIXATION, "saccade": SACCADE}
VELOCITY_GRID = tuple(product(range(20, 301, 10), (0, 1, 3), ("preceding", "neighbors", "smooth")))
DISPERSION_GRID = tuple(product(np.arange(1.0, 14.1, 0.5), (2, 3)))


def at_camera_rate(recording: NDArray[np.void]) -> tuple[Array, Labels]:
    """Downsample a recording to 30 Hz.

    Parameters
    ----------
    recording : ndarray, shape (n,)
        Structured, as in the files.

    Returns
    -------
    points : ndarray, shape (k, 2)
        Degrees; nan in frames that are mostly unseen.
    labels : ndarray of int, shape (k,)
        The expert's.
    """
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
    """Label frames with this product's detector.

    A frame is a saccade if one took most of it, or most of what it took of any, and a glissade if
    the eye settled after a saccade for most of it. The detector knows a saccade by the second
    sample after it, so these labels come one or two frames late.

    Parameters
    ----------
    points : ndarray, shape (k, 2)
        Degrees.

    Returns
    -------
    ndarray of int, shape (k,)
        Labels.
    """
    detector = EventDetector(1.0)
    labels = np.full(len(points), FIXATION)
    for number, point in enumerate(points):
        if np.isnan(point).any():
            detector.clear()
            continue
        saccade_s = detector.update(point, number / RATE_HZ).saccade_s
        if saccade_s is None:
            continue
        began, ended = (t_s * RATE_HZ for t_s in saccade_s)
        frames = np.arange(max(number - 4, 0), number + 1)
        share = np.minimum(ended, frames + 1) - np.maximum(began, frames)
        labels[frames[(share >= 0.5) | (share == share.max())]] = SACCADE
        with_glissade = np.minimum(ended + GLISSADE_S * RATE_HZ, frames + 1)
        share = with_glissade - np.maximum(began, frames)
        labels[frames[(share >= 0.5) & (labels[frames] == FIXATION)]] = GLISSADE
    return labels


def velocities_deg_s(points: Array, differences: str) -> Array:
    """Differentiate positions.

    Parameters
    ----------
    points : ndarray, shape (k, 2)
        Degrees, at `RATE_HZ`.
    differences : {"preceding", "neighbors", "smooth"}
        Backward differences, central ones, or the 5-point moving average.

    Returns
    -------
    ndarray, shape (k, 2)
        Degrees per second.

    References
    ----------
    Engbert and Kliegl (2003), Vision Research 43, for the moving average. The ends are as in
    pymovements.
    """
    velocities = np.zeros_like(points)
    if differences == "preceding":
        velocities[1:] = np.diff(points, axis=0)
        return velocities * RATE_HZ
    velocities[1:-1] = (points[2:] - points[:-2]) / 2.0
    if differences == "smooth":
        velocities[2:-2] = (points[4:] + points[3:-1] - points[1:-3] - points[:-4]) / 6.0
        velocities[[0, -1]] = (points[[1, -1]] - points[[0, -2]]) / 2.0
    return velocities * RATE_HZ


def velocity_threshold(points: Array, deg_s: float, shortest: int, differences: str) -> Labels:
    """Label frames with pymovements' I-VT: a fixation is a run of frames below the threshold.

    Parameters
    ----------
    points : ndarray, shape (k, 2)
        Degrees.
    deg_s : float
        Velocity threshold.
    shortest : int
        Least steps from frame to frame in a fixation.
    differences : str
        Of `velocities_deg_s`.

    Returns
    -------
    ndarray of int, shape (k,)
        Labels: fixation or saccade.
    """
    velocities = velocities_deg_s(points, differences)
    return _labels(len(points), ivt(velocities, None, shortest, deg_s).frame, 1)


def dispersion_threshold(points: Array, deg: float, shortest: int) -> Labels:
    """Label frames with pymovements' I-DT: a fixation is a run of frames of small dispersion.

    Parameters
    ----------
    points : ndarray, shape (k, 2)
        Degrees.
    deg : float
        Dispersion threshold.
    shortest : int
        Least frames in a fixation.

    Returns
    -------
    ndarray of int, shape (k,)
        Labels: fixation or saccade.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # stretches of nan
        fixations = idt(points, None, shortest, deg).frame
    # Its offset is the first frame that is too far away.
    return _labels(len(points), fixations, 0)


def _labels(count: int, fixations: pl.DataFrame, past: int) -> Labels:
    labels = np.full(count, SACCADE)
    for first, last in fixations.select("onset", "offset").iter_rows():
        labels[first : count if last == count - 1 else last + past] = FIXATION
    return labels


def kappa(truth: Labels, detected: Labels, kind: int) -> float:
    """Return Cohen's kappa of one kind of event against all others, frame by frame.

    Parameters
    ----------
    truth, detected : ndarray of int, shape (k,)
        Labels.
    kind : int
        The label.
    """
    one, other = truth == kind, detected == kind
    agreed = np.mean(one == other)
    chance = one.mean() * other.mean() + (1 - one.mean()) * (1 - other.mean())
    return float((agreed - chance) / (1.0 - chance)) if chance < 1.0 else 0.0


def event_spans(labels: Labels, kind: int) -> list[tuple[int, int]]:
    """Return the events of a kind.

    Parameters
    ----------
    labels : ndarray of int, shape (k,)
        Labels.
    kind : int
        The label.

    Returns
    -------
    list of (int, int)
        First frame, and the frame after the last.
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels == kind, [0]]).astype(int)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def event_f1(truth: Labels, detected: Labels, kind: int) -> float:
    """Return F1 of the events of a kind, matched one to one where they overlap, longest first.

    Parameters
    ----------
    truth, detected : ndarray of int, shape (k,)
        Labels.
    kind : int
        The label.
    """
    real, found = event_spans(truth, kind), event_spans(detected, kind)
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
    """Score a detector on all recordings.

    Parameters
    ----------
    recordings : list of (ndarray, ndarray)
        Points and labels.
    detect : callable
        Labels points.

    Returns
    -------
    ndarray, shape (seeds, 4)
        Kappa of fixations and saccades, then F1 of both; means over the recordings.
    """
    rows = []
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        each = []
        for points, truth in recordings:
            detected = detect(points + random.normal(0.0, NOISE_DEG, points.shape))
            known = truth != UNKNOWN
            kept = np.where(known, detected, UNKNOWN)
            each.append(
                [kappa(truth[known], detected[known], kind) for kind in KINDS.values()]
                + [event_f1(truth, kept, kind) for kind in KINDS.values()]
            )
        rows.append(np.mean(each, axis=0))
    return np.array(rows)


def _velocity_threshold(given: tuple[int, int, str], points: Array) -> Labels:
    return velocity_threshold(points, *given)


def _dispersion_threshold(given: tuple[float, int], points: Array) -> Labels:
    return dispersion_threshold(points, *given)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "events")
    parser.add_argument("data", type=Path, help="folder with the recordings")
    flags = parser.parse_args(argv)
    recordings = [at_camera_rate(np.load(path)) for path in sorted(flags.data.glob("*.npy"))]
    figures: dict[str, float] = {}
    own = scores(recordings, ours)
    rows = [f"kappa_{kind}" for kind in KINDS] + [f"f1_{kind}" for kind in KINDS]
    peers = {
        "ivt": [scores(recordings, partial(_velocity_threshold, given)) for given in VELOCITY_GRID],
        "idt": [
            scores(recordings, partial(_dispersion_threshold, given)) for given in DISPERSION_GRID
        ],
    }
    print(f"{'':16}{'ours':>8}{'I-VT':>8}{'I-DT':>8}   ours - better peer, 95 % CI over seeds")
    for number, row in enumerate(rows):
        best = {
            name: max((run[:, number] for run in runs), key=lambda values: float(values.mean()))
            for name, runs in peers.items()
        }
        better = max(best.values(), key=lambda values: float(values.mean()))
        difference = own[:, number] - better
        half = T_95 * difference.std(ddof=1) / np.sqrt(len(difference))
        figures[f"{row}_ours"] = float(own[:, number].mean())
        figures |= {f"{row}_{name}": float(values.mean()) for name, values in best.items()}
        figures[f"{row}_difference"] = float(difference.mean())
        figures[f"{row}_difference_half_interval"] = float(half)
        print(
            f"{row:16}{figures[f'{row}_ours']:8.3f}{figures[f'{row}_ivt']:8.3f}"
            f"{figures[f'{row}_idt']:8.3f}   {difference.mean():+.3f} +- {half:.3f}"
        )
    write_figures(figures, flags.json)


if __name__ == "__main__":
    main()
