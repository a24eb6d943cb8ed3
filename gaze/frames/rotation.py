"""Rotates frames by quarter turns: phones send pictures as their sensor lies and add an angle."""

from typing import Final

import av
import cv2

from gaze.frames.planes import FORMAT, copy_properties, planes_of

_CODES: Final = {
    90: cv2.ROTATE_90_CLOCKWISE,
    180: cv2.ROTATE_180,
    270: cv2.ROTATE_90_COUNTERCLOCKWISE,
}


def rotate(frame: av.VideoFrame, clockwise_deg: int) -> av.VideoFrame:
    """Rotate a frame, plane by plane. Blocks; for worker threads.

    Parameters
    ----------
    frame : av.VideoFrame
        The frame as it was decoded.
    clockwise_deg : int
        0, 90, 180 or 270.

    Returns
    -------
    av.VideoFrame
        The frame itself at 0 degrees; else a new yuv420p frame with its time and colour.
    """
    if not clockwise_deg:
        return frame
    if frame.format.name != FORMAT:
        frame = frame.reformat(format=FORMAT)
    size = frame.width, frame.height
    rotated = av.VideoFrame(*(size if clockwise_deg == 180 else size[::-1]), FORMAT)
    sources, targets = planes_of(frame, writable=False), planes_of(rotated, writable=True)
    for source, target in zip(sources, targets, strict=True):
        cv2.rotate(source, _CODES[clockwise_deg], dst=target)
    copy_properties(frame, rotated)
    return rotated
