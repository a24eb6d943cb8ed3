"""A stream on its way in: packets, and the thread that decodes their frames."""

import asyncio
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import av
from aiortc import RTCRtpReceiver, clock
from aiortc.codecs import depayload, is_rtx
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci, unwrap_rtx
from av import AudioFrame, VideoFrame

from gaze.frames.latest import LatestValue
from gaze.frames.metadata import FrameMetadata
from gaze.frames.rotation import upright
from gaze.rtc.aiortc_ext.packets import finish
from gaze.rtc.codecs.decoder import VideoDecoder
from gaze.rtc.rtp.jitter_buffer import EncodedFrame, is_key_frame

AUDIO_WAITING_S = 0.2
ENCODED_WAITING = 15  # frames

log = logging.getLogger(__name__)


class SlotEnd:
    """Stands where aiortc's decoder thread says that a stream has ended: that closes the slot."""

    def __init__(self, slot: LatestValue[VideoFrame]) -> None:
        self._slot = slot

    async def put(self, end: None) -> None:
        """Close the slot."""
        self._slot.close()


class DecoderQueue(queue.SimpleQueue[Any]):
    """Encoded frames on their way to a decoder thread that should keep up with them.

    aiortc's thread gets nothing from it but the end: what it waits for in `get` is decoded there.
    Should it not keep up, all that waits is dropped, and a key frame is asked for; until it comes,
    what follows is dropped too.
    """

    def __init__(
        self, decoder: VideoDecoder, slot: LatestValue[VideoFrame], ask: Callable[[], None]
    ) -> None:
        """Take what decodes, where frames go, upright, and what asks for a key frame."""
        self.dropped = 0
        self._decoder = decoder
        self._slot = slot
        self._ask = ask
        self._loop = asyncio.get_running_loop()
        self._skipped = 0

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Decode until the end; called in aiortc's decoder thread."""
        while (item := super().get(block, timeout)) is not None:
            codec, frame = item
            self._decode(codec.name, frame)
        return None

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

    def _decode(self, codec: str, frame: EncodedFrame) -> None:
        try:
            pictures = self._decoder.decode(codec, frame.data, frame.timestamp)
        except av.FFmpegError as error:
            log.warning("a %s frame could not be decoded: %s", codec, error)
            self._ask()
            return
        for picture in pictures:
            turned = upright(picture, frame.clockwise)
            turned.opaque = FrameMetadata(encoded_bytes=len(frame.data))
            self._loop.call_soon_threadsafe(self._slot.put, turned)


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


class Receiver(RTCRtpReceiver):
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
        buffer = private._RTCRtpReceiver__jitter_buffer
        ask, frame = buffer.add(packet)
        if nack is not None:
            nack.forget_before(buffer.first)
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
