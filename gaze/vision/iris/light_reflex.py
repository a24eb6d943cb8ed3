"""What light does to the pupil, so that it can be taken out of the pupil's width.

The width that a lasting light leads to is the unified formula of Watson and Yellott (2012, "A
unified formula for light-adapted pupil size"). The way there begins late and is quick toward narrow
and slow toward wide (Ellis 1981, "The pupillary light reflex in normal subjects"). How strong and
how quick one person's reflex is, is learned from the widths seen.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

USUAL_AGE = 28.58
WHITE_CD_M2 = 250.0
"""Of a usual screen, whose white the film's luminance is a share of."""
ROOM_CD_M2 = 5.0
"""What the rest of what is seen adds."""
PICTURE_DEG2 = 500.0
DISPLAY_DELAY_S = 0.1
"""From a frame's composition to the eyes: encoding, network and screen."""

# Latency, and time constants toward narrow and toward wide, in seconds: a quick and a slow reflex,
# between which one person's lies.
_REFLEXES = ((0.20, 0.25, 0.7), (0.26, 0.45, 2.2))
_GAIN_PRIOR, _GAIN_SPREAD = 0.5, 0.35
_BASE_SPREAD_MM = 1.5
# How fast the width drifts by itself, and a gain, per square root of a second.
_BASE_DRIFT_MM, _GAIN_DRIFT = 0.05, 0.01
_NOISE_MM = 0.3


def steady_mm(
    luminance_cd_m2: float, area_deg2: float, age: float = USUAL_AGE, eyes: int = 2
) -> float:
    """Return the diameter of a pupil that has adapted to a luminance over an area.

    `age` is in years, 20 to 83; `eyes` is how many see the light.
    """
    flux = luminance_cd_m2 * area_deg2 * (1.0 if eyes == 2 else 0.1)
    power = float((flux / 846.0) ** 0.41)
    adult = 7.75 - 5.75 * power / (power + 2.0)
    return adult + (age - USUAL_AGE) * (0.02132 - 0.009562 * adult)


class _Lag:
    """A delay, then a first-order way to the newest value, with its own speed each way."""

    def __init__(self, latency_s: float, narrowing_s: float, widening_s: float) -> None:
        self._latency_s = latency_s
        self._narrowing_s, self._widening_s = narrowing_s, widening_s
        self._coming: deque[tuple[float, float]] = deque()
        self._toward: float | None = None
        self._now_mm = 0.0
        self._t_s = 0.0

    def push(self, mm: float, t_s: float) -> None:
        self._coming.append((t_s + self._latency_s, mm))
        if self._toward is None:
            self._toward = self._now_mm = mm
            self._t_s = t_s

    def at(self, t_s: float) -> float:
        while self._coming and self._coming[0][0] <= t_s:
            when, mm = self._coming.popleft()
            self._go(when)
            self._toward = mm
        self._go(t_s)
        return self._now_mm

    def _go(self, t_s: float) -> None:
        step_s = t_s - self._t_s
        if step_s <= 0.0 or self._toward is None:
            return
        pace_s = self._narrowing_s if self._toward < self._now_mm else self._widening_s
        self._now_mm += (self._toward - self._now_mm) * (1.0 - float(np.exp(-step_s / pace_s)))
        self._t_s = t_s


class LightReflex:
    """Takes what the film shows and how wide the pupils are, and tells the light's part in it.

    A Kalman filter over the width without light and the strengths of two reflexes, from which the
    person's own is put together.
    """

    def __init__(self) -> None:
        self._lags = [_Lag(*reflex) for reflex in _REFLEXES]
        self._usual_mm: float | None = None
        self._state = np.array([0.0, _GAIN_PRIOR, _GAIN_PRIOR])
        self._spread = np.diag([_BASE_SPREAD_MM, _GAIN_SPREAD, _GAIN_SPREAD]) ** 2
        self._t_s: float | None = None

    def see(self, picture: float, gaze: float | None, t_s: float) -> None:
        """A frame composed at `t_s` is on its way to the eyes.

        `picture` is its mean luminance and `gaze` that around the point of gaze, both as shares of
        the screen's white; what is looked at counts as much as all the rest.
        """
        share = picture if gaze is None else (picture + gaze) / 2.0
        mm = steady_mm(ROOM_CD_M2 + WHITE_CD_M2 * share, PICTURE_DEG2)
        if self._usual_mm is None:
            self._usual_mm = mm
        for lag in self._lags:
            lag.push(mm, t_s + DISPLAY_DELAY_S)

    def without(self, mm: float, t_s: float) -> float:
        """Return a width seen at `t_s` with the light's part in it taken out.

        What is left is the width in the mean light so far. Without any film it is as it came.
        """
        if self._usual_mm is None:
            return mm
        step_s = 0.0 if self._t_s is None else max(t_s - self._t_s, 0.0)
        if self._t_s is None:
            self._state[0] = mm
        self._t_s = t_s
        parts = np.array([lag.at(t_s) for lag in self._lags]) - self._usual_mm
        seen = np.concatenate([[1.0], parts])
        drift = np.array([_BASE_DRIFT_MM, _GAIN_DRIFT, _GAIN_DRIFT]) ** 2 * min(step_s, 1.0)
        self._spread = self._spread + np.diag(drift)
        # Successive frames err alike: each counts as long as it lasts, of a tenth of a second.
        noise = _NOISE_MM**2 * max(0.1 / max(step_s, 1e-3), 1.0)
        along = self._spread @ seen
        gain = along / (float(seen @ along) + noise)
        self._state = self._state + gain * (mm - float(seen @ self._state))
        self._spread = self._spread - np.outer(gain, along)
        return mm - float(parts @ self._state[1:])
