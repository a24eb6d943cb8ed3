"""What a live film showed while it stood still, kept small, to be caught up with a little faster.

Pictures are kept as H.264, which takes a fiftieth of their size; `LONGEST_S` and `MAX_BITRATE_BPS`
bound the memory to 90 MB. Sound is kept as it is, 12 MB a minute, and played faster at its pitch.
"""

from collections import deque
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

RATE = 1.25
"""How fast a film is played that catches up."""

LONGEST_S = 60.0
"""What is older than this is let go."""

MAX_BITRATE_BPS = 12_000_000
KEY_EVERY_S = 1.0
_CLOCK_HZ = 90_000
_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "forced-idr": "1",
    "crf": "18",
    "maxrate": str(MAX_BITRATE_BPS),
    "bufsize": str(MAX_BITRATE_BPS // 2),
}


@dataclass(frozen=True, slots=True)
class _Kept:
    captured_s: float
    data: bytes
    begins: bool


class PictureBacklog:
    """Pictures in the order of their capture. For one thread at a time, and not the event loop."""

    def __init__(self) -> None:
        self._kept: deque[_Kept] = deque()
        self._encoder: VideoCodecContext | None = None
        self._decoder: VideoCodecContext | None = None
        self._key_due_s = 0.0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def size_bytes(self) -> int:
        """How much memory the pictures take."""
        return sum(len(kept.data) for kept in self._kept)

    @property
    def first_s(self) -> float | None:
        """When the first one that is left was captured."""
        return self._kept[0].captured_s if self._kept else None

    def keep(self, frame: av.VideoFrame, captured_s: float) -> None:
        """Add a picture; the oldest second goes once there are more than `LONGEST_S`."""
        size = frame.width, frame.height
        if self._encoder is None or (self._encoder.width, self._encoder.height) != size:
            self._encoder = _encoder(*size)
            self._key_due_s = captured_s
        picture = av.VideoFrame.from_ndarray(frame.to_ndarray(format="yuv420p"), "yuv420p")
        picture.pts = round(captured_s * _CLOCK_HZ)
        picture.time_base = Fraction(1, _CLOCK_HZ)
        begins = captured_s >= self._key_due_s
        if begins:
            picture.pict_type = PictureType.I
            self._key_due_s = captured_s + KEY_EVERY_S
        for packet in self._encoder.encode(picture):
            self._kept.append(_Kept(captured_s, bytes(packet), begins))
        self._forget(captured_s - LONGEST_S)

    def take(self, captured_s: float) -> av.VideoFrame | None:
        """Take the newest picture captured up to a time, and let the older ones go."""
        newest = None
        while self._kept and self._kept[0].captured_s <= captured_s:
            if self._decoder is None:
                self._decoder = _decoder()
            frames = self._decoder.decode(av.Packet(self._kept.popleft().data))
            newest = frames[-1] if frames else newest
        if not self._kept:
            self.clear()
        return newest

    def clear(self) -> None:
        """Let all go."""
        self._kept.clear()
        self._encoder = self._decoder = None

    def _forget(self, until_s: float) -> None:
        """Let whole runs of pictures go, from one that needs no other to the next."""
        starts = [i for i, k in enumerate(self._kept) if k.begins and k.captured_s <= until_s]
        for _ in range(starts[-1] if starts else 0):
            self._kept.popleft()


def _encoder(width: int, height: int) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = width, height, "yuv420p"
    context.time_base, context.framerate = Fraction(1, _CLOCK_HZ), Fraction(30)
    context.thread_count, context.gop_size = 1, 3000
    context.options = _OPTIONS
    return context


def _decoder() -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create("h264", "r")
    context.thread_count = 1
    return context


class SoundBacklog:
    """Sound that is played faster, at its pitch, until none is left."""

    def __init__(self) -> None:
        self._kept: deque[av.AudioFrame] = deque()
        self._kept_s = 0.0
        self._graph: av.filter.Graph | None = None
        self._fifo = av.AudioFifo()

    def __bool__(self) -> bool:
        return bool(self._kept) or self._graph is not None

    def keep(self, frame: av.AudioFrame) -> None:
        """Add a frame; the oldest go once there are more than `LONGEST_S`."""
        self._kept.append(frame)
        self._kept_s += frame.samples / frame.sample_rate
        while self._kept_s > LONGEST_S:
            self._pop()

    def take(self, instead_of: av.AudioFrame) -> av.AudioFrame:
        """Return as much as there is in this newest frame, which is kept, and with its time."""
        self.keep(instead_of)
        if self._graph is None:
            self._graph = _faster(instead_of)
        count = instead_of.samples
        while self._fifo.samples < count and self._kept:
            self._graph.push(self._pop())
            self._pull(self._graph)
        if self._fifo.samples >= count:
            drawn = self._fifo.read(count)
            assert drawn is not None
        else:
            self._graph.push(None)
            self._pull(self._graph)
            drawn = _ending(self._fifo.read(0, partial=True), instead_of)
            self._graph, self._fifo = None, av.AudioFifo()
        drawn.pts, drawn.time_base = instead_of.pts, instead_of.time_base
        return drawn

    def clear(self) -> None:
        """Let all go."""
        self._kept.clear()
        self._kept_s = 0.0
        self._graph, self._fifo = None, av.AudioFifo()

    def _pop(self) -> av.AudioFrame:
        frame = self._kept.popleft()
        self._kept_s -= frame.samples / frame.sample_rate
        return frame

    def _pull(self, graph: av.filter.Graph) -> None:
        while True:
            try:
                frame = graph.pull()
            except (av.error.BlockingIOError, av.error.EOFError):
                return
            assert isinstance(frame, av.AudioFrame)
            frame.pts = None
            self._fifo.write(frame)


def _ending(rest: av.AudioFrame | None, like: av.AudioFrame) -> av.AudioFrame:
    """Lead from the beginning of what is left, packed s16, to its end, where live sound follows."""
    if rest is None or rest.samples < like.samples:
        return like
    channels = len(rest.layout.channels)
    samples = rest.to_ndarray().reshape(-1, channels)
    share = np.linspace(0, 1, like.samples)[:, None]
    mixed = samples[: like.samples] * (1 - share) + samples[-like.samples :] * share
    packed = np.rint(mixed).astype(np.int16).reshape(1, -1)
    ending = av.AudioFrame.from_ndarray(packed, rest.format.name, rest.layout.name)
    ending.sample_rate = rest.sample_rate
    return ending


def _faster(like: av.AudioFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    graph.link_nodes(
        graph.add_abuffer(
            sample_rate=like.sample_rate,
            format=like.format.name,
            layout=like.layout.name,
            time_base=Fraction(1, like.sample_rate),
        ),
        graph.add("atempo", str(RATE)),
        graph.add("aformat", f"sample_fmts={like.format.name}"),
        graph.add("abuffersink"),
    ).configure()
    return graph
