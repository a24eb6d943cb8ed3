"""Queueing delay out of one-way delays of two clocks."""

import pytest

from gaze.rtc.congestion.queue_delay import QueueDelay


def test_the_packet_that_waits_least_counts() -> None:
    queue = QueueDelay()
    queue.update([100.02, 100.09], 0.0)
    assert queue.delay_s == 0.0
    queue.update([100.07, 100.3], 1.0)
    assert queue.delay_s == pytest.approx(0.05)


def test_feedback_without_arrivals_changes_nothing() -> None:
    queue = QueueDelay()
    queue.update([100.02], 0.0)
    queue.update([100.07], 1.0)
    queue.update([], 2.0)
    assert queue.delay_s == pytest.approx(0.05)


def test_a_longer_route_becomes_the_base_delay() -> None:
    queue = QueueDelay()
    queue.update([100.02], 0.0)
    for t_s in range(3, 45):
        queue.update([100.07], t_s)
    assert queue.delay_s == pytest.approx(0.0)
