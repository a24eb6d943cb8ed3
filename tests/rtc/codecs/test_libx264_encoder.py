"""H.264 by libx264: bitrate and speed change between two frames."""

import gc
import weakref

import av
import pytest

from gaze.rtc.codecs.libx264_encoder import SPEEDS, H264Encoder, X264Error
from tests.rtc.codecs.moving_texture import HEIGHT, WIDTH, frame

pytestmark = pytest.mark.usefixtures("direct_bindings")

MEGA = 1_000_000


def test_speed_and_bitrate_change_without_a_key_frame() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    keys = []
    for index in range(30):
        encoder.reconfigure(MEGA * (1 + index % 4), index % len(SPEEDS))
        keys.append(encoder.encode(frame(index)).is_key_frame)
    assert keys == [True] + [False] * 29


def test_a_requested_key_frame_is_made_of_its_frame() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    keys = [encoder.encode(frame(index), key_frame=index == 3).is_key_frame for index in range(6)]
    assert keys == [True, False, False, True, False, False]


def test_encoding_has_no_delay() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, MEGA, speed=0, threads=2)
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    decoder.flags |= 1 << 19  # low delay
    decoded = 0
    for index in range(5):
        data = encoder.encode(frame(index)).data
        assert data.startswith(b"\0\0\0\1")
        decoded += len(decoder.decode(av.Packet(data)))
    assert decoded + len(decoder.decode(None)) == 5


def test_a_frame_of_another_size_or_format_is_refused() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    for wrong in (frame(0, 320, 180), frame(0).reformat(format="rgb24")):
        with pytest.raises(ValueError, match="a yuv420p frame of 640x360 here, not"):
            encoder.encode(wrong)


def test_an_impossible_encoder_is_refused() -> None:
    with pytest.raises(X264Error, match="no profile 'wide'"):
        H264Encoder(WIDTH, HEIGHT, MEGA, speed=2, profile="wide")
    with pytest.raises(X264Error, match="opens no encoder of 0x360"):
        H264Encoder(0, HEIGHT, MEGA, speed=2)


def test_the_encoder_is_closed_when_it_is_collected() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, MEGA, speed=2)
    finalizer, gone = encoder._finalizer, weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None
    assert not finalizer.alive
