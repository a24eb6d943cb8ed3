"""What encodes: libvpx and libx264, directly or through FFmpeg, and NVENC, behind one interface."""

import fractions
import logging
import os
from dataclasses import dataclass
from typing import Literal, Protocol

import av
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from numpy.typing import NDArray

from gaze.rtc.codecs import h264, libvpx, libx264, nvidia
from gaze.rtc.codecs.bundled_libs import Unavailable
from gaze.rtc.codecs.libvpx import CLOCK_HZ, KEY_FRAME_EVERY, Encoded
from gaze.rtc.codecs.nvidia import DecoderChoice

Choice = Literal["auto", "libvpx", "libx264", "nvenc"]

FRAME_RATE = 30  # nominal

VP8_CPU_USED = (-4, -5, -6, -8, -12, -14)
"""Beyond -14 libvpx hardly searches for motion: 30 dB where -14 has 45, and no quicker."""
H264_PRESETS = ("fast", "veryfast", "superfast", "ultrafast")
NVENC_PRESETS = ("p4", "p3", "p2", "p1")

USUAL_SMOOTHING = 0.2
APPLY_CHANGE = 0.25
APPLY_EVERY_S = 2.0
NEW_PRESET_EVERY_S = 10.0

_TIME_BASE = fractions.Fraction(1, CLOCK_HZ)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stream:
    """What does not change while an engine lives."""

    width: int
    height: int
    max_bitrate_bps: int
    sendable: h264.Sendable


@dataclass(frozen=True, slots=True)
class Order:
    """How one frame is to be encoded.

    Attributes:
        bitrate_bps: of the stream, from now on.
        speed: 0 (best picture) to the engine's fastest.
        key_frame: make a key frame of it.
        duration: of the frame, in 90 kHz.
        softened: how many times detail was halved in it, on a grid over the frame; None if nowhere.
        coarser: how many times as coarse as usual it should be, lest it be far too large.
    """

    bitrate_bps: float
    speed: int
    key_frame: bool
    duration: int
    softened: NDArray[np.float32] | None = None
    coarser: float = 1.0


class Engine(Protocol):
    """An encoder of one size, called by one thread at a time.

    Attributes:
        name: of the library or the hardware.
        speeds: how many it has.
    """

    name: str
    speeds: int

    def encode(self, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
        """Encode a yuv420p frame of the stream's size whose time is `pts` in 90 kHz."""


class Libvpx:
    """VP8; bitrate and speed change while it runs.

    A key frame that is asked for is made by a fresh encoder: libvpx guesses a key frame's quantizer
    from the frames before, and after a cut of the bitrate makes one several times as large as the
    limit; that limit holds for an encoder's first frame.
    """

    name = "libvpx"
    speeds = len(VP8_CPU_USED)

    def __init__(self, stream: Stream, order: Order) -> None:
        self._stream = stream
        self._encoder = self._fresh(order)
        self._begun = False
        self._usual_step = 0.0

    def encode(self, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
        """See `Engine`."""
        if order.key_frame and self._begun:
            self._encoder = self._fresh(order)
        self._begun = True
        encoder = self._encoder
        encoder.bitrate_bps = round(order.bitrate_bps)
        encoder.cpu_used = VP8_CPU_USED[order.speed]
        foreseen = order.coarser > 1
        encoder.min_quantizer = (
            libvpx.quantizer_of(order.coarser * self._usual_step)
            if foreseen
            else libvpx.MIN_QUANTIZER
        )
        encoded = encoder.encode(frame, order.duration)
        if not foreseen:
            self._usual_step += USUAL_SMOOTHING * (encoder.step - self._usual_step)
        return encoded

    def _fresh(self, order: Order) -> libvpx.Vp8Encoder:
        stream = self._stream
        return libvpx.Vp8Encoder(
            stream.width,
            stream.height,
            round(order.bitrate_bps),
            VP8_CPU_USED[order.speed],
            _threads(stream),
        )


class FfmpegVp8:
    """VP8 where libvpx cannot be used directly: a new encoder, and a key frame, for each change.

    So it follows only changes of a quarter or more, and at most one every two seconds.
    """

    name = "libvpx through FFmpeg"
    speeds = len(VP8_CPU_USED)

    def __init__(self, stream: Stream, order: Order) -> None:
        self._stream = stream
        self._context: VideoCodecContext | None = None
        self._bitrate_bps = order.bitrate_bps
        self._since_s = 0.0

    def encode(self, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
        """See `Engine`."""
        pts_s = pts / CLOCK_HZ
        if self._context is None or (
            abs(order.bitrate_bps - self._bitrate_bps) >= APPLY_CHANGE * self._bitrate_bps
            and pts_s - self._since_s >= APPLY_EVERY_S
        ):
            self._context = self._open(order)
            self._bitrate_bps, self._since_s = order.bitrate_bps, pts_s
        return _encode(self._context, frame, pts, order)

    def _open(self, order: Order) -> VideoCodecContext:
        context = _context("libvpx", self._stream, order.bitrate_bps)
        context.qmin, context.qmax = libvpx.MIN_QUANTIZER, libvpx.MAX_QUANTIZER
        rate = str(round(order.bitrate_bps))
        context.options = {
            "deadline": "realtime",
            "cpu-used": str(VP8_CPU_USED[order.speed]),
            "lag-in-frames": "0",
            "minrate": rate,  # minrate = maxrate = bit_rate is constant bitrate,
            "maxrate": rate,
            "bufsize": rate,  # with a buffer of a second
            "undershoot-pct": "100",
            "overshoot-pct": "15",
            "max-intra-rate": str(libvpx.MAX_INTRA_PERCENT),
            "static-thresh": "1",
        }
        return context


class Libx264:
    """H.264; bitrate and speed change while it runs."""

    name = "libx264"
    speeds = len(libx264.SPEEDS)

    def __init__(self, stream: Stream, order: Order) -> None:
        self._most_bps = _most_bps(stream)
        self._encoder = libx264.H264Encoder(
            stream.width,
            stream.height,
            self._bitrate_bps(order),
            order.speed,
            profile=stream.sendable.profile,
            level_idc=_level_idc(stream),
            threads=_threads(stream),
        )

    def encode(self, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
        """See `Engine`."""
        self._encoder.tune(self._bitrate_bps(order), order.speed)
        return self._encoder.encode(frame, key_frame=order.key_frame, softened=order.softened)

    def _bitrate_bps(self, order: Order) -> float:
        """As x264 must be told, which counts on its own frame rate."""
        stretch = libx264.FRAME_RATE * order.duration / CLOCK_HZ
        return min(order.bitrate_bps, self._most_bps) * stretch


class _FfmpegH264:
    """What libx264 and NVENC have in common in FFmpeg: the bitrate can change, the speed cannot.

    A slower speed waits for a key frame that is due anyway; a faster one is worth a new encoder,
    but at most one every ten seconds.
    """

    speeds: int

    def __init__(self, stream: Stream, order: Order) -> None:
        self._stream = stream
        self._most_bps = _most_bps(stream)
        self._speed = order.speed
        self._opened_s: float | None = None
        self._context = self._open(order)

    def encode(self, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
        """See `Engine`."""
        pts_s = pts / CLOCK_HZ
        if self._opened_s is None:
            self._opened_s = pts_s
        elif order.speed != self._speed:
            overdue = order.speed > self._speed and pts_s - self._opened_s >= NEW_PRESET_EVERY_S
            if order.key_frame or overdue:
                self._context = self._open(order)
                self._speed, self._opened_s = order.speed, pts_s
        self._context.bit_rate = round(min(order.bitrate_bps, self._most_bps))
        return _encode(self._context, frame, pts, order)

    def _open(self, order: Order) -> VideoCodecContext:
        raise NotImplementedError


class FfmpegX264(_FfmpegH264):
    """H.264 where libx264 cannot be used directly: it follows a smaller bitrate slowly."""

    name = "libx264 through FFmpeg"
    speeds = len(H264_PRESETS)

    def _open(self, order: Order) -> VideoCodecContext:
        # FFmpeg cannot change maxrate later, so it has to be the highest bitrate there will be.
        profile = self._stream.sendable.profile
        context = _context("libx264", self._stream, self._most_bps)
        context.options = {
            "preset": H264_PRESETS[order.speed],
            "tune": "zerolatency",
            "profile": profile,
            "level": h264.level_name(_level_idc(self._stream)),
            "coder": "cavlc" if profile == "baseline" else "cabac",
            "x264-params": f"8x8dct={int(profile == 'high')}:scenecut=0",
            "maxrate": str(self._most_bps),
            "bufsize": str(self._most_bps * 15 // 100),
        }
        context.open()
        return context


class Nvenc(_FfmpegH264):
    """H.264 by an NVIDIA card."""

    name = "nvenc"
    speeds = len(NVENC_PRESETS)

    def _open(self, order: Order) -> VideoCodecContext:
        context = _context("h264_nvenc", self._stream, min(order.bitrate_bps, self._most_bps))
        context.options = {
            **nvidia.NVENC_OPTIONS,
            "preset": NVENC_PRESETS[order.speed],
            "profile": self._stream.sendable.profile,
            "level": h264.level_name(_level_idc(self._stream)),
        }
        context.open()
        return context


def make(codec: str, choice: Choice, stream: Stream, order: Order) -> Engine:
    """The best engine for a codec, "VP8" or "H264", that works here.

    Args:
        codec: what was negotiated.
        choice: what the operator wants; where it does not fit or work, another does.
        stream: its size and limits.
        order: of the first frame.
    """
    if codec == "VP8":
        try:
            return Libvpx(stream, order)
        except Unavailable as error:
            _say_once(f"VP8 through FFmpeg, where a new bitrate is a key frame: {error}")
        return FfmpegVp8(stream, order)
    if choice in ("auto", "nvenc") and nvidia.nvenc.works():
        try:
            return Nvenc(stream, order)
        except nvidia.FAILURES as error:  # consumer cards take a few streams at a time
            _say_once(f"NVENC takes no more streams; libx264 goes on: {error}")
    try:
        return Libx264(stream, order)
    except Unavailable as error:
        _say_once(f"H.264 through FFmpeg, which follows a smaller bitrate slowly: {error}")
    return FfmpegX264(stream, order)


def describe(choice: Choice, decoder: DecoderChoice) -> str:
    """What encodes and decodes here, in one line; tries what was not tried yet."""
    try:
        libvpx.load()
        vp8 = f"libvpx {libvpx.VERSION}"
    except Unavailable as error:
        vp8 = f"{FfmpegVp8.name} ({error})"
    try:
        libx264.load()
        by_x264 = f"libx264 build {libx264.BUILD}"
    except Unavailable as error:
        by_x264 = f"{FfmpegX264.name} ({error})"
    card = choice in ("auto", "nvenc")
    if card and not (why_not := nvidia.nvenc.reason()):
        by_x264 = "NVENC"
    elif card:
        by_x264 += f" (no NVENC: {why_not})"
    decoding = "in software"
    if decoder != "software":
        probes = nvidia.nvdec
        if works := " and ".join(codec for codec in probes if probes[codec].works()):
            decoding = f"{works} by NVDEC"
        else:
            decoding += f" (no NVDEC: {probes['H264'].reason()})"
    return f"encoding VP8 by {vp8}, H264 by {by_x264}; decoding {decoding}"


_said: set[str] = set()


def _say_once(text: str) -> None:
    if text not in _said:
        _said.add(text)
        log.warning(text)


def _most_bps(stream: Stream) -> int:
    return min(stream.max_bitrate_bps, stream.sendable.level.kbps * 1000)


def _level_idc(stream: Stream) -> int:
    return h264.lowest_level(
        stream.width, stream.height, FRAME_RATE, _most_bps(stream), stream.sendable.level
    )


def _context(name: str, stream: Stream, bitrate_bps: float) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create(name, "w")  # type: ignore[assignment]
    context.width = stream.width
    context.height = stream.height
    context.pix_fmt = "yuv420p"
    context.bit_rate = round(bitrate_bps)
    context.framerate = fractions.Fraction(FRAME_RATE)
    context.time_base = _TIME_BASE
    context.gop_size = KEY_FRAME_EVERY
    context.thread_count = _threads(stream)
    return context


def _encode(context: VideoCodecContext, frame: av.VideoFrame, pts: int, order: Order) -> Encoded:
    # A decoded frame's own `pict_type` would tell the encoder to do the same again.
    frame.pict_type = PictureType.I if order.key_frame else PictureType.NONE
    frame.pts, frame.time_base = pts, _TIME_BASE
    packets = context.encode(frame)
    data = b"".join(map(bytes, packets))
    return Encoded(data, any(packet.is_keyframe for packet in packets))


def _threads(stream: Stream) -> int:
    """Few: sessions run beside one another, and one thread encodes 720p in 4 ms."""
    cpus = os.cpu_count() or 1
    if stream.width * stream.height > 1280 * 720 and cpus >= 4:
        return 4 if cpus >= 16 else 2
    return 1
