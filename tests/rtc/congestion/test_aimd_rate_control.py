"""Increase, hold and decrease in scripted time."""

import pytest

from gaze.rtc.congestion.aimd_rate_control import (
    DECREASE,
    INCREASE_PER_S,
    MIN_ADDITIVE_BPS_PER_S,
    AimdRateControl,
)
from gaze.rtc.congestion.trendline_estimator import BandwidthUsage

ROUND_TRIP_S = 0.05


def control(start_bps: float = 1e6) -> AimdRateControl:
    return AimdRateControl(start_bps, 100e3, 10e6)


def normal(
    made: AimdRateControl, throughput_bps: float | None, begin_s: float, end_s: float
) -> None:
    """Ten updates a second."""
    for step in range(round(begin_s * 10), round(end_s * 10) + 1):
        made.update(BandwidthUsage.NORMAL, throughput_bps, ROUND_TRIP_S, step / 10)


def test_without_a_known_capacity_the_rate_rises_by_8_percent_a_second() -> None:
    made = control()
    normal(made, 5e6, 0.0, 3.0)
    assert made.rate_bps == pytest.approx(1e6 * INCREASE_PER_S**3)


def test_the_rate_rises_not_far_above_the_throughput() -> None:
    made = control()
    normal(made, 0.8e6, 0.0, 10.0)
    assert made.rate_bps == pytest.approx(1.5 * 0.8e6 + 10_000)


def test_overuse_cuts_to_85_percent_of_the_throughput() -> None:
    made = control()
    assert made.update(BandwidthUsage.OVERUSE, 0.9e6, ROUND_TRIP_S, 1.0)
    assert made.rate_bps == pytest.approx(DECREASE * 0.9e6)


def test_overuse_without_a_throughput_halves_the_rate() -> None:
    made = control()
    assert made.update(BandwidthUsage.OVERUSE, None, ROUND_TRIP_S, 1.0)
    assert made.rate_bps == 0.5e6


def test_a_second_cut_waits_for_a_round_trip_unless_the_throughput_collapses() -> None:
    made = control()
    made.update(BandwidthUsage.OVERUSE, 0.9e6, ROUND_TRIP_S, 1.0)
    assert not made.update(BandwidthUsage.OVERUSE, 0.8e6, ROUND_TRIP_S, 1.04)
    assert made.update(BandwidthUsage.OVERUSE, 0.3e6, ROUND_TRIP_S, 1.04)
    assert made.update(BandwidthUsage.OVERUSE, 0.2e6, ROUND_TRIP_S, 1.1)
    assert made.rate_bps == pytest.approx(DECREASE * 0.2e6)


def test_the_rate_holds_while_the_queue_drains() -> None:
    made = control()
    normal(made, 5e6, 0.0, 1.0)
    held_bps = made.rate_bps
    for step in range(11, 30):
        made.update(BandwidthUsage.UNDERUSE, 5e6, ROUND_TRIP_S, step / 10)
    assert made.rate_bps == held_bps


def test_near_a_known_capacity_the_rate_rises_by_a_packet_per_response_time() -> None:
    made = control()
    made.update(BandwidthUsage.OVERUSE, 1e6, ROUND_TRIP_S, 0.0)
    normal(made, 1e6, 0.1, 0.1)
    before_bps = made.rate_bps
    made.update(BandwidthUsage.NORMAL, 1e6, ROUND_TRIP_S, 0.2)
    packet_bits = before_bps / 30 / 3  # a frame of 28 kbit in three packets
    per_s = max(MIN_ADDITIVE_BPS_PER_S, packet_bits / (ROUND_TRIP_S + 0.1))
    assert made.rate_bps == pytest.approx(before_bps + 0.1 * per_s)


def test_far_above_the_known_capacity_the_rise_is_multiplicative_again() -> None:
    made = control()
    made.update(BandwidthUsage.OVERUSE, 1e6, ROUND_TRIP_S, 0.0)
    normal(made, 5e6, 0.1, 1.1)
    assert made.rate_bps == pytest.approx(DECREASE * 1e6 * INCREASE_PER_S)


def test_a_probe_result_raises_the_rate_within_the_limits() -> None:
    made = control()
    made.on_probe_result(0.5e6, 0.0)
    assert made.rate_bps == 1e6
    made.on_probe_result(50e6, 0.0)
    assert made.rate_bps == 10e6
