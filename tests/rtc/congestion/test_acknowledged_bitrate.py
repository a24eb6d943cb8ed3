"""The bitrate that arrives, in scripted time."""

import pytest

from gaze.rtc.congestion.acknowledged_bitrate import AcknowledgedBitrate


def arrive(made: AcknowledgedBitrate, rate_bps: float, begin_s: float, end_s: float) -> None:
    """Packets of 1200 bytes at a constant rate."""
    interval_s = 8 * 1200 / rate_bps
    for index in range(round((end_s - begin_s) / interval_s)):
        made.add(begin_s + index * interval_s, 1200)


def test_it_is_unknown_for_half_a_second() -> None:
    made = AcknowledgedBitrate()
    arrive(made, 1e6, 10.0, 10.49)
    assert made.rate_bps is None
    arrive(made, 1e6, 10.49, 10.6)
    assert made.rate_bps == pytest.approx(1e6, rel=0.05)


def test_a_new_rate_is_followed_within_two_seconds() -> None:
    made = AcknowledgedBitrate()
    arrive(made, 1e6, 0.0, 3.0)
    arrive(made, 3e6, 3.0, 5.0)
    assert made.rate_bps == pytest.approx(3e6, rel=0.1)


def test_one_window_that_differs_is_doubted() -> None:
    made = AcknowledgedBitrate()
    arrive(made, 1e6, 0.0, 3.0)
    arrive(made, 4e6, 3.0, 3.16)
    assert made.rate_bps is not None and made.rate_bps < 2e6


def test_a_pause_is_no_low_bitrate() -> None:
    made = AcknowledgedBitrate()
    arrive(made, 1e6, 0.0, 3.0)
    arrive(made, 1e6, 8.0, 8.2)
    assert made.rate_bps == pytest.approx(1e6, rel=0.05)


def test_reordered_packets_count() -> None:
    plain, reordered = AcknowledgedBitrate(), AcknowledgedBitrate()
    arrivals_s = [index * 0.0096 for index in range(300)]
    for index, arrival_s in enumerate(arrivals_s):
        plain.add(arrival_s, 1200)
        swapped = index ^ 1 if (index ^ 1) < len(arrivals_s) else index
        reordered.add(arrivals_s[swapped], 1200)
    assert plain.rate_bps is not None
    assert reordered.rate_bps == pytest.approx(plain.rate_bps, rel=0.1)
