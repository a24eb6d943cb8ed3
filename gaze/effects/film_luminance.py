"""How much light the shown picture sends to the eyes, for the pupil's reflex to it.

Luma is decoded with the display gamma of ITU-R BT.1886 (2.4), on few samples, so that it costs
almost nothing. Relative luminance times the screen's peak luminance gives cd/m².
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gaze.effects.state import DEFAULT_PICTURE_DEG, GazeState
from gaze.frames.planes import Plane

GAMMA: Final = 2.4
"""ITU-R BT.1886."""

SAMPLED_ROWS: Final = 40
"""About how many rows of samples are read. Chosen by hand; no benchmark covers it."""

RADIUS_DEG: Final = 5.0
"""Radius of the picture around the point of gaze that counts as `gaze`. Chosen by hand; no
benchmark covers it."""

_LINEAR = (np.clip((np.arange(256) - 16) / 219, 0, 1) ** GAMMA).astype(np.float32)


@dataclass(frozen=True, slots=True)
class FilmLuminance:
    """Mean luminance of a frame relative to the screen's white, 0 to 1.

    Attributes
    ----------
    t_s : float
        When the frame was composed, on the monotonic clock.
    picture : float
        Of the whole frame.
    gaze : float or None
        Within 5 degrees of the point of gaze; None while that is unknown or beside the picture.
    """

    t_s: float
    picture: float
    gaze: float | None


def measure_luminance(luma: Plane, gaze: GazeState | None, t_s: float) -> FilmLuminance:
    """Measure the luminance of a frame.

    Parameters
    ----------
    luma : ndarray of uint8, shape (height, width)
        Limited-range luma of the returned picture.
    gaze : GazeState or None
        The newest gaze, in fractions of that picture.
    t_s : float
        When the frame was composed, on the monotonic clock.

    Returns
    -------
    FilmLuminance
        Its mean relative luminance.
    """
    height, width = luma.shape
    spacing = max(1, height // SAMPLED_ROWS)
    first = spacing // 2
    luminance = _LINEAR[luma[first::spacing, first::spacing]]
    around_gaze = None
    if gaze is not None and gaze.shown is not None and all(map(math.isfinite, gaze.shown)):
        radius_px = RADIUS_DEG / (gaze.picture_deg or DEFAULT_PICTURE_DEG) * width
        radius = radius_px / spacing
        y, x = (
            (fraction * size - 0.5 - first) / spacing
            for fraction, size in zip(reversed(gaze.shown), (height, width), strict=True)
        )
        rows = _within(y, radius, luminance.shape[0])
        columns = _within(x, radius, luminance.shape[1])
        inside = (columns - x) ** 2 + ((rows - y) ** 2)[:, None] <= radius**2
        if inside.any():
            box = luminance[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            around_gaze = float(box[inside].mean())
    return FilmLuminance(t_s, float(luminance.mean()), around_gaze)


def _within(middle: float, radius: float, count: int) -> NDArray[np.intp]:
    """Return which of `count` samples are within a radius of a position."""
    first = min(max(math.ceil(middle - radius), 0), count)
    return np.arange(first, min(max(math.floor(middle + radius) + 1, first), count))
