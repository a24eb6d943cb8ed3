"""Model the pupillary light reflex, to remove it from the pupil's diameter.

The diameter to which a lasting light leads is the unified formula of Watson and Yellott (2012, "A
unified formula for light-adapted pupil size"). The pupil approaches it after a latency, fast when
it constricts and slowly when it dilates (Ellis 1981, "The pupillary light reflex in normal
subjects"). The gain and the speed of one person's reflex are learned from the diameters measured.
"""

from collections import deque

import numpy as np

# Reference age of Watson and Yellott (2012), in years.
AVERAGE_AGE = 28.58
# Of a usual screen; the film's luminance is a share of it. Chosen by hand, as are the two below;
# no benchmark covers other screens and rooms.
WHITE_CD_M2 = 250.0
ROOM_CD_M2 = 5.0
"""Luminance of the rest of what is seen."""
PICTURE_DEG2 = 500.0
DISPLAY_DELAY_S = 0.1
"""From a frame's composition to the eyes: encoding, network and screen. Chosen by hand; no
benchmark covers it."""

# Latency, and time constants of constriction and of dilation, in seconds: a fast and a slow reflex,
# between which one person's is. Chosen by hand, as are the constants below; `benchmarks.pupil`
# measures what they give.
_REFLEXES = ((0.20, 0.25, 0.7), (0.26, 0.45, 2.2))
# Of the Kalman filter: prior mean and deviation of a gain, prior deviation of the diameter, what
# both drift by per square root of a second, and the measurement's noise.
_GAIN_PRIOR, _GAIN_DEVIATION = 0.5, 0.35
_DIAMETER_DEVIATION_MM = 1.5
_DIAMETER_DRIFT_MM, _GAIN_DRIFT = 0.05, 0.01
_NOISE_MM = 0.3


def steady_mm(
    luminance_cd_m2: float, area_deg2: float, age: float = AVERAGE_AGE, eyes: int = 2
) -> float:
    """Return the diameter of a pupil that has adapted to a luminance over an area.

    Parameters
    ----------
    luminance_cd_m2 : float
    area_deg2 : float
        Area of the field, in square degrees.
    age : float, default 28.58
        In years, from 20 to 83.
    eyes : {1, 2}, default 2
        How many eyes see the light.

    Returns
    -------
    float
        In millimetres.

    References
    ----------
    Watson and Yellott (2012). A unified formula for light-adapted pupil size.
    """
    flux = luminance_cd_m2 * area_deg2 * (1.0 if eyes == 2 else 0.1)
    power = float((flux / 846.0) ** 0.41)
    diameter = 7.75 - 5.75 * power / (power + 2.0)
    return diameter + (age - AVERAGE_AGE) * (0.02132 - 0.009562 * diameter)


class _FirstOrderLag:
    """A latency, then a first-order response, with one time constant each way."""

    def __init__(self, latency_s: float, constriction_s: float, dilation_s: float) -> None:
        self._latency_s = latency_s
        self._constriction_s, self._dilation_s = constriction_s, dilation_s
        self._pending: deque[tuple[float, float]] = deque()
        self._target_mm: float | None = None
        self._diameter_mm = 0.0
        self._t_s = 0.0

    def push(self, target_mm: float, t_s: float) -> None:
        self._pending.append((t_s + self._latency_s, target_mm))
        if self._target_mm is None:
            self._target_mm = self._diameter_mm = target_mm
            self._t_s = t_s

    def at(self, t_s: float) -> float:
        while self._pending and self._pending[0][0] <= t_s:
            when_s, target_mm = self._pending.popleft()
            self._advance(when_s)
            self._target_mm = target_mm
        self._advance(t_s)
        return self._diameter_mm

    def _advance(self, t_s: float) -> None:
        step_s = t_s - self._t_s
        if step_s <= 0.0 or self._target_mm is None:
            return
        constricts = self._target_mm < self._diameter_mm
        time_constant_s = self._constriction_s if constricts else self._dilation_s
        share = 1.0 - float(np.exp(-step_s / time_constant_s))
        self._diameter_mm += (self._target_mm - self._diameter_mm) * share
        self._t_s = t_s


class LightReflex:
    """Estimates the light's part in a viewer's pupil diameter.

    A Kalman filter over the diameter without light and the gains of two reflexes, whose weighted
    sum is the person's own.
    """

    def __init__(self) -> None:
        self._lags = [_FirstOrderLag(*reflex) for reflex in _REFLEXES]
        self._initial_mm: float | None = None
        self._state = np.array([0.0, _GAIN_PRIOR, _GAIN_PRIOR])
        self._covariance = np.diag([_DIAMETER_DEVIATION_MM, _GAIN_DEVIATION, _GAIN_DEVIATION]) ** 2
        self._t_s: float | None = None

    def add_frame(self, picture: float, gaze: float | None, t_s: float) -> None:
        """Take the luminance of a film frame that is on its way to the eyes.

        Parameters
        ----------
        picture : float
            Its mean luminance, as a share of the screen's white.
        gaze : float or None
            Mean luminance around the point of gaze, None where that is unknown. It counts as much
            as the whole picture.
        t_s : float
            When the frame was composed.
        """
        share = picture if gaze is None else (picture + gaze) / 2.0
        mm = steady_mm(ROOM_CD_M2 + WHITE_CD_M2 * share, PICTURE_DEG2)
        if self._initial_mm is None:
            self._initial_mm = mm
        for lag in self._lags:
            lag.push(mm, t_s + DISPLAY_DELAY_S)

    def remove(self, mm: float, t_s: float) -> float:
        """Return a measured diameter without the light's part in it.

        Parameters
        ----------
        mm : float
            The measured diameter.
        t_s : float
            When it was measured.

        Returns
        -------
        float
            The diameter that the pupil would have in the first frame's light. Without any film it
            is as measured.
        """
        if self._initial_mm is None:
            return mm
        step_s = 0.0 if self._t_s is None else max(t_s - self._t_s, 0.0)
        if self._t_s is None:
            self._state[0] = mm
        self._t_s = t_s
        responses = np.array([lag.at(t_s) for lag in self._lags]) - self._initial_mm
        observation = np.concatenate([[1.0], responses])
        drift = np.array([_DIAMETER_DRIFT_MM, _GAIN_DRIFT, _GAIN_DRIFT]) ** 2 * min(step_s, 1.0)
        self._covariance = self._covariance + np.diag(drift)
        # The errors of successive frames are correlated: each counts by its duration, of 0.1 s.
        noise = _NOISE_MM**2 * max(0.1 / max(step_s, 1e-3), 1.0)
        cross = self._covariance @ observation
        gain = cross / (float(observation @ cross) + noise)
        self._state = self._state + gain * (mm - float(observation @ self._state))
        self._covariance = self._covariance - np.outer(gain, cross)
        return mm - float(responses @ self._state[1:])
