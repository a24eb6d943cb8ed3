"""Numbers every packet of a transport, and finds its result in the receiver's feedback.

libwebrtc: `congestion_controller/rtp/transport_feedback_adapter.cc`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from gaze.rtc.congestion.twcc import TICK_S, TICKS_PER_REFERENCE, Feedback

HISTORY_S = 10.0
"""How long a packet waits for its result: chosen by hand, libwebrtc keeps it for a minute."""
CLOCK_WRAP_S = (1 << 24) * TICKS_PER_REFERENCE * TICK_S  # of the reference time's 24 bits


@dataclass(frozen=True, slots=True)
class PacketResult:
    """What feedback says of one packet.

    Attributes
    ----------
    sent_s : float
        When it left, by our clock, in seconds.
    arrival_s : float or None
        When it arrived, by the receiver's clock, in seconds; None if it was lost.
    size_bytes : int
        On the wire.
    probe : int or None
        Number of the probe cluster that it was part of.
    reported_lost : bool
        Whether an earlier feedback message reported it lost.
    """

    sent_s: float
    arrival_s: float | None
    size_bytes: int
    probe: int | None
    reported_lost: bool


@dataclass(slots=True)
class _Sent:
    t_s: float
    size_bytes: int
    probe: int | None
    total_bytes: int  # of all packets up to and with this one
    reported_lost: bool = False


class SentPackets:
    """The packets in flight, by their transport-wide sequence numbers."""

    def __init__(self) -> None:
        self._packets: dict[int, _Sent] = {}  # by unwrapped number, in order
        self._next = 0
        self._arrival_s: float | None = None
        self._sent_bytes = 0
        self._reported_bytes = 0

    def add(self, size_bytes: int, t_s: float, probe: int | None = None) -> int:
        """Give a packet that leaves now its number.

        Parameters
        ----------
        size_bytes : int
            Size on the wire.
        t_s : float
            Now, in seconds.
        probe : int or None, default None
            Number of the probe cluster that it is part of.

        Returns
        -------
        int
            The transport-wide sequence number, 16 bits.
        """
        number = self._next
        self._next += 1
        self._sent_bytes += size_bytes
        self._packets[number] = _Sent(t_s, size_bytes, probe, self._sent_bytes)
        while (oldest := next(iter(self._packets))) != number:
            if t_s - self._packets[oldest].t_s <= HISTORY_S:
                break
            del self._packets[oldest]
        return number & 0xFFFF

    @property
    def in_flight_bytes(self) -> int:
        """Bytes sent after the newest packet that feedback has reported."""
        return self._sent_bytes - self._reported_bytes

    @property
    def oldest_unreported_s(self) -> float | None:
        """When the oldest packet left that no feedback has reported, in seconds."""
        return next((sent.t_s for sent in self._packets.values() if not sent.reported_lost), None)

    def results(self, feedback: Feedback) -> Iterator[PacketResult]:
        """Match a feedback message with the packets in flight.

        Parameters
        ----------
        feedback : Feedback
            A transport-wide feedback message.

        Yields
        ------
        PacketResult
            For each packet that the message has news of, in the order of sending.
        """
        first = self._unwrap(feedback.base)
        for number, arrival_s in enumerate(feedback.arrivals_s, first):
            sent = self._packets.get(number)
            if sent is None or (arrival_s is None and sent.reported_lost):
                continue
            self._reported_bytes = max(self._reported_bytes, sent.total_bytes)
            yield PacketResult(
                sent.t_s,
                None if arrival_s is None else self._unwrap_time(arrival_s),
                sent.size_bytes,
                sent.probe,
                sent.reported_lost,
            )
            if arrival_s is None:
                sent.reported_lost = True
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
