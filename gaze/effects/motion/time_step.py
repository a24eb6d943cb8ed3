"""Time steps between frames, and the low-pass filter that is right for any of them."""

import math


class TimeStep:
    """Measures the time from one frame to the next."""

    def __init__(self) -> None:
        self._last_s: float | None = None

    def step(self, t_s: float) -> float:
        """Take the time of a frame.

        Parameters
        ----------
        t_s : float
            When the frame is due, on the monotonic clock.

        Returns
        -------
        float
            Seconds since the frame before; 0 for the first one, and where time runs back.
        """
        step_s = 0.0 if self._last_s is None else max(0.0, t_s - self._last_s)
        self._last_s = t_s
        return step_s


def low_pass_gain(step_s: float, time_constant_s: float) -> float:
    """Return the gain of a first-order low-pass filter for one time step.

    Parameters
    ----------
    step_s : float
        Seconds since the step before.
    time_constant_s : float
        Seconds in which the filter covers 63 % of a step of its input; not 0.

    Returns
    -------
    float
        From 0 to 1: `value += gain * (target - value)` filters alike at any frame rate.
    """
    return -math.expm1(-step_s / time_constant_s)
