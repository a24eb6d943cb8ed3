"""H.264 by libx264: key frames on request, bits by the frames' own time."""

import pytest

from gaze.rtc.codecs.engine import FrameSettings
from gaze.rtc.codecs.libx264_encoder import SPEEDS
from gaze.rtc.codecs.libx264_engine import Libx264Engine
from tests.rtc.codecs.engine_settings import FRAME_TICKS, MEGA, STREAM, key_frames, settings
from tests.rtc.codecs.moving_texture import frame

pytestmark = pytest.mark.usefixtures("direct_bindings")


def test_bitrate_and_speed_change_without_a_key_frame() -> None:
    engine = Libx264Engine(STREAM, settings())
    all_settings = [settings(MEGA * (1 + index % 3), index % len(SPEEDS)) for index in range(30)]
    assert key_frames(engine, all_settings) == [0]


def test_a_requested_key_frame_is_made_of_its_frame() -> None:
    engine = Libx264Engine(STREAM, settings())
    all_settings = [settings(key_frame=index == 7) for index in range(12)]
    assert key_frames(engine, all_settings) == [0, 7]


def test_frames_shown_twice_as_long_get_twice_the_bits() -> None:
    def mean_bytes(duration: int) -> float:
        engine = Libx264Engine(STREAM, settings())
        sizes = [
            len(
                engine.encode(
                    frame(index), index * duration, FrameSettings(MEGA, 2, False, duration)
                ).data
            )
            for index in range(60)
        ]
        return sum(sizes[30:]) / 30

    assert mean_bytes(2 * FRAME_TICKS) == pytest.approx(2 * mean_bytes(FRAME_TICKS), rel=0.25)
