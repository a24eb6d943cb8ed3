"""A line along where the eyes have been, thinner and fainter the longer ago."""

import math
from collections import deque
from typing import Annotated

import cv2
from pydantic import Field

from gaze.effects.cursor import EDGE_PX, Colour
from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import known_point
from gaze.effects.parameters import Number, Parameters
from gaze.effects.planes import Plane, Planes
from gaze.effects.state import GazeState
from gaze.effects.veil import COLOURS, SUBPIXEL_BITS, Brush, box_around, draw_disc, fixed

SMOOTH_S = 0.06
SACCADE = 0.08
"""Steps longer than this, in picture widths, are not smoothed."""
MAX_POINTS = 600
STEP_S = 1 / 60
"""Points closer in time than this are one point."""
PARTS = 3
"""Boxes that the line is painted in: one box around it all is mostly empty."""

Place = tuple[float, float, float, bool]
"""Time in seconds, x and y as fractions of the picture, whether the line comes from the last."""


class TrailParameters(Parameters):
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
    """Remembers the points of gaze and paints the line through them; unknown gaze is a gap."""

    name = "trail"
    title = "Trail"
    description = "A fading line along where your eyes have been"
    Parameters = TrailParameters

    def __init__(self) -> None:
        self._places: deque[Place] = deque(maxlen=MAX_POINTS)
        self._lost = True
        self._brush = Brush()

    def draw(
        self, canvas: Canvas, parameters: TrailParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        self._remember(known_point(gaze), t_s)
        self._forget(t_s - parameters.length)
        if not self._places or parameters.opacity == 0:
            return
        source = canvas.source
        points = [(x * source.width, y * source.height) for _, x, y, _ in self._places]
        boxes = _boxes(source, points, parameters.width * source.height + EDGE_PX)
        if not boxes:
            return
        rows = slice(min(r.start for r, _ in boxes), max(r.stop for r, _ in boxes))
        columns = slice(min(c.start for _, c in boxes), max(c.stop for _, c in boxes))
        mask = self._brush.clear(rows, columns)
        ends = [fixed(x - columns.start, y - rows.start) for x, y in points]
        self._trace(mask, ends, parameters, source.height, t_s)
        target, colour = canvas.copy(), COLOURS[parameters.colour]
        for r, c in boxes:
            part = mask[
                r.start - rows.start : r.stop - rows.start,
                c.start - columns.start : c.stop - columns.start,
            ]
            self._brush.paint(target, r, c, part, colour)

    def _trace(
        self,
        mask: Plane,
        ends: list[tuple[int, int]],
        parameters: TrailParameters,
        height: int,
        t_s: float,
    ) -> None:
        """Draw the line to each place from the one before, or a dot where they are not joined."""
        width_px, full = parameters.width * height, 255 * parameters.opacity
        old = ends[0]
        for (place_s, _, _, joined), new in zip(self._places, ends, strict=True):
            youth = max(0.0, 1 - (t_s - place_s) / parameters.length)
            thickness = max(1, round(width_px * (0.3 + 0.7 * youth)))
            start = old if joined else new
            cv2.line(mask, start, new, (full * youth,), thickness, cv2.LINE_AA, SUBPIXEL_BITS)
            old = new
        if not self._lost:
            draw_disc(mask, old, max(0.5, 0.75 * width_px), round(full))

    def _remember(self, point: tuple[float, float] | None, t_s: float) -> None:
        if point is None:
            self._lost = True
            return
        joined = bool(self._places) and not self._lost
        if joined:
            last_s, x, y, _ = self._places[-1]
            if t_s - last_s < STEP_S:
                return
            if math.dist(point, (x, y)) < SACCADE:
                share = -math.expm1(-(t_s - last_s) / SMOOTH_S)
                point = x + (point[0] - x) * share, y + (point[1] - y) * share
        self._lost = False
        self._places.append((t_s, *point, joined))

    def _forget(self, until_s: float) -> None:
        while self._places and self._places[0][0] <= until_s:
            self._places.popleft()


def _boxes(
    source: Planes, points: list[tuple[float, float]], reach_px: float
) -> list[tuple[slice, slice]]:
    """Return boxes that hold a line: parts of it, so that they are small together.

    They may overlap; none is empty.
    """
    size = max(1, math.ceil(len(points) / PARTS))
    boxes = []
    for first in range(0, len(points), size):
        # The line to the next part's first point belongs to this one.
        x, y = zip(*points[first : first + size + 1], strict=True)
        rows, columns = box_around(
            source, min(x) - reach_px, min(y) - reach_px, max(x) + reach_px, max(y) + reach_px
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            boxes.append((rows, columns))
    return boxes
