"""A gentle pulse of light that draws the eyes to a place, and ends when they come near.

After Bailey, McNamara, Sudarsanam and Grimm, "Subtle Gaze Direction" (2009): the luminance of a
small place is modulated and the modulation stops before the place is looked at. Slower than
theirs, and never more than three times a second, which keeps to WCAG 2.2's rule on flashes.
"""

import math
from typing import Annotated

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import known_point
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import GREY_C, Scratch, box_around
from gaze.frames.planes import Plane

FADE_S = 0.25
REACH_SIGMAS = 3.0
GRID_CELLS = 48
BRIGHTEST = 110.0
"""Luma steps of a pulse of strength 1."""
MIDDLE = 100.0
"""Luma at which it darkens by as many steps as it brightens; darker places lose less."""
DARKEST = 0.8


class GuideParameters(Parameters):
    x: Annotated[
        float,
        Number(0, 1, unit="picture widths", title="Across", description="Place, from the left"),
    ] = 0.7
    y: Annotated[
        float,
        Number(0, 1, unit="picture heights", title="Down", description="Place, from the top"),
    ] = 0.35
    size: Annotated[
        float,
        Number(
            0.01, 0.5, unit="picture heights", title="Size", description="Radius of the soft spot"
        ),
    ] = 0.1
    strength: Annotated[
        float, Number(0, 1, unit="share", title="Strength", description="How bright the pulse gets")
    ] = 0.5
    rate: Annotated[
        float, Number(0.1, 3, unit="Hz", title="Rate", description="Pulses a second")
    ] = 1.5
    near: Annotated[
        float,
        Number(
            0.02,
            1,
            unit="picture heights",
            title="Near",
            description="How near the eyes must come for the pulse to end",
        ),
    ] = 0.2
    again: Annotated[
        float,
        Number(
            0,
            600,
            unit="s",
            title="Again after",
            description="How long the eyes are away until it pulses again; 0 is never",
        ),
    ] = 4.0


class Guide(Effect[GuideParameters]):
    """Brightens and darkens a soft spot. Its mean is about the film's."""

    name = "guide"
    title = "Guide"
    description = "A gentle pulse of light at a place, until your eyes come near it"
    Parameters = GuideParameters

    def __init__(self) -> None:
        self._place: tuple[float, float] | None = None
        self._found = False
        self._left_s = 0.0
        self._presence = 0.0
        self._phase = 0.0
        self._stepped_s: float | None = None
        self._spot = Scratch()
        self._laid = Scratch()

    def draw(
        self, canvas: Canvas, parameters: GuideParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s
        source = canvas.source
        self._judge(parameters, gaze, source.width / source.height, t_s)
        share = -math.expm1(-step_s / FADE_S)
        self._presence += ((0.0 if self._found else 1.0) - self._presence) * share
        self._phase = (self._phase + step_s * parameters.rate) % 1.0
        swing = math.sin(2 * math.pi * self._phase)
        height = BRIGHTEST * parameters.strength * self._presence * swing
        if abs(height) < 0.5:
            return
        sigma = max(0.5, parameters.size * source.height / 2)
        x, y = parameters.x * source.width, parameters.y * source.height
        reach = REACH_SIGMAS * sigma
        rows, columns = box_around(source, x - reach, y - reach, x + reach, y + reach)
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        target = canvas.copy()
        if height > 0:
            box = target.y[rows, columns]
            spot = self._spot.plane(box.shape)
            _bell(spot, x - columns.start, y - rows.start, sigma, height)
            cv2.add(box, spot, dst=box)
            return
        depth = 255 * min(DARKEST, -height / MIDDLE)
        for plane, part, black in ((target.y, 1, 0), (target.u, 2, GREY_C), (target.v, 2, GREY_C)):
            top, left = rows.start // part, columns.start // part
            box = plane[top : -(-rows.stop // part), left : -(-columns.stop // part)]
            spot = self._spot.plane(box.shape)
            _bell(spot, x / part - left, y / part - top, sigma / part, depth)
            _darken(box, spot, black, self._laid.plane(box.shape))

    def _judge(
        self, parameters: GuideParameters, gaze: GazeState | None, aspect: float, t_s: float
    ) -> None:
        """Note whether the eyes have come near; a new place is one they have not seen."""
        place = parameters.x, parameters.y
        if self._place is None or math.dist(place, self._place) > parameters.near:
            self._place, self._found = place, False
        point = known_point(gaze)
        if point is not None:
            off = math.hypot((point[0] - place[0]) * aspect, point[1] - place[1])
            if off <= parameters.near:
                self._found, self._left_s, self._place = True, t_s, place
        if self._found and 0 < parameters.again <= t_s - self._left_s:
            self._found = False


def _darken(box: Plane, shade: Plane, black: int, laid: Plane) -> None:
    """Take light, and colour with it, where the shade is; the shade is used up."""
    cv2.convertScaleAbs(shade, dst=laid, alpha=black / 255)
    cv2.multiply(box, cv2.bitwise_not(shade, dst=shade), dst=box, scale=1 / 255)
    cv2.add(box, laid, dst=box)


def _bell(plane: Plane, x: float, y: float, sigma: float, height: float) -> None:
    """Fill a plane with a Gaussian bell around (x, y), in samples from its corner.

    It is made on a small grid and ends in 0 at `REACH_SIGMAS`.
    """
    rim = math.exp(-0.5 * REACH_SIGMAS**2)
    down = _profile(plane.shape[0], y, sigma)
    across = _profile(plane.shape[1], x, sigma)
    bell = np.clip(np.outer(down, across) - rim, 0, None) * (height / (1 - rim))
    small = np.asarray(np.rint(bell), np.uint8)
    cv2.resize(small, plane.shape[::-1], dst=plane, interpolation=cv2.INTER_LINEAR)


def _profile(count: int, centre: float, sigma: float) -> NDArray[np.float64]:
    cells = min(count, GRID_CELLS)
    place = (np.arange(cells) + 0.5) * count / cells
    return np.asarray(np.exp(-0.5 * ((place - centre) / sigma) ** 2), np.float64)
