"""A round magnifying glass over one place of an otherwise untouched picture."""

from typing import Final

from gaze.effects.drawing.blending import MaskBlender
from gaze.effects.drawing.buffers import PlaneBuffer
from gaze.effects.drawing.colours import COLOURS
from gaze.effects.drawing.magnifier import Magnifier
from gaze.effects.drawing.shapes import (
    ANTIALIAS_PX,
    draw_disc,
    draw_ring,
    even_box,
    to_fixed_point,
)
from gaze.effects.view import Point
from gaze.frames.planes import Planes

RIM_OPACITY: Final = 0.55
RIM_HEIGHTS: Final = 1 / 160
"""Opacity and width of the lens's rim. Chosen by hand; no benchmark covers them."""


class Lens:
    """Draws the lens, in memory that is used again for every frame."""

    def __init__(self) -> None:
        self._magnifier = Magnifier()
        self._blender = MaskBlender()
        self._buffers = (PlaneBuffer(), PlaneBuffer(), PlaneBuffer())

    def draw(
        self,
        source: Planes,
        target: Planes,
        magnification: float,
        centre: Point,
        radius: float,
        opacity: float,
    ) -> None:
        """Draw the lens.

        Parameters
        ----------
        source : Planes
            The picture that is magnified.
        target : Planes
            A copy of it, which is drawn on.
        magnification : float
            At least 1.
        centre : Point
            Centre of the lens in fractions of the picture; the point that stays in its place.
        radius : float
            Radius of the lens as a fraction of the picture's height.
        opacity : float
            From 0 to 1.
        """
        x, y = centre[0] * source.width, centre[1] * source.height
        radius_px = radius * source.height
        rim_px = max(1, round(source.height * RIM_HEIGHTS))
        reach = radius_px + rim_px + ANTIALIAS_PX
        rows, columns = even_box(source, x - reach, y - reach, x + reach, y + reach)
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not height or not width:
            return
        chroma_shape = (height + 1) // 2, (width + 1) // 2
        shapes = ((height, width), chroma_shape, chroma_shape)
        planes = (b.plane(shape) for b, shape in zip(self._buffers, shapes, strict=True))
        magnified = Planes(*planes)
        corner = columns.start, rows.start
        self._magnifier.draw_part(source, magnified, magnification, (x, y), corner)
        middle = to_fixed_point(x - columns.start, y - rows.start)
        mask = self._blender.empty_mask(rows, columns)
        draw_disc(mask, middle, radius_px, round(255 * opacity))
        self._blender.blend_picture(target, rows, columns, mask, magnified)
        mask = self._blender.empty_mask(rows, columns)
        draw_ring(mask, middle, radius_px, rim_px, round(255 * opacity * RIM_OPACITY))
        self._blender.blend_colour(target, rows, columns, mask, COLOURS["white"])
