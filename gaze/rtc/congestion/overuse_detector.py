"""Tells from packet delays whether a way is overused (draft-ietf-rmcat-gcc-02, section 5).

Packets that left together are one group. How much later each group comes than its predecessor,
compared with how much later it left, is the delay gradient; its trend over the last groups, held
against a threshold that adapts to the way's own jitter, says whether a queue grows. Constants and
the trendline filter as in libwebrtc, which browsers use.
"""

from collections import deque
from dataclasses import dataclass
from enum import Enum

GROUP_S = 0.005
MAX_BURST_S = 0.1
REORDERED_IN_A_ROW = 3

WINDOW = 20  # groups
SMOOTHING = 0.9
GAIN = 4.0
MAX_DELTAS = 60

THRESHOLD_MS = 12.5
MIN_THRESHOLD_MS, MAX_THRESHOLD_MS = 6.0, 600.0
THRESHOLD_UP, THRESHOLD_DOWN = 0.0087, 0.039
MAX_ADAPT_MS = 15.0
OVERUSE_MS = 10.0


class Usage(Enum):
    """What the delays say: the queue is steady, empties, or grows."""

    NORMAL = "normal"
    UNDERUSE = "underuse"
    OVERUSE = "overuse"


@dataclass(slots=True)
class _Group:
    first_sent_s: float
    last_sent_s: float
    first_arrival_s: float
    last_arrival_s: float


class PacketGroups:
    """Puts packets into groups and gives the time between one group and the next."""

    def __init__(self) -> None:
        self._group: _Group | None = None
        self._previous: _Group | None = None
        self._reordered = 0

    def add(self, sent_s: float, arrival_s: float) -> tuple[float, float] | None:
        """Take a packet; when it begins a new group, return two times between the last two.

        Returns:
            Time between their departures and between their arrivals, in seconds.
        """
        group = self._group
        if group is None:
            self._group = _Group(sent_s, sent_s, arrival_s, arrival_s)
            return None
        if sent_s < group.first_sent_s:
            return None  # overtaken
        if self._belongs(group, sent_s, arrival_s):
            group.last_sent_s = max(group.last_sent_s, sent_s)
            group.last_arrival_s = max(group.last_arrival_s, arrival_s)
            return None
        deltas = self._deltas(group)
        self._previous = group
        self._group = _Group(sent_s, sent_s, arrival_s, arrival_s)
        return deltas

    @staticmethod
    def _belongs(group: _Group, sent_s: float, arrival_s: float) -> bool:
        if sent_s - group.first_sent_s <= GROUP_S:
            return True
        waited_s = arrival_s - group.last_arrival_s
        return (  # packets that waited somewhere and came in one burst
            waited_s < sent_s - group.last_sent_s
            and waited_s <= GROUP_S
            and arrival_s - group.first_arrival_s < MAX_BURST_S
        )

    def _deltas(self, group: _Group) -> tuple[float, float] | None:
        previous = self._previous
        if previous is None:
            return None
        arrival_s = group.last_arrival_s - previous.last_arrival_s
        if arrival_s < 0:
            self._reordered += 1
            if self._reordered >= REORDERED_IN_A_ROW:
                self._reordered = 0
                self._previous = None
            return None
        self._reordered = 0
        return group.last_sent_s - previous.last_sent_s, arrival_s


class OveruseDetector:
    """The trend of the delay, and what it means."""

    def __init__(self) -> None:
        self.usage = Usage.NORMAL
        self.trend = 0.0
        self.threshold_ms = THRESHOLD_MS
        self._deltas = 0
        self._delay_ms = 0.0
        self._smoothed_ms = 0.0
        self._history: deque[tuple[float, float]] = deque(maxlen=WINDOW)
        self._first_ms: float | None = None
        self._over_ms: float | None = None
        self._overs = 0
        self._adapted_ms: float | None = None

    def update(self, sent_s: float, arrived_s: float, arrival_s: float) -> Usage:
        """Take the times between two groups' departures and arrivals, and the second's arrival."""
        arrival_ms = arrival_s * 1000
        if self._first_ms is None:
            self._first_ms = arrival_ms
        self._deltas += 1
        self._delay_ms += (arrived_s - sent_s) * 1000
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._delay_ms
        self._history.append((arrival_ms - self._first_ms, self._smoothed_ms))
        trend = self.trend
        if len(self._history) == WINDOW:
            trend = _slope(self._history)
        self._judge(trend, sent_s * 1000, arrival_ms)
        return self.usage

    def _judge(self, trend: float, sent_ms: float, arrival_ms: float) -> None:
        if self._deltas < 2:
            return
        offset_ms = min(self._deltas, MAX_DELTAS) * trend * GAIN
        if offset_ms > self.threshold_ms:
            self._over_ms = sent_ms / 2 if self._over_ms is None else self._over_ms + sent_ms
            self._overs += 1
            if self._over_ms > OVERUSE_MS and self._overs > 1 and trend >= self.trend:
                self._over_ms, self._overs = 0.0, 0
                self.usage = Usage.OVERUSE
        else:
            self._over_ms, self._overs = None, 0
            self.usage = Usage.UNDERUSE if offset_ms < -self.threshold_ms else Usage.NORMAL
        self.trend = trend
        self._adapt(abs(offset_ms), arrival_ms)

    def _adapt(self, offset_ms: float, arrival_ms: float) -> None:
        since_ms = 0.0 if self._adapted_ms is None else min(arrival_ms - self._adapted_ms, 100.0)
        self._adapted_ms = arrival_ms
        if offset_ms > self.threshold_ms + MAX_ADAPT_MS:
            return  # a step such as a new route, not jitter
        gain = THRESHOLD_DOWN if offset_ms < self.threshold_ms else THRESHOLD_UP
        threshold_ms = self.threshold_ms + gain * (offset_ms - self.threshold_ms) * since_ms
        self.threshold_ms = min(max(threshold_ms, MIN_THRESHOLD_MS), MAX_THRESHOLD_MS)


def _slope(points: deque[tuple[float, float]]) -> float:
    """Of the straight line through the points with the least squares."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    over = sum((x - mean_x) * (y - mean_y) for x, y in points)
    under = sum((x - mean_x) ** 2 for x, _ in points)
    return over / under if under else 0.0
