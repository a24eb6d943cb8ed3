"""A live stream from an address: picture and sound at their pace, opened again when it is lost."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.container import InputContainer

from gaze.frames.latest import LatestValue
from gaze.media.address import Address, AddressError, Allowed
from gaze.media.decode import (
    SAMPLE_RATE_HZ,
    FilmError,
    resampler,
    shown,
    video_stream,
)
from gaze.media.pinned_client import TIMEOUT_S, HttpOpener, rtsp_relay

logger = logging.getLogger(__name__)

PICTURE_HZ = 90_000
FORMATS = "hls,mpegts,mov,matroska,flv,h264,hevc,mpjpeg,ogg"
"""What is recognised over HTTP. Not those that name further hosts to FFmpeg itself, as SDP does."""

OPTIONS = {
    "rtsp": {
        "rtsp_transport": "tcp",
        "protocol_whitelist": "tcp",
        "allowed_media_types": "+video+audio",
    },
    "http": {
        "format_whitelist": FORMATS,
        "protocol_whitelist": "http,https",
        "http_persistent": "0",
    },
}
PROBE = {"probesize": "1000000", "analyzeduration": "2000000"}
AGAIN_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds to wait before a lost stream is opened again: longer each time, then the last."""

LATE_S = 0.5
"""Frames that come so late, or early, are a stream that stalled or began anew."""

FAILURES = (av.FFmpegError, FilmError, AddressError, OSError)


class LiveSound(MediaStreamTrack):
    """The stream's sound as it comes; frames that nobody takes are dropped."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._queue: asyncio.Queue[av.AudioFrame | None] = asyncio.Queue(25)

    def put(self, frame: av.AudioFrame | None) -> None:
        """Hand on a frame; None is the end."""
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(frame)

    async def recv(self) -> av.AudioFrame:
        frame = await self._queue.get()
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame


class LiveStream:
    """Decodes a stream in a thread of its own from `open` to `close`.

    `pictures` has the newest frame, yuv420p; frames of it and of `sound` carry as their time when,
    on the monotonic clock, they are due. A stream that ends or fails is opened again and again, and
    is `lost` until its next picture.
    """

    def __init__(
        self,
        address: Address,
        allowed: Allowed,
        on_loss: Callable[[str], None] = lambda reason: None,
        on_return: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what is called on the event loop when the stream is lost, with the reason, and what
        is when it is back."""
        self.lost = False
        self.pictures: LatestValue[av.VideoFrame] = LatestValue()
        self.sound = LiveSound()
        self._address = address
        self._allowed = allowed
        self._on_loss = on_loss
        self._on_return = on_return
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = self._loop.create_future()
        self._closed = threading.Event()
        self._opener: HttpOpener | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Wait for the first picture.

        Raises:
            AddressError: there is none to be had; says why.
        """
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                await asyncio.shield(self._opened)
        except TimeoutError:
            await self.close()
            raise AddressError(f"{self._address.place} sends no picture") from None
        except AddressError:
            await self.close()
            raise

    async def close(self) -> None:
        """End the thread; returns when it is gone."""
        self._closed.set()
        if self._opener is not None:
            self._opener.close()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self.pictures.close()
        self.sound.put(None)

    @staticmethod
    def captured_s(rate_hz: int) -> Callable[[int | None], float | None]:
        """Return what tells when a frame was due from its time."""
        return lambda pts: None if pts is None else pts / rate_hz

    async def _run(self) -> None:
        tries = 0
        while not self._closed.is_set():
            came_s = time.monotonic()
            try:
                await self._play()
                reason = "the stream ended"
            except TimeoutError:
                reason = "no answer"
            except FAILURES as error:
                reason = _why(error)
            if not self._opened.done():
                self._opened.set_exception(AddressError(f"{self._address.place}: {reason}"))
                return
            logger.warning("live stream %s lost: %s", self._address.place, reason)
            if time.monotonic() - came_s > AGAIN_S[-1]:
                tries = 0
            if not self.lost:
                self.lost = True
                self._on_loss(reason)
            await asyncio.sleep(AGAIN_S[min(tries, len(AGAIN_S) - 1)])
            tries += 1

    async def _play(self) -> None:
        if self._address.scheme == "rtsp":
            async with rtsp_relay(self._allowed, self._address) as url:
                await self._in_thread(lambda: self._decode(_open_rtsp(url)))
        else:
            opener = self._opener = HttpOpener(self._allowed)
            url = self._address.at(self._address.host, self._address.port)
            await self._in_thread(lambda: self._decode(_open_http(url, opener)))

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Run blocking work in a thread of its own, and wait for its end also when cancelled."""
        done: asyncio.Future[None] = self._loop.create_future()

        def tell(error: BaseException | None) -> None:
            if error is None:
                done.set_result(None)
            else:
                done.set_exception(error)

        def run() -> None:
            error: BaseException | None = None
            try:
                work()
            except BaseException as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop was closed first
                self._loop.call_soon_threadsafe(tell, error)

        threading.Thread(target=run, name=f"live {self._address.host}", daemon=True).start()
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            self._closed.set()
            if self._opener is not None:
                self._opener.close()
            with contextlib.suppress(Exception):
                await done
            raise

    def _decode(self, container: InputContainer) -> None:
        with container:
            video = video_stream(container)
            video.thread_type = "AUTO"
            streams: list[av.stream.Stream] = [video, *container.streams.audio[:1]]
            pace = _Pace(self._closed)
            sounds = resampler()
            for frame in _frames(container, streams):
                if self._closed.is_set():
                    return
                if frame.pts is None:
                    continue
                due_s = pace.wait(frame.time)
                if isinstance(frame, av.VideoFrame):
                    picture = shown(video, frame)
                    picture.pts, picture.time_base = round(due_s * PICTURE_HZ), _HZ[PICTURE_HZ]
                    self._tell(self._on_picture, picture)
                else:
                    frame.pts = round(due_s * frame.sample_rate)
                    frame.time_base = Fraction(1, frame.sample_rate)
                    for block in sounds.resample(frame):
                        self._tell(self.sound.put, block)

    def _on_picture(self, picture: av.VideoFrame) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
        self.pictures.put(picture)
        if self.lost:
            self.lost = False
            self._on_return()

    def _tell(self, callback: Callable[[Any], None], item: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, item)
        except RuntimeError:  # the loop was closed before the stream
            self._closed.set()


_HZ = {rate_hz: Fraction(1, rate_hz) for rate_hz in (PICTURE_HZ, SAMPLE_RATE_HZ)}


class _Pace:
    """Lets frames go when they are due: a playlist brings seconds of them at once."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._begin_s: float | None = None

    def wait(self, stream_s: float) -> float:
        """Wait until a frame of this time in the stream is due, and return when that is."""
        now_s = time.monotonic()
        if self._begin_s is None:
            self._begin_s = now_s - stream_s
        due_s = self._begin_s + stream_s
        if not -LATE_S <= due_s - now_s <= TIMEOUT_S:
            self._begin_s, due_s = now_s - stream_s, now_s
        self._closed.wait(max(0.0, due_s - now_s))
        return due_s


def _frames(container: InputContainer, streams: list[Any]) -> Iterator[Any]:
    for packet in container.demux(*streams):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _open_http(url: str, opener: HttpOpener) -> InputContainer:
    def opened(asked: str, flags: int, options: dict[str, str]) -> Any:
        return opener.open(asked)

    return av.open(
        url,
        io_open=opened,
        options={**OPTIONS["http"], **PROBE},
        timeout=(2 * TIMEOUT_S, TIMEOUT_S),
    )


def _open_rtsp(url: str) -> InputContainer:
    return av.open(
        url, format="rtsp", options={**OPTIONS["rtsp"], **PROBE}, timeout=(2 * TIMEOUT_S, TIMEOUT_S)
    )


def _why(error: Exception) -> str:
    """What may be told of a failure; asyncio's and FFmpeg's own texts hold the address."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
