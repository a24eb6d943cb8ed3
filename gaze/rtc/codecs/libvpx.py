"""The shared library libvpx that PyAV's wheel bundles, through ctypes.

The structures are those of its public headers (vpx/vpx_codec.h, vpx_image.h, vpx_encoder.h and
vp8cx.h) as of the version below. libvpx refuses callers of another ABI, `load` refuses other
versions and layouts, and `engine_selection` then uses FFmpeg.
"""

import ctypes
import functools

from gaze.rtc.codecs import bundled_libs
from gaze.rtc.codecs.bundled_libs import Unavailable

VERSION = "v1.16.0"
ENCODER_ABI_VERSION = 39

# vpx_image.h, vpx_encoder.h
I420 = 0x102
REALTIME = 1
CBR = 1
IS_KEY_FRAME = 1
FRAME_PACKET = 0

# vp8cx.h
SET_CPUUSED = 13
SET_STATIC_THRESHOLD = 17
SET_TOKEN_PARTITIONS = 18
GET_LAST_QUANTIZER_64 = 20
SET_MAX_INTRA_BITRATE_PCT = 26

_uint = ctypes.c_uint
_int = ctypes.c_int


class Rational(ctypes.Structure):
    """vpx_rational_t."""

    _fields_ = (("num", _int), ("den", _int))


class _Buffer(ctypes.Structure):
    _fields_ = (("buf", ctypes.c_void_p), ("sz", ctypes.c_size_t))


class Config(ctypes.Structure):
    """vpx_codec_enc_cfg_t."""

    _fields_ = (
        ("g_usage", _uint),
        ("g_threads", _uint),
        ("g_profile", _uint),
        ("g_w", _uint),
        ("g_h", _uint),
        ("g_bit_depth", _int),
        ("g_input_bit_depth", _uint),
        ("g_timebase", Rational),
        ("g_error_resilient", ctypes.c_uint32),
        ("g_pass", _int),
        ("g_lag_in_frames", _uint),
        ("rc_dropframe_thresh", _uint),
        ("rc_resize_allowed", _uint),
        ("rc_scaled_width", _uint),
        ("rc_scaled_height", _uint),
        ("rc_resize_up_thresh", _uint),
        ("rc_resize_down_thresh", _uint),
        ("rc_end_usage", _int),
        ("rc_twopass_stats_in", _Buffer),
        ("rc_firstpass_mb_stats_in", _Buffer),
        ("rc_target_bitrate", _uint),
        ("rc_min_quantizer", _uint),
        ("rc_max_quantizer", _uint),
        ("rc_undershoot_pct", _uint),
        ("rc_overshoot_pct", _uint),
        ("rc_buf_sz", _uint),
        ("rc_buf_initial_sz", _uint),
        ("rc_buf_optimal_sz", _uint),
        ("rc_2pass_vbr_bias_pct", _uint),
        ("rc_2pass_vbr_minsection_pct", _uint),
        ("rc_2pass_vbr_maxsection_pct", _uint),
        ("rc_2pass_vbr_corpus_complexity", _uint),
        ("kf_mode", _int),
        ("kf_min_dist", _uint),
        ("kf_max_dist", _uint),
        ("ss_number_layers", _uint),
        ("ss_enable_auto_alt_ref", _int * 5),
        ("ss_target_bitrate", _uint * 5),
        ("ts_number_layers", _uint),
        ("ts_target_bitrate", _uint * 5),
        ("ts_rate_decimator", _uint * 5),
        ("ts_periodicity", _uint),
        ("ts_layer_id", _uint * 16),
        ("layer_target_bitrate", _uint * 12),
        ("temporal_layering_mode", _int),
        ("use_vizier_rc_params", _int),
        ("vizier_rc_params", Rational * 15),
    )


class Context(ctypes.Structure):
    """vpx_codec_ctx_t."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("iface", ctypes.c_void_p),
        ("err", _int),
        ("err_detail", ctypes.c_char_p),
        ("init_flags", ctypes.c_long),
        ("config", ctypes.c_void_p),
        ("priv", ctypes.c_void_p),
    )


class Image(ctypes.Structure):
    """vpx_image_t."""

    _fields_ = (
        ("fmt", _int),
        ("cs", _int),
        ("range", _int),
        ("w", _uint),
        ("h", _uint),
        ("bit_depth", _uint),
        ("d_w", _uint),
        ("d_h", _uint),
        ("r_w", _uint),
        ("r_h", _uint),
        ("x_chroma_shift", _uint),
        ("y_chroma_shift", _uint),
        ("planes", ctypes.c_void_p * 4),
        ("stride", _int * 4),
        ("bps", _int),
        ("user_priv", ctypes.c_void_p),
        ("img_data", ctypes.c_void_p),
        ("img_data_owner", _int),
        ("self_allocd", _int),
        ("fb_priv", ctypes.c_void_p),
    )


class Packet(ctypes.Structure):
    """vpx_codec_cx_pkt_t, of the kind that carries a frame."""

    _fields_ = (
        ("kind", _int),
        ("buf", ctypes.c_void_p),
        ("sz", ctypes.c_size_t),
        ("pts", ctypes.c_int64),
        ("duration", ctypes.c_ulong),
        ("flags", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 92),
    )


def check(library: ctypes.CDLL, version: str = VERSION) -> None:
    """Make sure that a library is what this module was written for.

    Parameters
    ----------
    library : ctypes.CDLL
        With its functions declared.
    version : str, default VERSION
        What `vpx_codec_version_str` must give.

    Raises
    ------
    Unavailable
        If it is another version, or its default configuration is not where the structures have it.
    """
    found = library.vpx_codec_version_str().decode()
    if found != version:
        raise Unavailable(f"libvpx is {found}; gaze.rtc.codecs.libvpx was written for {version}")
    config = Config()
    problem = library.vpx_codec_enc_config_default(
        library.vpx_codec_vp8_cx(), ctypes.byref(config), 0
    )
    seen = (
        problem,
        (config.g_timebase.num, config.g_timebase.den),
        config.rc_target_bitrate,
        config.rc_buf_sz,
        config.kf_max_dist,
        config.ts_number_layers,
    )
    if seen != (0, (1, 30), 256, 6000, 128, 1):
        raise Unavailable(f"libvpx's default configuration is not the one known: {seen}")


@functools.cache
def load() -> ctypes.CDLL:
    """Load and check the library, once.

    Returns
    -------
    ctypes.CDLL
        The library, with its functions declared.

    Raises
    ------
    Unavailable
        If it cannot be used.
    """
    pointer = ctypes.c_void_p
    library = bundled_libs.load(
        "libvpx",
        (
            ("vpx_codec_version_str", ctypes.c_char_p, ()),
            ("vpx_codec_vp8_cx", pointer, ()),
            ("vpx_codec_err_to_string", ctypes.c_char_p, (_int,)),
            ("vpx_codec_enc_config_default", _int, (pointer, pointer, _uint)),
            ("vpx_codec_enc_config_set", _int, (pointer, pointer)),
            ("vpx_codec_enc_init_ver", _int, (pointer, pointer, pointer, ctypes.c_long, _int)),
            ("vpx_codec_control_", _int, (pointer, _int)),  # and one more, as the control wants it
            (
                "vpx_codec_encode",
                _int,
                (pointer, pointer, ctypes.c_int64, ctypes.c_ulong, ctypes.c_long, ctypes.c_ulong),
            ),
            ("vpx_codec_get_cx_data", ctypes.POINTER(Packet), (pointer, pointer)),
            ("vpx_codec_destroy", _int, (pointer,)),
        ),
    )
    check(library)
    return library
