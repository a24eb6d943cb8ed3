"""Which frames are left out so that a frame rate is not exceeded."""

TOLERANCE = 0.25
"""Share of the time between frames that one may come early and still be sent: chosen by hand, so
that an uneven film loses no more frames than its rate asks for."""


class FrameRateLimiter:
    """Keeps the times at which frames are due at the highest rate, in the frames' own time."""

    def __init__(self) -> None:
        self._due_s: float | None = None

    def is_early(self, pts_s: float, max_fps: float | None) -> bool:
        """Say whether a frame comes before its turn; one that does not counts as sent.

        Parameters
        ----------
        pts_s : float
            Time of the frame, in seconds.
        max_fps : float or None
            The highest frame rate now; None is no limit.

        Returns
        -------
        bool
            Whether to leave it out.
        """
        if max_fps is None:
            self._due_s = None
            return False
        interval_s = 1 / max_fps
        if self._due_s is not None and pts_s < self._due_s - TOLERANCE * interval_s:
            return True
        last_due_s = pts_s if self._due_s is None else self._due_s
        self._due_s = max(last_due_s, pts_s - interval_s) + interval_s
        return False
