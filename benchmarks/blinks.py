"""How many blinks are detected in recordings of the lids: `python -m benchmarks.blinks DATA`.

Unit: F1, precision and recall (0 to 1) against blinks that people keyed by hand. Peer: the marks of
the recordings' own author, judged in the same way.

DATA holds pairs of files. `NAME.txt` has one line a frame: the eye aspect ratio, `x` if no face was
seen, and a leading `*` where the recording's author took a blink to begin. `NAME_no.json` lists the
frames, counted from 1, at which people keyed a blink. A detected blink within 3 frames of a keyed
one is matched to it, one to one. The recordings carry no time: NAME ends in their length in minutes
(`both_9m`).
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Goal, Report, arguments, publish
from gaze.vision.events.blinks import BlinkDetector
from gaze.vision.face.eye_landmarks import LidBaseline

TOLERANCE_FRAMES = 3
GOALS = {"concentrate_3m": Goal(least=0.95), "both_9m": Goal(least=0.72)}


@dataclass(frozen=True)
class Recording:
    """One recording of the lids.

    Attributes
    ----------
    name : str
        Of its file.
    rate_hz : float
        Sampling rate.
    ratios : list of float or None
        Eye aspect ratio of each frame; None without a face.
    keyed, marked : list of int
        Frames, counted from 1, at which a blink was keyed by people, and marked by the author.
    """

    name: str
    rate_hz: float
    ratios: list[float | None]
    keyed: list[int]
    marked: list[int]


def read(path: Path) -> Recording:
    """Read `NAME.txt` and the `NAME_no.json` beside it.

    Parameters
    ----------
    path : Path
        The first of the two files.

    Returns
    -------
    Recording
        With both.

    Raises
    ------
    ValueError
        If the name does not end in minutes.
    """
    length = re.search(r"_(\d+)m$", path.stem)
    if length is None:
        raise ValueError(f"{path.name}: must end in its length in minutes, like both_9m.txt")
    lines = path.read_text().split("\n")
    lines = [line.strip() for line in lines if line.strip()]
    return Recording(
        path.stem,
        len(lines) / (60.0 * int(length[1])),
        [None if line.endswith("x") else float(line.lstrip("* ")) for line in lines],
        sorted(json.loads(path.with_name(f"{path.stem}_no.json").read_text())),
        [number for number, line in enumerate(lines, 1) if line.startswith("*")],
    )


def found(ratios: list[float | None], rate_hz: float) -> dict[int, str]:
    """Detect blinks with this product's detector.

    Parameters
    ----------
    ratios : list of float or None
        Eye aspect ratio of each frame; None without a face.
    rate_hz : float
        Sampling rate.

    Returns
    -------
    dict of int to str
        Kind of each blink by the frame, counted from 1, in which it began.
    """
    baseline, blinks = LidBaseline(), BlinkDetector()
    begun: dict[int, str] = {}
    for number, ratio in enumerate(ratios):
        if ratio is None:
            blinks.lose_face()
            continue
        t_s = number / rate_hz
        blink = blinks.update(ratio, baseline.openness(ratio, t_s), t_s)
        if blink is not None:
            begun[round(blink.start_s * rate_hz) + 1] = blink.kind
    return begun


def matched(keyed: list[int], detected: list[int]) -> int:
    """Return the greatest number of pairs within the tolerance.

    Parameters
    ----------
    keyed, detected : list of int
        Frames, in order.
    """
    pairs = first = second = 0
    while first < len(keyed) and second < len(detected):
        if abs(keyed[first] - detected[second]) <= TOLERANCE_FRAMES:
            pairs, first, second = pairs + 1, first + 1, second + 1
        elif keyed[first] < detected[second]:
            first += 1
        else:
            second += 1
    return pairs


def scores(keyed: list[int], detected: list[int]) -> dict[str, float]:
    """Score detected blinks against keyed ones.

    Parameters
    ----------
    keyed, detected : list of int
        Frames, in order.

    Returns
    -------
    dict of str to float
        `f1`, `precision` and `recall`.
    """
    pairs = matched(keyed, detected)
    return {
        "f1": 2.0 * pairs / max(len(keyed) + len(detected), 1),
        "precision": pairs / max(len(detected), 1),
        "recall": pairs / max(len(keyed), 1),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "blinks")
    parser.add_argument("data", type=Path, help="folder with the recordings")
    flags = parser.parse_args(argv)
    reports = []
    for path in sorted(flags.data.glob("*.txt")):
        recording = read(path)
        ours = found(recording.ratios, recording.rate_hz)
        kinds = ", ".join(
            f"{list(ours.values()).count(kind)} {kind}" for kind in ("short", "long", "half")
        )
        goal = GOALS.get(recording.name)
        report = Report(
            f"{recording.name}: {len(recording.keyed)} blinks keyed, {len(ours)} found ({kinds})",
            goals={"f1": goal} if goal else {},
            prefix=f"{recording.name}.",
        )
        report.add("ours", scores(recording.keyed, sorted(ours)))
        report.add("author's marks", scores(recording.keyed, recording.marked))
        reports.append(report)
    publish(reports, flags.json)


if __name__ == "__main__":
    main()
