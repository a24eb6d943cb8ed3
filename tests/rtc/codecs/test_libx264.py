"""libx264, driven directly; a wheel with another libx264 fails here and says what to look at."""

import ctypes
import gc
import weakref

import av
import pytest

from gaze.rtc.codecs import libx264
from gaze.rtc.codecs.bundled_libs import Unavailable
from tests.rtc.codecs.test_encoder import HEIGHT, WIDTH, frame

MEGA = 1_000_000


def test_the_wheel_carries_the_build_it_was_written_for() -> None:
    """After an upgrade of PyAV: check the structures against the new x264.h, then BUILD."""
    assert callable(getattr(libx264.load(), f"x264_encoder_open_{libx264.BUILD}"))


def test_another_layout_is_refused() -> None:
    """A library whose pictures have one field more."""
    real = libx264.load()

    class Shifted:
        def __getattr__(self, name: str) -> object:
            return getattr(real, name)

        @staticmethod
        def x264_picture_alloc(picture: object, colours: int, width: int, height: int) -> int:
            return int(
                real.x264_picture_alloc(ctypes.byref(picture._obj, 8), colours, width, height)
            )  # type: ignore[attr-defined]

    with pytest.raises(Unavailable, match="libx264's structures are not those known"):
        libx264.check(Shifted())  # type: ignore[arg-type]


def test_speed_and_bitrate_change_without_a_key_frame() -> None:
    encoder = libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    keys = []
    for index in range(30):
        encoder.tune(MEGA * (1 + index % 4), index % len(libx264.SPEEDS))
        keys.append(encoder.encode(frame(index)).is_key_frame)
    assert keys == [True] + [False] * 29


def test_a_key_frame_is_made_of_the_frame_it_is_asked_for() -> None:
    encoder = libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    keys = [encoder.encode(frame(index), key_frame=index == 3).is_key_frame for index in range(6)]
    assert keys == [True, False, False, True, False, False]


def test_a_frame_in_is_a_frame_out() -> None:
    encoder = libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=0, threads=2)
    decoder = av.CodecContext.create("h264", "r")
    decoder.flags |= 1 << 19  # low delay
    decoded = 0
    for index in range(5):
        data = encoder.encode(frame(index)).data
        assert data.startswith(b"\0\0\0\1")
        decoded += len(decoder.decode(av.Packet(data)))
    assert decoded + len(decoder.decode(None)) == 5


def test_a_frame_of_another_size_or_format_is_refused() -> None:
    encoder = libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    for wrong in (frame(0, 320, 180), frame(0).reformat(format="rgb24")):
        with pytest.raises(ValueError, match="a yuv420p frame of 640x360"):
            encoder.encode(wrong)


def test_what_it_cannot_make_is_said() -> None:
    with pytest.raises(libx264.X264Error, match="no profile 'wide'"):
        libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=2, profile="wide")
    with pytest.raises(libx264.X264Error, match="opens no encoder of 0x360"):
        libx264.H264Encoder(0, HEIGHT, MEGA, speed=2)


def test_it_is_closed_when_nobody_holds_it() -> None:
    encoder = libx264.H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    finalizer, gone = encoder._finalizer, weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None
    assert not finalizer.alive
