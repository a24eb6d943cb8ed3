"""Head pose and distance from landmarks whose pose is known."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYE_CORNERS, LANDMARKS
from gaze.vision.head.pose import RIGID, RIGID_MM, Pose, focal_length_px, head_pose
from simulation.viewers.landmarks import make_landmarks, rotation


def pose_of(landmarks: Landmarks) -> Pose:
    pose = head_pose(landmarks)
    assert pose is not None
    return pose


def test_focal_length_is_that_of_the_assumed_field_of_view() -> None:
    assert focal_length_px(640) == pytest.approx(554.26, abs=0.01)


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (25, 0, 0), (-25, 0, 0), (0, 20, 0), (0, -20, 0), (0, 0, 15)],
)
def test_angles_have_the_size_and_sign_of_the_rotation(
    yaw: float, pitch: float, roll: float
) -> None:
    head = pose_of(make_landmarks(rotation(yaw, pitch, roll))).head
    assert head.yaw_deg == pytest.approx(yaw, abs=0.5)
    assert head.pitch_deg == pytest.approx(pitch, abs=0.5)
    assert head.roll_deg == pytest.approx(roll, abs=0.5)


def test_a_nose_to_the_right_of_the_image_is_positive_yaw_and_a_raised_one_positive_pitch() -> None:
    straight = make_landmarks().points_px[4]
    rotated = make_landmarks(rotation(yaw_deg=20)).points_px[4]
    raised = make_landmarks(rotation(pitch_deg=20)).points_px[4]
    assert rotated[0] > straight[0] + 5
    assert raised[1] < straight[1] - 5


@pytest.mark.parametrize("distance_mm", [250.0, 600.0, 1200.0])
def test_distance_comes_from_the_iris(distance_mm: float) -> None:
    pose = pose_of(make_landmarks(eyes_mm=(0.0, 0.0, distance_mm)))
    assert pose.head.distance_mm == pytest.approx(distance_mm, rel=0.01)


def test_position_of_the_eyes_in_camera_space() -> None:
    pose = pose_of(make_landmarks(eyes_mm=(80.0, -40.0, 600.0)))
    assert pose.eyes_mm == pytest.approx([80.0, -40.0, 600.0], abs=2.0)


def test_no_pose_without_an_iris() -> None:
    assert head_pose(Landmarks(np.zeros((LANDMARKS, 3)), 640, 480)) is None


def test_no_pose_where_all_landmarks_are_at_one_point() -> None:
    points = make_landmarks().points_px.copy()
    points[:468] = points[4]
    assert head_pose(Landmarks(points, 640, 480)) is None


@pytest.mark.parametrize("seed", range(8))
def test_the_pose_has_the_least_reprojection_error(seed: int) -> None:
    random = np.random.default_rng(seed)
    turn = rotation(*random.uniform(-40.0, 40.0, 3))
    landmarks = make_landmarks(turn, (*random.uniform(-60.0, 60.0, 2), random.uniform(250, 800)))
    landmarks.points_px[RIGID, :2] += random.normal(0.0, 2.0, (len(RIGID), 2))
    observed_px = landmarks.points_px[RIGID, :2].copy()
    pose = pose_of(landmarks)
    eyes_mm = RIGID_MM[[list(RIGID).index(number) for number in EYE_CORNERS]].mean(axis=0)
    translation = pose.pnp_eyes_mm - pose.rotation @ eyes_mm
    camera = np.array([[pose.focal_px, 0, 320.0], [0, pose.focal_px, 240.0], [0, 0, 1.0]])
    undistorted = np.zeros(4)
    _, vector, peer = cv2.solvePnP(
        RIGID_MM, observed_px, camera, undistorted, flags=cv2.SOLVEPNP_SQPNP
    )
    vector, peer = cv2.solvePnPRefineLM(RIGID_MM, observed_px, camera, undistorted, vector, peer)
    peer_rotation = cv2.Rodrigues(vector)[0]

    def error_px(rotation: FloatArray, translation: FloatArray) -> float:
        vector = cv2.Rodrigues(rotation)[0]
        projected_px = cv2.projectPoints(RIGID_MM, vector, translation, camera, undistorted)[0][
            :, 0
        ]
        return float(np.sqrt(((projected_px - observed_px) ** 2).sum()))

    assert error_px(pose.rotation, translation) == pytest.approx(
        error_px(np.asarray(peer_rotation, np.float64), np.asarray(peer, np.float64)), rel=1e-6
    )
    assert pose.rotation == pytest.approx(peer_rotation, abs=1e-3)
    assert pose.rotation @ pose.rotation.T == pytest.approx(np.eye(3), abs=1e-12)


@pytest.mark.parametrize("damage", [np.nan, np.inf])
def test_no_pose_where_a_landmark_is_not_finite(damage: float) -> None:
    landmarks = make_landmarks()
    landmarks.points_px[4, 0] = damage
    assert head_pose(landmarks) is None
