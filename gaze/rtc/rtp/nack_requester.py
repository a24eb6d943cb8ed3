"""Which packets are missing, and when to request them (again): generic NACK (RFC 4585, 6.2.1).

aiortc requests once, when the gap is seen: a lost request or a lost answer is a lost frame there.
libwebrtc: `video_coding/nack_requester.cc`.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from aiortc.rtp import RtpPacket

RETRY_S = 0.05
"""After a request; doubled each time, so that a long round trip is not requested for in vain."""
MAX_REQUESTS = 6
GIVE_UP_S = 1.0
MAX_MISSING = 450  # more at once is an outage, which a key frame repairs
# The four above were chosen by hand; `python -m benchmarks.network --who python --scenarios
# loss_1,loss_5,loss_10` shows what they do.
REQUESTS_PER_PACKET, MAX_BUDGET = 0.3, 30.0
"""So many requests may be made for each packet that arrives, and so many at once: on a network path
that has become narrow, retransmissions would fill it for seconds, together with what repairs
nothing any more. Tuned by `python -m benchmarks.network --who sent --scenarios step`: the film
stands for 1.3 to 1.9 s at the step instead of 2.5 to 3.7."""


@dataclass(slots=True)
class _Missing:
    since_s: float
    next_request_s: float
    requests: int = 0


class NackRequester:
    """Stands in for aiortc's `NackGenerator`.

    Attributes
    ----------
    missing : set of int
        After `add`: the sequence numbers to request now.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin without a packet.

        Parameters
        ----------
        clock : callable
            Gives monotonic seconds.
        """
        self.missing: set[int] = set()
        self._clock = clock
        self._gaps: dict[int, _Missing] = {}  # by unwrapped number
        self._newest: int | None = None
        self._budget = MAX_BUDGET

    def add(self, packet: RtpPacket) -> bool:
        """Take a packet.

        Parameters
        ----------
        packet : RtpPacket
            One that arrived, whose retransmission header was taken off.

        Returns
        -------
        bool
            Whether some are to be requested now.
        """
        self.missing.clear()
        self._budget = min(self._budget + REQUESTS_PER_PACKET, MAX_BUDGET)
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
                    self._gaps[gap] = _Missing(now_s, now_s)
            self._newest = number
        if self._gaps:
            self._request(self._clock())
        return bool(self.missing)

    def forget_before(self, sequence_number: int) -> None:
        """Request no more of what is before a packet: a narrow path has no room for it.

        Parameters
        ----------
        sequence_number : int
            Of the first packet that is still of use, 16 bits.
        """
        for number in list(self._gaps):
            if (sequence_number - number - 1) & 0xFFFF < 0x8000:
                del self._gaps[number]

    def _request(self, now_s: float) -> None:
        for number, gap in list(self._gaps.items()):
            if gap.requests >= MAX_REQUESTS or now_s - gap.since_s > GIVE_UP_S:
                del self._gaps[number]
            elif now_s >= gap.next_request_s and self._budget >= 1.0:
                self._budget -= 1.0
                gap.next_request_s = now_s + RETRY_S * 2**gap.requests
                gap.requests += 1
                self.missing.add(number & 0xFFFF)
