"""Decodes what a browser sends: by NVDEC where that works, otherwise in software.

In software FFmpeg's own decoders do it, in one thread: its VP8 decoder takes three quarters of the
processor time of libvpx's (`python -m benchmarks.capacity`).
"""

from fractions import Fraction
from typing import Literal

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs.nvdec_decoder import NvdecDecoder

DecoderChoice = Literal["auto", "software", "nvdec"]

_TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)
_NAMES = {"VP8": "vp8", "H264": "h264"}


class VideoDecoder:
    """One stream's decoder. Not for several threads at once."""

    def __init__(self, *, use_nvdec: bool) -> None:
        """Open nothing yet.

        Parameters
        ----------
        use_nvdec : bool
            Whether to decode on the video card as far as it can.
        """
        self._nvdec = NvdecDecoder() if use_nvdec else None
        self._codec = ""
        self._context: VideoCodecContext | None = None

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[VideoFrame]:
        """Decode a frame.

        Parameters
        ----------
        codec : str
            "VP8" or "H264"; may change from frame to frame.
        data : bytes
            The encoded frame.
        timestamp : int
            Its time in ticks of 90 kHz.

        Returns
        -------
        list of VideoFrame
            As yuv420p; usually one.

        Raises
        ------
        av.FFmpegError
            If it cannot be decoded.
        """
        if self._nvdec is not None:
            decoded = self._nvdec.decode(codec, data, timestamp)
            if decoded is not None:
                return decoded
        if self._context is None or codec != self._codec:
            self._context, self._codec = _open(codec), codec
        packet = av.Packet(data)
        packet.pts, packet.time_base = timestamp, _TIME_BASE
        return self._context.decode(packet)


def _open(codec: str) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create(_NAMES[codec], "r")  # type: ignore[assignment]
    context.thread_count = 1
    return context
