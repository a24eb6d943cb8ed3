"""Protocols: which photos a calibration learns from, and which are tested."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from benchmarks.gaze.photos import Numbers, Photos, Points

# Calibration points as fractions of the screen.
FOUR: Points = ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))
NINE: Points = tuple((x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9))
ONE: Points = ((0.5, 0.5),)
PAIRED_SIZE = 16  # targets of the sessions that are paired with each other


Group = list["Split"]
"""The splits of one session, or of one pair of sessions, whose errors are averaged first."""


@dataclass(frozen=True)
class Split:
    """What is learned from, and what is tested.

    Attributes
    ----------
    parts : tuple of (Photos, ndarray of int)
        Sessions, and which of their photos are learned from.
    tested : (Photos, ndarray of int)
        The session, and which of its photos are predicted.
    """

    parts: tuple[tuple[Photos, Numbers], ...]
    tested: tuple[Photos, Numbers]


def leave_one_out(sessions: list[Photos]) -> list[Group]:
    """Predict every target of a session from the session's others.

    Parameters
    ----------
    sessions : list of Photos
        Of one person.
    """
    groups = []
    for photos in sessions:
        _, names = np.unique(photos.targets.round(4), axis=0, return_inverse=True)
        names = names.ravel()
        groups.append(
            [
                Split(((photos, np.flatnonzero(names != n)),), (photos, np.flatnonzero(names == n)))
                for n in np.unique(names)
            ]
        )
    return groups


def nine_targets(sessions: list[Photos]) -> list[Group]:
    """Predict a session's targets from nine that are spread over the screen.

    Parameters
    ----------
    sessions : list of Photos
        Of one person.
    """
    return [[Split(((p, p.nearest(NINE)),), (p, _others(p, p.nearest(NINE))))] for p in sessions]


def other_session(points: Points) -> Callable[[list[Photos]], list[Group]]:
    """Predict a session's targets from another session and some of its own.

    Parameters
    ----------
    points : tuple of (float, float)
        Which of its own: those nearest to these fractions of the screen.

    Returns
    -------
    callable
        Makes one group for each ordered pair of the sessions with `PAIRED_SIZE` targets.
    """

    def splits(sessions: list[Photos]) -> list[Group]:
        groups = []
        paired = [photos for photos in sessions if len(photos.targets) == PAIRED_SIZE]
        for first, second in permutations(paired, 2):
            added = second.nearest(points) if points else np.zeros(0, dtype=np.intp)
            parts = ((first, np.arange(len(first.targets))), (second, added))
            groups.append([Split(parts[: 2 if points else 1], (second, _others(second, added)))])
        return groups

    return splits


def whole_session(sessions: list[Photos]) -> list[Group]:
    """Predict all targets of a session; nothing is learned.

    Parameters
    ----------
    sessions : list of Photos
        Of one person.
    """
    return [[Split((), (photos, np.arange(len(photos.targets))))] for photos in sessions]


def _others(photos: Photos, numbers: Numbers) -> Numbers:
    return np.setdiff1d(np.arange(len(photos.targets)), numbers)
