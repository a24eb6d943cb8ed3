"""The RTP packets of one outgoing stream (RFC 3550), kept for retransmission (RFC 4588).

Packets are serialised once, with room for what is known only when they leave: the transport-wide
sequence number and the absolute send time. libwebrtc: `rtp_rtcp/source/rtp_packet_history.cc`.
"""

import struct
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.header_extensions import ExtensionBlock

HISTORY_S = 2.0  # a retransmission that is older comes too late: chosen by hand
HISTORY_PACKETS = 4096  # two seconds of 20 Mbit/s
PADDING_CANDIDATES = 64  # of the newest packets: chosen by hand
MIN_RETRANSMISSION_INTERVAL_S = 0.02  # where the round trip is shorter: chosen by hand
# A packet is retransmitted once per round trip, like in libwebrtc's RtpPacketHistory; a little
# earlier, as round trips vary.
RETRANSMISSION_INTERVAL = 0.9
OVERHEAD_BYTES = 38  # SRTP's authentication tag, UDP, IPv4

_HEADER = struct.Struct("!BBHLL")
_NUMBER = struct.Struct("!H")


@dataclass(slots=True)
class Packet:
    """An RTP packet; `data` is stamped when it leaves.

    Attributes
    ----------
    data : bytearray
        The packet, not yet encrypted.
    size_bytes : int
        On the wire.
    sequence_number : int
        Of its stream, 16 bits.
    payload_offset : int
        Where the payload begins.
    transport_number_offset : int or None
        Where the transport-wide sequence number is, if it is negotiated.
    send_time_offset : int or None
        Where the absolute send time is, if it is negotiated.
    sent_s : float or None
        When it was last sent, or queued to be, in seconds; None if never.
    """

    data: bytearray
    size_bytes: int
    sequence_number: int
    payload_offset: int
    transport_number_offset: int | None
    send_time_offset: int | None
    sent_s: float | None = None

    def stamp(self, transport_number: int | None, t_s: float) -> None:
        """Write into the packet what is known when it leaves.

        Parameters
        ----------
        transport_number : int or None
            Transport-wide sequence number, 16 bits.
        t_s : float
            Now, in seconds.
        """
        if transport_number is not None and self.transport_number_offset is not None:
            _NUMBER.pack_into(self.data, self.transport_number_offset, transport_number)
        if (at := self.send_time_offset) is not None:
            self.data[at : at + 3] = header_extensions.absolute_send_time(t_s)


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """What the packets of a stream have in common: SSRC, payload type and mid."""

    ssrc: int
    payload_type: int
    mid: str


class PacketHistory:
    """Makes a stream's packets, keeps them for two seconds, and retransmits them.

    Attributes
    ----------
    packets : int
        How many were made, retransmissions not counted.
    payload_bytes : int
        Of these packets.
    retransmitted : int
        How many were retransmitted; counted by who sends them.
    """

    def __init__(
        self,
        stream: StreamIdentity,
        retransmission_stream: StreamIdentity | None,
        ids: Mapping[str, int],
        first_numbers: tuple[int, int],
    ) -> None:
        """Take what was negotiated.

        Parameters
        ----------
        stream : StreamIdentity
            Of the packets.
        retransmission_stream : StreamIdentity or None
            Of the retransmissions; without one, packets are sent again as they were.
        ids : mapping of str to int
            The id of each negotiated header extension by its URI.
        first_numbers : tuple of int
            First sequence number of the stream and of its retransmissions. Below 2^15, or SRTP
            might miss a wrap (RFC 3711, section 3.3.1).
        """
        self.packets = 0
        self.payload_bytes = 0
        self.retransmitted = 0
        self._stream = stream
        self._retransmission_stream = retransmission_stream
        self._extensions = ExtensionBlock(ids, stream.mid)
        self._next, self._next_retransmission = first_numbers
        self._history: dict[int, Packet] = {}
        self._order: deque[tuple[float, int]] = deque()

    def set_smooth_playout(self, smooth: bool) -> None:
        """Let the browser smooth the frames that follow, or show each at once.

        Parameters
        ----------
        smooth : bool
            Whether to smooth.
        """
        self._extensions.set_playout_delay(
            *(
                header_extensions.SMOOTH_PLAYOUT_MS
                if smooth
                else header_extensions.IMMEDIATE_PLAYOUT_MS
            )
        )

    def make_packets(
        self, payloads: Sequence[bytes], timestamp: int, t_s: float, audio_level: int | None = None
    ) -> list[Packet]:
        """Make the packets of one frame, the last of them with the marker bit.

        Parameters
        ----------
        payloads : sequence of bytes
            Of each packet.
        timestamp : int
            RTP timestamp, 32 bits.
        t_s : float
            Now, in seconds.
        audio_level : int or None, default None
            Of audio, in -dBov (RFC 6464).

        Returns
        -------
        list of Packet
            In order.
        """
        made = []
        last = len(payloads) - 1
        for index, payload in enumerate(payloads):
            packet = self._serialize(
                self._stream, self._next, timestamp, index == last, payload, audio_level
            )
            self._keep(packet, t_s)
            self._next = (self._next + 1) & 0xFFFF
            self.packets += 1
            self.payload_bytes += len(payload)
            made.append(packet)
        return made

    def retransmission(
        self, sequence_number: int, round_trip_s: float, t_s: float
    ) -> Packet | None:
        """Give the retransmission of a packet that the browser misses.

        Parameters
        ----------
        sequence_number : int
            As it was sent, 16 bits.
        round_trip_s : float
            In seconds.
        t_s : float
            Now, in seconds.

        Returns
        -------
        Packet or None
            None if it is not kept any more, or was sent less than a round trip ago.
        """
        packet = self._history.get(sequence_number)
        interval_s = max(MIN_RETRANSMISSION_INTERVAL_S, RETRANSMISSION_INTERVAL * round_trip_s)
        if packet is None or (packet.sent_s is not None and t_s - packet.sent_s < interval_s):
            return None
        packet.sent_s = t_s
        return self._retransmit(packet)

    def clear(self) -> None:
        """Retransmit nothing that was made up to now."""
        self._history.clear()
        self._order.clear()

    def padding(self) -> Packet | None:
        """Retransmit a packet to fill a probe cluster.

        Returns
        -------
        Packet or None
            The largest of the newest that have left; None without a stream for retransmissions.
        """
        if self._retransmission_stream is None:
            return None
        newest = islice(reversed(self._history.values()), PADDING_CANDIDATES)
        sent = [packet for packet in newest if packet.sent_s is not None]
        return self._retransmit(max(sent, key=lambda p: p.size_bytes)) if sent else None

    def _retransmit(self, packet: Packet) -> Packet:
        stream = self._retransmission_stream
        if stream is None:
            return packet
        timestamp = _HEADER.unpack_from(packet.data)[3]
        payload = _NUMBER.pack(packet.sequence_number) + packet.data[packet.payload_offset :]
        made = self._serialize(
            stream,
            self._next_retransmission,
            timestamp,
            bool(packet.data[1] & 0x80),
            payload,
            None,
        )
        self._next_retransmission = (self._next_retransmission + 1) & 0xFFFF
        return made

    def _serialize(
        self,
        stream: StreamIdentity,
        sequence_number: int,
        timestamp: int,
        marker: bool,
        payload: bytes | bytearray,
        audio_level: int | None,
    ) -> Packet:
        block = self._extensions
        extension = block.data
        header = _HEADER.pack(
            0x90 if extension else 0x80,
            (0x80 if marker else 0) | stream.payload_type,
            sequence_number,
            timestamp,
            stream.ssrc,
        )
        data = bytearray(b"".join((header, extension, payload)))
        if audio_level is not None and block.audio_level_offset is not None:
            data[_HEADER.size + block.audio_level_offset] = min(max(audio_level, 0), 127)
        number_at, time_at = block.transport_number_offset, block.send_time_offset
        return Packet(
            data,
            len(data) + OVERHEAD_BYTES,
            sequence_number,
            _HEADER.size + len(extension),
            None if number_at is None else _HEADER.size + number_at,
            None if time_at is None else _HEADER.size + time_at,
        )

    def _keep(self, packet: Packet, t_s: float) -> None:
        self._history[packet.sequence_number] = packet
        self._order.append((t_s, packet.sequence_number))
        while t_s - self._order[0][0] > HISTORY_S or len(self._order) > HISTORY_PACKETS:
            del self._history[self._order.popleft()[1]]
