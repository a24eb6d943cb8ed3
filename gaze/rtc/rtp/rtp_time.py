"""When what a browser sends was captured, by our clock.

A browser's streams have timestamps of clocks of their own (the camera's, the sound card's), which
drift apart. Each sender report (RFC 3550, section 6.4.1) says how one of them stands against the
browser's one NTP clock. That clock is mapped to ours once for all streams, so that picture and
sound keep their relation however clocks drift.
"""

from dataclasses import dataclass

MAX_RISE_PER_S = 0.001  # 1000 ppm, far above any oscillator's drift


@dataclass(frozen=True, slots=True)
class _Report:
    browser_s: float
    timestamp: int


class RtpTimes:
    """Maps RTP timestamps of a browser's streams, by SSRC, to monotonic time."""

    def __init__(self) -> None:
        self._reports: dict[int, _Report] = {}
        self._offset_s: float | None = None  # our clock minus the browser's

    def on_report(self, ssrc: int, ntp: int, timestamp: int, t_s: float) -> None:
        """Take a sender report.

        Parameters
        ----------
        ssrc : int
            Of the stream.
        ntp : int
            NTP time of the report, 32.32 bits.
        timestamp : int
            RTP timestamp of the same moment, 32 bits.
        t_s : float
            When the report arrived, in monotonic seconds.
        """
        browser_s = ntp / (1 << 32)
        if self._offset_s is None:
            self._offset_s = t_s - browser_s
        self._reports[ssrc] = _Report(browser_s, timestamp)

    def capture_s(self, ssrc: int, timestamp: int, rate_hz: int) -> float | None:
        """Give the capture time of an RTP timestamp.

        Parameters
        ----------
        ssrc : int
            Of the stream.
        timestamp : int
            RTP timestamp; only its low 32 bits count.
        rate_hz : int
            The stream's RTP clock.

        Returns
        -------
        float or None
            In monotonic seconds; None before the stream's first sender report.
        """
        report = self._reports.get(ssrc)
        if report is None or self._offset_s is None:
            return None
        ticks = (timestamp - report.timestamp) & 0xFFFFFFFF
        if ticks >= 0x80000000:
            ticks -= 1 << 32
        return report.browser_s + ticks / rate_hz + self._offset_s


class CaptureClock:
    """When frames were captured, on the monotonic clock, from their timestamps and arrivals.

    The frame with the shortest delay sets the offset between the two clocks; the offset may rise
    slowly, so that a drifting sender clock is followed.
    """

    def __init__(self, rise_per_s: float = MAX_RISE_PER_S) -> None:
        """Begin without an offset.

        Parameters
        ----------
        rise_per_s : float, default MAX_RISE_PER_S
            How much the offset may rise, in seconds per second.
        """
        self._rise_per_s = rise_per_s
        self._offset_s: float | None = None
        self._last_arrival_s = 0.0

    def capture_s(self, timestamp_s: float, arrival_s: float) -> float:
        """Give a frame's capture time.

        Parameters
        ----------
        timestamp_s : float
            By the sender's clock, in seconds.
        arrival_s : float
            In monotonic seconds.

        Returns
        -------
        float
            In monotonic seconds; never later than the arrival.
        """
        offset_s = arrival_s - timestamp_s
        if self._offset_s is not None:
            risen_s = self._offset_s + self._rise_per_s * (arrival_s - self._last_arrival_s)
            offset_s = min(offset_s, risen_s)
        self._offset_s = offset_s
        self._last_arrival_s = arrival_s
        return timestamp_s + offset_s
