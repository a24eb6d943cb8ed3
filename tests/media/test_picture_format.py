"""Decoded frames in the one form that is used."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from gaze.frames.planes import Plane, planes_of
from gaze.media.picture_format import to_yuv420p
from simulation.films.coded import coded_frame


def luma(frame: av.VideoFrame) -> Plane:
    return planes_of(frame, writable=False).y


def test_a_frame_in_the_right_form_is_not_copied() -> None:
    frame = coded_frame(5)
    assert to_yuv420p(frame) is frame


@pytest.mark.parametrize(("width", "height"), [(129, 73), (128, 73), (129, 72)])
def test_odd_rows_and_columns_are_cropped(width: int, height: int) -> None:
    source = av.VideoFrame(width, height, "yuv420p")
    for plane, level in zip(source.planes, (120, 90, 160), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        rows[:] = 0
        rows[: plane.height, : plane.width] = level + np.arange(plane.width) % 50
    source.pts, source.time_base = 7, Fraction(1, 25)

    cut = to_yuv420p(source)
    assert (cut.width, cut.height, cut.format.name) == (128, 72, "yuv420p")
    assert (cut.pts, cut.time_base) == (7, Fraction(1, 25))
    for plane, level in zip(cut.planes, (120, 90, 160), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        wanted = level + np.arange(plane.width) % 50
        assert np.array_equal(
            rows[: plane.height, : plane.width], np.tile(wanted, (plane.height, 1))
        )


def test_full_range_becomes_limited() -> None:
    ramp = np.tile(np.linspace(0, 255, 128).astype(np.uint8), (64, 1))
    planes = np.vstack((ramp, np.full((32, 128), 128, np.uint8)))
    frame = av.VideoFrame.from_ndarray(planes, format="yuvj420p")
    frame.color_range = ColorRange.JPEG
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    converted = to_yuv420p(frame)
    assert (converted.pts, converted.time_base) == (7, Fraction(1, 25))
    limited = luma(converted)
    assert limited.min() == pytest.approx(16, abs=1)
    assert limited.max() == pytest.approx(235, abs=1)


def test_ten_bit_becomes_eight() -> None:
    frame = av.VideoFrame(64, 64, "yuv420p10le")
    for plane, level in zip(frame.planes, (400, 512, 512), strict=True):
        np.frombuffer(memoryview(plane), np.uint16)[:] = level
    eight = to_yuv420p(frame)
    assert eight.format.name == "yuv420p"
    assert luma(eight).mean() == pytest.approx(100, abs=1)


@pytest.mark.parametrize(("rgb", "y"), [((255, 255, 255), 235), ((0, 0, 0), 16)])
def test_rgb_becomes_limited_yuv(rgb: tuple[int, int, int], y: int) -> None:
    image = np.full((64, 64, 3), rgb, np.uint8)
    frame = to_yuv420p(av.VideoFrame.from_ndarray(image, format="rgb24"))
    assert luma(frame).mean() == pytest.approx(y, abs=1)
