"""H.264 by libx264 itself: bitrate and speed change while it runs."""

import av

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import libx264_encoder
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import NOMINAL_RATE_FPS, FrameSettings, StreamFormat


class Libx264Engine:
    """See `Engine`."""

    name = "libx264"
    speeds = len(libx264_encoder.SPEEDS)

    def __init__(self, stream: StreamFormat, settings: FrameSettings) -> None:
        """Open the encoder.

        Parameters
        ----------
        stream : StreamFormat
            Size and limits.
        settings : FrameSettings
            Of the first frame.
        """
        self._max_bitrate_bps = stream.h264_max_bitrate_bps
        self._encoder = libx264_encoder.H264Encoder(
            stream.width,
            stream.height,
            self._nominal_bitrate_bps(settings),
            settings.speed,
            profile=stream.profile_level.profile,
            level_idc=stream.h264_level_idc,
            threads=stream.threads,
        )

    def encode(self, frame: av.VideoFrame, pts: int, settings: FrameSettings) -> EncodedImage:
        """See `Engine`."""
        self._encoder.reconfigure(self._nominal_bitrate_bps(settings), settings.speed)
        return self._encoder.encode(frame, key_frame=settings.key_frame, softened=settings.softened)

    def _nominal_bitrate_bps(self, settings: FrameSettings) -> float:
        """Return the bitrate at x264's nominal frame rate that gives each frame its bits."""
        stretch = NOMINAL_RATE_FPS * settings.duration / VIDEO_CLOCK_HZ
        return min(settings.bitrate_bps, self._max_bitrate_bps) * stretch
