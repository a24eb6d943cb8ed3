"""Correct the drift of the gaze by clicks: where viewers click, they surely look.

Webcam gaze drifts when the viewer moves, and with time (Papoutsaki et al. 2016, whose WebGazer
learns from clicks too). An error counts less the older it is and the further away the head was; a
zero error, or the correction that an earlier session ended with, counts as one more click.
"""

from collections import deque

import numpy as np

from gaze.vision.arrays import FloatArray

# Chosen by hand on made viewers; no benchmark covers them (docs/accuracy.md, "What this does not
# show").
CLICKS = 24
MEMORY_S = 300.0
"""An error counts by a factor e less after this time."""
HEAD_LENGTH_SCALE = 2.0
"""A head this far away counts by exp(-1/2), in the units of `features.HEAD`."""


class DriftCorrection:
    """The errors at the last clicks, and the correction that they give at a time.

    Errors and corrections are in fractions of the screen's width and height, target less gaze.
    """

    def __init__(self, initial: FloatArray | None = None) -> None:
        """Start without clicks.

        Parameters
        ----------
        initial : FloatArray, shape (2,), or None, default None
            The correction that an earlier session ended with.
        """
        self._initial = np.zeros(2) if initial is None else initial
        self._clicks: deque[tuple[float, FloatArray, FloatArray]] = deque(maxlen=CLICKS)

    def add_click(self, error: FloatArray, head: FloatArray, t_s: float) -> None:
        """Take the error at one click.

        Parameters
        ----------
        error : FloatArray, shape (2,)
        head : FloatArray, shape (6,)
            The features `HEAD` at the click.
        t_s : float
            When it was.
        """
        self._clicks.append((t_s, head, error))

    def correction(self, head: FloatArray, t_s: float) -> FloatArray:
        """Return what to add to the point of gaze.

        Parameters
        ----------
        head : FloatArray, shape (6,)
            The current features `HEAD`.
        t_s : float
            The current time.

        Returns
        -------
        FloatArray, shape (2,)
        """
        if not self._clicks:
            return self._initial
        times, heads, errors = (np.array(each) for each in zip(*self._clicks, strict=True))
        ages = np.maximum(t_s - times, 0.0) / MEMORY_S
        distances = ((heads - head) ** 2).sum(axis=1) / (2.0 * HEAD_LENGTH_SCALE**2)
        weights = np.exp(-ages - distances)
        return np.asarray((self._initial + weights @ errors) / (1.0 + weights.sum()))
