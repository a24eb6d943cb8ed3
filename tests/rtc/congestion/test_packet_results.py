"""Sent packets and what feedback says of them."""

import pytest

from gaze.rtc.congestion.packet_results import HISTORY_S, PacketResult, SentPackets
from gaze.rtc.congestion.twcc import Feedback


def feedback(base: int, *arrivals_s: float | None) -> Feedback:
    return Feedback(1, 2, 0, base & 0xFFFF, arrivals_s)


def test_sequence_numbers_count_up_and_wrap() -> None:
    sent = SentPackets()
    numbers = [sent.add(1000, i / 1000) for i in range(65540)]
    assert numbers[:3] == [0, 1, 2]
    assert numbers[65535:] == [65535, 0, 1, 2, 3]
    (result,) = sent.results(feedback(1, 7.0))
    assert result.sent_s == pytest.approx(65.537)


def test_each_packet_is_reported_once_and_once_more_when_it_arrives_late() -> None:
    sent = SentPackets()
    for i in range(3):
        sent.add(1000 + i, float(i), probe=5 if i == 2 else None)
    assert list(sent.results(feedback(0, 10.0, None))) == [
        PacketResult(0.0, 10.0, 1000, None, False),
        PacketResult(1.0, None, 1001, None, False),
    ]
    assert list(sent.results(feedback(0, 10.0, None, 12.0))) == [
        PacketResult(2.0, 12.0, 1002, 5, False)
    ]
    assert list(sent.results(feedback(1, 13.0))) == [PacketResult(1.0, 13.0, 1001, None, True)]


def test_packets_that_were_never_sent_or_are_too_old_are_ignored() -> None:
    sent = SentPackets()
    sent.add(1000, 0.0)
    sent.add(1000, HISTORY_S + 1)
    results = list(sent.results(feedback(-1, 1.0, 2.0, 3.0, 4.0)))
    assert [result.arrival_s for result in results] == [3.0]


def test_the_oldest_unreported_packet() -> None:
    sent = SentPackets()
    assert sent.oldest_unreported_s is None
    for i in range(3):
        sent.add(1000, float(i))
    assert sent.oldest_unreported_s == 0.0
    list(sent.results(feedback(0, None, 5.0)))
    assert sent.oldest_unreported_s == 2.0


def test_in_flight_is_what_was_sent_after_the_newest_reported() -> None:
    sent = SentPackets()
    assert sent.in_flight_bytes == 0
    for i in range(5):
        sent.add(1000 + i, float(i))
    assert sent.in_flight_bytes == 5010
    list(sent.results(feedback(1, 5.0, None)))
    assert sent.in_flight_bytes == 1003 + 1004
    list(sent.results(feedback(0, 5.0)))
    assert sent.in_flight_bytes == 1003 + 1004


def test_the_receivers_clock_may_wrap() -> None:
    sent = SentPackets()
    for i in range(2):
        sent.add(1000, float(i))
    wrap_s = (1 << 24) * 0.064
    (before,) = sent.results(feedback(0, wrap_s - 0.5))
    (after,) = sent.results(feedback(1, 0.5))
    assert before.arrival_s is not None and after.arrival_s is not None
    assert after.arrival_s - before.arrival_s == pytest.approx(1.0)
