"""A live stream from an address: its picture and sound as they come, opened again when lost."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.container import InputContainer

from gaze.frames.latest import LatestValue
from gaze.media.address import Address, AddressError, Allowed
from gaze.media.film_file import FilmError
from gaze.media.live_decoder import decode_at_pace, open_http, open_rtsp
from gaze.media.pinned_client import TIMEOUT_S, HttpOpener, rtsp_relay

logger = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_DELAYS_S: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Pauses before a lost stream is opened again, the last one repeated (docs/live.md). Chosen by
hand: exponential backoff as is usual for reconnecting; no benchmark covers it."""

CLOSE_TIMEOUT_S: Final = 5.0
"""How long `close` waits for a decoder that hangs; the limit within which a session has to end."""

SOUND_BLOCKS: Final = 25
"""Most blocks of 20 ms that wait to be taken, half a second. Chosen by hand; no benchmark covers
it."""

_FAILURES: Final = (av.FFmpegError, FilmError, AddressError, OSError)


class LiveSound(MediaStreamTrack):
    """The stream's sound as it comes; of frames that are not taken the oldest are dropped."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self._queue: asyncio.Queue[av.AudioFrame | None] = asyncio.Queue(SOUND_BLOCKS)

    def put(self, frame: av.AudioFrame | None) -> None:
        """Hand on a frame. Called on the event loop.

        Parameters
        ----------
        frame : av.AudioFrame or None
            The next frame; None is the end of the track.
        """
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(frame)

    async def recv(self) -> av.AudioFrame:
        """Wait for the next frame.

        Returns
        -------
        av.AudioFrame
            20 ms of 48 kHz stereo s16.

        Raises
        ------
        MediaStreamError
            If the stream was closed.
        """
        frame = await self._queue.get()
        if frame is None:
            self.stop()
            raise MediaStreamError
        return frame


class LiveStream:
    """Decodes a stream in a thread of its own from `open` to `close`.

    Created and used on the event loop. A stream that ends or fails is opened again and again, and
    is `lost` until its next picture.

    Attributes
    ----------
    pictures : LatestValue of av.VideoFrame
        The newest picture, yuv420p; its `pts` is when it is due on the monotonic clock.
    sound : LiveSound
        The sound, with times on the same clock.
    lost : bool
        Whether the stream failed and did not come back yet.
    """

    def __init__(
        self,
        address: Address,
        allowed: Allowed,
        on_loss: Callable[[str], None] = lambda reason: None,
        on_return: Callable[[], None] = lambda: None,
    ) -> None:
        """Set the stream up; `open` connects.

        Parameters
        ----------
        address : Address
            A checked address.
        allowed : Allowed
            What its redirects and playlists are checked against.
        on_loss : callable, optional
            Called on the event loop with the reason when the stream is lost.
        on_return : callable, optional
            Called on the event loop when it is back.
        """
        self.lost = False
        self.pictures: LatestValue[av.VideoFrame] = LatestValue()
        self.sound = LiveSound()
        self._address = address
        self._allowed = allowed
        self._on_loss = on_loss
        self._on_return = on_return
        self._loop = asyncio.get_running_loop()
        self._first_picture: asyncio.Future[None] = self._loop.create_future()
        self._closed = threading.Event()
        self._opener: HttpOpener | None = None
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and wait for the first picture.

        Raises
        ------
        AddressError
            If none comes; says why.
        """
        self._task = asyncio.create_task(self._run())
        try:
            async with asyncio.timeout(2 * TIMEOUT_S):
                await asyncio.shield(self._first_picture)
        except TimeoutError:
            await self.close()
            raise AddressError(f"{self._address.origin} sends no picture") from None
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """End the thread and wait for it, `CLOSE_TIMEOUT_S` at most."""
        self._stop_decoding()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self.pictures.close()
        self.sound.put(None)

    @staticmethod
    def captured_s(rate_hz: int) -> Callable[[int | None], float | None]:
        """Make the function that converts a frame's `pts` to when it was due.

        Parameters
        ----------
        rate_hz : int
            Units of `pts` in a second.

        Returns
        -------
        callable
            From `pts` to seconds on the monotonic clock; None stays None.
        """
        return lambda pts: None if pts is None else pts / rate_hz

    async def _run(self) -> None:
        attempt = 0
        while not self._closed.is_set():
            opened_s = time.monotonic()
            try:
                await self._play()
                reason = "the stream ended"
            except TimeoutError:
                reason = "no answer"
            except _FAILURES as error:
                reason = _public_reason(error)
            except Exception as error:
                logger.exception("live stream %s: decoding failed", self._address.origin)
                reason = type(error).__name__
            if not self._first_picture.done():
                self._first_picture.set_exception(AddressError(f"{self._address.origin}: {reason}"))
                return
            logger.warning("live stream %s lost: %s", self._address.origin, reason)
            if time.monotonic() - opened_s > RETRY_DELAYS_S[-1]:
                attempt = 0
            if not self.lost:
                self.lost = True
                self._on_loss(reason)
            await asyncio.sleep(RETRY_DELAYS_S[min(attempt, len(RETRY_DELAYS_S) - 1)])
            attempt += 1

    async def _play(self) -> None:
        """Open the stream and decode it until it ends."""
        if self._address.scheme == "rtsp":
            async with rtsp_relay(self._allowed, self._address) as url:
                await self._in_thread(lambda: self._decode(open_rtsp(url)))
        else:
            opener = self._opener = HttpOpener(self._allowed)
            url = self._address.at(self._address.host, self._address.port)
            await self._in_thread(lambda: self._decode(open_http(url, opener)))

    async def _in_thread(self, work: Callable[[], None]) -> None:
        """Run blocking work in a thread of its own; wait for its end also when cancelled.

        Not `asyncio.to_thread`: a stream may last for hours and would hold a thread of the pool.
        """
        done: asyncio.Future[None] = self._loop.create_future()

        def set_done(error: BaseException | None) -> None:
            if done.cancelled():
                return
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
                self._loop.call_soon_threadsafe(set_done, error)

        threading.Thread(target=run, name=f"live {self._address.host}", daemon=True).start()
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            self._stop_decoding()
            _, running = await asyncio.wait([done], timeout=CLOSE_TIMEOUT_S)
            if running:
                logger.error(
                    "live stream %s: the decoder did not stop within %.0f s and is left behind",
                    self._address.origin,
                    CLOSE_TIMEOUT_S,
                )
            elif not done.cancelled():
                done.exception()  # retrieved, since nobody else will
            raise

    def _stop_decoding(self) -> None:
        self._closed.set()
        if self._opener is not None:
            self._opener.close()

    def _decode(self, container: InputContainer) -> None:
        with container:
            for frame in decode_at_pace(container, self._closed):
                if isinstance(frame, av.VideoFrame):
                    self._call_on_loop(self._on_picture, frame)
                else:
                    self._call_on_loop(self.sound.put, frame)

    def _on_picture(self, picture: av.VideoFrame) -> None:
        if not self._first_picture.done():
            self._first_picture.set_result(None)
        self.pictures.put(picture)
        if self.lost:
            self.lost = False
            self._on_return()

    def _call_on_loop(self, callback: Callable[[T], None], item: T) -> None:
        try:
            self._loop.call_soon_threadsafe(callback, item)
        except RuntimeError:  # the loop was closed before the stream
            self._closed.set()


def _public_reason(error: Exception) -> str:
    """Describe a failure without the address, which asyncio's and FFmpeg's own texts hold."""
    if isinstance(error, ConnectionError) and error.errno:
        return os.strerror(error.errno)
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
