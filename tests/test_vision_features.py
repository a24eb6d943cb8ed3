"""The features of one frame."""

import numpy as np
import pytest

from gaze.vision.eyes import iris_offsets_mm
from gaze.vision.features import NAMES, gaze_features
from gaze.vision.pose import head_pose
from tests.faces import make_landmarks, rotation


def test_every_number_is_where_its_name_says():
    landmarks = make_landmarks(rotation(yaw_deg=10), (30.0, -20.0, 500.0), (1.0, -0.5))
    pose = head_pose(landmarks)
    row = gaze_features(iris_offsets_mm(landmarks, pose), (0.31, 0.29), pose)
    assert row.shape == (len(NAMES),)
    named = dict(zip(NAMES, row, strict=True))
    assert named["right_x_mm"] == pytest.approx(1.0, abs=0.05)
    assert named["left_y_mm"] == pytest.approx(-0.5, abs=0.05)
    assert (named["right_lids"], named["left_lids"]) == (0.31, 0.29)
    assert named["xy"] == pytest.approx(-0.5, abs=0.05)
    assert named["yaw"] == pytest.approx(np.radians(10), abs=0.01)
    assert named["head_x"] == pytest.approx(0.03, abs=0.003)
    assert named["head_z"] == pytest.approx(0.5, abs=0.01)
