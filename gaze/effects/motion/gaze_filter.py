"""Filters the point of gaze for drawing: still in a fixation, at once in a saccade."""

import math
from dataclasses import dataclass
from typing import Final

from gaze.effects.motion.points import gaze_point
from gaze.effects.motion.time_step import TimeStep, low_pass_gain
from gaze.effects.state import HOLD_S, GazeState
from gaze.effects.view import Point

FADE_OUT_S: Final = 0.4
FADE_IN_S: Final = 0.12
"""Time constants with which an effect disappears once the gaze is unknown for `HOLD_S`, and comes
back. Chosen by hand; no benchmark covers them."""

MIN_VISIBILITY: Final = 0.01
"""Below this an effect is not drawn: 2.5 steps of 8 bits at most. Chosen by hand."""

SACCADE_HEIGHTS: Final = 0.08
"""Steps longer than this are saccades and are taken at once: 1.35 degrees where the picture is 30
degrees wide. Chosen by hand; tests/effects/builtin/test_blur.py holds it."""

DEAD_ZONE_HEIGHTS: Final = 0.012
"""Movements within this are fixational or noise and are ignored. Chosen by hand so that nothing
shimmers in a fixation; tests/effects/test_fixation_stability.py holds it."""

PURSUIT_S: Final = 0.08
"""Time constant with which slower movements are followed. Chosen by hand, two to three frames; no
benchmark covers it."""

UNCERTAINTY_S: Final = 0.5
"""Time constant of the uncertainty's filter. Chosen by hand; no benchmark covers it."""


@dataclass(frozen=True, slots=True)
class FilteredGaze:
    """Where a gaze-contingent effect should be drawn.

    Attributes
    ----------
    x, y : float
        Filtered point of gaze in fractions of the picture.
    visibility : float
        How much of the effect is drawn: 1 while the gaze is known, fading to 0 afterwards.
    uncertainty : float
        One standard deviation of the point of gaze as a fraction of the picture's height.
    """

    x: float
    y: float
    visibility: float
    uncertainty: float


class GazeFilter:
    """Follows the point of gaze as a gaze-contingent display should.

    Movements within a dead zone are ignored, slow ones are low-pass filtered, and saccades are
    taken at once. When the gaze is unknown the last point is held for `HOLD_S`, then the effect
    fades out.
    """

    def __init__(
        self, dead_zone_heights: float = DEAD_ZONE_HEIGHTS, pursuit_s: float = PURSUIT_S
    ) -> None:
        """Begin without a gaze.

        Parameters
        ----------
        dead_zone_heights : float, optional
            Radius of the dead zone as a fraction of the picture's height.
        pursuit_s : float, optional
            Time constant of the low-pass filter.
        """
        self._dead_zone = dead_zone_heights
        self._pursuit_s = pursuit_s
        self._x = 0.5
        self._y = 0.5
        self._visibility = 0.0
        self._uncertainty = 0.0
        self._time_step = TimeStep()
        self._known_s: float | None = None

    def step(self, gaze: GazeState | None, aspect: float, t_s: float) -> FilteredGaze | None:
        """Take the gaze for one frame.

        Parameters
        ----------
        gaze : GazeState or None
            The newest gaze.
        aspect : float
            Width of the picture over its height.
        t_s : float
            When the frame is due, on the monotonic clock.

        Returns
        -------
        FilteredGaze or None
            None while nothing should be drawn.
        """
        step_s = self._time_step.step(t_s)
        point = gaze_point(gaze)
        if gaze is not None and point is not None:
            first = self._known_s is None or self._visibility < MIN_VISIBILITY
            self._move(point, aspect, step_s, jump=first)
            uncertainty = gaze.uncertainty if gaze.uncertainty and gaze.uncertainty > 0 else 0.0
            self._uncertainty += (uncertainty * aspect - self._uncertainty) * (
                1.0 if first else low_pass_gain(step_s, UNCERTAINTY_S)
            )
            if self._known_s is None:
                self._visibility = 1.0
            self._visibility += (1.0 - self._visibility) * low_pass_gain(step_s, FADE_IN_S)
            self._known_s = t_s
        elif self._known_s is not None and t_s - self._known_s > HOLD_S:
            fading_s = min(step_s, t_s - self._known_s - HOLD_S)
            self._visibility -= self._visibility * low_pass_gain(fading_s, FADE_OUT_S)
        if self._visibility < MIN_VISIBILITY:
            return None
        return FilteredGaze(self._x, self._y, self._visibility, self._uncertainty)

    def _move(self, point: Point, aspect: float, step_s: float, jump: bool) -> None:
        dx = (point[0] - self._x) * aspect
        dy = point[1] - self._y
        distance = math.hypot(dx, dy)
        if jump or distance > SACCADE_HEIGHTS:
            self._x, self._y = point
        elif distance > self._dead_zone:
            gain = low_pass_gain(step_s, self._pursuit_s) * (distance - self._dead_zone) / distance
            self._x += dx / aspect * gain
            self._y += dy * gain
