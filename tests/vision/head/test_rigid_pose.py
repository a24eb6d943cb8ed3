"""A head's pose, moved."""

import numpy as np
import pytest

from gaze.vision.head.pose import head_pose
from gaze.vision.head.rigid_pose import RigidPose
from simulation.viewers.landmarks import make_landmarks, rotation


def test_it_is_taken_from_the_fit_of_an_average_face() -> None:
    pose = head_pose(make_landmarks(rotation(10.0, 5.0)))
    assert pose is not None
    rigid = RigidPose.from_pose(pose)
    assert rigid.rotation is pose.rotation
    assert rigid.eyes_mm is pose.pnp_eyes_mm
    assert rigid.focal_px == pose.focal_px


def test_a_motion_rotates_and_translates_it() -> None:
    start = RigidPose(rotation(10.0), np.array([1.0, 2.0, 600.0]), 500.0)
    moved = start.moved(np.array([0.0, 0.0, np.radians(7.0), 4.0, -3.0, 10.0]))
    assert moved.eyes_mm == pytest.approx([5.0, -1.0, 610.0])
    assert moved.angle_to_deg(start.rotation) == pytest.approx(7.0)
    assert moved.focal_px == 500.0
