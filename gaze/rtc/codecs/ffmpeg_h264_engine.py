"""H.264 through FFmpeg: what libx264 (where it cannot be used directly) and NVENC share."""

import av
from av.video.codeccontext import VideoCodecContext

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import ffmpeg_codec, h264
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import FrameSettings, StreamFormat

PRESETS = ("fast", "veryfast", "superfast", "ultrafast")
NEW_SPEED_INTERVAL_S = 10.0  # chosen by hand; no benchmark covers it
BUFFER_PERCENT = 15  # of the highest bitrate, per second: for key frames, chosen by hand


class FfmpegH264Engine:
    """Base of the engines: the bitrate can change while it runs, the speed cannot.

    A slower speed waits for a key frame that is due anyway; a faster one is worth a new encoder,
    but at most one every ten seconds.
    """

    speeds: int

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
        self._speed = settings.speed
        self._opened_s: float | None = None
        self._context = self._open(settings)

    def encode(self, frame: av.VideoFrame, pts: int, settings: FrameSettings) -> EncodedImage:
        """See `Engine`."""
        pts_s = pts / VIDEO_CLOCK_HZ
        if self._opened_s is None:
            self._opened_s = pts_s
        elif settings.speed != self._speed:
            faster = settings.speed > self._speed
            overdue = faster and pts_s - self._opened_s >= NEW_SPEED_INTERVAL_S
            if settings.key_frame or overdue:
                self._context = self._open(settings)
                self._speed, self._opened_s = settings.speed, pts_s
        max_bitrate_bps = self._stream.h264_max_bitrate_bps
        self._context.bit_rate = round(min(settings.bitrate_bps, max_bitrate_bps))
        return ffmpeg_codec.encode(self._context, frame, pts, settings)

    def _open(self, settings: FrameSettings) -> VideoCodecContext:
        raise NotImplementedError


class FfmpegX264Engine(FfmpegH264Engine):
    """See `Engine`. It follows a smaller bitrate slowly."""

    name = "libx264 through FFmpeg"
    speeds = len(PRESETS)

    def _open(self, settings: FrameSettings) -> VideoCodecContext:
        # FFmpeg cannot change maxrate later, so it has to be the highest bitrate there will be.
        stream = self._stream
        max_bitrate_bps = stream.h264_max_bitrate_bps
        profile = stream.profile_level.profile
        context = ffmpeg_codec.make_context("libx264", stream, max_bitrate_bps)
        context.options = {
            "preset": PRESETS[settings.speed],
            "tune": "zerolatency",
            "profile": profile,
            "level": h264.level_name(stream.h264_level_idc),
            "coder": "cavlc" if profile == "baseline" else "cabac",
            "x264-params": f"8x8dct={int(profile == 'high')}:scenecut=0",
            "maxrate": str(max_bitrate_bps),
            "bufsize": str(max_bitrate_bps * BUFFER_PERCENT // 100),
        }
        context.open()
        return context
