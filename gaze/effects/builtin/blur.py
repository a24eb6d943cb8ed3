"""Foveated blur: sharp where the viewer looks and blurrier with eccentricity, or the inverse.

How the blur grows is a plain ramp, or follows the acuity of the eye (see `drawing.acuity`).
"""

import math
from dataclasses import replace
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from gaze.effects.drawing.acuity import Acuity
from gaze.effects.drawing.foveation import Area, LevelMap, LevelWeights
from gaze.effects.drawing.masks import MAX_WIDENING_HEIGHTS
from gaze.effects.drawing.pyramid import LevelBlend, Pyramid, half_size
from gaze.effects.effect import BLOCK_PX, Canvas, Effect
from gaze.effects.motion.gaze_filter import FilteredGaze, GazeFilter
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import DEFAULT_PICTURE_DEG, GazeState
from gaze.frames.planes import FloatPlane

Model = Literal["ramp", "visible", "perceptual"]

LEVELS_AT_720: Final = 4.0
"""Level of detail at full strength in a picture 720 rows high; a doubled height takes one more.
Chosen by hand; `benchmarks.effects` measures the cost and `benchmarks.bitrate` what it saves."""

MIN_LEVEL: Final = 0.02
"""A level of detail below this is not seen. Chosen by hand; no benchmark covers it."""

WIDENING_STEP_HEIGHTS: Final = 0.005
"""A smaller change of uncertainty keeps the region, so that weights are not computed for every
frame (`benchmarks.effects`: 3.4 to 2.1 ms a frame at 720p with all that is kept)."""

MIN_ANGLE_RATIO: Final = 1.1
"""A change of the picture's visual angle by less than this factor is ignored: the head's small
movements. Chosen by hand; no benchmark covers it."""


class BlurParameters(Parameters):
    """What the blur can be set to."""

    model: Model = Field(
        default="ramp",
        title="Model",
        description="How blur grows: by radius and softness, visibly faster than acuity falls, or "
        "just as acuity falls",
    )
    area: Area = Field(
        default="periphery",
        title="Area",
        description="What is blurred: all but the point of gaze, the point of gaze, or everything",
    )
    shape: Literal["circle", "ellipse"] = Field(
        default="circle",
        title="Shape",
        description="A circle, or an ellipse with the picture's proportions",
    )
    strength: Annotated[
        float, Number(0, 1, unit="share", title="Strength", description="How blurred it may get")
    ] = 0.8
    radius: Annotated[
        float,
        Number(
            0,
            1,
            unit="picture heights",
            title="Radius",
            description="Size of the circle around the point of gaze, without its soft edge",
        ),
    ] = 0.15
    softness: Annotated[
        float,
        Number(
            0.02,
            2,
            unit="picture heights",
            title="Softness",
            description="Width of the circle's edge, from sharp to fully blurred",
        ),
    ] = 0.35
    gain: Annotated[
        float,
        Number(
            1,
            10,
            unit="times",
            title="Gain",
            description="How much faster than acuity sharpness falls in the visible model",
        ),
    ] = 3.0


class Blur(Effect[BlurParameters]):
    """Foveated blur of all three planes by blending the levels of their image pyramids."""

    name = "blur"
    title = "Blur"
    description = "Sharp where the viewer looks and blurrier away from there, or inside out"
    Parameters = BlurParameters

    def __init__(self) -> None:
        self._gaze_filter = GazeFilter()
        self._luma = Pyramid(0, 0)
        self._chroma = Pyramid(0, 0)
        self._weights: list[LevelWeights] = []
        self._widening = 0.0
        self._size = (0, 0)
        self._picture_deg = DEFAULT_PICTURE_DEG

    def draw(
        self, canvas: Canvas, parameters: BlurParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the blur; see `Effect.draw`."""
        width, height = canvas.source.width, canvas.source.height
        filtered = self._gaze_filter.step(gaze, width / height, t_s)
        max_level = parameters.strength * max(1.0, LEVELS_AT_720 + math.log2(height / 720))
        if parameters.area != "all":
            max_level *= filtered.visibility if filtered is not None else 0.0
        max_level = round(max_level, 2)
        if max_level < MIN_LEVEL:
            return
        if self._size != (width, height):
            self._allocate(width, height)
        levels = self._levels(parameters, filtered, max_level)
        if parameters.model != "ramp" and parameters.area == "periphery":
            levels = self._by_acuity(levels, parameters, gaze)
        if parameters.shape == "ellipse":
            levels = replace(levels, ellipse_aspect=width / height)
        blends = [self._blend(levels, k) for k in range(math.ceil(max_level))]
        target = canvas.blank()
        self._luma.blend(canvas.source.y, target.y, blends)
        # A chroma plane is as large as level 1 of luma, so it starts one level further down.
        self._chroma.blend(canvas.source.u, target.u, blends[1:])
        self._chroma.blend(canvas.source.v, target.v, blends[1:])
        canvas.softened = _level_of_blocks(levels, canvas)

    def _levels(
        self, parameters: BlurParameters, filtered: FilteredGaze | None, max_level: float
    ) -> LevelMap:
        """Return the ramp of radius and softness; uncertainty widens its radius."""
        x, y, uncertainty = 0.5, 0.5, 0.0
        if filtered is not None:
            x, y, uncertainty = filtered.x, filtered.y, filtered.uncertainty
        widening = min(MAX_WIDENING_HEIGHTS, uncertainty)
        if abs(widening - self._widening) > WIDENING_STEP_HEIGHTS:
            self._widening = widening
        radius = parameters.radius + self._widening
        return LevelMap(parameters.area, x, y, radius, parameters.softness, max_level)

    def _by_acuity(
        self, levels: LevelMap, parameters: BlurParameters, gaze: GazeState | None
    ) -> LevelMap:
        """Let the eye's acuity give the level; only uncertainty still widens the sharp region."""
        picture_deg = gaze.picture_deg if gaze is not None else None
        if picture_deg is not None and picture_deg > 0:
            ratio = max(picture_deg, self._picture_deg) / min(picture_deg, self._picture_deg)
            if ratio > MIN_ANGLE_RATIO:
                self._picture_deg = min(360.0, max(1.0, picture_deg))
        width, height = self._size
        gain = parameters.gain if parameters.model == "visible" else 1.0
        return replace(
            levels,
            radius=levels.radius - parameters.radius,
            acuity=Acuity.of_picture(width, self._picture_deg, gain),
            height_deg=self._picture_deg * height / width,
        )

    def _allocate(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._luma = Pyramid(height, width)
        self._chroma = Pyramid(half_size(height), half_size(width))
        self._weights.clear()

    def _blend(self, levels: LevelMap, k: int) -> LevelBlend:
        if len(self._weights) == k:
            width, height = self._size
            for _ in range(k):
                width, height = half_size(width), half_size(height)
            self._weights.append(LevelWeights(k, width, height))
        return self._weights[k].blend(levels)


def _level_of_blocks(levels: LevelMap, canvas: Canvas) -> FloatPlane:
    """Return the level of detail at the centre of each of the encoder's blocks."""
    width, height = canvas.source.width, canvas.source.height
    rows, columns = canvas.blocks
    y = (np.arange(rows, dtype=np.float32) + 0.5) * BLOCK_PX - levels.y * height
    x = (np.arange(columns, dtype=np.float32) + 0.5) * BLOCK_PX - levels.x * width
    return levels.level(np.hypot(x[None, :] / levels.ellipse_aspect, y[:, None]) / height)
