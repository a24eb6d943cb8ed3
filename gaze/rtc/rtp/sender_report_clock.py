"""What sender reports say of time (RFC 3550, 6.4.1), so that picture and sound fit together.

A report says which RTP timestamp belongs to which moment. All streams of the server tell moments
of one clock, the monotonic one, and mean by them when a frame or sample is due, not when it was
sent: what was due together is shown together, however long one of them took to encode.
"""

import time

NTP_EPOCH_S = 2_208_988_800  # of 1970 on the clock that counts from 1900
SMOOTHING = 0.1
JUMP_S = 0.02

WALL_OFFSET_S = time.time() - time.monotonic()
"""Taken once: later steps of the wall clock must not move one stream against the other."""


def ntp(t_s: float) -> int:
    """A monotonic time as NTP's 32.32 bits."""
    return round((t_s + WALL_OFFSET_S + NTP_EPOCH_S) * (1 << 32)) & 0xFFFFFFFFFFFFFFFF


class SenderClock:
    """Which RTP timestamp of one stream is due when."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._timestamp: int | None = None
        self._due_s = 0.0

    @property
    def known(self) -> bool:
        """Whether a frame was noted."""
        return self._timestamp is not None

    def note(self, timestamp: int, due_s: float) -> None:
        """A frame with this RTP timestamp is due then.

        Where timestamps go on evenly and due times vary a little, the mean counts.
        """
        if self._timestamp is not None:
            error_s = due_s - self._time_of(timestamp)
            if abs(error_s) < JUMP_S:
                due_s -= (1 - SMOOTHING) * error_s
        self._timestamp, self._due_s = timestamp, due_s

    def timestamp_at(self, t_s: float) -> int:
        """The RTP timestamp that is due at a time, 32 bits."""
        assert self._timestamp is not None
        return (self._timestamp + round((t_s - self._due_s) * self._rate_hz)) & 0xFFFFFFFF

    def _time_of(self, timestamp: int) -> float:
        assert self._timestamp is not None
        ticks = (timestamp - self._timestamp) & 0xFFFFFFFF
        if ticks >= 0x80000000:
            ticks -= 1 << 32
        return self._due_s + ticks / self._rate_hz
