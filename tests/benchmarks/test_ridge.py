"""Ridge regression: known answers, penalties found by the data, and held predictions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.gaze.ridge import fit, fit_best

Array = NDArray[np.float64]


def grid(noise: float, seed: int = 0, samples: int = 20) -> tuple[Array, Array, NDArray[np.intp]]:
    """Return features, of which two of six are linear in nine targets, targets and groups."""
    rng = np.random.default_rng(seed)
    targets = np.array([(x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9)])
    groups = np.repeat(np.arange(9), samples)
    mix = np.array([[3.0, 1.0], [-0.5, 2.0]])
    useful = targets[groups] @ mix
    features = np.hstack([useful, np.zeros((len(groups), 4))])
    return features + rng.normal(0, noise, features.shape), targets[groups], groups


def test_without_noise_or_penalty_it_is_least_squares() -> None:
    features, targets, groups = grid(0.0)
    regression = fit(features, targets, groups, 1e-9)
    assert regression.predict(features).ravel() == pytest.approx(targets.ravel(), abs=1e-6)


def test_known_answer_with_a_penalty() -> None:
    # One standardised feature, two groups at -1 and 1: the slope is 1 / (1 + penalty).
    features = np.array([[0.0], [10.0]])
    targets = np.array([[0.0], [2.0]])
    regression = fit(features, targets, np.array([0, 1]), 1.0)
    assert regression.predict(features).ravel() == pytest.approx([0.5, 1.5])


def test_every_group_weighs_the_same() -> None:
    features = np.array([[0.0]] + [[10.0]] * 9)
    targets = np.array([[0.0]] + [[2.0]] * 9)
    regression = fit(features, targets, np.array([0] + [1] * 9), 1.0)
    assert regression.offset == pytest.approx([1.0])


def test_the_left_out_error_is_that_of_new_data() -> None:
    """The error reported by leaving points out is about that on new data, not that of the fit."""
    features, targets, groups = grid(0.3)
    regression, left_out = fit_best(features, targets, groups)
    new_features, new_targets, _ = grid(0.3, seed=1)
    reported = np.linalg.norm(left_out - targets, axis=1).mean()
    true = np.linalg.norm(regression.predict(new_features) - new_targets, axis=1).mean()
    assert reported == pytest.approx(true, rel=0.35)
    assert true < 0.2


def test_pure_noise_predicts_the_mean_target() -> None:
    """Pure noise predicts little more than the mean target."""
    features, targets, groups = grid(0.0)
    noise = np.random.default_rng(3).normal(0, 1, features.shape)
    regression, _ = fit_best(noise, targets, groups)
    assert np.abs(regression.predict(noise) - 0.5).mean() < 0.1


def test_the_prediction_of_an_outlier_is_bounded() -> None:
    features, targets, groups = grid(0.01)
    regression = fit(features, targets, groups, 1e-3)
    outlier = regression.predict(np.full(6, 1e9))
    assert np.isfinite(outlier).all()
    assert np.abs(outlier).max() < 100


def test_one_group_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="at least 2 groups, not 1"):
        fit_best(np.zeros((3, 2)), np.zeros((3, 2)), np.zeros(3, dtype=int))
