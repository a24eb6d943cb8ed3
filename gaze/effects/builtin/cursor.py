"""A ring or a dot at the point of gaze."""

from typing import Annotated, Final, Literal

from pydantic import Field

from gaze.effects.drawing.blending import MaskBlender
from gaze.effects.drawing.colours import COLOURS, Colour
from gaze.effects.drawing.shapes import (
    ANTIALIAS_PX,
    draw_disc,
    draw_ring,
    even_box,
    to_fixed_point,
)
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.gaze_filter import GazeFilter
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState

LINE_HEIGHTS: Final = 1 / 140
"""Thickness of the ring. Chosen by hand; no benchmark covers it."""

MAX_RADIUS_HEIGHTS: Final = 0.5
"""Most to which uncertainty enlarges the cursor; the most that `size` can be set to."""


class CursorParameters(Parameters):
    """What the cursor can be set to."""

    shape: Literal["ring", "dot"] = Field(
        default="ring", title="Shape", description="A ring around the point of gaze, or a dot on it"
    )
    colour: Colour = Field(default="amber", title="Colour", description="Colour of the cursor")
    size: Annotated[
        float,
        Number(0.005, 0.5, unit="picture heights", title="Size", description="Radius"),
    ] = 0.045
    opacity: Annotated[
        float, Number(0, 1, unit="share", title="Opacity", description="How little shines through")
    ] = 0.85
    grow: bool = Field(
        default=True,
        title="Grow",
        description="Whether it grows while it is not sure where the eyes are",
    )


class Cursor(Effect[CursorParameters]):
    """Draws the cursor; it rests in a fixation and fades a second after the gaze is lost."""

    name = "cursor"
    title = "Cursor"
    description = "A ring or a dot where your eyes are"
    Parameters = CursorParameters

    def __init__(self) -> None:
        self._gaze_filter = GazeFilter()
        self._blender = MaskBlender()

    def draw(
        self, canvas: Canvas, parameters: CursorParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the cursor; see `Effect.draw`."""
        source = canvas.source
        filtered = self._gaze_filter.step(gaze, source.width / source.height, t_s)
        alpha = 0 if filtered is None else round(255 * parameters.opacity * filtered.visibility)
        if filtered is None or alpha == 0:
            return
        size = parameters.size
        if parameters.grow:
            size = max(size, min(MAX_RADIUS_HEIGHTS, filtered.uncertainty))
        radius_px = max(1.0, size * source.height)
        line_px = max(1, round(source.height * LINE_HEIGHTS))
        x, y = filtered.x * source.width, filtered.y * source.height
        reach = radius_px + line_px + ANTIALIAS_PX
        rows, columns = even_box(source, x - reach, y - reach, x + reach, y + reach)
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        mask = self._blender.empty_mask(rows, columns)
        centre = to_fixed_point(x - columns.start, y - rows.start)
        if parameters.shape == "dot":
            draw_disc(mask, centre, radius_px, alpha)
        else:
            draw_ring(mask, centre, radius_px, line_px, alpha)
        colour = COLOURS[parameters.colour]
        self._blender.blend_colour(canvas.copy(), rows, columns, mask, colour)
