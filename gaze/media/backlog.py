"""What a live film showed while it was paused, kept small, and played a little faster afterwards.

Pictures are kept as H.264, which takes a fiftieth of their size; `MAX_BACKLOG_S` and
`MAX_BITRATE_BPS` bound their memory to 90 MB. Sound is kept as it is, 12 MB a minute, and
time-stretched at its pitch.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from gaze.frames.clocks import VIDEO_CLOCK_HZ

CATCH_UP_RATE: Final = 1.25
"""How fast a film is played until it is live again (docs/effects.md). Chosen by hand; no benchmark
covers it."""

MAX_BACKLOG_S: Final = 60.0
"""What is older than this is dropped. Chosen by hand with `MAX_BITRATE_BPS` for 100 MB a viewer."""

MAX_BITRATE_BPS: Final = 12_000_000
"""Bitrate of the kept pictures; bounds their memory. Chosen by hand, no benchmark covers it."""

KEYFRAME_INTERVAL_S: Final = 1.0
"""How much is dropped at once. Chosen by hand, no benchmark covers it."""

_ENCODER_OPTIONS: Final = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "forced-idr": "1",
    "crf": "18",
    "maxrate": str(MAX_BITRATE_BPS),
    "bufsize": str(MAX_BITRATE_BPS // 2),
}
"""libx264 at its fastest and without delay. Chosen by hand; no benchmark covers it."""

_GOP_FRAMES: Final = 3000
"""Longer than a backlog, so that the only keyframes are the requested ones."""


@dataclass(frozen=True, slots=True)
class _EncodedPicture:
    captured_s: float
    data: bytes
    keyframe: bool


class PictureBacklog:
    """Pictures in the order of their capture, as H.264.

    `keep`, `take` and `clear` are called by one thread at a time, in turn, and not on the event
    loop where they encode or decode. The properties and `len` may be read by any thread meanwhile:
    each is one attribute that the methods replace.
    """

    def __init__(self) -> None:
        self._pictures: deque[_EncodedPicture] = deque()
        self._first_s: float | None = None
        self._size_bytes = 0
        self._encoder: VideoCodecContext | None = None
        self._decoder: VideoCodecContext | None = None
        self._keyframe_due_s = 0.0

    def __len__(self) -> int:
        """Return the number of pictures."""
        return len(self._pictures)

    @property
    def size_bytes(self) -> int:
        """Size of the encoded pictures."""
        return self._size_bytes

    @property
    def first_s(self) -> float | None:
        """Capture time of the oldest picture; None if there is none."""
        return self._first_s

    def keep(self, frame: av.VideoFrame, captured_s: float) -> None:
        """Add a picture and drop what is older than `MAX_BACKLOG_S`. Blocks for an encode.

        Parameters
        ----------
        frame : av.VideoFrame
            The picture; its size may differ from the one before.
        captured_s : float
            When it was captured, on the monotonic clock; not before the picture kept last.
        """
        size = frame.width, frame.height
        if self._encoder is None or (self._encoder.width, self._encoder.height) != size:
            self._encoder = _make_encoder(*size)
            self._keyframe_due_s = captured_s
        picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")
        picture.pts = round(captured_s * VIDEO_CLOCK_HZ)
        picture.time_base = Fraction(1, VIDEO_CLOCK_HZ)
        keyframe = captured_s >= self._keyframe_due_s
        if keyframe:
            picture.pict_type = PictureType.I
            self._keyframe_due_s = captured_s + KEYFRAME_INTERVAL_S
        for packet in self._encoder.encode(picture):
            data = bytes(packet)
            self._size_bytes += len(data)
            self._pictures.append(_EncodedPicture(captured_s, data, keyframe))
        self._drop_before(captured_s - MAX_BACKLOG_S)
        self._update_first()

    def take(self, captured_s: float) -> av.VideoFrame | None:
        """Take the newest picture captured up to a time and drop the older ones. Decodes; blocks.

        Parameters
        ----------
        captured_s : float
            Time on the monotonic clock.

        Returns
        -------
        av.VideoFrame or None
            None if no picture was captured up to then.
        """
        newest = None
        while self._pictures and self._pictures[0].captured_s <= captured_s:
            if self._decoder is None:
                self._decoder = _make_decoder()
            frames = self._decoder.decode(av.Packet(self._pop().data))
            newest = frames[-1] if frames else newest
        if not self._pictures:
            self.clear()
        return newest

    def clear(self) -> None:
        """Drop everything."""
        self._pictures.clear()
        self._first_s = None
        self._size_bytes = 0
        self._encoder = self._decoder = None

    def _pop(self) -> _EncodedPicture:
        picture = self._pictures.popleft()
        self._size_bytes -= len(picture.data)
        self._update_first()
        return picture

    def _update_first(self) -> None:
        self._first_s = self._pictures[0].captured_s if self._pictures else None

    def _drop_before(self, until_s: float) -> None:
        """Drop whole groups of pictures, each from one keyframe to the next."""
        starts = [i for i, p in enumerate(self._pictures) if p.keyframe and p.captured_s <= until_s]
        for _ in range(starts[-1] if starts else 0):
            self._pop()


def _make_encoder(width: int, height: int) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, VIDEO_CLOCK_HZ), Fraction(30)
    context.thread_count, context.gop_size = 1, _GOP_FRAMES
    context.options = _ENCODER_OPTIONS
    return context


def _make_decoder() -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create("h264", "r")
    context.thread_count = 1
    return context


class SoundBacklog:
    """Sound that is played faster, at its pitch, until none is left. For one thread."""

    def __init__(self) -> None:
        self._frames: deque[av.AudioFrame] = deque()
        self._length_s = 0.0
        self._time_stretch: av.filter.Graph | None = None
        self._stretched = av.AudioFifo()

    def __bool__(self) -> bool:
        """Return whether anything is left to be played."""
        return bool(self._frames) or self._time_stretch is not None

    def keep(self, frame: av.AudioFrame) -> None:
        """Add a frame and drop what is older than `MAX_BACKLOG_S`.

        Parameters
        ----------
        frame : av.AudioFrame
            The newest sound.
        """
        self._frames.append(frame)
        self._length_s += frame.samples / frame.sample_rate
        while self._length_s > MAX_BACKLOG_S:
            self._pop()

    def take(self, instead_of: av.AudioFrame) -> av.AudioFrame:
        """Exchange the newest frame for the next one of the backlog.

        Parameters
        ----------
        instead_of : av.AudioFrame
            The newest sound, packed s16; it is kept.

        Returns
        -------
        av.AudioFrame
            As many samples, time-stretched by `CATCH_UP_RATE`, with the time of `instead_of`.
        """
        self.keep(instead_of)
        if self._time_stretch is None:
            self._time_stretch = _make_time_stretch(instead_of)
        count = instead_of.samples
        while self._stretched.samples < count and self._frames:
            self._time_stretch.push(self._pop())
            self._pull(self._time_stretch)
        if self._stretched.samples >= count:
            taken = self._stretched.read(count)
            assert taken is not None  # noqa: S101 - an invariant, which also narrows the type
        else:
            self._time_stretch.push(None)
            self._pull(self._time_stretch)
            taken = _crossfaded_end(self._stretched.read(0, partial=True), instead_of)
            self._time_stretch, self._stretched = None, av.AudioFifo()
        taken.pts, taken.time_base = instead_of.pts, instead_of.time_base
        return taken

    def clear(self) -> None:
        """Drop everything."""
        self._frames.clear()
        self._length_s = 0.0
        self._time_stretch, self._stretched = None, av.AudioFifo()

    def _pop(self) -> av.AudioFrame:
        frame = self._frames.popleft()
        self._length_s -= frame.samples / frame.sample_rate
        return frame

    def _pull(self, graph: av.filter.Graph) -> None:
        while True:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, av.AudioFrame)  # noqa: S101 - an invariant, which also narrows the type
            frame.pts = None
            self._stretched.write(frame)


def _crossfaded_end(rest: av.AudioFrame | None, newest: av.AudioFrame) -> av.AudioFrame:
    """Crossfade from the start of what is left, packed s16, to its end, where live sound goes on.

    What is left is somewhat longer than a frame; this makes one frame of it without a click.
    """
    if rest is None or rest.samples < newest.samples:
        return newest
    channels = len(rest.layout.channels)
    samples = rest.to_ndarray().reshape(-1, channels)
    weight = np.linspace(0, 1, newest.samples)[:, None]
    mixed = samples[: newest.samples] * (1 - weight) + samples[-newest.samples :] * weight
    packed = np.rint(mixed).astype(np.int16).reshape(1, -1)
    end = av.AudioFrame.from_ndarray(packed, rest.format.name, rest.layout.name)
    end.sample_rate = rest.sample_rate
    return end


def _make_time_stretch(like: av.AudioFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=like.sample_rate,
            format=like.format.name,
            layout=like.layout.name,
            time_base=Fraction(1, like.sample_rate),
        ),
        graph.add("atempo", str(CATCH_UP_RATE)),
        graph.add("aformat", f"sample_fmts={like.format.name}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
