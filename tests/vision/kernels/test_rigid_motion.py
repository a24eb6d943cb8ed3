"""Motions of a head and projections of its points, against numpy and OpenCV."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.linear_algebra import rotate
from gaze.vision.kernels.rigid_motion import (
    angle_between_deg,
    change_between,
    change_to_camera,
    project,
    project_with_jacobians,
)
from simulation.viewers.landmarks import rotation

FOCAL_PX = 550.0
EYES_MM = np.array([5.0, -10.0, 500.0])
TURN = rotation(15.0, 5.0, -8.0)


def points_and_rays(count: int = 16) -> tuple[FloatArray, FloatArray]:
    points_mm = np.random.default_rng(3).uniform(-50.0, 50.0, (count, 3)) * (1.0, 0.8, 0.3)
    rays = points_mm + EYES_MM
    return points_mm, rays / rays[:, 2:]


def test_a_change_of_pose_is_the_same_in_head_axes_and_back() -> None:
    before, change = rotation(12.0, -7.0, 20.0), np.array([0.1, -0.2, 0.05, 4.0, -3.0, 9.0])
    in_camera = change_to_camera(before, change)
    after = rotate(before, in_camera[:3])
    assert after == pytest.approx(before @ cv2.Rodrigues(change[:3])[0], abs=1e-12)
    assert change_between(before, EYES_MM, after, EYES_MM + in_camera[3:]) == pytest.approx(
        change, abs=1e-12
    )
    assert change_between(before, EYES_MM, before, EYES_MM) == pytest.approx(np.zeros(6), abs=1e-12)
    assert angle_between_deg(before, after) == pytest.approx(np.degrees(np.linalg.norm(change[:3])))


def test_points_are_projected_as_by_opencv() -> None:
    points_mm, _ = points_and_rays()
    camera = np.diag([FOCAL_PX, FOCAL_PX, 1.0])
    expected = cv2.projectPoints(points_mm, cv2.Rodrigues(TURN)[0], EYES_MM, camera, np.zeros(4))[0]
    projected = project(points_mm, TURN, EYES_MM, FOCAL_PX)
    assert projected == pytest.approx(expected[:, 0], abs=1e-9)


def test_jacobians_are_the_derivatives_of_the_projection() -> None:
    points_mm, rays = points_and_rays()
    projected, pose_jacobian, depth_jacobian = project_with_jacobians(
        points_mm, rays, TURN, EYES_MM, FOCAL_PX
    )
    assert projected == pytest.approx(project(points_mm, TURN, EYES_MM, FOCAL_PX))
    for number, small in enumerate(1e-6 * np.eye(6)):
        moved = project(points_mm, rotate(TURN, small[:3]), EYES_MM + small[3:], FOCAL_PX)
        assert pose_jacobian[:, :, number] == pytest.approx((moved - projected) / 1e-6, abs=1e-2)
    moved = project(points_mm + 1e-6 * rays, TURN, EYES_MM, FOCAL_PX)
    assert depth_jacobian == pytest.approx((moved - projected) / 1e-6, abs=1e-2)
