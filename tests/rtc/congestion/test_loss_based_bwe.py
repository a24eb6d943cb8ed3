"""What losses make of the bitrate, window by window."""

import itertools

import pytest

from gaze.rtc.congestion.loss_based_bwe import INCREASE, MAX_PATH_LOSS, LossBasedBwe
from gaze.rtc.congestion.packet_results import PacketResult


def results(lost: int, of: int, sent_s: float = 0.0) -> list[PacketResult]:
    return [
        PacketResult(sent_s, None if index < lost else 1.0, 1200, None, False)
        for index in range(of)
    ]


class Windows:
    """Feeds one window of 100 packets a second."""

    def __init__(self) -> None:
        self.bwe = LossBasedBwe(100e3, 10e6)
        self._clock = itertools.count()
        self.bwe.update(4e6, next(self._clock))

    def rate_bps(self, lost: int) -> float:
        for result in results(lost, 100):
            self.bwe.add(result)
        self.bwe.update(4e6, next(self._clock))
        return self.bwe.rate_bps


def test_new_losses_cut_the_bitrate_by_half_of_them() -> None:
    windows = Windows()
    assert windows.rate_bps(0) == 10e6
    assert windows.rate_bps(20) == pytest.approx(4e6 * 0.9)
    assert windows.rate_bps(5) == pytest.approx(4e6 * 0.9)
    assert windows.bwe.loss == 0.05


def test_losses_that_stay_are_the_paths_own_and_the_bitrate_rises_again() -> None:
    windows = Windows()
    windows.rate_bps(20)
    for _ in range(11):
        before = windows.rate_bps(12)
    assert windows.rate_bps(12) == pytest.approx(before * INCREASE)


def test_no_path_loses_more_than_a_quarter_by_itself() -> None:
    windows = Windows()
    for _ in range(12):
        before = windows.rate_bps(60)
    own_loss = 0.6 - MAX_PATH_LOSS
    assert windows.rate_bps(60) == pytest.approx(max(100e3, before * (1 - own_loss / 2)))


def test_losses_of_packets_sent_before_a_cut_do_not_count() -> None:
    bwe = LossBasedBwe(100e3, 10e6)
    bwe.update(4e6, 0.0)
    bwe.ignore_before(0.5)
    for result in (*results(60, 60, sent_s=0.4), *results(0, 60, sent_s=0.6)):
        bwe.add(result)
    bwe.update(1e6, 1.6)
    assert (bwe.loss, bwe.rate_bps) == (0.0, 10e6)


def test_a_packet_that_arrives_after_its_loss_was_reported_was_not_lost() -> None:
    bwe = LossBasedBwe(100e3, 10e6)
    bwe.update(4e6, 0.0)
    for result in results(10, 50):
        bwe.add(result)
    for _ in range(10):
        bwe.add(PacketResult(0.0, 1.0, 1200, None, reported_lost=True))
    bwe.update(4e6, 1.0)
    assert bwe.loss == 0.0


def test_a_window_of_few_packets_is_not_evaluated() -> None:
    bwe = LossBasedBwe(100e3, 10e6)
    bwe.update(4e6, 0.0)
    for result in results(19, 19):
        bwe.add(result)
    bwe.update(4e6, 2.0)
    assert (bwe.loss, bwe.rate_bps) == (0.0, 10e6)


def test_a_probe_result_raises_the_bitrate_only() -> None:
    windows = Windows()
    windows.rate_bps(20)
    windows.bwe.on_probe_result(1e6)
    assert windows.bwe.rate_bps == pytest.approx(3.6e6)
    windows.bwe.on_probe_result(8e6)
    assert windows.bwe.rate_bps == 8e6
