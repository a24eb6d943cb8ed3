"""Frames that would come out several times as large as others are foreseen."""

import pytest

from gaze.rtc.spikes import MOST_SHARES, Spikes

SHARE_BYTES = 1000.0


def settled(came_bytes: int = 500, sent_bytes: int = 1000) -> Spikes:
    spikes = Spikes()
    for _ in range(60):
        assert spikes.coarser(came_bytes, SHARE_BYTES) == 1.0
        spikes.add(came_bytes, sent_bytes)
    return spikes


def test_a_frame_that_came_as_large_as_others_is_encoded_as_ever() -> None:
    assert settled().coarser(500, SHARE_BYTES) == 1.0
    assert settled().coarser(round(500 * MOST_SHARES), SHARE_BYTES) == 1.0


def test_a_frame_that_came_far_larger_is_encoded_as_much_coarser_as_it_would_be_too_large() -> None:
    assert settled().coarser(5000, SHARE_BYTES) == pytest.approx(10 / MOST_SHARES)
    assert settled(sent_bytes=400).coarser(5000, SHARE_BYTES) == pytest.approx(4 / MOST_SHARES)


def test_nothing_is_foreseen_of_a_frame_that_says_nothing_or_comes_first() -> None:
    assert settled().coarser(0, SHARE_BYTES) == 1.0
    fresh = Spikes()
    fresh.add(500, 1000)
    assert fresh.coarser(50_000, SHARE_BYTES) == 1.0


def test_one_spike_does_not_change_what_is_usual() -> None:
    spikes = settled()
    before = spikes.coarser(5000, SHARE_BYTES)
    spikes.add(50_000, 2000)
    assert spikes.coarser(5000, SHARE_BYTES) == pytest.approx(before, rel=0.06)


def test_what_is_always_large_becomes_usual() -> None:
    spikes = settled()
    for _ in range(150):
        spikes.add(2500, 1000)
    assert spikes.coarser(4900, SHARE_BYTES) == 1.0
