"""Pans a point after another like a camera operator: eases in and out, with a speed limit."""

import math
from typing import Final

from gaze.effects.motion.points import clamp, distance, interpolate
from gaze.effects.view import Point

RESPONSE_S: Final = 0.45
"""Time in which the pan follows, at speed 1. Chosen by hand; no benchmark covers it."""

MAX_WIDTHS_PER_S: Final = 0.9
"""Fastest pan at speed 1, in picture widths a second. Chosen by hand; no benchmark covers it."""


class Pan:
    """A critically damped spring, integrated exactly for each time step."""

    def __init__(self) -> None:
        self._velocity = (0.0, 0.0)

    def step(
        self, position: Point, target: Point, aspect: float, step_s: float, speed: float
    ) -> Point:
        """Move on toward a target.

        Parameters
        ----------
        position, target : Point
            In fractions of the picture.
        aspect : float
            Width of the picture over its height.
        step_s : float
            Seconds since the step before.
        speed : float
            Scales response and speed limit.

        Returns
        -------
        Point
            The new position, clamped to the picture.
        """
        far = distance(position, target, aspect)
        fraction = min(1.0, MAX_WIDTHS_PER_S * speed * RESPONSE_S / far) if far > 0 else 1.0
        near = interpolate(position, target, fraction)
        rate = 2 * speed / RESPONSE_S
        decay = math.exp(-rate * step_s)
        positions, velocities = [], []
        for at, to, v in zip(position, near, self._velocity, strict=True):
            pull = (v + rate * (at - to)) * step_s
            positions.append(to + (at - to + pull) * decay)
            velocities.append((v - rate * pull) * decay)
        self._velocity = velocities[0], velocities[1]
        return clamp((positions[0], positions[1]))

    def stop(self) -> None:
        """Set the velocity to zero."""
        self._velocity = (0.0, 0.0)
