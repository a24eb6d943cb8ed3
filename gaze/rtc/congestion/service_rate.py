"""The service rate of the bottleneck: the bitrate at which a standing queue is drained.

While packets wait in the queue of the bottleneck it is never idle, so what leaves it is its
capacity. That is known within one feedback message, while an average of the acknowledged bitrate
still holds what was before. The constants were tuned on a step from 5 to 0.7 Mbit/s on
simulation.network.scripted (the estimate is there after 0.4 s instead of 1.4 to 5.7 s) and by
`python -m benchmarks.network --who chromium --scenarios step`.
"""

from collections import deque
from collections.abc import Sequence

from gaze.rtc.congestion.packet_results import PacketResult

MIN_QUEUE_S = 0.02  # a message all of whose packets waited this long belongs to a busy period
WINDOW_S = 0.3
MIN_BUSY_S = 0.06
MIN_PACKETS = 5


class ServiceRate:
    """Measures the arrival rate over feedback messages all of whose packets have waited."""

    def __init__(self) -> None:
        self._spans: deque[tuple[float, float, int, int]] = deque()  # end, seconds, bits, packets

    def add(self, arrived: Sequence[PacketResult], queue_s: float) -> None:
        """Take the packets that one feedback message reports as arrived.

        Parameters
        ----------
        arrived : sequence of PacketResult
            In any order.
        queue_s : float
            How long the one that waited least has waited, in seconds.
        """
        times = [
            (result.arrival_s, result.size_bytes)
            for result in arrived
            if result.arrival_s is not None
        ]
        if not times:
            return
        (first_s, first_bytes), (last_s, _) = min(times), max(times)
        while self._spans and last_s - self._spans[0][0] > WINDOW_S:
            self._spans.popleft()
        if queue_s < MIN_QUEUE_S:
            self._spans.clear()
        elif last_s > first_s:
            bits = 8 * (sum(size for _, size in times) - first_bytes)
            self._spans.append((last_s, last_s - first_s, bits, len(times) - 1))

    @property
    def rate_bps(self) -> float | None:
        """The rate in bit/s; None if no queue stands or too little has left it."""
        busy_s = sum(span[1] for span in self._spans)
        if busy_s < MIN_BUSY_S or sum(span[3] for span in self._spans) < MIN_PACKETS:
            return None
        return sum(span[2] for span in self._spans) / busy_s
