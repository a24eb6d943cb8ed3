"""VP8 through FFmpeg, where libvpx cannot be used directly."""

import av
from av.video.codeccontext import VideoCodecContext

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import ffmpeg_codec, libvpx_encoder
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import FrameSettings, StreamFormat
from gaze.rtc.codecs.libvpx_engine import CPU_USED
from gaze.rtc.codecs.vp8_quantizers import MAX_QUANTIZER, MIN_QUANTIZER

# Each change is a key frame, so only large ones are followed, and seldom: chosen by hand; no
# benchmark covers it.
MIN_CHANGE = 0.25
CHANGE_INTERVAL_S = 2.0


class FfmpegVp8Engine:
    """See `Engine`. A new bitrate is a new encoder, and a key frame.

    So it follows only changes of a quarter or more, and at most one every two seconds.
    """

    name = "libvpx through FFmpeg"
    speeds = len(CPU_USED)

    def __init__(self, stream: StreamFormat, settings: FrameSettings) -> None:
        """Open the encoder.

        Parameters
        ----------
        stream : StreamFormat
            Size and limits.
        settings : FrameSettings
            Of the first frame.
        """
        self._stream = stream
        self._context: VideoCodecContext | None = None
        self._bitrate_bps = settings.bitrate_bps
        self._opened_s = 0.0

    def encode(self, frame: av.VideoFrame, pts: int, settings: FrameSettings) -> EncodedImage:
        """See `Engine`."""
        pts_s = pts / VIDEO_CLOCK_HZ
        change_bps = abs(settings.bitrate_bps - self._bitrate_bps)
        if self._context is None or (
            change_bps >= MIN_CHANGE * self._bitrate_bps
            and pts_s - self._opened_s >= CHANGE_INTERVAL_S
        ):
            self._context = self._open(settings)
            self._bitrate_bps, self._opened_s = settings.bitrate_bps, pts_s
        return ffmpeg_codec.encode(self._context, frame, pts, settings)

    def _open(self, settings: FrameSettings) -> VideoCodecContext:
        context = ffmpeg_codec.make_context("libvpx", self._stream, settings.bitrate_bps)
        context.qmin, context.qmax = MIN_QUANTIZER, MAX_QUANTIZER
        rate = str(round(settings.bitrate_bps))
        context.options = {
            "deadline": "realtime",
            "cpu-used": str(CPU_USED[settings.speed]),
            "lag-in-frames": "0",
            "minrate": rate,  # minrate = maxrate = bit_rate is constant bitrate,
            "maxrate": rate,
            "bufsize": rate,  # with a buffer of a second
            "undershoot-pct": str(libvpx_encoder.UNDERSHOOT_PERCENT),
            "overshoot-pct": str(libvpx_encoder.OVERSHOOT_PERCENT),
            "max-intra-rate": str(libvpx_encoder.MAX_INTRA_PERCENT),
            "static-thresh": str(libvpx_encoder.STATIC_THRESHOLD),
        }
        return context
