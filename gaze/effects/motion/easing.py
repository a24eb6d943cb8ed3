"""Eases a value between 0 and 1 with minimum jerk.

Flash and Hogan, "The coordination of arm movements: an experimentally confirmed mathematical
model", Journal of Neuroscience 5 (1985).
"""


class MinimumJerkEasing:
    """Moves between 0 and 1 along the minimum-jerk polynomial, also when reversed before the end.

    Attributes
    ----------
    value : float
        The current value.
    """

    def __init__(self) -> None:
        self.value = 0.0
        self._target = 0.0
        self._velocity = 0.0
        self._start = (0.0, 0.0)
        self._progress = 1.0

    def step(self, target: float, progress: float) -> float:
        """Move on toward a target.

        Parameters
        ----------
        target : float
            0 or 1. A new one begins a new movement with the current velocity.
        progress : float
            Time since the step before, as a fraction of a movement's duration.

        Returns
        -------
        float
            The current value.
        """
        if target != self._target:
            self._target = target
            self._start = (self.value, self._velocity)
            self._progress = 0.0
        self._progress = min(1.0, self._progress + progress)
        tau = self._progress
        x, v = self._start
        d = target - x
        cubic, quartic, quintic = 10 * d - 6 * v, 8 * v - 15 * d, 6 * d - 3 * v
        value = x + v * tau + cubic * tau**3 + quartic * tau**4 + quintic * tau**5
        self.value = min(1.0, max(0.0, value)) if tau < 1.0 else target
        self._velocity = v + 3 * cubic * tau**2 + 4 * quartic * tau**3 + 5 * quintic * tau**4
        return self.value
