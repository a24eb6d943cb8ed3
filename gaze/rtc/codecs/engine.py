"""The interface of what encodes: libvpx, libx264, FFmpeg, NVENC."""

import os
from dataclasses import dataclass
from typing import Protocol

import av
import numpy as np
from numpy.typing import NDArray

from gaze.rtc.codecs import h264
from gaze.rtc.codecs.encoded_image import EncodedImage

NOMINAL_RATE_FPS = 30
KEY_FRAME_INTERVAL_FRAMES = 3000  # as libwebrtc's keyFrameInterval; others are made on request

# Sessions run beside one another, and one thread encodes 720p in 4 ms: chosen by hand;
# `python -m benchmarks.capacity` shows what they cost.
ONE_THREAD_PIXELS = 1280 * 720
FEW_CPUS, MANY_CPUS = 4, 16


@dataclass(frozen=True, slots=True)
class StreamFormat:
    """What does not change while an engine lives.

    Attributes
    ----------
    width, height : int
        Size of the frames in pixels.
    max_bitrate_bps : int
        The highest bitrate there will be, in bit/s.
    profile_level : h264.ProfileLevel
        What the receiver of an H.264 stream decodes.
    """

    width: int
    height: int
    max_bitrate_bps: int
    profile_level: h264.ProfileLevel

    @property
    def threads(self) -> int:
        """How many threads may encode."""
        cpus = os.cpu_count() or 1
        if self.width * self.height > ONE_THREAD_PIXELS and cpus >= FEW_CPUS:
            return 4 if cpus >= MANY_CPUS else 2
        return 1

    @property
    def h264_max_bitrate_bps(self) -> int:
        """The highest bitrate within the receiver's level of H.264, in bit/s."""
        return min(self.max_bitrate_bps, self.profile_level.level.kbps * 1000)

    @property
    def h264_level_idc(self) -> int:
        """The lowest level of H.264 for this stream."""
        return h264.lowest_level(
            self.width,
            self.height,
            NOMINAL_RATE_FPS,
            self.h264_max_bitrate_bps,
            self.profile_level.level,
        )


@dataclass(frozen=True, slots=True)
class FrameSettings:
    """How one frame is to be encoded.

    Attributes
    ----------
    bitrate_bps : float
        Of the stream from now on, in bit/s.
    speed : int
        0 (best picture) to the engine's fastest.
    key_frame : bool
        Whether to make a key frame of it.
    duration : int
        Of the frame, in ticks of 90 kHz.
    softened : ndarray of float32 or None, default None
        How many times detail was halved in it, on a grid of any shape over the frame; None if
        nowhere.
    quantizer_scale : float, default 1.0
        How many times as coarse as usual the quantizer should be, so that the frame does not become
        several times as large as others; 1 or more.
    """

    bitrate_bps: float
    speed: int
    key_frame: bool
    duration: int
    softened: NDArray[np.float32] | None = None
    quantizer_scale: float = 1.0


class Engine(Protocol):
    """An encoder of one size, called by one thread at a time.

    Attributes
    ----------
    name : str
        Of the library or the hardware.
    speeds : int
        How many speeds it has.
    """

    name: str
    speeds: int

    def encode(self, frame: av.VideoFrame, pts: int, settings: FrameSettings) -> EncodedImage:
        """Encode a frame.

        Parameters
        ----------
        frame : av.VideoFrame
            yuv420p, of the stream's size.
        pts : int
            Its time in ticks of 90 kHz.
        settings : FrameSettings
            How.

        Returns
        -------
        EncodedImage
            The frame, encoded.
        """
