"""A stream on its way in: packets, and the thread that decodes their frames."""

import asyncio
import queue
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from aiortc import RTCRtpReceiver, clock
from aiortc.codecs import depayload, is_rtx
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from aiortc.rtp import RTCP_PSFB_APP, RtcpPsfbPacket, RtpPacket, pack_remb_fci, unwrap_rtx
from av import AudioFrame, VideoFrame

from gaze.media.slot import Slot
from gaze.media.upright import upright
from gaze.rtc.jitterbuffer import EncodedFrame, is_key_frame
from gaze.rtc.nvdec import CardDecoder
from gaze.rtc.private.packets import finish

AUDIO_WAITING_S = 0.2
ENCODED_WAITING = 15  # frames


class SlotQueue:
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


class Card:
    """Decodes on the video card, in aiortc's decoder thread."""

    def __init__(self, frames: SlotQueue) -> None:
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


class DecoderQueue(queue.SimpleQueue[Any]):
    """Encoded frames on their way to a decoder thread that should keep up with them.

    Should it not, all that waits is dropped, and a key frame is asked for; until it comes, what
    follows is dropped too.
    """

    def __init__(
        self, ask: Callable[[], None], frames: SlotQueue, card: Card | None = None
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
