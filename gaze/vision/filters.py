"""Filter a signal by the One Euro filter: steady at rest, fast in motion.

Casiez, Roussel and Vogel (2012, "1 € filter: a simple speed-based low-pass filter for noisy input
in interactive systems").
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray


def smoothing_factor(cutoff_hz: float, step_s: float) -> float:
    """Return the weight of a new value in a first-order low-pass filter.

    Parameters
    ----------
    cutoff_hz : float
        The filter's cutoff frequency.
    step_s : float
        Time since the value before.

    Returns
    -------
    float
        From 0 to 1.
    """
    angle = 2.0 * math.pi * cutoff_hz * step_s
    return angle / (angle + 1.0)


class OneEuro:
    """A low-pass filter whose cutoff rises with speed, with the true time step of every value.

    References
    ----------
    Casiez, Roussel and Vogel (2012). 1 € filter.
    """

    def __init__(self, min_cutoff_hz: float, beta: float, speed_cutoff_hz: float = 1.0) -> None:
        """Start without a value.

        Parameters
        ----------
        min_cutoff_hz : float
            Cutoff frequency at rest.
        beta : float
            How much the cutoff rises, in Hz per unit of speed.
        speed_cutoff_hz : float, default 1.0
            Cutoff frequency of the speed's own filter; the paper's.
        """
        self._min_cutoff_hz = min_cutoff_hz
        self._beta = beta
        self._speed_cutoff_hz = speed_cutoff_hz
        self._value: FloatArray | None = None
        self._speed: FloatArray = np.zeros(1)
        self._t_s = 0.0

    def update(self, value: FloatArray, t_s: float) -> FloatArray:
        """Filter a value.

        Parameters
        ----------
        value : FloatArray, shape (n,)
        t_s : float
            Its time. A value that is not later than the one before changes nothing.

        Returns
        -------
        FloatArray, shape (n,)
            The filtered value.
        """
        if self._value is None:
            return self.reset(value, t_s)
        step_s = t_s - self._t_s
        if step_s <= 0.0:
            return self._value.copy()
        share = smoothing_factor(self._speed_cutoff_hz, step_s)
        self._speed = self._speed + share * ((value - self._value) / step_s - self._speed)
        cutoff_hz = self._min_cutoff_hz + self._beta * math.hypot(*self._speed.tolist())
        self._value = self._value + smoothing_factor(cutoff_hz, step_s) * (value - self._value)
        self._t_s = t_s
        return self._value.copy()

    def reset(self, value: FloatArray, t_s: float) -> FloatArray:
        """Jump to a value, as after a saccade.

        Parameters
        ----------
        value : FloatArray, shape (n,)
        t_s : float
            Its time.

        Returns
        -------
        FloatArray, shape (n,)
            The same value.
        """
        self._value = np.array(value, dtype=np.float64)
        self._speed = np.zeros_like(self._value)
        self._t_s = t_s
        return self._value.copy()

    def clear(self) -> None:
        """Forget everything; the next value is returned unchanged."""
        self._value = None
