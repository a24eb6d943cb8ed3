"""The bitrate at which a standing queue is drained."""

import pytest

from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.service_rate import ServiceRate


def message(begin_s: float, packets: int, rate_bps: float) -> list[PacketResult]:
    """Packets that arrive at a rate."""
    apart_s = 8 * 1000 / rate_bps
    return [PacketResult(0.0, begin_s + i * apart_s, 1000, None, False) for i in range(packets)]


def test_it_is_known_within_one_message_once_a_queue_stands() -> None:
    service = ServiceRate()
    service.add(message(0.0, 10, 0.7e6), queue_s=0.0)
    assert service.rate_bps is None
    service.add(message(0.1, 2, 0.7e6), queue_s=0.03)
    assert service.rate_bps is None
    service.add(message(0.2, 9, 0.7e6), queue_s=0.06)
    assert service.rate_bps == pytest.approx(0.7e6)


def test_old_messages_are_forgotten() -> None:
    service = ServiceRate()
    service.add(message(0.2, 9, 0.7e6), queue_s=0.06)
    service.add(message(0.6, 9, 2e6), queue_s=0.05)
    assert service.rate_bps is None
    service.add(message(0.7, 9, 2e6), queue_s=0.05)
    assert service.rate_bps == pytest.approx(2e6)


def test_it_is_unknown_once_the_queue_has_drained() -> None:
    service = ServiceRate()
    service.add(message(0.2, 9, 0.7e6), queue_s=0.06)
    service.add(message(0.3, 9, 0.5e6), queue_s=0.01)
    assert service.rate_bps is None


def test_losses_alone_say_nothing() -> None:
    service = ServiceRate()
    service.add([PacketResult(0.0, None, 1000, None, False)] * 20, queue_s=0.06)
    assert service.rate_bps is None
