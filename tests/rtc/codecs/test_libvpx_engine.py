"""VP8 by libvpx: key frames on request, and frames that are quantized coarser."""

import pytest

from gaze.rtc.codecs.libvpx_engine import CPU_USED, LibvpxEngine
from tests.rtc.codecs.engine_settings import FRAME_TICKS, MEGA, STREAM, key_frames, settings
from tests.rtc.codecs.moving_texture import frame

pytestmark = pytest.mark.usefixtures("direct_bindings")


def test_bitrate_and_speed_change_without_a_key_frame() -> None:
    engine = LibvpxEngine(STREAM, settings())
    all_settings = [settings(MEGA * (1 + index % 3), index % len(CPU_USED)) for index in range(30)]
    assert key_frames(engine, all_settings) == [0]


def test_a_requested_key_frame_is_made_of_its_frame_but_not_twice_at_the_start() -> None:
    engine = LibvpxEngine(STREAM, settings(key_frame=True))
    all_settings = [settings(key_frame=index in (0, 7)) for index in range(12)]
    assert key_frames(engine, all_settings) == [0, 7]


def test_a_frame_with_a_quantizer_scale_is_smaller() -> None:
    def size(quantizer_scale: float) -> int:
        engine = LibvpxEngine(STREAM, settings())
        for index in range(40):
            engine.encode(frame(index), index * FRAME_TICKS, settings())
        scaled = settings(quantizer_scale=quantizer_scale)
        return len(engine.encode(frame(40), 40 * FRAME_TICKS, scaled).data)

    assert size(4.0) < 0.6 * size(1.0)
