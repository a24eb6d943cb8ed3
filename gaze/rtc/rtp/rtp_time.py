"""When what a browser sends was captured, by our clock: its sender reports (RFC 3550, 6.4.1).

Its streams have timestamps of clocks of their own (the camera's, the sound card's), which drift
apart. Each report says how one of them stands against the browser's one clock. That clock is mapped
to ours once for all streams, so that picture and sound keep their relation however clocks drift.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class _Report:
    browser_s: float
    timestamp: int


class RtpTimes:
    """Maps RTP timestamps of a browser's streams, by SSRC, to monotonic time."""

    def __init__(self) -> None:
        self._reports: dict[int, _Report] = {}
        self._ahead_s: float | None = None  # of our clock before the browser's

    def on_report(self, ssrc: int, ntp: int, timestamp: int, t_s: float) -> None:
        """A sender report that came now: the NTP time (32.32 bits) of an RTP timestamp."""
        browser_s = ntp / (1 << 32)
        if self._ahead_s is None:
            self._ahead_s = t_s - browser_s
        self._reports[ssrc] = _Report(browser_s, timestamp)

    def capture_s(self, ssrc: int, timestamp: int, rate_hz: int) -> float | None:
        """When what has this RTP timestamp (of any 32 bits) was captured; None if not known."""
        report = self._reports.get(ssrc)
        if report is None or self._ahead_s is None:
            return None
        ticks = (timestamp - report.timestamp) & 0xFFFFFFFF
        if ticks >= 0x80000000:
            ticks -= 1 << 32
        return report.browser_s + ticks / rate_hz + self._ahead_s


class CaptureClock:
    """When frames were captured, on the monotonic clock, from their timestamps and arrivals.

    The frame that took the shortest way sets the offset between the two clocks; the offset may
    rise slowly, so that a drifting sender clock is followed.
    """

    def __init__(self, rise_per_s: float = 0.001) -> None:
        self._rise_per_s = rise_per_s
        self._offset_s: float | None = None
        self._last_arrival_s = 0.0

    def capture_s(self, timestamp_s: float, arrival_s: float) -> float:
        """Monotonic capture time of a frame; never later than its arrival."""
        offset_s = arrival_s - timestamp_s
        if self._offset_s is not None:
            risen_s = self._offset_s + self._rise_per_s * (arrival_s - self._last_arrival_s)
            offset_s = min(offset_s, risen_s)
        self._offset_s = offset_s
        self._last_arrival_s = arrival_s
        return timestamp_s + offset_s
