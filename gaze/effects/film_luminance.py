"""How much light the shown picture sends to the eyes, for the pupil's reflex to it.

Luma is decoded with the display's gamma of ITU-R BT.1886 (2.4), on samples far enough apart to cost
almost nothing. Absolute luminance takes the screen's own, in cd/m²: multiply.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gaze.effects.state import GazeState
from gaze.frames.planes import Plane

GAMMA: Final = 2.4
ROWS: Final = 40
"""About how many rows of samples are looked at."""

RADIUS_DEG: Final = 5.0
"""How far from the point of gaze light counts as around it."""

ASSUMED_PICTURE_DEG: Final = 30.0

_LINEAR = (np.clip((np.arange(256) - 16) / 219, 0, 1) ** GAMMA).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FilmLight:
    """Mean luminance of a frame as a share of the screen's white, 0..1.

    `picture` is that of the whole frame, `gaze` that within 5 degrees of the point of gaze, None
    while it is unknown or beside the picture. `t_s` is when the frame was composed, on the
    monotonic clock.
    """

    t_s: float
    picture: float
    gaze: float | None


def film_light(luma: Plane, gaze: GazeState | None, t_s: float) -> FilmLight:
    """Measure limited-range luma, (height, width); `gaze.shown` is in fractions of it."""
    height, width = luma.shape
    apart = max(1, height // ROWS)
    first = apart // 2
    light = _LINEAR[luma[first::apart, first::apart]]
    around = None
    if gaze is not None and gaze.shown is not None and all(map(math.isfinite, gaze.shown)):
        radius_px = RADIUS_DEG / (gaze.picture_deg or ASSUMED_PICTURE_DEG) * width
        reach = radius_px / apart
        y, x = (
            (share * size - 0.5 - first) / apart
            for share, size in zip(reversed(gaze.shown), (height, width), strict=True)
        )
        rows, columns = _within(y, reach, light.shape[0]), _within(x, reach, light.shape[1])
        near = (columns - x) ** 2 + ((rows - y) ** 2)[:, None] <= reach**2
        if near.any():
            there = light[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            around = float(there[near].mean())
    return FilmLight(t_s, float(light.mean()), around)


def _within(middle: float, reach: float, count: int) -> NDArray[np.intp]:
    """Which of so many samples are within reach of a place."""
    first = min(max(math.ceil(middle - reach), 0), count)
    return np.arange(first, min(max(math.floor(middle + reach) + 1, first), count))
