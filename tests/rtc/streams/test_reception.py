"""Known answers of receiver reports."""

import pytest
from aiortc.rtp import RtpPacket

from gaze.rtc.streams.reception import ReceptionStatistics


def add(
    statistics: ReceptionStatistics, number: int, timestamp: int = 0, at_s: float = 0.0
) -> None:
    statistics.add(RtpPacket(96, 0, number & 0xFFFF, timestamp & 0xFFFFFFFF), at_s)


def test_losses_are_counted_over_the_wrap_of_sequence_numbers() -> None:
    statistics = ReceptionStatistics(90_000)
    assert statistics.lost == 0
    for number in (65_533, 65_534, 65_536, 65_537, 65_540):  # 65535, 65538 and 65539 are missing
        add(statistics, number)
    assert (statistics.received, statistics.lost) == (5, 3)
    report = statistics.report(9, 0.0)
    assert (report.ssrc, report.packets_lost, report.highest_sequence) == (9, 3, 65_540)
    assert report.fraction_lost == 256 * 3 // 8
    add(statistics, 65_535)  # late
    add(statistics, 65_541)
    later = statistics.report(9, 0.0)
    assert (later.fraction_lost, later.packets_lost) == (0, 2)


def test_duplicates_outnumber_losses() -> None:
    statistics = ReceptionStatistics(90_000)
    for number in (1, 1, 1, 3):
        add(statistics, number)
    assert statistics.lost == -1
    assert statistics.report(9, 0.0).packets_lost == -1


def test_jitter_converges_to_the_mean_deviation_of_transit_times() -> None:
    """RFC 3550, section 6.4.1: with alternating transit times 10 ms apart, towards 10 ms."""
    statistics = ReceptionStatistics(90_000)
    for index in range(400):
        late_s = 0.010 * (index % 2)
        # The timestamps wrap on the way, which must not count as jitter.
        add(statistics, index, index * 3000 - 300_000, index / 30 + late_s)
    assert statistics.report(9, 0.0).jitter == pytest.approx(900, rel=0.05)


def test_packets_of_one_frame_make_no_jitter() -> None:
    statistics = ReceptionStatistics(90_000)
    for index in range(50):
        add(statistics, index, 3000 * (index // 10), 1 / 30 * (index // 10))
    assert statistics.report(9, 0.0).jitter < 5


def test_the_last_sender_report_and_its_age_are_reported() -> None:
    statistics = ReceptionStatistics(90_000)
    add(statistics, 1)
    assert (statistics.report(9, 0.0).lsr, statistics.report(9, 0.0).dlsr) == (0, 0)
    statistics.on_sender_report(0x0123_4567_89AB_CDEF, 10.0)
    report = statistics.report(9, 12.5)
    assert (report.lsr, report.dlsr) == (0x4567_89AB, int(2.5 * 65_536))
    assert statistics.report(9, 1e6).dlsr == 0
    assert bytes(report)
