"""What a probe's packets tell of the way."""

import pytest

from gaze.rtc.congestion.probing import Probe, ProbeResults


def send(rate_bps: float, arriving_bps: float, packets: int = 10) -> float | None:
    results = ProbeResults()
    results.expect(Probe.at(3, rate_bps))
    found = None
    for i in range(packets):
        found = results.add(3, i * 9600 / rate_bps, 50 + i * 9600 / arriving_bps, 1200)
    return None if found is None else found[1]


def test_a_probe_lasts_fifteen_milliseconds_and_five_packets() -> None:
    probe = Probe.at(1, 8e6)
    assert (probe.number, probe.rate_bps, probe.packets, probe.size_bytes) == (1, 8e6, 5, 15_000)


def test_a_way_that_is_wide_enough_carries_what_was_sent() -> None:
    assert send(5e6, 5e6) == pytest.approx(5e6)
    assert send(5e6, 6e6) == pytest.approx(5e6)


def test_a_narrow_way_shows_its_capacity() -> None:
    assert send(5e6, 2e6) == pytest.approx(0.95 * 2e6)


def test_too_few_packets_and_impossible_times_say_nothing() -> None:
    assert send(5e6, 5e6, packets=3) is None
    assert send(5e6, 20e6) is None


def test_packets_of_another_probe_are_passed_over() -> None:
    assert ProbeResults().add(9, 0.0, 1.0, 1200) is None
