"""Where sharp sight lies on the picture: still in a fixation, moving at once with a saccade."""

import math
from dataclasses import dataclass

from gaze.effects.state import GazeState

HOLD_S = 1.0
FADE_OUT_S = 0.4
FADE_IN_S = 0.12
GONE = 0.01

SACCADE = 0.08
DEAD_ZONE = 0.012
PURSUIT_S = 0.08
SPREAD_S = 0.5


@dataclass(frozen=True, slots=True)
class Sight:
    """The middle of sight in fractions of the picture, and how surely it is there.

    `presence` goes from 1 to 0 once the gaze is unknown. `spread` is one standard deviation of
    the point of gaze as a fraction of the picture's height.
    """

    x: float
    y: float
    presence: float
    spread: float


class Fovea:
    """Follows the point of gaze the way an eye-contingent picture should.

    Movements under a small dead zone are ignored, slow ones are followed smoothly, and a step is
    taken at once. With unknown gaze the last place is held for `HOLD_S` and then fades.
    Lengths are fractions of the picture's height.
    """

    def __init__(self, dead_zone: float = DEAD_ZONE, pursuit_s: float = PURSUIT_S) -> None:
        self._dead_zone = dead_zone
        self._pursuit_s = pursuit_s
        self._x = 0.5
        self._y = 0.5
        self._presence = 0.0
        self._spread = 0.0
        self._stepped_s: float | None = None
        self._known_s: float | None = None

    def look(self, gaze: GazeState | None, aspect: float, t_s: float) -> Sight | None:
        """Step to `t_s`; `aspect` is width / height. None while there is no place to speak of."""
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s
        point = known_point(gaze)
        if gaze is not None and point is not None:
            first = self._known_s is None or self._presence < GONE
            self._move(point, aspect, step_s, jump=first)
            spread = gaze.uncertainty if gaze.uncertainty and gaze.uncertainty > 0 else 0.0
            self._spread += (spread * aspect - self._spread) * (
                1.0 if first else _share(step_s, SPREAD_S)
            )
            if self._known_s is None:
                self._presence = 1.0
            self._presence += (1.0 - self._presence) * _share(step_s, FADE_IN_S)
            self._known_s = t_s
        elif self._known_s is not None and t_s - self._known_s > HOLD_S:
            faded_s = min(step_s, t_s - self._known_s - HOLD_S)
            self._presence -= self._presence * _share(faded_s, FADE_OUT_S)
        if self._presence < GONE:
            return None
        return Sight(self._x, self._y, self._presence, self._spread)

    def _move(self, point: tuple[float, float], aspect: float, step_s: float, jump: bool) -> None:
        dx = (point[0] - self._x) * aspect
        dy = point[1] - self._y
        distance = math.hypot(dx, dy)
        if jump or distance > SACCADE:
            self._x, self._y = point
        elif distance > self._dead_zone:
            share = _share(step_s, self._pursuit_s) * (distance - self._dead_zone) / distance
            self._x += dx / aspect * share
            self._y += dy * share


def known_point(gaze: GazeState | None) -> tuple[float, float] | None:
    """Return the point of gaze, kept within one picture of the picture; None when unknown."""
    if gaze is None or gaze.shown is None or not all(map(math.isfinite, gaze.shown)):
        return None
    x, y = gaze.shown
    return min(2.0, max(-1.0, x)), min(2.0, max(-1.0, y))


def _share(step_s: float, time_constant_s: float) -> float:
    return -math.expm1(-step_s / time_constant_s)
