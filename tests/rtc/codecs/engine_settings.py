"""Settings of an engine, as tests need them."""

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import h264
from gaze.rtc.codecs.engine import Engine, FrameSettings, StreamFormat
from tests.rtc.codecs.moving_texture import FPS, HEIGHT, WIDTH, frame

MEGA = 1_000_000
STREAM = StreamFormat(WIDTH, HEIGHT, 6 * MEGA, h264.DEFAULT_PROFILE_LEVEL)
FRAME_TICKS = VIDEO_CLOCK_HZ // FPS


def settings(
    bitrate_bps: float = MEGA,
    speed: int = 2,
    *,
    key_frame: bool = False,
    quantizer_scale: float = 1.0,
) -> FrameSettings:
    """Settings of a frame."""
    return FrameSettings(
        bitrate_bps, speed, key_frame, FRAME_TICKS, quantizer_scale=quantizer_scale
    )


def key_frames(engine: Engine, all_settings: list[FrameSettings]) -> list[int]:
    """Encode frames; returns the indices of the key frames among them."""
    return [
        index
        for index, one in enumerate(all_settings)
        if engine.encode(frame(index), index * FRAME_TICKS, one).is_key_frame
    ]
