"""The threads that decode received streams, and the short queues around them."""

import asyncio
import contextlib
import logging
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

import av
from aiortc import MediaStreamError, MediaStreamTrack, RTCRtpCodecParameters
from aiortc.codecs import get_decoder
from aiortc.jitterbuffer import JitterFrame
from av import AudioFrame, VideoFrame

from gaze.frames.latest import LatestValue
from gaze.frames.metadata import FrameMetadata
from gaze.frames.rotation import rotate
from gaze.rtc.codecs.decoder import VideoDecoder
from gaze.rtc.rtp.jitter_buffer import EncodedFrame, is_key_frame

MAX_AUDIO_WAITING_S = 0.2  # chosen by hand: beyond, speech is noticed to be late
MAX_ENCODED_WAITING = 15  # video frames; chosen by hand: half a second
MAX_SOUND_WAITING = 50  # audio frames; chosen by hand: a second of 20 ms each

log = logging.getLogger(__name__)


class DecoderThread:
    """A thread that decodes one stream's frames in their order, until the end.

    Parameters
    ----------
    name : str
        Of the thread.
    """

    def __init__(self, name: str) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        # A decoder that hangs in native code must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = self._ending = False
        self._ended = asyncio.Event()

    def start(self) -> None:
        """Begin to decode."""
        self._started = True
        self._thread.start()

    def put(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
        """Queue an encoded frame.

        Parameters
        ----------
        codec : aiortc.RTCRtpCodecParameters
            What it is encoded with.
        frame : aiortc.jitterbuffer.JitterFrame
            The frame.
        """
        self._items.put((codec, frame))

    def end(self) -> None:
        """Decode what waits, then end the stream; does not wait for that."""
        if self._ending:
            return
        self._ending = True
        if self._started:
            self._items.put(None)
        else:
            self._finish()

    async def join(self, limit_s: float) -> bool:
        """Wait until the thread has ended, without blocking the event loop.

        Parameters
        ----------
        limit_s : float
            Seconds to wait at most.

        Returns
        -------
        bool
            Whether it has; if not, it ends by itself as soon as the decoder lets it.
        """
        self.end()
        try:
            async with asyncio.timeout(limit_s):
                await self._ended.wait()
        except TimeoutError:
            return False
        if self._started:
            self._thread.join()  # it has nothing more to do
        return True

    def _run(self) -> None:
        try:
            while (item := self._items.get()) is not None:
                self._decode(*item)
        except Exception:
            log.exception("the %s thread died; its stream has ended", self._thread.name)
        with contextlib.suppress(RuntimeError):  # the loop has closed
            self._loop.call_soon_threadsafe(self._finish)

    def _finish(self) -> None:
        self._ending = True
        self._on_end()
        self._ended.set()

    def _decode(self, codec: RTCRtpCodecParameters, frame: Any) -> None:  # noqa: ANN401 - a JitterFrame or the end
        """Decode a frame; called in the thread."""
        raise NotImplementedError

    def _on_end(self) -> None:
        """Tell whoever takes the frames that no more come; called on the event loop."""
        raise NotImplementedError


class VideoDecoding(DecoderThread):
    """Decodes video frames into a slot that keeps the newest, upright.

    Should the thread not keep up, all that waits is dropped and a key frame is asked for; until it
    comes, what follows is dropped too.

    Parameters
    ----------
    decoder : VideoDecoder
        Used by the thread alone.
    slot : LatestValue
        Where frames go; closed at the end.
    ask : callable
        Asks for a key frame; called on the loop or in the thread.

    Attributes
    ----------
    dropped : int
        Encoded frames dropped.
    """

    def __init__(
        self, decoder: VideoDecoder, slot: LatestValue[VideoFrame], ask: Callable[[], None]
    ) -> None:
        super().__init__("video-decoder")
        self.dropped = 0
        self._decoder = decoder
        self._slot = slot
        self._ask = ask
        self._skipped = 0

    @property
    def waiting(self) -> int:
        """Encoded frames that wait."""
        return self._items.qsize()

    def put(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
        """Queue an encoded frame, or drop it.

        Parameters
        ----------
        codec : aiortc.RTCRtpCodecParameters
            What it is encoded with.
        frame : aiortc.jitterbuffer.JitterFrame
            The frame.
        """
        if self._ending:
            return
        if self._items.qsize() >= MAX_ENCODED_WAITING or self._skipped:
            self._drop_waiting()
            if not is_key_frame(codec.name, frame.data):
                self.dropped += 1
                if self._skipped % MAX_ENCODED_WAITING == 0:
                    self._ask()
                self._skipped += 1
                return
        self._skipped = 0
        super().put(codec, frame)

    def _drop_waiting(self) -> None:
        with contextlib.suppress(queue.Empty):  # the thread takes from it too
            while True:
                self._items.get_nowait()
                self.dropped += 1

    def _decode(self, codec: RTCRtpCodecParameters, frame: EncodedFrame) -> None:
        try:
            pictures = self._decoder.decode(codec.name, frame.data, frame.timestamp)
        except av.FFmpegError as error:
            log.warning("a %s frame could not be decoded: %s", codec.name, error)
            self._ask()
            return
        for picture in pictures:
            turned = rotate(picture, frame.clockwise)
            turned.opaque = FrameMetadata(encoded_bytes=len(frame.data))
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._slot.put, turned)

    def _on_end(self) -> None:
        self._slot.close()


class AudioQueue:
    """A short queue between an audio decoder and its track; beyond 200 ms the oldest is dropped.

    Attributes
    ----------
    received : int
        Frames put.
    dropped : int
        Of these, the frames that were not taken in time.
    """

    def __init__(self) -> None:
        self.received = 0
        self.dropped = 0
        self._frames: deque[AudioFrame] = deque()
        self._waiting_s = 0.0
        self._ended = False
        self._ready = asyncio.Event()

    def put(self, frame: AudioFrame | None) -> None:
        """Append a frame.

        Parameters
        ----------
        frame : av.AudioFrame or None
            None is the end.
        """
        self._ready.set()
        if frame is None:
            self._ended = True
            return
        self.received += 1
        self._frames.append(frame)
        self._waiting_s += frame.samples / frame.sample_rate
        while self._waiting_s > MAX_AUDIO_WAITING_S + 1e-9:
            oldest = self._frames.popleft()
            self._waiting_s -= oldest.samples / oldest.sample_rate
            self.dropped += 1

    async def get(self) -> AudioFrame | None:
        """Wait for the oldest frame and take it.

        Returns
        -------
        av.AudioFrame or None
            None after the last.
        """
        while not self._frames:
            if self._ended:
                return None
            self._ready.clear()
            await self._ready.wait()
        frame = self._frames.popleft()
        self._waiting_s -= frame.samples / frame.sample_rate
        return frame


class AudioTrack(MediaStreamTrack):
    """The frames of an `AudioQueue` as a track.

    Parameters
    ----------
    frames : AudioQueue
        Where they wait.
    """

    kind = "audio"

    def __init__(self, frames: AudioQueue) -> None:
        super().__init__()
        self._frames = frames

    async def recv(self) -> AudioFrame:
        """Wait for the next frame.

        Returns
        -------
        av.AudioFrame
            The oldest that waits.

        Raises
        ------
        aiortc.MediaStreamError
            The stream has ended.
        """
        if self.readyState != "live":
            raise MediaStreamError
        frame = await self._frames.get()
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame


class AudioDecoding(DecoderThread):
    """Decodes audio frames into an `AudioQueue`.

    Parameters
    ----------
    frames : AudioQueue
        Where they go; ended at the end.
    """

    def __init__(self, frames: AudioQueue) -> None:
        super().__init__("audio-decoder")
        self._frames = frames
        self._codec = ""
        self._decoder: Any = None

    def put(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
        """Queue an encoded frame; of more than 50 that wait, the oldest is dropped.

        Parameters
        ----------
        codec : aiortc.RTCRtpCodecParameters
            What it is encoded with.
        frame : aiortc.jitterbuffer.JitterFrame
            The frame.
        """
        if self._ending:
            return
        if self._items.qsize() >= MAX_SOUND_WAITING:
            with contextlib.suppress(queue.Empty):
                self._items.get_nowait()
        super().put(codec, frame)

    def _decode(self, codec: RTCRtpCodecParameters, frame: JitterFrame) -> None:
        if codec.name != self._codec:
            self._decoder, self._codec = get_decoder(codec), codec.name
        try:
            decoded = self._decoder.decode(frame)
        except av.FFmpegError as error:
            log.warning("a %s frame could not be decoded: %s", codec.name, error)
            return
        for one in decoded:
            with contextlib.suppress(RuntimeError):  # the loop has closed
                self._loop.call_soon_threadsafe(self._frames.put, one)

    def _on_end(self) -> None:
        self._frames.put(None)
