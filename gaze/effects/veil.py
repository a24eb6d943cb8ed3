"""Colour laid over a picture, thicker here and thinner there, in 8-bit passes over each plane.

A plane p under a colour c with cover a becomes p * (1 - a) + c * a. Both factors are made on a
small grid and interpolated, so a full plane costs two resizes, a multiplication and an addition,
a third of what blending with float masks costs. Where the cover is 0 samples stay exactly as they
are.
"""

import math
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.fovea import Sight
from gaze.frames.planes import Plane, Planes

Grid = NDArray[np.float32]

BLACK_Y = 16
GREY_C = 128

GRID_ROWS = 90
"""Rows of the finest grid that a wide, soft edge needs."""

EDGE_CELLS = 4.0
"""Grid cells across a soft edge."""

SUBPIXEL_BITS = 4
"""Fractional bits of the coordinates that OpenCV draws with."""

MAX_GROWTH = 0.15
"""How far uncertainty may widen a disc, as a fraction of the picture's height."""


class Scratch:
    """Memory of one 8-bit plane that is used again for every frame."""

    def __init__(self) -> None:
        self._samples = np.empty(0, np.uint8)

    def plane(self, shape: tuple[int, ...]) -> Plane:
        """Return a plane of undefined content."""
        size = math.prod(shape)
        if self._samples.size < size:
            self._samples = np.empty(max(size, 2 * self._samples.size), np.uint8)
        return self._samples[:size].reshape(shape)


class Veil:
    """Lays colour over planes, in memory of its own."""

    def __init__(self) -> None:
        self._kept = Scratch()
        self._laid = Scratch()

    def lay(
        self, source: Plane, target: Plane, cover: Grid, colour: float | NDArray[np.float32]
    ) -> None:
        """Fill `target` with `source` under a colour (0..255), one or one a grid cell.

        `cover` is 0..1, (rows, columns) of a grid over the whole plane.
        """
        kept = self._kept.plane(target.shape)
        laid = self._laid.plane(target.shape)
        _grow(np.rint(255 * (1 - cover)), kept)
        _grow(np.rint(colour * cover), laid)
        cv2.multiply(source, kept, dst=target, scale=1 / 255)
        cv2.add(target, laid, dst=target)

    def mix(self, source: Plane, other: Plane, target: Plane, cover: Grid) -> None:
        """Fill `target` with `source` under another picture. `other` is written to."""
        weight = self._kept.plane(target.shape)
        _grow(np.rint(255 * cover), weight)
        cv2.multiply(other, weight, dst=other, scale=1 / 255)
        cv2.bitwise_not(weight, dst=weight)
        cv2.multiply(source, weight, dst=target, scale=1 / 255)
        cv2.add(target, other, dst=target)


class Brush:
    """Paints one colour where a mask of full resolution says so, in a box of the picture."""

    def __init__(self) -> None:
        self._mask = Scratch()
        self._halved = Scratch()
        self._kept = Scratch()
        self._laid = Scratch()

    def clear(self, rows: slice, columns: slice) -> Plane:
        """Return an empty mask for a box of luma samples."""
        mask = self._mask.plane((rows.stop - rows.start, columns.stop - columns.start))
        mask[:] = 0
        return mask

    def paint(
        self,
        target: Planes,
        rows: slice,
        columns: slice,
        mask: Plane,
        colour: Sequence[int],
        opacity: float = 1.0,
    ) -> None:
        """Paint Y, U, V `colour` into a box that `box_around` made, where the mask is 255."""
        if not mask.size:
            return
        halved_rows = slice(rows.start // 2, (rows.stop + 1) // 2)
        halved_columns = slice(columns.start // 2, (columns.stop + 1) // 2)
        u, v = (plane[halved_rows, halved_columns] for plane in (target.u, target.v))
        halved = self._halved.plane(u.shape)
        cv2.resize(mask, u.shape[::-1], dst=halved, interpolation=cv2.INTER_AREA)
        self._cover((u, v), halved, colour[1:], opacity)
        self._cover((target.y[rows, columns],), mask, colour[:1], opacity)

    def paste(
        self, target: Planes, rows: slice, columns: slice, mask: Plane, patch: Planes
    ) -> None:
        """Lay a picture of the box's size into the box; mask and patch are used up."""
        halved_rows = slice(rows.start // 2, (rows.stop + 1) // 2)
        halved_columns = slice(columns.start // 2, (columns.stop + 1) // 2)
        for plane, new in ((target.u, patch.u), (target.v, patch.v)):
            halved = self._halved.plane(new.shape)
            cv2.resize(mask, new.shape[::-1], dst=halved, interpolation=cv2.INTER_AREA)
            _over(plane[halved_rows, halved_columns], halved, new)
        _over(target.y[rows, columns], mask, patch.y)

    def _cover(
        self, parts: Sequence[Plane], mask: Plane, values: Sequence[int], opacity: float
    ) -> None:
        kept = self._kept.plane(mask.shape)
        cv2.convertScaleAbs(mask, dst=kept, alpha=-opacity, beta=255)
        laid = self._laid.plane(mask.shape)
        for part, value in zip(parts, values, strict=True):
            cv2.convertScaleAbs(mask, dst=laid, alpha=opacity * value / 255)
            cv2.multiply(part, kept, dst=part, scale=1 / 255)
            cv2.add(part, laid, dst=part)


def draw_disc(mask: Plane, centre: tuple[int, int], radius_px: float, cover: int) -> None:
    """Draw a disc with a soft edge; the centre is in fixed point."""
    radius = round(radius_px * 2**SUBPIXEL_BITS)
    cv2.circle(mask, centre, radius, (cover,), -1, cv2.LINE_AA, SUBPIXEL_BITS)


def draw_ring(
    mask: Plane, centre: tuple[int, int], radius_px: float, thickness_px: float, cover: int
) -> None:
    """Draw a ring with soft edges into an empty mask, as one disc out of another.

    That takes a seventh of the time that `cv2.circle` takes for a thick line.
    """
    draw_disc(mask, centre, radius_px + thickness_px / 2, cover)
    draw_disc(mask, centre, max(0.0, radius_px - thickness_px / 2), 0)


def fixed(x: float, y: float) -> tuple[int, int]:
    """Return a place, in samples from the picture's corner, as OpenCV draws it: fixed point."""
    scale = 2**SUBPIXEL_BITS
    return math.floor((x - 0.5) * scale + 0.5), math.floor((y - 0.5) * scale + 0.5)


def box_around(
    planes: Planes, left: float, top: float, right: float, bottom: float
) -> tuple[slice, slice]:
    """Return the rows and columns of luma that hold a rectangle (samples), cut to the picture.

    They start at even samples, so that a box of luma is a box of chroma too.
    """
    return _even(top, bottom, planes.height), _even(left, right, planes.width)


def outside(
    planes: Planes, sight: Sight, radius: float, softness: float, *, ellipse: bool = False
) -> Grid:
    """Return 0 within the radius of sight rising to 1 past its soft edge, on a grid.

    `radius` and `softness` are fractions of the picture's height; uncertainty widens the radius.
    An ellipse has the picture's proportions.
    """
    aspect = planes.width / planes.height
    radius += min(MAX_GROWTH, sight.spread)
    rows = max(GRID_ROWS, math.ceil(EDGE_CELLS / max(softness, 0.01)))
    rows = min(planes.height, rows)
    columns = min(planes.width, round(rows * aspect) or 1)
    y = (np.arange(rows, dtype=np.float32) + 0.5) / rows - sight.y
    x = (np.arange(columns, dtype=np.float32) + 0.5) / columns - sight.x
    away = np.hypot((x if ellipse else x * aspect)[None, :], y[:, None])
    share = np.clip((away - radius) / softness, 0, 1)
    return np.asarray(share * share * (3 - 2 * share), np.float32)


def yuv_of(red: float, green: float, blue: float) -> tuple[int, int, int]:
    """Return limited-range Y, U, V (BT.601) of a colour given as 0..1."""
    y = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    u = 128 - 37.797 * red - 74.203 * green + 112 * blue
    v = 128 + 112 * red - 93.786 * green - 18.214 * blue
    return round(y), round(u), round(v)


COLOURS = {
    "white": yuv_of(1, 1, 1),
    "amber": yuv_of(1, 0.7, 0.1),
    "red": yuv_of(0.95, 0.2, 0.2),
    "green": yuv_of(0.25, 0.9, 0.4),
    "cyan": yuv_of(0.2, 0.85, 1),
    "black": yuv_of(0, 0, 0),
}


def _grow(grid: Grid, plane: Plane) -> None:
    small = np.asarray(grid, np.uint8)
    cv2.resize(small, plane.shape[::-1], dst=plane, interpolation=cv2.INTER_LINEAR)


def _over(part: Plane, mask: Plane, new: Plane) -> None:
    cv2.multiply(new, mask, dst=new, scale=1 / 255)
    cv2.bitwise_not(mask, dst=mask)
    cv2.multiply(part, mask, dst=part, scale=1 / 255)
    cv2.add(part, new, dst=part)


def _even(start: float, stop: float, size: int) -> slice:
    first = min(size, max(0, math.floor(start))) // 2 * 2
    last = min(size, max(first, math.ceil(stop)))
    return slice(first, min(size, last + last % 2))
