"""Crops of pictures, against OpenCV's."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import Float32Array, Image
from gaze.vision.kernels.face_crop import FaceCrop, warp_face_crop

PICTURE = np.asarray(
    cv2.GaussianBlur(
        np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8), (0, 0), 2.0
    ),
    np.uint8,
)
SIDE = 64


def cropped(crop: FaceCrop, picture: Image = PICTURE, zero_border: bool = False) -> Float32Array:
    output = np.full((SIDE, SIDE, 3), -1.0, np.float32)
    warp_face_crop(picture, crop, output, 255.0, zero_border)
    return output


def warped(crop: FaceCrop, border: int) -> Image:
    step = crop.direction * crop.side_px / SIDE
    corner = crop.centre_px - step * (1 + 1j) * SIDE / 2
    warped = cv2.warpAffine(
        PICTURE,
        np.array([[step.real, -step.imag, corner.real], [step.imag, step.real, corner.imag]]),
        (SIDE, SIDE),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=border,
    )
    return np.asarray(warped, np.uint8)


@pytest.mark.parametrize(
    ("crop", "zero_border"),
    [
        (FaceCrop(80 + 60j, 70.0), False),
        (FaceCrop(80 + 60j, 50.0, 0.8 + 0.6j), False),
        (FaceCrop(5 + 110j, 90.0, 0.8 - 0.6j), False),
        (FaceCrop(-500 + 60j, 90.0), False),
        (FaceCrop(80 + 60j, 160.0), True),
        (FaceCrop(150 + 5j, 90.0, 0.6 + 0.8j), True),
    ],
)
def test_a_crop_is_that_of_opencv(crop: FaceCrop, zero_border: bool) -> None:
    border = cv2.BORDER_CONSTANT if zero_border else cv2.BORDER_REPLICATE
    error = np.abs(cropped(crop, zero_border=zero_border) - warped(crop, border))
    # OpenCV 4's weights are whole 32nds, at the borders as well; OpenCV 5 rounds halves otherwise.
    assert error.max() <= (4.0 if zero_border else 1.0)
    assert error.mean() < 0.15


def test_white_is_as_given() -> None:
    output = np.empty((SIDE, SIDE, 3), np.float32)
    warp_face_crop(np.full_like(PICTURE, 255), FaceCrop(80 + 60j, 50.0), output, 2.0)
    assert output == pytest.approx(2.0)


def test_a_part_of_a_picture_needs_no_copy_by_the_caller() -> None:
    part = PICTURE[10:90, 20:100]
    crop = FaceCrop(40 + 40j, 60.0, 0.8 + 0.6j)
    assert (cropped(crop, part) == cropped(crop, part.copy())).all()


@pytest.mark.parametrize("centre", [complex(np.nan, 60.0), complex(np.inf, -np.inf), 1e30 + 0j])
def test_a_crop_far_outside_of_the_picture_is_no_error(centre: complex) -> None:
    assert np.isfinite(cropped(FaceCrop(centre, 50.0))).all()
    assert not cropped(FaceCrop(centre, 50.0), zero_border=True).any()


@pytest.mark.parametrize("shape", [(2, 2), (1, 160), (120, 1), (0, 0)])
def test_pictures_of_hardly_a_pixel_are_no_error(shape: tuple[int, int]) -> None:
    output = cropped(FaceCrop(1 + 1j, 4.0), PICTURE[: shape[0], : shape[1]])
    assert np.isfinite(output).all()
    assert output.any() == (shape == (2, 2))


def test_a_crop_around_a_box_is_half_as_large_again() -> None:
    crop = FaceCrop.around(10 + 20j, 50 + 40j, 3j)
    assert crop == FaceCrop(30 + 30j, 60.0, 1j)
