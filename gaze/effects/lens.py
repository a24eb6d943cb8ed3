"""A round magnifying glass over one place of an otherwise untouched picture."""

from gaze.effects.magnify import Magnifier
from gaze.effects.veil import COLOURS, Brush, Scratch, box_around, draw_disc, draw_ring, fixed
from gaze.effects.view import Point
from gaze.frames.planes import Planes

EDGE_PX = 3
RIM_OPACITY = 0.55


class Lens:
    """Draws the lens, in memory that is used again for every frame."""

    def __init__(self) -> None:
        self._magnifier = Magnifier()
        self._brush = Brush()
        self._patch = (Scratch(), Scratch(), Scratch())

    def draw(
        self,
        source: Planes,
        target: Planes,
        magnification: float,
        centre: Point,
        radius: float,
        presence: float,
    ) -> None:
        """Draw onto `target`, a copy of `source`. `centre` and all it shows stay where they are.

        `centre` is in fractions of the picture, `radius` of its height; `presence` is 0..1.
        """
        x, y = centre[0] * source.width, centre[1] * source.height
        radius_px = radius * source.height
        rim_px = max(1, round(source.height / 160))
        reach = radius_px + rim_px + EDGE_PX
        rows, columns = box_around(source, x - reach, y - reach, x + reach, y + reach)
        height, width = rows.stop - rows.start, columns.stop - columns.start
        if not height or not width:
            return
        halved = (height + 1) // 2, (width + 1) // 2
        shapes = ((height, width), halved, halved)
        patch = Planes(*(s.plane(shape) for s, shape in zip(self._patch, shapes, strict=True)))
        corner = columns.start, rows.start
        self._magnifier.draw_part(source, patch, magnification, (x, y), corner)
        middle = fixed(x - columns.start, y - rows.start)
        mask = self._brush.clear(rows, columns)
        draw_disc(mask, middle, radius_px, round(255 * presence))
        self._brush.paste(target, rows, columns, mask, patch)
        mask = self._brush.clear(rows, columns)
        draw_ring(mask, middle, radius_px, rim_px, round(255 * presence * RIM_OPACITY))
        self._brush.paint(target, rows, columns, mask, COLOURS["white"])
