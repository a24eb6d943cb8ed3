"""A bitrate from a growing count of bytes."""

from collections import deque

WINDOW_S = 1.0  # chosen by hand; no benchmark covers it


class RateCounter:
    """Bits per second over about the last second."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, total_bytes: int, t_s: float) -> float:
        """Take the count, and return the rate.

        Parameters
        ----------
        total_bytes : int
            All bytes so far.
        t_s : float
            Now, in seconds.

        Returns
        -------
        float
            In bit/s; 0 until there are two samples of different times.
        """
        self._samples.append((t_s, total_bytes))
        while len(self._samples) > 2 and t_s - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()
        then_s, then_bytes = self._samples[0]
        return 8 * (total_bytes - then_bytes) / (t_s - then_s) if t_s > then_s else 0.0
