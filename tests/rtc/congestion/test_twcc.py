"""Transport-wide congestion control feedback: known answers, and what survives a rough way."""

import random

import pytest
from aiortc.rtp import RtcpByePacket, RtcpRrPacket, RtcpRtpfbPacket

from gaze.rtc.congestion.twcc import MAX_PACKET_BYTES, Feedback, Recorder, parse, take_out

TICK_S = 250e-6


def report(arrivals: list[tuple[int, float]]) -> Feedback:
    recorder = Recorder()
    for number, arrival_s in arrivals:
        recorder.add(number, arrival_s)
    (packet,) = recorder.take(1, 2)
    return parse(packet)


def by_number(feedback: Feedback) -> dict[int, float]:
    return {
        (feedback.base + i) & 0xFFFF: arrival_s
        for i, arrival_s in enumerate(feedback.arrivals_s)
        if arrival_s is not None
    }


def test_two_packets_make_a_run_and_two_small_deltas() -> None:
    recorder = Recorder()
    recorder.add(5, 1.000)
    recorder.add(6, 1.010)
    assert (
        recorder.take(0x11223344, 0x55667788)
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
    recorder = Recorder()
    for number, arrival_s in [(1, 0.0), (3, 0.001), (4, 0.002)]:
        recorder.add(number, arrival_s)
    assert (
        recorder.take(1, 2)
        == [
            bytes.fromhex(
                "afcd0006" + "00000001" + "00000002" + "0001" + "0004" + "000000" + "00"
                "ac00"  # received, not, received, received
                "00" + "04" + "04" + "000003"  # three deltas, padded by three
            )
        ]
    )


def test_a_step_back_in_time_is_a_large_delta_in_a_vector_of_two_bits() -> None:
    recorder = Recorder()
    for number, arrival_s in [(7, 0.020), (8, 0.010), (9, 0.020)]:
        recorder.add(number, arrival_s)
    assert (
        recorder.take(1, 2)
        == [
            bytes.fromhex(
                "afcd0006" + "00000001" + "00000002" + "0007" + "0003" + "000000" + "00"
                "d900"  # small, large, small
                "50" + "ffd8" + "28" + "0002"  # 80, -40, 40 ticks, padded by two
            )
        ]
    )


def test_a_second_feedback_continues_where_the_first_ended() -> None:
    recorder = Recorder()
    recorder.add(10, 1.0)
    first = parse(recorder.take(1, 2)[0])
    recorder.add(12, 1.1)
    second = parse(recorder.take(1, 2)[0])
    assert (first.base, first.count) == (10, 0)
    assert (second.base, second.count) == (11, 1)
    assert second.arrivals_s == (None, pytest.approx(1.1))


def test_nothing_new_makes_no_packet() -> None:
    recorder = Recorder()
    assert recorder.take(1, 2) == []
    recorder.add(1, 0.0)
    assert len(recorder.take(1, 2)) == 1
    assert recorder.take(1, 2) == []
    recorder.add(1, 0.3)  # a duplicate is no news
    assert recorder.take(1, 2) == []


def test_numbers_wrap_around() -> None:
    feedback = report([(65534, 0.0), (65535, 0.001), (0, 0.002), (1, 0.003)])
    assert feedback.base == 65534
    assert feedback.arrivals_s == pytest.approx((0.0, 0.001, 0.002, 0.003))


def test_the_first_arrival_of_a_duplicate_counts() -> None:
    assert by_number(report([(1, 0.0), (2, 0.001), (1, 0.05)]))[1] == pytest.approx(0.0)


def test_a_packet_that_comes_after_its_loss_was_reported_is_reported_again() -> None:
    recorder = Recorder()
    for number in (1, 3, 4):
        recorder.add(number, number / 1000)
    assert parse(recorder.take(1, 2)[0]).arrivals_s[1] is None
    recorder.add(2, 0.06)
    late = parse(recorder.take(1, 2)[0])
    assert late.base == 2
    assert late.arrivals_s == pytest.approx((0.06, 0.003, 0.004))


def test_a_pause_longer_than_a_delta_can_say_begins_a_new_packet() -> None:
    recorder = Recorder()
    recorder.add(1, 1.0)
    recorder.add(2, 10.0)
    first, second = (parse(packet) for packet in recorder.take(1, 2))
    assert first.arrivals_s == pytest.approx((1.0,))
    assert (second.base, second.arrivals_s) == (2, pytest.approx((10.0,)))


def test_a_burst_is_split_into_packets_that_fit() -> None:
    recorder = Recorder()
    for number in range(3000):
        recorder.add(number, number * 0.0001)
    packets = recorder.take(1, 2)
    assert len(packets) > 1
    assert max(map(len, packets)) <= MAX_PACKET_BYTES
    assert [n for packet in packets for n in by_number(parse(packet))] == list(range(3000))


@pytest.mark.parametrize("seed", range(20))
def test_all_that_arrived_is_reported_at_its_time_and_nothing_else(seed: int) -> None:
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
    recorder = Recorder()
    for arrival_s, number in arrivals:
        recorder.add(number, arrival_s)
        truth.setdefault(number, arrival_s)
        if rng.random() < 0.03:
            for packet in recorder.take(1, 2):
                reported |= by_number(parse(packet))
    for packet in recorder.take(1, 2):
        reported |= by_number(parse(packet))
    assert reported == pytest.approx(truth, abs=TICK_S / 2 + 1e-9)


def test_what_waits_is_bounded() -> None:
    recorder = Recorder()
    for step in range(50_000):
        recorder.add(step & 0xFFFF, step * 1e-5)
    reported = sum(len(by_number(parse(packet))) for packet in recorder.take(1, 2))
    assert reported == 10_000


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (b"\x8f\xcd", "shorter than its header"),
        (bytes.fromhex("81cd0005" + "00" * 20), "not a transport-wide"),
        (bytes.fromhex("8fcd0009" + "00" * 20), "wrong length"),
        (
            bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "00ff" + "00" * 4 + "20ff" + "0000"),
            "cut",
        ),
        (bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "0001" + "00" * 8), "empty run"),
        (
            bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "0001" + "00" * 4 + "60010000"),
            "reserved",
        ),
    ],
)
def test_malformed_feedback_is_refused(packet: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(packet)


def test_feedback_is_taken_out_of_a_compound() -> None:
    recorder = Recorder()
    for number in range(5):
        recorder.add(number, number / 100)
    (feedback,) = recorder.take(1, 2)
    other = bytes(RtcpRrPacket(ssrc=1)) + bytes(RtcpByePacket(sources=[1]))
    nack = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[5]))
    assert take_out(feedback) == ([feedback], b"")
    assert take_out(other) == ([], other)
    assert take_out(nack) == ([], nack)
    assert take_out(other + feedback + nack) == ([feedback], other + nack)
    assert take_out(feedback + feedback) == ([feedback, feedback], b"")


@pytest.mark.parametrize("length", range(8))
def test_what_is_cut_short_is_left_to_others(length: int) -> None:
    data = bytes(RtcpRrPacket(ssrc=1))[:length]
    assert take_out(data) == ([], data)
