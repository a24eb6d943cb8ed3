"""The pose with the least reprojection error, against OpenCV's."""

import cv2
import numpy as np
import pytest

from gaze.vision.kernels.perspective_n_point import fit_pose
from simulation.viewers.landmarks import rotation

POINTS_MM = np.random.default_rng(1).uniform(-60.0, 60.0, (20, 3))
PSEUDOINVERSE = np.ascontiguousarray(np.linalg.pinv(POINTS_MM - POINTS_MM.mean(axis=0)))


@pytest.mark.parametrize("seed", range(6))
def test_the_pose_is_that_of_opencv(seed: int) -> None:
    random = np.random.default_rng(seed)
    turn = rotation(*random.uniform(-40.0, 40.0, 3))
    points = POINTS_MM @ turn.T + (*random.uniform(-60.0, 60.0, 2), random.uniform(250.0, 800.0))
    observed = points[:, :2] / points[:, 2:] + random.normal(0.0, 0.003, (len(points), 2))
    fitted_rotation, translation = fit_pose(POINTS_MM, PSEUDOINVERSE, observed)
    camera, undistorted = np.eye(3), np.zeros(4)
    _, vector, expected = cv2.solvePnP(
        POINTS_MM, observed, camera, undistorted, flags=cv2.SOLVEPNP_SQPNP
    )
    vector, expected = cv2.solvePnPRefineLM(
        POINTS_MM, observed, camera, undistorted, vector, expected
    )
    assert fitted_rotation == pytest.approx(cv2.Rodrigues(vector)[0], abs=1e-4)
    assert translation == pytest.approx(expected[:, 0], rel=1e-3, abs=0.05)


def test_points_at_one_place_have_no_pose() -> None:
    fitted_rotation, _ = fit_pose(POINTS_MM, PSEUDOINVERSE, np.zeros((len(POINTS_MM), 2)))
    assert np.isnan(fitted_rotation).any()
