"""Patches of drawn eyes."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.eye_patches import cut_eye_patches

CORNERS = np.array([[0, 1], [2, 3]])
POINTS = np.array([(20.0, 40.0, 0.0), (60.0, 40.0, 0.0), (100.0, 40.0, 0.0), (140.0, 40.0, 0.0)])


def patches_of(grey: FloatArray, points: FloatArray = POINTS) -> FloatArray:
    image = np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
    patches = np.zeros((2, 6, 10))
    cut_eye_patches(image, points, CORNERS, patches)
    return patches


def test_a_gradient_across_is_normalised() -> None:
    _, x = np.mgrid[0:80, 0:160]
    patches = patches_of(x.astype(np.float64))
    expected = np.tile(np.arange(10) - 4.5, (6, 1))
    expected /= np.linalg.norm(expected) * np.sqrt(2.0)
    for patch in patches:
        assert patch == pytest.approx(expected, abs=0.003)
    assert np.linalg.norm(patches) == pytest.approx(1.0)


def test_the_order_of_the_corners_does_not_matter() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (80, 160)).astype(np.float64)
    assert np.array_equal(patches_of(grey), patches_of(grey, POINTS[[1, 0, 3, 2]]))


def test_a_uniform_surface_gives_zeros() -> None:
    assert not patches_of(np.full((80, 160), 90.0)).any()


def test_colours_are_weighted_as_in_bt_601() -> None:
    image = np.zeros((80, 160, 3), np.uint8)
    image[:, 40:] = (200, 0, 0)
    red, grey = np.zeros((2, 6, 10)), np.zeros((2, 6, 10))
    cut_eye_patches(image, POINTS, CORNERS, red)
    image[:, 40:] = round(0.299 * 200)
    cut_eye_patches(image, POINTS, CORNERS, grey)
    assert red == pytest.approx(grey, abs=0.002)
