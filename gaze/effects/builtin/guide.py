"""Subtle gaze direction: a soft pulse of luminance at a place, until the eyes come near it.

The luminance of a small place is modulated, and the modulation stops before the place is looked at.
Slower than in the paper, and never more than three times a second, as WCAG 2.2 success criterion
2.3.1 asks.

References
----------
Bailey, McNamara, Sudarsanam and Grimm, "Subtle Gaze Direction", ACM Transactions on Graphics 28
(2009).
"""

import math
from typing import Annotated, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.drawing.buffers import PlaneBuffer
from gaze.effects.drawing.colours import NEUTRAL_CHROMA
from gaze.effects.drawing.shapes import even_box
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.points import gaze_point
from gaze.effects.motion.time_step import TimeStep, low_pass_gain
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import Point
from gaze.frames.planes import Plane

FADE_S: Final = 0.25
"""Time constant with which the pulse ends and begins. Chosen by hand; no benchmark covers it."""

REACH_SIGMAS: Final = 3.0
"""Radius at which the Gaussian ends, where it has 1 % of its height."""

GRID_CELLS: Final = 48
"""Most cells of the grid on which the Gaussian is computed, in each direction. Chosen by hand;
`benchmarks.effects` measures the cost."""

MAX_STEPS: Final = 110.0
"""Amplitude of a pulse of strength 1 in steps of luma. Chosen by hand; no benchmark covers it."""

MIDDLE_LUMA: Final = 100.0
"""Luma that is darkened by as many steps as it is brightened; darker places lose less. Chosen by
hand; no benchmark covers it."""

MAX_DARKENING: Final = 0.8
"""Most light that is taken away, as a fraction. Chosen by hand; no benchmark covers it."""


class GuideParameters(Parameters):
    """What the guide can be set to."""

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
    """Brightens and darkens a soft spot by turns, so that its mean is about the film's."""

    name = "guide"
    title = "Guide"
    description = "A gentle pulse of light at a place, until your eyes come near it"
    Parameters = GuideParameters

    def __init__(self) -> None:
        self._place: Point | None = None
        self._seen = False
        self._seen_s = 0.0
        self._visibility = 0.0
        self._phase = 0.0
        self._time_step = TimeStep()
        self._spot = PlaneBuffer()
        self._summand = PlaneBuffer()

    def draw(
        self, canvas: Canvas, parameters: GuideParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the spot; see `Effect.draw`."""
        step_s = self._time_step.step(t_s)
        source = canvas.source
        self._update_seen(parameters, gaze, source.width / source.height, t_s)
        target_visibility = 0.0 if self._seen else 1.0
        self._visibility += (target_visibility - self._visibility) * low_pass_gain(step_s, FADE_S)
        self._phase = (self._phase + step_s * parameters.rate) % 1.0
        swing = math.sin(2 * math.pi * self._phase)
        steps = MAX_STEPS * parameters.strength * self._visibility * swing
        if abs(steps) < 0.5:
            return
        sigma = max(0.5, parameters.size * source.height / 2)
        x, y = parameters.x * source.width, parameters.y * source.height
        reach = REACH_SIGMAS * sigma
        rows, columns = even_box(source, x - reach, y - reach, x + reach, y + reach)
        if rows.start == rows.stop or columns.start == columns.stop:
            return
        target = canvas.copy()
        if steps > 0:
            box = target.y[rows, columns]
            spot = self._spot.plane(box.shape)
            _fill_gaussian(spot, x - columns.start, y - rows.start, sigma, steps)
            cv2.add(box, spot, dst=box)
            return
        darkening = 255 * min(MAX_DARKENING, -steps / MIDDLE_LUMA)
        planes = ((target.y, 1, 0), (target.u, 2, NEUTRAL_CHROMA), (target.v, 2, NEUTRAL_CHROMA))
        for plane, scale, black in planes:
            top, left = rows.start // scale, columns.start // scale
            box = plane[top : -(-rows.stop // scale), left : -(-columns.stop // scale)]
            spot = self._spot.plane(box.shape)
            _fill_gaussian(spot, x / scale - left, y / scale - top, sigma / scale, darkening)
            _darken(box, spot, black, self._summand.plane(box.shape))

    def _update_seen(
        self, parameters: GuideParameters, gaze: GazeState | None, aspect: float, t_s: float
    ) -> None:
        """Update whether the eyes have come near; a place that moves away is a new one."""
        place = parameters.x, parameters.y
        if self._place is None or math.dist(place, self._place) > parameters.near:
            self._place, self._seen = place, False
        point = gaze_point(gaze)
        if point is not None:
            distance = math.hypot((point[0] - place[0]) * aspect, point[1] - place[1])
            if distance <= parameters.near:
                self._seen, self._seen_s, self._place = True, t_s, place
        if self._seen and 0 < parameters.again <= t_s - self._seen_s:
            self._seen = False


def _darken(box: Plane, shade: Plane, black: int, summand: Plane) -> None:
    """Blend black over a box with the alpha of a shade, which is overwritten."""
    cv2.convertScaleAbs(shade, dst=summand, alpha=black / 255)
    cv2.multiply(box, cv2.bitwise_not(shade, dst=shade), dst=box, scale=1 / 255)
    cv2.add(box, summand, dst=box)


def _fill_gaussian(plane: Plane, x: float, y: float, sigma: float, height: float) -> None:
    """Fill a plane with a Gaussian around (x, y), in samples from its corner.

    It is computed on a small grid and lowered to be 0 at `REACH_SIGMAS`.
    """
    rim = math.exp(-0.5 * REACH_SIGMAS**2)
    vertical = _profile(plane.shape[0], y, sigma)
    horizontal = _profile(plane.shape[1], x, sigma)
    values = np.clip(np.outer(vertical, horizontal) - rim, 0, None) * (height / (1 - rim))
    small = np.asarray(np.rint(values), np.uint8)
    cv2.resize(small, plane.shape[::-1], dst=plane, interpolation=cv2.INTER_LINEAR)


def _profile(count: int, centre: float, sigma: float) -> NDArray[np.float64]:
    cells = min(count, GRID_CELLS)
    position = (np.arange(cells) + 0.5) * count / cells
    return np.asarray(np.exp(-0.5 * ((position - centre) / sigma) ** 2), np.float64)
