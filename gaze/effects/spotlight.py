"""A spotlight on what is looked at: everything else is dimmed, or loses its colour."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import Fovea
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import BLACK_Y, GREY_C, Veil, outside

VISIBLE = 1 / 255
"""A cover that changes a sample by one step at most."""


class SpotlightParameters(Parameters):
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
    """Lays black, or just neutral chroma, over what is not looked at."""

    name = "spotlight"
    title = "Spotlight"
    description = "What you look at stays bright or coloured; the rest is dimmed or turns grey"
    Parameters = SpotlightParameters

    def __init__(self) -> None:
        self._fovea = Fovea()
        self._veil = Veil()

    def draw(
        self, canvas: Canvas, parameters: SpotlightParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        sight = self._fovea.look(gaze, source.width / source.height, t_s)
        if sight is None or parameters.strength * sight.presence < VISIBLE:
            return
        cover = outside(
            source,
            sight,
            parameters.radius,
            parameters.softness,
            ellipse=parameters.shape == "ellipse",
        )
        cover *= parameters.strength * sight.presence
        target = canvas.blank()
        if parameters.look == "dim":
            self._veil.lay(source.y, target.y, cover, BLACK_Y)
        else:
            np.copyto(target.y, source.y)
        self._veil.lay(source.u, target.u, cover, GREY_C)
        self._veil.lay(source.v, target.v, cover, GREY_C)
