"""Small linear algebra, against numpy and OpenCV."""

import cv2
import numpy as np
import pytest

from gaze.vision.kernels.linear_algebra import (
    camera_to_head,
    dot,
    head_to_camera,
    rotate,
    solve_cholesky,
)
from simulation.viewers.landmarks import rotation


def test_normal_equations_are_solved() -> None:
    random = np.random.default_rng(2)
    jacobian, right_hand_side = random.random((9, 6)), random.random(6)
    normal_matrix = jacobian.T @ jacobian
    expected = np.linalg.solve(normal_matrix, right_hand_side)
    solve_cholesky(normal_matrix, right_hand_side)
    assert right_hand_side == pytest.approx(expected)


def test_the_scalar_product() -> None:
    assert dot(np.array([1.0, 2.0, 3.0]), np.array([4.0, -5.0, 6.0])) == 12.0


@pytest.mark.parametrize("vector", [(0.0, 0.0, 0.0), (1e-9, 0.0, 0.0), (0.3, -1.2, 2.0)])
def test_a_rotation_is_followed_by_another(vector: tuple[float, float, float]) -> None:
    before = rotation(20.0, -10.0, 5.0)
    expected = cv2.Rodrigues(np.array(vector))[0] @ before
    assert rotate(before, np.array(vector)) == pytest.approx(expected, abs=1e-12)


def test_vectors_in_head_and_camera_axes() -> None:
    turn = rotation(20.0, -10.0, 5.0)
    in_camera = head_to_camera(turn, 1.0, 2.0, 3.0)
    assert in_camera == pytest.approx(tuple(turn @ np.array([1.0, 2.0, 3.0])))
    assert camera_to_head(turn, *in_camera) == pytest.approx((1.0, 2.0, 3.0))
