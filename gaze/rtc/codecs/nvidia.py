"""Whether a video card can encode and decode here: tried once, with one small picture.

Drivers and cards differ in what they can do (data-centre cards decode but do not encode), and say
so only when asked to do it.
"""

import functools
import threading
from collections.abc import Callable
from fractions import Fraction
from typing import Literal

import av
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

DecoderChoice = Literal["auto", "software", "nvdec"]

FAILURES = (av.FFmpegError, RuntimeError, ValueError, NotImplementedError)
"""What PyAV raises where a codec or a device is not there or does not work."""

WIDTH, HEIGHT = 320, 192  # the least that all cards take is smaller

NVENC_OPTIONS = {
    "tune": "ull",
    "rc": "cbr",
    "zerolatency": "1",
    "delay": "0",
    "forced-idr": "1",
    "strict_gop": "1",
}
"""One frame in, one frame out, at a constant bitrate."""


class Probe:
    """A trial that is made once, by whoever needs its outcome first."""

    def __init__(self, name: str, attempt: Callable[[], None]) -> None:
        """`attempt` raises one of FAILURES where it does not work."""
        self.name = name
        self._attempt = attempt
        self._lock = threading.Lock()
        self._outcome: str | None = None

    def works(self) -> bool:
        """Whether it does; the first call takes a while, so not for the event loop."""
        return self.reason() == ""

    def reason(self) -> str:
        """Why it does not work; empty if it does."""
        with self._lock:
            if self._outcome is None:
                try:
                    self._attempt()
                    self._outcome = ""
                except FAILURES as error:
                    text = getattr(error, "strerror", None) or str(error)
                    self._outcome = text or type(error).__name__
            return self._outcome

    @property
    def known_to_work(self) -> bool:
        """Whether it was tried already, and worked; never waits."""
        return self._outcome == ""


def decoder(codec: str) -> VideoCodecContext:
    """A decoder of "VP8" or "H264" on the video card; its frames are in main memory.

    Raises:
        One of FAILURES, here or when decoding: the card does not do it.
    """
    card = HWAccel("cuda", allow_software_fallback=False)
    return av.CodecContext.create(codec.lower(), "r", hwaccel=card)  # type: ignore[return-value]


def _picture() -> VideoFrame:
    frame = VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts, frame.time_base = 0, Fraction(1, 30)
    return frame


def _encode(name: str, options: dict[str, str]) -> bytes:
    context: VideoCodecContext = av.CodecContext.create(name, "w")  # type: ignore[assignment]
    context.width, context.height, context.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
    context.bit_rate = 500_000
    context.options = options
    return b"".join(bytes(packet) for packet in [*context.encode(_picture()), *context.encode()])


def _try_nvenc() -> None:
    if not _encode("h264_nvenc", NVENC_OPTIONS):
        raise RuntimeError("it encodes nothing")


def _try_nvdec(codec: str) -> None:
    name, options = {
        "VP8": ("libvpx", {"deadline": "realtime", "lag-in-frames": "0"}),
        "H264": ("libx264", {"tune": "zerolatency"}),
    }[codec]
    context = decoder(codec)
    frames = [*context.decode(av.Packet(_encode(name, options))), *context.decode(None)]
    if not frames or (frames[0].width, frames[0].height) != (WIDTH, HEIGHT):
        raise RuntimeError("it decodes nothing")


nvenc = Probe("NVENC", _try_nvenc)
nvdec = {
    codec: Probe(f"NVDEC {codec}", functools.partial(_try_nvdec, codec))
    for codec in ("VP8", "H264")
}
