"""Reading a film file: its picture and sound from any position on, decoded ahead of their use."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import av
import numpy as np
from av.container import InputContainer
from av.video.reformatter import ColorRange, Colorspace
from numpy.typing import NDArray

from gaze.frames.rotation import upright

logger = logging.getLogger(__name__)

SAMPLE_RATE_HZ = 48_000
BLOCK_SAMPLES = 960

_PREROLL_S = 0.2
_RESYNC_S = 0.04
_MAX_PIXEL_ASPECT = 4.0
_NO_FILM_FORMATS = frozenset({"tty", "bin", "xbin", "adf", "idf", "image2", "txd"})


class FilmError(ValueError):
    """A file that is no film, or not a whole one; the message says why."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame (yuv420p, limited range, even size) and the film position at which it appears.

    The frame is shared: nobody writes to it.
    """

    position_s: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class Sound:
    """Samples, int16 of shape (n, 2) at 48 kHz; `start` counts them from the film's first."""

    start: int
    samples: NDArray[np.int16]

    @property
    def end(self) -> int:
        """The number of the sample that follows."""
        return self.start + len(self.samples)

    @property
    def position_s(self) -> float:
        """The film position of the first sample."""
        return self.start / SAMPLE_RATE_HZ


@contextmanager
def open_film(path: Path) -> Iterator[InputContainer]:
    """One file, open for reading, and nothing that it may refer to (playlists name other files).

    Raises:
        FilmError: it is no film.
        OSError: it cannot be read.
    """
    name = str(path.absolute())
    with path.open("rb") as file:

        def open_only(url: str, _flags: int, _options: dict[str, str]) -> BinaryIO:
            if url != name:
                raise FilmError("refers to other files, as a playlist does")
            return file

        try:
            container = av.open(name, io_open=open_only)
        except av.FFmpegError as error:
            raise FilmError(f"not a film that can be read ({error.strerror})") from error
        with container:
            form = container.format.name
            if form in _NO_FILM_FORMATS or form.endswith("_pipe"):
                raise FilmError("a text or a still picture, not a film")
            for stream in container.streams.video:
                stream.thread_type = "AUTO"
            yield container


def video_stream(container: InputContainer) -> av.VideoStream:
    """The stream with the film's picture; the cover of a record does not count.

    Raises:
        FilmError: there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise FilmError("no video stream")


def origin_s(container: InputContainer) -> float:
    """Position 0 of the film in the file's own time: where the picture starts."""
    stream = video_stream(container)
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return float(container.start_time or 0) / av.time_base


def rate_fps(container: InputContainer) -> float:
    """Frames per second of the picture, 25 if the file does not say."""
    stream = video_stream(container)
    return float(stream.average_rate or stream.guessed_rate or 25)


def pictures(container: InputContainer, position_s: float) -> Generator[Picture, None, None]:
    """The film's pictures from the one shown at `position_s` on, in order.

    They are upright, with square pixels. The first one's position is at most `position_s`. At or
    after the end it is the last picture. Damaged frames are passed over.
    """
    stream = video_stream(container)
    origin, step_s = origin_s(container), 1 / rate_fps(container)
    aspect = _pixel_aspect(stream)
    _seek(container, stream, position_s + origin)

    waiting: Picture | None = None
    next_s, first = 0.0, True
    for frame in _decoded(container, stream):
        at_s = next_s if frame.pts is None else frame.time - origin
        next_s = at_s + step_s
        if waiting is not None and (at_s > position_s or not first):
            yield _finished(waiting, aspect, position_s if first else None)
            first = False
        waiting = Picture(at_s, frame)
    if waiting is not None:
        yield _finished(waiting, aspect, position_s if first else None)


def sounds(container: InputContainer, position_s: float) -> Generator[Sound, None, None]:
    """The film's sound from `position_s` on, in blocks of at most 20 ms as the file has them.

    Timestamps that jitter are smoothed; where they jump by more than 40 ms, `start` does too.
    """
    stream = container.streams.audio[0]
    origin = origin_s(container)
    _seek(container, stream, max(0.0, position_s - _PREROLL_S) + origin)
    wanted = round(position_s * SAMPLE_RATE_HZ)

    samples, kind, expected, out = resampler(), None, 0.0, 0
    for frame in _decoded(container, stream):
        at = expected if frame.pts is None else (frame.time - origin) * SAMPLE_RATE_HZ
        now = (frame.format.name, frame.layout.name, frame.sample_rate)
        if now != kind or abs(at - expected) > _RESYNC_S * SAMPLE_RATE_HZ:
            if kind is not None:
                yield from _wanted(_blocks(samples.resample(None), out), wanted)
            samples, kind, expected, out = resampler(), now, at, round(at)
        expected += frame.samples * SAMPLE_RATE_HZ / frame.sample_rate
        for block in _blocks(samples.resample(frame), out):
            out = block.end
            if block.end > wanted:
                yield block
    if kind is not None:
        yield from _wanted(_blocks(samples.resample(None), out), wanted)


def resampler() -> av.AudioResampler:
    """Return what makes any sound 48 kHz stereo s16, in frames of 20 ms."""
    return av.AudioResampler("s16", "stereo", SAMPLE_RATE_HZ, BLOCK_SAMPLES)


def _blocks(frames: list[av.AudioFrame], start: int) -> Iterator[Sound]:
    for frame in frames:
        samples = frame.to_ndarray().reshape(-1, 2).astype(np.int16, copy=False)
        yield Sound(start, samples)
        start += len(samples)


def _wanted(blocks: Iterator[Sound], wanted: int) -> Iterator[Sound]:
    return (block for block in blocks if block.end > wanted)


def _seek(container: InputContainer, stream: av.stream.Stream, time_s: float) -> None:
    assert stream.time_base is not None
    container.seek(int(time_s / stream.time_base), stream=stream, backward=True)


def _decoded(container: InputContainer, stream: Any) -> Iterator[Any]:
    for packet in container.demux(stream):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _finished(picture: Picture, aspect: float, latest_s: float | None) -> Picture:
    position_s = picture.position_s if latest_s is None else min(picture.position_s, latest_s)
    return Picture(position_s, _as_shown(picture.frame, aspect))


def shown(stream: av.VideoStream, frame: av.VideoFrame) -> av.VideoFrame:
    """A stream's frame as it is to be seen: yuv420p, upright, with square pixels."""
    return _as_shown(frame, _pixel_aspect(stream))


def _as_shown(frame: av.VideoFrame, aspect: float) -> av.VideoFrame:
    clockwise = round(-frame.rotation / 90) % 4 * 90
    return upright(_with_square_pixels(to_yuv420p(frame), aspect), clockwise)


def _pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a pixel over its height; 1 where the file does not say, or says nonsense."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT else 1.0


def _with_square_pixels(frame: av.VideoFrame, aspect: float) -> av.VideoFrame:
    """The frame enlarged the one way in which its pixels are too long; itself if they are not."""
    width = round(frame.width * max(1.0, aspect) / 2) * 2
    height = round(frame.height * max(1.0, 1 / aspect) / 2) * 2
    if (width, height) == (frame.width, frame.height):
        return frame
    return frame.reformat(width, height)


def to_yuv420p(frame: av.VideoFrame) -> av.VideoFrame:
    """The frame as yuv420p in limited range with even width and height; itself if it is that.

    An odd row or column at the right or the bottom is cut off.
    """
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    if frame.format.name != "yuv420p" or full_range:
        is_rgb = frame.format.is_rgb or frame.format.has_palette
        hd = frame.height >= 720
        frame = frame.reformat(
            format="yuv420p",
            src_color_range=ColorRange.JPEG if full_range or is_rgb else None,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=(Colorspace.ITU709 if hd else Colorspace.ITU601) if is_rgb else None,
        )
    if frame.width % 2 or frame.height % 2:
        return _cropped(frame, frame.width & ~1, frame.height & ~1)
    return frame


def _cropped(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    cropped = av.VideoFrame(width, height, "yuv420p")
    for source, target in zip(frame.planes, cropped.planes, strict=True):
        _rows(target)[:, : target.width] = _rows(source)[: target.height, : target.width]
    cropped.pts = frame.pts
    if frame.time_base is not None:
        cropped.time_base = frame.time_base
    return cropped


def _rows(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: plane.height]


class Positioned(Protocol):
    """What lies at a place of the film."""

    @property
    def position_s(self) -> float: ...


T = TypeVar("T", bound=Positioned)


class DecodeAhead(Generic[T]):
    """A thread that decodes one stream ahead of its use, and holds at most `limit` items.

    Created and used on the event loop; `on_change` is called there when items have come after
    there were few, and when the end is reached.
    """

    def __init__(
        self,
        path: Path,
        items: Callable[[InputContainer, float], Generator[T, None, None]],
        position_s: float,
        limit: int,
        on_change: Callable[[], None],
    ) -> None:
        self._path = path
        self._items = items
        self._limit = limit
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._changed = threading.Condition()
        self._ahead: deque[T] = deque()
        self._position_s = position_s
        self._newest_s = float("-inf")
        self._run = 0
        self._finished_run = -1
        self._closed = False
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(
            target=self._decode, name=f"decode {path.name}", daemon=True
        )
        self._thread.start()

    def __len__(self) -> int:
        with self._changed:
            return len(self._ahead)

    @property
    def finished(self) -> bool:
        """Whether nothing will follow what is held."""
        return self._finished_run == self._run

    @property
    def newest_s(self) -> float:
        """Position of the newest item decoded since the last seek, -inf before there is one."""
        return self._newest_s

    def covers(self, position_s: float) -> bool:
        """Whether everything up to a position is decoded, or as much as can be held."""
        return self.finished or self._newest_s >= position_s or len(self) >= self._limit

    def peek(self) -> T | None:
        """The next item, without taking it; None if none is decoded."""
        with self._changed:
            return self._ahead[0] if self._ahead else None

    def pop(self) -> T:
        """Take the next item.

        Raises:
            IndexError: none is decoded.
        """
        with self._changed:
            item = self._ahead.popleft()
            self._changed.notify()
            return item

    def seek(self, position_s: float) -> None:
        """Drop what is held and decode from a position on."""
        with self._changed:
            self._run += 1
            self._position_s = position_s
            self._newest_s = float("-inf")
            self._ahead.clear()
            self._changed.notify()

    async def close(self) -> None:
        """End the thread and wait for it without blocking the event loop."""
        with self._changed:
            self._closed = True
            self._ahead.clear()
            self._changed.notify()
        await asyncio.shield(self._stopped)
        self._thread.join()

    def _decode(self) -> None:
        try:
            with open_film(self._path) as container:
                while (run := self._next_run()) is not None:
                    self._decode_run(container, run)
        except (FilmError, av.FFmpegError, OSError) as error:
            logger.warning("film %s: decoding stopped: %s", self._path.name, error)
            while (run := self._next_run()) is not None:
                self._finish(run)
        finally:
            self._tell(self._set_stopped)

    def _decode_run(self, container: InputContainer, run: int) -> None:
        with closing(self._items(container, self._position_s)) as items:
            for item in items:
                if not self._put(item, run):
                    return
        self._finish(run)

    def _next_run(self) -> int | None:
        with self._changed:
            while not self._closed and self._finished_run == self._run:
                self._changed.wait()
            return None if self._closed else self._run

    def _put(self, item: T, run: int) -> bool:
        with self._changed:
            while len(self._ahead) >= self._limit and run == self._run and not self._closed:
                self._changed.wait()
            if run != self._run or self._closed:
                return False
            self._ahead.append(item)
            self._newest_s = item.position_s
            if len(self._ahead) <= 2:
                self._tell(self._on_change)
            return True

    def _finish(self, run: int) -> None:
        with self._changed:
            self._finished_run = run
            self._tell(self._on_change)

    def _set_stopped(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _tell(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop was closed before the player
            self._closed = True
