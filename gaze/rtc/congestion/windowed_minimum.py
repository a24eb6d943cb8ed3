"""The minimum of a signal over the last twenty to thirty seconds."""

from collections import deque

BUCKET_S = 10.0
BUCKETS = 3
"""Chosen by hand; long enough that a film's peaks do not become the base of its own delay, short
enough that a changed route becomes one (tests/rtc/congestion/test_queue_delay.py)."""


class WindowedMinimum:
    """A sliding minimum in constant memory: the least of each of the last three buckets of 10 s."""

    def __init__(self) -> None:
        self._minima: deque[tuple[float, float]] = deque(maxlen=BUCKETS)  # bucket's start, least

    def update(self, value: float, t_s: float) -> float:
        """Take a value.

        Parameters
        ----------
        value : float
            The signal now.
        t_s : float
            Now, in seconds; does not decrease.

        Returns
        -------
        float
            The minimum of the last 20 to 30 s.
        """
        if not self._minima or t_s - self._minima[-1][0] >= BUCKET_S:
            self._minima.append((t_s, value))
        elif value < self._minima[-1][1]:
            self._minima[-1] = (self._minima[-1][0], value)
        return min(least for _, least in self._minima)
