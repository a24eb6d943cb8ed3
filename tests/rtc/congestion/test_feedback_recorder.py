"""Transport-wide feedback: known answers, and what survives loss and reordering."""

import random

import pytest

from gaze.rtc.congestion.feedback_recorder import MAX_PACKET_BYTES, MAX_WAITING, FeedbackRecorder
from gaze.rtc.congestion.twcc import TICK_S, Feedback, parse


def report(arrivals: list[tuple[int, float]]) -> Feedback:
    recorder = FeedbackRecorder()
    for number, arrival_s in arrivals:
        recorder.add(number, arrival_s)
    (packet,) = recorder.build_feedback(1, 2)
    return parse(packet)


def by_number(feedback: Feedback) -> dict[int, float]:
    return {
        (feedback.base + i) & 0xFFFF: arrival_s
        for i, arrival_s in enumerate(feedback.arrivals_s)
        if arrival_s is not None
    }


def test_two_packets_are_a_run_and_two_small_deltas() -> None:
    recorder = FeedbackRecorder()
    recorder.add(5, 1.000)
    recorder.add(6, 1.010)
    assert (
        recorder.build_feedback(0x11223344, 0x55667788)
        == [
            bytes.fromhex(
                "8fcd0005"  # version 2, fmt 15; RTPFB; 6 words
                "11223344"
                "55667788"
                "0005" + "0002"  # from 5, two packets
                "00000f" + "00"  # 15 · 64 ms = 0.96 s; first feedback
                "2002"  # run of two small deltas
                "a0" + "28"  # 40 ms after the reference, 10 ms after that
            )
        ]
    )


def test_loss_is_a_vector_of_single_bits_with_padding() -> None:
    recorder = FeedbackRecorder()
    for number, arrival_s in [(1, 0.0), (3, 0.001), (4, 0.002)]:
        recorder.add(number, arrival_s)
    assert (
        recorder.build_feedback(1, 2)
        == [
            bytes.fromhex(
                "afcd0006" + "00000001" + "00000002" + "0001" + "0004" + "000000" + "00"
                "ac00"  # received, not, received, received
                "00" + "04" + "04" + "000003"  # three deltas, padded by three
            )
        ]
    )


def test_a_step_back_in_time_is_a_large_delta_in_a_vector_of_two_bits() -> None:
    recorder = FeedbackRecorder()
    for number, arrival_s in [(7, 0.020), (8, 0.010), (9, 0.020)]:
        recorder.add(number, arrival_s)
    assert (
        recorder.build_feedback(1, 2)
        == [
            bytes.fromhex(
                "afcd0006" + "00000001" + "00000002" + "0007" + "0003" + "000000" + "00"
                "d900"  # small, large, small
                "50" + "ffd8" + "28" + "0002"  # 80, -40, 40 ticks, padded by two
            )
        ]
    )


def test_a_second_feedback_continues_where_the_first_ended() -> None:
    recorder = FeedbackRecorder()
    recorder.add(10, 1.0)
    first = parse(recorder.build_feedback(1, 2)[0])
    recorder.add(12, 1.1)
    second = parse(recorder.build_feedback(1, 2)[0])
    assert (first.base, first.count) == (10, 0)
    assert (second.base, second.count) == (11, 1)
    assert second.arrivals_s[0] is None
    assert second.arrivals_s[1:] == pytest.approx((1.1,))


def test_without_arrivals_there_is_no_feedback() -> None:
    recorder = FeedbackRecorder()
    assert recorder.build_feedback(1, 2) == []
    recorder.add(1, 0.0)
    assert len(recorder.build_feedback(1, 2)) == 1
    assert recorder.build_feedback(1, 2) == []
    recorder.add(1, 0.3)  # a duplicate
    assert recorder.build_feedback(1, 2) == []


def test_sequence_numbers_wrap() -> None:
    feedback = report([(65534, 0.0), (65535, 0.001), (0, 0.002), (1, 0.003)])
    assert feedback.base == 65534
    assert feedback.arrivals_s == pytest.approx((0.0, 0.001, 0.002, 0.003))


def test_the_first_arrival_of_a_duplicate_counts() -> None:
    assert by_number(report([(1, 0.0), (2, 0.001), (1, 0.05)]))[1] == pytest.approx(0.0)


def test_a_packet_that_arrives_after_its_loss_was_reported_is_reported_again() -> None:
    recorder = FeedbackRecorder()
    for number in (1, 3, 4):
        recorder.add(number, number / 1000)
    assert parse(recorder.build_feedback(1, 2)[0]).arrivals_s[1] is None
    recorder.add(2, 0.06)
    late = parse(recorder.build_feedback(1, 2)[0])
    assert late.base == 2
    assert late.arrivals_s == pytest.approx((0.06, 0.003, 0.004))


def test_a_pause_longer_than_the_largest_delta_begins_a_new_packet() -> None:
    recorder = FeedbackRecorder()
    recorder.add(1, 1.0)
    recorder.add(2, 10.0)
    first, second = (parse(packet) for packet in recorder.build_feedback(1, 2))
    assert first.arrivals_s == pytest.approx((1.0,))
    assert second.base == 2
    assert second.arrivals_s == pytest.approx((10.0,))


def test_a_burst_is_split_into_packets_that_fit() -> None:
    recorder = FeedbackRecorder()
    for number in range(3000):
        recorder.add(number, number * 0.0001)
    packets = recorder.build_feedback(1, 2)
    assert len(packets) > 1
    assert max(map(len, packets)) <= MAX_PACKET_BYTES
    assert [n for packet in packets for n in by_number(parse(packet))] == list(range(3000))


@pytest.mark.parametrize("seed", range(20))
def test_every_arrival_is_reported_at_its_time_and_nothing_else(seed: int) -> None:
    """Loss, reordering, duplicates and wrap-around, feedback at any moment."""
    rng = random.Random(seed)
    start = rng.choice([0, 60_000, 65_535])
    arrivals = []
    for step in range(2000):
        if rng.random() < rng.choice([0.01, 0.3]):
            continue
        sent_s = 100 + step * 0.0015
        arrivals.append((sent_s + rng.expovariate(200), (start + step) & 0xFFFF))
        if rng.random() < 0.02:
            arrivals.append((sent_s + rng.expovariate(100), (start + step) & 0xFFFF))
    arrivals.sort()
    truth: dict[int, float] = {}
    reported: dict[int, float] = {}
    recorder = FeedbackRecorder()
    for arrival_s, number in arrivals:
        recorder.add(number, arrival_s)
        truth.setdefault(number, arrival_s)
        if rng.random() < 0.03:
            for packet in recorder.build_feedback(1, 2):
                reported |= by_number(parse(packet))
    for packet in recorder.build_feedback(1, 2):
        reported |= by_number(parse(packet))
    assert reported == pytest.approx(truth, abs=TICK_S / 2 + 1e-9)


def test_the_memory_is_bounded() -> None:
    recorder = FeedbackRecorder()
    for step in range(50_000):
        recorder.add(step & 0xFFFF, step * 1e-5)
    reported = sum(len(by_number(parse(packet))) for packet in recorder.build_feedback(1, 2))
    assert reported == MAX_WAITING
