"""Which packets are requested, and how often, in scripted time."""

from aiortc.rtp import RtpPacket

from gaze.rtc.rtp.nack_requester import (
    GIVE_UP_S,
    MAX_BUDGET,
    MAX_MISSING,
    MAX_REQUESTS,
    REQUESTS_PER_PACKET,
    RETRY_S,
    NackRequester,
)


class Stream:
    """Packets that arrive at scripted times."""

    def __init__(self) -> None:
        self.t_s = 0.0
        self.nack = NackRequester(lambda: self.t_s)

    def arrive(self, number: int, t_s: float) -> list[int]:
        self.t_s = t_s
        requests = self.nack.add(RtpPacket(sequence_number=number & 0xFFFF))
        assert requests == bool(self.nack.missing)
        return sorted(self.nack.missing)


def test_a_gap_is_requested_at_once_and_again_until_it_is_filled() -> None:
    stream = Stream()
    assert stream.arrive(10, 0.0) == []
    assert stream.arrive(13, 0.01) == [11, 12]
    assert stream.arrive(14, 0.02) == []
    assert stream.arrive(15, 0.01 + RETRY_S) == [11, 12]
    assert stream.arrive(11, 0.08) == []
    assert stream.arrive(16, 0.01 + RETRY_S + 1.9 * RETRY_S) == []
    assert stream.arrive(17, 0.01 + RETRY_S + 2.1 * RETRY_S) == [12]
    assert stream.arrive(12, 0.3) == []
    assert stream.arrive(18, 0.9) == []


def test_a_packet_is_given_up_after_some_requests_and_after_a_second() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    requested = [stream.arrive(2 + i, i / 100) for i in range(200)]
    assert 4 <= requested.count([1]) <= MAX_REQUESTS
    assert not any(requested[round(GIVE_UP_S * 100) + 1 :])


def test_sequence_numbers_wrap() -> None:
    stream = Stream()
    stream.arrive(65534, 0.0)
    assert stream.arrive(65537, 0.01) == [0, 65535]
    assert stream.arrive(65535, 0.02) == []
    assert stream.arrive(65538, 0.1) == [0]


def test_an_outage_is_not_requested_packet_by_packet() -> None:
    stream = Stream()
    stream.arrive(0, 0.0)
    assert stream.arrive(MAX_MISSING + 5, 0.1) == []
    assert stream.arrive(MAX_MISSING + 7, 0.2) == [MAX_MISSING + 6]


def test_reordered_packets_make_no_gap() -> None:
    stream = Stream()
    stream.arrive(10, 0.0)
    assert stream.arrive(9, 0.01) == []
    assert stream.arrive(11, 0.02) == []


def test_packets_of_no_use_any_more_are_not_requested_again() -> None:
    stream = Stream()
    stream.arrive(65534, 0.0)
    assert stream.arrive(65540, 0.01) == [0, 1, 2, 3, 65535]
    stream.nack.forget_before(2)
    assert stream.arrive(65541, 0.1) == [2, 3]


def test_on_a_path_that_became_narrow_few_are_requested() -> None:
    stream = Stream()
    requested = [stream.arrive(4 * number, number / 30) for number in range(120)]
    assert len(requested[1]) == 3
    assert sum(map(len, requested)) <= MAX_BUDGET + 120 * REQUESTS_PER_PACKET


def test_at_10_percent_of_loss_all_are_requested() -> None:
    stream, requested = Stream(), set()
    for step in range(1000):
        for number in stream.arrive(step, step / 300) if step % 10 else []:
            requested.add(number)
            if number % 100:  # a tenth of the retransmissions is lost, too
                stream.arrive(number, step / 300)
    assert requested == set(range(10, 1000, 10))
