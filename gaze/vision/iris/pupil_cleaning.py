"""Takes blinks and leaps out of pupil widths, as they come.

After Kret and Sjak-Shie (2019, "Preprocessing pupil size data: guidelines and code"), adapted to a
camera's rate and to the past alone: widths out of range go; so do those that change faster than
the median speed and 16 median deviations; so does what comes within 50 ms of a gap. What lies
before a gap is held back for those 50 ms, or a frame, so that it can still be taken out.
"""

from collections import deque

import numpy as np

from gaze.vision.median import median

SMALLEST_MM, LARGEST_MM = 1.5, 9.0
AROUND_GAP_S = 0.05
DEVIATIONS = 16.0
BRIDGE_S = 0.4

_SPEEDS = 150
_FEWEST_SPEEDS = 15
_SLOWEST_LIMIT_MM_S = 4.0
_GAP_S = 0.075
_RETURN_S = 0.3


class PupilCleaner:
    """Takes one width a frame; gives it out again, a good one before it, or None."""

    def __init__(self) -> None:
        self._speeds: deque[float] = deque(maxlen=_SPEEDS)
        self._waiting: tuple[float, float] | None = None
        self._given: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None
        self._gap_ended_s: float | None = None

    def update(self, mm: float | None, t_s: float) -> float | None:
        """Take the width seen at `t_s`, None where the eyes are closed or nothing is seen.

        Gaps are bridged with the last good width for 0.4 s; then it is unknown.
        """
        good = mm is not None and SMALLEST_MM <= mm <= LARGEST_MM and self._calm(mm, t_s)
        if mm is None or not good:
            # What came just before a gap was seen through falling lids.
            if self._waiting is not None and t_s - self._waiting[0] <= max(AROUND_GAP_S, _GAP_S):
                self._waiting = None
            self._gap_ended_s = t_s
            if mm is None:
                self._last = None
        elif self._gap_ended_s is not None and t_s - self._gap_ended_s <= AROUND_GAP_S:
            self._last = (t_s, mm)
        else:
            if self._waiting is not None:
                self._given = self._waiting
            self._waiting = (t_s, mm)
        if self._given is None or t_s - self._given[0] > BRIDGE_S:
            return None
        return self._given[1]

    def _calm(self, mm: float, t_s: float) -> bool:
        """Whether a width is near enough to the one before it."""
        before, self._last = self._last, (t_s, mm)
        if before is None:
            # After a gap only what was good before it can be compared with.
            before = self._given
            if before is None or t_s - before[0] > _RETURN_S:
                return True
        step_s = t_s - before[0]
        if step_s <= 0.0:
            return False
        speed = abs(mm - before[1]) / step_s
        limit = _SLOWEST_LIMIT_MM_S
        if len(self._speeds) >= _FEWEST_SPEEDS:
            speeds = np.array(self._speeds)
            usual = float(median(speeds))
            spread = float(median(np.abs(speeds - usual)))
            limit = max(limit, usual + DEVIATIONS * spread)
        if speed > limit:
            return False
        self._speeds.append(speed)
        return True
