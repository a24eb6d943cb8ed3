"""A ring where the eyes are."""

from typing import Annotated, Literal

from pydantic import Field

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import Fovea
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import COLOURS, Brush, box_around, draw_disc, draw_ring, fixed

Colour = Literal["white", "amber", "red", "green", "cyan", "black"]

EDGE_PX = 3
"""Room for the ring's soft edge."""


class CursorParameters(Parameters):
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
    """Paints the cursor; it rests in a fixation and fades a second after the gaze is lost."""

    name = "cursor"
    title = "Cursor"
    description = "A ring or a dot where your eyes are"
    Parameters = CursorParameters

    def __init__(self) -> None:
        self._fovea = Fovea()
        self._brush = Brush()

    def draw(
        self, canvas: Canvas, parameters: CursorParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        sight = self._fovea.look(gaze, source.width / source.height, t_s)
        cover = 0 if sight is None else round(255 * parameters.opacity * sight.presence)
        if sight is None or cover == 0:
            return
        size = parameters.size
        if parameters.grow:
            size = max(size, min(0.5, sight.spread))
        radius = max(1.0, size * source.height)
        thickness = max(1, round(source.height / 140))
        x, y = sight.x * source.width, sight.y * source.height
        reach = radius + thickness + EDGE_PX
        rows, columns = box_around(source, x - reach, y - reach, x + reach, y + reach)
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        mask = self._brush.clear(rows, columns)
        centre = fixed(x - columns.start, y - rows.start)
        if parameters.shape == "dot":
            draw_disc(mask, centre, radius, cover)
        else:
            draw_ring(mask, centre, radius, thickness, cover)
        self._brush.paint(canvas.copy(), rows, columns, mask, COLOURS[parameters.colour])
