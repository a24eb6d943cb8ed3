"""The send-side estimate over a scripted link: capacity steps, losses, jitter, silence."""

import itertools
import math
import statistics

import pytest

from gaze.rtc.congestion.bandwidth_estimator import (
    BandwidthEstimator,
    LossBasedBwe,
    Queue,
    Range,
    Service,
)
from gaze.rtc.congestion.packet_results import PacketResult
from simulation.scripted_link import Journal, Link, run

LIMITS = Range(start_bps=2.5e6, min_bps=150e3, max_bps=12e6)


def rates(journal: Journal, begin_s: float, end_s: float) -> list[float]:
    return journal.between(journal.estimate_bps, begin_s, end_s)


def test_a_wide_link_is_found_wide_within_two_seconds() -> None:
    journal = run(Link([(0, 100e6)]), 5, LIMITS)
    assert min(journal.target_bps) >= 2.4e6
    assert min(rates(journal, 1.0, 5.0)) > 0.9 * LIMITS.max_bps
    assert max(journal.delay_s) < 0.04


def test_a_narrow_link_is_found_narrow_and_its_queue_empties() -> None:
    journal = run(Link([(0, 1e6)]), 10, LIMITS)
    assert max(journal.between(journal.delay_s, 3, 10)) < 0.15
    assert 0.6e6 < statistics.mean(rates(journal, 3, 10)) < 1.05e6


@pytest.mark.parametrize("queue_s", [0.2, 0.5, 1.5])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_step_down_is_followed_and_a_step_up_too(queue_s: float, seed: int) -> None:
    steps = [(0.0, 5e6), (20.0, 0.7e6), (45.0, 5e6)]
    journal = run(Link(steps, queue_s=queue_s), 70, LIMITS, seed=seed)
    assert max(rates(journal, 20.7, 45)) < 1.15 * 0.7e6
    assert min(rates(journal, 20, 45)) > 0.75 * 0.7e6
    assert max(journal.between(journal.delay_s, 20.5 + queue_s, 45)) < 0.3
    assert statistics.mean(rates(journal, 60, 70)) > 0.8 * 5e6
    reached_s = next(
        t
        for t, rate in zip(journal.t_s, journal.estimate_bps, strict=True)
        if t > 45 and rate > 0.8 * 5e6
    )
    assert reached_s < 60


def test_what_a_probe_found_does_not_hold_when_the_way_becomes_narrow_right_after() -> None:
    journal = run(Link([(0.0, 5e6), (0.3, 0.7e6)], queue_s=0.3), 3, LIMITS)
    assert max(rates(journal, 0.2, 0.4)) > 4e6
    assert max(rates(journal, 0.9, 3)) < 1.1 * 0.7e6


@pytest.mark.parametrize("loss", [0.01, 0.05, 0.10])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_losses_of_the_link_itself_do_not_collapse_it(loss: float, seed: int) -> None:
    journal = run(Link([(0, 5e6)], loss=loss), 40, LIMITS, seed=seed)
    assert min(rates(journal, 1, 40)) > 0.6 * 5e6
    assert statistics.mean(rates(journal, 20, 40)) > 0.75 * 5e6


@pytest.mark.parametrize("capacity", [0.7e6, 1e6, 3e6, 5e6])
@pytest.mark.parametrize("jitter_s", [0.0, 0.03])
def test_it_stays_near_a_fixed_capacity(capacity: float, jitter_s: float) -> None:
    journal = run(Link([(0, capacity)], delay_s=0.05, jitter_s=jitter_s), 40, LIMITS)
    settled = rates(journal, 10, 40)
    assert capacity * 0.75 < statistics.mean(settled) < capacity * 1.05
    assert min(settled) > 0.6 * capacity
    assert statistics.quantiles(settled, n=20)[-1] < 1.25 * capacity
    assert max(journal.between(journal.delay_s, 10, 40)) < (0.5 if jitter_s else 0.3)


def test_losses_of_a_link_that_drops_what_is_too_much_cut_the_rate() -> None:
    """A policer: no queue, so nothing but the losses tells."""
    journal = run(Link([(0, 5e6), (10, 1e6)], queue_s=0.012), 40, LIMITS)
    assert max(rates(journal, 20, 40)) < 2.2e6


def test_the_target_falls_while_nobody_answers_and_comes_back() -> None:
    journal = run(Link([(0, 5e6)]), 12, LIMITS, hears=lambda t_s: not 5 < t_s < 8)
    assert min(journal.between(journal.target_bps, 7.5, 8)) < 0.5 * 4e6
    assert statistics.mean(journal.between(journal.target_bps, 10, 12)) > 0.7 * 5e6


def test_nothing_heard_from_the_beginning_says_nothing() -> None:
    estimate = BandwidthEstimator(LIMITS)
    estimate.on_silence(0.0, 60.0)
    assert estimate.target_bps == LIMITS.start_bps


def test_the_limits_hold() -> None:
    limits = Range(start_bps=1e6, min_bps=500e3, max_bps=2e6)
    narrow = run(Link([(0, 100e3)]), 10, limits)
    assert min(narrow.target_bps) == 500e3
    wide = run(Link([(0, 100e6)]), 10, limits)
    assert max(wide.target_bps) == 2e6
    assert BandwidthEstimator(Range(9e6, 1e6, 2e6)).rate_bps == 2e6


def test_first_probes_are_twice_and_four_times_the_start() -> None:
    estimate = BandwidthEstimator(LIMITS)
    first, second = estimate.take_probe(0.0), estimate.take_probe(0.02)
    assert first is not None and second is not None
    assert (first.rate_bps, second.rate_bps) == (5e6, 10e6)
    assert estimate.take_probe(0.04) is None


def outcomes(lost: int, of: int) -> list[PacketResult]:
    return [PacketResult(0.0, None if i < lost else 1.0, 1200, None, False) for i in range(of)]


def test_new_losses_cut_by_half_their_share_until_they_are_known_as_the_links_own() -> None:
    losses = LossBasedBwe(100e3, 10e6)
    clock = itertools.count()
    losses.update(4e6, next(clock))

    def window(lost: int) -> float:
        for outcome in outcomes(lost, 100):
            losses.add(outcome)
        losses.update(4e6, next(clock))
        return losses.rate_bps

    assert window(0) == 10e6
    assert window(20) == pytest.approx(4e6 * 0.9)
    assert window(5) == pytest.approx(4e6 * 0.9)
    assert losses.loss == 0.05
    for _ in range(10):
        after = window(12)
    assert window(12) == pytest.approx(after * 1.08)


def test_losses_of_what_was_sent_before_a_cut_are_no_reason_for_another() -> None:
    losses = LossBasedBwe(100e3, 10e6)
    losses.update(4e6, 0.0)
    losses.forget(0.5)
    for t_s in (0.4, 0.6):
        for index in range(60):
            arrival_s = None if t_s == 0.4 else 1.0 + index / 1000
            losses.add(PacketResult(t_s, arrival_s, 1200, None, False))
    losses.update(1e6, 1.6)
    assert (losses.loss, losses.rate_bps) == (0.0, 10e6)


def message(begin_s: float, packets: int, rate_bps: float) -> list[PacketResult]:
    """Packets that arrive at a rate."""
    apart_s = 8 * 1000 / rate_bps
    return [PacketResult(0.0, begin_s + i * apart_s, 1000, None, False) for i in range(packets)]


def test_what_comes_out_of_a_queue_is_known_from_one_message_on() -> None:
    service = Service()
    service.add(message(0.0, 10, 0.7e6), queue_s=0.0)
    assert service.rate_bps is None
    service.add(message(0.1, 2, 0.7e6), queue_s=0.03)
    assert service.rate_bps is None
    service.add(message(0.2, 9, 0.7e6), queue_s=0.06)
    assert service.rate_bps == pytest.approx(0.7e6)
    service.add(message(0.6, 9, 2e6), queue_s=0.05)  # the earlier ones are too old by now
    assert service.rate_bps is None
    service.add(message(0.7, 9, 2e6), queue_s=0.05)
    assert service.rate_bps == pytest.approx(2e6)
    service.add(message(0.8, 9, 0.5e6), queue_s=0.01)
    assert service.rate_bps is None


def test_what_may_be_on_its_way_follows_the_estimate() -> None:
    estimate = BandwidthEstimator(LIMITS)
    assert estimate.window_bytes(0.2, 0.0) == math.inf
    estimate.on_feedback([PacketResult(1.0, 50.0, 1000, None, False)], 1.05)
    assert estimate.window_bytes(0.2, 1.1) == pytest.approx(2.5e6 / 8 * (0.05 + 0.1 + 0.2))
    assert estimate.window_bytes(0.2, 3.0) == math.inf  # nobody answers: the target falls instead


def test_a_packet_that_comes_after_all_was_not_lost() -> None:
    losses = LossBasedBwe(100e3, 10e6)
    losses.update(4e6, 0.0)
    for outcome in outcomes(10, 50):
        losses.add(outcome)
    for _ in range(10):
        losses.add(PacketResult(0.0, 1.0, 1200, None, True))
    losses.update(4e6, 1.0)
    assert losses.loss == 0.0


def test_a_queue_is_what_the_fastest_packet_waits() -> None:
    queue = Queue()
    queue.update([100.02, 100.09], 0.0)
    assert queue.delay_s == 0.0
    queue.update([100.07, 100.3], 1.0)
    assert queue.delay_s == pytest.approx(0.05)
    queue.update([], 2.0)
    assert queue.delay_s == pytest.approx(0.05)
    for t_s in range(3, 45):  # a longer way is no queue for ever
        queue.update([100.07], t_s)
    assert queue.delay_s == pytest.approx(0.0)
