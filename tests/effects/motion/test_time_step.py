"""Time steps and the low-pass filter."""

import math

import pytest

from gaze.effects.motion.time_step import TimeStep, low_pass_gain


def test_steps_are_the_time_between_frames_and_never_negative() -> None:
    steps = TimeStep()
    assert [steps.step(t_s) for t_s in (5.0, 5.5, 5.25, 6.25)] == [0.0, 0.5, 0.0, 1.0]


@pytest.mark.parametrize("steps", [1, 7, 240])
def test_the_filter_covers_63_percent_in_its_time_constant_at_any_rate(steps: int) -> None:
    value = 0.0
    for _ in range(steps):
        value += low_pass_gain(0.5 / steps, 0.5) * (1.0 - value)
    assert value == pytest.approx(1 - math.exp(-1))
