"""Frames that would be encoded several times as large as others are predicted."""

import numpy as np
import pytest

from gaze.frames.metadata import FrameMetadata
from gaze.rtc.codecs.frame_size_predictor import MAX_SHARES, FrameSizePredictor

SHARE_BYTES = 1000.0


def settled(came_bytes: int = 500, sent_bytes: int = 1000) -> FrameSizePredictor:
    predictor = FrameSizePredictor()
    for _ in range(60):
        assert predictor.quantizer_scale(FrameMetadata(came_bytes), SHARE_BYTES) == 1.0
        predictor.add(FrameMetadata(came_bytes), sent_bytes)
    return predictor


def test_a_frame_that_came_as_large_as_others_is_not_scaled() -> None:
    assert settled().quantizer_scale(FrameMetadata(500), SHARE_BYTES) == 1.0
    assert settled().quantizer_scale(FrameMetadata(round(500 * MAX_SHARES)), SHARE_BYTES) == 1.0


def test_a_frame_that_came_far_larger_is_scaled_by_as_much_as_it_would_be_too_large() -> None:
    assert settled().quantizer_scale(FrameMetadata(5000), SHARE_BYTES) == pytest.approx(
        10 / MAX_SHARES
    )
    assert settled(sent_bytes=400).quantizer_scale(
        FrameMetadata(5000), SHARE_BYTES
    ) == pytest.approx(4 / MAX_SHARES)


def test_a_frame_of_unknown_size_and_the_first_frames_are_not_scaled() -> None:
    assert settled().quantizer_scale(FrameMetadata(0), SHARE_BYTES) == 1.0
    fresh = FrameSizePredictor()
    fresh.add(FrameMetadata(500), 1000)
    assert fresh.quantizer_scale(FrameMetadata(50_000), SHARE_BYTES) == 1.0


def test_one_large_frame_does_not_change_the_usual_size() -> None:
    predictor = settled()
    before = predictor.quantizer_scale(FrameMetadata(5000), SHARE_BYTES)
    predictor.add(FrameMetadata(50_000), 2000)
    assert predictor.quantizer_scale(FrameMetadata(5000), SHARE_BYTES) == pytest.approx(
        before, rel=0.06
    )


def test_frames_that_stay_large_become_usual() -> None:
    predictor = settled()
    for _ in range(150):
        predictor.add(FrameMetadata(2500), 1000)
    assert predictor.quantizer_scale(FrameMetadata(4900), SHARE_BYTES) == 1.0


def blurred(sharp_from: int) -> FrameMetadata:
    """A frame with a sharp quarter, from one of ten columns on."""
    softened = np.full((4, 10), 4.0, np.float32)
    softened[:2, sharp_from : sharp_from + 5] = 0
    return FrameMetadata(softened=softened)


def test_the_cost_of_detail_that_a_saccade_uncovers_is_learned() -> None:
    predictor = FrameSizePredictor()
    for _ in range(30):
        assert predictor.quantizer_scale(blurred(0), SHARE_BYTES) == 1.0
        predictor.add(blurred(0), 1000)
    predicted = []
    for turn in range(20):
        scale = predictor.quantizer_scale(blurred(5 if turn % 2 == 0 else 0), SHARE_BYTES)
        predicted.append(scale)
        predictor.add(blurred(0), round(7000 / scale))
        for _ in range(20):
            assert predictor.quantizer_scale(blurred(5 if turn % 2 == 0 else 0), SHARE_BYTES) == 1.0
            predictor.add(blurred(0), 1000)
    assert predicted[0] > 1.5
    assert predicted[-1] == pytest.approx(7 / MAX_SHARES, rel=0.1)


def test_a_small_move_of_the_gaze_is_not_scaled() -> None:
    predictor = FrameSizePredictor()
    for _ in range(30):
        predictor.quantizer_scale(blurred(0), SHARE_BYTES)
        predictor.add(blurred(0), 1000)
    assert predictor.quantizer_scale(blurred(1), SHARE_BYTES) == 1.0


def test_an_effect_that_ends_uncovers_detail() -> None:
    predictor = FrameSizePredictor()
    for _ in range(30):
        predictor.quantizer_scale(blurred(0), SHARE_BYTES)
        predictor.add(blurred(0), 1000)
    assert predictor.quantizer_scale(FrameMetadata(), SHARE_BYTES) > 1.5
    assert predictor.quantizer_scale(FrameMetadata(), SHARE_BYTES) == 1.0
    assert predictor.quantizer_scale(blurred(0), SHARE_BYTES) == 1.0
