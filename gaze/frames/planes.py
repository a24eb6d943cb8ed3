"""Film frames as numpy planes without a copy, and frames that are used again once free."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

Plane = NDArray[np.uint8]

FORMAT = "yuv420p"

POOL_SIZE = 8
"""Frames kept for later; whoever holds more of them at once gets new ones."""


@dataclass(frozen=True, slots=True)
class Planes:
    """One yuv420p picture: `y` is (height, width), `u` and `v` are half of that, rounded up."""

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        return int(self.y.shape[0])

    def __iter__(self) -> Iterator[Plane]:
        return iter((self.y, self.u, self.v))


def planes_of(frame: av.VideoFrame, *, writable: bool) -> Planes:
    """Return views of a yuv420p frame's memory; they keep the frame alive.

    Raises:
        ValueError: the frame has another format.
    """
    if frame.format.name != FORMAT:
        raise ValueError(f"the frame should be {FORMAT}, not {frame.format.name}")
    views = []
    for plane in frame.planes:
        shape, strides = (plane.height, plane.width), (plane.line_size, 1)
        view: Plane = np.ndarray(shape, np.uint8, memoryview(plane), 0, strides)
        view.flags.writeable = writable
        views.append(view)
    return Planes(*views)


class FramePool:
    """Hands out frames to draw on and takes back those that nobody holds any more.

    A frame counts as free when only the pool refers to it. An encoder may still hold its memory
    inside FFmpeg; `make_writable` gives the frame new memory in that case.
    """

    def __init__(self) -> None:
        self._frames: list[av.VideoFrame] = []

    def take(self, width: int, height: int) -> av.VideoFrame:
        """Return a frame of undefined content, in the given size."""
        if self._frames and (self._frames[0].width, self._frames[0].height) != (width, height):
            self._frames.clear()
        # One reference is the pool's list, one the argument of getrefcount.
        for index in range(len(self._frames)):
            if sys.getrefcount(self._frames[index]) == 2:
                frame = self._frames[index]
                frame.make_writable()
                frame.pict_type = PictureType.NONE
                return frame
        frame = av.VideoFrame(width, height, FORMAT)
        if len(self._frames) < POOL_SIZE:
            self._frames.append(frame)
        return frame


def copy_timing(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Give `target` the time and colour description of `source`."""
    target.pts = source.pts
    target.dts = source.dts
    if source.time_base is not None:
        target.time_base = source.time_base
    target.duration = source.duration
    target.color_range = source.color_range
    target.colorspace = source.colorspace
    target.color_primaries = source.color_primaries
    target.color_trc = source.color_trc
