"""Encoding through FFmpeg, as PyAV offers it: what the engines that use it share."""

from fractions import Fraction

import av
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import (
    KEY_FRAME_INTERVAL_FRAMES,
    NOMINAL_RATE_FPS,
    FrameSettings,
    StreamFormat,
)

_TIME_BASE = Fraction(1, VIDEO_CLOCK_HZ)


def make_context(name: str, stream: StreamFormat, bitrate_bps: float) -> VideoCodecContext:
    """Make an encoder that is not opened yet.

    Parameters
    ----------
    name : str
        FFmpeg's name of the encoder.
    stream : StreamFormat
        Size and threads.
    bitrate_bps : float
        In bit/s.

    Returns
    -------
    VideoCodecContext
        Its options are still to be set.
    """
    context: VideoCodecContext = av.CodecContext.create(name, "w")  # type: ignore[assignment]
    context.width = stream.width
    context.height = stream.height
    context.pix_fmt = "yuv420p"
    context.bit_rate = round(bitrate_bps)
    context.framerate = Fraction(NOMINAL_RATE_FPS)
    context.time_base = _TIME_BASE
    context.gop_size = KEY_FRAME_INTERVAL_FRAMES
    context.thread_count = stream.threads
    return context


def encode(
    context: VideoCodecContext, frame: av.VideoFrame, pts: int, settings: FrameSettings
) -> EncodedImage:
    """Encode a frame.

    Parameters
    ----------
    context : VideoCodecContext
        Of a codec without delay.
    frame : av.VideoFrame
        yuv420p, of the stream's size; its type, time and time base are set.
    pts : int
        Its time in ticks of 90 kHz.
    settings : FrameSettings
        Whether as a key frame.

    Returns
    -------
    EncodedImage
        The frame, encoded.

    Raises
    ------
    av.FFmpegError
        If FFmpeg cannot encode it.
    """
    # A decoded frame's own `pict_type` would tell the encoder to do the same again.
    frame.pict_type = PictureType.I if settings.key_frame else PictureType.NONE
    frame.pts, frame.time_base = pts, _TIME_BASE
    packets = context.encode(frame)
    data = b"".join(map(bytes, packets))
    return EncodedImage(data, any(packet.is_keyframe for packet in packets))
