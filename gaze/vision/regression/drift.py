"""How far the gaze is off by now, from the places where the viewer clicked, and so surely looked.

Webcam gaze drifts when the viewer moves, and with time (Papoutsaki et al. 2016, whose WebGazer
learns from clicks too). A miss counts less the older it is and the further away the head was; no
miss, or the one that an earlier session ended with, counts as one click more.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

CLICKS = 24
MEMORY_S = 300.0
"""A miss counts by a factor e less after this time."""
REACH = 2.0
"""A head this far off counts by exp(-1/2), in the units of `features.HEAD`."""


class Drift:
    """The misses of the last clicks, and what they say about a head at a time.

    Misses and shifts (2,) are in fractions of the screen, target less gaze; heads are (6,).
    """

    def __init__(self, before: Array | None = None) -> None:
        self._before = np.zeros(2) if before is None else before
        self._clicks: deque[tuple[float, Array, Array]] = deque(maxlen=CLICKS)

    def learn(self, miss: Array, head: Array, t_s: float) -> None:
        """Take the miss of one click."""
        self._clicks.append((t_s, head, miss))

    def shift(self, head: Array, t_s: float) -> Array:
        """Return what to add to the gaze of somebody with that head at `t_s`."""
        if not self._clicks:
            return self._before
        times, heads, misses = (np.array(each) for each in zip(*self._clicks, strict=True))
        ages = np.maximum(t_s - times, 0.0) / MEMORY_S
        apart = ((heads - head) ** 2).sum(axis=1) / (2.0 * REACH**2)
        weights = np.exp(-ages - apart)
        return np.asarray((self._before + weights @ misses) / (1.0 + weights.sum()))
