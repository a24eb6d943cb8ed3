"""Pupils in irises of a few pixels, drawn with a lens's blur: their diameter is known."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.iris.pupil_fit import PupilFit, fit_pupils

FINE = 9
SIZE_PX = 60
CENTRES = np.array([[15.2, 30.4], [44.7, 29.6]])
SMALL_PX, DARK, LIGHT = 5.4, 45.0, 120.0
LENS_PX = 0.7
LIMBUS = 0.15  # as wide a limbus, in radii


def draw(
    ratio: float,
    radius_px: float,
    iris_grey: float,
    glint_px: tuple[float, float] | None = None,
    noise: float = 0.0,
) -> GreyImage:
    """Return two eyes in 60x60 grey pixels, each with a highlight `glint_px` from its pupil."""
    y, x = (np.mgrid[0 : SIZE_PX * FINE, 0 : SIZE_PX * FINE] + 0.5) / FINE - 0.5
    eye = np.full(x.shape, 190.0)
    for u, v in CENTRES:
        away = np.hypot(x - u, y - v)
        inside = np.clip((1.0 - away / radius_px) / LIMBUS + 0.5, 0.0, 1.0)
        eye += inside * (iris_grey - 190.0)
        eye[away < ratio * radius_px] = 14.0
        if glint_px is not None:
            eye[np.hypot(x - u - glint_px[0], y - v - glint_px[1]) < 0.08 * radius_px] = 245.0
    blurred = cv2.GaussianBlur(eye, (0, 0), LENS_PX * FINE)
    small = cv2.resize(blurred, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
    noisy = small + np.random.default_rng(1).normal(0.0, noise, small.shape)
    return np.asarray(np.clip(noisy + 0.5, 0, 255), np.uint8)


def lids(radius_px: float, upper: float = 2.0, lower: float = 2.0) -> FloatArray:
    """Return level lids that many radii from the centres."""
    x = np.linspace(-2.0, 2.0, 9) * radius_px
    return np.array(
        [
            [
                np.column_stack([x + u, np.full(9, v - upper * radius_px)]),
                np.column_stack([x + u, np.full(9, v + lower * radius_px)]),
            ]
            for u, v in CENTRES
        ]
    )


def fitted(
    picture: GreyImage, radius_px: float = SMALL_PX, upper: float = 2.0, lower: float = 2.0
) -> PupilFit | None:
    ellipses = np.tile(np.eye(2) * radius_px, (2, 1, 1))
    return fit_pupils(picture, CENTRES, ellipses, lids(radius_px, upper, lower), radius_px)


def visible(
    picture: GreyImage, radius_px: float = SMALL_PX, upper: float = 2.0, lower: float = 2.0
) -> PupilFit:
    fit = fitted(picture, radius_px, upper, lower)
    assert fit is not None
    return fit


@pytest.mark.parametrize("iris_grey", [DARK, LIGHT])
@pytest.mark.parametrize("ratio", [0.22, 0.3, 0.4, 0.5, 0.6])
def test_a_pupil_of_several_pixels_is_measured_to_a_tenth_of_a_millimetre(
    ratio: float, iris_grey: float
) -> None:
    fit = visible(draw(ratio, 11.6, iris_grey), 11.6)
    assert fit.ratio == pytest.approx(ratio, abs=0.01)
    assert fit.residual < 0.1 * fit.explained


@pytest.mark.parametrize("iris_grey", [DARK, LIGHT])
@pytest.mark.parametrize("ratio", [0.3, 0.4, 0.5, 0.6])
def test_blur_of_half_a_pupil_leaves_less_than_half_a_millimetre_of_error(
    ratio: float, iris_grey: float
) -> None:
    assert visible(draw(ratio, SMALL_PX, iris_grey)).ratio == pytest.approx(ratio, abs=0.04)


@pytest.mark.parametrize("glint_px", [(1.6, -0.8), (-3.0, 1.0)])
@pytest.mark.parametrize("ratio", [0.35, 0.5])
def test_a_specular_highlight_is_not_mistaken_for_an_iris(
    glint_px: tuple[float, float], ratio: float
) -> None:
    for iris_grey in (DARK, LIGHT):
        fit = visible(draw(ratio, SMALL_PX, iris_grey, glint_px))
        assert fit.ratio == pytest.approx(ratio, abs=0.04)


def test_what_a_lid_covers_does_not_count() -> None:
    picture = draw(0.4, 11.6, DARK)
    row = round(CENTRES[0, 1] + 0.2 * 11.6)
    picture[:row] = np.random.default_rng(2).integers(60, 200, (row, SIZE_PX))
    assert visible(picture, 11.6, upper=-0.2).ratio == pytest.approx(0.4, abs=0.02)
    assert abs(visible(picture, 11.6).ratio - 0.4) > 0.03


def test_between_closed_lids_no_pupil_is_visible() -> None:
    assert fitted(draw(0.4, SMALL_PX, DARK), upper=-0.1, lower=0.1) is None


def test_little_is_explained_where_the_pupil_is_as_bright_as_the_iris() -> None:
    none, faint, clear = (
        visible(draw(0.4, SMALL_PX, grey, noise=2.0)) for grey in (14.5, 30.0, 100.0)
    )
    assert none.explained < 0.3 * faint.explained < 0.1 * clear.explained
