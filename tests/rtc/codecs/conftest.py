"""What the tests of direct bindings need."""

import os

import pytest

from gaze.rtc.codecs import libvpx, libx264
from gaze.rtc.codecs.bundled_libs import Unavailable

ALLOW_FALLBACK = "GAZE_ALLOW_FFMPEG_FALLBACK"
"""Environment variable that asks for FFmpeg in place of libraries that cannot be used directly."""


@pytest.fixture(scope="session")
def direct_bindings() -> None:
    """Fail without direct use of libvpx and libx264; skip if the fall-back was asked for."""
    try:
        libvpx.load()
        libx264.load()
    except Unavailable as error:
        if not os.environ.get(ALLOW_FALLBACK):
            raise
        pytest.skip(f"{ALLOW_FALLBACK} is set: {error}")
