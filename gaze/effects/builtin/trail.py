"""A line along where the gaze has been, thinner and fainter with age."""

import math
from typing import Annotated, Final

from pydantic import Field

from gaze.effects.drawing.blending import MaskBlender
from gaze.effects.drawing.colours import COLOURS, Colour
from gaze.effects.drawing.fading_mask import FadingMask
from gaze.effects.drawing.shapes import ANTIALIAS_PX
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.points import gaze_point, interpolate
from gaze.effects.motion.time_step import TimeStep, low_pass_gain
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import Point

SMOOTHING_S: Final = 0.06
"""Time constant of the point's low-pass filter. Chosen by hand; no benchmark covers it."""

SACCADE_FRACTION: Final = 0.08
"""Steps longer than this, in fractions of the picture, are saccades and not filtered. Chosen by
hand; no benchmark covers it."""

SOFT_WIDENING: Final = 1.4
"""How much wider than its `width` a line is drawn, since its edges are faint. Chosen by hand."""


class TrailParameters(Parameters):
    """What the trail can be set to."""

    colour: Colour = Field(default="cyan", title="Colour", description="Colour of the trail")
    length: Annotated[
        float,
        Number(0.1, 10, unit="s", title="Length", description="How long the trail remembers"),
    ] = 1.5
    width: Annotated[
        float,
        Number(
            0.002,
            0.1,
            unit="picture heights",
            title="Width",
            description="Thickness of the line at the point of gaze",
        ),
    ] = 0.016
    opacity: Annotated[
        float, Number(0, 1, unit="share", title="Opacity", description="How little shines through")
    ] = 0.85


class Trail(Effect[TrailParameters]):
    """Draws the path of the gaze as it goes and lets it fade; an unknown gaze is a gap."""

    name = "trail"
    title = "Trail"
    description = "A fading line along where your eyes have been"
    Parameters = TrailParameters

    def __init__(self) -> None:
        self._mask = FadingMask()
        self._blender = MaskBlender()
        self._last: Point | None = None
        self._time_step = TimeStep()

    def draw(
        self, canvas: Canvas, parameters: TrailParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the trail; see `Effect.draw`."""
        step_s = self._time_step.step(t_s)
        source, mask = canvas.source, self._mask
        width_px = SOFT_WIDENING * parameters.width * source.height
        mask.resize(source.height, source.width)
        mask.fade(step_s / parameters.length)
        point = gaze_point(gaze)
        if point is not None:
            point = self._filtered(point, step_s)
            mask.draw_line(source, self._last or point, point, width_px)
        self._last = point
        cropped = mask.crop(source, width_px + ANTIALIAS_PX)
        if cropped.size and parameters.opacity > 0:
            colour = COLOURS[parameters.colour]
            self._blender.blend_colour(
                canvas.copy(), *mask.box, cropped, colour, parameters.opacity
            )

    def _filtered(self, point: Point, step_s: float) -> Point:
        if self._last is None or math.dist(point, self._last) >= SACCADE_FRACTION:
            return point
        return interpolate(self._last, point, low_pass_gain(step_s, SMOOTHING_S))
