"""The drift correction by clicks, with known answers."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.regression.drift import CLICKS, HEAD_LENGTH_SCALE, MEMORY_S, DriftCorrection

HEAD = np.zeros(6)
ERROR = np.array([0.1, -0.04])


def clicked(
    *clicks: tuple[FloatArray, FloatArray, float], initial: FloatArray | None = None
) -> DriftCorrection:
    drift = DriftCorrection(initial)
    for error, head, t_s in clicks:
        drift.add_click(error, head, t_s)
    return drift


def test_without_clicks_nothing_is_corrected() -> None:
    assert DriftCorrection().correction(HEAD, 5.0) == pytest.approx([0.0, 0.0])


def test_one_click_counts_one_half_and_nine_count_nine_tenths() -> None:
    assert clicked((ERROR, HEAD, 0.0)).correction(HEAD, 0.0) == pytest.approx(ERROR / 2)
    nine = clicked(*[(ERROR, HEAD, 0.0)] * 9)
    assert nine.correction(HEAD, 0.0) == pytest.approx(0.9 * ERROR)


def test_an_old_click_counts_less_than_a_new_one() -> None:
    drift = clicked((ERROR, HEAD, 0.0), (-ERROR, HEAD, MEMORY_S))
    weight = np.exp(-1.0)
    expected = (weight - 1.0) * ERROR / (2.0 + weight)
    assert drift.correction(HEAD, MEMORY_S) == pytest.approx(expected)


def test_a_click_with_the_head_elsewhere_counts_less() -> None:
    away = HEAD + np.array([HEAD_LENGTH_SCALE, 0, 0, 0, 0, 0])
    drift = clicked((ERROR, away, 0.0), (-ERROR, HEAD, 0.0))
    weight = np.exp(-0.5)
    expected = (weight - 1.0) * ERROR / (2.0 + weight)
    assert drift.correction(HEAD, 0.0) == pytest.approx(expected)
    assert np.linalg.norm(drift.correction(HEAD + 50.0, 0.0)) < 1e-6


def test_the_correction_of_an_earlier_session_is_the_start() -> None:
    drift = clicked(initial=ERROR)
    assert drift.correction(HEAD, 9.0) == pytest.approx(ERROR)
    drift.add_click(-ERROR, HEAD, 9.0)
    assert drift.correction(HEAD, 9.0) == pytest.approx([0.0, 0.0])


def test_a_slow_drift_is_followed() -> None:
    """A click every 10 s while the gaze drifts by a quarter of the screen in ten minutes."""
    drift = DriftCorrection()
    left = []
    for t_s in range(0, 600, 10):
        error = np.array([0.25 * t_s / 600, 0.0])
        left.append(float(np.linalg.norm(error - drift.correction(HEAD, t_s))))
        drift.add_click(error, HEAD, float(t_s))
    assert max(left) < 0.07
    assert 0.25 - left[-1] > 0.18


def test_only_the_last_clicks_are_kept() -> None:
    drift = clicked(*[(ERROR, HEAD, 0.0)] * 5, *[(-ERROR, HEAD, 0.0)] * CLICKS)
    assert drift.correction(HEAD, 0.0) == pytest.approx(-ERROR * CLICKS / (CLICKS + 1))
