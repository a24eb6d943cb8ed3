"""Brings decoded frames into the one form that is used: yuv420p, limited range, as displayed."""

from typing import Final

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from gaze.frames.planes import FORMAT, copy_properties, planes_of
from gaze.frames.rotation import rotate

_MAX_PIXEL_ASPECT: Final = 4.0
"""Pixels longer than this are taken for an error of the file. Chosen by hand, above every aspect
ratio of ITU-T H.264 table E-1 (at most 2.91); no benchmark covers it."""

_MIN_BT709_HEIGHT: Final = 720
"""RGB this high and higher becomes BT.709, lower BT.601, as players assume where a file does not
say."""


def as_displayed(stream: av.VideoStream, frame: av.VideoFrame) -> av.VideoFrame:
    """Return a stream's frame as it is to be seen.

    Parameters
    ----------
    stream : av.VideoStream
        The stream that the frame was decoded from; has its pixel aspect ratio.
    frame : av.VideoFrame
        A frame of any format; it is not changed.

    Returns
    -------
    av.VideoFrame
        yuv420p, limited range, even size, square pixels, rotated by the frame's display matrix.
    """
    clockwise_deg = round(-frame.rotation / 90) % 4 * 90
    square = _with_square_pixels(to_yuv420p(frame), _pixel_aspect(stream))
    return rotate(square, clockwise_deg)


def to_yuv420p(frame: av.VideoFrame) -> av.VideoFrame:
    """Convert a frame to yuv420p in limited range with even width and height.

    Parameters
    ----------
    frame : av.VideoFrame
        A frame of any format. An odd column at the right and an odd row at the bottom are cropped.

    Returns
    -------
    av.VideoFrame
        The frame itself if nothing is to be done.
    """
    full_range = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj")
    if frame.format.name != FORMAT or full_range:
        is_rgb = frame.format.is_rgb or frame.format.has_palette
        hd = frame.height >= _MIN_BT709_HEIGHT
        frame = frame.reformat(
            format=FORMAT,
            src_color_range=ColorRange.JPEG if full_range or is_rgb else None,
            dst_color_range=ColorRange.MPEG,
            dst_colorspace=(Colorspace.ITU709 if hd else Colorspace.ITU601) if is_rgb else None,
        )
    if frame.width % 2 or frame.height % 2:
        return _cropped(frame, frame.width & ~1, frame.height & ~1)
    return frame


def _pixel_aspect(stream: av.VideoStream) -> float:
    """Width of a pixel over its height; 1 where the file states none, or an absurd one."""
    aspect = float(stream.sample_aspect_ratio or 1)
    return aspect if 1 / _MAX_PIXEL_ASPECT <= aspect <= _MAX_PIXEL_ASPECT else 1.0


def _with_square_pixels(frame: av.VideoFrame, aspect: float) -> av.VideoFrame:
    """Enlarge the frame along the longer side of its pixels; itself if they are square."""
    width = round(frame.width * max(1.0, aspect) / 2) * 2
    height = round(frame.height * max(1.0, 1 / aspect) / 2) * 2
    if (width, height) == (frame.width, frame.height):
        return frame
    return frame.reformat(width, height)


def _cropped(frame: av.VideoFrame, width: int, height: int) -> av.VideoFrame:
    cropped = av.VideoFrame(width, height, FORMAT)
    sources, targets = planes_of(frame, writable=False), planes_of(cropped, writable=True)
    for source, target in zip(sources, targets, strict=True):
        np.copyto(target, source[: target.shape[0], : target.shape[1]])
    copy_properties(frame, cropped)
    return cropped
