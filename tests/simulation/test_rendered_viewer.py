"""The rendered viewers: what is drawn is where its truth says, and the face mesh finds a face."""

import dataclasses

import cv2
import numpy as np
import pytest

from gaze.vision.face.finder import MeshFaceFinder
from simulation.landmarks import rotation
from simulation.rendered_viewer import (
    HEIGHT,
    NEAR_MM,
    WIDTH,
    Scene,
    draw,
    project,
    render,
    through_camera,
)

PERSON = draw(0)
STRAIGHT = Scene(np.eye(3), np.array([0.0, 20.0, NEAR_MM]), np.array([0.0, 40.0, 0.0]), 4.0)


def brightness(picture, scene):
    """How bright the pupils are, at their true places."""
    irises_px = render(PERSON, scene)[1].irises_px
    return [picture[round(y), round(x)].mean() for x, y in irises_px]


def test_pupils_are_where_the_truth_says():
    picture, truth = render(PERSON, STRAIGHT)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert max(brightness(picture, STRAIGHT)) < 60
    for (x, y), radius in zip(truth.irises_px, truth.radii_px, strict=True):
        # From iris to white at the limbus, to both sides.
        sides = [picture[round(y), round(x + way * radius * 1.15)].mean() for way in (-1, 1)]
        within = [picture[round(y), round(x + way * radius * 0.75)].mean() for way in (-1, 1)]
        assert min(sides) > max(within) + 10


def test_a_radius_is_that_of_the_iris_in_perspective():
    _, truth = render(PERSON, STRAIGHT)
    expected = PERSON.iris_mm / 2 * 554.26 / (NEAR_MM - 3.5)
    assert truth.radii_px == pytest.approx([expected] * 2, rel=0.02)


def test_eyes_turn_to_the_target_and_go_along_with_the_head():
    _, straight = render(PERSON, STRAIGHT)
    aside = dataclasses.replace(STRAIGHT, target_mm=np.array([80.0, 40.0, 0.0]))
    _, turned = render(PERSON, aside)
    # 16 degrees of the eyeball's 10.5 mm.
    assert turned.irises_px[:, 0] - straight.irises_px[:, 0] == pytest.approx([5.8] * 2, abs=0.6)
    moved = dataclasses.replace(STRAIGHT, place_mm=STRAIGHT.place_mm + np.array([20.0, 0.0, 0.0]))
    _, shifted = render(PERSON, moved)
    way = project(moved.place_mm)[0] - project(STRAIGHT.place_mm)[0]
    assert np.all(np.abs(shifted.irises_px[:, 0] - straight.irises_px[:, 0] - way) < 3)


def test_closed_lids_hide_the_eyes():
    closed = dataclasses.replace(STRAIGHT, openness=0.0)
    picture, _ = render(PERSON, closed)
    assert min(brightness(picture, STRAIGHT)) > 60


def test_seeds_are_different_people_and_one_seed_is_one():
    again = draw(0)
    assert again.iris_mm == PERSON.iris_mm
    assert np.array_equal(again.kappa_deg, PERSON.kappa_deg)
    assert draw(1).iris_mm != PERSON.iris_mm
    assert PERSON.has_light_iris
    assert not draw(1).has_light_iris


def test_the_face_mesh_finds_the_face_after_the_camera():
    scene = dataclasses.replace(STRAIGHT, turn=rotation(12.0, -8.0, 5.0))
    picture, truth = render(PERSON, scene)
    frames = list(through_camera([picture] * 3, 1))
    assert len(frames) == 3
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(int) for frame in frames]
    assert 0.5 < np.abs(grey[0] - grey[2]).mean() < 8
    finder = MeshFaceFinder()
    for frame in frames:
        landmarks = finder.find(frame)
    finder.close()
    assert np.abs(landmarks.points_px[[468, 473], :2] - truth.irises_px).max() < 4
