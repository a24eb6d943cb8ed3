"""A mosaic of blocks: around the point of gaze, over it, or everywhere."""

from typing import Annotated, Final, Literal

import cv2
import numpy as np
from pydantic import Field

from gaze.effects.drawing.blending import MIN_ALPHA, GridBlender
from gaze.effects.drawing.buffers import PlaneBuffer
from gaze.effects.drawing.masks import peripheral_mask
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.gaze_filter import GazeFilter
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.frames.planes import FloatPlane, Plane, Planes

HALVED_FROM_PX: Final = 4
"""Blocks at least this wide are averaged from a halved picture, since `cv2.resize` halves exactly
and fast. Chosen by hand; `benchmarks.effects` measures the cost."""

MAX_HALVINGS: Final = 12
"""More than a picture of 4096 samples can be halved."""


class PixelateParameters(Parameters):
    """What the mosaic can be set to."""

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
    """Makes mosaics of planes, in memory that is used again for every frame."""

    def __init__(self) -> None:
        self._halved = [PlaneBuffer() for _ in range(MAX_HALVINGS)]
        self._blocks = PlaneBuffer()

    def draw(self, source: Plane, target: Plane, blocks: tuple[int, int]) -> None:
        """Fill a plane with blocks, each the mean of its samples in the source.

        Parameters
        ----------
        source, target : ndarray of uint8, shape (height, width)
            What is read, and what is written.
        blocks : tuple of int
            Rows and columns of blocks, at most one for each sample.
        """
        mean = self._blocks.plane(blocks)
        for buffer in self._halved:
            rows, columns = source.shape[0] // 2, source.shape[1] // 2
            if 2 * rows < HALVED_FROM_PX * blocks[0] or 2 * columns < HALVED_FROM_PX * blocks[1]:
                break
            halved = buffer.plane((rows, columns))
            even = source[: 2 * rows, : 2 * columns]
            cv2.resize(even, (columns, rows), dst=halved, interpolation=cv2.INTER_AREA)
            source = halved
        cv2.resize(source, blocks[::-1], dst=mean, interpolation=cv2.INTER_AREA)
        cv2.resize(mean, target.shape[::-1], dst=target, interpolation=cv2.INTER_NEAREST)


class Pixelate(Effect[PixelateParameters]):
    """Blends a mosaic over the source; its blocks stay where they are while the gaze moves."""

    name = "pixelate"
    title = "Pixelate"
    description = "A mosaic around what you look at, over it, or everywhere"
    Parameters = PixelateParameters

    def __init__(self) -> None:
        self._gaze_filter = GazeFilter()
        self._blender = GridBlender()
        self._mosaic = Mosaic()
        self._buffer = PlaneBuffer()

    def draw(
        self, canvas: Canvas, parameters: PixelateParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the mosaic; see `Effect.draw`."""
        source = canvas.source
        filtered = self._gaze_filter.step(gaze, source.width / source.height, t_s)
        side_px = parameters.size * source.height
        if side_px < 2:
            return
        blocks = max(1, round(source.height / side_px)), max(1, round(source.width / side_px))
        if parameters.area == "all":
            target = canvas.blank()
            for plane, drawn in zip(source, target, strict=True):
                self._mosaic.draw(plane, drawn, _at_most(blocks, plane))
            return
        if filtered is None or filtered.visibility < MIN_ALPHA:
            return
        alpha = peripheral_mask(source, filtered, parameters.radius, parameters.softness)
        if parameters.area == "gaze":
            alpha = np.asarray(1 - alpha, np.float32)
        alpha *= filtered.visibility
        self._blend(source, canvas.blank(), blocks, alpha)

    def _blend(
        self, source: Planes, target: Planes, blocks: tuple[int, int], alpha: FloatPlane
    ) -> None:
        for plane, drawn in zip(source, target, strict=True):
            mosaic = self._buffer.plane(plane.shape)
            self._mosaic.draw(plane, mosaic, _at_most(blocks, plane))
            self._blender.blend_plane(plane, mosaic, drawn, alpha)


def _at_most(blocks: tuple[int, int], plane: Plane) -> tuple[int, int]:
    return min(blocks[0], plane.shape[0]), min(blocks[1], plane.shape[1])
