"""Which packets are missing, and when to ask for them (again): generic NACK (RFC 4585, 6.2.1).

aiortc asks once, when the gap is seen: a lost request or a lost answer is a lost frame.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc.rtp import RtpPacket

AGAIN_S = 0.05
"""After a request; doubled each time, so that a long round trip is not asked for in vain."""
MAX_REQUESTS = 6
KEPT_S = 1.0
MAX_MISSING = 450  # more at once is an outage, which a key frame mends
REQUESTS_EACH, MOST_REQUESTS = 0.3, 30.0
"""So many requests may be made for each packet that comes, and so many at once: where a way has
become narrow, answers would fill it for seconds, and with them what mends nothing any more."""


@dataclass(slots=True)
class _Gap:
    since_s: float
    ask_s: float
    requests: int = 0


class NackList:
    """Stands in for aiortc's `NackGenerator`: after `add`, `missing` is what to ask for now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.missing: set[int] = set()
        self._clock = clock
        self._gaps: dict[int, _Gap] = {}  # by unwrapped number
        self._newest: int | None = None
        self._allowed = MOST_REQUESTS

    def add(self, packet: RtpPacket) -> bool:
        """Take a packet; returns whether some are to be asked for now."""
        self.missing.clear()
        self._allowed = min(self._allowed + REQUESTS_EACH, MOST_REQUESTS)
        if self._newest is None:
            self._newest = packet.sequence_number
            return False
        step = (packet.sequence_number - self._newest) & 0xFFFF
        number = self._newest + (step if step < 0x8000 else step - 0x10000)
        if number <= self._newest:
            self._gaps.pop(number, None)
        elif number - self._newest > MAX_MISSING:
            self._gaps.clear()
            self._newest = number
        else:
            if number - self._newest > 1:
                now_s = self._clock()
                for gap in range(self._newest + 1, number):
                    self._gaps[gap] = _Gap(now_s, now_s)
            self._newest = number
        if self._gaps:
            self._ask(self._clock())
        return bool(self.missing)

    def forget_before(self, sequence_number: int) -> None:
        """Ask no more for what lies before a packet: a narrow way has no room for it."""
        for number in list(self._gaps):
            if (sequence_number - number - 1) & 0xFFFF < 0x8000:
                del self._gaps[number]

    def _ask(self, now_s: float) -> None:
        for number, gap in list(self._gaps.items()):
            if gap.requests >= MAX_REQUESTS or now_s - gap.since_s > KEPT_S:
                del self._gaps[number]
            elif now_s >= gap.ask_s and self._allowed >= 1.0:
                self._allowed -= 1.0
                gap.ask_s = now_s + AGAIN_S * 2**gap.requests
                gap.requests += 1
                self.missing.add(number & 0xFFFF)
