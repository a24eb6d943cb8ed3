"""What the packets of a probe cluster tell of the network path."""

import pytest

from gaze.rtc.congestion.probe_bitrate_estimator import ProbeBitrateEstimator
from gaze.rtc.congestion.probe_controller import ProbeCluster


def send(rate_bps: float, arriving_bps: float, packets: int = 10) -> float | None:
    estimator = ProbeBitrateEstimator()
    estimator.expect(ProbeCluster.at(3, rate_bps))
    found = None
    for i in range(packets):
        found = estimator.add(3, i * 9600 / rate_bps, 50 + i * 9600 / arriving_bps, 1200)
    return None if found is None else found[1]


def test_a_wide_path_carries_what_was_sent() -> None:
    assert send(5e6, 5e6) == pytest.approx(5e6)
    assert send(5e6, 6e6) == pytest.approx(5e6)


def test_a_narrow_path_shows_its_capacity() -> None:
    assert send(5e6, 2e6) == pytest.approx(0.95 * 2e6)


def test_too_few_packets_and_impossible_times_say_nothing() -> None:
    assert send(5e6, 5e6, packets=3) is None
    assert send(5e6, 20e6) is None


def test_packets_of_an_unknown_cluster_are_ignored() -> None:
    assert ProbeBitrateEstimator().add(9, 0.0, 1.0, 1200) is None
