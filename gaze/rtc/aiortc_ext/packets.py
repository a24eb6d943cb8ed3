"""The way of a packet from the socket to its receiver, and out: aiortc's, with less work on it.

aiortc lets every datagram wait in a queue for a task, writes log messages that nobody reads, and
reads the clock several times. Here a datagram is handled where it was read, at once.
"""

import struct
import time
from collections.abc import Callable, Coroutine
from typing import Any

import pylibsrtp
from aiortc import RTCDtlsTransport
from aiortc.rtcdtlstransport import State
from aiortc.rtcrtpparameters import RTCRtpParameters
from aiortc.rtp import HeaderExtensions, HeaderExtensionsMap, RtpPacket
from OpenSSL import SSL
from pylibsrtp._binding import ffi, lib

from gaze.rtc.aiortc_ext.ice import connection_of
from gaze.rtc.ice.udp_transport import MAX_DATAGRAM_BYTES

_FIXED_AND_EXTENSION = struct.Struct("!BBHLLHH")
MAX_PACKET_BYTES = MAX_DATAGRAM_BYTES - pylibsrtp.SRTP_MAX_TRAILER_LEN
_ONE_BYTE_PROFILE = 0xBEDE
_size = ffi.new("int *")  # what libsrtp reads a length from, and writes one to


def finish(work: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine that never really waits, without a task.

    Raises:
        RuntimeError: it waits.
    """
    try:
        work.send(None)
    except StopIteration:
        return
    work.close()
    raise RuntimeError(f"{work!r} waits; it must not in aiortc 1.16.0")


class ExtensionsMap(HeaderExtensionsMap):
    """aiortc's map of negotiated header extensions (RFC 8285), read faster."""

    def __init__(self) -> None:
        super().__init__()
        self._names: dict[int, str] = {}  # of the extensions that come with most packets

    def configure(self, parameters: RTCRtpParameters) -> None:
        """Take up what was negotiated for one m-line."""
        super().configure(parameters)
        private: Any = self
        ids = private._HeaderExtensionsMap__ids
        usual = ("transport_sequence_number", "mid", "abs_send_time")
        self._names = {getattr(ids, name): name for name in usual if getattr(ids, name)}

    def get(self, extension_profile: int, extension_value: bytes) -> HeaderExtensions:
        """The values of a packet's extensions."""
        if extension_profile != _ONE_BYTE_PROFILE:
            return super().get(extension_profile, extension_value)
        values = HeaderExtensions()
        names = self._names
        at, end = 0, len(extension_value)
        while at < end:
            head = extension_value[at]
            if not head:  # padding
                at += 1
                continue
            start = at + 1
            at = start + (head & 0x0F) + 1
            name = names.get(head >> 4)
            if at > end or name is None:
                return super().get(extension_profile, extension_value)
            value = extension_value[start:at]
            if name == "mid":
                values.mid = value.decode()
            else:
                setattr(values, name, int.from_bytes(value))
        return values


def parse_rtp(data: bytes, extensions_map: HeaderExtensionsMap) -> RtpPacket:
    """Read an RTP packet as `RtpPacket.parse` does, faster for the usual shape.

    Raises:
        ValueError: it is malformed.
    """
    if len(data) < 16:
        return RtpPacket.parse(data, extensions_map)
    first, second, number, timestamp, ssrc, profile, words = _FIXED_AND_EXTENSION.unpack_from(data)
    if first == 0x80:  # version 2, no padding, no extension, no CSRC
        payload_at = 12
        extensions = HeaderExtensions()
    elif first == 0x90 and profile == _ONE_BYTE_PROFILE:
        payload_at = 16 + 4 * words
        if len(data) < payload_at:
            raise ValueError("RTP packet has truncated extension value")
        extensions = extensions_map.get(profile, data[16:payload_at])
    else:
        return RtpPacket.parse(data, extensions_map)
    packet = RtpPacket.__new__(RtpPacket)
    packet.__dict__ = {
        "version": 2,
        "marker": second >> 7,
        "payload_type": second & 0x7F,
        "sequence_number": number,
        "timestamp": timestamp,
        "ssrc": ssrc,
        "csrc": [],
        "extensions": extensions,
        "payload": data[payload_at:],
        "padding_size": 0,
    }
    return packet


def protect(session: Any, packet: bytearray) -> bytes:
    """Encrypt an RTP packet as pylibsrtp's `Session.protect` does, with fewer copies.

    Raises:
        ValueError: the packet is too long.
        pylibsrtp.Error: libsrtp would not.
    """
    size = len(packet)
    if size > MAX_PACKET_BYTES:
        raise ValueError("packet is too long")
    session._buffer[0:size] = packet
    _size[0] = size
    if status := lib.srtp_protect(session._srtp[0], session._cdata, _size):
        raise pylibsrtp.Error(f"srtp_protect: {status}")
    encrypted: bytes = session._buffer[0 : _size[0]]
    return encrypted


class PacketPath:
    """Handles the datagrams of one DTLS transport where they are read, once it is encrypted.

    Attributes:
        on_rtp: takes each RTP packet with its arrival time.
    """

    def __init__(
        self, transport: RTCDtlsTransport, on_rtp: Callable[[RtpPacket, float], None]
    ) -> None:
        self._transport = transport
        self._private: Any = transport
        self._on_rtp = on_rtp
        self._receive_handshake = transport._recv_next
        transport._rtp_header_extensions_map = ExtensionsMap()
        transport._recv_next = self._receive  # type: ignore[method-assign]
        transport._send_rtp = self._send  # type: ignore[method-assign]

    async def _receive(self) -> None:
        """Stands in for `_recv_next`: comes back by ConnectionError when the transport ends."""
        private = self._private
        if not private._RTCDtlsTransport__handshake_done:
            await self._receive_handshake()
            return
        connection = connection_of(self._transport.transport)
        if connection._queue.empty():
            connection.sink = self.take
        try:
            data, _ = await connection.recvfrom()
        except ConnectionError:
            if connection_of(self._transport.transport) is connection:
                raise
        else:
            self.take(data, time.monotonic())

    def take(self, data: bytes, arrival_s: float) -> None:
        """Handle a datagram of the peer's."""
        transport = self._transport
        private = self._private
        private._RTCDtlsTransport__rx_bytes += len(data)
        private._RTCDtlsTransport__rx_packets += 1
        first = data[0]
        if 127 < first < 192:
            session = transport._rx_srtp
            if session is None or not 12 <= len(data) <= MAX_DATAGRAM_BYTES:
                return
            try:
                if 192 <= data[1] <= 208:
                    finish(transport._handle_rtcp_data(session.unprotect_rtcp(data)))
                else:
                    self._take_rtp(session.unprotect(data), arrival_s)
            except pylibsrtp.Error:
                return
        elif 19 < first < 64:
            self._take_dtls(data)

    def _take_rtp(self, data: bytes, arrival_s: float) -> None:
        try:
            packet = parse_rtp(data, self._transport._rtp_header_extensions_map)
        except ValueError:
            return
        self._on_rtp(packet, arrival_s)

    def _take_dtls(self, data: bytes) -> None:
        transport = self._transport
        ssl = transport._ssl
        assert ssl is not None
        ssl.bio_write(data)
        try:
            message = ssl.recv(MAX_DATAGRAM_BYTES)
        except SSL.ZeroReturnError:  # the peer says goodbye
            finish(transport._write_ssl())
            connection_of(transport.transport).end()
            return
        except SSL.Error:
            message = b""
        finish(transport._write_ssl())
        if message and transport._data_receiver is not None:
            finish(transport._data_receiver._handle_data(message))

    def send_rtp(self, data: bytearray) -> None:
        """Encrypt an RTP packet and send it.

        Raises:
            ConnectionError: the transport is not connected.
        """
        transport = self._transport
        if transport._state is not State.CONNECTED:
            raise ConnectionError("Cannot send encrypted RTP, not connected")
        self._send_now(protect(transport._tx_srtp, data))

    async def _send(self, data: bytes) -> None:
        """Stands in for `_send_rtp`.

        Raises:
            ConnectionError: the transport is not connected.
        """
        transport = self._transport
        if transport._state is not State.CONNECTED:
            raise ConnectionError("Cannot send encrypted RTP, not connected")
        session = transport._tx_srtp
        rtcp = 192 <= data[1] <= 208
        self._send_now(session.protect_rtcp(data) if rtcp else session.protect(data))

    def _send_now(self, encrypted: bytes) -> None:
        private = self._private
        connection_of(self._transport.transport).send_now(encrypted)
        private._RTCDtlsTransport__tx_bytes += len(encrypted)
        private._RTCDtlsTransport__tx_packets += 1
