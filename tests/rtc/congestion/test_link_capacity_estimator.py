"""The mean and spread of what arrives at overuse."""

import math

import pytest

from gaze.rtc.congestion.link_capacity_estimator import LinkCapacityEstimator


def test_nothing_is_known_before_the_first_overuse() -> None:
    link = LinkCapacityEstimator()
    assert link.capacity_bps is None
    assert (link.lower_bound_bps, link.upper_bound_bps) == (0.0, math.inf)


def test_the_bounds_are_three_deviations_around_the_first_value() -> None:
    link = LinkCapacityEstimator()
    link.on_overuse(1e6)
    spread_bps = 3 * 1000 * math.sqrt(0.4 * 1000)
    assert link.capacity_bps == 1e6
    assert link.upper_bound_bps == pytest.approx(1e6 + spread_bps)
    assert link.lower_bound_bps == pytest.approx(1e6 - spread_bps)


def test_the_mean_follows_slowly_and_the_spread_widens() -> None:
    link = LinkCapacityEstimator()
    link.on_overuse(1e6)
    width_bps = link.upper_bound_bps - link.lower_bound_bps
    link.on_overuse(2e6)
    assert link.capacity_bps == pytest.approx(1.05e6)
    assert link.upper_bound_bps - link.lower_bound_bps > 2 * width_bps


def test_a_reset_discards_the_mean() -> None:
    link = LinkCapacityEstimator()
    link.on_overuse(1e6)
    link.reset()
    assert link.capacity_bps is None
    link.on_overuse(3e6)
    assert link.capacity_bps == 3e6
