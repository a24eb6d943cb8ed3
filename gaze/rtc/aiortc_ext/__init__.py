"""The one place that reaches into aiortc's and aioice's private parts.

What browsers and viewers need and aiortc does not offer is added here, by subclasses and by
replacing attributes of single connections; nothing global is changed, so another aiortc connection
in the same process stays as it was. `versions` checks what it was written against; `ice` has the
connection, `packets` the way of a packet, `router` whose it is, `receiver` and `sender` a stream's
two ends. `tests/rtc/aiortc_ext/test_aiortc_ext.py` names what is relied on.
"""

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable
from typing import Any

import pylibsrtp
from aiortc import (
    InvalidStateError,
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCDtlsTransport,
    RTCIceCandidate,
    RTCIceServer,
    RTCPeerConnection,
    RTCRtpTransceiver,
)
from aiortc.codecs import CODECS
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
)
from aiortc.rtp import (
    RtpPacket,
)
from aiortc.sdp import MediaDescription
from av import VideoFrame

from gaze.frames.latest import LatestValue
from gaze.rtc.aiortc_ext import ice
from gaze.rtc.aiortc_ext.orientation import read_orientation
from gaze.rtc.aiortc_ext.packets import PacketPath
from gaze.rtc.aiortc_ext.receiver import AudioQueue, DecoderQueue, Receiver, SlotEnd
from gaze.rtc.aiortc_ext.router import Counter, Report, Router
from gaze.rtc.aiortc_ext.sender import Sender
from gaze.rtc.aiortc_ext.versions import VERSIONS, check_versions
from gaze.rtc.codecs.decoder import VideoDecoder
from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.bandwidth_estimator import Range
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.ice.udp_transport import Network
from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.jitter_buffer import VideoBuffer
from gaze.rtc.rtp.nack import NackList

__all__ = [
    "VERSIONS",
    "AudioQueue",
    "Counter",
    "PeerConnection",
    "Report",
    "check_versions",
    "common_codecs",
    "packetize_h264",
    "packetize_vp8",
]

FEEDBACK_INTERVAL_S = 0.05
SENDING = Range(start_bps=2.5e6, min_bps=150e3, max_bps=12e6)

RESTART_TIMEOUT_S = 10.0


def common_codecs(media: MediaDescription) -> list[RTCRtpCodecParameters]:
    """The codecs that an offered m-line and aiortc share, in the offer's order."""
    return find_common_codecs(CODECS.get(media.kind, []), media.rtp.codecs)


def packetize_vp8(data: bytes, picture_id: int) -> list[bytes]:
    """RTP payloads of an encoded VP8 frame (RFC 7741)."""
    return Vp8Encoder._packetize(data, picture_id)


def packetize_h264(data: bytes) -> list[bytes]:
    """RTP payloads of an H.264 access unit in Annex B format (RFC 6184)."""
    return H264Encoder._packetize(H264Encoder._split_bitstream(data))


async def _send_or_lose(send: Callable[[Any], Awaitable[None]], chunk: Any) -> None:
    """Send a chunk of SCTP; where the connection has gone it is lost, as it could be on its way.

    aiortc sends in tasks that nobody awaits, so that an error would only be logged, out of place.
    """
    with contextlib.suppress(ConnectionError):
        await send(chunk)


def sender_of(transceiver: RTCRtpTransceiver) -> Sender:
    """Its sender, which is ours."""
    sender = transceiver.sender
    assert isinstance(sender, Sender)
    return sender


class PeerConnection(RTCPeerConnection):
    """aiortc's peer connection for one bundled transport, with what is missing in it.

    - congestion feedback on all that browsers number (`twcc`), instead of REMB;
    - frames released on the marker bit, into slots that keep the newest;
    - loss of the peer noticed after 3 s; nothing waits on the event loop at the end;
    - no server is asked for anything unless it is given.
    """

    def __init__(
        self,
        ice_servers: list[RTCIceServer],
        sending: Range = SENDING,
        network: Network | None = None,
    ) -> None:
        super().__init__(
            RTCConfiguration(iceServers=ice_servers, bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )
        self.recorder = twcc.Recorder()
        self.transmitter = Transmitter(self._send_packet, sending)
        self._network = network or Network()
        self._router = Router()
        self._transport: RTCDtlsTransport | None = None
        self._media_ssrc = 0
        self._news = asyncio.Event()
        self._path: PacketPath | None = None
        self._feedback_task: asyncio.Task[None] | None = None
        self._connecting: set[asyncio.Task[Any]] = set()
        self.restarts = 0
        self._fresh: ice.Connection | None = None
        self._restarting: asyncio.Task[None] | None = None

    # --- what aiortc calls

    def _RTCPeerConnection__createDtlsTransport(self) -> RTCDtlsTransport:  # noqa: N802
        base: Any = super()
        transport: RTCDtlsTransport = base._RTCPeerConnection__createDtlsTransport()
        transport._rtp_router = self._router
        ice.install(transport.transport, self._network)
        self._path = PacketPath(transport, self._take)
        transport._handle_rtcp_data = functools.partial(  # type: ignore[method-assign]
            self._take_rtcp, transport._handle_rtcp_data
        )
        self._transport = transport
        return transport

    def _RTCPeerConnection__createSctpTransport(self) -> None:  # noqa: N802
        base: Any = super()
        base._RTCPeerConnection__createSctpTransport()
        sctp: Any = self.sctp
        sctp._send_chunk = functools.partial(_send_or_lose, sctp._send_chunk)

    def _RTCPeerConnection__createTransceiver(  # noqa: N802
        self, direction: str, kind: str, sender_track: MediaStreamTrack | None = None
    ) -> RTCRtpTransceiver:
        base: Any = super()
        transceiver: Any = base._RTCPeerConnection__createTransceiver(direction, kind, sender_track)
        receiver = Receiver(kind, transceiver.receiver.transport)
        sender = Sender(kind, transceiver.sender.transport, self.transmitter)
        sender._stream_id = transceiver.sender._stream_id
        sender.replaceTrack(sender_track)
        receiver._set_rtcp_ssrc(sender._ssrc)
        transceiver._RTCRtpTransceiver__receiver = receiver
        transceiver._RTCRtpTransceiver__sender = sender
        return transceiver  # type: ignore[no-any-return]

    async def _RTCPeerConnection__connect(self) -> None:  # noqa: N802
        base: Any = super()
        task = asyncio.current_task()
        assert task is not None
        self._connecting.add(task)
        try:
            await base._RTCPeerConnection__connect()
        except InvalidStateError:
            if self.signalingState != "closed":  # closed while it connected: no error
                raise
        finally:
            self._connecting.discard(task)

    async def close(self) -> None:
        """End all, and wait until all has ended."""
        task, self._feedback_task = self._feedback_task, None
        if task is not None:
            task.cancel()
        await self._end_restart()
        await super().close()
        await self.transmitter.close()
        ending = self._connecting - {asyncio.current_task()}
        await asyncio.gather(*ending, *([task] if task else []), return_exceptions=True)

    # --- congestion feedback

    def _take(self, packet: RtpPacket, arrival_s: float) -> None:
        number = packet.extensions.transport_sequence_number
        if number is not None:
            self._record(number, packet.ssrc, arrival_s)
        receiver = self._router.route_rtp(packet)
        if receiver is not None:
            receiver.take(packet, arrival_s)

    def _record(self, number: int, ssrc: int, arrival_s: float) -> None:
        self.recorder.add(number, arrival_s)
        self._media_ssrc = ssrc
        self._news.set()
        if self._feedback_task is None and self.signalingState != "closed":
            self._feedback_task = asyncio.create_task(self._send_feedback())

    async def _send_feedback(self) -> None:
        transport = self._transport
        assert transport is not None
        sender_ssrc = self.getSenders()[0]._ssrc
        while True:
            await self._news.wait()
            await asyncio.sleep(FEEDBACK_INTERVAL_S)
            self._news.clear()
            for packet in self.recorder.take(sender_ssrc, self._media_ssrc):
                with contextlib.suppress(ConnectionError):  # there may be a way again later
                    await transport._send_rtp(packet)

    async def _take_rtcp(self, handle: Callable[[bytes], Awaitable[None]], data: bytes) -> None:
        """Take the feedback on what we send out of a compound packet; aiortc handles the rest."""
        reports, rest = twcc.take_out(data)
        for report in reports:
            self.transmitter.on_feedback(report)
        if rest:
            await handle(rest)

    def _send_packet(self, data: bytearray) -> None:
        assert self._path is not None
        try:
            self._path.send_rtp(data)
        except pylibsrtp.Error as error:  # an old packet, overtaken by very many
            raise ConnectionError("SRTP refuses a packet") from error

    def negotiate_feedback(self, transceiver: RTCRtpTransceiver, offered: MediaDescription) -> bool:
        """Accept transport-wide feedback on an m-line if it is offered, and silence REMB there.

        To be called between the offer and the answer. Returns whether it was offered.
        """
        if self.negotiate_extension(transceiver, offered, twcc.EXTENSION_URI) is None:
            return False
        feedback = RTCRtcpFeedback(type="transport-cc")
        offering = {c.payloadType for c in offered.rtp.codecs if feedback in c.rtcpFeedback}
        for codec in transceiver._codecs:
            if codec.payloadType in offering:
                codec.rtcpFeedback.append(feedback)
        receiver: Any = transceiver.receiver
        receiver._RTCRtpReceiver__remote_bitrate_estimator = None
        return True

    @staticmethod
    def negotiate_extension(
        transceiver: RTCRtpTransceiver, offered: MediaDescription, uri: str
    ) -> int | None:
        """Accept a header extension on an m-line if it is offered; returns its id."""
        extension = next((e for e in offered.rtp.headerExtensions if e.uri == uri), None)
        if extension is None:
            return None
        others = [e for e in transceiver._headerExtensions if e.uri != uri]
        transceiver._headerExtensions = [*others, extension]
        return extension.id

    def negotiate_orientation(
        self, transceiver: RTCRtpTransceiver, offered: MediaDescription
    ) -> None:
        """Let the browser tell how its picture is to be turned, instead of turning it itself."""
        number = self.negotiate_extension(transceiver, offered, header_extensions.VIDEO_ORIENTATION)
        if number is not None:
            assert self._transport is not None
            read_orientation(self._transport, number)

    # --- receiving

    def receive_video(
        self,
        transceiver: RTCRtpTransceiver,
        slot: LatestValue[VideoFrame],
        *,
        on_card: bool = False,
    ) -> VideoBuffer:
        """Let the decoded frames of an m-line go into `slot`; none of them waits elsewhere.

        With `on_card` the video card decodes them, as far as it can.
        """
        receiver: Any = transceiver.receiver
        buffer = VideoBuffer({c.payloadType or 0: c.name for c in transceiver._codecs})
        receiver._RTCRtpReceiver__jitter_buffer = buffer
        # aiortc asks for a key frame at the next packet once this is set.
        ask = receiver._RTCRtpReceiver__decoder_error.set
        decoder = VideoDecoder(on_card=on_card)
        receiver._RTCRtpReceiver__decoder_queue = DecoderQueue(decoder, slot, ask)
        receiver._RTCRtpReceiver__nack_generator = NackList()
        receiver._track._queue = SlotEnd(slot)
        return buffer

    def receive_audio(self, transceiver: RTCRtpTransceiver) -> AudioQueue:
        """Bound what waits between an m-line's audio decoder and its track."""
        receiver: Any = transceiver.receiver
        waiting = AudioQueue()
        receiver._track._queue = waiting
        return waiting

    def capture_s(self, transceiver: RTCRtpTransceiver, pts: int) -> float | None:
        """When a decoded frame with this `pts` was captured, by our clock; None if not known."""
        receiver: Any = transceiver.receiver
        mapper = receiver._RTCRtpReceiver__timestamp_mapper
        streams = receiver._RTCRtpReceiver__remote_streams
        repairs = receiver._RTCRtpReceiver__rtx_ssrc
        ssrc = next((ssrc for ssrc in reversed(streams) if ssrc not in repairs), None)
        if ssrc is None or mapper._origin is None:
            return None
        rate_hz = transceiver._codecs[0].clockRate
        return self._router.captures.capture_s(ssrc, mapper._origin + pts, rate_hz)

    # --- sending

    def prefer_codec(self, transceiver: RTCRtpTransceiver, name: str) -> None:
        """Put a codec first on an m-line if both sides have it; between the offer and the answer.

        The browser then sends it, too.
        """
        names: dict[Any, str] = {codec.payloadType: codec.name for codec in transceiver._codecs}
        # A retransmission format goes with the codec that it is for.
        transceiver._codecs.sort(
            key=lambda codec: names.get(codec.parameters.get("apt", codec.payloadType)) != name
        )

    def codec(self, transceiver: RTCRtpTransceiver) -> RTCRtpCodecParameters:
        """The codec that is sent on an m-line, as it stands in the answer."""
        return transceiver._codecs[0]

    def send_video(
        self,
        transceiver: RTCRtpTransceiver,
        encoder: Encoder,
        on_report: Callable[[Report], None],
        on_frame: Callable[[VideoFrame, bool], None],
    ) -> None:
        """Encode an m-line's track by `encoder`, and hear what the browser says of it.

        `on_frame` is called with each frame before it is encoded, and whether as a key frame.
        """
        sender: Any = transceiver.sender
        sender._RTCRtpSender__encoder = encoder
        sender.on_frame = on_frame
        self._router.on_report[sender._ssrc] = on_report

    # --- figures

    def received(self, transceiver: RTCRtpTransceiver) -> Counter:
        """What came for an m-line, retransmissions included."""
        return self._router.received.get(transceiver.receiver, Counter())

    def packets_lost(self, transceiver: RTCRtpTransceiver) -> int:
        """Packets of an m-line that have not come (a retransmission counts as having come)."""
        receiver: Any = transceiver.receiver
        streams = receiver._RTCRtpReceiver__remote_streams.values()
        return sum(max(0, stream.packets_lost) for stream in streams)

    def sent(self, transceiver: RTCRtpTransceiver) -> Counter:
        """What was sent of an m-line's own track, retransmissions not included."""
        outgoing = sender_of(transceiver).outgoing
        return Counter() if outgoing is None else Counter(outgoing.packets, outgoing.payload_bytes)

    def resent(self, transceiver: RTCRtpTransceiver) -> int:
        """Packets of an m-line that were sent once more because they were missed."""
        outgoing = sender_of(transceiver).outgoing
        return 0 if outgoing is None else outgoing.resent

    def round_trip_s(self, transceiver: RTCRtpTransceiver) -> float | None:
        """Round trip time by RTCP (RFC 3550, section 6.4.1), if known."""
        return sender_of(transceiver).round_trip_s

    # --- ICE

    @property
    def ice_connection(self) -> ice.Connection:
        """The ICE connection that candidates belong to now: during a restart, the new one."""
        assert self._transport is not None
        return self._fresh or ice.connection_of(self._transport.transport)

    async def add_remote_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try a candidate of the browser's; an mDNS name is resolved first, which takes a while."""
        await self.ice_connection.add_remote_candidate(candidate_to_aioice(candidate))

    async def restart_ice(self, remote_ufrag: str, remote_pwd: str) -> None:
        """Look for new ways to the peer; `ice_connection` is then what it shall be told.

        Media goes on over the old way until there is a new one; if there is none after 10 s, the
        old one stays.

        Raises:
            ConnectionError: there is no encrypted connection now.
            NoPortError: there is no port for it.
        """
        transport = self._transport
        if transport is None or transport.state != "connected":
            raise ConnectionError("there is no connection to look for new ways for")
        await self._end_restart()
        old = ice.connection_of(transport.transport)
        old.kept = True
        try:
            fresh = await old.replacement()
        except BaseException:
            old.kept = False
            raise
        fresh.remote_username, fresh.remote_password = remote_ufrag, remote_pwd
        fresh.sink = old.sink
        self._fresh = fresh
        self._restarting = asyncio.create_task(self._restart_ice(transport, old, fresh))

    async def _restart_ice(
        self, transport: RTCDtlsTransport, old: ice.Connection, fresh: ice.Connection
    ) -> None:
        try:
            async with asyncio.timeout(RESTART_TIMEOUT_S):
                await fresh.connect()
        except (ConnectionError, TimeoutError):
            await fresh.close()
        else:
            ice.use(transport.transport, fresh)
            self.restarts += 1
            await old.close()
        finally:
            old.kept = False
            if self._fresh is fresh:
                self._fresh = None

    async def _end_restart(self) -> None:
        task, self._restarting = self._restarting, None
        fresh, self._fresh = self._fresh, None
        if task is None or fresh is None or self._transport is None:
            return
        if ice.connection_of(self._transport.transport) is not fresh:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if ice.connection_of(self._transport.transport) is not fresh:
            await fresh.close()
