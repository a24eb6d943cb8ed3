"""When probe clusters are sent, and at what bitrate, in scripted time."""

import itertools

import pytest

from gaze.rtc.congestion.probe_controller import (
    AFTER_OVERUSE_S,
    FIRST_PROBE_SCALES,
    INTERVAL_S,
    MAX_INTERVAL_S,
    RESULT_TIMEOUT_S,
    ProbeCluster,
    ProbeController,
)

START_BPS, MAX_BPS = 2.5e6, 12e6


def started() -> ProbeController:
    """A controller whose first probes found nothing."""
    controller = ProbeController(START_BPS, MAX_BPS)
    for _ in FIRST_PROBE_SCALES:
        assert controller.next_probe(START_BPS, 0.0, idle=True) is not None
    return controller


def test_a_cluster_lasts_fifteen_milliseconds_and_five_packets() -> None:
    cluster = ProbeCluster.at(1, 8e6)
    assert cluster == ProbeCluster(number=1, rate_bps=8e6, packets=5, size_bytes=15_000)


def test_the_first_clusters_are_twice_and_four_times_the_start() -> None:
    controller = ProbeController(START_BPS, MAX_BPS)
    first = controller.next_probe(START_BPS, 0.0, idle=False)
    second = controller.next_probe(START_BPS, 0.02, idle=False)
    assert first is not None and second is not None
    assert (first.rate_bps, second.rate_bps) == (5e6, 10e6)
    assert controller.next_probe(START_BPS, 0.04, idle=True) is None
    assert controller.probes == 2


def test_a_cluster_that_got_through_is_followed_by_one_twice_as_fast() -> None:
    controller = started()
    controller.on_result(ProbeCluster.at(1, 4e6), 3e6, higher=True)
    further = controller.next_probe(3e6, 0.1, idle=False)
    assert further is not None and further.rate_bps == 6e6


@pytest.mark.parametrize(("rate_bps", "higher"), [(2.5e6, True), (3.9e6, False)])
def test_none_follows_one_that_found_less(rate_bps: float, higher: bool) -> None:
    controller = started()
    controller.on_result(ProbeCluster.at(1, 4e6), rate_bps, higher=higher)
    assert controller.next_probe(4e6, 0.1, idle=True) is None


def test_periodic_probes_become_rarer_while_they_find_nothing() -> None:
    controller = started()
    sent_s = [
        step / 10
        for step in range(1, 600)
        if controller.next_probe(START_BPS, step / 10, idle=True) is not None
    ]
    assert sent_s[0] == pytest.approx(INTERVAL_S)
    assert sent_s[-1] - sent_s[-2] == pytest.approx(MAX_INTERVAL_S, abs=0.11)
    intervals_s = [after - before for before, after in itertools.pairwise(sent_s)]
    assert all(after > before - 0.11 for before, after in itertools.pairwise(intervals_s))


def test_none_is_sent_while_the_path_is_not_idle_or_was_overused() -> None:
    controller = started()
    assert controller.next_probe(START_BPS, 20.0, idle=False) is None
    controller.on_overuse(20.0)
    assert controller.next_probe(START_BPS, 20.0 + 0.9 * AFTER_OVERUSE_S, idle=True) is None
    assert controller.next_probe(START_BPS, 20.0 + AFTER_OVERUSE_S, idle=True) is not None


def test_none_is_sent_near_the_highest_bitrate_or_while_one_is_awaited() -> None:
    controller = started()
    assert controller.next_probe(0.96 * MAX_BPS, 20.0, idle=True) is None
    assert controller.next_probe(START_BPS, 20.0, idle=True) is not None
    controller.on_result(ProbeCluster.at(2, 5e6), 5e6, higher=True)
    assert controller.next_probe(5e6, 20.1, idle=True) is not None  # now awaited
    assert controller.next_probe(5e6, 20.1 + 0.9 * RESULT_TIMEOUT_S, idle=True) is None


def test_a_decrease_drops_the_planned_clusters() -> None:
    controller = ProbeController(START_BPS, MAX_BPS)
    controller.on_decrease()
    assert controller.next_probe(START_BPS, 0.0, idle=True) is None
