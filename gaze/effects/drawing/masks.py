"""Soft-edged masks around the point of gaze, on a grid coarser than the picture."""

import math
from typing import Final

import numpy as np

from gaze.effects.motion.gaze_filter import FilteredGaze
from gaze.frames.planes import FloatPlane, Planes

MIN_GRID_ROWS: Final = 90
"""Rows of the grid for wide edges. Chosen by hand with `EDGE_CELLS`; no benchmark covers it."""

EDGE_CELLS: Final = 4.0
"""Least number of grid cells across a soft edge, so that interpolation does not show. Chosen by
hand; no benchmark covers it."""

MAX_WIDENING_HEIGHTS: Final = 0.15
"""Most by which uncertainty widens a mask, as a fraction of the picture's height. Chosen by hand;
no benchmark covers it."""


def smoothstep(x: FloatPlane) -> FloatPlane:
    """Return the cubic Hermite interpolation 3x² - 2x³.

    Parameters
    ----------
    x : ndarray of float32
        From 0 to 1.

    Returns
    -------
    ndarray of float32
        From 0 to 1, with zero slope at both ends.
    """
    return x * x * (3 - 2 * x)


def inverse_smoothstep(y: float) -> float:
    """Return the x from 0 to 1 of which `smoothstep` is `y`.

    Parameters
    ----------
    y : float
        Clamped to 0..1.

    Returns
    -------
    float
        From 0 to 1.
    """
    return 0.5 - math.sin(math.asin(1 - 2 * min(1.0, max(0.0, y))) / 3)


def peripheral_mask(
    planes: Planes, gaze: FilteredGaze, radius: float, softness: float, *, ellipse: bool = False
) -> FloatPlane:
    """Make a mask that is 0 around the gaze and rises to 1 across a soft edge.

    Parameters
    ----------
    planes : Planes
        The picture.
    gaze : FilteredGaze
        Its centre; its uncertainty widens the radius.
    radius : float
        Radius of the region that is 0, as a fraction of the picture's height.
    softness : float
        Width of the edge, as a fraction of the picture's height; not 0.
    ellipse : bool, default False
        Whether the region has the picture's proportions instead of being a circle.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        On a grid over the whole picture.
    """
    aspect = planes.width / planes.height
    radius += min(MAX_WIDENING_HEIGHTS, gaze.uncertainty)
    rows = max(MIN_GRID_ROWS, math.ceil(EDGE_CELLS / max(softness, 0.01)))
    rows = min(planes.height, rows)
    columns = min(planes.width, round(rows * aspect) or 1)
    y = (np.arange(rows, dtype=np.float32) + 0.5) / rows - gaze.y
    x = (np.arange(columns, dtype=np.float32) + 0.5) / columns - gaze.x
    distance = np.hypot((x if ellipse else x * aspect)[None, :], y[:, None])
    ramp = np.asarray(np.clip((distance - radius) / softness, 0, 1), np.float32)
    return smoothstep(ramp)
