"""Frames that would come out several times as large as others are foreseen."""

import numpy as np
import pytest

from gaze.frames.metadata import FrameMetadata
from gaze.rtc.codecs.frame_size_predictor import MOST_SHARES, FrameSizePredictor

SHARE_BYTES = 1000.0


def settled(came_bytes: int = 500, sent_bytes: int = 1000) -> FrameSizePredictor:
    spikes = FrameSizePredictor()
    for _ in range(60):
        assert spikes.coarser(FrameMetadata(came_bytes), SHARE_BYTES) == 1.0
        spikes.add(FrameMetadata(came_bytes), sent_bytes)
    return spikes


def test_a_frame_that_came_as_large_as_others_is_encoded_as_ever() -> None:
    assert settled().coarser(FrameMetadata(500), SHARE_BYTES) == 1.0
    assert settled().coarser(FrameMetadata(round(500 * MOST_SHARES)), SHARE_BYTES) == 1.0


def test_a_frame_that_came_far_larger_is_encoded_as_much_coarser_as_it_would_be_too_large() -> None:
    assert settled().coarser(FrameMetadata(5000), SHARE_BYTES) == pytest.approx(10 / MOST_SHARES)
    assert settled(sent_bytes=400).coarser(FrameMetadata(5000), SHARE_BYTES) == pytest.approx(
        4 / MOST_SHARES
    )


def test_nothing_is_foreseen_of_a_frame_that_says_nothing_or_comes_first() -> None:
    assert settled().coarser(FrameMetadata(0), SHARE_BYTES) == 1.0
    fresh = FrameSizePredictor()
    fresh.add(FrameMetadata(500), 1000)
    assert fresh.coarser(FrameMetadata(50_000), SHARE_BYTES) == 1.0


def test_one_spike_does_not_change_what_is_usual() -> None:
    spikes = settled()
    before = spikes.coarser(FrameMetadata(5000), SHARE_BYTES)
    spikes.add(FrameMetadata(50_000), 2000)
    assert spikes.coarser(FrameMetadata(5000), SHARE_BYTES) == pytest.approx(before, rel=0.06)


def test_what_is_always_large_becomes_usual() -> None:
    spikes = settled()
    for _ in range(150):
        spikes.add(FrameMetadata(2500), 1000)
    assert spikes.coarser(FrameMetadata(4900), SHARE_BYTES) == 1.0


def blurred(sharp_from: int) -> FrameMetadata:
    """A frame with a sharp quarter, from one of ten columns on."""
    softened = np.full((4, 10), 4.0, np.float32)
    softened[:2, sharp_from : sharp_from + 5] = 0
    return FrameMetadata(softened=softened)


def test_detail_that_a_saccade_uncovers_is_foreseen_and_how_much_it_takes_learned() -> None:
    spikes = FrameSizePredictor()
    for _ in range(30):
        assert spikes.coarser(blurred(0), SHARE_BYTES) == 1.0
        spikes.add(blurred(0), 1000)
    foreseen = []
    for turn in range(20):
        coarser = spikes.coarser(blurred(5 if turn % 2 == 0 else 0), SHARE_BYTES)
        foreseen.append(coarser)
        spikes.add(blurred(0), round(7000 / coarser))
        for _ in range(20):
            assert spikes.coarser(blurred(5 if turn % 2 == 0 else 0), SHARE_BYTES) == 1.0
            spikes.add(blurred(0), 1000)
    assert foreseen[0] > 1.5
    assert foreseen[-1] == pytest.approx(7 / MOST_SHARES, rel=0.1)


def test_sight_that_moves_a_little_is_no_spike() -> None:
    spikes = FrameSizePredictor()
    for _ in range(30):
        spikes.coarser(blurred(0), SHARE_BYTES)
        spikes.add(blurred(0), 1000)
    assert spikes.coarser(blurred(1), SHARE_BYTES) == 1.0


def test_an_effect_that_goes_uncovers_the_rest() -> None:
    spikes = FrameSizePredictor()
    for _ in range(30):
        spikes.coarser(blurred(0), SHARE_BYTES)
        spikes.add(blurred(0), 1000)
    assert spikes.coarser(FrameMetadata(), SHARE_BYTES) > 1.5
    assert spikes.coarser(FrameMetadata(), SHARE_BYTES) == 1.0
    assert spikes.coarser(blurred(0), SHARE_BYTES) == 1.0
