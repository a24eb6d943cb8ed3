"""A bitrate over the last second."""

import pytest

from gaze.rtc.congestion.rate_counter import RateCounter


def test_the_rate_is_that_of_the_last_second() -> None:
    rate = RateCounter()
    assert rate.update(0, 0.0) == 0.0
    assert rate.update(125_000, 1.0) == pytest.approx(1e6)
    assert rate.update(125_000, 2.0) == pytest.approx(0.0)


def test_two_counts_of_the_same_time_are_no_rate() -> None:
    rate = RateCounter()
    rate.update(0, 5.0)
    assert rate.update(1000, 5.0) == 0.0
