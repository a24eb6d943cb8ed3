"""A line along where the eyes have been, thinner and fainter the longer ago."""

import math
from collections import deque
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from gaze.effects.cursor import EDGE_PX, SUBPIXEL_BITS, Colour, fixed
from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import known_point
from gaze.effects.parameters import Number, Parameters
from gaze.effects.planes import Plane, Planes
from gaze.effects.state import GazeState
from gaze.effects.veil import COLOURS, Brush, box_around

SMOOTH_S = 0.06
SACCADE = 0.08
"""Steps longer than this, in picture widths, are not smoothed."""
MAX_POINTS = 600
STEP_S = 1 / 60
"""Points closer in time than this are one point."""

Place = tuple[float, float, float]
"""Time in seconds, then x and y as fractions of the picture."""


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
        self._places: deque[Place | None] = deque(maxlen=MAX_POINTS)
        self._brush = Brush()

    def draw(
        self, canvas: Canvas, parameters: TrailParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        self._remember(known_point(gaze), t_s)
        self._forget(t_s - parameters.length)
        known = np.array([place[1:] for place in self._places if place is not None])
        if not len(known) or parameters.opacity == 0:
            return
        source = canvas.source
        known = known * (source.width, source.height)
        reach = parameters.width * source.height + EDGE_PX
        left, top = known.min(axis=0) - reach
        right, bottom = known.max(axis=0) + reach
        rows, columns = box_around(source, left, top, right, bottom)
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        mask = self._brush.clear(rows, columns)
        self._trace(mask, source, (columns.start, rows.start), parameters, t_s)
        self._brush.paint(canvas.copy(), rows, columns, mask, COLOURS[parameters.colour])

    def _remember(self, point: tuple[float, float] | None, t_s: float) -> None:
        last = self._places[-1] if self._places else None
        if point is None:
            if last is not None:
                self._places.append(None)
            return
        if last is not None and t_s - last[0] < STEP_S:
            return
        if last is not None and math.dist(point, last[1:]) < SACCADE:
            share = -math.expm1(-(t_s - last[0]) / SMOOTH_S)
            point = (
                last[1] + (point[0] - last[1]) * share,
                last[2] + (point[1] - last[2]) * share,
            )
        self._places.append((t_s, *point))

    def _forget(self, until_s: float) -> None:
        while self._places:
            first = self._places[0]
            if first is not None and first[0] > until_s:
                return
            self._places.popleft()

    def _trace(
        self,
        mask: Plane,
        source: Planes,
        corner: tuple[int, int],
        parameters: TrailParameters,
        t_s: float,
    ) -> None:
        width, height = source.width, source.height
        width_px, full = parameters.width * height, 255 * parameters.opacity
        old: tuple[int, int] | None = None
        for place in self._places:
            new = None
            if place is not None:
                new = fixed(place[1] * width - corner[0], place[2] * height - corner[1])
                youth = max(0.0, 1 - (t_s - place[0]) / parameters.length)
                thickness = max(1, round(width_px * (0.3 + 0.7 * youth)))
                cover = (round(full * youth),)
                cv2.line(mask, old or new, new, cover, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
            old = new
        if old is not None:
            radius = max(8, round(0.75 * width_px * 2**SUBPIXEL_BITS))
            cv2.circle(mask, old, radius, (round(full),), -1, cv2.LINE_AA, SUBPIXEL_BITS)
