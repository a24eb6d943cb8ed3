"""The binding of libvpx; a wheel with another libvpx fails here and says what to look at."""

import ctypes

import pytest

from gaze.rtc.codecs import libvpx
from gaze.rtc.codecs.bundled_libs import Unavailable

pytestmark = pytest.mark.usefixtures("direct_bindings")


def test_the_wheel_bundles_the_version_it_was_written_for() -> None:
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
