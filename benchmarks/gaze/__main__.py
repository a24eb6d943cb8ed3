"""The command of the gaze benchmark."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.gaze import __doc__ as description
from benchmarks.gaze.methods import CENTRE, METHODS, UNCALIBRATED, Method
from benchmarks.gaze.photos import Photos, read_sessions
from benchmarks.gaze.protocols import (
    FOUR,
    ONE,
    Group,
    leave_one_out,
    nine_targets,
    other_session,
    whole_session,
)
from benchmarks.report import arguments, write_figures

PROTOCOLS: dict[str, tuple[Callable[[list[Photos]], list[Group]], dict[str, Method]]] = {
    "leave_one_out": (leave_one_out, METHODS),
    "nine_targets": (nine_targets, METHODS),
    "other_session_plus_4": (other_session(FOUR), METHODS),
    "other_session_plus_1": (other_session(ONE), METHODS),
    "other_session": (other_session(()), METHODS),
    "uncalibrated": (whole_session, {"centre": CENTRE, "ours": UNCALIBRATED}),
}


def measure(sessions: list[Photos]) -> dict[str, float]:
    """Print the table and return its figures.

    Parameters
    ----------
    sessions : list of Photos
        Of everybody.

    Returns
    -------
    dict of str to float
        By `protocol_method_person_statistic`.
    """
    figures: dict[str, float] = {}
    print("error, fractions of the screen's width")
    print(f"{'protocol':22}{'method':20}person   mean  median      x      y")
    for protocol, (splits, methods) in PROTOCOLS.items():
        for name, method in methods.items():
            for person in sorted({photos.person for photos in sessions}):
                mine = [photos for photos in sessions if photos.person == person]
                errors = [
                    np.vstack([method(s) - s.tested[0].targets[s.tested[1]] for s in group])
                    for group in splits(mine)
                ]
                if not errors:
                    continue
                distances = [np.linalg.norm(error, axis=1) for error in errors]
                x, y = np.mean([np.abs(error).mean(axis=0) for error in errors], axis=0)
                row = {
                    "mean": float(np.mean([each.mean() for each in distances])),
                    "median": float(np.mean([np.median(each) for each in distances])),
                    "x": float(x),
                    "y": float(y),
                }
                print(
                    f"{protocol:22}{name:20}{person:6}"
                    + "".join(f"{value:7.3f}" for value in row.values())
                )
                for statistic, value in row.items():
                    figures[f"{protocol}_{name}_{person}_{statistic}"] = value
    return figures


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(description, "gaze")
    parser.add_argument("data", type=Path, help="folder with labels.csv and its photos")
    flags = parser.parse_args(argv)
    write_figures(measure(read_sessions(flags.data)), flags.json)


if __name__ == "__main__":
    main()
