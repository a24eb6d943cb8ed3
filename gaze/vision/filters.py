"""The One Euro filter (Casiez, Roussel and Vogel 2012): steady at rest, quick in motion."""

import math

import numpy as np
from numpy.typing import NDArray


def smoothing_factor(cutoff_hz: float, step_s: float) -> float:
    """Return the weight of a new value in a first-order low-pass with that cutoff and time step."""
    turn = 2.0 * math.pi * cutoff_hz * step_s
    return turn / (turn + 1.0)


class OneEuro:
    """A low-pass whose cutoff rises with speed, with the true time step of every value.

    `min_cutoff_hz` rules at rest; `beta` (Hz per unit of speed) lets go in motion.
    """

    def __init__(self, min_cutoff_hz: float, beta: float, speed_cutoff_hz: float = 1.0) -> None:
        self._min_cutoff_hz = min_cutoff_hz
        self._beta = beta
        self._speed_cutoff_hz = speed_cutoff_hz
        self._value: NDArray[np.float64] | None = None
        self._speed: NDArray[np.float64] = np.zeros(1)
        self._t_s = 0.0

    def update(self, value: NDArray[np.float64], t_s: float) -> NDArray[np.float64]:
        """Take a value of shape (n,) at `t_s` and return the filtered one.

        A value that is not later than the one before changes nothing.
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

    def reset(self, value: NDArray[np.float64], t_s: float) -> NDArray[np.float64]:
        """Jump to a value, as after a saccade, and return it."""
        self._value = np.array(value, dtype=np.float64)
        self._speed = np.zeros_like(self._value)
        self._t_s = t_s
        return self._value.copy()

    def clear(self) -> None:
        """Forget everything; the next value is taken as it is."""
        self._value = None
