"""H.264 by libx264 itself, the shared library that PyAV's wheel carries, through ctypes.

FFmpeg, and so PyAV, cannot change the limit that makes x264 keep to a constant bitrate while it
runs; without that, x264 averages over minutes and follows a smaller bitrate too late. libx264 can,
and its speed too. The structures are those of x264.h as far as they are used here. The build is
part of a function's name, and `load` tries before use that all is where it should be; where it is
not, `gaze.rtc.codecs.engines` does without.
"""

import ctypes
import functools
import weakref
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.rtc.codecs import bundled_libs, h264
from gaze.rtc.codecs.bundled_libs import Unavailable
from gaze.rtc.codecs.libvpx import Encoded

BUILD = 165

FRAME_RATE = 30
"""What x264 is told; a bitrate is stretched by what the frames' true rate differs from it."""
BUFFER_S = 0.25  # of the bitrate: what a key frame may take at once
MOST_GAIN = 1.25
GAIN_STEP = 0.01  # a frame
"""x264 at a constant bitrate without lookahead makes about a fifth less than it is told to."""
RETUNE = 0.02  # smaller changes of the bitrate are not worth a call
KEY_FRAME_EVERY = 3000  # frames

SPEEDS = (
    {"me": "hex", "subme": "4", "partitions": "i8x8,i4x4,p8x8", "no-deblock": "0"},
    {"me": "hex", "subme": "2", "partitions": "i8x8,i4x4,p8x8", "no-deblock": "0"},
    {"me": "dia", "subme": "1", "partitions": "i8x8,i4x4", "no-deblock": "0"},
    {"me": "dia", "subme": "1", "partitions": "none", "no-deblock": "1"},
)
"""From the best picture to the least work; roughly x264's fast, veryfast, superfast, ultrafast."""

BLOCK_PX = 16
SOFTENED_STEPS = 2.0
"""Steps of the quantiser for each level of detail that a block has lost: there is less to spoil."""
MOST_SOFTENED_STEPS = 6.0

_I420 = 2
_TYPE_AUTO, _TYPE_IDR = 0, 1
_LEVEL_UNKNOWN = -1

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


class X264Error(RuntimeError):
    """libx264 could not do what it was asked to."""


@functools.cache
def load() -> ctypes.CDLL:
    """The library, tried and ready to be used.

    Raises:
        Unavailable: why not.
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
    """Make sure that the structures are laid out as here.

    Raises:
        Unavailable: they are not.
    """
    param, picture = Param(), Picture()
    library.x264_param_default_preset(ctypes.byref(param), b"superfast", b"zerolatency")
    seen = [param.i_width, param.i_height, param.i_csp, param.i_bitdepth, param.i_level_idc]
    library.x264_param_parse(ctypes.byref(param), b"level", b"3.1")
    seen.append(param.i_level_idc)
    library.x264_param_cleanup(ctypes.byref(param))
    library.x264_picture_alloc(ctypes.byref(picture), _I420, 640, 360)
    seen += [picture.i_type, picture.i_csp, picture.i_plane, *picture.i_stride]
    seen.append(sum(plane is not None for plane in picture.plane))
    wanted = [0, 0, _I420, 8, _LEVEL_UNKNOWN, 31, _TYPE_AUTO, _I420, 3, 640, 320, 320, 0, 3]
    if seen != wanted:
        raise Unavailable(f"libx264's structures are not those known: {seen}, not {wanted}")
    library.x264_picture_clean(ctypes.byref(picture))


class H264Encoder:
    """A libx264 encoder of one size, for real time: constant bitrate, a frame in, a frame out.

    Bitrate and speed may change between any two frames; neither makes a key frame. Not to be called
    by two threads at a time; the GIL is released while libx264 works.
    """

    def __init__(
        self,
        width: int,
        height: int,
        bitrate_bps: float,
        speed: int,
        *,
        profile: str = "baseline",
        level_idc: int = 31,
        threads: int = 1,
    ) -> None:
        """Open an encoder.

        Args:
            width: of the frames, in pixels; even.
            height: of the frames, in pixels; even.
            bitrate_bps: the first bitrate.
            speed: an index of SPEEDS.
            profile: baseline (which is constrained, too), main or high.
            level_idc: of the sequence parameter set.
            threads: at most; each makes a slice.

        Raises:
            Unavailable: there is no libx264 that fits.
            X264Error: libx264 takes no such encoder.
        """
        library = load()
        self._library = library
        self._param = Param()
        library.x264_param_default_preset(ctypes.byref(self._param), b"superfast", b"zerolatency")
        self._param.i_width, self._param.i_height, self._param.i_csp = width, height, _I420
        self._speed = speed
        self._wanted_bps = self._told_bps = bitrate_bps
        self._gain = 1.0
        self._set(
            **{
                "log": "-1",
                "threads": str(threads),
                "level": h264.level_name(level_idc),
                "fps": str(FRAME_RATE),
                "force-cfr": "1",
                "keyint": str(KEY_FRAME_EVERY),
                "scenecut": "0",
                "annexb": "1",
                "repeat-headers": "1",
                # The stream says which profile its tools need, so each profile's own tool is on.
                "cabac": str(int(profile != "baseline")),
                "8x8dct": str(int(profile == "high")),
                **self._bitrate_settings(),
                **SPEEDS[speed],
            }
        )
        if library.x264_param_apply_profile(ctypes.byref(self._param), profile.encode()):
            raise X264Error(f"libx264 has no profile {profile!r}")
        opening = getattr(library, f"x264_encoder_open_{BUILD}")
        handle = opening(ctypes.byref(self._param))
        if not handle:
            raise X264Error(f"libx264 opens no encoder of {width}x{height}, level {level_idc}")
        self._handle = handle
        self._finalizer = weakref.finalize(self, library.x264_encoder_close, handle)
        self._picture, self._out = Picture(), Picture()
        library.x264_picture_init(ctypes.byref(self._picture))
        self._picture.i_csp, self._picture.i_plane = _I420, 3
        self._frames = 0

    def tune(self, bitrate_bps: float, speed: int) -> None:
        """Change bitrate and speed from the next frame on.

        Raises:
            X264Error: libx264 refuses them.
        """
        settings: dict[str, str] = {}
        self._wanted_bps = bitrate_bps
        told_bps = bitrate_bps * self._gain
        if abs(told_bps - self._told_bps) > RETUNE * self._told_bps:
            self._told_bps = told_bps
            settings |= self._bitrate_settings()
        if speed != self._speed:
            self._speed = speed
            settings |= SPEEDS[speed]
        if settings:
            self._set(**settings)
            if self._library.x264_encoder_reconfig(self._handle, ctypes.byref(self._param)) < 0:
                raise X264Error(f"libx264 refuses {settings}")

    def encode(
        self,
        frame: av.VideoFrame,
        *,
        key_frame: bool = False,
        softened: NDArray[np.float32] | None = None,
    ) -> Encoded:
        """Encode a yuv420p frame of the encoder's size; its planes are read where they are.

        Args:
            frame: the frame.
            key_frame: make a key frame of it.
            softened: how many times detail was halved there, on a grid of any shape over the frame.

        Raises:
            ValueError: the frame has another size or format.
            X264Error: libx264 cannot encode it.
        """
        size = self._param.i_width, self._param.i_height
        if (frame.width, frame.height) != size or frame.format.name != "yuv420p":
            raise ValueError(f"a yuv420p frame of {size[0]}x{size[1]}, not {frame}")
        picture = self._picture
        for index, plane in enumerate(frame.planes):
            picture.plane[index] = plane.buffer_ptr
            picture.i_stride[index] = plane.line_size
        offsets = None if softened is None else self._offsets(softened)
        picture.quant_offsets = None if offsets is None else offsets.ctypes.data
        picture.i_type = _TYPE_IDR if key_frame else _TYPE_AUTO
        picture.i_pts = self._frames
        self._frames += 1
        nals, count = ctypes.POINTER(Nal)(), _int()
        length = self._library.x264_encoder_encode(
            self._handle,
            ctypes.byref(nals),
            ctypes.byref(count),
            ctypes.byref(picture),
            ctypes.byref(self._out),
        )
        if length < 0:
            raise X264Error("libx264 could not encode a frame")
        if not length:
            return Encoded(b"", False)
        is_key_frame = bool(self._out.b_keyframe)
        if not is_key_frame:
            short = 1 - 8 * length * FRAME_RATE / self._wanted_bps
            self._gain = min(max(self._gain + GAIN_STEP * short, 1.0), MOST_GAIN)
        # All of a frame's NAL units lie one after the other.
        return Encoded(ctypes.string_at(nals[0].p_payload, length), is_key_frame)

    def _offsets(self, softened: NDArray[np.float32]) -> NDArray[np.float32]:
        """How much coarser each block's quantiser may be: (rows, columns) of blocks."""
        columns = -(-self._param.i_width // BLOCK_PX)
        rows = -(-self._param.i_height // BLOCK_PX)
        if softened.shape != (rows, columns):
            softened = np.asarray(cv2.resize(softened, (columns, rows)), np.float32)
        offsets = np.clip(SOFTENED_STEPS * softened, 0, MOST_SOFTENED_STEPS)
        return np.ascontiguousarray(offsets, np.float32)

    def _bitrate_settings(self) -> dict[str, str]:
        kbps = max(1, round(self._told_bps / 1000))
        buffer_kbit = max(1, round(BUFFER_S * kbps))
        return {
            "bitrate": str(kbps),
            "vbv-maxrate": str(kbps),
            "vbv-bufsize": str(buffer_kbit),
        }

    def _set(self, **settings: Any) -> None:
        for name, value in settings.items():
            if self._library.x264_param_parse(
                ctypes.byref(self._param), name.encode(), value.encode()
            ):
                raise X264Error(f"libx264 does not take {name}={value}")
