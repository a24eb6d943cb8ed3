"""Where the eyes have rested: a cloud of colour that grows under the gaze and fades with time."""

from typing import Annotated, Literal

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import known_point
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.veil import Veil, yuv_of

ROWS = 90
"""Rows of the grid on which heat is kept."""

MAX_STEP_S = 0.2
"""Time between two frames that counts as looking; a longer gap was a stall."""

FAINT = 0.004
VEIL_FROM = 0.25
"""Heat at which the cloud is as dense as it gets."""

ColourMap = Literal["inferno", "magma", "plasma", "viridis", "turbo"]

_CODES = {
    "inferno": cv2.COLORMAP_INFERNO,
    "magma": cv2.COLORMAP_MAGMA,
    "plasma": cv2.COLORMAP_PLASMA,
    "viridis": cv2.COLORMAP_VIRIDIS,
    "turbo": cv2.COLORMAP_TURBO,
}


class HeatmapParameters(Parameters):
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
    """Seconds of looking at every place of a picture, fading: half is gone after a half-life.

    `seconds` is (rows, columns) over the whole picture; a look of one second adds a Gaussian of
    height one.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.seconds = np.zeros((rows, columns), np.float32)

    def fade(self, step_s: float, half_life_s: float) -> None:
        """Let heat go for a while."""
        self.seconds *= np.float32(0.5 ** (step_s / half_life_s))

    def look(self, point: tuple[float, float], sigma: float, step_s: float) -> None:
        """Add a look at a point (fractions); `sigma` is a fraction of the picture's height."""
        rows, columns = self.seconds.shape
        y = ((np.arange(rows) + 0.5) / rows - point[1]) / sigma
        x = ((np.arange(columns) + 0.5) - point[0] * columns) / rows / sigma
        spot = np.outer(np.exp(-0.5 * y**2), np.exp(-0.5 * x**2))
        self.seconds += np.asarray(step_s * spot, np.float32)


class Heatmap(Effect[HeatmapParameters]):
    """Colours the picture by the heat of its places; cold ones stay untouched."""

    name = "heatmap"
    title = "Heat map"
    description = "Colours what you have looked at, hotter the longer, and lets it fade again"
    Parameters = HeatmapParameters

    def __init__(self) -> None:
        self._veil = Veil()
        self._heat = Heat(1, 1)
        self._stepped_s: float | None = None

    def draw(
        self, canvas: Canvas, parameters: HeatmapParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        rows = min(ROWS, source.height)
        shape = rows, max(1, round(rows * source.width / source.height))
        if self._heat.seconds.shape != shape:
            self._heat = Heat(*shape)
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s
        self._heat.fade(step_s, parameters.half_life)
        point = known_point(gaze)
        if gaze is not None and point is not None:
            spread = (gaze.uncertainty or 0.0) * source.width / source.height
            sigma = max(parameters.size, min(0.5, spread))
            self._heat.look(point, sigma, min(MAX_STEP_S, step_s))
        level = -np.expm1(-self._heat.seconds / np.float32(parameters.full))
        cover = np.clip(level / VEIL_FROM, 0, 1)
        cover = np.asarray(parameters.opacity * cover * cover * (3 - 2 * cover), np.float32)
        if float(cover.max()) < FAINT:
            return
        cover[cover < FAINT] = 0
        tints = colour_table(parameters.colours)[np.asarray(255 * level, np.uint8)]
        target = canvas.blank()
        for index, (old, new) in enumerate(zip(source, target, strict=True)):
            self._veil.lay(old, new, cover, tints[..., index])


_tables: dict[str, NDArray[np.float32]] = {}


def colour_table(name: str) -> NDArray[np.float32]:
    """Return a colour map as (256, 3) Y, U, V, sampled once."""
    if name not in _tables:
        ramp = np.arange(256, dtype=np.uint8)[:, None]
        bgr = cv2.applyColorMap(ramp, _CODES[name])[:, 0].astype(float) / 255
        _tables[name] = np.array([yuv_of(*pixel[::-1]) for pixel in bgr], np.float32)
    return _tables[name]
