"""One received stream, from its packets to the decoder, and the RTCP that goes back for it."""

import asyncio
import logging
import random
import struct
import time
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from aiortc import RTCRtpCodecParameters
from aiortc.codecs import depayload, is_rtx
from aiortc.jitterbuffer import JitterBuffer, JitterFrame
from aiortc.rate import RemoteBitrateEstimator
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    pack_remb_fci,
    unwrap_rtx,
)
from av import VideoFrame

from gaze.frames.latest import LatestValue
from gaze.rtc.aiortc_ext.packets import MalformedPacketError, set_encoded
from gaze.rtc.codecs.decoder import VideoDecoder
from gaze.rtc.rtp.jitter_buffer import VideoJitterBuffer
from gaze.rtc.rtp.nack_requester import NackRequester
from gaze.rtc.streams.decoding import AudioDecoding, AudioQueue, DecoderThread, VideoDecoding
from gaze.rtc.streams.reception import ReceptionStatistics
from gaze.rtc.tasks import start

MAX_REPORT_BLOCKS = 31  # RFC 3550, section 6.4.1: the count has five bits
AUDIO_BUFFER_PACKETS, AUDIO_PREFETCH_FRAMES = 16, 4  # as aiortc's own receiver has it
JOIN_TIMEOUT_S = 1.0

log = logging.getLogger(__name__)

SendRtcp = Callable[[Iterable[AnyRtcpPacket]], None]


class Buffer(Protocol):
    """A jitter buffer: aiortc's, or `VideoJitterBuffer`."""

    def add(self, packet: RtpPacket) -> tuple[bool, JitterFrame | None]:
        """Take a packet; return whether to ask for a key frame, and a complete frame."""


class Receiver:
    """One media section's received stream with its retransmissions.

    Parameters
    ----------
    codecs : list of aiortc.RTCRtpCodecParameters
        As negotiated.
    repairs : dict of int to int
        The SSRC of the original stream by that of its retransmissions, as declared in the offer.
    ssrc : int
        Ours, in the RTCP that goes back.
    send_rtcp : callable
        Sends a compound packet; never raises.
    buffer : Buffer
        Puts frames together.
    decoding : DecoderThread
        Decodes them.

    Attributes
    ----------
    packets, payload_bytes : int
        Received, retransmissions included.
    on_frame : callable
        Takes each encoded frame with its codec; `decoding.put` unless replaced.
    key_frame_wanted : bool
        Ask for a key frame at the next packet.
    """

    def __init__(
        self,
        codecs: list[RTCRtpCodecParameters],
        repairs: dict[int, int],
        ssrc: int,
        send_rtcp: SendRtcp,
        buffer: Buffer,
        decoding: DecoderThread,
    ) -> None:
        self.packets = 0
        self.payload_bytes = 0
        self.on_frame = decoding.put
        self.key_frame_wanted = False
        self._codecs = {codec.payloadType: codec for codec in codecs}
        self._clock_hz = codecs[0].clockRate
        self._repairs = repairs
        self._ssrc = ssrc
        self._send_rtcp = send_rtcp
        self._buffer = buffer
        self._decoding = decoding
        self._statistics: dict[int, ReceptionStatistics] = {}
        self._media_ssrc: int | None = None  # the newest that is not of retransmissions
        self._origin: int | None = None  # RTP timestamp of `pts` 0
        self._last_timestamp = 0
        self._reporting: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to decode and to report."""
        self._decoding.start()
        self._reporting = start(self._report_regularly(), "sending receiver reports")

    def end(self) -> None:
        """Let the decoder finish, which ends the track or slot; does not wait for that."""
        self._decoding.end()

    async def stop(self) -> None:
        """End the stream and wait for that, 1 s at most."""
        if self._reporting is not None:
            self._reporting.cancel()
            await asyncio.gather(self._reporting, return_exceptions=True)
        if not await self._decoding.join(JOIN_TIMEOUT_S):
            log.error("a decoder did not end within %s s; it is left behind", JOIN_TIMEOUT_S)

    # --- packets

    def take(self, packet: RtpPacket, arrival_s: float) -> None:
        """Handle an RTP packet.

        Parameters
        ----------
        packet : aiortc.rtp.RtpPacket
            Routed to this receiver.
        arrival_s : float
            Monotonic time of its arrival.

        Raises
        ------
        MalformedPacketError
            The payload descriptor is malformed.
        """
        self.packets += 1
        self.payload_bytes += len(packet.payload)
        codec = self._codecs.get(packet.payload_type)
        if codec is None:
            return
        statistics = self._statistics.get(packet.ssrc)
        if statistics is None:
            statistics = self._statistics[packet.ssrc] = ReceptionStatistics(codec.clockRate)
            if not is_rtx(codec):
                self._media_ssrc = packet.ssrc
        statistics.add(packet, arrival_s)
        if is_rtx(codec):
            original = self._repairs.get(packet.ssrc)
            payload_type: Any = codec.parameters.get("apt")
            if original is None or len(packet.payload) < 2 or payload_type not in self._codecs:
                return
            packet = unwrap_rtx(packet, payload_type=payload_type, ssrc=original)
            codec = self._codecs[payload_type]
        self._on_packet(packet)
        try:
            set_encoded(packet, depayload(codec, packet.payload) if packet.payload else b"")
        except (ValueError, IndexError, struct.error) as error:
            raise MalformedPacketError(f"malformed {codec.name} payload: {error}") from error
        ask, frame = self._buffer.add(packet)
        self._on_buffered(packet, ask=ask)
        if frame is not None:
            frame.timestamp = self._pts(frame.timestamp)
            self.on_frame(codec, frame)

    def _on_packet(self, packet: RtpPacket) -> None:
        """Do what is to be done for each packet before it is put into the buffer."""

    def _on_buffered(self, packet: RtpPacket, *, ask: bool) -> None:
        """Do what is to be done for each packet afterwards."""

    def _pts(self, timestamp: int) -> int:
        """Return an RTP timestamp, 32 bits, as ticks since the first one."""
        if self._origin is None:
            self._origin = timestamp
        elif timestamp < self._last_timestamp:  # wrapped
            self._origin -= 1 << 32
        self._last_timestamp = timestamp
        return timestamp - self._origin

    def forget(self, ssrc: int) -> None:
        """Drop the statistics of an SSRC, because too many others came.

        Parameters
        ----------
        ssrc : int
            The SSRC.
        """
        self._statistics.pop(ssrc, None)

    # --- reports

    def on_sender_report(self, ssrc: int, ntp_timestamp: int) -> None:
        """Note a sender report.

        Parameters
        ----------
        ssrc : int
            Of the stream.
        ntp_timestamp : int
            64 bits, from the report.
        """
        if (statistics := self._statistics.get(ssrc)) is not None:
            statistics.on_sender_report(ntp_timestamp, time.monotonic())

    async def _report_regularly(self) -> None:
        while True:
            # RFC 3550, section 6.2: varied over 0.5 to 1.5 times the interval.
            await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - RTP and ICE ask for no secret here
            self.report()

    def report(self) -> None:
        """Send receiver reports of all SSRCs, as many packets as they need."""
        now_s = time.monotonic()
        blocks = [one.report(ssrc, now_s) for ssrc, one in self._statistics.items()]
        for first in range(0, len(blocks), MAX_REPORT_BLOCKS):
            some = blocks[first : first + MAX_REPORT_BLOCKS]
            self._send_rtcp([RtcpRrPacket(ssrc=self._ssrc, reports=some)])

    @property
    def lost(self) -> int:
        """Packets that have not come; a retransmission counts as having come."""
        return sum(max(0, one.lost) for one in self._statistics.values())

    def rtp_time(self, pts: int) -> tuple[int, int, int] | None:
        """Return the SSRC, RTP timestamp (unwrapped) and clock rate in Hz of a decoded frame.

        Parameters
        ----------
        pts : int
            Of the frame.
        """
        if self._media_ssrc is None or self._origin is None:
            return None
        return self._media_ssrc, self._origin + pts, self._clock_hz


class VideoReceiver(Receiver):
    """A received video stream: losses are asked for again, key frames when needed.

    Parameters
    ----------
    codecs, repairs, ssrc, send_rtcp
        As of `Receiver`.
    slot : LatestValue
        Takes the decoded frames.
    on_card : bool
        Whether the graphics card decodes, as far as it can.
    remb : bool
        Whether the bandwidth is estimated here and reported by REMB, because the browser takes no
        transport-wide feedback.

    Attributes
    ----------
    buffer : VideoJitterBuffer
        Puts frames together.
    """

    def __init__(
        self,
        codecs: list[RTCRtpCodecParameters],
        repairs: dict[int, int],
        ssrc: int,
        send_rtcp: SendRtcp,
        slot: LatestValue[VideoFrame],
        *,
        on_card: bool,
        remb: bool,
    ) -> None:
        self.buffer = VideoJitterBuffer({codec.payloadType or 0: codec.name for codec in codecs})
        decoding = VideoDecoding(VideoDecoder(use_nvdec=on_card), slot, self._want_key_frame)
        super().__init__(codecs, repairs, ssrc, send_rtcp, self.buffer, decoding)
        self._nack = NackRequester()
        self._estimator = RemoteBitrateEstimator() if remb else None

    def _want_key_frame(self) -> None:
        self.key_frame_wanted = True

    def take(self, packet: RtpPacket, arrival_s: float) -> None:
        """Handle an RTP packet; see `Receiver.take`.

        Parameters
        ----------
        packet : aiortc.rtp.RtpPacket
            Routed to this receiver.
        arrival_s : float
            Monotonic time of its arrival.
        """
        sent = packet.extensions.abs_send_time
        if self._estimator is not None and sent is not None:
            remb = self._estimator.add(
                abs_send_time=sent,
                arrival_time_ms=round(arrival_s * 1000),
                payload_size=len(packet.payload) + packet.padding_size,
                ssrc=packet.ssrc,
            )
            if remb is not None:
                self._send_feedback(RTCP_PSFB_APP, 0, pack_remb_fci(*remb))
        super().take(packet, arrival_s)

    def _on_packet(self, packet: RtpPacket) -> None:
        if self._nack.add(packet):
            lost = sorted(self._nack.missing)
            self._send_rtcp([RtcpRtpfbPacket(RTCP_RTPFB_NACK, self._ssrc, packet.ssrc, lost)])

    def _on_buffered(self, packet: RtpPacket, *, ask: bool) -> None:
        self._nack.forget_before(self.buffer.first)
        if ask or self.key_frame_wanted:
            self.key_frame_wanted = False
            self._send_feedback(RTCP_PSFB_PLI, packet.ssrc, b"")

    def forget(self, ssrc: int) -> None:
        """Drop the statistics of an SSRC; see `Receiver.forget`.

        Parameters
        ----------
        ssrc : int
            The SSRC.
        """
        super().forget(ssrc)
        if self._estimator is not None:
            self._estimator.ssrcs.pop(ssrc, None)

    def _send_feedback(self, fmt: int, media_ssrc: int, fci: bytes) -> None:
        self._send_rtcp([RtcpPsfbPacket(fmt, self._ssrc, media_ssrc, fci)])


class AudioReceiver(Receiver):
    """A received audio stream.

    Parameters
    ----------
    codecs, repairs, ssrc, send_rtcp
        As of `Receiver`.
    frames : AudioQueue
        Takes the decoded frames.
    """

    def __init__(
        self,
        codecs: list[RTCRtpCodecParameters],
        repairs: dict[int, int],
        ssrc: int,
        send_rtcp: SendRtcp,
        frames: AudioQueue,
    ) -> None:
        buffer = JitterBuffer(AUDIO_BUFFER_PACKETS, AUDIO_PREFETCH_FRAMES)
        super().__init__(codecs, repairs, ssrc, send_rtcp, buffer, AudioDecoding(frames))
