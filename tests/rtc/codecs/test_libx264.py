"""The binding of libx264; a wheel with another libx264 fails here and says what to look at."""

import ctypes
from typing import Any

import pytest

from gaze.rtc.codecs import libx264
from gaze.rtc.codecs.bundled_libs import Unavailable

pytestmark = pytest.mark.usefixtures("direct_bindings")


def test_the_wheel_bundles_the_build_it_was_written_for() -> None:
    """After an upgrade of PyAV: check the structures against the new x264.h, then BUILD."""
    assert callable(getattr(libx264.load(), f"x264_encoder_open_{libx264.BUILD}"))


def test_another_layout_is_refused() -> None:
    """A library whose pictures have one field more."""
    real = libx264.load()

    class Shifted:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        @staticmethod
        def x264_picture_alloc(picture: Any, color_format: int, width: int, height: int) -> int:
            shifted = ctypes.byref(picture._obj, 8)
            return int(real.x264_picture_alloc(shifted, color_format, width, height))

    with pytest.raises(Unavailable, match="libx264's structures are not those known"):
        libx264.check(Shifted())  # type: ignore[arg-type]
