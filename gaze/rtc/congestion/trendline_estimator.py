"""Detects overuse of a network path by the trend of the one-way delay.

The delay gradient between packet groups is accumulated and smoothed, a straight line is fitted to
the last twenty values, and its slope is compared with a threshold that adapts to the path's jitter
(draft-ietf-rmcat-gcc-02, sections 5.3 and 5.4). Filter and constants as in libwebrtc's
`goog_cc/trendline_estimator.cc`.
"""

from collections import deque
from enum import Enum

WINDOW_GROUPS = 20  # kDefaultTrendlineWindowSize
SMOOTHING = 0.9  # kDefaultTrendlineSmoothingCoeff
THRESHOLD_GAIN = 4.0  # kDefaultTrendlineThresholdGain
MAX_DELTAS = 60  # kMinNumDeltas

INITIAL_THRESHOLD_MS = 12.5  # threshold_
MIN_THRESHOLD_MS, MAX_THRESHOLD_MS = 6.0, 600.0  # UpdateThreshold
THRESHOLD_UP, THRESHOLD_DOWN = 0.0087, 0.039  # k_up_, k_down_
MAX_ADAPT_OFFSET_MS = 15.0  # kMaxAdaptOffsetMs
MAX_ADAPT_INTERVAL_MS = 100.0  # kMaxTimeDeltaMs
OVERUSE_MS = 10.0  # kOverUsingTimeThreshold


class BandwidthUsage(Enum):
    """What the delays say of the queue: it is steady, drains, or grows."""

    NORMAL = "normal"
    UNDERUSE = "underuse"
    OVERUSE = "overuse"


class TrendlineEstimator:
    """The slope of the smoothed delay, and what it means.

    Attributes
    ----------
    usage : BandwidthUsage
        As of the last update.
    trend : float
        Slope in ms of delay per ms.
    threshold_ms : float
        What the slope times its gain is compared with.
    """

    def __init__(self) -> None:
        self.usage = BandwidthUsage.NORMAL
        self.trend = 0.0
        self.threshold_ms = INITIAL_THRESHOLD_MS
        self._deltas = 0
        self._delay_ms = 0.0
        self._smoothed_ms = 0.0
        self._history: deque[tuple[float, float]] = deque(maxlen=WINDOW_GROUPS)
        self._first_arrival_ms: float | None = None
        self._overuse_ms: float | None = None
        self._overuses = 0
        self._adapted_ms: float | None = None

    def update(
        self, send_delta_s: float, arrival_delta_s: float, arrival_s: float
    ) -> BandwidthUsage:
        """Take the deltas between two packet groups.

        Parameters
        ----------
        send_delta_s : float
            Time between their departures, in seconds.
        arrival_delta_s : float
            Time between their arrivals, in seconds.
        arrival_s : float
            Arrival of the second, in seconds.

        Returns
        -------
        BandwidthUsage
            The new state.
        """
        arrival_ms = arrival_s * 1000
        if self._first_arrival_ms is None:
            self._first_arrival_ms = arrival_ms
        self._deltas += 1
        self._delay_ms += (arrival_delta_s - send_delta_s) * 1000
        self._smoothed_ms = SMOOTHING * self._smoothed_ms + (1 - SMOOTHING) * self._delay_ms
        self._history.append((arrival_ms - self._first_arrival_ms, self._smoothed_ms))
        trend = self.trend
        if len(self._history) == WINDOW_GROUPS:
            trend = _slope(self._history)
        self._detect(trend, send_delta_s * 1000, arrival_ms)
        return self.usage

    def _detect(self, trend: float, send_delta_ms: float, arrival_ms: float) -> None:
        if self._deltas < 2:
            return
        modified_trend_ms = min(self._deltas, MAX_DELTAS) * trend * THRESHOLD_GAIN
        if modified_trend_ms > self.threshold_ms:
            self._overuse_ms = (
                send_delta_ms / 2 if self._overuse_ms is None else self._overuse_ms + send_delta_ms
            )
            self._overuses += 1
            if self._overuse_ms > OVERUSE_MS and self._overuses > 1 and trend >= self.trend:
                self._overuse_ms, self._overuses = 0.0, 0
                self.usage = BandwidthUsage.OVERUSE
        else:
            self._overuse_ms, self._overuses = None, 0
            drains = modified_trend_ms < -self.threshold_ms
            self.usage = BandwidthUsage.UNDERUSE if drains else BandwidthUsage.NORMAL
        self.trend = trend
        self._adapt_threshold(abs(modified_trend_ms), arrival_ms)

    def _adapt_threshold(self, modified_trend_ms: float, arrival_ms: float) -> None:
        interval_ms = (
            0.0
            if self._adapted_ms is None
            else min(arrival_ms - self._adapted_ms, MAX_ADAPT_INTERVAL_MS)
        )
        self._adapted_ms = arrival_ms
        if modified_trend_ms > self.threshold_ms + MAX_ADAPT_OFFSET_MS:
            return  # a step such as a new route, not jitter
        gain = THRESHOLD_DOWN if modified_trend_ms < self.threshold_ms else THRESHOLD_UP
        threshold_ms = self.threshold_ms + gain * (modified_trend_ms - self.threshold_ms) * (
            interval_ms
        )
        self.threshold_ms = min(max(threshold_ms, MIN_THRESHOLD_MS), MAX_THRESHOLD_MS)


def _slope(points: deque[tuple[float, float]]) -> float:
    """Slope of the least-squares line through the points."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    numerator = sum((x - mean_x) * (y - mean_y) for x, y in points)
    denominator = sum((x - mean_x) ** 2 for x, _ in points)
    return numerator / denominator if denominator else 0.0
