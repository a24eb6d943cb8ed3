"""Whether NVENC and NVDEC work here: tried once, with one small picture.

Drivers and cards differ in what they can do (data-centre cards decode but do not encode), and say
so only when asked to do it.
"""

import functools
import threading
from collections.abc import Callable
from fractions import Fraction

import av
from av.codec.hwaccel import HWAccel
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

FAILURES = (av.FFmpegError, RuntimeError, ValueError, NotImplementedError)
"""What PyAV raises where a codec or a device is not there or does not work."""

NVENC_OPTIONS = {
    "tune": "ull",
    "rc": "cbr",
    "zerolatency": "1",
    "delay": "0",
    "forced-idr": "1",
    "strict_gop": "1",
}
"""One frame in, one frame out, at a constant bitrate."""

_WIDTH, _HEIGHT = 320, 192  # all cards take this
_FRAME_TIME = Fraction(1, 30)
_BITRATE_BPS = 500_000


class Probe:
    """A trial that is made once, by whoever needs its outcome first.

    Attributes
    ----------
    name : str
        Of what is tried.
    """

    def __init__(self, name: str, attempt: Callable[[], None]) -> None:
        """Try nothing yet.

        Parameters
        ----------
        name : str
            Of what is tried.
        attempt : callable
            Raises one of FAILURES where it does not work.
        """
        self.name = name
        self._attempt = attempt
        self._lock = threading.Lock()
        self._outcome: str | None = None

    def works(self) -> bool:
        """Say whether it works; the first call takes a while, so not on the event loop.

        Returns
        -------
        bool
            Whether it does.
        """
        return self.reason() == ""

    def reason(self) -> str:
        """Say why it does not work; the first call takes a while, so not on the event loop.

        Returns
        -------
        str
            Empty if it works.
        """
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


def open_nvdec(codec: str) -> VideoCodecContext:
    """Open a decoder on the video card; its frames are in main memory.

    Parameters
    ----------
    codec : str
        "VP8" or "H264".

    Returns
    -------
    VideoCodecContext
        The decoder.

    Raises
    ------
    Exception
        One of FAILURES, here or when decoding, if the card does not do it.
    """
    card = HWAccel("cuda", allow_software_fallback=False)
    return av.CodecContext.create(codec.lower(), "r", hwaccel=card)  # type: ignore[return-value]


def _picture() -> VideoFrame:
    frame = VideoFrame(_WIDTH, _HEIGHT, "yuv420p")
    for plane in frame.planes:
        plane.update(bytes([128]) * plane.buffer_size)
    frame.pts, frame.time_base = 0, _FRAME_TIME
    return frame


def _encode(name: str, options: dict[str, str]) -> bytes:
    context: VideoCodecContext = av.CodecContext.create(name, "w")  # type: ignore[assignment]
    context.width, context.height, context.pix_fmt = _WIDTH, _HEIGHT, "yuv420p"
    context.time_base, context.framerate = _FRAME_TIME, 1 / _FRAME_TIME
    context.bit_rate = _BITRATE_BPS
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
    context = open_nvdec(codec)
    frames = [*context.decode(av.Packet(_encode(name, options))), *context.decode(None)]
    if not frames or (frames[0].width, frames[0].height) != (_WIDTH, _HEIGHT):
        raise RuntimeError("it decodes nothing")


nvenc = Probe("NVENC", _try_nvenc)
nvdec = {
    codec: Probe(f"NVDEC {codec}", functools.partial(_try_nvdec, codec))
    for codec in ("VP8", "H264")
}
