"""A line along where the eyes have been, thinner and fainter the longer ago."""

import math
from collections import deque
from dataclasses import dataclass
from typing import Annotated

import cv2
import numpy as np
from pydantic import Field

from gaze.effects.cursor import Colour
from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import known_point
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import COLOURS, SUBPIXEL_BITS, Brush, Scratch, box_around, fixed
from gaze.effects.view import Point
from gaze.frames.planes import Plane, Planes

SMOOTH_S = 0.06
SACCADE = 0.08
"""Steps longer than this, in picture widths, are not smoothed."""
EDGE_PX = 3
FULL = 255.0
"""Light of a new line."""
STRANDS = ((0.5, 1.0), (0.75, 0.75), (1.0, 0.5))
"""Light and width of the lines that make a line, as shares: a soft one, thinner as it fades."""
YOUNG = 1.4
"""How much wider than its width a line begins; it is soft."""
NOWHERE = slice(0, 0), slice(0, 0)
PATCH = 32.0
"""Light that is lost until a new box begins."""


@dataclass(slots=True)
class Patch:
    """A box (fractions of the picture) that holds what was drawn until `faded`, see `Glow`."""

    begun: float
    faded: float
    left: float
    top: float
    right: float
    bottom: float


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


class Glow:
    """A plane of light that fades evenly, and the part of it that is not dark.

    Only what is new is drawn for a frame. How far all has faded is counted in steps of light, so
    that the time it takes may change meanwhile; what was drawn `FULL` steps ago is gone.
    """

    def __init__(self) -> None:
        self.light: Plane = np.zeros((0, 0), np.uint8)
        self.box = NOWHERE
        self._patches: deque[Patch] = deque()
        self._faded = 0.0
        self._scratch = Scratch()

    def fit(self, height: int, width: int) -> None:
        """Take the size of the picture; what glows stays in its place."""
        if self.light.shape == (height, width):
            return
        if self._patches:
            grown = cv2.resize(self.light, (width, height), interpolation=cv2.INTER_AREA)
            self.light = np.asarray(grown, np.uint8)
        else:
            self.light = np.zeros((height, width), np.uint8)
        self.box = slice(0, height), slice(0, width)

    def fade(self, share: float) -> None:
        """Let this share of a new line's light go."""
        before, self._faded = self._faded, self._faded + share * FULL
        lost = math.ceil(self._faded) - math.ceil(before)
        part = self.light[self.box]
        if lost and part.size:
            loss = self._scratch.plane(part.shape)
            loss[:] = min(lost, 255)
            cv2.subtract(part, loss, dst=part)
        while self._patches and self._faded - self._patches[0].faded >= FULL:
            self._patches.popleft()

    def bound(self, planes: Planes, reach_px: float) -> Plane:
        """Return the light in the `box`, rows and columns, outside of which all is dark."""
        width, height = planes.width, planes.height
        self.box = NOWHERE
        if self._patches:
            self.box = box_around(
                planes,
                min(patch.left for patch in self._patches) * width - reach_px,
                min(patch.top for patch in self._patches) * height - reach_px,
                max(patch.right for patch in self._patches) * width + reach_px,
                max(patch.bottom for patch in self._patches) * height + reach_px,
            )
        return self.light[self.box]

    def draw(self, planes: Planes, start: Point, end: Point, width_px: float) -> None:
        """Draw a line between two points (fractions), over whatever is fainter there."""
        left, right = sorted((start[0], end[0]))
        top, bottom = sorted((start[1], end[1]))
        if not self._patches or self._faded - self._patches[-1].begun > PATCH:
            self._patches.append(Patch(self._faded, self._faded, left, top, right, bottom))
        patch = self._patches[-1]
        patch.faded = self._faded
        patch.left, patch.right = min(patch.left, left), max(patch.right, right)
        patch.top, patch.bottom = min(patch.top, top), max(patch.bottom, bottom)
        width, height = planes.width, planes.height
        reach_px = width_px + EDGE_PX
        rows, columns = box_around(
            planes,
            left * width - reach_px,
            top * height - reach_px,
            right * width + reach_px,
            bottom * height + reach_px,
        )
        part = self.light[rows, columns]
        if not part.size:
            return
        stroke = self._scratch.plane(part.shape)
        stroke[:] = 0
        first = fixed(start[0] * width - columns.start, start[1] * height - rows.start)
        last = fixed(end[0] * width - columns.start, end[1] * height - rows.start)
        for light, share in STRANDS:
            thickness = max(1, round(share * width_px))
            cv2.line(stroke, first, last, (FULL * light,), thickness, cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.max(part, stroke, dst=part)


class Trail(Effect[TrailParameters]):
    """Draws the way of the gaze as it goes and lets it fade; unknown gaze is a gap."""

    name = "trail"
    title = "Trail"
    description = "A fading line along where your eyes have been"
    Parameters = TrailParameters

    def __init__(self) -> None:
        self._glow = Glow()
        self._brush = Brush()
        self._last: Point | None = None
        self._stepped_s: float | None = None

    def draw(
        self, canvas: Canvas, parameters: TrailParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s
        source, glow = canvas.source, self._glow
        width_px = YOUNG * parameters.width * source.height
        glow.fit(source.height, source.width)
        glow.fade(step_s / parameters.length)
        point = known_point(gaze)
        if point is not None:
            point = self._smooth(point, step_s)
            glow.draw(source, self._last or point, point, width_px)
        self._last = point
        light = glow.bound(source, width_px + EDGE_PX)
        if light.size and parameters.opacity > 0:
            colour = COLOURS[parameters.colour]
            self._brush.paint(canvas.copy(), *glow.box, light, colour, parameters.opacity)

    def _smooth(self, point: Point, step_s: float) -> Point:
        if self._last is None or math.dist(point, self._last) >= SACCADE:
            return point
        share = -math.expm1(-step_s / SMOOTH_S)
        x, y = self._last
        return x + (point[0] - x) * share, y + (point[1] - y) * share
