"""Head pose and distance from landmarks whose pose is known."""

import numpy as np
import pytest

from gaze.vision.face import LANDMARKS, Landmarks
from gaze.vision.pose import focal_length_px, head_pose
from tests.faces import make_landmarks, rotation


def test_focal_length_is_that_of_the_assumed_field_of_view():
    assert focal_length_px(640) == pytest.approx(554.26, abs=0.01)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (25, 0, 0), (-25, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 15)],
)
def test_angles_have_the_size_and_sign_of_the_turn(yaw, pitch, roll):
    head = head_pose(make_landmarks(rotation(yaw, pitch, roll))).head
    assert head.yaw_deg == pytest.approx(yaw, abs=0.5)
    assert head.pitch_deg == pytest.approx(pitch, abs=0.5)
    assert head.roll_deg == pytest.approx(roll, abs=0.5)


def test_a_nose_to_the_right_of_the_image_is_positive_yaw_and_a_raised_one_positive_pitch():
    straight = make_landmarks().points_px[4]
    turned = make_landmarks(rotation(yaw_deg=20)).points_px[4]
    raised = make_landmarks(rotation(pitch_deg=20)).points_px[4]
    assert turned[0] > straight[0] + 5
    assert raised[1] < straight[1] - 5


@pytest.mark.parametrize("distance_mm", [250.0, 600.0, 1200.0])
def test_distance_comes_from_the_iris(distance_mm):
    pose = head_pose(make_landmarks(eyes_mm=(0.0, 0.0, distance_mm)))
    assert pose.head.distance_mm == pytest.approx(distance_mm, rel=0.01)


def test_place_of_the_eyes_in_camera_space():
    pose = head_pose(make_landmarks(eyes_mm=(80.0, -40.0, 600.0)))
    assert pose.eyes_mm == pytest.approx([80.0, -40.0, 600.0], abs=2.0)


def test_no_pose_without_an_iris():
    assert head_pose(Landmarks(np.zeros((LANDMARKS, 3)), 640, 480)) is None


def test_no_pose_where_the_face_is_one_place():
    points = make_landmarks().points_px.copy()
    points[:468] = points[4]
    assert head_pose(Landmarks(points, 640, 480)) is None
