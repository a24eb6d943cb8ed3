"""Packet groups and the trend of their delays."""

import pytest

from gaze.rtc.congestion.overuse_detector import (
    MIN_THRESHOLD_MS,
    OveruseDetector,
    PacketGroups,
    Usage,
)


def test_packets_that_left_together_are_one_group() -> None:
    groups = PacketGroups()
    assert groups.add(0.000, 1.000) is None
    assert groups.add(0.004, 1.006) is None
    assert groups.add(0.033, 1.033) is None
    assert groups.add(0.035, 1.037) is None
    deltas = groups.add(0.066, 1.066)
    assert deltas == pytest.approx((0.035 - 0.004, 1.037 - 1.006))


def test_packets_that_come_in_one_burst_are_one_group() -> None:
    groups = PacketGroups()
    for sent_s, arrival_s in [(0.0, 1.0), (0.033, 1.1), (0.05, 1.101), (0.07, 1.102)]:
        groups.add(sent_s, arrival_s)
    assert groups.add(0.2, 1.3) == pytest.approx((0.07, 0.102))


def test_overtaken_packets_are_passed_over() -> None:
    groups = PacketGroups()
    groups.add(0.0, 1.0)
    groups.add(0.1, 1.1)
    assert groups.add(0.05, 1.2) is None
    assert groups.add(0.2, 1.2) == pytest.approx((0.1, 0.1))


class Fed(OveruseDetector):
    """A detector that remembers when the last group arrived."""

    arrival_s = 10.0


def feed(detector: Fed, growth_s: float, groups: int) -> list[Usage]:
    """Groups 20 ms apart, each delayed by so much more than the last."""
    seen = []
    for _ in range(groups):
        detector.arrival_s += 0.02 + growth_s
        seen.append(detector.update(0.02, 0.02 + growth_s, detector.arrival_s))
    return seen


def test_delays_that_stay_are_normal() -> None:
    assert set(feed(Fed(), 0.0, 200)) == {Usage.NORMAL}


def test_delays_that_grow_are_overuse_soon_and_that_shrink_underuse() -> None:
    detector = Fed()
    assert feed(detector, 0.002, 40).index(Usage.OVERUSE) < 30
    assert feed(detector, -0.002, 60)[-1] is Usage.UNDERUSE


def test_the_threshold_follows_a_mild_trend_and_comes_back() -> None:
    detector = Fed()
    feed(detector, 0.0, 200)
    assert detector.threshold_ms == MIN_THRESHOLD_MS
    feed(detector, 0.001, 200)
    assert detector.threshold_ms > 1.5 * MIN_THRESHOLD_MS
    feed(detector, 0.0, 200)
    assert detector.threshold_ms == MIN_THRESHOLD_MS
