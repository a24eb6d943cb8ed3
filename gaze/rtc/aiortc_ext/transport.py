"""Encrypted transport: aiortc's DTLS (RFC 5764) and SCTP over our ICE, and pylibsrtp's sessions.

Every datagram of SRTP takes one path, `SecureTransport.take`: decrypted and handed on where it was
read from the socket, without a queue or a task in between.
"""

import contextlib
import functools
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import pylibsrtp
from aiortc import (
    RTCCertificate,
    RTCDtlsParameters,
    RTCDtlsTransport,
    RTCIceServer,
    RTCRtpHeaderExtensionParameters,
    RTCSctpTransport,
)
from aiortc.rtp import RtpPacket

from gaze.rtc.aiortc_ext.ice_transport import IceTransport
from gaze.rtc.aiortc_ext.packets import ExtensionReader, MalformedPacketError, parse_rtp
from gaze.rtc.ice.udp_transport import MAX_DATAGRAM_BYTES, Network


class SecureTransport:
    """One bundled transport: ICE, DTLS, SRTP both ways, and SCTP for the data channels.

    Parameters
    ----------
    ice_servers : list of aiortc.RTCIceServer
        STUN and TURN servers that are asked for candidates.
    network : Network
        UDP ports and public addresses of this machine.
    on_rtp : callable
        Takes each RTP packet with its arrival time (monotonic, seconds); may raise
        `MalformedPacketError`.
    on_rtcp : callable
        Takes each decrypted RTCP packet; the same.
    on_ended : callable
        Called when nothing can be exchanged any more: the peer said so, or fell silent.

    Attributes
    ----------
    ice : IceTransport
        What it runs over.
    dtls : aiortc.RTCDtlsTransport
        What encrypts it.
    malformed : int
        Datagrams dropped because they could not be decrypted or parsed.
    """

    def __init__(
        self,
        ice_servers: list[RTCIceServer],
        network: Network,
        on_rtp: Callable[[RtpPacket, float], None],
        on_rtcp: Callable[[bytes], None],
        on_ended: Callable[[], None],
    ) -> None:
        self.ice = IceTransport(ice_servers, network, self.take, on_ended)
        self.malformed = 0
        self._on_rtp, self._on_rtcp, self._on_ended = on_rtp, on_rtcp, on_ended
        self._extensions = ExtensionReader()
        carrier: Any = self.ice
        self.dtls = RTCDtlsTransport(carrier, [RTCCertificate.generateCertificate()])
        self.dtls.on("statechange", self._on_dtls_state)
        self._inbound: pylibsrtp.Session | None = None
        self._outbound: pylibsrtp.Session | None = None

    @property
    def connected(self) -> bool:
        """Whether RTP can be sent."""
        return self._outbound is not None

    def accept(self, extensions: Iterable[RTCRtpHeaderExtensionParameters]) -> None:
        """Read these RTP header extensions from now on, too.

        Parameters
        ----------
        extensions : iterable of aiortc.RTCRtpHeaderExtensionParameters
            Of one media section.
        """
        self._extensions.accept(extensions)

    async def connect(self, ufrag: str, pwd: str, remote: RTCDtlsParameters, *, lite: bool) -> bool:
        """Run the connectivity checks and the DTLS handshake.

        Parameters
        ----------
        ufrag, pwd : str
            The peer's ICE user name fragment and password.
        remote : aiortc.RTCDtlsParameters
            The peer's certificate fingerprints and DTLS role.
        lite : bool
            Whether the peer is an ICE Lite implementation.

        Returns
        -------
        bool
            Whether the peer is who its fingerprints say, so that the transport is connected.

        Raises
        ------
        ConnectionError
            No candidate pair works, or the transport was closed.
        """
        self.dtls._set_role(self.local_role(remote))
        await self.ice.connect(ufrag, pwd, lite=lite)
        await self.dtls.start(remote)
        return self.connected

    @staticmethod
    def local_role(remote: RTCDtlsParameters) -> str:
        """Return our DTLS role, "client" or "server": client unless the peer is (RFC 8842).

        Parameters
        ----------
        remote : aiortc.RTCDtlsParameters
            The peer's, as offered.
        """
        return "server" if remote.role == "client" else "client"

    def _on_dtls_state(self) -> None:
        if self.dtls.state == "connected":
            self._inbound, self._outbound = self.dtls._rx_srtp, self.dtls._tx_srtp
        else:
            self._inbound = self._outbound = None
        if self.dtls.state in ("closed", "failed"):
            self._on_ended()

    # --- packets

    def take(self, data: bytes, arrival_s: float) -> None:
        """Handle a datagram of SRTP or SRTCP: the whole path of a packet up to its stream.

        Parameters
        ----------
        data : bytes
            The datagram; its first byte is 128 to 191.
        arrival_s : float
            Monotonic time of its arrival.
        """
        session = self._inbound
        if session is None:
            return
        try:
            if not 12 <= len(data) <= MAX_DATAGRAM_BYTES:
                raise MalformedPacketError("no SRTP packet has this length")
            if 192 <= data[1] <= 223:  # RFC 5761, section 4
                self._on_rtcp(session.unprotect_rtcp(data))
            else:
                self._on_rtp(parse_rtp(session.unprotect(data), self._extensions), arrival_s)
        except (MalformedPacketError, pylibsrtp.Error):
            self.malformed += 1

    def send_rtp(self, packet: bytes | bytearray) -> None:
        """Encrypt an RTP packet and send it.

        Parameters
        ----------
        packet : bytes or bytearray
            The packet.

        Raises
        ------
        ConnectionError
            The transport is not connected, or SRTP refuses the packet.
        """
        self._encrypt_and_send(
            None if self._outbound is None else self._outbound.protect, bytes(packet)
        )

    def send_rtcp(self, packet: bytes) -> None:
        """Encrypt an RTCP packet and send it.

        Parameters
        ----------
        packet : bytes
            The packet, of 1352 bytes at most.

        Raises
        ------
        ConnectionError
            The transport is not connected, or SRTP refuses the packet.
        """
        self._encrypt_and_send(
            None if self._outbound is None else self._outbound.protect_rtcp, packet
        )

    def _encrypt_and_send(self, protect: Callable[[bytes], bytes] | None, packet: bytes) -> None:
        if protect is None:
            raise ConnectionError("the DTLS transport is not connected")
        try:
            encrypted = protect(packet)
        except pylibsrtp.Error as error:  # older than the replay window: overtaken by very many
            raise ConnectionError("SRTP refuses a packet") from error
        self.ice.send_now(encrypted)

    # --- data channels and end

    def sctp(self) -> RTCSctpTransport:
        """Make the SCTP transport that carries data channels over DTLS (RFC 8831).

        Returns
        -------
        aiortc.RTCSctpTransport
            Not yet started.
        """
        transport = RTCSctpTransport(self.dtls)
        # aiortc sends in tasks that nobody awaits, whose errors would be logged out of place.
        transport._send_chunk = functools.partial(  # type: ignore[method-assign]
            _send_unless_closed, transport._send_chunk
        )
        return transport

    async def close_dtls(self) -> None:
        """Send close_notify."""
        await self.dtls.stop()


async def _send_unless_closed(send: Callable[[Any], Awaitable[None]], chunk: Any) -> None:  # noqa: ANN401 - as aiortc has it
    """Send a chunk of SCTP; where the connection has closed it is lost, as it could be in UDP."""
    with contextlib.suppress(ConnectionError):
        await send(chunk)
