"""H.264 (ITU-T H.264) by libx264 itself.

FFmpeg, and so PyAV, cannot change the limit that makes x264 keep to a constant bitrate while it
runs; without that, x264 averages over minutes and follows a smaller bitrate too late. libx264 can,
and its speed too.
"""

import ctypes
import weakref
from collections.abc import Mapping

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.rtc.codecs import h264, libx264
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import KEY_FRAME_INTERVAL_FRAMES, NOMINAL_RATE_FPS

# Chosen by hand with tests/rtc/codecs/test_encoder.py (changes of the bitrate are followed within
# 40 %, a key frame takes a third of a second at most); no benchmark covers them.
BUFFER_S = 0.25  # of the bitrate: what a key frame may take at once
MAX_GAIN = 1.25
GAIN_STEP = 0.01  # a frame
"""At a constant bitrate without lookahead x264 makes about a fifth less than it is set to."""
MIN_CHANGE = 0.02  # of the bitrate; smaller ones are not worth a call

SPEEDS = (
    {"me": "hex", "subme": "4", "partitions": "i8x8,i4x4,p8x8", "no-deblock": "0"},
    {"me": "hex", "subme": "2", "partitions": "i8x8,i4x4,p8x8", "no-deblock": "0"},
    {"me": "dia", "subme": "1", "partitions": "i8x8,i4x4", "no-deblock": "0"},
    {"me": "dia", "subme": "1", "partitions": "none", "no-deblock": "1"},
)
"""From the best picture to the least work; roughly x264's presets fast, veryfast, superfast and
ultrafast. Chosen by hand; no benchmark covers them."""

BLOCK_PX = 16
# Tuned by `python -m benchmarks.bitrate`: at the same bitrate the sharp disc of blur gains 1.5 to
# 1.9 dB.
SOFTENED_STEPS = 2.0
"""Quantizer steps for each halving of detail in a block: there is less to spoil."""
MAX_SOFTENED_STEPS = 6.0

_FIXED_PARAMS = {
    "log": "-1",
    "fps": str(NOMINAL_RATE_FPS),
    "force-cfr": "1",
    "keyint": str(KEY_FRAME_INTERVAL_FRAMES),
    "scenecut": "0",
    "annexb": "1",
    "repeat-headers": "1",
}


class X264Error(RuntimeError):
    """libx264 could not do what it was asked to."""


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

        Parameters
        ----------
        width, height : int
            Size of the frames in pixels; even.
        bitrate_bps : float
            The first bitrate in bit/s, at NOMINAL_RATE_FPS.
        speed : int
            An index of SPEEDS.
        profile : str, default "baseline"
            baseline (which is constrained, too), main or high.
        level_idc : int, default 31
            Of the sequence parameter set.
        threads : int, default 1
            At most; each makes a slice.

        Raises
        ------
        Unavailable
            If there is no libx264 that fits.
        X264Error
            If libx264 takes no such encoder.
        """
        library = libx264.load()
        self._library = library
        self._param = libx264.Param()
        library.x264_param_default_preset(ctypes.byref(self._param), b"superfast", b"zerolatency")
        self._param.i_width, self._param.i_height, self._param.i_csp = width, height, libx264.I420
        self._speed = speed
        self._target_bps = self._set_bps = bitrate_bps
        self._gain = 1.0
        self._set_params(
            {
                "threads": str(threads),
                "level": h264.level_name(level_idc),
                # The stream says which profile its tools need, so each profile's own tool is on.
                "cabac": str(int(profile != "baseline")),
                "8x8dct": str(int(profile == "high")),
                **_FIXED_PARAMS,
                **self._bitrate_params(),
                **SPEEDS[speed],
            }
        )
        if library.x264_param_apply_profile(ctypes.byref(self._param), profile.encode()):
            raise X264Error(f"libx264 has no profile {profile!r}")
        open_encoder = getattr(library, f"x264_encoder_open_{libx264.BUILD}")
        handle = open_encoder(ctypes.byref(self._param))
        if not handle:
            raise X264Error(f"libx264 opens no encoder of {width}x{height}, level {level_idc}")
        self._handle = handle
        self._finalizer = weakref.finalize(self, library.x264_encoder_close, handle)
        self._picture, self._out = libx264.Picture(), libx264.Picture()
        library.x264_picture_init(ctypes.byref(self._picture))
        self._picture.i_csp, self._picture.i_plane = libx264.I420, 3
        self._frames = 0

    def reconfigure(self, bitrate_bps: float, speed: int) -> None:
        """Change bitrate and speed from the next frame on.

        Parameters
        ----------
        bitrate_bps : float
            In bit/s, at NOMINAL_RATE_FPS.
        speed : int
            An index of SPEEDS.

        Raises
        ------
        X264Error
            If libx264 refuses them.
        """
        params: dict[str, str] = {}
        self._target_bps = bitrate_bps
        raised_bps = bitrate_bps * self._gain
        if abs(raised_bps - self._set_bps) > MIN_CHANGE * self._set_bps:
            self._set_bps = raised_bps
            params |= self._bitrate_params()
        if speed != self._speed:
            self._speed = speed
            params |= SPEEDS[speed]
        if params:
            self._set_params(params)
            if self._library.x264_encoder_reconfig(self._handle, ctypes.byref(self._param)) < 0:
                raise X264Error(f"libx264 refuses {params}")

    def encode(
        self,
        frame: av.VideoFrame,
        *,
        key_frame: bool = False,
        softened: NDArray[np.float32] | None = None,
    ) -> EncodedImage:
        """Encode a frame; its planes are read where they are.

        Parameters
        ----------
        frame : av.VideoFrame
            yuv420p, of the encoder's size.
        key_frame : bool, default False
            Whether to make a key frame of it.
        softened : ndarray of float32 or None, default None
            How many times detail was halved in it, on a grid of any shape over the frame.

        Returns
        -------
        EncodedImage
            The frame, encoded.

        Raises
        ------
        ValueError
            If the frame has another size or format.
        X264Error
            If libx264 cannot encode it.
        """
        size = self._param.i_width, self._param.i_height
        if (frame.width, frame.height) != size or frame.format.name != "yuv420p":
            raise ValueError(
                f"libx264 encodes a yuv420p frame of {size[0]}x{size[1]} here, not {frame}"
            )
        picture = self._picture
        for index, plane in enumerate(frame.planes):
            picture.plane[index] = plane.buffer_ptr
            picture.i_stride[index] = plane.line_size
        offsets = None if softened is None else self._quantizer_offsets(softened)
        picture.quant_offsets = None if offsets is None else offsets.ctypes.data
        picture.i_type = libx264.TYPE_IDR if key_frame else libx264.TYPE_AUTO
        picture.i_pts = self._frames
        self._frames += 1
        nals, count = ctypes.POINTER(libx264.Nal)(), ctypes.c_int()
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
            return EncodedImage(b"", False)
        is_key_frame = bool(self._out.b_keyframe)
        if not is_key_frame:
            self._update_gain(length)
        # All of a frame's NAL units lie one after the other.
        return EncodedImage(ctypes.string_at(nals[0].p_payload, length), is_key_frame)

    def _update_gain(self, size_bytes: int) -> None:
        shortfall = 1 - 8 * size_bytes * NOMINAL_RATE_FPS / self._target_bps
        self._gain = min(max(self._gain + GAIN_STEP * shortfall, 1.0), MAX_GAIN)

    def _quantizer_offsets(self, softened: NDArray[np.float32]) -> NDArray[np.float32]:
        """Quantizer steps added for each block: (rows, columns) of blocks."""
        columns = -(-self._param.i_width // BLOCK_PX)
        rows = -(-self._param.i_height // BLOCK_PX)
        if softened.shape != (rows, columns):
            softened = np.asarray(cv2.resize(softened, (columns, rows)), np.float32)
        offsets = np.clip(SOFTENED_STEPS * softened, 0, MAX_SOFTENED_STEPS)
        return np.ascontiguousarray(offsets, np.float32)

    def _bitrate_params(self) -> dict[str, str]:
        kbps = max(1, round(self._set_bps / 1000))
        buffer_kbit = max(1, round(BUFFER_S * kbps))
        return {
            "bitrate": str(kbps),
            "vbv-maxrate": str(kbps),
            "vbv-bufsize": str(buffer_kbit),
        }

    def _set_params(self, params: Mapping[str, str]) -> None:
        for name, value in params.items():
            if self._library.x264_param_parse(
                ctypes.byref(self._param), name.encode(), value.encode()
            ):
                raise X264Error(f"libx264 does not take {name}={value}")
