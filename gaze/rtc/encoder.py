"""Encodes the film as it goes out: VP8 (libvpx) and H.264 (libx264), set for real time.

libx264 changes its bitrate while it runs. libvpx, as FFmpeg wraps it, does not, so for VP8 a new
encoder is made, with a key frame, and only when the change is worth that.
"""

import fractions
import os
import random
import time
from typing import Any

import av
from aiortc.codecs.base import Encoder
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType

from gaze.rtc import private
from gaze.rtc.bitrate import worth_a_new_encoder

CLOCK_HZ = 90_000
FRAME_RATE = 30
KEY_FRAME_EVERY = 3000  # frames; others are made on request
KEY_FRAME_PAUSE_S = 0.3  # between two that were asked for

_TIME_BASE = fractions.Fraction(1, CLOCK_HZ)


class VideoEncoder(Encoder):
    """One stream's encoder; made by codec name, told its bitrate, called in a worker thread."""

    def __init__(self, codec: str, bitrate_bps: int, max_bitrate_bps: int) -> None:
        """Take "VP8" or "H264", the first bitrate and the highest there will ever be."""
        if codec not in ("VP8", "H264"):
            raise ValueError(f"a film is sent as VP8 or H264, not {codec}")
        self.codec = codec
        self.bitrate_bps = float(bitrate_bps)  # what is wanted; set at any time
        self.scale = 1.0  # of width and height; set at any time
        self.max_rate_fps: float | None = None  # frames beyond it are left out; set at any time
        self.frames = 0
        self.key_frames = 0
        self.encoding_s = 0.0
        self._max_bitrate_bps = max_bitrate_bps
        self._context: VideoCodecContext | None = None
        self._used_bps = 0.0
        self._used_since_s = 0.0
        self._key_wanted = False
        self._last_key_s: float | None = None
        self._last_pts: int | None = None
        self._picture_id = random.randint(0, 0x7FFF)

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """RTP payloads of a frame, and its time in 90 kHz.

        The frame's `pict_type` is set, since that of a decoded frame would tell the encoder to do
        the same again. Two frames of the same time are sent one tick apart.
        """
        began_s = time.monotonic()
        pts = int(frame.pts * frame.time_base * CLOCK_HZ)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        if self.max_rate_fps and self._last_pts is not None:
            least = CLOCK_HZ / self.max_rate_fps
            if pts - self._last_pts < 0.75 * least and not (force_keyframe or self._key_wanted):
                return [], pts
        self._last_pts = pts
        frame = _fit(frame, self.scale, even=self.codec == "H264")
        frame.pts, frame.time_base = pts, _TIME_BASE
        context = self._ready_context(frame, pts / CLOCK_HZ)
        self._key_wanted = self._key_wanted or force_keyframe
        key = self._key_wanted and (
            self._last_key_s is None or pts / CLOCK_HZ - self._last_key_s >= KEY_FRAME_PAUSE_S
        )
        frame.pict_type = PictureType.I if key else PictureType.NONE
        packets = context.encode(frame)
        if any(packet.is_keyframe for packet in packets):
            self._key_wanted = False
            self._last_key_s = pts / CLOCK_HZ
            self.key_frames += 1
        payloads = self._payloads(b"".join(map(bytes, packets)))
        self.frames += 1
        self.encoding_s += time.monotonic() - began_s
        return payloads, pts

    def pack(self, packet: Any) -> tuple[list[bytes], int]:
        """RTP payloads of an encoded packet, and its time in 90 kHz."""
        pts = int(packet.pts * packet.time_base * CLOCK_HZ)
        return self._payloads(bytes(packet)), pts

    def _payloads(self, data: bytes) -> list[bytes]:
        if self.codec == "H264":
            return private.packetize_h264(data)
        payloads = private.packetize_vp8(data, self._picture_id)
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        return payloads

    def _ready_context(self, frame: av.VideoFrame, media_s: float) -> VideoCodecContext:
        context = self._context
        wanted_bps = self.bitrate_bps
        if context is not None and (context.width, context.height) == (frame.width, frame.height):
            if self.codec == "H264":
                context.bit_rate = int(wanted_bps)
                return context
            if not worth_a_new_encoder(self._used_bps, self._used_since_s, wanted_bps, media_s):
                return context
        make = _h264_context if self.codec == "H264" else _vp8_context
        context = make(frame.width, frame.height, int(wanted_bps), self._max_bitrate_bps)
        self._context = context
        self._used_bps, self._used_since_s = wanted_bps, media_s
        return context


def _fit(frame: av.VideoFrame, scale: float, *, even: bool) -> av.VideoFrame:
    """The frame as yuv420p, scaled, and of an even size if it must be."""
    even = even or scale < 1
    width = round(frame.width * scale) & ~1 if even else frame.width
    height = round(frame.height * scale) & ~1 if even else frame.height
    if frame.format.name == "yuv420p" and (width, height) == (frame.width, frame.height):
        return frame
    return frame.reformat(width=width, height=height, format="yuv420p")


def _context(name: str, width: int, height: int, bitrate_bps: int) -> VideoCodecContext:
    context: VideoCodecContext = av.CodecContext.create(name, "w")  # type: ignore[assignment]
    context.width = width
    context.height = height
    context.pix_fmt = "yuv420p"
    context.bit_rate = bitrate_bps
    context.framerate = fractions.Fraction(FRAME_RATE)
    context.time_base = _TIME_BASE
    context.gop_size = KEY_FRAME_EVERY
    context.thread_count = _threads(width * height)
    return context


def _threads(pixels: int) -> int:
    """Few: sessions run beside one another, and one thread encodes 720p in 4 ms."""
    cpus = os.cpu_count() or 1
    if pixels > 1280 * 720 and cpus >= 4:
        return 4 if cpus >= 16 else 2
    return 1


def _vp8_context(width: int, height: int, bitrate_bps: int, _: int) -> VideoCodecContext:
    context = _context("libvpx", width, height, bitrate_bps)
    context.qmin, context.qmax = 2, 56
    rate = str(bitrate_bps)
    context.options = {
        "deadline": "realtime",
        "cpu-used": "-12" if width * height >= 1280 * 720 else "-8",
        "lag-in-frames": "0",
        "minrate": rate,  # minrate = maxrate = bit_rate is constant bitrate,
        "maxrate": rate,
        "bufsize": rate,  # with a buffer of a second
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "max-intra-rate": "600",
        "static-thresh": "1",
    }
    return context


def _h264_context(width: int, height: int, bitrate_bps: int, max_bps: int) -> VideoCodecContext:
    # x264 keeps to a bitrate only where maxrate equals it (constant bitrate), and FFmpeg cannot
    # change maxrate later: so the encoder is opened at the highest and turned down at once.
    context = _context("libx264", width, height, max_bps)
    context.profile = "Baseline"
    context.options = {
        "preset": "superfast",
        "tune": "zerolatency",
        "maxrate": str(max_bps),
        "bufsize": str(max_bps * 15 // 100),
        "sc_threshold": "0",
    }
    context.open()
    context.bit_rate = bitrate_bps
    return context
