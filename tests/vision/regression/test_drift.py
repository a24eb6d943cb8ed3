"""What clicks say about the gaze's drift, with known answers."""

import numpy as np
import pytest

from gaze.vision.regression.drift import CLICKS, MEMORY_S, REACH, Drift

HEAD = np.zeros(6)
MISS = np.array([0.1, -0.04])


def learned(*clicks, before=None):
    drift = Drift(before)
    for miss, head, t_s in clicks:
        drift.learn(miss, head, t_s)
    return drift


def test_without_clicks_nothing_is_shifted():
    assert Drift().shift(HEAD, 5.0) == pytest.approx([0.0, 0.0])


def test_one_click_is_half_believed_and_many_are_nearly_all():
    assert learned((MISS, HEAD, 0.0)).shift(HEAD, 0.0) == pytest.approx(MISS / 2)
    nine = learned(*[(MISS, HEAD, 0.0)] * 9)
    assert nine.shift(HEAD, 0.0) == pytest.approx(0.9 * MISS)


def test_an_old_click_counts_less_than_a_new_one():
    drift = learned((MISS, HEAD, 0.0), (-MISS, HEAD, MEMORY_S))
    weight = np.exp(-1.0)
    expected = (weight - 1.0) * MISS / (2.0 + weight)
    assert drift.shift(HEAD, MEMORY_S) == pytest.approx(expected)


def test_a_click_with_the_head_elsewhere_counts_less():
    away = HEAD + np.array([REACH, 0, 0, 0, 0, 0])
    drift = learned((MISS, away, 0.0), (-MISS, HEAD, 0.0))
    weight = np.exp(-0.5)
    assert drift.shift(HEAD, 0.0) == pytest.approx((weight - 1.0) * MISS / (2.0 + weight))
    assert np.linalg.norm(drift.shift(HEAD + 50.0, 0.0)) < 1e-6


def test_what_an_earlier_session_learned_is_the_start():
    drift = learned(before=MISS)
    assert drift.shift(HEAD, 9.0) == pytest.approx(MISS)
    drift.learn(-MISS, HEAD, 9.0)
    assert drift.shift(HEAD, 9.0) == pytest.approx([0.0, 0.0])


def test_a_slow_drift_is_followed():
    """A click every 10 s while the gaze goes off by a quarter of the screen in ten minutes."""
    drift = Drift()
    left = []
    for t_s in range(0, 600, 10):
        off = np.array([0.25 * t_s / 600, 0.0])
        left.append(np.linalg.norm(off - drift.shift(HEAD, t_s)))
        drift.learn(off, HEAD, float(t_s))
    assert max(left) < 0.07
    assert 0.25 - left[-1] > 0.18


def test_only_the_last_clicks_are_kept():
    drift = learned(*[(MISS, HEAD, 0.0)] * 5, *[(-MISS, HEAD, 0.0)] * CLICKS)
    assert drift.shift(HEAD, 0.0) == pytest.approx(-MISS * CLICKS / (CLICKS + 1))
