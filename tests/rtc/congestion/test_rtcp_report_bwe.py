"""The target bitrate by receiver reports and REMB, in scripted time."""

import pytest

from gaze.rtc.congestion.rtcp_report_bwe import RtcpReportBwe

MEGA = 1_000_000


def made() -> RtcpReportBwe:
    return RtcpReportBwe(start_bps=2_500_000, min_bps=150_000, max_bps=6_000_000)


def remb_every_second(
    bwe: RtcpReportBwe, remb_bps: float, sent_share: float, seconds: range
) -> list[float]:
    targets = []
    for t_s in seconds:
        bwe.on_remb(remb_bps, sent_share * bwe.target_bps, t_s)
        targets.append(bwe.target_bps)
    return targets


def test_the_target_starts_at_the_start_bitrate_within_the_limits() -> None:
    assert made().target_bps == 2_500_000
    assert RtcpReportBwe(100, 150_000, 6 * MEGA).target_bps == 150_000
    assert RtcpReportBwe(9 * MEGA, 150_000, 6 * MEGA).target_bps == 6 * MEGA


def test_a_low_remb_of_an_idle_link_does_not_cut_the_target() -> None:
    """A still picture: little is sent, so the browser's estimate is little."""
    bwe = made()
    assert remb_every_second(bwe, 300_000, sent_share=0.1, seconds=range(20)) == [2.5e6] * 20


def test_a_low_remb_while_nearly_the_target_is_sent_counts_after_two_seconds() -> None:
    bwe = made()
    targets = remb_every_second(bwe, MEGA, sent_share=0.95, seconds=range(4))
    assert targets[:2] == [2.5e6, 2.5e6]
    assert targets[2] == MEGA


def test_a_low_remb_for_a_moment_is_ignored() -> None:
    bwe = made()
    for t_s, remb_bps in enumerate([MEGA, MEGA, 3 * MEGA, MEGA, MEGA, 3 * MEGA]):
        bwe.on_remb(remb_bps, bwe.target_bps, t_s)
    assert bwe.target_bps >= 2_500_000


def test_the_target_rises_by_8_percent_a_second_up_to_remb_and_the_limit() -> None:
    bwe = made()
    targets = remb_every_second(bwe, 20 * MEGA, sent_share=1.0, seconds=range(3))
    assert targets == pytest.approx([2.5e6, 2.5e6 * 1.08, 2.5e6 * 1.08**2])
    assert remb_every_second(bwe, 4 * MEGA, 1.0, range(3, 20))[-1] == 4 * MEGA
    assert remb_every_second(bwe, 20 * MEGA, 1.0, range(20, 40))[-1] == 6 * MEGA


def test_the_target_does_not_rise_while_little_is_sent() -> None:
    bwe = made()
    assert remb_every_second(bwe, 20 * MEGA, sent_share=0.5, seconds=range(9))[-1] == 2.5e6


def test_more_than_5_percent_of_loss_cut_the_target() -> None:
    bwe = made()
    for t_s in range(5):
        bwe.on_loss(0.05, bwe.target_bps, t_s)
    assert bwe.target_bps == 2.5e6
    bwe.on_loss(0.2, bwe.target_bps, 5.0)
    assert bwe.target_bps == pytest.approx(0.9 * 2.5e6)


def test_reports_in_quick_succession_cut_once() -> None:
    bwe = made()
    for t_s in (1.0, 1.1, 1.2):
        bwe.on_loss(0.2, bwe.target_bps, t_s)
    assert bwe.target_bps == pytest.approx(0.9 * 2.5e6)


def test_the_target_never_falls_below_the_lowest_bitrate() -> None:
    bwe = made()
    for t_s in range(200):
        bwe.on_loss(1.0, bwe.target_bps, t_s)
    assert bwe.target_bps == 150_000


def test_without_remb_the_target_rises_while_nothing_is_lost() -> None:
    bwe = made()
    for t_s in range(30):
        bwe.on_loss(0.0, bwe.target_bps, t_s)
    assert bwe.target_bps == 6 * MEGA


def test_the_target_recovers_when_remb_rises() -> None:
    bwe = made()
    remb_every_second(bwe, 500_000, 1.0, range(6))
    assert bwe.target_bps == 500_000
    remb_every_second(bwe, 10 * MEGA, 1.0, range(6, 46))
    assert bwe.target_bps == 6 * MEGA
