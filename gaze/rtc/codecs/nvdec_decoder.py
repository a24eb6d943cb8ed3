"""Decodes what a browser sends by NVDEC, where that works."""

import logging
from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import nvidia_probe

_TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)

log = logging.getLogger(__name__)


class NvdecDecoder:
    """One stream's decoder; once it fails, it leaves the work to software for good."""

    def __init__(self) -> None:
        self._codec = ""
        self._context: VideoCodecContext | None = None
        self._failed = False

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[VideoFrame] | None:
        """Decode a frame.

        Parameters
        ----------
        codec : str
            "VP8" or "H264".
        data : bytes
            The encoded frame.
        timestamp : int
            Its time in ticks of 90 kHz.

        Returns
        -------
        list of VideoFrame, or None
            As yuv420p, in main memory; empty where packets were lost, until the next key frame;
            None if the card does not decode this.
        """
        probe = nvidia_probe.nvdec.get(codec)
        if self._failed or probe is None or not probe.works():
            return None
        try:
            if self._context is None or codec != self._codec:
                self._context, self._codec = nvidia_probe.open_nvdec(codec), codec
            packet = av.Packet(data)
            packet.pts, packet.time_base = timestamp, _TIME_BASE
            return [frame.reformat(format="yuv420p") for frame in self._context.decode(packet)]
        except av.InvalidDataError:
            return []
        except nvidia_probe.FAILURES as error:
            log.warning("NVDEC failed, software takes over: %s", error)
            self._failed, self._context = True, None
            return None
