"""The shared library libx264 that PyAV's wheel bundles, through ctypes.

The structures are those of x264.h as far as they are used here. The build is part of a function's
name, and `load` checks before use that all is where it should be; where it is not,
`engine_selection` uses FFmpeg.
"""

import ctypes
import functools

from gaze.rtc.codecs import bundled_libs
from gaze.rtc.codecs.bundled_libs import Unavailable

BUILD = 165

# x264.h
I420 = 2
TYPE_AUTO, TYPE_IDR = 0, 1
LEVEL_UNKNOWN = -1

_int = ctypes.c_int
_pointer = ctypes.c_void_p


class Param(ctypes.Structure):
    """The head of x264_param_t; the rest is set by name, and shorter than the room left for it."""

    _fields_ = (
        ("cpu", ctypes.c_uint32),
        ("i_threads", _int),
        ("i_lookahead_threads", _int),
        ("b_sliced_threads", _int),
        ("b_deterministic", _int),
        ("b_cpu_independent", _int),
        ("i_sync_lookahead", _int),
        ("i_width", _int),
        ("i_height", _int),
        ("i_csp", _int),
        ("i_bitdepth", _int),
        ("i_level_idc", _int),
        ("rest", ctypes.c_uint64 * 1024),
    )


class Picture(ctypes.Structure):
    """The head of x264_picture_t with its x264_image_t, and room for the rest."""

    _fields_ = (
        ("i_type", _int),
        ("i_qpplus1", _int),
        ("i_pic_struct", _int),
        ("b_keyframe", _int),
        ("i_pts", ctypes.c_int64),
        ("i_dts", ctypes.c_int64),
        ("param", _pointer),
        ("i_csp", _int),
        ("i_plane", _int),
        ("i_stride", _int * 4),
        ("plane", _pointer * 4),
        ("quant_offsets", _pointer),
        ("rest", ctypes.c_uint64 * 256),
    )


class Nal(ctypes.Structure):
    """x264_nal_t."""

    _fields_ = (
        ("i_ref_idc", _int),
        ("i_type", _int),
        ("b_long_startcode", _int),
        ("i_first_mb", _int),
        ("i_last_mb", _int),
        ("i_payload", _int),
        ("p_payload", _pointer),
        ("i_padding", _int),
    )


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
    text = ctypes.c_char_p
    library = bundled_libs.load(
        "libx264",
        (
            ("x264_param_default_preset", _int, (_pointer, text, text)),
            ("x264_param_parse", _int, (_pointer, text, text)),
            ("x264_param_apply_profile", _int, (_pointer, text)),
            ("x264_param_cleanup", None, (_pointer,)),
            ("x264_picture_init", None, (_pointer,)),
            ("x264_picture_alloc", _int, (_pointer, _int, _int, _int)),
            ("x264_picture_clean", None, (_pointer,)),
            (f"x264_encoder_open_{BUILD}", _pointer, (_pointer,)),
            ("x264_encoder_reconfig", _int, (_pointer, _pointer)),
            ("x264_encoder_encode", _int, (_pointer,) * 5),
            ("x264_encoder_close", None, (_pointer,)),
        ),
    )
    check(library)
    return library


def check(library: ctypes.CDLL) -> None:
    """Make sure that the library's structures are laid out as here.

    Parameters
    ----------
    library : ctypes.CDLL
        With its functions declared.

    Raises
    ------
    Unavailable
        If they are not.
    """
    param, picture = Param(), Picture()
    library.x264_param_default_preset(ctypes.byref(param), b"superfast", b"zerolatency")
    seen = [param.i_width, param.i_height, param.i_csp, param.i_bitdepth, param.i_level_idc]
    library.x264_param_parse(ctypes.byref(param), b"level", b"3.1")
    seen.append(param.i_level_idc)
    library.x264_param_cleanup(ctypes.byref(param))
    library.x264_picture_alloc(ctypes.byref(picture), I420, 640, 360)
    seen += [picture.i_type, picture.i_csp, picture.i_plane, *picture.i_stride]
    seen.append(sum(plane is not None for plane in picture.plane))
    expected = [0, 0, I420, 8, LEVEL_UNKNOWN, 31, TYPE_AUTO, I420, 3, 640, 320, 320, 0, 3]
    if seen != expected:
        raise Unavailable(f"libx264's structures are not those known: {seen}, not {expected}")
    library.x264_picture_clean(ctypes.byref(picture))
