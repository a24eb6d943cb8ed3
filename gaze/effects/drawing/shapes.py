"""Antialiased shapes at subpixel positions, and the boxes of a picture that hold them."""

import math
from typing import Final

import cv2

from gaze.frames.planes import Plane, Planes

SUBPIXEL_BITS: Final = 4
"""Fractional bits of the fixed-point coordinates that OpenCV draws with: 1/16 sample."""

ANTIALIAS_PX: Final = 3
"""Room that a shape's antialiased edge takes beyond its radius. Chosen by hand: OpenCV's takes
less."""


def draw_disc(mask: Plane, centre: tuple[int, int], radius_px: float, value: int) -> None:
    """Draw an antialiased disc.

    Parameters
    ----------
    mask : ndarray of uint8
        What is drawn into.
    centre : tuple of int
        x and y of `to_fixed_point`.
    radius_px : float
        Radius in samples.
    value : int
        Value of its samples.
    """
    radius = round(radius_px * 2**SUBPIXEL_BITS)
    cv2.circle(mask, centre, radius, (value,), -1, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_ring(
    mask: Plane, centre: tuple[int, int], radius_px: float, thickness_px: float, value: int
) -> None:
    """Draw an antialiased ring as a disc from which a smaller disc is cut.

    That takes a seventh of the time that `cv2.circle` takes for a thick line.

    Parameters
    ----------
    mask : ndarray of uint8
        What is drawn into; 0 inside the ring afterwards.
    centre : tuple of int
        x and y of `to_fixed_point`.
    radius_px, thickness_px : float
        Radius of the middle of the line, and its thickness, in samples.
    value : int
        Value of its samples.
    """
    draw_disc(mask, centre, radius_px + thickness_px / 2, value)
    draw_disc(mask, centre, max(0.0, radius_px - thickness_px / 2), 0)


def to_fixed_point(x: float, y: float) -> tuple[int, int]:
    """Convert a position to the fixed-point coordinates that OpenCV draws with.

    Parameters
    ----------
    x, y : float
        In samples from the picture's corner.

    Returns
    -------
    tuple of int
        In 1 / 2**`SUBPIXEL_BITS` samples from the middle of the first sample.
    """
    scale = 2**SUBPIXEL_BITS
    return math.floor((x - 0.5) * scale + 0.5), math.floor((y - 0.5) * scale + 0.5)


def even_box(
    planes: Planes, left: float, top: float, right: float, bottom: float
) -> tuple[slice, slice]:
    """Return the box of a picture that holds a rectangle, clipped to the picture.

    Parameters
    ----------
    planes : Planes
        The picture.
    left, top, right, bottom : float
        The rectangle in luma samples; may be beside the picture.

    Returns
    -------
    rows, columns : slice
        Of luma. They start at even samples, so that the box is whole chroma samples too.
    """
    return _even_slice(top, bottom, planes.height), _even_slice(left, right, planes.width)


def _even_slice(start: float, stop: float, size: int) -> slice:
    first = min(size, max(0, math.floor(start))) // 2 * 2
    last = min(size, max(first, math.ceil(stop)))
    return slice(first, min(size, last + last % 2))
