"""Arithmetic on points of a picture, and the point of gaze as effects take it."""

import math

from gaze.effects.state import GazeState
from gaze.effects.view import Point


def gaze_point(gaze: GazeState | None) -> Point | None:
    """Return the point of gaze, clamped to one picture's size around the picture.

    Parameters
    ----------
    gaze : GazeState or None
        The newest gaze.

    Returns
    -------
    Point or None
        In fractions of the picture, -1 to 2; None when unknown or not finite.
    """
    if gaze is None or gaze.shown is None or not all(map(math.isfinite, gaze.shown)):
        return None
    x, y = gaze.shown
    return min(2.0, max(-1.0, x)), min(2.0, max(-1.0, y))


def distance(a: Point, b: Point, aspect: float) -> float:
    """Return the distance of two points.

    Parameters
    ----------
    a, b : Point
        In fractions of the picture.
    aspect : float
        Width of the picture over its height.

    Returns
    -------
    float
        As a fraction of the picture's width.
    """
    return math.hypot(a[0] - b[0], (a[1] - b[1]) / aspect)


def interpolate(a: Point, b: Point, fraction: float) -> Point:
    """Return a point between two points.

    Parameters
    ----------
    a, b : Point
        In fractions of the picture.
    fraction : float
        0 is `a`, 1 is `b`.

    Returns
    -------
    Point
        The point on the line from `a` to `b`.
    """
    return a[0] + (b[0] - a[0]) * fraction, a[1] + (b[1] - a[1]) * fraction


def clamp(point: Point) -> Point:
    """Return the point of the picture that is nearest to a point.

    Parameters
    ----------
    point : Point
        In fractions of the picture; may be beside it.

    Returns
    -------
    Point
        Both coordinates from 0 to 1.
    """
    return min(1.0, max(0.0, point[0])), min(1.0, max(0.0, point[1]))
