"""Pupils in irises of a few pixels, drawn with a lens's blur: their width is known."""

import cv2
import numpy as np
import pytest

from gaze.vision.iris.pupil_fit import see_disc

FINE = 9
SIZE_PX = 60
CENTRES = np.array([[15.2, 30.4], [44.7, 29.6]])
FAR_OFF, DARK, LIGHT = 5.4, 45.0, 120.0
LENS_PX = 0.7
LIMBUS = 0.15  # as wide a limbus, in radii


def draw(ratio, radius_px, iris_grey, glint_px=None, noise=0.0):
    """Two eyes in 60x60 grey pixels: pupils of 14, the white of 190, and a lamp `glint_px` from
    the pupil's middle in each."""
    y, x = (np.mgrid[0 : SIZE_PX * FINE, 0 : SIZE_PX * FINE] + 0.5) / FINE - 0.5
    eye = np.full(x.shape, 190.0)
    for u, v in CENTRES:
        away = np.hypot(x - u, y - v)
        inside = np.clip((1.0 - away / radius_px) / LIMBUS + 0.5, 0.0, 1.0)
        eye += inside * (iris_grey - 190.0)
        eye[away < ratio * radius_px] = 14.0
        if glint_px is not None:
            eye[np.hypot(x - u - glint_px[0], y - v - glint_px[1]) < 0.08 * radius_px] = 245.0
    eye = cv2.GaussianBlur(eye, (0, 0), LENS_PX * FINE)
    eye = cv2.resize(eye, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA)
    eye += np.random.default_rng(1).normal(0.0, noise, eye.shape)
    return np.clip(eye + 0.5, 0, 255).astype(np.uint8)


def lids(radius_px, upper=2.0, lower=2.0):
    """Level lids that many radii from the middles."""
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


def seen(picture, radius_px=FAR_OFF, **between):
    shapes = np.tile(np.eye(2) * radius_px, (2, 1, 1))
    return see_disc(picture, CENTRES, shapes, lids(radius_px, **between), radius_px)


@pytest.mark.parametrize("iris_grey", [DARK, LIGHT])
@pytest.mark.parametrize("ratio", [0.22, 0.3, 0.4, 0.5, 0.6])
def test_a_pupil_of_several_pixels_is_told_to_a_tenth_of_a_millimetre(ratio, iris_grey):
    disc = seen(draw(ratio, 11.6, iris_grey), 11.6)
    assert disc.ratio == pytest.approx(ratio, abs=0.01)
    assert disc.rest < 0.1 * disc.explained


@pytest.mark.parametrize("iris_grey", [DARK, LIGHT])
@pytest.mark.parametrize("ratio", [0.3, 0.4, 0.5, 0.6])
def test_blur_as_wide_as_half_a_pupil_makes_none_too_wide_by_half_a_millimetre(ratio, iris_grey):
    assert seen(draw(ratio, FAR_OFF, iris_grey)).ratio == pytest.approx(ratio, abs=0.04)


@pytest.mark.parametrize("glint_px", [(1.6, -0.8), (-3.0, 1.0)])
@pytest.mark.parametrize("ratio", [0.35, 0.5])
def test_a_mirrored_light_is_not_taken_for_an_iris(glint_px, ratio):
    for iris_grey in (DARK, LIGHT):
        disc = seen(draw(ratio, FAR_OFF, iris_grey, glint_px))
        assert disc.ratio == pytest.approx(ratio, abs=0.04)


def test_what_a_lid_covers_does_not_count():
    picture = draw(0.4, 11.6, DARK)
    row = round(CENTRES[0, 1] + 0.2 * 11.6)
    picture[:row] = np.random.default_rng(2).integers(60, 200, (row, SIZE_PX))
    assert seen(picture, 11.6, upper=-0.2).ratio == pytest.approx(0.4, abs=0.02)
    assert abs(seen(picture, 11.6).ratio - 0.4) > 0.03


def test_between_closed_lids_there_is_nothing_to_see():
    assert seen(draw(0.4, FAR_OFF, DARK), upper=-0.1, lower=0.1) is None


def test_little_is_explained_where_the_pupil_is_as_bright_as_the_iris():
    none, faint, clear = (seen(draw(0.4, FAR_OFF, grey, noise=2.0)) for grey in (14.5, 30.0, 100.0))
    assert none.explained < 0.3 * faint.explained < 0.1 * clear.explained
