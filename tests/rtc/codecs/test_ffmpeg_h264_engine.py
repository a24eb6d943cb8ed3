"""H.264 through FFmpeg: the bitrate changes while it runs, the speed does not."""

from gaze.rtc.codecs.ffmpeg_h264_engine import FfmpegX264Engine
from tests.rtc.codecs.engine_settings import MEGA, STREAM, key_frames, settings


def test_the_bitrate_changes_without_a_key_frame() -> None:
    engine = FfmpegX264Engine(STREAM, settings(2 * MEGA))
    rates = [MEGA * (1 + index % 3) for index in range(60)]
    assert key_frames(engine, [settings(rate) for rate in rates]) == [0]


def test_a_slower_speed_waits_for_a_key_frame_and_a_faster_one_for_ten_seconds() -> None:
    engine = FfmpegX264Engine(STREAM, settings(speed=1))
    all_settings = (
        [settings(speed=1)] * 10
        + [settings(speed=0)] * 10
        + [settings(speed=0, key_frame=True)]
        + [settings(speed=2)] * 310
    )
    assert key_frames(engine, all_settings) == [0, 20, 320]
