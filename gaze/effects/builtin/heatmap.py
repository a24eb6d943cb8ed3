"""A heat map of the point of gaze that fades with time."""

import functools
from typing import Annotated, Final, Literal

import cv2
import numpy as np
from pydantic import Field

from gaze.effects.drawing.blending import GridBlender
from gaze.effects.drawing.colours import bt601_yuv
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.points import gaze_point
from gaze.effects.motion.time_step import TimeStep
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import Point
from gaze.frames.planes import FloatPlane

GRID_ROWS: Final = 90
"""Rows of the grid on which heat is kept. Chosen by hand: the narrowest spot is one row wide;
`benchmarks.effects` measures the cost."""

MAX_STEP_S: Final = 0.2
"""Longest time between two frames that counts as looking; more was a stall. Chosen by hand; no
benchmark covers it."""

MIN_ALPHA: Final = 0.004
"""Below this a place is left untouched: one step of 8 bits."""

OPAQUE_FROM: Final = 0.25
"""Heat, of the hottest colour's, from which alpha no longer grows. Chosen by hand; no benchmark
covers it."""

MAX_SIGMA_HEIGHTS: Final = 0.5
"""Most to which uncertainty widens a spot; the most that `size` can be set to."""

ColourMap = Literal["inferno", "magma", "plasma", "viridis", "turbo"]

_OPENCV_MAPS: Final = {
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "plasma": cv2.COLORMAP_PLASMA,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "turbo": cv2.COLORMAP_TURBO,
}


class HeatmapParameters(Parameters):
    """What the heat map can be set to."""

    colours: ColourMap = Field(
        default="turbo", title="Colours", description="Which of matplotlib's colour maps"
    )
    half_life: Annotated[
        float,
        Number(0.1, 600, unit="s", title="Half-life", description="Time in which heat halves"),
    ] = 6.0
    full: Annotated[
        float,
        Number(
            0.05,
            60,
            unit="s",
            title="Full heat",
            description="How long a look lasts until a place is at 63 % of the hottest colour",
        ),
    ] = 0.6
    size: Annotated[
        float,
        Number(
            0.01,
            0.5,
            unit="picture heights",
            title="Size",
            description="Standard deviation of the warm spot; uncertainty widens it",
        ),
    ] = 0.06
    opacity: Annotated[
        float, Number(0, 1, unit="share", title="Opacity", description="How little shines through")
    ] = 0.6


class Heat:
    """Time that the gaze has spent at every place of a picture, decaying exponentially.

    Attributes
    ----------
    seconds : ndarray of float32, shape (rows, columns)
        On a grid over the whole picture; a look of one second adds a Gaussian of height one.
    """

    def __init__(self, rows: int, columns: int) -> None:
        """Begin without heat.

        Parameters
        ----------
        rows, columns : int
            Size of the grid.
        """
        self.seconds: FloatPlane = np.zeros((rows, columns), np.float32)

    def decay(self, step_s: float, half_life_s: float) -> None:
        """Let time pass.

        Parameters
        ----------
        step_s : float
            Seconds since the step before.
        half_life_s : float
            Time in which heat halves.
        """
        self.seconds *= np.float32(0.5 ** (step_s / half_life_s))

    def add(self, point: Point, sigma: float, step_s: float) -> None:
        """Add a look.

        Parameters
        ----------
        point : Point
            Point of gaze in fractions of the picture.
        sigma : float
            Standard deviation of the spot as a fraction of the picture's height.
        step_s : float
            Duration of the look.
        """
        rows, columns = self.seconds.shape
        y = ((np.arange(rows) + 0.5) / rows - point[1]) / sigma
        x = ((np.arange(columns) + 0.5) - point[0] * columns) / rows / sigma
        spot = np.outer(np.exp(-0.5 * y**2), np.exp(-0.5 * x**2))
        self.seconds += np.asarray(step_s * spot, np.float32)


class Heatmap(Effect[HeatmapParameters]):
    """Blends colours over the picture by the heat of its places; cold ones stay untouched."""

    name = "heatmap"
    title = "Heat map"
    description = "Colours what you have looked at, hotter the longer, and lets it fade again"
    Parameters = HeatmapParameters

    def __init__(self) -> None:
        self._blender = GridBlender()
        self._heat = Heat(1, 1)
        self._time_step = TimeStep()

    def draw(
        self, canvas: Canvas, parameters: HeatmapParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the heat map; see `Effect.draw`."""
        source = canvas.source
        rows = min(GRID_ROWS, source.height)
        shape = rows, max(1, round(rows * source.width / source.height))
        if self._heat.seconds.shape != shape:
            self._heat = Heat(*shape)
        step_s = self._time_step.step(t_s)
        self._heat.decay(step_s, parameters.half_life)
        point = gaze_point(gaze)
        if gaze is not None and point is not None:
            uncertainty = (gaze.uncertainty or 0.0) * source.width / source.height
            sigma = max(parameters.size, min(MAX_SIGMA_HEIGHTS, uncertainty))
            self._heat.add(point, sigma, min(MAX_STEP_S, step_s))
        level = -np.expm1(-self._heat.seconds / np.float32(parameters.full))
        ramp = np.clip(level / OPAQUE_FROM, 0, 1)
        alpha = np.asarray(parameters.opacity * ramp * ramp * (3 - 2 * ramp), np.float32)
        if float(alpha.max()) < MIN_ALPHA:
            return
        alpha[alpha < MIN_ALPHA] = 0
        colours = colour_table(parameters.colours)[np.asarray(255 * level, np.uint8)]
        target = canvas.blank()
        for index, (plane, drawn) in enumerate(zip(source, target, strict=True)):
            self._blender.blend_colour(plane, drawn, alpha, colours[..., index])


@functools.cache
def colour_table(name: ColourMap) -> FloatPlane:
    """Return a colour map in YUV.

    Parameters
    ----------
    name : ColourMap
        Name of one of matplotlib's colour maps.

    Returns
    -------
    ndarray of float32, shape (256, 3)
        Y, U and V; shared, not to be written to.
    """
    ramp = np.arange(256, dtype=np.uint8)[:, None]
    bgr = cv2.applyColorMap(ramp, _OPENCV_MAPS[name])[:, 0].astype(float) / 255
    return np.array([bt601_yuv(*pixel[::-1]) for pixel in bgr], np.float32)
