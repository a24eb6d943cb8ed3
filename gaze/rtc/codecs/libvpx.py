"""VP8 (RFC 6386) by libvpx itself, the shared library that PyAV's wheel carries, through ctypes.

FFmpeg, and so PyAV, cannot change a libvpx encoder that runs: every new bitrate is a new encoder
and a key frame. libvpx can. The structures are those of its public headers (vpx/vpx_codec.h,
vpx_image.h, vpx_encoder.h, vp8cx.h) as of the version below. libvpx refuses callers of another ABI,
`load` refuses other versions and layouts, and `gaze.rtc.codecs.encoder` then does without.
"""

import bisect
import ctypes
import functools
import weakref
from dataclasses import dataclass

import av

from gaze.rtc.codecs import bundled_libs
from gaze.rtc.codecs.bundled_libs import Unavailable

VERSION = "v1.16.0"
ENCODER_ABI_VERSION = 39

CLOCK_HZ = 90_000

_I420 = 0x102
_REALTIME = 1
_CBR = 1
_IS_KEY_FRAME = 1
_FRAME_PACKET = 0

_SET_CPUUSED = 13
_SET_STATIC_THRESHOLD = 17
_SET_TOKEN_PARTITIONS = 18
_GET_LAST_QUANTIZER_64 = 20
_SET_MAX_INTRA_BITRATE_PCT = 26

MIN_QUANTIZER, MAX_QUANTIZER = 2, 56
BUFFER_MS, BUFFER_INITIAL_MS, BUFFER_OPTIMAL_MS = 1000, 500, 600
MAX_INTRA_PERCENT = 600  # of a frame's share of the bitrate, for a key frame
KEY_FRAME_EVERY = 3000  # frames

# RFC 6386, section 14.1: the step of the AC coefficients for each index, and which of them libvpx's
# quantizers 0 to 63 stand for.
_AC_STEPS: tuple[int, ...] = (
    *range(4, 59),
    *range(60, 117, 2),
    *range(119, 156, 3),
    *range(158, 174, 3),
    *range(177, 230, 4),
    *(234, 239, 245, 249, 254, 259, 264, 269, 274, 279, 284),
)
_INDICES = (
    *(0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 13, 15, 17, 18, 19, 20, 21),
    *(23, 24, 25, 26, 27, 28, 29, 30, 31),
    *range(33, 62, 2),
    *range(64, 125, 3),
    127,
)
STEPS: tuple[int, ...] = tuple(_AC_STEPS[index] for index in _INDICES)
"""How coarse each quantizer is."""


def quantizer_of(step: float) -> int:
    """The finest quantizer that is as coarse as that, within what an encoder may use."""
    quantizer = bisect.bisect_left(STEPS, step)
    return min(max(quantizer, MIN_QUANTIZER), MAX_QUANTIZER)


class VpxError(RuntimeError):
    """libvpx could not do what it was asked to."""


_uint = ctypes.c_uint
_int = ctypes.c_int


class _Rational(ctypes.Structure):
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
        ("g_timebase", _Rational),
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
        ("vizier_rc_params", _Rational * 15),
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


@dataclass(frozen=True, slots=True)
class Encoded:
    """One frame as it comes out."""

    data: bytes
    is_key_frame: bool


def check(library: ctypes.CDLL, version: str = VERSION) -> None:
    """Make sure that a library is what this module was written for.

    Raises:
        Unavailable: it is another version, or its default configuration is not where it should be.
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
    """The library, ready to be used.

    Raises:
        Unavailable: why not.
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


class Vp8Encoder:
    """A libvpx encoder of one size, for real time: one pass, constant bitrate, no frame dropped.

    Bitrate and speed may change between any two frames; neither makes a key frame. Not to be called
    by two threads at a time; the GIL is released while libvpx works.

    libvpx is told durations only, as from frames that follow without a gap: from the gap before a
    frame it would infer the frame rate, and so give a frame that comes 10 ms later than the last
    one a third more bits, and the first after a pause those of the whole pause.

    Error resilience is off: it costs bits in every frame, while a lost packet is sent again or
    repaired by a key frame.
    """

    def __init__(
        self, width: int, height: int, bitrate_bps: int, cpu_used: int, threads: int = 1
    ) -> None:
        """Open an encoder.

        Args:
            width: of the frames, in pixels; odd is fine.
            height: of the frames, in pixels.
            bitrate_bps: the first bitrate.
            cpu_used: -16 (fastest) to -4; a positive one would let libvpx itself choose.
            threads: at most.

        Raises:
            Unavailable: there is no libvpx that fits.
            VpxError: libvpx takes no such encoder.
        """
        library = load()
        self._library = library
        self._context = Context()
        self._config = config = Config()
        interface = library.vpx_codec_vp8_cx()
        self._check(library.vpx_codec_enc_config_default(interface, ctypes.byref(config), 0))
        config.g_w, config.g_h, config.g_threads = width, height, threads
        config.g_timebase = _Rational(1, CLOCK_HZ)
        config.g_lag_in_frames = 0
        config.g_error_resilient = 0
        config.rc_end_usage = _CBR
        config.rc_dropframe_thresh = 0
        config.rc_target_bitrate = _kbps(bitrate_bps)
        config.rc_min_quantizer, config.rc_max_quantizer = MIN_QUANTIZER, MAX_QUANTIZER
        config.rc_undershoot_pct, config.rc_overshoot_pct = 100, 15
        config.rc_buf_sz = BUFFER_MS
        config.rc_buf_initial_sz, config.rc_buf_optimal_sz = BUFFER_INITIAL_MS, BUFFER_OPTIMAL_MS
        config.kf_min_dist, config.kf_max_dist = 0, KEY_FRAME_EVERY
        config.kf_mode = 0  # none but the first and one every KEY_FRAME_EVERY frames
        self._check(
            library.vpx_codec_enc_init_ver(
                ctypes.byref(self._context),
                interface,
                ctypes.byref(config),
                0,
                ENCODER_ABI_VERSION,
            )
        )
        self._finalizer = weakref.finalize(
            self, library.vpx_codec_destroy, ctypes.pointer(self._context)
        )
        self._control(_SET_CPUUSED, cpu_used)
        self._control(_SET_STATIC_THRESHOLD, 1)
        self._control(_SET_TOKEN_PARTITIONS, 0 if threads == 1 else (threads - 1).bit_length())
        self._control(_SET_MAX_INTRA_BITRATE_PCT, MAX_INTRA_PERCENT)
        self._cpu_used = cpu_used
        self._clock = 0
        self._image = Image(
            fmt=_I420,
            w=width,
            h=height,
            bit_depth=8,
            d_w=width,
            d_h=height,
            x_chroma_shift=1,
            y_chroma_shift=1,
            bps=12,
        )

    @property
    def bitrate_bps(self) -> int:
        """What it aims at; libvpx knows whole kbit/s only."""
        return int(self._config.rc_target_bitrate) * 1000

    @bitrate_bps.setter
    def bitrate_bps(self, bitrate_bps: int) -> None:
        if _kbps(bitrate_bps) == self._config.rc_target_bitrate:
            return
        self._config.rc_target_bitrate = _kbps(bitrate_bps)
        self._apply()

    @property
    def cpu_used(self) -> int:
        """The speed: -16 is the fastest, -4 the best."""
        return self._cpu_used

    @cpu_used.setter
    def cpu_used(self, cpu_used: int) -> None:
        if cpu_used != self._cpu_used:
            self._control(_SET_CPUUSED, cpu_used)
            self._cpu_used = cpu_used

    @property
    def min_quantizer(self) -> int:
        """The finest quantizer it may use, for the frames that follow."""
        return int(self._config.rc_min_quantizer)

    @min_quantizer.setter
    def min_quantizer(self, quantizer: int) -> None:
        if quantizer != self._config.rc_min_quantizer:
            self._config.rc_min_quantizer = quantizer
            self._apply()

    @property
    def step(self) -> int:
        """How coarse the last frame is."""
        return STEPS[self.quantizer]

    @property
    def quantizer(self) -> int:
        """That of the last frame, 0 (best) to 63."""
        value = _int()
        self._control(_GET_LAST_QUANTIZER_64, ctypes.byref(value))
        return int(value.value)

    def encode(self, frame: av.VideoFrame, duration: int) -> Encoded:
        """Encode a yuv420p frame of the encoder's size; its planes are read where they are.

        Args:
            frame: the frame.
            duration: how long frames are shown, in 90 kHz; it should change slowly.

        Raises:
            ValueError: the frame has another size or format.
            VpxError: libvpx cannot encode it.
        """
        image = self._image
        if (frame.width, frame.height, frame.format.name) != (image.w, image.h, "yuv420p"):
            raise ValueError(f"a yuv420p frame of {image.w}x{image.h}, not {frame}")
        for index, plane in enumerate(frame.planes):
            image.planes[index] = plane.buffer_ptr
            image.stride[index] = plane.line_size
        self._check(
            self._library.vpx_codec_encode(
                ctypes.byref(self._context),
                ctypes.byref(image),
                self._clock,
                duration,
                0,
                _REALTIME,
            )
        )
        self._clock += duration
        data, is_key_frame = [], False
        iterator = ctypes.c_void_p()
        while packet := self._library.vpx_codec_get_cx_data(
            ctypes.byref(self._context), ctypes.byref(iterator)
        ):
            if packet.contents.kind == _FRAME_PACKET:
                data.append(ctypes.string_at(packet.contents.buf, packet.contents.sz))
                is_key_frame = is_key_frame or bool(packet.contents.flags & _IS_KEY_FRAME)
        return Encoded(b"".join(data), is_key_frame)

    def _apply(self) -> None:
        self._check(
            self._library.vpx_codec_enc_config_set(
                ctypes.byref(self._context), ctypes.byref(self._config)
            )
        )

    def _control(self, what: int, value: object) -> None:
        argument = _int(value) if isinstance(value, int) else value
        self._check(self._library.vpx_codec_control_(ctypes.byref(self._context), what, argument))

    def _check(self, error: int) -> None:
        if error:
            text = self._library.vpx_codec_err_to_string(error).decode()
            detail = (self._context.err_detail or b"").decode()
            raise VpxError(f"libvpx: {text}{f' ({detail})' if detail else ''}")


def _kbps(bitrate_bps: int) -> int:
    return max(1, round(bitrate_bps / 1000))
