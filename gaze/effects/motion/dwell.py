"""Detects how long the gaze has rested at one place of the film."""

from typing import Final

from gaze.effects.motion.points import distance, interpolate
from gaze.effects.motion.time_step import low_pass_gain
from gaze.effects.state import HOLD_S
from gaze.effects.view import Point

GLANCE_S: Final = 0.12
"""A look elsewhere shorter than this does not end a dwell: less than the shortest fixations. Chosen
by hand (tests/effects/builtin/test_zoom.py); no benchmark covers it."""

SETTLE_S: Final = 0.3
"""Time constant with which noise is averaged out of the dwell's place. Chosen by hand; no benchmark
covers it."""


class DwellDetector:
    """Detects dwells by dispersion: the gaze stays within a radius of its own mean.

    Attributes
    ----------
    place : Point or None
        Where the gaze dwells, its noise averaged out; None while it is unknown.
    """

    def __init__(self) -> None:
        self.place: Point | None = None
        self._since_s = 0.0
        self._seen_s = 0.0
        self._stepped_s = 0.0

    def step(self, point: Point | None, aspect: float, radius: float, t_s: float) -> float | None:
        """Take the point of gaze for one frame.

        Parameters
        ----------
        point : Point or None
            In fractions of the film; None if unknown.
        aspect : float
            Width of the film over its height.
        radius : float
            Radius of a dwell as a fraction of the film's width.
        t_s : float
            When the frame is due, on the monotonic clock.

        Returns
        -------
        float or None
            Seconds that the gaze has dwelled at `place`; None without a place.
        """
        step_s, self._stepped_s = max(0.0, t_s - self._stepped_s), t_s
        if point is None:
            if self.place is not None and t_s - self._seen_s > HOLD_S:
                self.place = None
        elif self.place is None or (
            distance(point, self.place, aspect) > radius and t_s - self._seen_s >= GLANCE_S
        ):
            self.place, self._since_s, self._seen_s = point, t_s, t_s
        elif distance(point, self.place, aspect) <= radius:
            self._seen_s = t_s
            self.place = interpolate(self.place, point, low_pass_gain(step_s, SETTLE_S))
        return None if self.place is None else self._seen_s - self._since_s
