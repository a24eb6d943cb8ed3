"""Overuse by queues that are long, short, standing or gone, in scripted time."""

import pytest

from gaze.rtc.congestion.delay_based_bwe import DelayBasedBwe
from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.trendline_estimator import BandwidthUsage


class Path:
    """Ten feedback messages a second; each packet waits as long as the script says."""

    def __init__(self, start_bps: float = 2e6) -> None:
        self.bwe = DelayBasedBwe(start_bps, 100e3, 10e6)
        self.t_s = 0.0

    def send(self, queue_s: float, rate_bps: float = 2e6, packet_bytes: int = 1000) -> bool:
        """One message of 100 ms; whether it cut the bitrate."""
        interval_s = 8 * packet_bytes / rate_bps
        arrived = [
            PacketResult(sent_s, 500 + sent_s + 0.02 + queue_s, packet_bytes, None, False)
            for sent_s in (self.t_s + i * interval_s for i in range(round(0.1 / interval_s)))
        ]
        self.t_s += 0.1
        return self.bwe.update(arrived, self.bwe.rate_bps, 0.05, self.t_s)


def test_without_a_queue_the_bitrate_rises() -> None:
    path = Path()
    for _ in range(50):
        path.send(0.0)
    assert path.bwe.usage is BandwidthUsage.NORMAL
    assert path.bwe.rate_bps > 2.5e6


def test_a_long_queue_that_grows_is_overuse_within_one_message() -> None:
    path = Path()
    for _ in range(20):
        path.send(0.0)
    assert path.send(0.15)
    assert path.bwe.usage is BandwidthUsage.OVERUSE
    assert path.bwe.queue.delay_s == pytest.approx(0.15)
    assert path.bwe.rate_bps < 2.5e6


def test_while_a_queue_stands_the_bitrate_is_cut_to_85_percent_of_its_service_rate() -> None:
    path = Path()
    for _ in range(20):
        path.send(0.0)
    assert path.send(0.12, rate_bps=1e6)
    assert path.bwe.rate_bps == pytest.approx(0.85 * 1e6, rel=0.02)


def test_feedback_without_arrivals_is_no_overuse() -> None:
    path = Path()
    for _ in range(20):
        path.send(0.0)
    assert not path.bwe.update([], path.bwe.rate_bps, 0.05, path.t_s)
    assert path.bwe.usage is BandwidthUsage.NORMAL


def test_a_probe_result_is_adopted() -> None:
    path = Path()
    path.bwe.on_probe_result(6e6, 0.0)
    assert path.bwe.rate_bps == 6e6
