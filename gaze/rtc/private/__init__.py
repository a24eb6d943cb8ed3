"""The one place that reaches into aiortc's and aioice's private parts.

What browsers and viewers need and aiortc does not offer is added here, by subclasses and by
replacing attributes of single connections; nothing global is changed, so another aiortc connection
in the same process stays as it was. `versions` checks what it was written against, `ice` has the
connection, `packets` the way of a packet; `tests/test_rtc_private.py` names what is relied on.
"""

import asyncio
import contextlib
import functools
import queue
import threading
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
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
    RTCRtpReceiver,
    RTCRtpTransceiver,
    clock,
)
from aiortc.codecs import CODECS, depayload, is_rtx
from aiortc.codecs.base import Encoder
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtcicetransport import candidate_to_aioice
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.rtcrtpparameters import (
    RTCRtcpFeedback,
    RTCRtpCodecParameters,
)
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    pack_remb_fci,
    unpack_remb_fci,
    unwrap_rtx,
)
from aiortc.sdp import MediaDescription
from av import AudioFrame, VideoFrame

from gaze.media.slot import Slot
from gaze.media.upright import upright
from gaze.rtc import extensions, twcc
from gaze.rtc.capture import CaptureTimes
from gaze.rtc.datagrams import Network
from gaze.rtc.estimate import Range
from gaze.rtc.jitterbuffer import EncodedFrame, VideoBuffer, is_key_frame
from gaze.rtc.nack import NackList
from gaze.rtc.nvdec import CardDecoder
from gaze.rtc.private import ice
from gaze.rtc.private.orientation import read_orientation
from gaze.rtc.private.packets import PacketPath, finish
from gaze.rtc.private.sender import Sender
from gaze.rtc.private.versions import VERSIONS, check_versions
from gaze.rtc.transmitter import Transmitter

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

AUDIO_WAITING_S = 0.2
ENCODED_WAITING = 15  # frames
MAX_ROUTES = 1024


def common_codecs(media: MediaDescription) -> list[RTCRtpCodecParameters]:
    """The codecs that an offered m-line and aiortc share, in the offer's order."""
    return find_common_codecs(CODECS.get(media.kind, []), media.rtp.codecs)


def packetize_vp8(data: bytes, picture_id: int) -> list[bytes]:
    """RTP payloads of an encoded VP8 frame (RFC 7741)."""
    return Vp8Encoder._packetize(data, picture_id)


def packetize_h264(data: bytes) -> list[bytes]:
    """RTP payloads of an H.264 access unit in Annex B format (RFC 6184)."""
    return H264Encoder._packetize(H264Encoder._split_bitstream(data))


@dataclass(slots=True)
class Counter:
    """Packets and payload bytes."""

    packets: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What the browser says of a stream that we send."""

    loss: float | None
    remb_bps: int | None


class _SlotQueue:
    """Where a decoder thread puts its frames, upright: into a slot; None at the end closes it.

    Attributes:
        clockwise: degrees by which the frame that is being decoded must be turned.
    """

    def __init__(self, slot: Slot[VideoFrame]) -> None:
        self.clockwise = 0
        self._slot = slot

    def put(self, frame: VideoFrame | None) -> Coroutine[Any, Any, None]:
        """Turn the frame in the calling thread; the coroutine then puts it into the slot."""
        return self._put(None if frame is None else upright(frame, self.clockwise))

    async def _put(self, frame: VideoFrame | None) -> None:
        if frame is None:
            self._slot.close()
        else:
            self._slot.put(frame)


class _Card:
    """Decodes on the video card, in aiortc's decoder thread."""

    def __init__(self, frames: _SlotQueue) -> None:
        self._frames = frames
        self._loop = asyncio.get_running_loop()
        self._decoder = CardDecoder()

    def take(self, codec: RTCRtpCodecParameters, frame: Any) -> bool:
        """Whether an encoded frame was taken care of."""
        decoded = self._decoder.decode(codec.name, frame.data, frame.timestamp)
        if decoded is None:
            return False
        for picture in decoded:
            asyncio.run_coroutine_threadsafe(self._frames.put(picture), self._loop)
        return True


class _DecoderQueue(queue.SimpleQueue[Any]):
    """Encoded frames on their way to a decoder thread that should keep up with them.

    Should it not, all that waits is dropped, and a key frame is asked for; until it comes, what
    follows is dropped too.
    """

    def __init__(
        self, ask: Callable[[], None], frames: _SlotQueue, card: "_Card | None" = None
    ) -> None:
        self.dropped = 0
        self._ask = ask
        self._frames = frames
        self._card = card
        self._skipped = 0

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """What the decoder thread decodes next; what the card decodes stays here."""
        while True:
            item = super().get(block, timeout)
            if item is not None and isinstance(item[1], EncodedFrame):
                self._frames.clockwise = item[1].clockwise
            if item is None or self._card is None or not self._card.take(*item):
                return item

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None:  # the end
            super().put(None)
            return
        codec, frame = item
        if self.qsize() >= ENCODED_WAITING or self._skipped:
            while not self.empty():
                self.get_nowait()
                self.dropped += 1
            if not is_key_frame(codec.name, frame.data):
                self.dropped += 1
                if self._skipped % ENCODED_WAITING == 0:
                    self._ask()
                self._skipped += 1
                return
        self._skipped = 0
        super().put(item)


class AudioQueue:
    """A short queue between an audio decoder and its track; beyond 200 ms the oldest is dropped."""

    def __init__(self) -> None:
        self.received = 0
        self.dropped = 0
        self._frames: deque[AudioFrame] = deque()
        self._waiting_s = 0.0
        self._ended = False
        self._ready = asyncio.Event()

    async def put(self, frame: AudioFrame | None) -> None:
        """Append a frame; None is the end."""
        self._ready.set()
        if frame is None:
            self._ended = True
            return
        self.received += 1
        self._frames.append(frame)
        self._waiting_s += frame.samples / frame.sample_rate
        while self._waiting_s > AUDIO_WAITING_S + 1e-9:
            oldest = self._frames.popleft()
            self._waiting_s -= oldest.samples / oldest.sample_rate
            self.dropped += 1

    async def get(self) -> AudioFrame | None:
        """Wait for the oldest frame and take it; None after the last."""
        while not self._frames:
            if self._ended:
                return None
            self._ready.clear()
            await self._ready.wait()
        frame = self._frames.popleft()
        self._waiting_s -= frame.samples / frame.sample_rate
        return frame


class _Router(RtpRouter):
    """Sees every RTP and RTCP packet of a transport on its way to receivers and senders."""

    def __init__(self) -> None:
        super().__init__()
        self.received: dict[Any, Counter] = {}
        self.on_report: dict[int, Callable[[Report], None]] = {}
        self.captures = CaptureTimes()
        self._routes: dict[tuple[int, int], tuple[Any, Counter]] = {}  # by SSRC and payload type

    def register_receiver(
        self, receiver: Any, ssrcs: list[int], payload_types: list[int], mid: str | None = None
    ) -> None:
        # aiortc forgets the retransmissions' SSRCs, so that with two video receivers on one
        # transport it could not tell whose they are and dropped them.
        rtx_ssrcs = list(receiver._RTCRtpReceiver__rtx_ssrc)
        super().register_receiver(receiver, ssrcs + rtx_ssrcs, payload_types, mid)
        self._routes.clear()

    def unregister_receiver(self, receiver: Any) -> None:
        super().unregister_receiver(receiver)
        self._routes.clear()

    def route_rtp(self, packet: RtpPacket) -> Any:
        route = self._routes.get((packet.ssrc, packet.payload_type))
        if route is None:
            if packet.ssrc not in self.ssrc_table and packet.extensions.mid in self.mid_table:
                self.ssrc_table[packet.ssrc] = self.mid_table[packet.extensions.mid]
            receiver = super().route_rtp(packet)
            if receiver is None:
                return None
            route = receiver, self.received.setdefault(receiver, Counter())
            if len(self._routes) < MAX_ROUTES:
                self._routes[packet.ssrc, packet.payload_type] = route
        receiver, counter = route
        counter.packets += 1
        counter.bytes += len(packet.payload)
        return receiver

    def route_rtcp(self, packet: AnyRtcpPacket) -> set[Any]:
        if isinstance(packet, RtcpByePacket):
            # Browsers say goodbye when a stream rests; aiortc would stop decoding for good.
            return set()
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self.captures.on_report(
                packet.ssrc, info.ntp_timestamp, info.rtp_timestamp, time.monotonic()
            )
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for reception in packet.reports:
                if callback := self.on_report.get(reception.ssrc):
                    callback(Report(loss=reception.fraction_lost / 256, remb_bps=None))
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate_bps, ssrcs = unpack_remb_fci(packet.fci)
            except ValueError:
                return set()
            for ssrc in ssrcs:
                if callback := self.on_report.get(ssrc):
                    callback(Report(loss=None, remb_bps=bitrate_bps))
        return super().route_rtcp(packet)


class _Receiver(RTCRtpReceiver):
    """A receiver that takes packets at once, and never waits for its decoder thread on the loop."""

    _ending: threading.Thread | None = None

    def take(self, packet: RtpPacket, arrival_s: float) -> None:
        """Handle a packet as `_handle_rtp_packet` does, with less work."""
        private: Any = self
        if not self._enabled:
            return
        ssrc = packet.ssrc
        estimator = private._RTCRtpReceiver__remote_bitrate_estimator
        if estimator is not None and packet.extensions.abs_send_time is not None:
            self._estimate(estimator, packet, arrival_s)
        private._RTCRtpReceiver__active_ssrc[ssrc] = clock.current_datetime()
        codecs = private._RTCRtpReceiver__codecs
        codec = codecs.get(packet.payload_type)
        if codec is None:
            return
        statistics = private._RTCRtpReceiver__remote_streams.get(ssrc)
        if statistics is None:
            statistics = StreamStatistics(codec.clockRate)
            private._RTCRtpReceiver__remote_streams[ssrc] = statistics
        statistics.add(packet)
        if is_rtx(codec):
            original = private._RTCRtpReceiver__rtx_ssrc.get(ssrc)
            payload_type = codec.parameters.get("apt")
            if original is None or len(packet.payload) < 2 or payload_type not in codecs:
                return
            packet = unwrap_rtx(packet, payload_type=payload_type, ssrc=original)
            codec = codecs[payload_type]
        nack = private._RTCRtpReceiver__nack_generator
        if nack is not None and nack.add(packet):
            finish(self._send_rtcp_nack(packet.ssrc, sorted(nack.missing)))
        carried: Any = packet
        try:
            carried._data = depayload(codec, packet.payload) if packet.payload else b""
        except ValueError:
            return
        ask, frame = private._RTCRtpReceiver__jitter_buffer.add(packet)
        decoder_error = private._RTCRtpReceiver__decoder_error
        if decoder_error.is_set():
            decoder_error.clear()
            ask = ask or self.track.kind == "video"
        if ask:
            finish(self._send_rtcp_pli(packet.ssrc))
        if frame is not None and private._RTCRtpReceiver__decoder_thread:
            frame.timestamp = private._RTCRtpReceiver__timestamp_mapper.map(frame.timestamp)
            private._RTCRtpReceiver__decoder_queue.put((codec, frame))

    def _estimate(self, estimator: Any, packet: RtpPacket, arrival_s: float) -> None:
        remb = estimator.add(
            abs_send_time=packet.extensions.abs_send_time,
            arrival_time_ms=round(arrival_s * 1000),
            payload_size=len(packet.payload) + packet.padding_size,
            ssrc=packet.ssrc,
        )
        own_ssrc = vars(self)["_RTCRtpReceiver__rtcp_ssrc"]
        if remb is not None and own_ssrc is not None:
            fci = pack_remb_fci(*remb)
            finish(
                self._send_rtcp(
                    RtcpPsfbPacket(fmt=RTCP_PSFB_APP, ssrc=own_ssrc, media_ssrc=0, fci=fci)
                )
            )

    def _RTCRtpReceiver__stop_decoder(self) -> None:  # noqa: N802
        private: Any = self
        thread = private._RTCRtpReceiver__decoder_thread
        if thread is not None:
            private._RTCRtpReceiver__decoder_queue.put(None)
            private._RTCRtpReceiver__decoder_thread = None
            self._ending = thread

    async def stop(self) -> None:
        await super().stop()
        if self._ending is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._ending.join)
            self._ending = None


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
        self._router = _Router()
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
        receiver = _Receiver(kind, transceiver.receiver.transport)
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
        number = self.negotiate_extension(transceiver, offered, extensions.VIDEO_ORIENTATION)
        if number is not None:
            assert self._transport is not None
            read_orientation(self._transport, number)

    # --- receiving

    def receive_video(
        self, transceiver: RTCRtpTransceiver, slot: Slot[VideoFrame], *, on_card: bool = False
    ) -> VideoBuffer:
        """Let the decoded frames of an m-line go into `slot`; none of them waits elsewhere.

        With `on_card` the video card decodes them, as far as it can.
        """
        receiver: Any = transceiver.receiver
        buffer = VideoBuffer({c.payloadType or 0: c.name for c in transceiver._codecs})
        receiver._RTCRtpReceiver__jitter_buffer = buffer
        # aiortc asks for a key frame at the next packet once this is set.
        ask = receiver._RTCRtpReceiver__decoder_error.set
        frames = _SlotQueue(slot)
        card = _Card(frames) if on_card else None
        receiver._RTCRtpReceiver__decoder_queue = _DecoderQueue(ask, frames, card)
        receiver._RTCRtpReceiver__nack_generator = NackList()
        receiver._track._queue = frames
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
