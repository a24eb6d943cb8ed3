"""A mosaic of blocks: around what is looked at, over it, or everywhere."""

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import Fovea
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import Grid, Scratch, Veil, outside
from gaze.frames.planes import Plane, Planes

VISIBLE = 1 / 255

HALVED_FROM = 4
"""Blocks so many samples wide are averaged from a halved picture; exact halves are cheap."""


class PixelateParameters(Parameters):
    area: Literal["periphery", "gaze", "all"] = Field(
        default="periphery",
        title="Area",
        description="What is pixelated: all but the point of gaze, the point of gaze, or all",
    )
    size: Annotated[
        float,
        Number(0, 0.5, unit="picture heights", title="Size", description="Side of one block"),
    ] = 0.04
    radius: Annotated[
        float,
        Number(
            0,
            1,
            unit="picture heights",
            title="Radius",
            description="Size of the circle around the point of gaze, without its soft edge",
        ),
    ] = 0.2
    softness: Annotated[
        float,
        Number(
            0.02, 2, unit="picture heights", title="Softness", description="Width of its soft edge"
        ),
    ] = 0.15


class Mosaic:
    """Makes block pictures of planes, in memory of its own."""

    def __init__(self) -> None:
        self._halved = [Scratch() for _ in range(12)]
        self._blocks = Scratch()

    def draw(self, source: Plane, target: Plane, blocks: tuple[int, int]) -> None:
        """Fill `target` with as many (rows, columns) blocks, each the mean of its samples."""
        mean = self._blocks.plane(blocks)
        for scratch in self._halved:
            rows, columns = source.shape[0] // 2, source.shape[1] // 2
            if 2 * rows < HALVED_FROM * blocks[0] or 2 * columns < HALVED_FROM * blocks[1]:
                break
            smaller = scratch.plane((rows, columns))
            even = source[: 2 * rows, : 2 * columns]
            cv2.resize(even, (columns, rows), dst=smaller, interpolation=cv2.INTER_AREA)
            source = smaller
        cv2.resize(source, blocks[::-1], dst=mean, interpolation=cv2.INTER_AREA)
        cv2.resize(mean, target.shape[::-1], dst=target, interpolation=cv2.INTER_NEAREST)


class Pixelate(Effect[PixelateParameters]):
    """Lays a mosaic over the source; its blocks stay where they are while the gaze moves."""

    name = "pixelate"
    title = "Pixelate"
    description = "A mosaic around what you look at, over it, or everywhere"
    Parameters = PixelateParameters

    def __init__(self) -> None:
        self._fovea = Fovea()
        self._veil = Veil()
        self._mosaic = Mosaic()
        self._drawn = Scratch()

    def draw(
        self, canvas: Canvas, parameters: PixelateParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        sight = self._fovea.look(gaze, source.width / source.height, t_s)
        side = parameters.size * source.height
        if side < 2:
            return
        blocks = max(1, round(source.height / side)), max(1, round(source.width / side))
        if parameters.area == "all":
            target = canvas.blank()
            for old, new in zip(source, target, strict=True):
                self._mosaic.draw(old, new, _at_most(blocks, old))
            return
        if sight is None or sight.presence < VISIBLE:
            return
        cover = outside(source, sight, parameters.radius, parameters.softness)
        if parameters.area == "gaze":
            cover = np.asarray(1 - cover, np.float32)
        cover *= sight.presence
        self._lay(source, canvas.blank(), blocks, cover)

    def _lay(
        self,
        source: Planes,
        target: Planes,
        blocks: tuple[int, int],
        cover: Grid,
    ) -> None:
        for old, new in zip(source, target, strict=True):
            mosaic = self._drawn.plane(old.shape)
            self._mosaic.draw(old, mosaic, _at_most(blocks, old))
            self._veil.mix(old, mosaic, new, cover)


def _at_most(blocks: tuple[int, int], plane: Plane) -> tuple[int, int]:
    return min(blocks[0], plane.shape[0]), min(blocks[1], plane.shape[1])
