"""Foresees frames that would come out several times as large as others, and so late.

A cut, or a key frame of the film that came, changes the whole picture at once; encoded as finely as
ever it takes as long to leave as several frames, and those wait behind it. How large a frame was as
it came tells so before it is encoded: its encoder too has looked for motion.
"""

MOST_SHARES = 2.0
"""How much larger than its share of the bitrate a frame may be: about what may leave at once."""

_SETTLE_FRAMES = 10
_SMOOTHING = 0.05
_MOST_TIMES_USUAL = 2.0


class Spikes:
    """Knows how large frames usually are, as they come and as they are sent."""

    def __init__(self) -> None:
        self._frames = 0
        self._came_bytes = 0.0
        self._sent_bytes = 0.0

    def coarser(self, came_bytes: int, share_bytes: float) -> float:
        """How many times as coarse as usual a frame should be encoded, 1 or more.

        Args:
            came_bytes: how large it was as it came; 0 if that is not known.
            share_bytes: of the bitrate, for one frame.
        """
        if not came_bytes or self._frames < _SETTLE_FRAMES:
            return 1.0
        expected_bytes = self._sent_bytes * came_bytes / self._came_bytes
        return max(1.0, expected_bytes / (MOST_SHARES * share_bytes))

    def add(self, came_bytes: int, sent_bytes: int) -> None:
        """Note a frame that was sent."""
        if not came_bytes:
            return
        self._frames += 1
        if self._frames == 1:
            self._came_bytes, self._sent_bytes = float(came_bytes), float(sent_bytes)
            return
        self._came_bytes = _follow(self._came_bytes, came_bytes)
        self._sent_bytes = _follow(self._sent_bytes, sent_bytes)


def _follow(usual: float, now: float) -> float:
    """The mean of what is usual; what is far larger counts as twice of it."""
    return usual + _SMOOTHING * (min(now, _MOST_TIMES_USUAL * usual) - usual)
