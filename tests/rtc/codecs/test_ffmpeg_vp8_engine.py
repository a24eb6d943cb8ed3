"""VP8 through FFmpeg: each change of the bitrate is a key frame."""

from gaze.rtc.codecs.ffmpeg_vp8_engine import FfmpegVp8Engine
from tests.rtc.codecs.engine_settings import MEGA, STREAM, key_frames, settings


def test_a_large_change_of_the_bitrate_is_a_new_encoder_and_a_small_one_is_not() -> None:
    engine = FfmpegVp8Engine(STREAM, settings(2 * MEGA))
    rates = [2.0] * 60 + [1.8] * 10 + [0.8] * 20
    assert key_frames(engine, [settings(rate * MEGA) for rate in rates]) == [0, 70]


def test_a_change_within_two_seconds_waits() -> None:
    engine = FfmpegVp8Engine(STREAM, settings(2 * MEGA))
    rates = [MEGA * (2 + index % 3) for index in range(64)]
    assert key_frames(engine, [settings(rate) for rate in rates]) == [0, 61]
