"""Packet groups and their deltas."""

import pytest

from gaze.rtc.congestion.inter_arrival import InterArrival


def test_packets_that_left_together_are_one_group() -> None:
    groups = InterArrival()
    assert groups.add(0.000, 1.000) is None
    assert groups.add(0.004, 1.006) is None
    assert groups.add(0.033, 1.033) is None
    assert groups.add(0.035, 1.037) is None
    deltas = groups.add(0.066, 1.066)
    assert deltas == pytest.approx((0.035 - 0.004, 1.037 - 1.006))


def test_packets_that_arrive_in_one_burst_are_one_group() -> None:
    groups = InterArrival()
    for sent_s, arrival_s in [(0.0, 1.0), (0.033, 1.1), (0.05, 1.101), (0.07, 1.102)]:
        groups.add(sent_s, arrival_s)
    assert groups.add(0.2, 1.3) == pytest.approx((0.07, 0.102))


def test_reordered_packets_are_ignored() -> None:
    groups = InterArrival()
    groups.add(0.0, 1.0)
    groups.add(0.1, 1.1)
    assert groups.add(0.05, 1.2) is None
    assert groups.add(0.2, 1.2) == pytest.approx((0.1, 0.1))


def test_a_group_that_overtakes_the_one_before_has_no_deltas() -> None:
    groups = InterArrival()
    groups.add(0.0, 1.0)
    groups.add(0.1, 1.1)
    groups.add(0.104, 1.5)  # of the same group, held up
    assert groups.add(0.2, 1.25) == pytest.approx((0.104, 0.5))
    assert groups.add(0.3, 1.6) is None
    assert groups.add(0.4, 1.7) == pytest.approx((0.1, 0.35))
