"""The stabilized head, on rendered viewers whose head does and does not move."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.head.stabilizer import HeadStabilizer
from gaze.vision.iris.refinement import crop_eyes
from gaze.vision.regression.eyeball_model import EYEBALLS_MM
from simulation.viewers.landmarks import rotation
from simulation.viewers.rendered import NEAR_MM, Scene, draw, render, through_camera

PERSON = draw(32)
HEAD_MM = np.array([0.0, 20.0, NEAR_MM])


def track(
    scenes: list[Scene], frames: int = 4, noise: int = 1
) -> tuple[list[RigidPose], list[RigidPose]]:
    """Return the poses by mesh and by stabilizer in the last frame of each scene."""
    pictures = [picture for scene in scenes for picture in [render(PERSON, scene)[0]] * frames]
    finder, stabilizer = MeshFaceFinder(), HeadStabilizer()
    by_mesh, stabilized = [], []
    for number, frame in enumerate(through_camera(pictures, noise)):
        landmarks = finder.find(frame)
        assert landmarks is not None
        pose, crop = head_pose(landmarks), crop_eyes(frame, landmarks)
        assert pose is not None and crop is not None
        rigid = stabilizer.stabilize(crop, landmarks, pose)
        if number % frames == frames - 1:
            by_mesh.append(RigidPose.from_pose(pose))
            stabilized.append(rigid)
    finder.close()
    return by_mesh, stabilized


def angle_deg(turn: FloatArray) -> float:
    return float(np.degrees(np.arccos((np.trace(turn) - 1) / 2)))


def test_a_still_head_stays_where_it_is_while_the_eyes_move() -> None:
    targets = [(x, y, 0.0) for y in (10.0, 60.0, 90.0) for x in (-70.0, 0.0, 70.0)]
    scenes = [Scene(np.eye(3), HEAD_MM, np.array(target), 4.0) for target in targets]
    by_mesh, stabilized = track(scenes)

    def jitter_mm(poses: list[RigidPose]) -> float:
        return float(np.linalg.norm(np.std([pose.eyes_mm[:2] for pose in poses], axis=0)))

    assert jitter_mm(stabilized) < 0.25
    assert jitter_mm(stabilized) < 0.6 * jitter_mm(by_mesh)


def test_a_head_that_moves_and_rotates_is_tracked() -> None:
    straight = Scene(np.eye(3), HEAD_MM, np.array([0.0, 60.0, 0.0]), 4.0)
    moved = Scene(
        rotation(8.0, 0.0, 6.0), HEAD_MM + np.array([15.0, -10.0, 20.0]), straight.target_mm, 4.0
    )
    _, (first, second) = track([straight, moved], 8)
    motion_mm = second.eyes_mm - first.eyes_mm
    assert motion_mm[:2] == pytest.approx([15.0, -10.0], abs=4.0)
    assert angle_deg(first.rotation.T @ second.rotation) == pytest.approx(10.0, abs=4.0)


def test_a_head_that_is_suddenly_elsewhere_is_found_again() -> None:
    straight = Scene(np.eye(3), HEAD_MM, np.array([0.0, 60.0, 0.0]), 4.0)
    errors_deg = []
    for side in (1.0, -1.0):
        turn = rotation(14.0 * side, 12.0, -14.0 * side)
        motion_mm = np.array([-50.0 * side, 30.0, 60.0])
        moved = Scene(turn, HEAD_MM + motion_mm, straight.target_mm, 4.0)
        for noise in (1, 2):
            _, (first, second) = track([straight, moved], noise=noise)
            scale = first.eyes_mm[2] / HEAD_MM[2]
            assert (second.eyes_mm - first.eyes_mm) / scale == pytest.approx(motion_mm, abs=6.0)
            errors_deg.append(angle_deg(second.rotation @ first.rotation.T @ turn.T))
    assert np.mean(errors_deg) < 2.5


def test_rotations_of_the_head_tell_how_deep_its_eyes_are() -> None:
    turns = [(0.0, 0.0), (7.0, 0.0), (14.0, 0.0), (7.0, 10.0), (0.0, 12.0), (-7.0, 8.0)]
    turns += [(-14.0, 0.0), (-7.0, -8.0), (0.0, -12.0), (10.0, -10.0), (14.0, 10.0)]
    target = np.array([0.0, 60.0, 0.0])
    scenes = [Scene(rotation(*turn), HEAD_MM, target, 4.0) for turn in turns]
    _, stabilized = track(scenes, 3)
    offsets_mm = []
    for scene, pose in zip(scenes[5:], stabilized[5:], strict=True):
        measured = (EYEBALLS_MM @ pose.rotation.T + pose.eyes_mm).mean(axis=0)
        true = (PERSON.eyes_mm @ scene.head_rotation.T + HEAD_MM).mean(axis=0)
        offsets_mm.append((measured / measured[2] - true / true[2])[:2] * true[2])
    assert np.std(offsets_mm, axis=0).max() < 0.3
