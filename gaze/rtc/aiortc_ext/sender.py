"""aiortc's RTP sender with its own way out: paced, with a longer memory, and one clock for all."""

import asyncio
import logging
import math
import random
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from aiortc import RTCDtlsTransport, RTCRtpSender
from aiortc.codecs import get_encoder, is_rtx
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcrtpparameters import RTCRtpCodecParameters, RTCRtpSendParameters
from aiortc.rtcrtpsender import random_sequence_number
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)
from av import AudioFrame, VideoFrame

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.pacer import Kind
from gaze.rtc.congestion.transmitter import QUEUE_S, Transmitter
from gaze.rtc.rtp.packet_history import Identity, Outgoing
from gaze.rtc.rtp.sender_report_clock import SenderClock, ntp

GIVE_UP_PAUSE_S = 0.7
MAX_KEY_WAY_S = 0.7
FIRST_REPORT_S = 0.1
ROUND_TRIP_S = 0.1  # as long as nothing is known

_log = logging.getLogger(__name__)


class Sender(RTCRtpSender):
    """Sends one track by a transmitter.

    A track may say by an attribute `due_s` at which monotonic time the frame that it gave last is
    due; else that is when it came. By an attribute `draw` it may say what makes another frame of
    it, which is sent instead; that is called in the thread that encodes.

    Attributes:
        on_frame: called, in the thread that encodes, with each frame before it is encoded, and
            whether a key frame is to be made of it (not with those that the track gives encoded).
    """

    def __init__(self, kind: str, transport: RTCDtlsTransport, transmitter: Transmitter) -> None:
        super().__init__(kind, transport)
        self.on_frame: Callable[[VideoFrame, bool], None] | None = None
        self.outgoing: Outgoing | None = None
        self._transmitter = transmitter
        self._clock: SenderClock | None = None
        self._key_there_s = -math.inf  # when the last key frame has arrived
        self._anew = False  # nothing but a key frame is worth sending
        self._anew_s = -math.inf  # since when

    async def send(self, parameters: RTCRtpSendParameters) -> None:
        """Begin; aiortc calls this once it is connected."""
        if self.outgoing is None:
            codec = parameters.codecs[0]
            ids = {extension.uri: extension.id for extension in parameters.headerExtensions}
            again = next(
                (
                    Identity(self._rtx_ssrc, other.payloadType or 0, parameters.muxId)
                    for other in parameters.codecs
                    if is_rtx(other) and other.parameters["apt"] == codec.payloadType
                ),
                None,
            )
            self._clock = SenderClock(codec.clockRate)
            self.outgoing = Outgoing(
                Identity(self._ssrc, codec.payloadType or 0, parameters.muxId),
                again,
                ids,
                (random_sequence_number(), random_sequence_number()),
            )
            if again is not None and twcc.EXTENSION_URI in ids:
                self._transmitter.padded = self.outgoing
        await super().send(parameters)

    @property
    def round_trip_s(self) -> float | None:
        """By RTCP (RFC 3550, section 6.4.1), if known."""
        private: Any = self
        round_trip_s: float | None = private._RTCRtpSender__rtt
        return round_trip_s

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        if isinstance(packet, RtcpRtpfbPacket):
            if packet.fmt == RTCP_RTPFB_NACK:
                self._send_again(packet.lost)
        elif isinstance(packet, RtcpPsfbPacket):
            if packet.fmt in (RTCP_PSFB_PLI, RTCP_PSFB_FIR):
                self._begin_anew()
        else:
            await super()._handle_rtcp_packet(packet)

    def _send_again(self, lost: list[int]) -> None:
        if self.outgoing is None:
            return
        now_s = time.monotonic()
        round_trip_s = self.round_trip_s or ROUND_TRIP_S
        for number in lost:
            packet = self.outgoing.again(number & 0xFFFF, round_trip_s, now_s)
            if packet is None:
                continue
            if self._transmitter.put([packet], Kind.RETRANSMISSION):
                self.outgoing.resent += 1
            elif now_s - self._anew_s >= GIVE_UP_PAUSE_S:
                self._begin_anew()  # too much is lost; browsers would wait for it for seconds
                return

    def _begin_anew(self) -> None:
        """Send a key frame next, and nothing of what was before it any more.

        Not before the way's queue is empty: a key frame into a full queue is lost, and so is all
        that needs it. Another one while one is on its way would only delay it.
        """
        now_s = time.monotonic()
        if now_s < self._key_there_s:
            return
        if not self._anew and self.outgoing is not None:
            self._anew, self._anew_s = True, now_s
            self.outgoing.forget()
            self._transmitter.drop_film()
        self._send_keyframe()

    async def _run_rtp(self, codec: RTCRtpCodecParameters) -> None:
        private: Any = self
        private._RTCRtpSender__rtp_started.set()
        try:
            await self._send_frames(codec)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            pass
        except Exception:
            _log.exception("a track could not be sent any further")
        if self.track is not None:
            self.track.stop()
            private._RTCRtpSender__track = None
        private._RTCRtpSender__encoder = None
        private._RTCRtpSender__rtp_exited.set()

    async def _send_frames(self, codec: RTCRtpCodecParameters) -> None:
        outgoing, clock = self.outgoing, self._clock
        assert outgoing is not None and clock is not None
        origin = random.getrandbits(32)
        kind = Kind.SOUND if self.kind == "audio" else Kind.VIDEO
        while self.transport.state not in ("closed", "failed"):
            if self.track is None:
                await asyncio.sleep(0.02)
                continue
            queue_s = 0.0 if self._anew else QUEUE_S
            room = kind is Kind.SOUND or await self._transmitter.room(queue_s)
            data = await self.track.recv()
            if not room:
                continue  # the track goes on all the same, as its viewer's time does
            due_s: float | None = getattr(self.track, "due_s", None)
            now_s = time.monotonic()
            key_frames = self._key_frames
            payloads, pts, level = await self._encode(codec, data)
            is_key_frame = self._key_frames > key_frames
            if not payloads or (self._anew and isinstance(data, VideoFrame) and not is_key_frame):
                continue
            timestamp = (origin + pts) & 0xFFFFFFFF
            clock.note(timestamp, now_s if due_s is None else due_s)
            if kind is Kind.VIDEO:
                outgoing.smooth(self._transmitter.lossy)
            packets = outgoing.make(payloads, timestamp, time.monotonic(), level)
            self._transmitter.put(packets, kind)
            if kind is Kind.VIDEO:
                self._anew = False
            if is_key_frame:
                bits = 8 * sum(packet.size_bytes for packet in packets)
                way_s = bits / self._transmitter.target_bps + (self.round_trip_s or ROUND_TRIP_S)
                self._key_there_s = time.monotonic() + min(way_s, MAX_KEY_WAY_S)

    @property
    def _key_frames(self) -> int:
        """How many key frames the encoder has made, 0 if it does not say."""
        private: Any = self
        return getattr(private._RTCRtpSender__encoder, "key_frames", 0)

    async def _encode(
        self, codec: RTCRtpCodecParameters, data: Any
    ) -> tuple[list[bytes], int, int | None]:
        private: Any = self
        encoder = private._RTCRtpSender__encoder
        if encoder is None:
            encoder = private._RTCRtpSender__encoder = get_encoder(codec)
        if not isinstance(data, AudioFrame | VideoFrame):
            return *encoder.pack(data), None
        key = private._RTCRtpSender__force_keyframe
        private._RTCRtpSender__force_keyframe = False
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

    async def _run_rtcp(self) -> None:
        private: Any = self
        private._RTCRtpSender__rtcp_started.set()
        try:
            await asyncio.sleep(FIRST_REPORT_S)
            while True:
                await self._report()
                await asyncio.sleep(random.uniform(0.5, 1.0))
        except asyncio.CancelledError:
            pass
        await self._send_rtcp([RtcpByePacket(sources=[self._ssrc])])
        private._RTCRtpSender__rtcp_exited.set()

    async def _report(self) -> None:
        outgoing, clock = self.outgoing, self._clock
        if outgoing is None or clock is None or not clock.known:
            return
        private: Any = self
        now_s = time.monotonic()
        moment = ntp(now_s)
        packets: list[AnyRtcpPacket] = [
            RtcpSrPacket(
                ssrc=self._ssrc,
                sender_info=RtcpSenderInfo(
                    ntp_timestamp=moment,
                    rtp_timestamp=clock.timestamp_at(now_s),
                    packet_count=outgoing.packets & 0xFFFFFFFF,
                    octet_count=outgoing.payload_bytes & 0xFFFFFFFF,
                ),
            )
        ]
        private._RTCRtpSender__lsr = moment >> 16 & 0xFFFFFFFF
        private._RTCRtpSender__lsr_time = time.time()
        cname = private._RTCRtpSender__cname
        if cname is not None:
            source = RtcpSourceInfo(ssrc=self._ssrc, items=[(1, cname.encode())])
            packets.append(RtcpSdesPacket(chunks=[source]))
        await self._send_rtcp(packets)


def audio_level(frame: AudioFrame) -> int:
    """The level of a sound in -dBov, 0 (loudest) to 127 (RFC 6464)."""
    samples = np.frombuffer(memoryview(frame.planes[0]), np.int16).astype(np.float32)
    power = float(np.mean(np.square(samples))) / 32767**2
    return 127 if power <= 0 else min(max(round(-10 * np.log10(power)), 0), 127)
