"""Foresees frames that would come out several times as large as others, and so late.

A cut, or a key frame of the film that came, changes the whole picture at once; a saccade of the
viewer's uncovers detail where there was blur. Encoded as finely as ever such a frame takes as long
to leave as several others, which wait behind it. Both show before it is encoded: in how large the
frame was as it came, whose encoder too has looked for motion, and in where it was softened.
"""

import numpy as np
from numpy.typing import NDArray

from gaze.frames.metadata import FrameMetadata

MOST_SHARES = 2.0
"""How much larger than its share of the bitrate a frame may be: about what may leave at once."""

_SETTLE_FRAMES = 10
_SMOOTHING = 0.05
_MOST_TIMES_USUAL = 2.0
# A picture all of whose detail is new takes so many times the bytes of a usual one more. It is
# learned from those of which at least a tenth is.
_ALL_NEW, _LEAST_ALL_NEW, _MOST_ALL_NEW = 4.0, 1.0, 8.0
_LEARNING, _LEARNED_FROM = 0.3, 0.1

Sharpness = NDArray[np.float32] | float


class FrameSizePredictor:
    """Knows how large frames usually are, as they come and as they are sent.

    For each frame `coarser` is called before it is encoded, and `add` after.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._came_bytes = 0.0
        self._sent_bytes = 0.0
        self._all_new = _ALL_NEW
        self._sharp: Sharpness = 1.0
        self._times_usual = 1.0
        self._new = 0.0
        self._coarser = 1.0

    def coarser(self, notes: FrameMetadata, share_bytes: float) -> float:
        """How many times as coarse as usual a frame should be encoded, 1 or more.

        Args:
            notes: what is known of the frame.
            share_bytes: of the bitrate, for one frame.
        """
        self._new = self._newly_sharp(notes.softened)
        self._times_usual = 1.0
        if notes.encoded_bytes and self._came_bytes:
            self._times_usual = notes.encoded_bytes / self._came_bytes
        self._coarser = 1.0
        if self._frames >= _SETTLE_FRAMES:
            expected_bytes = self._sent_bytes * (self._times_usual + self._all_new * self._new)
            self._coarser = max(1.0, expected_bytes / (MOST_SHARES * share_bytes))
        return self._coarser

    def add(self, notes: FrameMetadata, sent_bytes: int) -> None:
        """Note how large the frame was in the end."""
        if self._frames >= _SETTLE_FRAMES and self._new >= _LEARNED_FROM:
            times_usual = sent_bytes * self._coarser / self._sent_bytes
            found = (times_usual - self._times_usual) / self._new
            found = min(max(found, _LEAST_ALL_NEW), _MOST_ALL_NEW)
            self._all_new += _LEARNING * (found - self._all_new)
        self._frames += 1
        self._sent_bytes = _follow(self._sent_bytes, sent_bytes)
        if notes.encoded_bytes:
            self._came_bytes = _follow(self._came_bytes, notes.encoded_bytes)

    def _newly_sharp(self, softened: NDArray[np.float32] | None) -> float:
        """The share of a frame's detail that the one before did not have."""
        before = self._sharp
        # Half the detail both ways is a quarter of the samples.
        now: Sharpness = 1.0 if softened is None else np.exp2(-2 * softened)
        self._sharp = now
        if isinstance(now, float) and isinstance(before, float):
            return 0.0
        if np.shape(now) != np.shape(before) and np.size(now) > 1 and np.size(before) > 1:
            return 0.0
        return float(np.maximum(now - before, 0.0).mean() / np.mean(now))


def _follow(usual: float, now: float) -> float:
    """The mean of what is usual; what is far larger counts as twice of it."""
    if not usual:
        return now
    return usual + _SMOOTHING * (min(now, _MOST_TIMES_USUAL * usual) - usual)
