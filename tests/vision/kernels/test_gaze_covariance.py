"""The Gaussian process's arithmetic, against numpy."""

import numpy as np
import pytest

from gaze.vision.kernels.gaze_covariance import (
    add_posterior,
    combine,
    covariances,
    prior_means,
)

GROUPS = np.array([[0, 4], [4, 6], [6, 9]])
VARIANCES = np.array([[0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.0], [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 0.0]])


def test_the_prior_mean_is_a_share_of_the_way_to_the_face_normal() -> None:
    gaze = np.empty((2, 2))
    prior_means(np.array([[0.25, 0.1], [9.0, -9.0]]), 0.3, 0.4, gaze)
    assert gaze[0] == pytest.approx([0.5 + 0.4 * 0.25, 0.3 + 0.4 * (0.1 - 0.3)])
    assert gaze[1] == pytest.approx([0.5 + 0.4 * 1.5, 0.3 + 0.4 * (-1.0 - 0.3)])


def test_the_kernel_is_the_sum_of_its_parts() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(0, 1, (2, 9)), random.normal(0, 1, (3, 9))
    same_session = np.array([[True, False, True], [False, False, True]])
    covariance, head_kernel = np.empty((2, 2, 3)), np.empty((2, 3))
    covariances(one, other, same_session, GROUPS, VARIANCES, 2.0, covariance, head_kernel)
    apart = ((one[:, None, 6:] - other[:, 6:]) ** 2).sum(axis=-1)
    near = np.exp(-apart / 8.0)
    assert head_kernel == pytest.approx(near)
    pixels, irises = one[:, :4] @ other[:, :4].T, one[:, 4:6] @ other[:, 4:6].T
    for axis, (constant, session, linear, by_head, head, lids, _) in enumerate(VARIANCES):
        assert covariance[axis] == pytest.approx(
            constant
            + session * same_session
            + linear * pixels
            + by_head * pixels * near
            + head * near
            + lids * irises
        )


def test_the_posterior_is_added_to_the_prior_mean() -> None:
    random = np.random.default_rng(1)
    covariance, weights = random.normal(0, 1, (2, 4, 3)), random.normal(0, 1, (3, 2))
    prior = random.normal(0, 1, (4, 2))
    gaze = prior.copy()
    add_posterior(covariance, weights, gaze)
    for axis in range(2):
        assert gaze[:, axis] == pytest.approx(prior[:, axis] + covariance[axis] @ weights[:, axis])


def test_the_better_of_two_predictions_counts_more_and_the_process_less_far_away() -> None:
    errors = np.array([[0.01, 0.01], [0.01, 1e3]])
    gaze = np.zeros((2, 2))
    combine(np.ones((2, 2)), np.array([[0.2, 1.0], [0.0, 0.0]]), errors, 0.03, 1.0, gaze)
    assert gaze[0] == pytest.approx([0.5, 0.0], abs=1e-6)
    assert gaze[1] == pytest.approx([0.04**2 / (0.04**2 + 0.01**2), 0.0], abs=1e-6)
