"""The usual time from frame to frame."""

import pytest

from gaze.rtc.codecs.frame_interval import MAX_S, MIN_S, NOMINAL_S, FrameInterval


def after(intervals_s: list[float]) -> float:
    interval = FrameInterval()
    for interval_s in intervals_s:
        interval.add(interval_s)
    return interval.interval_s


def test_the_mean_follows_another_frame_rate() -> None:
    assert after([]) == NOMINAL_S
    assert after([1 / 24] * 60) == pytest.approx(1 / 24, rel=0.01)


def test_one_pause_changes_little() -> None:
    assert after([5.0]) <= 1.1 * NOMINAL_S + 1e-9


def test_the_mean_stays_within_its_limits() -> None:
    assert after([0.0] * 200) == pytest.approx(MIN_S)
    assert after([10.0] * 200) == pytest.approx(MAX_S)
