"""libvpx, driven directly; a wheel with another libvpx fails here and says what to look at."""

import ctypes
import gc
import weakref

import av
import pytest

from gaze.rtc.codecs import libvpx
from gaze.rtc.codecs.bundled_libs import Unavailable
from tests.rtc.codecs.test_encoder import HEIGHT, WIDTH, frame

MEGA = 1_000_000


def test_the_wheel_carries_the_version_it_was_written_for() -> None:
    """After an upgrade of PyAV: check the structures against the new headers, then VERSION."""
    assert libvpx.load().vpx_codec_version_str().decode() == libvpx.VERSION


def test_another_version_is_refused() -> None:
    with pytest.raises(
        Unavailable, match=r"libvpx is v1\.16\.0; gaze.rtc.codecs.libvpx was written for"
    ):
        libvpx.check(libvpx.load(), version="v1.99.0")


def test_another_layout_is_refused() -> None:
    """A library whose default configuration is one field further on."""

    class Shifted:
        vpx_codec_version_str = libvpx.load().vpx_codec_version_str
        vpx_codec_vp8_cx = libvpx.load().vpx_codec_vp8_cx

        @staticmethod
        def vpx_codec_enc_config_default(interface: int, config: object, usage: int) -> int:
            real = libvpx.Config()
            libvpx.load().vpx_codec_enc_config_default(interface, ctypes.byref(real), usage)
            ctypes.memmove(ctypes.addressof(config._obj) + 4, ctypes.byref(real), 500)  # type: ignore[attr-defined]
            return 0

    with pytest.raises(Unavailable, match="default configuration is not the one known"):
        libvpx.check(Shifted)  # type: ignore[arg-type]


@pytest.mark.skipif(ctypes.sizeof(ctypes.c_long) != 8, reason="the figures are of 64-bit Unix")
def test_the_structures_are_those_of_the_headers() -> None:
    """As a C compiler lays out the headers of v1.16.0."""
    sizes = {libvpx.Config: 504, libvpx.Context: 56, libvpx.Image: 136, libvpx.Packet: 136}
    assert {structure: ctypes.sizeof(structure) for structure in sizes} == sizes
    for structure, field, offset in (
        (libvpx.Config, "g_timebase", 28),
        (libvpx.Config, "g_lag_in_frames", 44),
        (libvpx.Config, "rc_twopass_stats_in", 80),
        (libvpx.Config, "rc_target_bitrate", 112),
        (libvpx.Config, "rc_buf_sz", 132),
        (libvpx.Config, "kf_mode", 160),
        (libvpx.Config, "kf_max_dist", 168),
        (libvpx.Config, "ts_number_layers", 216),
        (libvpx.Config, "layer_target_bitrate", 328),
        (libvpx.Config, "use_vizier_rc_params", 380),
        (libvpx.Context, "err_detail", 24),
        (libvpx.Context, "priv", 48),
        (libvpx.Image, "planes", 48),
        (libvpx.Image, "stride", 80),
        (libvpx.Image, "bps", 96),
        (libvpx.Image, "fb_priv", 128),
        (libvpx.Packet, "buf", 8),
        (libvpx.Packet, "sz", 16),
        (libvpx.Packet, "flags", 40),
    ):
        assert getattr(structure, field).offset == offset, field


def test_speed_and_bitrate_change_without_a_key_frame() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    keys = []
    for index in range(30):
        encoder.bitrate_bps = MEGA * (1 + index % 4)
        encoder.cpu_used = -4 - index % 11
        keys.append(encoder.encode(frame(index), 3000).is_key_frame)
    assert keys == [True] + [False] * 29


def test_more_bits_make_a_finer_quantizer() -> None:
    quantizers = []
    for bitrate_bps in (200_000, 3 * MEGA):
        encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, bitrate_bps, cpu_used=-12)
        for index in range(20):
            encoder.encode(frame(index), 3000)
        quantizers.append(encoder.quantizer)
    coarse, fine = quantizers
    assert fine + 10 < coarse <= 63


def test_one_frame_can_be_coarser_without_a_key_frame() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, 3 * MEGA, cpu_used=-12)
    quantizers, keys = [], []
    for index in range(30):
        encoder.min_quantizer = 50 if index == 20 else libvpx.MIN_QUANTIZER
        keys.append(encoder.encode(frame(index), 3000).is_key_frame)
        quantizers.append(encoder.quantizer)
    assert keys == [True] + [False] * 29
    assert quantizers[20] >= 50
    assert encoder.step == libvpx.STEPS[quantizers[29]]
    assert max(quantizers[10:20] + quantizers[21:]) < 40


def test_quantizers_are_as_coarse_as_asked_within_the_limits() -> None:
    assert list(libvpx.STEPS) == sorted(set(libvpx.STEPS))
    assert (libvpx.STEPS[0], libvpx.STEPS[63]) == (4, 284)  # RFC 6386, section 14.1
    assert libvpx.quantizer_of(0.0) == libvpx.MIN_QUANTIZER
    assert libvpx.quantizer_of(1e6) == libvpx.MAX_QUANTIZER
    assert (
        libvpx.STEPS[libvpx.quantizer_of(60.5) - 1]
        < 60.5
        <= libvpx.STEPS[libvpx.quantizer_of(60.5)]
    )


def test_several_threads_make_the_same_kind_of_stream() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12, threads=2)
    decoder = av.CodecContext.create("libvpx", "r")
    for index in range(3):
        data = encoder.encode(frame(index), 3000).data
        assert len(decoder.decode(av.Packet(data))) == 1


def test_a_frame_is_left_as_it_was() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    source = frame(7)
    before = source.to_ndarray().copy()
    encoder.encode(source, 3000)
    assert (source.to_ndarray() == before).all()
    assert source.pts == 7


def test_a_frame_of_another_size_or_format_is_refused() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    for wrong in (frame(0, 320, 180), frame(0).reformat(format="rgb24")):
        with pytest.raises(ValueError, match="a yuv420p frame of 640x360"):
            encoder.encode(wrong, 3000)


def test_what_libvpx_refuses_is_said_in_its_words() -> None:
    with pytest.raises(libvpx.VpxError, match=r"Invalid parameter.*g_w"):
        libvpx.Vp8Encoder(100_000, 16, MEGA, cpu_used=-12)


def test_it_is_closed_when_nobody_holds_it() -> None:
    encoder = libvpx.Vp8Encoder(WIDTH, HEIGHT, MEGA, cpu_used=-12)
    finalizer, gone = encoder._finalizer, weakref.ref(encoder)
    del encoder
    gc.collect()
    assert gone() is None
    assert not finalizer.alive
