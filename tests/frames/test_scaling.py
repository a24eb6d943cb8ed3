"""Scaling down to a largest size."""

import av
import pytest

from gaze.frames.scaling import fit_within


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (640, 360), (2, 2)])
def test_a_frame_that_fits_is_returned_itself(size: tuple[int, int]) -> None:
    frame = av.VideoFrame(*size, "yuv420p")
    assert fit_within(frame, (1280, 720)) is frame


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1920, 1080), (1280, 720)),
        ((1080, 1920), (720, 1280)),
        ((1920, 800), (1280, 532)),
        ((1000, 1000), (720, 720)),
        ((4000, 3), (1280, 2)),
    ],
)
def test_a_larger_one_is_scaled_to_even_sizes(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    scaled = fit_within(av.VideoFrame(*size, "yuv420p"), (720, 1280))
    assert (scaled.width, scaled.height) == expected
