"""A spotlight on the point of gaze: everything else is dimmed, or loses its colour."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gaze.effects.drawing.blending import MIN_ALPHA, GridBlender
from gaze.effects.drawing.colours import BLACK_LUMA, NEUTRAL_CHROMA
from gaze.effects.drawing.masks import peripheral_mask
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.gaze_filter import GazeFilter
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState


class SpotlightParameters(Parameters):
    """What the spotlight can be set to."""

    look: Literal["dim", "grey"] = Field(
        default="dim",
        title="Look",
        description="Whether the surroundings are dimmed or lose their colour",
    )
    shape: Literal["circle", "ellipse"] = Field(
        default="circle",
        title="Shape",
        description="A circle, or an ellipse with the picture's proportions",
    )
    strength: Annotated[
        float,
        Number(0, 1, unit="share", title="Strength", description="How much light or colour goes"),
    ] = 0.75
    radius: Annotated[
        float,
        Number(
            0,
            1,
            unit="picture heights",
            title="Radius",
            description="Size of the lit circle, without its soft edge",
        ),
    ] = 0.2
    softness: Annotated[
        float,
        Number(
            0.02, 2, unit="picture heights", title="Softness", description="Width of its soft edge"
        ),
    ] = 0.3


class Spotlight(Effect[SpotlightParameters]):
    """Blends black, or only neutral chroma, over all but the surroundings of the gaze."""

    name = "spotlight"
    title = "Spotlight"
    description = "What you look at stays bright or coloured; the rest is dimmed or turns grey"
    Parameters = SpotlightParameters

    def __init__(self) -> None:
        self._gaze_filter = GazeFilter()
        self._blender = GridBlender()

    def draw(
        self, canvas: Canvas, parameters: SpotlightParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the spotlight; see `Effect.draw`."""
        source = canvas.source
        filtered = self._gaze_filter.step(gaze, source.width / source.height, t_s)
        if filtered is None or parameters.strength * filtered.visibility < MIN_ALPHA:
            return
        alpha = peripheral_mask(
            source,
            filtered,
            parameters.radius,
            parameters.softness,
            ellipse=parameters.shape == "ellipse",
        )
        alpha *= parameters.strength * filtered.visibility
        target = canvas.blank()
        if parameters.look == "dim":
            self._blender.blend_colour(source.y, target.y, alpha, BLACK_LUMA)
        else:
            np.copyto(target.y, source.y)
        self._blender.blend_colour(source.u, target.u, alpha, NEUTRAL_CHROMA)
        self._blender.blend_colour(source.v, target.v, alpha, NEUTRAL_CHROMA)
