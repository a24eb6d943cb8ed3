"""Patches chosen on a rendered viewer."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import GreyImage
from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.face.landmark_indices import LIDS
from gaze.vision.head.pose import head_pose
from gaze.vision.head.reference import Reference, make_reference
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.iris.refinement import EyeCrop, crop_eyes
from gaze.vision.kernels.rigid_motion import project
from simulation.viewers.rendered import NEAR_MM, Scene, draw, render, through_camera

SCENE = Scene(np.eye(3), np.array([0.0, 20.0, NEAR_MM]), np.array([0.0, 60.0, 0.0]), 4.0)


class Face:
    """A rendered viewer, as the stabilizer gets it."""

    def __init__(self) -> None:
        finder = MeshFaceFinder()
        for frame in through_camera([render(draw(32), SCENE)[0]] * 3, 1):
            found = finder.find(frame)
        assert found is not None
        pose, crop = head_pose(found), crop_eyes(frame, found)
        assert pose is not None and crop is not None
        self.landmarks: Landmarks = found
        self.crop: EyeCrop = crop
        self.pose = RigidPose.from_pose(pose)
        middle_px = np.array([found.width_px - 1, found.height_px - 1]) / 2.0
        self.centre_px = middle_px - crop.origin

    def reference(self, grey: GreyImage | None = None) -> Reference | None:
        grey = self.crop.grey if grey is None else grey
        return make_reference(grey, self.centre_px, self.crop, self.landmarks, self.pose)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face()


def test_patches_are_on_the_face_outside_of_the_eyes(face: Face) -> None:
    reference = face.reference()
    assert reference is not None
    assert 8 <= len(reference.points_mm) <= 32
    assert np.abs(reference.points_mm).max() < 150.0
    patches_px = face.centre_px + project(
        reference.points_mm, face.pose.rotation, face.pose.eyes_mm, face.pose.focal_px
    )
    points = face.landmarks.points_px[:, :2] - 0.5 - face.crop.origin
    for upper, lower in LIDS:
        outline = cv2.convexHull(points[[*upper, *lower]].astype(np.float32))
        for x, y in patches_px.tolist():
            assert cv2.pointPolygonTest(outline, (x, y), False) < 0


def test_depths_are_uncertain_by_millimetres_and_correlated(face: Face) -> None:
    reference = face.reference()
    assert reference is not None
    deviations = np.sqrt(reference.depth_variances_mm2)
    assert 1.0 < deviations.min() < deviations.max() < 30.0
    covariance = np.linalg.inv(reference.depth_information)
    assert np.diag(covariance) == pytest.approx(reference.depth_variances_mm2)
    correlation = covariance / deviations / deviations[:, None]
    assert np.abs(correlation - np.eye(len(deviations))).max() > 0.2


def test_a_face_without_structure_has_no_reference(face: Face) -> None:
    assert face.reference(np.full_like(face.crop.grey, 128)) is None
