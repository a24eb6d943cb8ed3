"""One RTP stream on its way out: packets (RFC 3550), and those sent once more (RFC 4588).

Packets are serialised once, with room for what is known only when they leave: the transport-wide
number and the absolute send time.
"""

import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gaze.rtc.rtp import header_extensions

HISTORY_S = 2.0
HISTORY_PACKETS = 4096
PADDING_FROM = 64  # packets
LEAST_AGAIN_S = 0.02
OVERHEAD_BYTES = 38  # SRTP's tag, UDP, IPv4

_HEADER = struct.Struct("!BBHLL")
_NUMBER = struct.Struct("!H")


@dataclass(slots=True)
class Packet:
    """An RTP packet; `data` may still be stamped when it leaves.

    Attributes:
        data: the packet, not yet encrypted.
        size_bytes: on the wire.
        sequence_number: of its stream.
        payload_at: where the payload begins.
        number_at: where the transport-wide number goes, if it is negotiated.
        time_at: where the absolute send time goes, if it is negotiated.
        sent_s: when it was last sent, or queued to be; None if never.
    """

    data: bytearray
    size_bytes: int
    sequence_number: int
    payload_at: int
    number_at: int | None
    time_at: int | None
    sent_s: float | None = None

    def stamp(self, number: int | None, t_s: float) -> None:
        """Write into it when it leaves, and as which of the transport."""
        if number is not None and self.number_at is not None:
            _NUMBER.pack_into(self.data, self.number_at, number)
        if self.time_at is not None:
            self.data[self.time_at : self.time_at + 3] = header_extensions.absolute_send_time(t_s)


@dataclass(frozen=True, slots=True)
class Identity:
    """What the packets of a stream have in common."""

    ssrc: int
    payload_type: int
    mid: str


class Outgoing:
    """Makes a stream's packets and remembers them for two seconds.

    Args:
        identity: the stream's.
        again: the identity of its retransmissions; without one, packets are resent as they were.
        ids: the ids of the negotiated header extensions by URI.
        first: the first sequence number of the stream and of its retransmissions. Below 2^15, for
            the sake of SRTP.
    """

    def __init__(
        self,
        identity: Identity,
        again: Identity | None,
        ids: Mapping[str, int],
        first: tuple[int, int],
    ) -> None:
        self.packets = 0
        self.payload_bytes = 0
        self.resent = 0  # counted by who sends them
        self._identity = identity
        self._again = again
        self._header = header_extensions.Block(ids, identity.mid)
        self._next, self._next_again = first
        self._history: dict[int, Packet] = {}
        self._order: deque[tuple[float, int]] = deque()

    def smooth(self, wanted: bool) -> None:
        """Let the browser smooth what it shows, or show it at once."""
        self._header.set_playout_delay(
            *(header_extensions.SMOOTHED_MS if wanted else header_extensions.AT_ONCE_MS)
        )

    def make(
        self, payloads: Sequence[bytes], timestamp: int, t_s: float, audio_level: int | None = None
    ) -> list[Packet]:
        """The packets of one frame, the last of them marked, made now.

        Args:
            payloads: of each packet.
            timestamp: RTP timestamp, 32 bits.
            t_s: now.
            audio_level: of a sound, in -dBov (RFC 6464).
        """
        made = []
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            packet = self._packet(
                self._identity, self._next, timestamp, index == last, payload, audio_level
            )
            self._remember(packet, t_s)
            self._next = (self._next + 1) & 0xFFFF
            self.packets += 1
            self.payload_bytes += len(payload)
            made.append(packet)
        return made

    def again(self, sequence_number: int, round_trip_s: float, t_s: float) -> Packet | None:
        """A packet that the browser misses; None if it is forgotten, or on its way already."""
        packet = self._history.get(sequence_number)
        if packet is None or (
            packet.sent_s is not None
            and t_s - packet.sent_s < max(LEAST_AGAIN_S, 0.9 * round_trip_s)
        ):
            return None
        packet.sent_s = t_s
        return self._resend(packet)

    def forget(self) -> None:
        """Send nothing once more that was made up to now."""
        self._history.clear()
        self._order.clear()

    def padding(self) -> Packet | None:
        """A packet that left lately, once more, to fill a probe; None if that cannot be."""
        if self._again is None:
            return None
        latest = islice(reversed(self._history.values()), PADDING_FROM)
        left = [packet for packet in latest if packet.sent_s is not None]
        return self._resend(max(left, key=lambda p: p.size_bytes)) if left else None

    def _resend(self, packet: Packet) -> Packet:
        again = self._again
        if again is None:
            return packet
        timestamp = _HEADER.unpack_from(packet.data)[3]
        payload = _NUMBER.pack(packet.sequence_number) + packet.data[packet.payload_at :]
        made = self._packet(
            again, self._next_again, timestamp, bool(packet.data[1] & 0x80), payload, None
        )
        self._next_again = (self._next_again + 1) & 0xFFFF
        return made

    def _packet(
        self,
        identity: Identity,
        sequence_number: int,
        timestamp: int,
        marker: bool,
        payload: bytes | bytearray,
        audio_level: int | None,
    ) -> Packet:
        block = self._header
        extension = block.data
        header = _HEADER.pack(
            0x90 if extension else 0x80,
            (0x80 if marker else 0) | identity.payload_type,
            sequence_number,
            timestamp,
            identity.ssrc,
        )
        data = bytearray(b"".join((header, extension, payload)))
        if audio_level is not None and block.level_at is not None:
            data[_HEADER.size + block.level_at] = min(max(audio_level, 0), 127)
        return Packet(
            data,
            len(data) + OVERHEAD_BYTES,
            sequence_number,
            _HEADER.size + len(extension),
            None if block.number_at is None else _HEADER.size + block.number_at,
            None if block.time_at is None else _HEADER.size + block.time_at,
        )

    def _remember(self, packet: Packet, t_s: float) -> None:
        self._history[packet.sequence_number] = packet
        self._order.append((t_s, packet.sequence_number))
        while t_s - self._order[0][0] > HISTORY_S or len(self._order) > HISTORY_PACKETS:
            del self._history[self._order.popleft()[1]]
