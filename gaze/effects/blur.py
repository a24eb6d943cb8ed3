"""Foveation: sharp where the viewer looks and blurrier with eccentricity, or inside out.

How the blur grows is a plain ramp, or follows the acuity of the eye (see `acuity`).
"""

import math
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gaze.effects.acuity import Acuity
from gaze.effects.effect import BLOCK_PX, Canvas, Effect
from gaze.effects.fovea import Fovea, Sight
from gaze.effects.parameters import Number, Parameters
from gaze.effects.pyramid import Blend, Pyramid, Weights, half
from gaze.effects.state import GazeState

Model = Literal["ramp", "visible", "perceptual"]
Area = Literal["periphery", "gaze", "all"]
Span = tuple[int, int]  # samples from the gaze: the first, and the end

LEVELS_AT_720 = 4.0
"""Blur level of full strength in a picture 720 rows high; a doubled height takes one more."""

MAX_GROWTH = 0.15
"""How far uncertainty may widen the area, as a fraction of the picture's height."""

NOTHING = 0.02
"""A blur level that nobody sees."""

GRID_PX = 8
"""Coarsest grid on which weights are computed before they are interpolated."""

ANYWHERE = 1e6
"""More samples than any picture is wide."""

GROWTH_STEP = 0.005
"""Less than this, as a fraction of the picture's height, does not change the area."""

ASSUMED_PICTURE_DEG = 30.0
"""Width of a picture that nobody told us of: a laptop's screen at arm's length."""

ANOTHER_PICTURE = 1.1
"""A picture wider or narrower by this is another one; less is the head's small movements."""


class BlurParameters(Parameters):
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


@dataclass(frozen=True, slots=True)
class LevelMap:
    """The blur level wanted at every place, `depth` where it is full.

    Lengths are fractions of the picture's height; `x` and `y` are fractions of width and height.
    """

    area: Area
    x: float
    y: float
    radius: float
    softness: float
    depth: float
    acuity: Acuity | None = None
    height_deg: float = 0.0
    stretch: float = 1.0
    """How many times wider than high the sharp region is."""

    def level(self, eccentricity: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the blur level at these distances from the gaze."""
        if self.acuity is not None:
            beyond = np.maximum(0, eccentricity - self.radius) * self.height_deg
            return np.asarray(np.minimum(self.depth, self.acuity.level(beyond)), np.float32)
        share = np.clip((eccentricity - self.radius) / self.softness, 0, 1)
        ramp = share * share * (3 - 2 * share)
        if self.area == "all":
            ramp = np.ones_like(ramp)
        elif self.area == "gaze":
            ramp = 1 - ramp
        return np.asarray(self.depth * ramp, np.float32)

    def weight(self, k: int, eccentricity: NDArray[np.float32]) -> Weights:
        """Return the weight of picture k over the coarser ones at these distances from the gaze."""
        return np.clip(k + 1 - self.level(eccentricity), 0, 1)

    def reach(self, k: int) -> float:
        """Return the distance beyond which only the coarser pictures count (`gaze`: only k)."""
        if self.area == "gaze":
            return self.radius + self.softness * _unsmooth(1 - k / self.depth)
        if k + 1 >= self.depth:
            return math.inf
        if self.acuity is not None:
            reach_deg = self.acuity.eccentricity_deg(k + 1)
            return -math.inf if reach_deg < 0 else self.radius + reach_deg / self.height_deg
        if self.area == "all":
            return -math.inf
        return self.radius + self.softness * _unsmooth((k + 1) / self.depth)


class Blur(Effect[BlurParameters]):
    """Foveated blur of all three planes."""

    name = "blur"
    title = "Blur"
    description = "Sharp where the viewer looks and blurrier away from there, or inside out"
    Parameters = BlurParameters

    def __init__(self) -> None:
        self._fovea = Fovea()
        self._luma = Pyramid(0, 0)
        self._chroma = Pyramid(0, 0)
        self._weights: list[WeightMap] = []
        self._growth = 0.0
        self._size = (0, 0)
        self._picture_deg = ASSUMED_PICTURE_DEG

    def draw(
        self, canvas: Canvas, parameters: BlurParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        width, height = canvas.source.width, canvas.source.height
        sight = self._fovea.look(gaze, width / height, t_s)
        depth = parameters.strength * max(1.0, LEVELS_AT_720 + math.log2(height / 720))
        if parameters.area != "all":
            depth *= sight.presence if sight is not None else 0.0
        depth = round(depth, 2)
        if depth < NOTHING:
            return
        if self._size != (width, height):
            self._fit(width, height)
        levels = self._levels(parameters, sight, depth)
        if parameters.model != "ramp" and parameters.area == "periphery":
            levels = self._as_acuity(levels, parameters, gaze)
        if parameters.shape == "ellipse":
            levels = replace(levels, stretch=width / height)
        blends = [self._blend(levels, k) for k in range(math.ceil(depth))]
        target = canvas.blank()
        self._luma.blend(canvas.source.y, target.y, blends)
        # A chroma plane is as large as luma picture 1, so it starts one level further down.
        self._chroma.blend(canvas.source.u, target.u, blends[1:])
        self._chroma.blend(canvas.source.v, target.v, blends[1:])
        rows, columns = canvas.blocks
        y = (np.arange(rows, dtype=np.float32) + 0.5) * BLOCK_PX - levels.y * height
        x = (np.arange(columns, dtype=np.float32) + 0.5) * BLOCK_PX - levels.x * width
        canvas.softened = levels.level(np.hypot(x[None, :] / levels.stretch, y[:, None]) / height)

    def _levels(self, parameters: BlurParameters, sight: Sight | None, depth: float) -> LevelMap:
        x, y, spread = (sight.x, sight.y, sight.spread) if sight is not None else (0.5, 0.5, 0.0)
        growth = min(MAX_GROWTH, spread)
        if abs(growth - self._growth) > GROWTH_STEP:
            self._growth = growth
        radius = parameters.radius + self._growth
        return LevelMap(parameters.area, x, y, radius, parameters.softness, depth)

    def _as_acuity(
        self, levels: LevelMap, parameters: BlurParameters, gaze: GazeState | None
    ) -> LevelMap:
        """Let the eye's acuity say the level; only uncertainty still widens the sharp region."""
        told = gaze.picture_deg if gaze is not None else None
        if told is not None and told > 0:
            ratio = max(told, self._picture_deg) / min(told, self._picture_deg)
            if ratio > ANOTHER_PICTURE:
                self._picture_deg = min(360.0, max(1.0, told))
        width, height = self._size
        gain = parameters.gain if parameters.model == "visible" else 1.0
        return replace(
            levels,
            radius=levels.radius - parameters.radius,
            acuity=Acuity.of_picture(width, self._picture_deg, gain),
            height_deg=self._picture_deg * height / width,
        )

    def _fit(self, width: int, height: int) -> None:
        self._size = (width, height)
        self._luma = Pyramid(height, width)
        self._chroma = Pyramid(half(height), half(width))
        self._weights.clear()

    def _blend(self, levels: LevelMap, k: int) -> Blend:
        if len(self._weights) == k:
            width, height = self._size
            for _ in range(k):
                width, height = half(width), half(height)
            self._weights.append(WeightMap(k, width, height))
        return self._weights[k].around(levels)


class WeightMap:
    """The weights of picture k, computed anew only when more than the place of the gaze changes.

    They are computed around the gaze, as far as they are between 0 and 1; where that is larger than
    the picture, only within it.
    """

    def __init__(self, k: int, width: int, height: int) -> None:
        self._k = k
        self._width = width
        self._height = height
        self._of: tuple[object, ...] = ()
        self._fine = self._coarse = np.empty((0, 0), np.float32)

    def around(self, levels: LevelMap) -> Blend:
        """Return the weights in the box of the picture in which they are between 0 and 1."""
        height, width = self._height, self._width
        row, column = round(levels.y * height), round(levels.x * width)
        reach = levels.reach(self._k) * height
        rows, columns = _beyond(reach), _beyond(reach * levels.stretch)
        if 4 * rows * columns > width * height:
            above, below = min(rows, row), min(rows, height - row)
            before, after = min(columns, column), min(columns, width - column)
        else:
            above = below = rows
            before = after = columns
        self._compute(levels, (-above, below), (-before, after))
        top, left = row - above, column - before
        within = (
            slice(max(0, top), max(0, min(height, row + below))),
            slice(max(0, left), max(0, min(width, column + after))),
        )
        kept = tuple(
            slice(span.start - first, max(span.start, span.stop) - first)
            for span, first in zip(within, (top, left), strict=True)
        )
        return Blend(*within, self._fine[kept], self._coarse[kept], levels.area == "gaze")

    def _compute(self, levels: LevelMap, rows: Span, columns: Span) -> None:
        of = (replace(levels, x=0.0, y=0.0), rows, columns)
        if of == self._of:
            return
        self._of = of
        shape = max(0, rows[1] - rows[0]), max(0, columns[1] - columns[0])
        if self._fine.shape != shape:
            self._fine, self._coarse = np.empty(shape, np.float32), np.empty(shape, np.float32)
        if not self._fine.size:
            return
        height = self._height
        cell = max(1.0, min(GRID_PX, levels.softness * height / max(1.0, levels.depth) / 4))
        y = _centres(rows, cell)
        x = _centres(columns, cell) / levels.stretch
        grid = levels.weight(self._k, np.hypot(x[None, :], y[:, None]) / height)
        cv2.resize(grid, shape[::-1], dst=self._fine, interpolation=cv2.INTER_LINEAR)
        np.subtract(1, self._fine, out=self._coarse)


def _unsmooth(ramp: float) -> float:
    """Return the s from 0 to 1 for which 3s² - 2s³ is `ramp`."""
    return 0.5 - math.sin(math.asin(1 - 2 * min(1.0, max(0.0, ramp))) / 3)


def _beyond(reach: float) -> int:
    """Return the whole samples within a reach and one more; none if it is negative."""
    return math.ceil(min(max(reach, -1.0), ANYWHERE)) + 1


def _centres(span: Span, cell: float) -> NDArray[np.float32]:
    """Return the middles of about `cell` long, equal parts of a span of samples."""
    first, end = span
    count = max(1, math.ceil((end - first) / cell))
    return np.asarray(first + (np.arange(count) + 0.5) * (end - first) / count, np.float32)
