"""Head pose and distance from landmarks whose pose is known."""

import cv2
import numpy as np
import pytest

from gaze.vision.face.finder import LANDMARKS, Landmarks
from gaze.vision.head.pose import RIGID, RIGID_MM, focal_length_px, head_pose
from gaze.vision.kernels.jit import turned
from simulation.landmarks import make_landmarks, rotation


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


@pytest.mark.parametrize("seed", range(8))
def test_the_pose_is_that_of_least_squares_in_the_picture(seed):
    random = np.random.default_rng(seed)
    turn = rotation(*random.uniform(-40.0, 40.0, 3))
    landmarks = make_landmarks(turn, (*random.uniform(-60.0, 60.0, 2), random.uniform(250, 800)))
    landmarks.points_px[RIGID, :2] += random.normal(0.0, 2.0, (len(RIGID), 2))
    seen_px = landmarks.points_px[RIGID, :2].copy()
    pose = head_pose(landmarks)
    eyes_mm = RIGID_MM[[list(RIGID).index(number) for number in (33, 133, 362, 263)]].mean(axis=0)
    shift = pose.fitted_mm - pose.rotation @ eyes_mm
    camera = np.array([[pose.focal_px, 0, 320.0], [0, pose.focal_px, 240.0], [0, 0, 1.0]])
    _, peer, peer_shift = cv2.solvePnP(RIGID_MM, seen_px, camera, None, flags=cv2.SOLVEPNP_SQPNP)
    peer, peer_shift = cv2.solvePnPRefineLM(RIGID_MM, seen_px, camera, None, peer, peer_shift)

    def missed_px(turn, shift):
        placed_px = cv2.projectPoints(RIGID_MM, turn, shift, camera, None)[0][:, 0]
        return np.sqrt(((placed_px - seen_px) ** 2).sum())

    assert missed_px(pose.rotation, shift) == pytest.approx(missed_px(peer, peer_shift), rel=1e-6)
    assert pose.rotation == pytest.approx(cv2.Rodrigues(peer)[0], abs=1e-3)
    assert pose.rotation @ pose.rotation.T == pytest.approx(np.eye(3), abs=1e-12)


@pytest.mark.parametrize("damage", [np.nan, np.inf])
def test_no_pose_where_a_landmark_is_no_number(damage):
    landmarks = make_landmarks()
    landmarks.points_px[4, 0] = damage
    assert head_pose(landmarks) is None


@pytest.mark.parametrize("turn", [(0.0, 0.0, 0.0), (1e-9, 0.0, 0.0), (0.3, -1.2, 2.0)])
def test_a_rotation_is_turned_further(turn):
    before = rotation(20.0, -10.0, 5.0)
    expected = cv2.Rodrigues(np.array(turn))[0] @ before
    assert turned(before, np.array(turn)) == pytest.approx(expected, abs=1e-12)
