"""H.264 by an NVIDIA card."""

from av.video.codeccontext import VideoCodecContext

from gaze.rtc.codecs import ffmpeg_codec, h264, nvidia_probe
from gaze.rtc.codecs.engine import FrameSettings
from gaze.rtc.codecs.ffmpeg_h264_engine import FfmpegH264Engine

PRESETS = ("p4", "p3", "p2", "p1")  # NVENC's own, from the medium one to the fastest


class NvencEngine(FfmpegH264Engine):
    """See `Engine`."""

    name = "nvenc"
    speeds = len(PRESETS)

    def _open(self, settings: FrameSettings) -> VideoCodecContext:
        stream = self._stream
        bitrate_bps = min(settings.bitrate_bps, stream.h264_max_bitrate_bps)
        context = ffmpeg_codec.make_context("h264_nvenc", stream, bitrate_bps)
        context.options = {
            **nvidia_probe.NVENC_OPTIONS,
            "preset": PRESETS[settings.speed],
            "profile": stream.profile_level.profile,
            "level": h264.level_name(stream.h264_level_idc),
        }
        context.open()
        return context
