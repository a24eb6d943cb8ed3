"""FFmpeg takes the place of libvpx and libx264 only where it was asked for."""

import pytest

from gaze.rtc.codecs.engine_selection import select_engine
from tests.rtc.codecs.engine_settings import STREAM, settings


@pytest.mark.usefixtures("direct_bindings")
def test_the_installed_pyav_bundles_the_libraries_that_the_bindings_were_written_for() -> None:
    """After an upgrade of PyAV: check the bindings' structures against the new headers.

    Then change `libvpx.VERSION` or `libx264.BUILD`. To test with FFmpeg in their place, set
    GAZE_ALLOW_FFMPEG_FALLBACK=1.
    """
    assert select_engine("VP8", "libvpx", STREAM, settings()).name == "libvpx"
    assert select_engine("H264", "libx264", STREAM, settings()).name == "libx264"
