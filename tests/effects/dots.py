"""A picture of dots, whose places are found again to a fraction of a sample."""

import numpy as np

from gaze.frames.planes import Plane


def dots(width: int, height: int, pitch: int = 40) -> Plane:
    """Luma with a soft dot at every multiple of `pitch`, on sample corners."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dy = (y + pitch / 2) % pitch - pitch / 2
    dx = (x + pitch / 2) % pitch - pitch / 2
    return np.asarray(20 + 200 * np.exp(-(dx**2 + dy**2) / 8), np.uint8)


def dot_near(luma: Plane, x: float, y: float, reach: int = 12) -> tuple[float, float]:
    """Centre of light around (x, y), in samples from the picture's corner."""
    top, left = round(y) - reach, round(x) - reach
    patch = luma[top : top + 2 * reach, left : left + 2 * reach].astype(float) - 20
    rows, columns = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]] + 0.5
    return (
        left + float((patch * columns).sum() / patch.sum()),
        top + float((patch * rows).sum() / patch.sum()),
    )
