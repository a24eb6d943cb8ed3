"""What a stream's format means for its encoder."""

import pytest

from gaze.rtc.codecs import h264
from gaze.rtc.codecs.engine import StreamFormat

MEGA = 1_000_000


@pytest.mark.parametrize(
    ("size", "cpus", "threads"),
    [
        ((1280, 720), 64, 1),
        ((1920, 1080), 2, 1),
        ((1920, 1080), 4, 2),
        ((1920, 1080), 16, 4),
        ((1920, 1080), None, 1),
    ],
)
def test_large_frames_take_several_threads_where_there_are_many(
    monkeypatch: pytest.MonkeyPatch, size: tuple[int, int], cpus: int | None, threads: int
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: cpus)
    assert StreamFormat(*size, MEGA, h264.DEFAULT_PROFILE_LEVEL).threads == threads


def test_h264_stays_within_the_bitrate_of_its_level_and_takes_the_lowest_level() -> None:
    wide = StreamFormat(640, 360, 60 * MEGA, h264.DEFAULT_PROFILE_LEVEL)
    assert wide.h264_max_bitrate_bps == 14 * MEGA  # of level 3.1
    assert wide.h264_level_idc == 31
    narrow = StreamFormat(640, 360, 2 * MEGA, h264.DEFAULT_PROFILE_LEVEL)
    assert narrow.h264_max_bitrate_bps == 2 * MEGA
    assert narrow.h264_level_idc == 30
