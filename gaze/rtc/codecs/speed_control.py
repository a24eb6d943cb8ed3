"""How fast an encoder should work: quality where there is time, speed where there is not."""

FASTER_ABOVE = 0.25  # of the time from frame to frame
MUCH_FASTER_ABOVE = 0.5
SLOWER_BELOW = 0.12
SETTLE_FRAMES = 10  # after a change, before the next is thought of
PATIENCE_S = 2.0
LONGEST_PATIENCE_S = 60.0
REGRET_S = 10.0
_SMOOTHING = 0.1


class SpeedControl:
    """Chooses among an encoder's speeds, 0 (best picture) to `fastest`.

    It steps up soon when encoding takes more than a quarter of the time from frame to frame, and
    down after a while in which it took less than an eighth. A step down that had to be undone
    doubles that while, so that it does not swing. It never asks for the time.
    """

    def __init__(self, fastest: int, speed: int) -> None:
        """Begin with `speed`, and go up to `fastest`."""
        self.speed = speed
        self._fastest = fastest
        self._load: float | None = None
        self._frames = 0
        self._idle_since_s: float | None = None
        self._slowed_s: float | None = None
        self._patience_s = PATIENCE_S

    def add(self, encoding_s: float, interval_s: float, t_s: float) -> int:
        """Note what a frame took and return the speed for the next.

        Args:
            encoding_s: how long encoding it took.
            interval_s: the time from frame to frame.
            t_s: the time of the frame.
        """
        self._frames += 1
        if self._frames == 1:  # a key frame, or the first after a change: not what it will take
            return self.speed
        load = encoding_s / interval_s
        self._load = load if self._load is None else self._load + _SMOOTHING * (load - self._load)
        if self._frames < SETTLE_FRAMES:
            return self.speed
        if self._load > FASTER_ABOVE:
            self._idle_since_s = None
            if self.speed < self._fastest:
                if self._slowed_s is not None and t_s - self._slowed_s < REGRET_S:
                    self._patience_s = min(2 * self._patience_s, LONGEST_PATIENCE_S)
                self._slowed_s = None
                self._step(2 if self._load > MUCH_FASTER_ABOVE else 1)
        elif self._load >= SLOWER_BELOW:
            self._idle_since_s = None
        elif self._idle_since_s is None:
            self._idle_since_s = t_s
        elif t_s - self._idle_since_s >= self._patience_s and self.speed > 0:
            self._idle_since_s = None
            if self._slowed_s is not None and t_s - self._slowed_s >= REGRET_S:
                self._patience_s = PATIENCE_S
            self._slowed_s = t_s
            self._step(-1)
        return self.speed

    def _step(self, by: int) -> None:
        self.speed = max(0, min(self.speed + by, self._fastest))
        self._load = None
        self._frames = 0
