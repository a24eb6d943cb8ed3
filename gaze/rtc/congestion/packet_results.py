"""Numbers every packet of a transport, and finds what became of it in the browser's feedback."""

from collections.abc import Iterator
from dataclasses import dataclass

from gaze.rtc.congestion.twcc import TICK_S, TICKS_PER_REFERENCE, Feedback

KEPT_S = 10.0
CLOCK_WRAP_S = (1 << 24) * TICKS_PER_REFERENCE * TICK_S


@dataclass(frozen=True, slots=True)
class PacketResult:
    """What became of one packet.

    Attributes:
        sent_s: when it left, by our clock.
        arrival_s: when it arrived, by the browser's clock; None if it was lost.
        size_bytes: on the wire.
        probe: the probe that it was part of.
        mourned: it arrives after its loss was reported.
    """

    sent_s: float
    arrival_s: float | None
    size_bytes: int
    probe: int | None
    mourned: bool


@dataclass(slots=True)
class _Sent:
    t_s: float
    size_bytes: int
    probe: int | None
    until_bytes: int  # what was sent until it had left
    mourned: bool = False


class SentPackets:
    """Packets on their way, by their transport-wide sequence numbers."""

    def __init__(self) -> None:
        self._packets: dict[int, _Sent] = {}  # by unwrapped number, in order
        self._next = 0
        self._arrival_s: float | None = None
        self._bytes = 0
        self._known_bytes = 0

    def add(self, size_bytes: int, t_s: float, probe: int | None = None) -> int:
        """Number a packet that leaves now; returns the 16 bits to be written into it."""
        number = self._next
        self._next += 1
        self._bytes += size_bytes
        self._packets[number] = _Sent(t_s, size_bytes, probe, self._bytes)
        while (oldest := next(iter(self._packets))) != number:
            if t_s - self._packets[oldest].t_s <= KEPT_S:
                break
            del self._packets[oldest]
        return number & 0xFFFF

    @property
    def on_their_way_bytes(self) -> int:
        """What was sent since the newest packet that something was heard of."""
        return self._bytes - self._known_bytes

    @property
    def oldest_s(self) -> float | None:
        """When the oldest packet left that nothing was heard of yet."""
        return next((sent.t_s for sent in self._packets.values() if not sent.mourned), None)

    def outcomes(self, feedback: Feedback) -> Iterator[PacketResult]:
        """What a feedback message says of packets that it is news of, in the order of sending."""
        first = self._unwrap(feedback.base)
        for number, arrival_s in enumerate(feedback.arrivals_s, first):
            sent = self._packets.get(number)
            if sent is None or (arrival_s is None and sent.mourned):
                continue
            self._known_bytes = max(self._known_bytes, sent.until_bytes)
            yield PacketResult(
                sent.t_s,
                None if arrival_s is None else self._unwrap_time(arrival_s),
                sent.size_bytes,
                sent.probe,
                sent.mourned,
            )
            if arrival_s is None:
                sent.mourned = True
            else:
                del self._packets[number]

    def _unwrap(self, base: int) -> int:
        newest = self._next - 1
        return newest - ((newest - base) & 0xFFFF)

    def _unwrap_time(self, arrival_s: float) -> float:
        if self._arrival_s is not None:
            turns = round((self._arrival_s - arrival_s) / CLOCK_WRAP_S)
            arrival_s += turns * CLOCK_WRAP_S
        self._arrival_s = arrival_s
        return arrival_s
