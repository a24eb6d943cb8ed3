"""The steadied head, on rendered viewers whose head does and does not move."""

import numpy as np
import pytest

from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.head.stabilizer import HeadStabilizer, Placed
from gaze.vision.iris.refinement import cut_eyes
from gaze.vision.regression.eyeball_model import EYEBALLS_MM
from simulation.landmarks import rotation
from simulation.rendered_viewer import NEAR_MM, Scene, draw, render, through_camera

PERSON = draw(32)
PLACE_MM = np.array([0.0, 20.0, NEAR_MM])


def follow(scenes, frames=4, noise=1):
    """The places that mesh and anchor give, at the last frame of each scene."""
    pictures = [picture for scene in scenes for picture in [render(PERSON, scene)[0]] * frames]
    finder, anchor = MeshFaceFinder(), HeadStabilizer()
    meshed, anchored = [], []
    for number, frame in enumerate(through_camera(pictures, noise)):
        landmarks = finder.find(frame)
        pose = head_pose(landmarks)
        placed = anchor.place(cut_eyes(frame, landmarks), landmarks, pose)
        if number % frames == frames - 1:
            meshed.append(Placed.of(pose))
            anchored.append(placed)
    finder.close()
    return meshed, anchored


def test_a_still_head_stays_where_it_is_while_the_eyes_go_about():
    targets = [(x, y, 0.0) for y in (10.0, 60.0, 90.0) for x in (-70.0, 0.0, 70.0)]
    scenes = [Scene(np.eye(3), PLACE_MM, np.array(target), 4.0) for target in targets]
    meshed, anchored = follow(scenes)

    def trembling_mm(places):
        return np.linalg.norm(np.std([placed.eyes_mm[:2] for placed in places], axis=0))

    assert trembling_mm(anchored) < 0.25
    assert trembling_mm(anchored) < 0.6 * trembling_mm(meshed)


def test_a_head_that_moves_and_turns_is_followed():
    straight = Scene(np.eye(3), PLACE_MM, np.array([0.0, 60.0, 0.0]), 4.0)
    moved = Scene(
        rotation(8.0, 0.0, 6.0), PLACE_MM + np.array([15.0, -10.0, 20.0]), straight.target_mm, 4.0
    )
    _, (first, second) = follow([straight, moved], 8)
    way = second.eyes_mm - first.eyes_mm
    assert way[:2] == pytest.approx([15.0, -10.0], abs=4.0)
    turned = np.degrees(np.arccos((np.trace(first.rotation.T @ second.rotation) - 1) / 2))
    assert turned == pytest.approx(10.0, abs=4.0)


def test_a_head_that_is_suddenly_elsewhere_is_found_again():
    straight = Scene(np.eye(3), PLACE_MM, np.array([0.0, 60.0, 0.0]), 4.0)
    off_deg = []
    for side in (1.0, -1.0):
        turn = rotation(14.0 * side, 12.0, -14.0 * side)
        move_mm = np.array([-50.0 * side, 30.0, 60.0])
        moved = Scene(turn, PLACE_MM + move_mm, straight.target_mm, 4.0)
        for noise in (1, 2):
            _, (first, second) = follow([straight, moved], noise=noise)
            scale = first.eyes_mm[2] / PLACE_MM[2]
            assert (second.eyes_mm - first.eyes_mm) / scale == pytest.approx(move_mm, abs=6.0)
            turned = second.rotation @ first.rotation.T @ turn.T
            off_deg.append(np.degrees(np.arccos((np.trace(turned) - 1) / 2)))
    assert np.mean(off_deg) < 2.5


def test_turns_of_the_head_tell_how_deep_its_eyes_lie():
    turns = [(0.0, 0.0), (7.0, 0.0), (14.0, 0.0), (7.0, 10.0), (0.0, 12.0), (-7.0, 8.0)]
    turns += [(-14.0, 0.0), (-7.0, -8.0), (0.0, -12.0), (10.0, -10.0), (14.0, 10.0)]
    target = np.array([0.0, 60.0, 0.0])
    scenes = [Scene(rotation(*turn), PLACE_MM, target, 4.0) for turn in turns]
    _, anchored = follow(scenes, 3)
    beside = []
    for scene, placed in zip(scenes[5:], anchored[5:], strict=True):
        seen = (EYEBALLS_MM @ placed.rotation.T + placed.eyes_mm).mean(axis=0)
        true = (PERSON.eyes_mm @ scene.turn.T + PLACE_MM).mean(axis=0)
        beside.append((seen / seen[2] - true / true[2])[:2] * true[2])
    assert np.std(beside, axis=0).max() < 0.3
