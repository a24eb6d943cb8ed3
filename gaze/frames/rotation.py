"""Turns pictures upright: phones send them as their camera lies, and say how to turn them."""

import av
import cv2
import numpy as np
from numpy.typing import NDArray

_TURNS = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def upright(frame: av.VideoFrame, clockwise: int) -> av.VideoFrame:
    """The frame itself, or a copy turned by 90, 180 or 270 degrees, as yuv420p.

    The frame's time stays. Works on the three planes; for worker threads.
    """
    if not clockwise:
        return frame
    if frame.format.name != "yuv420p":
        frame = frame.reformat(format="yuv420p")
    size = frame.width, frame.height
    turned = av.VideoFrame(*(size if clockwise == 180 else size[::-1]), "yuv420p")
    for source, target in zip(frame.planes, turned.planes, strict=True):
        _pixels(target)[:] = cv2.rotate(_pixels(source), _TURNS[clockwise])
    turned.pts = frame.pts
    if frame.time_base is not None:
        turned.time_base = frame.time_base
    turned.colorspace, turned.color_range = frame.colorspace, frame.color_range
    return turned


def _pixels(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """A plane's own memory, (height, width)."""
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return rows[: plane.height, : plane.width]  # type: ignore[no-any-return]
