"""Detect and count blinks online, and distinguish them from squints and glances down.

A blink is a fall of the lids, fast and soon undone (Caffier et al. 2003 give 0.1 to 0.4 s, and call
it long from 0.5 s). So the lids are compared with where they were just before, and with where this
viewer's were over the last seconds; lids that stay low are a squint or a glance down, and become
the level that the next blink is measured by. Lids that stay shut are closed eyes, and no blink
either.
"""

import math
from collections import deque
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Blink:
    """A blink that is over.

    Attributes
    ----------
    start_s, end_s : float
    kind : {"short", "long", "half"}
        A `long` one lasts over 0.5 s; in a `half` one the lids came down by much less than in this
        viewer's other blinks, or, while few are known, did not shut.
    """

    start_s: float
    end_s: float
    kind: Literal["short", "long", "half"]


@dataclass(slots=True)
class _Fall:
    """A fall of the lids.

    When it began, from which ratio, the lowest ratio in its first quarter of a second, and the
    least openness.
    """

    start_s: float
    from_ratio: float
    lowest_ratio: float
    openness: float


class BlinkDetector:
    """The online detector, fed with every frame in which the eyes were seen.

    Whether eyes are shut has hysteresis. All shares are of the level: the viewer's mean aspect
    ratio over the last seconds.
    """

    # Chosen by hand; no benchmark covers them.
    CLOSE_BELOW = 0.25
    OPEN_ABOVE = 0.4
    LONG_S = 0.5
    """Caffier et al. (2003)."""
    WINDOW_S = 60.0
    SHUT_OPENNESS = 0.2
    """Lids at most this open count for PERCLOS (Wierwille et al. 1994: at least 80 % closed)."""

    # The first eight were chosen on the two recordings of `benchmarks.blinks`.
    LONGEST_S = 1.25
    _LEVEL_S = 2.0
    _BEFORE_S = 0.25
    _START_SHARE = 0.12
    _FALL_SHARE = 0.18
    _UNDONE_SHARE = 0.5
    _HALF_SHARE = 0.6
    _MIN_DEPTHS = 5
    # Chosen by hand. Lids that are still low after the first are a glance down until they rise.
    _UNSETTLED_S = 0.5
    _INITIAL_RATIO = 0.27
    _GAP_S = 0.5
    _MAX_STEP_S = 0.3
    _FIRST_RATE_S = 10.0

    def __init__(self) -> None:
        self._shut = False
        self._face_lost = False
        self._level = self._INITIAL_RATIO
        self._before: deque[tuple[float, float]] = deque()
        self._fall: _Fall | None = None
        self._started_s: float | None = None
        self._last_s = -math.inf
        self._ends_s: deque[float] = deque()
        self._depths: deque[float] = deque(maxlen=20)
        # (time, duration, duration shut) of the last minute's frames, and their sums.
        self._frames: deque[tuple[float, float, float]] = deque()
        self._seen_s = self._shut_s = 0.0

    @property
    def closed(self) -> bool:
        """Whether the eyes are seen, and shut."""
        return self._shut and not self._face_lost

    @property
    def unsettled(self) -> bool:
        """Whether the lids are shut, or have just fallen and may be in a blink."""
        fall = self._fall
        return self.closed or (
            fall is not None
            and self._last_s - fall.start_s < self._UNSETTLED_S
            and self._is_deep(fall)
        )

    def update(self, ratio: float, openness: float, t_s: float) -> Blink | None:
        """Take one frame.

        Parameters
        ----------
        ratio : float
            Mean of both eyes' aspect ratios.
        openness : float
            Mean of both eyes' openness, from 0 to 1.
        t_s : float
            When the frame was captured. One that is not later than the frame before changes
            nothing, except that the face is no longer lost.

        Returns
        -------
        Blink or None
            The blink that has just ended.
        """
        self._face_lost = False
        step_s = t_s - self._last_s
        if step_s <= 0.0:
            return None
        if self._started_s is None:
            self._started_s = t_s
        if step_s > self._GAP_S:
            self._fall = None
            self._before.clear()
        self._last_s = t_s
        seen_s = min(step_s, self._MAX_STEP_S)
        self._count_shut(openness <= self.SHUT_OPENNESS, seen_s, t_s)
        self._shut = openness < (self.OPEN_ABOVE if self._shut else self.CLOSE_BELOW)
        if self._fall is None:
            self._fall = self._start_of_fall(ratio, openness, t_s)
            if self._fall is None:
                self._before.append((t_s, ratio))
                self._level += (1.0 - math.exp(-seen_s / self._LEVEL_S)) * (ratio - self._level)
            return None
        return self._continue(self._fall, ratio, openness, t_s)

    def lose_face(self) -> None:
        """Note that the face is lost: until it is seen again, `closed` is false."""
        self._face_lost = True

    def rate_per_min(self, t_s: float) -> float | None:
        """Return the blink rate over the last minute.

        Parameters
        ----------
        t_s : float
            The current time.

        Returns
        -------
        float or None
            None in the first 10 s of seeing eyes.
        """
        while self._ends_s and self._ends_s[0] < t_s - self.WINDOW_S:
            self._ends_s.popleft()
        if self._started_s is None or t_s - self._started_s < self._FIRST_RATE_S:
            return None
        return len(self._ends_s) * 60.0 / min(t_s - self._started_s, self.WINDOW_S)

    def perclos(self, t_s: float) -> float | None:
        """Return the share of the last minute's seen time in which the eyes were shut.

        Parameters
        ----------
        t_s : float
            The current time.

        Returns
        -------
        float or None
            From 0 to 1; None until eyes were seen for 10 s of that minute.

        References
        ----------
        Wierwille et al. (1994). Research on vehicle-based driver status/performance monitoring.
        """
        while self._frames and self._frames[0][0] < t_s - self.WINDOW_S:
            _, step_s, shut_s = self._frames.popleft()
            self._seen_s -= step_s
            self._shut_s -= shut_s
        if self._seen_s < self._FIRST_RATE_S:
            return None
        return min(max(self._shut_s / self._seen_s, 0.0), 1.0)

    def _start_of_fall(self, ratio: float, openness: float, t_s: float) -> _Fall | None:
        """Return a fall if the lids are clearly lower than on average just before."""
        while self._before and self._before[0][0] < t_s - self._BEFORE_S - 1e-6:
            if len(self._before) == 1:
                break
            self._before.popleft()
        ratios = [each for _, each in self._before]
        from_ratio = sum(ratios) / len(ratios) if ratios else self._level
        if from_ratio - ratio < self._START_SHARE * self._level:
            return None
        return _Fall(t_s, from_ratio, ratio, openness)

    def _is_deep(self, fall: _Fall) -> bool:
        least = self._FALL_SHARE * self._level
        return (
            fall.from_ratio - fall.lowest_ratio >= least
            and self._level - fall.lowest_ratio >= least
        )

    def _continue(self, fall: _Fall, ratio: float, openness: float, t_s: float) -> Blink | None:
        duration_s = t_s - fall.start_s
        falling = duration_s <= self._BEFORE_S + 1e-6
        if falling:
            fall.lowest_ratio = min(fall.lowest_ratio, ratio)
        fall.openness = min(fall.openness, openness)
        deep = self._is_deep(fall)
        depth = fall.from_ratio - fall.lowest_ratio
        undone = ratio >= fall.lowest_ratio + self._UNDONE_SHARE * depth
        if undone and not self.closed:
            self._end_fall(ratio, t_s)
            if not deep or duration_s > self.LONGEST_S:
                return None
            self._ends_s.append(t_s)
            if self._is_half(fall):
                return Blink(fall.start_s, t_s, "half")
            return Blink(fall.start_s, t_s, "long" if duration_s > self.LONG_S else "short")
        if not self.closed and (duration_s > self.LONGEST_S or not (falling or deep)):
            self._end_fall(ratio, t_s)
        return None

    def _is_half(self, fall: _Fall) -> bool:
        depth = 1.0 - fall.lowest_ratio / self._level
        self._depths.append(depth)
        if len(self._depths) <= self._MIN_DEPTHS:
            return fall.openness >= self.CLOSE_BELOW
        return depth < self._HALF_SHARE * sorted(self._depths)[3 * len(self._depths) // 4]

    def _end_fall(self, ratio: float, t_s: float) -> None:
        self._fall = None
        self._before.clear()
        self._before.append((t_s, ratio))

    def _count_shut(self, shut: bool, step_s: float, t_s: float) -> None:
        shut_s = step_s if shut else 0.0
        self._frames.append((t_s, step_s, shut_s))
        self._seen_s += step_s
        self._shut_s += shut_s
