"""Ridge regression: known answers, penalties found by the data, and held predictions."""

import numpy as np
import pytest

from benchmarks.ridge import fit, fit_best


def grid(noise, seed=0, samples=20):
    """Nine points, places that are linear in two of six features, and noise on all of them."""
    rng = np.random.default_rng(seed)
    places = np.array([(x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)])
    groups = np.repeat(np.arange(9), samples)
    mix = np.array([[3.0, 1.0], [-0.5, 2.0]])
    useful = places[groups] @ mix
    features = np.hstack([useful, np.zeros((len(groups), 4))])
    return features + rng.normal(0, noise, features.shape), places[groups], groups


def test_without_noise_or_penalty_it_is_least_squares():
    features, places, groups = grid(0.0)
    mapping = fit(features, places, groups, 1e-9)
    assert mapping.predict(features).ravel() == pytest.approx(places.ravel(), abs=1e-6)


def test_known_answer_with_a_penalty():
    # One standardised feature, two groups at -1 and 1: the slope is 1 / (1 + penalty).
    features = np.array([[0.0], [10.0]])
    places = np.array([[0.0], [2.0]])
    mapping = fit(features, places, np.array([0, 1]), 1.0)
    assert mapping.predict(features).ravel() == pytest.approx([0.5, 1.5])


def test_a_point_with_more_samples_weighs_no_more():
    features = np.array([[0.0]] + [[10.0]] * 9)
    places = np.array([[0.0]] + [[2.0]] * 9)
    mapping = fit(features, places, np.array([0] + [1] * 9), 1.0)
    assert mapping.offset == pytest.approx([1.0])


def test_left_out_error_is_honest():
    """The error reported by leaving points out is about that on new data, not that of the fit."""
    features, places, groups = grid(0.3)
    mapping, left_out = fit_best(features, places, groups)
    new_features, new_places, _ = grid(0.3, seed=1)
    reported = np.linalg.norm(left_out - places, axis=1).mean()
    true = np.linalg.norm(mapping.predict(new_features) - new_places, axis=1).mean()
    assert reported == pytest.approx(true, rel=0.35)
    assert true < 0.2


def test_more_noise_asks_for_no_smaller_penalty_of_the_answer():
    """Pure noise is answered with little more than the mean place."""
    features, places, groups = grid(0.0)
    noise = np.random.default_rng(3).normal(0, 1, features.shape)
    mapping, _ = fit_best(noise, places, groups)
    assert np.abs(mapping.predict(noise) - 0.5).mean() < 0.1


def test_a_wild_frame_is_held():
    features, places, groups = grid(0.01)
    mapping = fit(features, places, groups, 1e-3)
    wild = mapping.predict(np.full(6, 1e9))
    assert np.isfinite(wild).all()
    assert np.abs(wild).max() < 100


def test_one_group_cannot_be_left_out():
    with pytest.raises(ValueError, match="at least 2 groups, not 1"):
        fit_best(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3, dtype=int))
