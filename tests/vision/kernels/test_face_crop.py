"""Squares of pictures, held against OpenCV's."""

import cv2
import numpy as np
import pytest

from gaze.vision.kernels.face_crop import FaceCrop, cut_square

PICTURE = cv2.GaussianBlur(
    np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8), (0, 0), 2.0
)
SIDE = 64


def cut(square, picture=PICTURE, **beyond):
    seen = np.full((SIDE, SIDE, 3), -1.0, np.float32)
    cut_square(picture, square, seen, 255.0, **beyond)
    return seen


def warped(square, border):
    step = square.turn * square.side_px / SIDE
    corner = square.centre_px - step * (1 + 1j) * SIDE / 2
    return cv2.warpAffine(
        PICTURE,
        np.array([[step.real, -step.imag, corner.real], [step.imag, step.real, corner.imag]]),
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )


@pytest.mark.parametrize(
    ("square", "dark_beyond"),
    [
        (FaceCrop(80 + 60j, 70.0), False),
        (FaceCrop(80 + 60j, 50.0, 0.8 + 0.6j), False),
        (FaceCrop(5 + 110j, 90.0, 0.8 - 0.6j), False),
        (FaceCrop(-500 + 60j, 90.0), False),
        (FaceCrop(80 + 60j, 160.0), True),
        (FaceCrop(150 + 5j, 90.0, 0.6 + 0.8j), True),
    ],
)
def test_a_square_is_drawn_as_opencv_draws_it(square, dark_beyond):
    border = cv2.BORDER_CONSTANT if dark_beyond else cv2.BORDER_REPLICATE
    off = np.abs(cut(square, dark_beyond=dark_beyond) - warped(square, border))
    # OpenCV 4's weights are whole 32nds, at the edges as well; OpenCV 5 rounds halves otherwise.
    assert off.max() <= (4.0 if dark_beyond else 1.0)
    assert off.mean() < 0.15


def test_white_is_as_told():
    seen = np.empty((SIDE, SIDE, 3), np.float32)
    cut_square(np.full_like(PICTURE, 255), FaceCrop(80 + 60j, 50.0), seen, 2.0)
    assert seen == pytest.approx(2.0)


def test_a_part_of_a_picture_needs_no_copy_by_the_caller():
    part = PICTURE[10:90, 20:100]
    square = FaceCrop(40 + 40j, 60.0, 0.8 + 0.6j)
    assert (cut(square, part) == cut(square, part.copy())).all()


@pytest.mark.parametrize("centre", [complex(np.nan, 60.0), complex(np.inf, -np.inf), 1e30 + 0j])
def test_a_square_that_is_nowhere_is_no_error(centre):
    assert np.isfinite(cut(FaceCrop(centre, 50.0))).all()
    assert not cut(FaceCrop(centre, 50.0), dark_beyond=True).any()


@pytest.mark.parametrize("shape", [(2, 2), (1, 160), (120, 1), (0, 0)])
def test_pictures_of_hardly_a_pixel_are_no_error(shape):
    seen = cut(FaceCrop(1 + 1j, 4.0), PICTURE[: shape[0], : shape[1]])
    assert np.isfinite(seen).all()
    assert seen.any() == (shape == (2, 2))
