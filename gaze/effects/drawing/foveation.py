"""Levels of detail around the point of gaze, and the weights of an image pyramid that give them."""

import math
from dataclasses import dataclass, replace
from typing import Final, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.drawing.acuity import Acuity
from gaze.effects.drawing.masks import inverse_smoothstep, smoothstep
from gaze.effects.drawing.pyramid import LevelBlend
from gaze.frames.planes import FloatPlane

Area = Literal["periphery", "gaze", "all"]
Span = tuple[int, int]
"""Samples relative to the point of gaze: the first, and the end."""

GRID_PX: Final = 8
"""Largest cells of the grid on which weights are computed before they are interpolated. Chosen by
hand; `benchmarks.effects` measures the cost."""

MIN_EDGE_CELLS: Final = 4
"""Least number of grid cells across one level's transition. Chosen by hand; no benchmark covers
it."""

MAX_REACH_PX: Final = 1e6
"""More samples than any picture is wide."""


@dataclass(frozen=True, slots=True)
class LevelMap:
    """The level of detail at every place of a picture; level n is 1 / 2**n of the size.

    Lengths are fractions of the picture's height.

    Attributes
    ----------
    area : Area
        What is blurred.
    x, y : float
        Point of gaze in fractions of width and height.
    radius : float
        Radius of the region around the gaze.
    softness : float
        Width of its edge, without an acuity model.
    max_level : float
        The highest level.
    acuity : Acuity, optional
        Gives the level by eccentricity instead of the ramp of radius and softness.
    height_deg : float, default 0
        Height of the picture in degrees of visual angle, for the acuity model.
    ellipse_aspect : float, default 1
        How many times wider than high the region is.
    """

    area: Area
    x: float
    y: float
    radius: float
    softness: float
    max_level: float
    acuity: Acuity | None = None
    height_deg: float = 0.0
    ellipse_aspect: float = 1.0

    def level(self, distance: FloatPlane) -> FloatPlane:
        """Return the level of detail.

        Parameters
        ----------
        distance : ndarray of float32
            Distances from the gaze.

        Returns
        -------
        ndarray of float32
            From 0 to `max_level`.
        """
        if self.acuity is not None:
            beyond_deg = np.maximum(0, distance - self.radius) * self.height_deg
            return np.asarray(np.minimum(self.max_level, self.acuity.level(beyond_deg)), np.float32)
        ramp = smoothstep(np.clip((distance - self.radius) / self.softness, 0, 1))
        if self.area == "all":
            ramp = np.ones_like(ramp)
        elif self.area == "gaze":
            ramp = 1 - ramp
        return np.asarray(self.max_level * ramp, np.float32)

    def weight(self, k: int, distance: FloatPlane) -> FloatPlane:
        """Return the weight of a pyramid level over the coarser ones.

        Parameters
        ----------
        k : int
            The pyramid level.
        distance : ndarray of float32
            Distances from the gaze.

        Returns
        -------
        ndarray of float32
            From 0 to 1.
        """
        return np.clip(k + 1 - self.level(distance), 0, 1)

    def outer_radius(self, k: int) -> float:
        """Return the distance beyond which the weight of a pyramid level is constant.

        Parameters
        ----------
        k : int
            The pyramid level.

        Returns
        -------
        float
            Beyond it only the coarser levels are seen (area `gaze`: only the level itself);
            infinite or negative infinite if that is nowhere or everywhere.
        """
        if self.area == "gaze":
            return self.radius + self.softness * inverse_smoothstep(1 - k / self.max_level)
        if k + 1 >= self.max_level:
            return math.inf
        if self.acuity is not None:
            radius_deg = self.acuity.eccentricity_deg(k + 1)
            return -math.inf if radius_deg < 0 else self.radius + radius_deg / self.height_deg
        if self.area == "all":
            return -math.inf
        return self.radius + self.softness * inverse_smoothstep((k + 1) / self.max_level)


class LevelWeights:
    """The weights of one pyramid level, kept while nothing but the gaze's place changes.

    They are computed in the box around the gaze in which they are between 0 and 1; where that is
    larger than the picture, only within the picture.
    """

    def __init__(self, k: int, width: int, height: int) -> None:
        """Compute nothing yet.

        Parameters
        ----------
        k : int
            The pyramid level.
        width, height : int
            Its size in samples.
        """
        self._k = k
        self._width = width
        self._height = height
        self._computed_for: tuple[object, ...] = ()
        self._fine = self._coarse = np.empty((0, 0), np.float32)

    def blend(self, levels: LevelMap) -> LevelBlend:
        """Return how the level is blended over the coarser ones.

        Parameters
        ----------
        levels : LevelMap
            The levels of detail of the picture.

        Returns
        -------
        LevelBlend
            Views of memory that the next call may overwrite.
        """
        height, width = self._height, self._width
        row, column = round(levels.y * height), round(levels.x * width)
        radius_px = levels.outer_radius(self._k) * height
        rows, columns = _reach_px(radius_px), _reach_px(radius_px * levels.ellipse_aspect)
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
        visible = tuple(
            slice(span.start - first, max(span.start, span.stop) - first)
            for span, first in zip(within, (top, left), strict=True)
        )
        return LevelBlend(
            *within, self._fine[visible], self._coarse[visible], levels.area == "gaze"
        )

    def _compute(self, levels: LevelMap, rows: Span, columns: Span) -> None:
        key = (replace(levels, x=0.0, y=0.0), rows, columns)
        if key == self._computed_for:
            return
        self._computed_for = key
        shape = max(0, rows[1] - rows[0]), max(0, columns[1] - columns[0])
        if self._fine.shape != shape:
            self._fine, self._coarse = np.empty(shape, np.float32), np.empty(shape, np.float32)
        if not self._fine.size:
            return
        height = self._height
        edge_px = levels.softness * height / max(1.0, levels.max_level)
        cell_px = max(1.0, min(GRID_PX, edge_px / MIN_EDGE_CELLS))
        y = _cell_centres(rows, cell_px)
        x = _cell_centres(columns, cell_px) / levels.ellipse_aspect
        grid = levels.weight(self._k, np.hypot(x[None, :], y[:, None]) / height)
        cv2.resize(grid, shape[::-1], dst=self._fine, interpolation=cv2.INTER_LINEAR)
        np.subtract(1, self._fine, out=self._coarse)


def _reach_px(radius_px: float) -> int:
    """Return the whole samples within a radius and one more; none if it is negative."""
    return math.ceil(min(max(radius_px, -1.0), MAX_REACH_PX)) + 1


def _cell_centres(span: Span, cell_px: float) -> NDArray[np.float32]:
    """Divide a span of samples into equal cells of about this size; return their centres."""
    first, end = span
    count = max(1, math.ceil((end - first) / cell_px))
    return np.asarray(first + (np.arange(count) + 0.5) * (end - first) / count, np.float32)
