"""Sent packets and what the browser says of them."""

import pytest

from gaze.rtc.congestion.packet_results import KEPT_S, PacketResult, SentPackets
from gaze.rtc.congestion.twcc import Feedback


def feedback(base: int, *arrivals_s: float | None) -> Feedback:
    return Feedback(1, 2, 0, base & 0xFFFF, arrivals_s)


def test_numbers_count_up_and_wrap() -> None:
    sent = SentPackets()
    numbers = [sent.add(1000, i / 1000) for i in range(65540)]
    assert numbers[:3] == [0, 1, 2]
    assert numbers[65535:] == [65535, 0, 1, 2, 3]
    (outcome,) = sent.outcomes(feedback(1, 7.0))
    assert outcome.sent_s == pytest.approx(65.537)


def test_each_packet_is_heard_of_once() -> None:
    sent = SentPackets()
    for i in range(3):
        sent.add(1000 + i, float(i), probe=5 if i == 2 else None)
    assert list(sent.outcomes(feedback(0, 10.0, None))) == [
        PacketResult(0.0, 10.0, 1000, None, False),
        PacketResult(1.0, None, 1001, None, False),
    ]
    assert list(sent.outcomes(feedback(0, 10.0, None, 12.0))) == [
        PacketResult(2.0, 12.0, 1002, 5, False)
    ]
    assert list(sent.outcomes(feedback(1, 13.0))) == [PacketResult(1.0, 13.0, 1001, None, True)]


def test_what_was_never_sent_or_is_forgotten_is_passed_over() -> None:
    sent = SentPackets()
    sent.add(1000, 0.0)
    sent.add(1000, KEPT_S + 1)
    outcomes = list(sent.outcomes(feedback(-1, 1.0, 2.0, 3.0, 4.0)))
    assert [outcome.arrival_s for outcome in outcomes] == [3.0]


def test_the_oldest_that_nothing_was_heard_of() -> None:
    sent = SentPackets()
    assert sent.oldest_s is None
    for i in range(3):
        sent.add(1000, float(i))
    assert sent.oldest_s == 0.0
    list(sent.outcomes(feedback(0, None, 5.0)))
    assert sent.oldest_s == 2.0


def test_what_is_on_its_way_is_what_left_after_the_newest_heard_of() -> None:
    sent = SentPackets()
    assert sent.on_their_way_bytes == 0
    for i in range(5):
        sent.add(1000 + i, float(i))
    assert sent.on_their_way_bytes == 5010
    list(sent.outcomes(feedback(1, 5.0, None)))
    assert sent.on_their_way_bytes == 1003 + 1004
    list(sent.outcomes(feedback(0, 5.0)))
    assert sent.on_their_way_bytes == 1003 + 1004


def test_the_browsers_clock_may_wrap() -> None:
    sent = SentPackets()
    for i in range(2):
        sent.add(1000, float(i))
    wrap_s = (1 << 24) * 0.064
    (before,) = sent.outcomes(feedback(0, wrap_s - 0.5))
    (after,) = sent.outcomes(feedback(1, 0.5))
    assert before.arrival_s is not None and after.arrival_s is not None
    assert after.arrival_s - before.arrival_s == pytest.approx(1.0)
