"""Which packets are asked for, and how often, in scripted time."""

from aiortc.rtp import RtpPacket

from gaze.rtc.rtp.nack import (
    AGAIN_S,
    KEPT_S,
    MAX_MISSING,
    MAX_REQUESTS,
    MOST_REQUESTS,
    REQUESTS_EACH,
    NackList,
)


class Stream:
    """Packets that come at scripted times."""

    def __init__(self) -> None:
        self.t_s = 0.0
        self.nack = NackList(lambda: self.t_s)

    def come(self, number: int, t_s: float) -> list[int]:
        self.t_s = t_s
        asks = self.nack.add(RtpPacket(sequence_number=number & 0xFFFF))
        assert asks == bool(self.nack.missing)
        return sorted(self.nack.missing)


def test_a_gap_is_asked_for_at_once_and_again_until_it_is_filled() -> None:
    stream = Stream()
    assert stream.come(10, 0.0) == []
    assert stream.come(13, 0.01) == [11, 12]
    assert stream.come(14, 0.02) == []
    assert stream.come(15, 0.01 + AGAIN_S) == [11, 12]
    assert stream.come(11, 0.08) == []
    assert stream.come(16, 0.01 + AGAIN_S + 1.9 * AGAIN_S) == []
    assert stream.come(17, 0.01 + AGAIN_S + 2.1 * AGAIN_S) == [12]
    assert stream.come(12, 0.3) == []
    assert stream.come(18, 0.9) == []


def test_it_gives_up_after_some_requests_and_after_a_second() -> None:
    stream = Stream()
    stream.come(0, 0.0)
    asked = [stream.come(2 + i, i / 100) for i in range(200)]
    assert 4 <= asked.count([1]) <= MAX_REQUESTS
    assert not any(asked[round(KEPT_S * 100) + 1 :])


def test_numbers_wrap() -> None:
    stream = Stream()
    stream.come(65534, 0.0)
    assert stream.come(65537, 0.01) == [0, 65535]
    assert stream.come(65535, 0.02) == []
    assert stream.come(65538, 0.1) == [0]


def test_an_outage_is_not_asked_for_packet_by_packet() -> None:
    stream = Stream()
    stream.come(0, 0.0)
    assert stream.come(MAX_MISSING + 5, 0.1) == []
    assert stream.come(MAX_MISSING + 7, 0.2) == [MAX_MISSING + 6]


def test_late_packets_make_no_gap() -> None:
    stream = Stream()
    stream.come(10, 0.0)
    assert stream.come(9, 0.01) == []
    assert stream.come(11, 0.02) == []


def test_what_is_of_no_use_any_more_is_not_asked_for_again() -> None:
    stream = Stream()
    stream.come(65534, 0.0)
    assert stream.come(65540, 0.01) == [0, 1, 2, 3, 65535]
    stream.nack.forget_before(2)
    assert stream.come(65541, 0.1) == [2, 3]


def test_on_a_way_that_has_become_narrow_few_are_asked_for() -> None:
    stream = Stream()
    asked = [stream.come(4 * number, number / 30) for number in range(120)]
    assert len(asked[1]) == 3
    assert sum(map(len, asked)) <= MOST_REQUESTS + 120 * REQUESTS_EACH


def test_at_ten_percent_of_loss_all_are_asked_for() -> None:
    stream, asked = Stream(), set()
    for step in range(1000):
        for number in stream.come(step, step / 300) if step % 10 else []:
            asked.add(number)
            if number % 100:  # a tenth of what is sent again is lost, too
                stream.come(number, step / 300)
    assert asked == set(range(10, 1000, 10))
