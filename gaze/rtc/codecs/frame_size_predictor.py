"""Predicts frames that would be encoded several times as large as others, and so arrive late.

A cut, or a key frame of the film that came, changes the whole picture at once; a saccade of the
viewer's uncovers detail where there was blur. Encoded as finely as ever such a frame takes as long
to leave as several others, which wait behind it. Both show before it is encoded: in how large the
frame was as it came, whose encoder too has estimated motion, and in where it was softened. What it
gains is in docs/delay.md (`python -m benchmarks.latency`): a cut takes 4 frames' share of the
bitrate instead of 11, a jump of the gaze 2 to 3 instead of 5 to 6.
"""

import numpy as np
from numpy.typing import NDArray

from gaze.frames.metadata import FrameMetadata

MAX_SHARES = 2.0
"""How many times its share of the bitrate a frame may be: about what may leave at once."""

# Chosen by hand with tests/rtc/codecs/test_frame_size_predictor.py and the figures above.
SETTLE_FRAMES = 10
SMOOTHING = 0.05
MAX_TIMES_USUAL = 2.0
# A picture all of whose detail is new takes so many times the bytes of a usual one in addition. It
# is learned from those of which at least a tenth is.
INITIAL_NEW_DETAIL_COST, MIN_NEW_DETAIL_COST, MAX_NEW_DETAIL_COST = 4.0, 1.0, 8.0
LEARNING_RATE, MIN_LEARNED_SHARE = 0.3, 0.1

Sharpness = NDArray[np.float32] | float
"""Share of the detail that is left, on a grid over the frame or for all of it."""


class FrameSizePredictor:
    """Knows how large frames usually are, as they come and as they are sent.

    For each frame `quantizer_scale` is called before it is encoded, and `add` after.
    """

    def __init__(self) -> None:
        self._frames = 0
        self._usual_came_bytes = 0.0
        self._usual_sent_bytes = 0.0
        self._new_detail_cost = INITIAL_NEW_DETAIL_COST
        self._sharpness: Sharpness = 1.0
        self._times_usual = 1.0
        self._new_detail = 0.0
        self._scale = 1.0

    def quantizer_scale(self, metadata: FrameMetadata, share_bytes: float) -> float:
        """Say how many times as coarse as usual a frame should be quantized.

        Parameters
        ----------
        metadata : FrameMetadata
            What is known of the frame.
        share_bytes : float
            One frame's share of the bitrate.

        Returns
        -------
        float
            1 or more.
        """
        self._new_detail = self._find_new_detail(metadata.softened)
        self._times_usual = 1.0
        if metadata.encoded_bytes and self._usual_came_bytes:
            self._times_usual = metadata.encoded_bytes / self._usual_came_bytes
        self._scale = 1.0
        if self._frames >= SETTLE_FRAMES:
            times_usual = self._times_usual + self._new_detail_cost * self._new_detail
            expected_bytes = self._usual_sent_bytes * times_usual
            self._scale = max(1.0, expected_bytes / (MAX_SHARES * share_bytes))
        return self._scale

    def add(self, metadata: FrameMetadata, sent_bytes: int) -> None:
        """Take how large the frame was in the end.

        Parameters
        ----------
        metadata : FrameMetadata
            What is known of the frame.
        sent_bytes : int
            Its encoded size.
        """
        if self._frames >= SETTLE_FRAMES and self._new_detail >= MIN_LEARNED_SHARE:
            times_usual = sent_bytes * self._scale / self._usual_sent_bytes
            cost = (times_usual - self._times_usual) / self._new_detail
            cost = min(max(cost, MIN_NEW_DETAIL_COST), MAX_NEW_DETAIL_COST)
            self._new_detail_cost += LEARNING_RATE * (cost - self._new_detail_cost)
        self._frames += 1
        self._usual_sent_bytes = _smooth(self._usual_sent_bytes, sent_bytes)
        if metadata.encoded_bytes:
            self._usual_came_bytes = _smooth(self._usual_came_bytes, metadata.encoded_bytes)

    def _find_new_detail(self, softened: NDArray[np.float32] | None) -> float:
        """Return the share of a frame's detail that the one before did not have."""
        before = self._sharpness
        # Half the detail in both directions is a quarter of the samples.
        now: Sharpness = 1.0 if softened is None else np.exp2(-2 * softened)
        self._sharpness = now
        if isinstance(now, float) and isinstance(before, float):
            return 0.0
        if np.shape(now) != np.shape(before) and np.size(now) > 1 and np.size(before) > 1:
            return 0.0
        return float(np.maximum(now - before, 0.0).mean() / np.mean(now))


def _smooth(usual: float, now: float) -> float:
    """Exponential mean; what is far larger counts as twice of it."""
    if not usual:
        return now
    return usual + SMOOTHING * (min(now, MAX_TIMES_USUAL * usual) - usual)
