"""One sent stream: its track is encoded, packetized and paced, and what is lost is sent again."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from aiortc import (
    MediaStreamError,
    MediaStreamTrack,
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
)
from aiortc.codecs import get_encoder, is_rtx
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)
from av import AudioFrame, VideoFrame

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.pacer import PacketType
from gaze.rtc.congestion.transmitter import MAX_QUEUE_S, Transmitter
from gaze.rtc.rtp.packet_history import PacketHistory, StreamIdentity
from gaze.rtc.rtp.sender_report_clock import SenderReportClock, ntp_time
from gaze.rtc.tasks import start

GIVE_UP_PAUSE_S = 0.7  # between two restarts at a key frame; by hand, seen in benchmarks.network
MAX_KEY_TRANSIT_S = 0.7  # by hand, seen in the step of benchmarks.network
FIRST_REPORT_S = 0.1  # so that sound and picture are in step at once; chosen by hand
ROUND_TRIP_S = 0.1  # as long as nothing is known; chosen by hand
ROUND_TRIP_SMOOTHING = 0.15  # share of the newest measurement, as in aiortc's own sender
NO_TRACK_PAUSE_S = 0.02  # as in aiortc's own sender

_log = logging.getLogger(__name__)


class Sender:
    """Sends one track by a transmitter.

    A track may say by an attribute `due_s` at which monotonic time the frame that it gave last is
    due; else that is when it came. By an attribute `draw` it may say what makes another frame of
    it, which is sent instead; that is called in the thread that encodes.

    Parameters
    ----------
    kind : str
        "audio" or "video".
    ssrc, rtx_ssrc : int
        Of the stream and of its retransmissions.
    cname : str
        The canonical name of this end (RFC 3550, section 6.5.1).
    transmitter : Transmitter
        Paces and numbers the packets.
    send_rtcp : callable
        Sends a compound packet; never raises.

    Attributes
    ----------
    track : aiortc.MediaStreamTrack or None
        What is sent.
    encoder : aiortc.codecs.base.Encoder or None
        What encodes it; aiortc's own if none is set.
    on_frame : callable or None
        Called, in the thread that encodes, with each frame before it is encoded, and whether a key
        frame is to be made of it (not with those that the track gives encoded).
    on_loss : callable or None
        Called with the lost fraction that each of the browser's reports says.
    on_remb : callable or None
        Called with the bitrate, in bit/s, that the browser says by REMB.
    on_failed : callable
        Called when an error that nobody expected has ended the stream.
    round_trip_s : float or None
        By RTCP (RFC 3550, section 6.4.1), smoothed.
    """

    def __init__(
        self,
        kind: str,
        ssrc: int,
        rtx_ssrc: int,
        cname: str,
        transmitter: Transmitter,
        send_rtcp: Callable[[Iterable[AnyRtcpPacket]], None],
    ) -> None:
        self.track: MediaStreamTrack | None = None
        self.encoder: Any = None
        self.on_frame: Callable[[VideoFrame, bool], None] | None = None
        self.on_loss: Callable[[float], None] | None = None
        self.on_remb: Callable[[int], None] | None = None
        self.on_failed: Callable[[], None] = lambda: None
        self.outgoing: PacketHistory | None = None
        self.round_trip_s: float | None = None
        self.ssrc, self.rtx_ssrc = ssrc, rtx_ssrc
        self._kind = kind
        self._cname = cname
        self._transmitter = transmitter
        self._send_rtcp = send_rtcp
        self._clock: SenderReportClock | None = None
        self._force_key_frame = False
        self._key_frame_arrives_s = -math.inf  # when the last key frame has arrived
        self._awaits_key_frame = False  # nothing but a key frame is worth sending
        self._restarted_s = -math.inf  # since when
        self._reported: tuple[int, float] | None = None  # the last report: middle of its NTP time
        self._tasks: list[asyncio.Task[None]] = []

    def start(
        self,
        codecs: list[RTCRtpCodecParameters],
        extensions: list[RTCRtpHeaderExtensionParameters],
        mid: str,
    ) -> None:
        """Begin to send.

        Parameters
        ----------
        codecs : list of aiortc.RTCRtpCodecParameters
            As negotiated; the first is used.
        extensions : list of aiortc.RTCRtpHeaderExtensionParameters
            As negotiated.
        mid : str
            Of the media section.
        """
        codec = codecs[0]
        ids = {extension.uri: extension.id for extension in extensions}
        retransmissions = next(
            (
                StreamIdentity(self.rtx_ssrc, other.payloadType or 0, mid)
                for other in codecs
                if is_rtx(other) and other.parameters["apt"] == codec.payloadType
            ),
            None,
        )
        self._clock = SenderReportClock(codec.clockRate)
        self.outgoing = PacketHistory(
            StreamIdentity(self.ssrc, codec.payloadType or 0, mid),
            retransmissions,
            ids,
            # In the lower half, so that none wraps before SRTP has a packet (RFC 3711, 3.3.1).
            (random.getrandbits(15), random.getrandbits(15)),
        )
        if retransmissions is not None and twcc.EXTENSION_URI in ids:
            self._transmitter.padding_source = self.outgoing
        self._tasks = [
            start(self._send_track(codec), f"sending {self._kind}"),
            start(self._report_regularly(), "sending sender reports"),
        ]

    async def stop(self) -> None:
        """Stop sending and wait for that; the track is stopped."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- the browser's feedback

    def on_report(self, report: RtcpReceiverInfo, arrival_s: float) -> None:
        """Take a report block of the browser on this stream.

        Parameters
        ----------
        report : aiortc.rtp.RtcpReceiverInfo
            The block.
        arrival_s : float
            Monotonic time of its arrival.
        """
        if self._reported is not None and report.dlsr and report.lsr == self._reported[0]:
            measured_s = arrival_s - self._reported[1] - report.dlsr / 65_536
            known_s = measured_s if self.round_trip_s is None else self.round_trip_s
            self.round_trip_s = known_s + ROUND_TRIP_SMOOTHING * (measured_s - known_s)
        if self.on_loss is not None:
            self.on_loss(report.fraction_lost / 256)

    def on_feedback(self, packet: RtcpRtpfbPacket | RtcpPsfbPacket) -> None:
        """Take a request of the browser: NACK, PLI or FIR (RFC 4585, RFC 5104).

        Parameters
        ----------
        packet : aiortc.rtp.RtcpRtpfbPacket or aiortc.rtp.RtcpPsfbPacket
            About this stream; others than those three are passed over.
        """
        if isinstance(packet, RtcpRtpfbPacket):
            if packet.fmt == RTCP_RTPFB_NACK:
                self._retransmit(packet.lost)
        elif packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
            self._restart_with_key_frame()

    def _retransmit(self, lost: list[int]) -> None:
        if self.outgoing is None:
            return
        now_s = time.monotonic()
        round_trip_s = self.round_trip_s or ROUND_TRIP_S
        for number in lost:
            packet = self.outgoing.retransmission(number & 0xFFFF, round_trip_s, now_s)
            if packet is None:
                continue
            if self._transmitter.enqueue([packet], PacketType.RETRANSMISSION):
                self.outgoing.retransmitted += 1
            elif now_s - self._restarted_s >= GIVE_UP_PAUSE_S:
                # Too much is lost: a browser would wait for all of it for seconds.
                self._restart_with_key_frame()
                return

    def _restart_with_key_frame(self) -> None:
        """Send a key frame next, and nothing of what was before it any more.

        Not before the network path's queue is empty: a key frame sent into a full queue is lost, as
        is all that depends on it. Another one while one is in flight would only delay it.
        """
        now_s = time.monotonic()
        if now_s < self._key_frame_arrives_s:
            return
        if not self._awaits_key_frame and self.outgoing is not None:
            self._awaits_key_frame, self._restarted_s = True, now_s
            self.outgoing.clear()
            self._transmitter.drop_video()
        self._force_key_frame = True

    async def _send_track(self, codec: RTCRtpCodecParameters) -> None:
        try:
            await self._send_frames(codec)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass
        except Exception:
            _log.exception("the %s stream could not be sent any further", self._kind)
            self.on_failed()
        if self.track is not None:
            self.track.stop()
            self.track = None
        self.encoder = None

    async def _send_frames(self, codec: RTCRtpCodecParameters) -> None:
        outgoing, clock = self.outgoing, self._clock
        assert outgoing is not None and clock is not None  # noqa: S101 - an invariant, which also narrows the type
        origin = random.getrandbits(32)
        kind = PacketType.AUDIO if self._kind == "audio" else PacketType.VIDEO
        while True:
            if self.track is None:
                await asyncio.sleep(NO_TRACK_PAUSE_S)
                continue
            queue_s = 0.0 if self._awaits_key_frame else MAX_QUEUE_S
            room = kind is PacketType.AUDIO or await self._transmitter.wait_for_room(queue_s)
            data = await self.track.recv()
            if not room:
                continue  # the track goes on all the same, as its viewer's time does
            due_s: float | None = getattr(self.track, "due_s", None)
            now_s = time.monotonic()
            key_frames = self._key_frames
            payloads, pts, level = await self._encode(codec, data)
            is_key_frame = self._key_frames > key_frames
            if not payloads or (
                self._awaits_key_frame and isinstance(data, VideoFrame) and not is_key_frame
            ):
                continue
            timestamp = (origin + pts) & 0xFFFFFFFF
            clock.update(timestamp, now_s if due_s is None else due_s)
            if kind is PacketType.VIDEO:
                outgoing.set_smooth_playout(self._transmitter.is_lossy)
            packets = outgoing.make_packets(payloads, timestamp, time.monotonic(), level)
            self._transmitter.enqueue(packets, kind)
            if kind is PacketType.VIDEO:
                self._awaits_key_frame = False
            if is_key_frame:
                bits = 8 * sum(packet.size_bytes for packet in packets)
                transit_s = bits / self._transmitter.target_bps + (
                    self.round_trip_s or ROUND_TRIP_S
                )
                self._key_frame_arrives_s = time.monotonic() + min(transit_s, MAX_KEY_TRANSIT_S)

    @property
    def _key_frames(self) -> int:
        """How many key frames the encoder has made, 0 if it does not say."""
        return getattr(self.encoder, "key_frames", 0)

    async def _encode(
        self,
        codec: RTCRtpCodecParameters,
        data: Any,  # noqa: ANN401 - a frame or a packet
    ) -> tuple[list[bytes], int, int | None]:
        if self.encoder is None:
            self.encoder = get_encoder(codec)
        encoder = self.encoder
        if not isinstance(data, AudioFrame | VideoFrame):
            return *encoder.pack(data), None
        key, self._force_key_frame = self._force_key_frame, False
        level = audio_level(data) if isinstance(data, AudioFrame) else None
        draw: Callable[[], VideoFrame] | None = getattr(self.track, "draw", None)

        def encode() -> tuple[list[bytes], int]:
            frame = data if draw is None else draw()
            if self.on_frame is not None and isinstance(frame, VideoFrame):
                self.on_frame(frame, key)
            encoded: tuple[list[bytes], int] = encoder.encode(frame, key)
            return encoded

        payloads, pts = await asyncio.get_running_loop().run_in_executor(None, encode)
        return payloads, pts, level

    async def _report_regularly(self) -> None:
        await asyncio.sleep(FIRST_REPORT_S)
        while True:
            self._report()
            await asyncio.sleep(random.uniform(0.5, 1.0))  # noqa: S311 - RTP and ICE ask for no secret here

    def _report(self) -> None:
        outgoing, clock = self.outgoing, self._clock
        if outgoing is None or clock is None or not clock.known:
            return
        now_s = time.monotonic()
        moment = ntp_time(now_s)
        report = RtcpSrPacket(
            ssrc=self.ssrc,
            sender_info=RtcpSenderInfo(
                ntp_timestamp=moment,
                rtp_timestamp=clock.timestamp_at(now_s),
                packet_count=outgoing.packets & 0xFFFFFFFF,
                octet_count=outgoing.payload_bytes & 0xFFFFFFFF,
            ),
        )
        self._reported = moment >> 16 & 0xFFFFFFFF, now_s
        source = RtcpSourceInfo(ssrc=self.ssrc, items=[(1, self._cname.encode())])
        self._send_rtcp([report, RtcpSdesPacket(chunks=[source])])


def audio_level(frame: AudioFrame) -> int:
    """Return the level of a sound in -dBov, 0 (loudest) to 127 (RFC 6464).

    Parameters
    ----------
    frame : av.AudioFrame
        Of 16-bit samples.
    """
    samples = np.frombuffer(memoryview(frame.planes[0]), np.int16).astype(np.float32)
    power = float(np.mean(np.square(samples))) / 32767**2
    return 127 if power <= 0 else min(max(round(-10 * np.log10(power)), 0), 127)
