"""The bandwidth estimate over a scripted link: capacity steps, losses, jitter, no feedback."""

import math
import statistics

import pytest

from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints, SendSideBwe
from simulation.network.scripted import Journal, Link, run

CONSTRAINTS = BitrateConstraints(start_bps=2.5e6, min_bps=150e3, max_bps=12e6)


def estimates(journal: Journal, begin_s: float, end_s: float) -> list[float]:
    return journal.between(journal.estimate_bps, begin_s, end_s)


def test_a_wide_link_is_found_within_two_seconds() -> None:
    journal = run(Link([(0, 100e6)]), 5, CONSTRAINTS)
    assert min(journal.target_bps) >= 2.4e6
    assert min(estimates(journal, 1.0, 5.0)) > 0.9 * CONSTRAINTS.max_bps
    assert max(journal.delay_s) < 0.04


def test_a_narrow_link_is_found_and_its_queue_drains() -> None:
    journal = run(Link([(0, 1e6)]), 10, CONSTRAINTS)
    assert max(journal.between(journal.delay_s, 3, 10)) < 0.15
    assert 0.6e6 < statistics.mean(estimates(journal, 3, 10)) < 1.05e6


@pytest.mark.parametrize("queue_s", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_capacity_steps_down_and_up_are_followed(queue_s: float, seed: int) -> None:
    steps = [(0.0, 5e6), (20.0, 0.7e6), (45.0, 5e6)]
    journal = run(Link(steps, queue_s=queue_s), 70, CONSTRAINTS, seed=seed)
    assert max(estimates(journal, 20.7, 45)) < 1.15 * 0.7e6
    assert min(estimates(journal, 20, 45)) > 0.75 * 0.7e6
    assert max(journal.between(journal.delay_s, 20.5 + queue_s, 45)) < 0.3
    assert statistics.mean(estimates(journal, 60, 70)) > 0.8 * 5e6
    reached_s = next(
        t
        for t, rate in zip(journal.t_s, journal.estimate_bps, strict=True)
        if t > 45 and rate > 0.8 * 5e6
    )
    assert reached_s < 60


def test_a_probe_result_does_not_hold_when_the_link_becomes_narrow_right_after() -> None:
    journal = run(Link([(0.0, 5e6), (0.3, 0.7e6)], queue_s=0.3), 3, CONSTRAINTS)
    assert max(estimates(journal, 0.2, 0.4)) > 4e6
    assert max(estimates(journal, 0.9, 3)) < 1.1 * 0.7e6


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.10])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_loss_of_the_link_does_not_collapse_the_estimate(loss: float, seed: int) -> None:
    journal = run(Link([(0, 5e6)], loss=loss), 40, CONSTRAINTS, seed=seed)
    assert min(estimates(journal, 1, 40)) > 0.6 * 5e6
    assert statistics.mean(estimates(journal, 20, 40)) > 0.75 * 5e6


@pytest.mark.parametrize("capacity", [0.7e6, 1e6, 3e6, 5e6])
@pytest.mark.parametrize("jitter_s", [0.0, 0.03])
def test_the_estimate_stays_near_a_fixed_capacity(capacity: float, jitter_s: float) -> None:
    journal = run(Link([(0, capacity)], delay_s=0.05, jitter_s=jitter_s), 40, CONSTRAINTS)
    settled = estimates(journal, 10, 40)
    assert capacity * 0.75 < statistics.mean(settled) < capacity * 1.05
    assert min(settled) > 0.6 * capacity
    assert statistics.quantiles(settled, n=20)[-1] < 1.25 * capacity
    assert max(journal.between(journal.delay_s, 10, 40)) < (0.5 if jitter_s else 0.3)


def test_losses_of_a_policer_cut_the_estimate() -> None:
    """A link without a queue: nothing but the losses tells."""
    journal = run(Link([(0, 5e6), (10, 1e6)], queue_s=0.012), 40, CONSTRAINTS)
    assert max(estimates(journal, 20, 40)) < 2.2e6


def test_the_target_falls_without_feedback_and_recovers() -> None:
    journal = run(Link([(0, 5e6)]), 12, CONSTRAINTS, feedback_arrives=lambda t_s: not 5 < t_s < 8)
    assert min(journal.between(journal.target_bps, 7.5, 8)) < 0.5 * 4e6
    assert statistics.mean(journal.between(journal.target_bps, 10, 12)) > 0.7 * 5e6


def test_the_target_stays_before_the_first_feedback() -> None:
    bwe = SendSideBwe(CONSTRAINTS)
    bwe.check_feedback_timeout(0.0, 60.0)
    assert bwe.target_bps == CONSTRAINTS.start_bps


def test_the_constraints_hold() -> None:
    constraints = BitrateConstraints(start_bps=1e6, min_bps=500e3, max_bps=2e6)
    narrow = run(Link([(0, 100e3)]), 10, constraints)
    assert min(narrow.target_bps) == 500e3
    wide = run(Link([(0, 100e6)]), 10, constraints)
    assert max(wide.target_bps) == 2e6
    assert SendSideBwe(BitrateConstraints(9e6, 1e6, 2e6)).estimate_bps == 2e6


def test_the_congestion_window_follows_the_estimate() -> None:
    bwe = SendSideBwe(CONSTRAINTS)
    assert bwe.congestion_window_bytes(0.2, 0.0) == math.inf
    bwe.on_feedback([PacketResult(1.0, 50.0, 1000, None, False)], 1.05)
    window_bytes = bwe.congestion_window_bytes(0.2, 1.1)
    assert window_bytes == pytest.approx(2.5e6 / 8 * (0.05 + 0.1 + 0.2))
    # Without feedback there is no bound: the target falls instead.
    assert bwe.congestion_window_bytes(0.2, 3.0) == math.inf
