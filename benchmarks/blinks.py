"""How many blinks are found in recordings of lids: `python -m benchmarks.blinks DATA`.

DATA holds pairs of files. `NAME.txt` has one line a frame: the eye aspect ratio, `x` where no face
was seen, and a leading `*` where the recording's author took a blink to begin. `NAME_no.json` lists
the frames, counted from 1, at which people keyed a blink. A blink found within 3 frames of one that
was keyed is matched to it, one to one. The author's own marks are measured in the same way.

The recordings carry no time: NAME ends in their length in minutes (`both_9m`).
"""

import argparse
import json
import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.report import Goal, Report, publish
from gaze.vision.events.blinks import Blinks
from gaze.vision.face.eye_landmarks import LidBaseline

TOLERANCE = 3
GOALS = {"concentrate_3m": Goal(least=0.95), "both_9m": Goal(least=0.72)}


@dataclass(frozen=True)
class Recording:
    """Aspect ratios by frame (None: no face), and frames, from 1, that were keyed and marked."""

    name: str
    rate_hz: float
    ratios: list[float | None]
    keyed: list[int]
    marked: list[int]


def read(path: Path) -> Recording:
    """Read `NAME.txt` and the `NAME_no.json` beside it.

    Raises:
        ValueError: the name does not end in minutes.
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
    """Return the frames, from 1, in which our detector says that blinks began, and their kinds."""
    baseline, blinks = LidBaseline(), Blinks()
    begun = {}
    for number, ratio in enumerate(ratios):
        if ratio is None:
            blinks.forget()
            continue
        t_s = number / rate_hz
        blink = blinks.update(ratio, baseline.openness(ratio, t_s), t_s)
        if blink is not None:
            begun[round(blink.start_s * rate_hz) + 1] = blink.kind
    return begun


def matched(keyed: list[int], said: list[int]) -> int:
    """Return how many pairs within the tolerance there are at most; both lists are in order."""
    pairs = first = second = 0
    while first < len(keyed) and second < len(said):
        if abs(keyed[first] - said[second]) <= TOLERANCE:
            pairs, first, second = pairs + 1, first + 1, second + 1
        elif keyed[first] < said[second]:
            first += 1
        else:
            second += 1
    return pairs


def scores(keyed: list[int], said: list[int]) -> dict[str, float]:
    """Return F1, precision and recall of what was said."""
    pairs = matched(keyed, said)
    return {
        "f1": 2.0 * pairs / max(len(keyed) + len(said), 1),
        "precision": pairs / max(len(said), 1),
        "recall": pairs / max(len(keyed), 1),
    }


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with the recordings")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, flat")
    arguments = parser.parse_args()
    reports = []
    for path in sorted(arguments.data.glob("*.txt")):
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
    publish(reports, arguments.json)


if __name__ == "__main__":
    main()
