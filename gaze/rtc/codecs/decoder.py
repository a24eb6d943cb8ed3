"""Decodes what a browser sends: on the video card where that works, otherwise in software.

In software FFmpeg's own decoders do it, in one thread: its VP8 decoder takes three quarters of the
processor time of libvpx's.
"""

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gaze.rtc.codecs.nvdec import CardDecoder

_TIME_BASE = Fraction(1, 90_000)
_NAMES = {"VP8": "vp8", "H264": "h264"}


class VideoDecoder:
    """One stream's decoder. Not for several threads at once."""

    def __init__(self, *, on_card: bool) -> None:
        """Use the video card, as far as it can, or never."""
        self._card = CardDecoder() if on_card else None
        self._codec = ""
        self._context: VideoCodecContext | None = None

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[VideoFrame]:
        """The frames of an encoded one, as yuv420p.

        Args:
            codec: "VP8" or "H264".
            data: the encoded frame.
            timestamp: its time in 90 kHz.

        Raises:
            av.FFmpegError: it cannot be decoded.
        """
        if self._card is not None:
            decoded = self._card.decode(codec, data, timestamp)
            if decoded is not None:
                return decoded
        if self._context is None or codec != self._codec:
            self._context, self._codec = _software(codec), codec
        packet = av.Packet(data)
        packet.pts, packet.time_base = timestamp, _TIME_BASE
        return self._context.decode(packet)


def _software(codec: str) -> VideoCodecContext:
    context = av.CodecContext.create(_NAMES[codec], "r")
    assert isinstance(context, VideoCodecContext)
    context.thread_count = 1
    return context
