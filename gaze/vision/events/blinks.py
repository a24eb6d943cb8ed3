"""Tells blinks from squints and glances down, and counts them, while the lids move.

A blink is a fall of the lids, quick and soon undone (Caffier et al. 2003 give 0.1 to 0.4 s, and
call it long from 0.5 s). So the lids are compared with where they were just before, and with where
this viewer's stand of late; lids that stay low are a squint or a glance down, and become what the
next blink is measured by. Lids that stay shut are eyes that are closed, and no blink either.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink that is over. A `long` one lasts over 0.5 s; in a `half` one the lids came down by
    much less than in this viewer's other blinks, or, while few are known, did not shut."""

    start_s: float
    end_s: float
    kind: Literal["short", "long", "half"]


@dataclass(slots=True)
class _Fall:
    """Lids on their way down: when that began, from which ratio, and the lowest ratio since."""

    start_s: float
    since_ratio: float
    lowest: float
    openness: float


class Blinks:
    """The online detector, fed with every frame in which the eyes were seen.

    Eyes that are shut open with hysteresis. All shares are of the level at which this viewer's lids
    stood over the last seconds.
    """

    CLOSE_BELOW = 0.25
    OPEN_ABOVE = 0.4
    LONG_S = 0.5
    LONGEST_S = 1.25
    WINDOW_S = 60.0
    SHUT_OPENNESS = 0.2
    """Lids at most this open count for PERCLOS (Wierwille et al. 1994: at least 80 % closed)."""

    _USUAL_RATIO = 0.27
    _LEVEL_S = 2.0
    _BEFORE_S = 0.25
    _BEGUN = 0.12
    _FALLEN = 0.18
    _UNDONE = 0.5
    _HALF = 0.6
    _FEWEST_DEPTHS = 5
    # Lids that are still low after this are taken for a glance down until they rise.
    _UNSETTLED_S = 0.5
    _GAP_S = 0.5
    _LONGEST_STEP_S = 0.3
    _FIRST_RATE_S = 10.0

    def __init__(self) -> None:
        self._shut = False
        self._away = False
        self._level = self._USUAL_RATIO
        self._before: deque[tuple[float, float]] = deque()
        self._fall: _Fall | None = None
        self._started_s: float | None = None
        self._last_s = -math.inf
        self._ends_s: deque[float] = deque()
        self._depths: deque[float] = deque(maxlen=20)
        self._seen: deque[tuple[float, float, float]] = deque()
        self._seen_s = self._shut_s = 0.0

    @property
    def closed(self) -> bool:
        """Whether the eyes are seen, and shut."""
        return self._shut and not self._away

    @property
    def unsettled(self) -> bool:
        """Whether the lids are shut, or have just fallen and may be in a blink."""
        fall = self._fall
        return self.closed or (
            fall is not None
            and self._last_s - fall.start_s < self._UNSETTLED_S
            and self._deep(fall)
        )

    def update(self, ratio: float, openness: float, t_s: float) -> Blink | None:
        """Take the mean of both eyes' aspect ratios, and of their openness 0..1, at `t_s`.

        Returns the blink that has just ended, if one has. A frame that is not later than the one
        before changes nothing, but that the face is there.
        """
        self._away = False
        step_s = t_s - self._last_s
        if step_s <= 0.0:
            return None
        if self._started_s is None:
            self._started_s = t_s
        if step_s > self._GAP_S:
            self._fall = None
            self._before.clear()
        self._last_s = t_s
        seen_s = min(step_s, self._LONGEST_STEP_S)
        self._note_shut(openness <= self.SHUT_OPENNESS, seen_s, t_s)
        self._shut = openness < (self.OPEN_ABOVE if self._shut else self.CLOSE_BELOW)
        if self._fall is None:
            self._fall = self._begun(ratio, openness, t_s)
            if self._fall is None:
                self._before.append((t_s, ratio))
                self._level += (1.0 - math.exp(-seen_s / self._LEVEL_S)) * (ratio - self._level)
            return None
        return self._go_on(self._fall, ratio, openness, t_s)

    def forget(self) -> None:
        """The face is gone: whether the eyes are closed is unknown until it is seen again."""
        self._away = True

    def rate_per_min(self, t_s: float) -> float | None:
        """Return blinks per minute over the last 60 s; None in the first 10 s of seeing eyes."""
        while self._ends_s and self._ends_s[0] < t_s - self.WINDOW_S:
            self._ends_s.popleft()
        if self._started_s is None or t_s - self._started_s < self._FIRST_RATE_S:
            return None
        return len(self._ends_s) * 60.0 / min(t_s - self._started_s, self.WINDOW_S)

    def perclos(self, t_s: float) -> float | None:
        """Return the share 0..1 of the last minute's seen time in which the eyes were shut.

        None until eyes were seen for 10 s of it.
        """
        while self._seen and self._seen[0][0] < t_s - self.WINDOW_S:
            _, step_s, shut_s = self._seen.popleft()
            self._seen_s -= step_s
            self._shut_s -= shut_s
        if self._seen_s < self._FIRST_RATE_S:
            return None
        return min(max(self._shut_s / self._seen_s, 0.0), 1.0)

    def _begun(self, ratio: float, openness: float, t_s: float) -> _Fall | None:
        """Whether the lids stand clearly lower than just before; see `_before`."""
        while self._before and self._before[0][0] < t_s - self._BEFORE_S - 1e-6:
            if len(self._before) == 1:
                break
            self._before.popleft()
        ratios = [each for _, each in self._before]
        since = sum(ratios) / len(ratios) if ratios else self._level
        if since - ratio < self._BEGUN * self._level:
            return None
        return _Fall(t_s, since, ratio, openness)

    def _deep(self, fall: _Fall) -> bool:
        least = self._FALLEN * self._level
        return fall.since_ratio - fall.lowest >= least and self._level - fall.lowest >= least

    def _go_on(self, fall: _Fall, ratio: float, openness: float, t_s: float) -> Blink | None:
        lasted_s = t_s - fall.start_s
        falling = lasted_s <= self._BEFORE_S + 1e-6
        if falling:
            fall.lowest = min(fall.lowest, ratio)
        fall.openness = min(fall.openness, openness)
        deep = self._deep(fall)
        undone = ratio >= fall.lowest + self._UNDONE * (fall.since_ratio - fall.lowest)
        if undone and not self.closed:
            self._settle(ratio, t_s)
            if not deep or lasted_s > self.LONGEST_S:
                return None
            self._ends_s.append(t_s)
            if self._is_half(fall):
                return Blink(fall.start_s, t_s, "half")
            return Blink(fall.start_s, t_s, "long" if lasted_s > self.LONG_S else "short")
        if not self.closed and (lasted_s > self.LONGEST_S or not (falling or deep)):
            self._settle(ratio, t_s)
        return None

    def _is_half(self, fall: _Fall) -> bool:
        depth = 1.0 - fall.lowest / self._level
        self._depths.append(depth)
        if len(self._depths) <= self._FEWEST_DEPTHS:
            return fall.openness >= self.CLOSE_BELOW
        return depth < self._HALF * sorted(self._depths)[3 * len(self._depths) // 4]

    def _settle(self, ratio: float, t_s: float) -> None:
        self._fall = None
        self._before.clear()
        self._before.append((t_s, ratio))

    def _note_shut(self, shut: bool, step_s: float, t_s: float) -> None:
        shut_s = step_s if shut else 0.0
        self._seen.append((t_s, step_s, shut_s))
        self._seen_s += step_s
        self._shut_s += shut_s
