"""The figures of `benchmarks.congestion`, on short simulated links."""

import pytest

from benchmarks.congestion import SETTLE_S, steady, step
from simulation.network.scripted import Link


def test_a_steady_link_is_used_and_its_queue_stays_short() -> None:
    figures = steady("link", Link([(0, 3e6)]), SETTLE_S + 5.0, seed=1)
    assert figures["link: rate"] == pytest.approx(0.93, abs=0.1)
    assert 0.0 < figures["link: delay p95, ms"] < 150.0


def test_a_step_is_followed_within_the_time_that_is_reported() -> None:
    figures = step(seed=1)
    assert 0.0 < figures["step down: delay back under 300 ms after, s"] < 5.0
    assert 0.0 < figures["step up: 80 % of the capacity after, s"] < 25.0
