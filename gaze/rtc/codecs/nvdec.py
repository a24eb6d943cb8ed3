"""Decodes what a browser sends on the video card, where that works."""

import logging
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gaze.rtc.codecs import nvidia

_TIME_BASE = Fraction(1, 90_000)

log = logging.getLogger(__name__)


class CardDecoder:
    """One stream's decoder on the card; once that fails, it leaves the work to others for good."""

    def __init__(self) -> None:
        self._codec = ""
        self._context: VideoCodecContext | None = None
        self._failed = False

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[VideoFrame] | None:
        """The frames of an encoded one, as yuv420p; None if the card does not do this.

        Args:
            codec: "VP8" or "H264".
            data: the encoded frame.
            timestamp: its time in 90 kHz.
        """
        probe = nvidia.nvdec.get(codec)
        if self._failed or probe is None or not probe.works():
            return None
        try:
            if self._context is None or codec != self._codec:
                self._context, self._codec = nvidia.decoder(codec), codec
            packet = av.Packet(data)
            packet.pts, packet.time_base = timestamp, _TIME_BASE
            return [frame.reformat(format="yuv420p") for frame in self._context.decode(packet)]
        except av.InvalidDataError:  # lost packets; the next key frame repairs it
            return []
        except nvidia.FAILURES as error:
            log.warning("NVDEC failed, software goes on: %s", error)
            self._failed, self._context = True, None
            return None
