"""Pictures and polylines read between their samples, against OpenCV and numpy."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaze.vision.kernels.sampling import interpolate_polyline, sample_bilinear


@given(st.integers(-96, 288), st.integers(-96, 224))
def test_a_picture_is_interpolated_between_its_pixels_and_repeats_its_border(
    across: int, down: int
) -> None:
    x, y = across / 32, down / 32  # the resolution of cv2.remap
    picture = np.random.default_rng(1).integers(0, 256, (5, 7), dtype=np.uint8)
    expected = cv2.remap(
        picture.astype(np.float64),
        np.array([[min(max(x, 0.0), 6.0)]], np.float32),
        np.array([[min(max(y, 0.0), 4.0)]], np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    value = sample_bilinear(picture, x, y)
    assert value == pytest.approx(expected.item(), abs=1e-3)
    assert sample_bilinear(picture[:, ::-1], 6.0 - x, y) == pytest.approx(value, abs=1e-9)


def test_nan_is_not_read_outside_of_the_picture() -> None:
    picture = np.full((4, 4), 9, np.uint8)
    for x, y in ((np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf)):
        assert sample_bilinear(picture, x, y) == 9.0


@given(st.floats(-2.0, 12.0))
def test_a_polyline_is_interpolated_between_its_vertices(x: float) -> None:
    line = np.array([[0.0, 5.0], [2.0, 1.0], [7.0, 3.0], [9.0, 3.0]])
    assert interpolate_polyline(line, x) == pytest.approx(np.interp(x, *line.T))
