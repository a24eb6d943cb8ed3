"""The Gaussian process: known answers, what it says without points, and how heads and sessions
bear on it."""

import numpy as np
import pytest

from gaze.vision.regression.features import FACED_MM, HEAD, IRISES, PIXELS, SIZE
from gaze.vision.regression.gaussian_process import AMOUNTS, HEAD_SHARE, expected, fit
from gaze.vision.sample import Screen

SCREEN = Screen(1600.0, 900.0, diagonal_mm=400.0)
WIDTH_MM = 400 * 1600 / np.hypot(1600, 900)
MIDDLE = np.array([0.5, 0.28125])
NINE = np.array([(x, y) for y in (0.05, 0.28, 0.51) for x in (0.1, 0.5, 0.9)])
MIX = np.random.default_rng(7).normal(0, 1, (2, 120))


def rows(places, seed=0, noise=0.0):
    """Eyes whose pixels and irises are linear in the places."""
    away = np.asarray(places) - MIDDLE
    result = np.zeros((len(away), SIZE))
    pixels = 1.0 + away @ MIX + np.random.default_rng(seed).normal(0, noise, (len(away), 120))
    result[:, PIXELS] = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    result[:, IRISES] = away @ np.array([[-4.0, 0, -4, 0, 0, 0], [0, 3, 0, 3, -2, -2]])
    return result


def test_where_nothing_was_learned_the_head_tells():
    row = rows([MIDDLE])
    faced = row.copy()
    faced[0, FACED_MM] = (WIDTH_MM / 4, 0.0)
    right = expected(faced, SCREEN)[0] - MIDDLE
    assert right == pytest.approx([HEAD_SHARE * 0.25, -HEAD_SHARE * MIDDLE[1]])


def test_known_answer_for_one_point():
    row = rows([MIDDLE])
    place = expected(row, SCREEN) + 0.1
    moved = fit(row, place, SCREEN).predict(row, SCREEN) - expected(row, SCREEN)
    for axis, amounts in enumerate(AMOUNTS):
        known = (
            amounts.place
            + amounts.session
            + amounts.pixels
            + amounts.pixels_near
            + amounts.head
            + amounts.irises * float(row[0, IRISES] @ row[0, IRISES])
        )
        assert moved[0, axis] == pytest.approx(0.1 * known / (known + amounts.noise))


def test_nine_points_tell_the_places_between():
    gaze = fit(rows(NINE), NINE, SCREEN)
    between = np.array([(0.3, 0.17), (0.7, 0.4), (0.25, 0.45)])
    missed = np.linalg.norm(gaze.predict(rows(between), SCREEN) - between, axis=1)
    assert missed.max() < 0.03


def test_noise_in_the_pixels_is_borne():
    gaze = fit(rows(NINE, 1, 0.4), NINE, SCREEN)
    between = np.array([(0.3, 0.17), (0.7, 0.4), (0.25, 0.45)])
    missed = np.linalg.norm(gaze.predict(rows(between, 2, 0.4), SCREEN) - between, axis=1)
    assert missed.max() < 0.15


def test_a_head_far_from_those_learned_does_not_run_away():
    gaze = fit(rows(NINE), NINE, SCREEN)
    far = rows(NINE)
    far[:, HEAD] = 6.0
    assert np.abs(gaze.predict(far, SCREEN) - NINE).max() < 0.35


def test_a_shift_between_sessions_is_learned_from_a_few_points_of_the_new_one():
    shift = np.array([0.0, 0.08])
    new = NINE[[0, 2, 6, 8]]
    features = np.vstack([rows(NINE), rows(new)])
    sessions = np.repeat([0, 1], [9, 4])
    gaze = fit(features, np.vstack([NINE, new + shift]), SCREEN, sessions)
    test = rows([NINE[4]])
    moved = gaze.predict(test, SCREEN, 1) - gaze.predict(test, SCREEN, 0)
    assert 0.01 < moved[0, 1] < 0.08
    assert abs(moved[0, 0]) < 0.01
