"""VP8 by libvpx: bitrate, speed and quantizer change between two frames."""

import gc
import weakref

import av
import pytest

from gaze.rtc.codecs.libvpx_encoder import Vp8Encoder, VpxError
from gaze.rtc.codecs.vp8_quantizers import MIN_QUANTIZER, STEPS
from tests.rtc.codecs.moving_texture import HEIGHT, WIDTH, frame

pytestmark = pytest.mark.usefixtures("direct_bindings")

MEGA = 1_000_000


def test_speed_and_bitrate_change_without_a_key_frame() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    keys = []
    for index in range(30):
        encoder.bitrate_bps = MEGA * (1 + index % 4)
        encoder.cpu_used = -4 - index % 11
        keys.append(encoder.encode(frame(index), 3000).is_key_frame)
    assert keys == [True] + [False] * 29


def test_more_bits_make_a_finer_quantizer() -> None:
    quantizers = []
    for bitrate_bps in (200_000, 3 * MEGA):
        encoder = Vp8Encoder(WIDTH, HEIGHT, bitrate_bps, cpu_used=-12)
        for index in range(20):
            encoder.encode(frame(index), 3000)
        quantizers.append(encoder.quantizer)
    coarse, fine = quantizers
    assert fine + 10 < coarse <= 63


def test_one_frame_can_be_coarser_without_a_key_frame() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, 3 * MEGA, cpu_used=-12)
    quantizers, keys = [], []
    for index in range(30):
        encoder.min_quantizer = 50 if index == 20 else MIN_QUANTIZER
        keys.append(encoder.encode(frame(index), 3000).is_key_frame)
        quantizers.append(encoder.quantizer)
    assert keys == [True] + [False] * 29
    assert quantizers[20] >= 50
    assert encoder.step == STEPS[quantizers[29]]
    assert max(quantizers[10:20] + quantizers[21:]) < 40


def test_a_stream_of_several_threads_is_decoded() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12, threads=2)
    decoder = av.CodecContext.create("libvpx", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    for index in range(3):
        data = encoder.encode(frame(index), 3000).data
        assert len(decoder.decode(av.Packet(data))) == 1


def test_a_frame_is_left_as_it_was() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    source = frame(7)
    before = source.to_ndarray().copy()
    encoder.encode(source, 3000)
    assert (source.to_ndarray() == before).all()
    assert source.pts == 7


def test_a_frame_of_another_size_or_format_is_refused() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    for wrong in (frame(0, 320, 180), frame(0).reformat(format="rgb24")):
        with pytest.raises(ValueError, match="a yuv420p frame of 640x360 here, not"):
            encoder.encode(wrong, 3000)


def test_libvpx_s_own_error_text_is_kept() -> None:
    with pytest.raises(VpxError, match=r"Invalid parameter.*g_w"):
        Vp8Encoder(100_000, 16, MEGA, cpu_used=-12)


def test_the_encoder_is_closed_when_it_is_collected() -> None:
    encoder = Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    finalizer, gone = encoder._finalizer, weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None
    assert not finalizer.alive
