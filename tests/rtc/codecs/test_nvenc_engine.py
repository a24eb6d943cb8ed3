"""H.264 by NVENC, where there is one."""

import pytest

from gaze.rtc.codecs import nvidia_probe
from gaze.rtc.codecs.nvenc_engine import NvencEngine
from tests.rtc.codecs.engine_settings import MEGA, STREAM, key_frames, settings


@pytest.mark.skipif(
    not nvidia_probe.nvenc.works(), reason=f"no NVENC: {nvidia_probe.nvenc.reason()}"
)
def test_the_bitrate_changes_without_a_key_frame() -> None:
    engine = NvencEngine(STREAM, settings(2 * MEGA))
    rates = [MEGA * (1 + index % 3) for index in range(60)]
    assert key_frames(engine, [settings(rate) for rate in rates]) == [0]
