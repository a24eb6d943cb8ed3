"""What the server's sender reports say of time (RFC 3550, 6.4.1), so that picture and sound match.

A report says which RTP timestamp belongs to which NTP time. All streams of the server report times
of one clock, the monotonic one, and mean by them when a frame or sample is due, not when it was
sent: what was due together is shown together, however long one of them took to encode.
"""

import time

NTP_EPOCH_S = 2_208_988_800  # of 1970 on the clock that counts from 1900 (RFC 5905)
# Chosen by hand; tests/rtc/rtp/test_sender_report_clock.py shows picture and sound stay within 1 ms
# of each other over ten pauses and an hour of drift.
SMOOTHING = 0.1
MAX_SMOOTHED_S = 0.02  # a larger difference is a jump

WALL_OFFSET_S = time.time() - time.monotonic()
"""Taken once: later steps of the wall clock must not move one stream against the other."""


def ntp_time(t_s: float) -> int:
    """Convert a monotonic time to NTP time.

    Parameters
    ----------
    t_s : float
        In monotonic seconds.

    Returns
    -------
    int
        32.32 bits.
    """
    return round((t_s + WALL_OFFSET_S + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


class SenderReportClock:
    """Which RTP timestamp of one stream is due when."""

    def __init__(self, rate_hz: int) -> None:
        """Begin without a frame.

        Parameters
        ----------
        rate_hz : int
            The stream's RTP clock.
        """
        self._rate_hz = rate_hz
        self._last: tuple[int, float] | None = None  # timestamp, when it is due

    @property
    def known(self) -> bool:
        """Whether a frame was taken."""
        return self._last is not None

    def update(self, timestamp: int, due_s: float) -> None:
        """Take a frame; where timestamps are even and due times vary a little, the mean counts.

        Parameters
        ----------
        timestamp : int
            Its RTP timestamp, 32 bits.
        due_s : float
            When it is due, in monotonic seconds.
        """
        if self._last is not None:
            error_s = due_s - self._time_of(timestamp, *self._last)
            if abs(error_s) < MAX_SMOOTHED_S:
                due_s -= (1 - SMOOTHING) * error_s
        self._last = timestamp, due_s

    def timestamp_at(self, t_s: float) -> int:
        """Give the RTP timestamp that is due at a time.

        Parameters
        ----------
        t_s : float
            In monotonic seconds.

        Returns
        -------
        int
            32 bits.

        Raises
        ------
        RuntimeError
            If no frame was taken yet.
        """
        if self._last is None:
            raise RuntimeError("no frame was taken yet; ask `known` first")
        timestamp, due_s = self._last
        return (timestamp + round((t_s - due_s) * self._rate_hz)) & 0xFFFFFFFF

    def _time_of(self, timestamp: int, last: int, last_due_s: float) -> float:
        ticks = (timestamp - last) & 0xFFFFFFFF
        if ticks >= 0x80000000:
            ticks -= 1 << 32
        return last_due_s + ticks / self._rate_hz
