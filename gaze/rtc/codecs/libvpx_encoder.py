"""VP8 (RFC 6386) by libvpx itself.

FFmpeg, and so PyAV, cannot change a libvpx encoder that runs: every new bitrate is a new encoder
and a key frame. libvpx can.
"""

import ctypes
import weakref

import av

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.rtc.codecs import libvpx
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import KEY_FRAME_INTERVAL_FRAMES
from gaze.rtc.codecs.vp8_quantizers import MAX_QUANTIZER, MIN_QUANTIZER, STEPS

# As libwebrtc's libvpx_vp8_encoder.cc sets them.
BUFFER_MS, BUFFER_INITIAL_MS, BUFFER_OPTIMAL_MS = 1000, 500, 600
UNDERSHOOT_PERCENT, OVERSHOOT_PERCENT = 100, 15
STATIC_THRESHOLD = 1
# Of a frame's share of the bitrate, for a key frame: chosen by hand; no benchmark covers it.
MAX_INTRA_PERCENT = 600


class VpxError(RuntimeError):
    """libvpx could not do what it was asked to."""


class Vp8Encoder:
    """A libvpx encoder of one size, for real time: one pass, constant bitrate, no frame dropped.

    Bitrate and speed may change between any two frames; neither makes a key frame. Not to be called
    by two threads at a time; the GIL is released while libvpx works.

    libvpx is given durations only, as from frames that follow without a gap: from the gap before a
    frame it would infer the frame rate, and so give a frame that comes 10 ms later than the last
    one a third more bits, and the first after a pause those of the whole pause.

    Error resilience is off: it costs bits in every frame, while a lost packet is retransmitted
    or repaired by a key frame.
    """

    def __init__(
        self, width: int, height: int, bitrate_bps: int, cpu_used: int, threads: int = 1
    ) -> None:
        """Open an encoder.

        Parameters
        ----------
        width, height : int
            Size of the frames in pixels; may be odd.
        bitrate_bps : int
            The first bitrate, in bit/s.
        cpu_used : int
            -16 (fastest) to -4; a positive one would let libvpx itself choose.
        threads : int, default 1
            At most.

        Raises
        ------
        Unavailable
            If there is no libvpx that fits.
        VpxError
            If libvpx takes no such encoder.
        """
        library = libvpx.load()
        self._library = library
        self._context = libvpx.Context()
        interface = library.vpx_codec_vp8_cx()
        self._config = self._make_config(interface, (width, height), bitrate_bps, threads)
        self._check(
            library.vpx_codec_enc_init_ver(
                ctypes.byref(self._context),
                interface,
                ctypes.byref(self._config),
                0,
                libvpx.ENCODER_ABI_VERSION,
            )
        )
        self._finalizer = weakref.finalize(
            self, library.vpx_codec_destroy, ctypes.pointer(self._context)
        )
        self._control(libvpx.SET_CPUUSED, cpu_used)
        self._control(libvpx.SET_STATIC_THRESHOLD, STATIC_THRESHOLD)
        self._control(
            libvpx.SET_TOKEN_PARTITIONS, 0 if threads == 1 else (threads - 1).bit_length()
        )
        self._control(libvpx.SET_MAX_INTRA_BITRATE_PCT, MAX_INTRA_PERCENT)
        self._cpu_used = cpu_used
        self._clock = 0
        self._image = libvpx.Image(
            fmt=libvpx.I420,
            w=width,
            h=height,
            bit_depth=8,
            d_w=width,
            d_h=height,
            x_chroma_shift=1,
            y_chroma_shift=1,
            bps=12,
        )

    def _make_config(
        self, interface: int, size: tuple[int, int], bitrate_bps: int, threads: int
    ) -> libvpx.Config:
        config = libvpx.Config()
        self._check(self._library.vpx_codec_enc_config_default(interface, ctypes.byref(config), 0))
        config.g_w, config.g_h = size
        config.g_threads = threads
        config.g_timebase = libvpx.Rational(1, VIDEO_CLOCK_HZ)
        config.g_lag_in_frames = 0
        config.g_error_resilient = 0
        config.rc_end_usage = libvpx.CBR
        config.rc_dropframe_thresh = 0
        config.rc_target_bitrate = _kbps(bitrate_bps)
        config.rc_min_quantizer, config.rc_max_quantizer = MIN_QUANTIZER, MAX_QUANTIZER
        config.rc_undershoot_pct, config.rc_overshoot_pct = UNDERSHOOT_PERCENT, OVERSHOOT_PERCENT
        config.rc_buf_sz = BUFFER_MS
        config.rc_buf_initial_sz, config.rc_buf_optimal_sz = BUFFER_INITIAL_MS, BUFFER_OPTIMAL_MS
        config.kf_min_dist, config.kf_max_dist = 0, KEY_FRAME_INTERVAL_FRAMES
        config.kf_mode = 0  # none but the first and one after each interval
        return config

    @property
    def bitrate_bps(self) -> int:
        """Target bitrate in bit/s; libvpx knows whole kbit/s only."""
        return int(self._config.rc_target_bitrate) * 1000

    @bitrate_bps.setter
    def bitrate_bps(self, bitrate_bps: int) -> None:
        if _kbps(bitrate_bps) == self._config.rc_target_bitrate:
            return
        self._config.rc_target_bitrate = _kbps(bitrate_bps)
        self._apply_config()

    @property
    def cpu_used(self) -> int:
        """The speed: -16 is the fastest, -4 the best."""
        return self._cpu_used

    @cpu_used.setter
    def cpu_used(self, cpu_used: int) -> None:
        if cpu_used != self._cpu_used:
            self._control(libvpx.SET_CPUUSED, cpu_used)
            self._cpu_used = cpu_used

    @property
    def min_quantizer(self) -> int:
        """The finest quantizer it may use, for the frames that follow."""
        return int(self._config.rc_min_quantizer)

    @min_quantizer.setter
    def min_quantizer(self, quantizer: int) -> None:
        if quantizer != self._config.rc_min_quantizer:
            self._config.rc_min_quantizer = quantizer
            self._apply_config()

    @property
    def step(self) -> int:
        """Step of the AC coefficients of the last frame."""
        return STEPS[self.quantizer]

    @property
    def quantizer(self) -> int:
        """Quantizer of the last frame, 0 (best) to 63."""
        value = ctypes.c_int()
        self._control(libvpx.GET_LAST_QUANTIZER_64, ctypes.byref(value))
        return int(value.value)

    def encode(self, frame: av.VideoFrame, duration: int) -> EncodedImage:
        """Encode a frame; its planes are read where they are.

        Parameters
        ----------
        frame : av.VideoFrame
            yuv420p, of the encoder's size.
        duration : int
            How long frames are shown, in ticks of 90 kHz; it should change slowly.

        Returns
        -------
        EncodedImage
            The frame, encoded.

        Raises
        ------
        ValueError
            If the frame has another size or format.
        VpxError
            If libvpx cannot encode it.
        """
        image = self._image
        if (frame.width, frame.height, frame.format.name) != (image.w, image.h, "yuv420p"):
            raise ValueError(
                f"libvpx encodes a yuv420p frame of {image.w}x{image.h} here, not {frame}"
            )
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
                libvpx.REALTIME,
            )
        )
        self._clock += duration
        data, is_key_frame = [], False
        iterator = ctypes.c_void_p()
        while packet := self._library.vpx_codec_get_cx_data(
            ctypes.byref(self._context), ctypes.byref(iterator)
        ):
            if packet.contents.kind == libvpx.FRAME_PACKET:
                data.append(ctypes.string_at(packet.contents.buf, packet.contents.sz))
                is_key_frame = is_key_frame or bool(packet.contents.flags & libvpx.IS_KEY_FRAME)
        return EncodedImage(b"".join(data), is_key_frame)

    def _apply_config(self) -> None:
        self._check(
            self._library.vpx_codec_enc_config_set(
                ctypes.byref(self._context), ctypes.byref(self._config)
            )
        )

    def _control(self, what: int, value: object) -> None:
        argument = ctypes.c_int(value) if isinstance(value, int) else value
        self._check(self._library.vpx_codec_control_(ctypes.byref(self._context), what, argument))

    def _check(self, error: int) -> None:
        if error:
            text = self._library.vpx_codec_err_to_string(error).decode()
            detail = (self._context.err_detail or b"").decode()
            raise VpxError(f"libvpx: {text}{f' ({detail})' if detail else ''}")


def _kbps(bitrate_bps: int) -> int:
    return max(1, round(bitrate_bps / 1000))
