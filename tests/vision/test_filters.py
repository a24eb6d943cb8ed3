"""The One Euro filter: known answers, the true time step, and nothing but the past."""

import math

import numpy as np
import pytest

from gaze.vision.filters import OneEuro, smoothing_factor


def test_smoothing_factor_known_answer():
    # tau = 1 / (2 pi fc); alpha = 1 / (1 + tau / T), as in the paper.
    assert smoothing_factor(1.0, 1 / 30) == pytest.approx(1 / (1 + 30 / (2 * math.pi)))


def test_without_speed_term_it_is_an_exponential_filter():
    smooth = OneEuro(1.0, 0.0)
    smooth.update(np.array([0.0]), 0.0)
    alpha = smoothing_factor(1.0, 0.1)
    assert smooth.update(np.array([1.0]), 0.1) == pytest.approx([alpha])
    assert smooth.update(np.array([1.0]), 0.2) == pytest.approx([1 - (1 - alpha) ** 2])


def test_the_true_time_step_decides():
    """The same second of a step at 60, 30 and 10 frames a second ends at about the same place."""
    ends = []
    for rate in (60, 30, 10):
        smooth = OneEuro(0.3, 0.0)
        smooth.update(np.zeros(1), 0.0)
        for frame in range(1, rate + 1):
            end = smooth.update(np.ones(1), frame / rate)
        ends.append(float(end[0]))
    assert max(ends) - min(ends) < 0.03
    assert ends[0] == pytest.approx(1 - math.exp(-2 * math.pi * 0.3), abs=0.02)


def test_noise_at_rest_shrinks_and_a_fast_move_is_followed():
    rng = np.random.default_rng(1)
    smooth = OneEuro(1.0, 0.01)
    rest = [smooth.update(rng.normal(0, 10, 2), frame / 30) for frame in range(300)]
    assert np.std(rest[100:]) < 6.0
    fast = OneEuro(1.0, 0.01)
    for frame in range(60):
        followed = fast.update(np.array([frame * 40.0, 0.0]), frame / 30)
    slow = OneEuro(1.0, 0.0)
    for frame in range(60):
        lagging = slow.update(np.array([frame * 40.0, 0.0]), frame / 30)
    assert 59 * 40 - followed[0] < 40
    assert 59 * 40 - lagging[0] > 150


def test_reset_jumps_and_forgets_the_speed():
    smooth = OneEuro(1.0, 0.01)
    for frame in range(10):
        smooth.update(np.array([frame * 100.0]), frame / 30)
    assert smooth.reset(np.array([5.0]), 0.4) == pytest.approx([5.0])
    assert smooth.update(np.array([5.0]), 0.5) == pytest.approx([5.0])


def test_a_value_that_is_not_later_changes_nothing():
    smooth = OneEuro(1.0, 0.0)
    smooth.update(np.array([1.0]), 1.0)
    assert smooth.update(np.array([9.0]), 1.0) == pytest.approx([1.0])
    assert smooth.update(np.array([9.0]), 0.5) == pytest.approx([1.0])


def test_only_the_past_counts():
    rng = np.random.default_rng(2)
    signal = rng.normal(0, 1, (60, 2))
    other = signal.copy()
    other[40:] += 100
    one, two = OneEuro(1.0, 0.1), OneEuro(1.0, 0.1)
    for frame in range(40):
        assert np.array_equal(
            one.update(signal[frame], frame / 30), two.update(other[frame], frame / 30)
        )
