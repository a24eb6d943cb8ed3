"""Film frames as numpy planes without a copy, and a pool of frames that are used again."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
from av.video.frame import PictureType
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
"""Samples of one plane of a picture, (height, width)."""

FloatPlane = NDArray[np.float32]
"""Weights, alpha or levels over a picture or a grid on it, (rows, columns)."""

FORMAT: Final = "yuv420p"
"""The only pixel format between a film's decoder and its encoder."""

POOL_SIZE: Final = 8
"""Most frames that a pool keeps. Chosen by hand: an encoder and a few effects hold two or three at
once (tests/effects/test_allocations.py); whoever holds more gets frames that are not pooled."""


@dataclass(frozen=True, slots=True)
class Planes:
    """One yuv420p picture as three planes; iterates over them.

    Attributes
    ----------
    y : ndarray of uint8, shape (height, width)
        Luma.
    u, v : ndarray of uint8, shape (ceil(height / 2), ceil(width / 2))
        Chroma.
    """

    y: Plane
    u: Plane
    v: Plane

    @property
    def width(self) -> int:
        """Width of the picture in luma samples."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height of the picture in luma samples."""
        return int(self.y.shape[0])

    def __iter__(self) -> Iterator[Plane]:
        """Iterate over y, u and v."""
        return iter((self.y, self.u, self.v))


def planes_of(frame: av.VideoFrame, *, writable: bool) -> Planes:
    """Return views of a frame's memory.

    Parameters
    ----------
    frame : av.VideoFrame
        A yuv420p frame; the views keep it alive.
    writable : bool
        Whether the views may be written to.

    Returns
    -------
    Planes
        The frame's planes, without the padding at the end of their rows.

    Raises
    ------
    ValueError
        If the frame has another pixel format.
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


def _references_from_a_list() -> int:
    """Count what `sys.getrefcount` says of an object that only a list refers to.

    The count includes references of the interpreter's own, which differ between its versions.
    """
    held = [object()]
    return sys.getrefcount(held[0])


_UNUSED_REFERENCES: Final = _references_from_a_list()


class FramePool:
    """Provides frames to draw on and reuses those that nobody refers to any more.

    A frame counts as free when only the pool refers to it. An encoder may still hold its memory
    inside FFmpeg; `make_writable` gives the frame new memory in that case. Not thread-safe.
    """

    def __init__(self) -> None:
        self._frames: list[av.VideoFrame] = []

    def take(self, width: int, height: int) -> av.VideoFrame:
        """Return a frame to draw on.

        Parameters
        ----------
        width, height : int
            Size in luma samples. Frames of another size are forgotten.

        Returns
        -------
        av.VideoFrame
            A yuv420p frame of undefined content.
        """
        if self._frames and (self._frames[0].width, self._frames[0].height) != (width, height):
            self._frames.clear()
        for index in range(len(self._frames)):
            if sys.getrefcount(self._frames[index]) == _UNUSED_REFERENCES:
                frame = self._frames[index]
                frame.make_writable()
                frame.pict_type = PictureType.NONE
                return frame
        frame = av.VideoFrame(width, height, FORMAT)
        if len(self._frames) < POOL_SIZE:
            self._frames.append(frame)
        return frame


def copy_properties(source: av.VideoFrame, target: av.VideoFrame) -> None:
    """Copy time and colour description, like FFmpeg's `av_frame_copy_props`.

    Parameters
    ----------
    source : av.VideoFrame
        The frame to copy from.
    target : av.VideoFrame
        The frame that is changed; its pixels stay.
    """
    target.pts = source.pts
    target.dts = source.dts
    if source.time_base is not None:
        target.time_base = source.time_base
    target.duration = source.duration
    target.color_range = source.color_range
    target.colorspace = source.colorspace
    target.color_primaries = source.color_primaries
    target.color_trc = source.color_trc
