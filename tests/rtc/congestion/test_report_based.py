"""The bitrate of what the server sends, in scripted time."""

import pytest

from gaze.rtc.congestion.report_based import Rate, SendBitrate

MEGA = 1_000_000


def bitrate() -> SendBitrate:
    return SendBitrate(start_bps=2_500_000, min_bps=150_000, max_bps=6_000_000)


def remb_every_second(
    policy: SendBitrate, remb_bps: float, sent_share: float, seconds: range
) -> list[float]:
    targets = []
    for t_s in seconds:
        policy.on_remb(remb_bps, sent_share * policy.target_bps, t_s)
        targets.append(policy.target_bps)
    return targets


def test_it_starts_at_the_start_rate_within_the_limits() -> None:
    assert bitrate().target_bps == 2_500_000
    assert SendBitrate(100, 150_000, 6 * MEGA).target_bps == 150_000
    assert SendBitrate(9 * MEGA, 150_000, 6 * MEGA).target_bps == 6 * MEGA


def test_a_low_estimate_of_an_idle_link_does_not_spoil_the_start() -> None:
    """A still picture: little is sent, so the browser's estimate is little."""
    policy = bitrate()
    assert remb_every_second(policy, 300_000, sent_share=0.1, seconds=range(20)) == [2.5e6] * 20


def test_a_low_estimate_while_we_send_near_the_target_counts_after_two_seconds() -> None:
    policy = bitrate()
    targets = remb_every_second(policy, MEGA, sent_share=0.95, seconds=range(4))
    assert targets[:2] == [2.5e6, 2.5e6]
    assert targets[2] == MEGA


def test_a_moment_below_is_forgiven() -> None:
    policy = bitrate()
    for t_s, remb_bps in enumerate([MEGA, MEGA, 3 * MEGA, MEGA, MEGA, 3 * MEGA]):
        policy.on_remb(remb_bps, policy.target_bps, t_s)
    assert policy.target_bps >= 2_500_000


def test_it_rises_by_eight_percent_a_second_up_to_the_estimate_and_the_limit() -> None:
    policy = bitrate()
    targets = remb_every_second(policy, 20 * MEGA, sent_share=1.0, seconds=range(3))
    assert targets == pytest.approx([2.5e6, 2.5e6 * 1.08, 2.5e6 * 1.08**2])
    assert remb_every_second(policy, 4 * MEGA, 1.0, range(3, 20))[-1] == 4 * MEGA
    assert remb_every_second(policy, 20 * MEGA, 1.0, range(20, 40))[-1] == 6 * MEGA


def test_it_does_not_rise_while_little_is_sent() -> None:
    policy = bitrate()
    assert remb_every_second(policy, 20 * MEGA, sent_share=0.5, seconds=range(9))[-1] == 2.5e6


def test_five_percent_of_loss_are_borne_and_more_cuts() -> None:
    policy = bitrate()
    for t_s in range(5):
        policy.on_loss(0.05, policy.target_bps, t_s)
    assert policy.target_bps == 2.5e6
    policy.on_loss(0.2, policy.target_bps, 5.0)
    assert policy.target_bps == pytest.approx(0.9 * 2.5e6)


def test_reports_that_come_together_cut_once() -> None:
    policy = bitrate()
    for t_s in (1.0, 1.1, 1.2):
        policy.on_loss(0.2, policy.target_bps, t_s)
    assert policy.target_bps == pytest.approx(0.9 * 2.5e6)


def test_it_never_goes_below_the_least() -> None:
    policy = bitrate()
    for t_s in range(200):
        policy.on_loss(1.0, policy.target_bps, t_s)
    assert policy.target_bps == 150_000


def test_without_an_estimate_it_rises_while_nothing_is_lost() -> None:
    policy = bitrate()
    for t_s in range(30):
        policy.on_loss(0.0, policy.target_bps, t_s)
    assert policy.target_bps == 6 * MEGA


def test_after_a_narrow_time_it_comes_back() -> None:
    policy = bitrate()
    remb_every_second(policy, 500_000, 1.0, range(6))
    assert policy.target_bps == 500_000
    remb_every_second(policy, 10 * MEGA, 1.0, range(6, 46))
    assert policy.target_bps == 6 * MEGA


def test_a_rate_is_measured_over_the_last_second() -> None:
    rate = Rate()
    assert rate.update(0, 0.0) == 0.0
    assert rate.update(125_000, 1.0) == pytest.approx(1e6)
    assert rate.update(125_000, 2.0) == pytest.approx(0.0)
