"""Rotation by quarter turns."""

import fractions

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from gaze.frames.planes import planes_of
from gaze.frames.rotation import rotate


def noise_frame(width: int, height: int) -> av.VideoFrame:
    """Every sample of every plane differs from its neighbours."""
    rng = np.random.default_rng(1)
    frame = av.VideoFrame(width, height, "yuv420p")
    for plane in planes_of(frame, writable=True):
        plane[:] = rng.integers(0, 256, plane.shape, np.uint8)
    frame.pts, frame.time_base = 77, fractions.Fraction(1, 90_000)
    frame.color_range = ColorRange.MPEG
    return frame


def test_no_angle_returns_the_frame_itself() -> None:
    frame = noise_frame(64, 48)
    assert rotate(frame, 0) is frame


@pytest.mark.parametrize(
    ("clockwise_deg", "quarter_turns"), [(90, -1), (180, -2), (270, -3)], ids=["90", "180", "270"]
)
@pytest.mark.parametrize("size", [(64, 48), (50, 30), (51, 33)])
def test_all_planes_are_rotated(
    clockwise_deg: int, quarter_turns: int, size: tuple[int, int]
) -> None:
    frame = noise_frame(*size)
    rotated = rotate(frame, clockwise_deg)
    assert (rotated.width, rotated.height) == (size if clockwise_deg == 180 else size[::-1])
    assert (rotated.pts, rotated.time_base) == (frame.pts, frame.time_base)
    assert rotated.color_range == ColorRange.MPEG
    before, after = planes_of(frame, writable=False), planes_of(rotated, writable=False)
    for source, target in zip(before, after, strict=True):
        assert np.array_equal(np.rot90(source, quarter_turns), target)


def test_other_formats_are_converted() -> None:
    rotated = rotate(noise_frame(64, 48).reformat(format="rgb24"), 90)
    assert (rotated.format.name, rotated.width, rotated.height) == ("yuv420p", 48, 64)
