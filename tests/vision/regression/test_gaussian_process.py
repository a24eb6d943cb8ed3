"""The Gaussian process: known answers, the prior mean, and the influence of heads and sessions."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.regression.features import FACE_NORMAL_MM, HEAD, IRISES, PIXELS, SIZE
from gaze.vision.regression.gaussian_process import (
    FACE_NORMAL_WEIGHT,
    KERNEL_VARIANCES,
    fit,
    prior_mean,
)
from gaze.vision.sample import Screen

SCREEN = Screen(1600.0, 900.0, diagonal_mm=400.0)
WIDTH_MM = 400 * 1600 / np.hypot(1600, 900)
MIDDLE = np.array([0.5, 0.28125])
NINE = np.array([(x, y) for y in (0.05, 0.28, 0.51) for x in (0.1, 0.5, 0.9)])
BETWEEN = np.array([(0.3, 0.17), (0.7, 0.4), (0.25, 0.45)])
MIX = np.random.default_rng(7).normal(0, 1, (2, 120))


def features(targets: FloatArray, seed: int = 0, noise: float = 0.0) -> FloatArray:
    """Return the features of eyes whose pixels and irises are linear in the targets."""
    offsets = targets - MIDDLE
    result = np.zeros((len(offsets), SIZE))
    pixels = 1.0 + offsets @ MIX + np.random.default_rng(seed).normal(0, noise, (len(offsets), 120))
    result[:, PIXELS] = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    result[:, IRISES] = offsets @ np.array([[-4.0, 0, -4, 0, 0, 0], [0, 3, 0, 3, -2, -2]])
    return result


def test_the_prior_mean_is_a_share_of_the_way_to_the_face_normal() -> None:
    row = features(MIDDLE[None])
    row[0, FACE_NORMAL_MM] = (WIDTH_MM / 4, 0.0)
    offset = prior_mean(row, SCREEN)[0] - MIDDLE
    expected = [FACE_NORMAL_WEIGHT * 0.25, -FACE_NORMAL_WEIGHT * MIDDLE[1]]
    assert offset == pytest.approx(expected)


def test_known_answer_for_one_point() -> None:
    row = features(MIDDLE[None])
    target = prior_mean(row, SCREEN) + 0.1
    moved = fit(row, target, SCREEN).predict(row, SCREEN) - prior_mean(row, SCREEN)
    for axis, variances in enumerate(KERNEL_VARIANCES):
        known = (
            variances.constant
            + variances.session
            + variances.pixels
            + variances.pixels_by_head
            + variances.head
            + variances.irises * float(row[0, IRISES] @ row[0, IRISES])
        )
        assert moved[0, axis] == pytest.approx(0.1 * known / (known + variances.noise))


def test_nine_points_are_interpolated() -> None:
    gaze = fit(features(NINE), NINE, SCREEN).predict(features(BETWEEN), SCREEN)
    assert np.linalg.norm(gaze - BETWEEN, axis=1).max() < 0.03


def test_noise_in_the_pixels_is_tolerated() -> None:
    regression = fit(features(NINE, 1, 0.4), NINE, SCREEN)
    gaze = regression.predict(features(BETWEEN, 2, 0.4), SCREEN)
    assert np.linalg.norm(gaze - BETWEEN, axis=1).max() < 0.15


def test_a_head_far_from_those_learned_is_not_extrapolated() -> None:
    regression = fit(features(NINE), NINE, SCREEN)
    far = features(NINE)
    far[:, HEAD] = 6.0
    assert np.abs(regression.predict(far, SCREEN) - NINE).max() < 0.35


def test_an_offset_between_sessions_is_learned_from_a_few_points_of_the_new_one() -> None:
    offset = np.array([0.0, 0.08])
    new = NINE[[0, 2, 6, 8]]
    rows = np.vstack([features(NINE), features(new)])
    sessions = np.repeat([0, 1], [9, 4])
    regression = fit(rows, np.vstack([NINE, new + offset]), SCREEN, sessions)
    row = features(NINE[4][None])
    moved = regression.predict(row, SCREEN, 1) - regression.predict(row, SCREEN, 0)
    assert 0.01 < moved[0, 1] < 0.08
    assert abs(moved[0, 0]) < 0.01
