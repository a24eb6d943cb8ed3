"""Depths and poses learned from exact views of a head whose mesh is wrong about depths."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.head.bundle_adjustment import adjust
from gaze.vision.head.reference import Reference, View
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.kernels.patch_tracking import Templates
from gaze.vision.kernels.rigid_motion import project
from simulation.viewers.landmarks import rotation

FOCAL_PX = 550.0
EYES_MM = np.array([0.0, 0.0, 500.0])
TURNS = [(8.0, 0.0), (-8.0, 0.0), (0.0, 8.0), (0.0, -8.0), (6.0, 6.0)]
EMPTY = Templates(
    np.zeros((0, 2)),
    np.zeros((0, 0), np.float32),
    np.zeros((0, 2, 0), np.float32),
    np.zeros((0, 2, 2)),
)


def reference_of(depth_errors_mm: FloatArray, eyes_error_mm: float = 0.0) -> Reference:
    """A reference with errors, and views of the true head."""
    count = len(depth_errors_mm)
    true_mm = np.random.default_rng(3).uniform(-50.0, 50.0, (count, 3)) * (1.0, 0.8, 0.3)
    rays = true_mm + EYES_MM
    rays = rays / rays[:, 2:]
    initial_mm = true_mm + depth_errors_mm[:, None] * rays
    reference = Reference(
        np.eye(3),
        initial_mm,
        rays,
        np.zeros((count, 2, 3)),
        (EMPTY, EMPTY),
        np.eye(count) / 4.0,
        np.full(count, 4.0),
        np.zeros(count),
        initial_mm,
        np.eye(3),
    )
    for turn in TURNS:
        pose = RigidPose(rotation(*turn), EYES_MM, FOCAL_PX)
        locations_px = project(true_mm, pose.rotation, pose.eyes_mm, FOCAL_PX)
        eyes_mm = EYES_MM + pose.rotation @ np.array([0.0, 0.0, eyes_error_mm])
        reference.views.append(
            View(pose, locations_px, np.tile(0.01 * np.eye(2), (count, 1, 1)), eyes_mm / eyes_mm[2])
        )
    return reference


def test_depths_come_nearer_to_the_truth_and_more_certain() -> None:
    errors_mm = np.random.default_rng(5).normal(0.0, 2.0, 16)
    errors_mm -= errors_mm.mean()
    reference = reference_of(errors_mm)
    adjust(reference)
    left_mm = errors_mm + reference.depths_mm
    assert np.std(left_mm) < 0.3 * np.std(errors_mm)
    assert reference.depth_variances_mm2.max() < 4.0
    assert reference.points_mm == pytest.approx(
        reference.initial_mm + reference.depths_mm[:, None] * reference.rays
    )


def test_exact_depths_and_poses_stay() -> None:
    reference = reference_of(np.zeros(16))
    adjust(reference)
    assert reference.depths_mm == pytest.approx(np.zeros(16), abs=1e-6)
    for turn, view in zip(TURNS, reference.views, strict=True):
        assert view.pose.angle_to_deg(rotation(*turn)) < 1e-4
    assert reference.eyes_depth_mm == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("error_mm", [-3.0, 3.0])
def test_eyes_that_are_deeper_than_the_mesh_had_them_are_found(error_mm: float) -> None:
    reference = reference_of(np.zeros(16), error_mm)
    adjust(reference)
    # Five views of 8 degrees take a quarter of it, the prior the rest.
    assert reference.eyes_depth_mm == pytest.approx(0.25 * error_mm, rel=0.05)
