"""Encodes the film as it goes out: what size, how often, how fast, and when a key frame.

The engines of `gaze.rtc.codecs.engines` do the encoding; what they are told is decided here, in the
frames' own time.
"""

import logging
import random
import time
from collections.abc import Callable
from typing import Any, Literal

import av
from aiortc.codecs.base import Encoder
from av.video.reformatter import VideoReformatter

from gaze.frames.metadata import metadata_of
from gaze.rtc import aiortc_ext
from gaze.rtc.codecs import engines, h264, nvidia
from gaze.rtc.codecs.engines import Choice, Engine, Order, Stream
from gaze.rtc.codecs.frame_size_predictor import FrameSizePredictor
from gaze.rtc.codecs.libvpx import CLOCK_HZ, Encoded
from gaze.rtc.codecs.speed_control import SpeedControl

KEY_FRAME_PAUSE_S = 0.3  # between two that were asked for
EARLY = 0.25  # of the time between frames: how early one may come and still be sent
SMALLEST_SIDE = 16
BALANCED_PIXELS = 1280 * 720  # beyond, the first speed is a faster one

NOMINAL_INTERVAL_S = 1 / 30
SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S = 1 / 120, 1 / 5
MOST_LONGER = 2.0
_SMOOTHING = 0.1

CODECS = ("VP8", "H264")
ANY_H264 = h264.sendable({}, {})
Pace = Literal["auto", "best", "balanced", "fast"]
FASTEST = {"VP8": engines.Libvpx.speeds - 1, "H264": engines.Libx264.speeds - 1}
FIRST_SPEED = {"VP8": (2, 4), "H264": (2, 2)}  # up to BALANCED_PIXELS, and beyond

log = logging.getLogger(__name__)


class VideoEncoder(Encoder):
    """One stream's encoder; made by codec name, told what is wanted, called in a worker thread.

    Attributes:
        codec: "VP8" or "H264".
        bitrate_bps: what is wanted; set at any time, and no reason for a key frame.
        scale: of the film's width and height, above 0 to 1; set at any time. A new size is a key
            frame.
        max_rate_fps: frames that come faster are left out; None is no limit. Set at any time.
        frames: encoded so far.
        key_frames: of them.
        left_out: frames not encoded because of `max_rate_fps` or the level of H.264.
        encoding_s: spent encoding so far.
    """

    def __init__(
        self,
        codec: str,
        bitrate_bps: float,
        max_bitrate_bps: int,
        *,
        choice: Choice = "auto",
        sendable: h264.Sendable = ANY_H264,
        pace: Pace = "auto",
        on_encoded: Callable[[float], None] | None = None,
    ) -> None:
        """Take what was negotiated and what there is to spend.

        Args:
            codec: "VP8" or "H264".
            bitrate_bps: the first bitrate.
            max_bitrate_bps: the highest there will ever be.
            choice: which engine the operator wants.
            sendable: for H.264, the profile and level that the browser takes.
            pace: a fixed speed, or "auto" to let it follow the load.
            on_encoded: told, in the worker thread, how many seconds each frame took.
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
        self._sendable = sendable
        self._pace = pace
        self._on_encoded = on_encoded
        self._engine: Engine | None = None
        self._size = (0, 0)
        self._speed: SpeedControl | None = None
        self._spikes = FrameSizePredictor()
        self._reformatter = VideoReformatter()
        self._key_wanted = False
        self._last_key_s: float | None = None
        self._last_pts: int | None = None
        self._due_s: float | None = None
        self._interval_s = NOMINAL_INTERVAL_S
        self._picture_id = random.randint(0, 0x7FFF)

    @property
    def engine(self) -> str | None:
        """What encodes, once something does."""
        return None if self._engine is None else self._engine.name

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of what is sent, in pixels; (0, 0) before the first frame."""
        return self._size

    @property
    def speed(self) -> int | None:
        """The engine's present speed, 0 being the best picture, once there is an engine."""
        return None if self._speed is None else self._wanted_speed()

    def encode(self, frame: Any, force_keyframe: bool = False) -> tuple[list[bytes], int]:
        """RTP payloads of a frame, none where it is left out, and its time in 90 kHz.

        The frame may carry `FrameMetadata`: a foreseen spike is encoded coarser (see `spikes`).
        A key frame that is asked for is made of this frame, or as soon as the last one is
        KEY_FRAME_PAUSE_S old; no limit of the rate holds it back. Two frames of the same time are
        sent one tick apart.
        """
        began_s = time.perf_counter()
        pts = int(frame.pts * frame.time_base * CLOCK_HZ)
        if self._last_pts is not None and pts <= self._last_pts:
            pts = self._last_pts + 1
        pts_s = pts / CLOCK_HZ
        self._key_wanted = self._key_wanted or force_keyframe
        size = self._fitting_size(frame)
        key_frame = self._key_wanted and (
            self._last_key_s is None or pts_s - self._last_key_s >= KEY_FRAME_PAUSE_S
        )
        if self._too_early(pts_s, size) and not key_frame:
            self.left_out += 1
            return [], pts
        self._note_interval(pts)
        bitrate_bps = min(self.bitrate_bps, self._max_bitrate_bps)
        share_bytes = bitrate_bps * self._interval_s / 8
        notes = metadata_of(frame)
        order = Order(
            bitrate_bps=bitrate_bps,
            speed=self._wanted_speed(size),
            key_frame=key_frame,
            duration=round(self._interval_s * CLOCK_HZ),
            softened=notes.softened,
            coarser=self._spikes.coarser(notes, share_bytes),
        )
        picture = self._picture(frame, size)
        encoding_began_s = time.perf_counter()
        encoded = self._encode(picture, pts, size, order)
        if self._speed is not None:
            encoding_s = time.perf_counter() - encoding_began_s
            self._speed.add(encoding_s, self._interval_s, pts_s)
        if encoded.is_key_frame:
            self._key_wanted = False
            self._last_key_s = pts_s
            self.key_frames += 1
        if not encoded.is_key_frame:
            self._spikes.add(notes, len(encoded.data))
        payloads = self._payloads(encoded.data)
        took_s = time.perf_counter() - began_s
        self.frames += 1
        self.encoding_s += took_s
        if self._on_encoded is not None:
            self._on_encoded(took_s)
        return payloads, pts

    def pack(self, packet: Any) -> tuple[list[bytes], int]:
        """RTP payloads of an encoded packet, and its time in 90 kHz."""
        pts = int(packet.pts * packet.time_base * CLOCK_HZ)
        return self._payloads(bytes(packet)), pts

    def _fitting_size(self, frame: av.VideoFrame) -> tuple[int, int]:
        """What a frame is sent as: scaled, even if it is scaled or H.264, within the level."""
        width, height = frame.width, frame.height
        scale = min(self.scale, 1.0)
        if scale < 1.0 or self.codec == "H264":
            width = max(SMALLEST_SIDE, round(width * scale) & ~1)
            height = max(SMALLEST_SIDE, round(height * scale) & ~1)
        level = self._sendable.level
        if self.codec == "H264" and not level.holds(width, height):
            return h264.fit(width, height, level)
        return width, height

    def _too_early(self, pts_s: float, size: tuple[int, int]) -> bool:
        """Whether a frame comes before its turn, where the rate is limited."""
        most_fps = self.max_rate_fps
        if self.codec == "H264":
            level_fps = self._sendable.level.fps(*size)
            most_fps = level_fps if most_fps is None else min(most_fps, level_fps)
        if most_fps is None:
            self._due_s = None
            return False
        interval_s = 1 / most_fps
        if self._due_s is not None and pts_s < self._due_s - EARLY * interval_s:
            return True
        last_due_s = pts_s if self._due_s is None else self._due_s
        self._due_s = max(last_due_s, pts_s - interval_s) + interval_s
        return False

    def _note_interval(self, pts: int) -> None:
        if self._last_pts is not None:
            interval_s = (pts - self._last_pts) / CLOCK_HZ
            most_s = min(
                LONGEST_INTERVAL_S, MOST_LONGER * self._interval_s
            )  # one pause says little
            interval_s = min(max(interval_s, SHORTEST_INTERVAL_S), most_s)
            self._interval_s += _SMOOTHING * (interval_s - self._interval_s)
        self._last_pts = pts

    def _wanted_speed(self, size: tuple[int, int] | None = None) -> int:
        if self._pace == "best":
            return 0
        if self._pace == "fast":
            return FASTEST[self.codec]
        if self._speed is not None and self._pace == "auto":
            return self._speed.speed
        width, height = size or self._size
        return FIRST_SPEED[self.codec][width * height > BALANCED_PIXELS]

    def _picture(self, frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
        """The frame as yuv420p of that size; the frame itself if it is that already."""
        if frame.format.name == "yuv420p" and (frame.width, frame.height) == size:
            return frame
        return self._reformatter.reformat(
            frame, width=size[0], height=size[1], format="yuv420p", interpolation="BILINEAR"
        )

    def _encode(
        self, picture: av.VideoFrame, pts: int, size: tuple[int, int], order: Order
    ) -> Encoded:
        if self._engine is None or self._size != size:
            self._engine = self._new_engine(self._choice, size, order)
        try:
            return self._engine.encode(picture, pts, order)
        except nvidia.FAILURES as error:
            if self._engine.name != engines.Nvenc.name:
                raise
            log.warning("NVENC failed, libx264 goes on: %s", error)
            self._choice = "libx264"
            self._engine = self._new_engine(self._choice, size, order)
            return self._engine.encode(picture, pts, order)

    def _new_engine(self, choice: Choice, size: tuple[int, int], order: Order) -> Engine:
        stream = Stream(*size, self._max_bitrate_bps, self._sendable)
        engine = engines.make(self.codec, choice, stream, order)
        self._size = size
        self._speed = SpeedControl(engine.speeds - 1, order.speed)
        return engine

    def _payloads(self, data: bytes) -> list[bytes]:
        if self.codec == "H264":
            return aiortc_ext.packetize_h264(data)
        payloads = aiortc_ext.packetize_vp8(data, self._picture_id)
        self._picture_id = (self._picture_id + 1) & 0x7FFF
        return payloads
