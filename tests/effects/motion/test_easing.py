"""Minimum-jerk easing."""

import numpy as np
import pytest

from gaze.effects.motion.easing import MinimumJerkEasing


def test_it_is_the_minimum_jerk_polynomial() -> None:
    easing = MinimumJerkEasing()
    for step in range(1, 101):
        tau = step / 100
        expected = 10 * tau**3 - 15 * tau**4 + 6 * tau**5
        assert easing.step(1.0, 0.01) == pytest.approx(expected, abs=1e-9)
    assert easing.value == 1.0
    assert easing.step(1.0, 0.5) == 1.0


@pytest.mark.parametrize("reversed_at", [0.1, 0.3, 0.5])
def test_it_is_smooth_when_it_is_reversed(reversed_at: float) -> None:
    easing, values = MinimumJerkEasing(), []
    for step in range(2000):
        values.append(easing.step(1.0 if step < 1000 * reversed_at else 0.0, 0.001))
    velocity = np.diff(values)
    assert np.abs(np.diff(velocity)).max() < 2e-5
    assert 0 <= min(values) <= max(values) <= 1
    assert values[-1] == 0.0
