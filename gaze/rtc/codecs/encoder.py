"""Encodes the film as it is sent: what size, how often, how fast, and when a key frame.

The engines (`gaze.rtc.codecs.engine`) do the encoding; their settings are decided here, in the
frames' own time.
"""

import logging
import secrets
import time
from collections.abc import Callable
from typing import Any, Literal

import av
from aiortc.codecs.base import Encoder
from av.frame import Frame
from av.video.reformatter import VideoReformatter

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.frames.metadata import FrameMetadata, metadata_of
from gaze.rtc import aiortc_ext
from gaze.rtc.codecs import h264, nvidia_probe
from gaze.rtc.codecs.encoded_image import EncodedImage
from gaze.rtc.codecs.engine import Engine, FrameSettings, StreamFormat
from gaze.rtc.codecs.engine_selection import EncoderChoice, select_engine
from gaze.rtc.codecs.frame_interval import FrameInterval
from gaze.rtc.codecs.frame_rate_limiter import FrameRateLimiter
from gaze.rtc.codecs.frame_size_predictor import FrameSizePredictor
from gaze.rtc.codecs.libvpx_engine import LibvpxEngine
from gaze.rtc.codecs.libx264_engine import Libx264Engine
from gaze.rtc.codecs.nvenc_engine import NvencEngine
from gaze.rtc.codecs.speed_control import SpeedControl

CODECS = ("VP8", "H264")
PICTURE_IDS = 1 << 15  # RFC 7741, section 4.2
Pace = Literal["auto", "best", "balanced", "fast"]

# Chosen by hand; no benchmark covers them.
KEY_FRAME_INTERVAL_S = 0.3  # between two that were requested
MIN_SIDE_PX = 16
FASTEST = {"VP8": LibvpxEngine.speeds - 1, "H264": Libx264Engine.speeds - 1}
FIRST_SPEED = {"VP8": (2, 4), "H264": (2, 2)}  # up to this many pixels, and beyond:
FIRST_SPEED_PIXELS = 1280 * 720

log = logging.getLogger(__name__)


class VideoEncoder(Encoder):
    """One stream's encoder; made by codec name, called in a worker thread.

    Attributes
    ----------
    codec : str
        "VP8" or "H264".
    bitrate_bps : float
        Target bitrate in bit/s; set at any time, and no reason for a key frame.
    scale : float
        Share of the film's width and height that is sent, above 0 to 1; set at any time. A new size
        is a key frame.
    max_rate_fps : float or None
        Frames that come faster are left out; None is no limit. Set at any time.
    frames : int
        Encoded so far.
    key_frames : int
        Of them.
    left_out : int
        Frames not encoded because of `max_rate_fps` or the level of H.264.
    encoding_s : float
        Time spent encoding so far, in seconds.
    """

    def __init__(
        self,
        codec: str,
        bitrate_bps: float,
        max_bitrate_bps: int,
        *,
        choice: EncoderChoice = "auto",
        profile_level: h264.ProfileLevel = h264.DEFAULT_PROFILE_LEVEL,
        pace: Pace = "auto",
        on_encoded: Callable[[float], None] | None = None,
    ) -> None:
        """Take what was negotiated and what may be spent.

        Parameters
        ----------
        codec : str
            "VP8" or "H264".
        bitrate_bps : float
            The first bitrate, in bit/s.
        max_bitrate_bps : int
            The highest there will ever be.
        choice : EncoderChoice, default "auto"
            Which engine the operator wants.
        profile_level : h264.ProfileLevel, default h264.DEFAULT_PROFILE_LEVEL
            For H.264, what the browser decodes.
        pace : Pace, default "auto"
            A fixed speed, or "auto" to let it follow the load.
        on_encoded : callable or None, default None
            Called, in the worker thread, with the seconds that each frame took.

        Raises
        ------
        ValueError
            If the codec is another.
        """
        if codec not in CODECS:
            raise ValueError(f"a film is sent as VP8 or H264, not {codec}")
        self.codec = codec
        self.bitrate_bps = float(bitrate_bps)
        self.scale = 1.0
        self.max_rate_fps: float | None = None
        self.frames = 0
        self.key_frames = 0
        self.left_out = 0
        self.encoding_s = 0.0
        self._max_bitrate_bps = max_bitrate_bps
        self._choice = choice
        self._profile_level = profile_level
        self._pace = pace
        self._on_encoded = on_encoded
        self._engine: Engine | None = None
        self._size = (0, 0)
        self._speed_control: SpeedControl | None = None
        self._size_predictor = FrameSizePredictor()
        self._rate_limiter = FrameRateLimiter()
        self._interval = FrameInterval()
        self._reformatter = VideoReformatter()
        self._key_frame_requested = False
        self._last_key_frame_s: float | None = None
        self._last_pts: int | None = None
        self._picture_id = secrets.randbelow(PICTURE_IDS)

    @property
    def engine(self) -> str | None:
        """Name of what encodes, once something does."""
        return None if self._engine is None else self._engine.name

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is sent, in pixels; (0, 0) before the first frame."""
        return self._size

    @property
    def speed(self) -> int | None:
        """The engine's present speed, 0 being the best picture, once there is an engine."""
        return None if self._speed_control is None else self._next_speed(self._size)

    def encode(self, frame: Frame, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """Encode a frame.

        Parameters
        ----------
        frame : av.VideoFrame
            May carry `FrameMetadata`, by which its size is predicted.
        force_keyframe : bool, default False
            Whether a key frame is requested. It is made of this frame, or as soon as the last one
            is KEY_FRAME_INTERVAL_S old; no limit of the frame rate holds it back.

        Returns
        -------
        tuple of (list of bytes, int)
            RTP payloads, none where the frame is left out, and its time in ticks of 90 kHz. Two
            frames of the same time are sent one tick apart.

        Raises
        ------
        TypeError
            If it is no video frame.
        """
        if not isinstance(frame, av.VideoFrame):
            raise TypeError(f"a film is encoded of video frames, not of {type(frame).__name__}")
        began_s = time.perf_counter()
        pts = self._next_pts(frame)
        pts_s = pts / VIDEO_CLOCK_HZ
        size = self._fitting_size(frame)
        self._key_frame_requested = self._key_frame_requested or force_keyframe
        key_frame = self._is_key_frame_due(pts_s)
        if self._rate_limiter.is_early(pts_s, self._max_fps(size)) and not key_frame:
            self.left_out += 1
            return [], pts
        if self._last_pts is not None:
            self._interval.add((pts - self._last_pts) / VIDEO_CLOCK_HZ)
        self._last_pts = pts
        metadata = metadata_of(frame)
        settings = self._settings(metadata, size, key_frame=key_frame)
        encoded = self._encode(self._picture(frame, size), pts, size, settings)
        if encoded.is_key_frame:
            self._key_frame_requested = False
            self._last_key_frame_s = pts_s
            self.key_frames += 1
        else:
            self._size_predictor.add(metadata, len(encoded.data))
        payloads = self._payloads(encoded.data)
        took_s = time.perf_counter() - began_s
        self.frames += 1
        self.encoding_s += took_s
        if self._on_encoded is not None:
            self._on_encoded(took_s)
        return payloads, pts

    def pack(self, packet: "av.Packet[Any]") -> tuple[list[bytes], int]:
        """Packetize a packet that is encoded already.

        Parameters
        ----------
        packet : av.Packet
            Of this codec.

        Returns
        -------
        tuple of (list of bytes, int)
            RTP payloads, and its time in ticks of 90 kHz.
        """
        return self._payloads(bytes(packet)), _ticks(packet)

    def _next_pts(self, frame: av.VideoFrame) -> int:
        pts = _ticks(frame)
        return pts if self._last_pts is None else max(pts, self._last_pts + 1)

    def _fitting_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """Return the size to send: scaled, even if it is scaled or H.264, within the level."""
        width, height = frame.width, frame.height
        scale = min(self.scale, 1.0)
        if scale < 1.0 or self.codec == "H264":
            width = max(MIN_SIDE_PX, round(width * scale) & ~1)
            height = max(MIN_SIDE_PX, round(height * scale) & ~1)
        level = self._profile_level.level
        if self.codec == "H264" and not level.fits(width, height):
            return h264.largest_size(width, height, level)
        return width, height

    def _max_fps(self, size: tuple[int, int]) -> float | None:
        if self.codec != "H264":
            return self.max_rate_fps
        level_fps = self._profile_level.level.max_fps(*size)
        return level_fps if self.max_rate_fps is None else min(self.max_rate_fps, level_fps)

    def _is_key_frame_due(self, pts_s: float) -> bool:
        return self._key_frame_requested and (
            self._last_key_frame_s is None or pts_s - self._last_key_frame_s >= KEY_FRAME_INTERVAL_S
        )

    def _settings(
        self, metadata: FrameMetadata, size: tuple[int, int], *, key_frame: bool
    ) -> FrameSettings:
        bitrate_bps = min(self.bitrate_bps, self._max_bitrate_bps)
        share_bytes = bitrate_bps * self._interval.interval_s / 8
        return FrameSettings(
            bitrate_bps=bitrate_bps,
            speed=self._next_speed(size),
            key_frame=key_frame,
            duration=round(self._interval.interval_s * VIDEO_CLOCK_HZ),
            softened=metadata.softened,
            quantizer_scale=self._size_predictor.quantizer_scale(metadata, share_bytes),
        )

    def _next_speed(self, size: tuple[int, int]) -> int:
        if self._pace == "best":
            return 0
        if self._pace == "fast":
            return FASTEST[self.codec]
        if self._speed_control is not None and self._pace == "auto":
            return self._speed_control.speed
        width, height = size
        return FIRST_SPEED[self.codec][width * height > FIRST_SPEED_PIXELS]

    def _picture(self, frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """Return the frame as yuv420p of that size; the frame itself if it is that already."""
        if frame.format.name == "yuv420p" and (frame.width, frame.height) == size:
            return frame
        return self._reformatter.reformat(
            frame, width=size[0], height=size[1], format="yuv420p", interpolation="BILINEAR"
        )

    def _encode(
        self, picture: av.VideoFrame, pts: int, size: tuple[int, int], settings: FrameSettings
    ) -> EncodedImage:
        began_s = time.perf_counter()
        if self._engine is None or self._size != size:
            self._engine = self._new_engine(size, settings)
        try:
            encoded = self._engine.encode(picture, pts, settings)
        except nvidia_probe.FAILURES as error:
            if self._engine.name != NvencEngine.name:
                raise
            log.warning("NVENC failed, libx264 takes over: %s", error)
            self._choice = "libx264"
            self._engine = self._new_engine(size, settings)
            encoded = self._engine.encode(picture, pts, settings)
        if self._speed_control is not None:
            encoding_s = time.perf_counter() - began_s
            self._speed_control.add(encoding_s, self._interval.interval_s, pts / VIDEO_CLOCK_HZ)
        return encoded

    def _new_engine(self, size: tuple[int, int], settings: FrameSettings) -> Engine:
        stream = StreamFormat(*size, self._max_bitrate_bps, self._profile_level)
        engine = select_engine(self.codec, self._choice, stream, settings)
        self._size = size
        self._speed_control = SpeedControl(engine.speeds - 1, settings.speed)
        return engine

    def _payloads(self, data: bytes) -> list[bytes]:
        if self.codec == "H264":
            return aiortc_ext.packetize_h264(data)
        payloads = aiortc_ext.packetize_vp8(data, self._picture_id)
        self._picture_id = (self._picture_id + 1) % PICTURE_IDS
        return payloads


def _ticks(item: "Frame | av.Packet[Any]") -> int:
    """Return a time in ticks of 90 kHz."""
    if item.pts is None or item.time_base is None:
        raise ValueError("what is encoded needs a pts and a time base; this has none")
    return int(item.pts * item.time_base * VIDEO_CLOCK_HZ)
