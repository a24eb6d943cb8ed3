"""Remove blinks and artefacts from pupil diameters, online.

After Kret and Sjak-Shie (2019, "Preprocessing pupil size data: guidelines and code"), adapted to a
camera's sampling rate and to the past alone: diameters out of range are removed; so are those that
change faster than the median speed and 16 median absolute deviations; so is what comes within 50 ms
of a gap. What comes before a gap is delayed by those 50 ms, or a frame, so that it can still be
removed.
"""

from collections import deque

import numpy as np

from gaze.vision.median import median

# Kret and Sjak-Shie (2019).
SMALLEST_MM, LARGEST_MM = 1.5, 9.0
AROUND_GAP_S = 0.05
DEVIATIONS = 16.0
# The constants from here on were chosen by hand; `benchmarks.pupil` measures what they give.
BRIDGE_S = 0.4

_SPEEDS = 150
_MIN_SPEEDS = 15
_MIN_LIMIT_MM_S = 4.0
_GAP_S = 0.075
_RETURN_S = 0.3


class PupilCleaner:
    """Takes one diameter a frame; returns it, a valid one before it, or None."""

    def __init__(self) -> None:
        self._speeds: deque[float] = deque(maxlen=_SPEEDS)
        self._pending: tuple[float, float] | None = None
        self._returned: tuple[float, float] | None = None
        self._last: tuple[float, float] | None = None
        self._gap_ended_s: float | None = None

    def update(self, mm: float | None, t_s: float) -> float | None:
        """Take a diameter and return the newest valid one.

        Parameters
        ----------
        mm : float or None
            The measured diameter, None where the eyes are closed or no pupil is visible.
        t_s : float
            When it was measured.

        Returns
        -------
        float or None
            Gaps are bridged with the last valid diameter for 0.4 s; then it is None.
        """
        valid = mm is not None and SMALLEST_MM <= mm <= LARGEST_MM and self._is_slow_enough(mm, t_s)
        if mm is None or not valid:
            # What came just before a gap was seen through falling lids.
            if self._pending is not None and t_s - self._pending[0] <= max(AROUND_GAP_S, _GAP_S):
                self._pending = None
            self._gap_ended_s = t_s
            if mm is None:
                self._last = None
        elif self._gap_ended_s is not None and t_s - self._gap_ended_s <= AROUND_GAP_S:
            self._last = (t_s, mm)
        else:
            if self._pending is not None:
                self._returned = self._pending
            self._pending = (t_s, mm)
        if self._returned is None or t_s - self._returned[0] > BRIDGE_S:
            return None
        return self._returned[1]

    def _is_slow_enough(self, mm: float, t_s: float) -> bool:
        """Return whether the change since the diameter before is plausible."""
        before, self._last = self._last, (t_s, mm)
        if before is None:
            # After a gap, only what was valid before it can be compared with.
            before = self._returned
            if before is None or t_s - before[0] > _RETURN_S:
                return True
        step_s = t_s - before[0]
        if step_s <= 0.0:
            return False
        speed = abs(mm - before[1]) / step_s
        limit = _MIN_LIMIT_MM_S
        if len(self._speeds) >= _MIN_SPEEDS:
            speeds = np.array(self._speeds)
            typical = float(median(speeds))
            deviation = float(median(np.abs(speeds - typical)))
            limit = max(limit, typical + DEVIATIONS * deviation)
        if speed > limit:
            return False
        self._speeds.append(speed)
        return True
